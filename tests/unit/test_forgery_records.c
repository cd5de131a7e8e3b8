/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forgeries as tasks of a grid: which evidence they must not depend on, and what their records hold. */
#include "core/nets/state.h"
#include "experiments/work/execute_internal.h"
#include "tests/unit/forgery.h"

/* ---- the threat model ---- */

static const pg_attack *spied; /* the real attack */
static pg_hash spied_hash;
static bool spied_evidence;

static pg_status spy_start(void *state, const void *options, const pg_attack_view *view, pg_error *error)
{
    spied_evidence |= view->evidence != NULL;
    return spied->start(state, options, view, error);
}

static pg_status spy_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *error)
{
    const pg_status status = spied->step(state, what, outcome, error);
    char commitment[PG_SHA256_HEX];
    if (status != PG_OK || *what < PG_ATTACK_OUTCOME) return status;
    pg_evidence_commitment(outcome->evidence, commitment);
    pg_hash_add_text(&spied_hash, commitment);
    return PG_OK;
}

/* Run an attack as a task of a grid, on a victim in the run's folder, and hash everything that it forges. The caller clears the
 * record. */
static void forge(const subject *victim, const char *name, const char *yaml, pg_record *record, char hex[PG_SHA256_HEX])
{
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    char path[PG_PATH_MAX];
    raid r;
    prepare(&r, name, yaml, victim);
    spied = r.attack;
    pg_attack spy = *spied;
    spy.start = spy_start;
    spy.step = spy_step;
    pg_hash_start(&spied_hash);
    OK(pg_execute_path(&at, "models", "victim", path, &err));
    OK(pg_model_save(victim->model, NULL, 0, path, &err));
    OK(pg_execute_path(&at, "evidence", "victim", path, &err));
    OK(pg_evidence_save(victim->evidence, path, &err));
    const pg_task task = {.kind = PG_TASK_ATTACK,
                          .data = planned_data(40, IMAGES),
                          .key = "forgery",
                          .scheme = victim->scheme,
                          .seed = 1,
                          .victim = "victim",
                          .attack = &spy,
                          .attack_options = r.options,
                          .verify = {.level = 1e-3, .tolerance = 5, .nulls = 0, .batch = IMAGES}};
    OK(pg_execute_attack(&task, &at, record, &err));
    pg_hash_finish_hex(&spied_hash, hex);
    pg_free(r.state);
    pg_free(r.options);
    pg_model_destroy(&r.running);
}

/* An outsider's forgery does not depend on the owner's passports, mark, signature or triggers; an insider's does. */
static void check_reach(const subject *victim, const subject *other)
{
    static const struct {
        const char *name, *yaml;
        bool insider;
    } runs[] = {{"fake1", "{repeats: 2}", false},
                {"fake1", "{repeats: 2, carrier: stolen, signature: matching}", false},
                {"fake2", "{epochs: 1, batch: 20}", false},
                {"substitute", "{epochs: 1, batch: 4}", false},
                {"substitute", "{epochs: 1, batch: 4, overlap: disjoint}", false},
                {"invert", "{flips: [10]}", false},
                {"counterfeit-uchida", "{bits: 32}", false},
                {"counterfeit-uchida", "{bits: 32, method: free}", false},
                {"counterfeit-triggers", "{count: 4, steps: 3}", false},
                {"counterfeit-triggers", "{count: 4, steps: 3, start: pictures}", false},
                {"fake3", "{epochs: 1, batch: 20}", true},
                {"flip", "{levels: [10]}", true}};
    int count = 0;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char mine[PG_SHA256_HEX], theirs[PG_SHA256_HEX];
        pg_record first = {0}, second = {0};
        subject swapped = *victim;
        if (!(pg_attack_find(runs[i].name)->needs & victim->scheme->holds)) continue;
        spied_evidence = false;
        swapped.evidence = other->evidence;
        forge(victim, runs[i].name, runs[i].yaml, &first, mine);
        forge(&swapped, runs[i].name, runs[i].yaml, &second, theirs);
        pg_record_clear(&first);
        pg_record_clear(&second);
        assert_int_equal(spied_evidence, runs[i].insider);
        assert_int_equal(strcmp(mine, theirs) != 0, runs[i].insider);
        count++;
    }
    assert_true(count >= 2);
}

