/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment, one space after the other until nothing changes; see align.h. */
#include "core/base/memory.h"
#include "core/nets/twins.h"
#include "core/ownership/align_internal.h"

#include <math.h>
#include <string.h>

enum { ROUNDS_MAX = 20 };

static pg_status align_rounds(pg_aligner *a, int *rounds, pg_error *err)
{
    pg_status status = PG_OK;
    bool changed = true;
    for (*rounds = 0; changed && *rounds < ROUNDS_MAX; ++*rounds) {
        changed = false;
        for (int s = 0; s < a->given.count; s++) {
            PG_TRY(pg_align_pair(a, s, &changed, err));
            pg_align_read_factors(a, s);
        }
    }
done:
    return status;
}

/* ---- similarity ---- */

static const double copied = 0.7; /* smallest absolute cosine between a filter and a copy of it */

/* Absolute cosine of two filters of the accused layer, which pg_align_cosines has normalised. */
static double likeness(const pg_aligner *a, int layer, int theirs, int f, int g)
{
    const pg_filters s = pg_layer_filters(&a->original->layers[layer]);
    double dot = 0;
    for (int r = 0; r < s.taps * s.inputs; r++)
        dot += (double)a->theirs[(ptrdiff_t)r * theirs + f] * (double)a->theirs[(ptrdiff_t)r * theirs + g];
    return fabs(dot);
}

/* The largest absolute cosine between a filter and another one that is neither its partner nor a surplus copy of its
 * partner. */
static double rival_of(const pg_aligner *a, int layer, const pg_real *cosines, int theirs, int partner)
{
    double most = 0;
    for (int g = 0; g < theirs; g++) {
        const double cosine = fabs((double)cosines[g]);
        if (g == partner || cosine <= most) continue;
        if (a->is_paired[g] || likeness(a, layer, theirs, partner, g) < copied) most = cosine;
    }
    return most;
}

/* Add the sums of a layer to the totals. Returns the layer's number of filters. */
static int measure_layer(pg_aligner *a, int layer, double *similarity, double *rival)
{
    const int space = pg_align_space_of(a, layer, PG_BY_OUTPUT), *from = a->rewrite->from[space];
    const int theirs = a->given.channels[space], count = a->rewrite->spaces.channels[space];
    pg_align_cosines(a, layer, PG_BY_OUTPUT);
    memset(a->is_paired, 0, (size_t)theirs * sizeof *a->is_paired);
    for (int o = 0; o < count; o++) a->is_paired[from[o]] = true;
    for (int o = 0; o < count; o++) {
        const pg_real *cosines = a->cosines + (ptrdiff_t)o * theirs;
        *similarity += copysign(1, a->rewrite->gain[layer][o]) * (double)cosines[from[o]];
        *rival += rival_of(a, layer, cosines, theirs, from[o]);
    }
    return count;
}

static void measure(pg_aligner *a, pg_alignment *out)
{
    double similarity = 0, rival = 0;
    int count = 0;
    for (int i = 0; i < a->original->layer_count; i++) {
        double s = 0, r = 0;
        const bool filters_here = pg_align_makes(a, i, pg_align_space_of(a, i, PG_BY_OUTPUT)) && a->rewrite->gain[i];
        const int filters = filters_here && pg_align_comparable(a, i, PG_BY_OUTPUT) ? measure_layer(a, i, &s, &r) : 0;
        out->layer_similarity[i] = s / filters; /* NaN if there are none */
        out->layer_rival[i] = r / filters;
        similarity += s;
        rival += r;
        count += filters;
    }
    out->similarity = similarity / count;
    out->rival = rival / count;
}

/* ---- the whole ---- */

