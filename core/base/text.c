/* Text files as people have them; see text.h. */
#include "core/base/text.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <stdbool.h>
#include <string.h>

/* UTF-16 and UTF-32 begin with a byte order mark or, as text begins with ASCII, have a zero among the first two bytes. */
static bool is_wide(const char *text, size_t bytes)
{
    if (bytes < 2) return false;
    return memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0 || !text[0] || !text[1];
}

pg_status pg_text_read(const char *path, char **out, size_t *bytes, pg_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const size_t length = sizeof mark - 1;
    const pg_status status = pg_file_read(path, out, bytes, err);
    if (status != PG_OK) return status;
    if (is_wide(*out, *bytes)) {
        pg_free(*out);
        *out = NULL;
        return pg_fail(err, PG_BAD_INPUT, "%s: the text is in UTF-16 or UTF-32; save it as UTF-8", path);
    }
    if (*bytes < length || memcmp(*out, mark, length) != 0) return PG_OK;
    *bytes -= length;
    memmove(*out, *out + length, *bytes + 1); /* with the zero byte at the end */
    return PG_OK;
}
