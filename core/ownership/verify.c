/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verification; see verify.h. */
#include "core/ownership/verify.h"

#include "core/base/memory.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stddef.h>

const pg_option pg_verify_table[] = {
    PG_REAL(pg_verify_options, level, "1e-3", PG_ABOVE_ZERO, 0.5, NULL,
            "largest p-value at which a signature counts as significant"),
    PG_REAL(pg_verify_options, tolerance, "5", 0, 100, "points",
            "how far the claimant's accuracy may lie below the deployed one"),
    PG_INT(pg_verify_options, nulls, "50", 0, 10000, NULL,
           "fresh passports of the claimant's kind drawn for the null distribution (0 or at least 2)"),
    PG_INT(pg_verify_options, batch, "128", 1, 10000, NULL, "images per evaluation batch"),
    {0},
};

pg_status pg_verify_check(const pg_verify_options *options, int classes, int images, pg_error *err)
{
    const int needed = pg_images_needed(classes, options->level);
    if (images >= needed) return PG_OK;
    return pg_fail(
        err, PG_BAD_INPUT,
        "%d test image%s cannot show that a network is better than guessing: %d classes and level %g need at least %d", images,
        images == 1 ? "" : "s", classes, options->level, needed);
}

/* ---- signature ---- */

/* Bits of b that agree with the signs of gamma; zero agrees with neither. */
static int agreement(const pg_passport *p, const pg_real *gamma)
{
    int agree = 0;
    for (int o = 0; o < p->outputs; o++) agree += p->b[o] > 0 ? gamma[o] > 0 : gamma[o] < 0;
    return agree;
}

/* Agreement of the signature with the gamma that these passports give in the model. */
static pg_status passport_agreement(pg_net *net, const pg_model *model, const pg_evidence *evidence, int *total, double *layers,
                                    pg_error *err)
{
    const pg_status status = pg_passports_install(net, model, evidence, err);
    if (status != PG_OK) return status;
    *total = 0;
    for (int i = 0; i < evidence->passport_count; i++) {
        const int agree = agreement(&evidence->passports[i], pg_net_gamma(net, i));
        *total += agree;
        if (layers) layers[i] = 100.0 * agree / evidence->passports[i].outputs;
    }
    return PG_OK;
}

static void stored_agreement(const pg_model *model, const pg_evidence *evidence, pg_finding *out)
{
    double sum = 0;
    out->agree_stored = 0;
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_affine *a = &pg_model_passport_layer(model, i)->affine[PG_PUBLIC];
        if (a->gamma < 0) {
            out->agree_stored = -1;
            out->detection_stored = NAN;
            return;
        }
        const int agree = agreement(&evidence->passports[i], model->params + a->gamma);
        out->agree_stored += agree;
        sum += 100.0 * agree / evidence->passports[i].outputs;
    }
    out->detection_stored = sum / evidence->passport_count;
}

/* The model in a net that has the evidence's layers as passport layers. */
static pg_status show_in(const pg_model *model, const pg_evidence *evidence, pg_model **shown, pg_error *err)
{
    pg_net_spec spec;
    pg_status status = pg_evidence_fit(evidence, &model->spec, &spec, err);
    if (status == PG_OK) status = pg_model_create(&spec, shown, err);
    return status == PG_OK ? pg_model_copy(model, *shown, err) : status;
}

/* ---- p-values ---- */

/* Of so many agreeing bits. */
static double p_value(const pg_finding *f, int agree)
{
    if (f->nulls == 0) return pg_binomial_tail(agree, f->bits, 0.5);
    const double percent = 100.0 * agree / f->bits, spread = f->null_deviation * sqrt(1 + 1.0 / f->nulls);
    const double t = spread > 0 ? (percent - f->null_mean) / spread : percent > f->null_mean ? INFINITY : 0;
    const double student = isinf(t) ? 0 : gsl_cdf_tdist_Q(t, f->nulls - 1);
    const double q = fmin(fmax(f->null_mean / 100, 0.5), 1);
    return fmax(student, pg_binomial_tail(agree, f->bits, q));
}

