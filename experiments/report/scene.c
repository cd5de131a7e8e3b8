/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenes; see scene.h. */
#include "experiments/report/scene.h"

#include "core/formats/number.h"

#include <string.h>

bool pg_scene_has(const pg_scene *at, int result)
{
    return at->summary->place[result] == at->place && (at->scheme < 0 || at->summary->scheme[result] == at->scheme);
}

static const pg_task_labels *labels_of(const pg_scene *at)
{
    return &at->summary->results->items[at->first].labels;
}

/* Label of the scene's scheme; NULL if the scene has all schemes. */
static const char *scheme_of(const pg_scene *at)
{
    return at->scheme < 0 ? NULL : at->summary->schemes.items[at->scheme].label;
}

pg_status pg_scene_start(const pg_scene *at, pg_figure *f, const pg_column *columns, const char *other, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task_labels *p = labels_of(at);
    const char *scheme = scheme_of(at);
    f->chance = at->summary->chance[at->first];
    PG_TRY(pg_text_pool_print(&f->points.texts, &f->points.title, NULL, err, "%s, %s, %s%s%s", p->data, p->network, p->norm,
                              scheme ? ", " : "", scheme ? scheme : ""));
    PG_TRY(pg_text_pool_keep(&f->points.texts, at->summary->label, &f->points.label, NULL, err));
    PG_TRY(pg_figure_columns(f, columns, other, err));
done:
    return status;
}

pg_status pg_scene_finish(const pg_scene *at, pg_figure *f, pg_figures *written, pg_error *err)
{
    const pg_task_labels *p = labels_of(at);
    return pg_figure_finish(f, (const char *const[]){p->data, p->network, p->norm, scheme_of(at), NULL}, written, err);
}

bool pg_scene_value(const char *axis, const char *outcome, double *value)
{
    const size_t length = strlen(axis);
    return strncmp(outcome, axis, length) == 0 && outcome[length] == '=' && pg_number_real(outcome + length + 1, value);
}
