/* IDX files (MNIST, Fashion-MNIST): big-endian header, then bytes. */
#include "core/data/readers.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>

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

/* Read an IDX file of unsigned bytes with `dims` dimensions. *count is the first; the items start at *items in the block *data.
 */
static pg_status read_idx(const char *folder, const char *file, int dims, char path[PG_PATH_MAX], char **data,
                          const uint8_t **items, int *count, pg_error *err)
{
    size_t bytes = 0, size = 1;
    const size_t header = 4 + 4 * (size_t)dims;
    const pg_status status = pg_data_file(folder, file, path, data, &bytes, err);
    if (status != PG_OK) return status;
    const uint8_t *at = (const uint8_t *)*data;
    if (bytes < header || big_endian(at) != (0x800u | (unsigned)dims))
        return pg_fail(err, PG_BAD_INPUT, "%s: not an IDX file of bytes with %d dimensions", path, dims);
    for (int d = 0; d < dims; d++) {
        const uint32_t extent = big_endian(at + 4 + 4 * d);
        if (extent == 0 || extent > 1u << 24 || (d > 0 && extent != 28))
            return pg_fail(err, PG_BAD_INPUT, "%s: dimension %d is %u", path, d, extent);
        size *= extent;
    }
    if (bytes != header + size) return pg_fail(err, PG_BAD_INPUT, "%s: %zu bytes, expected %zu", path, bytes, header + size);
    *items = at + header;
    *count = (int)big_endian(at + 4);
    return PG_OK;
}

static pg_status read_split(const char *folder, const char *prefix, const char *name, pg_dataset *out, pg_error *err)
{
    pg_status status = PG_OK;
    char file[64], path[PG_PATH_MAX], *pixels = NULL, *marks = NULL;
    const uint8_t *images = NULL, *labels = NULL;
    int count = 0, again = 0;
    snprintf(file, sizeof file, "%s-images-idx3-ubyte", prefix);
    PG_TRY(read_idx(folder, file, 3, path, &pixels, &images, &count, err));
    snprintf(file, sizeof file, "%s-labels-idx1-ubyte", prefix);
    PG_TRY(read_idx(folder, file, 1, path, &marks, &labels, &again, err));
    if (again != count) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: %d labels for %d images", path, again, count));
    PG_TRY(pg_dataset_allocate(out, count, 32, 32, err));
    out->classes = 10;
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->source, sizeof out->source, "%s, IDX files, official split", name);
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

pg_status pg_idx_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    char folder[PG_PATH_MAX];
    pg_status status = pg_path(folder, directory, name, NULL, err);
    if (status != PG_OK) return status;
    if (!pg_file_exists(folder)) return pg_canonical_load(name, directory, out, err);
    status = read_split(folder, "train", name, &out->train, err);
    return status == PG_OK ? read_split(folder, "t10k", name, &out->test, err) : status;
}
