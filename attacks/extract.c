/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Extraction: the thief never sees the weights of the stolen network. He queries it with images and trains a network of his
 * own, from random weights, on its answers. Each image costs one query.
 *
 * He may take the owner's images, others from the same source, or another data set (knockoff). With Jacobian augmentation
 * (`rounds`) the training has rounds + 1 equal parts. He begins with images / 2^rounds images and doubles them after each part
 * but the last: every image x gives x + step sign(d p_c / d x), with p_c the pupil's probability of the class that the stolen
 * network answers. He queries the network with these too. A part trains on all its images equally often, without random crops
 * and flips.
 *
 * Fidelity is the share of the test images on which his network and the stolen one answer the same class. Evidence that is read
 * layer by layer finds nothing to read in a network of another architecture.
 *
 * Sources: Lukas et al., IEEE S&P 2022 (retraining, distillation: T = 3 and alpha = 1); Orekondy, Schiele, Fritz, CVPR 2019
 * (knockoff); Papernot et al., AsiaCCS 2017 (Jacobian augmentation; step 0.1 of the range and 6 rounds are UNVERIFIED). */
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/ownership/accuracy.h"
#include "core/ownership/picture_loss.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct extract_options {
    pg_pupil_options pupil;
    double temperature, alpha;
    char arch[PG_TEXT_MAX], data[PG_TEXT_MAX];
    int data_train, rounds, step;
} extract_options;

/* Labels are those of the stolen network. */
static const char *const labels[] = {"hard", "soft", NULL};

static const pg_option options[] = {
    {PG_OPTION("labels", extract_options, pupil.labels, CHOICE, int, "soft",
               "answers of the stolen network: its class alone (hard) or its probabilities (soft)"),
     .choices = labels},
    PG_REAL(extract_options, temperature, "1", PG_ABOVE_ZERO, 1000, NULL, "temperature of the softmax, for soft labels"),
    PG_REAL(extract_options, alpha, "1", 0, 1, NULL,
            "share of the loss on the answers; the rest is the cross-entropy with the true labels"),
    PG_TEXT(
        extract_options, arch, "same",
        "architecture of the thief's network, by name or as a network file relative to the grid's folder (x.yaml); same: that of "
        "the stolen one"),
    PG_TEXT(extract_options, data, "", "data set of the images; empty: the victim's own"),
    PG_INT(extract_options, data_train, "0", 0, 1e9, "images", "training images of that data set; 0: all"),
    PG_PUPIL_IMAGES(extract_options, "100"),
    PG_INT(extract_options, rounds, "0", 0, 16, NULL, "Jacobian augmentation: how often the images double"),
    PG_INT(extract_options, step, "26", 1, 255, "levels of 255", "Jacobian augmentation: change of a pixel"),
    PG_TUNING_ROWS(extract_options, pupil.tuning, "60", "0.1",
                   "highest learning rate: it rises for a fifth of the steps, then falls to zero", "true"),
    {0},
};

enum { CHUNK = 64 };

typedef struct extract_state {
    pg_pupil pupil;
    pg_pupil_options settings;
    const extract_options *options;
    const pg_attack_view *view;
    pg_dataset grown;     /* Jacobian augmentation: all images at the end, with the classes of the stolen network */
    pg_picture_loss loss; /* of the pupil, for them */
    int part;             /* of the training, from 0 */
} extract_state;

static pg_other_data extract_other_data(const void *values)
{
    const extract_options *o = values;
    return (pg_other_data){.name = o->data[0] ? o->data : NULL, .key = "data", .train = o->data_train};
}

/* ---- what is asked for ---- */

/* The pupil's own options; labels here are hard or soft. */
static pg_pupil_options settings_of(const extract_options *o)
{
    pg_pupil_options settings = o->pupil;
    settings.labels = o->pupil.labels ? PG_LABELS_SOFT : PG_LABELS_HARD;
    return settings;
}

static bool extract_reshapes(const void *values)
{
    return strcmp(((const extract_options *)values)->arch, "same") != 0;
}

static pg_status extract_spec(const pg_attack_view *view, pg_net_spec *out, pg_error *err)
{
    pg_layout layout;
    *out = pg_net_spec_public(&view->model->spec);
    if (!view->arch) return PG_OK;
    *out = pg_net_spec_unmarked(out);
    out->arch = view->arch;
    return pg_layout_plan(out, &layout, err);
}

