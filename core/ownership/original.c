/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading evidence through the claimant's original; see original.h. */
#include "core/ownership/original.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"

#include <math.h>

enum { IMAGES = 64 }; /* images whose activations help to pair channels */

/* ---- the original ---- */

static pg_status check_carries(const pg_original *original, const pg_evidence *evidence, const pg_verify_options *options,
                               pg_error *err)
{
    int agree;
    const int bits = pg_evidence_bits(evidence);
    const pg_status status = pg_agreement_with(original->model, evidence, evidence, &agree, err);
    if (status != PG_OK) return status;
    const bool carries = evidence->binding.bound ? pg_binomial_bits(agree, bits, 0.5) >= options->proof
                                                 : pg_binomial_tail(agree, bits, 0.5) <= options->level;
    return carries ? PG_OK
                   : pg_fail(err, PG_BAD_INPUT, "the original does not carry this evidence: %d of %d bits agree", agree, bits);
}

/* An original that needs its passports to run has no affine from which scales follow, so make a copy that stores the affine
 * that they give. */
static pg_status store_affine(const pg_model *original, const pg_evidence *evidence, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec spec = original->spec;
    if (pg_net_spec_deployed(&spec) == PG_PUBLIC || !evidence->passport_count) return PG_OK;
    PG_TRY(pg_evidence_fit(evidence, &original->spec, &spec, err));
    spec.public_affine = true;
    PG_TRY(pg_model_create(&spec, out, err));
    PG_TRY(pg_model_copy(original, *out, err));
    PG_TRY(pg_passports_store(original, evidence, *out, err));
done:
    return status;
}

/* ---- the alignment ---- */

/* The first test images, if they fit the network; *count is 0 otherwise. */
static pg_status take_images(const pg_judge_setup *s, pg_real **images, int *count, pg_error *err)
{
    const pg_net_spec *spec = &s->model->spec;
    *count = 0;
    if (!s->test || s->test->height != spec->image_height || s->test->width != spec->image_width) return PG_OK;
    const int taken = pg_min(s->test->count, IMAGES);
    const pg_status status =
        pg_alloc((size_t)taken * (size_t)(s->test->height * s->test->width * 3), sizeof **images, images, err);
    if (status != PG_OK) return status;
    pg_batch_range(s->test, 0, taken, s->pixels, *images);
    *count = taken;
    return PG_OK;
}

static int count_dropped(const pg_model *original, const pg_model *accused)
{
    pg_spaces ours, theirs;
    int dropped = 0;
    pg_spaces_find(&original->layout, &ours);
    pg_spaces_find(&accused->layout, &theirs);
    for (int s = 0; s < ours.count; s++) dropped += theirs.channels[s] - ours.channels[s];
    return dropped;
}

/* Align the accused network; PG_BAD_INPUT if it does not derive from the original. */
static pg_status align(const pg_judge_setup *s, const pg_model *original, pg_alignment *alignment, pg_two_readings *readings,
                       pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *images = NULL;
    int count;
    PG_TRY(take_images(s, &images, &count, err));
    PG_TRY(pg_align(original, s->model, images, count, alignment, err));
    readings->similarity = alignment->similarity;
    readings->rival = alignment->rival;
    readings->dropped = count_dropped(original, s->model);
    if (!pg_alignment_derives(alignment))
        PG_TRY(
            pg_fail(err, PG_BAD_INPUT, "the accused network does not derive from the original, as far as alignment can see"));
done:
    pg_free(images);
    return status;
}

/* ---- the readings ---- */

static pg_status read_as_is(pg_judge *judge, const pg_evidence *evidence, pg_two_readings *readings, pg_error *err)
{
    pg_error fault;
    const pg_status status = pg_judge_claim_twice(judge, evidence, &readings->as_is, &fault);
    if (status == PG_OK) return PG_OK;
    if (status != PG_BAD_INPUT) return pg_fail(err, status, "%s", fault.message);
    snprintf(readings->as_is_fault, sizeof readings->as_is_fault, "%s", fault.message);
    return pg_judge_claim(judge, NULL, &readings->as_is, err);
}

/* The accuracy as deployed stays that of the accused network: passports distributed with it fit that network alone. */
static pg_status read_aligned(pg_judge *judge, const pg_evidence *evidence, const pg_original *original,
                              pg_two_readings *readings, pg_error *err)
{
    pg_status status = PG_OK;
    pg_alignment alignment = {0};
    pg_model *stored = NULL;
    pg_judge *second = NULL;
    pg_judge_setup s = *pg_judge_setup_of(judge);
    PG_TRY(check_carries(original, evidence, s.options, err));
    PG_TRY(store_affine(original->model, evidence, &stored, err));
    PG_TRY(align(&s, stored ? stored : original->model, &alignment, readings, err));
    s.model = alignment.model;
    s.known_accuracy = isnan(readings->as_is.reference) ? 0 : readings->as_is.reference;
    s.distributed = NULL;
    if (!readings->dropped) s.public_branch = &readings->as_is.public_branch; /* alignment alone keeps the function */
    PG_TRY(pg_judge_create(&s, &second, err));
    PG_TRY(pg_judge_claim_twice(second, evidence, &readings->aligned, err));
    readings->aligned.unstamped = !original->stamped_before;
    pg_finding_decide(&readings->aligned, s.options);
done:
    pg_judge_destroy(&second);
    pg_alignment_clear(&alignment);
    pg_model_destroy(&stored);
    return status;
}

/* A significant reading says more than one that chance explains, even if the network does not work with the evidence. */
static int rank(const pg_finding *f)
{
    return f->ruling == PG_PROVES ? 3 : f->ruling == PG_AGREES ? 2 : f->significant;
}

static pg_status choose(pg_two_readings *r, pg_finding *out, pg_error *err)
{
    const bool aligned = !r->aligned_fault[0];
    r->by_alignment = aligned && (r->as_is_fault[0] || rank(&r->aligned) > rank(&r->as_is));
    *out = r->by_alignment ? r->aligned : r->as_is;
    if (aligned || !r->as_is_fault[0]) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s; and through the original: %s", r->as_is_fault, r->aligned_fault);
}

pg_status pg_judge_claim_with_original(pg_judge *judge, const pg_evidence *evidence, const pg_original *original,
                                       pg_two_readings *readings, pg_finding *out, pg_error *err)
{
    pg_error fault;
    *readings = (pg_two_readings){.similarity = NAN, .rival = NAN};
    if (pg_evidence_claim(evidence) == PG_CLAIM_TRIGGERS) {
        snprintf(readings->aligned_fault, sizeof readings->aligned_fault, "a rewrite changes no answer to triggers");
        const pg_status status = pg_judge_claim(judge, evidence, &readings->as_is, err);
        *out = readings->as_is;
        return status;
    }
    pg_status status = read_as_is(judge, evidence, readings, err);
    if (status != PG_OK) return status;
    status = read_aligned(judge, evidence, original, readings, &fault);
    if (status != PG_OK && status != PG_BAD_INPUT && status != PG_FAILED) return pg_fail(err, status, "%s", fault.message);
    if (status != PG_OK) snprintf(readings->aligned_fault, sizeof readings->aligned_fault, "%s", fault.message);
    return choose(readings, out, err);
}
