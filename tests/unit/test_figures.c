/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points and scripts of figures, from made-up results. */
#include "core/base/memory.h"
#include "core/formats/csv.h"
#include "experiments/report/figure_internal.h"
#include "experiments/report/figures.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static pg_figures written;
static pg_result items[16];
static pg_results results = {.name = "made", .label = "it's \"made up\"", .items = items};

static pg_result *add_result(const char *scheme, const char *attack, const char *parameters)
{
    pg_result *r = &items[results.count++];
    results.expected = results.count;
    r->labels = (pg_task_labels){.data = "set 20+10",
                                 .network = "alexnet x0.5",
                                 .norm = "bn",
                                 .scheme = scheme,
                                 .scheme_parameters = &pg_no_parameters,
                                 .training = &pg_no_parameters,
                                 .attack = attack,
                                 .parameters = listed(parameters)};
    return r;
}

static void add_cell(pg_result *r, const char *outcome, const char *metric, double value)
{
    OK(pg_record_add(&r->record, outcome, metric, value, "%", &err));
}

/* Two seeds of V1, pruned, forged by chance and by turning signs; a plain network pruned once. */
static void make_results(void)
{
    for (int seed = 0; seed < 2; seed++) {
        pg_result *trained = add_result("v1", "", "");
        add_cell(trained, "", "accuracy_claimed", 60 + 20 * seed);
        add_cell(trained, "epoch=1", "accuracy_private", 30);
        add_cell(trained, "epoch=2", "accuracy_private", 50 + 2 * seed);
        add_cell(trained, "epoch=2", "train_loss", 1);
        add_cell(trained, "gamma=-0.225", "gamma_channels", 6);
        add_cell(trained, "gamma=0.025", "gamma_channels", 4 * seed);
        pg_result *prune = add_result("v1", "prune", "levels=[0, 50]");
        add_cell(prune, "level=0", "accuracy", 60 + 2 * seed);
        add_cell(prune, "level=50", "accuracy", 40 + 2 * seed);
        add_cell(prune, "level=50", "detection", 90);
        pg_result *fake1 = add_result("v1", "fake1", "repeats=2");
        add_cell(fake1, "genuine", "accuracy_claimed", 60);
        add_cell(fake1, "repeat=1", "accuracy_claimed", 10);
        add_cell(fake1, "repeat=2", "accuracy_claimed", seed ? 11.9 : 100);
        pg_result *flip = add_result("v1", "flip", "levels=[50]");
        add_cell(flip, "level=50", "bits_differing", 50);
        add_cell(flip, "level=50", "accuracy_claimed", 10 + seed);
    }
    pg_result *plain = add_result("plain", "prune", "levels=[0, 50]");
    add_cell(plain, "level=50", "accuracy", 45);
}

static const char *figure_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", shared_path("figures"), name);
    return path;
}

