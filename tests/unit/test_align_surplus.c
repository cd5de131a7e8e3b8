/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment merges and drops the channels that a thief added. */
#include "tests/unit/theft.h"

SET_UP
{
    pg_compute_start(1);
}

/* The content of each block of a widened space: a block of the original; a second copy of one, which shares its outgoing
 * weights; random filters that no layer reads; or one of two copies of random filters whose outgoing weights cancel. */
typedef enum kind { REAL, SPLIT, UNREAD, PLUS, MINUS } kind;

typedef struct widened {
    int channels;
    kind kind[1024];
    int source[1024];    /* channel of the original; of random filters, a number that copies share */
    bool is_split[1024]; /* by channel of the original */
} widened;

static widened spaces[PG_ROWS_MAX], fixed;

/* A number in (-1, 1) that follows from the key. */
static double noise(int a, int b, int c, int d)
{
    uint64_t z = (uint64_t)a * 0x9E3779B97F4A7C15 + (uint64_t)b * 0xC2B2AE3D27D4EB4F + (uint64_t)c * 0x165667B19E3779F9 +
                 (uint64_t)d * 0xD6E8FEB86659FD93;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (double)((z ^ (z >> 31)) >> 11) / (double)(1ULL << 52) - 1;
}

static void plan_space(widened *w, int ours, int theirs)
{
    const int blocks = theirs / PG_NORM_GROUP, real = ours / PG_NORM_GROUP;
    *w = (widened){.channels = theirs};
    for (int b = 0; b < blocks; b++) {
        const int extra = b - real;
        kind k = extra < 0 ? REAL : extra % 4 == 0 ? SPLIT : extra % 4 == 1 ? UNREAD : extra % 4 == 2 ? PLUS : MINUS;
        if (k == PLUS && b == blocks - 1) k = UNREAD;
        for (int c = 0; c < PG_NORM_GROUP; c++) {
            const int channel = b * PG_NORM_GROUP + c, of = k == SPLIT ? extra % real * PG_NORM_GROUP + c : channel;
            w->kind[channel] = k;
            w->source[channel] = k == MINUS ? channel - PG_NORM_GROUP : of;
            if (k == SPLIT) w->is_split[of] = true;
        }
    }
}

/* The share of an outgoing weight that channel c has, of the original or of random filters. All copies have the same key. */
static double outgoing(const widened *in, int c, int layer, int tap, int o, const pg_model *model, int source)
{
    const pg_filters f = pg_layer_filters(&model->layers[layer]);
    const double share = noise(layer, tap, o, in->source[c]);
    if (in->kind[c] == UNREAD) return 0;
    if (in->kind[c] == PLUS || in->kind[c] == MINUS) return in->kind[c] == PLUS ? share : -share;
    const double w = source < 0 ? 0.2 * noise(layer, tap, source, in->source[c])
                                : (double)model->params[model->layers[layer].weight + tap * f.tap_step +
                                                        in->source[c] * f.input_step + source * f.output_step];
    if (in->kind[c] == SPLIT) return share * w;
    return in->is_split[c] ? (1 - share) * w : w;
}

static void widen_layer(const pg_model *model, const widened *in, const widened *out, int layer, pg_model *wide)
{
    const pg_layer *l = &model->layers[layer], *m = &wide->layers[layer];
    const pg_filters g = pg_layer_filters(m);
    for (int t = 0; t < g.taps; t++)
        for (int i = 0; i < g.inputs; i++)
            for (int o = 0; o < g.outputs; o++) {
                const int random = out->kind[o] > SPLIT;
                const int key = out->source[o], source = random ? -1 - key : key;
                wide->params[m->weight + t * g.tap_step + i * g.input_step + o * g.output_step] =
                    (pg_real)outgoing(in, i, layer, t, key, model, source);
            }
    const ptrdiff_t from[] = {l->bias, l->affine[0].gamma, l->affine[0].beta, l->affine[0].mean, l->affine[0].var};
    const ptrdiff_t to[] = {m->bias, m->affine[0].gamma, m->affine[0].beta, m->affine[0].mean, m->affine[0].var};
    for (int v = 0; v < 5; v++) {
        const bool absent = l->row.kind == PG_ROW_DENSE ? v > 0 : from[v] < 0;
        for (int o = 0; !absent && o < g.outputs; o++) {
            const pg_real *x = v < 3 ? model->params : model->buffers;
            pg_real *y = v < 3 ? wide->params : wide->buffers;
            const double random = 1 + 0.3 * noise(layer, -1, v, out->source[o]);
            y[to[v] + o] = out->kind[o] > SPLIT ? (pg_real)random : x[from[v] + out->source[o]];
        }
    }
}

/* Surplus channels of random filters, which no layer reads. */
static void plan_unread(widened *w, int ours, int theirs)
{
    *w = (widened){.channels = theirs};
    for (int c = 0; c < theirs; c++) {
        w->kind[c] = c < ours ? REAL : UNREAD;
        w->source[c] = c;
    }
}

