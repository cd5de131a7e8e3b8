/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readable names for the networks and the evidence that the tasks of a run kept as files.
 *
 * A file's own name is its task's key: models/KEY.safetensors. artefacts.csv gives every file a second name, derived from the
 * name of its task: "cifar10-alexnet-bn-v1-prune-level60-s1". If several tasks of the grid would share that name, the first
 * digits of the key are appended. A relative symbolic link beside the file has the second name, if the file system has links.
 */
#ifndef PG_REPORT_ARTEFACTS_H
#define PG_REPORT_ARTEFACTS_H

#include "experiments/report/results.h"

/* Write artefacts.csv, or remove it if there is no file to list, and update the links. *count: listed files; *missing: listed
 * files that do not exist. */
PG_CHECKED pg_status pg_artefacts_write(const pg_results *results, const char *directory, int *count, int *missing,
                                        pg_error *err);

#endif