TEST(secrets_are_out_of_reach)
{
    static const char *const schemes[] = {"v2", "v3"};
    static const char *const keys[][2] = {{"uchida", "{bits: 32}"}, {"adi", "{trigger_count: 8}"}};
    for (int k = 0; k < 4; k++) {
        subject victim, other;
        if (k < 2) {
            victim = victim_of(schemes[k], PG_NORM_BN);
            other = subject_wire(schemes[k], PG_NORM_BN, PG_PASSPORT_SHUFFLE);
            other.seed.grid = 99;
            subject_fill(&other, &data);
        } else {
            victim = owner_of(keys[k - 2][0], keys[k - 2][1], 1);
            other = owner_of(keys[k - 2][0], keys[k - 2][1], 99);
        }
        check_reach(&victim, &other);
        subject_destroy(&other);
        subject_destroy(&victim);
    }
    pg_task_release_data();
}

/* ---- the sheet of a forgery ---- */

static double cell(const pg_record *record, const char *outcome, const char *metric)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].outcome, outcome) == 0 && strcmp(record->cells[i].metric, metric) == 0)
            return record->cells[i].value;
    fail_msg("no %s of %s", metric, outcome);
    return NAN;
}

/* Beside the judge's finding, a record has the owner's bits before and after, the differing bits, the costs, and whether the
 * forgery is an ambiguity. Nothing in it depends on time. */
TEST(a_record_reports_bits_costs_and_ambiguity)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    const int bits = pg_evidence_bits(victim.evidence);
    pg_record flip = {0}, again = {0}, fake2 = {0};
    char hex[PG_SHA256_HEX];
    forge(&victim, "flip", "{levels: [0, 50]}", &flip, hex);
    forge(&victim, "flip", "{levels: [0, 50]}", &again, hex);
    forge(&victim, "fake2", "{epochs: 2, batch: 20}", &fake2, hex);
    assert_true(cell(&flip, "genuine", "detection") == 100);
    assert_true(cell(&flip, "genuine", "agreeing") == bits && cell(&flip, "genuine", "null_probability") == 0.5);
    assert_true(cell(&flip, "level=0", "bits_differing") == 0 && cell(&flip, "level=0", "owner_bits_matched") == 100);
    assert_true(cell(&flip, "level=0", "ambiguous") == 0); /* the owner's own signature does not count as the forger's */
    const int half = bits / 2;                             /* rounded down */
    const double turned = 100.0 * half / bits;
    assert_true(fabs(cell(&flip, "level=50", "bits_differing") - turned) < 1e-9);
    assert_true(cell(&flip, "level=50", "owner_detection") == 100 && cell(&flip, "level=50", "detection") == 100);
    const bool serves = cell(&flip, "level=50", "accuracy_private") >= cell(&flip, "genuine", "accuracy") - 2;
    assert_true(cell(&flip, "level=50", "ambiguous") == (serves && cell(&flip, "level=50", "useless") == 0));
    assert_true(cell(&fake2, "", "attack_images") == 80 && cell(&fake2, "", "attack_flops") > 80 * pg_model_macs(victim.model));
    assert_true(cell(&flip, "level=50", "attack_images") == 0 && cell(&flip, "level=50", "attack_flops") == 0);
    assert_true(cell(&fake2, "", "loss_last") > 0);
    assert_int_equal(flip.cell_count, again.cell_count);
    for (int i = 0; i < flip.cell_count; i++) assert_true(flip.cells[i].value == again.cells[i].value);
    pg_record_clear(&flip);
    pg_record_clear(&again);
    pg_record_clear(&fake2);
    subject_destroy(&victim);
    pg_task_release_data();
}

