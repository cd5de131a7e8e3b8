/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watermarks pruned, forged and overwritten. */
#include "tests/unit/raid.h"
#include "tests/unit/watermark.h"

/* ---- attacks ---- */

static pg_outcome outcome;

/* The raid with what the attack may see of this victim, and nothing else. */
static raid raid_of(const char *name, const char *yaml, const owner *victim, pg_model *running)
{
    raid r;
    const unsigned sees = pg_attack_find(name)->sees;
    const pg_attack_view view = {.model = victim->model,
                                 .scheme = victim->scheme,
                                 .running = sees & PG_SEES_AFFINE ? running : NULL,
                                 .train = sees & PG_SEES_TRAIN ? &data.train : NULL,
                                 .pictures = &data.test,
                                 .pixels = PG_PIXELS_IMAGENET,
                                 .seed = {.grid = 5, .task = "attacker"}};
    begin(&r, name, yaml, &view);
    return r;
}

/* At 100 % pruning detection is 0, even for a message of ones. */
TEST(a_network_without_weights_carries_no_mark)
{
    owner o = owner_create("uchida", "{bits: 64, message: ones, strength: 5}");
    train(&o, 10);
    raid r = raid_of("prune", "{levels: [0, 100]}", &o, NULL);
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    assert_true(next(&r, &outcome));
    assert_close(judge(outcome.model, o.evidence).detection, 100, 0);
    assert_true(next(&r, &outcome));
    const pg_finding f = judge(outcome.model, o.evidence);
    assert_close(f.detection, 0, 0);
    assert_false(f.agrees);
    finish(&r);
    owner_destroy(&o);
}

/* The forger uses nothing but the weights. */
TEST(a_counterfeit_mark_is_believed_and_the_genuine_one_stays)
{
    static const char *const methods[] = {"{bits: 64, method: iterative, rate: 0.02}",
                                          "{bits: 64, method: closed-form, margin: 0.75}", "{bits: 64, method: free}"};
    owner o = owner_create("uchida", "{bits: 64, strength: 5}");
    train(&o, 10);
    for (int i = 0; i < 3; i++) {
        char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
        for (int run = 0; run < 2; run++) {
            raid r = raid_of("counterfeit-uchida", methods[i], &o, NULL);
            assert_int_equal(r.attack->sees, 0);
            OK(r.attack->start(r.state, r.options, &r.view, &err));
            assert_true(next(&r, &outcome));
            const pg_evidence *forged = outcome.evidence;
            pg_evidence_commitment(forged, run ? second : first);
            const pg_finding f = judge(o.model, forged);
            assert_null(outcome.model);
            assert_true(f.agree == 64 && f.agrees);
            int matched;
            OK(pg_agreement_with(o.model, forged, o.evidence, &matched, &err));
            assert_in_range(matched, 16, 48); /* the forger knows nothing of the owner's bits: 32 +- 4 standard deviations */
            assert_int_equal(measure(&outcome, "iterations") > 0, i == 0);
            assert_int_equal(measure(&outcome, "projection_change") > 0, i != 2);
            if (i == 2) assert_true(measure(&outcome, "projection_normality_p") > 1e-3);
            double reads[64];
            pg_mark_project(&forged->mark, o.model, reads);
            for (int k = 0; k < 64 && i == 1; k++) assert_close(reads[k], 0.75 * forged->mark.b[k], in_double ? 1e-12 : 1e-5);
            assert_false(next(&r, &outcome));
            finish(&r);
        }
        assert_string_equal(first, second);
    }
    assert_true(judge(o.model, o.evidence).agree == 64);
    memset(o.model->params, 0, o.model->param_count * sizeof *o.model->params);
    raid r = raid_of("counterfeit-uchida", "{bits: 8}", &o, NULL);
    pg_attack_state what;
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    FAILS(r.attack->step(r.state, &what, &outcome, &err), PG_BAD_INPUT, "the mean filter is zero");
    finish(&r);
    owner_destroy(&o);
}

