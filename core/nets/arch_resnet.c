/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ResNets, as in the passport paper's reference code: a list of stage lengths, expanded to rows by one function. */
#include "core/nets/arch.h"

#include <stdio.h>

static pg_row resnet_conv(const char *prefix, const char *name, int input, int channels, int kernel, int stride, bool relu,
                          bool own)
{
    pg_row row = PG_CONV_ROW("", input, channels, kernel, stride, kernel / 2, own);
    snprintf(row.name, sizeof row.name, "%.15s%.31s", prefix, name);
    row.relu = relu;
    return row;
}

/* Basic blocks in four stages of 64, 128, 256, 512 channels; passports in the last stage by default. */
static int resnet_rows(const int blocks[4], bool imagenet, bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    int n = 0, width = 64;
    rows[n++] = imagenet ? resnet_conv("", "convbnrelu_1", PG_IMAGES, 64, 7, 2, true, false)
                         : resnet_conv("", "convbnrelu_1", PG_IMAGES, 64, 3, 1, true, false);
    if (imagenet) rows[n++] = (pg_row){.kind = PG_ROW_MAXPOOL, .input = 0, .kernel = 3, .stride = 2, .pad = 1};
    for (int stage = 0; stage < 4; stage++) {
        const int channels = 64 << stage;
        const bool own = stage == 3;
        for (int block = 0; block < blocks[stage]; block++) {
            const int stride = stage > 0 && block == 0 ? 2 : 1, in = n - 1;
            char prefix[16];
            snprintf(prefix, sizeof prefix, "layer%c.%c.", '1' + stage, '0' + block);
            rows[n] = resnet_conv(prefix, "convbnrelu_1", in, channels, 3, stride, true, own);
            rows[n + 1] = resnet_conv(prefix, "convbn_2", n, channels, 3, 1, relu_before_add, own);
            n += 2;
            int shortcut = in;
            if (stride != 1 || width != channels) {
                rows[n] = resnet_conv(prefix, "shortcut", in, channels, 1, stride, relu_before_add, own);
                shortcut = n++;
            }
            const int second = shortcut == in ? n - 1 : n - 2;
            rows[n++] = (pg_row){.kind = PG_ROW_ADD, .input = second, .other = shortcut, .relu = true};
            width = channels;
        }
    }
    rows[n] = (pg_row)PG_AVGPOOL_ROW(n - 1, 1);
    rows[n + 1] = (pg_row)PG_DENSE_ROW("linear", n, 0, false);
    return n + 2;
}

static int resnet9_rows(bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    return resnet_rows((const int[]){1, 1, 1, 1}, false, relu_before_add, rows);
}

static int resnet18_rows(bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    return resnet_rows((const int[]){2, 2, 2, 2}, false, relu_before_add, rows);
}

static int resnet18_imagenet_rows(bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    return resnet_rows((const int[]){2, 2, 2, 2}, true, relu_before_add, rows);
}

const pg_arch pg_arch_resnet9 = {
    .name = "resnet9",
    .summary = "ResNet-9 for 32x32 images: one basic block per stage",
    .image = 32,
    .residual = true,
    .rows = resnet9_rows,
};

const pg_arch pg_arch_resnet18 = {
    .name = "resnet18",
    .summary = "ResNet-18 for 32x32 images: two basic blocks per stage",
    .image = 32,
    .residual = true,
    .rows = resnet18_rows,
};

const pg_arch pg_arch_resnet18_imagenet = {
    .name = "resnet18-imagenet",
    .summary = "ResNet-18 for 224x224 images: 7x7 stem and max pool",
    .image = 224,
    .residual = true,
    .rows = resnet18_imagenet_rows,
};
