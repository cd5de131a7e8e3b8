/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawing projections and keys, and checking what was drawn; see mark.h. A bank is laid out like weights, with the bit as the
 * last index, so that both products read memory in order. */
#include "core/ownership/mark.h"

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/ownership/autoencoder.h"

#include <math.h>
#include <string.h>

/* ---- drawing ---- */

static pg_status draw_positions(pg_mark *mark, int ones, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const pg_status status = pg_alloc((size_t)pg_mark_width(mark), sizeof *order, &order, err);
    if (status != PG_OK) return status;
    memset(mark->projection, 0, pg_mark_values(mark) * sizeof *mark->projection);
    pg_rng_permutation(rng, order, (size_t)pg_mark_width(mark));
    for (int j = 0; j < mark->bits * ones; j++)
        mark->projection[(size_t)order[j] * (size_t)mark->bits + (size_t)(j / ones)] = j % ones ? -1 : 1;
    pg_free(order);
    return PG_OK;
}

/* Draw from a Laplace distribution of variance 1. */
static double draw_laplace(pg_rng *rng)
{
    const double size = -log(1 - pg_rng_uniform(rng)) / sqrt(2);
    return pg_rng_below(rng, 2) ? size : -size;
}

static pg_status draw_places(pg_mark *mark, pg_rng *rng, pg_error *err)
{
    uint32_t *order = NULL;
    const size_t weights = (size_t)pg_mark_weights(mark);
    const pg_status status = pg_alloc(weights, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    pg_rng_permutation(rng, order, weights);
    for (size_t i = 0; i < pg_mark_place_count(mark); i++) {
        mark->places[i] = (int32_t)order[i];
        if (mark->form == PG_FORM_PLACED) mark->projection[i] = (pg_real)draw_laplace(rng);
    }
    pg_free(order);
    return PG_OK;
}

static double length_of(const pg_mark *mark, int bit)
{
    double square = 0;
    for (int j = 0; j < pg_mark_width(mark); j++) {
        const double x = (double)mark->projection[(ptrdiff_t)j * mark->bits + bit];
        square += x * x;
    }
    return sqrt(square);
}

static void scale_to_length_1(pg_mark *mark)
{
    for (int i = 0; i < mark->bits; i++) {
        const double length = length_of(mark, i);
        for (int j = 0; j < pg_mark_width(mark); j++) {
            pg_real *x = &mark->projection[(ptrdiff_t)j * mark->bits + i];
            *x = (pg_real)((double)*x / length);
        }
    }
}

/* Mean filters of first weights have a length of about sqrt(taps) times their deviation, so U spreads hidden units by 2. */
static void draw_extractor(pg_mark *mark, pg_rng *rng)
{
    pg_real *x = mark->projection;
    const double spread = 2 / sqrt(pg_mark_width(mark));
    for (const pg_mark_site *s = mark->site; s < mark->site + mark->site_count; s++) {
        const int taps = s->kernel * s->kernel;
        const double first = sqrt(2.0 / (s->outputs * taps)) / sqrt(s->outputs);
        for (int i = 0; i < taps * s->inputs * mark->pooled; i++) *x++ = (pg_real)(spread / first * pg_rng_normal(rng));
    }
    for (int i = 0; i < mark->bits * mark->pooled; i++) *x++ = (pg_real)(pg_rng_normal(rng) / sqrt(mark->pooled));
}

static double draw_value(pg_mark_kind kind, pg_rng *rng)
{
    if (kind == PG_MARK_SIGNS) return 2 * (int)pg_rng_below(rng, 2) - 1;
    if (kind == PG_MARK_UNIFORM || kind == PG_MARK_CENTRED) return pg_rng_uniform(rng) - (kind == PG_MARK_CENTRED ? 0.5 : 0);
    return pg_rng_normal(rng);
}

/* The bits of a free filtered mark. */
static void hash_projection(const pg_mark *mark, int8_t *b)
{
    unsigned char digest[PG_MARK_BITS_MAX / 8];
    pg_hash hash;
    pg_shake_start(&hash);
    for (size_t i = 0; i < pg_mark_values(mark); i++) {
        const float value = (float)mark->projection[i];
        pg_hash_add(&hash, &value, sizeof value);
    }
    pg_shake_finish(&hash, digest, (size_t)(mark->bits + 7) / 8);
    for (int i = 0; i < mark->bits; i++) b[i] = digest[i / 8] >> (7 - i % 8) & 1 ? 1 : -1;
}

pg_status pg_mark_draw(pg_mark *mark, pg_mark_kind kind, pg_rng *rng, pg_error *err)
{
    const pg_status status = pg_mark_fits(mark, kind, err);
    if (status != PG_OK) return status;
    if (pg_mark_ones(kind)) return draw_positions(mark, pg_mark_ones(kind), rng, err);
    if (kind == PG_MARK_PLACED || kind == PG_MARK_REBUILT) return draw_places(mark, rng, err);
    if (kind == PG_MARK_EXTRACTOR) {
        draw_extractor(mark, rng);
        return PG_OK;
    }
    for (size_t i = 0; i < pg_mark_values(mark); i++) mark->projection[i] = (pg_real)draw_value(kind, rng);
    if (kind == PG_MARK_WAVES) scale_to_length_1(mark);
    if (kind == PG_MARK_FILTERED) hash_projection(mark, mark->b);
    return PG_OK;
}

pg_status pg_mark_draw_key(pg_mark *mark, pg_mark_kind kind, pg_seed seed, pg_error *err)
{
    pg_rng rng;
    pg_rng_open(&rng, seed, "projection", 0);
    const pg_status status = pg_mark_draw(mark, kind, &rng, err);
    pg_rng_open(&rng, seed, "message", 0);
    for (int i = 0; i < mark->bits && kind != PG_MARK_FILTERED; i++) mark->b[i] = pg_rng_below(&rng, 2) ? 1 : -1;
    return status;
}

/* ---- autoencoders ---- */

pg_real *pg_mark_encoder(const pg_mark *mark)
{
    return mark->projection;
}

pg_real *pg_mark_decoder(const pg_mark *mark)
{
    return mark->projection + (ptrdiff_t)mark->pooled * PG_CODER_PIXELS;
}

static pg_real *pictures_of(const pg_mark *mark)
{
    return mark->projection + 2 * (ptrdiff_t)mark->pooled * PG_CODER_PIXELS;
}

static int8_t bit_of(pg_real pixel)
{
    return pixel < 0 ? -1 : 1;
}

void pg_mark_show(pg_mark *mark, const pg_real *pictures)
{
    memcpy(pictures_of(mark), pictures, (size_t)mark->bits * sizeof *pictures);
    for (int i = 0; i < mark->bits; i++) mark->b[i] = bit_of(pictures[i]);
}

/* ---- what its makers guarantee ---- */

pg_status pg_mark_check_hash(const pg_mark *mark, pg_error *err)
{
    int8_t b[PG_MARK_BITS_MAX];
    hash_projection(mark, b);
    if (memcmp(b, mark->b, (size_t)mark->bits) == 0) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the bits for %s are not the hash of its projection", mark->site[0].layer);
}

pg_status pg_mark_check_rows(const pg_mark *mark, pg_error *err)
{
    if (!mark->rounds || pg_mark_rows(mark)) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "the bits of this key choose fewer than %d weights; take more bits or fewer rounds",
                   mark->pooled);
}

