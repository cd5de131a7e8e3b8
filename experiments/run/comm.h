/* The ranks of a run and the small messages between them: the one door to MPI.
 *
 * Rank 0 is the master, the others are workers. Without a launcher there is one rank and MPI is not started. Messages are
 * small, sends never block, and collective calls happen only in pg_team_start: after it any rank may be lost without hurting
 * the others, where the launcher lets them live (Open MPI: mpirun --enable-recovery). What a task makes goes through files. */
#ifndef PG_RUN_COMM_H
#define PG_RUN_COMM_H

#include "core/base/status.h"
#include "experiments/run/process.h"
#include "experiments/work/progress.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* worker to master: IDLE (when it starts, and about once a second while it has nothing to do), PROGRESS (a few times a second
 * while it works), NOTE (something for the log), RESULT, RETURN (a task given in advance that it has not begun, because
 * the one before takes long). master to worker: TASK, INTERRUPT (save and end that task), BEAT (every few seconds: the master
 * lives), END. */
typedef enum pg_message_kind {
    PG_MSG_IDLE,
    PG_MSG_PROGRESS,
    PG_MSG_NOTE,
    PG_MSG_RESULT,
    PG_MSG_RETURN,
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
    char text[PG_MESSAGE_TEXT]; /* TASK: its canonical text; NOTE; RESULT: why it failed; only its used part travels */
} pg_message;

typedef struct pg_team {
    int rank, size;
    bool incomplete;           /* a rank was lost, so MPI cannot be finalised */
    const pg_process *members; /* [size] */
    const cpu_set_t *cores;    /* [size] that each may use; empty if unknown */
    struct pg_team_link *link; /* NULL: alone */
} pg_team;

/* Collective. If a rank dies in it, the others end within a minute. */
PG_CHECKED pg_status pg_team_start(pg_team *team, pg_error *err);

/* Broadcast from rank 0. Waiting ranks sleep, and fail if rank 0 has ended or sends nothing for ten minutes. */
PG_CHECKED pg_status pg_team_share(pg_team *team, void *data, size_t bytes, pg_error *err);
/* Gather to rank 0: all [size][bytes], zeros for a lost rank. Fails if a rank that is not lost sends nothing for ten minutes.
 */
PG_CHECKED pg_status pg_team_gather(pg_team *team, const void *mine, size_t bytes, void *all, pg_error *err);

/* Number of computing ranks on this host that share this rank's cores; at least 1. */
int pg_team_workers_here(const pg_team *team);

/* Does the process of that rank run? PG_PROCESS_UNKNOWN on other hosts. */
pg_process_state pg_team_look(const pg_team *team, int rank);

/* Finalise MPI. If that waits longer than a minute for the other ranks, the process ends with this exit code. */
void pg_team_finish(pg_team *team, int exit_code);

/* Not collective. Messages between two ranks arrive in order. */
PG_CHECKED pg_status pg_team_send(pg_team *team, int to, const pg_message *message, pg_error *err);
PG_CHECKED pg_status pg_team_poll(pg_team *team, pg_message *message, bool *got, pg_error *err);

/* "Open MPI v4.1.4"; needs no start. */
const char *pg_team_library(void);

#endif
