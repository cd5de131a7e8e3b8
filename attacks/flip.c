/* The flip attack: an insider writes the gamma and beta that the genuine passports give into an ordinary affine and turns the
 * signs of a share of the gammas, over all passport layers together; nothing is trained. How accuracy falls with the share
 * shows what the signature is worth. The outcome is the network with that affine, and passports, the nearest to the genuine
 * ones, that give it. Source: Fan, Ng, Chan, NeurIPS 2019; DeepIPR, flip_attack.py, which keeps the genuine passports and so
 * reports their detection, not that of the turned signs. */
#include "attacks/frozen.h"

#include "core/ownership/inversion.h"

#include <stddef.h>

typedef struct flip_options {
    pg_reals levels;
} flip_options;

static const pg_option options[] = {
    PG_REALS(flip_options, levels, "[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]", 0, 100, "percent",
             "shares of the signs that are turned"),
    {0},
};

typedef struct flip_state {
    const flip_options *options;
    const pg_attack_view *view;
    pg_model *genuine, *turned; /* networks with the genuine and with the turned affine */
    pg_inverter *inverter;
    pg_evidence *forged;
    int next;
} flip_state;

static pg_status flip_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    flip_state *s = state;
    s->options = values;
    s->view = view;
    PG_TRY(pg_frozen_copy("flip", view->model, &s->genuine, err));
    PG_TRY(pg_passports_store(view->model, view->evidence, s->genuine, err));
    PG_TRY(pg_model_clone(s->genuine, &s->turned, err));
    PG_TRY(pg_inverter_create(view->model, &s->inverter, err));
done:
    return status;
}

static pg_status flip_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    flip_state *s = state;
    double miss;
    *what = PG_ATTACK_DONE;
    if (s->next == s->options->levels.count) return PG_OK;
    const double level = s->options->levels.values[s->next++];
    PG_TRY(pg_model_copy(s->genuine, s->turned, err));
    PG_TRY(pg_frozen_turn_signs(s->turned, level / 100, s->view->seed, err));
    pg_evidence_destroy(&s->forged);
    PG_TRY(pg_evidence_clone(s->view->evidence, &s->forged, err));
    pg_dataset_clear(&s->forged->triggers);
    PG_TRY(pg_inverter_forge(s->inverter, s->turned, s->forged, &miss, err));
    *outcome = (pg_outcome){.axis = "level",
                            .value = level,
                            .evidence = s->forged,
                            .shown = s->turned,
                            .measures = {{"affine_missed_by", "", miss}}};
    *what = PG_ATTACK_OUTCOME;
done:
    return status;
}

static double flip_progress(const void *state)
{
    const flip_state *s = state;
    return (double)s->next / s->options->levels.count;
}

static void flip_keep(void *state, pg_snapshot *snapshot)
{
    flip_state *s = state;
    PG_KEEP_IN(snapshot, &s->next, 0, s->options->levels.count, "next");
}

static void flip_finish(void *state)
{
    flip_state *s = state;
    pg_model_destroy(&s->genuine);
    pg_model_destroy(&s->turned);
    pg_inverter_destroy(&s->inverter);
    pg_evidence_destroy(&s->forged);
}

const pg_attack pg_attack_flip = {
    .name = "flip",
    .summary = "turn signs of the gamma that the genuine passports give, without training",
    .source = "Fan, Ng, Chan, NeurIPS 2019; DeepIPR, flip_attack.py",
    .options = options,
    .options_size = sizeof(flip_options),
    .state_size = sizeof(flip_state),
    .sees = PG_SEES_EVIDENCE,
    .needs = PG_HOLDS_AFFINES,
    .start = flip_start,
    .step = flip_step,
    .progress = flip_progress,
    .keep = flip_keep,
    .finish = flip_finish,
};