static pg_status check_range(const pg_mark *mark, double low, double high, pg_error *err)
{
    for (size_t i = 0; i < pg_mark_values(mark); i++)
        if ((double)mark->projection[i] < low || (double)mark->projection[i] > high)
            return pg_fail(err, PG_BAD_INPUT, "the projection for %s has the value %g, expected %g to %g", mark->site[0].layer,
                           (double)mark->projection[i], low, high);
    return PG_OK;
}

static pg_status check_lengths(const pg_mark *mark, pg_error *err)
{
    for (int i = 0; i < mark->bits; i++)
        if (!(fabs(length_of(mark, i) - 1) <= 1e-3))
            return pg_fail(err, PG_BAD_INPUT, "filter %d for %s has length %g, expected 1", i, mark->site[0].layer,
                           length_of(mark, i));
    return PG_OK;
}

static pg_status check_places(const pg_mark *mark, pg_error *err)
{
    pg_status status = PG_OK;
    bool *taken = NULL;
    const int weights = pg_mark_weights(mark);
    PG_TRY(pg_alloc((size_t)weights, sizeof *taken, &taken, err));
    for (size_t i = 0; i < pg_mark_place_count(mark); i++) {
        const int at = mark->places[i];
        if (at < 0 || at >= weights || taken[at])
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "the mark for %s: the place %d is outside of %d weights or occurs twice",
                           mark->site[0].layer, at, weights));
        taken[at] = true;
    }
done:
    pg_free(taken);
    return status;
}

static pg_status check_pictures(const pg_mark *mark, pg_error *err)
{
    for (int i = 0; i < mark->bits; i++)
        if (mark->b[i] != bit_of(pictures_of(mark)[i]))
            return pg_fail(err, PG_BAD_INPUT, "bit %d for %s is not the sign of its pixel", i, mark->site[0].layer);
    return PG_OK;
}

pg_status pg_mark_check_projection(const pg_mark *mark, const char *kind, bool bound, pg_error *err)
{
    const bool centred = strcmp(kind, pg_mark_kinds[PG_MARK_CENTRED]) == 0;
    switch (mark->form) {
    case PG_FORM_HALVES: return check_range(mark, centred ? -0.5 : 0, centred ? 0.5 : 1, err);
    case PG_FORM_WAVES: return check_lengths(mark, err);
    case PG_FORM_FILTERED: return bound ? PG_OK : pg_mark_check_hash(mark, err);
    case PG_FORM_PLACED: return check_places(mark, err);
    case PG_FORM_REBUILT: {
        const pg_status status = check_places(mark, err);
        return status == PG_OK ? check_pictures(mark, err) : status;
    }
    default: return PG_OK;
    }
}
