/* The ranks of a run and the small messages between them: the one door to MPI.
 *
 * Rank 0 is the master, the others are workers. Without a launcher there is one rank and MPI is not started. Messages are
 * small, sends never block, and collective calls happen only at the start: after it any rank but the master may be lost without
 * hurting the others. What a task makes goes through files. */
#ifndef PG_EXPERIMENTS_TEAM_H
#define PG_EXPERIMENTS_TEAM_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* worker to master: IDLE (when it starts, and about once a second while it has nothing to do), PROGRESS (a few times a second
 * while it works), RESULT. master to worker: TASK, INTERRUPT (save and end the task), END. */
typedef enum pg_message_kind {
    PG_MSG_IDLE,
    PG_MSG_PROGRESS,
    PG_MSG_RESULT,
    PG_MSG_TASK,
    PG_MSG_INTERRUPT,
    PG_MSG_END
} pg_message_kind;

enum { PG_MESSAGE_TEXT = 16384 };

/* task and attempt go back and forth unchanged, so that a late answer about a task that was given to somebody else is known as
 * such. */
typedef struct pg_message {
    int kind; /* pg_message_kind */
    int from; /* rank; set by the receiver */
    int task, attempt;
    int status;                 /* RESULT: pg_status */
    double done, images;        /* PROGRESS, RESULT: share of the task; images processed */
    double seconds;             /* RESULT */
    char text[PG_MESSAGE_TEXT]; /* TASK: its canonical text; RESULT: why it failed; only its used part travels */
} pg_message;

typedef struct pg_team {
    int rank, size;
    struct pg_team_link *link; /* NULL: alone */
} pg_team;

/* Collective. */
PG_CHECKED pg_status pg_team_start(pg_team *team, pg_error *err);
PG_CHECKED pg_status pg_team_share(pg_team *team, void *data, size_t bytes, pg_error *err); /* rank 0's data to all */
PG_CHECKED pg_status pg_team_workers_here(pg_team *team, int *workers, pg_error *err); /* ranks on this host that compute */
PG_CHECKED pg_status pg_team_gather(pg_team *team, const void *mine, size_t bytes, void *all,
                                    pg_error *err); /* to rank 0: all [size][bytes] */
void pg_team_finish(pg_team *team);

/* Not collective. Messages between two ranks arrive in order. */
PG_CHECKED pg_status pg_team_send(pg_team *team, int to, const pg_message *message, pg_error *err);
PG_CHECKED pg_status pg_team_poll(pg_team *team, pg_message *message, bool *got, pg_error *err);

/* "Open MPI v4.1.4"; needs no start. */
const char *pg_team_library(void);

#endif
