/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of a grid's tasks, and their index by key; see grid.h. */
#include "experiments/grid/grid_internal.h"

#include "core/base/memory.h"
#include "core/formats/number.h"

#include <stdio.h>
#include <string.h>

static int slot_of(const pg_grid *grid, const char *key)
{
    char head[17];
    uint64_t hash = 0;
    memcpy(head, key, 16);
    head[16] = 0;
    (void)pg_number_hex(head, &hash);
    int at = (int)(hash % (unsigned)grid->index_room);
    while (grid->index[at] && strcmp(grid->tasks[grid->index[at] - 1].key, key) != 0) at = (at + 1) % grid->index_room;
    return at;
}

int pg_grid_find(const pg_grid *grid, const char *key)
{
    return grid->index_room && strlen(key) == PG_SHA256_HEX - 1 ? grid->index[slot_of(grid, key)] - 1 : -1;
}

/* Make room for one more task; tasks and index double their capacity. */
static pg_status make_room(pg_grid *grid, pg_error *err)
{
    pg_status status = PG_OK;
    pg_grid_task *tasks = NULL;
    int *index = NULL;
    const int room = grid->room ? 2 * grid->room : 64;
    if (grid->count < grid->room) return PG_OK;
    PG_TRY(pg_alloc((size_t)room, sizeof *tasks, &tasks, err));
    PG_TRY(pg_alloc((size_t)room * 2, sizeof *index, &index, err));
    if (grid->count) memcpy(tasks, grid->tasks, (size_t)grid->count * sizeof *tasks);
    pg_free(grid->tasks);
    pg_free(grid->index);
    grid->tasks = tasks;
    grid->index = index;
    grid->room = room;
    grid->index_room = 2 * room;
    for (int i = 0; i < grid->count; i++) grid->index[slot_of(grid, tasks[i].key)] = i + 1;
    tasks = NULL;
done:
    pg_free(tasks);
    return status;
}

static void clear_texts(pg_grid_task *task)
{
    if (task->public_text != task->text) pg_free(task->public_text);
    pg_free(task->text);
}

/* Let a task that the grid has keep its files, because an attack begins with them. */
static void keep_files(pg_grid_task *node, pg_task *task)
{
    clear_texts(node);
    node->keep = true;
    node->text = task->text;
    node->public_text = task->public_text;
    task->text = task->public_text = NULL;
}

pg_status pg_grid_add(pg_grid *grid, pg_task *task, const int *parents, int parent_count, double cost, int *at, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_task_write(task, err));
    *at = pg_grid_find(grid, task->key);
    if (*at >= 0) {
        if (task->keep) keep_files(&grid->tasks[*at], task);
        goto done;
    }
    PG_TRY(make_room(grid, err));
    pg_grid_task *node = &grid->tasks[grid->count];
    *node = (pg_grid_task){.text = task->text, .public_text = task->public_text, .keep = task->keep, .cost = cost};
    task->text = task->public_text = NULL;
    memcpy(node->key, task->key, sizeof node->key);
    pg_task_name(task, node->name);
    for (int i = 0; i < parent_count; i++)
        if (parents[i] >= 0) node->parents[node->parent_count++] = parents[i];
    *at = grid->count++;
    grid->index[slot_of(grid, node->key)] = *at + 1;
done:
    pg_task_clear_texts(task);
    return status;
}

static void clear_task(pg_grid_task *task)
{
    clear_texts(task);
    pg_free(task->about);
}

void pg_grid_keep(pg_grid *grid, int task)
{
    pg_grid_task kept = grid->tasks[task];
    for (int i = 0; i < grid->count; i++)
        if (i != task) clear_task(&grid->tasks[i]);
    kept.parent_count = 0;
    grid->tasks[0] = kept;
    grid->count = 1;
    memset(grid->index, 0, (size_t)grid->index_room * sizeof *grid->index);
    grid->index[slot_of(grid, kept.key)] = 1;
}

void pg_grid_destroy(pg_grid **grid)
{
    pg_grid *g = *grid;
    if (!g) return;
    for (int i = 0; i < g->count; i++) clear_task(&g->tasks[i]);
    pg_free(g->tasks);
    pg_free(g->index);
    pg_free(g->resolved);
    pg_free(g->idle);
    pg_free(g);
    *grid = NULL;
}
