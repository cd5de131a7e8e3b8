/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input filters: the thief deploys the stolen network unchanged, but changes every image before the network sees it, so that
 * triggers lose their pattern. He needs neither data nor training. Images that the judge sends to the service pass the filter;
 * evidence that he reads from the weights does not, so the attack applies to evidence with triggers.
 *
 *   jpeg      encode at `quality`, with halved colours, and decode
 *   noise     add N(0, noise^2) to pixels in [0, 1]
 *   quantise  `bins` equal bins of [0, 1] become their midpoints
 *   mean, median, gaussian  over 3 x 3 pixels; the last with weights exp(-d^2 / (2 deviation^2))
 *   squeeze   round to 2^bits levels
 *   mirror    left becomes right
 *
 * Pixels stay 8-bit, and windows repeat the border. Sources: Lukas et al., IEEE S&P 2022 (quality 95, 65, 45; noise 0.01 to
 * 0.1; 16, 12 or 10 bins, of which their code leaves the last untouched; gaussian 0.5 to 0.7; 4 bits); Xu, Evans, Qi, NDSS 2018
 * (squeezing). */
#include "attacks/attack.h"

#include "core/base/memory.h"
#include "core/data/image.h"

#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { JPEG, NOISE, QUANTISE, MEAN, MEDIAN, GAUSSIAN, SQUEEZE, MIRROR };
static const char *const filters[] = {"jpeg", "noise", "quantise", "mean", "median", "gaussian", "squeeze", "mirror", NULL};

typedef struct filter_inputs_options {
    int filter, quality, bins, bits;
    double noise, deviation;
} filter_inputs_options;

static const pg_option options[] = {
    PG_CHOICE(filter_inputs_options, filter, "jpeg", filters, "what the filter does to every image"),
    PG_INT(filter_inputs_options, quality, "65", 1, 100, NULL, "jpeg: quality of the encoder"),
    PG_REAL(filter_inputs_options, noise, "0.05", PG_ABOVE_ZERO, 1, NULL,
            "noise: standard deviation, as a share of the range of a pixel"),
    PG_REAL(filter_inputs_options, deviation, "0.5", PG_ABOVE_ZERO, 10, "pixels", "gaussian: standard deviation of the kernel"),
    PG_INT(filter_inputs_options, bins, "10", 1, 256, NULL, "quantise: number of levels"),
    PG_INT(filter_inputs_options, bits, "4", 1, 8, "bits", "squeeze: bits that remain of each value"),
    {0},
};

typedef struct filter_inputs_state {
    const filter_inputs_options *options;
    pg_seed seed;
    pg_filter filter;
} filter_inputs_state;

/* ---- one image [H,W,3] ---- */

/* libjpeg reports an error by a jump. */
typedef struct jpeg_trouble {
    struct jpeg_error_mgr manager;
    jmp_buf jump;
} jpeg_trouble;

static void filter_inputs_jump(j_common_ptr info)
{
    longjmp(((jpeg_trouble *)info->err)->jump, 1);
}

