/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading evidence in a model, and the judge; see verify.h. */
#include "core/ownership/verify_internal.h"

#include "core/base/memory.h"
#include "core/ownership/distinct.h"
#include "core/ownership/mark.h"
#include "core/ownership/permutation.h"
#include "core/ownership/scheme.h"

#include <math.h>
#include <stddef.h>

/* ---- signature, mark ---- */

static int agreement(int count, const int8_t *b, const int8_t *signs)
{
    int agree = 0;
    for (int i = 0; i < count; i++) agree += b[i] == signs[i];
    return agree;
}

/* Agreement by layer; a mark is not counted by layer. */
static void count_layers(const pg_evidence *evidence, const int8_t *signs, pg_finding *out)
{
    double sum = 0;
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_passport *p = &evidence->passports[i];
        out->layer_detection[i] = 100.0 * agreement(p->outputs, p->b, signs) / p->outputs;
        sum += out->layer_detection[i];
        signs += p->outputs;
    }
    if (evidence->mark.bits) sum = out->layer_detection[0] = 100.0 * out->agree / out->bits;
    out->detection = sum / (evidence->passport_count ? evidence->passport_count : 1);
}

static void stored_agreement(const pg_model *model, const pg_evidence *evidence, pg_finding *out)
{
    double sum = 0;
    int agree = 0;
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_passport *p = &evidence->passports[i];
        const pg_affine *a = &pg_model_passport_layer(model, i)->affine[PG_PUBLIC];
        if (a->gamma < 0) return;
        int in_layer = 0;
        for (int o = 0; o < p->outputs; o++) in_layer += p->b[o] * model->params[a->gamma + o] > 0;
        agree += in_layer;
        sum += 100.0 * in_layer / p->outputs;
    }
    out->agree_stored = agree;
    out->detection_stored = sum / evidence->passport_count;
}

/* Free evidence is held against itself in other orders too, if nulls are drawn. */
static pg_status read_bits(const pg_judge_setup *s, pg_reading *reading, const pg_evidence *evidence, pg_finding *out,
                           pg_error *err)
{
    pg_status status = PG_OK;
    int8_t *signs = NULL;
    PG_TRY(pg_alloc((size_t)out->bits, 1, &signs, err));
    PG_TRY(pg_reading_signs(reading, evidence, signs, err));
    out->agree = pg_signs_agree(evidence, signs);
    count_layers(evidence, signs, out);
    if (evidence->passport_count) stored_agreement(pg_reading_model(reading), evidence, out);
    if (!out->bound && s->test && s->options->nulls >= 2)
        PG_TRY(pg_null_rearranged(s->model, evidence, signs, s->options->nulls, s->seed, &out->rearranged, err));
done:
    pg_free(signs);
    return status;
}

/* ---- triggers ---- */

enum { PERMUTATIONS_MAX = 1000000 };

/* Fewest random orders that can give a p-value of the level. */
static int orders_for(double level)
{
    return (int)fmin(ceil(1 / level), PERMUTATIONS_MAX) - 1;
}

/* Find the branch's answers to the triggers; their accuracy goes to out->trigger[branch]. */
static pg_status answer(const pg_judge_setup *s, pg_model *model, pg_branch branch, const pg_evidence *passports,
                        const pg_dataset *triggers, int32_t *answers, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_dataset filtered = {0};
    if (s->filter && branch == pg_net_spec_deployed(&model->spec)) {
        PG_TRY(pg_filter_images(s->filter, triggers, &filtered, err));
        triggers = &filtered;
    }
    PG_TRY(pg_measure_answers(model, branch, branch == PG_PRIVATE ? passports : NULL, triggers, s->pixels, s->options->batch,
                              &out->trigger[branch], answers, err));
done:
    pg_dataset_clear(&filtered);
    return status;
}

