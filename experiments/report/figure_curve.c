/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Curves: accuracy and detection along the axis of an attack that declares such a figure, a series for each scheme. */
#include "experiments/report/scene.h"

#include "attacks/attack.h"

#include <string.h>

/* With the label of the axis, and twice the column of the values on it. */
static const char curve_body[] =
    "set multiplot\n"
    "set xrange [low[1]:high[1]]\n"
    "set xlabel '%s'\n"
    "set rmargin at screen 0.5\n"
    "set yrange [low[2]:high[2]]\n"
    "set ylabel 'accuracy as deployed (%%)' offset 1,0\n" PG_CHANCE_LEFT
    "plot for [i=1:|series|] points using (of(i, '%s')):'accuracy %%':(spread('accuracy %% sd')) with yerrorlines "
    "linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]\n"
    "unset key\n"
    "unset arrow\n"
    "unset label\n"
    "set lmargin at screen 0.57\n"
    "set rmargin at screen 0.985\n"
    "set yrange [low[3]:high[3]]\n"
    "set ylabel 'mark or signature detected (%%)' offset 1,0\n"
    "plot for [i=1:|series|] points using (of(i, '%s')):'detected %%':(spread('detected %% sd')) with yerrorlines "
    "linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 notitle\n"
    "unset multiplot\n";

static pg_status add_curve(const pg_scene *at, const pg_attack *attack, int i, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *s = at->summary;
    const pg_record *record = &s->results->items[i].record;
    const char *key, *series, *label = s->attacks.items[s->attack[i]].label;
    const bool only = strcmp(label, attack->name) == 0; /* the grid has this attack with one setting */
    PG_TRY(pg_text_pool_print(&f->points.texts, &key, NULL, err, "%d %d", s->scheme[i], s->attack[i]));
    PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s%s%s", s->schemes.items[s->scheme[i]].label,
                              only ? "" : ", ", only ? "" : label));
    for (int c = 0; c < record->cell_count; c++) {
        const pg_record_cell *cell = &record->cells[c];
        double value;
        int row;
        if (!pg_scene_value(attack->axis, cell->outcome, &value)) continue;
        const int target = strcmp(cell->metric, "accuracy") == 0 ? 2 : strcmp(cell->metric, "detection") == 0 ? 3 : 0;
        if (!target) continue;
        PG_TRY(pg_figure_point(f, key, series, cell->outcome, &row, err));
        if (!pg_table_at(&f->points, row, 1)->sample.count) PG_TRY(pg_table_add(&f->points, row, 1, value, err));
        PG_TRY(pg_table_add(&f->points, row, target, cell->value, err));
    }
done:
    return status;
}

static pg_status draw_curve(const pg_scene *at, const pg_attack *attack, pg_figures *written, pg_error *err)
{
    const pg_attack_figures *shown = &attack->figures;
    const pg_column columns[] = {{shown->column, PG_COLUMN_NUMBER},
                                 {"accuracy %", PG_COLUMN_MEAN},
                                 {"detected %", PG_COLUMN_MEAN},
                                 {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = shown->curve, .width = 1100, .panels = 2};
    const pg_summary *s = at->summary;
    PG_TRY(pg_scene_start(at, &f, columns, "outcome", err));
    PG_TRY(pg_text_pool_print(&f.points.texts, &f.body, NULL, err, curve_body, shown->label, shown->column, shown->column));
    for (int k = 0; k < s->schemes.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->scheme[i] == k && pg_scene_has(at, i) && strcmp(s->results->items[i].labels.attack, attack->name) == 0)
                PG_TRY(add_curve(at, attack, i, &f, err));
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

static pg_status draw_curves(const pg_scene *at, pg_figures *written, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; pg_attacks[i]; i++)
        if (pg_attacks[i]->figures.curve) PG_TRY(draw_curve(at, pg_attacks[i], written, err));
done:
    return status;
}

const pg_figure_kind pg_figure_kind_curve = {
    .draw = draw_curves,
};
