/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a training; see trainer.h. A step is a batch, forward, the scheme's embedding loss, backward, SGD, and the
 * weights that the scheme holds. */
#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/train/trainer_internal.h"

#include <math.h>
#include <stddef.h>

static const char *const schedules[] = {"constant", "step", "one-cycle", NULL};

const pg_option pg_train_table[] = {
    PG_SGD_EPOCHS(pg_train_options, epochs, "200", "the training set"),
    PG_SGD_BATCH(pg_train_options, batch),
    PG_SGD_RATE(pg_train_options, lr, "0.01", "highest learning rate"),
    PG_SGD_MOMENTUM(pg_train_options, momentum),
    PG_SGD_DECAY(pg_train_options, weight_decay, "1e-4", "weight decay of every parameter"),
    PG_REAL(pg_train_options, label_smoothing, "0", 0, 0.9, NULL, "share of every target spread over all classes"),
    PG_CHOICE(pg_train_options, schedule, "step", schedules, "schedule of the learning rate"),
    PG_INTS(pg_train_options, steps, "[100, 150]", 1, 100000, "epochs",
            "for schedule step: the learning rate falls to a tenth after each of these epochs"),
    PG_REAL(pg_train_options, warmup, "0.2", 0, 1, NULL,
            "for schedule one-cycle: share of all steps in which the learning rate rises to lr, before it falls to zero"),
    PG_BOOL(pg_train_options, crop, "true", "augmentation: pad by 4 and crop at random"),
    PG_BOOL(pg_train_options, flip, "true", "augmentation: mirror half of the images"),
    PG_CHOICE(pg_train_options, pixels, "imagenet", pg_pixels_names,
              "channel means and standard deviations by which images are normalised"),
    {0},
};

/* ---- start and end ---- */

pg_status pg_train_check(const pg_train_options *options, const pg_dataset *data, const pg_net_spec *spec, pg_error *err)
{
    if (data->count < options->batch)
        return pg_fail(err, PG_BAD_INPUT, "batch: %d training images of %s do not fill one batch of %d", data->count,
                       data->name, options->batch);
    return pg_dataset_fits(data, spec->image_height, spec->image_width, spec->classes, err);
}

static pg_status open_batches(pg_trainer *t, pg_error *err)
{
    const pg_train_options *o = t->job.options;
    const pg_net_spec *spec = &t->job.model->spec;
    const pg_augment augment = {.crop = o->crop, .flip = o->flip};
    const pg_status status = pg_train_check(o, t->job.data, spec, err);
    if (status != PG_OK) return status;
    return pg_batches_create(t->job.data, o->batch, augment, (pg_pixels)o->pixels, t->job.seed, &t->batches, err);
}

static void hold_weights(const pg_job *job)
{
    if (job->scheme->hold && job->evidence) job->scheme->hold(job->scheme_options, job->evidence, job->model);
    if (job->coach && job->coach->hold) job->coach->hold(job->coach->context, job->model);
}

/* Triggers are mixed in if the scheme does that and the evidence has some. */
static pg_status plan_triggers(pg_trainer *t, pg_error *err)
{
    const pg_job *job = &t->job;
    const pg_scheme *s = job->scheme;
    const void *o = job->scheme_options;
    const bool mixes = s->triggers_per_batch && job->evidence && job->evidence->triggers.count;
    t->triggers = mixes ? s->triggers_per_batch(o) : 0;
    t->capacity = job->options->batch + t->triggers;
    t->passes = mixes && s->trigger_passes ? s->trigger_passes(o) : 0;
    t->run = t->passes && s->triggers_apart && s->triggers_apart(o) ? job->options->batch : t->capacity;
    t->trigger_sweep = -1;
    const size_t scratch = mixes && s->scratch ? s->scratch(o, &job->model->layout, job->options->batch, t->triggers) : 0;
    const pg_status status = pg_alloc(scratch, sizeof *t->scratch, &t->scratch, err);
    if (status != PG_OK) return status;
    return pg_alloc(mixes ? (size_t)job->evidence->triggers.count : 0, sizeof *t->trigger_order, &t->trigger_order, err);
}

