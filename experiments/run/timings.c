/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The times of a run's tasks; see timings.h. */
#include "experiments/run/timings.h"

#include "core/base/directory.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/csv.h"

#include <unistd.h>

/* Did this run do the task from beginning to end, so that its time is known? */
static bool timed(const pg_journal *journal, int task)
{
    return journal->rank[task] >= 0 && journal->dispatch->state[task] == PG_WORK_DONE && !journal->part[task];
}

/* Copy the rows of the existing timings.csv, except those of tasks that were timed in this run. */
static pg_status copy_old(const pg_journal *journal, pg_csv_writer *csv, pg_error *err)
{
    pg_csv_table *old;
    const pg_status status = pg_timings_read(journal->options->directory, &old, err);
    if (status != PG_OK || !old) return status;
    for (size_t row = 0; row < pg_csv_rows(old); row++) {
        const int task = pg_grid_find(journal->grid, pg_csv_cell(old, row, 0));
        if (task >= 0 && timed(journal, task)) continue;
        for (size_t c = 0; pg_timings_columns[c]; c++)
            pg_csv_text(csv, c < pg_csv_columns(old) ? pg_csv_cell(old, row, c) : "");
        pg_csv_end_row(csv);
    }
    pg_csv_close(&old);
    return PG_OK;
}

pg_status pg_timings_write(const pg_journal *journal, pg_error *err)
{
    pg_status status = PG_OK;
    pg_csv_writer csv = {0};
    char path[PG_PATH_MAX], *text = NULL;
    size_t bytes = 0;
    const int locked = pg_directory_lock(journal->options->directory); /* processes with other tasks add rows too */
    PG_TRY(pg_path(path, journal->options->directory, "timings.csv", NULL, err));
    PG_TRY(pg_csv_start(&csv, err));
    pg_csv_row(&csv, pg_timings_columns);
    PG_TRY(copy_old(journal, &csv, err));
    for (int i = 0; i < journal->grid->count; i++) {
        if (!timed(journal, i)) continue;
        pg_csv_text(&csv, journal->grid->tasks[i].key);
        pg_csv_text(&csv, journal->grid->tasks[i].name);
        pg_csv_int(&csv, journal->rank[i]);
        pg_csv_real(&csv, journal->seconds[i]);
        pg_csv_real(&csv, journal->grid->tasks[i].cost / 1e6);
        pg_csv_real(&csv, journal->tracked[i].now.memory / 1e6);
        pg_csv_end_row(&csv);
    }
    PG_TRY(pg_csv_finish(&csv, &text, &bytes, err));
    PG_TRY(pg_file_write(path, text, bytes, PG_FILE_PUBLIC, err));
done:
    pg_csv_abandon(&csv);
    pg_free(text);
    if (locked >= 0) close(locked);
    return status;
}
