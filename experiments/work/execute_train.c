/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A training task: make the evidence, train the network with it, keep the network of the best epoch (or of the last
 * one), judge the evidence. */
#include "experiments/work/execute_internal.h"

#include "core/base/clock.h"
#include "experiments/work/saving.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* If judging the network takes longer than this, save the state first, because nothing can be saved meanwhile. */
enum { JUDGING_SECONDS = 2 };

typedef struct work {
    const pg_task *task;
    const pg_workplace *at;
    pg_data data, other;
    pg_model *pretrained, *model;
    pg_evidence *evidence;
    pg_trainer *trainer;
    pg_saving saving;
    double judging; /* seconds that judging the last epoch took; INFINITY before the first */
} work;

static pg_status make_evidence(work *w, const pg_net_spec *spec, pg_seed seed, pg_error *err)
{
    const pg_task *task = w->task;
    const pg_keygen in = {.scheme = task->scheme,
                          .spec = spec,
                          .seed = seed,
                          .data = &w->data,
                          .other = task->other.name[0] ? &w->other : NULL,
                          .pixels = (pg_pixels)task->train.pixels,
                          .pretrained = w->pretrained};
    return pg_scheme_keygen(task->scheme_options, &in, &w->evidence, err);
}

/* Make the network to train, with random weights or with those of the trained plain network. */
static pg_status make_model(work *w, const pg_net_spec *spec, pg_seed seed, pg_error *err)
{
    const pg_task *task = w->task;
    const bool trained = pg_scheme_starts_pretrained(task->scheme, task->scheme_options);
    const pg_status status = pg_model_create(spec, &w->model, err);
    if (status == PG_OK) pg_model_initialise(w->model, seed, "weights");
    return status == PG_OK && trained ? pg_model_copy(w->pretrained, w->model, err) : status;
}

static pg_status save(void *context, const char *path, pg_error *err)
{
    return pg_trainer_save(((work *)context)->trainer, path, err);
}

static pg_status load(void *context, const char *path, pg_error *err)
{
    return pg_trainer_load(((work *)context)->trainer, path, err);
}

/* Make a network and its trainer, at the beginning or at the last checkpoint. */
static pg_status begin(work *w, const pg_net_spec *spec, pg_seed seed, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(make_model(w, spec, seed, err));
    const pg_job job = {.model = w->model,
                        .scheme = w->task->scheme,
                        .scheme_options = w->task->scheme_options,
                        .evidence = w->evidence,
                        .data = &w->data.train,
                        .options = &w->task->train,
                        .seed = seed};
    PG_TRY(pg_trainer_create(&job, &w->trainer, err));
    w->saving = (pg_saving){.at = w->at, .save = save, .load = load, .work = w};
    PG_TRY(pg_saving_start(&w->saving, w->task->key, err));
done:
    return status;
}

static pg_status judge_epoch(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    double accuracy[2] = {NAN, NAN};
    const pg_net_spec *spec = &w->model->spec;
    const bool branch[2] = {!spec->passports || spec->public_affine, spec->passports && spec->private_affine};
    for (int b = 0; b < 2; b++) {
        pg_accuracy a;
        if (!branch[b]) continue;
        PG_TRY(pg_measure_accuracy(w->model, (pg_branch)b, w->evidence, &w->data.test, (pg_pixels)w->task->train.pixels,
                                   w->task->verify.batch, &a, err));
        accuracy[b] = a.exact;
    }
    PG_TRY(pg_trainer_judge_epoch(w->trainer, accuracy, err));
done:
    return status;
}

static bool judged(const work *w)
{
    int count, best;
    pg_trainer_history(w->trainer, &count, &best);
    return count == pg_trainer_progress(w->trainer)->epoch;
}

/* End an epoch. The state may be saved between its last step and judging it. */
static pg_status end_epoch(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    if (w->judging > JUDGING_SECONDS) PG_TRY(pg_saving_now(&w->saving, err));
    const double start = pg_now();
    PG_TRY(judge_epoch(w, err));
    w->judging = pg_now() - start;
done:
    return status;
}

static int deployed_branch(const work *w)
{
    return pg_net_spec_deployed(&w->model->spec) == PG_PRIVATE && w->model->spec.passports;
}

