/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folders of pictures. A task depends on what a folder holds, not on where it is. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/data/folder.h"
#include "core/data/triggers.h"
#include "experiments/grid/grid.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

enum { SIDE = 32, PATH = 256 };

static const char *in_set(const char *set, const char *file, char out[PATH])
{
    snprintf(out, PATH, "%s/%s%s%s", folder(), set, file ? "/" : "", file ? file : "");
    return out;
}

static void write_text(const char *directory, const char *file, const char *text)
{
    char path[PATH];
    OK(pg_file_write(in_set(directory, file, path), text, strlen(text), PG_FILE_PUBLIC, &err));
}

static void write_picture(const char *directory, const char *file, int level)
{
    char path[PATH];
    uint8_t rgb[SIDE * SIDE * 3];
    png_image png = {.version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGB};
    memset(rgb, level, sizeof rgb);
    assert_true(png_image_write_to_file(&png, in_set(directory, file, path), 0, rgb, 0, NULL));
}

/* Two pictures and their labels. */
static void write_set(const char *directory, const char *labels)
{
    char path[PATH];
    OK(pg_make_directories(in_set(directory, NULL, path), &err));
    write_picture(directory, "1.png", 10);
    write_picture(directory, "2.png", 20);
    write_text(directory, "labels.txt", labels);
}

/* ---- in a grid ---- */

static pg_grid *read_grid(const char *directory)
{
    static const char format[] = "data: {name: synthetic, train: 64, test: 32}\n"
                                 "networks: [{arch: alexnet, width: 0.0625}]\n"
                                 "train: {epochs: 1}\n"
                                 "schemes:\n"
                                 "  - {scheme: adi, triggers: '%s'}\n"
                                 "  - {scheme: v3, passport: random, triggers: '%s', signature: zq}\n"
                                 "attacks: [{attack: prune, levels: [10]}]\n";
    char at[PATH], config[PATH], text[4 * PATH];
    static pg_problems problems;
    pg_grid *grid = NULL;
    problems.count = 0;
    in_set(directory, NULL, at);
    snprintf(text, sizeof text, format, at, at);
    write_text(".", "grid.yaml", text);
    if (pg_grid_read(in_set("grid.yaml", NULL, config), NULL, 0, NULL, &grid, &problems, &err) != PG_OK)
        fail_msg("%s %s", err.message, problems.count ? problems.lines[0] : "");
    return grid;
}

/* The same pictures in another folder make the same tasks. */
TEST(the_place_of_a_folder_is_in_no_key_and_no_record)
{
    char here[PATH], there[PATH];
    write_set("here", "1\n2\n");
    write_set("over there/deep", "1\n2\n");
    write_set("other", "1\n3\n");
    pg_grid *a = read_grid("here"), *b = read_grid("over there/deep"), *c = read_grid("other");
    assert_int_equal(a->count, 4);
    for (int i = 0; i < a->count; i++) {
        assert_string_equal(a->tasks[i].key, b->tasks[i].key);
        assert_string_equal(a->tasks[i].public_text, b->tasks[i].public_text);
        assert_null(strstr(a->tasks[i].public_text, folder()));
        assert_contains(a->tasks[i].public_text, "triggers: 'sha256:");
        assert_contains(a->tasks[i].text, in_set("here", NULL, here));
        assert_contains(b->tasks[i].text, in_set("over there/deep", NULL, there));
        assert_string_not_equal(a->tasks[i].key, c->tasks[i].key);
    }
    assert_contains(a->resolved, here); /* the user's own configuration finds it again */
    assert_null(strstr(a->resolved, "zq"));
    pg_grid_destroy(&a);
    pg_grid_destroy(&b);
    pg_grid_destroy(&c);
}

TEST(a_name_that_looks_like_a_pin_is_still_a_folder)
{
    char path[PATH], pinned[2 * PATH];
    pg_dataset triggers;
    write_set("of sha256:me and you", "1\n2\n");
    OK(pg_triggers_pin(in_set("of sha256:me and you", NULL, path), pinned, sizeof pinned, &err));
    OK(pg_triggers_load(pinned, NULL, 32, 10, &triggers, &err));
    assert_int_equal(triggers.count, 2);
    pg_dataset_clear(&triggers);
}

/* ---- what else stands in a folder ---- */

static void assert_loads(const char *directory, int first, int second)
{
    char path[PATH];
    pg_dataset triggers;
    OK(pg_triggers_load(in_set(directory, NULL, path), NULL, 32, 10, &triggers, &err));
    assert_int_equal(triggers.count, 2);
    assert_int_equal(triggers.labels[0], first);
    assert_int_equal(triggers.labels[1], second);
    assert_int_equal(triggers.images[0], 10);
    assert_int_equal(triggers.images[SIDE * SIDE * 3], 20);
    pg_dataset_clear(&triggers);
}

