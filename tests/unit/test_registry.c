/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npm's settings: where they are, which one wins, and their syntax. */
#include "core/base/memory.h"
#include "core/data/registry.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char global[] = "registry=http://global.test/\ncafile=/global.pem\n";

static void write_file(const char *name, const char *text)
{
    OK(pg_file_write(path_of(name), text, strlen(text), PG_FILE_PUBLIC, &err));
}

/* Empty home and working folders, these settings of the installation, and no others. */
static void start(const char *settings)
{
    static char home[128], config[128], *only[3];
    snprintf(home, sizeof home, "HOME=%s/home", folder());
    snprintf(config, sizeof config, "npm_config_globalconfig=%s/global", folder());
    only[0] = home;
    only[1] = config;
    environ = only;
    assert_int_equal(mkdir("home", 0755), 0);
    write_file("global", settings);
}

static void assert_found(const char *url, const char *certificates, bool unchecked)
{
    pg_registry found;
    pg_registry_find(&found);
    assert_string_equal(found.url, url);
    assert_string_equal(found.certificates, certificates);
    assert_int_equal(found.unchecked, unchecked);
}

static void set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

TEST(user_settings_override_global_ones)
{
    start("");
    assert_found("", "", false);
    write_file("global", global);
    assert_found("http://global.test", "/global.pem", false);
    write_file("home/.npmrc", "# registry=http://comment.test\n;registry=http://comment.test\nregistry = 'http://home.test'\n");
    assert_found("http://home.test", "/global.pem", false);
    write_file("user", "\xEF\xBB\xBFregistry=http://user.test//\r\nstrict-ssl = false\r\n");
    set("NPM_CONFIG_USERCONFIG", "user");
    assert_found("http://user.test", "/global.pem", true);
}

TEST(values_may_hold_variables_and_comments)
{
    char text[PG_PATH_MAX + 200];
    start(global);
    set("MIRROR", "mirror.test");
    write_file("home/.npmrc", "registry=https://${MIRROR}/npm/${NOTHING}\n@own:registry=http://scope.test\n");
    assert_found("https://mirror.test/npm", "/global.pem", false);
    write_file("home/.npmrc", "registry=first\nregistry=second\nregistryx=third\nno line\n=\n");
    assert_found("second", "/global.pem", false);
    write_file("home/.npmrc", "registry=${unclosed\nstrict-ssl=true");
    assert_found("${unclosed", "/global.pem", false);
    snprintf(text, sizeof text, "registry=%0*d\n", PG_PATH_MAX + 100, 0);
    write_file("home/.npmrc", text);
    pg_registry found;
    pg_registry_find(&found);
    assert_int_equal(strlen(found.url), PG_PATH_MAX - 1);
    write_file("home/.npmrc", "");
    assert_found("http://global.test", "/global.pem", false);
}

TEST(the_environment_overrides_the_files)
{
    start(global);
    write_file("home/.npmrc", "registry=http://home.test\n");
    set("npm_config_registry", "");
    assert_found("http://home.test", "/global.pem", false);
    set("npm_config_registry", "http://environment.test/");
    set("NPM_CONFIG_STRICT_SSL", "false");
    set("NPM_CONFIG_REGISTRYX", "http://other.test/");
    assert_found("http://environment.test", "/global.pem", true);
    set("npm_config_cafile", "/own.pem");
    set("NODE_EXTRA_CA_CERTS", "/extra.pem");
    assert_found("http://environment.test", "/own.pem", true);
    set("npm_config_cafile", NULL);
    write_file("global", "");
    assert_found("http://environment.test", "/extra.pem", true);
}
