/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Downloading a file with curl, continuing where an earlier attempt ended. */
#ifndef PG_DATA_DOWNLOAD_H
#define PG_DATA_DOWNLOAD_H

#include "core/data/readers.h"
#include "core/data/registry.h"

typedef struct pg_download {
    const pg_data_archive *archive;
    const char *url, *folder;    /* address of the file; where it goes, under the archive's name */
    const pg_registry *registry; /* gives the trusted certificate authorities; NULL: those of curl */
    /* called several times a second with the bytes so far and the total (0: unknown); NULL: not called */
    void (*progress)(void *context, const char *file, long done, long total);
    void *context;
} pg_download;

/* Download the file unless it exists with its checksum. Continues a partial file; if the server cannot, or if the whole file
 * has a wrong checksum, starts anew. PG_IO_FAULT; the part stays after a lost connection. */
PG_CHECKED pg_status pg_download_run(const pg_download *download, pg_error *err);

/* PG_IO_FAULT unless the file at path has the archive's checksum. */
PG_CHECKED pg_status pg_download_check(const pg_data_archive *archive, const char *path, pg_error *err);

/* Fail with the first line of the output of a program that failed. If the fault is an untrusted certificate, the message also
 * says how to trust it. */
pg_status pg_download_failed(const char *program, int exit_code, char *output, pg_error *err);

#endif
