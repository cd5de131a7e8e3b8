/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grouping of results; see summary.h. */
#include "experiments/report/summary.h"

#include "core/base/memory.h"
#include "core/data/readers.h"
#include "core/formats/number.h"
#include "core/ownership/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- variants ---- */

/* The variants of one list while they are collected. The name and all options identify a variant. */
typedef struct finder {
    pg_variants *list;
    pg_text_pool known; /* in the order of the list */
} finder;

static pg_status variant_of(finder *f, const char *name, const pg_parameters *first, const pg_parameters *second, int *index,
                            pg_error *err)
{
    pg_variants *list = f->list;
    pg_status status = pg_text_pool_print(&f->known, NULL, index, err, "%d %d %s", first->number, second->number, name);
    if (status != PG_OK || *index < list->count) return status;
    status = pg_grow(&list->items, list->count, sizeof *list->items, err);
    if (status == PG_OK) list->items[list->count++] = (pg_variant){.name = name, .lists = {first, second}};
    return status;
}

/* How many variants of a name there are, how many of them come after another attack, and how many have each option: counts by
 * the numbers that `words` gives to NAME, "NAME after" and "NAME KEY=VALUE". */
typedef struct census {
    pg_text_pool words;
    int *counts;
} census;

static pg_status count_of(census *c, const char *name, const char *word, int **count, pg_error *err)
{
    int number;
    const int before = c->words.count;
    pg_status status = pg_text_pool_print(&c->words, NULL, &number, err, "%s %s", name, word);
    if (status == PG_OK && number == before) status = pg_grow(&c->counts, before, sizeof *c->counts, err);
    if (status == PG_OK) *count = &c->counts[number];
    return status;
}

static pg_status count_one(census *c, const char *name, const char *word, pg_error *err)
{
    int *count;
    const pg_status status = count_of(c, name, word, &count, err);
    if (status == PG_OK) ++*count;
    return status;
}

/* An imported network is always shown with its files, because it shares no options with others. */
static bool is_supplied(const pg_variant *v)
{
    return pg_parameters_find(v->lists[0], "model") != NULL;
}

static pg_status count_options(census *c, const pg_variant *v, const pg_parameters *list, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < list->count; i++) PG_TRY(count_one(c, v->name, list->items[i].text, err));
done:
    return status;
}

/* Parameters that name earlier attacks; those of their options begin so too. */
static const char *const former[] = {"after", "chain", NULL};

static pg_status take_census(const pg_variants *list, census *c, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < list->count; i++) {
        const pg_variant *v = &list->items[i];
        if (is_supplied(v)) continue;
        PG_TRY(count_one(c, v->name, "", err));
        for (int k = 0; former[k]; k++)
            if (pg_parameters_find(v->lists[0], former[k])) PG_TRY(count_one(c, v->name, former[k], err));
        for (int k = 0; k < 2; k++) PG_TRY(count_options(c, v, v->lists[k], err));
    }
done:
    return status;
}

/* Do all variants of the name have the option? A variant that follows no attack cannot have an option of an earlier attack. */
static pg_status is_common(census *c, const char *name, const pg_parameter *option, bool *common, pg_error *err)
{
    pg_status status = PG_OK;
    const char *of = "";
    int *count, all;
    for (int k = 0; former[k]; k++) {
        const size_t length = strlen(former[k]);
        if (strncmp(option->key, former[k], length) == 0 && option->key[length] == '_') of = former[k];
    }
    PG_TRY(count_of(c, name, of, &count, err));
    all = *count;
    PG_TRY(count_of(c, name, option->text, &count, err));
    *common = *count == all;
done:
    return status;
}

/* Print the options in which a variant differs from others of its name. An empty text is an unused option and is left out. */
static pg_status print_options(census *c, const pg_variant *v, const pg_parameters *list, FILE *stream, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < list->count; i++) {
        const pg_parameter *option = &list->items[i];
        bool common = option->value.type == PG_VALUE_TEXT && !option->value.text[0];
        const bool chain = strcmp(option->key, "chain") == 0; /* always told, because the network is another one */
        if (!common && !chain && !is_supplied(v)) PG_TRY(is_common(c, v->name, option, &common, err));
        if (!common) fprintf(stream, " %s", option->text);
    }
done:
    return status;
}

