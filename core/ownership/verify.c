/* Verification; see verify.h. */
#include "core/ownership/verify.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/ownership/mark.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define AT(member) .offset = offsetof(pg_verify_options, member)
const pg_option pg_verify_table[] = {
    {.key = "level",
     .type = PG_OPT_REAL,
     AT(level),
     .fallback = "1e-3",
     .low = PG_ABOVE_ZERO,
     .high = 0.5,
     .help = "largest p-value at which a signature counts as significant"},
    {.key = "tolerance",
     .type = PG_OPT_REAL,
     AT(tolerance),
     .fallback = "5",
     .low = 0,
     .high = 100,
     .unit = "points",
     .help = "how far the claimant's accuracy may lie below the deployed one"},
    {.key = "nulls",
     .type = PG_OPT_INT,
     AT(nulls),
     .fallback = "50",
     .low = 0,
     .high = 10000,
     .help = "fresh passports of the claimant's kind drawn for the null distribution (0 or at least 2)"},
    {.key = "batch",
     .type = PG_OPT_INT,
     AT(batch),
     .fallback = "128",
     .low = 1,
     .high = 10000,
     .help = "images per evaluation batch"},
    {0},
};

/* ---- signature ---- */

/* Bits of b that agree with the signs of gamma; zero agrees with neither. */
static int agreement(const pg_passport *p, const pg_real *gamma)
{
    int agree = 0;
    for (int o = 0; o < p->outputs; o++) agree += p->b[o] > 0 ? gamma[o] > 0 : gamma[o] < 0;
    return agree;
}

/* Agreement of the signature with what these passports give in the model. */
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

/* Signs of what a mark's projection reads in the model. */
static pg_status mark_signs(const pg_mark *mark, const pg_model *model, int8_t *signs, pg_error *err)
{
    double projected[PG_MARK_BITS_MAX];
    const pg_layer *layer = NULL;
    const pg_status status = pg_mark_layer(mark, model, &layer, err);
    if (status != PG_OK) return status;
    pg_mark_project(mark, model, layer, projected);
    for (int i = 0; i < mark->bits; i++) signs[i] = (int8_t)((projected[i] > 0) - (projected[i] < 0));
    return PG_OK;
}

/* Bits of the evidence's signature or mark that equal these signs. */
static int signs_agree(const pg_evidence *evidence, const int8_t *signs)
{
    int agree = 0;
    if (pg_evidence_claim(evidence) == PG_CLAIM_MARK)
        for (int i = 0; i < evidence->mark.bits; i++) agree += evidence->mark.b[i] == signs[i];
    for (int l = 0; l < evidence->passport_count; l++)
        for (int o = 0; o < evidence->passports[l].outputs; o++) agree += evidence->passports[l].b[o] == *signs++;
    return agree;
}

double pg_binomial_tail(int k, int n, double q)
{
    return k <= 0 ? 1 : gsl_cdf_binomial_Q((unsigned)(k - 1), q, (unsigned)n);
}

int pg_binomial_threshold(int n, double q, double level)
{
    int k = 0;
    while (k <= n && pg_binomial_tail(k, n, q) > level) k++;
    return k;
}

/* ---- nulls ---- */

static pg_passport_kind kind_of(const pg_evidence *evidence)
{
    for (int i = 0; pg_passport_kinds[i]; i++)
        if (strcmp(pg_passport_kinds[i], evidence->kind) == 0) return (pg_passport_kind)i;
    return PG_PASSPORT_SHUFFLE; /* unknown ways of making passports are held to the strictest null */
}

static pg_mark_kind mark_kind_of(const pg_evidence *evidence)
{
    for (int i = 0; pg_mark_kinds[i]; i++)
        if (strcmp(pg_mark_kinds[i], evidence->kind) == 0) return (pg_mark_kind)i;
    return PG_MARK_GAUSSIAN;
}

/* What fresh projections of the mark's kind read. */
static pg_status draw_mark_signs(const pg_model *model, const pg_evidence *evidence, pg_seed seed, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *fresh = NULL;
    PG_TRY(pg_evidence_clone(evidence, &fresh, err));
    for (int i = 0; i < out->count; i++) {
        pg_rng rng;
        pg_rng_open(&rng, seed, "null evidence", (uint64_t)i);
        PG_TRY(pg_mark_draw(&fresh->mark, mark_kind_of(evidence), &rng, err));
        PG_TRY(mark_signs(&fresh->mark, model, out->signs + (ptrdiff_t)i * out->bits, err));
    }
done:
    pg_evidence_destroy(&fresh);
    return status;
}

