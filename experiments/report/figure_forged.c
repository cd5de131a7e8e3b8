/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forged evidence: histogram of the accuracy with genuine passports, and with those of attacks that declare trials. */
#include "experiments/report/scene.h"

#include "attacks/attack.h"

#include <string.h>

enum { BIN = 2, BINS = 100 / BIN }; /* points of accuracy */

static const char forged_body[] = "set xrange [low[1]:high[1]]\n"
                                  "set yrange [0:high[2]]\n"
                                  "set xlabel 'accuracy with the passports shown (%), bins of 2 points'\n"
                                  "set ylabel 'share of trials (%)'\n"
                                  "set style fill transparent solid 0.55\n" PG_CHANCE_UP
                                  "plot for [i=1:|series|] points using (of(i, 'accuracy %')):'share %':(1.8) "
                                  "with boxes linecolor rgb paint(i) title series[i]\n";

/* Add one series: the trials of each bin that has any. */
static pg_status add_bins(pg_figure *f, const char *what, const int *bins, pg_error *err)
{
    pg_status status = PG_OK;
    const char *series;
    char place[16];
    int trials = 0, row;
    for (int b = 0; b < BINS; b++) trials += bins[b];
    PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s (n = %d)", what, trials));
    for (int b = 0; b < BINS; b++) {
        if (!bins[b]) continue;
        snprintf(place, sizeof place, "%d-%d", b * BIN, (b + 1) * BIN);
        PG_TRY(pg_figure_point(f, what, series, place, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, b * BIN + BIN / 2.0, err));
        PG_TRY(pg_table_add(&f->points, row, 2, 100.0 * bins[b] / trials, err));
    }
done:
    return status;
}

/* Count the outcomes of an attack by bin; attack NULL: the trained models. Returns their number. */
static int count_trials(const pg_scene *at, const pg_attack *attack, int bins[BINS])
{
    int trials = 0;
    double value;
    for (int i = 0; i < at->summary->results->count; i++) {
        const pg_result *r = &at->summary->results->items[i];
        if (!pg_scene_has(at, i) || strcmp(r->labels.attack, attack ? attack->name : "") != 0) continue;
        for (int c = 0; c < r->record.cell_count; c++) {
            const pg_record_cell *cell = &r->record.cells[c];
            const bool trial =
                !cell->outcome[0] || (attack && attack->axis && pg_scene_value(attack->axis, cell->outcome, &value));
            if (!trial || strcmp(cell->metric, "accuracy_claimed") != 0 || !(cell->value >= 0)) continue;
            const int b = (int)(cell->value / BIN);
            bins[b < BINS ? b : BINS - 1]++;
            trials++;
        }
    }
    return trials;
}

static pg_status draw_forged(const pg_scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {
        {"accuracy %", PG_COLUMN_NUMBER}, {"share %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "forged", .body = forged_body, .width = 960};
    int genuine[BINS] = {0};
    PG_TRY(pg_scene_start(at, &f, columns, "bin", err));
    (void)count_trials(at, NULL, genuine);
    for (int i = 0; pg_attacks[i]; i++) {
        int bins[BINS] = {0};
        if (!pg_attacks[i]->figures.trials || !count_trials(at, pg_attacks[i], bins)) continue;
        if (!f.points.row_count) PG_TRY(add_bins(&f, "genuine passports", genuine, err));
        PG_TRY(add_bins(&f, pg_attacks[i]->figures.trials, bins, err));
    }
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

const pg_figure_kind pg_figure_kind_forged = {
    .by_scheme = true,
    .draw = draw_forged,
};
