/* JSON files of a run: one form, the same bytes for the same content, and a checksum as the last member, so that every changed
 * byte is noticed. */
#ifndef PG_FORMATS_JSON_FILE_H
#define PG_FORMATS_JSON_FILE_H

#include "core/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Print root for people and programs: one member a line, numbers with the fewest digits that read back as the same value. */
void pg_json_print(json_t *root, FILE *stream);

/* Write root (an object with members) durably, numbers with all their digits, and release it. root may be NULL: making it
 * failed. */
PG_CHECKED pg_status pg_json_write(json_t *root, const char *path, pg_error *err);

/* Read what pg_json_write wrote; *root is released by json_decref. PG_BAD_INPUT, naming the file, if a byte of it was changed.
 */
PG_CHECKED pg_status pg_json_read(const char *path, json_t **root, pg_error *err);

/* Is there such a file, and is it whole? An error if that cannot be seen, since the file cannot be read. */
PG_CHECKED pg_status pg_json_intact(const char *path, bool *intact, pg_error *err);

#endif
