/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grinding: bound evidence follows from a secret, so the thief tries many secrets and shows the evidence that agrees best. The
 * network does not change. N tries find evidence with a p-value of about 1/N, so this attack measures the cost of forging bound
 * evidence. The bits of a free filtered mark are the hash of its key, so the thief tries keys instead of secrets. Source: the
 * brute-force search that every commitment scheme allows; the p-value follows from binding.h. */
#include "attacks/attack.h"

#include "core/base/memory.h"
#include "core/data/triggers.h"
#include "core/ownership/accuracy.h"
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"
#include "core/ownership/reading.h"

enum { CLAIM_MARK, CLAIM_PASSPORTS, CLAIM_TRIGGERS, CLAIM_FILTERED };
static const char *const claims[] = {"mark", "passports", "triggers", "filtered", NULL};

typedef struct grind_options {
    int claim, bits, count, rounds, pooled;
    char layer[PG_TEXT_MAX];
    pg_ints tries;
} grind_options;

static const pg_option options[] = {
    PG_CHOICE(grind_options, claim, "mark", claims, "evidence that the secrets give, or a free filtered mark"),
    PG_INT(grind_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_TEXT(grind_options, layer, "default",
            "convolution of the mark: default (the first that carries a passport by default) or a name"),
    PG_INT(grind_options, count, "100", 1, PG_TRIGGERS_MAX, NULL, "number of trigger pictures"),
    PG_INTS(grind_options, tries, "[1, 10, 100, 1000, 10000]", 1, 100000000, "secrets",
            "secrets tried, in ascending order: each number gives an outcome"),
    {PG_OPTION("rounds", grind_options, rounds, INT, int, "4", "for filtered: rounds of the filter"), .low = 1,
     .high = PG_MARK_ROUNDS_MAX, .later = true},
    {PG_OPTION("pooled", grind_options, pooled, INT, int, "512", "for filtered: averages of the chosen weights"), .low = 1,
     .high = PG_MARK_POOLED_MAX, .unit = "values", .later = true},
    {0},
};

typedef struct grind_state {
    const grind_options *options;
    const pg_attack_view *view;
    pg_model *model; /* answers trigger pictures; NULL for other claims */
    pg_reading *reading;
    pg_evidence *evidence; /* of the current secret, and of the best one of an outcome */
    int8_t *signs;         /* [bits] */
    int32_t *answers;      /* [count] */
    int level, tried, best, best_agree;
} grind_state;

static pg_status grind_check_filtered(const grind_options *o, const pg_net_spec *spec, pg_error *err)
{
    pg_mark mark;
    pg_net_spec plain = *spec;
    plain.passports = 0;
    const pg_status status = pg_mark_create_filtered(&plain, o->layer, o->bits, o->rounds, o->pooled, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static pg_status grind_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const grind_options *o = values;
    for (int i = 1; i < o->tries.count; i++)
        if (o->tries.values[i] <= o->tries.values[i - 1])
            return pg_fail(err, PG_BAD_INPUT, "tries: expected ascending numbers, found %d after %d", o->tries.values[i],
                           o->tries.values[i - 1]);
    if (o->claim == CLAIM_PASSPORTS && !view->model->spec.passports)
        return pg_fail(err, PG_BAD_INPUT, "claim: the network has no passport layers");
    if (o->claim == CLAIM_FILTERED) return grind_check_filtered(o, &view->model->spec, err);
    return o->claim == CLAIM_MARK ? pg_mark_check(view->model, o->layer, o->bits, PG_MARK_SIGNS, err) : PG_OK;
}

/* ---- evidence without a secret yet ---- */

/* Of free keys, which every try draws. */
static pg_status grind_filtered(const grind_options *o, const pg_net_spec *plain, pg_evidence **out, pg_error *err)
{
    const pg_status status =
        pg_attack_evidence(plain, PG_HOLDS_MARK | PG_HOLDS_FILTER, pg_mark_kinds[PG_MARK_FILTERED], out, err);
    return status == PG_OK ? pg_mark_create_filtered(plain, o->layer, o->bits, o->rounds, o->pooled, &(*out)->mark, err)
                           : status;
}

static pg_status grind_shape(const grind_options *o, const pg_net_spec *spec, pg_evidence **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec plain = *spec;
    plain.passports = 0;
    if (o->claim == CLAIM_FILTERED) return grind_filtered(o, &plain, out, err);
    if (o->claim == CLAIM_PASSPORTS) return pg_attack_evidence(spec, PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES, "random", out, err);
    if (o->claim == CLAIM_MARK) {
        PG_TRY(pg_attack_evidence(&plain, PG_HOLDS_MARK, pg_mark_kinds[PG_MARK_SIGNS], out, err));
        PG_TRY(pg_mark_create(&plain, o->layer, o->bits, PG_MARK_SIGNS, &(*out)->mark, err));
        return PG_OK;
    }
    PG_TRY(pg_attack_evidence(&plain, PG_HOLDS_TRIGGERS, "generated", out, err));
    (*out)->triggers.classes = spec->classes;
    PG_TRY(pg_dataset_allocate(&(*out)->triggers, o->count, spec->image_height, spec->image_width, err));
done:
    return status;
}

static pg_status grind_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    grind_state *s = state;
    s->options = values;
    s->view = view;
    s->best_agree = -1;
    PG_TRY(grind_check(values, view, err));
    PG_TRY(grind_shape(s->options, &view->model->spec, &s->evidence, err));
    s->evidence->binding = pg_binding_for(&view->model->spec, view->pixels);
    if (s->options->claim == CLAIM_TRIGGERS) {
        PG_TRY(pg_model_clone(view->running ? view->running : view->model, &s->model, err));
        PG_TRY(pg_alloc((size_t)s->options->count, sizeof *s->answers, &s->answers, err));
    } else {
        PG_TRY(pg_reading_open(view->model, s->evidence, &s->reading, err));
        PG_TRY(pg_alloc((size_t)pg_evidence_bits(s->evidence), 1, &s->signs, err));
    }
done:
    return status;
}

/* ---- trying secrets ---- */

/* The evidence of the i-th secret, or key. */
static pg_status grind_bind(grind_state *s, int i, pg_error *err)
{
    pg_rng rng;
    pg_rng_open(&rng, s->view->seed, "ground secret", (uint64_t)i);
    if (s->options->claim == CLAIM_FILTERED) return pg_mark_draw(&s->evidence->mark, PG_MARK_FILTERED, &rng, err);
    for (int k = 0; k < PG_SECRET_BYTES; k++) s->evidence->binding.secret.bytes[k] = (unsigned char)pg_rng_below(&rng, 256);
    return pg_evidence_bind(s->evidence, err);
}

static pg_status grind_agreement(grind_state *s, int *agree, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_dataset *t = &s->evidence->triggers;
    pg_accuracy accuracy;
    *agree = 0;
    if (s->reading) {
        PG_TRY(pg_reading_signs(s->reading, s->evidence, s->signs, err));
        *agree = pg_signs_agree(s->evidence, s->signs);
        return PG_OK;
    }
    PG_TRY(pg_measure_answers(s->model, PG_PUBLIC, NULL, t, s->view->pixels, t->count, &accuracy, s->answers, err));
    for (int i = 0; i < t->count; i++) *agree += s->answers[i] == t->labels[i];
done:
    return status;
}

static pg_status grind_try(grind_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    int agree;
    PG_TRY(grind_bind(s, s->tried, err));
    PG_TRY(grind_agreement(s, &agree, err));
    if (agree > s->best_agree) {
        s->best = s->tried;
        s->best_agree = agree;
    }
    s->tried++;
done:
    return status;
}

enum { TRIES_A_STEP = 64 };

static pg_status grind_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    grind_state *s = state;
    const pg_ints *levels = &s->options->tries;
    *what = PG_ATTACK_WORKING;
    for (int i = 0; i < TRIES_A_STEP && s->tried < levels->values[s->level]; i++) PG_TRY(grind_try(s, err));
    if (s->tried < levels->values[s->level]) return PG_OK;
    PG_TRY(grind_bind(s, s->best, err));
    *what = ++s->level == levels->count ? PG_ATTACK_LAST : PG_ATTACK_OUTCOME;
    *outcome =
        (pg_outcome){.value = s->tried, .evidence = s->evidence, .images = s->model ? (double)s->tried * s->options->count : 0};
done:
    return status;
}