/* The same function with twice as many channels, as `plan` says. */
static void widen(const pg_model *model, pg_model *wide, void (*plan)(widened *, int, int))
{
    pg_spaces ours, theirs;
    pg_spaces_find(&model->layout, &ours);
    pg_spaces_find(&wide->layout, &theirs);
    fixed = (widened){0};
    for (int c = 0; c < 1024; c++) fixed.source[c] = c;
    for (int s = 0; s < ours.count; s++) plan(&spaces[s], ours.channels[s], theirs.channels[s]);
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].weight >= 0)
            widen_layer(model, ours.in[i] < 0 ? &fixed : &spaces[ours.in[i]], ours.out[i] < 0 ? &fixed : &spaces[ours.out[i]],
                        i, wide);
}

static double logits_differ(theft *t, pg_model *wide)
{
    enum { COUNT = SMALL_BATCH * SMALL_CLASSES };
    pg_net *net = NULL;
    double off = 0, most = 0;
    OK(pg_net_create(&wide->spec, SMALL_BATCH, false, PG_CONV_AUTO, &net, &err));
    const pg_real *x = pg_net_forward(t->owner.net, t->owner.model, PG_PUBLIC, PG_EVAL, t->owner.images, SMALL_BATCH);
    const pg_real *y = pg_net_forward(net, wide, PG_PUBLIC, PG_EVAL, t->owner.images, SMALL_BATCH);
    for (int i = 0; i < COUNT; i++) {
        most = fmax(most, fabs((double)x[i]));
        off = fmax(off, fabs((double)x[i] - (double)y[i]));
    }
    pg_net_destroy(&net);
    return off / most;
}

TEST(surplus_channels_of_every_kind_are_merged_and_dropped)
{
    for (int a = 0; a < 3; a++)
        for (int norm = 0; norm < NORMS; norm++) {
            theft t;
            pg_rng rng;
            pg_model *wide = NULL, *stolen = NULL;
            pg_rewrite *rewrite = NULL;
            pg_net_spec spec = wide_spec(archs[a], (pg_norm_kind)norm, "plain");
            steal(&t, &spec, 0);
            spec.width *= 2;
            OK(pg_model_create(&spec, &wide, &err));
            OK(pg_model_create(&spec, &stolen, &err));
            widen(t.owner.model, wide, plan_space);
            assert_true(logits_differ(&t, wide) < 1e-3);
            OK(pg_rewrite_create(&wide->layout, &rewrite, &err));
            pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "wide"}, "rewrite", 0);
            pg_rewrite_draw(wide, PG_PUBLIC, all_parts, &rng, rewrite);
            OK(pg_model_rewrite(wide, rewrite, stolen, &err));
            OK(pg_align(t.owner.model, stolen, NULL, 0, &t.alignment, &err));
            const double off = difference(t.owner.model, t.alignment.model);
            if (!(off < 1e-3) || !(t.alignment.similarity > 0.999) || !(t.alignment.rival < 0.7))
                fail_msg("%s, %s: tensors off by %g, similarity %g, rival %g", archs[a], pg_norm_kind_name((pg_norm_kind)norm),
                         off, t.alignment.similarity, t.alignment.rival);
            pg_rewrite_destroy(&rewrite);
            pg_model_destroy(&wide);
            pg_model_destroy(&stolen);
            end(&t);
        }
}

/* Make the second half of every layer's filters disguised copies of the first half: a cosine of about 0.98. */
static void disguise(const pg_model *model, pg_model *wide)
{
    for (int i = 0; i < wide->layer_count - 1; i++) {
        const pg_filters g = pg_layer_filters(&wide->layers[i]);
        const int ours = model->layers[i].out_channels;
        pg_real *w = wide->params + wide->layers[i].weight;
        for (int k = 0; wide->layers[i].weight >= 0 && k < g.taps * g.inputs * g.outputs; k++)
            if (k % g.outputs >= ours) w[k] = (pg_real)((double)w[k - ours] * (1 + 0.3 * noise(i, k, 1, 2)));
    }
}

/* A thief adds a copy of every filter that no layer reads. */
TEST(copies_of_every_filter_do_not_hide_the_original)
{
    theft t;
    pg_model *wide = NULL;
    pg_net_spec spec = wide_spec("alexnet", PG_NORM_BN, "plain");
    steal(&t, &spec, 0.1);
    spec.width *= 2;
    OK(pg_model_create(&spec, &wide, &err));
    widen(t.owner.model, wide, plan_unread);
    disguise(t.owner.model, wide);
    assert_true(logits_differ(&t, wide) < 1e-3);
    OK(pg_align(t.owner.model, wide, NULL, 0, &t.alignment, &err));
    assert_true(t.alignment.similarity > 0.999 && t.alignment.rival < 0.5);
    pg_model_destroy(&wide);
    end(&t);
}
