/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data set of the user's own: class folders of pictures. */
#ifndef PG_DATA_PICTURE_SET_H
#define PG_DATA_PICTURE_SET_H

#include "core/data/dataset.h"
#include "core/formats/options.h"

/* A folder with one folder of pictures for each class, or with such folders in train/ and in test/ (or val/). In the first case
 * the share `split` of each class becomes the test split, drawn with the seed split_seed. */
typedef struct pg_picture_set {
    char path[PG_TEXT_MAX]; /* empty: none */
    int size;               /* side of the images */
    int fit;                /* pg_fit */
    double split;           /* in (0, 1) */
    int split_seed;
} pg_picture_set;

enum { PG_PICTURES_SIDE_MAX = 1024 };

/* Read it as a data set called name. Class c is the c-th folder in bytewise order. Pictures are decoded as by pg_image_read,
 * then turned as their EXIF orientation says, then fitted. PG_BAD_INPUT if there are fewer than two classes, a class without
 * pictures in one split, pictures outside of class folders, folders inside them, or other classes in test/ than in train/. */
PG_CHECKED pg_status pg_picture_set_load(const char *name, const pg_picture_set *set, pg_data *out, pg_error *err);

/* Read a data set: the folders of set if it has a path, else the data set called name (see pg_data_load). */
PG_CHECKED pg_status pg_data_read(const char *name, const pg_picture_set *set, const char *directory, pg_data *out,
                                  pg_error *err);

/* Do both read the same images? */
bool pg_picture_set_same(const pg_picture_set *a, const pg_picture_set *b);

#endif
