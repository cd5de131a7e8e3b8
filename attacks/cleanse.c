/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neural cleanse: for each class the thief looks for the smallest stamp that turns his images into answers of that class. If
 * the owner's triggers carry a stamp, that of their class is by far the smallest. There are three forms of what he does then:
 *   unlearn  he trains the network to answer stamped images correctly;
 *   cut      he zeroes the last layer's weights on the values before it whose mean over his images rises most when they get
 *            the stamp, and does not train;
 *   launder  he zeroes the weights that lead to every channel of the second half of the network whose mean rises by more than
 *            a threshold at some pixel, and then unlearns. Channels that an addition ties are one channel.
 *
 * A stamp is a mask m [H,W] and a pattern t [H,W,3], both sigmoids; a stamped image is (1 - m) x + m t. Adam minimises
 *     cross-entropy of the class + lambda sum m
 * over the thief's images, the network in evaluation mode. The class of the smallest sum m is unlearned. Its anomaly index is
 * (median - sum m) / (1.4826 median absolute deviation) over the classes; the source takes 2 and more for a backdoor.
 *
 * Sources: Wang et al., "Neural Cleanse", IEEE S&P 2019 (unlearn, cut); Aiken et al., "Neural network laundering", 2020; the
 * constants from Lukas et al., IEEE S&P 2022, whose stamps are for one pair of classes; these are for the images of all
 * classes. */
#include "attacks/adam.h"
#include "attacks/pupil.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/compute/kernels.h"
#include "core/nets/spaces.h"
#include "core/ownership/picture_loss.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { FORM_UNLEARN, FORM_CUT, FORM_LAUNDER };
static const char *const forms[] = {"unlearn", "cut", "launder", NULL};

typedef struct cleanse_options {
    pg_pupil_options pupil;
    double lambda, stamped, pruned, conv_rise, dense_rise;
    int search, form;
} cleanse_options;

static const pg_option cleanse_table[] = {
    PG_PUPIL_IMAGES(cleanse_options, "20"),
    PG_PUPIL_LABELS(cleanse_options, "true"),
    PG_INT(cleanse_options, search, "12", 1, 10000, "epochs", "passes over the thief's images to find the stamp of each class"),
    PG_REAL(cleanse_options, lambda, "0.01", 0, 1000, NULL, "weight of the size of the stamp"),
    PG_REAL(cleanse_options, stamped, "20", 0, 100, "percent",
            "share of every batch that is stamped while the network unlearns; published: 20, and 50 for launder"),
    {PG_OPTION("form", cleanse_options, form, CHOICE, int, "unlearn",
               "what follows the search: training with stamped images (unlearn), removal of values before the last layer "
               "without training (cut), or removal of channels and then training (launder)"),
     .choices = forms, .later = true},
    {PG_OPTION("pruned", cleanse_options, pruned, REAL, double, "10",
               "cut: share of the values before the last layer that is removed"),
     .high = 100, .unit = "percent", .later = true},
    {PG_OPTION("conv_rise", cleanse_options, conv_rise, REAL, double, "0.5",
               "launder: a channel of a convolution is removed if its mean rises by more at some pixel; also published: 0.8"),
     .high = 1e6, .later = true},
    {PG_OPTION("dense_rise", cleanse_options, dense_rise, REAL, double, "0.2",
               "launder: an output of a dense layer is removed if its mean rises by more"),
     .high = 1e6, .later = true},
    PG_TUNING_ROWS(cleanse_options, pupil.tuning, "5", "0.001", "learning rate, constant", "false"),
    {0},
};

enum { CHUNK = 100 };
static const double adam_rate = 0.1;

typedef struct cleanse_state {
    pg_pupil pupil;
    const cleanse_options *options;
    pg_pixels pixels;
    pg_seed seed;
    pg_picture_loss loss; /* of the stolen network */
    size_t places;        /* H W */
    /* [4 places]: the mask before its sigmoid, then the pattern; moments of their gradients; gradient of a chunk */
    double *stamp, *first, *second, *gradient;
    double *best;        /* [4 places] of the class with the smallest mask */
    double *sizes, *hit; /* [classes] sum of the mask; percent of the images that the stamp turns */
    double *sorted;      /* [2,classes] to work in */
    int class, epoch;    /* the next to search; class `classes`: the search is over */
    long step;           /* of Adam, in this class */
    int removed;         /* units; -1: not yet */
} cleanse_state;

