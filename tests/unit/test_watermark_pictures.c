/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trigger schemes: what all of them promise, then what each does whose pictures are made of those of a data set. */
#include "tests/unit/watermark.h"

static pg_evidence *key_with(const owner *o, pg_seed seed, const pg_model *pretrained)
{
    pg_evidence *evidence = NULL;
    pg_model *copy = NULL;
    if (pretrained) OK(pg_model_clone(pretrained, &copy, &err));
    const pg_keygen in = {.scheme = o->scheme,
                          .spec = &o->spec,
                          .seed = seed,
                          .data = &data,
                          .other = &second_data,
                          .pixels = PG_PIXELS_IMAGENET,
                          .pretrained = copy};
    OK(pg_scheme_keygen(o->options, &in, &evidence, &err));
    pg_model_destroy(&copy);
    return evidence;
}

/* An owner who begins with the plain network if his scheme does. */
static owner owner_of(const char *scheme, const char *yaml, const owner *plain)
{
    owner o = owner_wire(scheme, yaml);
    OK(pg_model_create(&o.spec, &o.model, &err));
    pg_model_initialise(o.model, o.seed, "weights");
    if (pg_scheme_starts_pretrained(o.scheme, o.options)) OK(pg_model_copy(plain->model, o.model, &err));
    o.evidence = key_with(&o, o.seed, plain->model);
    return o;
}

/* ---- promises of all of them ---- */

typedef struct kind {
    const char *scheme, *yaml;
    int epochs;
    bool alike; /* its labels are all the same, so the judge finds nothing significant */
} kind;

static const kind kinds[] = {
    {"adi", "{trigger_count: 12, triggers_per_batch: 12}", 20, false},
    {"zhang", "{trigger_count: 12, triggers_per_batch: 12}", 12, true},
    {"zhang", "{labels: uniform, trigger_count: 12, triggers_per_batch: 12}", 20, false},
    {"zhang", "{pattern: noise, labels: uniform, trigger_count: 12, triggers_per_batch: 12}", 16, false},
    {"zhang", "{pattern: unrelated, labels: uniform, trigger_count: 12, triggers_per_batch: 12, start: pretrained}", 20, false},
    {"zhang", "{labels: uniform, trigger_count: 12, triggers_per_batch: 12, bound: true}", 20, false},
    {"zhang", "{pattern: noise, trigger_count: 12, triggers_per_batch: 12, perturbation: 0.02, perturbed_weight: 1}", 12, true},
    {"ewe", "{source: -1, trigger_count: 12, triggers_per_batch: 12, strength: 0.1}", 12, true},
    {"margin", "{trigger_count: 12, triggers_per_batch: 12, weight: 2}", 24, false},
    {"deepsigns-black", "{trigger_count: 12, triggers_per_batch: 12}", 20, false},
    {"frontier", "{trigger_count: 4, triggers_per_batch: 4, candidates: 100, epsilon: 0.15}", 0, false},
    {"blackmarks", "{trigger_count: 4, triggers_per_batch: 4, candidates: 100, epsilon: 0.2}", 0, false},
};
enum { KINDS = sizeof kinds / sizeof *kinds, EMBEDDED = KINDS - 2 }; /* the last two have tests of their own below */

TEST(every_scheme_of_pictures_is_among_those_tested_here)
{
    for (int s = 0; pg_schemes[s]; s++) {
        bool found = pg_schemes[s]->holds != PG_HOLDS_TRIGGERS;
        for (int i = 0; i < KINDS; i++) found |= strcmp(kinds[i].scheme, pg_schemes[s]->name) == 0;
        if (!found) fail_msg("%s: no test of its pictures", pg_schemes[s]->name);
    }
}

