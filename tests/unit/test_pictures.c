/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures in every form that people have. Each gives the pixels of PIL's convert("RGB"), or is refused. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/data/image.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

enum { W = 19, H = 13 };

/* Byte k of row y of a picture. */
static uint8_t value_at(int y, int k)
{
    return (uint8_t)(11 + 37 * y + 23 * k + y * k);
}

static void read_image(const char *name, int width, int height, pg_image *out)
{
    OK(pg_image_read(path_of(name), out, &err));
    assert_int_equal(out->width, width);
    assert_int_equal(out->height, height);
}

static void assert_same_pixels(const char *a, const char *b, int width, int height)
{
    pg_image first, second;
    read_image(a, width, height, &first);
    read_image(b, width, height, &second);
    assert_memory_equal(first.rgb, second.rgb, (size_t)(width * height * 3));
    pg_image_clear(&first);
    pg_image_clear(&second);
}

static void assert_refused(const char *name, const char *reason)
{
    pg_image image;
    assert_int_equal(pg_image_read(path_of(name), &image, &err), PG_BAD_INPUT);
    if (!strstr(err.message, path_of(name)) || !strstr(err.message, reason))
        fail_msg("'%s' does not say: %s", err.message, reason);
    assert_null(image.rgb);
}

static void append(const char *name, const char *from, size_t keep_last, const void *bytes, size_t count)
{
    char *data = NULL, *all = NULL;
    size_t size = 0;
    OK(pg_file_read(path_of(from), &data, &size, &err));
    OK(pg_alloc(size + count, 1, &all, &err));
    memcpy(all, data, size - keep_last);
    memcpy(all + size - keep_last, bytes, count);
    memcpy(all + size - keep_last + count, data + size - keep_last, keep_last);
    OK(pg_file_write(path_of(name), all, size + count, PG_FILE_PUBLIC, &err));
    pg_free(all);
    pg_free(data);
}

/* ---- PNG ---- */

typedef struct png_kind {
    int type, depth, interlace;
    double gamma; /* 0: no gAMA chunk */
    bool transparent;
} png_kind;

