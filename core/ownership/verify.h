/* Verification: what evidence proves about a model. The same code for an owner and a forger.
 *
 * The null of a signature test is not a fair coin: passports made from images push gamma the same way in every passport of
 * their kind. So fresh evidence of the claimant's kind is drawn, with the claimant's signature, and its agreement is the null
 * distribution. The honest p-value is the larger of two: a one-sided Student t prediction tail, (agreement - null mean) / (null
 * deviation sqrt(1 + 1/nulls)) with nulls - 1 degrees of freedom, and the binomial tail at the null's own mean agreement (at
 * least 1/2).
 * A mark is tested in the same way, against projections drawn afresh. A trigger set is tested against guessing: its labels are
 * uniform, so each answer is right with probability 1 / classes whatever the model is.
 * A claim stands when the honest p-value is at most the level and the model works with the claimant's evidence: its accuracy,
 * that of the private branch for passports, is within `tolerance` points of the accuracy of the model as deployed. */
#ifndef PG_OWNERSHIP_VERIFY_H
#define PG_OWNERSHIP_VERIFY_H

#include "core/ownership/accuracy.h"

typedef struct pg_verify_options {
    double level;     /* largest p-value that is significant */
    double tolerance; /* points of accuracy */
    int nulls;        /* fresh evidence drawn for the null distribution; 0: no null, the coin decides */
    int batch;        /* images per evaluation batch */
} pg_verify_options;
extern const pg_option pg_verify_table[];

typedef struct pg_finding {
    pg_claim claim; /* what detection, p_value and the decision are about */
    pg_accuracy deployed, public_branch, private_branch;
    pg_accuracy trigger[2];  /* trigger accuracy by branch */
    int trigger_count;       /* 0: no triggers, or they are labelled for another number of classes */
    int trigger_agree;       /* that the deployed branch answers as they are labelled */
    double trigger_p;        /* exact binomial tail of trigger_agree under guessing, 1 / classes */
    int bits;                /* 0: the evidence has no signature and no mark */
    double detection;        /* percent: bits that agree, mean over layers, gamma recomputed from the passport; or triggers */
    double detection_stored; /* percent, from the model's stored scale; NaN where it stores none */
    int agree, agree_stored; /* bits, or triggers for a claim by triggers; agree_stored is -1 where absent */
    double null_probability; /* that one of them agrees by guessing: 1/2 or 1 / classes; NaN: no claim */
    double layer_detection[PG_PASSPORTS_MAX];
    double p_coin; /* exact binomial tail of agree at q = 1/2 */
    int nulls;
    double null_mean, null_deviation; /* percent of bits */
    double p_value;                   /* the honest one; p_coin when nulls is 0; trigger_p for a claim by triggers */
    int threshold;                    /* fewest bits or triggers that are significant against guessing; 0: no claim */
    double null_threshold; /* percent of bits above which evidence is significant if nulls are normal; NaN without nulls */
    bool significant, works, stands; /* stands = significant and works */
} pg_finding;

/* Null evidence: the signs of gamma that fresh passports of one kind give in one model, or of what fresh projections read,
 * [count][bits]. Drawn once, it serves every claim of that kind, layers and model. */
typedef struct pg_nulls {
    int count, bits;
    int8_t *signs;
} pg_nulls;

/* Draw count passports or projections as the evidence's were made; images go through the model itself (its public branch, or,
 * where it has none, its private one under this evidence). seed drives the draws. */
PG_CHECKED pg_status pg_nulls_draw(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels,
                                   int count, pg_seed seed, pg_nulls *out, pg_error *err);
void pg_nulls_clear(pg_nulls *nulls);

/* P[X >= k] for X binomial (n, q), and the smallest k at which it is at most level (n + 1: none). */
double pg_binomial_tail(int k, int n, double q);
int pg_binomial_threshold(int n, double q, double level);

/* Verify evidence against a model on a test set. Evidence of triggers alone leaves bits 0. evidence NULL: accuracies only.
 * test NULL: no accuracies, so that nothing stands; what the evidence reads in the model is all.
 * nulls: drawn before for this kind and model; NULL: no null distribution, the coin decides.
 * reference: accuracy of the model as deployed, which for a model that needs a passport to run (V1) only the caller can know;
 * NaN: the accuracy measured here. */
PG_CHECKED pg_status pg_verify(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels,
                               const pg_verify_options *options, double reference, const pg_nulls *nulls, pg_finding *out,
                               pg_error *err);

/* A judge before whom many claims on one model are brought: what does not depend on the claimant's passports is measured once
 * (accuracy of the public branch, activations below the first passport). Findings are those of pg_verify, bit for bit.
 * layers: any evidence; the claims' passports must be for the same layers. test is borrowed, model is copied. */
typedef struct pg_judge pg_judge;
PG_CHECKED pg_status pg_judge_create(const pg_model *model, const pg_evidence *layers, const pg_dataset *test, pg_pixels pixels,
                                     const pg_verify_options *options, pg_judge **out, pg_error *err);
void pg_judge_destroy(pg_judge **judge);
PG_CHECKED pg_status pg_judge_claim(pg_judge *judge, const pg_evidence *evidence, double reference, const pg_nulls *nulls,
                                    pg_finding *out, pg_error *err);

/* Accuracy with the claimant's evidence: that of the private branch for passports, else of the model as deployed. */
const pg_accuracy *pg_finding_accuracy(const pg_finding *finding);

/* Decide whether the claim stands, given the accuracy of the model as deployed; pg_verify does it with its own reference. */
void pg_finding_decide(pg_finding *finding, const pg_verify_options *options, double reference);

/* Bits of the owner's signature that the signs of gamma agree with when these passports are put in the model; or bits of the
 * owner's mark that a forged projection reads. Both evidences claim alike. */
PG_CHECKED pg_status pg_agreement_with(const pg_model *model, const pg_evidence *passports, const pg_evidence *owner,
                                       int *agree, pg_error *err);

#endif
