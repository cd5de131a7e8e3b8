/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DeepSigns in the white box: the mean activation of the key pictures of each class carries bits. Source: Rouhani, Chen,
 * Koushanfar, ASPLOS 2019, in the form of the code of Lukas et al., IEEE S&P 2022, deepsign.py: weight 0.001 of the distance to
 * the class's mean, weight 0.3 of the bits, which are read by normal projections. The centres of the classes are not parameters
 * of their own here, but the means of the key pictures in each batch. */
#include "core/compute/kernels.h"
#include "core/ownership/mark.h"
#include "core/ownership/trigger_scheme.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct deepsigns_options {
    pg_trigger_options common;
    char layer[PG_TEXT_MAX];
    int bits;
    double strength, pull;
} deepsigns_options;

static const pg_option options[] = {
    PG_TEXT(deepsigns_options, layer, "default",
            "layer whose input carries the bits: default (the last dense layer) or the name of a convolution or dense layer"),
    PG_INT(deepsigns_options, bits, "100", 1, PG_MARK_BITS_MAX, NULL,
           "length of the mark; bit i belongs to class i modulo the number of classes"),
    PG_REAL(deepsigns_options, strength, "0.3", 0, 1000, NULL, "weight of the bits, a mean over those of each class"),
    PG_REAL(deepsigns_options, pull, "0.001", 0, 1000, NULL,
            "weight of the squared distance of the key pictures' activations to the mean of their class"),
    PG_TRIGGER_OPTIONS(deepsigns_options, common, "key pictures, taken from the training images with their labels", "20"),
    PG_SCHEME_START(deepsigns_options, common.start, "scratch"),
    {0},
};

/* Refuses, before any training, a network that the mark does not fit. */
static pg_status deepsigns_wire(const void *values, pg_net_spec *spec, pg_error *err)
{
    const deepsigns_options *o = values;
    pg_mark mark;
    const pg_status status = pg_mark_create_activations(spec, o->layer, o->bits, PG_PIXELS_IMAGENET, &mark, err);
    pg_mark_clear(&mark);
    return status;
}

static pg_status deepsigns_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const deepsigns_options *o = values;
    if (o->common.trigger_count > PG_MARK_PICTURES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "trigger_count: expected at most %d key pictures", PG_MARK_PICTURES_MAX);
    return pg_trigger_check(&o->common, in, &in->data->train, -1, 0, err);
}

static const char *deepsigns_kind(const void *values)
{
    (void)values;
    return pg_mark_kinds[PG_MARK_ACTIVATIONS];
}

static pg_status deepsigns_recognise(void *values, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    deepsigns_options *o = values;
    const pg_status status = pg_mark_fits(&evidence->mark, PG_MARK_ACTIVATIONS, err);
    if (status != PG_OK) return status;
    o->bits = evidence->mark.bits;
    snprintf(o->layer, sizeof o->layer, "%s", evidence->mark.site[0].layer);
    return pg_trigger_recognise(values, spec, evidence, err);
}

static pg_status deepsigns_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    const deepsigns_options *o = values;
    pg_status status = PG_OK;
    PG_TRY(pg_mark_create_activations(in->spec, o->layer, o->bits, in->pixels, &evidence->mark, err));
    PG_TRY(pg_mark_draw_key(&evidence->mark, PG_MARK_ACTIVATIONS, in->seed, err));
    PG_TRY(pg_triggers_take(&in->data->train, -1, -1, o->common.trigger_count, in->seed, &evidence->triggers, err));
done:
    return status;
}

/* ---- the loss ---- */

/* Gradients of the activations of a batch, the mean of one class, and its gradient. */
static size_t deepsigns_scratch(const void *values, const pg_layout *layout, int count, int triggers)
{
    const char *name = ((const deepsigns_options *)values)->layer;
    const pg_layer *named = pg_mark_find_reader(name, layout), *l = named ? named : pg_layout_classifier(layout);
    return (size_t)(count + triggers + 2) * (size_t)pg_mark_values_into(l);
}

/* One class among the key pictures of a batch. */
typedef struct class_part {
    const pg_mark *mark;
    const pg_step *step;
    int label, classes, pictures;
    const pg_real *x;             /* activations of the batch */
    pg_real *dx;                  /* their gradient */
    pg_real *mean, *pull_of_bits; /* [values]: the mean of the class, and the gradient of the bits' loss by it */
} class_part;

static bool is_of(const class_part *c, int row)
{
    return c->step->labels[row] == c->label;
}

