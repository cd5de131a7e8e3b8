/* SPDX-License-Identifier: GPL-3.0-or-later */
/* True and false claims: intervals, scores, ROC curves and the table, from made-up results. */
#include "core/base/memory.h"
#include "experiments/report/roc.h"
#include "experiments/report/table_kind.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <math.h>

extern const pg_table_kind pg_table_kind_claims, pg_table_kind_removal;

static void assert_interval(int count, int n, double low, double high)
{
    pg_sample s = {0};
    for (int i = 0; i < n; i++) OK(pg_sample_add(&s, i < count, &err));
    if (!(fabs(pg_sample_low(&s) - low) < 0.01) || !(fabs(pg_sample_high(&s) - high) < 0.01))
        fail_msg("%d of %d: %g to %g", count, n, pg_sample_low(&s), pg_sample_high(&s));
    pg_sample_clear(&s);
}

/* Published values of Clopper and Pearson's interval. */
TEST(an_interval_is_exact)
{
    assert_interval(0, 10, 0, 30.85);
    assert_interval(10, 10, 69.15, 100);
    assert_interval(5, 10, 18.71, 81.29);
    assert_interval(1, 20, 0.13, 24.87);
    assert_interval(0, 1, 0, 97.5);
}

/* ---- a made run: three true claims (one of them after an attack), and false ones by the owner's and by forged evidence ----
 */

static pg_result items[32];
static pg_results results = {.name = "made", .label = "made up", .items = items};

static pg_result *add_result(const char *attack, int seed)
{
    pg_result *r = &items[results.count++];
    results.expected = results.count;
    r->labels = (pg_task_labels){.data = "set 20+10",
                                 .network = "alexnet",
                                 .norm = "bn",
                                 .scheme = "s",
                                 .scheme_parameters = &pg_no_parameters,
                                 .training = &pg_no_parameters,
                                 .attack = attack,
                                 .parameters = &pg_no_parameters,
                                 .seed = (uint64_t)seed};
    return r;
}

static void add_claim(pg_result *r, const char *outcome, double p_value)
{
    OK(pg_record_add(&r->record, outcome, "p_value", p_value, "", &err));
    OK(pg_record_add(&r->record, outcome, "agrees", p_value <= 1e-3, "", &err));
    OK(pg_record_add(&r->record, outcome, "proves", 0, "", &err));
    OK(pg_record_add(&r->record, outcome, "useless", strcmp(outcome, "level=100") == 0, "", &err));
}

static void add_false(const char *attack, const char *outcome, double p_value)
{
    pg_result *r = add_result(attack, 1);
    OK(pg_record_add(&r->record, outcome, "readable", !isnan(p_value), "", &err));
    if (!isnan(p_value)) add_claim(r, outcome, p_value);
}

static void make_results(pg_summary *summary)
{
    add_claim(add_result("", 1), "", 1e-9);
    add_claim(add_result("", 2), "", 1e-4);
    pg_result *pruned = add_result("prune", 1);
    add_claim(pruned, "level=10", 1e-6);
    add_claim(pruned, "level=100", 0.9);                      /* useless: no claim */
    add_claim(add_result("overwrite", 1), "attacker", 1e-12); /* the thief's: no claim of the owner */
    pg_result *forged = add_result("forge", 1);
    add_claim(forged, "genuine", 1e-9);
    add_claim(forged, "", 1e-9);
    for (int i = 0; i < 4; i++) add_false("", "accused=alexnet-bn 01234567", 0.5);
    add_false("", "accused=resnet9-bn other half 89abcdef", (double)NAN);
    add_false("forge", "accused=alexnet-bn 01234567", 1e-5);
    add_false("forge", "accused=alexnet-bn 76543210", 0.2);
    OK(pg_summary_open(summary, &results, &err));
}

static void drop_results(pg_summary *summary)
{
    pg_summary_close(summary);
    for (int i = 0; i < results.count; i++) pg_record_clear(&items[i].record);
    results.count = 0;
}

static int attack_of(const pg_summary *s, const char *name)
{
    for (int i = 0; i < s->attacks.count; i++)
        if (strcmp(s->attacks.items[i].name, name) == 0) return i;
    fail_msg("no %s", name);
    return -1;
}

TEST(true_claims_are_told_from_false_ones)
{
    pg_summary s = {0};
    pg_scores genuine = {0}, forged = {0};
    make_results(&s);
    OK(pg_scores_gather(&s, 0, 0, -1, &genuine, &err));
    OK(pg_scores_gather(&s, 0, 0, attack_of(&s, "forge"), &forged, &err));
    assert_int_equal(genuine.of_true.count, 3);
    assert_int_equal(genuine.of_false.count, 4);
    assert_int_equal(forged.of_false.count, 2);
    for (int i = 0; i < 3; i++) assert_true(fabs(pg_sample_values(&genuine.of_true)[i] - (const double[]){4, 6, 9}[i]) < 1e-9);
    assert_true(fabs(pg_true_positives(&genuine, 0.01) - 1) < 1e-12);
    assert_true(fabs(pg_true_positives(&forged, 0.01) - 2.0 / 3) < 1e-12);
    assert_true(fabs(pg_true_positives(&forged, 0.5) - 1) < 1e-12);
    assert_true(fabs(pg_true_positives(&forged, 1) - 1) < 1e-12);
    pg_scores_clear(&genuine);
    assert_true(isnan(pg_true_positives(&genuine, 0.01)));
    pg_scores_clear(&forged);
    drop_results(&s);
}