pg_status pg_finding_weigh(const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *finding, pg_error *err)
{
    pg_status status = PG_OK;
    if (nulls && nulls->count >= 2) {
        if (nulls->bits != finding->bits)
            return pg_fail(err, PG_BAD_INPUT, "null evidence of %d bits for a signature of %d", nulls->bits, finding->bits);
        PG_TRY(pg_nulls_agreement(nulls, evidence, &finding->null_mean, &finding->null_deviation, err));
        finding->nulls = nulls->count;
    }
    finding->p_coin = pg_binomial_tail(finding->agree, finding->bits, 0.5);
    finding->p_value = p_value(finding, finding->agree);
done:
    return status;
}

/* ---- signature, mark ---- */

static pg_status read_signature(const pg_model *model, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    double sum = 0;
    PG_TRY(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, err));
    PG_TRY(passport_agreement(net, model, evidence, &out->agree, out->layer_detection, err));
    for (int i = 0; i < evidence->passport_count; i++) sum += out->layer_detection[i];
    out->detection = sum / evidence->passport_count;
    stored_agreement(model, evidence, out);
done:
    pg_net_destroy(&net);
    return status;
}

static pg_status read_mark(const pg_model *model, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    int8_t signs[PG_MARK_BITS_MAX];
    const pg_status status = pg_mark_signs(&evidence->mark, model, signs, err);
    if (status != PG_OK) return status;
    out->agree = pg_signs_agree(evidence, signs);
    out->detection = out->layer_detection[0] = 100.0 * out->agree / out->bits;
    return PG_OK;
}

static pg_status mark_agreement_with(const pg_model *model, const pg_evidence *forged, const pg_evidence *owner, int *agree,
                                     pg_error *err)
{
    int8_t signs[PG_MARK_BITS_MAX] = {0};
    const pg_status status = pg_mark_signs(&forged->mark, model, signs, err);
    if (status == PG_OK) *agree = pg_signs_agree(owner, signs);
    return status;
}

