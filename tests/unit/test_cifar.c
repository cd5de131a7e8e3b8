/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CIFAR-10 and CIFAR-100 in their official files, whole and damaged. */
#include "tests/unit/data_files.h"

enum { CIFAR10_RECORD = 1 + IMAGE, CIFAR100_RECORD = 2 + IMAGE };

static pg_status load_cifar10(const char *name, const char *directory, pg_data *out, pg_error *error)
{
    (void)directory;
    return pg_cifar10_read(path_of(name), out, error);
}

/* Pixel byte k of the record that was made from a seed. */
static uint8_t pixel_byte(int seed, int k)
{
    return (uint8_t)(k * 7 + k / 1024 * 41 + seed);
}

static void put_record(const char *file, int i, int label_bytes, const uint8_t *labels, int seed)
{
    uint8_t record[2 + IMAGE];
    memcpy(record, labels, (size_t)label_bytes);
    for (int k = 0; k < IMAGE; k++) record[label_bytes + k] = pixel_byte(seed, k);
    write_at(file, (long)i * (label_bytes + IMAGE), record, (size_t)(label_bytes + IMAGE));
}

static void assert_record(const pg_dataset *data, int i, int label, int seed)
{
    assert_int_equal(data->labels[i], label);
    for (int p = 0; p < 1024; p++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(data->images[(size_t)i * IMAGE + (size_t)(3 * p + c)], pixel_byte(seed, c * 1024 + p));
}

TEST(cifar10_is_read_and_its_faults_are_named)
{
    static const char *const files[] = {"c10/data_batch_1.bin", "c10/data_batch_2.bin", "c10/data_batch_3.bin",
                                        "c10/data_batch_4.bin", "c10/data_batch_5.bin", "c10/test_batch.bin"};
    pg_data data;
    make_folder("c10");
    assert_refused(load_cifar10, "c10", "c10/data_batch_1.bin", "is missing");
    for (int i = 0; i < 6; i++) write_zeros(files[i], 10000L * CIFAR10_RECORD);
    put_record(files[0], 0, 1, (uint8_t[]){3}, 5);
    put_record(files[1], 17, 1, (uint8_t[]){9}, 6);
    put_record(files[4], 9999, 1, (uint8_t[]){1}, 7);
    put_record(files[5], 1234, 1, (uint8_t[]){8}, 8);
    load(load_cifar10, "c10", &data);
    assert_int_equal(data.train.count, 50000);
    assert_int_equal(data.test.count, 10000);
    assert_int_equal(data.train.classes, 10);
    assert_record(&data.train, 0, 3, 5);
    assert_record(&data.train, 10017, 9, 6);
    assert_record(&data.train, 49999, 1, 7);
    assert_record(&data.test, 1234, 8, 8);
    assert_int_equal(data.test.labels[1235], 0);
    assert_contains(data.train.source, "50000 + 10000 images, not the published ones");
    pg_data_clear(&data);

    resize(files[1], 10000L * CIFAR10_RECORD - 1);
    assert_refused(load_cifar10, "c10", files[1], "30729999 bytes, expected 30730000");
    resize(files[1], 9999L * CIFAR10_RECORD);
    assert_refused(load_cifar10, "c10", files[1], "bytes, expected 30730000 (10000 records)");
    resize(files[1], 10000L * CIFAR10_RECORD + 1);
    assert_refused(load_cifar10, "c10", files[1], "30730001 bytes, expected 30730000");
    remove_file(files[1]);
    assert_refused(load_cifar10, "c10", files[1], "is missing");
    put_record(files[0], 2, 1, (uint8_t[]){10}, 0);
    assert_refused(load_cifar10, "c10", files[0], "label 10 of image 2 is not a class");
}

TEST(cifar100_is_read_and_its_faults_are_named)
{
    static const char train[] = "cifar-100-binary/train.bin", test[] = "cifar-100-binary/test.bin";
    pg_data data;
    assert_true(assert_refused(pg_data_load, "cifar100", "cifar-100-binary", "get it with"));
    make_folder("cifar-100-binary");
    assert_false(assert_refused(pg_data_load, "cifar100", train, "is missing"));
    write_zeros(train, 50000L * CIFAR100_RECORD);
    write_zeros(test, 10000L * CIFAR100_RECORD);
    /* coarse label, fine label */
    put_record(train, 1, 2, (uint8_t[]){19, 99}, 9);
    put_record(test, 9999, 2, (uint8_t[]){4, 57}, 10);
    load(pg_data_kind_find("cifar100")->load, "cifar100", &data);
    assert_int_equal(data.train.count, 50000);
    assert_int_equal(data.test.count, 10000);
    assert_int_equal(data.train.classes, 100);
    assert_record(&data.train, 1, 99, 9);
    assert_record(&data.test, 9999, 57, 10);
    assert_contains(data.test.source, "50000 + 10000 images, not the published ones");
    pg_data_clear(&data);

    put_record(test, 5, 2, (uint8_t[]){4, 100}, 0);
    assert_refused(pg_data_load, "cifar100", test, "label 100 of image 5 is not a class");
    resize(train, 50000L * CIFAR100_RECORD + 3);
    assert_refused(pg_data_load, "cifar100", train, "153700003 bytes, expected 153700000");
    resize(train, 10);
    assert_refused(pg_data_load, "cifar100", train, "10 bytes, expected 153700000");
}
