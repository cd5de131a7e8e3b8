/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trigger sets: a folder of pictures with a list of labels, intact and damaged; generated abstract images. */
#include "core/base/memory.h"
#include "core/data/triggers.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <png.h>

enum { SIDE = 32, IMAGE = SIDE * SIDE * 3, WIDTH = 41, HEIGHT = 36, CLASSES = 10 };

static void write_text(const char *name, const char *text)
{
    OK(pg_file_write(path_of(name), text, strlen(text), PG_FILE_PUBLIC, &err));
}

static void remove_file(const char *name)
{
    assert_int_equal(unlink(path_of(name)), 0);
}

static uint8_t value_at(int picture, int y, int x, int c)
{
    return (uint8_t)(picture * 50 + y * 5 + x * 3 + c * 7);
}

static void write_picture(const char *name, int picture, int width, int height)
{
    uint8_t rgb[WIDTH * HEIGHT * 3];
    png_image png = {
        .version = PNG_IMAGE_VERSION, .width = (png_uint_32)width, .height = (png_uint_32)height, .format = PNG_FORMAT_RGB};
    for (int i = 0; i < width * height * 3; i++) rgb[i] = value_at(picture, i / 3 / width, i / 3 % width, i % 3);
    assert_true(png_image_write_to_file(&png, path_of(name), 0, rgb, 0, NULL));
}

/* Three pictures, named so that text order (1, 10, 2) is neither numeric order nor the order in which they are made. */
static void write_set(void)
{
    write_picture("2.png", 2, WIDTH, HEIGHT);
    write_picture("10.png", 1, WIDTH, HEIGHT);
    write_picture("1.png", 0, WIDTH, HEIGHT);
    write_text("labels.txt", "7\n0\n9\n");
}

static void load(const char *labels, pg_dataset *out)
{
    OK(pg_triggers_load(folder(), labels, 32, CLASSES, out, &err));
}

TEST(a_pinned_folder_holds_the_same_pictures_and_labels)
{
    char pinned[512], again[512];
    pg_dataset triggers;
    write_set();
    OK(pg_triggers_pin(folder(), pinned, sizeof pinned, &err));
    OK(pg_triggers_pin(pinned, again, sizeof again, &err));
    assert_string_equal(pinned, again);
    assert_int_equal(strncmp(pinned, folder(), strlen(folder())), 0);
    OK(pg_triggers_load(pinned, NULL, 32, CLASSES, &triggers, &err));
    pg_dataset_clear(&triggers);
    write_text("labels.txt", "7\n1\n9\n");
    FAILS(pg_triggers_load(pinned, NULL, 32, CLASSES, &triggers, &err), PG_BAD_INPUT, "no longer");
    OK(pg_triggers_pin(folder(), again, sizeof again, &err));
    assert_string_not_equal(pinned, again);
    assert_int_equal(pg_triggers_pin(folder(), again, strlen(folder()) + 20, &err), PG_BAD_INPUT);
    assert_int_equal(pg_triggers_pin("/nowhere", again, sizeof again, &err), PG_IO_FAULT);
}

/* The folder is refused in one line that names the file and says why (file NULL: the folder). Nothing is left in out. */
static void assert_refused(pg_status expected, const char *file, const char *reason)
{
    pg_dataset triggers;
    assert_int_equal(pg_triggers_load(folder(), NULL, 32, CLASSES, &triggers, &err), expected);
    if (!strstr(err.message, file ? path_of(file) : folder()) || !strstr(err.message, reason))
        fail_msg("'%s' does not say %s: %s", err.message, file ? file : folder(), reason);
    assert_null(strchr(err.message, '\n'));
    assert_null(triggers.images);
    assert_null(triggers.labels);
}

/* ---- a folder ---- */

static void assert_labels(const pg_dataset *triggers, int a, int b, int c)
{
    assert_int_equal(triggers->labels[0], a);
    assert_int_equal(triggers->labels[1], b);
    assert_int_equal(triggers->labels[2], c);
}

