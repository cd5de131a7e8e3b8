/* Results told apart; see survey.h. */
#include "experiments/survey.h"

#include "core/base/memory.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- parameters ---- */

size_t pg_parameter_length(const char *text)
{
    const char *at = text;
    while (*at) {
        while (*at && *at != ' ') at++;
        const char *next = at;
        while (*next == ' ') next++;
        const char *end = next;
        while (islower((unsigned char)*end) || isdigit((unsigned char)*end) || *end == '_') end++;
        if (!*next || (end > next && *end == '=')) break;
        at = next;
    }
    return (size_t)(at - text);
}

const char *pg_parameter_next(const char *text)
{
    text += pg_parameter_length(text);
    while (*text == ' ') text++;
    return text;
}

const char *pg_parameter_value(const char *parameters, const char *key, size_t *length)
{
    const size_t n = strlen(key);
    for (const char *at = parameters; *at; at = pg_parameter_next(at)) {
        if (strncmp(at, key, n) != 0 || at[n] != '=') continue;
        *length = pg_parameter_length(at) - n - 1;
        return at + n + 1;
    }
    return NULL;
}

bool pg_parameters_hold(const char *parameters, const char *word, size_t length)
{
    for (const char *at = parameters; *at; at = pg_parameter_next(at))
        if (pg_parameter_length(at) == length && memcmp(at, word, length) == 0) return true;
    return false;
}

/* ---- variants ---- */

static pg_status variant_of(pg_variants *list, const char *name, const char *parameters, int *index, pg_error *err)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0 && strcmp(list->items[i].parameters, parameters) == 0) {
            *index = i;
            return PG_OK;
        }
    const pg_status status = pg_grow(&list->items, list->count, sizeof *list->items, err);
    if (status != PG_OK) return status;
    *index = list->count++;
    snprintf(list->items[*index].name, sizeof list->items->name, "%s", name);
    snprintf(list->items[*index].parameters, sizeof list->items->parameters, "%s", parameters);
    return PG_OK;
}

/* "data=''": an option that is not used. */
static bool is_empty(const char *parameter, size_t length)
{
    return length > 3 && memcmp(parameter + length - 3, "=''", 3) == 0;
}

/* Is the parameter of n bytes at `at` one of a variant too, or one that it cannot have: of an attack that came before? */
static bool shares(const pg_variant *v, const char *at, size_t n)
{
    size_t length;
    const bool alone = !pg_parameter_value(v->parameters, "after", &length);
    return pg_parameters_hold(v->parameters, at, n) || (alone && strncmp(at, "after_", 6) == 0);
}

static void label_one(const pg_variants *list, pg_variant *mine)
{
    size_t used = (size_t)snprintf(mine->label, sizeof mine->label, "%s", mine->name);
    for (const char *at = mine->parameters; *at; at = pg_parameter_next(at)) {
        const size_t n = pg_parameter_length(at);
        bool common = true;
        for (int i = 0; i < list->count; i++)
            common &= strcmp(list->items[i].name, mine->name) != 0 || shares(&list->items[i], at, n);
        if (!common && !is_empty(at, n) && used < sizeof mine->label)
            used += (size_t)snprintf(mine->label + used, sizeof mine->label - used, " %.*s", (int)n, at);
    }
}

/* ---- the whole ---- */

bool pg_same_place(const pg_task_labels *a, const pg_task_labels *b)
{
    return strcmp(a->data, b->data) == 0 && strcmp(a->network, b->network) == 0 && strcmp(a->norm, b->norm) == 0;
}

void pg_survey_head(const pg_survey *s, const char *title, pg_sheet *sheet)
{
    snprintf(sheet->title, sizeof sheet->title, "%.63s: %s", s->results->name, title);
    snprintf(sheet->label, sizeof sheet->label, "%s", s->label);
    sheet->counts = s->results->count < s->results->expected;
}

/* Give every result about the model of result `from` the threshold that it found. */
static void spread_threshold(pg_survey *s, int from, double threshold)
{
    const pg_task_labels *a = &s->results->items[from].labels;
    for (int i = 0; i < s->results->count; i++) {
        const pg_task_labels *b = &s->results->items[i].labels;
        if (s->scheme[i] == s->scheme[from] && a->seed == b->seed && pg_same_place(a, b)) s->threshold[i] = threshold;
    }
}

void pg_survey_close(pg_survey *s)
{
    pg_free(s->schemes.items);
    pg_free(s->attacks.items);
    pg_free(s->scheme);
    pg_free(s->attack);
    pg_free(s->forges);
    pg_free(s->threshold);
    *s = (pg_survey){0};
}

pg_status pg_survey_open(pg_survey *s, const pg_results *results, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t n = (size_t)results->count;
    s->results = results;
    PG_TRY(pg_alloc(n, sizeof *s->scheme, &s->scheme, err));
    PG_TRY(pg_alloc(n, sizeof *s->attack, &s->attack, err));
    PG_TRY(pg_alloc(n, sizeof *s->forges, &s->forges, err));
    PG_TRY(pg_alloc(n, sizeof *s->threshold, &s->threshold, err));
    for (int i = 0; i < results->count; i++) {
        char parameters[2 * PG_LABEL_MAX];
        double value;
        const pg_task_labels *l = &results->items[i].labels;
        snprintf(parameters, sizeof parameters, "%s%s%s", l->scheme_parameters, l->scheme_parameters[0] ? " " : "",
                 l->training);
        PG_TRY(variant_of(&s->schemes, l->scheme, parameters, &s->scheme[i], err));
        s->attack[i] = -1;
        if (l->attack[0]) PG_TRY(variant_of(&s->attacks, l->attack, l->parameters, &s->attack[i], err));
        s->forges[i] = pg_result_value(&results->items[i], "genuine", "stands", &value);
        s->threshold[i] = NAN;
    }
    for (int i = 0; i < results->count; i++) {
        double threshold;
        if (pg_result_value(&results->items[i], "", "null_model_threshold", &threshold)) spread_threshold(s, i, threshold);
    }
    for (int i = 0; i < s->schemes.count; i++) label_one(&s->schemes, &s->schemes.items[i]);
    for (int i = 0; i < s->attacks.count; i++) label_one(&s->attacks, &s->attacks.items[i]);
    snprintf(s->label, sizeof s->label, "%s", results->label);
    if (results->count < results->expected) {
        const size_t used = strlen(s->label);
        snprintf(s->label + used, sizeof s->label - used, "%sincomplete: %d of %d tasks", used ? "; " : "", results->count,
                 results->expected);
    }
done:
    return status;
}