static pg_status weigh_triggers(const pg_judge_setup *s, const pg_dataset *triggers, const int32_t *answers, pg_finding *out,
                                pg_error *err)
{
    const int n = triggers->count;
    pg_status status = PG_OK;
    out->trigger_agree = 0;
    for (int i = 0; i < n; i++) out->trigger_agree += answers[i] == triggers->labels[i];
    out->trigger_p = pg_binomial_tail(out->trigger_agree, n, pg_finding_guess(out));
    if (!out->bound) {
        status = pg_permuted_labels(n, answers, triggers->labels, orders_for(s->options->level / 10), s->seed, &out->permuted_p,
                                    err);
        out->trigger_p = fmax(out->trigger_p, out->permuted_p);
    }
    if (out->claim != PG_CLAIM_TRIGGERS) return status;
    out->agree = out->trigger_agree;
    out->detection = 100.0 * out->trigger_agree / n;
    out->p_value = out->trigger_p;
    return status;
}

/* passports: those under which a private branch runs; NULL: unknown. Ignores triggers with labels for another number of
 * classes, and all triggers if the network cannot run because its passports are unknown. */
static pg_status read_triggers(const pg_judge_setup *s, pg_model *model, const pg_evidence *passports,
                               const pg_dataset *triggers, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    int32_t *answers = NULL;
    const pg_branch deployed = pg_net_spec_deployed(&model->spec);
    if (triggers->count == 0 || triggers->classes != model->spec.classes || (deployed == PG_PRIVATE && !passports))
        return PG_OK;
    out->trigger_count = triggers->count;
    PG_TRY(pg_alloc((size_t)triggers->count, sizeof *answers, &answers, err));
    if (deployed == PG_PUBLIC && model->spec.private_affine && passports)
        PG_TRY(answer(s, model, PG_PRIVATE, passports, triggers, answers, out, err));
    PG_TRY(answer(s, model, deployed, passports, triggers, answers, out, err));
    PG_TRY(weigh_triggers(s, triggers, answers, out, err));
done:
    pg_free(answers);
    return status;
}

/* ---- the judge ---- */

enum { TRUNK_BYTES = 1 << 29 };

struct pg_judge {
    pg_judge_setup setup;
    pg_dataset filtered; /* the test images as the deployed network sees them; empty without a filter */
    pg_model *model;     /* a copy, because running a model changes it */
    pg_finding deployed; /* the same for all claims */
    pg_reading *reading; /* with the passport layers of the last claim by passports */
    pg_trunk *trunk;
    int tried; /* claims on those layers */
    pg_nulls nulls;
};

/* The judge's model with the evidence's layers as passport layers. */
static pg_model *shown(const pg_judge *judge)
{
    return pg_reading_model(judge->reading);
}

/* Prepare the model for these passports, or reuse the model of the last claim if that has the same layers. */
static pg_status show(pg_judge *judge, const pg_evidence *evidence, pg_error *err)
{
    pg_net_spec spec;
    const pg_status status = pg_evidence_fit(evidence, &judge->model->spec, &spec, err);
    if (status != PG_OK || (judge->reading && shown(judge)->spec.passports == spec.passports)) return status;
    pg_trunk_destroy(&judge->trunk);
    pg_reading_close(&judge->reading);
    pg_nulls_clear(&judge->nulls);
    judge->tried = 0;
    return pg_reading_open(judge->model, evidence, &judge->reading, err);
}

static pg_status measure(pg_judge *judge, pg_model *model, const pg_evidence *evidence, const pg_dataset *images,
                         pg_accuracy *out, pg_error *err)
{
    const pg_judge_setup *s = &judge->setup;
    return pg_measure_accuracy(model, evidence ? PG_PRIVATE : PG_PUBLIC, evidence, images, s->pixels, s->options->batch, out,
                               err);
}

