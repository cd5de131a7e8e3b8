/* JSON files; see json_file.h. The checksum is the SHA-256 of all bytes before the comma that precedes it. */
#include "experiments/json_file.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17, TAIL = 14 + PG_SHA256_HEX - 1 + 4 };

/* The end of a file whose other bytes are these. */
static void make_tail(const char *body, size_t bytes, char tail[TAIL + 1])
{
    char hex[PG_SHA256_HEX];
    pg_sha256(body, bytes, hex);
    snprintf(tail, TAIL + 1, ",\n \"sha256\": \"%s\"\n}\n", hex);
}

pg_status pg_json_write(json_t *root, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    char *whole = NULL, *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(root);
    if (!text) PG_TRY(pg_fail(err, PG_FAILED, "%s: a text that is not UTF-8, or no memory", path));
    const size_t body = strlen(text) - strlen("\n}");
    PG_TRY(pg_alloc(body + TAIL + 1, 1, &whole, err));
    memcpy(whole, text, body);
    make_tail(text, body, whole + body);
    PG_TRY(pg_file_write(path, whole, body + TAIL, PG_FILE_PUBLIC, err));
done:
    pg_free(whole);
    free(text);
    return status;
}

static pg_status read_whole(const char *path, char **text, size_t *bytes, pg_error *err)
{
    char tail[TAIL + 1];
    const pg_status status = pg_file_read(path, text, bytes, err);
    if (status != PG_OK) return status;
    if (*bytes > TAIL) make_tail(*text, *bytes - TAIL, tail);
    if (*bytes > TAIL && memcmp(*text + *bytes - TAIL, tail, TAIL) == 0) return PG_OK;
    pg_free(*text);
    return pg_fail(err, PG_BAD_INPUT, "%s: damaged, or not a file of this version: it does not match its checksum", path);
}

pg_status pg_json_read(const char *path, json_t **root, pg_error *err)
{
    char *text;
    size_t bytes;
    json_error_t fault;
    const pg_status status = read_whole(path, &text, &bytes, err);
    if (status != PG_OK) return status;
    *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &fault);
    pg_free(text);
    return *root ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s:%d:%d: %s", path, fault.line, fault.column, fault.text);
}

pg_status pg_json_intact(const char *path, bool *intact, pg_error *err)
{
    char *text;
    size_t bytes;
    const pg_status status = read_whole(path, &text, &bytes, err);
    *intact = status == PG_OK;
    if (*intact) pg_free(text);
    return status == PG_BAD_INPUT || !pg_file_exists(path) ? PG_OK : status;
}
