/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short names; see brief.h. An option is named if it tells a variant from another that the options before it did not. */
#include "experiments/report/brief.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

static const pg_parameter *option_of(const pg_variant *v, const char *key)
{
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < v->lists[k]->count; i++)
            if (strcmp(v->lists[k]->items[i].key, key) == 0) return &v->lists[k]->items[i];
    return NULL;
}

/* Drop the variants whose value of an option differs, or which lack it, from those that are still alike. Returns the number
 * dropped. */
static int separate(const pg_variants *list, const pg_parameter *option, bool *alike)
{
    int gone = 0;
    for (int i = 0; i < list->count; i++) {
        if (!alike[i]) continue;
        const pg_parameter *other = option_of(&list->items[i], option->key);
        alike[i] = other && strcmp(other->text, option->text) == 0;
        gone += !alike[i];
    }
    return gone;
}

/* A word stands alone; a number or an answer needs its key. */
static void print_option(const pg_parameter *option, FILE *stream)
{
    const pg_value *v = &option->value;
    fputs(", ", stream);
    if (v->type == PG_VALUE_TEXT && v->text[0]) {
        fputs(v->text, stream);
        return;
    }
    for (const char *c = option->key; *c; c++) fputc(*c == '_' ? ' ' : *c, stream);
    const char *value = strchr(option->text, '=');
    if (value) fprintf(stream, " %s", v->type == PG_VALUE_TEXT ? "none" : value + 1);
}

static pg_status shorten(const pg_variants *list, const pg_variant *v, bool *alike, pg_text_pool *texts, const char **out,
                         pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    for (int i = 0; i < list->count; i++) alike[i] = strcmp(list->items[i].name, v->name) == 0;
    fputs(v->name, stream);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < v->lists[k]->count; i++)
            if (separate(list, &v->lists[k]->items[i], alike)) print_option(&v->lists[k]->items[i], stream);
    pg_status status = fclose(stream) == 0 ? PG_OK : pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    if (status == PG_OK) status = pg_text_pool_keep(texts, text, out, NULL, err);
    free(text);
    return status;
}

/* A name that is another variant's too keeps its long form. */
static pg_status shorten_all(pg_variants *list, pg_text_pool *texts, pg_error *err)
{
    pg_status status = PG_OK;
    bool *alike = NULL;
    pg_text_pool taken = {0};
    PG_TRY(pg_alloc((size_t)list->count, sizeof *alike, &alike, err));
    for (int i = 0; i < list->count; i++) {
        const char *name = NULL;
        int number;
        const int before = taken.count;
        PG_TRY(shorten(list, &list->items[i], alike, texts, &name, err));
        PG_TRY(pg_text_pool_keep(&taken, name, NULL, &number, err));
        if (number == before) list->items[i].label = name;
    }
done:
    pg_text_pool_clear(&taken);
    pg_free(alike);
    return status;
}

pg_status pg_summary_shorten(pg_summary *s, pg_error *err)
{
    const pg_status status = shorten_all(&s->schemes, &s->texts, err);
    return status == PG_OK ? shorten_all(&s->attacks, &s->texts, err) : status;
}
