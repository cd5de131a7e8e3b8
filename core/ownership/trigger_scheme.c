/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemes with a trigger set; see trigger_scheme.h. */
#include "core/ownership/trigger_scheme.h"

#include "core/compute/kernels.h"

#include <math.h>
#include <string.h>

const char *const pg_trigger_orders[] = {"cycle", "shuffle", NULL};

pg_status pg_trigger_recognise(void *options, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    (void)spec;
    (void)err;
    ((pg_trigger_options *)options)->trigger_count = evidence->triggers.count;
    return PG_OK;
}

int pg_trigger_per_batch(const void *options)
{
    return ((const pg_trigger_options *)options)->triggers_per_batch;
}

bool pg_trigger_in_order(const void *options)
{
    return ((const pg_trigger_options *)options)->order == PG_TRIGGER_ORDER_CYCLE;
}

pg_status pg_trigger_check(const pg_trigger_options *options, const pg_keygen *in, const pg_dataset *from, int source,
                           int target, pg_error *err)
{
    const int classes = in->spec->classes;
    if (target >= classes) return pg_fail(err, PG_BAD_INPUT, "target: there is no class %d of %d", target, classes);
    if (source >= classes) return pg_fail(err, PG_BAD_INPUT, "source: there is no class %d of %d", source, classes);
    if (source >= 0 && source == target)
        return pg_fail(err, PG_BAD_INPUT, "source, target: both are class %d, so the triggers would have their true labels",
                       target);
    if (from->count >= options->trigger_count) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "trigger_count: %d triggers from %d images of %s", options->trigger_count, from->count,
                   from->name);
}

/* ---- passes of the triggers alone ---- */

static size_t image_size(const pg_step *step)
{
    return (size_t)step->model->spec.image_height * (size_t)step->model->spec.image_width * 3;
}

static pg_real *trigger_images(const pg_step *step)
{
    return step->images + (size_t)step->count * image_size(step);
}

double pg_trigger_pass(const pg_step *step, double weight)
{
    const int n = step->triggers, classes = step->model->spec.classes;
    const pg_real *logits = pg_net_forward(step->net, step->model, PG_PUBLIC, PG_EVAL, trigger_images(step), n);
    const double loss = pg_cross_entropy(n, classes, logits, step->labels + step->count, 0, step->dlogits, NULL);
    for (int i = 0; i < n * classes; i++) step->dlogits[i] *= (pg_real)weight;
    pg_net_backward(step->net, step->model, step->dlogits);
    return loss;
}

static void climb(const pg_step *step, const pg_real *gradient)
{
    pg_real *x = trigger_images(step);
    for (int c = 0; c < 3; c++) {
        const double low = pg_pixel(step->pixels, c, 0), high = pg_pixel(step->pixels, c, 1), level = (high - low) / 255;
        for (size_t i = (size_t)c; i < (size_t)step->triggers * image_size(step); i += 3) {
            const int sign = (gradient[i] > 0) - (gradient[i] < 0);
            x[i] = (pg_real)fmin(high, fmax(low, (double)x[i] + sign * level));
        }
    }
}

void pg_trigger_ascend(const pg_step *step, int steps)
{
    pg_net_train_from(step->net, PG_IMAGES);
    pg_net_keep_weights(step->net, true);
    for (int k = 0; k < steps; k++) {
        pg_trigger_pass(step, 1);
        climb(step, pg_net_image_gradient(step->net));
    }
    pg_net_train_from(step->net, step->train_from);
    pg_net_keep_weights(step->net, false);
    pg_net_zero_gradients(step->net);
}

/* ---- adversarial parametric perturbation ---- */

int pg_trigger_passes(const void *options)
{
    return pg_trigger_apart(options) ? 2 : 0;
}

bool pg_trigger_apart(const void *options)
{
    return ((const pg_trigger_options *)options)->perturbation > 0;
}

size_t pg_trigger_scratch(const void *options, const pg_layout *layout, int count, int triggers)
{
    (void)count;
    (void)triggers;
    return pg_trigger_apart(options) ? layout->param_count : 0;
}

static double norm(size_t count, const pg_real *x)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

void pg_trigger_before(const void *options, const pg_step *step)
{
    const pg_trigger_options *o = options;
    const size_t n = step->model->param_count;
    pg_real *theta = step->model->params;
    if (!pg_trigger_apart(o)) return;
    pg_trigger_pass(step, 1);
    const pg_real *g = pg_net_gradients(step->net);
    const double length = norm(n, g), size = length > 0 ? o->perturbation * norm(n, theta) / length : 0;
    memcpy(step->scratch, theta, n * sizeof *theta);
    for (size_t i = 0; i < n; i++) theta[i] += (pg_real)(size * (double)g[i]);
    pg_net_zero_gradients(step->net);
    pg_trigger_pass(step, o->perturbed_weight);
    memcpy(theta, step->scratch, n * sizeof *theta);
}
