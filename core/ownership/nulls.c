/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Null evidence; see nulls.h. */
#include "core/ownership/nulls.h"

#include "core/base/memory.h"
#include "core/nets/rewrite.h"
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

static void open_order(pg_rng *rng, uint64_t seed, int i)
{
    pg_rng_open(rng, (pg_seed){.grid = seed, .task = "judge"}, "rearranged evidence", (uint64_t)i);
}

static void swap_bits(int8_t *a, int8_t *b)
{
    const int8_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Put the signature of each layer in random order. */
static void rearrange_signature(pg_evidence *e, pg_rng *rng)
{
    for (int i = 0; i < e->passport_count; i++) {
        pg_passport *p = &e->passports[i];
        for (int o = p->outputs - 1; o > 0; o--) swap_bits(&p->b[o], &p->b[pg_rng_below(rng, (uint64_t)o + 1)]);
    }
}

/* A mark, read in the network with the channels of every space in random orders, one after the other. */
typedef struct orders {
    const pg_evidence *mark;
    uint64_t seed;
    pg_rewrite *order;
    pg_model *other;
    pg_reading *as_is, *reordered;
    int8_t *signs;
} orders;

static pg_status open_orders(const pg_model *model, const pg_evidence *mark, uint64_t seed, orders *out, pg_error *err)
{
    pg_status status = PG_OK;
    *out = (orders){.mark = mark, .seed = seed};
    PG_TRY(pg_alloc((size_t)mark->mark.bits, 1, &out->signs, err));
    PG_TRY(pg_rewrite_create(&model->layout, &out->order, err));
    PG_TRY(pg_model_clone(model, &out->other, err));
    PG_TRY(pg_reading_open(model, mark, &out->as_is, err));
    PG_TRY(pg_reading_open(out->other, mark, &out->reordered, err));
done:
    return status;
}

static void close_orders(orders *o)
{
    pg_reading_close(&o->reordered);
    pg_reading_close(&o->as_is);
    pg_model_destroy(&o->other);
    pg_rewrite_destroy(&o->order);
    pg_free(o->signs);
}

/* Number of bits that agree in the i-th order; orders are read in turn from 0. */
static pg_status read_order(orders *o, int i, int *agree, pg_error *err)
{
    pg_rng rng;
    open_order(&rng, o->seed, i);
    pg_rewrite_draw(o->other, PG_PUBLIC, PG_REWRITE_PERMUTE, &rng, o->order);
    pg_reading_reorder(o->as_is, &o->mark->mark, o->order, o->other, o->reordered);
    const pg_status status = pg_reading_signs(o->reordered, o->mark, o->signs, err);
    if (status == PG_OK) *agree = pg_signs_agree(o->mark, o->signs);
    return status;
}

static pg_status count_reordered(const pg_model *model, const pg_evidence *mark, int count, uint64_t seed, double *percent,
                                 pg_error *err)
{
    pg_status status = PG_OK;
    orders o;
    int agree = 0;
    PG_TRY(open_orders(model, mark, seed, &o, err));
    for (int i = 0; i < count; i++) {
        PG_TRY(read_order(&o, i, &agree, err));
        percent[i] = 100.0 * agree / mark->mark.bits;
    }
done:
    close_orders(&o);
    return status;
}

pg_status pg_null_orders(const pg_model *model, const pg_evidence *mark, int agree, int most, uint64_t seed, double *p_value,
                         pg_error *err)
{
    pg_status status = PG_OK;
    orders o;
    int n = 0, in_order = -1;
    PG_TRY(open_orders(model, mark, seed, &o, err));
    while (n < most && in_order < agree) PG_TRY(read_order(&o, n++, &in_order, err));
    *p_value = 1.0 / (in_order < agree ? most + 1 : n);
done:
    close_orders(&o);
    return status;
}

static pg_status count_rearranged(const pg_evidence *passports, const int8_t *signs, int count, uint64_t seed, double *percent,
                                  pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *e = NULL;
    PG_TRY(pg_evidence_clone(passports, &e, err));
    for (int i = 0; i < count; i++) {
        pg_rng rng;
        open_order(&rng, seed, i);
        rearrange_signature(e, &rng);
        percent[i] = 100.0 * pg_signs_agree(e, signs) / pg_evidence_bits(e);
    }
done:
    pg_evidence_destroy(&e);
    return status;
}

pg_status pg_null_rearranged(const pg_model *model, const pg_evidence *evidence, const int8_t *signs, int count, uint64_t seed,
                             pg_null *out, pg_error *err)
{
    pg_status status = PG_OK;
    double *percent = NULL;
    const size_t n = (size_t)count;
    PG_TRY(pg_alloc(n, sizeof *percent, &percent, err));
    PG_TRY(evidence->mark.bits ? count_reordered(model, evidence, count, seed, percent, err)
                               : count_rearranged(evidence, signs, count, seed, percent, err));
    *out = (pg_null){.kind = "rearranged", .count = count, .mean = gsl_stats_mean(percent, 1, n)};
    out->deviation = gsl_stats_sd_m(percent, 1, n, out->mean);
done:
    pg_free(percent);
    return status;
}
