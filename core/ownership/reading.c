/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading evidence in a model; see reading.h. */
#include "core/ownership/reading.h"

#include "core/base/memory.h"
#include "core/ownership/mark.h"

struct pg_reading {
    const pg_model *model;
    pg_model *shown; /* with the passport layers; NULL for a mark */
    pg_net *net;
};

static pg_status show(pg_reading *reading, const pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec spec;
    PG_TRY(pg_evidence_fit(evidence, &reading->model->spec, &spec, err));
    PG_TRY(pg_model_create(&spec, &reading->shown, err));
    PG_TRY(pg_model_copy(reading->model, reading->shown, err));
    PG_TRY(pg_net_create(&spec, 1, false, PG_CONV_AUTO, &reading->net, err));
done:
    return status;
}

pg_status pg_reading_open(const pg_model *model, const pg_evidence *like, pg_reading **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_reading *reading = NULL;
    PG_TRY(pg_alloc(1, sizeof *reading, &reading, err));
    reading->model = model;
    if (like->passport_count) PG_TRY(show(reading, like, err));
    *out = reading;
    reading = NULL;
done:
    pg_reading_close(&reading);
    return status;
}

void pg_reading_close(pg_reading **reading)
{
    if (!*reading) return;
    pg_net_destroy(&(*reading)->net);
    pg_model_destroy(&(*reading)->shown);
    pg_free(*reading);
    *reading = NULL;
}

pg_model *pg_reading_model(pg_reading *reading)
{
    return reading->shown;
}

static void signs_of_gamma(const pg_net *net, const pg_evidence *evidence, int8_t *signs)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_real *gamma = pg_net_gamma(net, i);
        for (int o = 0; o < evidence->passports[i].outputs; o++) *signs++ = (int8_t)((gamma[o] > 0) - (gamma[o] < 0));
    }
}

static pg_status signs_of_mark(const pg_mark *mark, const pg_model *model, int8_t *signs, pg_error *err)
{
    double projected[PG_MARK_BITS_MAX];
    const pg_status status = pg_mark_fit(mark, model, err);
    if (status != PG_OK) return status;
    pg_mark_project(mark, model, projected);
    for (int i = 0; i < mark->bits; i++) signs[i] = (int8_t)((projected[i] > 0) - (projected[i] < 0));
    return PG_OK;
}

pg_status pg_reading_signs(pg_reading *reading, const pg_evidence *evidence, int8_t *signs, pg_error *err)
{
    if (!reading->net) return signs_of_mark(&evidence->mark, reading->model, signs, err);
    const pg_status status = pg_passports_install(reading->net, reading->shown, evidence, err);
    if (status == PG_OK) signs_of_gamma(reading->net, evidence, signs);
    return status;
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

pg_status pg_agreement_with(const pg_model *model, const pg_evidence *evidence, const pg_evidence *owner, int *agree,
                            pg_error *err)
{
    pg_status status = PG_OK;
    pg_reading *reading = NULL;
    int8_t *signs = NULL;
    *agree = 0;
    if (pg_evidence_bits(evidence) != pg_evidence_bits(owner))
        return pg_fail(err, PG_BAD_INPUT, "the evidence has %d bits, the other evidence %d", pg_evidence_bits(evidence),
                       pg_evidence_bits(owner));
    PG_TRY(pg_alloc((size_t)pg_evidence_bits(evidence), 1, &signs, err));
    PG_TRY(pg_reading_open(model, evidence, &reading, err));
    PG_TRY(pg_reading_signs(reading, evidence, signs, err));
    *agree = pg_signs_agree(owner, signs);
done:
    pg_reading_close(&reading);
    pg_free(signs);
    return status;
}
