/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class folders of pictures: their order, splits, sizes and orientations, and what is refused. */
#include "core/compute/parallel.h"
#include "core/data/picture_list.h"
#include "core/data/picture_set.h"
#include "tests/unit/data_files.h"

/* ---- pictures of one colour, told apart by their red ---- */

static void write_colour(const char *name, int width, int height, int red)
{
    uint8_t *rgb = NULL;
    OK(pg_alloc((size_t)(width * height), 3, &rgb, &err));
    for (int i = 0; i < width * height; i++) rgb[3 * i] = (uint8_t)red;
    write_png(name, width, height, 8, PNG_COLOR_TYPE_RGB, rgb, (size_t)width * 3);
    pg_free(rgb);
}

static void write_class(const char *folder, int count, int red)
{
    char name[128];
    make_folder(folder);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%02d.png", folder, i);
        write_colour(name, 20 + i, 24, red + i);
    }
}

static pg_picture_set set_of(const char *name)
{
    pg_picture_set set = {.size = 16, .split = 0.25, .split_seed = 1};
    snprintf(set.path, sizeof set.path, "%s", path_of(name));
    return set;
}

static int red_of(const pg_dataset *data, int i)
{
    return data->images[(size_t)i * (size_t)(data->height * data->width) * 3];
}

static void assert_set_refused(const pg_picture_set *set, const char *reason)
{
    pg_data data;
    FAILS(pg_picture_set_load("mine", set, &data, &err), PG_BAD_INPUT, reason);
    assert_null(strchr(err.message, '\n'));
    assert_null(data.train.images);
}

/* ---- splits ---- */

TEST(train_and_test_folders_are_the_splits)
{
    pg_data data;
    write_class("set/train/b", 2, 100);
    write_class("set/train/a", 3, 10);
    write_class("set/test/a", 1, 50);
    write_class("set/test/b", 2, 150);
    make_folder("set/test/.hidden");
    make_folder("set/train/__MACOSX");
    write_bytes("set/train/a/notes.txt", "x", 1);
    write_bytes("set/train/a/.hidden.png", "x", 1);
    const pg_picture_set set = set_of("set");
    OK(pg_picture_set_load("mine", &set, &data, &err));
    assert_int_equal(data.train.count, 5);
    assert_int_equal(data.test.count, 3);
    assert_int_equal(data.train.classes, 2);
    assert_int_equal(data.train.height, 16);
    assert_string_equal(data.train.name, "mine");
    static const int labels[] = {0, 0, 0, 1, 1}, reds[] = {10, 11, 12, 100, 101};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(data.train.labels[i], labels[i]);
        assert_int_equal(red_of(&data.train, i), reds[i]);
    }
    assert_int_equal(red_of(&data.test, 0), 50);
    assert_int_equal(red_of(&data.test, 2), 151);
    pg_data_clear(&data);
}

TEST(val_stands_for_test)
{
    pg_data data;
    write_class("set/train/a", 1, 1);
    write_class("set/train/b", 1, 2);
    write_class("set/val/a", 1, 3);
    write_class("set/val/b", 1, 4);
    const pg_picture_set set = set_of("set");
    OK(pg_picture_set_load("mine", &set, &data, &err));
    assert_string_equal(data.test.source, "class folders of pictures in train and val");
    pg_data_clear(&data);
}

/* Twelve pictures of a, of which three are for testing, and two of b, of which one is. */
static void write_shared(void)
{
    write_class("set/a", 12, 10);
    write_class("set/b", 2, 100);
}

static unsigned tested(pg_picture_set set, int seed)
{
    pg_data data;
    unsigned bits = 0;
    set.split_seed = seed;
    OK(pg_picture_set_load("mine", &set, &data, &err));
    assert_int_equal(data.train.count, 10);
    assert_int_equal(data.test.count, 4);
    for (int i = 0; i < 3; i++) bits |= 1u << (red_of(&data.test, i) - 10);
    assert_int_equal(data.test.labels[3], 1);
    for (int i = 0; i < 9; i++) assert_false(bits >> (red_of(&data.train, i) - 10) & 1);
    pg_data_clear(&data);
    return bits;
}

