/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neural cleanse: the stamp that it finds, and the network after unlearning. */
#include "core/ownership/picture_loss.h"
#include "tests/unit/forgery.h"

enum { TARGET = 3, PATCH = 6, LEVEL = 255 };

/* A white patch in the corner of an image, on a black frame that no image has by itself. */
static void put_patch(const pg_dataset *set, int image)
{
    uint8_t *x = set->images + (size_t)image * (size_t)(set->height * set->width * 3);
    for (int row = 0; row < PATCH; row++)
        for (int i = 0; i < 3 * PATCH; i++) x[row * set->width * 3 + i] = row % 2 ? LEVEL : 0;
}

/* Percent of the patched training images of other classes that the network answers with the target. */
static double turned(pg_model *model)
{
    pg_picture_loss loss;
    pg_dataset all = {0};
    int count = 0, hits = 0;
    OK(pg_dataset_subset(&data.train, data.train.count, &all, &err));
    OK(pg_picture_loss_open(&model->spec, 1, &loss, &err));
    for (int i = 0; i < all.count; i++) {
        bool right;
        if (all.labels[i] == TARGET) continue;
        put_patch(&all, i);
        all.labels[i] = TARGET;
        pg_picture_loss_show(&loss, model, &all, i, 1, PG_PIXELS_IMAGENET, NULL, &right);
        count++;
        hits += right;
    }
    pg_picture_loss_close(&loss);
    pg_dataset_clear(&all);
    return 100.0 * hits / count;
}

/* A network that learned the images, and the target for every image with the patch. */
static subject backdoored(void)
{
    subject s = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_dataset set = {0}, clean = {0};
    pg_trainer *trainer = NULL;
    const pg_train_options train = {.epochs = 60, .batch = 20, .lr = 0.05, .momentum = 0.9};
    const int n = data.train.count;
    const size_t bytes = (size_t)(data.train.height * data.train.width * 3);
    OK(pg_dataset_subset(&data.train, n, &clean, &err));
    set.classes = clean.classes;
    OK(pg_dataset_allocate(&set, 2 * n, clean.height, clean.width, &err));
    for (int i = 0; i < 2 * n; i++) {
        memcpy(set.images + (size_t)i * bytes, clean.images + (size_t)(i % n) * bytes, bytes);
        set.labels[i] = i < n ? clean.labels[i] : TARGET;
        if (i >= n) put_patch(&set, i);
    }
    const pg_job job = {.model = s.model,
                        .scheme = pg_scheme_holding(0),
                        .data = &set,
                        .options = &train,
                        .seed = {.grid = 1, .task = "backdoor"}};
    OK(pg_trainer_create(&job, &trainer, &err));
    while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
    pg_trainer_destroy(&trainer);
    pg_dataset_clear(&set);
    pg_dataset_clear(&clean);
    return s;
}

/* The stamp of the planted class is the smallest, and the network that unlearned it answers the planted patch rightly too. */
TEST(a_planted_class_is_found_and_unlearned)
{
    raid r;
    pg_outcome o;
    subject victim = backdoored();
    assert_true(turned(victim.model) >= 90);
    open_forgery(&r, "cleanse", "{share: 100, search: 30, epochs: 15, batch: 20, lr: 0.02, stamped: 50}", &victim);
    assert_true(next(&r, &o));
    assert_false(o.evidence || next(&r, &o));
    assert_true(measure(&o, "stamped_class") == TARGET && measure(&o, "anomaly_index") > 2);
    assert_true(measure(&o, "stamp_turns") >= 90);
    if (!(turned(o.model) <= 40)) fail_msg("%g %% of patched images still give the target", turned(o.model));
    finish(&r);
    subject_destroy(&victim);
}

/* Cutting zeroes the last layer's weights on that share of the values before it, and changes nothing else. What it removes is
 * what the patch activates: fewer patched images give the target. */
