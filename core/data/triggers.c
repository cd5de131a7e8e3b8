/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trigger sets; see triggers.h. */
#include "core/data/triggers.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/data/folder.h"
#include "core/data/image.h"
#include "core/formats/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- from a folder ---- */

static pg_status read_images(const char *folder, const pg_names *names, pg_dataset *out, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t side = (size_t)out->height;
    for (int i = 0; i < names->count && status == PG_OK; i++) {
        char path[PG_PATH_MAX];
        pg_image image = {0};
        status = pg_path(path, folder, names->name[i], NULL, err);
        if (status == PG_OK) status = pg_image_read(path, &image, err);
        if (status == PG_OK)
            status = pg_image_centre(&image, out->height, out->images + (size_t)i * side * side * 3, path, err);
        pg_image_clear(&image);
    }
    return status;
}

static pg_status read_labels(const char *path, pg_dataset *out, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read_text(path, &text, &bytes, err);
    if (status != PG_OK) return status;
    const char *at = text;
    for (int i = 0; i < out->count && status == PG_OK; i++) {
        const char *next = at + strcspn(at, "\r\n"), *start = at + strspn(at, " \t");
        const size_t length = strcspn(start, " \t\r\n");
        char word[64];
        double label = 0; /* some published lists write 3.000e+00 */
        snprintf(word, sizeof word, "%.*s", (int)length, start);
        if (!pg_number_real(word, &label) || start + length + strspn(start + length, " \t") != next)
            status = pg_fail(err, PG_BAD_INPUT, "%s:%d: expected a class number, one for each of the %d pictures", path, i + 1,
                             out->count);
        else if (!(label >= 0 && label < out->classes) || label != floor(label))
            status = pg_fail(err, PG_BAD_INPUT, "%s:%d: expected a class below %d, got %g", path, i + 1, out->classes, label);
        else
            out->labels[i] = (int32_t)label;
        at = next + (strncmp(next, "\r\n", 2) == 0 ? 2 : *next != 0);
    }
    if (status == PG_OK && at + strspn(at, " \t\r\n") != text + bytes)
        status = pg_fail(err, PG_BAD_INPUT, "%s:%d: more labels than pictures (%d)", path, out->count + 1, out->count);
    pg_free(text);
    return status;
}

static const char mark[] = " sha256:";

/* Start of the pin in the name of a folder; NULL if it has none. */
static const char *pin_of(const char *pinned)
{
    const char *at = strrchr(pinned, ' ');
    return at && strncmp(at, mark, strlen(mark)) == 0 && strlen(at) == strlen(mark) + PG_SHA256_HEX - 1 ? at : NULL;
}

static pg_status add_file(pg_hash *hash, const char *folder, const char *name, pg_error *err)
{
    char path[PG_PATH_MAX], sum[PG_SHA256_HEX];
    pg_status status = pg_path(path, folder, name, NULL, err);
    if (status == PG_OK) status = pg_sha256_file(path, sum, err);
    if (status == PG_OK) pg_hash_add_text(hash, name);
    if (status == PG_OK) pg_hash_add_text(hash, sum);
    return status;
}

static pg_status sum_folder(const char *folder, char sum[PG_SHA256_HEX], pg_error *err)
{
    pg_hash hash;
    pg_names names;
    pg_status status = pg_folder_pictures(folder, &names, err);
    if (status != PG_OK) return status;
    pg_hash_start(&hash);
    for (int i = 0; i < names.count && status == PG_OK; i++) status = add_file(&hash, folder, names.name[i], err);
    if (status == PG_OK) status = add_file(&hash, folder, "labels.txt", err);
    pg_hash_finish_hex(&hash, sum);
    pg_names_clear(&names);
    return status;
}

/* Set folder to the path without its pin. PG_BAD_INPUT if the content does not match the pin. */
static pg_status unpin(const char *pinned, char folder[PG_PATH_MAX], pg_error *err)
{
    char sum[PG_SHA256_HEX];
    const char *at = pin_of(pinned);
    const size_t length = at ? (size_t)(at - pinned) : strlen(pinned);
    if (length >= PG_PATH_MAX) return pg_fail(err, PG_BAD_INPUT, "%.40s...: the path is too long", pinned);
    memcpy(folder, pinned, length);
    folder[length] = 0;
    if (!at) return PG_OK;
    pg_status status = sum_folder(folder, sum, err);
    if (status == PG_OK && strcmp(sum, at + strlen(mark)) != 0)
        status = pg_fail(err, PG_BAD_INPUT, "%s: its pictures or labels have changed; they no longer match the pinned checksum",
                         folder);
    return status;
}

