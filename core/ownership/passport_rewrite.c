/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Permuting and scaling passports with the channels of which they are images; see passport_rewrite.h. */
#include "core/ownership/passport_rewrite.h"

#include "core/base/memory.h"

#include <string.h>

/* The convolution of a passport, -1 if the layout has none of its name and sizes. */
static int layer_of(const pg_passport *p, const pg_layout *made)
{
    for (int i = 0; i < made->layer_count; i++) {
        const pg_layer *l = &made->layers[i];
        if (l->row.kind == PG_ROW_CONV && strcmp(l->row.name, p->layer) == 0 && l->in_height == p->height &&
            l->in_width == p->width && l->in_channels == p->inputs && l->out_channels == p->outputs)
            return i;
    }
    return -1;
}

static void rewrite_image(pg_real *image, const pg_passport *p, const int *from, const double *scale, pg_real *pixel)
{
    for (int at = 0; at < p->height * p->width; at++, image += p->inputs) {
        memcpy(pixel, image, (size_t)p->inputs * sizeof *pixel);
        for (int c = 0; c < p->inputs; c++) image[c] = (pg_real)((double)pixel[from[c]] * scale[c]);
    }
}

static void rewrite_bits(int8_t *b, int outputs, const int *from, const double *gain, int8_t *given)
{
    memcpy(given, b, (size_t)outputs);
    for (int o = 0; o < outputs; o++) b[o] = (int8_t)(gain[o] < 0 ? -given[from[o]] : given[from[o]]);
}

static pg_status rewrite_passport(pg_passport *p, const pg_layout *made, const pg_rewrite *r, pg_error *err)
{
    pg_status status = PG_OK;
    pg_real *pixel = NULL;
    int8_t *given = NULL;
    const int layer = layer_of(p, made), before = r->spaces.in[layer], after = r->spaces.out[layer];
    PG_TRY(pg_alloc((size_t)p->inputs, sizeof *pixel, &pixel, err));
    PG_TRY(pg_alloc((size_t)p->outputs, sizeof *given, &given, err));
    if (before >= 0) {
        rewrite_image(p->key, p, r->from[before], r->scale[before], pixel);
        rewrite_image(p->skey, p, r->from[before], r->scale[before], pixel);
    }
    if (after >= 0) rewrite_bits(p->b, p->outputs, r->from[after], r->gain[layer], given);
done:
    pg_free(pixel);
    pg_free(given);
    return status;
}

static pg_status check_passport(const pg_passport *p, const pg_layout *made, const pg_rewrite *r, pg_error *err)
{
    const int layer = layer_of(p, made);
    if (layer < 0) return pg_fail(err, PG_BAD_INPUT, "the passport of %s does not fit the %s", p->layer, made->spec.arch->name);
    const int space[] = {r->spaces.in[layer], r->spaces.out[layer]};
    for (int side = 0; side < 2; side++)
        for (int c = 0; space[side] >= 0 && c < r->spaces.channels[space[side]]; c++)
            if (r->from[space[side]][c] >= r->spaces.channels[space[side]])
                return pg_fail(err, PG_BAD_INPUT, "the rewrite drops channels of the passport of %s", p->layer);
    return PG_OK;
}

pg_status pg_passports_rewrite(pg_evidence *evidence, const pg_layout *made, const pg_rewrite *rewrite, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; status == PG_OK && i < evidence->passport_count; i++)
        status = check_passport(&evidence->passports[i], made, rewrite, err);
    for (int i = 0; status == PG_OK && i < evidence->passport_count; i++)
        status = rewrite_passport(&evidence->passports[i], made, rewrite, err);
    return status;
}

/* ---- dummy channels ---- */

static int source_of(const pg_dummies *d, int space, int channel, int given)
{
    const int source = space < 0 ? channel : d->source[space][channel];
    return source >= 0 ? source : (-1 - source) % given;
}

static pg_status widen_image(pg_real **image, const pg_passport *p, const pg_dummies *d, int space, int wide, pg_error *err)
{
    pg_real *made = NULL;
    const int pixels = p->height * p->width;
    const pg_status status = pg_alloc((size_t)pixels * (size_t)wide, sizeof *made, &made, err);
    if (status != PG_OK) return status;
    for (int at = 0; at < pixels; at++)
        for (int c = 0; c < wide; c++) made[at * wide + c] = (*image)[at * p->inputs + source_of(d, space, c, p->inputs)];
    pg_free(*image);
    *image = made;
    return PG_OK;
}

static pg_status widen_bits(pg_passport *p, const pg_dummies *d, int space, int wide, pg_error *err)
{
    int8_t *made = NULL;
    const pg_status status = pg_alloc((size_t)wide, sizeof *made, &made, err);
    if (status != PG_OK) return status;
    for (int o = 0; o < wide; o++)
        made[o] = space < 0 || d->source[space][o] >= 0 ? p->b[source_of(d, space, o, p->outputs)] : 1;
    pg_free(p->b);
    p->b = made;
    p->outputs = wide;
    return PG_OK;
}

pg_status pg_passports_widen(pg_evidence *evidence, const pg_layout *given, const pg_dummies *d, const pg_layout *made,
                             pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < evidence->passport_count; i++)
        if (layer_of(&evidence->passports[i], given) < 0)
            return pg_fail(err, PG_BAD_INPUT, "the passport of %s does not fit the %s", evidence->passports[i].layer,
                           given->spec.arch->name);
    for (int i = 0; i < evidence->passport_count; i++) {
        pg_passport *p = &evidence->passports[i];
        const int layer = layer_of(p, given), inputs = made->layers[layer].in_channels;
        PG_TRY(widen_image(&p->key, p, d, d->spaces.in[layer], inputs, err));
        PG_TRY(widen_image(&p->skey, p, d, d->spaces.in[layer], inputs, err));
        p->inputs = inputs;
        PG_TRY(widen_bits(p, d, d->spaces.out[layer], made->layers[layer].out_channels, err));
    }
done:
    return status;
}
