/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan --simulate; see plan_simulate.h. */
#include "experiments/commands/plan_simulate.h"

#include "core/base/memory.h"
#include "core/formats/number.h"
#include "experiments/run/simulate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CORES_MAX = 1000000 };

/* Speed of training on several threads, relative to one: the mean of AlexNet and ResNet-18 in slurm/README.md, as predicted by
 * `passgrid bench --mode model` from measured parts of a step. speed_of interpolates between these numbers of threads. */
static const struct {
    int threads;
    double speed;
} speeds[] = {{1, 1}, {2, 1.89}, {4, 3.36}, {8, 4.74}, {16, 5.06}};
enum { SPLITS = sizeof speeds / sizeof *speeds };

static double speed_of(int threads)
{
    int i = 0;
    while (i + 1 < SPLITS && speeds[i + 1].threads <= threads) i++;
    if (i + 1 == SPLITS) return speeds[i].speed;
    const double part = (double)(threads - speeds[i].threads) / (speeds[i + 1].threads - speeds[i].threads);
    return speeds[i].speed + part * (speeds[i + 1].speed - speeds[i].speed);
}

typedef struct split {
    int ranks, threads;
    pg_simulation result;
} split;

/* Find the split of these cores that ends first; of equal splits, the one with fewer threads. scaled: room for [tasks]. */
static pg_status best_split(const pg_named_grid *named, const bool *done, const double *seconds, int cores, double *scaled,
                            split *best, pg_error *err)
{
    const pg_grid *grid = named->grid;
    const double measured = speed_of(grid->options.threads > 0 ? grid->options.threads : 1);
    *best = (split){0};
    for (int k = 0; k < SPLITS && speeds[k].threads <= cores; k++) {
        split one = {.ranks = cores / speeds[k].threads, .threads = speeds[k].threads};
        for (int i = 0; i < grid->count; i++) scaled[i] = seconds[i] * measured / speeds[k].speed;
        const pg_status status = pg_simulate(grid, done, scaled, one.ranks, &one.result, err);
        if (status != PG_OK) return status;
        if (!best->ranks || one.result.seconds < best->result.seconds) *best = one;
    }
    return PG_OK;
}

static void print_split(int cores, const split *s, double allocation)
{
    printf("%8d  %8d  %7d  %12.2f  %6.1f  %11.0f  %14.0f\n", cores, s->ranks, s->threads, s->result.seconds / 3600,
           100 * s->result.idle, ceil(s->result.seconds / allocation), ceil(s->result.critical / allocation));
}

/* Read the next number of a list, and move list behind it. */
static pg_status next_cores(const char **list, int *cores, pg_error *err)
{
    char word[16];
    long long value;
    const size_t length = strcspn(*list, ",");
    snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), *list);
    if (length >= sizeof word || !pg_number_int(word, &value) || value < 1 || value > CORES_MAX)
        return pg_fail(err, PG_BAD_INPUT, "--simulate: expected numbers of cores in [1, %d], such as 64,256; got '%s'",
                       CORES_MAX, word);
    *cores = (int)value;
    *list += length;
    return PG_OK;
}

pg_status pg_plan_simulate(const pg_named_grid *named, const bool *done, const double *seconds, const char *cores,
                           int allocation, pg_error *err)
{
    pg_status status = PG_OK;
    double *scaled = NULL;
    int count = 0, rows = 0;
    split best;
    const char *ahead = cores;
    do PG_TRY(next_cores(&ahead, &count, err)); /* the whole list, before anything is printed */
    while (*ahead++ == ',');
    PG_TRY(pg_alloc((size_t)named->grid->count, sizeof *scaled, &scaled, err));
    do {
        PG_TRY(next_cores(&cores, &count, err));
        PG_TRY(best_split(named, done, seconds, count, scaled, &best, err));
        if (!rows++)
            printf("%8s  %8s  %7s  %12s  %6s  %11s  %14s\n", "cores", "ranks", "threads", "hours", "idle %", "allocations",
                   "longest path");
        print_split(count, &best, allocation);
    } while (*cores++ == ',');
    printf("allocations of %.2f hours; the longest path fills so many of them one after another\n", allocation / 3600.0);
done:
    pg_free(scaled);
    return status;
}
