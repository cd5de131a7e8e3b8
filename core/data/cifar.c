/* The official binary files of CIFAR-10 and CIFAR-100: records of label bytes and 3072 pixel bytes, channel after channel. */
#include "core/data/readers.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { PIXELS = 32 * 32, PER_FILE = 10000 };

/* Records of one file into split, from image `at` on. label is the label's byte in the record, labels the number of label
 * bytes. */
static pg_status read_records(const char *folder, const char *file, int records, int labels, int label, int at,
                              pg_dataset *split, pg_error *err)
{
    char path[PG_PATH_MAX], *data = NULL;
    size_t bytes = 0;
    const size_t record = (size_t)labels + 3 * PIXELS;
    const pg_status status = pg_data_file(folder, file, path, &data, &bytes, err);
    if (status != PG_OK) return status;
    if (bytes != record * (size_t)records) {
        pg_free(data);
        return pg_fail(err, PG_BAD_INPUT, "%s: %zu bytes, expected %zu (%d records)", path, bytes, record * (size_t)records,
                       records);
    }
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
    PG_TRY(pg_data_allocate(out, "cifar10", "CIFAR-10, official split", 10, 5 * PER_FILE, PER_FILE, err));
    for (int i = 0; i < 5; i++) {
        char file[32];
        snprintf(file, sizeof file, "data_batch_%d.bin", i + 1);
        PG_TRY(read_records(folder, file, PER_FILE, 1, 0, i * PER_FILE, &out->train, err));
    }
    PG_TRY(read_records(folder, "test_batch.bin", PER_FILE, 1, 0, 0, &out->test, err));
done:
    return status;
}

pg_status pg_cifar100_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char folder[PG_PATH_MAX];
    pg_status status = PG_OK;
    PG_TRY(pg_path(folder, directory, "cifar-100-binary", NULL, err));
    out->missing = !pg_file_exists(folder);
    if (out->missing)
        return pg_fail(err, PG_BAD_INPUT, "%s: data set %s is not there; unpack the official cifar-100-binary.tar.gz in %s",
                       folder, name, directory);
    PG_TRY(pg_data_allocate(out, name, "CIFAR-100, official split, fine labels", 100, 50000, 10000, err));
    PG_TRY(read_records(folder, "train.bin", 50000, 2, 1, 0, &out->train, err));
    PG_TRY(read_records(folder, "test.bin", 10000, 2, 1, 0, &out->test, err));
done:
    return status;
}
