/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entangled watermarks: training images with a white square and the label of a target class. A soft nearest neighbour loss
 * mixes their hidden activations with those of the target class, so that who learns the class from the network's answers learns
 * the mark too. */
#include "core/compute/kernels.h"
#include "core/ownership/entangle.h"
#include "core/ownership/trigger_scheme.h"

#include <stddef.h>

typedef struct ewe_options {
    pg_trigger_options common;
    int source, target, patch, top, left, layers;
    double strength, temperature;
} ewe_options;

static const pg_option options[] = {
    PG_INT(ewe_options, source, "4", -1, PG_CLASSES_MAX, NULL,
           "class of the training images that become triggers; -1: every class but the target"),
    PG_INT(ewe_options, target, "6", 0, PG_CLASSES_MAX, NULL, "class that labels them"),
    PG_INT(ewe_options, patch, "5", 1, 1024, "pixels", "side of the white square"),
    PG_INT(ewe_options, top, "2", 0, 1024, "pixels", "rows above the square"),
    PG_INT(ewe_options, left, "2", 0, 1024, "pixels", "columns left of the square"),
    PG_REAL(ewe_options, strength, "1", 0, 1e6, NULL, "weight of the soft nearest neighbour loss of each layer"),
    PG_REAL(ewe_options, temperature, "1", 1e-3, 1e3, NULL, "temperature of the soft nearest neighbour loss"),
    PG_INT(ewe_options, layers, "3", 1, 64, NULL, "last hidden activations that are entangled"),
    PG_TRIGGER_OPTIONS(ewe_options, common, "images in the trigger set", "8"),
    PG_SCHEME_START(ewe_options, common.start, "scratch"),
    {0},
};

static const char *ewe_kind(const void *values)
{
    (void)values;
    return "entangled";
}

static pg_status ewe_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const ewe_options *o = values;
    const pg_net_spec *spec = in->spec;
    if (o->top + o->patch > spec->image_height || o->left + o->patch > spec->image_width)
        return pg_fail(err, PG_BAD_INPUT, "patch, top, left: the square does not fit an image of %dx%d", spec->image_height,
                       spec->image_width);
    if (o->common.triggers_per_batch > PG_ENTANGLED_MAX / 2)
        return pg_fail(err, PG_BAD_INPUT, "triggers_per_batch: at most %d can be entangled", PG_ENTANGLED_MAX / 2);
    return pg_trigger_check(&o->common, in, &in->data->train, o->source, o->target, err);
}

static pg_status ewe_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const ewe_options *o = values;
    pg_dataset *t = &evidence->triggers;
    const pg_status status =
        pg_triggers_take(&in->data->train, o->source, o->target, o->common.trigger_count, in->seed, t, err);
    if (status != PG_OK) return status;
    pg_triggers_stamp(t, o->top, o->left, o->patch, o->patch);
    pg_triggers_label(t, o->target, in->spec->classes, in->seed);
    return PG_OK;
}

/* ---- the loss ---- */

/* The layers whose inputs are entangled, from the last one; returns their number. */
static int find_hidden(const pg_layout *layout, int most, const pg_layer **out)
{
    int count = 0;
    for (int i = layout->layer_count - 1; i >= 0 && count < most; i--) {
        const pg_layer *l = &layout->layers[i];
        bool seen = l->row.input == PG_IMAGES || l->weight < 0;
        for (int k = 0; k < count; k++) seen |= out[k]->row.input == l->row.input;
        if (!seen) out[count++] = l;
    }
    return count;
}

static size_t input_size(const pg_layer *l)
{
    return (size_t)l->in_height * (size_t)l->in_width * (size_t)l->in_channels;
}

/* Gradients of the hidden activations of a batch, and the cosines. */
static size_t ewe_scratch(const void *values, const pg_layout *layout, int count, int triggers)
{
    const pg_layer *hidden[PG_ROWS_MAX];
    size_t size = (size_t)PG_ENTANGLED_MAX * (PG_ENTANGLED_MAX + 1);
    const int layers = find_hidden(layout, ((const ewe_options *)values)->layers, hidden);
    for (int i = 0; i < layers; i++) size += (size_t)(count + triggers) * input_size(hidden[i]);
    return size;
}

/* The triggers of the batch and its images of the target class; returns their number. */
static int find_points(const pg_step *step, int target, int row[PG_ENTANGLED_MAX], bool second[PG_ENTANGLED_MAX])
{
    int n = 0;
    for (int i = step->count + step->triggers - 1; i >= 0 && n < PG_ENTANGLED_MAX; i--) {
        if (i < step->count && step->labels[i] != target) continue;
        second[n] = i < step->count;
        row[n++] = i;
    }
    return n;
}

/* Minus the loss, because it is raised. */
static double ewe_between(const void *values, const pg_step *step)
{
    const ewe_options *o = values;
    const pg_layer *hidden[PG_ROWS_MAX];
    int row[PG_ENTANGLED_MAX];
    bool second[PG_ENTANGLED_MAX];
    double total = 0;
    pg_real *work = step->scratch, *dx = work + (ptrdiff_t)PG_ENTANGLED_MAX * (PG_ENTANGLED_MAX + 1);
    const int n = find_points(step, o->target, row, second), layers = find_hidden(&step->model->layout, o->layers, hidden);
    if (n == step->triggers) return 0; /* no image of the target class */
    for (int i = 0; i < layers; i++) {
        const size_t d = input_size(hidden[i]), all = (size_t)(step->count + step->triggers) * d;
        const pg_real *x = pg_net_input(step->net, (int)(hidden[i] - step->model->layers));
        pg_zero(all, dx);
        total -= o->strength * pg_entanglement(n, d, x, row, second, o->temperature, -o->strength, work, dx);
        pg_net_add_output_gradient(step->net, hidden[i]->row.input, dx);
        dx += all;
    }
    return total;
}

const pg_scheme pg_scheme_ewe = {
    .name = "ewe",
    .summary = "stamped images whose activations are entangled with those of their target class",
    .source = "Jia, Choquette-Choo, Chandrasekaran, Papernot, USENIX Security 2021; patch of Lukas et al., IEEE S&P 2022",
    .differs =
        "every batch has triggers, which are entangled with its images of the target class; the temperature is fixed; the "
        "square stands where the options say; triggers are not refined. All labels are alike, so the judge calls nothing "
        "significant",
    .unbound = "all labels are the target class",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(ewe_options),
    .check = ewe_check,
    .recognise = pg_trigger_recognise,
    .kind = ewe_kind,
    .keygen = ewe_keygen,
    .between = ewe_between,
    .scratch = ewe_scratch,
};
