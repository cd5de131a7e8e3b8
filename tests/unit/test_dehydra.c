/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dehydra: the network's dreams, and what remains of them after unlearning. */
#include "core/ownership/picture_loss.h"
#include "tests/unit/forgery.h"

/* Mean over the training images of the largest probability that the network gives a class, as exp(-loss) of its answer. */
static double certainty(pg_model *model, const pg_dataset *set)
{
    pg_picture_loss loss;
    double sum = 0, one;
    pg_dataset all = {0};
    OK(pg_dataset_subset(set, set->count, &all, &err));
    OK(pg_picture_loss_open(&model->spec, 1, &loss, &err));
    for (int i = 0; i < all.count; i++) {
        double most = 0;
        for (int c = 0; c < all.classes; c++) {
            all.labels[i] = c;
            pg_picture_loss_show(&loss, model, &all, i, 1, PG_PIXELS_IMAGENET, &one, NULL);
            most = fmax(most, exp(-one));
        }
        sum += most;
    }
    pg_picture_loss_close(&loss);
    pg_dataset_clear(&all);
    return sum / set->count;
}

/* A network with random weights takes nearly all of its dreams for their class. It is undecided once it has unlearned them. */
TEST(a_network_dreams_its_classes_and_unlearns_them)
{
    raid r;
    pg_outcome o;
    subject victim = victim_of("adi", PG_NORM_BN);
    const double before = certainty(victim.model, &data.train);
    open_forgery(&r, "dehydra", "{share: 25, dreams: 5, steps: 40, epochs: 40, batch: 10, lr: 0.02, weight: 8}", &victim);
    assert_true(next(&r, &o));
    assert_false(o.evidence || next(&r, &o));
    if (!(measure(&o, "dreams_answered") >= 90)) fail_msg("%g %% answered", measure(&o, "dreams_answered"));
    const double after = certainty(o.model, &data.train);
    if (!(after < before)) fail_msg("certainty %g, before %g", after, before);
    finish(&r);
    subject_destroy(&victim);
}

/* The target class is that whose dreams survive noise best: the one that a network prefers. Without labelled images the thief
 * trains on its dreams alone. */
TEST(the_target_class_is_found_and_unlearned_without_data)
{
    raid r;
    pg_outcome o;
    subject victim = victim_of("adi", PG_NORM_BN);
    victim.model->params[pg_model_classifier(victim.model)->bias + 3] += 4;
    open_forgery(&r, "dehydra", "{form: fixed, data_free: true, dreams: 12, steps: 4, smoothings: 3, epochs: 2, batch: 6}",
                 &victim);
    assert_true(next(&r, &o));
    assert_false(o.evidence || next(&r, &o));
    assert_true(measure(&o, "target_class") == 3 && measure(&o, "target_margin") > 10);
    assert_true(o.images == 10 * 12 * (4 + 3 + 1) + 2 * 12);
    finish(&r);
    subject_destroy(&victim);
}

static const char *const yamls[] = {
    "{share: 50, dreams: 2, steps: 2, epochs: 1, batch: 10}",
    "{share: 50, dreams: 3, steps: 2, epochs: 1, batch: 10, form: fixed, smoothings: 2}",
    "{share: 50, dreams: 3, steps: 2, epochs: 1, batch: 10, form: varied}",
};

TEST(dehydra_depends_on_the_seed_and_not_on_threads)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    for (int i = 0; i < 3; i++) {
        char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
        hash_outcomes("dehydra", yamls[i], &victim, 1, first);
        pg_compute_start(2);
        hash_outcomes("dehydra", yamls[i], &victim, 1, hex);
        pg_compute_start(1);
        assert_string_equal(hex, first);
        hash_outcomes("dehydra", yamls[i], &victim, 2, hex);
        assert_string_not_equal(hex, first);
    }
    subject_destroy(&victim);
}

TEST(dehydra_is_refused_before_it_starts)
{
    static const char *const wrong[][2] = {
        {"{share: 1.667, batch: 10}", "do not fill one batch of 10"},
        {"{share: 50, batch: 10, dreams: 1, form: varied}", "dreams: one dream of each class cannot be halved"},
        {"{share: 50, batch: 10, data_free: true}", "data_free: only `form: fixed` works without labelled"},
        {"{form: fixed, data_free: true, batch: 10, dreams: 8}", "batch: 8 images do not fill one batch of 10"},
    };
    subject victim = victim_of("adi", PG_NORM_BN);
    for (int i = 0; i < 4; i++) {
        raid r;
        prepare(&r, "dehydra", wrong[i][0], &victim);
        FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, wrong[i][1]);
        finish(&r);
    }
    subject_destroy(&victim);
}
