/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nearly equal pieces of evidence; see distinct.h. */
#include "core/ownership/distinct.h"

#include "core/base/memory.h"
#include "core/ownership/mark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- filters ---- */

/* Products of filter i with filters 0 .. i. A projection is [taps][bits]. */
static void products(const pg_mark *m, int i, double *out)
{
    for (int j = 0; j <= i; j++) out[j] = 0;
    for (int t = 0; t < pg_mark_width(m); t++) {
        const pg_real *row = m->projection + (ptrdiff_t)t * m->bits;
        for (int j = 0; j <= i; j++) out[j] += (double)row[i] * (double)row[j];
    }
}

/* keep[i]: filter i differs from all earlier ones. */
static void find_filters(const pg_mark *m, bool *keep)
{
    double product[PG_MARK_BITS_MAX], square[PG_MARK_BITS_MAX];
    for (int i = 0; i < m->bits; i++) {
        products(m, i, product);
        square[i] = product[i];
        keep[i] = true;
        for (int j = 0; j < i && keep[i]; j++)
            keep[i] = !keep[j] || product[j] * product[j] <= 0.98 * 0.98 * square[i] * square[j];
    }
}

/* Drop, in place, the filters that nearly equal an earlier one. A mark that is not read by a bank keeps all: the bits of a
 * filtered one are a hash, so they are fair coins even if all filters are equal; those of residuals and of a placed mark are
 * read from weights of their own. */
static int drop_filters(pg_mark *m)
{
    bool keep[PG_MARK_BITS_MAX];
    const int before = m->bits;
    if (!pg_mark_is_bank(m)) return 0;
    find_filters(m, keep);
    pg_real *to = m->projection;
    int bits = 0;
    for (int t = 0; t < pg_mark_width(m); t++)
        for (int i = 0; i < before; i++)
            if (keep[i]) *to++ = m->projection[(ptrdiff_t)t * before + i];
    for (int i = 0; i < before; i++)
        if (keep[i]) m->b[bits++] = m->b[i];
    m->bits = bits;
    return before - bits;
}

/* ---- pictures ---- */

enum { GRID = 16, THUMB = GRID * GRID * 3, BLOCK = THUMB / 6 };
/* Largest average difference of levels between pictures that repeat each other, and between a picture and the test image that
 * it repeats. The second is smaller: an ordinary picture with a small stamp on it is a picture of its own. */
enum { REPEATS = 8, SAME = 1 };

/* Means of a picture over a grid of GRID x GRID cells, by colour. */
static void shrink(const pg_dataset *data, int index, uint8_t thumb[THUMB])
{
    const uint8_t *image = data->images + (size_t)index * (size_t)(data->height * data->width * 3);
    long sum[THUMB] = {0}, count[GRID * GRID] = {0};
    for (int y = 0; y < data->height; y++)
        for (int x = 0; x < data->width; x++) {
            const int cell = y * GRID / data->height * GRID + x * GRID / data->width;
            count[cell]++;
            for (int c = 0; c < 3; c++) sum[cell * 3 + c] += image[(y * data->width + x) * 3 + c];
        }
    for (int i = 0; i < THUMB; i++) thumb[i] = (uint8_t)(count[i / 3] ? sum[i] / count[i / 3] : 0);
}

/* The loop stops only between blocks, so that the compiler can add a block in a few vector instructions. */
static bool near(const uint8_t *a, const uint8_t *b, int levels)
{
    int difference = 0;
    for (int block = 0; block < THUMB && difference < levels * THUMB; block += BLOCK)
        for (int i = block; i < block + BLOCK; i++) difference += abs(a[i] - b[i]);
    return difference < levels * THUMB;
}

static bool near_any(const uint8_t *thumb, const uint8_t *others, int count, int levels)
{
    for (int i = 0; i < count; i++)
        if (near(thumb, others + (size_t)i * THUMB, levels)) return true;
    return false;
}

static pg_status shrink_all(const pg_dataset *data, uint8_t **out, pg_error *err)
{
    const pg_status status = pg_alloc((size_t)data->count * THUMB, 1, out, err);
    for (int i = 0; i < data->count && status == PG_OK; i++) shrink(data, i, *out + (size_t)i * THUMB);
    return status;
}

/* Drop, in place, the pictures that nearly equal an earlier one or one of `known`. */
static pg_status drop_pictures(pg_dataset *t, const pg_dataset *known, int *dropped, pg_error *err)
{
    pg_status status = PG_OK;
    uint8_t *kept = NULL, *others = NULL;
    const size_t size = (size_t)t->height * (size_t)t->width * 3;
    const int before = t->count;
    int count = 0;
    PG_TRY(pg_alloc((size_t)before * THUMB, 1, &kept, err));
    if (known) PG_TRY(shrink_all(known, &others, err));
    for (int i = 0; i < before; i++) {
        uint8_t *thumb = kept + (size_t)count * THUMB;
        shrink(t, i, thumb);
        if (near_any(thumb, kept, count, REPEATS) || (known && near_any(thumb, others, known->count, SAME))) continue;
        memmove(t->images + (size_t)count * size, t->images + (size_t)i * size, size);
        t->labels[count++] = t->labels[i];
    }
    t->count = count;
    *dropped += before - count;
done:
    pg_free(kept);
    pg_free(others);
    return status;
}

pg_status pg_evidence_distinct(const pg_evidence *evidence, const pg_dataset *known, pg_evidence **out, int *dropped,
                               pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *copy = NULL;
    *dropped = 0;
    PG_TRY(pg_evidence_clone(evidence, &copy, err));
    *dropped = drop_filters(&copy->mark);
    if (copy->triggers.count) PG_TRY(drop_pictures(&copy->triggers, known, dropped, err));
    *out = copy;
    copy = NULL;
done:
    pg_evidence_destroy(&copy);
    return status;
}
