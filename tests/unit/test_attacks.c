/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks: the attack that changes nothing, and properties that every attack has. */
#include "tests/unit/victims.h"

TEST(the_attack_that_changes_nothing_changes_nothing)
{
    subject victim = victim_of("v2");
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    open_raid(&r, "unchanged", "{}", &view);
    assert_true(next(&r, &o));
    assert_true(!r.attack->axis && !o.model && !o.evidence && !o.data);
    assert_false(next(&r, &o));
    finish(&r);
    subject_destroy(&victim);
}

/* ---- all attacks ---- */

/* SHA-256 over every outcome of an attack. */
static void hash_outcomes(const char *name, const char *yaml, const pg_attack_view *view, char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    raid r;
    pg_outcome o;
    pg_hash_start(&hash);
    open_raid(&r, name, yaml, view);
    while (next(&r, &o)) {
        const pg_model *m = o.model ? o.model : view->model;
        char commitment[PG_SHA256_HEX] = "";
        if (o.evidence) pg_evidence_commitment(o.evidence, commitment);
        pg_hash_add_text(&hash, commitment);
        pg_hash_add(&hash, m->params, m->param_count * sizeof *m->params);
        pg_hash_add(&hash, m->buffers, m->buffer_count * sizeof *m->buffers);
    }
    finish(&r);
    pg_hash_finish_hex(&hash, hex);
}

/* An attack that draws random numbers gives other outcomes for another seed. */
TEST(outcomes_depend_on_the_seed_and_not_on_threads)
{
    static const char *const runs[][2] = {
        {"unchanged", "{}"}, {"prune", "{levels: [50]}"}, {"finetune", "{epochs: 1, batch: 16}"}, {"fake1", "{repeats: 2}"}};
    subject victim = victim_of("v1");
    for (int i = 0; i < 4; i++) {
        pg_attack_view view = view_of(&victim);
        char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
        hash_outcomes(runs[i][0], runs[i][1], &view, first);
        pg_compute_start(2);
        hash_outcomes(runs[i][0], runs[i][1], &view, hex);
        pg_compute_start(1);
        assert_string_equal(hex, first);
        view.seed.grid = 2;
        hash_outcomes(runs[i][0], runs[i][1], &view, hex);
        assert_int_equal(strcmp(hex, first) == 0, i < 2);
    }
    subject_destroy(&victim);
}

TEST(a_misspelt_option_is_refused_with_the_right_one)
{
    static pg_problems problems;
    for (int a = 0; pg_attacks[a]; a++)
        for (const pg_option *o = pg_attacks[a]->options; o->key; o++) {
            char yaml[64], suggestion[64];
            problems.count = 0;
            snprintf(yaml, sizeof yaml, "{%sz: 1}", o->key);
            snprintf(suggestion, sizeof suggestion, "unknown key, did you mean '%s'?", o->key);
            void *options = try_options(pg_attacks[a]->options, pg_attacks[a]->options_size, yaml, &problems);
            assert_int_equal(problems.count, 1);
            if (!strstr(problems.lines[0], suggestion)) fail_msg("%s: %s", pg_attacks[a]->name, problems.lines[0]);
            pg_free(options);
        }
}

TEST(every_attack_is_found_by_its_name)
{
    for (int a = 0; pg_attacks[a]; a++) {
        assert_ptr_equal(pg_attack_find(pg_attacks[a]->name), pg_attacks[a]);
        assert_true(pg_attacks[a]->summary[0] && pg_attacks[a]->source[0]);
    }
    assert_null(pg_attack_find("Prune"));
}

/* Whoever changes what a thief may see changes this table too: two attackers are insiders, one sees answers alone, and those
 * who train on images of their own choice see what is sold with the network. */
TEST(every_attack_declares_what_its_thief_may_see)
{
    enum { PUPIL = PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_DISTRIBUTED };
    static const struct {
        const char *name;
        unsigned sees;
    } thieves[] = {
        {"unchanged", 0},
        {"prune", 0},
        {"counterfeit-uchida", 0},
        {"counterfeit-triggers", 0},
        {"filter-inputs", 0},
        {"rewrite", PG_SEES_DISTRIBUTED},
        {"fake1", PG_SEES_PRETRAINED},
        {"fake2", PG_SEES_TRAIN | PG_SEES_AFFINE},
        {"fake3", PG_SEES_TRAIN | PG_SEES_EVIDENCE},
        {"flip", PG_SEES_EVIDENCE},
        {"permute", PG_SEES_EVIDENCE},
        {"invert", PG_SEES_AFFINE},
        {"grind", PG_SEES_AFFINE},
        {"substitute", PG_SEES_TRAIN | PG_SEES_FRESH},
        {"overwrite", PG_SEES_TRAIN | PG_SEES_AFFINE},
        {"transfer-triggers", PG_SEES_TRAIN | PG_SEES_AFFINE | PG_SEES_REFERENCES},
        {"detect", PG_SEES_REFERENCES},
        {"extract", PG_SEES_TRAIN | PG_SEES_FRESH | PG_SEES_ANSWERS},
        {"finetune", PG_SEES_TRAIN | PG_SEES_DISTRIBUTED},
        {"fine-prune", PUPIL},
        {"regularise", PUPIL},
        {"refit", PUPIL},
        {"anp", PUPIL},
        {"nad", PUPIL},
        {"mcr", PUPIL},
        {"relabel", PUPIL},
        {"shift-weights", PUPIL},
        {"round-weights", PUPIL},
        {"adversarial-training", PUPIL},
        {"cleanse", PUPIL},
        {"dehydra", PUPIL},
        {"wrk", PUPIL},
    };
    int count = 0;
    for (size_t i = 0; i < sizeof thieves / sizeof *thieves; i++)
        if (pg_attack_find(thieves[i].name)->sees != thieves[i].sees) fail_msg("%s", thieves[i].name);
    while (pg_attacks[count]) count++;
    assert_int_equal(count, sizeof thieves / sizeof *thieves);
}