static void tell(const work *w)
{
    int count, best;
    const pg_epoch *history = pg_trainer_history(w->trainer, &count, &best);
    const pg_progress *p = pg_trainer_progress(w->trainer);
    const pg_task_progress now = {.done = pg_trainer_share(w->trainer),
                                  .images = p->images,
                                  .epoch = p->epoch < p->epochs ? p->epoch + 1 : p->epochs,
                                  .epochs = p->epochs,
                                  .judged = count,
                                  .loss = count > 0 ? history[count - 1].loss : NAN,
                                  .accuracy = count > 0 ? history[count - 1].accuracy[deployed_branch(w)] : NAN};
    if (w->at->report) w->at->report(w->at->context, &now);
}

static pg_status train(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    tell(w);
    if (!judged(w)) PG_TRY(end_epoch(w, err));
    while (!pg_trainer_done(w->trainer)) {
        PG_TRY(pg_trainer_step(w->trainer, err));
        if (pg_trainer_epoch_done(w->trainer)) PG_TRY(end_epoch(w, err));
        tell(w);
        const pg_pause pause = pg_trainer_done(w->trainer)         ? PG_PAUSE_LAST
                               : pg_trainer_epoch_done(w->trainer) ? PG_PAUSE_EPOCH
                                                                   : PG_PAUSE_STEP;
        PG_TRY(pg_saving_pause(&w->saving, pause, err));
    }
done:
    return status;
}

static pg_status record_epochs(const work *w, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    int count, best;
    const pg_epoch *history = pg_trainer_history(w->trainer, &count, &best);
    for (int i = 0; i < count; i++) {
        char outcome[48];
        snprintf(outcome, sizeof outcome, "epoch=%d", i + 1);
        PG_TRY(pg_record_add(record, outcome, "train_loss", history[i].loss, "nats", err));
        if (w->task->scheme->regulariser || w->task->scheme->between)
            PG_TRY(pg_record_add(record, outcome, "embedding_loss", history[i].regulariser, "", err));
        PG_TRY(pg_record_add(record, outcome, "train_accuracy", history[i].train_accuracy, "%", err));
        for (int b = 0; b < 2; b++)
            if (!isnan(history[i].accuracy[b]))
                PG_TRY(pg_record_add(record, outcome, b ? "accuracy_private" : "accuracy_public", history[i].accuracy[b], "%",
                                     err));
    }
    PG_TRY(pg_record_add(record, "", "accuracy_last", history[count - 1].accuracy[deployed_branch(w)], "%", err));
    PG_TRY(pg_record_add(record, "", "best_epoch", best + 1, "epochs", err));
done:
    return status;
}

static pg_status report(const work *w, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    const bool last = w->task->last;
    const pg_model *chosen = last ? w->model : pg_trainer_best(w->trainer);
    const pg_evidence *evidence = (last ? pg_trainer_evidence : pg_trainer_best_evidence)(w->trainer);
    PG_TRY(pg_execute_owner(w->task, chosen, evidence, &w->data.test, record, err));
    PG_TRY(record_epochs(w, record, err));
    PG_TRY(pg_record_note(record, "train_data", w->data.train.source, err));
    PG_TRY(pg_execute_leave(w->task, w->at, chosen, evidence, record, err));
done:
    return status;
}

pg_status pg_execute_train(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    work w = {.task = task, .at = at, .judging = INFINITY};
    const pg_seed seed = {.grid = task->seed, .task = task->key};
    pg_net_spec spec;
    PG_TRY(pg_execute_data(&task->data, at, &w.data, err));
    if (task->other.name[0]) PG_TRY(pg_execute_data(&task->other, at, &w.other, err));
    PG_TRY(pg_execute_spec(task, w.data.train.classes, &w.data.train, &spec, err));
    if (task->pretrained[0]) PG_TRY(pg_execute_model(at, task->pretrained, &w.pretrained, err));
    PG_TRY(make_evidence(&w, &spec, seed, err));
    PG_TRY(begin(&w, &spec, seed, err));
    PG_TRY(train(&w, err));
    PG_TRY(report(&w, record, err));
done:
    pg_trainer_destroy(&w.trainer);
    pg_model_destroy(&w.model);
    pg_model_destroy(&w.pretrained);
    pg_evidence_destroy(&w.evidence);
    pg_data_clear(&w.data);
    pg_data_clear(&w.other);
    return status;
}
