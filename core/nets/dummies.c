/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planning and adding dummy channels; see dummies.h. */
#include "core/nets/dummies.h"

#include "core/base/memory.h"
#include "core/nets/arch_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the plan ---- */

/* Can the space get more channels? It can if it has one producer, and if no addition and no norm row reads it. */
static bool is_free(const pg_layout *layout, const pg_spaces *spaces, int space)
{
    int producers = 0;
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_row_kind kind = layout->layers[i].row.kind;
        if (spaces->out[i] != space) continue;
        if (kind == PG_ROW_ADD || kind == PG_ROW_NORM) return false;
        producers += pg_layer_makes(layout, spaces, i, space);
    }
    return producers == 1;
}

/* Append blocks of one kind to the channels of a space. random: number of random filters so far. */
static void put_blocks(pg_dummies *d, int s, pg_dummy_kind kind, int blocks, int block, int *random)
{
    const int given = d->spaces.channels[s];
    for (int b = 0; b < blocks; b++)
        for (int k = 0; k < block; k++) {
            const int o = d->channels[s]++, taken = (o - given) % given;
            const bool second = kind == PG_DUMMIES_CLIQUE && b % 2;
            if (kind == PG_DUMMIES_SPLIT) {
                d->source[s][o] = taken;
                d->share[s][o] = d->share[s][taken] = 0.5;
                continue;
            }
            d->source[s][o] = second ? d->source[s][o - block] : -1 - (*random)++;
            d->share[s][o] = kind == PG_DUMMIES_ZERO ? 0 : second ? -1 : 1;
        }
}

static pg_status plan_space(pg_dummies *d, const pg_layout *layout, int s, pg_dummy_kind kind, double percent, int *random,
                            pg_error *err)
{
    const int given = d->spaces.channels[s], block = pg_space_block(layout, &d->spaces, s), blocks = given / block;
    const int kinds = kind == PG_DUMMIES_ALL ? 3 : 1;
    const int pairs = (int)ceil(percent / 100 * blocks / 2 / kinds), room = given + 2 * pairs * kinds * block;
    pg_status status = pg_alloc((size_t)room, sizeof *d->source[s], &d->source[s], err);
    if (status == PG_OK) status = pg_alloc((size_t)room, sizeof *d->share[s], &d->share[s], err);
    if (status != PG_OK) return status;
    for (int o = 0; o < given; o++) {
        d->source[s][o] = o;
        d->share[s][o] = 1;
    }
    d->channels[s] = given;
    if (!is_free(layout, &d->spaces, s)) return PG_OK;
    for (int k = PG_DUMMIES_ZERO; k <= PG_DUMMIES_SPLIT; k++) {
        const int most = k == PG_DUMMIES_SPLIT && 2 * pairs > blocks ? blocks : 2 * pairs; /* a filter is split once */
        if (kind == PG_DUMMIES_ALL || (int)kind == k) put_blocks(d, s, (pg_dummy_kind)k, most, block, random);
    }
    return PG_OK;
}

pg_status pg_dummies_draw(const pg_model *model, pg_dummy_kind kind, double percent, pg_rng *rng, pg_dummies **out,
                          pg_error *err)
{
    pg_status status = PG_OK;
    pg_dummies *d = NULL;
    int random = 0;
    bool wider = false;
    PG_TRY(pg_alloc(1, sizeof *d, &d, err));
    pg_spaces_find(&model->layout, &d->spaces);
    d->key = pg_rng_below(rng, UINT64_MAX);
    for (int s = 0; s < d->spaces.count; s++) {
        PG_TRY(plan_space(d, &model->layout, s, kind, percent, &random, err));
        wider |= d->channels[s] > d->spaces.channels[s];
    }
    if (!wider) PG_TRY(pg_fail(err, PG_BAD_INPUT, "dummies: no layer of %s can have more channels", model->spec.arch->name));
    *out = d;
    d = NULL;
done:
    pg_dummies_destroy(&d);
    return status;
}

void pg_dummies_destroy(pg_dummies **dummies)
{
    if (!*dummies) return;
    for (int s = 0; s < PG_ROWS_MAX; s++) {
        pg_free((*dummies)->source[s]);
        pg_free((*dummies)->share[s]);
    }
    pg_free(*dummies);
    *dummies = NULL;
}

/* ---- the wider network ---- */

/* A number in (-1, 1) derived from the key and four indices by the finaliser of splitmix64. Equal filters have equal indices.
 */
static double noise(uint64_t key, int layer, int tap, int input, int output)
{
    uint64_t z = key + (uint64_t)layer * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)tap * UINT64_C(0xC2B2AE3D27D4EB4F) +
                 (uint64_t)input * UINT64_C(0x165667B19E3779F9) + (uint64_t)output * UINT64_C(0xD6E8FEB86659FD93);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

/* The inputs or outputs of a layer, and where its channels come from in the given network. */
typedef struct side {
    int channels;
    const int *source; /* NULL: the same */
    const double *share;
} side;

