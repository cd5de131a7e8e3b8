/* JSON files of a run: one form, the same bytes for the same content. */
#ifndef PG_EXPERIMENTS_JSON_FILE_H
#define PG_EXPERIMENTS_JSON_FILE_H

#include "core/base/status.h"

#include <jansson.h>

/* Write root durably, numbers with all their digits, and release it. root may be NULL: making it failed. */
PG_CHECKED pg_status pg_json_write(json_t *root, const char *path, pg_error *err);

#endif
