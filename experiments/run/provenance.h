/* What worked on a run: program, compiler, libraries, machine. It may differ between runs; results may not. */
#ifndef PG_RUN_PROVENANCE_H
#define PG_RUN_PROVENANCE_H

#include "core/base/status.h"
#include "experiments/run/process.h"

#include <sched.h>

/* What each rank says about itself. */
typedef struct pg_rank_facts {
    char host[PG_HOST_MAX];
    int cores, allowed; /* of the host; those that this process may use */
    cpu_set_t mask;     /* the latter; none where the system does not tell */
    int threads;
} pg_rank_facts;

/* "passgrid VERSION". */
const char *pg_version(void);

/* This rank's facts, with as many threads as the cores that this process may use allow, shared by that many workers. */
void pg_rank_describe(pg_rank_facts *facts, int workers);

/* provenance.json of the run in directory. The compute library must have been started. */
PG_CHECKED pg_status pg_provenance_write(const char *directory, const pg_rank_facts *ranks, int count, pg_error *err);

#endif
