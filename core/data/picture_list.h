/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures in class folders, read as images of one size. */
#ifndef PG_DATA_PICTURE_LIST_H
#define PG_DATA_PICTURE_LIST_H

#include "core/base/directory.h"
#include "core/base/text_pool.h"
#include "core/data/dataset.h"

typedef struct pg_picture {
    const char *path;
    int label;
    bool test; /* belongs to the test split */
} pg_picture;

/* A zeroed list is empty. */
typedef struct pg_picture_list {
    pg_picture *items;
    int count;
    pg_text_pool paths;
} pg_picture_list;

/* Add the pictures of a class folder, sorted bytewise by name, as training images. PG_BAD_INPUT if it has fewer than `least`
 * pictures. */
PG_CHECKED pg_status pg_picture_list_add(pg_picture_list *list, const char *folder, int label, int least, pg_error *err);
void pg_picture_list_clear(pg_picture_list *list);

/* How a picture becomes a square image. CROP: scale its shorter side to the side of the image and keep the centre. STRETCH:
 * scale both sides. EXACT: refuse a picture of another size. */
typedef enum pg_fit { PG_FIT_CROP, PG_FIT_STRETCH, PG_FIT_EXACT } pg_fit;
extern const char *const pg_fit_names[]; /* by pg_fit, ended by NULL */

typedef struct pg_framing {
    int side;
    pg_fit fit;
    bool upright; /* turn a picture as its EXIF orientation says */
} pg_framing;

/* Read every picture, on the threads of this rank, into the splits of *out, in the order of the list. If pictures are refused,
 * the error is that of the first one. */
PG_CHECKED pg_status pg_picture_list_read(const pg_picture_list *list, pg_framing framing, const char *name, const char *source,
                                          int classes, pg_data *out, pg_error *err);

#endif