static pg_status cleanse_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const cleanse_options *o = values;
    pg_pupil_images images;
    return pg_pupil_choose(&o->pupil, view, &view->model->spec, &images, err);
}

/* Images that run forward and back in the searches. */
static double cleanse_shown(const void *values, double images, int classes)
{
    return ((const cleanse_options *)values)->search * images * classes;
}

/* ---- the stamp ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The pattern in channel c, as a network sees it. */
static double cleanse_pattern_of(const cleanse_state *s, const double *stamp, size_t place, int c)
{
    return pg_pixel(s->pixels, c, sigmoid(stamp[s->places + 3 * place + (size_t)c]));
}

/* Stamp n images [n,H,W,3]. */
static void cleanse_put_stamp(const cleanse_state *s, const double *stamp, int n, pg_real *images)
{
    for (size_t p = 0; p < s->places; p++) {
        const double m = sigmoid(stamp[p]);
        for (int c = 0; c < 3; c++) {
            const double ink = m * cleanse_pattern_of(s, stamp, p, c);
            pg_real *x = images + 3 * p + (size_t)c;
            for (int i = 0; i < n; i++, x += 3 * s->places) *x = (pg_real)((1 - m) * (double)*x + ink);
        }
    }
}

/* The gradient of the mean loss of n images with regard to the stamp; x: the stamped images, g: the gradients of their losses.
 * A stamped pixel is x = (1 - m) o + m t, so t - o = (t - x) / (1 - m). */
static void cleanse_find_gradient(cleanse_state *s, int n, const pg_real *x, const pg_real *g)
{
    const size_t image = 3 * s->places;
    for (size_t p = 0; p < s->places; p++) {
        const double m = sigmoid(s->stamp[p]);
        double mask = s->options->lambda * m * (1 - m);
        for (int c = 0; c < 3; c++) {
            const size_t at = 3 * p + (size_t)c;
            const double raw = sigmoid(s->stamp[s->places + at]), t = pg_pixel(s->pixels, c, raw),
                         scale = pg_pixel(s->pixels, c, 1) - pg_pixel(s->pixels, c, 0);
            double ink = 0;
            for (int i = 0; i < n; i++) {
                const double push = (double)g[(size_t)i * image + at] / n;
                ink += push;
                mask += push * m * (t - (double)x[(size_t)i * image + at]);
            }
            s->gradient[s->places + at] = ink * m * scale * raw * (1 - raw);
        }
        s->gradient[p] = mask;
    }
}

/* One step on n images from `from` on. Returns how many the stamp turned. */
static int cleanse_search_chunk(cleanse_state *s, int from, int n)
{
    pg_picture_loss *loss = &s->loss;
    pg_model *model = s->pupil.model;
    int32_t wanted[CHUNK];
    bool right[CHUNK];
    int turned = 0;
    for (int i = 0; i < n; i++) wanted[i] = s->class;
    pg_batch_range(&s->pupil.images, from, n, s->pixels, loss->images);
    cleanse_put_stamp(s, s->stamp, n, loss->images);
    pg_picture_loss_run(loss, model, n, wanted, NULL, right);
    for (int i = 0; i < n; i++) turned += right[i];
    cleanse_find_gradient(s, n, loss->images, pg_picture_loss_gradient(loss, model));
    pg_adam_step(4 * s->places, s->stamp, s->gradient, s->first, s->second, adam_rate, ++s->step);
    return turned;
}

static double cleanse_size_of_stamp(const cleanse_state *s)
{
    double sum = 0;
    for (size_t p = 0; p < s->places; p++) sum += sigmoid(s->stamp[p]);
    return sum;
}

static void cleanse_begin_class(cleanse_state *s)
{
    pg_rng rng;
    pg_rng_open(&rng, s->seed, "stamp", (uint64_t)s->class);
    for (size_t i = 0; i < 4 * s->places; i++) s->stamp[i] = pg_rng_normal(&rng);
    memset(s->first, 0, 4 * s->places * sizeof *s->first);
    memset(s->second, 0, 4 * s->places * sizeof *s->second);
    s->step = 0;
}

static int cleanse_suspect(const cleanse_state *s)
{
    int least = 0;
    for (int c = 1; c < s->class; c++)
        if (s->sizes[c] < s->sizes[least]) least = c;
    return least;
}

