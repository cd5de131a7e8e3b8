/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npm's settings; see registry.h. Its files have lines `key = value`; ${NAME} stands for an environment variable. */
#include "core/data/registry.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- the environment ---- */

/* Is name the variable of key? npm accepts NPM_CONFIG_STRICT_SSL and npm_config_strict_ssl for strict-ssl. */
static bool names_key(const char *name, const char *key)
{
    for (; *key; name++, key++)
        if ((*name == '_' ? '-' : tolower((unsigned char)*name)) != *key) return false;
    return *name == '=';
}

static const char *from_environment(const char *key)
{
    static const char prefix[] = "npm_config_";
    const size_t length = sizeof prefix - 1;
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncasecmp(*entry, prefix, length) != 0 || !names_key(*entry + length, key)) continue;
        const char *value = strchr(*entry, '=') + 1;
        if (*value) return value;
    }
    return NULL;
}

/* ---- files ---- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1])) text[--length] = 0;
    if (length > 1 && strchr("\"'", text[0]) && text[length - 1] == text[0]) {
        text[length - 1] = 0;
        text++;
    }
    return text;
}

/* Copy a value to out with its variables replaced; a long value is cut. */
static void expand(const char *value, char out[PG_PATH_MAX])
{
    size_t used = 0;
    while (*value && used < PG_PATH_MAX - 1) {
        char name[256];
        const size_t length = strncmp(value, "${", 2) == 0 ? strcspn(value + 2, "}") : 0;
        if (length > 0 && length < sizeof name && value[2 + length] == '}') {
            snprintf(name, sizeof name, "%.*s", (int)length, value + 2);
            const char *text = getenv(name);
            used += (size_t)snprintf(out + used, PG_PATH_MAX - used, "%s", text ? text : "");
            value += length + strlen("${}");
        } else {
            out[used++] = *value++;
        }
    }
    out[used < PG_PATH_MAX ? used : PG_PATH_MAX - 1] = 0;
}

/* Copy the value of the last line with this key to out; false if there is none. */
static bool from_file(const char *path, const char *key, char out[PG_PATH_MAX])
{
    char *text = NULL, *rest = NULL;
    size_t bytes = 0;
    bool found = false;
    if (pg_file_read_text(path, &text, &bytes, NULL) != PG_OK) return false;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');
        if (!equals) continue;
        *equals = 0;
        if (strcmp(trim(line), key) != 0) continue;
        expand(trim(equals + 1), out);
        found = true;
    }
    pg_free(text);
    return found;
}

static bool setting(const char *key, char out[PG_PATH_MAX])
{
    const char *own = from_environment(key), *user = from_environment("userconfig"), *all = from_environment("globalconfig");
    const char *home = getenv("HOME");
    char in_home[PG_PATH_MAX];
    snprintf(in_home, sizeof in_home, "%.4000s/.npmrc", home ? home : "");
    const char *const files[] = {".npmrc", user ? user : in_home, all ? all : "/etc/npmrc", "/usr/etc/npmrc",
                                 "/usr/local/etc/npmrc"};
    const int count = all ? 3 : 5;
    out[0] = 0;
    if (own) snprintf(out, PG_PATH_MAX, "%s", own);
    for (int i = 0; !own && i < count; i++)
        if (from_file(files[i], key, out) && out[0]) return true;
    return out[0] != 0;
}

void pg_registry_find(pg_registry *out)
{
    char strict[PG_PATH_MAX];
    const char *extra = getenv("NODE_EXTRA_CA_CERTS");
    setting("registry", out->url);
    for (size_t n = strlen(out->url); n > 0 && out->url[n - 1] == '/';) out->url[--n] = 0;
    if (!setting("cafile", out->certificates)) snprintf(out->certificates, PG_PATH_MAX, "%s", extra ? extra : "");
    out->unchecked = setting("strict-ssl", strict) && strcmp(strict, "false") == 0;
}
