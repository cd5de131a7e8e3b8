/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Structs of option tables as values: written and compared; see options.h. */
#include "core/formats/options.h"

#include "core/base/hash.h"
#include "core/formats/number.h"

#include <string.h>

/* The text as a reader may see it: "sha256:HEX" in place of a secret (unless it is empty) and of a pinned folder. */
static const char *shown(const pg_option *option, const char *text, pg_reveal reveal, char hidden[PG_HIDDEN_MAX])
{
    char hash[PG_SHA256_HEX];
    if (option->secret && text[0] && reveal < PG_REVEAL_ALL) {
        pg_sha256(text, strlen(text), hash);
        snprintf(hidden, PG_HIDDEN_MAX, "sha256:%s", hash);
        return hidden;
    }
    const char *pin = option->folder && reveal < PG_REVEAL_PLACES ? strrchr(text, ' ') : NULL;
    return pin ? pin + 1 : text;
}

bool pg_options_hide(const pg_option *table, const void *values)
{
    char hidden[PG_HIDDEN_MAX];
    for (; table->key; table++) {
        const char *text = (const char *)values + table->offset;
        if (table->type == PG_OPT_TEXT && shown(table, text, PG_REVEAL_CONTENT, hidden) != text) return true;
    }
    return false;
}

void pg_option_value(const pg_option *option, const void *values, pg_reveal reveal, pg_value_room *room, pg_value *out)
{
    const void *at = (const char *)values + option->offset;
    const pg_ints *ints = at;
    const pg_reals *reals = at;
    switch (option->type) {
    case PG_OPT_INT: *out = (pg_value){.type = PG_VALUE_NUMBER, .number = *(const int *)at}; break;
    case PG_OPT_REAL: *out = (pg_value){.type = PG_VALUE_NUMBER, .number = *(const double *)at}; break;
    case PG_OPT_BOOL: *out = (pg_value){.type = PG_VALUE_BOOL, .yes = *(const bool *)at}; break;
    case PG_OPT_CHOICE: *out = (pg_value){.type = PG_VALUE_TEXT, .text = option->choices[*(const int *)at]}; break;
    case PG_OPT_TEXT: *out = (pg_value){.type = PG_VALUE_TEXT, .text = shown(option, at, reveal, room->text)}; break;
    case PG_OPT_INTS:
        for (int i = 0; i < ints->count; i++) room->numbers[i] = ints->values[i];
        *out = (pg_value){.type = PG_VALUE_NUMBERS, .count = ints->count, .numbers = room->numbers};
        break;
    case PG_OPT_REALS: *out = (pg_value){.type = PG_VALUE_NUMBERS, .count = reals->count, .numbers = reals->values}; break;
    }
}

static pg_status write_number(const char *key, double value, pg_tree *tree, pg_node *parent, pg_error *err)
{
    char number[PG_NUMBER_MAX];
    return pg_node_add(tree, parent, key, PG_SCALAR, pg_number_text(value, number), NULL, err);
}

static pg_status write_value(const char *key, const pg_value *value, pg_tree *tree, pg_node *map, pg_error *err)
{
    pg_node *list = NULL;
    pg_status status = PG_OK;
    switch (value->type) {
    case PG_VALUE_NONE: break;
    case PG_VALUE_NUMBER: return write_number(key, value->number, tree, map, err);
    case PG_VALUE_BOOL: return pg_node_add(tree, map, key, PG_SCALAR, value->yes ? "true" : "false", NULL, err);
    case PG_VALUE_TEXT: return pg_node_add_text(tree, map, key, value->text, err);
    case PG_VALUE_NUMBERS:
        status = pg_node_add(tree, map, key, PG_LIST, NULL, &list, err);
        for (int i = 0; i < value->count && status == PG_OK; i++)
            status = write_number(NULL, value->numbers[i], tree, list, err);
    }
    return status;
}

bool pg_option_omitted(const pg_option *option, const void *values)
{
    double number;
    pg_value_room room;
    pg_value value = {.type = PG_VALUE_NONE};
    if (!option->later) return false;
    pg_option_value(option, values, PG_REVEAL_ALL, &room, &value);
    switch (value.type) {
    case PG_VALUE_NUMBER: return pg_number_real(option->fallback, &number) && value.number == number;
    case PG_VALUE_BOOL: return value.yes == (strcmp(option->fallback, "true") == 0);
    case PG_VALUE_TEXT: return strcmp(option->fallback, value.text) == 0;
    default: return false;
    }
}

pg_status pg_options_write(const pg_option *table, const void *values, pg_reveal reveal, pg_tree *tree, pg_node *map,
                           pg_error *err)
{
    pg_status status = PG_OK;
    for (; table->key && status == PG_OK; table++) {
        pg_value_room room;
        pg_value value;
        if (reveal != PG_REVEAL_PLACES && pg_option_omitted(table, values)) continue;
        pg_option_value(table, values, reveal, &room, &value);
        status = write_value(table->key, &value, tree, map, err);
    }
    return status;
}

int pg_options_compare(const pg_option *table, const void *a, const void *b)
{
    int order = 0;
    for (; table->key && !order; table++) {
        pg_value_room rooms[2];
        pg_value x, y;
        pg_option_value(table, a, PG_REVEAL_CONTENT, &rooms[0], &x);
        pg_option_value(table, b, PG_REVEAL_CONTENT, &rooms[1], &y);
        order = pg_value_compare(&x, &y);
    }
    return order;
}
