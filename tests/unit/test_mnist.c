/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MNIST's IDX files, whole and damaged; test_idx.c has their names and places. */
#include "tests/unit/data_files.h"

static const char *const idx_files[] = {"mnist/train-images-idx3-ubyte", "mnist/train-labels-idx1-ubyte",
                                        "mnist/t10k-images-idx3-ubyte", "mnist/t10k-labels-idx1-ubyte"};

static uint8_t grey_level(int image, int p)
{
    return (uint8_t)(1 + (image * 89 + p * 13 + p / 28) % 255);
}

static size_t put_header(uint8_t *to, int dims, uint32_t count, uint32_t side)
{
    const uint32_t words[] = {0x800u + (uint32_t)dims, count, side, side};
    for (int i = 0; i <= dims; i++)
        for (int b = 0; b < 4; b++) to[4 * i + b] = (uint8_t)(words[i] >> (24 - 8 * b));
    return 4 * (size_t)(dims + 1);
}

static size_t write_idx_images(const char *file, int count, int seed)
{
    static uint8_t bytes[16 + 8 * GREY];
    const size_t header = put_header(bytes, 3, (uint32_t)count, 28);
    for (int i = 0; i < count; i++)
        for (int p = 0; p < GREY; p++) bytes[header + (size_t)(i * GREY + p)] = grey_level(seed + i, p);
    write_bytes(file, bytes, header + (size_t)(count * GREY));
    return header + (size_t)(count * GREY);
}

static void write_idx_labels(const char *file, int count, const uint8_t *labels)
{
    uint8_t bytes[16];
    const size_t header = put_header(bytes, 1, (uint32_t)count, 0);
    memcpy(bytes + header, labels, (size_t)count);
    write_bytes(file, bytes, header + (size_t)count);
}

static void write_idx(void)
{
    make_folder("mnist");
    write_idx_images(idx_files[0], 3, 0);
    write_idx_labels(idx_files[1], 3, (const uint8_t[]){7, 0, 9});
    write_idx_images(idx_files[2], 2, 100);
    write_idx_labels(idx_files[3], 2, (const uint8_t[]){4, 4});
}

/* The grey image in the middle, two black pixels around, all three channels alike. */
static void assert_padded(const uint8_t *rgb, int seed)
{
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
            const bool inside = y >= 2 && y < 30 && x >= 2 && x < 30;
            const int expected = inside ? grey_level(seed, (y - 2) * 28 + x - 2) : 0;
            for (int c = 0; c < 3; c++) assert_int_equal(rgb[(y * 32 + x) * 3 + c], expected);
        }
}

TEST(idx_images_are_padded_to_32_pixels)
{
    pg_data data;
    write_idx();
    load(pg_data_load, "mnist", &data);
    assert_int_equal(data.train.count, 3);
    assert_int_equal(data.test.count, 2);
    assert_int_equal(data.train.classes, 10);
    assert_int_equal(data.train.labels[0], 7);
    assert_int_equal(data.train.labels[2], 9);
    assert_int_equal(data.test.labels[1], 4);
    for (int i = 0; i < 3; i++) assert_padded(data.train.images + (size_t)i * IMAGE, i);
    for (int i = 0; i < 2; i++) assert_padded(data.test.images + (size_t)i * IMAGE, 100 + i);
    assert_string_equal(data.train.source, "IDX files in mnist, 3 + 2 images, not the published ones: their checksums differ");
    assert_string_equal(data.test.source, data.train.source);
    pg_data_clear(&data);
}

TEST(a_damaged_idx_file_is_refused_by_name)
{
    for (int i = 0; i < 4; i++) {
        write_idx();
        remove_file(idx_files[i]);
        assert_refused(pg_data_load, "mnist", idx_files[i], "is missing");
        write_bytes(idx_files[i], "", 0);
        assert_refused(pg_data_load, "mnist", idx_files[i], "not an IDX file of bytes");
    }
    write_idx();
    const size_t bytes = write_idx_images(idx_files[0], 3, 0);
    resize(idx_files[0], (long)bytes - 1);
    assert_refused(pg_data_load, "mnist", idx_files[0], "2367 bytes, expected 2368");
    resize(idx_files[0], (long)bytes + 1);
    assert_refused(pg_data_load, "mnist", idx_files[0], "2369 bytes, expected 2368");
    resize(idx_files[0], 15);
    assert_refused(pg_data_load, "mnist", idx_files[0], "not an IDX file of bytes with 3 dimensions");
    write_idx_images(idx_files[0], 3, 0);
    write_at(idx_files[0], 2, "\x0d", 1); /* floats, not bytes */
    assert_refused(pg_data_load, "mnist", idx_files[0], "not an IDX file of bytes");
    write_idx_images(idx_files[0], 3, 0);
    write_at(idx_files[0], 11, "\x1b", 1);
    assert_refused(pg_data_load, "mnist", idx_files[0], "dimension 1 has the size 27");
    write_idx_images(idx_files[0], 3, 0);
    write_at(idx_files[0], 4, "\xff\xff\xff\xff", 4);
    assert_refused(pg_data_load, "mnist", idx_files[0], "dimension 0 has the size 4294967295");
    write_idx_images(idx_files[0], 0, 0);
    assert_refused(pg_data_load, "mnist", idx_files[0], "dimension 0 has the size 0");
    write_idx();
    write_idx_labels(idx_files[1], 2, (const uint8_t[]){7, 0});
    assert_refused(pg_data_load, "mnist", idx_files[1], "2 labels for 3 images");
    write_idx_labels(idx_files[1], 3, (const uint8_t[]){7, 10, 0});
    assert_refused(pg_data_load, "mnist", idx_files[1], "label 10 of image 1 is not a class");
}
