/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making tasks from a design; see grid.h. */
#include "experiments/grid/grid.h"

#include "core/base/memory.h"
#include "experiments/grid/feasible.h"
#include "experiments/grid/grid_internal.h"
#include "experiments/grid/price.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The place in which the independent networks of one entry are trained, for owners of one data set and network. */
typedef struct independent {
    pg_design_data data;
    pg_network_options network;
    pg_price price;
} independent;

typedef struct builder {
    const pg_design *design;
    pg_grid *grid;
    pg_problems *problems;
    independent *independent; /* by entry of the design */
} builder;

/* A combination of data set, network and seed. */
typedef struct place {
    const pg_design_data *data;
    const pg_network_options *network;
    const pg_price *prices; /* by scheme of the design */
    pg_price plain;         /* of the plain network */
    uint64_t seed;
} place;

static pg_task task_at(const builder *b, const place *at)
{
    pg_task task = {.data = at->data->choice,
                    .width = at->network->width,
                    .relu_before_add = at->network->relu_before_add,
                    .seed = at->seed,
                    .verify = b->design->verify};
    task.arch = at->network->found;
    task.norm = (pg_norm_kind)at->network->norm;
    return task;
}

/* Add the plain network of this place, a parent of the schemes that need one. */
static pg_status add_plain(builder *b, const place *at, int *index, pg_error *err)
{
    pg_task task = task_at(b, at);
    char nothing = 0;
    task.scheme = pg_scheme_holding(0);
    task.scheme_options = &nothing;
    task.train = b->design->train;
    return pg_grid_add(b->grid, &task, NULL, 0, pg_price_training(&at->plain, &task.train), index, err);
}

/* The k-th seed other than the replicate's own: first the seeds of the grid, then those above its largest. */
static uint64_t other_seed(const pg_ints *seeds, uint64_t own, int k)
{
    long long largest = 0;
    for (int i = 0; i < seeds->count; i++) {
        if (seeds->values[i] > largest) largest = seeds->values[i];
        if ((uint64_t)seeds->values[i] != own && k-- == 0) return (uint64_t)seeds->values[i];
    }
    return (uint64_t)(largest + 1 + k);
}

/* Add plain networks of `count` other seeds, and list them in a task and among its parents. */
static pg_status add_plain_networks(builder *b, const place *at, int count, pg_task *task, int *parents, pg_error *err)
{
    pg_status status = PG_OK;
    task->network_count = count;
    for (int i = 0; i < count; i++) {
        place other = *at;
        other.seed = other_seed(&b->design->grid.seeds, at->seed, i);
        PG_TRY(add_plain(b, &other, &parents[i], err));
        memcpy(task->networks[i], b->grid->tasks[parents[i]].key, sizeof task->networks[i]);
    }
done:
    return status;
}

/* Add the task that finds the threshold of a scheme's evidence. task: of the trained model; parents[2]: that model and the
 * plain network. */
static pg_status add_threshold(builder *b, const place *at, const pg_price *p, pg_task *task, const int *parents, pg_error *err)
{
    pg_status status = PG_OK;
    enum { IMAGES = 100 }; /* making one key takes about as long as this many images */
    const pg_grid_options *o = &b->design->grid;
    int all[2 + PG_NULL_MODELS_MAX] = {parents[0], parents[1]}, index;
    task->kind = PG_TASK_THRESHOLD;
    memcpy(task->victim, b->grid->tasks[parents[0]].key, sizeof task->victim);
    PG_TRY(add_plain_networks(b, at, o->null_models, task, &all[2], err));
    PG_TRY(pg_grid_add(b->grid, task, all, 2 + o->null_models, p->forward * IMAGES * o->null_models * task->verify.nulls,
                       &index, err));
    b->grid->tasks[index].unsaved = b->grid->tasks[index].cost;
done:
    return status;
}

/* Add the plain network that the attacker trained. It has another seed, because the owner's passports may come from that of
 * this place. */
