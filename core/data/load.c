/* The list of data sets, and reading one by name. */
#include "core/data/readers.h"

#include <stdio.h>
#include <string.h>

const pg_data_kind pg_data_kinds[] = {
    {"cifar10", "60,000 colour photographs of 10 classes", 10, pg_cifar10_load, true},
    {"fashion-mnist", "70,000 grey pictures of clothes, 10 classes", 10, pg_idx_load, true},
    {"mnist", "grey handwritten digits, 10 classes", 10, pg_idx_load, true},
    {"cifar100", "60,000 colour photographs of 100 classes, official binary files", 100, pg_cifar100_load, false},
    {"caltech101", "folders of JPEG files, without the background folder", 101, pg_caltech_load, false},
    {"caltech256", "folders of JPEG files, without the clutter folder", 256, pg_caltech_load, false},
    {"synthetic", "generated patterns of 10 classes, for tests: not real data", 10, pg_synthetic_load, false},
    {0},
};

const pg_data_kind *pg_data_kind_find(const char *name)
{
    for (const pg_data_kind *kind = pg_data_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}

pg_status pg_data_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char at[PG_PATH_MAX];
    const pg_data_kind *kind = pg_data_kind_find(name);
    *out = (pg_data){0};
    if (!kind) return pg_fail(err, PG_BAD_INPUT, "unknown data set '%s'; `passgrid data list` shows the known ones", name);
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

pg_status pg_data_allocate(pg_data *data, const char *name, const char *source, int classes, int train, int test, pg_error *err)
{
    pg_dataset *split[] = {&data->train, &data->test};
    const int count[] = {train, test};
    for (int i = 0; i < 2; i++) {
        *split[i] = (pg_dataset){.classes = classes};
        snprintf(split[i]->name, sizeof split[i]->name, "%s", name);
        snprintf(split[i]->source, sizeof split[i]->source, "%s", source);
        const pg_status status = pg_dataset_allocate(split[i], count[i], 32, 32, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}