static pg_status check(const pg_model *original, const pg_model *accused, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec *ours = &original->spec, *theirs = &accused->spec;
    if (!pg_net_spec_alike(ours, theirs) || ours->norm != theirs->norm)
        return pg_fail(err, PG_BAD_INPUT, "%s with %s cannot be aligned to %s with %s", theirs->arch->name,
                       pg_norm_kind_name(theirs->norm), ours->arch->name, pg_norm_kind_name(ours->norm));
    for (int i = 0; i < original->layer_count - 1; i++)
        if (accused->layers[i].out_channels < original->layers[i].out_channels)
            return pg_fail(err, PG_BAD_INPUT, "layer %s has %d channels, fewer than the original's %d",
                           original->layers[i].row.name, accused->layers[i].out_channels, original->layers[i].out_channels);
    PG_TRY(pg_model_check_finite(original, err));
    PG_TRY(pg_model_check_finite(accused, err));
done:
    return status;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static pg_status allocate(pg_aligner *a, pg_error *err)
{
    pg_status status = PG_OK;
    size_t weights[2] = {0}, channels[2] = {0};
    for (int i = 0; i < a->original->layer_count; i++) {
        const pg_layer *ours = &a->original->layers[i], *theirs = &a->accused->layers[i];
        if (ours->weight < 0) continue;
        const size_t taps = (size_t)pg_layer_filters(ours).taps;
        weights[0] = larger(weights[0], taps * (size_t)ours->depth * (size_t)ours->out_channels);
        weights[1] = larger(weights[1], taps * larger((size_t)ours->depth * (size_t)theirs->out_channels,
                                                      (size_t)theirs->depth * (size_t)ours->out_channels));
    }
    for (int s = 0; s < a->given.count; s++) {
        channels[0] = larger(channels[0], (size_t)a->rewrite->spaces.channels[s]);
        channels[1] = larger(channels[1], (size_t)a->given.channels[s]);
    }
    const size_t pairs = channels[0] * channels[1], blocks = pairs / PG_NORM_GROUP / PG_NORM_GROUP;
    double **const vectors[] = {&a->our_factor,   &a->their_factor, &a->dot,      &a->our_square,
                                &a->their_square, &a->log_sum,      &a->log_count};
    PG_TRY(pg_alloc(weights[0], sizeof *a->ours, &a->ours, err));
    PG_TRY(pg_alloc(weights[1], sizeof *a->theirs, &a->theirs, err));
    PG_TRY(pg_alloc(pairs, sizeof *a->cosines, &a->cosines, err));
    PG_TRY(pg_alloc(pairs, sizeof *a->score, &a->score, err));
    PG_TRY(pg_alloc(blocks, sizeof *a->block_score, &a->block_score, err));
    PG_TRY(pg_alloc(blocks * PG_NORM_GROUP, sizeof *a->inside, &a->inside, err));
    PG_TRY(pg_alloc(channels[0], sizeof *a->block_from, &a->block_from, err));
    PG_TRY(pg_alloc(channels[0], sizeof *a->before, &a->before, err));
    PG_TRY(pg_alloc(channels[1], sizeof *a->is_paired, &a->is_paired, err));
    for (int i = 0; i < 7; i++) PG_TRY(pg_alloc(channels[1], sizeof **vectors[i], vectors[i], err));
done:
    return status;
}

static void release(pg_aligner *a)
{
    void *const blocks[] = {a->ours,         a->theirs,       a->cosines, a->score,    a->block_score, a->is_paired,
                            a->inside,       a->block_from,   a->before,  a->dot,      a->our_factor,  a->our_square,
                            a->their_factor, a->their_square, a->log_sum, a->log_count};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) pg_free(blocks[i]);
    pg_correlations_destroy(&a->activations);
}

/* Activations can be compared if the images fit both networks and neither network needs passports to run. */
static bool both_run(const pg_net_spec *ours, const pg_net_spec *theirs)
{
    return ours->image_height == theirs->image_height && ours->image_width == theirs->image_width &&
           pg_net_spec_deployed(ours) == PG_PUBLIC && pg_net_spec_deployed(theirs) == PG_PUBLIC;
}

/* The network to align. If it has surplus channels, its twins are merged, so that the surplus can be dropped. */
static pg_status without_twins(const pg_model *original, const pg_model *accused, pg_model **merged, pg_error *err)
{
    pg_status status = PG_OK;
    bool surplus = false;
    for (int i = 0; i < original->layer_count - 1; i++)
        surplus |= accused->layers[i].out_channels > original->layers[i].out_channels;
    if (!surplus) return PG_OK;
    PG_TRY(pg_model_clone(accused, merged, err));
    PG_TRY(pg_model_merge_twins(*merged, err));
done:
    return status;
}

static pg_status align(pg_aligner *a, const pg_real *images, int count, pg_alignment *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec made = a->accused->spec;
    made.arch = a->original->spec.arch;
    made.width = a->original->spec.width;
    PG_TRY(pg_model_create(&made, &out->model, err));
    PG_TRY(pg_rewrite_create(&out->model->layout, &out->rewrite, err));
    a->rewrite = out->rewrite;
    pg_spaces_find(&a->accused->layout, &a->given);
    PG_TRY(allocate(a, err));
    if (images && both_run(&a->original->spec, &a->accused->spec))
        PG_TRY(pg_correlations_measure(a->original, a->accused, images, count, &a->activations, err));
    PG_TRY(align_rounds(a, &out->rounds, err));
    measure(a, out);
    PG_TRY(pg_model_rewrite(a->accused, out->rewrite, out->model, err));
done:
    return status;
}

pg_status pg_align(const pg_model *original, const pg_model *accused, const pg_real *images, int count, pg_alignment *out,
                   pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *merged = NULL;
    pg_aligner a = {.original = original, .deployed = pg_net_spec_deployed(&accused->spec)};
    *out = (pg_alignment){0};
    PG_TRY(check(original, accused, err));
    PG_TRY(without_twins(original, accused, &merged, err));
    a.accused = merged ? merged : accused;
    PG_TRY(align(&a, images, count, out, err));
done:
    release(&a);
    pg_model_destroy(&merged);
    return status;
}

double pg_similarity_needed(double rival)
{
    return (1 + rival) / 2;
}

bool pg_alignment_derives(const pg_alignment *alignment)
{
    return alignment->similarity >= pg_similarity_needed(alignment->rival);
}

void pg_alignment_clear(pg_alignment *alignment)
{
    pg_model_destroy(&alignment->model);
    pg_rewrite_destroy(&alignment->rewrite);
}
