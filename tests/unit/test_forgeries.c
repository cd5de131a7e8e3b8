/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Properties of every forger: seeds, refusals, views, limits, secrets; and overwriting. */
#include "core/ownership/binding.h"
#include "tests/unit/forgery.h"

/* ---- overwriting PAN ---- */

static bool is_private(const pg_model *m, const pg_tensor *t)
{
    const pg_affine *a = m->layers[t->layer].affine, *private = &a[PG_PRIVATE];
    if (!t->buffer) return pg_model_of_perceptron(m, t);
    return private->mean != a[PG_PUBLIC].mean && (t->offset == private->mean || t->offset == private->var);
}

/* The judge tests the owner's claim with the private branch that the owner kept and the layers that the thief changed. */
TEST(overwrite_trains_a_private_branch_beside_the_owners)
{
    subject victim = victim_of("pan", PG_NORM_BN);
    raid r;
    pg_outcome o;
    int kept = 0;
    open_forgery(&r, "overwrite", "{epochs: 1, batch: 40}", &victim);
    assert_true(next(&r, &o));
    for (int i = 0; i < o.model->tensor_count; i++) {
        const pg_tensor *t = &o.model->tensors[i];
        const size_t bytes = t->count * sizeof(pg_real);
        const pg_real *owners = (t->buffer ? o.model->buffers : o.model->params) + t->offset,
                      *thiefs = (t->buffer ? o.shown->buffers : o.shown->params) + t->offset,
                      *before = (t->buffer ? victim.model->buffers : victim.model->params) + t->offset;
        assert_memory_equal(owners, is_private(o.model, t) ? before : thiefs, bytes);
        assert_memory_not_equal(thiefs, before, bytes);
        kept += is_private(o.model, t);
    }
    assert_int_equal(kept, 4 * victim.model->passport_count);
    finish(&r);
    subject_destroy(&victim);
}

/* ---- all of them ---- */

static const struct {
    const char *name, *yaml;
} quick[] = {{"fake2", "{epochs: 1, batch: 10}"},
             {"fake3", "{epochs: 1, batch: 10, flips: 0.5}"},
             {"flip", "{levels: [30]}"},
             {"permute", "{repeats: 2}"},
             {"substitute", "{epochs: 1, batch: 4}"},
             {"invert", "{flips: [10], images: 5}"}};
enum { QUICK = sizeof quick / sizeof *quick };

/* The same seed gives the same outcomes on any number of threads; another seed gives others. */
static void check_deterministic(const char *name, const char *yaml, const subject *victim)
{
    char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
    hash_outcomes(name, yaml, victim, 1, first);
    pg_compute_start(2);
    hash_outcomes(name, yaml, victim, 1, hex);
    pg_compute_start(1);
    assert_string_equal(hex, first);
    hash_outcomes(name, yaml, victim, 2, hex);
    assert_string_not_equal(hex, first);
}

TEST(outcomes_depend_on_the_seed_and_not_on_threads)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    subject uchida = owner_of("uchida", "{bits: 32}", 1), adi = owner_of("adi", "{trigger_count: 8}", 1);
    for (int i = 0; i < QUICK; i++) check_deterministic(quick[i].name, quick[i].yaml, &victim);
    check_deterministic("counterfeit-uchida", "{method: iterative}", &uchida);
    check_deterministic("counterfeit-uchida", "{method: closed-form}", &uchida);
    check_deterministic("counterfeit-triggers", "{count: 4, steps: 5}", &adi);
    check_deterministic("grind", "{tries: [3, 130], bits: 16}", &victim);
    check_deterministic("overwrite", "{epochs: 1, batch: 20}", &victim);
    check_deterministic("overwrite", "{epochs: 1, batch: 20}", &uchida);
    check_deterministic("overwrite", "{epochs: 1, batch: 20}", &adi);
    subject_destroy(&victim);
    subject_destroy(&uchida);
    subject_destroy(&adi);
}

/* ---- bound evidence ---- */

/* A forger who claims that his arrays follow from a secret is refused, whichever secret he names. */
static void assert_unbindable(const char *name, const char *yaml, const subject *victim)
{
    raid r;
    pg_outcome o;
    open_forgery(&r, name, yaml, victim);
    while (next(&r, &o)) {
        pg_evidence *claimed = NULL;
        OK(pg_evidence_clone(o.evidence, &claimed, &err));
        claimed->binding = pg_binding_for(&victim->spec, PG_PIXELS_IMAGENET);
        claimed->binding.bound = true;
        FAILS(pg_evidence_check(claimed, &err), PG_BAD_INPUT, "secret");
        pg_evidence_destroy(&claimed);
    }
    finish(&r);
}

/* Evidence that was bound and then changed is free, even if it was never in a file. */
static void assert_unbound(const char *name, const char *yaml)
{
    subject victim = owner_of("v1", "{passport: random, bound: true}", 1);
    raid r;
    pg_outcome o;
    open_forgery(&r, name, yaml, &victim);
    while (next(&r, &o)) assert_false(o.evidence->binding.bound);
    finish(&r);
    subject_destroy(&victim);
}

