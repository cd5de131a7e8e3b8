/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures: the pixels of PNG and JPEG files, whole, cut and changed; the centre of a picture and its halving. */
#include "tests/unit/data_files.h"

#include <math.h>

static pg_image read_image(const char *name, int width, int height)
{
    pg_image image = {0};
    OK(pg_image_read(path_of(name), &image, &err));
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

TEST(a_png_gives_its_pixels)
{
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

TEST(a_jpeg_gives_its_pixels_nearly)
{
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

static pg_status load_image(const char *name, const char *directory, pg_data *out, pg_error *error)
{
    pg_image image = {0};
    (void)directory;
    (void)out;
    const pg_status status = pg_image_read(path_of(name), &image, error);
    pg_image_clear(&image);
    return status;
}

/* A file that is cut anywhere is refused: a PNG up to its closing chunk, which is empty; a JPEG up to its last byte. */
static void assert_refused_when_cut(const char *name, const char *part, size_t spare)
{
    char *data = NULL;
    size_t bytes = 0;
    OK(pg_file_read(path_of(name), &data, &bytes, &err));
    for (size_t n = 0; n < bytes - spare; n++) {
        write_bytes(part, data, n);
        assert_refused(load_image, part, part, "");
    }
    pg_free(data);
}

TEST(a_cut_or_changed_picture_is_refused)
{
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
    OK(pg_file_read(path_of("whole.png"), &data, &bytes, &err));
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

TEST(pictures_are_known_by_their_names)
{
    static const char *const yes[] = {"a.jpg", "a.JPG", "a.b.jpeg", "a.Png", "a.jpe", "a.JFIF"};
    static const char *const no[] = {"jpg", "a.jpg.txt", "a.gif", "a.", "a", "a.jpgx", ".jpg", "._a.png"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(pg_image_name(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(pg_image_name(no[i]));
}

TEST(the_centre_is_cut_out)
{
    enum { W = 9, H = 6, SIDE = 4 };
    uint8_t rgb[W * H * 3], out[SIDE * SIDE * 3];
    const pg_image image = {.width = W, .height = H, .rgb = rgb};
    for (int i = 0; i < W * H * 3; i++) rgb[i] = (uint8_t)i;
    OK(pg_image_centre(&image, SIDE, out, "x", &err));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) /* 2.5 pixels too many on the left: rounded away from zero */
            assert_memory_equal(out + (y * SIDE + x) * 3, rgb + ((y + 1) * W + x + 3) * 3, 3);
    assert_int_equal(pg_image_centre(&image, 7, out, "small.png", &err), PG_BAD_INPUT);
    assert_string_equal(err.message, "small.png: the picture has 9x6 pixels, fewer than its centre of 7x7");
}

/* Weights 1, 3, 3, 1 of 8 over four pixels; pixels beyond the edge do not count. */
TEST(halving_is_filtered_by_a_triangle)
{
    enum { W = 12, H = 8 };
    static const int v[W] = {0, 200, 40, 80, 240, 16, 8, 160, 88, 96, 24, 248};
    uint8_t rgb[W * H * 3];
    pg_image image = {.width = W, .height = H, .rgb = rgb}, out = {0};
    for (int i = 0; i < W * H * 3; i++) rgb[i] = (uint8_t)(v[i / 3 % W] / (i % 3 + 1));
    OK(pg_image_shrink(&image, H / 2, &out, "x", &err));
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
                    const int value = v[from] / (c + 1); /* rounded down */
                    sum += weights[k] * value;
                    weight += weights[k];
                }
                assert_int_equal(out.rgb[(y * (W / 2) + x) * 3 + c], lround(sum / weight));
            }
    pg_image_clear(&out);
    OK(pg_image_shrink(&image, H, &out, "x", &err)); /* nothing to do */
    assert_memory_equal(out.rgb, rgb, sizeof rgb);
    pg_image_clear(&out);
    image = (pg_image){.width = H, .height = W, .rgb = rgb}; /* upright */
    OK(pg_image_shrink(&image, 2 * H, &out, "x", &err));
    assert_int_equal(out.width, 2 * H);
    assert_int_equal(out.height, 2 * W);
    pg_image_clear(&out);
}