static double grind_progress(const void *state)
{
    const grind_state *s = state;
    const pg_ints *levels = &s->options->tries;
    return (double)s->tried / levels->values[levels->count - 1];
}

static void grind_keep(void *state, pg_snapshot *snapshot)
{
    grind_state *s = state;
    const pg_ints *levels = &s->options->tries;
    const int most = levels->values[levels->count - 1];
    PG_KEEP_IN(snapshot, &s->level, 0, levels->count - 1, "level");
    PG_KEEP_IN(snapshot, &s->tried, 0, most, "tried");
    PG_KEEP_IN(snapshot, &s->best, 0, most - 1, "best");
    PG_KEEP_IN(snapshot, &s->best_agree, -1, PG_CHANNELS_MAX, "best_agree");
}

static void grind_finish(void *state)
{
    grind_state *s = state;
    pg_reading_close(&s->reading);
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->evidence);
    pg_free(s->signs);
    pg_free(s->answers);
}

const pg_attack pg_attack_grind = {
    .name = "grind",
    .summary = "try many secrets and show the bound evidence that agrees best",
    .source = "brute force against bound evidence",
    .options = options,
    .options_size = sizeof(grind_options),
    .state_size = sizeof(grind_state),
    .sees = PG_SEES_AFFINE,
    .axis = "tries",
    .hands_on = true,
    .costs = {.outcomes = "tries"},
    .check = grind_check,
    .start = grind_start,
    .step = grind_step,
    .progress = grind_progress,
    .keep = grind_keep,
    .finish = grind_finish,
};
