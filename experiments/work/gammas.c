/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gammas of passport layers; see gammas.h. */
#include "experiments/work/gammas.h"

#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/ownership/passport.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>

/* Append gamma[n] to values[*count]. */
static void append(const pg_real *gamma, int n, double *values, size_t *count)
{
    for (int o = 0; o < n; o++) values[(*count)++] = (double)gamma[o];
}

static pg_status take_passports(const pg_model *model, const pg_evidence *evidence, double *values, size_t *count,
                                pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    PG_TRY(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_passports_install(net, model, evidence, err));
    for (int i = 0; i < evidence->passport_count; i++)
        append(pg_net_gamma(net, i), evidence->passports[i].outputs, values, count);
done:
    pg_net_destroy(&net);
    return status;
}

static void take_norms(const pg_model *model, double *values, size_t *count)
{
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        const pg_affine *a = &l->affine[PG_PUBLIC];
        if (l->row.kind == PG_ROW_CONV && l->row.passport && a->gamma >= 0)
            append(model->params + a->gamma, l->out_channels, values, count);
    }
}

static pg_status record_bins(const double *sorted, size_t count, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    for (size_t from = 0, to; from < count; from = to) {
        char outcome[16 + PG_NUMBER_MAX], text[PG_NUMBER_MAX];
        const double bin = floor(sorted[from] * PG_GAMMA_BINS);
        for (to = from; to < count && floor(sorted[to] * PG_GAMMA_BINS) <= bin; to++) {
        }
        snprintf(outcome, sizeof outcome, "gamma=%s", pg_number_text((bin + 0.5) / PG_GAMMA_BINS, text));
        PG_TRY(pg_record_add(record, outcome, "gamma_channels", (double)(to - from), "channels", err));
    }
done:
    return status;
}

pg_status pg_gammas_record(const pg_model *model, const pg_evidence *evidence, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    double *values = NULL;
    size_t count = 0, room = 0;
    for (int i = 0; i < model->layer_count; i++) room += (size_t)model->layers[i].out_channels;
    PG_TRY(pg_alloc(room, sizeof *values, &values, err));
    if (!evidence)
        take_norms(model, values, &count);
    else if (evidence->passport_count)
        PG_TRY(take_passports(model, evidence, values, &count, err));
    gsl_sort(values, 1, count);
    PG_TRY(record_bins(values, count, record, err));
done:
    pg_free(values);
    return status;
}