/* The pictures are free, or no pixel is further than 8 levels from its start. The same seed gives the same triggers. */
TEST(counterfeit_triggers_need_no_change_of_the_model)
{
    static const char *const forgeries[] = {"{count: 12, start: generated}", "{count: 12, start: noise}",
                                            "{count: 12, start: pictures}", "{count: 12, start: noise, bound: 8, steps: 40}",
                                            "{count: 120, start: generated, steps: 3}"};
    owner o = owner_create("adi", "{trigger_count: 12, triggers_per_batch: 12}");
    train(&o, 10);
    for (int i = 0; i < 5; i++) {
        char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
        for (int run = 0; run < 2; run++) {
            raid r = raid_of("counterfeit-triggers", forgeries[i], &o, NULL);
            assert_int_equal(r.attack->sees, 0);
            OK(r.attack->start(r.state, r.options, &r.view, &err));
            assert_true(next(&r, &outcome));
            const pg_evidence *forged = outcome.evidence;
            const pg_finding f = judge(o.model, forged);
            pg_evidence_commitment(forged, run ? second : first);
            assert_null(outcome.model);
            assert_int_equal(f.claim, PG_CLAIM_TRIGGERS);
            if (i < 3) assert_true(f.detection >= 100 && f.agrees);
            if (i == 3) assert_true(measure(&outcome, "perturbation_largest") <= 8 && f.detection > 10);
            if (i == 4) assert_true(measure(&outcome, "perturbation_largest") <= 3 && f.trigger_count == 120);
            assert_true(measure(&outcome, "perturbation_mean") > 0 && measure(&outcome, "iterations") > 0);
            assert_close(outcome.images, forged->triggers.count * measure(&outcome, "iterations"), 0);
            assert_false(next(&r, &outcome));
            finish(&r);
        }
        assert_string_equal(first, second);
    }
    raid r = raid_of("counterfeit-triggers", "{count: 41, start: pictures}", &o, NULL);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, "41 triggers from the 40 pictures of synthetic");
    finish(&r);
    owner_destroy(&o);
}

/* The best pictures on networks of the accuser's own; no pixel moves further than the bound. The seed decides everything. */
TEST(triggers_transfer_from_the_networks_of_an_accuser)
{
    owner o = owner_create("adi", "{trigger_count: 12, triggers_per_batch: 12}"),
          others[] = {owner_create("plain", "{}"), owner_create("plain", "{}")};
    train(&o, 10);
    char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
    for (int i = 0; i < 2; i++) {
        pg_model_initialise(others[i].model, (pg_seed){.grid = 7, .task = i ? "b" : "a"}, "weights");
        train(&others[i], 10);
    }
    pg_model *const references[] = {others[0].model, others[1].model};
    for (int run = 0; run < 2; run++) {
        raid r = raid_of("transfer-triggers", "{pictures: 30, count: 12, references: 2, held_out: 1, steps: 40, bound: 60}", &o,
                         o.model);
        assert_false(r.attack->sees & (PG_SEES_EVIDENCE | PG_SEES_DISTRIBUTED));
        r.view.references = references;
        r.view.reference_count = 2;
        OK(r.attack->start(r.state, r.options, &r.view, &err));
        assert_true(next(&r, &outcome));
        const pg_dataset *t = &outcome.evidence->triggers;
        const pg_finding own = judge(o.model, outcome.evidence), leading = judge(others[0].model, outcome.evidence);
        pg_evidence_commitment(outcome.evidence, run ? second : first);
        assert_int_equal(t->count, 12);
        assert_true(own.detection >= 90 && leading.detection >= 90);
        for (int i = 0; i < t->count; i++) { /* it began as a picture within the bound, which has another label */
            const size_t size = (size_t)(t->height * t->width * 3);
            int origin = -1;
            for (int k = 0; k < data.train.count && origin < 0; k++) {
                int furthest = 0;
                for (size_t p = 0; p < size; p++) {
                    const int moved = abs(t->images[(size_t)i * size + p] - data.train.images[(size_t)k * size + p]);
                    furthest = moved > furthest ? moved : furthest;
                }
                if (furthest <= 60) origin = k;
            }
            assert_true(origin >= 0);
            assert_int_not_equal(t->labels[i], data.train.labels[origin]);
        }
        assert_false(next(&r, &outcome));
        finish(&r);
    }
    assert_string_equal(first, second);
    owner_destroy(&others[0]);
    owner_destroy(&others[1]);
    owner_destroy(&o);
}

