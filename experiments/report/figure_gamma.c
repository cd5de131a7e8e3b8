/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gammas of passport layers, those of the plain network's norms beside them. */
#include "experiments/report/scene.h"

#include "core/formats/number.h"
#include "experiments/work/gammas.h"

#include <math.h>
#include <string.h>

enum {
    GAMMA_MAX = 4,
    GAMMAS = 2 * GAMMA_MAX * PG_GAMMA_BINS
}; /* bins from -GAMMA_MAX to GAMMA_MAX; the outermost also count all values beyond */

static const char gamma_body[] =
    "set xrange [low[1]:high[1]]\n"
    "set yrange [0:high[2]]\n"
    "set xlabel 'gamma, bins of 0.05 (outermost: all beyond 4)'\n"
    "set ylabel 'share of channels (%)'\n"
    "set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor '#888888' dashtype 2\n"
    "plot for [i=1:|series|] points using (of(i, 'gamma')):'share %' with histeps linecolor rgb paint(i) dashtype dash(i) "
    "linewidth 1.5 title series[i]\n";

/* Channels by bin over all seeds of a scheme. */
static void count_gammas(const pg_scene *at, int scheme, double bins[GAMMAS])
{
    for (int i = 0; i < at->summary->results->count; i++) {
        const pg_result *r = &at->summary->results->items[i];
        if (at->summary->scheme[i] != scheme || !pg_scene_has(at, i)) continue;
        for (int c = 0; c < r->record.cell_count; c++) {
            const pg_record_cell *cell = &r->record.cells[c];
            double gamma;
            if (strcmp(cell->metric, "gamma_channels") != 0 || !pg_number_real(cell->outcome + strlen("gamma="), &gamma))
                continue;
            const double bin = floor((gamma + GAMMA_MAX) * PG_GAMMA_BINS);
            bins[bin < 0 ? 0 : bin < GAMMAS ? (int)bin : GAMMAS - 1] += cell->value;
        }
    }
}

/* Add one empty bin before the first and after the last bin with channels, so that the outline ends at zero. */
static pg_status add_gammas(const pg_scene *at, int scheme, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    double bins[GAMMAS] = {0}, channels = 0;
    int first = GAMMAS, last = -1, row;
    count_gammas(at, scheme, bins);
    for (int b = 0; b < GAMMAS; b++) {
        if (bins[b] > 0 && first > b) first = b;
        if (bins[b] > 0) last = b;
        channels += bins[b];
    }
    for (int b = first - 1; b <= last + 1; b++) {
        char key[16], place[PG_NUMBER_MAX];
        const double centre = (b + 0.5) / PG_GAMMA_BINS - GAMMA_MAX;
        snprintf(key, sizeof key, "%d", scheme);
        pg_number_text(centre, place);
        PG_TRY(pg_figure_point(f, key, at->summary->schemes.items[scheme].label, place, &row, err));
        PG_TRY(pg_table_add(&f->points, row, 1, centre, err));
        PG_TRY(pg_table_add(&f->points, row, 2, b >= first && b <= last ? 100 * bins[b] / channels : 0, err));
    }
done:
    return status;
}

static pg_status draw_gammas(const pg_scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {{"gamma", PG_COLUMN_NUMBER}, {"share %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "gamma", .body = gamma_body, .width = 960};
    PG_TRY(pg_scene_start(at, &f, columns, "bin", err));
    for (int k = 0; k < at->summary->schemes.count; k++) PG_TRY(add_gammas(at, k, &f, err));
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_figure_clear(&f);
    return status;
}

const pg_figure_kind pg_figure_kind_gamma = {
    .draw = draw_gammas,
};
