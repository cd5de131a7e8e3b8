/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets by name, generated data, subsets, checksums. */
#include "tests/unit/data_files.h"

/* ---- by name ---- */

TEST(every_data_set_is_found_by_its_name)
{
    pg_data data;
    for (int i = 0; pg_data_kinds[i]; i++) {
        const pg_data_kind *kind = pg_data_kinds[i];
        assert_ptr_equal(pg_data_kind_find(kind->name), kind);
        assert_true(kind->origins || !kind->canonical);
    }
    assert_null(pg_data_kind_find("cifar"));
    FAILS(pg_data_load("cifar", folder(), &data, &err), PG_BAD_INPUT, "unknown data set 'cifar'");
    assert_null(data.train.images);
}

static void set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

TEST(the_data_directory_is_found_in_order)
{
    static const struct {
        const char *override, *own, *cache, *home, *expected;
    } cases[] = {{"o", "p", "c", "h", "o"},
                 {NULL, "p", "c", "h", "p"},
                 {"", "p", "c", "h", "p"},
                 {NULL, "", "c", "h", "c/passgrid"},
                 {NULL, NULL, NULL, "h", "h/.cache/passgrid"},
                 {NULL, NULL, "", "h", "h/.cache/passgrid"}};
    const char *const names[] = {"PASSGRID_DATA", "XDG_CACHE_HOME", "HOME"};
    char *old[3], out[PG_PATH_MAX];
    for (int i = 0; i < 3; i++) old[i] = getenv(names[i]) ? strdup(getenv(names[i])) : NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(names[0], cases[i].own);
        set(names[1], cases[i].cache);
        set(names[2], cases[i].home);
        OK(pg_data_directory(out, cases[i].override, &err));
        assert_string_equal(out, cases[i].expected);
    }
    set("HOME", NULL);
    assert_int_equal(pg_data_directory(out, NULL, NULL), PG_BAD_INPUT);
    for (int i = 0; i < 3; i++) {
        set(names[i], old[i]);
        free(old[i]);
    }
}

TEST(synthetic_data_follow_from_their_seed)
{
    pg_data data, again;
    int seen[10] = {0};
    load(pg_data_load, "synthetic", &data);
    load(pg_data_load, "synthetic", &again);
    assert_same_images(&data.train, &again.train);
    assert_same_images(&data.test, &again.test);
    assert_string_equal(data.train.sha256, again.train.sha256);
    assert_string_not_equal(data.train.sha256, data.test.sha256);
    for (int i = 0; i < data.train.count; i++) {
        seen[data.train.labels[i]]++;
        assert_true(i == 0 ||
                    memcmp(data.train.images + (size_t)i * IMAGE, data.train.images + (size_t)(i - 1) * IMAGE, IMAGE) != 0);
    }
    for (int c = 0; c < 10; c++) assert_true(abs(seen[c] - data.train.count / 10) <= 1);
    for (int i = 0; i < 10; i++)
        assert_memory_not_equal(data.train.images + (size_t)i * IMAGE, data.test.images + (size_t)i * IMAGE, IMAGE);
    pg_data_clear(&data);
    pg_data_clear(&again);
}

/* ---- subsets ---- */

/* Image i of a made set, 2 x 1 pixels, shows i; the labels are given. */
static pg_dataset make_labelled(const int *labels, int count, int classes)
{
    pg_dataset data = {.classes = classes, .name = "made"};
    OK(pg_dataset_allocate(&data, count, 1, 2, &err));
    for (int i = 0; i < count; i++) {
        data.labels[i] = labels[i];
        memset(data.images + i * 6, i, 6);
    }
    pg_dataset_hash(&data);
    return data;
}

static void assert_subset(const pg_dataset *data, int count, const int *expected, int size)
{
    pg_dataset part = {0};
    OK(pg_dataset_subset(data, count, &part, &err));
    assert_int_equal(part.count, size);
    for (int i = 0; i < size; i++) {
        assert_int_equal(part.labels[i], data->labels[expected[i]]);
        for (int k = 0; k < 6; k++) assert_int_equal(part.images[6 * i + k], expected[i]);
    }
    assert_int_equal(strcmp(part.sha256, data->sha256) == 0, size == data->count);
    pg_dataset_clear(&part);
}