static double number_at(const char *file, size_t row, const char *column)
{
    pg_csv_table *table = NULL;
    size_t c = 0;
    double value = NAN;
    OK(pg_csv_read(figure_path(file), &table, &err));
    OK(pg_csv_column(table, column, &c, &err));
    OK(pg_csv_number(table, row, c, &value, &err));
    pg_csv_close(&table);
    return value;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * (1 + fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

static size_t rows_of(const char *file)
{
    pg_csv_table *table = NULL;
    OK(pg_csv_read(figure_path(file), &table, &err));
    const size_t rows = pg_csv_rows(table);
    pg_csv_close(&table);
    return rows;
}

SET_UP
{
    pg_summary summary = {0};
    written.directory = strdup(folder());
    make_results();
    OK(pg_summary_open(&summary, &results, &err));
    OK(pg_figures_write(&summary, NULL, &written, &err));
    pg_summary_close(&summary);
    for (int i = 0; i < results.count; i++) pg_record_clear(&items[i].record);
    forget_parameters();
}

TEAR_DOWN
{
    pg_figures_clear(&written);
}

#define PRUNING  "pruning-alexnet-bn"
#define FORGED   "forged-alexnet-bn-v1"
#define CURVE    "dissimilarity-alexnet-bn-v1"
#define LEARNING "learning-alexnet-bn"
#define GAMMA    "gamma-alexnet-bn"

TEST(points_are_means_over_seeds)
{
    assert_int_equal(rows_of(LEARNING ".csv"), 2);
    assert_near(number_at(LEARNING ".csv", 1, "epoch"), 2);
    assert_near(number_at(LEARNING ".csv", 1, "accuracy %"), 51);
    /* v1 at two levels, then plain at one */
    assert_int_equal(rows_of(PRUNING ".csv"), 3);
    assert_near(number_at(PRUNING ".csv", 1, "pruned %"), 50);
    assert_near(number_at(PRUNING ".csv", 1, "accuracy %"), 41);
    assert_near(number_at(PRUNING ".csv", 1, "accuracy % sd"), sqrt(2));
    assert_near(number_at(PRUNING ".csv", 1, "detected %"), 90);
    assert_near(number_at(PRUNING ".csv", 2, "accuracy %"), 45);
    /* genuine: two bins; forged: three trials between 10 and 12, one of 100, which belongs to the last bin */
    assert_int_equal(rows_of(FORGED ".csv"), 4);
    assert_near(number_at(FORGED ".csv", 0, "accuracy %"), 61);
    assert_near(number_at(FORGED ".csv", 0, "share %"), 50);
    assert_near(number_at(FORGED ".csv", 2, "accuracy %"), 11);
    assert_near(number_at(FORGED ".csv", 2, "share %"), 75);
    assert_near(number_at(FORGED ".csv", 3, "accuracy %"), 99);
    /* 12 of 16 channels are below zero and 4 above, five bins further right; the outline begins and ends at zero */
    assert_int_equal(rows_of(GAMMA ".csv"), 1 + 6 + 1);
    assert_near(number_at(GAMMA ".csv", 0, "share %"), 0);
    assert_near(number_at(GAMMA ".csv", 1, "gamma"), -0.225);
    assert_near(number_at(GAMMA ".csv", 1, "share %"), 75);
    assert_near(number_at(GAMMA ".csv", 2, "share %"), 0);
    assert_near(number_at(GAMMA ".csv", 6, "gamma"), 0.025);
    assert_near(number_at(GAMMA ".csv", 6, "share %"), 25);
    assert_near(number_at(GAMMA ".csv", 7, "gamma"), 0.075);
    assert_int_equal(rows_of(CURVE ".csv"), 1);
    assert_near(number_at(CURVE ".csv", 0, "differing %"), 50);
    assert_near(number_at(CURVE ".csv", 0, "accuracy %"), 10.5);
}

TEST(scripts_quote_labels_for_gnuplot)
{
    char *text = NULL;
    size_t bytes = 0;
    OK(pg_file_read(figure_path(PRUNING ".gp"), &text, &bytes, &err));
    assert_contains(text, "array series[2] = ['v1', 'plain']\n");
    assert_contains(text, "remark = 'it''s \"made up\"'\n");
    pg_free(text);
    OK(pg_file_read(figure_path(LEARNING ".gp"), &text, &bytes, &err));
    assert_contains(text, "array series[1] = ['v1, private']\n");
    pg_free(text);
}

/* gnuplot does not fit a legend into fewer columns, nor a text into its line. */
static char *script_of(int panels, const char *label)
{
    static const pg_column columns[] = {{"x", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    static const char *const series[] = {"uchida, bound false", "uchida, bound true", "v1", "v2"};
    char *text = NULL;
    size_t bytes;
    int row;
    pg_figure f = {.kind = "pruning", .body = "", .width = 1100, .panels = panels};
    OK(pg_figure_columns(&f, columns, "detail", &err));
    f.points.label = label;
    for (int i = 0; i < 4; i++) OK(pg_figure_point(&f, series[i], series[i], "", &row, &err));
    FILE *stream = open_memstream(&text, &bytes);
    const pg_figure_drawing drawing = {&f, &f.points, "pruning"};
    OK(pg_figure_script(stream, &drawing, &err));
    fclose(stream);
    pg_figure_clear(&f);
    return text;
}

TEST(a_legend_has_as_many_columns_as_its_panel_holds)
{
    char *text = script_of(1, "");
    assert_contains(text, "columns = 4\n");
    free(text);
    text = script_of(2, "");
    assert_contains(text, "columns = 2\n");
    free(text);
}

TEST(a_label_is_no_wider_than_its_figure)
{
    char label[300] = "";
    for (int i = 0; i < 40; i++) strcat(label, "letters");
    char *text = script_of(1, label);
    const char *begin = strstr(text, "remark = '") + strlen("remark = '");
    const int letters = (int)(strchr(begin, '\'') - begin) - 2; /* the ellipsis takes three bytes */
    assert_true(letters >= 130 && letters <= 1100 / 8);
    free(text);
}

/* Without gnuplot, pg_figures_draw reports so. */
TEST(every_figure_is_drawn_if_gnuplot_is_there)
{
    int drawn = 0;
    char *path = strdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", folder(), 1), 0);
    OK(pg_figures_draw(&written, &drawn, &err));
    assert_int_equal(drawn, -1);
    setenv("PATH", path, 1);
    free(path);
    OK(pg_figures_draw(&written, &drawn, &err));
    if (drawn < 0) skip("gnuplot is not installed");
    assert_int_equal(drawn, 5);
    static const char *const names[] = {LEARNING ".svg", LEARNING ".png", LEARNING ".pdf", PRUNING ".svg", PRUNING ".png",
                                        PRUNING ".pdf",  FORGED ".svg",   FORGED ".png",   FORGED ".pdf",  CURVE ".svg",
                                        CURVE ".png",    CURVE ".pdf",    GAMMA ".svg",    GAMMA ".png",   GAMMA ".pdf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *data = NULL;
        size_t bytes = 0;
        OK(pg_file_read(figure_path(names[i]), &data, &bytes, &err));
        assert_true(bytes > 1000);
        pg_free(data);
    }
    OK(pg_file_write(figure_path(GAMMA ".gp"), "no gnuplot\n", 11, PG_FILE_PUBLIC, &err));
    assert_int_equal(pg_figures_draw(&written, &drawn, &err), PG_IO_FAULT);
    assert_contains(err.message, GAMMA ".gp");
}

/* An outdated figure goes with all its files; other files stay. */
TEST(figures_of_an_earlier_grid_are_removed)
{
    static const char *const gone[] = {"old.csv", "old.gp", "old.svg", "old.png", "old.pdf"}, *const kept[] = {"mine.csv",
                                                                                                               PRUNING ".gp"};
    int drawn;
    for (int i = 0; i < 5; i++) OK(pg_file_write(figure_path(gone[i]), "old\n", 4, PG_FILE_PUBLIC, &err));
    OK(pg_file_write(figure_path(kept[0]), "mine\n", 5, PG_FILE_PUBLIC, &err));
    (void)!pg_figures_draw(&written, &drawn, NULL);
    for (int i = 0; i < 5; i++) assert_false(pg_file_exists(figure_path(gone[i])));
    for (int i = 0; i < 2; i++) assert_true(pg_file_exists(figure_path(kept[i])));
}
