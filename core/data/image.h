/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoding pictures: PNG by libpng, JPEG by libjpeg-turbo.
 *
 * The pixels equal those of Image.open(FILE).convert("RGB") in Python's PIL, bit for bit if PIL uses the same libraries. Grey
 * and palette pictures become RGB. Of 16 bits the reader keeps the high 8. It drops alpha, so a transparent pixel keeps its
 * stored colour. It applies neither gamma nor colour profiles, and the orientation in EXIF only if the caller asks for it. It
 * reads CMYK as inverted, as Adobe writes it. It refuses grey PNG files of 16 bits, which PIL clips at 255, truncated files and
 * damaged pixels. It ignores bytes after the picture or before a JPEG's end marker. */
#ifndef PG_DATA_IMAGE_H
#define PG_DATA_IMAGE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PG_IMAGE_FILE_MAX = 1 << 30 /* bytes */ };

/* 8-bit RGB, row-major; rgb is freed by pg_free. */
typedef struct pg_image {
    int width, height;
    uint8_t *rgb;
} pg_image;

/* Read a PNG or JPEG file, told apart by its first bytes. PG_BAD_INPUT, naming the file, if it is damaged or truncated, is a
 * JPEG of more than 100 scans, has more than 20,000 pixels on a side or 100 million in all, or is smaller than any file of the
 * picture size in its header. Checks sizes before it allocates memory. */
PG_CHECKED pg_status pg_image_read(const char *path, pg_image *out, pg_error *err);
/* The same for a file in memory; path is for messages. */
PG_CHECKED pg_status pg_image_decode(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err);
void pg_image_clear(pg_image *image);

/* Read a file as pg_image_read does and turn it upright, as ImageOps.exif_transpose in PIL. */
PG_CHECKED pg_status pg_image_read_upright(const char *path, pg_image *out, pg_error *err);
/* The EXIF orientation of a PNG or JPEG file in memory, 1 to 8; 1 (upright) if it has none that is valid. */
int pg_image_orientation(const void *data, size_t bytes);
/* Turn a picture of that orientation upright. Leaves it unchanged on failure. */
PG_CHECKED pg_status pg_image_turn(pg_image *image, int orientation, pg_error *err);

/* Is this the name of a picture (.jpg, .jpeg, .jpe, .jfif or .png, in any case), and not hidden? */
bool pg_image_name(const char *file);

/* Copy the side x side centre of an image to out [side,side,3]. PG_BAD_INPUT if the image is smaller. path is for messages,
 * here and below. */
PG_CHECKED pg_status pg_image_centre(const pg_image *image, int side, uint8_t *out, const char *path, pg_error *err);

/* Scale an image to width x height with a triangle filter, which averages over the area of each pixel and so avoids aliasing.
 */
PG_CHECKED pg_status pg_image_scale(const pg_image *image, int width, int height, pg_image *out, const char *path,
                                    pg_error *err);
/* Scale its shorter side to `side` pixels, and the other in proportion. */
PG_CHECKED pg_status pg_image_shrink(const pg_image *image, int side, pg_image *out, const char *path, pg_error *err);

#endif