TEST(what_a_planted_patch_activates_is_cut)
{
    raid r;
    pg_outcome o;
    subject victim = backdoored();
    const double before = turned(victim.model);
    open_forgery(&r, "cleanse", "{share: 100, search: 30, batch: 20, form: cut, pruned: 25}", &victim);
    assert_true(next(&r, &o));
    const pg_model *m = victim.model;
    const pg_layer *last = pg_model_classifier(m);
    const int values = last->in_height * last->in_width * last->in_channels;
    int silent = 0;
    for (int i = 0; i < values; i++) {
        bool zero = true;
        for (int c = 0; c < m->spec.classes; c++) zero &= o.model->params[last->weight + c * values + i] == 0;
        silent += zero;
    }
    assert_true(silent == values / 4 && measure(&o, "removed") == silent);
    for (ptrdiff_t i = 0; i < last->weight; i++) assert_true(o.model->params[i] == m->params[i]);
    assert_memory_equal(o.model->buffers, m->buffers, m->buffer_count * sizeof *m->buffers);
    if (!(turned(o.model) <= before - 20)) fail_msg("%g %% of patched images still give the target", turned(o.model));
    finish(&r);
    subject_destroy(&victim);
}

/* Laundering removes channels of the second half of the network before it trains; with thresholds that nothing reaches it is
 * unlearning. */
TEST(a_planted_patch_is_laundered)
{
    raid r;
    pg_outcome o;
    subject victim = backdoored();
    open_forgery(&r, "cleanse",
                 "{share: 100, search: 30, epochs: 15, batch: 20, lr: 0.02, stamped: 50, form: launder, conv_rise: 0.2}",
                 &victim);
    assert_true(next(&r, &o));
    assert_true(measure(&o, "removed") > 0);
    if (!(turned(o.model) <= 40)) fail_msg("%g %% of patched images still give the target", turned(o.model));
    finish(&r);
    subject_destroy(&victim);
}

TEST(laundering_that_removes_nothing_is_unlearning)
{
    static const char *const yamls[] = {"{share: 50, search: 2, epochs: 1, batch: 10}",
                                        "{share: 50, search: 2, epochs: 1, batch: 10, form: launder, conv_rise: 1e6}"};
    char hex[2][PG_SHA256_HEX];
    subject victim = victim_of("v1", PG_NORM_BN);
    for (int i = 0; i < 2; i++) hash_outcomes("cleanse", yamls[i], &victim, 1, hex[i]);
    assert_string_equal(hex[0], hex[1]);
    subject_destroy(&victim);
}

/* A channel that additions tie is silenced in every convolution that writes it, at its output alone. */
TEST(laundering_silences_tied_channels_everywhere)
{
    const site at = {"resnet9", "plain", "default", PG_NORM_GN};
    raid r;
    pg_outcome o;
    subject victim = subject_at(&at);
    open_forgery(&r, "cleanse",
                 "{share: 100, search: 1, epochs: 1, batch: 20, lr: 1e-30, weight_decay: 0, form: launder, "
                 "conv_rise: 1e-9}",
                 &victim);
    assert_true(next(&r, &o));
    assert_true(measure(&o, "removed") > 0);
    const pg_model *m = o.model;
    for (int l = 0; l < m->layer_count; l++) {
        const pg_layer *layer = &m->layers[l];
        if (layer->conv < 0 || strncmp(layer->row.name, "layer4.0.", 9) != 0) continue;
        const int taps = layer->row.kernel * layer->row.kernel * layer->in_channels, outputs = layer->out_channels;
        for (int k = 0; k < outputs; k++)
            for (int i = 1; i < taps; i++)
                assert_int_equal(m->params[layer->weight + i * outputs + k] == 0, m->params[layer->weight + k] == 0);
    }
    finish(&r);
    subject_destroy(&victim);
}

TEST(cleansing_depends_on_the_seed_and_not_on_threads)
{
    static const char *const yamls[] = {"{share: 50, search: 2, epochs: 1, batch: 10, labels: soft}",
                                        "{share: 50, search: 2, epochs: 1, batch: 10, form: cut}",
                                        "{share: 50, search: 2, epochs: 1, batch: 10, form: launder, conv_rise: 1e-3}"};
    subject victim = victim_of("v1", PG_NORM_GN);
    for (int i = 0; i < 3; i++) {
        char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
        hash_outcomes("cleanse", yamls[i], &victim, 1, first);
        pg_compute_start(2);
        hash_outcomes("cleanse", yamls[i], &victim, 1, hex);
        pg_compute_start(1);
        assert_string_equal(hex, first);
        hash_outcomes("cleanse", yamls[i], &victim, 2, hex);
        assert_string_not_equal(hex, first);
    }
    subject_destroy(&victim);
}
