/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Best responses of made-up runs, and the game of owner and thief. */
#include "core/base/memory.h"
#include "experiments/report/game.h"
#include "experiments/report/scene.h"
#include "experiments/report/table_kind.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <math.h>
#include <string.h>

/* ---- games ---- */

static double solve(int rows, int columns, const double *payoff, double *row, double *column)
{
    double value = NAN;
    OK(pg_game_solve(rows, columns, payoff, &value, row, column, &err));
    return value;
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12)) fail_msg("%.17g is not %.17g", found, expected);
}

TEST(games_have_their_known_values)
{
    const double pennies[] = {1, 0, 0, 1}, thirds[] = {0.5, 0, 1, 1, 0.5, 0, 0, 1, 0.5}, saddle[] = {0.25, 0.75, 0, 1},
                 nothing[] = {0, 0, 0, 0}, mixed[] = {1, 0, 0.5, 0, 1, 0.25};
    double row[3], column[3];
    assert_near(solve(2, 2, pennies, row, column), 0.5);
    assert_near(row[0], 0.5);
    assert_near(column[1], 0.5);
    assert_near(solve(3, 3, thirds, row, column), 0.5);
    for (int i = 0; i < 3; i++) assert_near(row[i], 1.0 / 3);
    for (int i = 0; i < 3; i++) assert_near(column[i], 1.0 / 3);
    assert_near(solve(2, 2, saddle, row, column), 0.75); /* the owner's first row never pays more */
    assert_near(row[0], 1);
    assert_near(column[1], 1);
    assert_near(solve(2, 2, nothing, row, column), 0);
    assert_near(solve(2, 3, mixed, row, column), 0.5); /* the third column is no better than a mixture */
    assert_near(row[0] + row[1], 1);
    assert_near(column[0] + column[1] + column[2], 1);
}

/* Neither player gains by leaving his strategy, in games of any shape. */
TEST(no_player_gains_by_leaving_an_equilibrium)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "games"}, "payoffs", 0);
    for (int trial = 0; trial < 200; trial++) {
        double payoff[7 * 9], row[7], column[9];
        const int rows = 1 + (int)pg_rng_below(&rng, 7), columns = 1 + (int)pg_rng_below(&rng, 9);
        for (int i = 0; i < rows * columns; i++) payoff[i] = (double)pg_rng_below(&rng, 4) / 3;
        const double value = solve(rows, columns, payoff, row, column);
        double sums[2] = {0, 0};
        for (int c = 0; c < columns; c++) {
            double paid = 0;
            for (int r = 0; r < rows; r++) paid += row[r] * payoff[r * columns + c];
            if (!(paid <= value + 1e-9 && column[c] >= -1e-12))
                fail_msg("game %d: column %d pays %g of %g", trial, c, paid, value);
            sums[1] += column[c];
        }
        for (int r = 0; r < rows; r++) {
            double paid = 0;
            for (int c = 0; c < columns; c++) paid += column[c] * payoff[r * columns + c];
            if (!(paid >= value - 1e-9 && row[r] >= -1e-12)) fail_msg("game %d: row %d pays %g of %g", trial, r, paid, value);
            sums[0] += row[r];
        }
        assert_true(fabs(sums[0] - 1) < 1e-9 && fabs(sums[1] - 1) < 1e-9);
    }
}

/* ---- made-up results ---- */

static pg_result items[32];
static pg_results results = {.name = "made", .label = "made up", .items = items};

static pg_result *add_result(const char *scheme, const char *attack, const char *parameters, double accuracy, int agrees)
{
    pg_result *r = &items[results.count++];
    results.expected = results.count;
    r->labels = (pg_task_labels){.data = "cifar10",
                                 .network = "alexnet",
                                 .norm = "bn",
                                 .scheme = scheme,
                                 .scheme_parameters = listed(""),
                                 .training = listed("epochs=2"),
                                 .attack = attack,
                                 .parameters = listed(parameters),
                                 .seed = 1};
    OK(pg_record_add(&r->record, "", "accuracy", accuracy, "%", &err));
    if (agrees >= 0) OK(pg_record_add(&r->record, "", "agrees", agrees, "", &err));
    if (attack[0]) OK(pg_record_add(&r->record, "", "attack_flops", 2e9, "multiply-adds", &err));
    return r;
}

