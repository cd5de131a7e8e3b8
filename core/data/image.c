/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoding pictures; see image.h. */
#include "core/data/image.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

enum { SIDE_MAX = 20000, PIXELS_MAX = 100 * 1000 * 1000 };

/* Allocate a picture of width x height pixels. PG_BAD_INPUT if it is too large, or if such a picture needs a file of at least
 * `least` bytes and this file has fewer. */
static pg_status take(pg_image *image, long width, long height, double least, size_t bytes, const char *path, pg_error *err)
{
    *image = (pg_image){0};
    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX)
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: the picture has %ldx%ld pixels; at most 20,000 on a side and 100 million in all are allowed", path,
                       width, height);
    if ((double)bytes < least)
        return pg_fail(err, PG_BAD_INPUT, "%s: a file of %zu bytes cannot hold a picture of %ldx%ld pixels", path, bytes, width,
                       height);
    const pg_status status = pg_alloc((size_t)width * (size_t)height, 3, &image->rgb, err);
    if (status != PG_OK) return status;
    image->width = (int)width;
    image->height = (int)height;
    return PG_OK;
}

void pg_image_clear(pg_image *image)
{
    pg_free(image->rgb);
    *image = (pg_image){0};
}

static uint8_t *row_of(const pg_image *image, size_t y)
{
    return image->rgb + y * (size_t)image->width * 3;
}

/* ---- PNG ---- */

/* Deflate expands one byte to at most 1,032. */
static const double deflate_ratio = 1032;

/* A file in memory; `at` is the next byte. libpng reports an error by a jump. Its warnings are about chunks that are not read.
 */
typedef struct png_source {
    const char *path;
    const uint8_t *data;
    size_t bytes, at;
    jmp_buf out;
    char message[200];
} png_source;

static void png_stop(png_structp png, png_const_charp text)
{
    png_source *source = png_get_error_ptr(png);
    snprintf(source->message, sizeof source->message, "%s", text);
    longjmp(source->out, 1);
}

static void png_warn(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void png_feed(png_structp png, png_bytep to, size_t count)
{
    png_source *source = png_get_io_ptr(png);
    if (count > source->bytes - source->at) png_error(png, "the file is truncated");
    memcpy(to, source->data + source->at, count);
    source->at += count;
}

/* Make libpng return the high 8 bits of the stored red, green and blue of every pixel. */
static void ask_for_rgb(png_structp png)
{
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
}

static pg_status decode_png(png_structp png, png_infop info, png_source *source, pg_image *out, pg_error *err)
{
    png_set_read_fn(png, source, png_feed);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* gAMA, iCCP, tEXt, ... */
    png_read_info(png, info);
    const long width = (long)png_get_image_width(png, info), height = (long)png_get_image_height(png, info);
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) == 16)
        return pg_fail(err, PG_BAD_INPUT, "%s: programs read grey PNG files of 16 bits in different ways; save it with 8 bits",
                       source->path);
    const double least = (double)png_get_rowbytes(png, info) * (double)height / deflate_ratio;
    const pg_status status = take(out, width, height, least, source->bytes, source->path, err);
    if (status != PG_OK) return status;
    ask_for_rgb(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < out->height; y++) png_read_row(png, row_of(out, (size_t)y), NULL);
    png_read_end(png, NULL);
    return PG_OK;
}

static pg_status read_png(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err)
{
    png_source source = {.path = path, .data = data, .bytes = bytes};
    pg_status status;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, png_stop, png_warn);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info)
        status = pg_fail(err, PG_NO_MEMORY, "%s: out of memory", path);
    else if (setjmp(source.out))
        status = pg_fail(err, PG_BAD_INPUT, "%s: %s", path, source.message);
    else
        status = decode_png(png, info, &source, out, err);
    png_destroy_read_struct(&png, &info, NULL);
    return status;
}

/* ---- JPEG ---- */

/* A block of 8x8 pixels takes at least one bit. */
static const double jpeg_pixels_in_byte = 512;

/* Ordinary progressive files have about ten scans. Each scan takes time, and a small file could have thousands. */
enum { SCANS_MAX = 100 };

/* libjpeg reports an error by a jump. */
typedef struct jpeg_trouble {
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf out;
    char message[JMSG_LENGTH_MAX];
} jpeg_trouble;

static void jpeg_stop(j_common_ptr info)
{
    jpeg_trouble *trouble = (jpeg_trouble *)info->err;
    trouble->manager.format_message(info, trouble->message);
    longjmp(trouble->out, 1);
}

/* A warning means lost pixels (a truncated or damaged file), so it is an error. The three exceptions leave all pixels intact.
 */
static void jpeg_warn(j_common_ptr info, int level)
{
    const int code = info->err->msg_code;
    const bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
    if (level < 0 && !harmless) jpeg_stop(info);
}

static void jpeg_watch(j_common_ptr info)
{
    jpeg_trouble *trouble = (jpeg_trouble *)info->err;
    if (((j_decompress_ptr)info)->input_scan_number <= SCANS_MAX) return;
    snprintf(trouble->message, sizeof trouble->message, "more than %d scans", SCANS_MAX);
    longjmp(trouble->out, 1);
}

static uint8_t times(int a, int b)
{
    const int t = a * b + 128;
    return (uint8_t)(((t >> 8) + t) >> 8);
}

/* Convert inverted CMYK, as Adobe's programs write it: 255 means no ink. */
static void cmyk_to_rgb(const uint8_t *cmyk, int width, uint8_t *rgb)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) rgb[3 * x + c] = (uint8_t)(cmyk[4 * x + 3] - times(255 - cmyk[4 * x + c], cmyk[4 * x + 3]));
}

