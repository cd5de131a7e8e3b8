/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a data set by its name; see dataset.h. */
#include "core/data/readers.h"

#include "core/base/hash.h"
#include "core/base/registry.h"

#include <stdio.h>
#include <string.h>

PG_REGISTRY_FIND(pg_data_kind, pg_data_kinds, pg_data_kind_find)
PG_REGISTRY_NAMES(pg_data_kinds, pg_data_kind_names)

pg_status pg_data_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char at[PG_PATH_MAX];
    const pg_data_kind *kind = pg_data_kind_find(name);
    *out = (pg_data){0};
    if (!kind)
        return pg_fail(err, PG_BAD_INPUT,
                       "unknown data set '%s'; `passgrid data list` shows the known ones, and pictures in a folder are written "
                       "{name: %s, path: DIR}",
                       name, name);
    pg_status status = pg_data_directory(at, directory, err);
    if (status == PG_OK) status = kind->load(name, at, out, err);
    if (status != PG_OK) {
        pg_data_clear(out);
        return status;
    }
    pg_dataset_hash(&out->train);
    pg_dataset_hash(&out->test);
    return PG_OK;
}

pg_status pg_data_file(const char *folder, const char *file, char path[PG_PATH_MAX], char **out, size_t *bytes, pg_error *err)
{
    const pg_status status = pg_path(path, folder, file, NULL, err);
    if (status != PG_OK) return status;
    if (!pg_file_exists(path)) return pg_fail(err, PG_BAD_INPUT, "%s: the file is missing", path);
    return pg_file_read(path, out, bytes, err);
}

pg_status pg_data_allocate(pg_data *data, const char *name, const char *source, int classes, int side, int train, int test,
                           pg_error *err)
{
    pg_dataset *split[] = {&data->train, &data->test};
    const int count[] = {train, test};
    for (int i = 0; i < 2; i++) {
        *split[i] = (pg_dataset){.classes = classes};
        snprintf(split[i]->name, sizeof split[i]->name, "%s", name);
        snprintf(split[i]->source, sizeof split[i]->source, "%s", source);
        const pg_status status = pg_dataset_allocate(split[i], count[i], side, side, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

bool pg_published(const char *data, const char *file, const void *bytes, size_t count)
{
    const pg_data_kind *kind = pg_data_kind_find(data);
    const pg_released_file *f = kind ? kind->released : NULL;
    while (f && f->name && strcmp(f->name, file) != 0) f++;
    return f && f->name && pg_hash_matches(bytes, count, f->sum);
}

void pg_data_source(pg_data *data, bool published, const char *official, const char *found)
{
    char text[sizeof data->train.source];
    snprintf(text, sizeof text, "%s, %d + %d images, not the published ones: their checksums differ", found, data->train.count,
             data->test.count);
    snprintf(data->train.source, sizeof data->train.source, "%s", published ? official : text);
    snprintf(data->test.source, sizeof data->test.source, "%s", published ? official : text);
}
