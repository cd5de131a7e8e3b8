/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ranks of a run and the small messages between them: the only file that calls MPI.
 *
 * Rank 0 is the master, the others are workers. Without a launcher there is one rank and MPI is not started. Messages are
 * small, sends never block, and only pg_comm_start makes collective calls. After it, the other ranks continue when one is lost,
 * if the launcher does not kill them (Open MPI: mpirun --enable-recovery). The results of tasks go through files. */
#ifndef PG_RUN_COMM_H
#define PG_RUN_COMM_H

#include "core/base/status.h"
#include "experiments/run/process.h"
#include "experiments/work/progress.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* From worker to master: IDLE (at its start, and about once a second while it has no task), PROGRESS (a few times a second
 * while a task runs), NOTE (a line for the log), RESULT, RETURN (gives back a task that has to wait because the one before it
 * takes long), GONE (the process of another rank on this host, the message's `task`, has ended). From master to worker: TASK,
 * INTERRUPT (save and end that task), BEAT (every few seconds: the master is alive), END.
 */
typedef enum pg_message_kind {
    PG_MSG_IDLE,
    PG_MSG_PROGRESS,
    PG_MSG_NOTE,
    PG_MSG_RESULT,
    PG_MSG_RETURN,
    PG_MSG_GONE,
    PG_MSG_TASK,
    PG_MSG_INTERRUPT,
    PG_MSG_BEAT,
    PG_MSG_END
} pg_message_kind;

enum { PG_MESSAGE_TEXT = 16384 };
enum { PG_TASKS_AHEAD = 128 }; /* most tasks that a worker holds at once */

/* Replies repeat task and attempt, so that the master recognises a late reply about a task that it has reassigned. */
typedef struct pg_message {
    int kind; /* pg_message_kind */
    int from; /* rank; set by the receiver */
    int task, attempt;
    int status;                 /* RESULT: pg_status; END: PG_OK if no rank was lost */
    pg_task_progress progress;  /* PROGRESS, RESULT */
    double seconds;             /* RESULT */
    char text[PG_MESSAGE_TEXT]; /* TASK: its canonical text; NOTE; RESULT: why it failed; only the used part is sent */
} pg_message;

typedef struct pg_comm {
    int rank, size;
    bool incomplete;           /* a rank was lost, so MPI_Finalize would wait for ever */
    const pg_process *members; /* [size] */
    const cpu_set_t *cores;    /* [size] that each may use; empty if unknown */
    struct pg_comm_link *link; /* NULL: alone */
} pg_comm;

/* Collective. If a rank dies during the call, the processes of the others end within a minute. */
PG_CHECKED pg_status pg_comm_start(pg_comm *comm, pg_error *err);

/* Broadcast from rank 0. Waiting ranks sleep, and fail if rank 0 has ended or sends nothing for ten minutes. */
PG_CHECKED pg_status pg_comm_broadcast(pg_comm *comm, void *data, size_t bytes, pg_error *err);
/* Gather on rank 0: all [size][bytes], zeros for a rank whose process has ended. Fails if another rank sends nothing for ten
 * minutes. */
PG_CHECKED pg_status pg_comm_gather(pg_comm *comm, const void *mine, size_t bytes, void *all, pg_error *err);

/* Number of computing ranks on this host that share this rank's cores; at least 1. */
int pg_comm_workers_here(const pg_comm *comm);

/* Does the process of that rank still run? PG_PROCESS_UNKNOWN if it is on another host. */
pg_process_state pg_comm_look(const pg_comm *comm, int rank);

/* Finalise MPI. If that waits longer than a minute for the other ranks, the process ends with this exit code. */
void pg_comm_finish(pg_comm *comm, int exit_code);

/* Not collective. Messages between two ranks arrive in order. */
PG_CHECKED pg_status pg_comm_send(pg_comm *comm, int to, const pg_message *message, pg_error *err);
PG_CHECKED pg_status pg_comm_poll(pg_comm *comm, pg_message *message, bool *got, pg_error *err);

/* "Open MPI v4.1.4"; may be called before pg_comm_start. */
const char *pg_comm_library(void);

#endif
