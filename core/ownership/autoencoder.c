/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small autoencoder; see autoencoder.h. */
#include "core/ownership/autoencoder.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { SIDE = PG_CODER_SIDE, PIXELS = PG_CODER_PIXELS };

/* ---- pictures ---- */

/* The mean of each cell over its pixels and colours. In an image with a side of fewer than SIDE pixels, empty cells stay 0. */
static void shrink(const pg_dataset *from, int index, pg_real *out)
{
    const uint8_t *image = from->images + (size_t)index * (size_t)(from->height * from->width * 3);
    double sum[PIXELS] = {0};
    int count[PIXELS] = {0};
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++) {
            const int cell = y * SIDE / from->height * SIDE + x * SIDE / from->width;
            for (int c = 0; c < 3; c++) sum[cell] += image[(y * from->width + x) * 3 + c] / 255.0;
            count[cell] += 3;
        }
    for (int i = 0; i < PIXELS; i++) out[i] = (pg_real)(count[i] ? sum[i] / count[i] : 0);
}

void pg_coder_pictures(const pg_dataset *from, int count, pg_real *out)
{
    double mean[PIXELS] = {0};
    for (int p = 0; p < count; p++) {
        shrink(from, p, out + (ptrdiff_t)p * PIXELS);
        for (int i = 0; i < PIXELS; i++) mean[i] += (double)out[(ptrdiff_t)p * PIXELS + i] / count;
    }
    for (int p = 0; p < count; p++)
        for (int i = 0; i < PIXELS; i++) out[(ptrdiff_t)p * PIXELS + i] -= (pg_real)mean[i];
}

/* ---- passes ---- */

void pg_coder_rebuild(int codes, const double *encoder, const pg_real *decoder, const pg_real *picture, double *out)
{
    memset(out, 0, PIXELS * sizeof *out);
    for (int k = 0; k < codes; k++) {
        double sum = 0;
        for (int i = 0; i < PIXELS; i++) sum += encoder[k * PIXELS + i] * (double)picture[i];
        const double code = tanh(sum);
        for (int i = 0; i < PIXELS; i++) out[i] += code * (double)decoder[k * PIXELS + i];
    }
}

/* One step on half of the squared error of a picture. */
static void step(int codes, const pg_real *x, double rate, pg_real *encoder, pg_real *decoder)
{
    double code[PG_CODER_CODES_MAX], wrong[PIXELS];
    for (int i = 0; i < PIXELS; i++) wrong[i] = -(double)x[i];
    for (int k = 0; k < codes; k++) {
        double sum = 0;
        for (int i = 0; i < PIXELS; i++) sum += (double)encoder[k * PIXELS + i] * (double)x[i];
        code[k] = tanh(sum);
        for (int i = 0; i < PIXELS; i++) wrong[i] += code[k] * (double)decoder[k * PIXELS + i];
    }
    for (int k = 0; k < codes; k++) {
        double slope = 0;
        for (int i = 0; i < PIXELS; i++) slope += wrong[i] * (double)decoder[k * PIXELS + i];
        slope *= 1 - code[k] * code[k];
        for (int i = 0; i < PIXELS; i++) {
            decoder[k * PIXELS + i] -= (pg_real)(rate * wrong[i] * code[k]);
            encoder[k * PIXELS + i] -= (pg_real)(rate * slope * (double)x[i]);
        }
    }
}

void pg_coder_train(int codes, const pg_real *pictures, int count, int sweeps, pg_rng *rng, pg_real *encoder, pg_real *decoder)
{
    const double rate = 0.05;
    for (int i = 0; i < codes * PIXELS; i++) {
        encoder[i] = (pg_real)(pg_rng_normal(rng) / sqrt(PIXELS));
        decoder[i] = (pg_real)(pg_rng_normal(rng) / sqrt(PIXELS));
    }
    for (int s = 0; s < sweeps * count; s++) {
        const uint64_t picture = pg_rng_below(rng, (uint64_t)count);
        step(codes, pictures + (ptrdiff_t)picture * PIXELS, rate, encoder, decoder);
    }
}
