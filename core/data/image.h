/* Decoding pictures: PNG by libpng, JPEG by libjpeg-turbo.
 *
 * The pixels are those that Python's PIL gives for Image.open(FILE).convert("RGB"), bit for bit where it uses the same
 * libraries: grey and palettes become RGB; of 16 bits the high 8 count; alpha is dropped, so that a transparent pixel keeps its
 * stored colour; gamma, colour profiles and the orientation in EXIF are not applied; CMYK is inverted, as Adobe writes it. The
 * reader refuses grey PNG of 16 bits, which PIL clips at 255, and truncated files or damaged pixels. It ignores bytes after the
 * picture or before a JPEG's end marker. */
#ifndef PG_DATA_IMAGE_H
#define PG_DATA_IMAGE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 8-bit RGB, row-major; rgb is freed by pg_free. */
typedef struct pg_image {
    int width, height;
    uint8_t *rgb;
} pg_image;

/* Read a picture; its first bytes tell PNG from JPEG. PG_BAD_INPUT, naming the file, if it is damaged or truncated, is a JPEG
 * of more than 100 scans, has more than 20,000 pixels on a side or 100 million in all, or is too small for the picture that its
 * header announces. Checks sizes before it allocates memory. */
PG_CHECKED pg_status pg_image_read(const char *path, pg_image *out, pg_error *err);
/* The same from memory; path is for messages. */
PG_CHECKED pg_status pg_image_decode(const char *path, const void *data, size_t bytes, pg_image *out, pg_error *err);
void pg_image_clear(pg_image *image);

/* Is this the name of a picture (.jpg, .jpeg, .jpe, .jfif or .png, in any case) that is not hidden? */
bool pg_image_name(const char *file);

/* The side x side centre of an image into out [side,side,3]; the image must be at least that large. path is for messages, here
 * and below. */
PG_CHECKED pg_status pg_image_centre(const pg_image *image, int side, uint8_t *out, const char *path, pg_error *err);

/* The image with its shorter side scaled to `side`, by averaging over the area (triangle filter) so that nothing aliases. */
PG_CHECKED pg_status pg_image_shrink(const pg_image *image, int side, pg_image *out, const char *path, pg_error *err);

#endif
