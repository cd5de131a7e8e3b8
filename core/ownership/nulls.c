/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Null evidence; see nulls.h. */
#include "core/ownership/nulls.h"

#include "core/base/memory.h"
#include "core/ownership/mark.h"

#include <gsl/gsl_statistics.h>
#include <stddef.h>
#include <string.h>

/* ---- drawing ---- */

static void open_stream(pg_rng *rng, uint64_t seed, int i)
{
    pg_rng_open(rng, (pg_seed){.grid = seed, .task = "judge"}, "null evidence", (uint64_t)i);
}

/* Operands of every draw. */
typedef struct drawing {
    pg_reading *reading;
    uint64_t seed;
    pg_nulls *out;
} drawing;

static pg_status draw_marks(const drawing *d, pg_mark_kind kind, int8_t *signs, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *like = d->out->like;
    for (int i = 0; i < d->out->count; i++) {
        pg_rng rng;
        open_stream(&rng, d->seed, i);
        PG_TRY(pg_mark_draw(&like->mark, kind, &rng, err));
        PG_TRY(pg_reading_signs(d->reading, like, signs + (ptrdiff_t)i * d->out->bits, err));
    }
done:
    return status;
}

static pg_status draw_passports(const drawing *d, const pg_passport_source *source, int8_t *signs, pg_error *err)
{
    pg_status status = PG_OK;
    pg_passport_maker *maker = NULL;
    pg_evidence *like = d->out->like;
    PG_TRY(pg_passport_maker_create(source, &maker, err));
    for (int i = 0; i < d->out->count; i++) {
        pg_rng rng;
        open_stream(&rng, d->seed, i);
        PG_TRY(pg_passports_draw(maker, like, &rng, err));
        PG_TRY(pg_reading_signs(d->reading, like, signs + (ptrdiff_t)i * d->out->bits, err));
    }
done:
    pg_passport_maker_destroy(&maker);
    return status;
}

/* Allocate the signs of one more kind. */
static pg_status add_kind(pg_nulls *out, const char *kind, int8_t **signs, pg_error *err)
{
    const int k = out->kinds;
    const pg_status status = pg_alloc((size_t)out->count * (size_t)out->bits, 1, &out->signs[k], err);
    if (status != PG_OK) return status;
    *signs = out->signs[k];
    out->kind[k] = kind;
    out->kinds++;
    return PG_OK;
}

/* Fresh residuals are fresh bits, so a coin is their null exactly, and nothing is drawn. */
static pg_status draw_all_marks(const drawing *d, pg_error *err)
{
    pg_status status = PG_OK;
    for (int k = 0; pg_mark_kinds[k]; k++) {
        int8_t *signs;
        if (k == PG_MARK_RESIDUALS || pg_mark_fits(&d->out->like->mark, (pg_mark_kind)k, NULL) != PG_OK) continue;
        PG_TRY(add_kind(d->out, pg_mark_kinds[k], &signs, err));
        PG_TRY(draw_marks(d, (pg_mark_kind)k, signs, err));
    }
done:
    return status;
}

/* The model as a user without passports runs it. */
static pg_status make_carrier(const pg_model *model, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec spec = pg_net_spec_public(&model->spec);
    PG_TRY(pg_model_create(&spec, out, err));
    pg_model_initialise(*out, (pg_seed){.task = "judge"}, "carrier");
    PG_TRY(pg_model_copy(model, *out, err));
done:
    return status;
}

static pg_status draw_all_passports(const drawing *d, const pg_model *model, const pg_dataset *test, pg_pixels pixels,
                                    pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *carrier = NULL;
    PG_TRY(make_carrier(model, &carrier, err));
    for (int k = 0; pg_passport_kinds[k]; k++) {
        int8_t *signs;
        const pg_passport_source source = {.kind = (pg_passport_kind)k,
                                           .images = test->count < 20 ? test->count : 20,
                                           .carrier = carrier,
                                           .carrier_branch = PG_PUBLIC,
                                           .carrier_mode = PG_BATCH,
                                           .pictures = test,
                                           .pixels = pixels};
        PG_TRY(add_kind(d->out, pg_passport_kinds[k], &signs, err));
        PG_TRY(draw_passports(d, &source, signs, err));
    }
done:
    pg_model_destroy(&carrier);
    return status;
}

pg_status pg_nulls_draw(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels, int count,
                        uint64_t seed, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    drawing d = {.seed = seed, .out = out};
    *out = (pg_nulls){.count = count, .bits = pg_evidence_bits(evidence)};
    PG_TRY(pg_evidence_clone(evidence, &out->like, err));
    PG_TRY(pg_reading_open(model, evidence, &d.reading, err));
    if (evidence->passport_count)
        PG_TRY(draw_all_passports(&d, model, test, pixels, err));
    else
        PG_TRY(draw_all_marks(&d, err));
done:
    pg_reading_close(&d.reading);
    if (status != PG_OK) pg_nulls_clear(out);
    return status;
}

