/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neural attention distillation (NAD): the thief fine-tunes a copy of the stolen network, which becomes the teacher, and then
 * trains the stolen network to attend where the teacher attends. The loss is
 *     cross-entropy + beta sum over the maps of mean((A - A')^2),   A = sum_c x_c^2 / |sum_c x_c^2|
 * with x [H,W,C] a map of activations, A [H,W] its attention, and A' that of the teacher, which uses its running statistics.
 * The maps are, for each size of more than one pixel, the last one of that size that a convolution, a dense layer or an average
 * pool reads: the ends of the stages of a ResNet. Both rates fall to a tenth after every second epoch.
 *
 * Source: Li et al., ICLR 2021; Gan et al., ICCV 2023 (10 epochs at 0.02 for the teacher and for the network, beta 2000 for
 * each of four maps, 10,000 of 50,000 images). */
#include "attacks/pupil.h"
#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct nad_options {
    pg_pupil_options pupil;
    int teacher_epochs;
    double beta;
} nad_options;

static const pg_option nad_table[] = {
    PG_REAL(nad_options, beta, "2000", 0, 1e9, NULL, "weight of the distance between the attentions, for every map"),
    PG_INT(nad_options, teacher_epochs, "10", 1, 100000, NULL, "passes over the thief's images to train the teacher"),
    PG_PUPIL_IMAGES(nad_options, "20"),
    PG_PUPIL_LABELS(nad_options, "true"),
    PG_TUNING_ROWS(nad_options, pupil.tuning, "10", "0.02", "learning rate, a tenth after every second epoch", "true"),
    {0},
};

typedef struct nad_state {
    pg_pupil pupil, teacher;
    pg_pupil_options teaching;
    char task[PG_TEXT_MAX]; /* of the teacher's random streams */
    const nad_options *options;
    pg_net *net;              /* of the teacher, to read its maps */
    int map[PG_ROWS_MAX];     /* layers that read a map */
    pg_real *dx[PG_ROWS_MAX]; /* [batch,H,W,C], of each */
    int maps;
    double *work; /* [2 pixels of the largest map] */
} nad_state;

/* ---- attention ---- */

/* A [pixels] of a map [pixels,channels]. Returns the norm by which it was divided. */
static double nad_attention(int pixels, int channels, const pg_real *x, double *a)
{
    double norm = 0;
    for (int p = 0; p < pixels; p++) {
        a[p] = 0;
        for (int c = 0; c < channels; c++)
            a[p] += (double)x[(ptrdiff_t)p * channels + c] * (double)x[(ptrdiff_t)p * channels + c];
        norm += a[p] * a[p];
    }
    norm = sqrt(norm) + 1e-6;
    for (int p = 0; p < pixels; p++) a[p] /= norm;
    return norm;
}

/* weight times the squared distance between the attentions of two maps; overwrites dx with its gradient with regard to x. work
 * [2 pixels]. */
static double nad_distance(int pixels, int channels, const pg_real *x, const pg_real *other, double weight, double *work,
                           pg_real *dx)
{
    double *a = work, *b = work + pixels, sum = 0, along = 0;
    nad_attention(pixels, channels, other, b);
    const double norm = nad_attention(pixels, channels, x, a), length = norm - 1e-6;
    for (int p = 0; p < pixels; p++) {
        sum += (a[p] - b[p]) * (a[p] - b[p]);
        b[p] = 2 * weight * (a[p] - b[p]);
        along += b[p] * a[p];
    }
    for (int p = 0; p < pixels; p++) {
        const double da = length > 0 ? b[p] / norm - along * a[p] / length : 0; /* d loss / d sum_c x_c^2 */
        for (int c = 0; c < channels; c++)
            dx[(ptrdiff_t)p * channels + c] = (pg_real)(2 * da * (double)x[(ptrdiff_t)p * channels + c]);
    }
    return weight * sum;
}

/* The distance of one map, as a mean over images and pixels. */
static double nad_map_loss(const nad_state *s, const pg_step *step, int layer, pg_real *dx)
{
    const pg_layer *l = &step->model->layers[layer];
    const int pixels = l->in_height * l->in_width;
    const size_t size = (size_t)pixels * (size_t)l->in_channels;
    const pg_real *x = pg_net_input(step->net, layer), *other = pg_net_input(s->net, layer);
    double sum = 0;
    for (int i = 0; i < step->count; i++)
        sum += nad_distance(pixels, l->in_channels, x + (size_t)i * size, other + (size_t)i * size,
                            s->options->beta / step->count / pixels, s->work, dx + (size_t)i * size);
    return sum;
}

static double nad_penalty(void *pupil, const pg_step *step)
{
    const nad_state *s = pupil;
    double sum = 0;
    pg_net_forward(s->net, s->teacher.model, PG_PUBLIC, PG_EVAL, step->images, step->count);
    for (int i = 0; i < s->maps; i++) {
        sum += nad_map_loss(s, step, s->map[i], s->dx[i]);
        pg_net_add_output_gradient(step->net, step->model->layers[s->map[i]].row.input, s->dx[i]);
    }
    return sum;
}

/* ---- the attack ---- */

/* Does the layer read a map that the net stores? A pool may share the memory of the convolution that it reads. */
static bool nad_reads_map(const pg_model *m, const pg_layer *l)
{
    if (l->row.input == PG_IMAGES || l->in_height * l->in_width == 1) return false;
    return l->row.kind == PG_ROW_CONV || l->row.kind == PG_ROW_DENSE ||
           (l->row.kind == PG_ROW_AVGPOOL && m->layers[l->row.input].row.kind != PG_ROW_CONV);
}

/* For each size the last map. */
static void nad_find_maps(nad_state *s)
{
    const pg_model *m = s->pupil.model;
    for (int i = 0; i < m->layer_count; i++) {
        const pg_layer *l = &m->layers[i];
        int at = 0;
        if (!nad_reads_map(m, l)) continue;
        while (at < s->maps &&
               (m->layers[s->map[at]].in_height != l->in_height || m->layers[s->map[at]].in_width != l->in_width))
            at++;
        s->map[at] = i;
        if (at == s->maps) s->maps++;
    }
}

static pg_status nad_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    nad_state *s = state;
    const nad_options *o = values;
    pg_attack_view teachers = *view;
    size_t pixels = 0;
    s->options = o;
    snprintf(s->task, sizeof s->task, "%s teacher", view->seed.task);
    teachers.seed.task = s->task;
    s->teaching = o->pupil;
    s->teaching.tuning.epochs = o->teacher_epochs;
    s->pupil.coach.penalty = nad_penalty;
    PG_TRY(pg_pupil_start(&s->teacher, &s->teaching, &teachers, err));
    PG_TRY(pg_pupil_start(state, values, view, err));
    PG_TRY(pg_net_create(&s->pupil.model->spec, o->pupil.tuning.batch, true, PG_CONV_AUTO, &s->net, err));
    nad_find_maps(s);
    for (int i = 0; i < s->maps; i++) {
        const pg_layer *l = &s->pupil.model->layers[s->map[i]];
        const size_t size = (size_t)l->in_height * (size_t)l->in_width;
        pixels = size > pixels ? size : pixels;
        PG_TRY(pg_alloc((size_t)o->pupil.tuning.batch * size * (size_t)l->in_channels, sizeof *s->dx[i], &s->dx[i], err));
    }
    PG_TRY(pg_alloc(2 * pixels, sizeof *s->work, &s->work, err));
done:
    return status;
}

