/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake attack 3: passports far from the original. An insider who has the genuine passports adds a little noise and trains them
 * away from the original on the owner's training set. The training keeps the network's accuracy and, if he wants, a signature
 * in which he has turned a share of the bits. No weight changes.
 *
 * Loss: cross-entropy of the branch that runs on passports + sign loss for his bits + sum over passports of 1 / mean squared
 * distance from the original; the global norm of the passports' gradient is clipped. Sources: Fan, Ng, Chan, NeurIPS 2019, fake
 * attack 3; DeepIPR, passport_attack_3.py. */
#include "attacks/frozen.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/ownership/passport_scheme.h"

#include <math.h>
#include <stddef.h>

typedef struct fake3_options {
    double flips, noise, alpha, clip;
    pg_frozen_options train;
} fake3_options;

static const pg_option options[] = {
    PG_REAL(fake3_options, flips, "0", 0, 1, NULL,
            "share of the bits of every layer that are turned in the signature that the forger claims"),
    PG_REAL(fake3_options, noise, "0.001", PG_ABOVE_ZERO, 100, NULL,
            "standard deviation of the normal noise that is added to the genuine passports at the start"),
    PG_REAL(fake3_options, alpha, "0.1", 0, 100, NULL,
            "weight of the hinge in the sign loss; 0: no sign loss, as in the code of 2019"),
    PG_REAL(fake3_options, clip, "2", PG_ABOVE_ZERO, 1e6, NULL, "largest norm of the gradient of all passports together"),
    PG_FROZEN_OPTIONS(fake3_options, "100", "false"),
    {0},
};

/* One passport image that is trained: key or skey of a layer. */
typedef struct fake3_image {
    const pg_real *original; /* the genuine one */
    pg_real *forged, *momentum, *gradient;
    size_t count;
} fake3_image;

typedef struct fake3_state {
    pg_frozen frozen; /* frozen.forged: the passports that are trained */
    const fake3_options *options;
    const pg_attack_view *view;
    int count;
    fake3_image images[2 * PG_PASSPORTS_MAX]; /* skey and key of layer i at 2 i and 2 i + 1 */
    pg_real *dmeans;                          /* scratch: gradient of the window means of any layer */
} fake3_state;

/* ---- start ---- */

static pg_status fake3_turn_bits(const fake3_state *s, pg_error *err)
{
    pg_rng rng;
    pg_rng_open(&rng, s->view->seed, "turned bits", 0);
    for (int i = 0; i < s->frozen.forged->passport_count; i++) {
        pg_passport *p = &s->frozen.forged->passports[i];
        const int turned = (int)(s->options->flips * p->outputs);
        uint32_t *order = NULL;
        const pg_status status = pg_alloc((size_t)p->outputs, sizeof *order, &order, err);
        if (status != PG_OK) return status;
        pg_rng_permutation(&rng, order, (size_t)p->outputs);
        for (int t = 0; t < turned; t++) p->b[order[t]] = (int8_t)-p->b[order[t]];
        pg_free(order);
    }
    return PG_OK;
}

static pg_status fake3_open_image(fake3_state *s, const pg_real *original, pg_real *forged, size_t count, pg_rng *rng,
                                  pg_error *err)
{
    pg_status status = PG_OK;
    fake3_image *m = &s->images[s->count++];
    *m = (fake3_image){.original = original, .forged = forged, .count = count};
    for (size_t e = 0; e < count; e++) forged[e] = original[e] + (pg_real)(s->options->noise * pg_rng_normal(rng));
    PG_TRY(pg_alloc(count, sizeof *m->momentum, &m->momentum, err));
    PG_TRY(pg_alloc(count, sizeof *m->gradient, &m->gradient, err));
done:
    return status;
}

static pg_status fake3_open_images(fake3_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_rng rng;
    size_t largest = 0;
    pg_rng_open(&rng, s->view->seed, "passport noise", 0);
    for (int i = 0; i < s->frozen.forged->passport_count; i++) {
        const pg_passport *genuine = &s->view->evidence->passports[i], *p = &s->frozen.forged->passports[i];
        const pg_layer *l = pg_model_passport_layer(s->view->model, i);
        const size_t count = (size_t)(p->height * p->width * p->inputs);
        const size_t window = (size_t)(l->row.kernel * l->row.kernel * l->in_channels);
        PG_TRY(fake3_open_image(s, genuine->skey, p->skey, count, &rng, err));
        PG_TRY(fake3_open_image(s, genuine->key, p->key, count, &rng, err));
        largest = window > largest ? window : largest;
    }
    PG_TRY(pg_alloc(largest, sizeof *s->dmeans, &s->dmeans, err));
done:
    return status;
}

static pg_status fake3_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    return pg_frozen_check(&((const fake3_options *)values)->train, view->train, &view->model->spec, err);
}

static pg_status fake3_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    fake3_state *s = state;
    s->options = values;
    s->view = view;
    if (!view->model->spec.passports || !view->model->spec.private_affine || !view->evidence)
        return pg_fail(err, PG_BAD_INPUT, "fake3: the network has no passport layers, or their passports are missing");
    PG_TRY(pg_attack_passports(view->evidence, &s->frozen.forged, err));
    PG_TRY(fake3_turn_bits(s, err));
    PG_TRY(fake3_open_images(s, err));
    PG_TRY(pg_model_clone(view->model, &s->frozen.copy, err));
    PG_TRY(pg_frozen_open(&s->frozen, &s->options->train, PG_PRIVATE, view->train, view, err));
done:
    return status;
}

/* ---- training ---- */

static double fake3_mean_squared(const fake3_image *m)
{
    double sum = 0;
    for (size_t e = 0; e < m->count; e++) {
        const double d = (double)m->forged[e] - (double)m->original[e];
        sum += d * d;
    }
    return sum / (double)m->count;
}

