/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Option tables; see options.h. */
#include "core/formats/options.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/number.h"
#include "core/formats/yaml.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what an option takes, in words ---- */

enum { WORDS_MAX = 320 };

static const char *range_words(const pg_option *option, char out[WORDS_MAX])
{
    char low[PG_NUMBER_MAX], high[PG_NUMBER_MAX];
    const bool open = option->low == PG_ABOVE_ZERO;
    pg_number_text(open ? 0 : option->low, low);
    pg_number_text(option->high, high);
    out[0] = 0;
    if (option->low == 0 && option->high == 0) return out;
    if (isinf(option->low) && isinf(option->high)) return out;
    if (isinf(option->high))
        snprintf(out, WORDS_MAX, " %s %s", open ? ">" : ">=", low);
    else if (isinf(option->low))
        snprintf(out, WORDS_MAX, " <= %s", high);
    else
        snprintf(out, WORDS_MAX, " in %s%s, %s]", open ? "(" : "[", low, high);
    return out;
}

/* "a number in [0, 1]" */
static const char *expectation(const pg_option *option, char out[WORDS_MAX])
{
    static const char *const nouns[] = {
        [PG_OPT_INT] = "a whole number",      [PG_OPT_REAL] = "a number",
        [PG_OPT_BOOL] = "true or false",      [PG_OPT_TEXT] = "a text",
        [PG_OPT_CHOICE] = "one of ",          [PG_OPT_INTS] = "a list of whole numbers",
        [PG_OPT_REALS] = "a list of numbers",
    };
    char more[WORDS_MAX] = "";
    if (option->type == PG_OPT_CHOICE)
        pg_join(option->choices, more, sizeof more - 16);
    else
        range_words(option, more);
    snprintf(out, WORDS_MAX, "%s%.290s", nouns[option->type], more);
    return out;
}

static bool in_range(const pg_option *option, double value)
{
    return (option->low == 0 && option->high == 0) || (value >= option->low && value <= option->high);
}

/* ---- reading ---- */

/* Readers of one value return false if node is not a value of the option. */
static bool read_int(const pg_option *option, const pg_node *node, int *out)
{
    long long value;
    if (node->kind != PG_SCALAR || node->quoted || !pg_number_int(node->text, &value)) return false;
    if (value < INT_MIN || value > INT_MAX || !in_range(option, (double)value)) return false;
    *out = (int)value;
    return true;
}

static bool read_real(const pg_option *option, const pg_node *node, double *out)
{
    double value;
    if (node->kind != PG_SCALAR || node->quoted || !pg_number_real(node->text, &value) || !in_range(option, value))
        return false;
    *out = value;
    return true;
}

static bool read_bool(const pg_node *node, bool *out)
{
    if (node->kind != PG_SCALAR || node->quoted) return false;
    const bool yes = strcmp(node->text, "true") == 0;
    if (!yes && strcmp(node->text, "false") != 0) return false;
    *out = yes;
    return true;
}