/* The thief embeds its own evidence in a copy. The stolen model and the owner's key stay as they are. The seed decides
 * everything. */
TEST(overwriting_leaves_the_key_of_the_owner)
{
    static const char *const victims[][2] = {{"uchida", "{bits: 64, strength: 5}"},
                                             {"adi", "{trigger_count: 12, triggers_per_batch: 12}"},
                                             {"v1", "{passport: random}"},
                                             {"v2", "{passport: random}"},
                                             {"v3", "{passport: random, trigger_count: 12}"}};
    for (int i = 0; i < 5; i++) {
        owner o = owner_create(victims[i][0], victims[i][1]);
        pg_net_spec spec = o.spec;
        pg_model *running = NULL;
        char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
        train(&o, 2);
        spec.public_affine = true;
        spec.private_affine = false;
        OK(pg_model_create(&spec, &running, &err));
        OK(pg_model_copy(o.model, running, &err));
        if (!o.spec.public_affine) OK(pg_passports_store(o.model, o.evidence, running, &err));
        for (int run = 0; run < 2; run++) {
            raid r =
                raid_of("overwrite", i ? "{epochs: 1, batch: 32, lr: 0.1}" : "{epochs: 4, batch: 32, lr: 0.1}", &o, running);
            assert_null(r.view.evidence);
            OK(r.attack->start(r.state, r.options, &r.view, &err));
            assert_true(next(&r, &outcome));
            const pg_outcome *out = &outcome;
            assert_true(out->images >= 64 && out->macs > out->images);
            assert_string_equal(out->evidence->scheme, victims[i][0]);
            assert_int_equal(pg_evidence_claim(out->evidence), pg_evidence_claim(o.evidence));
            assert_same_commitment(out->evidence, o.evidence, false);
            assert_memory_not_equal(out->model->params, o.model->params, o.model->param_count * sizeof *o.model->params);
            pg_sha256(out->model->params, o.model->param_count * sizeof *o.model->params, run ? second : first);
            if (i == 0 || i > 1) assert_true(judge(out->model, out->evidence).agree > judge(o.model, out->evidence).agree);
            assert_false(next(&r, &outcome));
            finish(&r);
        }
        assert_string_equal(first, second);
        pg_model_destroy(&running);
        owner_destroy(&o);
    }
}

static void check_only_moved(const pg_model *before, const pg_model *after, const pg_layer *l)
{
    const size_t weights = (size_t)(l->row.kernel * l->row.kernel * l->in_channels * l->out_channels);
    const struct {
        ptrdiff_t at;
        size_t count;
    } parts[] = {{l->weight, weights},
                 {l->affine[PG_PUBLIC].gamma, (size_t)l->out_channels},
                 {l->affine[PG_PUBLIC].beta, (size_t)l->out_channels}};
    size_t moved = 0, expected = 0;
    for (size_t i = 0; i < before->param_count; i++) {
        bool may = false;
        for (int p = 0; p < 3; p++) may |= i >= (size_t)parts[p].at && i < (size_t)parts[p].at + parts[p].count;
        if (!may) assert_true(before->params[i] == after->params[i]);
        moved += before->params[i] != after->params[i];
    }
    for (int p = 0; p < 3; p++) expected += parts[p].count;
    assert_true(moved > expected / 2);
}

/* With half of the images, the marked layer and its norm move and no other parameter does. His mark is found. */
TEST(a_thief_may_overwrite_the_marked_layer_alone)
{
    owner o = owner_create("uchida", "{bits: 64, strength: 5}");
    train(&o, 4);
    raid r =
        raid_of("overwrite", "{epochs: 60, batch: 32, lr: 0.3, part: marked, share: 50, thiefs_options: bits=96}", &o, o.model);
    OK(r.attack->check(r.options, &r.view, &err));
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    assert_true(next(&r, &outcome));
    assert_true(outcome.images == 60 * 32);
    check_only_moved(o.model, outcome.model, pg_mark_find("features.4", o.model));
    const pg_finding f = judge(outcome.model, outcome.evidence);
    printf("%d of %d bits of the thief\n", f.agree, f.bits);
    assert_true(f.significant && f.bits == 96);
    finish(&r);
    owner_destroy(&o);
}

