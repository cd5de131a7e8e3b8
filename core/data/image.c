/* Decoding pictures; see image.h. */
#include "core/data/image.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jpeglib.h>
#include <png.h>

enum { SIDE_MAX = 20000 };

static pg_status take(pg_image *image, long width, long height, const char *path, pg_error *err)
{
    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: a picture of %ldx%ld pixels is not usable", path, width, height);
    *image = (pg_image){.width = (int)width, .height = (int)height};
    return pg_alloc((size_t)width * (size_t)height, 3, &image->rgb, err);
}

void pg_image_clear(pg_image *image)
{
    pg_free(image->rgb);
    *image = (pg_image){0};
}

static pg_status read_png(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    pg_image image = {0};
    pg_status status = PG_OK;
    if (!png_image_begin_read_from_memory(&png, data, bytes)) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %s", path, png.message));
    png.format = PNG_FORMAT_RGB;
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16-bit files without gamma hold the same curve as 8-bit ones */
    PG_TRY(take(&image, (long)png.width, (long)png.height, path, err));
    if (!png_image_finish_read(&png, NULL, image.rgb, 0, NULL)) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %s", path, png.message));
    *out = image;
    image.rgb = NULL;
done:
    png_image_free(&png);
    pg_image_clear(&image);
    return status;
}

/* libjpeg reports by a jump; warnings (a file that was cut) count as errors too. */
typedef struct jpeg_trouble {
    struct jpeg_error_mgr manager;
    jmp_buf out;
    char message[JMSG_LENGTH_MAX];
} jpeg_trouble;

static void jpeg_stop(j_common_ptr info)
{
    jpeg_trouble *trouble = (jpeg_trouble *)info->err;
    trouble->manager.format_message(info, trouble->message);
    longjmp(trouble->out, 1);
}

static void jpeg_warn(j_common_ptr info, int level)
{
    if (level < 0) jpeg_stop(info);
}

static pg_status read_jpeg(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err)
{
    struct jpeg_decompress_struct jpeg;
    jpeg_trouble trouble;
    pg_image *volatile image = out;
    *out = (pg_image){0};
    jpeg.err = jpeg_std_error(&trouble.manager);
    trouble.manager.error_exit = jpeg_stop;
    trouble.manager.emit_message = jpeg_warn;
    if (setjmp(trouble.out)) {
        jpeg_destroy_decompress(&jpeg);
        pg_image_clear(image);
        return pg_fail(err, PG_BAD_INPUT, "%s: %s", path, trouble.message);
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, data, (unsigned long)bytes);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    const pg_status status = take(out, (long)jpeg.image_width, (long)jpeg.image_height, path, err);
    if (status != PG_OK) {
        jpeg_destroy_decompress(&jpeg);
        return status;
    }
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = out->rgb + (size_t)jpeg.output_scanline * (size_t)out->width * 3;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return PG_OK;
}

pg_status pg_image_read(const char *path, pg_image *out, pg_error *err)
{
    char *data = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read(path, &data, &bytes, err);
    if (status != PG_OK) return status;
    if (bytes >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        status = read_png(path, data, bytes, out, err);
    else if (bytes >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        status = read_jpeg(path, data, bytes, out, err);
    else
        status = pg_fail(err, PG_BAD_INPUT, "%s: neither a PNG nor a JPEG file", path);
    pg_free(data);
    return status;
}

bool pg_image_name(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 || strcasecmp(dot, ".png") == 0);
}

pg_status pg_image_centre(const pg_image *image, int side, uint8_t *out, const char *path, pg_error *err)
{
    if (image->width < side || image->height < side)
        return pg_fail(err, PG_BAD_INPUT, "%s: a picture of %dx%d has no %dx%d centre", path, image->width, image->height, side,
                       side);
    const int left = (int)lround((image->width - side) / 2.0), top = (int)lround((image->height - side) / 2.0);
    for (int y = 0; y < side; y++)
        memcpy(out + (size_t)(y * side) * 3, image->rgb + ((size_t)(top + y) * (size_t)image->width + (size_t)left) * 3,
               (size_t)side * 3);
    return PG_OK;
}

/* One output line from `in` by a triangle filter of the width of one output pixel; strides are in bytes. */
static void shrink_line(const uint8_t *in, int in_size, int in_stride, uint8_t *out, int out_size, int out_stride)
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

pg_status pg_image_shrink(const pg_image *image, int side, pg_image *out, const char *path, pg_error *err)
{
    const bool tall = image->height > image->width;
    const int shorter = tall ? image->width : image->height, longer = tall ? image->height : image->width;
    const int other = (int)((long)longer * side / shorter), width = tall ? side : other, height = tall ? other : side;
    pg_image half = {0};
    pg_status status = PG_OK;
    *out = (pg_image){0};
    PG_TRY(take(&half, width, image->height, path, err));
    PG_TRY(take(out, width, height, path, err));
    for (int y = 0; y < image->height; y++)
        shrink_line(image->rgb + (ptrdiff_t)y * image->width * 3, image->width, 3, half.rgb + (ptrdiff_t)y * width * 3, width,
                    3);
    for (int x = 0; x < width; x++)
        shrink_line(half.rgb + (ptrdiff_t)x * 3, image->height, width * 3, out->rgb + (ptrdiff_t)x * 3, height, width * 3);
done:
    pg_image_clear(&half);
    return status;
}