/* One pass over the thief's images for one class. */
static void cleanse_search(cleanse_state *s)
{
    const int count = s->pupil.images.count;
    int turned = 0;
    if (s->epoch == 0) cleanse_begin_class(s);
    for (int from = 0; from < count; from += CHUNK)
        turned += cleanse_search_chunk(s, from, count - from < CHUNK ? count - from : CHUNK);
    if (++s->epoch < s->options->search) return;
    s->sizes[s->class] = cleanse_size_of_stamp(s);
    s->hit[s->class] = 100.0 * turned / count;
    s->epoch = 0;
    s->class ++;
    if (cleanse_suspect(s) == s->class - 1) memcpy(s->best, s->stamp, 4 * s->places * sizeof *s->best);
}

static double cleanse_anomaly_index(cleanse_state *s, int class)
{
    const size_t n = (size_t)s->pupil.model->spec.classes;
    memcpy(s->sorted, s->sizes, n * sizeof *s->sorted);
    const double deviation = gsl_stats_mad(s->sorted, 1, n, s->sorted + n), median = gsl_stats_median(s->sorted, 1, n);
    return deviation > 0 ? (median - s->sizes[class]) / deviation : 0;
}

/* ---- removal of what the stamp activates ---- */

/* Add weight times the values that enter every watched layer, summed over the n images at hand, to sums[layer]. */
static void cleanse_add_inputs(const cleanse_state *s, int n, double weight, double *const sums[])
{
    const pg_model *m = s->pupil.model;
    for (int l = 0; l < m->layer_count; l++) {
        const int values = m->layers[l].in_height * m->layers[l].in_width * m->layers[l].in_channels;
        const pg_real *x = sums[l] ? pg_net_input(s->loss.net, l) : NULL;
        for (int i = 0; x && i < n * values; i++) sums[l][i % values] += weight * (double)x[i];
    }
}

/* The rise of the mean of each value that enters a watched layer when the thief's images get the stamp. */
static void cleanse_measure_rise(cleanse_state *s, double *const rise[])
{
    pg_model *m = s->pupil.model;
    const int count = s->pupil.images.count;
    for (int stamped = 0; stamped < 2; stamped++)
        for (int from = 0; from < count; from += CHUNK) {
            const int n = pg_min(CHUNK, count - from);
            pg_batch_range(&s->pupil.images, from, n, s->pixels, s->loss.images);
            if (stamped) cleanse_put_stamp(s, s->best, n, s->loss.images);
            pg_net_forward(s->loss.net, m, PG_PUBLIC, PG_EVAL, s->loss.images, n);
            cleanse_add_inputs(s, n, (stamped ? 1.0 : -1.0) / count, rise);
        }
}