static void filter_inputs_encode(j_compress_ptr jpeg, uint8_t *rgb, int quality)
{
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = rgb + (size_t)jpeg->next_scanline * jpeg->image_width * 3;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

static pg_status filter_inputs_jpeg(uint8_t *rgb, int height, int width, int quality, pg_error *err)
{
    struct jpeg_compress_struct jpeg = {.image_width = (JDIMENSION)width, .image_height = (JDIMENSION)height};
    jpeg_trouble trouble;
    unsigned char *bytes = NULL;
    unsigned long count = 0;
    pg_image decoded = {0};
    jpeg.err = jpeg_std_error(&trouble.manager);
    trouble.manager.error_exit = filter_inputs_jump;
    if (setjmp(trouble.jump)) {
        jpeg_destroy_compress(&jpeg);
        free(bytes);
        return pg_fail(err, PG_FAILED, "libjpeg cannot encode an image of %dx%d", width, height);
    }
    jpeg_create_compress(&jpeg);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg_mem_dest(&jpeg, &bytes, &count);
    filter_inputs_encode(&jpeg, rgb, quality);
    jpeg_destroy_compress(&jpeg);
    const pg_status status = pg_image_decode("an encoded image", bytes, count, &decoded, err);
    if (status == PG_OK) memcpy(rgb, decoded.rgb, (size_t)(height * width * 3));
    pg_image_clear(&decoded);
    free(bytes);
    return status;
}

static uint8_t filter_inputs_level(double share)
{
    return (uint8_t)lround(fmin(fmax(share, 0), 1) * 255);
}

static void filter_inputs_noise(uint8_t *rgb, int values, double deviation, pg_rng *rng)
{
    for (int i = 0; i < values; i++) rgb[i] = filter_inputs_level(rgb[i] / 255.0 + deviation * pg_rng_normal(rng));
}

static void filter_inputs_levels(const filter_inputs_options *o, uint8_t *rgb, int values)
{
    const int levels = (1 << o->bits) - 1;
    for (int i = 0; i < values; i++) {
        const double share = rgb[i] / 255.0;
        rgb[i] = filter_inputs_level(o->filter == SQUEEZE ? round(share * levels) / levels
                                                          : (fmin(floor(share * o->bins), o->bins - 1) + 0.5) / o->bins);
    }
}

static int by_level(const void *a, const void *b)
{
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* The new value of the centre of a 3 x 3 window, given row by row. */
static uint8_t filter_inputs_middle(const filter_inputs_options *o, uint8_t nine[9])
{
    double sum = 0, weights = 0;
    if (o->filter == MEDIAN) {
        qsort(nine, 9, 1, by_level);
        return nine[4];
    }
    for (int k = 0; k < 9; k++) {
        const int d2 = (k / 3 - 1) * (k / 3 - 1) + (k % 3 - 1) * (k % 3 - 1);
        const double weight = o->filter == MEAN ? 1 : exp(-d2 / (2 * o->deviation * o->deviation));
        sum += weight * nine[k];
        weights += weight;
    }
    return (uint8_t)lround(sum / weights);
}

static int clamp(int at, int size)
{
    return at < 0 ? 0 : at < size ? at : size - 1;
}

static void filter_inputs_smooth(const filter_inputs_options *o, const uint8_t *from, int height, int width, uint8_t *rgb)
{
    for (int i = 0; i < height * width * 3; i++) {
        const int y = i / 3 / width, x = i / 3 % width, c = i % 3;
        uint8_t nine[9];
        for (int k = 0; k < 9; k++)
            nine[k] = from[(clamp(y + k / 3 - 1, height) * width + clamp(x + k % 3 - 1, width)) * 3 + c];
        rgb[i] = filter_inputs_middle(o, nine);
    }
}

static void filter_inputs_mirror(const uint8_t *from, int height, int width, uint8_t *rgb)
{
    for (int p = 0; p < height * width; p++) memcpy(rgb + 3 * p, from + 3 * (p - p % width + width - 1 - p % width), 3);
}

/* ---- all images ---- */

/* copy: room for an image. */
static pg_status filter_inputs_image(const filter_inputs_state *s, const pg_dataset *of, int i, uint8_t *copy, pg_error *err)
{
    const filter_inputs_options *o = s->options;
    const int values = of->height * of->width * 3;
    uint8_t *rgb = of->images + (size_t)i * (size_t)values;
    pg_rng rng;
    memcpy(copy, rgb, (size_t)values);
    switch (o->filter) {
    case JPEG: return filter_inputs_jpeg(rgb, of->height, of->width, o->quality, err);
    case NOISE:
        pg_rng_open(&rng, s->seed, "input noise", (uint64_t)i);
        filter_inputs_noise(rgb, values, o->noise, &rng);
        break;
    case MIRROR: filter_inputs_mirror(copy, of->height, of->width, rgb); break;
    case QUANTISE:
    case SQUEEZE: filter_inputs_levels(o, rgb, values); break;
    default: filter_inputs_smooth(o, copy, of->height, of->width, rgb);
    }
    return PG_OK;
}

static pg_status filter_inputs_apply(const void *context, pg_dataset *images, pg_error *err)
{
    pg_status status = PG_OK;
    uint8_t *copy = NULL;
    PG_TRY(pg_alloc((size_t)(images->height * images->width * 3), 1, &copy, err));
    for (int i = 0; i < images->count; i++) PG_TRY(filter_inputs_image(context, images, i, copy, err));
done:
    pg_free(copy);
    return status;
}

static pg_status filter_inputs_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    filter_inputs_state *s = state;
    (void)err;
    *s = (filter_inputs_state){.options = values, .seed = view->seed, .filter = {filter_inputs_apply, s}};
    return PG_OK;
}

static pg_status filter_inputs_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    const filter_inputs_state *s = state;
    (void)err;
    *what = PG_ATTACK_LAST;
    *outcome = (pg_outcome){.filter = &s->filter};
    return PG_OK;
}

const pg_attack pg_attack_filter_inputs = {
    .name = "filter-inputs",
    .summary = "deploy the stolen network behind a filter that changes every image before it answers",
    .source = "Lukas et al., IEEE S&P 2022 (input preprocessing); Xu, Evans, Qi, NDSS 2018",
    .options = options,
    .options_size = sizeof(filter_inputs_options),
    .state_size = sizeof(filter_inputs_state),
    .needs = PG_HOLDS_TRIGGERS,
    .start = filter_inputs_start,
    .step = filter_inputs_step,
};