/* Add the gradient of 1 / mean squared distance. */
static void fake3_add_repulsion(fake3_image *m)
{
    const double distance = fake3_mean_squared(m), strength = 2 / (distance * distance * (double)m->count);
    for (size_t e = 0; e < m->count; e++)
        m->gradient[e] -= (pg_real)(strength * ((double)m->forged[e] - (double)m->original[e]));
}

/* Gradient of the passports: through gamma or beta, the weights and the window means; and away from the original. */
static void fake3_find_gradients(fake3_state *s)
{
    const pg_model *m = s->frozen.copy;
    for (int i = 0; i < s->count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i / 2);
        const int window = l->row.kernel * l->row.kernel * l->in_channels;
        const pg_real *back = i % 2 ? pg_net_beta_gradient(s->frozen.net, i / 2) : pg_net_gamma_gradient(s->frozen.net, i / 2);
        pg_matvec_backward(window, l->out_channels, m->params + l->weight, back, s->dmeans);
        pg_passport_means_backward(l, s->dmeans, s->images[i].gradient);
        fake3_add_repulsion(&s->images[i]);
    }
}

static pg_status fake3_clip_gradients(fake3_state *s, pg_error *err)
{
    double sum = 0;
    for (int i = 0; i < s->count; i++)
        for (size_t e = 0; e < s->images[i].count; e++)
            sum += (double)s->images[i].gradient[e] * (double)s->images[i].gradient[e];
    const double norm = sqrt(sum);
    if (!isfinite(norm))
        return pg_fail(err, PG_FAILED,
                       "the gradient of the passports is not finite; a larger `noise` keeps them away from the original");
    for (int i = 0; norm > s->options->clip && i < s->count; i++)
        for (size_t e = 0; e < s->images[i].count; e++)
            s->images[i].gradient[e] = (pg_real)((double)s->images[i].gradient[e] * s->options->clip / norm);
    return PG_OK;
}

static pg_status fake3_train(void *state, pg_error *err)
{
    pg_status status = PG_OK;
    fake3_state *s = state;
    PG_TRY(pg_passports_install(s->frozen.net, s->frozen.copy, s->frozen.forged, err));
    PG_TRY(pg_frozen_forward(&s->frozen, err));
    if (s->options->alpha > 0) (void)pg_sign_loss(s->options->alpha, s->frozen.forged, s->frozen.net);
    pg_frozen_backward(&s->frozen);
    fake3_find_gradients(s);
    PG_TRY(fake3_clip_gradients(s, err));
    for (int i = 0; i < s->count; i++)
        pg_frozen_update(&s->frozen, s->images[i].count, s->images[i].forged, s->images[i].momentum, s->images[i].gradient);
done:
    return status;
}

/* ---- outcome ---- */

static double fake3_cosine(const fake3_image *m)
{
    double product = 0, a = 0, b = 0;
    for (size_t e = 0; e < m->count; e++) {
        product += (double)m->forged[e] * (double)m->original[e];
        a += (double)m->forged[e] * (double)m->forged[e];
        b += (double)m->original[e] * (double)m->original[e];
    }
    return a > 0 && b > 0 ? product / sqrt(a * b) : 0;
}

static pg_status fake3_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    fake3_state *s = state;
    double distance = 0, similarity = 0;
    if (!pg_frozen_done(&s->frozen)) return pg_frozen_step(&s->frozen, fake3_train, what, err);
    for (int i = 0; i < s->count; i++) {
        distance += fake3_mean_squared(&s->images[i]) / s->count;
        similarity += fake3_cosine(&s->images[i]) / s->count;
    }
    *what = PG_ATTACK_LAST;
    *outcome = pg_frozen_outcome(&s->frozen);
    outcome->measures[2] = (pg_measure){"passport_distance", "", distance};
    outcome->measures[3] = (pg_measure){"passport_cosine", "", similarity};
    return PG_OK;
}

static void fake3_keep(void *state, pg_snapshot *snapshot)
{
    fake3_state *s = state;
    pg_frozen_keep(state, snapshot);
    for (int i = 0; i < s->count; i++) {
        PG_KEEP(snapshot, s->images[i].forged, s->images[i].count, "passport.%d", i);
        PG_KEEP(snapshot, s->images[i].momentum, s->images[i].count, "momentum.%d", i);
    }
}

static void fake3_finish(void *state)
{
    fake3_state *s = state;
    pg_frozen_close(&s->frozen);
    for (int i = 0; i < s->count; i++) {
        pg_free(s->images[i].momentum);
        pg_free(s->images[i].gradient);
    }
    pg_free(s->dmeans);
}

/* The code of 2019 had no sign loss. */
static const pg_preset_default fake3_presets[] = {{"neurips19", "alpha", "0"}, {0}};

const pg_attack pg_attack_fake3 = {
    .name = "fake3",
    .summary = "train the genuine passports away from the original, with the same or another signature",
    .source = "Fan, Ng, Chan, NeurIPS 2019, fake attack 3; DeepIPR, passport_attack_3.py",
    .options = options,
    .options_size = sizeof(fake3_options),
    .state_size = sizeof(fake3_state),
    .sees = PG_SEES_TRAIN | PG_SEES_EVIDENCE,
    .needs = PG_HOLDS_PASSPORTS,
    .presets = fake3_presets,
    .figures = {.dissimilarity = true},
    .costs = {.epochs = "epochs"},
    .check = fake3_check,
    .start = fake3_start,
    .step = fake3_step,
    .progress = pg_frozen_progress,
    .keep = fake3_keep,
    .finish = fake3_finish,
};
