/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The canonical file of a data set: a safetensors file with the 8-bit images and labels of both splits. Its bytes are the same
 * whatever the source. */
#include "core/data/readers.h"

#include "core/formats/number.h"
#include "core/formats/safetensors.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

pg_status pg_canonical_save(const pg_data *data, const char *path, pg_error *err)
{
    const pg_dataset *a = &data->train, *b = &data->test;
    char classes[16];
    snprintf(classes, sizeof classes, "%d", a->classes);
    const pg_array arrays[] = {
        {.name = "train.labels", .dtype = PG_I32, .dims = 1, .shape = {(size_t)a->count}, .data = a->labels},
        {.name = "test.labels", .dtype = PG_I32, .dims = 1, .shape = {(size_t)b->count}, .data = b->labels},
        {.name = "train.images",
         .dtype = PG_U8,
         .dims = 4,
         .shape = {(size_t)a->count, (size_t)a->height, (size_t)a->width, 3},
         .data = a->images},
        {.name = "test.images",
         .dtype = PG_U8,
         .dims = 4,
         .shape = {(size_t)b->count, (size_t)b->height, (size_t)b->width, 3},
         .data = b->images},
    };
    const pg_metadata notes[] = {{"name", a->name}, {"source", a->source}, {"classes", classes}};
    return pg_safetensors_write(path, arrays, 4, notes, 3, PG_FILE_PUBLIC, err);
}

static pg_status read_split(const pg_safetensors *file, const char *path, const char *split, int classes, pg_dataset *out,
                            pg_error *err)
{
    pg_status status = PG_OK;
    char images[32], labels[32];
    const pg_array *pixels = NULL, *marks = NULL;
    snprintf(images, sizeof images, "%s.images", split);
    snprintf(labels, sizeof labels, "%s.labels", split);
    PG_TRY(pg_safetensors_get(file, images, 4, NULL, &pixels, err));
    PG_TRY(pg_safetensors_get(file, labels, 1, &pixels->shape[0], &marks, err));
    if (pixels->shape[0] == 0 || pixels->shape[1] != 32 || pixels->shape[2] != 32 || pixels->shape[3] != 3 ||
        pixels->shape[0] > 1u << 24)
        return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected [n,32,32,3] images", path, images);
    if (marks->dtype != PG_I32) return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': expected 32-bit integers", path, labels);
    PG_TRY(pg_dataset_allocate(out, (int)pixels->shape[0], 32, 32, err));
    PG_TRY(pg_safetensors_read_u8(file, images, out->images, pixels->count, err));
    memcpy(out->labels, marks->data, marks->count * sizeof *out->labels);
    out->classes = classes;
    for (int i = 0; i < out->count; i++)
        if (out->labels[i] < 0 || out->labels[i] >= classes)
            return pg_fail(err, PG_BAD_INPUT, "%s: tensor '%s': label %d of image %d is not a class", path, labels,
                           out->labels[i], i);
done:
    return status;
}

static pg_status read_file(const char *path, const char *name, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_safetensors *file = NULL;
    int classes = 0;
    PG_TRY(pg_safetensors_open(path, &file, err));
    const char *text = pg_safetensors_metadata(file, "classes");
    if (!text || !pg_number_within(text, 2, INT_MAX, &classes))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: not a data set that passgrid wrote", path));
    PG_TRY(read_split(file, path, "train", classes, &out->train, err));
    PG_TRY(read_split(file, path, "test", classes, &out->test, err));
    pg_dataset *split[] = {&out->train, &out->test};
    for (int i = 0; i < 2; i++) {
        snprintf(split[i]->name, sizeof split[i]->name, "%s", name);
        PG_TRY(pg_safetensors_text(file, "source", "", split[i]->source, sizeof split[i]->source, err));
    }
done:
    pg_safetensors_close(&file);
    return status;
}

pg_status pg_canonical_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    const pg_data_kind *kind = pg_data_kind_find(name);
    const char *expected = kind ? kind->canonical : NULL;
    char path[PG_PATH_MAX], file[96], sum[PG_SHA256_HEX];
    snprintf(file, sizeof file, "%s.safetensors", name);
    pg_status status = pg_path(path, directory, file, NULL, err);
    if (status != PG_OK) return status;
    out->missing = !pg_file_exists(path);
    if (out->missing)
        return pg_fail(err, PG_BAD_INPUT, "%s: data set %s is missing; get it with `passgrid data fetch %s`", path, name, name);
    if ((status = pg_sha256_file(path, sum, err)) != PG_OK) return status;
    if (expected && strcmp(sum, expected) != 0)
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: the file is damaged (SHA-256 %.12s..., expected %.12s...); repeat `passgrid data fetch %s`", path,
                       sum, expected, name);
    return read_file(path, name, out, err);
}
