/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training on images of a thief's choice; see pupil.h. */
#include "attacks/pupil.h"

#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *const pg_pupil_labels[] = {"true", "hard", "soft", NULL};
enum { OVERLAP_SHARED, OVERLAP_DISJOINT };
const char *const pg_pupil_overlaps[] = {"shared", "disjoint", NULL};

/* ---- the images ---- */

static pg_status check_count(double share, const pg_dataset *of, int count, const pg_dataset *from, const char *kind,
                             pg_error *err)
{
    if (count >= 1 && count <= from->count) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "share: %g %% of %d images are %d, expected at least 1 and at most the %d %s ones", share,
                   of->count, count, from->count, kind);
}

pg_status pg_pupil_choose(const pg_pupil_options *o, const pg_attack_view *view, const pg_net_spec *spec, pg_pupil_images *out,
                          pg_error *err)
{
    pg_status status = PG_OK;
    const pg_train_options train = pg_tuning_train(&o->tuning, view->pixels);
    const double part = o->share / 100;
    pg_dataset all = {.classes = spec->classes};
    *out = (pg_pupil_images){.other = view->other ? &view->other->train : NULL};
    out->own = o->overlap == OVERLAP_SHARED ? view->train : view->fresh;
    out->own_count = (int)lround(part * view->train->count);
    PG_TRY(check_count(o->share, view->train, out->own_count, out->own, pg_pupil_overlaps[o->overlap], err));
    if (out->other) {
        out->other_count = (int)lround(part * out->other->count);
        PG_TRY(check_count(o->share, out->other, out->other_count, out->other, out->other->name, err));
        PG_TRY(pg_dataset_fits(out->other, spec->image_height, spec->image_width, out->other->classes, err));
    }
    snprintf(all.name, sizeof all.name, "%s", out->own->name);
    all.count = out->own_count + out->other_count;
    all.height = out->own->height;
    all.width = out->own->width;
    PG_TRY(pg_train_check(&train, &all, spec, err));
done:
    return status;
}

/* Copy the subset of one set to the place `at`. */
static pg_status copy_images(const pg_dataset *from, int count, pg_pupil *p, int at, bool labelled, pg_error *err)
{
    pg_dataset part = {0};
    const size_t size = (size_t)(p->images.height * p->images.width * 3);
    const pg_status status = count ? pg_dataset_subset(from, count, &part, err) : PG_OK;
    if (status != PG_OK) return status;
    if (count) memcpy(p->images.images + (size_t)at * size, part.images, (size_t)count * size);
    for (int i = 0; i < count; i++) p->truth[at + i] = labelled ? part.labels[i] : -1;
    pg_dataset_clear(&part);
    return PG_OK;
}

static pg_status take_images(pg_pupil *p, const pg_pupil_images *images, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec *spec = &p->model->spec;
    const int asked = images->own_count + images->other_count, count = asked << images->doublings;
    const size_t size = (size_t)(spec->image_height * spec->image_width * 3);
    p->images.classes = spec->classes;
    snprintf(p->images.name, sizeof p->images.name, "%s", images->own_count ? images->own->name : images->other->name);
    PG_TRY(pg_dataset_allocate(&p->images, count, spec->image_height, spec->image_width, err));
    PG_TRY(pg_alloc((size_t)count, sizeof *p->truth, &p->truth, err));
    for (int i = 0; i < count; i++) p->images.labels[i] = i;
    PG_TRY(copy_images(images->own, images->own_count, p, 0, true, err));
    PG_TRY(copy_images(images->other, images->other_count, p, images->own_count, false, err));
    for (int i = asked; i < count; i++) {
        memcpy(p->images.images + (size_t)i * size, p->images.images + (size_t)(i - asked) * size, size);
        p->truth[i] = p->truth[i - asked];
    }
done:
    return status;
}

/* Ask the stolen network about every image, unless true labels are enough. */
static pg_status ask(pg_pupil *p, const pg_pupil_images *images, pg_oracle *oracle, pg_pixels pixels, pg_error *err)
{
    pg_status status = PG_OK;
    pg_oracle *own = NULL;
    if (p->options->labels == PG_LABELS_TRUE && !images->other_count) return PG_OK;
    p->asked_itself = !oracle;
    if (!oracle) PG_TRY(pg_oracle_open(p->model, pixels, &own, err));
    const int asked = p->images.count >> images->doublings, classes = p->images.classes;
    PG_TRY(pg_alloc((size_t)p->images.count * (size_t)classes, sizeof *p->answers, &p->answers, err));
    pg_oracle_ask(oracle ? oracle : own, &p->images, 0, asked, p->answers);
    for (int i = asked * classes; i < p->images.count * classes; i++) p->answers[i] = p->answers[i - asked * classes];
done:
    pg_oracle_close(&own);
    return status;
}

/* ---- the loss ---- */

/* log sum_c exp(x_c / T). */
static double log_sum(int classes, const pg_real *x, double temperature)
{
    double top = -INFINITY, sum = 0;
    for (int c = 0; c < classes; c++) top = fmax(top, (double)x[c] / temperature);
    for (int c = 0; c < classes; c++) sum += exp((double)x[c] / temperature - top);
    return top + log(sum);
}

double pg_teaching_loss(int n, int classes, const pg_real *logits, const double *q, double temperature, pg_real *dlogits)
{
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const ptrdiff_t at = (ptrdiff_t)i * classes;
        const double all = log_sum(classes, logits + at, temperature);
        for (int c = 0; c < classes; c++) {
            const double target = q[at + c], log_p = (double)logits[at + c] / temperature - all;
            if (target > 0) loss += target * (log(target) - log_p);
            if (!isfinite(log_p)) loss = NAN;
            dlogits[at + c] = (pg_real)(temperature * (exp(log_p) - target) / n);
        }
    }
    return temperature * temperature * loss / n;
}

