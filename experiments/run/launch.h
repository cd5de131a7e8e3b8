/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How this process was started: alone, or together with others by mpirun or srun. */
#ifndef PG_RUN_LAUNCH_H
#define PG_RUN_LAUNCH_H

#include "core/base/status.h"

#include <stdbool.h>

typedef struct pg_launch {
    bool together;  /* a launcher started this process and others, which MPI joins */
    int rank, size; /* as the launcher says; size 0: unknown */
} pg_launch;

/* Read the variables that Open MPI, PMIx, PMI and Slurm set. The only process of a Slurm step, such as a shell in `srun --pty`,
 * is alone. PG_BAD_INPUT if srun started several processes without PMI, because each would believe that it is alone. */
PG_CHECKED pg_status pg_launch_find(pg_launch *out, pg_error *err);

/* Advice for ranks that do not find each other, with a line break: a rank may be lost. If this host has bridges of containers
 * or virtual machines, it adds that MPI may have chosen one of them, and the option that prevents this. */
const char *pg_launch_advice(void);

#endif
