/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blackmarks: bits that the network gives by its answers. Its mean outputs divide the classes into two groups, which stand for
 * 0 and 1. A training image of a class in one group, moved by one sign-gradient step towards a class of the other, carries that
 * group's bit. The marked network answers the class that the step aimed at, so the bits can be read from its answers. */
#include "core/compute/kernels.h"
#include "core/ownership/picture_loss.h"
#include "core/ownership/trigger_scheme.h"

#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct blackmarks_options {
    pg_trigger_options common;
    double epsilon, strength;
    int candidates;
} blackmarks_options;

static const pg_option options[] = {
    PG_REAL(blackmarks_options, epsilon, "0.1", 0.0039, 1, NULL,
            "length of the step, of pixels between 0 and 1; rounded to levels"),
    PG_INT(blackmarks_options, candidates, "100", 1, 1000, NULL,
           "training images tried for each bit, if there are so many (10 in the toolkit of Lukas et al.)"),
    PG_REAL(blackmarks_options, strength, "0.5", 0, 1000, NULL, "weight of the distance of the bits"),
    PG_TRIGGER_OPTIONS(blackmarks_options, common, "bits, half of them 0, each carried by one image", "2"),
    PG_SCHEME_START(blackmarks_options, common.start, "pretrained"),
    PG_TRIGGER_PERTURBATION(blackmarks_options, common),
    {0},
};

enum { CHUNK = 100, CLASSES_MAX = 4096 };

static bool blackmarks_wants_pretrained(const void *values)
{
    (void)values;
    return true;
}

static const char *blackmarks_kind(const void *values)
{
    (void)values;
    return "blackmarks";
}

static pg_status blackmarks_check(const void *values, const pg_keygen *in, pg_error *err)
{
    const blackmarks_options *o = values;
    if (in->spec->classes > CLASSES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "at most %d classes can be divided, not %d", CLASSES_MAX, in->spec->classes);
    if (o->common.trigger_count < 2) return pg_fail(err, PG_BAD_INPUT, "trigger_count: at least one image for each bit");
    return pg_trigger_check(&o->common, in, &in->data->train, -1, -1, err);
}

/* ---- groups of classes ---- */

static int image_size(const pg_dataset *t)
{
    return t->height * t->width * 3;
}

/* Sum the outputs for the pictures of each class into sums [classes,classes]. */
static pg_status sum_outputs(const pg_keygen *in, const pg_dataset *t, double *sums, pg_error *err)
{
    pg_picture_loss loss;
    const int classes = in->spec->classes;
    const pg_status status = pg_picture_loss_open(&in->pretrained->spec, CHUNK, &loss, err);
    for (int from = 0; from < t->count && status == PG_OK; from += CHUNK) {
        const int n = t->count - from < CHUNK ? t->count - from : CHUNK;
        pg_batch_range(t, from, n, in->pixels, loss.images);
        const pg_real *logits = pg_net_forward(loss.net, in->pretrained, PG_PUBLIC, PG_EVAL, loss.images, n);
        for (int i = 0; i < n * classes; i++) sums[t->labels[from + i / classes] * classes + i % classes] += (double)logits[i];
    }
    pg_picture_loss_close(&loss);
    return status;
}

static void average(const pg_dataset *t, double *sums)
{
    const int classes = t->classes;
    for (int c = 0; c < classes; c++) {
        int count = 0;
        for (int i = 0; i < t->count; i++) count += t->labels[i] == c;
        for (int k = 0; k < classes && count; k++) sums[c * classes + k] /= count;
    }
}

static double distance(int n, const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The two classes that are farthest apart are the first centres. */
static void find_farthest(int n, const double *means, double *centres)
{
    int best[2] = {0, 1};
    double most = -1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            const double d = distance(n, means + (ptrdiff_t)i * n, means + (ptrdiff_t)j * n);
            if (!(d > most)) continue;
            most = d;
            best[0] = j;
            best[1] = i;
        }
    for (int g = 0; g < 2; g++) memcpy(centres + (ptrdiff_t)g * n, means + (ptrdiff_t)best[g] * n, (size_t)n * sizeof *means);
}

/* Give every class its nearest centre; true if a group changed. */
static bool assign(int n, const double *means, const double *centres, uint8_t *group)
{
    bool changed = false;
    for (int c = 0; c < n; c++) {
        const double *at = means + (ptrdiff_t)c * n;
        const uint8_t nearest = distance(n, at, centres + n) < distance(n, at, centres);
        changed |= nearest != group[c];
        group[c] = nearest;
    }
    return changed;
}

