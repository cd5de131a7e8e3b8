/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rewrite attack. The network keeps its function, and readers of weights see half of the bits. Both builds run this; the
 * bound of the double one is 1e-9. */
#include "tests/unit/victims.h"

static const double bound = sizeof(pg_real) == sizeof(double) ? 1e-9 : 2e-4; /* of a logit, relative to the largest */
static const char *const parts[] = {"all", "order", "scales", "signs"};
static const char *const dummies[] = {"zero", "clique", "split", "all"};
enum { IMAGES = 24, CLASSES = 10 };

static void logits_of(const subject *s, pg_model *model, const pg_evidence *passports, pg_real *logits)
{
    pg_net *net = NULL;
    pg_real *images = NULL;
    const pg_branch branch = pg_net_spec_deployed(&s->spec);
    OK(pg_alloc((size_t)IMAGES * 32 * 32 * 3, sizeof *images, &images, &err));
    OK(pg_net_create(&model->spec, IMAGES, false, PG_CONV_AUTO, &net, &err));
    pg_batch_range(&data.test, 0, IMAGES, PG_PIXELS_IMAGENET, images);
    if (branch == PG_PRIVATE) OK(pg_passports_install(net, model, passports, &err));
    memcpy(logits, pg_net_forward(net, model, branch, PG_EVAL, images, IMAGES), (size_t)(IMAGES * CLASSES) * sizeof *logits);
    pg_net_destroy(&net);
    pg_free(images);
}

static int answer(const pg_real *logits)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++) best = logits[c] > logits[best] ? c : best;
    return best;
}

static void assert_same_function(const pg_real *x, const pg_real *y, const char *what)
{
    double most = 0, off = 0;
    for (int i = 0; i < IMAGES * CLASSES; i++) {
        most = fmax(most, fabs((double)x[i]));
        off = fmax(off, fabs((double)x[i] - (double)y[i]));
    }
    if (!(off <= bound * most)) fail_msg("%s: logits off by %g of %g", what, off, most);
    for (int i = 0; i < IMAGES; i++) assert_int_equal(answer(x + i * CLASSES), answer(y + i * CLASSES));
}

static void assert_wider(const pg_outcome *o, const subject *victim)
{
    for (int l = 0; l < o->model->layer_count; l++)
        if (o->model->layers[l].conv >= 0)
            assert_true(o->model->layers[l].out_channels > victim->model->layers[l].out_channels);
    assert_string_equal(o->measures[0].name, "channels_added");
}

/* One rewrite of one victim. The users of V1 have passports that fit the rewritten network. */
static void check_rewrite(const char *scheme, const char *yaml, bool wider)
{
    subject victim = victim_of(scheme);
    const pg_attack_view view = view_of(&victim);
    pg_real before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    char what[96];
    raid r;
    pg_outcome o;
    snprintf(what, sizeof what, "%s, %s", scheme, yaml);
    logits_of(&victim, victim.model, victim.evidence, before);
    open_raid(&r, "rewrite", yaml, &view);
    assert_true(next(&r, &o) && r.over);
    if (wider)
        assert_wider(&o, &victim);
    else
        assert_false(same_parameters(o.model, victim.model));
    assert_int_equal(o.evidence != NULL, pg_net_spec_deployed(&victim.spec) == PG_PRIVATE);
    logits_of(&victim, o.model, o.evidence, after);
    assert_same_function(before, after, what);
    finish(&r);
    subject_destroy(&victim);
}

/* The same of every victim, by an option with one of four values. */
static void check_rewrites(const char *format, const char *const *values, bool wider)
{
    char yaml[64];
    for (int i = 0; i < SCHEMES; i++)
        for (int k = 0; k < 4; k++) {
            snprintf(yaml, sizeof yaml, format, values[k]);
            check_rewrite(names[i], yaml, wider);
        }
}

TEST(logits_and_answers_stay)
{
    check_rewrites("{part: %s}", parts, false);
}

