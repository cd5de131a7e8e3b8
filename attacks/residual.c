/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Residual blocks; see residual.h. */
#include "attacks/residual.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

#include <math.h>
#include <string.h>

const char *const pg_residual_kinds[] = {"none", "individual", "collective", NULL};

static const pg_real leak = (pg_real)0.01;

static void fill_uniform(pg_real *values, size_t count, int inputs, pg_rng *rng)
{
    for (size_t e = 0; e < count; e++) values[e] = (pg_real)((2 * pg_rng_uniform(rng) - 1) / sqrt(inputs));
}

pg_status pg_residual_open(pg_residual *r, pg_residual_kind kind, int channels, pg_rng *rng, pg_error *err)
{
    pg_status status = PG_OK;
    const int sizes[][3] = {{0, 0, 0}, {channels, 1, 10}, {1, channels, channels / 8}};
    *r = (pg_residual){.channels = channels, .groups = sizes[kind][0], .wide = sizes[kind][1], .hidden = sizes[kind][2]};
    const size_t hidden = (size_t)(r->groups * r->hidden), wide = (size_t)(r->groups * r->wide);
    const size_t dense = hidden * (size_t)r->wide;
    r->w1 = (size_t)channels;
    r->b1 = r->w1 + dense;
    r->w2 = r->b1 + hidden;
    r->b2 = r->w2 + dense;
    r->count = r->b2 + wide;
    PG_TRY(pg_alloc(r->count, sizeof *r->values, &r->values, err));
    PG_TRY(pg_alloc(r->count, sizeof *r->momentum, &r->momentum, err));
    PG_TRY(pg_alloc(r->count, sizeof *r->gradient, &r->gradient, err));
    PG_TRY(pg_alloc(hidden, sizeof *r->inner, &r->inner, err));
    PG_TRY(pg_alloc(hidden, sizeof *r->dinner, &r->dinner, err));
    PG_TRY(pg_alloc(wide, sizeof *r->back, &r->back, err));
    for (int k = 0; k < channels; k++) r->values[k] = 1;
    fill_uniform(r->values + r->w1, dense + hidden, r->wide, rng);
    fill_uniform(r->values + r->w2, dense + wide, r->hidden, rng);
done:
    return status;
}

void pg_residual_close(pg_residual *r)
{
    pg_real *const all[] = {r->values, r->momentum, r->gradient, r->inner, r->dinner, r->back};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) pg_free(all[i]);
    *r = (pg_residual){0};
}

void pg_residual_forward(pg_residual *r, pg_real *out)
{
    const pg_real *v = r->values;
    pg_zero((size_t)r->channels, out);
    for (int g = 0; g < r->groups; g++) {
        const int at = g * r->hidden * r->wide;
        pg_real *inner = r->inner + g * r->hidden;
        pg_dense_forward((pg_dense){r->wide, r->hidden}, 1, v + g * r->wide, v + r->w1 + at, v + r->b1 + g * r->hidden, inner);
        for (int h = 0; h < r->hidden; h++) inner[h] = inner[h] > 0 ? inner[h] : leak * inner[h];
        pg_dense_forward((pg_dense){r->hidden, r->wide}, 1, inner, v + r->w2 + at, v + r->b2 + g * r->wide, out + g * r->wide);
    }
    pg_accumulate((size_t)r->channels, v, out);
}

void pg_residual_backward(pg_residual *r, const pg_real *dout)
{
    const pg_real *v = r->values;
    pg_real *d = r->gradient;
    pg_zero(r->count, d);
    for (int g = 0; g < r->groups; g++) {
        const int at = g * r->hidden * r->wide;
        const pg_real *inner = r->inner + g * r->hidden;
        pg_real *dinner = r->dinner + g * r->hidden;
        pg_dense_backward((pg_dense){r->hidden, r->wide}, 1, inner, v + r->w2 + at, dout + g * r->wide, d + r->w2 + at,
                          d + r->b2 + g * r->wide, dinner, false);
        for (int h = 0; h < r->hidden; h++) dinner[h] = inner[h] > 0 ? dinner[h] : leak * dinner[h];
        pg_dense_backward((pg_dense){r->wide, r->hidden}, 1, v + g * r->wide, v + r->w1 + at, dinner, d + r->w1 + at,
                          d + r->b1 + g * r->hidden, r->back + g * r->wide, false);
    }
    if (r->groups) memcpy(d, r->back, (size_t)r->channels * sizeof *d);
    pg_accumulate((size_t)r->channels, dout, d);
}