pg_status pg_trainer_create(const pg_job *job, pg_trainer **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_trainer *t = NULL;
    const pg_dataset *data = job->data;
    PG_TRY(pg_alloc(1, sizeof *t, &t, err));
    t->job = *job;
    if (job->scheme->learn && job->evidence) {
        PG_TRY(pg_evidence_clone(job->evidence, &t->learned, err));
        t->job.evidence = t->learned;
    }
    PG_TRY(plan_triggers(t, err));
    PG_TRY(open_batches(t, err));
    PG_TRY(pg_net_create(&job->model->spec, t->capacity, true, job->conv, &t->net, err));
    pg_net_train_from(t->net, job->train_from);
    if (job->model->passport_count && !job->model->spec.public_affine && !job->evidence)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "a network without a public branch cannot be trained without its passports"));
    if (job->model->passport_count && job->model->spec.private_affine && job->evidence)
        PG_TRY(pg_passports_install(t->net, job->model, job->evidence, err));
    const size_t n = (size_t)t->capacity;
    hold_weights(job);
    PG_TRY(pg_alloc(job->model->param_count, sizeof *t->momentum, &t->momentum, err));
    PG_TRY(pg_alloc(n * (size_t)(data->height * data->width * 3), sizeof *t->images, &t->images, err));
    PG_TRY(pg_alloc(2 * n * (size_t)job->model->spec.classes, sizeof *t->dlogits, &t->dlogits, err));
    PG_TRY(pg_alloc(n, sizeof *t->labels, &t->labels, err));
    PG_TRY(pg_alloc((size_t)job->options->epochs, sizeof *t->history, &t->history, err));
    t->progress = (pg_progress){.epochs = job->options->epochs, .steps = data->count / job->options->batch};
    *out = t;
    t = NULL;
done:
    pg_trainer_destroy(&t);
    return status;
}

void pg_trainer_destroy(pg_trainer **trainer)
{
    pg_trainer *t = *trainer;
    if (!t) return;
    pg_batches_destroy(&t->batches);
    pg_net_destroy(&t->net);
    pg_free(t->momentum);
    pg_free(t->images);
    pg_free(t->dlogits);
    pg_free(t->labels);
    pg_free(t->trigger_order);
    pg_free(t->scratch);
    pg_free(t->history);
    pg_model_destroy(&t->best);
    pg_evidence_destroy(&t->learned);
    pg_evidence_destroy(&t->best_learned);
    pg_free(t);
    *trainer = NULL;
}

/* ---- one step ---- */

static double learning_rate(const pg_trainer *t)
{
    const pg_train_options *o = t->job.options;
    const pg_progress *p = &t->progress;
    double rate = o->lr;
    if (o->schedule == PG_SCHEDULE_STEP)
        for (int i = 0; i < o->steps.count; i++) rate *= p->epoch >= o->steps.values[i] ? 0.1 : 1;
    if (o->schedule == PG_SCHEDULE_ONE_CYCLE) {
        const double all = (double)p->epochs * p->steps, at = (double)p->epoch * p->steps + p->step, top = o->warmup * all;
        rate *= at < top ? 0.1 + 0.9 * at / top : (all - at) / (all - top);
    }
    return rate;
}

/* Set the order of one sweep over the trigger set: a new random order, or always the same one from a random start. */
static void order_triggers(pg_trainer *t, long sweep)
{
    pg_rng rng;
    const pg_job *job = &t->job;
    const uint32_t count = (uint32_t)job->evidence->triggers.count;
    const bool in_order = job->scheme->triggers_in_order && job->scheme->triggers_in_order(job->scheme_options);
    t->trigger_sweep = sweep;
    pg_rng_open(&rng, job->seed, "triggers", in_order ? 0 : (uint64_t)sweep);
    if (!in_order) {
        pg_rng_permutation(&rng, t->trigger_order, count);
        return;
    }
    const uint32_t first = (uint32_t)pg_rng_below(&rng, count);
    for (uint32_t i = 0; i < count; i++) t->trigger_order[i] = (first + i) % count;
}