static void keep_signs(const pg_net *net, const pg_evidence *evidence, int8_t *signs)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_real *gamma = pg_net_gamma(net, i);
        for (int o = 0; o < evidence->passports[i].outputs; o++) *signs++ = (int8_t)((gamma[o] > 0) - (gamma[o] < 0));
    }
}

static pg_status draw_signs(pg_model *model, const pg_evidence *evidence, const pg_passport_source *source, pg_seed seed,
                            pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    pg_evidence *fresh = NULL;
    pg_passport_maker *maker = NULL;
    PG_TRY(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, err));
    PG_TRY(pg_evidence_clone(evidence, &fresh, err));
    PG_TRY(pg_passport_maker_create(source, &maker, err));
    for (int i = 0; i < out->count; i++) {
        pg_rng rng;
        pg_rng_open(&rng, seed, "null evidence", (uint64_t)i);
        PG_TRY(pg_passports_draw(maker, fresh, &rng, err));
        PG_TRY(pg_passports_install(net, model, fresh, err));
        keep_signs(net, fresh, out->signs + (ptrdiff_t)i * out->bits);
    }
done:
    pg_passport_maker_destroy(&maker);
    pg_evidence_destroy(&fresh);
    pg_net_destroy(&net);
    return status;
}

/* The model in a net that has the evidence's layers as passport layers. */
static pg_status show_in(const pg_model *model, const pg_evidence *evidence, pg_model **shown, pg_error *err)
{
    pg_net_spec spec;
    pg_status status = pg_evidence_fit(evidence, &model->spec, &spec, err);
    if (status == PG_OK) status = pg_model_create(&spec, shown, err);
    return status == PG_OK ? pg_model_copy(model, *shown, err) : status;
}

pg_status pg_nulls_draw(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels, int count,
                        pg_seed seed, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *shown = NULL;
    const bool public = !model->spec.passports || model->spec.public_affine;
    pg_passport_source source = {.kind = kind_of(evidence),
                                 .images = test->count < 20 ? test->count : 20,
                                 .carrier_branch = public ? PG_PUBLIC : PG_PRIVATE,
                                 .carrier_evidence = public ? NULL : evidence,
                                 .carrier_mode = PG_BATCH,
                                 .pictures = test,
                                 .pixels = pixels};
    *out = (pg_nulls){.count = count, .bits = pg_evidence_bits(evidence)};
    PG_TRY(pg_alloc((size_t)count * (size_t)out->bits, 1, &out->signs, err));
    if (pg_evidence_claim(evidence) == PG_CLAIM_MARK) {
        PG_TRY(draw_mark_signs(model, evidence, seed, out, err));
        return PG_OK;
    }
    PG_TRY(show_in(model, evidence, &shown, err));
    source.carrier = shown;
    PG_TRY(draw_signs(shown, evidence, &source, seed, out, err));
done:
    if (status != PG_OK) pg_nulls_clear(out);
    pg_model_destroy(&shown);
    return status;
}

void pg_nulls_clear(pg_nulls *nulls)
{
    pg_free(nulls->signs);
    *nulls = (pg_nulls){0};
}

/* Mean and spread, over the nulls, of the percentage of bits that agree with the claimant's signature. */
static pg_status null_statistics(const pg_nulls *nulls, const pg_evidence *evidence, pg_finding *out, pg_error *err)
{
    double *percent = NULL;
    const size_t n = (size_t)nulls->count;
    const pg_status status = pg_alloc(n, sizeof *percent, &percent, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < nulls->count; i++)
        percent[i] = 100.0 * signs_agree(evidence, nulls->signs + (ptrdiff_t)i * nulls->bits) / nulls->bits;
    out->nulls = nulls->count;
    out->null_mean = gsl_stats_mean(percent, 1, n);
    out->null_deviation = gsl_stats_sd_m(percent, 1, n, out->null_mean);
    pg_free(percent);
    return PG_OK;
}

static double honest_p(const pg_finding *f)
{
    const double agree = 100.0 * f->agree / f->bits, spread = f->null_deviation * sqrt(1 + 1.0 / f->nulls);
    const double t = spread > 0 ? (agree - f->null_mean) / spread : agree > f->null_mean ? INFINITY : 0;
    const double student = isinf(t) ? 0 : gsl_cdf_tdist_Q(t, f->nulls - 1);
    const double q = fmin(fmax(f->null_mean / 100, 0.5), 1);
    return fmax(student, pg_binomial_tail(f->agree, f->bits, q));
}