/* Print all options of a variant. */
pg_status pg_variant_options(const pg_variant *v, pg_text_pool *texts, const char **out, pg_error *err)
{
    const char *const first = v->lists[0]->text, *const second = v->lists[1]->text;
    return pg_text_pool_print(texts, out, NULL, err, "%s%s%s", first, first[0] && second[0] ? " " : "", second);
}

/* Keep the variant's label: its name and the options in which it differs from others. If another variant has that label, append
 * a hash of all options. */
static pg_status label_one(census *c, pg_text_pool *labels, pg_text_pool *texts, pg_variant *mine, pg_error *err)
{
    pg_status status = PG_OK;
    char *text = NULL, hash[PG_SHA256_HEX];
    const char *options;
    size_t bytes = 0;
    int number;
    const int before = labels->count;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    fputs(mine->name, stream);
    for (int k = 0; k < 2 && status == PG_OK; k++) status = print_options(c, mine, mine->lists[k], stream, err);
    if (fclose(stream) != 0 && status == PG_OK) status = pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    PG_TRY(status);
    PG_TRY(pg_text_pool_keep(labels, text, NULL, &number, err));
    if (number == before) {
        PG_TRY(pg_text_pool_keep(texts, text, &mine->label, NULL, err));
        goto done;
    }
    PG_TRY(pg_variant_options(mine, texts, &options, err));
    pg_sha256(options, strlen(options), hash);
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

/* Accuracy of guessing in percent, and number of test images. Records of earlier versions have neither: then the data set gives
 * the classes, and the label may give the number of images ("NAME 20000+2000"). */
static void find_scale(const pg_result *r, double *chance, double *images)
{
    const char *plus = strchr(r->labels.data, '+');
    char name[64];
    double used;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(r->labels.data, " "), r->labels.data);
    const pg_data_kind *kind = pg_data_kind_find(name);
    double classes = NAN;
    if (kind) classes = kind->classes;
    *images = plus && pg_number_real(plus + 1, &used) ? used : 1000; /* no test set is smaller */
    if (pg_result_value(r, "", "test_images", &used)) *images = used;
    if (pg_result_value(r, "", "classes", &used)) classes = used;
    *chance = 100 / classes;
}

/* Facts about one trained network, which all its results share. */
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
            const pg_task_labels *l = &r->items[i].labels; /* an imported network is the same for all seeds */
            PG_TRY(pg_text_pool_print(&networks, NULL, &n, err, "%d %d %llu", s->place[i], s->scheme[i],
                                      pg_labels_supplied(l) ? 0 : (unsigned long long)l->seed));
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
    pg_free(s->accused);
    pg_free(s->threshold);
    pg_free(s->chance);
    pg_free(s->images);
    pg_free(s->learnt);
    pg_text_pool_clear(&s->texts);
    *s = (pg_summary){0};
}

/* The kind of the network in "accused=KIND DIGITS", the outcome of a claim. */
static pg_status find_accused(pg_summary *s, int i, pg_error *err)
{
    const pg_record *record = &s->results->items[i].record;
    const char *outcome = record->cell_count ? record->cells[0].outcome : "", *digits = strrchr(outcome, ' ');
    if (strncmp(outcome, "accused=", 8) != 0 || !digits) return PG_OK;
    return pg_text_pool_print(&s->texts, &s->accused[i], NULL, err, "%.*s", (int)(digits - outcome) - 8, outcome + 8);
}

/* Number the place of a result and find its variants. */
static pg_status find_one(pg_summary *s, int i, pg_text_pool *places, finder *schemes, finder *attacks, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *l = &s->results->items[i].labels;
    double value;
    PG_TRY(pg_text_pool_print(places, NULL, &s->place[i], err, "%s\n%s\n%s", l->data, l->network, l->norm));
    PG_TRY(variant_of(schemes, l->scheme, l->scheme_parameters, l->training, &s->scheme[i], err));
    s->attack[i] = -1;
    if (l->attack[0]) PG_TRY(variant_of(attacks, l->attack, l->parameters, &pg_no_parameters, &s->attack[i], err));
    s->forges[i] = pg_result_value(&s->results->items[i], "genuine", "agrees", &value);
    PG_TRY(find_accused(s, i, err));
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
    PG_TRY(pg_alloc(n, sizeof *s->accused, &s->accused, err));
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
