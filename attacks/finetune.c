/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fine-tuning: the thief continues to train the stolen model, without any loss of the scheme, on the same data or on another
 * data set (transfer).
 *
 * The thief trains the network as it is deployed: at passport layers an ordinary norm with the affine of the deployed branch
 * (V1 is distributed with its passports, so their gamma and beta are known to him; V2, V3 and PAN deploy the public branch).
 * Modes: FT keeps the last layer if the number of classes is the same, RT draws it anew; AL trains all layers, LL only the
 * last. Sources: DeepIPR, experiments/utils.py; Adi et al., USENIX Security 2018. */
#include "attacks/tuning.h"

#include <math.h>
#include <stddef.h>

enum { FTLL, FTAL, RTLL, RTAL };
static const char *const modes[] = {"ftll", "ftal", "rtll", "rtal", NULL};

typedef struct finetune_options {
    int mode;
    char data[PG_TEXT_MAX];
    int data_train, data_test;
    pg_tuning tuning;
} finetune_options;

static const pg_option options[] = {
    PG_CHOICE(finetune_options, mode, "rtal", modes,
              "keep (ft) or renew (rt) the last layer; train the last layer (ll) or all (al)"),
    PG_TEXT(finetune_options, data, "", "data set to train on; empty: the victim's own"),
    PG_INT(finetune_options, data_train, "0", 0, 1e9, "images", "training images of that data set; 0: all"),
    PG_INT(finetune_options, data_test, "0", 0, 1e9, "images", "test images of that data set; 0: all"),
    PG_TUNING_OPTIONS(finetune_options, "100", "0.001", "false"),
    {0},
};

typedef struct finetune_state {
    pg_tuned tuned;
    const pg_attack_view *view;
    pg_model *copy;
} finetune_state;

static pg_other_data finetune_other_data(const void *values)
{
    const finetune_options *o = values;
    return (pg_other_data){.name = o->data[0] ? o->data : NULL, .key = "data", .train = o->data_train, .test = o->data_test};
}

/* The thief's data, and the spec of his network with a last layer for their classes. */
static const pg_dataset *finetune_find_data(const pg_attack_view *view, pg_net_spec *spec)
{
    const pg_dataset *data = view->other ? &view->other->train : view->train;
    *spec = view->model->spec;
    spec->classes = data->classes;
    spec->public_affine = true;
    return data;
}

/* The thief's copy, with a last layer for the classes of his data. */
static pg_status finetune_make_copy(finetune_state *s, const finetune_options *o, const pg_net_spec *spec, pg_error *err)
{
    const pg_status status = pg_tuned_copy(s->view, spec->classes, &s->copy, err);
    if (status == PG_OK && (o->mode == RTLL || o->mode == RTAL || spec->classes != s->view->model->spec.classes))
        pg_model_reset_classifier(s->copy, s->view->seed);
    return status;
}

static pg_status finetune_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const finetune_options *o = values;
    const pg_train_options train = pg_tuning_train(&o->tuning, view->pixels);
    pg_net_spec spec;
    const pg_dataset *data = finetune_find_data(view, &spec);
    return pg_train_check(&train, data, &spec, err);
}

static pg_status finetune_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    finetune_state *s = state;
    const finetune_options *o = values;
    s->view = view;
    s->tuned.train = pg_tuning_train(&o->tuning, view->pixels);
    pg_net_spec spec;
    const pg_dataset *data = finetune_find_data(view, &spec);
    PG_TRY(finetune_make_copy(s, o, &spec, err));
    const bool last = o->mode == FTLL || o->mode == RTLL; /* the last layer alone is trained */
    const pg_job job = {.model = s->copy,
                        .scheme = pg_scheme_holding(0),
                        .data = data,
                        .options = &s->tuned.train,
                        .seed = view->seed,
                        .train_from = last ? s->copy->layer_count - 1 : 0};
    PG_TRY(pg_trainer_create(&job, &s->tuned.trainer, err));
done:
    return status;
}

static pg_status finetune_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    finetune_state *s = state;
    if (!pg_tuned_done(&s->tuned)) return pg_tuned_step(&s->tuned, what, err);
    *what = PG_ATTACK_LAST;
    *outcome = pg_tuned_outcome(&s->tuned, s->copy);
    outcome->data = s->view->other;
    return PG_OK;
}

static void finetune_finish(void *state)
{
    finetune_state *s = state;
    pg_trainer_destroy(&s->tuned.trainer);
    pg_model_destroy(&s->copy);
}

/* The code of 2019 cropped. */
static const pg_preset_default finetune_presets[] = {{"neurips19", "crop", "true"}, {0}};

const pg_attack pg_attack_finetune = {
    .name = "finetune",
    .summary = "continue to train the stolen model, on the same or another data set",
    .source = "Fan, Ng, Chan, NeurIPS 2019; Adi et al., USENIX Security 2018 (the four modes)",
    .options = options,
    .options_size = sizeof(finetune_options),
    .state_size = sizeof(finetune_state),
    .sees = PG_SEES_TRAIN | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .presets = finetune_presets,
    .costs = {.epochs = "epochs"},
    .other_data = finetune_other_data,
    .check = finetune_check,
    .start = finetune_start,
    .step = finetune_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = finetune_finish,
};
