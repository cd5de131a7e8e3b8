/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of a run.
 *
 *   config.yaml       the grid with every default spelled out
 *   grid.json         its tasks in order: key and name
 *   provenance.json   program, machine and libraries of the latest run
 *   records/          one record per finished task, which says that it is done; see records.h
 *   failed/KEY.json   one per task that failed in the latest run, with the reason
 *   models/, evidence/ (for the owner alone), checkpoints/
 *   cells.csv, artefacts.csv, tables/  rendered from records
 *   logs/run.log, timings.csv
 *   run.lock          while a run is at work; see run_lock.h
 *
 * The directory itself may be a symbolic link. models/ and checkpoints/, which are large, may be links that belong to the user
 * or to root. A run refuses any other linked folder, because whoever may write to the directory could redirect the run's files.
 * It replaces files by rename, which follows no link. */
#ifndef PG_WORK_RUNDIR_H
#define PG_WORK_RUNDIR_H

#include "core/base/file.h"
#include "experiments/grid/grid.h"

typedef enum pg_task_state {
    PG_STATE_NEW,
    PG_STATE_INTERRUPTED, /* has a checkpoint */
    PG_STATE_FAILED,
    PG_STATE_DONE,
} pg_task_state;
extern const char *const pg_task_state_names[];

/* Make the directory and its folders. PG_BAD_INPUT if one of them is a link that the rule above forbids. */
PG_CHECKED pg_status pg_rundir_make(const char *directory, pg_error *err);

/* May this grid use the directory? PG_BAD_INPUT if the directory belongs to a grid of another name, unless `replace` is set.
 * *left_out: number of finished tasks of the earlier grid that this one does not have; the tables will no longer show them. */
PG_CHECKED pg_status pg_rundir_suits(const char *directory, const pg_grid *grid, bool replace, int *left_out, pg_error *err);

/* Write config.yaml and grid.json. */
PG_CHECKED pg_status pg_rundir_describe(const char *directory, const pg_grid *grid, pg_error *err);

/* State of each task, from the files in the directory, which need not exist. Ignores records that are damaged or lack files
 * that the grid keeps. Fails if a record cannot be read. states [grid->count]. */
PG_CHECKED pg_status pg_rundir_scan(const char *directory, const pg_grid *grid, pg_task_state *states, pg_error *err);

/* Are there checkpoints or failures of tasks that are done, which a run leaves if it is killed just after it writes a record,
 * or many records that should be packed? */
PG_CHECKED pg_status pg_rundir_littered(const char *directory, const pg_grid *grid, pg_task_state *states, bool *littered,
                                        pg_error *err);

/* Remove the remains of killed runs: partly written files, checkpoints and failures of tasks that are done, damaged records.
 * Pack the records if they are many. Calls damaged for each task with a damaged record. Only the run that holds the run lock
 * may call it. */
PG_CHECKED pg_status pg_rundir_sweep(const char *directory, const pg_grid *grid, pg_task_state *states,
                                     void (*damaged)(void *context, int task), void *context, pg_error *err);

/* Path of a task's file: "records", key -> DIRECTORY/records/KEY.json. */
PG_CHECKED pg_status pg_rundir_file(const char *directory, const char *folder, const char *key, char path[PG_PATH_MAX],
                                    pg_error *err);

/* The content of grid.json; release it with pg_manifest_destroy. */
typedef struct pg_manifest {
    char name[PG_TEXT_MAX], label[PG_TEXT_MAX];
    int count;
    struct pg_manifest_task {
        char key[PG_SHA256_HEX], name[256];
    } * tasks;
} pg_manifest;
PG_CHECKED pg_status pg_manifest_read(const char *directory, pg_manifest **out, pg_error *err);
void pg_manifest_destroy(pg_manifest **manifest);

#endif