TEST(parts_shares_and_options_that_cannot_be_are_refused)
{
    static const char *const faults[][3] = {
        {"adi", "{batch: 8, part: marked}", "part: evidence of adi marks no layers"},
        {"uchida", "{batch: 1, share: 0.5}", "share: 0.5 % of 64 images are 0"},
        {"uchida", "{batch: 8, thiefs_options: bits=0}", "bits: expected a whole number in [1, 4096], got 0"},
        {"uchida", "{batch: 8, thiefs_options: size=3}", "thiefs_options:1:2: size: unknown key"},
        {"uchida", "{batch: 8, thiefs_options: bits}", "bits"},
        {"uchida", "{batch: 8, thiefs_options: layer=features.9}", "features.9"}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        owner o = owner_create(faults[i][0], "{}");
        raid r = raid_of("overwrite", faults[i][1], &o, o.model);
        FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, faults[i][2]);
        finish(&r);
        owner_destroy(&o);
    }
}

/* The smallest of n p-values is about 1/n: if they are uniform, ln(n p) has the mean -0.58 and the deviation 1.28. Counts of
 * bits are steps, so their p-values are larger. */
static void check_grinding(const owner *o, const char *yaml, const int *tries, bool bound)
{
    enum { SEEDS = 40 };
    double sum[2] = {0};
    for (int seed = 0; seed < SEEDS; seed++) {
        raid r = raid_of("grind", yaml, o, NULL);
        r.view.seed.grid = (uint64_t)seed;
        OK(r.attack->start(r.state, r.options, &r.view, &err));
        for (int n = 0; n < 2; n++) {
            assert_true(next(&r, &outcome));
            assert_int_equal(outcome.evidence->binding.bound, bound);
            OK(pg_evidence_check(outcome.evidence, &err));
            int agree = 0;
            OK(pg_agreement_with(o->model, outcome.evidence, outcome.evidence, &agree, &err));
            sum[n] += log(tries[n] * pg_binomial_tail(agree, 64, 0.5));
        }
        finish(&r);
    }
    for (int n = 0; n < 2; n++) {
        printf("%s, %d tries: p times tries %.3g\n", yaml, tries[n], exp(sum[n] / SEEDS));
        assert_true(sum[n] / SEEDS > -0.58 - 4 * 1.28 / sqrt(SEEDS) && sum[n] / SEEDS < 0.8);
    }
}

TEST(the_best_of_n_ground_secrets_has_a_p_value_of_one_in_n)
{
    static const int tries[] = {30, 1000};
    owner o = owner_create("plain", "{}");
    check_grinding(&o, "{tries: [30, 1000], bits: 64, layer: features.0}", tries, true);
    check_grinding(&o, "{tries: [30, 1000], bits: 64, layer: features.0, claim: filtered, rounds: 1, pooled: 40}", tries,
                   false);
    raid r = raid_of("grind", "{claim: filtered}", &o, NULL);
    FAILS(r.attack->check(r.options, &r.view, &err), PG_BAD_INPUT, "of the 4608 weights of features.4 about 288 are left");
    finish(&r);
    owner_destroy(&o);
}

TEST(an_attack_fits_the_schemes_whose_evidence_it_is_about)
{
    static const struct {
        const char *attack, *scheme;
        bool fits;
    } pairs[] = {{"counterfeit-uchida", "uchida", true},
                 {"counterfeit-uchida", "neuralmark", true},
                 {"overwrite", "neuralmark", true},
                 {"fake1", "neuralmark", false},
                 {"counterfeit-uchida", "adi", false},
                 {"counterfeit-uchida", "v3", false},
                 {"overwrite", "uchida", true},
                 {"overwrite", "adi", true},
                 {"overwrite", "v1", true},
                 {"counterfeit-triggers", "v3", true},
                 {"counterfeit-triggers", "v2", false},
                 {"transfer-triggers", "adi", true},
                 {"transfer-triggers", "uchida", false},
                 {"overwrite", "plain", false},
                 {"fake1", "uchida", false},
                 {"fake1", "v2", true}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const pg_attack *attack = pg_attack_find(pairs[i].attack);
        assert_int_equal((attack->needs & pg_scheme_find(pairs[i].scheme)->holds) != 0, pairs[i].fits);
        assert_false(attack->sees & PG_SEES_EVIDENCE);
    }
}