static void move_centres(int n, const double *means, const uint8_t *group, double *centres)
{
    int count[2] = {0};
    memset(centres, 0, 2 * (size_t)n * sizeof *centres);
    for (int c = 0; c < n; c++) {
        count[group[c]]++;
        for (int k = 0; k < n; k++) centres[group[c] * n + k] += means[c * n + k];
    }
    for (int i = 0; i < 2 * n; i++) centres[i] /= count[i / n] ? count[i / n] : 1;
}

/* Divide the classes into two groups by k-means of their mean outputs. work: [classes + 2, classes]. */
static void divide(int n, double *work, uint8_t *group)
{
    enum { ROUNDS = 100 };
    double *centres = work + (ptrdiff_t)n * n;
    find_farthest(n, work, centres);
    for (int k = 0; k < ROUNDS && (assign(n, work, centres, group) || k == 0); k++) move_centres(n, work, group, centres);
}

/* ---- pictures ---- */

/* A random class of the group that the picture's own is not in. */
static int32_t aim(const uint8_t *group, int classes, int32_t own, pg_rng *rng)
{
    int there = 0;
    for (int c = 0; c < classes; c++) there += group[c] != group[own];
    int at = there ? (int)pg_rng_below(rng, (uint64_t)there) : 0;
    for (int c = 0; c < classes; c++)
        if (group[c] != group[own] && at-- == 0) return c;
    return own;
}

/* Move every candidate towards a class of the other group, which becomes its label. misread [count]: it has left its class. */
static pg_status step_all(const blackmarks_options *o, const pg_keygen *in, const uint8_t *group, pg_dataset *t, bool *misread,
                          pg_error *err)
{
    pg_picture_loss loss;
    pg_rng rng;
    int32_t own[CHUNK], aims[CHUNK];
    bool right[CHUNK];
    const int levels = (int)lround(255 * o->epsilon);
    const pg_status status = pg_picture_loss_open(&in->pretrained->spec, CHUNK, &loss, err);
    pg_rng_open(&rng, in->seed, "aims", 0);
    for (int from = 0; from < t->count && status == PG_OK; from += CHUNK) {
        const int n = t->count - from < CHUNK ? t->count - from : CHUNK;
        for (int i = 0; i < n; i++) {
            own[i] = t->labels[from + i];
            t->labels[from + i] = aims[i] = aim(group, t->classes, own[i], &rng);
        }
        pg_picture_loss_show(&loss, in->pretrained, t, from, n, in->pixels, NULL, NULL);
        pg_picture_loss_step(&loss, in->pretrained, t, from, n, -levels);
        memcpy(t->labels + from, own, (size_t)n * sizeof *own);
        pg_picture_loss_show(&loss, in->pretrained, t, from, n, in->pixels, NULL, right);
        memcpy(t->labels + from, aims, (size_t)n * sizeof *aims);
        for (int i = 0; i < n; i++) misread[from + i] = !right[i];
    }
    pg_picture_loss_close(&loss);
    return status;
}

/* Copy the first half of the triggers from candidates of bit 0, the second from those of bit 1; returns how many there were. */
static int choose(const pg_dataset *from, const uint8_t *group, const bool *misread, pg_dataset *t)
{
    int kept = 0;
    for (int bit = 0; bit < 2; bit++) {
        const int until = bit ? t->count : t->count / 2;
        for (int i = 0; i < from->count && kept < until; i++) {
            if (!misread[i] || group[from->labels[i]] != bit) continue;
            memcpy(t->images + (ptrdiff_t)kept * image_size(t), from->images + (ptrdiff_t)i * image_size(t),
                   (size_t)image_size(t));
            t->labels[kept++] = from->labels[i];
        }
        if (kept < until) break;
    }
    return kept;
}