/* The thief's images: those of the other data set alone if he names one. */
static pg_status extract_images(const extract_options *o, const pg_attack_view *view, const pg_net_spec *spec,
                                pg_pupil_images *out, pg_error *err)
{
    const pg_pupil_options settings = settings_of(o);
    const pg_status status = pg_pupil_choose(&settings, view, spec, out, err);
    if (status != PG_OK) return status;
    const int count = out->other ? out->other_count : out->own_count, parts = o->rounds + 1;
    if (out->other) out->own_count = 0;
    if (count < o->pupil.tuning.batch)
        return pg_fail(err, PG_BAD_INPUT, "batch: %d images do not fill one batch of %d", count, o->pupil.tuning.batch);
    if (o->alpha < 1 && (out->other || o->rounds))
        return pg_fail(err, PG_BAD_INPUT, "alpha: the thief has no true labels of these images, so it must be 1");
    out->doublings = o->rounds;
    out->own_count >>= o->rounds;
    out->other_count >>= o->rounds;
    if (o->rounds && (count % (1 << o->rounds) || o->pupil.tuning.epochs % parts))
        return pg_fail(err, PG_BAD_INPUT,
                       "rounds: %d images cannot be halved %d times, or %d epochs cannot be divided into %d parts", count,
                       o->rounds, o->pupil.tuning.epochs, parts);
    return PG_OK;
}

static pg_status extract_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_net_spec spec;
    pg_pupil_images images;
    const pg_status status = extract_spec(view, &spec, err);
    return status == PG_OK ? extract_images(values, view, &spec, &images, err) : status;
}

/* ---- Jacobian augmentation ---- */

/* Number of distinct images in this part of the training; the others repeat them. */
static int extract_distinct(const extract_state *s)
{
    return s->grown.count >> (s->options->rounds - s->part);
}

static size_t extract_image_size(const extract_state *s)
{
    return (size_t)(s->grown.height * s->grown.width * 3);
}

/* Fill the batch from the images of this part. */
static void extract_prepare(void *pupil, const pg_step *step)
{
    const extract_state *s = pupil;
    for (int i = 0; i < step->count; i++) {
        const uint32_t index = (uint32_t)step->labels[i];
        pg_batch_fill(&s->grown, &index, 1, NULL, step->pixels, NULL, step->images + (size_t)i * extract_image_size(s));
    }
}

/* Start from the images of the first part, with the answered classes as labels. */
static pg_status extract_begin_growing(extract_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_pupil *p = &s->pupil;
    s->grown.classes = p->images.classes;
    PG_TRY(pg_dataset_allocate(&s->grown, p->images.count, p->images.height, p->images.width, err));
    PG_TRY(pg_picture_loss_open(&p->model->spec, CHUNK, &s->loss, err));
    memcpy(s->grown.images, p->images.images, (size_t)p->images.count * extract_image_size(s));
    for (int i = 0; i < s->grown.count; i++) s->grown.labels[i] = pg_pupil_class(p, i);
done:
    return status;
}

/* Move n images from `from` on, and ask about them. */
static void extract_augment(extract_state *s, int from, int n)
{
    pg_pupil *p = &s->pupil;
    const int classes = p->images.classes;
    pg_real *answers = p->answers + (ptrdiff_t)from * classes;
    pg_picture_loss_show(&s->loss, p->model, &s->grown, from, n, s->view->pixels, NULL, NULL);
    pg_picture_loss_step(&s->loss, p->model, &s->grown, from, n, -s->options->step);
    pg_oracle_ask(s->view->answers, &s->grown, from, n, answers);
    for (int i = 0; i < n; i++) s->grown.labels[from + i] = pg_oracle_class(answers + (ptrdiff_t)i * classes, classes);
}

static void extract_repeat(extract_state *s, int from, int to, int n)
{
    pg_real *answers = s->pupil.answers;
    const size_t size = extract_image_size(s), classes = (size_t)s->grown.classes;
    memcpy(s->grown.images + (size_t)to * size, s->grown.images + (size_t)from * size, (size_t)n * size);
    memcpy(s->grown.labels + to, s->grown.labels + from, (size_t)n * sizeof *s->grown.labels);
    memcpy(answers + (size_t)to * classes, answers + (size_t)from * classes, (size_t)n * classes * sizeof *answers);
}

/* Double the images. The places before and after the new ones already hold the old ones. */
static void extract_grow(extract_state *s)
{
    const int old = extract_distinct(s), now = 2 * old;
    for (int at = 0; at < old; at += CHUNK) extract_augment(s, old + at, old - at < CHUNK ? old - at : CHUNK);
    for (int at = now; at < s->grown.count; at += now) extract_repeat(s, 0, at, now);
    s->part++;
}

/* ---- the attack ---- */

