/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ROC curves: true claims against false ones, a series for each scheme and kind of evidence. */
#include "experiments/report/scene.h"

#include "core/base/memory.h"
#include "experiments/report/roc.h"

#include <math.h>

static const char roc_body[] =
    "set xrange [-2:102]\n"
    "set yrange [-2:102]\n"
    "set xlabel 'false claims accepted (%)'\n"
    "set ylabel 'true claims accepted (%)'\n"
    "set arrow 1 from 1, graph 0 to 1, graph 1 nohead linecolor '#888888' dashtype 3\n"
    "set arrow 2 from 0, 0 to 100, 100 nohead linecolor '#888888' dashtype 3\n"
    "plot for [i=1:|series|] points using (of(i, 'false %')):'true %' with linespoints linecolor rgb paint(i) "
    "dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]\n";

static pg_status add_roc(const pg_scene *at, int scheme, int attack, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *s = at->summary;
    pg_scores scores = {0};
    pg_roc_point *points = NULL;
    const char *key, *series, *label = attack < 0 ? "genuine" : s->attacks.items[attack].label;
    int count = 0, row;
    PG_TRY(pg_scores_gather(s, at->place, scheme, attack, &scores, err));
    PG_TRY(pg_roc(&scores, &points, &count, err));
    PG_TRY(pg_text_pool_print(&f->points.texts, &key, NULL, err, "%d %d", scheme, attack));
    PG_TRY(pg_text_pool_print(&f->points.texts, &series, NULL, err, "%s, %s", s->schemes.items[scheme].label, label));
    for (int i = 0; i < count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%07d", i);
        PG_TRY(pg_figure_point(f, key, series, number, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, 100 * points[i].false_share, err));
        PG_TRY(pg_table_add(&f->points, row, 2, 100 * points[i].true_share, err));
    }
done:
    pg_free(points);
    pg_scores_clear(&scores);
    return status;
}

static bool any_accused(const pg_scene *at, int scheme, int attack)
{
    const pg_summary *s = at->summary;
    for (int i = 0; i < s->results->count; i++)
        if (s->accused[i] && pg_scene_has(at, i) && s->scheme[i] == scheme && s->attack[i] == attack) return true;
    return false;
}

static pg_status draw_roc(const pg_scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {{"false %", PG_COLUMN_NUMBER}, {"true %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "roc", .body = roc_body, .width = 960};
    PG_TRY(pg_scene_start(at, &f, columns, "point", err));
    for (int scheme = 0; scheme < at->summary->schemes.count; scheme++)
        for (int attack = -1; attack < at->summary->attacks.count; attack++)
            if (any_accused(at, scheme, attack)) PG_TRY(add_roc(at, scheme, attack, &f, err));
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

const pg_figure_kind pg_figure_kind_roc = {
    .draw = draw_roc,
};