static pg_status decode_jpeg(j_decompress_ptr jpeg, const char *path, size_t bytes, pg_image *out, pg_error *err)
{
    jpeg_read_header(jpeg, TRUE);
    const bool inks = jpeg->num_components == 4;
    const long width = (long)jpeg->image_width, height = (long)jpeg->image_height;
    const pg_status status = take(out, width, height, (double)width * (double)height / jpeg_pixels_in_byte, bytes, path, err);
    if (status != PG_OK) return status;
    jpeg->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    JSAMPARRAY four = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = row_of(out, jpeg->output_scanline);
        jpeg_read_scanlines(jpeg, inks ? four : &row, 1);
        if (inks) cmyk_to_rgb(four[0], out->width, row);
    }
    jpeg_finish_decompress(jpeg);
    return PG_OK;
}

static pg_status read_jpeg(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err)
{
    struct jpeg_decompress_struct jpeg = {0};
    jpeg_trouble trouble;
    pg_status status;
    jpeg.err = jpeg_std_error(&trouble.manager);
    trouble.manager.error_exit = jpeg_stop;
    trouble.manager.emit_message = jpeg_warn;
    if (setjmp(trouble.out)) {
        status = pg_fail(err, PG_BAD_INPUT, "%s: %s", path, trouble.message);
    } else {
        jpeg_create_decompress(&jpeg);
        trouble.progress.progress_monitor = jpeg_watch;
        jpeg.progress = &trouble.progress;
        jpeg_mem_src(&jpeg, data, (unsigned long)bytes);
        status = decode_jpeg(&jpeg, path, bytes, out, err);
    }
    jpeg_destroy_decompress(&jpeg);
    return status;
}

/* ---- either ---- */

pg_status pg_image_decode(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err)
{
    pg_status status;
    *out = (pg_image){0};
    if (bytes >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        status = read_png(path, data, bytes, out, err);
    else if (bytes >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        status = read_jpeg(path, data, bytes, out, err);
    else
        status = pg_fail(err, PG_BAD_INPUT, "%s: neither a PNG nor a JPEG file", path);
    if (status != PG_OK) pg_image_clear(out);
    return status;
}

pg_status pg_image_read(const char *path, pg_image *out, pg_error *err)
{
    char *data = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read_up_to(path, PG_IMAGE_FILE_MAX, &data, &bytes, err);
    if (status == PG_OK) status = pg_image_decode(path, data, bytes, out, err);
    pg_free(data);
    return status;
}

bool pg_image_name(const char *file)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png"};
    const char *dot = file[0] == '.' ? NULL : strrchr(file, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

pg_status pg_image_centre(const pg_image *image, int side, uint8_t *out, const char *path, pg_error *err)
{
    if (image->width < side || image->height < side)
        return pg_fail(err, PG_BAD_INPUT, "%s: the picture has %dx%d pixels, fewer than its centre of %dx%d", path,
                       image->width, image->height, side, side);
    const int left = (int)lround((image->width - side) / 2.0), top = (int)lround((image->height - side) / 2.0);
    for (int y = 0; y < side; y++)
        memcpy(out + (size_t)(y * side) * 3, image->rgb + ((size_t)(top + y) * (size_t)image->width + (size_t)left) * 3,
               (size_t)side * 3);
    return PG_OK;
}

/* Scale one line with a triangle filter of the width of one output pixel. Strides are in bytes. */
static void scale_line(const uint8_t *in, int in_size, int in_stride, uint8_t *out, int out_size, int out_stride)
{
    const double scale = (double)in_size / out_size, reach = scale > 1 ? scale : 1;
    for (int o = 0; o < out_size; o++) {
        const double centre = (o + 0.5) * scale;
        const int from = (int)fmax(0, floor(centre - reach)), to = (int)fmin(in_size, ceil(centre + reach));
        double sum[3] = {0}, weight = 0;
        for (int i = from; i < to; i++) {
            const double w = fmax(0, 1 - fabs((i + 0.5 - centre) / reach));
            for (int c = 0; c < 3; c++) sum[c] += w * in[(ptrdiff_t)i * in_stride + c];
            weight += w;
        }
        for (int c = 0; c < 3; c++) out[(ptrdiff_t)o * out_stride + c] = (uint8_t)lround(sum[c] / weight);
    }
}

pg_status pg_image_scale(const pg_image *image, int width, int height, pg_image *out, const char *path, pg_error *err)
{
    pg_image half = {0};
    pg_status status = PG_OK;
    *out = (pg_image){0};
    PG_TRY(take(&half, width, image->height, 0, 0, path, err));
    PG_TRY(take(out, width, height, 0, 0, path, err));
    for (int y = 0; y < image->height; y++)
        scale_line(image->rgb + (ptrdiff_t)y * image->width * 3, image->width, 3, half.rgb + (ptrdiff_t)y * width * 3, width,
                   3);
    for (int x = 0; x < width; x++)
        scale_line(half.rgb + (ptrdiff_t)x * 3, image->height, width * 3, out->rgb + (ptrdiff_t)x * 3, height, width * 3);
done:
    pg_image_clear(&half);
    return status;
}

pg_status pg_image_shrink(const pg_image *image, int side, pg_image *out, const char *path, pg_error *err)
{
    const bool tall = image->height > image->width;
    const int shorter = tall ? image->width : image->height, longer = tall ? image->height : image->width;
    const int other = (int)((long)longer * side / shorter);
    return pg_image_scale(image, tall ? side : other, tall ? other : side, out, path, err);
}
