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

/* Is the data set that of all results? */
static bool is_only_data(const pg_scene *at)
{
    const pg_results *all = at->summary->results;
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->items[i].labels.data, labels_of(at)->data) != 0) return false;
    return true;
}

/* Is the network the only one of its architecture? `length` is that of the architecture's name, which begins its label. */
static bool is_only_size(const pg_scene *at, size_t length)
{
    const pg_results *all = at->summary->results;
    const char *mine = labels_of(at)->network;
    for (int i = 0; i < all->count; i++) {
        const char *other = all->items[i].labels.network;
        if (strcspn(other, " ") == length && memcmp(other, mine, length) == 0 && strcmp(other, mine) != 0) return false;
    }
    return true;
}

/* The name of the files leaves out what all figures share: "pruning-alexnet-bn". */
pg_status pg_scene_finish(const pg_scene *at, pg_figure *f, pg_figures *written, pg_error *err)
{
    const pg_task_labels *p = labels_of(at);
    const size_t arch = strcspn(p->network, " ");
    const char *network = p->network;
    if (is_only_size(at, arch)) {
        const pg_status status = pg_text_pool_print(&f->points.texts, &network, NULL, err, "%.*s", (int)arch, p->network);
        if (status != PG_OK) return status;
    }
    const char *const parts[] = {p->data, network, p->norm, scheme_of(at), NULL};
    return pg_figure_finish(f, parts + is_only_data(at), written, err);
}

bool pg_scene_value(const char *axis, const char *outcome, double *value)
{
    const size_t length = strlen(axis);
    return strncmp(outcome, axis, length) == 0 && outcome[length] == '=' && pg_number_real(outcome + length + 1, value);
}
