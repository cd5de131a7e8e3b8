/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A counterfeit Uchida mark: a projection and bits of the forger's own, made for the weights as they are. Nothing of the model
 * changes, no data is used.
 *
 * With w the mean filter of the layer, a filter X_j of the projection reads bit j as the sign of X_j . w. Starting from normal
 * X, the forger moves each filter along w, the only direction that matters, to X_j + (t_j - X_j . w) w / |w|^2, which reads t_j
 * exactly. The closed form takes t_j = +-margin by the bit he wants. The iteration takes the result of gradient descent on the
 * embedding loss over X_j (its gradient (sigmoid(X_j . w) - b_j) w never leaves w). Free choice moves nothing and calls the
 * bits he reads his mark. Source: the ambiguity attack on Uchida's marks in Fan, Ng, Chan, NeurIPS 2019; the procedures are
 * derived. */
#include "attacks/attack.h"

#include "core/base/memory.h"
#include "core/ownership/mark.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stddef.h>

enum { METHOD_ITERATIVE, METHOD_CLOSED, METHOD_FREE };
static const char *const methods[] = {"iterative", "closed-form", "free", NULL};

typedef struct counterfeit_options {
    int method, bits;
    char layer[PG_TEXT_MAX];
    double margin, rate;
} counterfeit_options;

static const pg_option options[] = {
    PG_CHOICE(counterfeit_options, method, "closed-form", methods,
              "gradient descent on the projection, the smallest change of it that reads the wanted bits, or no change "
              "and the bits that it reads"),
    PG_INT(counterfeit_options, bits, "256", 1, PG_MARK_BITS_MAX, NULL, "length of the mark"),
    PG_TEXT(
        counterfeit_options, layer, "default",
        "convolutions that the forger claims are marked: default (the first that carries a passport by default), or a choice "
        "like that of layers"),
    PG_REAL(counterfeit_options, margin, "1", PG_ABOVE_ZERO, 1000, NULL,
            "for closed-form: absolute value that every filter reads"),
    PG_REAL(counterfeit_options, rate, "0.01", 1e-4, 1000, NULL,
            "for iterative: learning rate in units of 1 / |w|^2; a reading moves by at most this much in a step"),
    {0},
};

typedef struct counterfeit_state {
    const counterfeit_options *options;
    const pg_attack_view *view;
    pg_evidence *forged;
    double *w, *reads, *target; /* mean filter; readings of the filters, and the readings aimed at [bits] */
    int taps, iterations;
} counterfeit_state;

static pg_status counterfeit_uchida_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const counterfeit_options *o = values;
    return pg_mark_check(view->model, o->layer, o->bits, PG_MARK_GAUSSIAN, err);
}

static pg_status counterfeit_uchida_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    counterfeit_state *s = state;
    const counterfeit_options *o = values;
    pg_status status = PG_OK;
    s->options = o;
    s->view = view;
    pg_net_spec spec = view->model->spec;
    spec.passports = 0;
    PG_TRY(pg_attack_evidence(&spec, PG_HOLDS_MARK, pg_mark_kinds[PG_MARK_GAUSSIAN], &s->forged, err));
    PG_TRY(pg_mark_create(&spec, o->layer, o->bits, PG_MARK_GAUSSIAN, &s->forged->mark, err));
    PG_TRY(pg_mark_fit(&s->forged->mark, view->model, err));
    s->taps = pg_mark_width(&s->forged->mark);
    PG_TRY(pg_alloc((size_t)s->taps, sizeof *s->w, &s->w, err));
    PG_TRY(pg_alloc((size_t)o->bits, sizeof *s->reads, &s->reads, err));
    PG_TRY(pg_alloc((size_t)o->bits, sizeof *s->target, &s->target, err));
done:
    return status;
}

static pg_status counterfeit_uchida_draw(counterfeit_state *s, pg_error *err)
{
    pg_rng rng;
    pg_mark *mark = &s->forged->mark;
    pg_rng_open(&rng, s->view->seed, "forged projection", 0);
    const pg_status status = pg_mark_draw(mark, PG_MARK_GAUSSIAN, &rng, err);
    pg_rng_open(&rng, s->view->seed, "forged bits", 0);
    for (int i = 0; i < mark->bits; i++) mark->b[i] = pg_rng_below(&rng, 2) ? 1 : -1;
    return status;
}

/* Gradient descent on the embedding loss over the projection until every bit is right: a reading z moves by rate (b - sigmoid).
 */