static void add_level(pg_result *r, const char *outcome, double accuracy, int agrees)
{
    OK(pg_record_add(&r->record, outcome, "accuracy", accuracy, "%", &err));
    OK(pg_record_add(&r->record, outcome, "agrees", agrees, "", &err));
}

static void clear_results(void)
{
    for (int i = 0; i < results.count; i++) pg_record_clear(&items[i].record);
    memset(items, 0, sizeof items);
    results.count = 0;
    forget_parameters();
}

static pg_table fill(const char *name)
{
    pg_table table = {0};
    pg_summary summary = {0};
    OK(pg_summary_open(&summary, &results, &err));
    for (int i = 0; pg_table_kinds[i]; i++)
        if (strcmp(pg_table_kinds[i]->name, name) == 0) OK(pg_table_kinds[i]->fill(&summary, &table, &err));
    pg_summary_close(&summary);
    return table;
}

static int column_of(const pg_table *table, const char *name)
{
    for (int c = 0; c < table->column_count; c++)
        if (strcmp(table->columns[c].name, name) == 0) return c;
    fail_msg("no column %s", name);
    return -1;
}

static double value_at(const pg_table *table, int row, const char *column)
{
    return pg_sample_mean(&pg_table_at(table, row, column_of(table, column))->sample);
}

/* The row of a scheme and an attack begin with their names. */
static int row_of(const pg_table *table, const char *scheme, const char *attack)
{
    for (int row = 0; row < table->row_count; row++)
        if (strcmp(pg_table_text(table, row, column_of(table, "scheme")), scheme) == 0 &&
            strncmp(pg_table_text(table, row, column_of(table, "attack")), attack, strlen(attack)) == 0)
            return row;
    fail_msg("no row %s, %s", scheme, attack);
    return -1;
}

static const char *outcome_at(const pg_table *table, int row)
{
    return table->word((int)value_at(table, row, "outcome"));
}

static const char *response_at(const pg_table *table, int row)
{
    return pg_table_text(table, row, column_of(table, "response"));
}

static void make_results(void)
{
    add_result("plain", "", "", 90, -1);
    add_result("uchida", "", "", 88, 1);
    add_result("adi", "", "", 89, 1);
    add_result("uchida", "finetune", "data='' epochs=1", 87, 0);
    add_result("adi", "finetune", "data='' epochs=1", 89, 1);
    add_result("uchida", "overwrite", "epochs=1", 82, 0); /* more than 5 points lost */
    add_result("adi", "overwrite", "epochs=1", 85, 0);
    pg_result *prune = add_result("adi", "prune", "levels=[50, 90]", 0, -1);
    prune->record.cell_count = 0;
    add_level(prune, "level=50", 88, 1);
    add_level(prune, "level=90", 70, 0);
}

TEST(a_useful_network_without_its_mark_is_a_response)
{
    make_results();
    pg_table t = fill("response");
    assert_int_equal(t.row_count, 5);
    assert_string_equal(outcome_at(&t, row_of(&t, "uchida", "finetune")), "removed");
    assert_string_equal(response_at(&t, row_of(&t, "uchida", "finetune")), "best");
    assert_near(value_at(&t, row_of(&t, "uchida", "finetune"), "points lost"), 1);
    assert_near(value_at(&t, row_of(&t, "uchida", "finetune"), "1e9 multiply-adds"), 2);
    assert_string_equal(outcome_at(&t, row_of(&t, "uchida", "overwrite")), "useless");
    assert_string_equal(response_at(&t, row_of(&t, "uchida", "overwrite")), "");
    assert_string_equal(outcome_at(&t, row_of(&t, "adi", "overwrite")), "removed");
    /* the thief does not take the level that ruins the network */
    assert_string_equal(outcome_at(&t, row_of(&t, "adi", "prune")), "agrees");
    assert_near(value_at(&t, row_of(&t, "adi", "prune"), "accuracy %"), 88);
    pg_table_clear(&t);
    clear_results();
}

/* No attack removes a mark that nobody could read before. */
TEST(a_claim_that_did_not_hold_before_leaves_nothing_to_remove)
{
    make_results();
    add_result("zhang", "", "", 88, 0);
    add_result("zhang", "finetune", "data='' epochs=1", 88, 0);
    pg_table t = fill("response");
    assert_string_equal(outcome_at(&t, row_of(&t, "zhang", "finetune")), "nothing to remove");
    assert_near(value_at(&t, row_of(&t, "zhang", "finetune"), "removed"), 0);
    pg_table_clear(&t);
    clear_results();
}

