/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The official binary files of CIFAR-10 and CIFAR-100: records of label bytes and 3072 pixel bytes, one channel after another.
 */
#include "core/data/readers.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { PIXELS = 32 * 32, PER_FILE = 10000 };

/* Read the records of one file into split, from image `at` on. A record begins with `labels` label bytes, of which byte `label`
 * is used. Sets *published to false if the file is not the publisher's. */
static pg_status read_records(const char *folder, const char *file, int records, int labels, int label, int at,
                              pg_dataset *split, bool *published, pg_error *err)
{
    char path[PG_PATH_MAX], *data = NULL;
    size_t bytes = 0;
    const size_t record = (size_t)labels + 3 * PIXELS;
    const pg_status status = pg_data_file(folder, file, path, &data, &bytes, err);
    if (status != PG_OK) return status;
    if (bytes != record * (size_t)records) {
        pg_free(data);
        return pg_fail(err, PG_BAD_INPUT, "%s: the file has %zu bytes, expected %zu (%d records)", path, bytes,
                       record * (size_t)records, records);
    }
    *published &= pg_published(split->name, file, data, bytes);
    for (int i = 0; i < records; i++) {
        const uint8_t *from = (const uint8_t *)data + (size_t)i * record;
        uint8_t *to = split->images + (size_t)(at + i) * 3 * PIXELS;
        split->labels[at + i] = from[label];
        if (from[label] >= split->classes) {
            const int wrong = from[label];
            pg_free(data);
            return pg_fail(err, PG_BAD_INPUT, "%s: label %d of image %d is not a class", path, wrong, i);
        }
        for (int p = 0; p < PIXELS; p++)
            for (int c = 0; c < 3; c++) to[3 * p + c] = from[labels + c * PIXELS + p];
    }
    pg_free(data);
    return PG_OK;
}

pg_status pg_cifar10_read(const char *folder, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    bool published = true;
    PG_TRY(pg_data_allocate(out, "cifar10", "", 10, 5 * PER_FILE, PER_FILE, err));
    for (int i = 0; i < 5; i++) {
        char file[32];
        snprintf(file, sizeof file, "data_batch_%d.bin", i + 1);
        PG_TRY(read_records(folder, file, PER_FILE, 1, 0, i * PER_FILE, &out->train, &published, err));
    }
    PG_TRY(read_records(folder, "test_batch.bin", PER_FILE, 1, 0, 0, &out->test, &published, err));
    pg_data_source(out, published, "CIFAR-10, official split", "CIFAR-10's binary files");
done:
    return status;
}

/* PG_BAD_INPUT with advice if the folder with the pickled files for Python is there instead. */
static pg_status refuse_python(const char *directory, const char *python, const char *advice, pg_error *err)
{
    char folder[PG_PATH_MAX];
    const pg_status status = pg_path(folder, directory, python, NULL, err);
    if (status != PG_OK || !pg_file_exists(folder)) return status;
    return pg_fail(err, PG_BAD_INPUT, "%s: passgrid cannot read the Python version of the data set; %s", folder, advice);
}

static pg_status cifar10_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char canonical[PG_PATH_MAX], folder[PG_PATH_MAX];
    pg_status status = PG_OK;
    PG_TRY(pg_path(canonical, directory, "cifar10.safetensors", NULL, err));
    PG_TRY(pg_path(folder, directory, "cifar-10-batches-bin", NULL, err));
    if (pg_file_exists(canonical)) return pg_canonical_load(name, directory, out, err);
    if (pg_file_exists(folder)) return pg_cifar10_read(folder, out, err);
    out->missing = true;
    PG_TRY(refuse_python(directory, "cifar-10-batches-py", "get the binary version with `passgrid data fetch cifar10`", err));
    return pg_canonical_load(name, directory, out, err);
done:
    return status;
}

static pg_status cifar100_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char folder[PG_PATH_MAX];
    pg_status status = PG_OK;
    bool published = true;
    PG_TRY(pg_path(folder, directory, "cifar-100-binary", NULL, err));
    out->missing = !pg_file_exists(folder);
    if (out->missing) {
        PG_TRY(refuse_python(directory, "cifar-100-python", "unpack the official cifar-100-binary.tar.gz beside it", err));
        return pg_fail(err, PG_BAD_INPUT, "%s: data set %s is missing; unpack the official cifar-100-binary.tar.gz in %s",
                       folder, name, directory);
    }
    PG_TRY(pg_data_allocate(out, name, "", 100, 50000, 10000, err));
    PG_TRY(read_records(folder, "train.bin", 50000, 2, 1, 0, &out->train, &published, err));
    PG_TRY(read_records(folder, "test.bin", 10000, 2, 1, 0, &out->test, &published, err));
    pg_data_source(out, published, "CIFAR-100, official split, fine labels", "CIFAR-100's binary files, fine labels");
done:
    return status;
}

const pg_data_kind pg_data_kind_cifar10 = {
    .name = "cifar10",
    .summary = "60,000 colour photographs of 10 classes",
    .classes = 10,
    .side = 32,
    .train = 50000,
    .test = 10000,
    .fetched = true,
    .load = cifar10_load,
};

const pg_data_kind pg_data_kind_cifar100 = {
    .name = "cifar100",
    .summary = "60,000 colour photographs of 100 classes, official binary files",
    .classes = 100,
    .side = 32,
    .train = 50000,
    .test = 10000,
    .load = cifar100_load,
};
