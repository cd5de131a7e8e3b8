/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Downloading a file with curl, continuing where an earlier attempt ended. */
#ifndef PG_DATA_DOWNLOAD_H
#define PG_DATA_DOWNLOAD_H

#include "core/data/readers.h"
#include "core/data/registry.h"

typedef struct pg_download {
    const pg_data_archive *archive;
    const char *url, *folder;    /* of the file; where it goes, under the archive's name */
    const pg_registry *registry; /* gives the trusted certificate authorities; NULL: those of curl */
    /* called several times a second with the bytes that are there, and in all (0: unknown); NULL: not called */
    void (*progress)(void *context, const char *file, long done, long total);
    void *context;
} pg_download;

/* Download the file unless it is there with its checksum. A part that is there is continued, or fetched anew if the server
 * cannot continue it or the whole has a wrong checksum. PG_IO_FAULT; after a lost connection the part stays. */
PG_CHECKED pg_status pg_download_run(const pg_download *download, pg_error *err);

/* PG_IO_FAULT unless the file at path has the archive's checksum. */
PG_CHECKED pg_status pg_download_check(const pg_data_archive *archive, const char *path, pg_error *err);

/* The error of a program that failed: the first line of its output, in which programs name the fault. If that is an untrusted
 * certificate, the message also says how to name one. */
pg_status pg_download_failed(const char *program, int exit_code, char *output, pg_error *err);

#endif
