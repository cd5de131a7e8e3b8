/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verification of evidence against a model. Owners and forgers are judged by the same code.
 *
 * Bound evidence (binding.h) follows from a secret, so the number of bits that agree is binomial at 1/2 on any network that was
 * not marked with it, and that of trigger labels binomial at 1 / classes. Its proof is -log2 of that tail, less what was chosen
 * beside the secret: passports and triggers of one file are two looks (one bit), and so is every further file that is shown.
 * Free evidence has no such guarantee. The null of its signature is not a fair coin: passports made from images push gamma the
 * same way in every passport of their kind. So fresh evidence of every kind that has its form is drawn (nulls.h), with the
 * claimant's signature, and the honest p-value is the largest over the kinds. For each kind it is the larger of two: a
 * one-sided Student t prediction tail, (agreement - null mean) / (null deviation sqrt(1 + 1/nulls)) with nulls - 1 degrees of
 * freedom, and the binomial tail at the null's own mean agreement (at least 1/2). Marks are tested in the same way against
 * projections drawn afresh. Both are also held against themselves in other orders (pg_null_rearranged), and a mark that is
 * significant so far against as many orders as the level asks for (pg_null_orders). Free trigger labels are held against
 * guessing and against their own order (permutation.h). Pieces of free evidence that nearly repeat another count once
 * (distinct.h). verdict.h decides. The accuracy with the claimant's evidence is that of the private branch for passports, else
 * that of the model as deployed. */
#ifndef PG_OWNERSHIP_VERIFY_H
#define PG_OWNERSHIP_VERIFY_H

#include "core/ownership/accuracy.h"
#include "core/ownership/nulls.h"
#include "core/ownership/reading.h"
#include "core/ownership/verdict.h"

typedef struct pg_verify_options {
    double level;     /* largest p-value that is significant */
    double tolerance; /* points of accuracy */
    int nulls;        /* fresh evidence drawn for the null distribution; 0: no null, the coin decides */
    int batch;        /* images per evaluation batch */
    double proof;     /* fewest bits of proof */
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
    double trigger_p;        /* binomial tail of trigger_agree at 1 / classes; of free triggers, no less than permuted_p */
    double permuted_p;       /* of free triggers: the permutation test of their labels */
    int repeated;            /* pieces of free evidence that do not count because they nearly repeat another */
    int bits;                /* 0: the evidence has no signature and no mark */
    double detection;        /* percent: bits that agree, mean over layers, gamma recomputed from the passport; or triggers */
    double detection_stored; /* percent, from the model's stored scale; NaN if it stores none */
    int agree, agree_stored; /* bits, or triggers for a claim by triggers; agree_stored is -1 if absent */
    double match;            /* of the scheme that the evidence names (scheme.h) */
    double
        null_probability; /* that one of them agrees by guessing: 1/2, or the larger of 1 / classes and match; NaN: no claim */
    double layer_detection[PG_PASSPORTS_MAX];
    double p_coin;      /* exact binomial tail of agree at q = 1/2 */
    pg_null rearranged; /* of free evidence: agreement with itself in other orders; count 0: not measured */
    double order_p;     /* of a free mark that the nulls call significant: by pg_null_orders; 0: not measured */
    int null_kinds;     /* with the rearranged one, which is the last */
    pg_null null[PG_NULL_KINDS_MAX];
    int nulls;                        /* drawn of each kind; 0: a coin decides */
    const char *null_kind;            /* the kind with the largest p-value, which decides; NULL: none */
    double null_mean, null_deviation; /* its agreement, percent of bits */
    double p_value;                   /* the honest one; p_coin when nulls is 0; trigger_p for a claim by triggers */
    bool bound;                       /* the evidence is */
    bool seed_refused;                /* its secret follows from a grid's seed, which this judge does not accept */
    bool unstamped;        /* read through an original without a stamp that is older than the network, so it proves nothing */
    bool two_looks;        /* the evidence is read in two ways, which p_value and proof_bits pay for */
    double proof_bits;     /* of bound evidence; 0 for free evidence */
    int enough_to_prove;   /* fewest bits or triggers of bound evidence that prove; one more: not even all do */
    int threshold;         /* fewest bits or triggers that are significant against guessing; 0: no claim */
    int enough;            /* fewest that are significant by p_value; one more than their number: not even all suffice */
    double null_threshold; /* percent of bits above which evidence is significant if nulls are normal; NaN without nulls */
    int images, classes;   /* of the test set and the model; images 0: no accuracy was measured */
    double reference;      /* percent: accuracy as deployed, given or measured; NaN: unknown */
    bool proves, useless, significant, decidable, works; /* the parts of the ruling (verdict.h) */
    bool agrees;                                         /* what published schemes call verification, proved or not */
    pg_ruling ruling;
} pg_finding;