void pg_nulls_clear(pg_nulls *nulls)
{
    for (int k = 0; k < PG_NULL_KINDS_MAX; k++) pg_free(nulls->signs[k]);
    pg_evidence_destroy(&nulls->like);
    *nulls = (pg_nulls){0};
}

pg_status pg_nulls_agreement(const pg_nulls *nulls, const pg_evidence *evidence, pg_null *out, pg_error *err)
{
    double *percent = NULL;
    const size_t n = (size_t)nulls->count;
    const pg_status status = pg_alloc(n, sizeof *percent, &percent, err);
    if (status != PG_OK) return status;
    for (int k = 0; k < nulls->kinds; k++) {
        for (int i = 0; i < nulls->count; i++)
            percent[i] = 100.0 * pg_signs_agree(evidence, nulls->signs[k] + (ptrdiff_t)i * nulls->bits) / nulls->bits;
        out[k] = (pg_null){.kind = nulls->kind[k], .count = nulls->count, .mean = gsl_stats_mean(percent, 1, n)};
        out[k].deviation = gsl_stats_sd_m(percent, 1, n, out[k].mean);
    }
    pg_free(percent);
    return PG_OK;
}

/* ---- rearrangements ---- */

static void swap_bits(int8_t *a, int8_t *b)
{
    const int8_t kept = *a;
    *a = *b;
    *b = kept;
}

static void rearrange_bits(int8_t *b, int count, pg_rng *rng)
{
    for (int i = count - 1; i > 0; i--) swap_bits(&b[i], &b[pg_rng_below(rng, (uint64_t)i + 1)]);
}

/* Put the signature of each layer in random order. */
static void rearrange_signature(pg_evidence *e, pg_rng *rng)
{
    for (int i = 0; i < e->passport_count; i++) rearrange_bits(e->passports[i].b, e->passports[i].outputs, rng);
}

/* Move the values of a placed mark to other places. */
static pg_status rearrange_places(pg_mark *m, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const size_t weights = (size_t)pg_mark_weights(m);
    const pg_status status = pg_alloc(weights, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    pg_rng_permutation(rng, order, weights);
    for (int i = 0; i < m->pooled * m->bits; i++) m->places[i] = (int32_t)order[m->places[i]];
    pg_free(order);
    return PG_OK;
}

/* Put the positions of all filters in one random order. */
static void rearrange_filters(pg_mark *m, pg_rng *rng)
{
    for (int t = pg_mark_width(m) - 1; t > 0; t--) {
        pg_real *a = m->projection + (ptrdiff_t)t * m->bits,
                *b = m->projection + (ptrdiff_t)pg_rng_below(rng, (uint64_t)t + 1) * m->bits;
        for (int i = 0; i < m->bits && a != b; i++) {
            const pg_real kept = a[i];
            a[i] = b[i];
            b[i] = kept;
        }
    }
}

static pg_status rearrange_mark(pg_mark *m, pg_rng *rng, pg_error *err)
{
    if (m->form == PG_FORM_PLACED) return rearrange_places(m, rng, err);
    if (m->form == PG_FORM_RESIDUALS)
        rearrange_bits(m->b, m->bits, rng);
    else
        rearrange_filters(m, rng);
    return PG_OK;
}

pg_status pg_null_rearranged(pg_reading *reading, const pg_evidence *evidence, const int8_t *signs, int count, uint64_t seed,
                             pg_null *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *e = NULL;
    double *percent = NULL;
    int8_t *read = NULL;
    const int bits = pg_evidence_bits(evidence);
    PG_TRY(pg_evidence_clone(evidence, &e, err));
    PG_TRY(pg_alloc((size_t)count, sizeof *percent, &percent, err));
    PG_TRY(pg_alloc((size_t)bits, 1, &read, err));
    memcpy(read, signs, (size_t)bits);
    for (int i = 0; i < count; i++) {
        pg_rng rng;
        pg_rng_open(&rng, (pg_seed){.grid = seed, .task = "judge"}, "rearranged evidence", (uint64_t)i);
        rearrange_signature(e, &rng);
        if (e->mark.bits) {
            PG_TRY(rearrange_mark(&e->mark, &rng, err));
            PG_TRY(pg_reading_signs(reading, e, read, err));
        }
        percent[i] = 100.0 * pg_signs_agree(e, read) / bits;
    }
    *out = (pg_null){.kind = "rearranged", .count = count, .mean = gsl_stats_mean(percent, 1, (size_t)count)};
    out->deviation = gsl_stats_sd_m(percent, 1, (size_t)count, out->mean);
done:
    pg_free(read);
    pg_free(percent);
    pg_evidence_destroy(&e);
    return status;
}
