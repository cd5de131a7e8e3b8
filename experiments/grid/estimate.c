/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimates of times; see estimate.h. */
#include "experiments/grid/estimate.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/number.h"

#include <string.h>

/* Multiply-adds per second of one thread that trains a small network. Winograd's convolutions do half of the counted ones.
 * Measured on an AMD EPYC (Zen 5), AlexNet at a quarter of its width: 1.5e11 on an idle core and 1e11 on a busy one, with AVX2
 * in place of AVX-512 4.4e10. Without either it is a guess. */
#if defined(__AVX512F__)
static const double default_speed = 1e11;
#elif defined(__AVX2__)
static const double default_speed = 4e10;
#else
static const double default_speed = 1e10;
#endif

typedef struct family {
    const char *name; /* of a task of the family, borrowed */
    size_t length;    /* of the part that the names of all its tasks share */
    double seconds, cost;
} family;

typedef struct families {
    family *list, all;
    int count;
} families;

/* Length of a task's name without seed and key ("/s1/3fa9c01d"). */
static size_t stem(const char *name)
{
    size_t length = strlen(name);
    for (int slashes = 0; length > 0 && slashes < 2; slashes += name[length] == '/') length--;
    return length;
}

static family *find(const families *f, const char *name)
{
    const size_t length = stem(name);
    for (int i = 0; i < f->count; i++)
        if (f->list[i].length == length && strncmp(f->list[i].name, name, length) == 0) return &f->list[i];
    return NULL;
}

static void count_in(families *f, const char *name, double seconds, double cost)
{
    family *mine = find(f, name);
    if (!mine) {
        mine = &f->list[f->count++];
        *mine = (family){.name = name, .length = stem(name)};
    }
    mine->seconds += seconds;
    mine->cost += cost;
    f->all.seconds += seconds;
    f->all.cost += cost;
}

static double speed(const families *f, const char *name)
{
    const family *mine = find(f, name);
    if (!mine) mine = &f->all;
    return mine->cost / mine->seconds;
}

const char *const pg_timings_columns[] = {"key", "task", "rank", "seconds", "megaflops", "megabytes", NULL};

pg_status pg_timings_read(const char *directory, pg_csv_table **out, pg_error *err)
{
    char path[PG_PATH_MAX];
    size_t same = 0;
    *out = NULL;
    pg_status status = pg_path(path, directory, "timings.csv", NULL, err);
    if (status != PG_OK || !pg_file_exists(path)) return status;
    status = pg_csv_read(path, out, err);
    if (status != PG_OK) return status == PG_BAD_INPUT ? PG_OK : status;
    const size_t columns = pg_csv_columns(*out);
    while (same < columns && pg_timings_columns[same] && strcmp(pg_csv_name(*out, same), pg_timings_columns[same]) == 0) same++;
    if (same < columns || same < PG_TIMINGS_MEMORY) pg_csv_close(out);
    return PG_OK;
}

static void measure_memory(const pg_csv_table *csv, size_t row, pg_timed *timed)
{
    double millions;
    if (pg_csv_columns(csv) <= PG_TIMINGS_MEMORY || !pg_number_real(pg_csv_cell(csv, row, PG_TIMINGS_MEMORY), &millions))
        return;
    if (!(millions > 0)) return;
    timed->measured++;
    if (1e6 * millions > timed->bytes) timed->bytes = 1e6 * millions;
}

/* Count every row for its family and the total; store a task's own time in seconds. */
static void learn(const pg_csv_table *csv, const pg_grid *grid, double *seconds, families *f, pg_timed *timed)
{
    for (size_t row = 0; row < pg_csv_rows(csv); row++) {
        double took, millions;
        if (!pg_number_real(pg_csv_cell(csv, row, 3), &took) || !pg_number_real(pg_csv_cell(csv, row, 4), &millions)) continue;
        if (!(took > 0) || !(millions > 0)) continue;
        const int at = pg_grid_find(grid, pg_csv_cell(csv, row, 0));
        if (at >= 0) seconds[at] = took;
        if (at >= 0) measure_memory(csv, row, timed);
        count_in(f, pg_csv_cell(csv, row, 1), took, 1e6 * millions);
        timed->tasks++;
    }
}

pg_status pg_estimate_seconds(const char *directory, const pg_grid *grid, double *seconds, pg_timed *timed, pg_error *err)
{
    pg_status status = PG_OK;
    pg_csv_table *csv = NULL;
    families f = {0};
    *timed = (pg_timed){0};
    for (int i = 0; i < grid->count; i++) seconds[i] = -1;
    PG_TRY(pg_timings_read(directory, &csv, err));
    if (csv) {
        PG_TRY(pg_alloc(pg_csv_rows(csv) + 1, sizeof *f.list, &f.list, err));
        learn(csv, grid, seconds, &f, timed);
    }
    if (f.count == 0) f.all = (family){.seconds = 1, .cost = default_speed};
    timed->cost = f.all.cost;
    timed->seconds = f.all.seconds;
    for (int i = 0; i < grid->count; i++)
        if (seconds[i] < 0) seconds[i] = grid->tasks[i].cost / speed(&f, grid->tasks[i].name);
done:
    pg_free(f.list);
    pg_csv_close(&csv);
    return status;
}
