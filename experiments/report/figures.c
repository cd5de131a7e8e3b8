/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures; see figures.h. */
#include "experiments/report/figures.h"

#include "experiments/report/scene.h"

/* Draw the figures of a scene: those of one scheme, or those of all schemes of a place. */
static pg_status draw(const pg_scene *at, pg_figures *written, pg_error *err)
{
    pg_status status = PG_OK;
    for (int k = 0; pg_figure_kinds[k]; k++)
        if (pg_figure_kinds[k]->by_scheme == (at->scheme >= 0)) PG_TRY(pg_figure_kinds[k]->draw(at, written, err));
done:
    return status;
}

pg_status pg_figures_write(const pg_summary *summary, const pg_published *published, pg_figures *written, pg_error *err)
{
    pg_status status = PG_OK;
    int places = 0;
    for (int i = 0; i < summary->results->count; i++) {
        if (summary->place[i] < places) continue;
        pg_scene at = {.summary = summary, .published = published, .place = places++, .first = i, .scheme = -1};
        PG_TRY(draw(&at, written, err));
        for (at.scheme = 0; at.scheme < summary->schemes.count; at.scheme++) PG_TRY(draw(&at, written, err));
    }
done:
    return status;
}