static void assert_refused(const char *directory, const char *reason)
{
    char path[PATH];
    pg_dataset triggers;
    assert_int_equal(pg_triggers_load(in_set(directory, NULL, path), NULL, 32, 10, &triggers, &err), PG_BAD_INPUT);
    if (!strstr(err.message, reason)) fail_msg("'%s' does not say: %s", err.message, reason);
}

/* Such files change neither the pictures that are read nor the key. */
TEST(files_that_computers_leave_change_nothing)
{
    static const char *const junk[] = {"._1.png",     ".hidden.jpg", ".DS_Store", "Thumbs.db",
                                       "desktop.ini", "notes.txt",   "1.png.bak"};
    char path[PATH], before[2 * PATH], after[2 * PATH];
    write_set("junk", "1\n2\n");
    OK(pg_triggers_pin(in_set("junk", NULL, path), before, sizeof before, &err));
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) write_text("junk", junk[i], "nothing to see");
    OK(pg_make_directories(in_set("junk", "__MACOSX", path), &err));
    assert_loads("junk", 1, 2);
    OK(pg_triggers_pin(in_set("junk", NULL, path), after, sizeof after, &err));
    assert_string_equal(before, after);
}

/* If the reader skipped it, the labels of all later pictures would shift. */
TEST(a_picture_that_cannot_be_read_is_refused)
{
    static const char *const others[] = {"10.webp", "10.GIF", "10.bmp", "10.tiff"};
    char path[PATH];
    write_set("others", "1\n2\n");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        write_text("others", others[i], "a picture");
        assert_refused("others", others[i]);
        assert_refused("others", "pictures must be JPEG or PNG files");
        assert_int_equal(unlink(in_set("others", others[i], path)), 0);
    }
    write_picture("others", "3.JPEG", 30); /* the content decides about the type, not the ending */
    write_text("others", "labels.txt", "1\n2\n3\n");
    pg_dataset triggers;
    OK(pg_triggers_load(in_set("others", NULL, path), NULL, 32, 10, &triggers, &err));
    assert_int_equal(triggers.count, 3);
    pg_dataset_clear(&triggers);
}

TEST(names_may_be_in_any_language)
{
    write_set("\xc3\xbcn\xc3\xaf"
              "code \xe5\x9b\xbe",
              "1\n2\n");
    assert_loads("\xc3\xbcn\xc3\xaf"
                 "code \xe5\x9b\xbe",
                 1, 2);
}

TEST(label_files_are_found_and_checked)
{
    static const char *const texts[] = {"3\r\n4\r\n",
                                        "3\r4\r",
                                        "\xEF\xBB\xBF"
                                        "3\n4\n",
                                        "\xEF\xBB\xBF"
                                        "3\r\n4\r\n\r\n  \r\n",
                                        "3\n4",
                                        "3\n4\n\n\n",
                                        " 3 \n\t4\t\n"};
    char path[PATH];
    write_set("labels", "");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text("labels", "labels.txt", texts[i]);
        assert_loads("labels", 3, 4);
    }
    static const char wide[] = "\xFF\xFE"
                               "3\0\n\0"
                               "4\0\n";
    OK(pg_file_write(in_set("labels", "labels.txt", path), wide, sizeof wide, PG_FILE_PUBLIC, &err));
    assert_refused("labels", "labels.txt: the text is in UTF-16 or UTF-32; save it as UTF-8");
    write_text("labels", "labels.txt",
               "\xEF\xBB\xBF"
               "3\r\n\r\n4\r\n");
    assert_refused("labels", "labels.txt:2: expected a class number");
}

/* Files, and what archivers leave behind, are no class folders. */
TEST(class_folders_may_be_links)
{
    char path[PATH];
    pg_names names;
    static const char *const folders[] = {"classes/b", "classes/a", "classes/.git", "classes/__MACOSX"};
    for (int i = 0; i < 4; i++) OK(pg_make_directories(in_set(folders[i], NULL, path), &err));
    write_text("classes", "readme.txt", "x");
    write_text("classes", "pictures.tar.gz", "x");
    assert_int_equal(symlink("a", in_set("classes", "c", path)), 0);
    OK(pg_folder_folders(in_set("classes", NULL, path), &names, &err));
    assert_int_equal(names.count, 3);
    for (int i = 0; i < 3; i++) assert_string_equal(names.name[i], ((const char *const[]){"a", "b", "c"})[i]);
    pg_names_clear(&names);
}
