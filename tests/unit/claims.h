/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Claims of ownership: the smallest AlexNet, evidence, and gammas that a test chooses. */
#ifndef PG_TESTS_CLAIMS_H
#define PG_TESTS_CLAIMS_H

#include "core/ownership/verify.h"
#include "tests/unit/subject.h"

enum { BITS = 64, PASSPORTS = 3, WIDEST = 32 }; /* of the small AlexNet: 32 + 16 + 16 */

static pg_data data;
static pg_dataset few; /* a few test images, for tests that need no more */
static pg_verify_options judge;

SET_UP
{
    pg_compute_start(1);
    data = test_data(32, 40);
    OK(pg_dataset_subset(&data.test, 4, &few, &err));
    OK(pg_options_defaults(pg_verify_table, &judge, &err));
    judge.nulls = 0;
}

TEAR_DOWN
{
    pg_data_clear(&data);
    pg_dataset_clear(&few);
}

static inline void assert_close(double a, double b, double relative)
{
    if (!(fabs(a - b) <= relative * fabs(b))) fail_msg("%.17g is not %.17g", a, b);
}

static inline int key_size(const pg_passport *p)
{
    return p->height * p->width * p->inputs;
}

/* Change the model so that its passports give these gammas, in the order of the signature. The weight at the largest window
 * mean of a passport carries the gamma; all other weights become zero. */
static inline void impose_gammas(pg_model *model, const pg_evidence *evidence, const double *gamma)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(model, i);
        const int window = l->row.kernel * l->row.kernel * l->in_channels, outputs = l->out_channels;
        pg_real *means = NULL, *w = model->params + l->weight;
        int top = 0;
        OK(pg_alloc((size_t)window, sizeof *means, &means, &err));
        pg_passport_means(l, evidence->passports[i].skey, means);
        for (int j = 1; j < window; j++) top = fabs((double)means[j]) > fabs((double)means[top]) ? j : top;
        memset(w, 0, (size_t)window * (size_t)outputs * sizeof *w);
        for (int o = 0; o < outputs; o++) w[top * outputs + o] = (pg_real)(*gamma++ / (double)means[top]);
        pg_free(means);
    }
}

/* Let the first `agree` bits of each layer agree with the signature, and the other bits disagree. */
static inline void impose_agreement(pg_model *model, const pg_evidence *evidence, const int *agree)
{
    double gamma[1024], *next = gamma;
    for (int i = 0; i < evidence->passport_count; i++)
        for (int o = 0; o < evidence->passports[i].outputs; o++)
            *next++ = 0.3 * evidence->passports[i].b[o] * (o < agree[i] ? 1 : -1);
    impose_gammas(model, evidence, gamma);
}

/* Let `agree` bits agree in all, counted from the first layer on. */
static inline void impose_total(pg_model *model, const pg_evidence *evidence, int agree)
{
    int each[PASSPORTS];
    for (int i = 0; i < PASSPORTS; i++) {
        const int outputs = evidence->passports[i].outputs;
        each[i] = agree < outputs ? agree : outputs;
        agree -= each[i];
    }
    impose_agreement(model, evidence, each);
}

/* A hearing in which the claimant's own passports are those distributed with the model. */
static inline pg_judge_setup hearing(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test)
{
    return (pg_judge_setup){.model = model, .test = test, .options = &judge, .distributed = evidence};
}

static inline pg_finding verify(const pg_model *model, const pg_evidence *evidence, const pg_nulls *nulls)
{
    pg_finding f;
    const pg_judge_setup setup = hearing(model, evidence, &few);
    OK(pg_verify(&setup, evidence, &f, &err));
    if (nulls) {
        OK(pg_finding_weigh(evidence, nulls, &f, &err));
        pg_finding_decide(&f, &judge);
    }
    return f;
}

static inline void commitment_of(const pg_evidence *evidence, char hex[PG_SHA256_HEX])
{
    pg_evidence_commitment(evidence, hex);
    assert_int_equal(strlen(hex), PG_SHA256_HEX - 1);
}

#endif
