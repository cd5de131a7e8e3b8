/* Grouping of results; see summary.h. */
#include "experiments/report/summary.h"

#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/ownership/verdict.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- parameters ---- */

static const char *skip_key(const char *at)
{
    while (islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_') at++;
    return at;
}

/* Behind a value in quotes; text itself if it is none. In single quotes a quote is doubled, in double ones it has a backslash.
 */
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

size_t pg_parameter_length(const char *text)
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

/* Variants of one list while they are found: each is known by its name and every one of its options. */
typedef struct finder {
    pg_variants *list;
    pg_text_pool known; /* numbered as the list is */
} finder;

static pg_status variant_of(finder *f, const char *name, const char *parameters, int *index, pg_error *err)
{
    pg_variants *list = f->list;
    pg_status status = pg_text_pool_print(&f->known, NULL, index, err, "%s\n%s", name, parameters);
    if (status != PG_OK || *index < list->count) return status;
    status = pg_grow(&list->items, list->count, sizeof *list->items, err);
    if (status == PG_OK) list->items[list->count++] = (pg_variant){.name = name, .parameters = parameters};
    return status;
}

/* How many variants of a name there are, how many of them come after another attack, and how many have each option: counts by
 * the numbers that `words` gives to NAME, "NAME after" and "NAME OPTION". */
typedef struct census {
    pg_text_pool words;
    int *counts;
} census;

static pg_status count_of(census *c, const char *name, const char *word, size_t length, int **count, pg_error *err)
{
    int number;
    const int before = c->words.count;
    pg_status status = pg_text_pool_print(&c->words, NULL, &number, err, "%s %.*s", name, (int)length, word);
    if (status == PG_OK && number == before) status = pg_grow(&c->counts, before, sizeof *c->counts, err);
    if (status == PG_OK) *count = &c->counts[number];
    return status;
}

static pg_status count_one(census *c, const char *name, const char *word, size_t length, pg_error *err)
{
    int *count;
    const pg_status status = count_of(c, name, word, length, &count, err);
    if (status == PG_OK) ++*count;
    return status;
}

/* A network from elsewhere always shows its files: it has no options to share with others. */
static bool is_brought(const pg_variant *v)
{
    return strncmp(v->parameters, "model=", 6) == 0;
}

static pg_status take_census(const pg_variants *list, census *c, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < list->count; i++) {
        const pg_variant *v = &list->items[i];
        size_t length;
        if (is_brought(v)) continue;
        PG_TRY(count_one(c, v->name, "", 0, err));
        if (pg_parameter_value(v->parameters, "after", &length)) PG_TRY(count_one(c, v->name, "after", 5, err));
        for (const char *at = v->parameters; *at; at = pg_parameter_next(at))
            PG_TRY(count_one(c, v->name, at, pg_parameter_length(at), err));
    }
done:
    return status;
}

/* "data=''": an option that is not used. */
static bool is_empty(const char *parameter, size_t length)
{
    return length > 3 && memcmp(parameter + length - 3, "=''", 3) == 0;
}

/* Do all variants of the name have the option? Those without an attack before them cannot have options of one. */
static pg_status is_common(census *c, const char *name, const char *option, size_t length, bool *common, pg_error *err)
{
    pg_status status = PG_OK;
    const bool of_former = strncmp(option, "after_", 6) == 0;
    int *count, all;
    PG_TRY(count_of(c, name, of_former ? "after" : "", of_former ? 5 : 0, &count, err));
    all = *count;
    PG_TRY(count_of(c, name, option, length, &count, err));
    *common = *count == all;
done:
    return status;
}