static side side_of(const pg_dummies *d, int space, int channels)
{
    if (space < 0) return (side){channels, NULL, NULL};
    return (side){d->channels[space], d->source[space], d->share[space]};
}

static int source_of(side s, int channel)
{
    return s.source ? s.source[channel] : channel;
}

static double root_mean_square(size_t count, const pg_real *w)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)w[i] * (double)w[i];
    return sqrt(sum / (double)count);
}

/* The part of a weight that reads channel c. The two parts of a split add up to 1; they differ from weight to weight. */
static double part_of(const pg_dummies *d, side in, int c, int layer, int tap, int output)
{
    const double share = in.share ? in.share[c] : 1;
    if (share != 0.5) return share;
    const double first = 0.5 + 0.3 * noise(~d->key, layer, tap, in.source[c], output);
    return in.source[c] == c ? first : 1 - first;
}

static void widen_weights(const pg_model *model, const pg_dummies *d, int layer, side in, side out, pg_model *wide)
{
    const pg_layer *l = &model->layers[layer];
    const pg_filters f = pg_layer_filters(l), g = pg_layer_filters(&wide->layers[layer]);
    const pg_real *w = model->params + l->weight;
    pg_real *to = wide->params + wide->layers[layer].weight;
    const double spread = sqrt(3) * root_mean_square((size_t)f.taps * (size_t)f.inputs * (size_t)f.outputs, w);
    for (int t = 0; t < g.taps; t++)
        for (int c = 0; c < g.inputs; c++)
            for (int o = 0; o < g.outputs; o++) {
                const int from = source_of(in, c), by = source_of(out, o);
                const double whole = from >= 0 && by >= 0 ? (double)w[t * f.tap_step + from * f.input_step + by * f.output_step]
                                                          : spread * noise(d->key, layer, t, from, by);
                to[t * g.tap_step + c * g.input_step + o * g.output_step] = (pg_real)(whole * part_of(d, in, c, layer, t, by));
            }
}

/* Widen a vector with an entry for each output. A random filter takes the entry of a given one. */
static void widen_vector(const pg_real *from, ptrdiff_t at, side out, int given, pg_real *to, ptrdiff_t target)
{
    if (at < 0 || target < 0) return;
    for (int o = 0; o < out.channels; o++) {
        const int source = source_of(out, o);
        to[target + o] = from[at + (source >= 0 ? source : (-1 - source) % given)];
    }
}

static void widen_layer(const pg_model *model, const pg_dummies *d, int layer, pg_model *wide)
{
    const pg_layer *l = &model->layers[layer], *m = &wide->layers[layer];
    const side in = side_of(d, d->spaces.in[layer], l->in_channels), out = side_of(d, d->spaces.out[layer], l->out_channels);
    const int given = l->out_channels;
    if (l->weight >= 0) widen_weights(model, d, layer, in, out, wide);
    widen_vector(model->params, l->bias, out, given, wide->params, m->bias);
    for (int b = 0; b < 2; b++) {
        const pg_affine *a = &l->affine[b], *to = &m->affine[b];
        widen_vector(model->params, a->gamma, out, given, wide->params, to->gamma);
        widen_vector(model->params, a->beta, out, given, wide->params, to->beta);
        if (b == PG_PRIVATE && to->mean == m->affine[PG_PUBLIC].mean) continue; /* of a public branch alone */
        widen_vector(model->buffers, a->mean, out, given, wide->buffers, to->mean);
        widen_vector(model->buffers, a->var, out, given, wide->buffers, to->var);
    }
}

/* "mine-wide" for "mine" and for "mine-wide" */
static void wide_name(const char *name, char out[PG_ARCH_NAME_MAX])
{
    const size_t length = strlen(name), end = strlen("-wide");
    const bool is_wide = length > end && strcmp(name + length - end, "-wide") == 0;
    snprintf(out, PG_ARCH_NAME_MAX, "%.*s-wide", is_wide ? (int)(length - end) : PG_ARCH_NAME_MAX - 6, name);
}

pg_status pg_model_widen(const pg_model *model, const pg_dummies *d, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    int channels[PG_ROWS_MAX];
    char name[PG_ARCH_NAME_MAX];
    pg_net_spec spec = pg_net_spec_deployed(&model->spec) == PG_PUBLIC ? pg_net_spec_public(&model->spec) : model->spec;
    if (spec.perceptron) return pg_fail(err, PG_BAD_INPUT, "dummies: a perceptron has another width in a wider network");
    for (int i = 0; i < model->layer_count; i++)
        channels[i] = side_of(d, d->spaces.out[i], model->layers[i].out_channels).channels;
    wide_name(spec.arch->name, name);
    PG_TRY(pg_arch_with_channels(&spec, channels, name, &spec.arch, err));
    spec.width = 1;
    PG_TRY(pg_model_create(&spec, out, err));
    for (int i = 0; i < model->layer_count; i++) widen_layer(model, d, i, *out);
done:
    return status;
}
