/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provenance of a run: program, compiler, libraries, machine. It may differ between runs; results may not. */
#ifndef PG_RUN_PROVENANCE_H
#define PG_RUN_PROVENANCE_H

#include "core/base/status.h"
#include "experiments/run/process.h"

#include <sched.h>

/* Facts about one rank. */
typedef struct pg_rank_facts {
    char host[PG_HOST_MAX];
    int cores, allowed; /* cores of the host; cores that this process may use */
    cpu_set_t mask;     /* the cores that this process may use; empty if unknown */
    int threads;
    char version[64], processor[96]; /* pg_version; the model of the processor */
} pg_rank_facts;

/* "passgrid VERSION". */
const char *pg_version(void);

/* Fill in the facts of this rank. threads: the cores that this process may use, divided by the number of workers that share
 * them; at least 1. */
void pg_rank_describe(pg_rank_facts *facts, int workers);

/* Write provenance.json to the directory of a run. pg_compute_start must have been called. */
PG_CHECKED pg_status pg_provenance_write(const char *directory, const pg_rank_facts *ranks, int count, pg_error *err);

#endif
