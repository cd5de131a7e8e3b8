/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches; see batch.h. */
#include "core/data/batch.h"

#include "core/base/memory.h"

#include <pthread.h>
#include <string.h>

const char *const pg_pixels_names[] = {"imagenet", "cifar", NULL};

static const double means[][3] = {{0.485, 0.456, 0.406}, {0.4914, 0.4822, 0.4465}};
static const double deviations[][3] = {{0.229, 0.224, 0.225}, {0.2023, 0.1994, 0.2010}};

double pg_pixel(pg_pixels pixels, int channel, double value)
{
    return (value - means[pixels][channel]) / deviations[pixels][channel];
}

enum { PAD = 4 };

/* The normalised value of every 8-bit level, for each channel. */
typedef struct levels {
    pg_real value[256][3];
} levels;

static void fill_levels(levels *table, pg_pixels pixels)
{
    for (int v = 0; v < 256; v++)
        for (int c = 0; c < 3; c++) table->value[v][c] = (pg_real)pg_pixel(pixels, c, v / 255.0);
}

/* Write an image shifted by (dy, dx) to out; pixels from outside are black. Mirror it if flip. */
static void fill_image(const pg_dataset *data, uint32_t index, int dy, int dx, bool flip, const levels *table, pg_real *out)
{
    const int height = data->height, width = data->width;
    const uint8_t *image = data->images + (size_t)index * (size_t)(height * width * 3);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, out += 3) {
            const int sy = y + dy, sx = (flip ? width - 1 - x : x) + dx;
            const bool inside = sy >= 0 && sy < height && sx >= 0 && sx < width;
            const uint8_t *pixel = image + (sy * width + sx) * 3;
            for (int c = 0; c < 3; c++) out[c] = table->value[inside ? pixel[c] : 0][c];
        }
}

void pg_batch_fill(const pg_dataset *data, const uint32_t *index, int n, const pg_augment *augment, pg_pixels pixels,
                   pg_rng *rng, pg_real *out)
{
    levels table;
    fill_levels(&table, pixels);
    for (int i = 0; i < n; i++) {
        int dy = 0, dx = 0;
        bool flip = false;
        if (augment && augment->crop) {
            dy = (int)pg_rng_below(rng, 2 * PAD + 1) - PAD;
            dx = (int)pg_rng_below(rng, 2 * PAD + 1) - PAD;
        }
        if (augment && augment->flip) flip = pg_rng_below(rng, 2) == 1;
        fill_image(data, index[i], dy, dx, flip, &table, out + (size_t)i * (size_t)(data->height * data->width * 3));
    }
}

void pg_batch_range(const pg_dataset *data, int from, int n, pg_pixels pixels, pg_real *out)
{
    levels table;
    fill_levels(&table, pixels);
    for (int i = 0; i < n; i++)
        fill_image(data, (uint32_t)(from + i), 0, 0, false, &table, out + (size_t)i * (size_t)(data->height * data->width * 3));
}

struct pg_batches {
    const pg_dataset *data;
    int batch, epoch; /* the epoch of `order`; -1: none */
    pg_augment augment;
    pg_pixels pixels;
    pg_seed seed;
    uint32_t *order;
    /* A thread prepares the batch after the last requested one, then ends. While it runs, only the thread uses the members
     * above. */
    pthread_t maker;
    bool making;
    int next_epoch, next_step;
    pg_real *images;
    int32_t *labels;
};

static size_t image_values(const pg_batches *b)
{
    return (size_t)b->batch * (size_t)(b->data->height * b->data->width * 3);
}

pg_status pg_batches_create(const pg_dataset *data, int batch, pg_augment augment, pg_pixels pixels, pg_seed seed,
                            pg_batches **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_batches *b = NULL;
    PG_TRY(pg_alloc(1, sizeof *b, &b, err));
    *b = (pg_batches){.data = data, .batch = batch, .epoch = -1, .augment = augment, .pixels = pixels, .seed = seed};
    PG_TRY(pg_alloc((size_t)data->count, sizeof *b->order, &b->order, err));
    PG_TRY(pg_alloc(image_values(b), sizeof *b->images, &b->images, err));
    PG_TRY(pg_alloc((size_t)batch, sizeof *b->labels, &b->labels, err));
    *out = b;
    b = NULL;
done:
    pg_batches_destroy(&b);
    return status;
}

void pg_batches_destroy(pg_batches **batches)
{
    if (!*batches) return;
    if ((*batches)->making) pthread_join((*batches)->maker, NULL);
    pg_free((*batches)->order);
    pg_free((*batches)->images);
    pg_free((*batches)->labels);
    pg_free(*batches);
    *batches = NULL;
}

static void make_batch(pg_batches *b, int epoch, int step, pg_real *images, int32_t *labels)
{
    pg_rng rng;
    if (epoch != b->epoch) {
        pg_rng_open(&rng, b->seed, "order", (uint64_t)epoch);
        pg_rng_permutation(&rng, b->order, (size_t)b->data->count);
        b->epoch = epoch;
    }
    const uint32_t *index = b->order + (ptrdiff_t)step * b->batch;
    pg_rng_open(&rng, b->seed, "augmentation", (uint64_t)epoch << 32 | (uint32_t)step);
    pg_batch_fill(b->data, index, b->batch, &b->augment, b->pixels, &rng, images);
    for (int i = 0; i < b->batch; i++) labels[i] = b->data->labels[index[i]];
}

static void *make_next(void *batches)
{
    pg_batches *b = batches;
    make_batch(b, b->next_epoch, b->next_step, b->images, b->labels);
    return NULL;
}

/* Start preparing the next batch. Without a thread, pg_batches_get makes it on request. */
static void make_ahead(pg_batches *b, int epoch, int step)
{
    const bool last = (long)(step + 2) * b->batch > b->data->count;
    b->next_epoch = last ? epoch + 1 : epoch;
    b->next_step = last ? 0 : step + 1;
    b->making = pthread_create(&b->maker, NULL, make_next, b) == 0;
}

pg_status pg_batches_get(pg_batches *b, int epoch, int step, pg_real *images, int32_t *labels, pg_error *err)
{
    if (epoch < 0 || step < 0 || (long)(step + 1) * b->batch > b->data->count)
        return pg_fail(err, PG_BAD_INPUT, "%s has no batch %d of %d images", b->data->name, step, b->batch);
    const bool made = b->making && epoch == b->next_epoch && step == b->next_step;
    if (b->making) pthread_join(b->maker, NULL);
    if (made) {
        memcpy(images, b->images, image_values(b) * sizeof *images);
        memcpy(labels, b->labels, (size_t)b->batch * sizeof *labels);
    } else {
        make_batch(b, epoch, step, images, labels);
    }
    make_ahead(b, epoch, step);
    return PG_OK;
}