/* p-values of a signature or a mark of which out->agree bits agree. */
static pg_status weigh(const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *out, pg_error *err)
{
    out->p_value = out->p_coin = pg_binomial_tail(out->agree, out->bits, 0.5);
    if (!nulls || nulls->count < 2) return PG_OK;
    if (nulls->bits != out->bits)
        return pg_fail(err, PG_BAD_INPUT, "null evidence of %d bits for a signature of %d", nulls->bits, out->bits);
    const pg_status status = null_statistics(nulls, evidence, out, err);
    if (status == PG_OK) out->p_value = honest_p(out);
    return status;
}

/* ---- signature, mark ---- */

static pg_status verify_signature(const pg_model *model, const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *out,
                                  pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    double sum = 0;
    PG_TRY(pg_net_create(&model->spec, 1, false, PG_CONV_AUTO, &net, err));
    PG_TRY(passport_agreement(net, model, evidence, &out->agree, out->layer_detection, err));
    for (int i = 0; i < evidence->passport_count; i++) sum += out->layer_detection[i];
    out->detection = sum / evidence->passport_count;
    stored_agreement(model, evidence, out);
    PG_TRY(weigh(evidence, nulls, out, err));
done:
    pg_net_destroy(&net);
    return status;
}

static pg_status verify_mark(const pg_model *model, const pg_evidence *evidence, const pg_nulls *nulls, pg_finding *out,
                             pg_error *err)
{
    int8_t signs[PG_MARK_BITS_MAX];
    const pg_status status = mark_signs(&evidence->mark, model, signs, err);
    if (status != PG_OK) return status;
    out->agree = signs_agree(evidence, signs);
    out->detection = out->layer_detection[0] = 100.0 * out->agree / out->bits;
    return weigh(evidence, nulls, out, err);
}