TEST(a_share_of_each_class_is_drawn_by_the_seed)
{
    write_shared();
    const pg_picture_set set = set_of("set");
    const unsigned first = tested(set, 1);
    int others = 0;
    assert_int_equal(tested(set, 1), first);
    for (int seed = 2; seed < 6; seed++) others += tested(set, seed) != first;
    assert_true(others > 0);
}

TEST(threads_do_not_change_the_images_nor_the_error)
{
    pg_data one, two;
    write_shared();
    const pg_picture_set set = set_of("set");
    OK(pg_picture_set_load("mine", &set, &one, &err));
    pg_compute_start(2);
    OK(pg_picture_set_load("mine", &set, &two, &err));
    assert_string_equal(one.train.sha256, two.train.sha256);
    assert_string_equal(one.test.sha256, two.test.sha256);
    pg_data_clear(&one);
    pg_data_clear(&two);
    write_bytes("set/b/00.png", "x", 1);
    write_bytes("set/a/05.png", "x", 1);
    assert_set_refused(&set, "set/a/05.png: neither a PNG nor a JPEG file");
    pg_compute_start(1);
}

/* ---- sizes ---- */

TEST(pictures_are_cropped_or_stretched_or_must_have_the_size)
{
    enum { WIDE = 32, HIGH = 16 };
    static uint8_t rgb[WIDE * HIGH * 3];
    pg_data data;
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++) rgb[(y * WIDE + x) * 3] = (uint8_t)(8 * x);
    make_folder("set/a");
    make_folder("set/b");
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "set/%c/%d.png", 'a' + i / 2, i);
        write_png(name, WIDE, HIGH, 8, PNG_COLOR_TYPE_RGB, rgb, WIDE * 3);
    }
    pg_picture_set set = set_of("set");
    OK(pg_picture_set_load("mine", &set, &data, &err));
    for (int x = 0; x < 16; x++) assert_int_equal(data.train.images[3 * x], 8 * (8 + x));
    pg_data_clear(&data);
    set.fit = PG_FIT_STRETCH;
    OK(pg_picture_set_load("mine", &set, &data, &err));
    for (int x = 1; x < 15; x++) assert_true(abs(data.train.images[3 * x] - (16 * x + 4)) <= 1);
    pg_data_clear(&data);
    set.fit = PG_FIT_EXACT;
    assert_set_refused(&set, "the picture has 32x16 pixels, expected 16x16");
    set.fit = PG_FIT_CROP;
    set.size = 48; /* pictures may also grow */
    OK(pg_picture_set_load("mine", &set, &data, &err));
    assert_int_equal(data.test.width, 48);
    pg_data_clear(&data);
}

/* ---- orientation ---- */

/* A JPEG of 3 x 2 blocks of 8 pixels with the reds 0, 40, ... 200, and an EXIF orientation. */
static void write_turned(const char *name, int orientation, bool little)
{
    enum { W = 24, H = 16 };
    static uint8_t rgb[W * H * 3];
    uint8_t app[] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                     0,    1,    1, 18, 0,   3,   0,   0,   0, 1, 0,   0,   0, 0,  0, 0, 0, 0};
    static const uint8_t swapped[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 18, 1, 3, 0, 1, 0, 0, 0};
    char *data = NULL, plain[64];
    size_t bytes = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) rgb[(y * W + x) * 3] = (uint8_t)(40 * (y / 8 * 3 + x / 8));
    if (little) memcpy(app + 10, swapped, sizeof swapped);
    app[little ? 28 : 29] = (uint8_t)orientation;
    snprintf(plain, sizeof plain, "%s.plain", name);
    write_jpeg(plain, W, H, 3, rgb);
    OK(pg_file_read(path_of(plain), &data, &bytes, &err));
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, 2, file) + fwrite(app, 1, sizeof app, file) + fwrite(data + 2, 1, bytes - 2, file),
                     bytes + sizeof app);
    assert_int_equal(fclose(file), 0);
    pg_free(data);
}