pg_status pg_agreement_with(const pg_model *model, const pg_evidence *passports, const pg_evidence *owner, int *agree,
                            pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *shown = NULL;
    pg_net *net = NULL;
    *agree = 0;
    if (pg_evidence_claim(owner) == PG_CLAIM_MARK) return mark_agreement_with(model, passports, owner, agree, err);
    PG_TRY(show_in(model, passports, &shown, err));
    PG_TRY(pg_net_create(&shown->spec, 1, false, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_passports_install(net, shown, passports, err));
    for (int i = 0; i < owner->passport_count && i < shown->passport_count; i++)
        *agree += agreement(&owner->passports[i], pg_net_gamma(net, i));
done:
    pg_net_destroy(&net);
    pg_model_destroy(&shown);
    return status;
}

/* ---- triggers ---- */

/* passports: those under which a private branch runs; NULL: unknown. Ignores triggers with labels for another number of
 * classes, and all triggers if the network cannot run because its passports are unknown. */
static pg_status read_triggers(pg_model *model, const pg_evidence *passports, const pg_dataset *triggers, pg_pixels pixels,
                               int batch, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_branch deployed = pg_net_spec_deployed(&model->spec);
    if (triggers->count == 0 || triggers->classes != model->spec.classes || (deployed == PG_PRIVATE && !passports))
        return PG_OK;
    out->trigger_count = triggers->count;
    if (deployed == PG_PUBLIC)
        PG_TRY(pg_measure_accuracy(model, PG_PUBLIC, NULL, triggers, pixels, batch, &out->trigger[PG_PUBLIC], err));
    if (model->spec.private_affine && passports)
        PG_TRY(pg_measure_accuracy(model, PG_PRIVATE, passports, triggers, pixels, batch, &out->trigger[PG_PRIVATE], err));
    const double share = out->trigger[deployed].exact / 100;
    out->trigger_agree = (int)lround(share * triggers->count);
    out->trigger_p = pg_binomial_tail(out->trigger_agree, triggers->count, 1.0 / model->spec.classes);
    if (out->claim != PG_CLAIM_TRIGGERS) goto done;
    out->agree = out->trigger_agree;
    out->detection = 100 * share;
    out->p_value = out->trigger_p;
done:
    return status;
}

/* ---- the decision ---- */

const pg_accuracy *pg_finding_accuracy(const pg_finding *finding)
{
    return finding->claim == PG_CLAIM_PASSPORTS ? &finding->private_branch : &finding->deployed;
}

/* Better than guessing, and nearly as well as deployed. */
static bool works(const pg_finding *f, const pg_verify_options *options)
{
    const pg_accuracy *a = pg_finding_accuracy(f);
    return a->present && pg_at_least(a->exact, f->reference - options->tolerance) &&
           pg_beats_guessing(a->exact, f->images, f->classes, options->level);
}

static void find_thresholds(pg_finding *f, int n, double level)
{
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    f->null_probability = triggers ? 1.0 / f->classes : 0.5;
    f->threshold = f->enough = pg_binomial_threshold(n, f->null_probability, level);
    if (!f->nulls) return;
    f->null_threshold = f->null_mean + gsl_cdf_ugaussian_Qinv(level) * f->null_deviation;
    while (f->enough <= n && p_value(f, f->enough) > level) f->enough++;
}

void pg_finding_decide(pg_finding *finding, const pg_verify_options *options)
{
    const double level = options->level;
    const int n = finding->claim == PG_CLAIM_TRIGGERS ? finding->trigger_count : finding->bits;
    if (n) find_thresholds(finding, n, level);
    finding->decidable = !isnan(finding->reference);
    finding->useless = finding->decidable && !pg_beats_guessing(finding->reference, finding->images, finding->classes, level);
    finding->significant = n && finding->p_value <= level;
    finding->works = works(finding, options);
    finding->ruling = n ? pg_rule(finding->useless, finding->significant, finding->decidable, finding->works) : PG_NO_EVIDENCE;
    finding->stands = finding->ruling == PG_STANDS;
}

/* ---- the judge ---- */

enum { TRUNK_BYTES = 1 << 29 };

struct pg_judge {
    pg_judge_setup setup;
    pg_model *model;     /* a copy, because running a model changes it */
    pg_finding deployed; /* the part that no claim changes */
    pg_model *shown;     /* the model with the passport layers of the last claim by passports */
    pg_trunk *trunk;
    int tried; /* claims on those layers */
    pg_nulls nulls;
};

/* The judge's model with the evidence's layers as passport layers; reuses that of the last claim if its layers are the same. */
static pg_status show(pg_judge *judge, const pg_evidence *evidence, pg_error *err)
{
    pg_net_spec spec;
    const pg_status status = pg_evidence_fit(evidence, &judge->model->spec, &spec, err);
    if (status != PG_OK || (judge->shown && judge->shown->spec.passports == spec.passports)) return status;
    pg_trunk_destroy(&judge->trunk);
    pg_model_destroy(&judge->shown);
    pg_nulls_clear(&judge->nulls);
    judge->tried = 0;
    return show_in(judge->model, evidence, &judge->shown, err);
}

static pg_status measure(pg_judge *judge, pg_model *model, const pg_evidence *evidence, pg_accuracy *out, pg_error *err)
{
    const pg_judge_setup *s = &judge->setup;
    return pg_measure_accuracy(model, evidence ? PG_PRIVATE : PG_PUBLIC, evidence, s->test, s->pixels, s->options->batch, out,
                               err);
}

static pg_status measure_deployed(pg_judge *judge, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding *f = &judge->deployed;
    const pg_judge_setup *s = &judge->setup;
    f->images = s->test->count;
    if (pg_net_spec_deployed(&judge->model->spec) == PG_PUBLIC) {
        PG_TRY(measure(judge, judge->model, NULL, &f->public_branch, err));
        f->deployed = f->public_branch;
    } else if (s->distributed) {
        PG_TRY(show(judge, s->distributed, err));
        PG_TRY(measure(judge, judge->shown, s->distributed, &f->deployed, err));
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

void pg_judge_destroy(pg_judge **judge)
{
    if (!*judge) return;
    pg_nulls_clear(&(*judge)->nulls);
    pg_trunk_destroy(&(*judge)->trunk);
    pg_model_destroy(&(*judge)->shown);
    pg_model_destroy(&(*judge)->model);
    pg_free(*judge);
    *judge = NULL;
}

/* Accuracy of the branch that the passports open. Keeping activations pays from the second claim on the same layers. */
static pg_status measure_private(pg_judge *judge, const pg_evidence *evidence, pg_accuracy *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_judge_setup *s = &judge->setup;
    if (evidence == s->distributed && pg_net_spec_deployed(&judge->model->spec) == PG_PRIVATE) {
        *out = judge->deployed.deployed;
        return PG_OK;
    }
    if (judge->tried++ == 0) return measure(judge, judge->shown, evidence, out, err);
    if (!judge->trunk)
        PG_TRY(pg_trunk_create(judge->shown, s->test, s->pixels, s->options->batch, TRUNK_BYTES, &judge->trunk, err));
    PG_TRY(pg_trunk_accuracy(judge->trunk, evidence, out, err));
done:
    return status;
}

/* Null evidence for a claim. That of the claim before serves a claim that is alike, unless images went through the claimant's
 * own passports. */
static pg_status draw_nulls(pg_judge *judge, pg_model *model, const pg_evidence *evidence, pg_error *err)
{
    const pg_judge_setup *s = &judge->setup;
    const bool own = pg_net_spec_deployed(&model->spec) == PG_PRIVATE && !s->distributed;
    if (judge->nulls.count && !own && pg_evidence_alike(judge->nulls.like, evidence)) return PG_OK;
    pg_nulls_clear(&judge->nulls);
    if (!s->test || s->options->nulls < 2) return PG_OK;
    return pg_nulls_draw(model, evidence, own ? evidence : s->distributed, s->test, s->pixels, s->options->nulls, s->seed,
                         &judge->nulls, err);
}

static pg_status read_passports(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(show(judge, evidence, err));
    if (judge->setup.test) PG_TRY(measure_private(judge, evidence, &out->private_branch, err));
    PG_TRY(read_signature(judge->shown, evidence, out, err));
done:
    return status;
}

static pg_status read_claim(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    out->claim = pg_evidence_claim(evidence);
    out->bits = pg_evidence_bits(evidence);
    if (evidence->passport_count) PG_TRY(read_passports(judge, evidence, out, err));
    if (out->claim == PG_CLAIM_MARK) PG_TRY(read_mark(judge->model, evidence, out, err));
    pg_model *model = evidence->passport_count ? judge->shown : judge->model;
    if (out->bits) {
        PG_TRY(draw_nulls(judge, model, evidence, err));
        PG_TRY(pg_finding_weigh(evidence, &judge->nulls, out, err));
    }
    const pg_judge_setup *s = &judge->setup;
    const pg_evidence *others = pg_net_spec_deployed(&model->spec) == PG_PRIVATE ? s->distributed : NULL,
                      *passports = evidence->passport_count ? evidence : others;
    PG_TRY(read_triggers(model, passports, &evidence->triggers, s->pixels, s->options->batch, out, err));
done:
    return status;
}

pg_status pg_judge_claim(pg_judge *judge, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    *out = judge->deployed;
    const pg_status status = evidence ? read_claim(judge, evidence, out, err) : PG_OK;
    if (status == PG_OK) pg_finding_decide(out, judge->setup.options);
    return status;
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