TEST(no_forgery_follows_from_a_secret)
{
    for (int i = 0; i < QUICK; i++) assert_unbound(quick[i].name, quick[i].yaml);
    subject v1 = victim_of("v1", PG_NORM_BN), uchida = owner_of("uchida", "{bits: 32}", 1);
    subject neuralmark = owner_of("neuralmark", "{bits: 64, rounds: 2, pooled: 64}", 1);
    subject adi = owner_of("adi", "{trigger_count: 8}", 1);
    for (int i = 0; i < QUICK; i++) assert_unbindable(quick[i].name, quick[i].yaml, &v1);
    assert_unbindable("fake1", "{repeats: 2, passport: random, signature: matching}", &v1);
    assert_unbindable("counterfeit-uchida", "{bits: 32}", &uchida);
    assert_unbindable("counterfeit-uchida", "{bits: 32}", &neuralmark);
    assert_unbindable("counterfeit-triggers", "{count: 4, steps: 5}", &adi);
    subject_destroy(&v1);
    subject_destroy(&uchida);
    subject_destroy(&neuralmark);
    subject_destroy(&adi);
}

/* A thief who continues training with a secret of his own gets bound evidence of the owner's scheme. */
TEST(a_thief_who_overwrites_may_have_a_secret)
{
    static const char *const victims[][2] = {
        {"v1", "{passport: random}"}, {"v3", "{passport: random}"}, {"uchida", "{bits: 32}"}, {"adi", "{trigger_count: 8}"}};
    for (size_t i = 0; i < sizeof victims / sizeof *victims; i++) {
        subject victim = owner_of(victims[i][0], victims[i][1], 1);
        pg_scheme unbindable = *victim.scheme;
        raid r;
        pg_outcome o;
        prepare(&r, "overwrite", "{epochs: 1, batch: 20, bound: true}", &victim);
        unbindable.bound[0] = (pg_setting){NULL, NULL};
        pg_attack_view view = r.view;
        view.scheme = &unbindable;
        FAILS(r.attack->check(r.options, &view, &err), PG_BAD_INPUT, "cannot be bound to a secret");
        OK(r.attack->start(r.state, r.options, &r.view, &err));
        assert_true(next(&r, &o));
        assert_true(o.evidence->binding.bound && o.evidence->binding.from_seed);
        assert_string_equal(o.evidence->scheme, victims[i][0]);
        OK(pg_evidence_check(o.evidence, &err));
        finish(&r);
        subject_destroy(&victim);
    }
}

/* ---- refusals ---- */

static void refuses(const char *name, const char *yaml, const subject *victim, const char *text)
{
    raid r;
    prepare(&r, name, yaml, victim);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, text);
    finish(&r);
}

TEST(what_cannot_be_done_is_refused_before_training)
{
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject pan = subject_create("pan", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject v1 = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    for (int i = 0; i < QUICK; i++) {
        refuses(quick[i].name, quick[i].yaml, &plain, "no passport layers");
        const bool solves = strcmp(quick[i].name, "fake3") != 0 && strcmp(quick[i].name, "permute") != 0;
        if (solves) refuses(quick[i].name, quick[i].yaml, &pan, "behind the perceptron");
        assert_int_equal(pg_attack_find(quick[i].name)->needs, solves ? PG_HOLDS_AFFINES : PG_HOLDS_PASSPORTS);
    }
    refuses("fake2", "{batch: 41}", &v1, "40 training images of synthetic do not fill one batch of 41");
    refuses("substitute", "{share: 5}", &v1, "2 training images of synthetic do not fill one batch of 64");
    refuses("substitute", "{share: 1}", &v1, "share: 1 % of the owner's images are 0");
    refuses("substitute", "{share: 50, overlap: disjoint}", &v1,
            "are 20, expected at least 1 and at most the 15 disjoint ones");
    refuses("invert", "{images: 21}", &v1, "a passport takes 21 distinct images, but synthetic has 20");
    subject_destroy(&plain);
    subject_destroy(&pan);
    subject_destroy(&v1);
}

/* V1's passports are distributed with the network, but these attackers do not use them. */
TEST(every_forger_declares_what_it_sees)
{
    assert_int_equal(pg_attack_find("fake2")->sees, PG_SEES_TRAIN | PG_SEES_AFFINE);
    assert_int_equal(pg_attack_find("fake3")->sees, PG_SEES_TRAIN | PG_SEES_EVIDENCE);
    assert_int_equal(pg_attack_find("flip")->sees, PG_SEES_EVIDENCE);
    assert_int_equal(pg_attack_find("permute")->sees, PG_SEES_EVIDENCE);
    assert_int_equal(pg_attack_find("substitute")->sees, PG_SEES_TRAIN | PG_SEES_FRESH);
    assert_int_equal(pg_attack_find("invert")->sees, PG_SEES_AFFINE);
}

/* A counter that was restored never points beyond the end of the attack's work. */
TEST(every_position_in_a_checkpoint_has_limits)
{
    static const char *const raids[][2] = {
        {"fake1", "{}"}, {"fake2", "{batch: 8}"},    {"fake3", "{batch: 8}"},
        {"flip", "{}"},  {"invert", "{}"},           {"permute", "{}"},
        {"prune", "{}"}, {"finetune", "{batch: 8}"}, {"substitute", "{batch: 8, share: 50}"}};
    subject victim = victim_of("v2", PG_NORM_BN);
    for (size_t a = 0; a < sizeof raids / sizeof *raids; a++) {
        raid r;
        pg_snapshot snapshot = {0};
        int numbers = 0;
        open_forgery(&r, raids[a][0], raids[a][1], &victim);
        r.attack->keep(r.state, &snapshot);
        for (int i = 0; i < snapshot.count; i++) {
            const struct pg_kept *kept = &snapshot.kept[i];
            if (kept->count != 1 || kept->dtype == PG_F32 || kept->dtype == PG_F64) continue;
            if (isinf(kept->low) || isinf(kept->high)) fail_msg("%s: %s has no limits", raids[a][0], kept->name);
            numbers++;
        }
        assert_true(numbers > 0);
        finish(&r);
    }
    subject_destroy(&victim);
}