TEST(a_folder_is_read_in_the_order_of_its_names)
{
    pg_dataset triggers;
    write_set();
    write_text("notes.txt", "not a picture, and not looked at");
    load(NULL, &triggers);
    assert_int_equal(triggers.count, 3);
    assert_int_equal(triggers.classes, CLASSES);
    assert_labels(&triggers, 7, 0, 9);
    /* the centre: 4.5 pixels too many on the left, rounded away from zero, and 2 above */
    for (int i = 0; i < 3; i++)
        for (int p = 0; p < SIDE * SIDE; p++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(triggers.images[(i * SIDE * SIDE + p) * 3 + c], value_at(i, p / SIDE + 2, p % SIDE + 5, c));
    assert_int_equal(strlen(triggers.sha256), PG_SHA256_HEX - 1);
    pg_dataset_clear(&triggers);
}

TEST(labels_are_read_in_every_usual_form)
{
    static const char *const texts[] = {"1\n2\n3", "1\r\n2\r\n3\r\n", "1.0000e+00\n2.0000e+00\n3.0000e+00\n\n"};
    char path[256];
    pg_dataset triggers;
    write_set();
    strcpy(path, path_of("other.list"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text("other.list", texts[i]);
        load(path, &triggers);
        assert_labels(&triggers, 1, 2, 3);
        pg_dataset_clear(&triggers);
    }
}

TEST(a_bad_label_is_refused_at_its_line)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "labels.txt:1: expected a class number, one for each of the 3 pictures"},
        {"1\n2\n", "labels.txt:3: expected a class number, one for each of the 3 pictures"},
        {"1\n2\n3\n4\n", "labels.txt:4: more labels than pictures (3)"},
        {"1\n2\n3\nend\n", "labels.txt:4: more labels than pictures (3)"},
        {"1\n2\n3\n\n4\n", "labels.txt:4: more labels than pictures (3)"},
        {"1\n10\n3\n", "labels.txt:2: expected a class below 10, got 10"},
        {"-1\n2\n3\n", "labels.txt:1: expected a class below 10, got -1"},
        {"1\n2\n2.5\n", "labels.txt:3: expected a class below 10, got 2.5"},
        {"1\nnan\n3\n", "labels.txt:2: expected a class number, one for each of the 3 pictures"},
        {"1\n1e300\n3\n", "labels.txt:2: expected a class below 10, got 1e+300"},
        {"cat\ndog\n3\n", "labels.txt:1: expected a class number"},
        {"1\n2x\n3\n", "labels.txt:2: expected a class number"},
        {"1\n\n3\n9\n", "labels.txt:2: expected a class number"},
        {"1 2\n3\n", "labels.txt:1: expected a class number"},
    };
    write_set();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("labels.txt", cases[i].text);
        assert_refused(PG_BAD_INPUT, "labels.txt", cases[i].reason);
    }
    remove_file("labels.txt");
    assert_refused(PG_IO_FAULT, "labels.txt", "No such file");
}

TEST(a_bad_picture_is_refused_by_name)
{
    write_set();
    write_text("10.png", "not a picture");
    assert_refused(PG_BAD_INPUT, "10.png", "neither a PNG nor a JPEG file");
    write_picture("10.png", 1, SIDE - 1, HEIGHT);
    assert_refused(PG_BAD_INPUT, "10.png", "the picture has 31x36 pixels, fewer than its centre of 32x32");
    write_picture("10.png", 1, WIDTH, HEIGHT);
    assert_int_equal(truncate(path_of("10.png"), 100), 0);
    assert_refused(PG_BAD_INPUT, "10.png", "");
    remove_file("1.png");
    remove_file("10.png");
    remove_file("2.png");
    assert_refused(PG_BAD_INPUT, NULL, "expected 1 to 10000 JPEG or PNG pictures, found 0");
}

TEST(a_missing_folder_is_named)
{
    pg_dataset triggers;
    assert_int_equal(pg_triggers_load("/nowhere", NULL, 32, CLASSES, &triggers, &err), PG_IO_FAULT);
    assert_string_equal(err.message, "/nowhere: No such file or directory");
}

