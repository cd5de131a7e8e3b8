/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verification of evidence against a model. Owners and forgers are judged by the same code.
 *
 * The null of a signature test is not a fair coin: passports made from images push gamma the same way in every passport of
 * their kind. So fresh evidence of the claimant's kind is drawn, with the claimant's signature, and its agreement is the null
 * distribution. The honest p-value is the larger of two: a one-sided Student t prediction tail, (agreement - null mean) / (null
 * deviation sqrt(1 + 1/nulls)) with nulls - 1 degrees of freedom, and the binomial tail at the null's own mean agreement (at
 * least 1/2).
 * A mark is tested in the same way, against projections drawn afresh. A trigger set is tested against guessing: its labels are
 * uniform, so each answer is right with probability 1 / classes whatever the model is.
 * verdict.h decides whether a claim stands. The accuracy with the claimant's evidence is that of the private branch for
 * passports, else that of the model as deployed. */
#ifndef PG_OWNERSHIP_VERIFY_H
#define PG_OWNERSHIP_VERIFY_H

#include "core/ownership/accuracy.h"
#include "core/ownership/nulls.h"
#include "core/ownership/verdict.h"

typedef struct pg_verify_options {
    double level;     /* largest p-value that is significant */
    double tolerance; /* points of accuracy */
    int nulls;        /* fresh evidence drawn for the null distribution; 0: no null, the coin decides */
    int batch;        /* images per evaluation batch */
} pg_verify_options;
extern const pg_option pg_verify_table[];

/* PG_BAD_INPUT if the test images are so few that no network on them can be told from guessing. */
PG_CHECKED pg_status pg_verify_check(const pg_verify_options *options, int classes, int images, pg_error *err);

typedef struct pg_finding {
    pg_claim claim; /* the subject of detection, p_value and the decision */
    pg_accuracy deployed, public_branch, private_branch;
    pg_accuracy trigger[2];  /* trigger accuracy by branch */
    int trigger_count;       /* 0: no triggers, or labels for another number of classes */
    int trigger_agree;       /* triggers that the deployed branch answers as labelled */
    double trigger_p;        /* exact binomial tail of trigger_agree under guessing, 1 / classes */
    int bits;                /* 0: the evidence has no signature and no mark */
    double detection;        /* percent: bits that agree, mean over layers, gamma recomputed from the passport; or triggers */
    double detection_stored; /* percent, from the model's stored scale; NaN if it stores none */
    int agree, agree_stored; /* bits, or triggers for a claim by triggers; agree_stored is -1 if absent */
    double null_probability; /* that one of them agrees by guessing: 1/2 or 1 / classes; NaN: no claim */
    double layer_detection[PG_PASSPORTS_MAX];
    double p_coin; /* exact binomial tail of agree at q = 1/2 */
    int nulls;
    double null_mean, null_deviation; /* percent of bits */
    double p_value;                   /* the honest one; p_coin when nulls is 0; trigger_p for a claim by triggers */
    int threshold;                    /* fewest bits or triggers that are significant against guessing; 0: no claim */
    int enough;            /* fewest that are significant by p_value; one more than their number: not even all suffice */
    double null_threshold; /* percent of bits above which evidence is significant if nulls are normal; NaN without nulls */
    int images, classes;   /* of the test set and the model; images 0: no accuracy was measured */
    double reference;      /* percent: accuracy as deployed, given or measured; NaN: unknown */
    bool useless, significant, decidable, works, stands; /* the parts of the ruling (verdict.h), and whether it is PG_STANDS */
    pg_ruling ruling;
} pg_finding;

/* The inputs of a judge; pg_verify_check accepts the options with the test images. Everything is borrowed and must outlive the
 * judge. */
typedef struct pg_judge_setup {
    const pg_model *model;
    const pg_dataset *test; /* NULL: the judge reads the bits in the model, but measures no accuracy and draws no nulls */
    pg_pixels pixels;
    const pg_verify_options *options;
    uint64_t seed;         /* of the null evidence; tasks use 0 */
    double known_accuracy; /* percent: given accuracy as deployed; 0: use the measured one */
    /* Passports distributed with a model that needs them to run (V1): they tell its accuracy as deployed, and its images go
     * through them when null evidence is made. NULL: none are known. Other models do not need them. */
    const pg_evidence *distributed;
} pg_judge_setup;

/* A judge of claims on one model, who draws null evidence. The judge measures once what all claims share: the accuracy as
 * deployed; null evidence of one kind; and, from the second claim on the same layers, the activations below the first passport.
 * Every finding is bit for bit the same as if the claim were the only one. */
typedef struct pg_judge pg_judge;
PG_CHECKED pg_status pg_judge_create(const pg_judge_setup *setup, pg_judge **out, pg_error *err);
void pg_judge_destroy(pg_judge **judge);

/* evidence NULL: only accuracies. PG_BAD_INPUT if the evidence does not fit the model. */
PG_CHECKED pg_status pg_judge_claim(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err);

/* Judge a single claim. */
PG_CHECKED pg_status pg_verify(const pg_judge_setup *setup, const pg_evidence *evidence, pg_finding *out, pg_error *err);

/* ---- parts of a finding ---- */

/* p-values of a signature or a mark of which finding->agree of finding->bits agree. If nulls is NULL or has fewer than two, a
 * fair coin decides. PG_BAD_INPUT if the nulls have another number of bits. */
PG_CHECKED pg_status pg_finding_weigh(const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *finding, pg_error *err);

/* Thresholds and ruling, from the measurements and finding->reference. */
void pg_finding_decide(pg_finding *finding, const pg_verify_options *options);

/* Accuracy with the claimant's evidence: that of the private branch for passports, else of the model as deployed. */
const pg_accuracy *pg_finding_accuracy(const pg_finding *finding);

/* Bits of the owner's signature that the signs of gamma agree with when these passports are put in the model; or bits of the
 * owner's mark that a forged projection reads. Both evidences claim alike. */
PG_CHECKED pg_status pg_agreement_with(const pg_model *model, const pg_evidence *passports, const pg_evidence *owner,
                                       int *agree, pg_error *err);

#endif