/* Zero the last layer's weights on the values [values] that rise most. */
static pg_status cleanse_cut(cleanse_state *s, const double *rise, int values, pg_error *err)
{
    pg_model *m = s->pupil.model;
    pg_real *w = m->params + pg_model_classifier(m)->weight;
    size_t *order = NULL;
    const pg_status status = pg_alloc((size_t)values, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    gsl_sort_index(order, rise, 1, (size_t)values);
    s->removed = (int)floor(s->options->pruned / 100 * values);
    for (int k = values - s->removed; k < values; k++)
        for (int c = 0; c < m->spec.classes; c++) w[(size_t)c * (size_t)values + order[k]] = 0;
    pg_free(order);
    return PG_OK;
}

/* Zero the weights that lead to one channel of a space. Were any not zero before? */
static bool cleanse_silence(pg_model *m, const pg_spaces *spaces, int space, int channel)
{
    bool any = false;
    for (int l = 0; l < m->layer_count; l++) {
        if (!pg_layer_makes(&m->layout, spaces, l, space)) continue;
        const pg_filters f = pg_layer_filters(&m->layers[l]);
        pg_real *w = m->params + m->layers[l].weight + channel * f.output_step;
        for (int i = 0; i < f.taps * f.inputs; i++) {
            pg_real *at = w + i / f.inputs * f.tap_step + i % f.inputs * f.input_step;
            any |= *at != 0;
            *at = 0;
        }
    }
    return any;
}

static double cleanse_threshold(const cleanse_state *s, const pg_spaces *spaces, int space)
{
    const pg_model *m = s->pupil.model;
    for (int l = 0; l < m->layer_count; l++)
        if (pg_layer_makes(&m->layout, spaces, l, space) && m->layers[l].row.kind == PG_ROW_CONV) return s->options->conv_rise;
    return s->options->dense_rise;
}

static void cleanse_launder(cleanse_state *s, const pg_spaces *spaces, double *const rise[])
{
    pg_model *m = s->pupil.model;
    s->removed = 0;
    for (int l = 0; l < m->layer_count; l++) {
        const pg_layer *reader = &m->layers[l];
        if (!rise[l]) continue;
        const double threshold = cleanse_threshold(s, spaces, spaces->in[l]);
        for (int i = 0; i < reader->in_height * reader->in_width * reader->in_channels; i++)
            if (rise[l][i] > threshold) s->removed += cleanse_silence(m, spaces, spaces->in[l], i % reader->in_channels);
    }
}

/* Is the rise of what enters a layer measured? That of the last one to cut; to launder, that of the second half of the layers
 * with weights. */
static bool cleanse_watches(const cleanse_state *s, const pg_spaces *spaces, int layer)
{
    const pg_model *m = s->pupil.model;
    int before = 0, all = 0;
    if (layer == m->layer_count - 1) return true;
    if (s->options->form == FORM_CUT || m->layers[layer].weight < 0 || spaces->in[layer] == PG_FIXED) return false;
    for (int l = 0; l < m->layer_count; l++) {
        all += m->layers[l].weight >= 0;
        before += m->layers[l].weight >= 0 && l < layer;
    }
    return 2 * before >= all;
}

static pg_status cleanse_remove(cleanse_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_model *m = s->pupil.model;
    const pg_layer *last = pg_model_classifier(m);
    double *rise[PG_ROWS_MAX] = {NULL};
    pg_spaces spaces;
    pg_spaces_find(&m->layout, &spaces);
    for (int l = 0; l < m->layer_count; l++) {
        const pg_layer *layer = &m->layers[l];
        const size_t values = (size_t)layer->in_height * (size_t)layer->in_width * (size_t)layer->in_channels;
        if (cleanse_watches(s, &spaces, l)) PG_TRY(pg_alloc(values, sizeof *rise[l], &rise[l], err));
    }
    cleanse_measure_rise(s, rise);
    if (s->options->form == FORM_LAUNDER) cleanse_launder(s, &spaces, rise);
    if (s->options->form == FORM_CUT)
        PG_TRY(cleanse_cut(s, rise[m->layer_count - 1], last->in_height * last->in_width * last->in_channels, err));
done:
    for (int l = 0; l < m->layer_count; l++) pg_free(rise[l]);
    return status;
}

/* ---- unlearning ---- */

/* Stamp the first images of the batch; their labels stay right. */
static void cleanse_stamp_batch(void *pupil, const pg_step *step)
{
    const cleanse_state *s = pupil;
    cleanse_put_stamp(s, s->best, (int)lround(s->options->stamped / 100 * step->count), step->images);
}

/* ---- the attack ---- */

static pg_status cleanse_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    cleanse_state *s = state;
    const cleanse_options *o = values;
    pg_pupil *p = &s->pupil;
    const pg_net_spec *spec = &view->model->spec;
    pg_pupil_images images;
    s->options = o;
    s->pixels = view->pixels;
    s->seed = view->seed;
    s->places = (size_t)(spec->image_height * spec->image_width);
    s->removed = o->form == FORM_UNLEARN ? 0 : -1;
    double **const arrays[] = {&s->stamp, &s->first, &s->second, &s->gradient, &s->best};
    PG_TRY(pg_pupil_choose(&o->pupil, view, spec, &images, err));
    p->coach.prepare = cleanse_stamp_batch;
    PG_TRY(pg_pupil_open(p, &o->pupil, &images, view, NULL, err));
    PG_TRY(pg_picture_loss_open(&p->model->spec, CHUNK, &s->loss, err));
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) PG_TRY(pg_alloc(4 * s->places, sizeof(double), arrays[i], err));
    PG_TRY(pg_alloc((size_t)spec->classes, sizeof *s->sizes, &s->sizes, err));
    PG_TRY(pg_alloc((size_t)spec->classes, sizeof *s->hit, &s->hit, err));
    PG_TRY(pg_alloc(2 * (size_t)spec->classes, sizeof *s->sorted, &s->sorted, err));
done:
    return status;
}

