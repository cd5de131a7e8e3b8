/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of a run; see settings.h. */
#include "experiments/report/settings.h"

#include "attacks/attack.h"
#include "core/base/memory.h"

#include <ctype.h>
#include <string.h>

const pg_task_labels *pg_settings_labels(const pg_settings *s, int setting)
{
    return &s->summary->results->items[s->first[setting]].labels;
}

void pg_settings_close(pg_settings *s)
{
    pg_free(s->first);
    pg_free(s->next);
    pg_free(s->kind);
    pg_free(s->group);
    pg_free(s->of_kind);
}

/* Pools that number settings, kinds and groups. */
typedef struct numbering {
    pg_text_pool settings, kinds, groups;
} numbering;

/* Add result i to its setting. */
static pg_status add_result(pg_settings *s, numbering *n, int i, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *b = s->summary;
    const pg_task_labels *l = &b->results->items[i].labels;
    int k;
    PG_TRY(pg_text_pool_print(&n->settings, NULL, &k, err, "%d %d %d", b->place[i], b->scheme[i], b->attack[i]));
    s->next[i] = k < s->count ? s->first[k] : -1;
    s->first[k] = i;
    if (k < s->count) goto done;
    s->count++;
    PG_TRY(pg_text_pool_print(&n->groups, NULL, &s->group[k], err, "%d %d", b->place[i], b->scheme[i]));
    PG_TRY(pg_text_pool_print(&n->kinds, NULL, &s->kind[k], err, "%d %s %s", b->place[i], l->scheme, l->attack));
    s->of_kind[s->kind[k]] = k;
done:
    return status;
}

pg_status pg_settings_open(pg_settings *s, const pg_summary *summary, pg_error *err)
{
    pg_status status = PG_OK;
    numbering n = {0};
    const size_t results = (size_t)summary->results->count;
    int **const arrays[] = {&s->first, &s->next, &s->kind, &s->group, &s->of_kind};
    s->summary = summary;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) PG_TRY(pg_alloc(results, sizeof(int), arrays[i], err));
    for (int i = 0; i < summary->results->count; i++) PG_TRY(add_result(s, &n, i, err));
    s->kind_count = n.kinds.count;
    s->group_count = n.groups.count;
done:
    pg_text_pool_clear(&n.settings);
    pg_text_pool_clear(&n.kinds);
    pg_text_pool_clear(&n.groups);
    return status;
}

/* ---- what a subject is about ---- */

/* Is `name` the first word of a label such as "alexnet x0.5"? An empty name fits every label. sibling: ignore the number at the
 * end of both. */
static bool names(const char *name, const char *label, bool sibling)
{
    size_t n = strlen(name), m = strcspn(label, " ");
    while (sibling && n && isdigit((unsigned char)name[n - 1])) n--;
    while (sibling && m && isdigit((unsigned char)label[m - 1])) m--;
    return !name[0] || (n == m && memcmp(name, label, n) == 0);
}

static bool any_or(const char *name, const char *value)
{
    return !name[0] || strcmp(name, value) == 0;
}

static bool task_fits(const pg_subject *s, const pg_task_labels *l, bool stand_in)
{
    return names(s->data, l->data, false) && names(s->network, l->network, stand_in) && any_or(s->norm, l->norm) &&
           any_or(s->scheme, l->scheme) && strcmp(s->attack, l->attack) == 0;
}

pg_status pg_settings_fit(const pg_settings *s, const pg_subject *subject, bool stand_in, bool **fits, pg_error *err)
{
    const pg_status status = pg_alloc((size_t)s->kind_count, sizeof **fits, fits, err);
    for (int k = 0; status == PG_OK && k < s->kind_count; k++)
        (*fits)[k] = task_fits(subject, pg_settings_labels(s, s->of_kind[k]), stand_in);
    return status;
}

/* Does an option name a data set other than the victim's own? */
static bool is_transfer(const pg_value *value, const pg_task_labels *l)
{
    const size_t own = strcspn(l->data, " ");
    return value->type == PG_VALUE_TEXT && value->text[0] &&
           (strlen(value->text) != own || memcmp(value->text, l->data, own) != 0);
}

