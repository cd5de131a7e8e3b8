/* The master: gives tasks to workers, collects results, and continues without lost workers. */
#ifndef PG_RUN_MASTER_H
#define PG_RUN_MASTER_H

#include "experiments/run/journal.h"

/* Run the journal's open tasks. A worker is lost if its process has ended, or if it sends nothing for options->silence seconds
 * of listening; another worker then resumes its task. The master takes back a silent worker that sends a message again. A task
 * fails if two workers died on it. A task on which two workers fell silent waits for them, and fails if they are not seen to
 * run and nothing else is left to do. */
PG_CHECKED pg_status pg_master_run(pg_journal *journal, pg_comm *comm, pg_error *err);

/* Tell the waiting workers to end. Call it however the run went. */
void pg_master_dismiss(pg_comm *comm);

#endif
