/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The choice of an algorithm; see conv.h. */
#include "core/compute/conv.h"

#include <string.h>

const char *const pg_conv_choice_names[] = {
    [PG_CONV_AUTO] = "auto", [PG_CONV_DIRECT] = "direct", [PG_CONV_IM2COL] = "im2col", [PG_CONV_WINOGRAD] = "winograd", NULL};

bool pg_conv_choice_read(const char *text, pg_conv_choice *choice)
{
    for (int i = 0; pg_conv_choice_names[i]; i++)
        if (strcmp(text, pg_conv_choice_names[i]) == 0) {
            *choice = (pg_conv_choice)i;
            return true;
        }
    return false;
}

/* The transforms pay off if enough channels share them and if the outputs fill more than a quarter of a 4x4 tile. */
static bool winograd_pays(const pg_conv *conv)
{
    return conv->shape.channels >= 16 && conv->shape.filters >= 16 && conv->out_height * conv->out_width > 4;
}

static const pg_conv_algorithm *choose(const pg_conv *conv, pg_conv_choice choice)
{
    if (conv->shape.groups > 1) return &pg_conv_grouped;
    if (choice == PG_CONV_DIRECT) return &pg_conv_direct;
    if (choice == PG_CONV_IM2COL || !pg_conv_winograd.fits(&conv->shape)) return &pg_conv_im2col;
    return choice == PG_CONV_WINOGRAD || winograd_pays(conv) ? &pg_conv_winograd : &pg_conv_im2col;
}

pg_status pg_conv_plan(pg_conv *conv, const pg_conv_shape *shape, pg_conv_choice choice, pg_error *err)
{
    const pg_conv_shape *s = shape;
    if (s->height < 1 || s->width < 1 || s->channels < 1 || s->filters < 1 || s->kernel < 1 || s->stride < 1 || s->pad < 0)
        return pg_fail(err, PG_BAD_INPUT, "convolution: a size is not positive");
    if (s->height + 2 * s->pad < s->kernel || s->width + 2 * s->pad < s->kernel)
        return pg_fail(err, PG_BAD_INPUT, "convolution: a kernel of %d does not fit an image of %dx%d", s->kernel, s->height,
                       s->width);
    if (s->groups > 1 && (s->channels % s->groups || s->filters % s->groups))
        return pg_fail(err, PG_BAD_INPUT, "convolution: %d groups divide %d channels and %d filters unevenly", s->groups,
                       s->channels, s->filters);
    *conv = (pg_conv){.shape = *shape,
                      .out_height = (s->height + 2 * s->pad - s->kernel) / s->stride + 1,
                      .out_width = (s->width + 2 * s->pad - s->kernel) / s->stride + 1};
    conv->algorithm = choose(conv, choice);
    return PG_OK;
}

size_t pg_conv_scratch(const pg_conv *conv, int batch)
{
    return conv->algorithm->scratch(conv, batch);
}

void pg_conv_forward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, pg_real *y, pg_real *scratch)
{
    conv->algorithm->forward(conv, n, x, w, y, scratch);
}

void pg_conv_backward(const pg_conv *conv, int n, const pg_real *x, const pg_real *w, const pg_conv_grads *grads,
                      pg_real *scratch)
{
    conv->algorithm->backward(conv, n, x, w, grads, scratch);
}
