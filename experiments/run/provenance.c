/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provenance of a run; see provenance.h. */
#include "experiments/run/provenance.h"

#include "core/base/file.h"
#include "core/base/real.h"
#include "core/compute/blas.h"
#include "core/formats/json_file.h"
#include "experiments/run/comm.h"

#include <gsl/gsl_version.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef PG_FLAGS
#define PG_FLAGS "unknown"
#endif

/* The model of the processor. */
static void find_processor(char *out, size_t bytes)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(out, bytes, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        snprintf(out, bytes, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file) fclose(file);
}

void pg_rank_describe(pg_rank_facts *facts, int workers)
{
    gethostname(facts->host, sizeof facts->host);
    facts->host[sizeof facts->host - 1] = 0;
    facts->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    facts->allowed = sched_getaffinity(0, sizeof facts->mask, &facts->mask) == 0 ? CPU_COUNT(&facts->mask) : facts->cores;
    facts->threads = facts->allowed > workers ? facts->allowed / workers : 1;
    snprintf(facts->version, sizeof facts->version, "%s", pg_version());
    find_processor(facts->processor, sizeof facts->processor);
}

static json_t *ranks_json(const pg_rank_facts *ranks, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:i, s:s}", "rank", i, "host", ranks[i].host, "threads",
                                              ranks[i].threads, "processor", ranks[i].processor));
    return list;
}

pg_status pg_provenance_write(const char *directory, const pg_rank_facts *ranks, int count, pg_error *err)
{
    char path[PG_PATH_MAX], when[32];
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%FT%TZ", &utc);
    pg_status status = pg_path(path, directory, "provenance.json", NULL, err);
    if (status != PG_OK) return status;
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "version", pg_version(), "started",
                             when, "compiler", __VERSION__, "flags", PG_FLAGS, "numbers", PG_REAL_NAME, "blas",
                             pg_blas_version(), "kernels", pg_blas_kernels(), "products", pg_products_library(), "mpi",
                             pg_comm_library(), "processor", ranks[0].processor, "ranks", ranks_json(ranks, count));
    return pg_json_write(root, path, err);
}
