/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AlexNet, as in the passport paper's reference code: for 32x32 images, and for 224x224. */
#include "core/nets/arch.h"

#include <string.h>

static const pg_row alexnet[] = {
    PG_CONV_ROW("features.0", PG_IMAGES, 64, 5, 1, 2, false),
    PG_MAXPOOL_ROW(0, 2, 2),
    PG_CONV_ROW("features.2", 1, 192, 5, 1, 2, false),
    PG_MAXPOOL_ROW(2, 2, 2),
    PG_CONV_ROW("features.4", 3, 384, 3, 1, 1, true),
    PG_CONV_ROW("features.5", 4, 256, 3, 1, 1, true),
    PG_CONV_ROW("features.6", 5, 256, 3, 1, 1, true),
    PG_MAXPOOL_ROW(6, 2, 2),
    PG_DENSE_ROW("classifier", 7, 0, false),
};

static const pg_row alexnet_imagenet[] = {
    PG_CONV_ROW("features.0", PG_IMAGES, 64, 11, 4, 2, false),
    PG_MAXPOOL_ROW(0, 3, 2),
    PG_CONV_ROW("features.2", 1, 192, 5, 1, 2, false),
    PG_MAXPOOL_ROW(2, 3, 2),
    PG_CONV_ROW("features.4", 3, 384, 3, 1, 1, true),
    PG_CONV_ROW("features.5", 4, 256, 3, 1, 1, true),
    PG_CONV_ROW("features.6", 5, 256, 3, 1, 1, true),
    PG_MAXPOOL_ROW(6, 3, 2),
    PG_AVGPOOL_ROW(7, 6),
    PG_DENSE_ROW("classifier.1", 8, 4096, true),
    PG_DENSE_ROW("classifier.4", 9, 4096, true),
    PG_DENSE_ROW("classifier.6", 10, 0, false),
};

static int alexnet_rows(bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    (void)relu_before_add;
    memcpy(rows, alexnet, sizeof alexnet);
    return (int)(sizeof alexnet / sizeof *alexnet);
}

static int alexnet_imagenet_rows(bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    (void)relu_before_add;
    memcpy(rows, alexnet_imagenet, sizeof alexnet_imagenet);
    return (int)(sizeof alexnet_imagenet / sizeof *alexnet_imagenet);
}

const pg_arch pg_arch_alexnet = {
    .name = "alexnet",
    .summary = "AlexNet for 32x32 images: 5 convolutions, 3 pools, 1 dense layer",
    .image = 32,
    .rows = alexnet_rows,
};

const pg_arch pg_arch_alexnet_imagenet = {
    .name = "alexnet-imagenet",
    .summary = "AlexNet for 224x224 images: 5 convolutions, 3 dense layers",
    .image = 224,
    .rows = alexnet_imagenet_rows,
};