/* The name and the options in which the variant differs from others, kept; with a hash of all options if that is taken. */
static pg_status label_one(census *c, pg_text_pool *labels, pg_text_pool *texts, pg_variant *mine, pg_error *err)
{
    pg_status status = PG_OK;
    char *text = NULL, hash[PG_SHA256_HEX];
    size_t bytes = 0;
    int number;
    const int before = labels->count;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    fputs(mine->name, stream);
    for (const char *at = mine->parameters; *at && status == PG_OK; at = pg_parameter_next(at)) {
        const size_t n = pg_parameter_length(at);
        bool common = false;
        if (!is_brought(mine)) status = is_common(c, mine->name, at, n, &common, err);
        if (!common && !is_empty(at, n)) fprintf(stream, " %.*s", (int)n, at);
    }
    if (fclose(stream) != 0 && status == PG_OK) status = pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    PG_TRY(status);
    PG_TRY(pg_text_pool_keep(labels, text, NULL, &number, err));
    pg_sha256(mine->parameters, strlen(mine->parameters), hash);
    if (number == before)
        PG_TRY(pg_text_pool_keep(texts, text, &mine->label, NULL, err));
    else
        PG_TRY(pg_text_pool_print(texts, &mine->label, NULL, err, "%s #%.8s", text, hash));
done:
    free(text);
    return status;
}

static pg_status label_all(pg_variants *list, pg_text_pool *texts, pg_error *err)
{
    pg_status status = PG_OK;
    census c = {0};
    pg_text_pool labels = {0};
    PG_TRY(take_census(list, &c, err));
    for (int i = 0; i < list->count; i++) PG_TRY(label_one(&c, &labels, texts, &list->items[i], err));
done:
    pg_text_pool_clear(&c.words);
    pg_free(c.counts);
    pg_text_pool_clear(&labels);
    return status;
}

/* ---- the whole ---- */

pg_status pg_summary_head(const pg_summary *s, const char *title, pg_table *table, pg_error *err)
{
    const pg_status status = pg_text_pool_print(&table->texts, &table->title, NULL, err, "%s: %s", s->results->name, title);
    table->counts = s->results->count < s->results->expected;
    return status == PG_OK ? pg_text_pool_keep(&table->texts, s->label, &table->label, NULL, err) : status;
}

bool pg_has_learnt(double accuracy, double chance, double images)
{
    if (!(accuracy >= chance + 10) || !(images >= 1)) return false;
    return pg_beats_guessing(accuracy, (int)images, (int)lround(100 / chance), 1e-3);
}

/* Percent that guessing reaches, and test images. Records of earlier versions have neither: the published data sets are known,
 * and their labels may tell how many images were used ("cifar10 20000+2000"). */
static void find_scale(const pg_result *r, double *chance, double *images)
{
    static const struct {
        const char *name;
        int classes;
    } sets[] = {{"cifar10", 10},   {"cifar100", 100},   {"fashion-mnist", 10},
                {"synthetic", 10}, {"caltech101", 101}, {"caltech256", 256}};
    const char *plus = strchr(r->labels.data, '+');
    const size_t length = strcspn(r->labels.data, " ");
    double classes = NAN, used;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (strlen(sets[i].name) == length && memcmp(sets[i].name, r->labels.data, length) == 0) classes = sets[i].classes;
    *images = plus && pg_number_real(plus + 1, &used) ? used : 1000; /* the smallest of the test sets has more */
    if (pg_result_value(r, "", "test_images", &used)) *images = used;
    if (pg_result_value(r, "", "classes", &used)) classes = used;
    *chance = 100 / classes;
}

/* Facts that all results about one trained network share. */
typedef struct trained {
    double threshold, chance, images;
    bool learnt;
} trained;

static void look_at(const pg_result *r, trained *t)
{
    double value;
    if (pg_result_value(r, "", "null_model_threshold", &value)) t->threshold = value;
    if (r->labels.attack[0] || !pg_result_value(r, "", "accuracy", &value)) return;
    find_scale(r, &t->chance, &t->images);
    t->learnt = pg_has_learnt(value, t->chance, t->images);
}

