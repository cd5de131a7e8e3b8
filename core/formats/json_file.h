/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON files of a run. The same content gives the same bytes; the last member is a checksum, so the reader notices every
 * changed byte. */
#ifndef PG_FORMATS_JSON_FILE_H
#define PG_FORMATS_JSON_FILE_H

#include "core/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Print root, one member a line, numbers with the fewest digits that read back as the same value. */
void pg_json_print(json_t *root, FILE *stream);

/* Write root, an object with members, durably, with 17 digits for each number, and release it. PG_FAILED if root is NULL
 * because making it failed. */
PG_CHECKED pg_status pg_json_write(json_t *root, const char *path, pg_error *err);

/* Read a file of pg_json_write; the caller releases *root with json_decref. PG_BAD_INPUT, naming the file, if a byte was
 * changed. */
PG_CHECKED pg_status pg_json_read(const char *path, json_t **root, pg_error *err);

/* Does the whole text of such a file match its checksum? */
bool pg_json_sealed(const char *text, size_t bytes);

/* Parse the text of such a file, which `from` names in messages; the caller releases *root. PG_BAD_INPUT if it does not match
 * its checksum. `without` is a text of the root to pass over, because it is long and not needed; NULL: none. */
PG_CHECKED pg_status pg_json_parse(const char *text, size_t bytes, const char *from, const char *without, json_t **root,
                                   pg_error *err);

#endif