static pg_status add_attackers_plain(builder *b, const place *at, pg_task *task, int *index, pg_error *err)
{
    place other = *at;
    other.seed = other_seed(&b->design->grid.seeds, at->seed, 0);
    const pg_status status = add_plain(b, &other, index, err);
    if (status == PG_OK) memcpy(task->pretrained, b->grid->tasks[*index].key, sizeof task->pretrained);
    return status;
}

static int references_of(const pg_design_attack *a)
{
    return pg_attack_references(a->attack, a->options);
}

static pg_task_stage stage_of(const pg_design_attack *a)
{
    return (pg_task_stage){.attack = a->attack, .options = a->options, .arch = a->arch};
}

/* Add attack number i of the design on a trained model, the task `victim`, after the attack task `before` (-1: none). */
static pg_status add_attack(builder *b, const place *at, const pg_price *p, const pg_task *trained, int victim, int i,
                            int before, int *index, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_design_attack *a = &b->design->attacks[i], *earlier = &b->design->attacks[before < 0 ? 0 : before];
    int all[3 + PG_REFERENCES_MAX] = {victim, -1, -1};
    pg_task task = *trained;
    task.kind = PG_TASK_ATTACK;
    memcpy(task.victim, b->grid->tasks[victim].key, sizeof task.victim);
    task.pretrained[0] = '\0';
    task.attack = a->attack;
    task.attack_options = a->options;
    task.attack_arch = a->arch;
    task.other = a->other;
    task.keep = a->keep || a->stage;
    if (task.supplied.model_sha256[0] && a->attack->steady && before < 0 && a->chained < 0) task.seed = 0;
    if (a->attack->wants_pretrained && a->attack->wants_pretrained(a->options))
        PG_TRY(add_attackers_plain(b, at, &task, &all[1], err));
    PG_TRY(add_plain_networks(b, at, references_of(a), &task, &all[3], err));
    if (before >= 0) {
        PG_TRY(add_attack(b, at, p, trained, victim, before, -1, &all[2], err));
        task.before[task.before_count++] = stage_of(earlier);
        memcpy(task.forged, b->grid->tasks[all[2]].key, sizeof task.forged);
    }
    if (a->chained >= 0) {
        PG_TRY(add_attack(b, at, p, trained, victim, a->chained, -1, &all[2], err));
        memcpy(task.taken, b->grid->tasks[all[2]].key, sizeof task.taken);
    }
    for (int k = a->chained; k >= 0; k = b->design->attacks[k].chained)
        task.before[task.before_count++] = stage_of(&b->design->attacks[k]);
    PG_TRY(pg_grid_add(b->grid, &task, all, 3 + task.network_count, pg_price_attack(p, a), index, err));
    b->grid->tasks[*index].unsaved = p->forward * p->test;
done:
    return status;
}

/* Add attack number i after every entry of the attack that it follows, or once if it follows none. */
static pg_status add_chains(builder *b, const place *at, const pg_price *p, const pg_task *trained, int victim, int i,
                            pg_error *err)
{
    pg_status status = PG_OK;
    const pg_design_attack *a = &b->design->attacks[i];
    int index;
    if (!a->after) return add_attack(b, at, p, trained, victim, i, -1, &index, err);
    for (int k = 0; k < i; k++) {
        const pg_design_attack *earlier = &b->design->attacks[k];
        const bool alone = !earlier->after && !earlier->stage && earlier->chained < 0;
        if (earlier->attack == a->after && alone && pg_design_applies(earlier, trained->scheme))
            PG_TRY(add_attack(b, at, p, trained, victim, i, k, &index, err));
    }
done:
    return status;
}

/* Claim independent network number k of one entry with the evidence for a trained model. all: the task of the model; that of
 * the attack that forged the evidence (-1: the owner's evidence); room for that of the network. */
