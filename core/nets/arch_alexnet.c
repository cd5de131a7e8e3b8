/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AlexNet, as in the passport paper's reference code: for 32x32 images; the one for 224x224 is
 * configs/networks/alexnet-imagenet.yaml. */
#include "core/nets/arch.h"

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

const pg_arch pg_arch_alexnet = {
    .name = "alexnet",
    .summary = "AlexNet for 32x32 images: 5 convolutions, 3 pools, 1 dense layer",
    .image = 32,
    PG_ARCH_TABLE(alexnet),
};
