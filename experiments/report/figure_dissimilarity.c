/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dissimilarity: accuracy against the share of the signature in which forged passports differ, a series for each attack. */
#include "experiments/report/scene.h"

#include "attacks/attack.h"
#include "core/formats/number.h"

#include <string.h>

static const char dissimilarity_body[] =
    "set xrange [low[1]:high[1]]\n"
    "set yrange [low[2]:high[2]]\n"
    "set xlabel \"signature bits that differ from the owner's (%)\"\n"
    "set ylabel 'accuracy with the forged passports (%)'\n" PG_CHANCE_LEFT
    "plot for [i=1:|series|] points using (of(i, 'differing %')):'accuracy %' smooth unique "
    "with lines linecolor rgb paint(i) dashtype dash(i) linewidth 1.5 "
    "title (published(i) ? series[i] : ''), "
    "for [i=1:|series|] points using (published(i) ? NaN : of(i, 'differing %')):'accuracy %':(spread('accuracy % sd')) "
    "with yerrorbars linecolor rgb paint(i) pointtype shape(i) pointsize 0.8 title (published(i) ? '' : series[i])\n";

/* A point for each attack and outcome; seeds are its replicates. */
static pg_status add_dissimilarity(const pg_scene *at, int i, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_result *r = &at->summary->results->items[i];
    const char *attack = at->summary->attacks.items[at->summary->attack[i]].label;
    for (int c = 0; c < r->record.cell_count; c++) {
        const pg_record_cell *cell = &r->record.cells[c];
        double differing, accuracy;
        const char *detail;
        int row;
        if (strcmp(cell->metric, "bits_differing") != 0) continue;
        if (!pg_result_value(r, cell->outcome, "bits_differing", &differing)) continue;
        if (!pg_result_value(r, cell->outcome, "accuracy_claimed", &accuracy)) continue;
        PG_TRY(pg_text_pool_print(&f->points.texts, &detail, NULL, err, "%s %s", attack, cell->outcome));
        PG_TRY(pg_figure_point(f, r->labels.attack, r->labels.attack, detail, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, differing, err));
        PG_TRY(pg_table_add(&f->points, row, 2, accuracy, err));
    }
done:
    return status;
}

/* Does the attack of this name declare that it belongs in this figure? */
static bool shown_here(const char *name)
{
    const pg_attack *attack = pg_attack_find(name);
    return attack && attack->figures.dissimilarity;
}

/* Value of a published number on its attack's axis; false if the number does not belong to the curve. */
static bool on_curve(const pg_published_number *n, double *value)
{
    const pg_attack *attack = pg_attack_find(n->subject.attack);
    if (!shown_here(n->subject.attack) || !attack->axis || strcmp(n->subject.metric, "accuracy_claimed") != 0) return false;
    const pg_value *found = pg_parameters_find(n->subject.parameters, attack->axis);
    if (!found || found->type != PG_VALUE_NUMBER) return false;
    *value = found->number;
    return true;
}

/* Add the published curve, whatever its data set, because only its shape is compared. */
static pg_status add_published_curve(const pg_published *published, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < published->number_count; i++) {
        const pg_published_number *n = &published->numbers[i];
        const char *series;
        double value;
        int row;
        if (!on_curve(n, &value)) continue;
        PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "published (%s)", n->subject.data));
        PG_TRY(pg_figure_point(f, series, series, n->id, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, value, err));
        PG_TRY(pg_table_add(&f->points, row, 2, n->value, err));
    }
done:
    return status;
}

static pg_status draw_dissimilarity(const pg_scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {
        {"differing %", PG_COLUMN_MEAN}, {"accuracy %", PG_COLUMN_MEAN}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "dissimilarity", .body = dissimilarity_body, .width = 960};
    const pg_summary *s = at->summary;
    PG_TRY(pg_scene_start(at, &f, columns, "point", err));
    for (int k = 0; k < s->attacks.count; k++)
        for (int i = 0; i < s->results->count; i++)
            if (s->attack[i] == k && pg_scene_has(at, i) && shown_here(s->attacks.items[k].name))
                PG_TRY(add_dissimilarity(at, i, &f, err));
    if (at->published && f.points.row_count) PG_TRY(add_published_curve(at->published, &f, err));
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

const pg_figure_kind pg_figure_kind_dissimilarity = {
    .by_scheme = true,
    .draw = draw_dissimilarity,
};
