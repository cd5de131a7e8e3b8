/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of a training beyond a step: the accuracy of every epoch, the best model so far, and the checkpoint. */
#include "core/train/trainer_internal.h"

#include <math.h>
#include <string.h>

/* ---- the best model ---- */

static double score(const pg_epoch *e)
{
    if (isnan(e->accuracy[0])) return e->accuracy[1];
    return isnan(e->accuracy[1]) ? e->accuracy[0] : (e->accuracy[0] + e->accuracy[1]) / 2;
}

static pg_status keep_best(pg_trainer *t, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_model *m = t->job.model;
    if (t->learned && !t->best_learned) PG_TRY(pg_evidence_clone(t->learned, &t->best_learned, err));
    if (!t->best) return pg_model_clone(m, &t->best, err);
    if (t->learned)
        memcpy(t->best_learned->mark.projection, t->learned->mark.projection,
               pg_trainer_learned(t) * sizeof *t->learned->mark.projection);
    memcpy(t->best->params, m->params, m->param_count * sizeof *m->params);
    memcpy(t->best->buffers, m->buffers, m->buffer_count * sizeof *m->buffers);
done:
    return status;
}

pg_status pg_trainer_judge_epoch(pg_trainer *t, const double accuracy[2], pg_error *err)
{
    const pg_progress *p = &t->progress;
    pg_epoch *now = &t->history[t->judged];
    *now = (pg_epoch){p->loss, p->regulariser, p->train_accuracy, {accuracy[0], accuracy[1]}};
    const bool better = t->judged == 0 || score(now) > score(&t->history[t->best_epoch]);
    if (better) t->best_epoch = t->judged;
    t->judged++;
    return better ? keep_best(t, err) : PG_OK;
}

const pg_model *pg_trainer_best(const pg_trainer *t)
{
    return t->best;
}

const pg_evidence *pg_trainer_evidence(const pg_trainer *t)
{
    return t->job.evidence;
}

const pg_evidence *pg_trainer_best_evidence(const pg_trainer *t)
{
    return t->learned ? t->best_learned : t->job.evidence;
}

const pg_epoch *pg_trainer_history(const pg_trainer *t, int *count, int *best)
{
    *count = t->judged;
    *best = t->best_epoch;
    return t->history;
}

/* ---- checkpoint ---- */

void pg_trainer_keep(pg_trainer *t, pg_snapshot *snapshot)
{
    pg_model *m = t->job.model;
    pg_progress *p = &t->progress;
    const double images = p->steps * pg_trainer_images_of_step(t); /* of an epoch */
    PG_KEEP(snapshot, m->params, m->param_count, "params");
    PG_KEEP(snapshot, m->buffers, m->buffer_count, "buffers");
    PG_KEEP(snapshot, t->momentum, m->param_count, "momentum");
    PG_KEEP(snapshot, (double *)t->history, (size_t)p->epochs * sizeof(pg_epoch) / sizeof(double), "history");
    PG_KEEP_IN(snapshot, &p->epoch, 0, p->epochs, "epoch");
    PG_KEEP_IN(snapshot, &p->step, 0, p->steps, "step");
    PG_KEEP(snapshot, &p->loss, 1, "loss");
    PG_KEEP(snapshot, &p->regulariser, 1, "regulariser");
    PG_KEEP(snapshot, &p->train_accuracy, 1, "train_accuracy");
    PG_KEEP_IN(snapshot, &p->images, 0, images * p->epochs, "images");
    PG_KEEP(snapshot, &t->loss_sum, 1, "loss_sum");
    PG_KEEP(snapshot, &t->regulariser_sum, 1, "regulariser_sum");
    PG_KEEP_IN(snapshot, &t->correct, 0, images, "correct");
    PG_KEEP_IN(snapshot, &t->seen, 0, images, "seen");
    PG_KEEP_IN(snapshot, &t->judged, 0, p->epochs, "judged");
    PG_KEEP_IN(snapshot, &t->best_epoch, 0, p->epochs - 1, "best_epoch");
    if (t->learned) PG_KEEP(snapshot, t->learned->mark.projection, pg_trainer_learned(t), "learned");
    if (!t->best) return;
    if (t->learned) PG_KEEP(snapshot, t->best_learned->mark.projection, pg_trainer_learned(t), "best.learned");
    PG_KEEP(snapshot, t->best->params, m->param_count, "best.params");
    PG_KEEP(snapshot, t->best->buffers, m->buffer_count, "best.buffers");
}

pg_status pg_trainer_save(pg_trainer *t, const char *path, pg_error *err)
{
    pg_snapshot snapshot = {0};
    int32_t steps = t->progress.steps;
    pg_trainer_keep(t, &snapshot);
    PG_KEEP(&snapshot, &steps, 1, "steps");
    return pg_snapshot_write(&snapshot, path, err);
}

/* Check that at most the completed epochs are judged, and that the file has the best model. */
static pg_status check_judged(const pg_safetensors *file, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    int64_t epoch = 0, judged = 0, best = 0;
    PG_TRY(pg_safetensors_read_i64(file, "epoch", &epoch, 1, err));
    PG_TRY(pg_safetensors_read_i64(file, "judged", &judged, 1, err));
    PG_TRY(pg_safetensors_read_i64(file, "best_epoch", &best, 1, err));
    const bool kept = pg_safetensors_find(file, "best.params") != NULL;
    if (judged > epoch || best >= judged + !judged || kept != (judged > 0))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %lld epochs judged of %lld that ended, with epoch %lld the best", path,
                       (long long)judged, (long long)epoch, (long long)best + 1));
done:
    return status;
}

pg_status pg_trainer_load(pg_trainer *t, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    pg_safetensors *file = NULL;
    pg_snapshot snapshot = {0};
    int64_t steps = 0;
    PG_TRY(pg_safetensors_open(path, &file, err));
    PG_TRY(pg_safetensors_read_i64(file, "steps", &steps, 1, err));
    if (steps != t->progress.steps) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: checkpoint of another run", path));
    PG_TRY(check_judged(file, path, err));
    if (!t->best && pg_safetensors_find(file, "best.params")) PG_TRY(keep_best(t, err));
    pg_trainer_keep(t, &snapshot);
    PG_TRY(pg_snapshot_read(&snapshot, file, err));
done:
    if (t->judged == 0) pg_model_destroy(&t->best);
    if (!t->best) pg_evidence_destroy(&t->best_learned);
    pg_safetensors_close(&file);
    return status;
}