static void write_png(const char *name, png_kind kind, int width, int height)
{
    static const png_color palette[4] = {{10, 20, 30}, {200, 100, 50}, {0, 255, 0}, {7, 7, 250}};
    static const png_byte alpha[4] = {0, 100, 255, 3};
    const int channels = kind.type == PNG_COLOR_TYPE_RGB          ? 3
                         : kind.type == PNG_COLOR_TYPE_RGBA       ? 4
                         : kind.type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                                  : 1;
    uint8_t row[W * 8];
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, kind.depth, kind.type, kind.interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (kind.type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
    if (kind.transparent) png_set_tRNS(png, info, alpha, 4, &(png_color_16){.gray = value_at(0, 0)});
    if (kind.gamma > 0) png_set_gAMA(png, info, kind.gamma);
    png_write_info(png, info);
    for (int passes = png_set_interlace_handling(png); passes > 0; passes--)
        for (int y = 0; y < height; y++) {
            for (int k = 0; k < width * channels * kind.depth / 8; k++)
                row[k] = kind.type == PNG_COLOR_TYPE_PALETTE ? value_at(y, k) % 4 : value_at(y, k);
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

static void write_rgb(const char *name)
{
    write_png(name, (png_kind){.type = PNG_COLOR_TYPE_RGB, .depth = 8}, W, H);
}

/* Channel c of pixel x comes from byte `stride * x + step * c` of its row. */
static void assert_png(const char *name, png_kind kind, int stride, int step)
{
    pg_image image;
    write_png(name, kind, W, H);
    read_image(name, W, H, &image);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) assert_int_equal(image.rgb[(y * W + x) * 3 + c], value_at(y, stride * x + step * c));
    pg_image_clear(&image);
}

TEST(every_kind_of_png_gives_its_pixels)
{
    assert_png("rgb.png", (png_kind){.type = PNG_COLOR_TYPE_RGB, .depth = 8}, 3, 1);
    assert_png("rgba.png", (png_kind){.type = PNG_COLOR_TYPE_RGBA, .depth = 8}, 4,
               1); /* transparent pixels keep their colour */
    assert_png("grey.png", (png_kind){.type = PNG_COLOR_TYPE_GRAY, .depth = 8}, 1, 0);
    assert_png("grey-key.png", (png_kind){.type = PNG_COLOR_TYPE_GRAY, .depth = 8, .transparent = true}, 1, 0);
    assert_png("grey-alpha.png", (png_kind){.type = PNG_COLOR_TYPE_GRAY_ALPHA, .depth = 8}, 2, 0);
    assert_png("rgb16.png", (png_kind){.type = PNG_COLOR_TYPE_RGB, .depth = 16}, 6, 2); /* the high byte, not rounded */
    assert_png("rgba16.png", (png_kind){.type = PNG_COLOR_TYPE_RGBA, .depth = 16}, 8, 2);
    assert_png("grey-alpha16.png", (png_kind){.type = PNG_COLOR_TYPE_GRAY_ALPHA, .depth = 16}, 4, 0);
    assert_png("interlaced.png", (png_kind){.type = PNG_COLOR_TYPE_RGB, .depth = 8, .interlace = PNG_INTERLACE_ADAM7}, 3, 1);
}

/* The comparison holds whatever else the file has. */
TEST(gamma_changes_no_pixel)
{
    static const int types[] = {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_PALETTE};
    for (int i = 0; i < 4; i++)
        for (double gamma = 0.2; gamma < 1.5; gamma += 0.4) {
            write_png("without.png", (png_kind){.type = types[i], .depth = 8}, W, H);
            write_png("with.png", (png_kind){.type = types[i], .depth = 8, .gamma = gamma}, W, H);
            assert_same_pixels("without.png", "with.png", W, H);
        }
    write_png("solid.png", (png_kind){.type = PNG_COLOR_TYPE_PALETTE, .depth = 8}, W, H);
    write_png("holes.png", (png_kind){.type = PNG_COLOR_TYPE_PALETTE, .depth = 8, .transparent = true}, W, H);
    assert_same_pixels("solid.png", "holes.png", W, H);
}

TEST(what_follows_a_png_is_ignored)
{
    write_png("grey16.png", (png_kind){.type = PNG_COLOR_TYPE_GRAY, .depth = 16}, W, H);
    assert_refused("grey16.png", "grey PNG files of 16 bits");
    write_rgb("rgb.png");
    append("after.png", "rgb.png", 0, "junk", 4);
    assert_same_pixels("rgb.png", "after.png", W, H);
}

/* ---- JPEG ---- */

typedef struct jpeg_kind {
    J_COLOR_SPACE space, stored;
    int channels;
    bool progressive, exif;
} jpeg_kind;

static void write_jpeg(const char *name, jpeg_kind kind)
{
    static const uint8_t turned[] = "Exif\0\0II*\0\010\0\0\0\1\0\022\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"; /* orientation 6 */
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t pixels[W * 4];
    JSAMPROW row = pixels;
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = W;
    jpeg.image_height = H;
    jpeg.input_components = kind.channels;
    jpeg.in_color_space = kind.space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, kind.stored);
    jpeg_set_quality(&jpeg, 90, TRUE);
    if (kind.progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    if (kind.exif) jpeg_write_marker(&jpeg, JPEG_APP0 + 1, turned, sizeof turned - 1);
    while (jpeg.next_scanline < H) {
        for (int k = 0; k < W * kind.channels; k++)
            pixels[k] = (uint8_t)(90 + 5 * (k / kind.channels) + 30 * (k % kind.channels));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

static const jpeg_kind ordinary = {JCS_RGB, JCS_YCbCr, 3, false, false};

TEST(every_kind_of_jpeg_gives_its_pixels)
{
    jpeg_kind kind = ordinary;
    write_jpeg("rgb.jpg", kind);
    kind.progressive = true;
    write_jpeg("progressive.jpg", kind);
    assert_same_pixels("rgb.jpg", "progressive.jpg", W, H);
    kind = ordinary;
    kind.exif = true; /* is not turned */
    write_jpeg("exif.jpg", kind);
    assert_same_pixels("rgb.jpg", "exif.jpg", W, H);
    append("before-end.jpg", "rgb.jpg", 2, "\0\x7f more than the decoder reads ahead", 36);
    assert_same_pixels("rgb.jpg", "before-end.jpg", W, H);
    append("after.jpg", "rgb.jpg", 0, "junk", 4);
    assert_same_pixels("rgb.jpg", "after.jpg", W, H);
}

/* The four values of the first pixel as libjpeg gives them. */
static void read_inks(const char *name, uint8_t inks[4])
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t pixels[W * 4];
    JSAMPROW row = pixels;
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_stdio_src(&jpeg, file);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_CMYK;
    jpeg_start_decompress(&jpeg);
    jpeg_read_scanlines(&jpeg, &row, 1);
    jpeg_destroy_decompress(&jpeg);
    fclose(file);
    memcpy(inks, pixels, 4);
}

/* The light that black leaves, minus the share that an ink absorbs, rounded to the nearest whole number. */
TEST(cmyk_becomes_rgb)
{
    static const J_COLOR_SPACE stored[] = {JCS_CMYK, JCS_YCCK};
    for (int i = 0; i < 2; i++) {
        uint8_t inks[4];
        pg_image image;
        write_jpeg("cmyk.jpg", (jpeg_kind){JCS_CMYK, stored[i], 4, i == 1, false});
        read_inks("cmyk.jpg", inks);
        read_image("cmyk.jpg", W, H, &image);
        for (int c = 0; c < 3; c++) assert_int_equal(image.rgb[c], inks[3] - (int)((255 - inks[c]) * inks[3] / 255.0 + 0.5));
        pg_image_clear(&image);
    }
}

/* Every coefficient of a small grey picture is in two scans of its own. The file is valid, but no program writes such files. */
TEST(a_jpeg_of_too_many_scans_is_refused)
{
    jpeg_scan_info scans[127] = {{.comps_in_scan = 1}};
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t pixels[W] = {0};
    JSAMPROW row = pixels;
    FILE *file = fopen(path_of("scans.jpg"), "wb");
    assert_non_null(file);
    for (int k = 1; k < 64; k++) {
        scans[k] = (jpeg_scan_info){.comps_in_scan = 1, .Ss = k, .Se = k, .Ah = 0, .Al = 1};
        scans[63 + k] = (jpeg_scan_info){.comps_in_scan = 1, .Ss = k, .Se = k, .Ah = 1, .Al = 0};
    }
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = W;
    jpeg.image_height = H;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg.scan_info = scans;
    jpeg.num_scans = 127;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < H) jpeg_write_scanlines(&jpeg, &row, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
    assert_refused("scans.jpg", "more than 100 scans");
}

/* ---- headers that promise too much ---- */

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Give a PNG another size, and correct the checksum of its header. */
static void promise_png(const char *name, uint32_t width, uint32_t height)
{
    char *data = NULL;
    size_t bytes = 0;
    write_rgb("small.png");
    OK(pg_file_read(path_of("small.png"), &data, &bytes, &err));
    uint8_t *header = (uint8_t *)data + 12;
    put_u32(header + 4, width);
    put_u32(header + 8, height);
    uint32_t crc = 0xFFFFFFFF;
    for (int i = 0; i < 17; i++) {
        crc ^= header[i];
        for (int b = 0; b < 8; b++) crc = crc & 1 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
    }
    put_u32(header + 17, ~crc);
    OK(pg_file_write(path_of(name), data, bytes, PG_FILE_PUBLIC, &err));
    pg_free(data);
}

static void promise_jpeg(const char *name, bool progressive, unsigned side)
{
    char *data = NULL;
    size_t bytes = 0;
    jpeg_kind kind = ordinary;
    kind.progressive = progressive;
    write_jpeg("small.jpg", kind);
    OK(pg_file_read(path_of("small.jpg"), &data, &bytes, &err));
    uint8_t *frame = memmem(data, bytes, progressive ? "\xff\xc2" : "\xff\xc0", 2);
    assert_non_null(frame);
    for (int i = 0; i < 4; i++) frame[5 + i] = (uint8_t)(i % 2 ? side : side >> 8);
    OK(pg_file_write(path_of(name), data, bytes, PG_FILE_PUBLIC, &err));
    pg_free(data);
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(a_header_that_promises_too_much_takes_no_memory)
{
    const long before = peak_kilobytes();
    promise_png("huge.png", 20000, 20000);
    assert_refused("huge.png", "the picture has 20000x20000 pixels; at most 20,000 on a side");
    promise_png("high.png", 1, 20001);
    assert_refused("high.png", "the picture has 1x20001 pixels; at most 20,000 on a side");
    promise_png("large.png", 9000, 9000);
    assert_refused("large.png", "cannot hold a picture of 9000x9000 pixels");
    for (int progressive = 0; progressive < 2; progressive++) {
        promise_jpeg("huge.jpg", progressive, 20000);
        assert_refused("huge.jpg", "the picture has 20000x20000 pixels; at most 20,000 on a side");
        promise_jpeg("large.jpg", progressive, 9000);
        assert_refused("large.jpg", "cannot hold a picture of 9000x9000 pixels");
    }
    assert_true(peak_kilobytes() - before < 4096);
}

/* The size of the picture counts, however small the file is. */
TEST(a_large_picture_of_one_colour_is_read)
{
    enum { SIDE = 2000 };
    pg_image image;
    uint8_t *rgb = NULL;
    png_image png = {.version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGB};
    OK(pg_alloc((size_t)SIDE * SIDE, 3, &rgb, &err));
    assert_true(png_image_write_to_file(&png, path_of("flat.png"), 0, rgb, 0, NULL));
    read_image("flat.png", SIDE, SIDE, &image);
    assert_memory_equal(image.rgb, rgb, (size_t)SIDE * SIDE * 3);
    pg_image_clear(&image);
    pg_free(rgb);
}
