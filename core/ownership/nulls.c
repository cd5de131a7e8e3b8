/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Null evidence; see nulls.h. */
#include "core/ownership/nulls.h"

#include "core/base/memory.h"
#include "core/ownership/mark.h"

#include <gsl/gsl_statistics.h>
#include <stddef.h>
#include <string.h>

/* ---- signs ---- */

pg_status pg_mark_signs(const pg_mark *mark, const pg_model *model, int8_t *signs, pg_error *err)
{
    double projected[PG_MARK_BITS_MAX];
    const pg_layer *layer = NULL;
    const pg_status status = pg_mark_layer(mark, model, &layer, err);
    if (status != PG_OK) return status;
    pg_mark_project(mark, model, layer, projected);
    for (int i = 0; i < mark->bits; i++) signs[i] = (int8_t)((projected[i] > 0) - (projected[i] < 0));
    return PG_OK;
}

static void keep_signs(const pg_net *net, const pg_evidence *evidence, int8_t *signs)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_real *gamma = pg_net_gamma(net, i);
        for (int o = 0; o < evidence->passports[i].outputs; o++) *signs++ = (int8_t)((gamma[o] > 0) - (gamma[o] < 0));
    }
}

int pg_signs_agree(const pg_evidence *evidence, const int8_t *signs)
{
    int agree = 0;
    if (pg_evidence_claim(evidence) == PG_CLAIM_MARK)
        for (int i = 0; i < evidence->mark.bits; i++) agree += evidence->mark.b[i] == signs[i];
    for (int l = 0; l < evidence->passport_count; l++)
        for (int o = 0; o < evidence->passports[l].outputs; o++) agree += evidence->passports[l].b[o] == *signs++;
    return agree;
}

/* ---- drawing ---- */

static pg_passport_kind kind_of(const pg_evidence *evidence)
{
    for (int i = 0; pg_passport_kinds[i]; i++)
        if (strcmp(pg_passport_kinds[i], evidence->kind) == 0) return (pg_passport_kind)i;
    return PG_PASSPORT_SHUFFLE;
}

static pg_mark_kind mark_kind_of(const pg_evidence *evidence)
{
    for (int i = 0; pg_mark_kinds[i]; i++)
        if (strcmp(pg_mark_kinds[i], evidence->kind) == 0) return (pg_mark_kind)i;
    return PG_MARK_GAUSSIAN;
}

static void open_stream(pg_rng *rng, uint64_t seed, int i)
{
    pg_rng_open(rng, (pg_seed){.grid = seed, .task = "judge"}, "null evidence", (uint64_t)i);
}

static pg_status draw_marks(const pg_model *model, uint64_t seed, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < out->count; i++) {
        pg_rng rng;
        open_stream(&rng, seed, i);
        PG_TRY(pg_mark_draw(&out->like->mark, mark_kind_of(out->like), &rng, err));
        PG_TRY(pg_mark_signs(&out->like->mark, model, out->signs + (ptrdiff_t)i * out->bits, err));
    }
done:
    return status;
}

static pg_status draw_passports(pg_model *model, const pg_passport_source *source, uint64_t seed, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    pg_passport_maker *maker = NULL;
    PG_TRY(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_passport_maker_create(source, &maker, err));
    for (int i = 0; i < out->count; i++) {
        pg_rng rng;
        open_stream(&rng, seed, i);
        PG_TRY(pg_passports_draw(maker, out->like, &rng, err));
        PG_TRY(pg_passports_install(net, model, out->like, err));
        keep_signs(net, out->like, out->signs + (ptrdiff_t)i * out->bits);
    }
done:
    pg_passport_maker_destroy(&maker);
    pg_net_destroy(&net);
    return status;
}

pg_status pg_nulls_draw(pg_model *model, const pg_evidence *evidence, const pg_evidence *carrier, const pg_dataset *test,
                        pg_pixels pixels, int count, uint64_t seed, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    const bool public = pg_net_spec_deployed(&model->spec) == PG_PUBLIC;
    const pg_passport_source source = {.kind = kind_of(evidence),
                                       .images = test->count < 20 ? test->count : 20,
                                       .carrier = model,
                                       .carrier_branch = public ? PG_PUBLIC : PG_PRIVATE,
                                       .carrier_evidence = public ? NULL : carrier,
                                       .carrier_mode = PG_BATCH,
                                       .pictures = test,
                                       .pixels = pixels};
    *out = (pg_nulls){.count = count, .bits = pg_evidence_bits(evidence)};
    PG_TRY(pg_alloc((size_t)count * (size_t)out->bits, 1, &out->signs, err));
    PG_TRY(pg_evidence_clone(evidence, &out->like, err));
    if (pg_evidence_claim(evidence) == PG_CLAIM_MARK)
        PG_TRY(draw_marks(model, seed, out, err));
    else
        PG_TRY(draw_passports(model, &source, seed, out, err));
done:
    if (status != PG_OK) pg_nulls_clear(out);
    return status;
}

void pg_nulls_clear(pg_nulls *nulls)
{
    pg_free(nulls->signs);
    pg_evidence_destroy(&nulls->like);
    *nulls = (pg_nulls){0};
}

pg_status pg_nulls_agreement(const pg_nulls *nulls, const pg_evidence *evidence, double *mean, double *deviation, pg_error *err)
{
    double *percent = NULL;
    const size_t n = (size_t)nulls->count;
    const pg_status status = pg_alloc(n, sizeof *percent, &percent, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < nulls->count; i++)
        percent[i] = 100.0 * pg_signs_agree(evidence, nulls->signs + (ptrdiff_t)i * nulls->bits) / nulls->bits;
    *mean = gsl_stats_mean(percent, 1, n);
    *deviation = gsl_stats_sd_m(percent, 1, n, *mean);
    pg_free(percent);
    return PG_OK;
}
