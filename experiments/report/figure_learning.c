/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Learning: test accuracy after every epoch, a series for each scheme and branch. */
#include "experiments/report/scene.h"

#include "core/formats/number.h"

#include <string.h>

static const char learning_body[] =
    "set xrange [low[1]:high[1]]\n"
    "set yrange [low[2]:high[2]]\n"
    "set xtics step\n"
    "set xlabel 'epoch'\n"
    "set ylabel 'test accuracy (%)'\n" PG_CHANCE_RIGHT
    "plot for [i=1:|series|] points using (of(i, 'epoch')):'accuracy %':(spread('accuracy % sd')) with yerrorlines "
    "linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.6 linewidth 1.5 title series[i]\n";

/* Test accuracies of a training, epoch by epoch, a series for each branch. */
static pg_status add_learning(const pg_scene *at, int i, pg_figure *f, pg_error *err)
{
    static const char *const metrics[] = {"accuracy_public", "accuracy_private"}, *const branches[] = {"public", "private"};
    pg_status status = PG_OK;
    const int scheme = at->summary->scheme[i];
    const pg_record *record = &at->summary->results->items[i].record;
    for (int c = 0; c < record->cell_count; c++) {
        const pg_record_cell *cell = &record->cells[c];
        double epoch;
        if (strncmp(cell->outcome, "epoch=", 6) != 0 || !pg_number_real(cell->outcome + 6, &epoch)) continue;
        for (int branch = 0; branch < 2; branch++) {
            const char *key, *series;
            int row;
            if (strcmp(cell->metric, metrics[branch]) != 0) continue;
            PG_TRY(pg_text_pool_print(&f->points.texts, &key, NULL, err, "%d %d", scheme, branch));
            PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s, %s", at->summary->schemes.items[scheme].label,
                                      branches[branch]));
            PG_TRY(pg_figure_point(f, key, series, cell->outcome, &row, err));
            if (!pg_table_at(&f->points, row, 1)->sample.count) PG_TRY(pg_table_add(&f->points, row, 1, epoch, err));
            PG_TRY(pg_table_add(&f->points, row, 2, cell->value, err));
        }
    }
done:
    return status;
}

static pg_status draw_learning(const pg_scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {{"epoch", PG_COLUMN_NUMBER}, {"accuracy %", PG_COLUMN_MEAN}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "learning", .body = learning_body, .width = 960};
    const pg_summary *s = at->summary;
    PG_TRY(pg_scene_start(at, &f, columns, "outcome", err));
    for (int k = 0; k < s->schemes.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->scheme[i] == k && pg_scene_has(at, i) && s->attack[i] < 0) PG_TRY(add_learning(at, i, &f, err));
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

const pg_figure_kind pg_figure_kind_learning = {
    .draw = draw_learning,
};