static bool read_choice(const pg_option *option, const pg_node *node, int *out)
{
    if (node->kind != PG_SCALAR || (!node->quoted && pg_node_is_null(node))) return false;
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(node->text, option->choices[i]) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

/* A text without default must not be empty. */
static void read_text(const pg_option *option, const pg_node *node, char *out, pg_problems *problems)
{
    char found[PG_NODE_SHORT];
    if (node->kind != PG_SCALAR || pg_node_is_null(node) || (!option->fallback && !node->text[0])) {
        pg_problems_add(problems, node, "expected a text, got %s", pg_node_describe(node, found));
        return;
    }
    const size_t length = strlen(node->text);
    if (length >= PG_TEXT_MAX)
        pg_problems_add(problems, node, "expected a text of at most %d bytes, got %zu", PG_TEXT_MAX - 1, length);
    else if (!pg_is_printable(node->text))
        pg_problems_add(problems, node, "expected a text of one line, got a control character");
    else
        memcpy(out, node->text, length + 1);
}

/* Compare two values of an option: as numbers if it takes numbers (50 equals 50.0), otherwise as texts. */
static int order(const pg_option *option, const pg_node *a, const pg_node *b)
{
    double x, y;
    const bool numeric = option->type != PG_OPT_TEXT && option->type != PG_OPT_CHOICE;
    if (numeric && pg_number_real(a->text, &x) && pg_number_real(b->text, &y)) return (x > y) - (x < y);
    return strcmp(a->text, b->text);
}

typedef struct item {
    const pg_option *option;
    const pg_node *node;
} item;

static int by_place(const void *a, const void *b)
{
    const pg_node *x = ((const item *)a)->node, *y = ((const item *)b)->node;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_value(const void *a, const void *b)
{
    const item *x = a, *y = b;
    const int found = order(x->option, x->node, y->node);
    return found ? found : by_place(a, b);
}

void pg_options_repeats(const pg_option *option, const pg_node *list, pg_problems *problems)
{
    pg_error err;
    item *items = NULL;
    char found[PG_NODE_SHORT];
    size_t count = 0, repeats = 0;
    if (pg_alloc(list->count, sizeof *items, &items, &err) != PG_OK) {
        pg_problems_add(problems, list, "%s", err.message);
        return;
    }
    for (const pg_node *child = list->first; child; child = child->next)
        if (child->kind == PG_SCALAR) items[count++] = (item){option, child};
    qsort(items, count, sizeof *items, by_value);
    for (size_t i = 1; i < count; i++)
        if (order(option, items[i - 1].node, items[i].node) == 0) items[repeats++] = items[i];
    qsort(items, repeats, sizeof *items, by_place);
    for (size_t i = 0; i < repeats; i++)
        pg_problems_add(problems, items[i].node, "the list already has %s", pg_node_describe(items[i].node, found));
    pg_free(items);
}

static void read_list(const pg_option *option, const pg_node *node, void *at, pg_problems *problems)
{
    pg_option one = *option;
    one.type = option->type == PG_OPT_INTS ? PG_OPT_INT : PG_OPT_REAL;
    char words[WORDS_MAX], found[PG_NODE_SHORT];
    pg_ints ints = {0};
    pg_reals reals = {0};
    bool good = true;
    if (node->kind != PG_LIST || node->count == 0) {
        pg_problems_add(problems, node, "expected %s, got %s", expectation(option, words), pg_node_describe(node, found));
        return;
    }
    if (node->count > PG_LIST_MAX) {
        pg_problems_add(problems, node, "expected at most %d numbers, got %zu", PG_LIST_MAX, node->count);
        return;
    }
    for (const pg_node *child = node->first; child; child = child->next) {
        if (one.type == PG_OPT_INT ? read_int(&one, child, &ints.values[ints.count++])
                                   : read_real(&one, child, &reals.values[reals.count++]))
            continue;
        good = false;
        pg_problems_add(problems, child, "expected %s, got %s", expectation(&one, words), pg_node_describe(child, found));
    }
    if (!good) return;
    pg_options_repeats(option, node, problems);
    if (one.type == PG_OPT_INT)
        *(pg_ints *)at = ints;
    else
        *(pg_reals *)at = reals;
}

void pg_option_read(const pg_option *option, const pg_node *node, void *values, pg_problems *problems)
{
    void *at = (char *)values + option->offset;
    char words[WORDS_MAX], found[PG_NODE_SHORT];
    bool good = true;
    switch (option->type) {
    case PG_OPT_INT: good = read_int(option, node, at); break;
    case PG_OPT_REAL: good = read_real(option, node, at); break;
    case PG_OPT_BOOL: good = read_bool(node, at); break;
    case PG_OPT_TEXT: read_text(option, node, at, problems); break;
    case PG_OPT_INTS:
    case PG_OPT_REALS: read_list(option, node, at, problems); break;
    case PG_OPT_CHOICE:
        if (!read_choice(option, node, at)) pg_problems_choice(problems, node, option->choices);
    }
    if (!good)
        pg_problems_add(problems, node, "expected %s, got %s", expectation(option, words), pg_node_describe(node, found));
}

const pg_option *pg_options_find(const pg_option *table, const char *key)
{
    for (; table->key; table++)
        if (strcmp(table->key, key) == 0) return table;
    return NULL;
}

void pg_options_take(const pg_option *table, const pg_node *map, void *values, pg_problems *problems)
{
    char words[WORDS_MAX], found[PG_NODE_SHORT];
    if (map && map->kind != PG_MAP && !pg_node_is_null(map)) {
        pg_problems_add(problems, map, "expected a map, got %s", pg_node_describe(map, found));
        return;
    }
    /* In the order of the document, so that problems come in the order of its lines. */
    for (pg_node *entry = map ? map->first : NULL; entry; entry = entry->next) {
        const pg_option *option = pg_options_find(table, entry->key);
        if (!option) continue;
        entry->used = true;
        pg_option_read(option, entry, values, problems);
    }
    for (; map && table->key; table++)
        if (!table->fallback && !pg_node_find(map, table->key))
            pg_problems_missing(problems, map, table->key, expectation(table, words));
}

void pg_options_unknown(const pg_option *const *tables, const char *const *keys, const pg_node *map, pg_problems *problems)
{
    enum { KNOWN_MAX = 128 };
    const char *known[KNOWN_MAX + 1];
    int count = 0;
    if (!map || map->kind != PG_MAP) return;
    for (; keys && *keys && count < KNOWN_MAX; keys++) known[count++] = *keys;
    for (; *tables; tables++)
        for (const pg_option *option = *tables; option->key && count < KNOWN_MAX; option++) known[count++] = option->key;
    known[count] = NULL;
    for (pg_node *entry = map->first; entry; entry = entry->next) {
        if (!entry->used) pg_problems_unknown(problems, entry, known);
        entry->used = true; /* report it once */
    }
}

void pg_options_read(const pg_option *table, const pg_node *map, void *values, pg_problems *problems)
{
    pg_options_take(table, map, values, problems);
    pg_options_unknown((const pg_option *const[]){table, NULL}, NULL, map, problems);
}

/* ---- defaults ---- */

static pg_status set_text(const pg_option *option, const char *text, void *values, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_problems problems;
    problems.count = 0;
    pg_node scalar = {.kind = PG_SCALAR, .source = option->key, .text = text, .quoted = option->type == PG_OPT_TEXT};
    if (option->type == PG_OPT_INTS || option->type == PG_OPT_REALS) PG_TRY(pg_yaml_parse_text(text, option->key, &tree, err));
    pg_option_read(option, tree ? tree->root : &scalar, values, &problems);
    if (problems.count > 0) status = pg_fail(err, PG_FAILED, "the default of an option does not fit it: %s", problems.lines[0]);
done:
    pg_tree_destroy(&tree);
    return status;
}

static size_t size_of(pg_option_type type)
{
    static const size_t sizes[] = {
        [PG_OPT_INT] = sizeof(int),        [PG_OPT_REAL] = sizeof(double), [PG_OPT_BOOL] = sizeof(bool),
        [PG_OPT_TEXT] = PG_TEXT_MAX,       [PG_OPT_CHOICE] = sizeof(int),  [PG_OPT_INTS] = sizeof(pg_ints),
        [PG_OPT_REALS] = sizeof(pg_reals),
    };
    return sizes[type];
}

pg_status pg_options_defaults(const pg_option *table, void *values, pg_error *err)
{
    for (; table->key; table++) {
        memset((char *)values + table->offset, 0, size_of(table->type));
        if (!table->fallback) continue;
        const pg_status status = set_text(table, table->fallback, values, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

double pg_option_amount(const pg_option *table, const char *key, const void *values)
{
    while (table->key && strcmp(table->key, key) != 0) table++;
    const void *at = (const char *)values + table->offset;
    switch (table->key ? table->type : PG_OPT_TEXT) {
    case PG_OPT_INT: return *(const int *)at;
    case PG_OPT_REAL: return *(const double *)at;
    case PG_OPT_INTS: return ((const pg_ints *)at)->count;
    case PG_OPT_REALS: return ((const pg_reals *)at)->count;
    default: return (double)NAN;
    }
}

pg_status pg_options_set(const pg_option *table, const char *key, const char *text, void *values, pg_error *err)
{
    const pg_option *option = pg_options_find(table, key);
    return option ? set_text(option, text, values, err) : pg_fail(err, PG_FAILED, "there is no option '%s'", key);
}

/* ---- help ---- */

void pg_options_help(const pg_option *table, FILE *stream)
{
    int width = 0;
    for (const pg_option *option = table; option->key; option++)
        if ((int)strlen(option->key) > width) width = (int)strlen(option->key);
    for (; table->key; table++) {
        char words[WORDS_MAX];
        fprintf(stream, "  %-*s  %s", width, table->key, expectation(table, words));
        if (table->unit) fprintf(stream, ", in %s", table->unit);
        if (!table->fallback)
            fputs(", must be given", stream);
        else
            fprintf(stream, ", default %s", table->fallback[0] ? table->fallback : "empty");
        fprintf(stream, "\n  %-*s  %s\n", width, "", table->help);
    }
}