static bool has_cell(const pg_record *record, const char *outcome, const char *metric)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].outcome, outcome) == 0 && strcmp(record->cells[i].metric, metric) == 0) return true;
    return false;
}

/* The cells of one forgery. The owner's statistic where it is shown, the forger's, and the accuracy decide. Bits can only
 * differ if the evidence has as many as the owner's. True if it is an ambiguity. */
static bool check_sheet(const subject *victim, const char *attack, const char *yaml, const char *outcome, bool comparable)
{
    pg_record record = {0};
    char hex[PG_SHA256_HEX];
    forge(victim, attack, yaml, &record, hex);
    const bool unchanged = strcmp(outcome, "attacker") != 0;
    const double before = judge_alone(victim->model, victim->evidence).deployed.exact;
    const bool serves = cell(&record, outcome, "accuracy_claimed") >= before - 2 && cell(&record, outcome, "useless") == 0;
    bool another = cell(&record, outcome, "detection") == 100;
    assert_int_equal(has_cell(&record, outcome, "bits_differing"), comparable);
    assert_int_equal(has_cell(&record, outcome, "owner_bits_matched"), comparable);
    if (comparable) {
        const double differing = cell(&record, outcome, "bits_differing");
        another = differing >= 25 || (differing > 0 && another);
    }
    assert_true(cell(&record, outcome, "ambiguous") == (serves && another));
    assert_int_equal(has_cell(&record, "genuine", "detection"), unchanged);
    const bool triggers = has_cell(&record, outcome, "triggers"), passports = victim->evidence->passport_count > 0;
    const char *statistic = triggers && passports ? "trigger_public" : "detection";
    assert_true(fabs(cell(&record, outcome, "owner_detection") - cell(&record, unchanged ? "genuine" : "", statistic)) < 1e-9);
    assert_true(cell(&record, unchanged ? outcome : "", "attack_images") >= 0);
    assert_true(cell(&record, unchanged ? outcome : "", "attack_flops") >= 0);
    pg_record_clear(&record);
    return serves && another;
}

/* Marks with as many bits as the owner's and with more, triggers against triggers alone and beside passports, and evidence that
 * was trained into the stolen model. */
TEST(every_form_of_claim_has_a_record)
{
    subject uchida = owner_of("uchida", "{bits: 32}", 1), whole = owner_of("uchida", "{bits: 256}", 1);
    subject adi = owner_of("adi", "{trigger_count: 8}", 1);
    subject v3 = owner_of("v3", "{passport: random, trigger_count: 8}", 1);
    subject *const victims[] = {&uchida, &whole, &adi, &v3};
    pg_train_options training = test_training(24, 8); /* enough images for every network to beat guessing clearly */
    training.lr = 0.05;
    assert_false(check_sheet(&uchida, "counterfeit-uchida", "{bits: 32}", "", true)); /* a useless network has no ambiguities */
    for (int i = 0; i < 4; i++) subject_train(victims[i], &data, &training);
    assert_true(check_sheet(&uchida, "counterfeit-uchida", "{bits: 32}", "", true));
    assert_true(check_sheet(&uchida, "counterfeit-uchida", "{bits: 64}", "", false));
    assert_true(check_sheet(&adi, "counterfeit-triggers", "{count: 4}", "", false));
    assert_false(check_sheet(&adi, "counterfeit-triggers", "{count: 4, steps: 1, bound: 1}", "", false));
    assert_true(check_sheet(&v3, "counterfeit-triggers", "{count: 4}", "", false));
    (void)check_sheet(&uchida, "overwrite", "{epochs: 1, batch: 20}", "attacker", false);
    (void)check_sheet(&whole, "overwrite", "{epochs: 1, batch: 20}", "attacker", true);
    (void)check_sheet(&adi, "overwrite", "{epochs: 1, batch: 20}", "attacker", false);
    for (int i = 0; i < 4; i++) subject_destroy(victims[i]);
    pg_task_release_data();
}