static pg_train_options extract_training(const extract_options *o, pg_pixels pixels)
{
    pg_train_options train = pg_tuning_train(&o->pupil.tuning, pixels);
    train.schedule = PG_SCHEDULE_ONE_CYCLE;
    train.warmup = 0.2;
    return train;
}

static pg_status extract_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    extract_state *s = state;
    const extract_options *o = values;
    pg_pupil *p = &s->pupil;
    pg_net_spec spec;
    pg_pupil_images images;
    s->options = o;
    s->view = view;
    s->settings = settings_of(o);
    PG_TRY(extract_spec(view, &spec, err));
    PG_TRY(extract_images(o, view, &spec, &images, err));
    PG_TRY(pg_model_create(&spec, &p->model, err));
    pg_model_initialise(p->model, view->seed, "weights");
    p->tuned.train = extract_training(o, view->pixels);
    p->temperature = s->settings.labels == PG_LABELS_SOFT ? o->temperature : 1;
    p->alpha = o->alpha;
    if (o->rounds) p->coach.prepare = extract_prepare;
    PG_TRY(pg_pupil_open(p, &s->settings, &images, view, view->answers, err));
    if (o->rounds) PG_TRY(extract_begin_growing(s, err));
done:
    return status;
}

/* Percent of the test images on which both networks answer the same class. */
static pg_status extract_fidelity(extract_state *s, double *percent, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_dataset *pictures = s->view->pictures;
    const int classes = s->pupil.images.classes;
    pg_real *logits = NULL;
    int32_t *answers = NULL;
    pg_accuracy accuracy;
    int same = 0;
    PG_TRY(pg_alloc((size_t)classes, sizeof *logits, &logits, err));
    PG_TRY(pg_alloc((size_t)pictures->count, sizeof *answers, &answers, err));
    PG_TRY(pg_measure_answers(s->pupil.model, PG_PUBLIC, NULL, pictures, s->view->pixels, CHUNK, &accuracy, answers, err));
    for (int i = 0; i < pictures->count; i++) {
        pg_oracle_ask(s->view->answers, pictures, i, 1, logits);
        same += answers[i] == pg_oracle_class(logits, classes);
    }
    *percent = 100.0 * same / pictures->count;
done:
    pg_free(logits);
    pg_free(answers);
    return status;
}

static pg_status extract_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    extract_state *s = state;
    pg_status status = PG_OK;
    double fidelity = 0;
    PG_TRY(pg_pupil_step(&s->pupil, what, outcome, err));
    const pg_progress *now = pg_trainer_progress(s->pupil.tuned.trainer);
    const int part = s->options->rounds ? now->epoch * (s->options->rounds + 1) / now->epochs : 0;
    if (part > s->part && part <= s->options->rounds) extract_grow(s);
    if (*what != PG_ATTACK_LAST) return PG_OK;
    PG_TRY(extract_fidelity(s, &fidelity, err));
    outcome->measures[0] = (pg_measure){"fidelity", "%", fidelity};
    outcome->measures[1] = (pg_measure){"queries", "images", s->pupil.images.count};
done:
    return status;
}

static void extract_keep(void *state, pg_snapshot *snapshot)
{
    extract_state *s = state;
    const size_t count = (size_t)s->grown.count;
    pg_tuned_keep(state, snapshot);
    if (!s->options->rounds) return;
    PG_KEEP(snapshot, s->grown.images, count * extract_image_size(s), "grown");
    PG_KEEP_WITHIN(snapshot, s->grown.labels, count, 0, s->grown.classes - 1, "classes");
    PG_KEEP(snapshot, s->pupil.answers, count * (size_t)s->grown.classes, "answers");
    PG_KEEP_IN(snapshot, &s->part, 0, s->options->rounds, "part");
}

static void extract_finish(void *state)
{
    extract_state *s = state;
    pg_pupil_finish(state);
    pg_picture_loss_close(&s->loss);
    pg_dataset_clear(&s->grown);
}

const pg_attack pg_attack_extract = {
    .name = "extract",
    .summary = "train another network on the answers of the stolen one, whose weights the thief never sees",
    .source = "Lukas et al., IEEE S&P 2022; Orekondy et al., CVPR 2019 (knockoff); Papernot et al., AsiaCCS 2017",
    .options = options,
    .options_size = sizeof(extract_options),
    .state_size = sizeof(extract_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_ANSWERS,
    .network = "arch",
    .remakes = true,
    .reshapes = extract_reshapes,
    .costs = {.epochs = "epochs", .share = "share"},
    .other_data = extract_other_data,
    .check = extract_check,
    .start = extract_start,
    .step = extract_step,
    .progress = pg_tuned_progress,
    .keep = extract_keep,
    .finish = extract_finish,
};
