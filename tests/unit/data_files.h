/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of data sets: files in the test's folder, pictures, and loaders that accept or refuse data. */
#ifndef PG_TESTS_DATA_FILES_H
#define PG_TESTS_DATA_FILES_H

#include "core/base/memory.h"
#include "core/data/image.h"
#include "core/data/readers.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

enum { IMAGE = 32 * 32 * 3, GREY = 28 * 28 };

static inline void make_folder(const char *name)
{
    OK(pg_make_directories(path_of(name), &err));
}

static inline void remove_file(const char *name)
{
    assert_int_equal(unlink(path_of(name)), 0);
}

static inline void write_bytes(const char *name, const void *data, size_t bytes)
{
    OK(pg_file_write(path_of(name), data, bytes, PG_FILE_PUBLIC, &err));
}

static inline void resize(const char *name, long bytes)
{
    assert_int_equal(truncate(path_of(name), bytes), 0);
}

static inline void write_at(const char *name, long at, const void *data, size_t bytes)
{
    const int fd = open(path_of(name), O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, bytes, at), bytes);
    close(fd);
}

/* A file of zeros, which takes no room on the disk. */
static inline void write_zeros(const char *name, long bytes)
{
    write_bytes(name, "", 0);
    resize(name, bytes);
}

typedef pg_status loader(const char *name, const char *directory, pg_data *out, pg_error *error);

/* The data is refused in one line that names the file and says why. Returns whether the data is missing. */
static inline bool assert_refused(loader *load, const char *name, const char *file, const char *reason)
{
    pg_data data = {0};
    const pg_status status = load(name, folder(), &data, &err);
    pg_data_clear(&data);
    if (status != PG_BAD_INPUT) fail_msg("%s, not refused with '%s': %s %s", name, reason, pg_status_text(status), err.message);
    if (!strstr(err.message, path_of(file)) || !strstr(err.message, reason))
        fail_msg("'%s' does not say %s: %s", err.message, file, reason);
    assert_null(strchr(err.message, '\n'));
    assert_int_equal(err.status, PG_BAD_INPUT);
    return data.missing;
}

static inline void load(loader *how, const char *name, pg_data *out)
{
    *out = (pg_data){0};
    OK(how(name, folder(), out, &err));
}

static inline void assert_same_images(const pg_dataset *a, const pg_dataset *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->images, b->images, (size_t)a->count * IMAGE);
    assert_memory_equal(a->labels, b->labels, (size_t)a->count * sizeof *a->labels);
}

/* ---- pictures ---- */

/* rows as PNG stores them: bytes_per_row bytes each. */
static inline void write_png(const char *name, int width, int height, int depth, int type, const uint8_t *rows,
                             size_t bytes_per_row)
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
static inline void write_jpeg(const char *name, int width, int height, int channels, const uint8_t *pixels)
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

#endif
