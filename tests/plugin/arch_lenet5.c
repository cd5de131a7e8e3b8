/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worked network: LeNet-5 for 32x32 images, with ReLU and max pools in place of tanh and averages, and norms behind the
 * convolutions. The passport layer is the second convolution. Source: LeCun, Bottou, Bengio, Haffner, Proc. IEEE 1998. */
#include "core/nets/arch.h"

#include <string.h>

static const pg_row lenet5[] = {
    PG_CONV_ROW("conv1", PG_IMAGES, 6, 5, 1, 0, false),
    PG_MAXPOOL_ROW(0, 2, 2),
    PG_CONV_ROW("conv2", 1, 16, 5, 1, 0, true),
    PG_MAXPOOL_ROW(2, 2, 2),
    PG_DENSE_ROW("fc1", 3, 120, true),
    PG_DENSE_ROW("fc2", 4, 84, true),
    PG_DENSE_ROW("fc3", 5, 0, false),
};

static int lenet5_rows(bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    (void)relu_before_add;
    memcpy(rows, lenet5, sizeof lenet5);
    return (int)(sizeof lenet5 / sizeof *lenet5);
}

const pg_arch pg_arch_lenet5 = {
    .name = "lenet5",
    .summary = "LeNet-5 for 32x32 images: 2 convolutions, 2 pools, 3 dense layers",
    .image = 32,
    .rows = lenet5_rows,
};
