/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting the tasks of a grid; see grid_size.h. Counts are doubles, which cannot overflow here. */
#include "experiments/grid/grid_size.h"

#include "attacks/attack.h"
#include "core/formats/number.h"
#include "core/ownership/scheme.h"
#include "experiments/grid/grid_options.h"

#include <stdio.h>
#include <string.h>

enum { KINDS_MAX = 64 };

/* Numbers of combinations; schemes[] and attacks[] by index into pg_schemes. */
typedef struct extent {
    double data, networks, seeds;
    double schemes[KINDS_MAX], attacks[KINDS_MAX]; /* attacks: on each model of the scheme */
    double handed[KINDS_MAX][KINDS_MAX];           /* [attack][scheme]: tasks that a later attack may follow */
    double independent;                            /* networks that every evidence claims */
} extent;

/* The first map of a section, which is a map or a list of maps. */
static const pg_node *first_entry(const pg_node *root, const char *key)
{
    const pg_node *section = pg_node_find(root, key);
    if (!section) return NULL;
    return section->kind == PG_LIST ? section->first : section;
}

static const pg_node *next_entry(const pg_node *root, const char *key, const pg_node *entry)
{
    return entry == pg_node_find(root, key) ? NULL : entry->next;
}

static double count_section(const pg_node *root, const char *key, const pg_option *table)
{
    double count = 0;
    for (const pg_node *entry = first_entry(root, key); entry; entry = next_entry(root, key, entry))
        if (entry->kind == PG_MAP) count += pg_options_count(table, entry);
    return count;
}

static double count_seeds(const pg_node *root)
{
    const pg_node *seeds = pg_node_find(root, "seeds");
    return seeds && seeds->kind == PG_LIST ? (double)seeds->count : 1;
}

/* The first name under key, which is a name or a list of names. */
static const pg_node *first_name(const pg_node *entry, const char *key)
{
    const pg_node *names = pg_node_find(entry, key);
    return names && names->kind == PG_LIST ? names->first : names;
}

static const pg_node *next_name(const pg_node *entry, const char *key, const pg_node *name)
{
    return name == pg_node_find(entry, key) ? NULL : name->next;
}

static bool names_scheme(const pg_node *entry, const char *key, const pg_scheme *scheme)
{
    for (const pg_node *n = first_name(entry, key); n; n = next_name(entry, key, n))
        if (pg_scheme_find(n->text) == scheme) return true;
    return false;
}

static bool names_attack(const pg_node *entry, const pg_attack *attack)
{
    for (const pg_node *n = first_name(entry, "attack"); n; n = next_name(entry, "attack", n))
        if (pg_attack_find(n->text) == attack) return true;
    return false;
}

static void count_schemes(const pg_node *root, extent *e)
{
    for (const pg_node *entry = first_entry(root, "schemes"); entry; entry = next_entry(root, "schemes", entry))
        for (int i = 0; pg_schemes[i]; i++)
            if (names_scheme(entry, "scheme", pg_schemes[i])) e->schemes[i] += pg_options_count(pg_schemes[i]->options, entry);
}

/* Count attack number k of an entry on models of each scheme. */
static void count_attack(const pg_node *entry, int k, extent *e)
{
    const pg_attack *attack = pg_attacks[k];
    const pg_node *after = pg_node_find(entry, "after");
    const double count = pg_options_count(attack->options, entry);
    for (int i = 0; pg_schemes[i]; i++) {
        double times = count;
        if (pg_node_find(entry, "schemes") && !names_scheme(entry, "schemes", pg_schemes[i])) continue;
        if (attack->needs && !(attack->needs & pg_schemes[i]->holds)) continue;
        for (int before = 0; after && pg_attacks[before]; before++)
            if (pg_attack_find(after->text) == pg_attacks[before]) times *= e->handed[before][i];
        if (!after) e->handed[k][i] += count;
        e->attacks[i] += times;
    }
}

/* Count the attacks of a chain on models of each scheme. */
static void count_chain(const pg_node *entry, extent *e)
{
    const pg_node *chain = entry->kind == PG_MAP ? pg_node_find(entry, "chain") : NULL;
    for (int i = 0; chain && chain->kind == PG_LIST && pg_schemes[i]; i++)
        if (!pg_node_find(entry, "schemes") || names_scheme(entry, "schemes", pg_schemes[i]))
            e->attacks[i] += (double)chain->count;
}

static void count_attacks(const pg_node *root, extent *e)
{
    for (const pg_node *entry = first_entry(root, "attacks"); entry; entry = next_entry(root, "attacks", entry)) {
        count_chain(entry, e);
        for (int k = 0; pg_attacks[k]; k++)
            if (names_attack(entry, pg_attacks[k])) count_attack(entry, k, e);
    }
}

static void count_independent(const pg_node *root, extent *e)
{
    const pg_node *entry = first_entry(root, "independent");
    for (; entry; entry = next_entry(root, "independent", entry)) {
        const pg_node *networks = entry->kind == PG_MAP ? pg_node_find(entry, "networks") : NULL;
        long long each = 1;
        if (networks && (networks->kind != PG_SCALAR || !pg_number_int(networks->text, &each))) each = 1;
        if (entry->kind == PG_MAP) e->independent += (double)each * pg_options_count(pg_independent_table, entry);
    }
}

/* Claims with evidence for one model of scheme i: the owner's, and that of each attack that hands on what it forged. */
static double count_claims(const extent *e, int i)
{
    double evidence = pg_schemes[i]->holds != 0;
    for (int k = 0; pg_attacks[k]; k++)
        if (pg_attacks[k]->hands_on) evidence += e->handed[k][i];
    return e->independent * evidence;
}

/* "1,234,567", or "1.2e+30" if that is too long. */
static const char *grouped(double count, char out[48])
{
    char digits[32];
    size_t used = 0;
    snprintf(out, 48, "%.3g", count);
    if (count >= 1e15) return out;
    const int n = snprintf(digits, sizeof digits, "%.0f", count);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = 0;
    return out;
}

/* Append " x name count" to the product, unless the count is one. */
static void add_factor(char *product, size_t room, const char *name, double count)
{
    char text[48];
    const size_t used = strlen(product);
    if (count != 1) snprintf(product + used, room - used, "%s%s %s", used ? " x " : "", name, grouped(count, text));
}

bool pg_grid_size_check(const pg_node *root, pg_problems *problems)
{
    extent e = {.data = count_section(root, "data", pg_data_table),
                .networks = count_section(root, "networks", pg_network_table),
                .seeds = count_seeds(root)};
    char product[256] = "", models[48], attacked[48], all[48], most[48];
    double schemes = 0, attacks = 0;
    count_schemes(root, &e);
    count_attacks(root, &e);
    count_independent(root, &e);
    for (int i = 0; pg_schemes[i]; i++) {
        schemes += e.schemes[i];
        attacks += e.schemes[i] * (e.attacks[i] + count_claims(&e, i));
    }
    const double total = e.data * e.networks * e.seeds * (schemes + attacks);
    if (total <= PG_TASKS_MAX) return true;
    add_factor(product, sizeof product, "data", e.data);
    add_factor(product, sizeof product, "networks", e.networks);
    add_factor(product, sizeof product, "seeds", e.seeds);
    pg_problems_add(problems, root, "%s%s(schemes %s + attacks on them %s) = %s tasks; at most %s are allowed", product,
                    product[0] ? " x " : "", grouped(schemes, models), grouped(attacks, attacked), grouped(total, all),
                    grouped(PG_TASKS_MAX, most));
    return false;
}
