/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches: augmentation, normalisation, order and positions. */
#include "tests/unit/data_files.h"

#include "core/data/batch.h"

#include <math.h>

enum { H = 7, W = 6, COUNT = 11, SHIFTS = 9, VALUES = H * W * 3 };

static const double means[2][3] = {{0.485, 0.456, 0.406}, {0.4914, 0.4822, 0.4465}};
static const double deviations[2][3] = {{0.229, 0.224, 0.225}, {0.2023, 0.1994, 0.2010}};

/* Random images; the label of each is its number. */
static pg_dataset make_images(void)
{
    pg_dataset data = {.classes = COUNT, .name = "made"};
    pg_rng rng;
    OK(pg_dataset_allocate(&data, COUNT, H, W, &err));
    pg_rng_open(&rng, (pg_seed){6, "images"}, "", 0);
    for (int i = 0; i < COUNT * VALUES; i++) data.images[i] = (uint8_t)pg_rng_below(&rng, 256);
    for (int i = 0; i < COUNT; i++) data.labels[i] = i;
    return data;
}

static double normalised(int value, int channel, pg_pixels pixels)
{
    return (value / 255.0 - means[pixels][channel]) / deviations[pixels][channel];
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-5;
}

/* Is the seen picture the image with four black pixels added on every side, cut to the old size at (top, left), and mirrored if
 * flip? */
static bool is_variant(const uint8_t *image, int top, int left, bool flip, const pg_real *seen)
{
    uint8_t padded[H + 8][W + 8][3] = {0};
    for (int y = 0; y < H; y++) memcpy(padded[y + 4][4], image + y * W * 3, W * 3);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                const int value = padded[top + y][left + (flip ? W - 1 - x : x)][c];
                if (!near(seen[(y * W + x) * 3 + c], normalised(value, c, PG_PIXELS_CIFAR))) return false;
            }
    return true;
}

/* The number of the variant that is seen: (flip * 9 + top) * 9 + left. */
static int variant_of(const uint8_t *image, const pg_real *seen)
{
    int found = -1, matches = 0;
    for (int v = 0; v < 2 * SHIFTS * SHIFTS; v++) {
        if (!is_variant(image, v / SHIFTS % SHIFTS, v % SHIFTS, v >= SHIFTS * SHIFTS, seen)) continue;
        found = v;
        matches++;
    }
    assert_int_equal(matches, 1);
    return found;
}

/* How often each of the 9 x 9 windows, plain and mirrored, occurs in n draws. */
static void count_variants(const pg_augment *augment, int n, int seen[2][SHIFTS][SHIFTS])
{
    pg_dataset data = make_images();
    pg_rng rng;
    pg_real out[VALUES];
    memset(seen, 0, 2 * sizeof *seen);
    pg_rng_open(&rng, (pg_seed){7, "variants"}, "", 0);
    for (int i = 0; i < n; i++) {
        const uint32_t index = (uint32_t)(i % COUNT);
        pg_batch_fill(&data, &index, 1, augment, PG_PIXELS_CIFAR, &rng, out);
        const int v = variant_of(data.images + index * VALUES, out);
        seen[v / (SHIFTS * SHIFTS)][v / SHIFTS % SHIFTS][v % SHIFTS]++;
    }
    pg_dataset_clear(&data);
}

/* All draws are in the cells of the given range, and each of these cells is within five deviations of an equal share. */
static void assert_uniform(int seen[2][SHIFTS][SHIFTS], int n, int flips, int low, int high)
{
    const double share = (double)n / (flips * (high - low + 1) * (high - low + 1));
    for (int flip = 0; flip < 2; flip++)
        for (int top = 0; top < SHIFTS; top++)
            for (int left = 0; left < SHIFTS; left++) {
                const bool possible = flip < flips && top >= low && top <= high && left >= low && left <= high;
                const int count = seen[flip][top][left];
                if (!possible)
                    assert_int_equal(count, 0);
                else
                    assert_true(fabs(count - share) <= 5 * sqrt(share));
            }
}

TEST(augmentation_crops_and_flips)
{
    enum { N = 16200 };
    int seen[2][SHIFTS][SHIFTS];
    count_variants(&(pg_augment){.crop = true, .flip = true}, N, seen);
    assert_uniform(seen, N, 2, 0, 8);
    count_variants(&(pg_augment){.crop = true}, N / 2, seen);
    assert_uniform(seen, N / 2, 1, 0, 8);
    count_variants(&(pg_augment){.flip = true}, 1000, seen);
    assert_uniform(seen, 1000, 2, 4, 4);
    count_variants(&(pg_augment){0}, 20, seen);
    assert_uniform(seen, 20, 1, 4, 4);
    count_variants(NULL, 20, seen);
    assert_uniform(seen, 20, 1, 4, 4);
}

