/* The tables of networks; see arch.h. One function expands a ResNet from the numbers of its blocks. */
#include "core/nets/arch.h"

#include <stdio.h>
#include <string.h>

#define CONV(n, in, k, r, s, p, own)                                                                                           \
    {                                                                                                                          \
        .kind = PG_ROW_CONV, .name = n, .input = in, .channels = k, .kernel = r, .stride = s, .pad = p, .relu = true,          \
        .passport = own                                                                                                        \
    }
#define MAXPOOL(in, k, s)                                                                                                      \
    {                                                                                                                          \
        .kind = PG_ROW_MAXPOOL, .input = in, .kernel = k, .stride = s                                                          \
    }
#define AVGPOOL(in, side)                                                                                                      \
    {                                                                                                                          \
        .kind = PG_ROW_AVGPOOL, .input = in, .kernel = side                                                                    \
    }
#define DENSE(n, in, k, act)                                                                                                   \
    {                                                                                                                          \
        .kind = PG_ROW_DENSE, .name = n, .input = in, .channels = k, .relu = act                                               \
    }

static const pg_row alexnet[] = {
    CONV("features.0", PG_IMAGES, 64, 5, 1, 2, false),
    MAXPOOL(0, 2, 2),
    CONV("features.2", 1, 192, 5, 1, 2, false),
    MAXPOOL(2, 2, 2),
    CONV("features.4", 3, 384, 3, 1, 1, true),
    CONV("features.5", 4, 256, 3, 1, 1, true),
    CONV("features.6", 5, 256, 3, 1, 1, true),
    MAXPOOL(6, 2, 2),
    DENSE("classifier", 7, 0, false),
};

static const pg_row alexnet_imagenet[] = {
    CONV("features.0", PG_IMAGES, 64, 11, 4, 2, false),
    MAXPOOL(0, 3, 2),
    CONV("features.2", 1, 192, 5, 1, 2, false),
    MAXPOOL(2, 3, 2),
    CONV("features.4", 3, 384, 3, 1, 1, true),
    CONV("features.5", 4, 256, 3, 1, 1, true),
    CONV("features.6", 5, 256, 3, 1, 1, true),
    MAXPOOL(6, 3, 2),
    AVGPOOL(7, 6),
    DENSE("classifier.1", 8, 4096, true),
    DENSE("classifier.4", 9, 4096, true),
    DENSE("classifier.6", 10, 0, false),
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

static pg_row conv_row(const char *prefix, const char *name, int input, int channels, int kernel, int stride, bool relu,
                       bool own)
{
    pg_row row = CONV("", input, channels, kernel, stride, kernel / 2, own);
    snprintf(row.name, sizeof row.name, "%.15s%.31s", prefix, name);
    row.relu = relu;
    return row;
}

/* Four stages of basic blocks with 64, 128, 256 and 512 channels. Passports are in the last stage by default. */
static int resnet_rows(const int blocks[4], bool imagenet, bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    int n = 0, width = 64;
    rows[n++] = imagenet ? conv_row("", "convbnrelu_1", PG_IMAGES, 64, 7, 2, true, false)
                         : conv_row("", "convbnrelu_1", PG_IMAGES, 64, 3, 1, true, false);
    if (imagenet) rows[n++] = (pg_row){.kind = PG_ROW_MAXPOOL, .input = 0, .kernel = 3, .stride = 2, .pad = 1};
    for (int stage = 0; stage < 4; stage++) {
        const int channels = 64 << stage;
        const bool own = stage == 3;
        for (int block = 0; block < blocks[stage]; block++) {
            const int stride = stage > 0 && block == 0 ? 2 : 1, in = n - 1;
            char prefix[16];
            snprintf(prefix, sizeof prefix, "layer%c.%c.", '1' + stage, '0' + block);
            rows[n] = conv_row(prefix, "convbnrelu_1", in, channels, 3, stride, true, own);
            rows[n + 1] = conv_row(prefix, "convbn_2", n, channels, 3, 1, relu_before_add, own);
            n += 2;
            int shortcut = in;
            if (stride != 1 || width != channels) {
                rows[n] = conv_row(prefix, "shortcut", in, channels, 1, stride, relu_before_add, own);
                shortcut = n++;
            }
            const int second = shortcut == in ? n - 1 : n - 2;
            rows[n++] = (pg_row){.kind = PG_ROW_ADD, .input = second, .other = shortcut, .relu = true};
            width = channels;
        }
    }
    rows[n] = (pg_row)AVGPOOL(n - 1, 1);
    rows[n + 1] = (pg_row)DENSE("linear", n, 0, false);
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

static const pg_arch archs[] = {
    {"alexnet", "AlexNet for 32x32 images: 5 convolutions, 3 pools, 1 dense layer", 32, false, alexnet_rows},
    {"resnet9", "ResNet-9 for 32x32 images: one basic block per stage", 32, true, resnet9_rows},
    {"resnet18", "ResNet-18 for 32x32 images: two basic blocks per stage", 32, true, resnet18_rows},
    {"alexnet-imagenet", "AlexNet for 224x224 images: 5 convolutions, 3 dense layers", 224, false, alexnet_imagenet_rows},
    {"resnet18-imagenet", "ResNet-18 for 224x224 images: 7x7 stem and max pool", 224, true, resnet18_imagenet_rows},
};

const pg_arch *const pg_archs[] = {&archs[0], &archs[1], &archs[2], &archs[3], &archs[4], NULL};

const pg_arch *pg_arch_find(const char *name)
{
    for (int i = 0; pg_archs[i]; i++)
        if (strcmp(pg_archs[i]->name, name) == 0) return pg_archs[i];
    return NULL;
}
