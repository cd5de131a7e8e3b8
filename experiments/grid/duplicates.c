/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries that describe the same tasks; see duplicates.h. Sorting puts equal entries side by side. */
#include "experiments/grid/duplicates.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* An entry of a section, and the order of the section's entries. */
typedef struct entry {
    const pg_design *design;
    int (*order)(const pg_design *design, int a, int b);
    int index;
    const pg_node *node;
    uint64_t schemes; /* bits of the schemes to which it applies */
} entry;

static int order_of_data(const pg_design *d, int a, int b)
{
    const pg_data_choice *x = &d->data[a].choice, *y = &d->data[b].choice;
    const int name = strcmp(x->name, y->name), train = (x->train > y->train) - (x->train < y->train);
    return name                           ? name
           : strcmp(x->sha256, y->sha256) ? strcmp(x->sha256, y->sha256)
           : x->half != y->half           ? x->half - y->half
           : train                        ? train
                                          : (x->test > y->test) - (x->test < y->test);
}

static int order_of_networks(const pg_design *d, int a, int b)
{
    return pg_options_compare(pg_network_table, &d->networks[a].options, &d->networks[b].options);
}

static int order_of_schemes(const pg_design *d, int a, int b)
{
    const pg_design_scheme *x = &d->schemes[a], *y = &d->schemes[b];
    int order = strcmp(x->scheme->name, y->scheme->name);
    if (!order) order = strcmp(x->supplied.model_sha256, y->supplied.model_sha256);
    if (!order) order = strcmp(x->supplied.commitment, y->supplied.commitment);
    if (!order) order = pg_options_compare(x->scheme->options, x->options, y->options);
    return order ? order : pg_options_compare(pg_train_table, &x->train, &y->train);
}

static int order_of_attacks(const pg_design *d, int a, int b)
{
    if (a < 0 || b < 0) return (a >= 0) - (b >= 0);
    const pg_design_attack *x = &d->attacks[a], *y = &d->attacks[b];
    const int name = strcmp(x->attack->name, y->attack->name);
    const int after = strcmp(x->after ? x->after->name : "", y->after ? y->after->name : "");
    if (name || after) return name ? name : after;
    const int options = pg_options_compare(x->attack->options, x->options, y->options);
    return options ? options : order_of_attacks(d, x->chained, y->chained);
}

static int order_of_independent(const pg_design *d, int a, int b)
{
    return pg_options_compare(pg_independent_table, &d->independent[a].options, &d->independent[b].options);
}

static int by_value(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int order = x->order(x->design, x->index, y->index);
    return order ? order : x->index - y->index;
}

static void report(const entry *first, const entry *again, pg_problems *problems)
{
    char where[PG_NODE_PATH];
    if (first->node == again->node)
        pg_problems_add(problems, again->node, "gives the same tasks twice");
    else
        pg_problems_add(problems, again->node, "gives the same tasks as the entry at %s", pg_node_where(first->node, where));
}

/* Report entries[count] that equal an earlier one and apply to one of its schemes. */
static void find(entry *entries, int count, pg_problems *problems)
{
    int first = 0;
    uint64_t used = 0;
    qsort(entries, (size_t)count, sizeof *entries, by_value);
    for (int i = 0; i < count; i++) {
        const bool same = i > 0 && entries[i].order(entries[i].design, entries[first].index, entries[i].index) == 0;
        if (!same) {
            first = i;
            used = 0;
        }
        if (used & entries[i].schemes) report(&entries[first], &entries[i], problems);
        used |= entries[i].schemes;
    }
}

/* Bit i: the design has a scheme that is pg_schemes[i]. */
static uint64_t schemes_of(const pg_design *d)
{
    uint64_t found = 0;
    for (int s = 0; s < d->scheme_count; s++)
        for (int i = 0; pg_schemes[i]; i++) found |= (uint64_t)(d->schemes[s].scheme == pg_schemes[i]) << i;
    return found;
}

pg_status pg_duplicates_check(const pg_design *d, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    const uint64_t there = schemes_of(d);
    entry *entries = NULL;
    const int most[] = {d->data_count, d->network_count, d->scheme_count, d->attack_count, d->independent_count};
    size_t room = 0;
    for (size_t s = 0; s < sizeof most / sizeof *most; s++) room = (size_t)most[s] > room ? (size_t)most[s] : room;
    PG_TRY(pg_alloc(room, sizeof *entries, &entries, err));
    for (int i = 0; i < d->data_count; i++) entries[i] = (entry){d, order_of_data, i, d->data[i].node, 1};
    find(entries, d->data_count, problems);
    for (int i = 0; i < d->network_count; i++) entries[i] = (entry){d, order_of_networks, i, d->networks[i].node, 1};
    find(entries, d->network_count, problems);
    for (int i = 0; i < d->scheme_count; i++) entries[i] = (entry){d, order_of_schemes, i, d->schemes[i].node, 1};
    find(entries, d->scheme_count, problems);
    for (int i = 0; i < d->attack_count; i++)
        entries[i] =
            (entry){d, order_of_attacks, i, d->attacks[i].node, d->attacks[i].stage ? 0 : d->attacks[i].schemes & there};
    find(entries, d->attack_count, problems);
    for (int i = 0; i < d->independent_count; i++) entries[i] = (entry){d, order_of_independent, i, d->independent[i].node, 1};
    find(entries, d->independent_count, problems);
done:
    pg_free(entries);
    return status;
}