TEST(pixels_are_normalised_by_their_published_moments)
{
    static const uint32_t index[] = {4, 10, 4};
    pg_dataset data = make_images();
    pg_real some[3 * VALUES], range[2 * VALUES];
    for (int pixels = 0; pixels < 2; pixels++) {
        pg_batch_fill(&data, index, 3, NULL, (pg_pixels)pixels, NULL, some);
        for (int i = 0; i < 3 * VALUES; i++) {
            const int value = data.images[index[i / VALUES] * VALUES + (uint32_t)(i % VALUES)];
            assert_true(near(some[i], normalised(value, i % 3, (pg_pixels)pixels)));
        }
        pg_batch_range(&data, 9, 2, (pg_pixels)pixels, range);
        assert_memory_equal(range + VALUES, some + VALUES, VALUES * sizeof(pg_real));
    }
    assert_string_equal(pg_pixels_names[PG_PIXELS_IMAGENET], "imagenet");
    assert_string_equal(pg_pixels_names[PG_PIXELS_CIFAR], "cifar");
    assert_null(pg_pixels_names[2]);
    pg_dataset_clear(&data);
}

enum { BATCH = 3, STEPS = COUNT / BATCH, EPOCHS = 3 };

static const pg_augment both = {.crop = true, .flip = true};

static pg_batches *open_batches(const pg_dataset *data, pg_augment augment, pg_seed seed)
{
    pg_batches *batches = NULL;
    OK(pg_batches_create(data, BATCH, augment, PG_PIXELS_CIFAR, seed, &batches, &err));
    return batches;
}

/* Every epoch has its own order, and leaves out the images of the last, incomplete batch. */
TEST(an_epoch_shows_every_image_once_in_its_own_order)
{
    pg_dataset data = make_images();
    pg_batches *batches = open_batches(&data, (pg_augment){0}, (pg_seed){8, "order"});
    pg_real images[BATCH * VALUES], expected[VALUES];
    int32_t labels[EPOCHS][STEPS * BATCH];
    bool ever[COUNT] = {false};
    for (int e = 0; e < EPOCHS; e++) {
        bool seen[COUNT] = {false};
        for (int s = 0; s < STEPS; s++) {
            int32_t *of = labels[e] + s * BATCH;
            OK(pg_batches_get(batches, e, s, images, of, &err));
            for (int i = 0; i < BATCH; i++) {
                assert_false(seen[of[i]]);
                seen[of[i]] = ever[of[i]] = true;
                pg_batch_range(&data, of[i], 1, PG_PIXELS_CIFAR, expected);
                assert_memory_equal(images + i * VALUES, expected, sizeof expected);
            }
        }
        for (int d = 0; d < e; d++) assert_memory_not_equal(labels[e], labels[d], sizeof labels[e]);
    }
    for (int i = 0; i < COUNT; i++) assert_true(ever[i]); /* what is left out changes */
    pg_batches_destroy(&batches);
    assert_null(batches);
    pg_dataset_clear(&data);
}

TEST(a_batch_is_found_at_any_position)
{
    pg_dataset data = make_images();
    pg_real images[EPOCHS][STEPS][BATCH * VALUES], again[BATCH * VALUES];
    int32_t labels[EPOCHS][STEPS][BATCH], of[BATCH];
    pg_batches *batches = open_batches(&data, both, (pg_seed){9, "positions"});
    for (int e = 0; e < EPOCHS; e++)
        for (int s = 0; s < STEPS; s++) OK(pg_batches_get(batches, e, s, images[e][s], labels[e][s], &err));
    pg_batches_destroy(&batches);
    batches = open_batches(&data, both, (pg_seed){9, "positions"}); /* resumed, and read backwards */
    for (int e = EPOCHS - 1; e >= 0; e--)
        for (int s = STEPS - 1; s >= 0; s--) {
            OK(pg_batches_get(batches, e, s, again, of, &err));
            assert_memory_equal(again, images[e][s], sizeof again);
            assert_memory_equal(of, labels[e][s], sizeof of);
        }
    pg_batches_destroy(&batches);
    batches = open_batches(&data, both, (pg_seed){10, "positions"});
    OK(pg_batches_get(batches, 0, 0, again, of, &err));
    assert_memory_not_equal(again, images[0][0], sizeof again);
    pg_batches_destroy(&batches);
    pg_dataset_clear(&data);
}

TEST(every_step_is_augmented_in_its_own_way)
{
    pg_dataset data = make_images();
    pg_batches *batches = open_batches(&data, both, (pg_seed){12, "steps"});
    pg_real images[BATCH * VALUES];
    int32_t labels[BATCH];
    int variants[EPOCHS * STEPS][BATCH];
    for (int p = 0; p < EPOCHS * STEPS; p++) {
        OK(pg_batches_get(batches, p / STEPS, p % STEPS, images, labels, &err));
        for (int i = 0; i < BATCH; i++) variants[p][i] = variant_of(data.images + labels[i] * VALUES, images + i * VALUES);
        for (int q = 0; q < p; q++) assert_memory_not_equal(variants[p], variants[q], sizeof variants[p]);
    }
    pg_batches_destroy(&batches);
    pg_dataset_clear(&data);
}

TEST(a_batch_that_cannot_be_is_refused)
{
    static const int positions[][2] = {{0, STEPS}, {0, -1}, {-1, 0}};
    pg_dataset data = make_images();
    pg_batches *batches = open_batches(&data, both, (pg_seed){11, "none"});
    pg_real images[BATCH * VALUES];
    int32_t labels[BATCH];
    for (int i = 0; i < 3; i++) {
        FAILS(pg_batches_get(batches, positions[i][0], positions[i][1], images, labels, &err), PG_BAD_INPUT,
              "made has no batch");
    }
    pg_batches_destroy(&batches);
    pg_dataset_clear(&data);
}
