/* Null evidence that was drawn before; see nulls_cache.h. */
#include "experiments/nulls_cache.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/safetensors.h"

#include <stdio.h>
#include <string.h>

enum { FORMAT = 1 };

/* nulls/HASH.safetensors below the data directory, the hash being of everything that the draw depends on. */
static pg_status cache_path(const char *directory, const pg_model *model, const pg_evidence *evidence, const pg_dataset *test,
                            pg_pixels pixels, int count, pg_seed seed, char path[PG_PATH_MAX], pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec *s = &model->spec;
    char root[PG_PATH_MAX], folder[PG_PATH_MAX], params[PG_SHA256_HEX], buffers[PG_SHA256_HEX], images[PG_SHA256_HEX],
        claim[PG_SHA256_HEX], key[PG_SHA256_HEX], text[1024];
    pg_sha256(model->params, model->param_count * sizeof *model->params, params);
    pg_sha256(model->buffers, model->buffer_count * sizeof *model->buffers, buffers);
    pg_sha256(test->images, (size_t)test->count * (size_t)(test->height * test->width * 3), images);
    pg_evidence_commitment(evidence, claim);
    snprintf(text, sizeof text, "nulls %d: %s %d %g %d %dx%d %d %llx %d%d%d%d %s %s %s %s %d %d %llu %s", FORMAT, s->arch->name,
             (int)s->norm, s->width, s->classes, s->image_height, s->image_width, s->relu_before_add,
             (unsigned long long)s->passports, s->public_affine, s->private_affine, s->own_norm, s->perceptron, params, buffers,
             images, claim, (int)pixels, count, (unsigned long long)seed.grid, seed.task);
    pg_sha256(text, strlen(text), key);
    PG_TRY(pg_data_directory(root, directory, err));
    PG_TRY(pg_path(folder, root, "nulls", NULL, err));
    PG_TRY(pg_make_directories(folder, err));
    snprintf(text, sizeof text, "%s.safetensors", key);
    PG_TRY(pg_path(path, folder, text, NULL, err));
done:
    return status;
}

static void swap_signs(pg_nulls *nulls, bool to_bytes)
{
    const size_t count = (size_t)nulls->count * (size_t)nulls->bits;
    for (size_t i = 0; i < count; i++) nulls->signs[i] = (int8_t)(nulls->signs[i] + (to_bytes ? 1 : -1));
}

/* Signs are kept as bytes 0, 1, 2, with their SHA-256: another file is as good as none. */
static pg_status load(const char *path, const pg_evidence *evidence, int count, pg_nulls *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_safetensors *file = NULL;
    const pg_array *array;
    char sum[PG_SHA256_HEX];
    const int bits = pg_evidence_bits(evidence);
    *out = (pg_nulls){.count = count, .bits = bits};
    PG_TRY(pg_safetensors_open(path, &file, err));
    PG_TRY(pg_safetensors_get(file, "signs", 2, (const size_t[]){(size_t)count, (size_t)bits}, &array, err));
    PG_TRY(pg_alloc(array->count, 1, &out->signs, err));
    PG_TRY(pg_safetensors_read_u8(file, "signs", (uint8_t *)out->signs, array->count, err));
    pg_sha256(out->signs, array->count, sum);
    const char *sealed = pg_safetensors_metadata(file, "sha256");
    if (!sealed || strcmp(sealed, sum) != 0) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: damaged", path));
    swap_signs(out, false);
done:
    if (status != PG_OK) pg_nulls_clear(out);
    pg_safetensors_close(&file);
    return status;
}

static void keep(const char *path, pg_nulls *nulls)
{
    char sum[PG_SHA256_HEX];
    const pg_metadata seal = {"sha256", sum};
    const pg_array array = {
        .name = "signs", .dtype = PG_U8, .dims = 2, .shape = {(size_t)nulls->count, (size_t)nulls->bits}, .data = nulls->signs};
    swap_signs(nulls, true);
    pg_sha256(nulls->signs, (size_t)nulls->count * (size_t)nulls->bits, sum);
    (void)!pg_safetensors_write(path, &array, 1, &seal, 1, PG_FILE_SECRET, NULL);
    swap_signs(nulls, false);
}

pg_status pg_nulls_cached(const char *directory, const pg_model *model, const pg_evidence *evidence, const pg_dataset *test,
                          pg_pixels pixels, int count, pg_seed seed, pg_nulls *out, pg_error *err)
{
    char path[PG_PATH_MAX];
    const bool known = cache_path(directory, model, evidence, test, pixels, count, seed, path, NULL) == PG_OK;
    if (known && load(path, evidence, count, out, NULL) == PG_OK) return PG_OK;
    const pg_status status = pg_nulls_draw(model, evidence, test, pixels, count, seed, out, err);
    if (status == PG_OK && known) keep(path, out);
    return status;
}
