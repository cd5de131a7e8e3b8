/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The master: gives tasks to workers, collects results, and continues without lost workers. */
#ifndef PG_RUN_MASTER_H
#define PG_RUN_MASTER_H

#include "experiments/run/journal.h"

/* Run the journal's open tasks. A worker is lost if its process has ended, as the master or another worker on its host sees, or
 * if it sends nothing for options->silence seconds of listening and 20 times the longest gap between its messages; another
 * worker then resumes its task. If a silent worker sends a message again, the master takes it back. A task fails if the
 * processes of two workers ended while they ran it. If two workers fell silent on a task, it waits for them until nothing else
 * is left to do. */
PG_CHECKED pg_status pg_master_run(pg_journal *journal, pg_comm *comm, pg_error *err);

/* Tell the workers to end. To be called whether or not the run succeeded. */
void pg_master_dismiss(pg_comm *comm);

#endif
