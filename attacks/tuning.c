/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Continued training of a stolen model; see tuning.h. */
#include "attacks/tuning.h"

#include <math.h>

pg_train_options pg_tuning_train(const pg_tuning *tuning, pg_pixels pixels)
{
    return (pg_train_options){.epochs = tuning->epochs,
                              .batch = tuning->batch,
                              .lr = tuning->lr,
                              .momentum = 0.9,
                              .weight_decay = tuning->weight_decay,
                              .schedule = PG_SCHEDULE_CONSTANT,
                              .crop = tuning->crop,
                              .flip = true,
                              .pixels = (int)pixels};
}

pg_status pg_tuned_copy(const pg_attack_view *view, int classes, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_model *victim = view->model;
    pg_model *copy = NULL;
    pg_net_spec spec = victim->spec;
    spec.classes = classes;
    spec.public_affine = true;
    PG_TRY(pg_model_create(&spec, &copy, err));
    PG_TRY(pg_model_copy(victim, copy, err));
    if (victim->passport_count && !victim->spec.public_affine) PG_TRY(pg_passports_store(victim, view->evidence, copy, err));
    *out = copy;
    copy = NULL;
done:
    pg_model_destroy(&copy);
    return status;
}

bool pg_tuned_done(const pg_tuned *tuned)
{
    return pg_trainer_done(tuned->trainer);
}

pg_status pg_tuned_step(pg_tuned *tuned, pg_attack_state *what, pg_error *err)
{
    const pg_status status = pg_trainer_step(tuned->trainer, err);
    *what = pg_trainer_epoch_done(tuned->trainer) ? PG_ATTACK_EPOCH : PG_ATTACK_WORKING;
    return status;
}

pg_outcome pg_tuned_outcome(const pg_tuned *tuned, pg_model *model)
{
    return (pg_outcome){
        .model = model, .images = pg_trainer_progress(tuned->trainer)->images, .macs = pg_trainer_macs(tuned->trainer)};
}

double pg_tuned_progress(const void *state)
{
    return pg_trainer_share(((const pg_tuned *)state)->trainer);
}

void pg_tuned_keep(void *state, pg_snapshot *snapshot)
{
    pg_trainer_keep(((pg_tuned *)state)->trainer, snapshot);
}

double pg_cosine_rate(double from, double to, double share)
{
    static const double pi = 3.14159265358979323846;
    return to + (from - to) * (1 + cos(pi * share)) / 2;
}
