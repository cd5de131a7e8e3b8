/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Downloading a file; see download.h. */
#include "core/data/download.h"

#include "core/base/child.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pg_status pg_download_failed(const char *program, int exit_code, char *output, pg_error *err)
{
    /* A network that inspects connections usually signs them itself. */
    const bool certificate = strcasestr(output, "certificate") || strstr(output, "_CERT");
    if (exit_code == PG_NO_PROGRAM) return pg_fail(err, PG_IO_FAULT, "%s is not installed", program);
    output[strcspn(output, "\r\n")] = 0;
    return pg_fail(
        err, PG_IO_FAULT, "%s failed: %.200s%s", program, output[0] ? output : "no message",
        certificate
            ? "; name the file of your network's certificates in CURL_CA_BUNDLE, for npm's registry in NODE_EXTRA_CA_CERTS"
            : "");
}

pg_status pg_download_check(const pg_data_archive *archive, const char *path, pg_error *err)
{
    char sum[PG_SHA256_HEX];
    const bool md5 = strlen(archive->sum) == PG_MD5_HEX - 1;
    const pg_status status = md5 ? pg_md5_file(path, sum, err) : pg_sha256_file(path, sum, err);
    if (status != PG_OK) return status;
    if (strcmp(sum, archive->sum) == 0) return PG_OK;
    return pg_fail(err, PG_IO_FAULT, "%s: its checksum is %s, expected %s", archive->name, sum, archive->sum);
}

static long size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : 0;
}

typedef struct watcher {
    const pg_download *download;
    const char *path;
} watcher;

static void watch(void *context)
{
    const watcher *w = context;
    const pg_download *d = w->download;
    d->progress(d->context, d->archive->name, size_of(w->path), d->archive->bytes);
}

/* Run curl. *stale is set if the server cannot continue the partial file. */
static pg_status run_curl(const pg_download *d, const char *path, bool part, bool *stale, pg_error *err)
{
    enum { HTTP_ERROR = 22, NO_RANGES = 33, BAD_RESUME = 36 };
    const char *argv[24] = {"curl",         "--fail", "--silent",      "--show-error", "--location", "--connect-timeout", "8",
                            "--speed-time", "30",     "--speed-limit", "1000",         "--output",   d->archive->name};
    char output[4096];
    int count = 13, code;
    if (part) {
        argv[count++] = "--continue-at";
        argv[count++] = "-";
    }
    if (d->registry && d->registry->certificates[0]) {
        argv[count++] = "--cacert";
        argv[count++] = d->registry->certificates;
    }
    if (d->registry && d->registry->unchecked) argv[count++] = "--insecure";
    argv[count++] = "--url";
    argv[count++] = d->url;
    const pg_status status =
        pg_child_watch(argv, d->folder, output, sizeof output, &code, d->progress ? watch : NULL, &(watcher){d, path}, err);
    if (status != PG_OK || code == 0) return status;
    *stale = code == NO_RANGES || code == BAD_RESUME || (code == HTTP_ERROR && strstr(output, "416"));
    return pg_download_failed(argv[0], code, output, err);
}

static pg_status attempt(const pg_download *d, const char *path, bool part, bool *stale, pg_error *err)
{
    pg_status status = run_curl(d, path, part, stale, err);
    if (status != PG_OK) return status;
    status = pg_download_check(d->archive, path, err);
    if (status == PG_OK) return PG_OK;
    *stale = true;
    unlink(path);
    return status;
}

pg_status pg_download_run(const pg_download *d, pg_error *err)
{
    char path[PG_PATH_MAX];
    bool stale = false;
    pg_status status = pg_path(path, d->folder, d->archive->name, NULL, err);
    if (status != PG_OK) return status;
    const bool part = size_of(path) > 0;
    if (part && pg_download_check(d->archive, path, NULL) == PG_OK) return PG_OK;
    status = attempt(d, path, part, &stale, err);
    if (status == PG_OK || !part || !stale) return status;
    unlink(path);
    return attempt(d, path, false, &stale, err);
}