static pg_status measure_deployed(pg_judge *judge, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding *f = &judge->deployed;
    const pg_judge_setup *s = &judge->setup;
    const pg_dataset *images = s->filter ? &judge->filtered : s->test;
    f->images = s->test->count;
    if (s->filter) PG_TRY(pg_filter_images(s->filter, s->test, &judge->filtered, err));
    if (pg_net_spec_deployed(&judge->model->spec) == PG_PUBLIC) {
        if (s->public_branch)
            f->public_branch = *s->public_branch;
        else
            PG_TRY(measure(judge, judge->model, NULL, images, &f->public_branch, err));
        f->deployed = f->public_branch;
    } else if (s->distributed) {
        PG_TRY(show(judge, s->distributed, err));
        PG_TRY(measure(judge, shown(judge), s->distributed, images, &f->deployed, err));
    }
    if (!f->deployed.present && s->known_accuracy > 0)
        f->deployed = (pg_accuracy){.present = true, .exact = s->known_accuracy, .batch_mean = s->known_accuracy};
    if (f->deployed.present) f->reference = s->known_accuracy > 0 ? s->known_accuracy : f->deployed.exact;
done:
    return status;
}

pg_status pg_judge_create(const pg_judge_setup *setup, pg_judge **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge *judge = NULL;
    PG_TRY(pg_alloc(1, sizeof *judge, &judge, err));
    judge->setup = *setup;
    judge->deployed = (pg_finding){.detection_stored = NAN,
                                   .agree_stored = -1,
                                   .null_probability = NAN,
                                   .null_threshold = NAN,
                                   .reference = NAN,
                                   .classes = setup->model->spec.classes,
                                   .ruling = PG_NO_EVIDENCE};
    PG_TRY(pg_model_clone(setup->model, &judge->model, err));
    if (setup->test) PG_TRY(measure_deployed(judge, err));
    *out = judge;
    judge = NULL;
done:
    pg_judge_destroy(&judge);
    return status;
}

const pg_judge_setup *pg_judge_setup_of(const pg_judge *judge)
{
    return &judge->setup;
}

void pg_judge_destroy(pg_judge **judge)
{
    if (!*judge) return;
    pg_nulls_clear(&(*judge)->nulls);
    pg_dataset_clear(&(*judge)->filtered);
    pg_trunk_destroy(&(*judge)->trunk);
    pg_reading_close(&(*judge)->reading);
    pg_model_destroy(&(*judge)->model);
    pg_free(*judge);
    *judge = NULL;
}

/* Accuracy of the branch that the passports open. From the second claim on the same layers it pays to keep activations. */
static pg_status measure_private(pg_judge *judge, const pg_evidence *evidence, pg_accuracy *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_judge_setup *s = &judge->setup;
    if (evidence == s->distributed && pg_net_spec_deployed(&judge->model->spec) == PG_PRIVATE) {
        *out = judge->deployed.deployed;
        return PG_OK;
    }
    if (judge->tried++ == 0) return measure(judge, shown(judge), evidence, s->test, out, err);
    if (!judge->trunk)
        PG_TRY(pg_trunk_create(shown(judge), s->test, s->pixels, s->options->batch, TRUNK_BYTES, &judge->trunk, err));
    PG_TRY(pg_trunk_accuracy(judge->trunk, evidence, out, err));
done:
    return status;
}

/* Draw null evidence for a claim by free evidence, or reuse that of the previous claim if its evidence has the same form. */
static pg_status draw_nulls(pg_judge *judge, const pg_model *model, const pg_evidence *evidence, pg_error *err)
{
    const pg_judge_setup *s = &judge->setup;
    if (judge->nulls.count && pg_evidence_alike(judge->nulls.like, evidence)) return PG_OK;
    pg_nulls_clear(&judge->nulls);
    if (!s->test || s->options->nulls < 2) return PG_OK;
    return pg_nulls_draw(model, evidence, s->test, s->pixels, s->options->nulls, s->seed, &judge->nulls, err);
}