static void counterfeit_uchida_descend(counterfeit_state *s)
{
    const pg_mark *mark = &s->forged->mark;
    for (bool right = false; !right; s->iterations++) {
        right = true;
        for (int i = 0; i < mark->bits; i++) {
            const double b = mark->b[i];
            s->target[i] += s->options->rate * b / (1 + exp(b * s->target[i]));
            right &= b * s->target[i] > 0;
        }
    }
}

static void counterfeit_uchida_choose_targets(counterfeit_state *s)
{
    pg_mark *mark = &s->forged->mark;
    for (int i = 0; i < mark->bits; i++) {
        s->target[i] = s->reads[i];
        if (s->options->method == METHOD_CLOSED) s->target[i] = mark->b[i] * s->options->margin;
        if (s->options->method == METHOD_FREE) mark->b[i] = s->reads[i] > 0 ? 1 : -1;
    }
    if (s->options->method == METHOD_ITERATIVE) counterfeit_uchida_descend(s);
}

/* Every filter along w until it reads its target. Returns the length of the change over that of the projection, in percent. */
static double counterfeit_uchida_move(counterfeit_state *s, double squares)
{
    const pg_mark *mark = &s->forged->mark;
    double moved = 0, length = 0;
    for (int i = 0; i < mark->bits; i++) moved += pow(s->target[i] - s->reads[i], 2) / squares;
    for (int j = 0; j < s->taps; j++)
        for (int i = 0; i < mark->bits; i++) {
            pg_real *x = &mark->projection[j * mark->bits + i];
            *x += (pg_real)((s->target[i] - s->reads[i]) * s->w[j] / squares);
            length += (double)*x * (double)*x;
        }
    return 100 * sqrt(moved / length);
}

/* p-value of normality (Jarque and Bera, 1987) of the projection's entries: a possible objection of a judge. */
static pg_status counterfeit_uchida_normality(const pg_mark *mark, int taps, double *p, pg_error *err)
{
    double *values = NULL;
    const size_t n = (size_t)taps * (size_t)mark->bits;
    const pg_status status = pg_alloc(n, sizeof *values, &values, err);
    if (status != PG_OK) return status;
    for (size_t i = 0; i < n; i++) values[i] = (double)mark->projection[i];
    const double skew = gsl_stats_skew(values, 1, n), excess = gsl_stats_kurtosis(values, 1, n);
    *p = gsl_cdf_chisq_Q((double)n / 6 * (skew * skew + excess * excess / 4), 2);
    pg_free(values);
    return PG_OK;
}

static pg_status counterfeit_uchida_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    counterfeit_state *s = state;
    pg_status status = PG_OK;
    double squares = 0, p = 0;
    *what = PG_ATTACK_LAST;
    PG_TRY(counterfeit_uchida_draw(s, err));
    pg_mark_mean_filter(&s->forged->mark, s->view->model, s->w);
    for (int j = 0; j < s->taps; j++) squares += s->w[j] * s->w[j];
    if (!(squares > 0))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the mean filter is zero, no mark can be read", s->forged->mark.site[0].layer));
    pg_mark_project(&s->forged->mark, s->view->model, s->reads);
    counterfeit_uchida_choose_targets(s);
    const double change = counterfeit_uchida_move(s, squares);
    PG_TRY(counterfeit_uchida_normality(&s->forged->mark, s->taps, &p, err));
    *outcome = (pg_outcome){.evidence = s->forged,
                            .measures = {{"projection_change", "%", change},
                                         {"projection_normality_p", "", p},
                                         {"iterations", "steps", s->iterations}}};
done:
    return status;
}

static void counterfeit_uchida_finish(void *state)
{
    counterfeit_state *s = state;
    pg_evidence_destroy(&s->forged);
    pg_free(s->w);
    pg_free(s->reads);
    pg_free(s->target);
}

const pg_attack pg_attack_counterfeit_uchida = {
    .name = "counterfeit-uchida",
    .summary = "forge a second mark that the weights carry as well as the owner's",
    .source = "Fan, Ng, Chan, NeurIPS 2019, ambiguity of feature-based marks; the procedures are derived",
    .options = options,
    .options_size = sizeof(counterfeit_options),
    .state_size = sizeof(counterfeit_state),
    .needs = PG_HOLDS_MARK,
    .hands_on = true,
    .check = counterfeit_uchida_check,
    .start = counterfeit_uchida_start,
    .step = counterfeit_uchida_step,
    .finish = counterfeit_uchida_finish,
};
