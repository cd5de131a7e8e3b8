/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters; see parameters.h. */
#include "core/formats/parameters.h"

#include "core/base/memory.h"
#include "core/formats/number.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const pg_parameters pg_no_parameters = {.number = -1, .text = ""};

/* ---- comparing ---- */

static int order_of_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

int pg_value_compare(const pg_value *a, const pg_value *b)
{
    int order = (int)a->type - (int)b->type;
    if (order) return order;
    switch (a->type) {
    case PG_VALUE_NONE: return 0;
    case PG_VALUE_NUMBER: return order_of_numbers(a->number, b->number);
    case PG_VALUE_BOOL: return a->yes - b->yes;
    case PG_VALUE_TEXT: return strcmp(a->text, b->text);
    case PG_VALUE_NUMBERS:
        order = a->count - b->count;
        for (int i = 0; i < a->count && !order; i++) order = order_of_numbers(a->numbers[i], b->numbers[i]);
        return order;
    }
    return 0;
}

const pg_value *pg_parameters_find(const pg_parameters *list, const char *key)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i].key, key) == 0) return &list->items[i].value;
    return NULL;
}

/* ---- printing ---- */

/* Does a text without quotes read as that text? */
static bool is_plain(const char *text)
{
    double number;
    const size_t length = strlen(text);
    if (!length || text[0] == ' ' || text[length - 1] == ' ' || pg_number_real(text, &number)) return false;
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr(" -_./+", *at)) return false;
    return strcmp(text, "true") != 0 && strcmp(text, "false") != 0;
}

static void print_text(const char *text, FILE *stream)
{
    if (is_plain(text)) {
        fputs(text, stream);
        return;
    }
    fputc('\'', stream);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', stream);
        fputc(*text, stream);
    }
    fputc('\'', stream);
}

static void print_numbers(const pg_value *value, FILE *stream)
{
    char number[PG_NUMBER_MAX];
    fputc('[', stream);
    for (int i = 0; i < value->count; i++) fprintf(stream, "%s%s", i ? ", " : "", pg_number_text(value->numbers[i], number));
    fputc(']', stream);
}

static void print_parameter(const pg_parameter *parameter, FILE *stream)
{
    char number[PG_NUMBER_MAX];
    const pg_value *value = &parameter->value;
    fputs(parameter->key, stream);
    if (value->type != PG_VALUE_NONE) fputc('=', stream);
    switch (value->type) {
    case PG_VALUE_NONE: break;
    case PG_VALUE_NUMBER: fputs(pg_number_text(value->number, number), stream); break;
    case PG_VALUE_BOOL: fputs(value->yes ? "true" : "false", stream); break;
    case PG_VALUE_TEXT: print_text(value->text, stream); break;
    case PG_VALUE_NUMBERS: print_numbers(value, stream); break;
    }
}

/* ---- keeping ---- */

static pg_status keep_item(pg_parameter_pool *pool, pg_parameter *item, pg_error *err)
{
    pg_status status = pg_text_pool_keep_printable(&pool->texts, item->key, &item->key, err);
    if (status == PG_OK && item->value.type == PG_VALUE_TEXT)
        status = pg_text_pool_keep_printable(&pool->texts, item->value.text, &item->value.text, err);
    return status;
}

pg_status pg_parameter_add(pg_parameter_draft *draft, const char *key, pg_value **value, pg_value_room **room, pg_error *err)
{
    if (draft->count == PG_PARAMETERS_MAX) return pg_fail(err, PG_BAD_INPUT, "more than %d parameters", PG_PARAMETERS_MAX);
    for (int i = 0; i < draft->count; i++)
        if (strcmp(draft->items[i].key, key) == 0) return pg_fail(err, PG_BAD_INPUT, "'%.64s' appears twice", key);
    pg_parameter *item = &draft->items[draft->count];
    *item = (pg_parameter){.key = key};
    *value = &item->value;
    *room = &draft->rooms[draft->count++];
    return PG_OK;
}

/* A list with copies of the items and, behind them, of their numbers. */
static pg_status make_list(pg_parameter_pool *pool, const pg_parameter_draft *draft, pg_parameters **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_parameters *list = NULL;
    size_t bytes = sizeof *list + (size_t)draft->count * sizeof *draft->items;
    for (int i = 0; i < draft->count; i++)
        if (draft->items[i].value.type == PG_VALUE_NUMBERS) bytes += (size_t)draft->items[i].value.count * sizeof(double);
    PG_TRY(pg_alloc(bytes, 1, &list, err));
    double *numbers = (double *)(void *)(list->items + draft->count);
    *out = list;
    for (list->count = 0; list->count < draft->count; list->count++) {
        pg_parameter *copy = &list->items[list->count];
        *copy = draft->items[list->count];
        PG_TRY(keep_item(pool, copy, err));
        if (copy->value.type != PG_VALUE_NUMBERS) continue;
        if (copy->value.count) memcpy(numbers, copy->value.numbers, (size_t)copy->value.count * sizeof *numbers);
        copy->value.numbers = numbers;
        numbers += copy->value.count;
    }
done:
    return status;
}

/* The texts of all items, each with its zero byte; freed by free. NULL without memory. */
static char *print_all(const pg_parameters *list)
{
    char *texts = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&texts, &bytes);
    for (int i = 0; stream && i < list->count; i++) {
        print_parameter(&list->items[i], stream);
        fputc(0, stream);
    }
    return stream && fclose(stream) == 0 ? texts : NULL;
}