pg_status pg_triggers_pin(const char *folder, char *out, size_t room, pg_error *err)
{
    char bare[PG_PATH_MAX], sum[PG_SHA256_HEX];
    pg_status status = unpin(folder, bare, err);
    if (status == PG_OK) status = sum_folder(bare, sum, err);
    if (status == PG_OK && strlen(bare) + strlen(mark) + sizeof sum > room)
        status = pg_fail(err, PG_BAD_INPUT, "%s: the path is too long", bare);
    if (status == PG_OK) snprintf(out, room, "%s%s%s", bare, mark, sum);
    return status;
}

pg_status pg_triggers_load(const char *pinned, const char *labels, int side, int classes, pg_dataset *out, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], folder[PG_PATH_MAX];
    pg_names names = {0};
    *out = (pg_dataset){.classes = classes};
    PG_TRY(unpin(pinned, folder, err));
    PG_TRY(pg_folder_pictures(folder, &names, err));
    if (names.count == 0 || names.count > PG_TRIGGERS_MAX)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected 1 to %d JPEG or PNG pictures, found %d", folder, PG_TRIGGERS_MAX,
                       names.count));
    PG_TRY(pg_dataset_allocate(out, names.count, side, side, err));
    PG_TRY(read_images(folder, &names, out, err));
    if (labels)
        PG_TRY(read_labels(labels, out, err));
    else {
        PG_TRY(pg_path(path, folder, "labels.txt", NULL, err));
        PG_TRY(read_labels(path, out, err));
    }
    snprintf(out->name, sizeof out->name, "triggers");
    snprintf(out->source, sizeof out->source, "%d pictures of a user's folder", names.count);
    pg_dataset_hash(out);
done:
    pg_names_clear(&names);
    if (status != PG_OK) pg_dataset_clear(out);
    return status;
}

/* ---- abstract images ---- */

/* A picture is a stack of layers; each is a pattern between two colours and half transparent. Patterns are functions of the
 * coordinates in the whole 1125x750 picture, but only its centre is computed. */
enum { WIDTH = 1125, HEIGHT = 750, LAYERS = 4, PATTERNS = 6 };

typedef struct layer {
    int pattern;
    double colour[2][3], x, y, angle, spacing, phase, softness;
    uint64_t noise;
} layer;

static double hash_noise(uint64_t seed, int x, int y)
{
    uint64_t z =
        seed + (uint64_t)(uint32_t)x * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)(uint32_t)y * UINT64_C(0xC2B2AE3D27D4EB4F);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Smooth noise: random values on a grid of the given spacing, with cosine interpolation between them. */
static double cloud(const layer *l, double x, double y)
{
    const double u = x / l->spacing, v = y / l->spacing;
    const int i = (int)floor(u), j = (int)floor(v);
    const double a = (1 - cos(M_PI * (u - i))) / 2, b = (1 - cos(M_PI * (v - j))) / 2;
    const double top = hash_noise(l->noise, i, j) * (1 - a) + hash_noise(l->noise, i + 1, j) * a;
    const double low = hash_noise(l->noise, i, j + 1) * (1 - a) + hash_noise(l->noise, i + 1, j + 1) * a;
    return top * (1 - b) + low * b;
}

/* Pattern value in [0, 1] at a pixel. */
static double pattern(const layer *l, double px, double py)
{
    const double x = px - l->x, y = py - l->y, along = x * cos(l->angle) + y * sin(l->angle), radius = hypot(x, y);
    switch (l->pattern) {
    case 0: return 0.5 + 0.5 * sin(2 * M_PI * along / l->spacing + l->phase);       /* waves */
    case 1: return 0.5 + 0.5 * sin(2 * M_PI * radius / l->spacing + l->phase);      /* rings */
    case 2: return 1 / (1 + exp((radius - l->spacing) / l->softness));              /* a disc */
    case 3: return 1 / (1 + exp(-along / l->softness));                             /* an edge */
    case 4: return cloud(l, px, py);                                                /* clouds */
    default: return fmod(floor(px / l->spacing) + floor(py / l->spacing) + 1e6, 2); /* a chequer */
    }
}

static void draw_layer(layer *l, int side, pg_rng *rng)
{
    l->pattern = (int)pg_rng_below(rng, PATTERNS);
    for (int i = 0; i < 6; i++) l->colour[i / 3][i % 3] = 255 * pg_rng_uniform(rng);
    l->x = WIDTH / 2.0 + side * (pg_rng_uniform(rng) - 0.5);
    l->y = HEIGHT / 2.0 + side * (pg_rng_uniform(rng) - 0.5);
    l->angle = 2 * M_PI * pg_rng_uniform(rng);
    l->phase = 2 * M_PI * pg_rng_uniform(rng);
    l->spacing = 3 + 20 * pg_rng_uniform(rng);
    l->softness = 0.5 + 6 * pg_rng_uniform(rng);
    l->noise = pg_rng_below(rng, UINT64_MAX);
}

