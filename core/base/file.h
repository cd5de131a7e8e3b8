/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole files, durably.
 *
 * A write goes to a unique temporary name in the same directory, is synced, renamed into place, and the
 * directory synced: a reader sees the old bytes or the new ones, never a part, and no second writer can clobber. */
#ifndef PG_BASE_FILE_H
#define PG_BASE_FILE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PG_PATH_MAX = 4096 };

/* Open a regular file for reading and set *size. Anything else (a folder, a FIFO, a device) is PG_BAD_INPUT; the call never
 * waits for one. The caller closes *fd. */
PG_CHECKED pg_status pg_file_open(const char *path, int *fd, size_t *size, pg_error *err);

/* Read all of path into a new block and add a zero byte, which *bytes does not count. The caller frees *out with pg_free. */
PG_CHECKED pg_status pg_file_read(const char *path, char **out, size_t *bytes, pg_error *err);

/* The same, but PG_BAD_INPUT if the file has more than `most` bytes; checked before memory is allocated. */
PG_CHECKED pg_status pg_file_read_up_to(const char *path, size_t most, char **out, size_t *bytes, pg_error *err);

/* Read the first bytes of path: `most`, or all if it has fewer. *total is the size of the file. */
PG_CHECKED pg_status pg_file_head(const char *path, char *out, size_t most, size_t *total, pg_error *err);

/* Read a text file as pg_file_read does and drop the byte order mark that some editors write before UTF-8. PG_BAD_INPUT if the
 * text is UTF-16 or UTF-32 (the message says to save it as UTF-8) or larger than 64 MiB. */
PG_CHECKED pg_status pg_file_read_text(const char *path, char **out, size_t *bytes, pg_error *err);

/* Permissions of a new file. The umask applies to PUBLIC. Only the owner may read or write a SECRET file (evidence), whatever
 * the umask. */
typedef enum pg_file_mode { PG_FILE_PUBLIC = 0666, PG_FILE_SECRET = 0600 } pg_file_mode;

/* Replace the content of path with data, durably. A failed call leaves no file behind. A file that already has this content is
 * not touched unless it must become secret. PG_IO_FAULT if path is not a regular file (a device, a folder). Sets permissions
 * only when it creates a file, because some file systems refuse to change them. */
PG_CHECKED pg_status pg_file_write(const char *path, const void *data, size_t bytes, pg_file_mode mode, pg_error *err);

/* The same for data that print writes piece by piece and that need not fit in memory. Calls print once to compare its output
 * with the existing file, and again if they differ; print must write the same bytes both times. */
typedef pg_status pg_printer(FILE *stream, const void *context, pg_error *err);
PG_CHECKED pg_status pg_file_print(const char *path, pg_printer *print, const void *context, pg_file_mode mode, pg_error *err);

/* Add data at the end of path, a regular file or none yet, durably. A failed call leaves the file as it was, unless the process
 * or the machine stops in it: then a part of the data may be there. Follows no symbolic link. */
PG_CHECKED pg_status pg_file_append(const char *path, const void *data, size_t bytes, pg_error *err);

/* Does the file system of a directory restrict a SECRET file to its owner? Some (CIFS, FAT, some FUSE) ignore permissions.
 * Finds out with a temporary file. */
PG_CHECKED pg_status pg_file_keeps_secrets(const char *directory, bool *keeps, pg_error *err);

/* PG_BAD_INPUT if path itself is a symbolic link. */
PG_CHECKED pg_status pg_file_refuse_link(const char *path, pg_error *err);

/* Remove path, durably. It is no error if the file does not exist, but its folder must exist. */
PG_CHECKED pg_status pg_file_remove(const char *path, pg_error *err);

/* Make a directory and its parents. It is no error if the directory exists. */
PG_CHECKED pg_status pg_make_directories(const char *path, pg_error *err);

/* False only if path certainly does not exist. If that cannot be found out, returns true, and reading the file tells why. */
bool pg_file_exists(const char *path);

/* Do both paths lead to one file, whatever links lie between? Files that do not exist are the same if they have one name in one
 * folder. */
bool pg_file_same(const char *a, const char *b);

/* Join the parts with '/' into out. PG_BAD_INPUT if the result does not fit. part2 may be NULL. */
PG_CHECKED pg_status pg_path(char out[PG_PATH_MAX], const char *directory, const char *part1, const char *part2, pg_error *err);

#endif