static pg_status add_claim(builder *b, const place *at, pg_task *task, int entry, int k, int all[3], pg_error *err)
{
    pg_status status = PG_OK;
    const pg_ints *seeds = &b->design->grid.seeds;
    const independent *i = &b->independent[entry];
    place there = {.data = &i->data, .network = &i->network, .plain = i->price};
    int references = 0, index;
    for (int a = 0; a < b->design->attack_count; a++)
        if (references_of(&b->design->attacks[a]) > references) references = references_of(&b->design->attacks[a]);
    there.seed = other_seed(seeds, at->seed, seeds->count - 1 + references + k);
    PG_TRY(add_plain(b, &there, &all[2], err));
    memcpy(task->networks[0], b->grid->tasks[all[2]].key, sizeof task->networks[0]);
    task->other = i->data.choice;
    PG_TRY(pg_grid_add(b->grid, task, all, 3, i->price.forward * i->price.test, &index, err));
    b->grid->tasks[index].unsaved = b->grid->tasks[index].cost;
done:
    return status;
}

/* Claim every independent network with the evidence that attack number `attack` forged, or with the owner's (-1). */
static pg_status add_claims(builder *b, const place *at, const pg_price *p, const pg_task *trained, int victim, int attack,
                            pg_error *err)
{
    pg_status status = PG_OK;
    const pg_design_attack *a = attack < 0 ? NULL : &b->design->attacks[attack];
    int all[3] = {victim, -1, -1};
    pg_task task = *trained;
    if (a) PG_TRY(add_attack(b, at, p, trained, victim, attack, -1, &all[1], err));
    task.kind = PG_TASK_CLAIM;
    task.pretrained[0] = '\0';
    task.network_count = 1;
    memcpy(task.victim, b->grid->tasks[victim].key, sizeof task.victim);
    if (a) {
        task.attack = a->attack;
        task.attack_options = a->options;
        task.attack_arch = a->arch;
        memcpy(task.forged, b->grid->tasks[all[1]].key, sizeof task.forged);
    }
    for (int i = 0; i < b->design->independent_count; i++)
        for (int k = 0; k < b->design->independent[i].options.networks; k++) PG_TRY(add_claim(b, at, &task, i, k, all, err));
done:
    return status;
}

/* Add the claims on independent networks with all evidence for a trained model. */
static pg_status add_all_claims(builder *b, const place *at, const pg_price *p, const pg_task *trained, int victim,
                                pg_error *err)
{
    pg_status status = PG_OK;
    if (!b->design->independent_count) return PG_OK;
    if (trained->scheme->keygen) PG_TRY(add_claims(b, at, p, trained, victim, -1, err));
    for (int i = 0; i < b->design->attack_count; i++) {
        const pg_design_attack *a = &b->design->attacks[i];
        if (a->attack->hands_on && !a->after && a->chained < 0 && pg_design_applies(a, trained->scheme))
            PG_TRY(add_claims(b, at, p, trained, victim, i, err));
    }
done:
    return status;
}

/* Add the task that reads and judges a network trained elsewhere, once for all seeds. */
static pg_status add_supplied(builder *b, const pg_design_scheme *s, const pg_price *p, pg_task *task, int *index,
                              pg_error *err)
{
    pg_status status = PG_OK;
    const uint64_t seed = task->seed;
    task->kind = PG_TASK_SUPPLIED;
    task->seed = 0;
    task->supplied = s->supplied;
    PG_TRY(pg_grid_add(b->grid, task, NULL, 0, p->forward * p->test, index, err));
    pg_grid_task *node = &b->grid->tasks[*index];
    node->unsaved = node->cost;
    if (!node->about) PG_TRY(pg_strdup(s->about, &node->about, err));
    task->seed = seed;
    task->supplied.files = (pg_source_options){.model = ""};
done:
    return status;
}

