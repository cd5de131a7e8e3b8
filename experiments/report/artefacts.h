/* The networks and the evidence that the tasks of a run left as files, under names that people find.
 *
 * A file is called after its task's key, models/KEY.safetensors, and stays so. artefacts.csv lists every file with a name made
 * from that of its task, "cifar10-alexnet-bn-v1-prune-level60-s1"; where several tasks of the grid would share one, each has
 * the beginning of its key behind it. Under that name a relative symbolic link lies beside the file, on file systems that have
 * links. */
#ifndef PG_REPORT_ARTEFACTS_H
#define PG_REPORT_ARTEFACTS_H

#include "experiments/report/results.h"

/* Write artefacts.csv and bring the links up to date; without any file there is no artefacts.csv. *count: files that are
 * listed; *missing: those of them that are not there. */
PG_CHECKED pg_status pg_artefacts_write(const pg_results *results, const char *directory, int *count, int *missing,
                                        pg_error *err);

#endif
