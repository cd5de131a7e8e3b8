/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists in place of single values, multiplied out; see options.h. */
#include "core/formats/options.h"

#include "core/base/memory.h"

#include <stdint.h>
#include <string.h>

static bool is_axis(const pg_option *table, const pg_node *entry)
{
    if (entry->kind != PG_LIST || entry->count == 0) return false;
    const pg_option *option = pg_options_find(table, entry->key);
    return option && option->type != PG_OPT_INTS && option->type != PG_OPT_REALS;
}

double pg_options_count(const pg_option *table, const pg_node *map)
{
    double count = 1;
    for (const pg_node *entry = map->first; entry; entry = entry->next)
        if (is_axis(table, entry)) count *= (double)entry->count;
    return count;
}

typedef struct product {
    const pg_option *table;
    size_t left; /* maps that may still be visited */
    pg_options_visit *visit;
    void *context;
    pg_node made; /* the present map; its entries are an array */
} product;

/* Let slot stand for an entry with a value: the entry's own, or an item of it. */
static void put(pg_node *slot, const pg_node *entry, const pg_node *value, const pg_node *parent)
{
    *slot = *value;
    slot->key = entry->key;
    slot->key_line = entry->key_line;
    slot->key_column = entry->key_column;
    slot->used = entry->used;
    slot->index = entry->index;
    slot->parent = (pg_node *)(uintptr_t)parent;
    slot->next = entry->next ? slot + 1 : NULL;
}

/* Visit every map of the entries from this one on; earlier entries already have their values. */
static pg_status multiply(product *p, const pg_node *entry, pg_node *slot, pg_error *err)
{
    pg_status status = PG_OK;
    if (p->left == 0) return PG_OK;
    if (!entry) {
        p->left--;
        return p->visit(p->context, &p->made, err);
    }
    const bool axis = is_axis(p->table, entry);
    for (const pg_node *value = axis ? entry->first : entry; value && status == PG_OK; value = axis ? value->next : NULL) {
        put(slot, entry, value, &p->made);
        status = multiply(p, entry->next, slot + 1, err);
    }
    return status;
}

pg_status pg_options_each(const pg_option *table, const pg_node *map, size_t most, pg_options_visit *visit, void *context,
                          pg_error *err)
{
    pg_node *slots = NULL;
    pg_status status = pg_alloc(map->count, sizeof *slots, &slots, err);
    if (status != PG_OK) return status;
    product p = {.table = table, .left = most, .visit = visit, .context = context, .made = *map};
    p.made.first = map->count ? slots : NULL;
    p.made.last = map->count ? slots + map->count - 1 : NULL;
    status = multiply(&p, map->first, slots, err);
    pg_free(slots);
    return status;
}

/* Check every item of an axis in place of the entry, without storing it. */
static void check_axis(const pg_option *option, const pg_node *entry, pg_problems *problems)
{
    pg_option one = *option;
    pg_node place;
    union {
        double number;
        char text[PG_TEXT_MAX];
    } nothing;
    one.offset = 0;
    for (const pg_node *value = entry->first; value; value = value->next) {
        put(&place, entry, value, entry->parent);
        pg_option_read(&one, &place, &nothing, problems);
    }
    pg_options_repeats(option, entry, problems);
}

void pg_options_check(const pg_option *table, const char *const *keys, const pg_node *map, pg_problems *problems)
{
    for (pg_node *entry = map->first; entry; entry = entry->next) {
        entry->used |= pg_options_find(table, entry->key) != NULL;
        for (const char *const *key = keys; *key; key++) entry->used |= strcmp(*key, entry->key) == 0;
    }
    pg_options_unknown((const pg_option *const[]){table, NULL}, keys, map, problems);
    for (pg_node *entry = map->first; entry; entry = entry->next)
        if (is_axis(table, entry)) check_axis(pg_options_find(table, entry->key), entry, problems);
}