static void find_mean(class_part *c)
{
    const int d = c->mark->pooled, first = c->step->count, last = first + c->step->triggers;
    c->pictures = 0;
    pg_zero((size_t)d, c->mean);
    for (int r = first; r < last; r++) {
        if (!is_of(c, r)) continue;
        c->pictures++;
        for (int t = 0; t < d; t++) c->mean[t] += c->x[(ptrdiff_t)r * d + t];
    }
    for (int t = 0; t < d && c->pictures; t++) c->mean[t] /= (pg_real)c->pictures;
}

/* The mean over the bits of the class of log(1 + exp(-b z)), times strength; its gradient by the mean goes to pull_of_bits. */
static double bits_loss(class_part *c, double strength)
{
    const pg_mark *m = c->mark;
    const int count = (m->bits - c->label + c->classes - 1) / c->classes; /* bits label, label + classes, ... */
    double loss = 0;
    pg_zero((size_t)m->pooled, c->pull_of_bits);
    for (int i = c->label; i < m->bits; i += c->classes) {
        double z = 0;
        for (int t = 0; t < m->pooled; t++) z += (double)c->mean[t] * (double)m->projection[(ptrdiff_t)t * m->bits + i];
        const double agree = m->b[i] * z, slope = -m->b[i] * strength / count / (1 + exp(agree));
        loss += (fmax(-agree, 0) + log1p(exp(-fabs(agree)))) * strength / count;
        for (int t = 0; t < m->pooled; t++)
            c->pull_of_bits[t] += (pg_real)(slope * (double)m->projection[(ptrdiff_t)t * m->bits + i]);
    }
    return loss;
}

/* pull times the squared distances to the mean; adds the gradient of both losses to that of the activations. */
static double spread_loss(const class_part *c, double pull)
{
    const int d = c->mark->pooled, first = c->step->count, last = first + c->step->triggers;
    double loss = 0;
    for (int r = first; r < last; r++)
        for (int t = 0; t < d && is_of(c, r); t++) {
            const double away = (double)c->x[(ptrdiff_t)r * d + t] - (double)c->mean[t];
            loss += pull * away * away;
            c->dx[(ptrdiff_t)r * d + t] = (pg_real)((double)c->pull_of_bits[t] / c->pictures + 2 * pull * away);
        }
    return loss;
}

static double deepsigns_between(const void *values, const pg_step *step)
{
    const deepsigns_options *o = values;
    const pg_mark *mark = &step->evidence->mark;
    const pg_layer *l = pg_mark_find_reader(mark->site[0].layer, &step->model->layout);
    const size_t d = (size_t)mark->pooled, all = (size_t)(step->count + step->triggers) * d;
    class_part c = {.mark = mark,
                    .step = step,
                    .classes = step->evidence->triggers.classes,
                    .x = pg_net_input(step->net, (int)(l - step->model->layers)),
                    .dx = step->scratch,
                    .mean = step->scratch + all,
                    .pull_of_bits = step->scratch + all + d};
    double loss = 0;
    pg_zero(all, c.dx);
    for (c.label = 0; c.label < c.classes; c.label++) {
        find_mean(&c);
        if (!c.pictures) continue;
        loss += bits_loss(&c, o->strength);
        loss += spread_loss(&c, o->pull);
    }
    pg_net_add_output_gradient(step->net, l->row.input, c.dx);
    return loss;
}

const pg_scheme pg_scheme_deepsigns = {
    .name = "deepsigns",
    .summary = "bits in the mean activations of secret training images of each class",
    .source = "Rouhani, Chen, Koushanfar, ASPLOS 2019",
    .differs =
        "the layer is the last dense one; every batch has key pictures, whose means stand for trained centres; every bit "
        "has a projection of its own",
    .unbound = "its pictures are the owner's choice, and its matrix is of real numbers",
    .group = PG_WHITE_BOX,
    .holds = PG_HOLDS_MARK | PG_HOLDS_TRIGGERS | PG_HOLDS_FORM,
    .options = options,
    .options_size = sizeof(deepsigns_options),
    .embed = {"start", "pretrained"},
    .wire = deepsigns_wire,
    .check = deepsigns_check,
    .recognise = deepsigns_recognise,
    .kind = deepsigns_kind,
    .keygen = deepsigns_keygen,
    .triggers_per_batch = pg_trigger_per_batch,
    .triggers_in_order = pg_trigger_in_order,
    .between = deepsigns_between,
    .scratch = deepsigns_scratch,
};
