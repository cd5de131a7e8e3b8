/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked data set that is fetched: one file of 500 images, a byte for the class before the pixels of each. */
#include "core/data/readers.h"

#include "core/base/memory.h"

#include <string.h>

enum { CLASSES = 4, SIDE = 32, TRAIN = 400, TEST = 100, PIXELS = SIDE * SIDE * 3, RECORD = PIXELS + 1 };

static pg_status served_read(const char *folder, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], *data = NULL;
    size_t bytes = 0;
    PG_TRY(pg_data_file(folder, "served.bin", path, &data, &bytes, err));
    if (bytes != (size_t)(TRAIN + TEST) * RECORD) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: it has %zu bytes", path, bytes));
    PG_TRY(pg_data_allocate(out, "served", "the served file", CLASSES, SIDE, TRAIN, TEST, err));
    for (int i = 0; i < TRAIN + TEST; i++) {
        pg_dataset *split = i < TRAIN ? &out->train : &out->test;
        const int at = i < TRAIN ? i : i - TRAIN;
        split->labels[at] = data[i * RECORD] % CLASSES;
        memcpy(split->images + (size_t)at * PIXELS, data + i * RECORD + 1, PIXELS);
    }
done:
    pg_free(data);
    return status;
}

static pg_status served_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char folder[PG_PATH_MAX];
    const pg_status status = pg_path(folder, directory, name, NULL, err);
    if (status != PG_OK) return status;
    out->missing = !pg_file_exists(folder);
    if (out->missing) return pg_fail(err, PG_BAD_INPUT, "%s: fetch it with `passgrid data fetch %s`", folder, name);
    return served_read(folder, out, err);
}

static const pg_data_archive archives[] = {{"served.bin", "64ea5d68b017f8c2b1c8688bf441fadd", (TRAIN + TEST) * RECORD}, {0}};

static const pg_data_origin origins[] = {
    {
        .words = "nobody",
        .url = "http://127.0.0.1:9/",
        .archives = archives,
        .folder = ".",
        .kept = "served",
        .read = served_read,
    },
    {0},
};

const pg_data_kind pg_data_kind_served = {
    .name = "served",
    .summary = "a file that a server has",
    .classes = CLASSES,
    .origins = origins,
    .load = served_load,
};
