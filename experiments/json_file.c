/* JSON files; see json_file.h. */
#include "experiments/json_file.h"

#include "core/base/file.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17 };

pg_status pg_json_write(json_t *root, const char *path, pg_error *err)
{
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(root);
    if (!text) return pg_fail(err, PG_FAILED, "%s: a text that is not UTF-8, or no memory", path);
    const size_t length = strlen(text);
    text[length] = '\n'; /* over the final zero: files are bytes with a length */
    const pg_status status = pg_file_write(path, text, length + 1, PG_FILE_PUBLIC, err);
    free(text);
    return status;
}