TEST(a_subset_is_the_first_of_each_class)
{
    /* class 0: images 0 1 2 5, class 1: 3, class 2: 4 6 7, class 3: 8, class 4: none */
    static const int labels[] = {0, 0, 0, 1, 2, 0, 2, 2, 3}, all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    pg_dataset data = make_labelled(labels, 9, 5);
    assert_subset(&data, 1, (const int[]){0}, 1);
    assert_subset(&data, 2, (const int[]){0, 3}, 2);
    assert_subset(&data, 3, (const int[]){0, 3, 4}, 3);
    assert_subset(&data, 4, (const int[]){0, 3, 4, 8}, 4);
    assert_subset(&data, 5, (const int[]){0, 1, 3, 4, 8}, 5);
    assert_subset(&data, 6, (const int[]){0, 1, 3, 4, 6, 8}, 6);
    assert_subset(&data, 7, (const int[]){0, 1, 2, 3, 4, 6, 8}, 7);
    assert_subset(&data, 8, (const int[]){0, 1, 2, 3, 4, 6, 7, 8}, 8);
    assert_subset(&data, 9, all, 9);
    pg_dataset part = {0};
    assert_int_equal(pg_dataset_subset(&data, 10, &part, NULL), PG_BAD_INPUT);
    assert_int_equal(pg_dataset_rest(&data, 10, &part, NULL), PG_BAD_INPUT);
    assert_subset(&data, 0, all, 9);
    pg_dataset_clear(&data);
}

static void assert_half(const pg_dataset *data, pg_half half, const int *expected, int size)
{
    pg_dataset part = {0};
    OK(pg_dataset_half(data, half, &part, &err));
    assert_int_equal(part.count, size);
    assert_int_equal(pg_half_count(half, data->count), size);
    for (int i = 0; i < size; i++) assert_int_equal(part.images[6 * i], expected[i]);
    pg_dataset_clear(&part);
}

/* The first half is a subset like any other. If the number is odd, the second half has one image more. */
TEST(the_halves_of_a_set_have_no_image_in_common)
{
    static const int labels[] = {0, 0, 0, 1, 2, 0, 2, 2, 3}, all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    pg_dataset data = make_labelled(labels, 9, 5), one = make_labelled(labels, 1, 5), part;
    assert_half(&data, PG_HALF_ALL, all, 9);
    assert_half(&data, PG_HALF_FIRST, (const int[]){0, 3, 4, 8}, 4);
    assert_half(&data, PG_HALF_SECOND, (const int[]){1, 2, 5, 6, 7}, 5);
    FAILS(pg_dataset_half(&one, PG_HALF_FIRST, &part, &err), PG_BAD_INPUT, "made has no halves");
    pg_dataset_clear(&data);
    pg_dataset_clear(&one);
}

TEST(everything_a_network_sees_is_in_the_checksum)
{
    pg_dataset data = make_labelled((const int[]){0, 1, 2}, 3, 3);
    char sum[PG_SHA256_HEX];
    strcpy(sum, data.sha256);
    pg_dataset_hash(&data);
    assert_string_equal(data.sha256, sum);
    data.labels[2] = 1;
    pg_dataset_hash(&data);
    assert_string_not_equal(data.sha256, sum);
    data.labels[2] = 2;
    data.images[17] ^= 1;
    pg_dataset_hash(&data);
    assert_string_not_equal(data.sha256, sum);
    data.images[17] ^= 1;
    data.classes = 4;
    pg_dataset_hash(&data);
    assert_string_not_equal(data.sha256, sum);
    data.classes = 3;
    data.height = 2, data.width = 1;
    pg_dataset_hash(&data);
    assert_string_not_equal(data.sha256, sum);
    pg_dataset_clear(&data);
}
