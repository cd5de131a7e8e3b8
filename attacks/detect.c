/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Detection: is there a mark? The attacker trains unmarked twins of the network, with other seeds, and compares the weights of
 * each layer. Two statistics describe the distribution of a layer's weights: the mean Kolmogorov-Smirnov distance to the
 * weights of the (other) twins, and the logarithm of the standard deviation. He tests for each how far the suspect is from the
 * twins: a Student t prediction test, (suspect - mean of twins) / (their deviation sqrt(1 + 1 / twins)), one-sided for the
 * distance and two-sided for the deviation. mark_p_value is the smallest p-value times the number of tests (Bonferroni).
 *
 * ks_p_value is the p-value of a Kolmogorov-Smirnov test of the same layer against one twin. That test assumes that weights are
 * independent draws, so it rejects every network, twins too. Sources: Wang, Kerschbaum, ICASSP 2019 (the variance of a marked
 * layer); Bellafqira, Coatrieux, 2022 (property inference, of which this is the form without training a detector); the
 * comparison with several twins is ours. */
#include "attacks/attack.h"

#include "core/base/memory.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stddef.h>

typedef struct detect_options {
    int twins;
} detect_options;

static const pg_option options[] = {
    PG_INT(detect_options, twins, "4", 3, PG_REFERENCES_MAX, NULL,
           "unmarked networks that the attacker trains for the comparison"),
    {0},
};

typedef struct detect_state {
    const pg_attack_view *view;
    double *sorted[1 + PG_REFERENCES_MAX]; /* weights of one layer, rising: the suspect's, then the twins' */
    size_t count;                          /* weights of that layer */
    int twins, tests, layer;               /* the layer of the smallest p-value, from 1 */
    double p_value, distance, of_twins, ks_p_value;
} detect_state;

static pg_status detect_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    detect_state *s = state;
    (void)values;
    (void)err;
    *s = (detect_state){.view = view, .twins = view->reference_count, .p_value = INFINITY};
    return PG_OK;
}

/* ---- two distributions ---- */

/* Largest difference of the distribution functions of two sorted samples of the same size. */
static double detect_distance(const double *a, const double *b, size_t count)
{
    size_t i = 0, k = 0;
    double largest = 0;
    while (i < count && k < count) {
        const double at = fmin(a[i], b[k]);
        while (i < count && a[i] <= at) i++;
        while (k < count && b[k] <= at) k++;
        largest = fmax(largest, fabs((double)i - (double)k) / (double)count);
    }
    return largest;
}

/* Probability of a larger distance if both samples, of this size, come from one distribution (Kolmogorov's limit). */
static double detect_tail(double distance, size_t count)
{
    const double x = distance * sqrt((double)count / 2);
    double sum = 0;
    if (x < 0.2) return 1;
    for (int k = 1; k <= 100; k++) sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * x * x);
    return fmin(fmax(sum, 0), 1);
}

/* ---- a layer ---- */

/* One-sided p-value that the first of 1 + twins values is another draw like the others. */
static double detect_predict(const double *values, int twins)
{
    const double mean = gsl_stats_mean(values + 1, 1, (size_t)twins),
                 spread = gsl_stats_sd(values + 1, 1, (size_t)twins) * sqrt(1 + 1.0 / twins);
    if (!(spread > 0)) return values[0] > mean ? 0 : 1;
    return gsl_cdf_tdist_Q((values[0] - mean) / spread, twins - 1);
}

static const pg_model *detect_model(const detect_state *s, int network)
{
    return network ? s->view->references[network - 1] : s->view->model;
}

/* Number of weights of a layer; 0 if it has none. */
static size_t detect_size(const pg_layer *l)
{
    if (l->weight < 0) return 0;
    const int taps = l->row.kind == PG_ROW_CONV ? l->row.kernel * l->row.kernel : l->in_height * l->in_width;
    return (size_t)taps * (size_t)l->depth * (size_t)l->out_channels;
}

static pg_status detect_sort(detect_state *s, int layer, pg_error *err)
{
    pg_status status = PG_OK;
    s->count = detect_size(&s->view->model->layers[layer]);
    for (int n = 0; n <= s->twins; n++) {
        const pg_model *m = detect_model(s, n);
        PG_TRY(pg_alloc(s->count, sizeof(double), &s->sorted[n], err));
        for (size_t i = 0; i < s->count; i++) s->sorted[n][i] = (double)m->params[m->layers[layer].weight + (ptrdiff_t)i];
        gsl_sort(s->sorted[n], 1, s->count);
    }
done:
    return status;
}

static void detect_release(detect_state *s)
{
    for (int n = 0; n <= PG_REFERENCES_MAX; n++) {
        pg_free(s->sorted[n]);
        s->sorted[n] = NULL;
    }
}

/* Mean distances of every network to the twins, itself left out. */
static void detect_distances(const detect_state *s, double *distances)
{
    for (int n = 0; n <= s->twins; n++) {
        distances[n] = 0;
        for (int t = 1; t <= s->twins; t++)
            if (t != n) distances[n] += detect_distance(s->sorted[n], s->sorted[t], s->count) / (s->twins - (n > 0));
    }
}

static void detect_weigh(detect_state *s, int layer)
{
    double distances[1 + PG_REFERENCES_MAX], deviations[1 + PG_REFERENCES_MAX];
    detect_distances(s, distances);
    for (int n = 0; n <= s->twins; n++) deviations[n] = log(gsl_stats_sd(s->sorted[n], 1, s->count) + 1e-300);
    const double above = detect_predict(deviations, s->twins),
                 p = fmin(detect_predict(distances, s->twins), 2 * fmin(above, 1 - above));
    s->tests += 2;
    if (p >= s->p_value) return;
    s->p_value = p;
    s->layer = layer + 1;
    s->distance = distances[0];
    s->of_twins = gsl_stats_mean(distances + 1, 1, (size_t)s->twins);
    s->ks_p_value = detect_tail(detect_distance(s->sorted[0], s->sorted[1], s->count), s->count);
}

static pg_status detect_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    detect_state *s = state;
    for (int layer = 0; layer < s->view->model->layer_count; layer++) {
        if (detect_size(&s->view->model->layers[layer]) < 2) continue;
        PG_TRY(detect_sort(s, layer, err));
        detect_weigh(s, layer);
        detect_release(s);
    }
    *what = PG_ATTACK_LAST;
    *outcome = (pg_outcome){.measures = {{"mark_p_value", "", fmin(1, s->p_value * s->tests)},
                                         {"mark_layer", "", s->layer},
                                         {"ks_distance", "", s->distance},
                                         {"ks_of_twins", "", s->of_twins},
                                         {"ks_p_value", "", s->ks_p_value}}};
done:
    return status;
}

static void detect_finish(void *state)
{
    detect_release(state);
}

const pg_attack pg_attack_detect = {
    .name = "detect",
    .summary = "test whether the network is marked: compare the weights of each layer with those of unmarked twins",
    .source = "Wang, Kerschbaum, ICASSP 2019; the comparison with several twins is derived",
    .options = options,
    .options_size = sizeof(detect_options),
    .state_size = sizeof(detect_state),
    .sees = PG_SEES_REFERENCES,
    .steady = true,
    .costs = {.networks = "twins"},
    .start = detect_start,
    .step = detect_step,
    .finish = detect_finish,
};