/* Add a trained model and the attacks on it. */
static pg_status add_scheme(builder *b, const place *at, int number, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_design_scheme *s = &b->design->schemes[number];
    const pg_price *p = &at->prices[number];
    pg_task task = task_at(b, at);
    int parents[2] = {-1, -1}; /* the attacked model, and the plain network */
    task.scheme = s->scheme;
    task.scheme_options = s->options;
    task.train = s->train;
    task.other = s->other;
    const bool supplied = s->supplied.model_sha256[0];
    const bool first = at->seed == (uint64_t)b->design->grid.seeds.values[0];
    const bool thresholds = b->design->grid.null_models && s->scheme->keygen && (first || !supplied);
    if (supplied) PG_TRY(add_supplied(b, s, p, &task, &parents[0], err));
    if ((!supplied || thresholds) && pg_scheme_wants_pretrained(s->scheme, s->options)) {
        PG_TRY(add_plain(b, at, &parents[1], err));
        memcpy(task.pretrained, b->grid->tasks[parents[1]].key, sizeof task.pretrained);
    }
    if (!supplied) PG_TRY(pg_grid_add(b->grid, &task, &parents[1], 1, pg_price_training(p, &s->train), &parents[0], err));
    for (int i = 0; i < b->design->attack_count; i++)
        if (!b->design->attacks[i].stage && pg_design_applies(&b->design->attacks[i], s->scheme))
            PG_TRY(add_chains(b, at, p, &task, parents[0], i, err));
    if (first || !supplied) PG_TRY(add_all_claims(b, at, p, &task, parents[0], err));
    if (thresholds) PG_TRY(add_threshold(b, at, p, &task, parents, err));
done:
    return status;
}

/* Does the grid combine a scheme with this data set and network number n? */
static bool is_at(const pg_design_scheme *s, const pg_design_data *data, int n)
{
    return (s->network < 0 || s->network == n) && pg_design_fits(s, data);
}

/* Find the price of a scheme in one network. It is a problem of the file if the network cannot be built or trained. */
static pg_status find_price(builder *b, const place *at, const pg_design_scheme *s, pg_price *out, pg_error *err)
{
    pg_error fault;
    pg_layout layout;
    const pg_status status = pg_price_layout(at->data, at->network, s->scheme, s->options, &layout, &fault);
    if (status == PG_BAD_INPUT) {
        pg_problems_add(b->problems, s->node, "%s, %s: %s", at->data->choice.name, at->network->found->name, fault.message);
        return PG_OK;
    }
    if (status != PG_OK) return pg_fail(err, status, "%s", fault.message);
    *out = pg_price_of(at->data, &layout);
    b->grid->rank_bytes = fmax(b->grid->rank_bytes, pg_price_bytes(at->data, &layout, &s->train));
    return pg_feasible_check(b->design, at->data, s, &layout, b->problems, err);
}

/* Find the price of the plain network. It is a problem at a node of the file if it cannot be built. */
static pg_status find_plain_price(builder *b, const pg_design_data *data, const pg_network_options *network,
                                  const pg_node *node, pg_price *out, pg_error *err)
{
    pg_error fault;
    pg_layout layout;
    const char nothing = 0;
    const pg_status status = pg_price_layout(data, network, pg_scheme_holding(0), &nothing, &layout, &fault);
    if (status == PG_BAD_INPUT && node) {
        pg_problems_add(b->problems, node, "%s, %s: %s", data->choice.name, network->found->name, fault.message);
        return PG_OK;
    }
    if (status != PG_OK) return pg_fail(err, status, "%s", fault.message);
    *out = pg_price_of(data, &layout);
    return pg_feasible_check_plain(b->design, data, &layout, b->problems, err);
}

