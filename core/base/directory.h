/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing a directory, and locking it for a moment. */
#ifndef PG_BASE_DIRECTORY_H
#define PG_BASE_DIRECTORY_H

#include "core/base/status.h"

typedef struct pg_names {
    int count;
    char **name;
} pg_names;

/* The names in a directory without "." and "..", sorted bytewise. Release *out with pg_names_clear; it is empty on failure. */
PG_CHECKED pg_status pg_directory_list(const char *path, pg_names *out, pg_error *err);

/* Add a copy of a name at the end. */
PG_CHECKED pg_status pg_names_add(pg_names *names, const char *name, pg_error *err);
void pg_names_clear(pg_names *names);

/* Keep other processes that call this out of the directory until the descriptor is closed, if the file system has flock(2). -1
 * with errno if the directory cannot be opened. */
int pg_directory_lock(const char *path);

#endif
