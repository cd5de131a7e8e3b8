/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters before a deployed network: what they do to pixels, and what of a claim passes them. */
#include "core/base/memory.h"
#include "tests/unit/forgery.h"

#include <math.h>
#include <stdlib.h>

static raid raids;

/* The test images behind the attack's filter. */
static pg_dataset filtered(const char *yaml, const pg_dataset *images, uint64_t seed)
{
    pg_dataset out = {0};
    pg_outcome o;
    const pg_attack_view view = {.pictures = images, .seed = {.grid = seed, .task = "filter"}};
    open_raid(&raids, "filter-inputs", yaml, &view);
    assert_true(next(&raids, &o));
    assert_true(!o.model && !o.evidence && !o.shown && o.images == 0);
    OK(pg_filter_images(o.filter, images, &out, &err));
    finish(&raids);
    return out;
}

static size_t values_of(const pg_dataset *d)
{
    return (size_t)(d->count * d->height * d->width * 3);
}

static double mean_change(const char *yaml, const pg_dataset *images)
{
    pg_dataset out = filtered(yaml, images, 1);
    double sum = 0;
    for (size_t i = 0; i < values_of(images); i++) sum += abs(out.images[i] - images->images[i]);
    pg_dataset_clear(&out);
    return sum / (double)values_of(images);
}

TEST(weak_filters_change_little_and_strong_ones_more)
{
    static const char *const rising[][3] = {
        {"{filter: jpeg, quality: 95}", "{filter: jpeg, quality: 65}", "{filter: jpeg, quality: 5}"},
        {"{filter: noise, noise: 0.01}", "{filter: noise, noise: 0.05}", "{filter: noise, noise: 0.2}"},
        {"{filter: quantise, bins: 128}", "{filter: quantise, bins: 12}", "{filter: quantise, bins: 2}"},
        {"{filter: squeeze, bits: 7}", "{filter: squeeze, bits: 4}", "{filter: squeeze, bits: 1}"},
        {"{filter: gaussian, deviation: 0.3}", "{filter: gaussian, deviation: 0.5}", "{filter: gaussian, deviation: 2}"}};
    for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
        const double a = mean_change(rising[i][0], &data.test), b = mean_change(rising[i][1], &data.test),
                     c = mean_change(rising[i][2], &data.test);
        assert_true(0 < a && a < b && b < c);
    }
    assert_true(mean_change("{filter: squeeze, bits: 8}", &data.test) == 0);
}

/* Two mirrors cancel; a median removes a single pixel, which a mean spreads over nine. */
TEST(filters_do_what_they_are_called)
{
    pg_dataset once = filtered("{filter: mirror}", &data.test, 1), twice = filtered("{filter: mirror}", &once, 1);
    assert_memory_equal(twice.images, data.test.images, values_of(&data.test));
    assert_memory_not_equal(once.images, data.test.images, values_of(&data.test));
    pg_dataset_clear(&twice);
    memset(once.images, 0, values_of(&once));
    const int at = (3 * once.width + 5) * 3;
    once.images[at] = 90;
    pg_dataset median = filtered("{filter: median}", &once, 1), mean = filtered("{filter: mean}", &once, 1);
    for (size_t i = 0; i < values_of(&once); i++) assert_int_equal(median.images[i], 0);
    int tens = 0;
    for (size_t i = 0; i < values_of(&once); i++) tens += mean.images[i] == 10;
    assert_int_equal(tens, 9);
    pg_dataset_clear(&median);
    pg_dataset_clear(&mean);
    pg_dataset_clear(&once);
}

TEST(noise_depends_on_the_seed_alone)
{
    pg_dataset a = filtered("{filter: noise}", &data.test, 1), b = filtered("{filter: noise}", &data.test, 1),
               c = filtered("{filter: noise}", &data.test, 2);
    assert_memory_equal(a.images, b.images, values_of(&a));
    assert_memory_not_equal(a.images, c.images, values_of(&a));
    pg_dataset_clear(&a);
    pg_dataset_clear(&b);
    pg_dataset_clear(&c);
}

/* ---- the judge ---- */

static pg_status blacken(const void *context, pg_dataset *images, pg_error *error)
{
    (void)context;
    (void)error;
    memset(images->images, 0, values_of(images));
    return PG_OK;
}

/* Behind a filter that removes everything, the deployed network answers one class. The judge reads a private branch and gamma
 * without the filter. */
TEST(the_judge_meets_the_filter_only_where_he_asks_the_service)
{
    const pg_filter filter = {.apply = blacken};
    subject victim = victim_of("v3", PG_NORM_BN);
    const pg_verify_options coin = {.level = 1e-3, .tolerance = 5, .batch = BATCH};
    pg_judge_setup setup = {.model = victim.model, .test = &data.test, .options = &coin};
    pg_finding free, behind;
    OK(pg_verify(&setup, victim.evidence, &free, &err));
    setup.filter = &filter;
    OK(pg_verify(&setup, victim.evidence, &behind, &err));
    assert_true(behind.deployed.exact == 10); /* two of twenty images of ten classes */
    assert_true(behind.private_branch.exact == free.private_branch.exact);
    assert_int_equal(behind.agree, free.agree);
    assert_true(behind.trigger[PG_PRIVATE].exact == free.trigger[PG_PRIVATE].exact);
    int of_one_class = 0;
    const pg_dataset *t = &victim.evidence->triggers;
    for (int c = 0; c < t->classes; c++) {
        int count = 0;
        for (int i = 0; i < t->count; i++) count += t->labels[i] == c;
        of_one_class |= count == behind.trigger_agree;
    }
    assert_true(of_one_class);
    subject_destroy(&victim);
}
