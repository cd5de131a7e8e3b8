/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How this process was started; see launch.h. */
#include "experiments/run/launch.h"

#include "core/formats/number.h"

#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number in the first of these variables that is set; 0 if none is. */
static int number_in(const char *const *names)
{
    long long value;
    for (; *names; names++) {
        const char *text = getenv(*names);
        if (text && pg_number_int(text, &value) && value >= 0 && value < 1 << 30) return (int)value;
    }
    return 0;
}

pg_status pg_launch_find(pg_launch *out, pg_error *err)
{
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "PMI_SIZE", NULL};
    static const char *const steps[] = {"SLURM_STEP_NUM_TASKS", NULL};
    const int step = number_in(steps);
    const bool pmi = getenv("PMIX_RANK") || getenv("PMI_RANK") || getenv("PMI_FD");
    *out = (pg_launch){.together = getenv("OMPI_COMM_WORLD_SIZE") || (pmi && step != 1)};
    if (out->together) {
        out->rank = number_in(ranks);
        out->size = number_in(sizes);
    }
    if (out->together || step < 2) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT,
                   "srun started %d processes that do not know of each other: submit slurm/passgrid.sbatch, type "
                   "`slurm/launch.sh -n %d -- passgrid run ...` in the allocation, or give srun --mpi=pmix",
                   step, step + 1);
}

/* Bridges of containers and virtual machines, which lead to no other host. */
static bool leads_nowhere(const char *name)
{
    static const char *const prefixes[] = {"docker", "virbr", "podman", "cni", "br-", NULL};
    for (int i = 0; prefixes[i]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

/* Append ",NAME" for each such bridge of this host. */
static void add_bridges(char *list, size_t room)
{
    struct if_nameindex *all = if_nameindex();
    for (const struct if_nameindex *one = all; one && one->if_name; one++) {
        const size_t used = strlen(list);
        if (leads_nowhere(one->if_name)) snprintf(list + used, room - used, ",%s", one->if_name);
    }
    if (all) if_freenameindex(all);
}

const char *pg_launch_advice(void)
{
    static char text[1024];
    char bridges[512] = "";
    add_bridges(bridges, sizeof bridges);
    snprintf(text, sizeof text, "passgrid: a rank is lost; repeat the command to resume%s%s%s%s\n",
             bridges[0] ? ". If it is lost again, MPI may use a network that joins no hosts (" : "",
             bridges[0] ? bridges + 1 : "", bridges[0] ? "): give mpirun --mca btl_tcp_if_exclude lo" : "", bridges);
    return text;
}
