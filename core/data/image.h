/* Decoding pictures: PNG by libpng, JPEG by libjpeg-turbo. */
#ifndef PG_DATA_IMAGE_H
#define PG_DATA_IMAGE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* 8-bit RGB, row-major; rgb is freed by pg_free. */
typedef struct pg_image {
    int width, height;
    uint8_t *rgb;
} pg_image;

/* Read a picture of either kind, told by its first bytes; what is transparent is laid over black. Damaged or cut files are
 * PG_BAD_INPUT and name the file. */
PG_CHECKED pg_status pg_image_read(const char *path, pg_image *out, pg_error *err);
void pg_image_clear(pg_image *image);

/* Is this the name of a picture (.jpg, .jpeg, .png, any case)? */
bool pg_image_name(const char *file);

/* The side x side centre of an image into out [side,side,3]; the image must be at least that large. path is for messages, here
 * and below. */
PG_CHECKED pg_status pg_image_centre(const pg_image *image, int side, uint8_t *out, const char *path, pg_error *err);

/* The image with its shorter side scaled to `side`, by averaging over the area (triangle filter) so that nothing aliases. */
PG_CHECKED pg_status pg_image_shrink(const pg_image *image, int side, pg_image *out, const char *path, pg_error *err);

#endif