/* Set the texts of the items and of the list. */
static pg_status keep_texts(pg_parameter_pool *pool, pg_parameters *list, pg_error *err)
{
    pg_status status = PG_OK;
    char *texts = print_all(list), *at = texts;
    if (!texts) return pg_fail(err, PG_NO_MEMORY, "out of memory for parameters");
    for (int i = 0; i < list->count; i++) {
        PG_TRY(pg_text_pool_keep(&pool->texts, at, &list->items[i].text, NULL, err));
        at += strlen(at);
        if (i + 1 < list->count) *at++ = ' ';
    }
    PG_TRY(pg_text_pool_keep(&pool->lists, texts, &list->text, &list->number, err));
done:
    free(texts);
    return status;
}

pg_status pg_parameters_keep(pg_parameter_pool *pool, const pg_parameter_draft *draft, const pg_parameters **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_parameters *list = NULL;
    PG_TRY(make_list(pool, draft, &list, err));
    PG_TRY(keep_texts(pool, list, err));
    if (list->number == pool->count) {
        PG_TRY(pg_grow(&pool->items, pool->count, sizeof *pool->items, err));
        pool->items[pool->count++] = list;
        list = NULL;
    }
    *out = pool->items[list ? list->number : pool->count - 1];
done:
    pg_free(list);
    return status;
}

void pg_parameter_pool_clear(pg_parameter_pool *pool)
{
    for (int i = 0; i < pool->count; i++) pg_free(pool->items[i]);
    pg_free(pool->items);
    pg_text_pool_clear(&pool->lists);
    pg_text_pool_clear(&pool->texts);
    *pool = (pg_parameter_pool){0};
}

/* ---- reading ---- */

static const char *skip_key(const char *at)
{
    while (islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_') at++;
    return at;
}

/* The place behind a quoted value; text itself if it has no quotes. */
static const char *skip_quoted(const char *text)
{
    const char quote = *text;
    if (quote != '"' && quote != '\'') return text;
    for (const char *at = text + 1; *at; at++) {
        if (quote == '"' && *at == '\\' && at[1])
            at++;
        else if (*at == quote && quote == '\'' && at[1] == quote)
            at++;
        else if (*at == quote)
            return at + 1;
    }
    return text;
}

/* Length of the first "key=value" at text, without the space after it. */
static size_t length_of_first(const char *text)
{
    const char *at = skip_key(text);
    if (*at == '=') at = skip_quoted(at + 1);
    while (*at) {
        while (*at && *at != ' ') at++;
        const char *next = at;
        while (*next == ' ') next++;
        const char *end = skip_key(next);
        if (!*next || (end > next && *end == '=')) break;
        at = next;
    }
    return (size_t)(at - text);
}

/* Remove the quotes of a text that is one quoted value, in place. */
static bool unquote(char *text)
{
    const char quote = *text, *at = text + 1, *end = skip_quoted(text);
    if (end == text || *end) return false;
    char *to = text;
    for (end--; at < end; at++) {
        if (quote == '\'' ? *at == quote : *at == '\\') at++;
        *to++ = *at;
    }
    *to = 0;
    return true;
}

/* "[1, 2]", taken apart in place. */
static pg_status read_numbers(char *text, pg_value *value, pg_value_room *room, pg_error *err)
{
    char *rest = NULL;
    *value = (pg_value){.type = PG_VALUE_NUMBERS, .numbers = room->numbers};
    for (char *word = strtok_r(text, "[], ", &rest); word; word = strtok_r(NULL, "[], ", &rest)) {
        if (value->count == PG_LIST_MAX) return pg_fail(err, PG_BAD_INPUT, "expected at most %d numbers", PG_LIST_MAX);
        if (!pg_number_real(word, &room->numbers[value->count++]))
            return pg_fail(err, PG_BAD_INPUT, "expected a number, got '%.64s'", word);
    }
    return PG_OK;
}

/* The value of a text, which may be changed. A number that is not written in our form is a text. */
static pg_status read_value(char *text, pg_value *value, pg_value_room *room, pg_error *err)
{
    char same[PG_NUMBER_MAX];
    double number;
    const bool quoted = unquote(text);
    if (!quoted && text[0] == '[') return read_numbers(text, value, room, err);
    if (!quoted && pg_number_real(text, &number) && strcmp(pg_number_text(number, same), text) == 0)
        *value = (pg_value){.type = PG_VALUE_NUMBER, .number = number};
    else if (!quoted && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        *value = (pg_value){.type = PG_VALUE_BOOL, .yes = text[0] == 't'};
    else
        *value = (pg_value){.type = PG_VALUE_TEXT, .text = text};
    return PG_OK;
}

pg_status pg_parameters_parse(pg_parameter_pool *pool, const char *text, const pg_parameters **out, pg_error *err)
{
    pg_status status = PG_OK;
    char *copy = NULL;
    pg_parameter_draft draft;
    draft.count = 0;
    PG_TRY(pg_strdup(text, &copy, err));
    for (char *at = copy; *at;) {
        pg_value *value = NULL;
        pg_value_room *room = NULL;
        char *end = at + length_of_first(at), *next = end + strspn(end, " "), *sign;
        *end = 0;
        sign = strchr(at, '=');
        if (sign) *sign = 0;
        PG_TRY(pg_parameter_add(&draft, at, &value, &room, err));
        if (sign) PG_TRY(read_value(sign + 1, value, room, err));
        at = next;
    }
    PG_TRY(pg_parameters_keep(pool, &draft, out, err));
done:
    pg_free(copy);
    return status;
}