/* Append the next triggers to the batch. */
static void append_triggers(pg_trainer *t)
{
    if (!t->triggers) return;
    const pg_dataset *triggers = &t->job.evidence->triggers;
    const size_t image = (size_t)(triggers->height * triggers->width * 3);
    const long used = ((long)t->progress.epoch * t->progress.steps + t->progress.step) * t->triggers;
    for (int i = 0; i < t->triggers; i++) {
        const long sweep = (used + i) / triggers->count, at = (used + i) % triggers->count;
        if (t->trigger_sweep != sweep) order_triggers(t, sweep);
        const int slot = t->job.options->batch + i;
        pg_batch_fill(triggers, &t->trigger_order[at], 1, NULL, (pg_pixels)t->job.options->pixels, NULL,
                      t->images + (size_t)slot * image);
        t->labels[slot] = triggers->labels[t->trigger_order[at]];
    }
}

static bool trains_public(const pg_job *job)
{
    return !job->model->spec.passports || job->model->spec.public_affine;
}

static bool trains_private(const pg_job *job)
{
    return job->model->spec.passports && job->model->spec.private_affine && job->evidence;
}

static pg_step step_of(pg_trainer *t, const pg_real *logits)
{
    return (pg_step){.evidence = t->job.evidence,
                     .model = t->job.model,
                     .net = t->net,
                     .train_from = t->job.train_from,
                     .count = t->job.options->batch,
                     .triggers = t->triggers,
                     .pixels = (pg_pixels)t->job.options->pixels,
                     .images = t->images,
                     .labels = t->labels,
                     .dlogits = t->dlogits,
                     .logits = logits,
                     .scratch = t->scratch};
}

/* What a scheme does with its triggers, and a coach with the images, before the batch runs. */
static void run_before(pg_trainer *t)
{
    const pg_step step = step_of(t, NULL);
    const pg_coach *coach = t->job.coach;
    if (t->passes) t->job.scheme->before(t->job.scheme_options, &step);
    if (coach && coach->prepare) coach->prepare(coach->context, &step);
}

/* The loss of one branch, of which dlogits becomes the gradient. */
static double loss_of(pg_trainer *t, const pg_real *logits, pg_real *dlogits, int *hits)
{
    const pg_job *job = &t->job;
    if (!job->coach || !job->coach->loss)
        return pg_cross_entropy(t->run, job->model->spec.classes, logits, t->labels, job->options->label_smoothing, dlogits,
                                hits);
    pg_step step = step_of(t, logits);
    step.dlogits = dlogits;
    return job->coach->loss(job->coach->context, &step);
}

/* Run forward and backward of every branch that is trained. Returns the sum of their cross-entropies. */
static double run_branches(pg_trainer *t, double *regulariser)
{
    const pg_job *job = &t->job;
    const int classes = job->model->spec.classes, deployed = (int)pg_net_spec_deployed(&job->model->spec);
    const int first = trains_public(job) ? PG_PUBLIC : PG_PRIVATE, last = trains_private(job) ? PG_PRIVATE : PG_PUBLIC;
    const pg_branch branch = first < last ? PG_BOTH : (pg_branch)first;
    double loss = 0;
    const pg_progress *p = &t->progress;
    pg_net_draw_dropout(t->net, job->seed, (uint64_t)p->epoch * (uint64_t)p->steps + (uint64_t)p->step);
    const pg_real *logits = pg_net_forward(t->net, job->model, branch, PG_TRAIN, t->images, t->run);
    for (int b = first; b <= last; b++) {
        const size_t at = (size_t)(b - first) * (size_t)(t->run * classes);
        int hits = 0;
        loss += loss_of(t, logits + at, t->dlogits + at, &hits);
        if (b != deployed) continue;
        t->correct += hits;
        t->seen += t->run;
    }
    if (job->scheme->regulariser && job->evidence)
        *regulariser = job->scheme->regulariser(job->scheme_options, job->evidence, job->model, t->net);
    const pg_step step = step_of(t, logits);
    if (job->scheme->between && t->triggers) *regulariser += job->scheme->between(job->scheme_options, &step);
    if (job->coach && job->coach->penalty) *regulariser += job->coach->penalty(job->coach->context, &step);
    pg_net_backward(t->net, job->model, t->dlogits);
    return loss;
}

