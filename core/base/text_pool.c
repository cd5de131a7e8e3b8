/* A pool of distinct texts; see text_pool.h. The search tree is the C library's (tsearch). */
#include "core/base/text_pool.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct kept_text {
    const char *text; /* compared; the caller's text during a search, `copy` afterwards */
    int number;
    char copy[];
} kept_text;

static int compare(const void *a, const void *b)
{
    return strcmp(((const kept_text *)a)->text, ((const kept_text *)b)->text);
}

/* Blocks of texts, newest first. An allocation for each text would cost more memory than most texts have. */
typedef struct block {
    struct block *next;
    char data[];
} block;

enum { BLOCK = 16384, STEP = sizeof(void *) };

/* Take bytes from the newest block, or from a new one. */
static pg_status take(pg_text_pool *texts, size_t bytes, void *out, pg_error *err)
{
    block *newest = texts->blocks;
    bytes = (bytes + STEP - 1) / STEP * STEP;
    if (texts->left < bytes) {
        texts->left = bytes > BLOCK ? bytes : texts->blocks ? BLOCK : BLOCK / 16; /* most pools are small */
        const pg_status status = pg_alloc(1, sizeof *newest + texts->left, &newest, err);
        if (status != PG_OK) {
            texts->left = 0;
            return status;
        }
        newest->next = texts->blocks;
        texts->blocks = newest;
    }
    texts->left -= bytes;
    *(void **)out = newest->data + texts->left;
    return PG_OK;
}

static pg_status add(pg_text_pool *texts, const char *text, kept_text **out, pg_error *err)
{
    const size_t bytes = strlen(text) + 1;
    kept_text *made = NULL;
    const pg_status status = take(texts, sizeof *made + bytes, &made, err);
    if (status != PG_OK) return status;
    memcpy(made->copy, text, bytes);
    made->text = made->copy;
    made->number = texts->count;
    if (!tsearch(made, &texts->tree, compare)) return pg_fail(err, PG_NO_MEMORY, "out of memory (%zu bytes)", bytes);
    texts->count++;
    *out = made;
    return PG_OK;
}

pg_status pg_text_pool_keep(pg_text_pool *texts, const char *text, const char **kept, int *number, pg_error *err)
{
    const kept_text wanted = {.text = text};
    kept_text **found = tfind(&wanted, &texts->tree, compare), *at = found ? *found : NULL;
    const pg_status status = at ? PG_OK : add(texts, text, &at, err);
    if (status != PG_OK) return status;
    if (kept) *kept = at->text;
    if (number) *number = at->number;
    return PG_OK;
}

pg_status pg_text_pool_keep_printable(pg_text_pool *texts, const char *text, const char **kept, pg_error *err)
{
    char *shown = NULL;
    const size_t room = 4 * strlen(text) + 1; /* every byte as \xNN */
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(room, 1, &shown, err));
    PG_TRY(pg_text_pool_keep(texts, pg_printable(text, shown, room), kept, NULL, err));
done:
    pg_free(shown);
    return status;
}

pg_status pg_text_pool_vprint(pg_text_pool *texts, const char **kept, int *number, pg_error *err, const char *format,
                              va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) return pg_fail(err, PG_NO_MEMORY, "out of memory for a text");
    const pg_status status = pg_text_pool_keep(texts, text, kept, number, err);
    free(text);
    return status;
}

pg_status pg_text_pool_print(pg_text_pool *texts, const char **kept, int *number, pg_error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const pg_status status = pg_text_pool_vprint(texts, kept, number, err, format, arguments);
    va_end(arguments);
    return status;
}

static void keep_block(void *text)
{
    (void)text;
}

void pg_text_pool_clear(pg_text_pool *texts)
{
    tdestroy(texts->tree, keep_block);
    for (block *b = texts->blocks, *next; b; b = next) {
        next = b->next;
        pg_free(b);
    }
    *texts = (pg_text_pool){0};
}