int pg_pupil_class(const pg_pupil *p, int i)
{
    const int classes = p->images.classes;
    if (p->truth[i] >= 0 && (p->options->labels == PG_LABELS_TRUE || !p->answers)) return p->truth[i];
    return pg_oracle_class(p->answers + (ptrdiff_t)i * classes, classes);
}

/* The target of an image: q [classes]. */
static void target_of(const pg_pupil *p, int image, double *q)
{
    const int classes = p->images.classes, class = pg_pupil_class(p, image);
    const bool soft = p->options->labels == PG_LABELS_SOFT;
    const pg_real *answer = soft ? p->answers + (ptrdiff_t)image * classes : NULL;
    const double all = soft ? log_sum(classes, answer, p->temperature) : 0;
    for (int c = 0; c < classes; c++) q[c] = soft ? exp((double)answer[c] / p->temperature - all) : c == class;
}

/* Mix the loss and its gradient with the cross-entropy of the true classes. */
static double mix_truth(const pg_pupil *p, const pg_step *step, double loss, pg_real *dlogits)
{
    const int classes = p->images.classes;
    double entropy = 0;
    for (int i = 0; i < step->count; i++) {
        const ptrdiff_t at = (ptrdiff_t)i * classes;
        const int truth = p->truth[step->labels[i]];
        const double all = log_sum(classes, step->logits + at, 1);
        entropy += (all - (double)step->logits[at + truth]) / step->count;
        for (int c = 0; c < classes; c++) {
            const double gradient = (exp((double)step->logits[at + c] - all) - (c == truth)) / step->count;
            dlogits[at + c] = (pg_real)(p->alpha * (double)dlogits[at + c] + (1 - p->alpha) * gradient);
        }
    }
    return p->alpha * loss + (1 - p->alpha) * entropy;
}

static double teach(void *context, const pg_step *step)
{
    pg_pupil *p = context;
    const int classes = p->images.classes;
    for (int i = 0; i < step->count; i++) target_of(p, step->labels[i], p->q + (ptrdiff_t)i * classes);
    if (p->blend) p->blend(p, step, p->q);
    const double teaching = pg_teaching_loss(step->count, classes, step->logits, p->q, p->temperature, step->dlogits),
                 loss = p->alpha < 1 ? mix_truth(p, step, teaching, step->dlogits) : teaching;
    for (int i = 0; p->weight != 1 && i < step->count * classes; i++) step->dlogits[i] *= (pg_real)p->weight;
    return loss;
}

/* ---- training ---- */

pg_status pg_pupil_open(pg_pupil *p, const pg_pupil_options *options, const pg_pupil_images *images, const pg_attack_view *view,
                        pg_oracle *oracle, pg_error *err)
{
    pg_status status = PG_OK;
    const int batch = options->tuning.batch;
    p->options = options;
    if (p->temperature <= 0) p->temperature = p->alpha = 1;
    p->weight = 1;
    if (!p->model) PG_TRY(pg_tuned_copy(view, view->model->spec.classes, &p->model, err));
    if (p->tuned.train.epochs == 0) p->tuned.train = pg_tuning_train(&options->tuning, view->pixels);
    PG_TRY(take_images(p, images, err));
    PG_TRY(ask(p, images, oracle, view->pixels, err));
    PG_TRY(pg_alloc((size_t)batch * (size_t)p->images.classes, sizeof *p->q, &p->q, err));
    p->coach.context = p;
    p->coach.loss = teach;
    const pg_job job = {.model = p->model,
                        .scheme = pg_scheme_holding(0),
                        .data = &p->images,
                        .options = &p->tuned.train,
                        .seed = view->seed,
                        .coach = &p->coach};
    PG_TRY(pg_trainer_create(&job, &p->tuned.trainer, err));
done:
    return status;
}

pg_status pg_pupil_check(const void *options, const pg_attack_view *view, pg_error *err)
{
    pg_pupil_images images;
    return pg_pupil_choose(options, view, &view->model->spec, &images, err);
}

pg_status pg_pupil_start(void *pupil, const void *options, const pg_attack_view *view, pg_error *err)
{
    pg_pupil_images images;
    const pg_status status = pg_pupil_choose(options, view, &view->model->spec, &images, err);
    return status == PG_OK ? pg_pupil_open(pupil, options, &images, view, NULL, err) : status;
}

void pg_pupil_finish(void *pupil)
{
    pg_pupil *p = pupil;
    pg_trainer_destroy(&p->tuned.trainer);
    pg_model_destroy(&p->model);
    pg_dataset_clear(&p->images);
    pg_free(p->truth);
    pg_free(p->answers);
    pg_free(p->q);
}

pg_outcome pg_pupil_outcome(const pg_pupil *p, pg_model *model)
{
    pg_outcome outcome = pg_tuned_outcome(&p->tuned, model);
    if (!p->asked_itself) return outcome;
    outcome.images += p->images.count;
    outcome.macs += p->images.count * pg_model_macs(p->model);
    return outcome;
}

pg_status pg_pupil_step(void *pupil, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_pupil *p = pupil;
    if (!pg_tuned_done(&p->tuned)) return pg_tuned_step(&p->tuned, what, err);
    *what = PG_ATTACK_LAST;
    *outcome = pg_pupil_outcome(p, p->model);
    return PG_OK;
}

void pg_pupil_decay(pg_pupil *p, double factor, int every)
{
    const int epoch = pg_trainer_progress(p->tuned.trainer)->epoch;
    const int falls = epoch / every;
    p->tuned.train.lr = p->options->tuning.lr * pow(factor, falls);
}