/* The option of the attack, of the scheme or of its training, in this order; NULL if none has the key. */
static const pg_value *find_option(const pg_task_labels *l, const char *key)
{
    const pg_parameters *const lists[] = {l->parameters, l->scheme_parameters, l->training};
    const pg_value *value = NULL;
    for (size_t i = 0; i < sizeof lists / sizeof *lists && !value; i++) value = pg_parameters_find(lists[i], key);
    return value;
}

static const pg_parameter *named_by(const pg_subject *s, const char *key)
{
    for (int i = 0; i < s->parameters->count; i++)
        if (strcmp(s->parameters->items[i].key, key) == 0) return &s->parameters->items[i];
    return NULL;
}

/* An option that came later than records of the attack: they omit its default, and so do subjects that are about it. */
static const pg_option *later_option(const pg_task_labels *l, const char *key)
{
    const pg_attack *attack = pg_attack_find(l->attack);
    const pg_option *option = attack ? pg_options_find(attack->options, key) : NULL;
    return option && option->later ? option : NULL;
}

static bool later_options_fit(const pg_subject *s, const pg_task_labels *l)
{
    for (int i = 0; i < s->parameters->count; i++) {
        const pg_parameter *p = &s->parameters->items[i];
        const pg_option *o = later_option(l, p->key);
        if (o && !pg_parameters_find(l->parameters, p->key) && strcmp(p->text + strlen(p->key) + 1, o->fallback) != 0)
            return false;
    }
    for (int i = 0; i < l->parameters->count; i++)
        if (later_option(l, l->parameters->items[i].key) && !named_by(s, l->parameters->items[i].key)) return false;
    return true;
}

/* Do the options of a task have the values that a subject names? "data=*" fits a transfer to any data set; for a stand-in every
 * "data=" does. A parameter that is not an option names the outcome. */
static bool options_fit(const pg_subject *s, const pg_task_labels *l, bool stand_in, const char **outcome)
{
    *outcome = NULL;
    for (int i = 0; i < s->parameters->count; i++) {
        const pg_parameter *p = &s->parameters->items[i];
        const pg_value *found = find_option(l, p->key);
        const bool any =
            strcmp(p->key, "data") == 0 && (stand_in || (p->value.type == PG_VALUE_TEXT && strcmp(p->value.text, "*") == 0));
        if (!found && later_option(l, p->key)) continue;
        if (!found && *outcome) return false;
        if (!found) *outcome = p->text;
        if (found && !(any ? is_transfer(found, l) : pg_value_compare(found, &p->value) == 0)) return false;
    }
    return later_options_fit(s, l);
}

/* Does a cell have this metric and outcome? outcome NULL: cells of the whole attack and of its repetitions. */
static bool cell_fits(const pg_record_cell *cell, const char *metric, const char *outcome)
{
    if (strcmp(cell->metric, metric) != 0) return false;
    if (outcome) return strcmp(cell->outcome, outcome) == 0;
    return !cell->outcome[0] || strncmp(cell->outcome, "repeat=", 7) == 0;
}

pg_status pg_settings_gather(const pg_settings *s, int setting, const pg_subject *subject, pg_range of, pg_sample *out,
                             pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *l = pg_settings_labels(s, setting);
    const char *outcome;
    if (!task_fits(subject, l, of == PG_RANGE_STAND_INS) || !options_fit(subject, l, of == PG_RANGE_STAND_INS, &outcome))
        return PG_OK;
    for (int i = s->first[setting]; i >= 0; i = s->next[i]) {
        const pg_record *record = &s->summary->results->items[i].record;
        if (of == PG_RANGE_LEARNT && !s->summary->learnt[i]) continue;
        for (int c = 0; c < record->cell_count; c++)
            if (cell_fits(&record->cells[c], subject->metric, outcome)) PG_TRY(pg_sample_add(out, record->cells[c].value, err));
    }
done:
    return status;
}
