/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Caltech-101 and -256: one folder for each class. The files of a class are sorted by name; the first four fifths are for
 * training, the rest for testing. The background (clutter) folder is not a class. Pictures are scaled to a shorter side of 32
 * pixels, then cropped to their centre. */
#include "core/data/readers.h"

#include "core/base/memory.h"
#include "core/data/folder.h"
#include "core/data/picture_list.h"

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

/* The first four fifths of each class train. */
static pg_status list_pictures(const char *root, const pg_names *classes, pg_picture_list *list, pg_error *err)
{
    pg_status status = PG_OK;
    for (int c = 0; c < classes->count; c++) {
        char folder[PG_PATH_MAX];
        const int from = list->count;
        PG_TRY(pg_path(folder, root, classes->name[c], NULL, err));
        PG_TRY(pg_picture_list_add(list, folder, c, 2, err));
        for (int i = from + (list->count - from) * 4 / 5; i < list->count; i++) list->items[i].test = true;
    }
done:
    return status;
}

static pg_status caltech_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char root[PG_PATH_MAX];
    pg_status status = PG_OK;
    pg_names classes = {0};
    pg_picture_list list = {0};
    PG_TRY(pg_path(root, directory, name, NULL, err));
    out->missing = !pg_file_exists(root);
    if (out->missing)
        return pg_fail(err, PG_BAD_INPUT, "%s: data set %s is missing; put its class folders of JPEG files there", root, name);
    PG_TRY(list_classes(root, &classes, err));
    const int expected = pg_data_kind_find(name)->classes;
    if (classes.count != expected)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected %d class folders, found %d", root, expected, classes.count));
    PG_TRY(list_pictures(root, &classes, &list, err));
    PG_TRY(pg_picture_list_read(&list, (pg_framing){.side = 32}, name,
                                "folders of pictures, first 4/5 of each class for training", expected, out, err));
done:
    pg_picture_list_clear(&list);
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