static void draw_picture(uint8_t *out, int side, pg_rng *rng)
{
    layer layers[LAYERS];
    for (int l = 0; l < LAYERS; l++) draw_layer(&layers[l], side, rng);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            const double px = (WIDTH - side) / 2.0 + x, py = (HEIGHT - side) / 2.0 + y;
            double pixel[3] = {0};
            for (int l = 0; l < LAYERS; l++) {
                const double t = pattern(&layers[l], px, py), cover = l == 0 ? 1 : 0.5;
                for (int c = 0; c < 3; c++)
                    pixel[c] += cover * (layers[l].colour[0][c] * (1 - t) + layers[l].colour[1][c] * t - pixel[c]);
            }
            for (int c = 0; c < 3; c++) out[(y * side + x) * 3 + c] = (uint8_t)lround(fmin(255, fmax(0, pixel[c])));
        }
}

pg_status pg_triggers_generate(int count, int side, int classes, pg_seed seed, pg_dataset *out, pg_error *err)
{
    *out = (pg_dataset){.classes = classes};
    const pg_status status = pg_dataset_allocate(out, count, side, side, err);
    if (status != PG_OK) return status;
    pg_rng rng;
    for (int i = 0; i < count; i++) {
        pg_rng_open(&rng, seed, "trigger picture", (uint64_t)i);
        draw_picture(out->images + (size_t)i * (size_t)side * (size_t)side * 3, side, &rng);
    }
    pg_triggers_label(out, -1, classes, seed);
    snprintf(out->name, sizeof out->name, "triggers");
    snprintf(out->source, sizeof out->source, "%d generated abstract images", count);
    pg_dataset_hash(out);
    return PG_OK;
}

/* ---- pictures of a data set ---- */

/* Leave in order [count] the images of the wanted classes; returns their number. */
static int keep_classes(const pg_dataset *from, int only, int except, uint32_t *order)
{
    int kept = 0;
    for (int i = 0; i < from->count; i++) {
        const int32_t label = from->labels[order[i]];
        if ((only < 0 || label == only) && label != except) order[kept++] = order[i];
    }
    return kept;
}

pg_status pg_triggers_take(const pg_dataset *from, int only, int except, int count, pg_seed seed, pg_dataset *out,
                           pg_error *err)
{
    pg_status status = PG_OK;
    uint32_t *order = NULL;
    pg_rng rng;
    const size_t size = (size_t)from->height * (size_t)from->width * 3;
    *out = (pg_dataset){.classes = from->classes};
    PG_TRY(pg_alloc((size_t)from->count, sizeof *order, &order, err));
    pg_rng_open(&rng, seed, "chosen pictures", 0);
    pg_rng_permutation(&rng, order, (size_t)from->count);
    const int there = keep_classes(from, only, except, order);
    if (there < count)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%d pictures of %s to choose %d triggers from", there, from->name, count));
    PG_TRY(pg_dataset_allocate(out, count, from->height, from->width, err));
    for (int i = 0; i < count; i++) {
        memcpy(out->images + (size_t)i * size, from->images + (size_t)order[i] * size, size);
        out->labels[i] = from->labels[order[i]];
    }
    snprintf(out->name, sizeof out->name, "triggers");
    snprintf(out->source, sizeof out->source, "%d pictures of %s", count, from->name);
done:
    pg_free(order);
    return status;
}

void pg_triggers_stamp(pg_dataset *t, int top, int left, int height, int width)
{
    for (int i = 0; i < t->count; i++)
        for (int y = top; y < top + height; y++)
            memset(t->images + (((size_t)i * (size_t)t->height + (size_t)y) * (size_t)t->width + (size_t)left) * 3, 255,
                   (size_t)width * 3);
}

void pg_triggers_label(pg_dataset *t, int label, int classes, pg_seed seed)
{
    pg_rng rng;
    pg_rng_open(&rng, seed, "trigger labels", 0);
    t->classes = classes;
    for (int i = 0; i < t->count; i++) t->labels[i] = label >= 0 ? label : (int32_t)pg_rng_below(&rng, (uint64_t)classes);
}

pg_status pg_triggers_make(const char *source, int count, int side, int classes, const pg_seed *seed, pg_dataset *out,
                           pg_error *err)
{
    if (strcmp(source, "generated") != 0) return pg_triggers_load(source, NULL, side, classes, out, err);
    if (seed) return pg_triggers_generate(count, side, classes, *seed, out, err);
    *out = (pg_dataset){.name = "triggers", .count = count, .classes = classes, .height = side, .width = side};
    return PG_OK;
}
