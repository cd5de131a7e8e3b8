/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IDX files under all their names and in all their places, and the messages about where data comes from. */
#include "core/base/memory.h"
#include "core/data/readers.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

enum { GREY = 28 * 28, TRAIN = 3, TEST = 2, BYTES_MAX = 16 + TRAIN * GREY };

/* An IDX file of images (dims 3) or labels (dims 1). All bytes of an item follow from its number. */
static size_t make_idx(int dims, int count, uint8_t bytes[BYTES_MAX])
{
    const int words[] = {0x800 + dims, count, 28, 28}, size = dims == 3 ? GREY : 1;
    uint8_t *at = bytes;
    for (int i = 0; i <= dims; i++)
        for (int b = 3; b >= 0; b--) *at++ = (uint8_t)(words[i] >> 8 * b);
    for (int i = 0; i < count * size; i++) *at++ = (uint8_t)(i / size + 4);
    return (size_t)(at - bytes);
}

static void write_file(const char *name, const void *data, size_t bytes)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

/* A file of a data set in a folder. The format makes its name from the part and the IDX kind. */
static void write_idx(const char *directory, const char *format, const char *part, int dims, int count)
{
    char file[64], name[128];
    uint8_t bytes[BYTES_MAX];
    const size_t size = make_idx(dims, count, bytes);
    snprintf(file, sizeof file, format, part, dims);
    snprintf(name, sizeof name, "%s/%s", directory, file);
    if (!strstr(file, ".gz")) {
        write_file(name, bytes, size);
        return;
    }
    gzFile packed = gzopen(name, "wb");
    assert_int_equal(gzwrite(packed, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(packed), Z_OK);
}

static void write_set(const char *directory, const char *format)
{
    OK(pg_make_directories(directory, &err));
    write_idx(directory, format, "train-images", 3, TRAIN);
    write_idx(directory, format, "train-labels", 1, TRAIN);
    write_idx(directory, format, "t10k-images", 3, TEST);
    write_idx(directory, format, "t10k-labels", 1, TEST);
}

static void assert_read(const char *name, const char *where)
{
    char found[128];
    pg_data data;
    OK(pg_data_load(name, ".", &data, &err));
    assert_int_equal(data.train.count, TRAIN);
    assert_int_equal(data.test.count, TEST);
    for (int i = 0; i < TRAIN; i++) {
        assert_int_equal(data.train.labels[i], 4 + i);
        assert_int_equal(data.train.images[((size_t)i * 32 + 16) * 32 * 3 + 48], 4 + i);
    }
    snprintf(found, sizeof found, "IDX files in %s, 3 + 2 images, not the published ones: their checksums differ", where);
    assert_string_equal(data.train.source, found);
    assert_string_equal(data.test.source, found);
    pg_data_clear(&data);
}

static void assert_refused(const char *name, const char *reason)
{
    pg_data data;
    assert_int_equal(pg_data_load(name, ".", &data, &err), PG_BAD_INPUT);
    if (!strstr(err.message, reason)) fail_msg("'%s' does not say: %s", err.message, reason);
}

static const char *const formats[] = {"%s-idx%d-ubyte", "%s.idx%d-ubyte", "%s-idx%d-ubyte.gz", "%s.idx%d-ubyte.gz"};

TEST(files_are_found_under_every_usual_name)
{
    static const char *const places[][2] = {
        {"mnist", "mnist"}, {"mnist", "MNIST/raw"}, {"fashion-mnist", "fashion-mnist"}, {"fashion-mnist", "FashionMNIST/raw"}};
    for (int f = 0; f < 4; f++)
        for (int p = 0; p < 4; p++) {
            char own[16];
            snprintf(own, sizeof own, "%d-%d", f, p);
            assert_int_equal(mkdir(own, 0755), 0);
            assert_int_equal(chdir(own), 0);
            write_set(places[p][1], formats[f]);
            assert_read(places[p][0], places[p][1]);
            assert_int_equal(chdir(".."), 0);
        }
}

/* Some archives hold each file in a folder of its own name, beside the file itself. */
TEST(a_folder_of_the_name_of_a_file_is_passed_over)
{
    write_set("mnist", formats[1]);
    assert_int_equal(mkdir("mnist/train-images-idx3-ubyte", 0755), 0);
    assert_read("mnist", "mnist");
    assert_int_equal(unlink("mnist/train-images.idx3-ubyte"), 0);
    assert_refused(
        "mnist",
        "mnist/train-images-idx3-ubyte: the file is missing, and so are train-images.idx3-ubyte and the .gz form of both");
}

/* DIR/mnist comes before the fetched file, and the fetched file before torchvision's folder. */
TEST(own_files_are_preferred_to_fetched_ones)
{
    write_set("MNIST/raw", formats[0]);
    write_file("mnist.safetensors", "fetched", 7);
    assert_refused("mnist", "mnist.safetensors: the file is damaged");
    write_set("mnist", formats[0]);
    assert_read("mnist", "mnist");
}

TEST(a_damaged_gzip_file_is_refused)
{
    static const char file[] = "mnist/t10k-images-idx3-ubyte.gz";
    char *data = NULL, *changed = NULL;
    size_t bytes = 0;
    write_set("mnist", formats[2]);
    OK(pg_file_read(file, &data, &bytes, &err));
    for (size_t cut = 2; cut < bytes; cut += 3) {
        write_file(file, data, cut);
        assert_refused("mnist", "t10k-images-idx3-ubyte.gz: ");
    }
    OK(pg_alloc(bytes + 9, 1, &changed, &err));
    memcpy(changed, data, bytes);
    memcpy(changed + bytes - 4, "\xff\xff\xff\x7f", 4); /* two gigabytes in a hundred bytes */
    write_file(file, changed, bytes);
    assert_refused("mnist", "the gzip file is truncated");
    memcpy(changed, data, bytes);
    memcpy(changed + bytes - 4, "\x10\x00\x00\x00", 4);
    write_file(file, changed, bytes);
    assert_refused("mnist", "the gzip file is damaged");
    memcpy(changed, data, bytes);
    memcpy(changed + bytes, data + bytes - 8, 8); /* the end twice */
    write_file(file, changed, bytes + 8);
    assert_refused("mnist", "the gzip file is damaged");
    pg_free(changed);
    pg_free(data);
}

/* ---- what is published ---- */

TEST(a_published_file_is_known_by_its_checksum)
{
    static const char *const sums[] = {"900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
                                       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    for (int i = 0; i < 3; i++) {
        assert_true(pg_hash_matches("abc", 3, sums[i]));
        assert_false(pg_hash_matches("abd", 3, sums[i]));
    }
    assert_false(pg_hash_matches("abc", 3, ""));
    assert_false(pg_hash_matches("abc", 3, "900150983cd24fb0d6963f7d28e17f7"));
    assert_false(pg_published("mnist", "train-images-idx3-ubyte", "abc", 3));
    assert_false(pg_published("mnist", "unheard-of", "abc", 3));
}

/* Records of the official files, made from the data set that was fetched. */
static void write_records(const pg_dataset *data, int from, const char *file)
{
    enum { COUNT = 10000, RECORD = 3073 };
    uint8_t *bytes = NULL;
    OK(pg_alloc(COUNT, RECORD, &bytes, &err));
    for (int i = 0; i < COUNT; i++) {
        const uint8_t *image = data->images + (size_t)(from + i) * 3072;
        uint8_t *record = bytes + (size_t)i * RECORD;
        record[0] = (uint8_t)data->labels[from + i];
        for (int k = 0; k < 3072; k++) record[1 + k] = image[k % 1024 * 3 + k / 1024];
    }
    write_file(file, bytes, (size_t)COUNT * RECORD);
    pg_free(bytes);
}

/* Used if no fetched file is there. The data are the same. If one byte differs, the data set is an unknown one. */
TEST(the_official_cifar10_archive_is_read_and_known)
{
    pg_data fetched, read;
    if (pg_data_load("cifar10", NULL, &fetched, NULL) != PG_OK) skip("cifar10 has not been fetched");
    OK(pg_make_directories("cifar-10-batches-bin", &err));
    for (int i = 0; i < 5; i++) {
        char file[64];
        snprintf(file, sizeof file, "cifar-10-batches-bin/data_batch_%d.bin", i + 1);
        write_records(&fetched.train, i * 10000, file);
    }
    write_records(&fetched.test, 0, "cifar-10-batches-bin/test_batch.bin");
    OK(pg_data_load("cifar10", ".", &read, &err));
    assert_string_equal(read.train.sha256, fetched.train.sha256);
    assert_string_equal(read.test.sha256, fetched.test.sha256);
    assert_string_equal(read.train.source, "CIFAR-10, official split");
    pg_data_clear(&read);
    fetched.test.images[77] ^= 1;
    write_records(&fetched.test, 0, "cifar-10-batches-bin/test_batch.bin");
    OK(pg_data_load("cifar10", ".", &read, &err));
    assert_string_equal(read.test.source,
                        "CIFAR-10's binary files, 50000 + 10000 images, not the published ones: their checksums "
                        "differ");
    pg_data_clear(&read);
    pg_data_clear(&fetched);
}

TEST(python_folders_are_refused_with_advice)
{
    assert_int_equal(mkdir("cifar-10-batches-py", 0755), 0);
    assert_int_equal(mkdir("cifar-100-python", 0755), 0);
    assert_refused(
        "cifar10",
        "cifar-10-batches-py: passgrid cannot read the Python version of the data set; get the binary version with `passgrid data");
    assert_refused("cifar100",
                   "cifar-100-python: passgrid cannot read the Python version of the data set; get the binary version");
}