static void cleanse_report(cleanse_state *s, pg_outcome *outcome)
{
    const int suspect = cleanse_suspect(s), count = s->pupil.images.count;
    const double searched = cleanse_shown(s->options, count, s->pupil.images.classes);
    outcome->images += searched;
    outcome->macs += searched * pg_net_training_macs(s->loss.net, 1);
    outcome->measures[0] = (pg_measure){"stamped_class", "class", suspect};
    outcome->measures[1] = (pg_measure){"stamp_size", "pixels", s->sizes[suspect]};
    outcome->measures[2] = (pg_measure){"stamp_turns", "%", s->hit[suspect]};
    outcome->measures[3] = (pg_measure){"anomaly_index", "deviations", cleanse_anomaly_index(s, suspect)};
    if (s->options->form == FORM_UNLEARN) return;
    outcome->images += 2 * count;
    outcome->macs += 2 * count * pg_model_macs(s->pupil.model);
    outcome->measures[4] = (pg_measure){"removed", s->options->form == FORM_CUT ? "values" : "channels", s->removed};
}

static pg_status cleanse_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    cleanse_state *s = state;
    pg_status status = PG_OK;
    *what = PG_ATTACK_WORKING;
    if (s->class < s->pupil.model->spec.classes)
        cleanse_search(s);
    else if (s->removed < 0)
        PG_TRY(cleanse_remove(s, err));
    else if (s->options->form != FORM_CUT)
        PG_TRY(pg_pupil_step(&s->pupil, what, outcome, err));
    else {
        *what = PG_ATTACK_LAST;
        *outcome = pg_tuned_outcome(&s->pupil.tuned, s->pupil.model);
    }
    if (*what == PG_ATTACK_LAST) cleanse_report(s, outcome);
done:
    return status;
}

static double cleanse_progress(const void *state)
{
    const cleanse_state *s = state;
    const double search = cleanse_shown(s->options, 1, s->pupil.images.classes), all = search + s->options->pupil.tuning.epochs;
    return ((double)s->class * s->options->search + s->epoch + pg_tuned_progress(state) * (all - search)) / all;
}

static void cleanse_keep(void *state, pg_snapshot *snapshot)
{
    cleanse_state *s = state;
    const int classes = s->pupil.model->spec.classes;
    pg_tuned_keep(state, snapshot);
    PG_KEEP(snapshot, s->stamp, 4 * s->places, "stamp");
    PG_KEEP(snapshot, s->first, 4 * s->places, "first");
    PG_KEEP(snapshot, s->second, 4 * s->places, "second");
    PG_KEEP(snapshot, s->best, 4 * s->places, "best");
    PG_KEEP(snapshot, s->sizes, (size_t)classes, "sizes");
    PG_KEEP(snapshot, s->hit, (size_t)classes, "hit");
    PG_KEEP_IN(snapshot, &s->class, 0, classes, "class");
    PG_KEEP_IN(snapshot, &s->epoch, 0, s->options->search - 1, "search");
    PG_KEEP_IN(snapshot, &s->step, 0, (double)s->options->search * s->pupil.images.count, "adam");
    if (s->options->form != FORM_UNLEARN) PG_KEEP_IN(snapshot, &s->removed, -1, INT_MAX, "removed");
}

static void cleanse_finish(void *state)
{
    cleanse_state *s = state;
    double *const arrays[] = {s->stamp, s->first, s->second, s->gradient, s->best, s->sizes, s->hit, s->sorted};
    pg_pupil_finish(&s->pupil);
    pg_picture_loss_close(&s->loss);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pg_free(arrays[i]);
}

const pg_attack pg_attack_cleanse = {
    .name = "cleanse",
    .summary = "look for the smallest stamp that turns images into answers of a class, then train the network to ignore it, "
               "or remove the channels that it activates",
    .source = "Wang et al., IEEE S&P 2019 (neural cleanse); Aiken et al., 2020 (laundering); constants of Lukas et al., IEEE "
              "S&P 2022",
    .options = cleanse_table,
    .options_size = sizeof(cleanse_options),
    .state_size = sizeof(cleanse_state),
    .sees = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED,
    .remakes = true,
    .costs = {.epochs = "epochs", .share = "share", .shown = cleanse_shown},
    .check = cleanse_check,
    .start = cleanse_start,
    .step = cleanse_step,
    .progress = cleanse_progress,
    .keep = cleanse_keep,
    .finish = cleanse_finish,
};
