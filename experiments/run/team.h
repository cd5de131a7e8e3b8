/* The ranks of a run and the small messages between them: the one door to MPI.
 *
 * Rank 0 is the master, the others are workers. Without a launcher there is one rank and MPI is not started. Messages are
 * small, sends never block, and collective calls happen only in pg_team_start: after it any rank may be lost without hurting
 * the others, where the launcher lets them live (Open MPI: mpirun --enable-recovery). What a task makes goes through files. */
#ifndef PG_RUN_TEAM_H
#define PG_RUN_TEAM_H

#include "core/base/status.h"
#include "experiments/run/process.h"
#include "experiments/work/progress.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* worker to master: IDLE (when it starts, and about once a second while it has nothing to do), PROGRESS (a few times a second
 * while it works), NOTE (something for the log), RESULT, RETURN (a task that it was given ahead and has not begun, since the
 * one before takes long). master to worker: TASK, INTERRUPT (save and end that task), BEAT (every few seconds: the master
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
enum { PG_TASKS_AHEAD = 128 }; /* tasks that a worker is given at most before it has ended the first */

/* task and attempt go back and forth unchanged, so that a late answer about a task that was given to somebody else is known as
 * such. */
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
    bool incomplete;           /* a rank was lost: MPI is not ended in the common way */
    const pg_process *members; /* [size] */
    const cpu_set_t *cores;    /* [size] that each may use; none where the system does not tell */
    struct pg_team_link *link; /* NULL: alone */
} pg_team;

/* Collective. A rank that dies in it takes the others with it, after a minute at most. */
PG_CHECKED pg_status pg_team_start(pg_team *team, pg_error *err);

/* Rank 0's data to all: ranks that wait sleep, and fail when rank 0 has ended or says nothing for ten minutes. */
PG_CHECKED pg_status pg_team_share(pg_team *team, void *data, size_t bytes, pg_error *err);
/* Everybody's data to rank 0: all [size][bytes], zeros for a lost rank. Fails when another one says nothing for ten minutes. */
PG_CHECKED pg_status pg_team_gather(pg_team *team, const void *mine, size_t bytes, void *all, pg_error *err);

/* Ranks on this host that compute, on the very cores that this one may use; 1 if there is none. */
int pg_team_workers_here(const pg_team *team);

/* Does the process of that rank run? Of other hosts that is unknown. */
pg_process_state pg_team_look(const pg_team *team, int rank);

/* Give up MPI. Where it waits longer than a minute for the others, the process ends with this exit code. */
void pg_team_finish(pg_team *team, int exit_code);

/* Not collective. Messages between two ranks arrive in order. */
PG_CHECKED pg_status pg_team_send(pg_team *team, int to, const pg_message *message, pg_error *err);
PG_CHECKED pg_status pg_team_poll(pg_team *team, pg_message *message, bool *got, pg_error *err);

/* "Open MPI v4.1.4"; needs no start. */
const char *pg_team_library(void);

#endif