TEST(dummy_channels_change_no_logit)
{
    check_rewrites("{dummies: %s, added: 20}", dummies, true);
}

/* A wider network has only the public branch of PAN, and none of the statistics that the private branch keeps apart. */
TEST(private_statistics_stay_out_of_a_wider_network)
{
    subject victim = victim_of("pan");
    const pg_attack_view view = view_of(&victim);
    pg_real before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    raid r;
    pg_outcome o;
    for (int i = 0; i < victim.model->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(victim.model, i);
        for (int k = 0; k < l->out_channels; k++) victim.model->buffers[l->affine[PG_PRIVATE].mean + k] += 3;
    }
    logits_of(&victim, victim.model, NULL, before);
    open_raid(&r, "rewrite", "{dummies: all}", &view);
    assert_true(next(&r, &o));
    logits_of(&victim, o.model, NULL, after);
    assert_same_function(before, after, "pan");
    finish(&r);
    subject_destroy(&victim);
}

/* The victim claims the signs that its passports give, so all bits agree before. In the rewritten network half of them agree,
 * within four deviations. */
TEST(readers_of_weights_see_half_of_the_bits)
{
    for (int i = 0; i < SCHEMES; i++) {
        subject victim = victim_of(names[i]);
        int8_t signs[1024], *next_sign = signs;
        pg_reading *reading = NULL;
        int agree;
        OK(pg_reading_open(victim.model, victim.evidence, &reading, &err));
        OK(pg_reading_signs(reading, victim.evidence, signs, &err));
        pg_reading_close(&reading);
        for (int k = 0; k < victim.evidence->passport_count; k++)
            for (int b = 0; b < victim.evidence->passports[k].outputs; b++) victim.evidence->passports[k].b[b] = *next_sign++;
        const pg_attack_view view = view_of(&victim);
        const int bits = pg_evidence_bits(victim.evidence);
        raid r;
        pg_outcome o;
        OK(pg_agreement_with(victim.model, victim.evidence, victim.evidence, &agree, &err));
        assert_int_equal(agree, bits);
        open_raid(&r, "rewrite", "{}", &view);
        assert_true(next(&r, &o));
        OK(pg_agreement_with(o.model, victim.evidence, victim.evidence, &agree, &err));
        assert_in_range(agree, 0.5 * bits - 2 * sqrt(bits), 0.5 * bits + 2 * sqrt(bits));
        if (o.evidence) OK(pg_agreement_with(o.model, o.evidence, o.evidence, &agree, &err));
        if (o.evidence) assert_int_equal(agree, bits); /* the users of V1 still have passports that fit */
        finish(&r);
        subject_destroy(&victim);
    }
}

TEST(a_rewrite_follows_from_the_seed)
{
    subject victim = victim_of("v2");
    pg_attack_view view = view_of(&victim);
    raid r, again, other;
    pg_outcome a, b, c;
    open_raid(&r, "rewrite", "{}", &view);
    open_raid(&again, "rewrite", "{}", &view);
    view.seed.grid = 2;
    open_raid(&other, "rewrite", "{}", &view);
    assert_true(next(&r, &a) && next(&again, &b) && next(&other, &c));
    assert_true(same_parameters(a.model, b.model) && same_statistics(a.model, b.model));
    assert_false(same_parameters(a.model, c.model));
    finish(&r);
    finish(&again);
    finish(&other);
    subject_destroy(&victim);
}

/* Bound evidence follows from a secret; rewritten passports do not. */
TEST(rewritten_passports_are_free_evidence)
{
    subject victim = victim_of("v1");
    victim.evidence->binding.bound = true;
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    open_raid(&r, "rewrite", "{}", &view);
    assert_true(next(&r, &o));
    assert_false(o.evidence->binding.bound);
    OK(pg_evidence_check(o.evidence, &err));
    finish(&r);
    subject_destroy(&victim);
}
