/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked network: LeNet-5 for 32x32 images, with ReLU and max pools in place of tanh and averages, and norms behind the
 * convolutions. The passport layer is the second convolution. Source: LeCun, Bottou, Bengio, Haffner, Proc. IEEE 1998. */
#include "core/nets/arch.h"

static const pg_row lenet[] = {
    PG_CONV_ROW("conv1", PG_IMAGES, 6, 5, 1, 0, false),
    PG_MAXPOOL_ROW(0, 2, 2),
    PG_CONV_ROW("conv2", 1, 16, 5, 1, 0, true),
    PG_MAXPOOL_ROW(2, 2, 2),
    PG_DENSE_ROW("fc1", 3, 120, true),
    PG_DENSE_ROW("fc2", 4, 84, true),
    PG_DENSE_ROW("fc3", 5, 0, false),
};

const pg_arch pg_arch_lenet = {
    .name = "lenet",
    .summary = "LeNet-5 for 32x32 images: 2 convolutions, 2 pools, 3 dense layers",
    .image = 32,
    PG_ARCH_TABLE(lenet),
};
