/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short names; see brief.h. An option is named if it tells a variant from another that the options before it did not.
 *
 * Variants of one name that list the same options in the same order form a family. For each family, all variants of the name
 * are divided into classes by one option after another, so the time grows with the number of variants, not with its square. */
#include "experiments/report/brief.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int option_count(const pg_variant *v)
{
    return v->lists[0]->count + v->lists[1]->count;
}

static const pg_parameter *option_at(const pg_variant *v, int at)
{
    const int first = v->lists[0]->count;
    return at < first ? &v->lists[0]->items[at] : &v->lists[1]->items[at - first];
}

static const pg_parameter *option_of(const pg_variant *v, const char *key)
{
    for (int i = 0; i < option_count(v); i++)
        if (strcmp(option_at(v, i)->key, key) == 0) return option_at(v, i);
    return NULL;
}

/* The variants, divided by the options so far. class: by variant, that of the variants alike; -1: unlike the family. size: by
 * class. */
typedef struct division {
    int *class, *size;
} division;

typedef struct shortening {
    const pg_variants *list;
    pg_text_pool *texts; /* of the short names */
    int *family;         /* by variant */
    const char **name;   /* by variant: the short name so far */
    division now, next;
} shortening;

/* The option that names the earlier attacks of a chain. */
static const char *const chain_key = "chain";

/* Divide the classes by the value of an option. Variants that lack it are unlike the family. */
static pg_status divide(shortening *s, const char *key, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool values = {0};
    memset(s->next.size, 0, (size_t)s->list->count * sizeof *s->next.size);
    for (int i = 0; i < s->list->count; i++) {
        int *class = &s->next.class[i];
        const pg_parameter *option = s->now.class[i] < 0 ? NULL : option_of(&s->list->items[i], key);
        *class = -1;
        if (!option) continue;
        PG_TRY(pg_text_pool_print(&values, NULL, class, err, "%d %s", s->now.class[i], option -> text));
        s->next.size[*class]++;
    }
done:
    pg_text_pool_clear(&values);
    return status;
}

/* Append ", VALUE": a word stands alone; a number or an answer needs its key. */
static pg_status append(pg_text_pool *texts, const pg_parameter *option, const char **name, pg_error *err)
{
    const pg_value *v = &option->value;
    char key[PG_HIDDEN_MAX];
    const char *value = strchr(option->text, '=');
    if (v->type == PG_VALUE_TEXT && v->text[0]) return pg_text_pool_print(texts, name, NULL, err, "%s, %s", *name, v->text);
    snprintf(key, sizeof key, "%s", option->key);
    for (char *c = key; *c; c++)
        if (*c == '_') *c = ' ';
    if (!value) return pg_text_pool_print(texts, name, NULL, err, "%s, %s", *name, key);
    return pg_text_pool_print(texts, name, NULL, err, "%s, %s %s", *name, key, v->type == PG_VALUE_TEXT ? "none" : value + 1);
}

/* Name option number `at` of a family where it tells its variants from others, and divide the classes by it. */
static pg_status take_option(shortening *s, int family, const char *key, int at, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(divide(s, key, err));
    for (int i = 0; i < s->list->count; i++)
        if (s->family[i] == family && strcmp(key, chain_key) != 0 &&
            s->next.size[s->next.class[i]] < s->now.size[s->now.class[i]])
            PG_TRY(append(s->texts, option_at(&s->list->items[i], at), &s->name[i], err));
    const division swap = s->now;
    s->now = s->next;
    s->next = swap;
done:
    return status;
}

/* Find the short names of the family of variant `first`. */
static pg_status shorten_family(shortening *s, int first, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_variant *v = &s->list->items[first];
    s->now.size[0] = 0;
    for (int i = 0; i < s->list->count; i++) {
        s->now.class[i] = strcmp(s->list->items[i].name, v->name) == 0 ? 0 : -1;
        s->now.size[0] += s->now.class[i] == 0;
    }
    for (int k = 0; k < option_count(v); k++) PG_TRY(take_option(s, s->family[first], option_at(v, k)->key, k, err));
done:
    return status;
}

/* Number the family of a variant: its name and the keys of its options, as text. */
static pg_status find_family(const pg_variant *v, pg_text_pool *families, int *number, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    fputs(v->name, stream);
    for (int i = 0; i < option_count(v); i++) fprintf(stream, "\n%s", option_at(v, i)->key);
    pg_status status = fclose(stream) == 0 ? PG_OK : pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    if (status == PG_OK) status = pg_text_pool_keep(families, text, NULL, number, err);
    free(text);
    return status;
}

/* A short name begins with the variant's name, after those of the earlier attacks of its chain. */
static pg_status begin_name(shortening *s, int i, pg_error *err)
{
    const pg_variant *v = &s->list->items[i];
    const pg_parameter *chain = option_of(v, chain_key);
    s->name[i] = v->name;
    return chain ? pg_text_pool_print(s->texts, &s->name[i], NULL, err, "%s + %s", chain->value.text, v->name) : PG_OK;
}

static pg_status find_names(shortening *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool families = {0};
    for (int i = 0; i < s->list->count; i++) {
        PG_TRY(find_family(&s->list->items[i], &families, &s->family[i], err));
        PG_TRY(begin_name(s, i, err));
    }
    for (int i = 0, seen = 0; i < s->list->count; i++)
        if (s->family[i] == seen) {
            PG_TRY(shorten_family(s, i, err));
            seen++;
        }
done:
    pg_text_pool_clear(&families);
    return status;
}

/* A name that is another variant's too keeps its long form. */
static pg_status use_names(pg_variants *list, const char *const *names, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool taken = {0};
    for (int i = 0, number; i < list->count; i++) {
        const int before = taken.count;
        PG_TRY(pg_text_pool_keep(&taken, names[i], NULL, &number, err));
        if (number == before) list->items[i].label = names[i];
    }
done:
    pg_text_pool_clear(&taken);
    return status;
}

static pg_status shorten_all(pg_variants *list, pg_text_pool *texts, pg_error *err)
{
    pg_status status = PG_OK;
    shortening s = {.list = list, .texts = texts};
    const size_t count = (size_t)list->count;
    PG_TRY(pg_alloc(count, sizeof *s.family, &s.family, err));
    PG_TRY(pg_alloc(count, sizeof *s.name, &s.name, err));
    PG_TRY(pg_alloc(count, sizeof *s.now.class, &s.now.class, err));
    PG_TRY(pg_alloc(count, sizeof *s.now.size, &s.now.size, err));
    PG_TRY(pg_alloc(count, sizeof *s.next.class, &s.next.class, err));
    PG_TRY(pg_alloc(count, sizeof *s.next.size, &s.next.size, err));
    if (count) PG_TRY(find_names(&s, err));
    PG_TRY(use_names(list, s.name, err));
done:
    pg_free(s.family);
    pg_free(s.name);
    pg_free(s.now.class);
    pg_free(s.now.size);
    pg_free(s.next.class);
    pg_free(s.next.size);
    return status;
}

pg_status pg_summary_shorten(pg_summary *s, pg_error *err)
{
    const pg_status status = shorten_all(&s->schemes, &s->texts, err);
    return status == PG_OK ? shorten_all(&s->attacks, &s->texts, err) : status;
}
