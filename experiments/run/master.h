/* The master of a team: hands out tasks, hears what comes of them, and goes on without workers that are lost. */
#ifndef PG_RUN_MASTER_H
#define PG_RUN_MASTER_H

#include "experiments/run/run_book.h"

/* Run what the book has open. A worker whose process has ended, or that is silent for longer than options->silence while the
 * master listens, is lost: its task goes to another one, which resumes it. A silent one that speaks again is taken back. A task
 * at which two workers died fails. One at which two fell silent waits for them; it fails if they cannot be seen to run and
 * nothing else is left to do. */
PG_CHECKED pg_status pg_master_run(pg_book *book, pg_team *team, pg_error *err);

/* Workers wait until they are told to end, however the run went. */
void pg_master_dismiss(pg_team *team);

#endif