/* PAN's perceptron belongs to the private branch: if that does not run, weight decay must not change it either. */
static bool is_trained(const pg_job *job, const pg_tensor *tensor)
{
    return tensor->layer >= job->train_from && (job->evidence || !pg_model_of_perceptron(job->model, tensor));
}

static void update_run(pg_trainer *t, size_t from, size_t to)
{
    const pg_train_options *o = t->job.options;
    pg_sgd_step(to - from, t->job.model->params + from, t->momentum + from, pg_net_gradients(t->net) + from, learning_rate(t),
                o->momentum, o->weight_decay);
}

/* Update consecutive trained parameters in one call: in most trainings that is all of them. */
static void update(pg_trainer *t)
{
    const pg_model *m = t->job.model;
    size_t from = 0;
    bool open = false;
    for (int i = 0; i < m->tensor_count; i++) {
        const pg_tensor *tensor = &m->tensors[i];
        if (tensor->buffer) continue;
        const bool trained = is_trained(&t->job, tensor);
        if (trained && !open) from = (size_t)tensor->offset;
        if (!trained && open) update_run(t, from, (size_t)tensor->offset);
        open = trained;
    }
    if (open) update_run(t, from, m->param_count);
}

static void count_step(pg_trainer *t, double loss, double regulariser)
{
    pg_progress *p = &t->progress;
    p->step++;
    p->images += pg_trainer_images_of_step(t);
    t->loss_sum += loss;
    t->regulariser_sum += regulariser;
    p->loss = t->loss_sum / p->step;
    p->regulariser = t->regulariser_sum / p->step;
    p->train_accuracy = 100.0 * (double)t->correct / (double)t->seen;
}

static void begin_epoch(pg_trainer *t)
{
    t->progress.step = 0;
    t->loss_sum = t->regulariser_sum = 0;
    t->correct = t->seen = 0;
}

static void learn(pg_trainer *t)
{
    const pg_progress *p = &t->progress;
    if (t->learned)
        t->job.scheme->learn(t->job.scheme_options, t->job.model, t->job.seed, (long)p->epoch * p->steps + p->step, t->learned);
}

pg_status pg_trainer_step(pg_trainer *t, pg_error *err)
{
    pg_progress *p = &t->progress;
    double regulariser = 0;
    if (p->step == p->steps) begin_epoch(t);
    const pg_status status = pg_batches_get(t->batches, p->epoch, p->step, t->images, t->labels, err);
    if (status != PG_OK) return status;
    append_triggers(t);
    pg_net_zero_gradients(t->net);
    run_before(t);
    const double loss = run_branches(t, &regulariser);
    if (!isfinite(loss + regulariser))
        return pg_fail(err, PG_FAILED, "the loss is not finite in epoch %d, step %d", p->epoch + 1, p->step + 1);
    update(t);
    hold_weights(&t->job);
    learn(t);
    count_step(t, loss, regulariser);
    if (p->step < p->steps) return PG_OK;
    p->epoch++;
    if (pg_model_check_finite(t->job.model, err) == PG_OK) return PG_OK;
    return pg_error_context(err, "after epoch %d", p->epoch);
}

bool pg_trainer_done(const pg_trainer *t)
{
    return t->progress.epoch >= t->progress.epochs;
}

bool pg_trainer_epoch_done(const pg_trainer *t)
{
    return t->progress.step == t->progress.steps;
}

const pg_progress *pg_trainer_progress(const pg_trainer *t)
{
    return &t->progress;
}

double pg_trainer_share(const pg_trainer *t)
{
    const pg_progress *p = &t->progress;
    return (p->epoch + (p->step < p->steps ? (double)p->step / p->steps : 0)) / p->epochs;
}

double pg_trainer_macs(const pg_trainer *t)
{
    return t->progress.images * pg_net_training_macs(t->net, trains_public(&t->job) + trains_private(&t->job));
}
