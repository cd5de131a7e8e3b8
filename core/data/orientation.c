/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The orientation of pictures; see image.h. Source: Exif 2.3, CIPA DC-008, section 4.6 (a TIFF structure in a JPEG segment APP1
 * or a PNG chunk eXIf), tag 0x0112. */
#include "core/data/image.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <string.h>

/* Bytes of a file. */
typedef struct span {
    const uint8_t *at;
    size_t count;
} span;

static uint32_t number(const uint8_t *at, int bytes, bool little)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[little ? bytes - 1 - i : i];
    return value;
}

/* The orientation in a TIFF structure; 1 if it has none. */
static int in_tiff(span tiff)
{
    enum { HEADER = 8, ENTRY = 12, SHORT = 3, ORIENTATION = 0x0112 };
    if (tiff.count < HEADER) return 1;
    const bool little = memcmp(tiff.at, "II*\0", 4) == 0;
    if (!little && memcmp(tiff.at, "MM\0*", 4) != 0) return 1;
    const size_t start = number(tiff.at + 4, 4, little);
    if (start > tiff.count || tiff.count - start < 2) return 1;
    const size_t room = (tiff.count - start - 2) / ENTRY, told = number(tiff.at + start, 2, little);
    for (size_t i = 0; i < told && i < room; i++) {
        const uint8_t *entry = tiff.at + start + 2 + i * ENTRY;
        if (number(entry, 2, little) != ORIENTATION || number(entry + 2, 2, little) != SHORT) continue;
        const uint32_t value = number(entry + 8, 2, little);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static int in_jpeg(span file)
{
    enum { SCAN = 0xDA, APP1 = 0xE1 };
    static const char head[6] = "Exif\0"; /* and a second zero */
    for (size_t at = 2; file.count - at >= 4 && file.at[at] == 0xFF;) {
        const int marker = file.at[at + 1];
        const size_t length = number(file.at + at + 2, 2, false);
        if (marker == SCAN || length < 2 || length > file.count - at - 2) return 1;
        if (marker == APP1 && length >= 2 + sizeof head && memcmp(file.at + at + 4, head, sizeof head) == 0)
            return in_tiff((span){file.at + at + 4 + sizeof head, length - 2 - sizeof head});
        at += 2 + length;
    }
    return 1;
}

static int in_png(span file)
{
    enum { FRAME = 12 }; /* length, type, checksum */
    for (size_t at = 8; file.count - at >= FRAME;) {
        const size_t length = number(file.at + at, 4, false);
        if (length > file.count - at - FRAME) return 1;
        if (memcmp(file.at + at + 4, "eXIf", 4) == 0) return in_tiff((span){file.at + at + 8, length});
        at += FRAME + length;
    }
    return 1;
}

int pg_image_orientation(const void *data, size_t bytes)
{
    const span file = {data, bytes};
    if (bytes < 8) return 1;
    return memcmp(data, "\xff\xd8", 2) == 0 ? in_jpeg(file) : in_png(file);
}

pg_status pg_image_turn(pg_image *image, int orientation, pg_error *err)
{
    const bool swap = orientation >= 5, mirror = orientation == 2 || orientation == 3 || orientation >= 7;
    const bool flip = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const int width = image->width, height = image->height;
    pg_image turned = {.width = swap ? height : width, .height = swap ? width : height};
    if (orientation == 1) return PG_OK;
    const pg_status status = pg_alloc((size_t)width * (size_t)height, 3, &turned.rgb, err);
    if (status != PG_OK) return status;
    uint8_t *to = turned.rgb;
    for (int y = 0; y < turned.height; y++)
        for (int x = 0; x < turned.width; x++, to += 3) {
            const int u = swap ? y : x, v = swap ? x : y;
            const int from_x = mirror ? width - 1 - u : u, from_y = flip ? height - 1 - v : v;
            memcpy(to, image->rgb + ((size_t)from_y * (size_t)width + (size_t)from_x) * 3, 3);
        }
    pg_image_clear(image);
    *image = turned;
    return PG_OK;
}

pg_status pg_image_read_upright(const char *path, pg_image *out, pg_error *err)
{
    char *data = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read_up_to(path, PG_IMAGE_FILE_MAX, &data, &bytes, err);
    *out = (pg_image){0};
    if (status == PG_OK) status = pg_image_decode(path, data, bytes, out, err);
    if (status == PG_OK) status = pg_image_turn(out, pg_image_orientation(data, bytes), err);
    if (status != PG_OK) pg_image_clear(out);
    pg_free(data);
    return status;
}
