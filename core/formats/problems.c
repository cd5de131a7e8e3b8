/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Problems of a configuration; see problems.h. */
#include "core/formats/problems.h"

#include "core/base/minmax.h"
#include "core/base/utf8.h"

#include <string.h>

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

enum { WORD_MAX = 64 };

/* Edits (insert, delete, replace, swap neighbours) between two words of fewer than WORD_MAX bytes: the "optimal string
 * alignment" distance, on three rows of its table. */
static int distance(const char *a, const char *b)
{
    int rows[3][WORD_MAX + 1];
    const int m = (int)strlen(a), n = (int)strlen(b);
    for (int j = 0; j <= n; j++) rows[0][j] = j;
    for (int i = 1; i <= m; i++) {
        const int *above = rows[(i - 1) % 3], *second = rows[(i + 1) % 3];
        int *row = rows[i % 3];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = pg_min(above[j - 1] + !same, pg_min(above[j], row[j - 1]) + 1);
            const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped) row[j] = pg_min(row[j], second[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

const char *pg_nearest(const char *word, const char *const *known)
{
    const size_t length = strlen(word);
    if (length >= WORD_MAX) return NULL;
    const char *best = NULL;
    int limit = (int)(length + 5) / 3; /* strictly fewer edits than this: 1 for short words, then a third of the length */
    for (; *known; known++) {
        if (strlen(*known) >= WORD_MAX) continue;
        const int edits = distance(word, *known);
        if (edits >= limit) continue;
        limit = edits;
        best = *known;
    }
    return best;
}

const char *pg_join(const char *const *words, char *out, size_t bytes)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; words[i] && used < bytes - 1; i++) {
        snprintf(out + used, bytes - used, "%s%s", i > 0 ? ", " : "", words[i]);
        used += strlen(out + used);
    }
    return out;
}

/* Is line equal to one of the first n? */
static bool is_said(const pg_problems *problems, int n, const char *line)
{
    for (int i = 0; i < n; i++)
        if (strcmp(problems->lines[i], line) == 0) return true;
    return false;
}

/* Add the line "where: path: message", without an empty path. */
static void add(pg_problems *problems, const char *where, const char *path, const char *format, va_list args)
{
    if (problems->count++ >= PG_PROBLEMS_MAX) return;
    char line[PG_PROBLEM_BYTES + 1], *made = problems->lines[problems->count - 1];
    snprintf(line, sizeof line, "%s: %s%s", where, path, path[0] ? ": " : "");
    const size_t used = strlen(line);
    vsnprintf(line + used, sizeof line - used, format, args);
    pg_printable(line, made, PG_PROBLEM_BYTES); /* a key may hold any character */
    if (is_said(problems, problems->count - 1, made)) problems->count--;
}

static void add_line(pg_problems *problems, const char *where, const char *path, const char *format, ...) PG_PRINTF(4, 5);

static void add_line(pg_problems *problems, const char *where, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, where, path, format, args);
    va_end(args);
}

void pg_problems_add(pg_problems *problems, const pg_node *node, const char *format, ...)
{
    char where[PG_NODE_PATH], path[PG_NODE_PATH];
    va_list args;
    va_start(args, format);
    add(problems, pg_node_where(node, where), pg_node_path(node, path), format, args);
    va_end(args);
}

void pg_problems_add_once(pg_problems *problems, const pg_node *node, const char *of, const char *message)
{
    char where[PG_NODE_PATH];
    const size_t length = strlen(pg_node_where(node, where));
    for (int i = 0; i < problems->count && i < PG_PROBLEMS_MAX; i++)
        if (strncmp(problems->lines[i], where, length) == 0 && strstr(problems->lines[i], message)) return;
    pg_problems_add(problems, node, "%s: %s", of, message);
}

void pg_problems_missing(pg_problems *problems, const pg_node *map, const char *key, const char *expected)
{
    char where[PG_NODE_PATH], path[PG_NODE_PATH], full[2 * PG_NODE_PATH];
    pg_node_path(map, path);
    snprintf(full, sizeof full, "%s%s%s", path, path[0] ? "." : "", key);
    add_line(problems, pg_node_where(map, where), full, "expected %s, got nothing", expected);
}

void pg_problems_unknown(pg_problems *problems, const pg_node *entry, const char *const *known)
{
    char where[PG_NODE_PATH], path[PG_NODE_PATH], keys[PG_PROBLEM_BYTES];
    const char *near = pg_nearest(entry->key, known);
    pg_node_where_key(entry, where);
    pg_node_path(entry, path);
    pg_join(known, keys, sizeof keys);
    if (near)
        add_line(problems, where, path, "unknown key, did you mean '%s'? known keys: %s", near, keys);
    else
        add_line(problems, where, path, "unknown key; known keys: %s", keys);
}

void pg_problems_choice(pg_problems *problems, const pg_node *node, const char *const *known)
{
    char words[PG_PROBLEM_BYTES], found[PG_NODE_SHORT];
    const char *near = node->kind == PG_SCALAR ? pg_nearest(node->text, known) : NULL;
    pg_join(known, words, sizeof words);
    pg_node_describe(node, found);
    if (near)
        pg_problems_add(problems, node, "expected one of %s, got %s, did you mean '%s'?", words, found, near);
    else
        pg_problems_add(problems, node, "expected one of %s, got %s", words, found);
}

void pg_problems_join(pg_problems *problems, const pg_problems *more)
{
    for (int i = 0; i < more->count; i++) {
        if (problems->count++ >= PG_PROBLEMS_MAX || i >= PG_PROBLEMS_MAX) continue;
        memcpy(problems->lines[problems->count - 1], more->lines[i], PG_PROBLEM_BYTES);
        if (is_said(problems, problems->count - 1, more->lines[i])) problems->count--;
    }
}

pg_status pg_problems_status(const pg_problems *problems, const char *name, pg_error *err)
{
    if (problems->count == 0) return PG_OK;
    if (problems->count == 1) return pg_fail(err, PG_BAD_INPUT, "%s", problems->lines[0]);
    return pg_fail(err, PG_BAD_INPUT, "%s: %d problems, the first: %s", name, problems->count, problems->lines[0]);
}

void pg_problems_print(const pg_problems *problems, FILE *stream)
{
    for (int i = 0; i < problems->count && i < PG_PROBLEMS_MAX; i++) fprintf(stream, "%s\n", problems->lines[i]);
    if (problems->count > PG_PROBLEMS_MAX) fprintf(stream, "and %d more problems\n", problems->count - PG_PROBLEMS_MAX);
}