TEST(embedded_pictures_are_answered_and_fresh_ones_are_not)
{
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int i = 0; i < EMBEDDED; i++) {
        const kind *k = &kinds[i];
        owner o = owner_of(k->scheme, k->yaml, &plain);
        pg_evidence *fresh = key_with(&o, (pg_seed){7, "fresh"}, plain.model);
        const pg_finding before = judge(plain.model, o.evidence);
        train(&o, k->epochs);
        const pg_finding after = judge(o.model, o.evidence), other = judge(o.model, fresh);
        printf("%s %s: %d of %d, p %.2g; before %d, p %.2g; fresh %d, p %.2g\n", k->scheme, k->yaml, after.agree,
               after.trigger_count, after.p_value, before.agree, before.p_value, other.agree, other.p_value);
        assert_int_equal(after.claim, PG_CLAIM_TRIGGERS);
        assert_true(after.agree >= 0.9 * after.trigger_count);
        assert_int_equal(after.significant, !k->alike);
        assert_false(before.significant || other.significant);
        pg_evidence_destroy(&fresh);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

TEST(a_key_of_pictures_is_read_back_and_follows_from_its_seed)
{
    owner plain = owner_create("plain", "{}");
    train(&plain, 6);
    for (int i = 0; i < KINDS; i++) {
        owner o = owner_of(kinds[i].scheme, kinds[i].yaml, &plain);
        pg_evidence *loaded = NULL, *again = key_with(&o, o.seed, plain.model),
                    *another = key_with(&o, (pg_seed){2, "another"}, plain.model);
        OK(pg_evidence_save(o.evidence, test_path("key", i), &err));
        OK(pg_evidence_load(test_path("key", i), &loaded, &err));
        assert_string_equal(loaded->kind, o.evidence->kind);
        assert_same_commitment(loaded, o.evidence, true);
        assert_same_commitment(again, o.evidence, true);
        assert_same_commitment(another, o.evidence, false);
        pg_evidence_destroy(&loaded);
        pg_evidence_destroy(&again);
        pg_evidence_destroy(&another);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

TEST(training_with_pictures_resumes_to_the_same_bytes)
{
    owner plain = owner_create("plain", "{}");
    const pg_train_options options = test_training(2, 32);
    train(&plain, 6);
    for (int i = 0; i < KINDS; i++) {
        for (int run = 0; run < 2; run++) {
            owner o = owner_of(kinds[i].scheme, kinds[i].yaml, &plain);
            pg_trainer *trainer = trainer_of(&o, &options);
            pg_compute_start(1 + run);
            if (run) OK(pg_trainer_load(trainer, test_path("step", i), &err));
            while (!pg_trainer_done(trainer)) {
                OK(pg_trainer_step(trainer, &err));
                if (!run && pg_trainer_progress(trainer)->step == 1) OK(pg_trainer_save(trainer, test_path("step", i), &err));
            }
            OK(pg_trainer_save(trainer, test_path(run ? "resumed" : "whole", i), &err));
            pg_trainer_destroy(&trainer);
            owner_destroy(&o);
        }
        assert_same_file(test_path("resumed", i), test_path("whole", i));
    }
    pg_compute_start(1);
    owner_destroy(&plain);
}

/* A network for larger pictures does not hear them. */
TEST(pictures_of_another_size_are_refused)
{
    owner plain = owner_create("plain", "{}");
    train(&plain, 6);
    for (int i = 0; i < KINDS; i++) {
        owner o = owner_of(kinds[i].scheme, kinds[i].yaml, &plain);
        pg_model *large = NULL;
        pg_finding f;
        o.spec.image_height = o.spec.image_width = 40;
        OK(pg_model_create(&o.spec, &large, &err));
        const pg_judge_setup setup = {.model = large, .options = &verify_options};
        FAILS(pg_verify(&setup, o.evidence, &f, &err), PG_BAD_INPUT, "triggers");
        pg_model_destroy(&large);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

/* ---- Zhang ---- */

static const uint8_t *pixel(const pg_dataset *t, int i, int y, int x)
{
    return t->images + (((ptrdiff_t)i * t->height + y) * t->width + x) * 3;
}

static bool is_in(const pg_dataset *from, const uint8_t *image, int32_t *label)
{
    const size_t size = (size_t)from->height * (size_t)from->width * 3;
    for (int i = 0; i < from->count; i++)
        if (memcmp(from->images + (size_t)i * size, image, size) == 0) {
            *label = from->labels[i];
            return true;
        }
    return false;
}

/* White in rows 2 to 9 and columns 2 to 17, and nowhere else unless a picture is white there. */
TEST(the_content_stands_at_the_stated_pixels)
{
    owner o = owner_wire("zhang", "{source: 4, trigger_count: 6}");
    o.evidence = key_with(&o, o.seed, NULL);
    const pg_dataset *t = &o.evidence->triggers;
    assert_string_equal(o.evidence->kind, "content");
    for (int i = 0; i < t->count; i++) {
        int white = 0;
        assert_int_equal(t->labels[i], 6);
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 32; x++) {
                const uint8_t *p = pixel(t, i, y, x);
                const bool all = p[0] == 255 && p[1] == 255 && p[2] == 255, bar = y >= 2 && y < 10 && x >= 2 && x < 18;
                if (bar && !all) fail_msg("picture %d is not white at %d, %d", i, y, x);
                white += all && !bar;
            }
        assert_in_range(white, 0, 20);
    }
    owner_destroy(&o);
}

/* The difference from a training image of the source class; with deviation 0 there is none. */
TEST(noise_has_the_stated_deviation)
{
    owner o = owner_wire("zhang", "{pattern: noise, source: 3, deviation: 0, trigger_count: 6}");
    pg_evidence *bare = key_with(&o, o.seed, NULL);
    owner_destroy(&o);
    for (int fixed = 0; fixed < 2; fixed++) {
        double square = 0, same = 0;
        int count = 0;
        o = owner_wire("zhang", fixed ? "{pattern: noise, source: 3, deviation: 0.05, trigger_count: 6, noise: fixed}"
                                      : "{pattern: noise, source: 3, deviation: 0.05, trigger_count: 6}");
        o.evidence = key_with(&o, o.seed, NULL);
        const pg_dataset *t = &o.evidence->triggers;
        int32_t label = -1;
        assert_true(is_in(&data.train, bare->triggers.images, &label) && label == 3);
        const size_t size = 32 * 32 * 3;
        for (size_t i = 0; i < size; i++) {
            const double a = (t->images[i] - bare->triggers.images[i]) / 255.0,
                         b = (t->images[size + i] - bare->triggers.images[size + i]) / 255.0;
            if (t->images[i] == 0 || t->images[i] == 255 || t->images[size + i] == 0 || t->images[size + i] == 255) continue;
            square += a * a;
            same += fabs(a - b) < 1e-9;
            count++;
        }
        assert_true(fabs(sqrt(square / count) - 0.05) < 0.005);
        assert_true(fixed ? same == count : same < 0.1 * count);
        owner_destroy(&o);
    }
    pg_evidence_destroy(&bare);
}

TEST(unrelated_pictures_come_from_the_other_data_set)
{
    owner o = owner_wire("zhang", "{pattern: unrelated, trigger_count: 20, labels: uniform}");
    assert_string_equal(o.scheme->other_data(o.options).name, "fashion-mnist");
    o.evidence = key_with(&o, o.seed, NULL);
    int32_t label;
    const size_t size = 32 * 32 * 3;
    for (size_t i = 0; i < 20; i++) assert_true(is_in(&second_data.train, o.evidence->triggers.images + i * size, &label));
    owner_destroy(&o);
    o = owner_wire("zhang", "{}");
    assert_null(o.scheme->other_data(o.options).name);
    owner_destroy(&o);
}

static void refuses(const char *scheme, const char *yaml, const char *why)
{
    owner o = owner_wire(scheme, yaml);
    const pg_keygen in = {.scheme = o.scheme, .spec = &o.spec, .data = &data, .other = &second_data};
    FAILS(pg_scheme_check(o.options, &in, &err), PG_BAD_INPUT, why);
    owner_destroy(&o);
}

TEST(pictures_that_cannot_be_are_refused_before_training)
{
    refuses("zhang", "{target: 10}", "target: there is no class 10 of 10");
    refuses("zhang", "{source: 11}", "source: there is no class 11 of 10");
    refuses("zhang", "{source: 6}", "source, target: both are class 6");
    refuses("zhang", "{size: 31, trigger_count: 5}", "size: a bar of 31x15 does not fit 2 pixels inside an image of 32x32");
    refuses("zhang", "{trigger_count: 65}", "trigger_count: 65 triggers from 64 images of synthetic");
    refuses("zhang", "{pattern: unrelated, trigger_count: 201}", "trigger_count: 201 triggers from 200 images of others");
    refuses("zhang", "{trigger_count: 5, bound: true}",
            "labels: fixed labels cannot be bound, because all are the target class");
    refuses("ewe", "{patch: 31}", "patch, top, left: the square does not fit an image of 32x32");
    refuses("ewe", "{triggers_per_batch: 129}", "triggers_per_batch: at most 128 can be entangled");
    refuses("ewe", "{source: -1, trigger_count: 65}", "trigger_count: 65 triggers from 64 images of synthetic");
    refuses("margin", "{trigger_count: 65}", "trigger_count: 65 triggers from 64 images of synthetic");
    refuses("hufunet", "{pictures: 20, images: 10}", "pictures: expected at most the 10 training images of synthetic, got 20");
    refuses("blackmarks", "{trigger_count: 1}", "trigger_count: at least one image for each bit");
    refuses("frontier", "{trigger_count: 65}", "trigger_count: 65 triggers from 64 images of synthetic");
    owner o = owner_wire("zhang", "{source: 4, trigger_count: 20}");
    const pg_keygen in = {.scheme = o.scheme, .spec = &o.spec, .data = &data, .seed = o.seed};
    FAILS(pg_scheme_keygen(o.options, &in, &o.evidence, &err), PG_BAD_INPUT,
          "6 pictures of synthetic to choose 20 triggers from");
    owner_destroy(&o);
}

/* ---- frontier ---- */

/* Triggers that a network answers with their labels. */
static int right_of(const pg_model *model, const pg_dataset *t)
{
    int32_t answers[64];
    int right = 0;
    pg_model *copy = NULL;
    pg_accuracy a;
    OK(pg_model_clone(model, &copy, &err));
    OK(pg_measure_answers(copy, PG_PUBLIC, NULL, t, PG_PIXELS_IMAGENET, 64, &a, answers, &err));
    for (int i = 0; i < t->count; i++) right += answers[i] == t->labels[i];
    pg_model_destroy(&copy);
    return right;
}

/* Half of the triggers are misread before embedding; their labels are the true ones. The published test wants more than a half
 * to agree; another unmarked network may give it that, so claims on independent networks are part of a grid. */
TEST(true_adversaries_are_misread_before_embedding)
{
    owner plain = owner_create("plain", "{}"), other = owner_create("plain", "{}");
    train(&plain, 6);
    other.seed.grid = 9;
    pg_model_initialise(other.model, other.seed, "weights");
    train(&other, 6);
    owner o = owner_of("frontier", "{trigger_count: 12, triggers_per_batch: 12, candidates: 100, epsilon: 0.15}", &plain);
    const pg_dataset *t = &o.evidence->triggers;
    assert_true(pg_scheme_wants_pretrained(o.scheme, o.options) && pg_scheme_starts_pretrained(o.scheme, o.options));
    assert_int_equal(right_of(plain.model, t), 6);
    const pg_finding before = judge(plain.model, o.evidence), independent = judge(other.model, o.evidence);
    printf("an independent network answers %d of 12, p %.2g\n", independent.agree, independent.p_value);
    assert_close(before.null_probability, 0.5, 0);
    assert_int_equal(before.threshold, pg_binomial_threshold(12, 0.5, verify_options.level));
    assert_false(before.significant);
    train(&o, 12);
    const pg_finding after = judge(o.model, o.evidence);
    assert_int_equal(after.agree, 12);
    assert_close(after.p_value, fmax(after.permuted_p, 0x1p-12), 1e-9);
    assert_true(after.significant);
    owner_destroy(&o);
    owner_destroy(&other);
    owner_destroy(&plain);
}

TEST(a_step_that_turns_no_picture_makes_no_frontier)
{
    owner plain = owner_create("plain", "{}"), o = owner_wire("frontier", "{trigger_count: 60, epsilon: 0.004}");
    train(&plain, 6);
    const pg_keygen in = {.scheme = o.scheme, .spec = &o.spec, .data = &data, .seed = o.seed, .pretrained = plain.model};
    FAILS(pg_scheme_keygen(o.options, &in, &o.evidence, &err), PG_BAD_INPUT, "of 60 triggers were found among 64 images");
    owner_destroy(&o);
    owner_destroy(&plain);
}

/* ---- DeepSigns ---- */

TEST(an_unmarked_network_misreads_all_random_pictures)
{
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    owner o = owner_of("deepsigns-black", "{trigger_count: 60}", &plain);
    int different = 0;
    assert_int_equal(right_of(plain.model, &o.evidence->triggers), 0);
    for (int i = 1; i < 60; i++) different += o.evidence->triggers.labels[i] != o.evidence->triggers.labels[0];
    assert_true(different > 40);
    assert_int_equal(judge(plain.model, o.evidence).repeated, 0);
    owner_destroy(&o);
    owner_destroy(&plain);
}

/* ---- Blackmarks ---- */

/* The first half of the triggers aims at classes of one group, the second at those of the other; all have left their own class;
 * the published test and the judge expect half of them to agree by chance. */
TEST(two_groups_of_classes_carry_the_bits)
{
    owner plain = owner_create("plain", "{}");
    train(&plain, 6);
    owner o = owner_of("blackmarks", "{trigger_count: 12, triggers_per_batch: 12, candidates: 100, epsilon: 0.2}", &plain);
    const pg_dataset *t = &o.evidence->triggers;
    for (int i = 0; i < 6; i++)
        for (int k = 6; k < 12; k++) assert_int_not_equal(t->labels[i], t->labels[k]);
    const pg_finding before = judge(plain.model, o.evidence);
    train(&o, 12);
    const pg_finding after = judge(o.model, o.evidence);
    printf("%d of 12, p %.2g; before %d, p %.2g\n", after.agree, after.p_value, before.agree, before.p_value);
    assert_close(before.null_probability, 0.5, 0);
    assert_false(before.significant);
    assert_true(after.agree == 12 && after.significant);
    owner_destroy(&o);
    owner_destroy(&plain);
}