static pg_status blackmarks_keygen(const void *values, const pg_keygen *in, pg_evidence *evidence, pg_error *err)
{
    pg_status status = PG_OK;
    const blackmarks_options *o = values;
    pg_dataset candidates = {0}, *t = &evidence->triggers;
    double *work = NULL;
    uint8_t *group = NULL;
    bool *misread = NULL;
    const int count = o->common.trigger_count, train = in->data->train.count, classes = in->spec->classes;
    const int tried = (long)count * o->candidates < train ? count * o->candidates : train;
    PG_TRY(pg_triggers_take(&in->data->train, -1, -1, tried, in->seed, &candidates, err));
    PG_TRY(pg_alloc((size_t)classes * (size_t)(classes + 2), sizeof *work, &work, err));
    PG_TRY(pg_alloc((size_t)classes, 1, &group, err));
    PG_TRY(pg_alloc((size_t)tried, sizeof *misread, &misread, err));
    PG_TRY(sum_outputs(in, &candidates, work, err));
    average(&candidates, work);
    divide(classes, work, group);
    PG_TRY(step_all(o, in, group, &candidates, misread, err));
    t->classes = classes;
    PG_TRY(pg_dataset_allocate(t, count, candidates.height, candidates.width, err));
    snprintf(t->name, sizeof t->name, "triggers");
    snprintf(t->source, sizeof t->source, "%d pictures of %s between two groups of classes", count, in->data->train.name);
    const int found = choose(&candidates, group, misread, t);
    if (found < count)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "epsilon, candidates: only %d of %d triggers were found among %d images", found,
                       count, tried));
done:
    pg_dataset_clear(&candidates);
    pg_free(work);
    pg_free(group);
    pg_free(misread);
    return status;
}

/* ---- the distance of the bits ---- */

/* Does a class stand for 1? The second half of the triggers have the labels that do. */
static bool stands_for_one(const pg_dataset *t, int class)
{
    for (int i = t->count / 2; i < t->count; i++)
        if (t->labels[i] == class) return true;
    return false;
}

/* Add strength / batch times |sum of the probabilities of classes that stand for 1 - bit| of one trigger. */
static double add_bit(const bool *one, int classes, int bit, double weight, const pg_real *logits, pg_real *dlogits)
{
    double highest = -INFINITY, sum = 0, ones = 0;
    for (int c = 0; c < classes; c++) highest = fmax(highest, (double)logits[c]);
    for (int c = 0; c < classes; c++) sum += exp((double)logits[c] - highest);
    for (int c = 0; c < classes; c++) ones += one[c] ? exp((double)logits[c] - highest) / sum : 0;
    for (int c = 0; c < classes; c++)
        dlogits[c] += (pg_real)((bit ? -weight : weight) * exp((double)logits[c] - highest) / sum * (one[c] - ones));
    return weight * (bit ? 1 - ones : ones);
}

static double blackmarks_between(const void *values, const pg_step *step)
{
    const blackmarks_options *o = values;
    const int classes = step->model->spec.classes;
    const double weight = o->strength / (step->count + step->triggers);
    bool one[CLASSES_MAX];
    double loss = 0;
    if (pg_trigger_apart(values)) return 0;
    for (int c = 0; c < classes; c++) one[c] = stands_for_one(&step->evidence->triggers, c);
    for (int i = step->count; i < step->count + step->triggers; i++) {
        const ptrdiff_t at = (ptrdiff_t)i * classes;
        loss += add_bit(one, classes, one[step->labels[i]], weight, step->logits + at, step->dlogits + at);
    }
    return loss;
}

const pg_scheme pg_scheme_blackmarks = {
    .name = "blackmarks",
    .summary = "two groups of classes stand for 0 and 1, and the answers to moved training images spell the bits",
    .source = "Chen, Rouhani, Koushanfar, 2019 (BlackMarks); defaults of Lukas et al., IEEE S&P 2022",
    .differs =
        "half of the bits are 0; the judge compares classes and not their groups, because a claimant could choose these; "
        "with a perturbation the distance of the bits is left out",
    .unbound = "a trained network chooses its pictures and their labels",
    PG_TRIGGER_MEMBERS,
    .options_size = sizeof(blackmarks_options),
    .alone = {"trigger_count", "4"},
    .match = 0.5,
    .wants_pretrained = blackmarks_wants_pretrained,
    .check = blackmarks_check,
    .recognise = pg_trigger_recognise,
    .kind = blackmarks_kind,
    .keygen = blackmarks_keygen,
    .trigger_passes = pg_trigger_passes,
    .before = pg_trigger_before,
    .triggers_apart = pg_trigger_apart,
    .between = blackmarks_between,
    .scratch = pg_trigger_scratch,
};
