/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON files; see json_file.h. The checksum is the SHA-256 of all bytes before the comma that precedes it. */
#include "core/formats/json_file.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/formats/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17, TAIL = 14 + PG_SHA256_HEX - 1 + 4 };

/* Make the end of the file, with the checksum of the bytes before it. */
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
    if (!text) PG_TRY(pg_fail(err, PG_FAILED, "%s: cannot write JSON: a text is not UTF-8, or memory is short", path));
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

bool pg_json_sealed(const char *text, size_t bytes)
{
    char tail[TAIL + 1];
    if (bytes <= TAIL) return false;
    make_tail(text, bytes - TAIL, tail);
    return memcmp(text + bytes - TAIL, tail, TAIL) == 0;
}

/* A text of which a line is left out. */
typedef struct pieces {
    const char *at, *then;
    size_t left, then_left;
} pieces;

static size_t next_piece(void *out, size_t room, void *context)
{
    pieces *p = context;
    if (!p->left) *p = (pieces){.at = p->then, .left = p->then_left};
    const size_t bytes = p->left < room ? p->left : room;
    if (!bytes) return 0;
    memcpy(out, p->at, bytes);
    p->at += bytes;
    p->left -= bytes;
    return bytes;
}

/* Leave out a text of the root, which is a line of its own and begins with one space. */
static pieces leave_out(const char *text, size_t bytes, const char *member)
{
    char start[64];
    const pieces whole = {.at = text, .left = bytes};
    if (!member) return whole;
    snprintf(start, sizeof start, "\n \"%s\": \"", member);
    const char *line = memmem(text, bytes, start, strlen(start));
    const char *end = line ? memchr(line + 1, '\n', bytes - (size_t)(line + 1 - text)) : NULL;
    if (!end) return whole;
    return (pieces){.at = text, .left = (size_t)(line - text), .then = end, .then_left = bytes - (size_t)(end - text)};
}

pg_status pg_json_parse(const char *text, size_t bytes, const char *from, const char *without, json_t **root, pg_error *err)
{
    json_error_t fault;
    if (!pg_json_sealed(text, bytes))
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: the file does not match its checksum: it is damaged, or another version wrote it", from);
    pieces p = leave_out(text, bytes, without);
    *root = json_load_callback(next_piece, &p, JSON_REJECT_DUPLICATES, &fault);
    return *root ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s:%d:%d: %s", from, fault.line, fault.column, fault.text);
}

pg_status pg_json_read(const char *path, json_t **root, pg_error *err)
{
    char *text;
    size_t bytes;
    pg_status status = pg_file_read(path, &text, &bytes, err);
    if (status != PG_OK) return status;
    status = pg_json_parse(text, bytes, path, NULL, root, err);
    pg_free(text);
    return status;
}

/* ---- printing ---- */

static void print_value(json_t *value, int depth, FILE *stream);

/* Print the comma and line break before member `at`, or the line break after the last (-1). */
static void print_break(int at, int depth, FILE *stream)
{
    fprintf(stream, "%s\n%*s", at > 0 ? "," : "", 2 * depth, "");
}

static void print_members(json_t *object, int depth, FILE *stream)
{
    const char *key;
    json_t *value;
    int at = 0;
    json_object_foreach(object, key, value)
    {
        json_t *name = json_string(key);
        print_break(at++, depth + 1, stream);
        print_value(name, 0, stream);
        fputs(": ", stream);
        print_value(value, depth + 1, stream);
        json_decref(name);
    }
    if (at) print_break(-1, depth, stream);
}

static void print_items(json_t *array, int depth, FILE *stream)
{
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value)
    {
        print_break((int)i, depth + 1, stream);
        print_value(value, depth + 1, stream);
    }
    if (json_array_size(array)) print_break(-1, depth, stream);
}

static void print_value(json_t *value, int depth, FILE *stream)
{
    char number[PG_NUMBER_MAX];
    if (json_is_object(value) || json_is_array(value)) {
        const bool object = json_is_object(value);
        fputc(object ? '{' : '[', stream);
        (object ? print_members : print_items)(value, depth, stream);
        fputc(object ? '}' : ']', stream);
    } else if (json_is_real(value)) {
        fputs(pg_number_text(json_real_value(value), number), stream);
    } else {
        (void)json_dumpf(value, stream, JSON_ENCODE_ANY);
    }
}

void pg_json_print(json_t *root, FILE *stream)
{
    print_value(root, 0, stream);
    fputc('\n', stream);
}