/* The blocks as they should be seen, by orientation: 3 x 2, or from 5 on 2 x 3. */
static const int seen[9][6] = {{0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3},
                               {5, 4, 3, 2, 1, 0}, {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5},
                               {3, 0, 4, 1, 5, 2}, {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};

TEST(a_picture_is_turned_as_its_exif_says)
{
    for (int k = 1; k <= 9; k++) {
        pg_image image;
        const int blocks = k >= 5 && k <= 8 ? 2 : 3;
        write_turned("p.jpg", k, k % 2);
        OK(pg_image_read_upright(path_of("p.jpg"), &image, &err));
        assert_int_equal(image.width, blocks * 8);
        assert_int_equal(image.height, 48 / blocks);
        for (int i = 0; i < 6; i++) {
            const int at = (i / blocks * 8 + 4) * image.width + i % blocks * 8 + 4;
            assert_true(abs(image.rgb[3 * at] - 40 * seen[k % 9][i]) <= 3);
        }
        pg_image_clear(&image);
    }
}

TEST(a_png_may_have_an_orientation_too)
{
    static const uint8_t head[] = "\x89PNG\r\n\x1a\n" /* a chunk of two bytes, then eXIf */
                                  "\0\0\0\2abCDxy\1\2\3\4"
                                  "\0\0\0\x1a"
                                  "eXIfII*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x08\0\0\0\0\0\0\0\1\2\3\4";
    assert_int_equal(pg_image_orientation(head, sizeof head - 1), 8);
    for (size_t cut = 0; cut < sizeof head - 1; cut++) assert_int_equal(pg_image_orientation(head, cut), 1);
}

TEST(a_damaged_exif_means_upright)
{
    char *data = NULL;
    size_t bytes = 0;
    write_turned("p.jpg", 6, true);
    OK(pg_file_read(path_of("p.jpg"), &data, &bytes, &err));
    assert_int_equal(pg_image_orientation(data, bytes), 6);
    for (size_t cut = 0; cut < 38; cut++) {
        char *part = NULL; /* of its own, so that a sanitizer sees every byte read beyond it */
        OK(pg_alloc(cut, 1, &part, &err));
        memcpy(part, data, cut);
        assert_int_equal(pg_image_orientation(part, cut), 1);
        pg_free(part);
    }
    pg_free(data);
}

/* ---- refusals ---- */

TEST(a_wrong_folder_is_refused_by_name)
{
    pg_picture_set set = set_of("set");
    assert_set_refused(&set, "set: the folder is missing");
    make_folder("set");
    assert_set_refused(&set, "set: expected a folder of pictures for each of at least 2 classes, found 0 folders");
    write_class("set/a", 3, 1);
    assert_set_refused(&set, "for each of at least 2 classes, found 1 folder");
    make_folder("set/b");
    assert_set_refused(&set, "set/b: expected at least 2 pictures, found 0");
    write_class("set/b", 2, 1);
    write_colour("set/stray.png", 8, 8, 1);
    assert_set_refused(&set, "set/stray.png: the picture is outside of the class folders");
    remove_file("set/stray.png");
    make_folder("set/b/more");
    assert_set_refused(&set, "set/b/more: a class folder must hold pictures, not folders");
    assert_int_equal(rmdir(path_of("set/b/more")), 0);
    write_bytes("set/b/x.webp", "x", 1);
    assert_set_refused(&set, "set/b/x.webp: pictures must be JPEG or PNG files");
    set = set_of("set/a/00.png");
    assert_int_equal(pg_picture_set_load("mine", &set, &(pg_data){0}, &err), PG_IO_FAULT);
}

TEST(splits_must_have_the_same_classes)
{
    const pg_picture_set set = set_of("set");
    write_class("set/train/a", 1, 1);
    write_class("set/train/c", 1, 1);
    write_class("set/test/a", 1, 1);
    write_class("set/test/b", 1, 1);
    assert_set_refused(&set, "set/test/b: this class is missing in");
    write_class("set/test/c", 1, 1);
    assert_set_refused(&set, "set/test/b: this class is missing in");
    write_class("set/train/b", 1, 1);
    write_class("set/train/d", 1, 1);
    assert_set_refused(&set, "set/train/d: this class is missing in");
    make_folder("set/test/d");
    assert_set_refused(&set, "set/test/d: expected at least 1 picture, found 0");
}

TEST(a_picture_that_lies_about_its_size_is_refused_before_memory_is_taken)
{
    static const uint8_t side[] = {0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10}; /* 10,000 x 10,000: 300 MB */
    const pg_picture_set set = set_of("set");
    write_shared();
    write_at("set/a/03.png", 16, side, sizeof side);
    assert_set_refused(&set, "set/a/03.png: ");
}