static pg_status mark_agreement_with(const pg_model *model, const pg_evidence *forged, const pg_evidence *owner, int *agree,
                                     pg_error *err)
{
    int8_t signs[PG_MARK_BITS_MAX] = {0};
    const pg_status status = mark_signs(&forged->mark, model, signs, err);
    if (status == PG_OK) *agree = signs_agree(owner, signs);
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

/* Triggers that are labelled for another number of classes say nothing about this model: they are left out. */
static pg_status verify_triggers(pg_model *model, const pg_evidence *evidence, pg_pixels pixels, int batch, pg_finding *out,
                                 pg_error *err)
{
    pg_status status = PG_OK;
    const pg_dataset *triggers = &evidence->triggers;
    if (triggers->count == 0 || triggers->classes != model->spec.classes) return PG_OK;
    out->trigger_count = triggers->count;
    if (model->spec.public_affine)
        PG_TRY(pg_measure_accuracy(model, PG_PUBLIC, evidence, triggers, pixels, batch, &out->trigger[PG_PUBLIC], err));
    if (model->spec.private_affine && evidence->passport_count)
        PG_TRY(pg_measure_accuracy(model, PG_PRIVATE, evidence, triggers, pixels, batch, &out->trigger[PG_PRIVATE], err));
    const double share = out->trigger[pg_net_spec_deployed(&model->spec)].exact / 100;
    out->trigger_agree = (int)lround(share * triggers->count);
    out->trigger_p = pg_binomial_tail(out->trigger_agree, triggers->count, 1.0 / model->spec.classes);
    if (out->claim != PG_CLAIM_TRIGGERS) goto done;
    out->agree = out->trigger_agree;
    out->detection = 100 * share;
    out->p_value = out->trigger_p;
done:
    return status;
}

/* ---- all of it ---- */

static pg_status measure_branches(pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels,
                                  int batch, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    const bool public = !model->spec.passports || model->spec.public_affine;
    if (public) PG_TRY(pg_measure_accuracy(model, PG_PUBLIC, evidence, test, pixels, batch, &out->public_branch, err));
    if (model->spec.private_affine && evidence && evidence->passport_count)
        PG_TRY(pg_measure_accuracy(model, PG_PRIVATE, evidence, test, pixels, batch, &out->private_branch, err));
    out->deployed = public ? out->public_branch : out->private_branch;
done:
    return status;
}

const pg_accuracy *pg_finding_accuracy(const pg_finding *finding)
{
    return finding->claim == PG_CLAIM_PASSPORTS ? &finding->private_branch : &finding->deployed;
}

void pg_finding_decide(pg_finding *finding, const pg_verify_options *options, double reference)
{
    const bool triggers = finding->claim == PG_CLAIM_TRIGGERS;
    const pg_accuracy *accuracy = pg_finding_accuracy(finding);
    finding->significant = (triggers ? finding->trigger_count : finding->bits) > 0 && finding->p_value <= options->level;
    finding->works = accuracy->present && accuracy->exact >= reference - options->tolerance;
    finding->stands = finding->significant && finding->works;
}

/* Thresholds at the level: exact against guessing, and, as for null models, where the normal distribution of the nulls has that
 * much left above it. */
static void find_thresholds(pg_finding *f, int classes, double level)
{
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    const int n = triggers ? f->trigger_count : f->bits;
    if (n) {
        f->null_probability = triggers ? 1.0 / classes : 0.5;
        f->threshold = pg_binomial_threshold(n, f->null_probability, level);
    }
    if (f->nulls) f->null_threshold = f->null_mean + gsl_cdf_ugaussian_Qinv(level) * f->null_deviation;
}

/* Signature and triggers of the claim, then the decision; accuracies are already in out. */
static pg_status judge_claim(pg_model *shown, const pg_evidence *evidence, pg_pixels pixels, const pg_verify_options *options,
                             double reference, const pg_nulls *nulls, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    if (evidence) {
        out->claim = pg_evidence_claim(evidence);
        out->bits = pg_evidence_bits(evidence);
        if (evidence->passport_count) PG_TRY(verify_signature(shown, evidence, nulls, out, err));
        if (out->claim == PG_CLAIM_MARK) PG_TRY(verify_mark(shown, evidence, nulls, out, err));
        PG_TRY(verify_triggers(shown, evidence, pixels, options->batch, out, err));
    }
    find_thresholds(out, shown->spec.classes, options->level);
    pg_finding_decide(out, options, isnan(reference) ? out->deployed.exact : reference);
done:
    return status;
}

static const pg_finding unknown = {.detection_stored = NAN, .agree_stored = -1, .null_probability = NAN, .null_threshold = NAN};

pg_status pg_verify(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test, pg_pixels pixels,
                    const pg_verify_options *options, double reference, const pg_nulls *nulls, pg_finding *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *shown = NULL;
    *out = unknown;
    if (evidence && evidence->passport_count)
        PG_TRY(show_in(model, evidence, &shown, err));
    else
        PG_TRY(pg_model_clone(model, &shown, err));
    if (test) PG_TRY(measure_branches(shown, evidence, test, pixels, options->batch, out, err));
    PG_TRY(judge_claim(shown, evidence, pixels, options, reference, nulls, out, err));
done:
    pg_model_destroy(&shown);
    return status;
}

/* ---- many claims ---- */

enum { TRUNK_BYTES = 1 << 29 };

struct pg_judge {
    pg_verify_options options;
    pg_pixels pixels;
    pg_model *shown;
    pg_trunk *trunk;
    pg_finding accuracies; /* what the passports do not change */
};

pg_status pg_judge_create(const pg_model *model, const pg_evidence *layers, const pg_dataset *test, pg_pixels pixels,
                          const pg_verify_options *options, pg_judge **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge *judge = NULL;
    PG_TRY(pg_alloc(1, sizeof *judge, &judge, err));
    *judge = (pg_judge){.options = *options, .pixels = pixels, .accuracies = unknown};
    PG_TRY(show_in(model, layers, &judge->shown, err));
    PG_TRY(pg_trunk_create(judge->shown, test, pixels, options->batch, TRUNK_BYTES, &judge->trunk, err));
    PG_TRY(measure_branches(judge->shown, NULL, test, pixels, options->batch, &judge->accuracies, err));
    *out = judge;
    judge = NULL;
done:
    pg_judge_destroy(&judge);
    return status;
}

void pg_judge_destroy(pg_judge **judge)
{
    if (!*judge) return;
    pg_trunk_destroy(&(*judge)->trunk);
    pg_model_destroy(&(*judge)->shown);
    pg_free(*judge);
    *judge = NULL;
}

pg_status pg_judge_claim(pg_judge *judge, const pg_evidence *evidence, double reference, const pg_nulls *nulls, pg_finding *out,
                         pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec spec;
    *out = judge->accuracies;
    PG_TRY(pg_evidence_fit(evidence, &judge->shown->spec, &spec, err));
    if (spec.passports != judge->shown->spec.passports)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "the evidence has passports for other layers than this judge expects"));
    PG_TRY(pg_trunk_accuracy(judge->trunk, evidence, &out->private_branch, err));
    if (!out->public_branch.present) out->deployed = out->private_branch;
    PG_TRY(judge_claim(judge->shown, evidence, judge->pixels, &judge->options, reference, nulls, out, err));
done:
    return status;
}
