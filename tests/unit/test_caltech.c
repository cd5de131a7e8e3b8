/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Caltech data sets as folders of pictures. */
#include "tests/unit/data_files.h"

/* A picture of one colour. */
static void write_colour(const char *name, int width, int height, int red)
{
    uint8_t *rgb = NULL;
    OK(pg_alloc((size_t)(width * height), 3, &rgb, &err));
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

/* Make a class folder, to which a link may point: two pictures, and a file that is no picture. */
static void write_pair(void)
{
    make_folder("pair");
    write_colour("pair/a.jpg", 40, 32, 30);
    write_colour("pair/b.jpg", 32, 50, 60);
    write_bytes("pair/notes.txt", "x", 1);
}

/* All 101 classes. One has 11 pictures of rising red, made in falling order; each of the others has the same two pictures. */
static void write_caltech101(void)
{
    char name[64];
    make_folder("caltech101/BACKGROUND_Google");
    make_folder("caltech101/.git");
    write_pair();
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

TEST(caltech101_is_split_by_class)
{
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

/* The shorter side is scaled to 32 pixels, and the centre is kept: of a picture of 128 x 64, columns 32 to 96 at half size. */
TEST(a_caltech_picture_is_shrunk_and_cropped)
{
    enum { W = 128, H = 64 };
    static uint8_t rgb[W * H * 3];
    pg_data data;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) rgb[(y * W + x) * 3] = (uint8_t)(2 * x);
    write_caltech101();
    write_jpeg(picture(LARGE, 0), W, H, 3, rgb);
    load(pg_data_load, "caltech101", &data);
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
            const int red = data.train.images[(size_t)LARGE * IMAGE + (size_t)(y * 32 + x) * 3];
            assert_true(abs(red - (4 * (16 + x) + 1)) <= 3);
        }
    pg_data_clear(&data);
}

TEST(a_damaged_caltech_folder_is_refused)
{
    char broken[64];
    struct stat info;
    write_caltech101();
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

TEST(caltech256_is_read_without_its_clutter)
{
    char name[64];
    pg_data data;
    write_pair();
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
