/* Text files as people have them. */
#ifndef PG_BASE_TEXT_H
#define PG_BASE_TEXT_H

#include "core/base/status.h"

#include <stddef.h>

/* As pg_file_read, without the byte order mark that some editors write in front of UTF-8. UTF-16 and UTF-32 are PG_BAD_INPUT
 * and say what to do. */
PG_CHECKED pg_status pg_text_read(const char *path, char **out, size_t *bytes, pg_error *err);

#endif
