/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets in memory; see dataset.h. */
#include "core/data/dataset.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t image_bytes(const pg_dataset *data)
{
    return (size_t)(data->height * data->width * 3);
}

pg_status pg_dataset_allocate(pg_dataset *data, int count, int height, int width, pg_error *err)
{
    pg_status status = PG_OK;
    data->count = count;
    data->height = height;
    data->width = width;
    PG_TRY(pg_alloc((size_t)count, image_bytes(data), &data->images, err));
    PG_TRY(pg_alloc((size_t)count, sizeof *data->labels, &data->labels, err));
done:
    if (status != PG_OK) pg_dataset_clear(data);
    return status;
}

pg_status pg_dataset_fits(const pg_dataset *data, int height, int width, int classes, pg_error *err)
{
    if (data->height != height || data->width != width)
        return pg_fail(err, PG_BAD_INPUT, "%s: its images have %dx%d pixels, but the network takes %dx%d", data->name,
                       data->height, data->width, height, width);
    if (data->classes > classes)
        return pg_fail(err, PG_BAD_INPUT, "%s: it has %d classes, but the network has %d", data->name, data->classes, classes);
    return PG_OK;
}

void pg_dataset_clear(pg_dataset *data)
{
    pg_free(data->images);
    pg_free(data->labels);
    *data = (pg_dataset){0};
}

void pg_data_clear(pg_data *data)
{
    pg_dataset_clear(&data->train);
    pg_dataset_clear(&data->test);
}

void pg_dataset_hash(pg_dataset *data)
{
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "passgrid data 1");
    pg_hash_add_u64(&hash, (uint64_t)data->count);
    pg_hash_add_u64(&hash, (uint64_t)data->classes);
    pg_hash_add_u64(&hash, (uint64_t)data->height);
    pg_hash_add_u64(&hash, (uint64_t)data->width);
    pg_hash_add(&hash, data->images, (size_t)data->count * image_bytes(data));
    for (int i = 0; i < data->count; i++) pg_hash_add_u64(&hash, (uint64_t)data->labels[i]);
    pg_hash_finish_hex(&hash, data->sha256);
}

/* Mark the images that a balanced subset of count takes. */
static void choose(const pg_dataset *from, int count, int *seen, bool *taken)
{
    /* Round r takes image r of each class. An incomplete last round takes the first such images in file order. */
    int rounds = 0, left = count;
    for (int size = 0; left > 0; rounds++, left -= size) {
        memset(seen, 0, (size_t)from->classes * sizeof *seen);
        size = 0;
        for (int i = 0; i < from->count; i++) size += seen[from->labels[i]]++ == rounds;
        memset(seen, 0, (size_t)from->classes * sizeof *seen);
        for (int i = 0, put = 0; i < from->count && put < left; i++)
            if (seen[from->labels[i]]++ == rounds) {
                taken[i] = true;
                put++;
            }
        if (size >= left) return;
    }
}

/* Copy the images that a balanced subset of count takes, or (rest) those that it leaves out. */
static pg_status take(const pg_dataset *from, int count, bool rest, pg_dataset *out, pg_error *err)
{
    pg_status status = PG_OK;
    int *seen = NULL;
    bool *taken = NULL;
    const bool all = count == 0 || count == from->count;
    const int inside = all ? from->count : count, wanted = rest ? from->count - inside : inside;
    pg_dataset part = *from;
    part.images = NULL;
    part.labels = NULL;
    if (count > from->count)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s has only %d images, not %d", from->name, from->count, count));
    PG_TRY(pg_alloc((size_t)from->classes, sizeof *seen, &seen, err));
    PG_TRY(pg_alloc((size_t)from->count, sizeof *taken, &taken, err));
    PG_TRY(pg_dataset_allocate(&part, wanted, from->height, from->width, err));
    if (all)
        memset(taken, true, (size_t)from->count);
    else
        choose(from, count, seen, taken);
    for (int i = 0, at = 0; i < from->count; i++) {
        if (taken[i] == rest) continue;
        memcpy(part.images + (size_t)at * image_bytes(from), from->images + (size_t)i * image_bytes(from), image_bytes(from));
        part.labels[at++] = from->labels[i];
    }
    if (wanted < from->count) pg_dataset_hash(&part);
    *out = part;
done:
    pg_free(seen);
    pg_free(taken);
    return status;
}

pg_status pg_dataset_subset(const pg_dataset *from, int count, pg_dataset *out, pg_error *err)
{
    return take(from, count, false, out, err);
}

pg_status pg_dataset_rest(const pg_dataset *from, int count, pg_dataset *out, pg_error *err)
{
    return take(from, count, true, out, err);
}

const char *const pg_half_names[] = {"all", "first", "second", NULL};

int pg_half_count(pg_half half, int count)
{
    return half == PG_HALF_ALL ? count : half == PG_HALF_FIRST ? count / 2 : count - count / 2;
}

pg_status pg_dataset_half(const pg_dataset *from, pg_half half, pg_dataset *out, pg_error *err)
{
    if (half == PG_HALF_ALL) return pg_dataset_subset(from, 0, out, err);
    if (from->count < 2) return pg_fail(err, PG_BAD_INPUT, "%s has no halves: it has fewer than 2 images", from->name);
    return half == PG_HALF_FIRST ? pg_dataset_subset(from, from->count / 2, out, err)
                                 : pg_dataset_rest(from, from->count / 2, out, err);
}

pg_status pg_data_directory(char out[PG_PATH_MAX], const char *override, pg_error *err)
{
    const char *own = getenv("PASSGRID_DATA"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;
    if (override && *override)
        n = snprintf(out, PG_PATH_MAX, "%s", override);
    else if (own && *own)
        n = snprintf(out, PG_PATH_MAX, "%s", own);
    else if (cache && *cache)
        n = snprintf(out, PG_PATH_MAX, "%s/passgrid", cache);
    else if (home && *home)
        n = snprintf(out, PG_PATH_MAX, "%s/.cache/passgrid", home);
    else
        return pg_fail(err, PG_BAD_INPUT, "no data directory: set PASSGRID_DATA, XDG_CACHE_HOME or HOME");
    return n < PG_PATH_MAX ? PG_OK : pg_fail(err, PG_BAD_INPUT, "data directory: path too long");
}