/* Collect the facts of every trained network (scheme, place and seed) and copy them to its results. */
static pg_status share_facts(pg_summary *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool networks = {0};
    trained *known = NULL;
    const pg_results *r = s->results;
    PG_TRY(pg_alloc((size_t)r->count, sizeof *known, &known, err));
    for (int i = 0; i < r->count; i++) known[i] = (trained){.threshold = NAN, .chance = NAN};
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < r->count; i++) {
            int n;
            const pg_task_labels *l = &r->items[i].labels; /* a network from elsewhere is the same for all seeds */
            PG_TRY(pg_text_pool_print(&networks, NULL, &n, err, "%d %d %llu", s->place[i], s->scheme[i],
                                      pg_labels_brought(l) ? 0 : (unsigned long long)l->seed));
            if (pass == 0) look_at(&r->items[i], &known[n]);
            s->threshold[i] = known[n].threshold;
            s->chance[i] = known[n].chance;
            s->images[i] = known[n].images;
            s->learnt[i] = known[n].learnt;
        }
done:
    pg_text_pool_clear(&networks);
    pg_free(known);
    return status;
}

void pg_summary_close(pg_summary *s)
{
    pg_free(s->schemes.items);
    pg_free(s->attacks.items);
    pg_free(s->place);
    pg_free(s->scheme);
    pg_free(s->attack);
    pg_free(s->forges);
    pg_free(s->threshold);
    pg_free(s->chance);
    pg_free(s->images);
    pg_free(s->learnt);
    pg_text_pool_clear(&s->texts);
    *s = (pg_summary){0};
}

/* Number the place of a result and find its variants. */
static pg_status find_one(pg_summary *s, int i, pg_text_pool *places, finder *schemes, finder *attacks, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *l = &s->results->items[i].labels;
    const char *parameters;
    double value;
    PG_TRY(pg_text_pool_print(places, NULL, &s->place[i], err, "%s\n%s\n%s", l->data, l->network, l->norm));
    PG_TRY(pg_text_pool_print(&s->texts, &parameters, NULL, err, "%s%s%s", l->scheme_parameters,
                              l->scheme_parameters[0] ? " " : "", l->training));
    PG_TRY(variant_of(schemes, l->scheme, parameters, &s->scheme[i], err));
    s->attack[i] = -1;
    if (l->attack[0]) PG_TRY(variant_of(attacks, l->attack, l->parameters, &s->attack[i], err));
    s->forges[i] = pg_result_value(&s->results->items[i], "genuine", "stands", &value);
done:
    return status;
}

static pg_status find_all(pg_summary *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool places = {0};
    finder schemes = {.list = &s->schemes}, attacks = {.list = &s->attacks};
    for (int i = 0; i < s->results->count; i++) PG_TRY(find_one(s, i, &places, &schemes, &attacks, err));
    PG_TRY(label_all(&s->schemes, &s->texts, err));
    PG_TRY(label_all(&s->attacks, &s->texts, err));
done:
    pg_text_pool_clear(&places);
    pg_text_pool_clear(&schemes.known);
    pg_text_pool_clear(&attacks.known);
    return status;
}

pg_status pg_summary_open(pg_summary *s, const pg_results *results, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t n = (size_t)results->count;
    s->results = results;
    PG_TRY(pg_alloc(n, sizeof *s->place, &s->place, err));
    PG_TRY(pg_alloc(n, sizeof *s->scheme, &s->scheme, err));
    PG_TRY(pg_alloc(n, sizeof *s->attack, &s->attack, err));
    PG_TRY(pg_alloc(n, sizeof *s->forges, &s->forges, err));
    PG_TRY(pg_alloc(n, sizeof *s->threshold, &s->threshold, err));
    PG_TRY(pg_alloc(n, sizeof *s->chance, &s->chance, err));
    PG_TRY(pg_alloc(n, sizeof *s->images, &s->images, err));
    PG_TRY(pg_alloc(n, sizeof *s->learnt, &s->learnt, err));
    PG_TRY(find_all(s, err));
    PG_TRY(share_facts(s, err));
    if (results->count == results->expected)
        PG_TRY(pg_text_pool_keep(&s->texts, results->label, &s->label, NULL, err));
    else
        PG_TRY(pg_text_pool_print(&s->texts, &s->label, NULL, err, "%s%sincomplete: %d of %d tasks", results->label,
                                  results->label[0] ? "; " : "", results->count, results->expected));
done:
    return status;
}
