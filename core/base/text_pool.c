/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pool of distinct texts; see text_pool.h. The search tree is the C library's (tsearch). */
#include "core/base/text_pool.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pg_kept_text {
    uint32_t hash;
    int number;
    char text[];
} kept_text;

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* The slot of a text, or the empty one where it belongs. */
static kept_text **slot_of(const pg_text_pool *texts, const char *text, uint32_t hash)
{
    const uint32_t mask = (uint32_t)texts->room - 1;
    uint32_t at = hash & mask;
    while (texts->slots[at] && (texts->slots[at]->hash != hash || strcmp(texts->slots[at]->text, text) != 0))
        at = (at + 1) & mask;
    return &texts->slots[at];
}

/* Double the index if it is half full. */
static pg_status make_room(pg_text_pool *texts, pg_error *err)
{
    if (2 * texts->count < texts->room) return PG_OK;
    pg_text_pool larger = {.room = texts->room ? 2 * texts->room : 16};
    const pg_status status = pg_alloc((size_t)larger.room, sizeof *larger.slots, &larger.slots, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < texts->room; i++)
        if (texts->slots[i]) *slot_of(&larger, texts->slots[i]->text, texts->slots[i]->hash) = texts->slots[i];
    pg_free(texts->slots);
    texts->slots = larger.slots;
    texts->room = larger.room;
    return PG_OK;
}

/* Blocks of texts, newest first. An allocation for each text would cost more memory than most texts have. */
typedef struct block {
    struct block *next;
    char data[];
} block;

enum { BLOCK = 16384, STEP = sizeof(void *) };

pg_status pg_text_pool_take(pg_text_pool *texts, size_t bytes, void *out, pg_error *err)
{
    block *newest = texts->blocks;
    bytes = (bytes + STEP - 1) / STEP * STEP;
    if (!newest || texts->left < bytes) {
        const size_t usual = newest ? BLOCK : BLOCK / 16; /* most pools are small */
        texts->left = bytes > usual ? bytes : usual;
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

static pg_status add(pg_text_pool *texts, const char *text, uint32_t hash, kept_text **slot, pg_error *err)
{
    const size_t bytes = strlen(text) + 1;
    kept_text *made = NULL;
    const pg_status status = pg_text_pool_take(texts, sizeof *made + bytes, &made, err);
    if (status != PG_OK) return status;
    made->hash = hash;
    made->number = texts->count++;
    memcpy(made->text, text, bytes);
    *slot = made;
    return PG_OK;
}

pg_status pg_text_pool_keep(pg_text_pool *texts, const char *text, const char **kept, int *number, pg_error *err)
{
    pg_status status = PG_OK;
    const uint32_t hash = hash_of(text);
    kept_text **slot;
    PG_TRY(make_room(texts, err));
    slot = slot_of(texts, text, hash);
    if (!*slot) PG_TRY(add(texts, text, hash, slot, err));
    if (kept) *kept = (*slot)->text;
    if (number) *number = (*slot)->number;
done:
    return status;
}

/* Is it printable ASCII, as most texts are? */
static bool is_simple(const char *text)
{
    while (*text >= ' ' && *text <= '~') text++;
    return !*text;
}

pg_status pg_text_pool_keep_printable(pg_text_pool *texts, const char *text, const char **kept, pg_error *err)
{
    char *shown = NULL;
    if (is_simple(text)) return pg_text_pool_keep(texts, text, kept, NULL, err);
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

void pg_text_pool_clear(pg_text_pool *texts)
{
    for (block *b = texts->blocks, *next; b; b = next) {
        next = b->next;
        pg_free(b);
    }
    pg_free(texts->slots);
    *texts = (pg_text_pool){0};
}
