/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A task for a network that was trained elsewhere: read and measure it, judge its owner's evidence, and save both where a
 * training task would have. */
#include "experiments/grid/supplied.h"
#include "experiments/work/execute_internal.h"

#include <stdio.h>
#include <string.h>

typedef struct work {
    const pg_task *task;
    const pg_workplace *at;
    pg_data data;
    pg_supplied supplied;
} work;

/* Read the files. PG_BAD_INPUT if they have changed since the plan. */
static pg_status read_files(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task *task = w->task;
    const pg_task_source *planned = &task->supplied;
    pg_supplied *b = &w->supplied;
    char about[1024];
    const pg_model_hints hints = {.norm = &task->norm,
                                  .relu_before_add = &task->relu_before_add,
                                  .image_height = w->data.test.height,
                                  .image_width = w->data.test.width};
    PG_TRY(pg_supplied_read(&planned->files, &hints, task->scheme, task->scheme_options, b, err));
    if (strcmp(b->model_sha256, planned->model_sha256) != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the network has changed since the plan: its checksum is %.8s, not %.8s",
                       planned->files.model, b->model_sha256, planned->model_sha256));
    if (strcmp(b->commitment, planned->commitment) != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the evidence has changed since the plan: its commitment is %.8s, not %.8s",
                       planned->files.evidence, b->commitment, planned->commitment));
    pg_supplied_describe(b, &planned->files, about, sizeof about);
    if (w->at->note) w->at->note(w->at->context, about);
done:
    return status;
}

pg_status pg_execute_supplied(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    work w = {.task = task, .at = at};
    PG_TRY(pg_execute_data(&task->data, at, &w.data, err));
    PG_TRY(read_files(&w, err));
    PG_TRY(pg_execute_owner(task, w.supplied.model, w.supplied.evidence, &w.data.test, record, err));
    PG_TRY(pg_execute_leave(task, at, w.supplied.model, w.supplied.evidence, record, err));
done:
    pg_supplied_clear(&w.supplied);
    pg_data_clear(&w.data);
    return status;
}