static void assert_roc(const pg_scores *scores, const pg_roc_point *expected, int size)
{
    pg_roc_point *points = NULL;
    int count;
    OK(pg_roc(scores, &points, &count, &err));
    assert_int_equal(count, size);
    for (int i = 0; i < size; i++)
        if (!(fabs(points[i].false_share - expected[i].false_share) < 1e-12) ||
            !(fabs(points[i].true_share - expected[i].true_share) < 1e-12))
            fail_msg("point %d: %g %g", i, points[i].false_share, points[i].true_share);
    pg_free(points);
}

/* Equal scores are accepted together. */
TEST(a_roc_curve_runs_from_nothing_to_everything)
{
    double of_true[] = {1, 3, 5}, of_false[] = {0, 0, 3, 4}, one = 2;
    assert_roc(&(pg_scores){{.count = 3, .values = of_true}, {.count = 4, .values = of_false}},
               (const pg_roc_point[]){{0, 0}, {0, 1.0 / 3}, {0.25, 1.0 / 3}, {0.5, 2.0 / 3}, {0.5, 1}, {1, 1}}, 6);
    assert_roc(&(pg_scores){{.count = 1, .one = one}, {.count = 1, .one = one}}, (const pg_roc_point[]){{0, 0}, {1, 1}}, 2);
    assert_roc(&(pg_scores){{.count = 3, .values = of_true}, {.count = 0}}, NULL, 0);
}

static int row_of(const pg_table *table, const char *evidence, const char *accused)
{
    for (int r = 0; r < table->row_count; r++)
        if (strcmp(pg_table_text(table, r, 4), evidence) == 0 && strcmp(pg_table_text(table, r, 5), accused) == 0) return r;
    fail_msg("no row of %s, %s", evidence, accused);
    return -1;
}

static const pg_sample *cell(const pg_table *table, int row, const char *name)
{
    for (int c = 0; c < table->column_count; c++)
        if (strcmp(table->columns[c].name, name) == 0) return &pg_table_at(table, row, c)->sample;
    fail_msg("no column %s", name);
    return NULL;
}

/* Evidence that cannot be read has a row, and no verdict. Claims are no removals. */
TEST(a_table_has_a_row_for_every_kind_of_accused_network)
{
    pg_summary s = {0};
    pg_table claims = {0}, removal = {0};
    make_results(&s);
    OK(pg_table_kind_claims.fill(&s, &claims, &err));
    OK(pg_table_kind_removal.fill(&s, &removal, &err));
    assert_int_equal(claims.row_count, 2 + 3 + 2);
    for (int r = 0; r < removal.row_count; r++) assert_null(strstr(pg_table_text(&removal, r, 5), "accused"));
    assert_int_equal(cell(&claims, row_of(&claims, "genuine", "own"), "agrees")->count, 2);
    assert_int_equal(cell(&claims, row_of(&claims, "genuine", "own, attacked"), "agrees")->count, 1);
    const int unreadable = row_of(&claims, "genuine", "resnet9-bn other half"),
              all = row_of(&claims, "genuine", "independent, all");
    assert_int_equal(cell(&claims, unreadable, "readable")->count, 1);
    assert_int_equal(cell(&claims, unreadable, "agrees")->count, 0);
    assert_int_equal(cell(&claims, all, "readable")->count, 5);
    assert_int_equal(cell(&claims, all, "agrees")->count, 4);
    assert_true(fabs(cell(&claims, all, "true % at 1 % false")->one - 100) < 1e-9);
    const int forged = row_of(&claims, "forge", "independent, all");
    assert_true(fabs(cell(&claims, forged, "true % at 1 % false")->one - 200.0 / 3) < 1e-9);
    assert_int_equal(cell(&claims, row_of(&claims, "forge", "alexnet-bn"), "n")->count, 2);
    pg_table_clear(&claims);
    pg_table_clear(&removal);
    drop_results(&s);
}

TEST(a_run_without_independent_networks_has_no_such_table)
{
    pg_summary s = {0};
    pg_table claims = {0};
    add_claim(add_result("", 1), "", 1e-9);
    OK(pg_summary_open(&s, &results, &err));
    OK(pg_table_kind_claims.fill(&s, &claims, &err));
    assert_int_equal(claims.row_count, 0);
    pg_table_clear(&claims);
    drop_results(&s);
}