/* A free mark that the nulls call significant must also agree better than in as many other orders as the level asks for. */
static pg_status try_orders(const pg_judge *judge, const pg_evidence *mark, pg_finding *out, pg_error *err)
{
    const pg_judge_setup *s = &judge->setup;
    const double each = s->options->level / (1 + out->two_looks);
    double p = 1;
    if (!out->rearranged.count || out->claim != PG_CLAIM_MARK || out->p_value > s->options->level) return PG_OK;
    const pg_status status = pg_null_orders(judge->model, mark, out->agree, orders_for(each), s->seed, &p, err);
    if (status == PG_OK) pg_finding_order(out, p);
    return status;
}

static pg_status read_bits_of(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    pg_reading *mark = NULL;
    if (evidence->passport_count) return read_bits(&judge->setup, judge->reading, evidence, out, err);
    pg_status status = pg_reading_open(judge->model, evidence, &mark, err);
    if (status == PG_OK) status = read_bits(&judge->setup, mark, evidence, out, err);
    pg_reading_close(&mark);
    return status;
}

/* counted: the evidence without the pieces that do not count; it has all passports. */
static pg_status read_claim(pg_judge *judge, const pg_evidence *counted, const pg_evidence *evidence, pg_finding *out,
                            pg_error *err)
{
    pg_status status = PG_OK;
    const pg_judge_setup *s = &judge->setup;
    pg_model *model = judge->model;
    out->claim = pg_evidence_claim(evidence); /* of all that was shown */
    out->bits = pg_evidence_bits(counted);
    if (evidence->passport_count) {
        PG_TRY(show(judge, evidence, err));
        if (s->test) PG_TRY(measure_private(judge, evidence, &out->private_branch, err));
        model = shown(judge);
    }
    if (out->bits) {
        PG_TRY(read_bits_of(judge, counted, out, err));
        if (!out->bound) PG_TRY(draw_nulls(judge, model, counted, err));
        PG_TRY(pg_finding_weigh(counted, out->bound ? NULL : &judge->nulls, out, err));
        PG_TRY(try_orders(judge, counted, out, err));
    }
    const pg_evidence *others = pg_net_spec_deployed(&model->spec) == PG_PRIVATE ? s->distributed : NULL;
    PG_TRY(read_triggers(s, model, evidence->passport_count ? evidence : others, &counted->triggers, out, err));
    if (!out->bound) goto done;
    out->proof_bits = pg_finding_proof(out, s);
    out->enough_to_prove = pg_finding_enough(out, s);
done:
    return status;
}

/* Free evidence is read without the pieces that nearly repeat another. */
static pg_status read_evidence(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *distinct = NULL;
    const pg_scheme *scheme = pg_scheme_find(evidence->scheme);
    out->match = scheme ? scheme->match : 0;
    out->bound = evidence->binding.bound;
    out->seed_refused = evidence->binding.from_seed && !judge->setup.seeds_prove;
    if (evidence->mark.bits) PG_TRY(pg_mark_fit(&evidence->mark, judge->model, err));
    if (!out->bound) PG_TRY(pg_evidence_distinct(evidence, judge->setup.test, &distinct, &out->repeated, err));
    PG_TRY(read_claim(judge, distinct ? distinct : evidence, evidence, out, err));
done:
    pg_evidence_destroy(&distinct);
    return status;
}

static pg_status judge_claim(pg_judge *judge, const pg_evidence *evidence, bool two_looks, pg_finding *out, pg_error *err)
{
    *out = judge->deployed;
    out->two_looks = two_looks;
    const pg_status status = evidence ? read_evidence(judge, evidence, out, err) : PG_OK;
    if (status == PG_OK) pg_finding_decide(out, judge->setup.options);
    return status;
}

pg_status pg_judge_claim(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    return judge_claim(judge, evidence, false, out, err);
}

pg_status pg_judge_claim_twice(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    return judge_claim(judge, evidence, true, out, err);
}

pg_status pg_verify(const pg_judge_setup *setup, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge *judge = NULL;
    PG_TRY(pg_judge_create(setup, &judge, err));
    PG_TRY(pg_judge_claim(judge, evidence, out, err));
done:
    pg_judge_destroy(&judge);
    return status;
}