/* The inputs of a judge; pg_verify_check accepts the options with the test images. Everything is borrowed and must outlive the
 * judge. */
typedef struct pg_judge_setup {
    const pg_model *model;
    const pg_dataset *test; /* NULL: the judge reads the bits in the model, but measures no accuracy and draws no nulls */
    pg_pixels pixels;
    const pg_verify_options *options;
    uint64_t seed;                    /* of the null evidence; tasks use 0 */
    double known_accuracy;            /* percent: given accuracy as deployed; 0: use the measured one */
    const pg_accuracy *public_branch; /* its accuracy, measured on a network of the same function; NULL: measure it */
    /* Passports distributed with a model that needs them to run (V1): they tell its accuracy as deployed. NULL: none are
     * known. Other models do not need them. */
    const pg_evidence *distributed;
    const pg_filter *filter; /* through which the deployed network is asked; NULL: none. What the judge reads in the weights,
                                and a branch that only passports open, do not pass it */
    int shown;               /* pieces of evidence shown to this judge, under whatever names; at least 1 */
    bool seeds_prove;        /* accept secrets that follow from a grid's seed, as experiments do */
} pg_judge_setup;

/* A judge of claims on one model, who draws null evidence. The judge measures once what all claims share: the accuracy as
 * deployed; null evidence of one kind; and, from the second claim on the same layers, the activations below the first passport.
 * Every finding is bit for bit the same as if the claim were the only one. */
typedef struct pg_judge pg_judge;
PG_CHECKED pg_status pg_judge_create(const pg_judge_setup *setup, pg_judge **out, pg_error *err);
void pg_judge_destroy(pg_judge **judge);

/* evidence NULL: only accuracies. Bound evidence must follow from its secret (pg_binding_check), as what is read from a file
 * does. PG_BAD_INPUT if the evidence does not fit the model. */
PG_CHECKED pg_status pg_judge_claim(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err);

/* The same for evidence that is read in two ways, of which the better one counts: the p-value doubles, and the proof loses one
 * bit. */
PG_CHECKED pg_status pg_judge_claim_twice(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err);

/* The inputs with which the judge was made. */
const pg_judge_setup *pg_judge_setup_of(const pg_judge *judge);

/* Judge a single claim. */
PG_CHECKED pg_status pg_verify(const pg_judge_setup *setup, const pg_evidence *evidence, pg_finding *out, pg_error *err);

/* ---- parts of a finding ---- */

/* p-values of a signature or a mark of which finding->agree of finding->bits agree. If nulls is NULL or has fewer than two, a
 * fair coin decides. PG_BAD_INPUT if the nulls have another number of bits. */
PG_CHECKED pg_status pg_finding_weigh(const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *finding, pg_error *err);

/* Let the p-value of pg_null_orders decide, which is the largest if the nulls call the mark significant. */
void pg_finding_order(pg_finding *finding, double order_p);

/* Thresholds and ruling, from the measurements and finding->reference. */
void pg_finding_decide(pg_finding *finding, const pg_verify_options *options);

/* Accuracy with the claimant's evidence: that of the private branch for passports, else of the model as deployed. */
const pg_accuracy *pg_finding_accuracy(const pg_finding *finding);

#endif