/* ---- generated images ---- */

enum { COUNT = 400 };

static void generate(int count, pg_seed seed, pg_dataset *out)
{
    OK(pg_triggers_generate(count, 32, CLASSES, seed, out, &err));
}

TEST(generated_triggers_follow_from_their_seed)
{
    pg_dataset triggers, again, fewer, other;
    generate(COUNT, (pg_seed){1, "task"}, &triggers);
    generate(COUNT, (pg_seed){1, "task"}, &again);
    assert_int_equal(triggers.count, COUNT);
    assert_int_equal(triggers.height, SIDE);
    assert_int_equal(triggers.width, SIDE);
    assert_int_equal(triggers.classes, CLASSES);
    assert_memory_equal(triggers.images, again.images, (size_t)COUNT * IMAGE);
    assert_memory_equal(triggers.labels, again.labels, COUNT * sizeof *again.labels);
    assert_string_equal(triggers.sha256, again.sha256);
    generate(7, (pg_seed){1, "task"}, &fewer); /* the first of the same */
    assert_memory_equal(triggers.images, fewer.images, 7 * IMAGE);
    assert_memory_equal(triggers.labels, fewer.labels, 7 * sizeof *fewer.labels);
    static const pg_seed others[] = {{2, "task"}, {1, "other"}};
    for (int i = 0; i < 2; i++) {
        generate(COUNT, others[i], &other);
        assert_memory_not_equal(triggers.images, other.images, IMAGE);
        assert_memory_not_equal(triggers.labels, other.labels, COUNT * sizeof *other.labels);
        pg_dataset_clear(&other);
    }
    pg_dataset_clear(&triggers);
    pg_dataset_clear(&again);
    pg_dataset_clear(&fewer);
}

/* Root mean square difference of two images, in levels. */
static double difference(const uint8_t *a, const uint8_t *b)
{
    double sum = 0;
    for (int i = 0; i < IMAGE; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum / IMAGE);
}

/* Standard deviation over the pixels of one channel, in levels. */
static double contrast(const uint8_t *image, int c)
{
    double sum = 0, squares = 0;
    for (int p = 0; p < SIDE * SIDE; p++) {
        sum += image[3 * p + c];
        squares += image[3 * p + c] * image[3 * p + c];
    }
    return sqrt(fmax(0, squares / (SIDE * SIDE) - pow(sum / (SIDE * SIDE), 2)));
}

TEST(no_generated_image_is_flat_or_like_another)
{
    pg_dataset triggers;
    generate(COUNT, (pg_seed){3, "task"}, &triggers);
    double flattest = 255, nearest = 255;
    for (int i = 0; i < COUNT; i++) {
        const uint8_t *image = triggers.images + (size_t)i * IMAGE;
        flattest = fmin(flattest, fmax(contrast(image, 0), fmax(contrast(image, 1), contrast(image, 2))));
        for (int j = 0; j < i; j++) nearest = fmin(nearest, difference(image, triggers.images + (size_t)j * IMAGE));
    }
    if (flattest < 5) fail_msg("the flattest image has a contrast of %g levels", flattest);
    if (nearest < 10) fail_msg("two images differ by %g levels", nearest);
    pg_dataset_clear(&triggers);
}

/* Chi-squared of nine degrees of freedom is below its 99.9 % point. */
TEST(generated_labels_are_uniform)
{
    pg_dataset triggers;
    int seen[CLASSES] = {0};
    double chi = 0;
    generate(COUNT, (pg_seed){4, "task"}, &triggers);
    for (int i = 0; i < COUNT; i++) {
        assert_in_range(triggers.labels[i], 0, CLASSES - 1);
        seen[triggers.labels[i]]++;
    }
    for (int c = 0; c < CLASSES; c++) chi += pow(seen[c] - COUNT / (double)CLASSES, 2) / (COUNT / (double)CLASSES);
    assert_true(chi < 27.88);
    pg_dataset_clear(&triggers);
}