/* After transfer the network is held against the plain one that was transferred alike. */
TEST(a_transferred_network_is_held_against_the_plain_one)
{
    make_results();
    const char *const schemes[] = {"plain", "uchida", "adi"};
    const double accuracies[] = {60, 56, 54};
    for (int i = 0; i < 3; i++) {
        pg_result *r = add_result(schemes[i], "finetune", "data=mnist epochs=1", accuracies[i], i ? 0 : -1);
        OK(pg_record_note(&r->record, "other_data", "mnist", &err));
    }
    pg_table t = fill("response");
    const int uchida = row_of(&t, "uchida", "finetune data=mnist"), adi = row_of(&t, "adi", "finetune data=mnist");
    assert_near(value_at(&t, uchida, "points lost"), 4);
    assert_string_equal(outcome_at(&t, uchida), "removed");
    assert_string_equal(outcome_at(&t, adi), "useless");
    pg_table_clear(&t);
    clear_results();
}

/* Each scheme is removed by one attack alone, so both players toss a coin. */
TEST(the_equilibrium_of_two_schemes_is_a_coin)
{
    make_results();
    pg_table t = fill("equilibrium");
    assert_int_equal(t.row_count, 4);
    for (int row = 0; row < 4; row++) {
        assert_string_equal(pg_table_text(&t, row, column_of(&t, "player")), row < 2 ? "owner" : "thief");
        assert_near(value_at(&t, row, "share of games %"), 50);
        assert_near(value_at(&t, row, "removed %"), 50);
    }
    pg_table_clear(&t);
    clear_results();
}

/* A field has the place of its scheme and attack, and the outcome of most seeds. */
TEST(a_field_for_each_scheme_and_attack)
{
    extern const pg_figure_kind pg_figure_kind_response;
    pg_summary summary = {0};
    pg_figures written = {.directory = folder()};
    char *text = NULL;
    size_t bytes;
    make_results();
    add_result("uchida", "finetune", "data='' epochs=1", 87, 1)->labels.seed = 2;
    OK(pg_summary_open(&summary, &results, &err));
    OK(pg_figure_kind_response.draw(&(pg_scene){.summary = &summary, .scheme = -1}, &written, &err));
    assert_int_equal(written.count, 1);
    OK(pg_file_read(path_of("figures/response-alexnet-bn.csv"), &text, &bytes, &err));
    assert_non_null(strstr(text, ",1,1,50,removed,finetune | uchida,"));
    assert_non_null(strstr(text, ",2,1,0,agrees,finetune | adi,"));
    assert_non_null(strstr(text, ",1,2,0,useless,overwrite | uchida,"));
    assert_non_null(strstr(text, ",2,3,0,agrees,prune | adi,"));
    assert_null(strstr(text, "prune | uchida"));
    pg_free(text);
    pg_figures_clear(&written);
    pg_summary_close(&summary);
    clear_results();
}

/* ---- measures of attacks ---- */

static void add_p_value(const char *attack, double accuracy, double p_value)
{
    pg_result *r = add_result("v1", attack, "", accuracy, 1);
    OK(pg_record_add(&r->record, "", "mark_p_value", p_value, "", &err));
    OK(pg_record_add(&r->record, "", "queries", 100, "images", &err));
}

/* The judge's findings, which stand before the cost of an attack, are in other tables. */
TEST(numbers_that_an_attack_reports_have_rows)
{
    add_result("v1", "", "", 90, 1);
    add_p_value("detect", 90, 1e-5);
    add_p_value("detect", 90, 1e-3);
    pg_table table = fill("measures");
    assert_int_equal(table.row_count, 2);
    assert_string_equal(pg_table_text(&table, 0, column_of(&table, "measure")), "mark_p_value");
    assert_string_equal(pg_table_text(&table, 1, column_of(&table, "measure")), "queries (images)");
    assert_true(value_at(&table, 0, "mean") == (1e-5 + 1e-3) / 2);
    assert_int_equal(pg_table_at(&table, 0, column_of(&table, "smallest"))->sample.count, 2);
    assert_true(value_at(&table, 1, "mean") == 100);
    pg_table_clear(&table);
    clear_results();
}