static pg_status nad_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    nad_state *s = state;
    if (!pg_tuned_done(&s->teacher.tuned)) {
        pg_pupil_decay(&s->teacher, 0.1, 2);
        return pg_tuned_step(&s->teacher.tuned, what, err);
    }
    pg_pupil_decay(state, 0.1, 2);
    const pg_status status = pg_pupil_step(state, what, outcome, err);
    if (status != PG_OK || *what != PG_ATTACK_LAST) return status;
    const pg_outcome teacher = pg_pupil_outcome(&s->teacher, NULL);
    const double shown = pg_trainer_progress(s->pupil.tuned.trainer)->images;
    outcome->images += teacher.images + shown;
    outcome->macs += teacher.macs + shown * pg_model_macs(s->teacher.model);
    return PG_OK;
}

/* The training of the teacher, and what it is shown afterwards. */
static double nad_shown(const void *values, double images, int classes)
{
    const nad_options *o = values;
    (void)classes;
    return images * (o->teacher_epochs + o->pupil.tuning.epochs);
}

static double nad_progress(const void *state)
{
    const nad_state *s = state;
    const double first = s->options->teacher_epochs, second = s->options->pupil.tuning.epochs;
    return (first * pg_tuned_progress(&s->teacher) + second * pg_tuned_progress(state)) / (first + second);
}

static void nad_keep(void *state, pg_snapshot *snapshot)
{
    pg_tuned_keep(state, snapshot);
    snapshot->prefix = "teacher.";
    pg_tuned_keep(&((nad_state *)state)->teacher, snapshot);
    snapshot->prefix = NULL;
}

static void nad_finish(void *state)
{
    nad_state *s = state;
    pg_pupil_finish(state);
    pg_pupil_finish(&s->teacher);
    pg_net_destroy(&s->net);
    for (int i = 0; i < PG_ROWS_MAX; i++) pg_free(s->dx[i]);
    pg_free(s->work);
}

const pg_attack pg_attack_nad = {
    .name = "nad",
    .summary = "fine-tune a copy, then train the stolen network to attend to the same places as the copy",
    .source = "Li et al., ICLR 2021 (neural attention distillation); Gan et al., ICCV 2023",
    .options = nad_table,
    .options_size = sizeof(nad_options),
    .state_size = sizeof(nad_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share", .shown = nad_shown},
    .check = pg_pupil_check,
    .start = nad_start,
    .step = nad_step,
    .progress = nad_progress,
    .keep = nad_keep,
    .finish = nad_finish,
};