/* Find the place in which independent networks of one entry are trained, for owners of this place. */
static pg_status find_independent(builder *b, const place *at, int entry, pg_error *err)
{
    const pg_design_independent *from = &b->design->independent[entry];
    independent *out = &b->independent[entry];
    pg_data_choice *choice = &out->data.choice;
    *out = (independent){.data = *at->data, .network = *at->network};
    if (from->options.found) {
        memcpy(out->network.arch, from->options.arch, sizeof out->network.arch);
        out->network.found = from->options.found;
        if (!from->options.found->residual) out->network.relu_before_add = true;
    }
    if (from->options.half == PG_OTHER_HALF) choice->half = choice->half == PG_HALF_FIRST ? PG_HALF_SECOND : PG_HALF_FIRST;
    return find_plain_price(b, &out->data, &out->network, from->node, &out->price, err);
}

/* Find the prices of every scheme of the design in one network, of the plain network, and of independent ones. */
static pg_status find_prices(builder *b, place *at, int network, pg_price *prices, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_design *d = b->design;
    for (int i = 0; i < d->scheme_count; i++)
        if (is_at(&d->schemes[i], at->data, network)) PG_TRY(find_price(b, at, &d->schemes[i], &prices[i], err));
    PG_TRY(find_plain_price(b, at->data, at->network, NULL, &at->plain, err));
    for (int i = 0; i < d->independent_count; i++) PG_TRY(find_independent(b, at, i, err));
done:
    return status;
}

static pg_status cross(builder *b, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_design *d = b->design;
    pg_price *prices = NULL;
    PG_TRY(pg_alloc((size_t)d->scheme_count, sizeof *prices, &prices, err));
    PG_TRY(pg_alloc((size_t)d->independent_count, sizeof *b->independent, &b->independent, err));
    for (int i = 0; i < d->data_count; i++)
        for (int n = 0; n < d->network_count; n++) {
            place at = {.data = &d->data[i], .network = &d->networks[n].options, .prices = prices};
            PG_TRY(find_prices(b, &at, n, prices, err));
            PG_TRY(pg_problems_status(b->problems, path, err));
            for (int k = 0; k < d->grid.seeds.count; k++) {
                at.seed = (uint64_t)d->grid.seeds.values[k];
                for (int s = 0; s < d->scheme_count; s++)
                    if (is_at(&d->schemes[s], &d->data[i], n)) PG_TRY(add_scheme(b, &at, s, err));
            }
        }
done:
    pg_free(b->independent);
    pg_free(prices);
    return status;
}

/* List the attacks that apply to no scheme of the design. */
static pg_status list_idle(const pg_design *d, char **out, pg_error *err)
{
    enum { ENTRY = 64 };
    char path[PG_NODE_PATH];
    const size_t room = ENTRY * ((size_t)d->attack_count + 1);
    size_t used = 0;
    const pg_status status = pg_alloc(room, 1, out, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < d->attack_count; i++) {
        const pg_design_attack *a = &d->attacks[i];
        bool idle = !a->stage;
        for (int s = 0; s < d->scheme_count && idle; s++) idle = !pg_design_applies(a, d->schemes[s].scheme);
        if (idle)
            used += (size_t)snprintf(*out + used, room - used, "%s%s (%s)", used ? ", " : "", pg_node_path(a->node, path),
                                     a->attack->name);
    }
    return PG_OK;
}

pg_status pg_grid_read(const char *path, const char *const *sets, int set_count, const char *data_directory, pg_grid **out,
                       pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    pg_design *design = NULL;
    pg_grid *grid = NULL;
    PG_TRY(pg_design_read(path, sets, set_count, data_directory, &design, problems, err));
    PG_TRY(pg_alloc(1, sizeof *grid, &grid, err));
    grid->options = design->grid;
    PG_TRY(pg_design_write(design, &grid->resolved, err));
    PG_TRY(list_idle(design, &grid->idle, err));
    builder b = {.design = design, .grid = grid, .problems = problems};
    PG_TRY(cross(&b, path, err));
    *out = grid;
    grid = NULL;
done:
    pg_grid_destroy(&grid);
    pg_design_destroy(&design);
    return status;
}
