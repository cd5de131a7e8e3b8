/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training beside frozen weights; see frozen.h. */
#include "attacks/frozen.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <stddef.h>

pg_status pg_frozen_check(const pg_frozen_options *options, const pg_dataset *data, const pg_net_spec *spec, pg_error *err)
{
    return pg_train_check(&(pg_train_options){.batch = options->batch}, data, spec, err);
}

pg_status pg_frozen_open(pg_frozen *f, const pg_frozen_options *options, pg_branch branch, const pg_dataset *data,
                         const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec *spec = &f->copy->spec;
    const size_t n = (size_t)options->batch;
    f->options = options;
    f->victim = view->model;
    f->seed = view->seed;
    f->branch = branch;
    f->steps = data->count / options->batch;
    PG_TRY(pg_frozen_check(options, data, spec, err));
    PG_TRY(pg_batches_create(data, options->batch, (pg_augment){.crop = options->crop, .flip = true}, view->pixels, view->seed,
                             &f->batches, err));
    PG_TRY(pg_net_create(spec, options->batch, true, PG_CONV_AUTO, &f->net, err));
    pg_net_train_from(f->net, (int)(pg_model_passport_layer(f->copy, 0) - f->copy->layers));
    pg_net_keep_weights(f->net, true);
    PG_TRY(pg_alloc(n * (size_t)(data->height * data->width * 3), sizeof *f->images, &f->images, err));
    PG_TRY(pg_alloc(n * (size_t)spec->classes, sizeof *f->dlogits, &f->dlogits, err));
    PG_TRY(pg_alloc(n, sizeof *f->labels, &f->labels, err));
done:
    return status;
}

void pg_frozen_close(pg_frozen *f)
{
    pg_batches_destroy(&f->batches);
    pg_net_destroy(&f->net);
    pg_model_destroy(&f->copy);
    pg_evidence_destroy(&f->forged);
    pg_free(f->images);
    pg_free(f->dlogits);
    pg_free(f->labels);
}

static void end_epoch(pg_frozen *f)
{
    f->last_loss = f->loss_sum / f->steps;
    if (f->epoch == 0) f->first_loss = f->last_loss;
    f->loss_sum = 0;
    f->step = 0;
    f->epoch++;
}

pg_status pg_frozen_forward(pg_frozen *f, pg_error *err)
{
    const int n = f->options->batch;
    const pg_status status = pg_batches_get(f->batches, f->epoch, f->step, f->images, f->labels, err);
    if (status != PG_OK) return status;
    const pg_mode mode = f->options->freeze_stats ? PG_EVAL : PG_TRAIN;
    pg_net_draw_dropout(f->net, f->seed, (uint64_t)f->epoch * (uint64_t)f->steps + (uint64_t)f->step);
    const pg_real *logits = pg_net_forward(f->net, f->copy, f->branch, mode, f->images, n);
    const double loss = pg_cross_entropy(n, f->copy->spec.classes, logits, f->labels, 0, f->dlogits, NULL);
    if (!isfinite(loss))
        return pg_fail(err, PG_FAILED, "the loss is not finite in epoch %d, step %d", f->epoch + 1, f->step + 1);
    f->loss_sum += loss;
    f->seen += n;
    return PG_OK;
}

void pg_frozen_backward(pg_frozen *f)
{
    pg_net_zero_gradients(f->net);
    pg_net_backward(f->net, f->copy, f->dlogits);
    if (++f->step == f->steps) end_epoch(f);
}

void pg_frozen_update(const pg_frozen *f, size_t count, pg_real *values, pg_real *momentum, const pg_real *gradient)
{
    const pg_frozen_options *o = f->options;
    pg_sgd_step(count, values, momentum, gradient, o->lr, o->momentum, o->weight_decay);
}

bool pg_frozen_done(const pg_frozen *f)
{
    return f->epoch >= f->options->epochs;
}

pg_status pg_frozen_step(pg_frozen *f, pg_status (*train)(void *state, pg_error *err), pg_attack_state *what, pg_error *err)
{
    const pg_status status = train(f, err);
    *what = f->step == 0 ? PG_ATTACK_EPOCH : PG_ATTACK_WORKING;
    return status;
}

double pg_frozen_progress(const void *state)
{
    const pg_frozen *f = state;
    return (f->epoch + (double)f->step / f->steps) / f->options->epochs;
}

void pg_frozen_keep(void *state, pg_snapshot *snapshot)
{
    pg_frozen *f = state;
    PG_KEEP(snapshot, f->copy->params, f->copy->param_count, "params");
    PG_KEEP(snapshot, f->copy->buffers, f->copy->buffer_count, "buffers");
    PG_KEEP_IN(snapshot, &f->epoch, 0, f->options->epochs, "epoch");
    PG_KEEP_IN(snapshot, &f->step, 0, f->steps - 1, "step");
    PG_KEEP(snapshot, &f->loss_sum, 1, "loss_sum");
    PG_KEEP(snapshot, &f->first_loss, 1, "first_loss");
    PG_KEEP(snapshot, &f->last_loss, 1, "last_loss");
    PG_KEEP_IN(snapshot, &f->seen, 0, (double)f->options->epochs * f->steps * f->options->batch, "seen");
}

pg_outcome pg_frozen_outcome(const pg_frozen *f)
{
    const bool changed = f->branch == PG_PUBLIC || !f->options->freeze_stats; /* its affine, its statistics */
    return (pg_outcome){.evidence = f->forged,
                        .shown = changed ? f->copy : NULL,
                        .images = f->seen,
                        .macs = f->seen * pg_net_training_macs(f->net, 1),
                        .measures = {{"loss_first", "nats", f->first_loss}, {"loss_last", "nats", f->last_loss}}};
}

pg_status pg_frozen_forge(pg_frozen *f, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    double miss;
    const pg_status status = pg_solve_forge(f->victim, f->copy, &f->forged, &miss, err);
    if (status != PG_OK) return status;
    *what = PG_ATTACK_LAST;
    *outcome = pg_frozen_outcome(f);
    outcome->measures[2] = (pg_measure){"affine_missed_by", "", miss};
    return PG_OK;
}
