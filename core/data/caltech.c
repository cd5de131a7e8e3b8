/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Caltech-101 and -256: one folder for each class. The files of a class are sorted by name; the first four fifths are for
 * training, the rest for testing. The background (clutter) folder is not a class. Pictures are scaled to a shorter side of 32
 * pixels, then cropped to their centre. */
#include "core/data/readers.h"

#include "core/base/memory.h"
#include "core/data/folder.h"
#include "core/data/image.h"

#include <string.h>

/* List the class folders, without background and clutter. */
static pg_status list_classes(const char *root, pg_names *out, pg_error *err)
{
    pg_names all;
    const pg_status status = pg_folder_folders(root, &all, err);
    if (status != PG_OK) return status;
    *out = all;
    out->count = 0;
    for (int i = 0; i < all.count; i++)
        if (strcasestr(all.name[i], "background") || strcasestr(all.name[i], "clutter"))
            pg_free(all.name[i]);
        else
            out->name[out->count++] = all.name[i];
    return PG_OK;
}

static pg_status read_picture(const char *folder, const char *file, uint8_t *out, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_image image = {0}, small = {0};
    pg_status status = PG_OK;
    PG_TRY(pg_path(path, folder, file, NULL, err));
    PG_TRY(pg_image_read(path, &image, err));
    PG_TRY(pg_image_shrink(&image, 32, &small, path, err));
    PG_TRY(pg_image_centre(&small, 32, out, path, err));
done:
    pg_image_clear(&image);
    pg_image_clear(&small);
    return status;
}

static pg_status read_class(const char *root, const char *name, const pg_names *files, int label, pg_data *out, int at[2],
                            pg_error *err)
{
    char folder[PG_PATH_MAX];
    pg_status status = pg_path(folder, root, name, NULL, err);
    const int train = files->count * 4 / 5;
    for (int i = 0; i < files->count && status == PG_OK; i++) {
        pg_dataset *split = i < train ? &out->train : &out->test;
        int *next = &at[i >= train];
        split->labels[*next] = label;
        status = read_picture(folder, files->name[i], split->images + (size_t)*next * 32 * 32 * 3, err);
        ++*next;
    }
    return status;
}

static pg_status read_all(const char *root, const char *name, const pg_names *classes, pg_names *files, pg_data *out,
                          pg_error *err)
{
    pg_status status = PG_OK;
    int train = 0, test = 0, at[2] = {0, 0};
    for (int c = 0; c < classes->count; c++) {
        char folder[PG_PATH_MAX];
        PG_TRY(pg_path(folder, root, classes->name[c], NULL, err));
        PG_TRY(pg_folder_pictures(folder, &files[c], err));
        if (files[c].count < 2)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected at least 2 pictures, found %d", folder, files[c].count));
        train += files[c].count * 4 / 5;
        test += files[c].count - files[c].count * 4 / 5;
    }
    PG_TRY(pg_data_allocate(out, name, "folders of pictures, first 4/5 of each class for training", classes->count, train, test,
                            err));
    for (int c = 0; c < classes->count; c++) PG_TRY(read_class(root, classes->name[c], &files[c], c, out, at, err));
done:
    return status;
}

static pg_status caltech_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char root[PG_PATH_MAX];
    pg_status status = PG_OK;
    pg_names classes = {0}, *files = NULL;
    PG_TRY(pg_path(root, directory, name, NULL, err));
    out->missing = !pg_file_exists(root);
    if (out->missing)
        return pg_fail(err, PG_BAD_INPUT, "%s: data set %s is missing; put its class folders of JPEG files there", root, name);
    PG_TRY(list_classes(root, &classes, err));
    const int expected = pg_data_kind_find(name)->classes;
    if (classes.count != expected)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected %d class folders, found %d", root, expected, classes.count));
    PG_TRY(pg_alloc((size_t)classes.count, sizeof *files, &files, err));
    PG_TRY(read_all(root, name, &classes, files, out, err));
done:
    for (int c = 0; files && c < classes.count; c++) pg_names_clear(&files[c]);
    pg_free(files);
    pg_names_clear(&classes);
    return status;
}

/* The sets are split class by class: their sizes are within a percent. */
const pg_data_kind pg_data_kind_caltech101 = {
    .name = "caltech101",
    .summary = "folders of JPEG files, without the background folder",
    .classes = 101,
    .side = 32,
    .train = 6900,
    .test = 1777,
    .load = caltech_load,
};

const pg_data_kind pg_data_kind_caltech256 = {
    .name = "caltech256",
    .summary = "folders of JPEG files, without the clutter folder",
    .classes = 256,
    .side = 32,
    .train = 23700,
    .test = 6080,
    .load = caltech_load,
};
