/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a model with a change: its arrays and metadata in memory, and whether the reader takes or refuses it. */
#ifndef PG_TESTS_MODEL_FILE_H
#define PG_TESTS_MODEL_FILE_H

#include "core/formats/safetensors.h"
#include "core/nets/state.h"
#include "tests/unit/small_net.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const char model_path[] = "model.safetensors", evidence_path[] = "evidence.safetensors",
                  edited_path[] = "edited.safetensors";

SET_UP
{
    pg_compute_start(1);
}

/* ---- models ---- */

/* A network for images of 32x32, the size that the reader assumes for a file without metadata. */
static inline pg_net_spec square_spec(const char *arch, pg_norm_kind norm, const char *scheme, const char *layers)
{
    pg_net_spec spec = small_spec(arch, norm, scheme, layers);
    spec.image_height = spec.image_width = 32;
    if (spec.arch->image > 32) spec.image_height = spec.image_width = spec.arch->image;
    return spec;
}

static inline pg_model *saved_model(const pg_net_spec *spec)
{
    pg_model *model = NULL;
    OK(pg_model_create(spec, &model, &err));
    fill_model(model);
    OK(pg_model_save(model, NULL, 0, model_path, &err));
    return model;
}

static inline void assert_same_values(const pg_model *a, const pg_model *b)
{
    assert_int_equal(a->tensor_count, b->tensor_count);
    assert_int_equal(a->param_count, b->param_count);
    assert_int_equal(a->buffer_count, b->buffer_count);
    for (int i = 0; i < a->tensor_count; i++) {
        assert_string_equal(a->tensors[i].name, b->tensors[i].name);
        assert_memory_equal(a->tensors[i].shape, b->tensors[i].shape, sizeof a->tensors[i].shape);
    }
    assert_memory_equal(a->params, b->params, bytes_of(a->param_count));
    assert_memory_equal(a->buffers, b->buffers, bytes_of(a->buffer_count));
}

/* Compare what the reader infers from names. Only batch norm can have statistics of the private branch's own. */
static inline void assert_same_wiring(const pg_net_spec *a, const pg_net_spec *b)
{
    assert_string_equal(a->arch->name, b->arch->name);
    assert_int_equal(a->norm, b->norm);
    assert_int_equal(a->classes, b->classes);
    assert_int_equal(a->image_height, b->image_height);
    assert_int_equal(a->image_width, b->image_width);
    assert_int_equal(a->passports, b->passports);
    assert_int_equal(a->public_affine, b->public_affine);
    assert_int_equal(a->private_affine, b->private_affine);
    assert_int_equal(a->perceptron, b->perceptron);
    if (a->norm == PG_NORM_BN) assert_int_equal(a->own_norm, b->own_norm);
}

/* ---- files with something changed ---- */

enum { ARRAYS_MAX = 512 };

/* The arrays of one or two files, which the test changes and writes again without metadata. */
typedef struct sheet {
    pg_safetensors *files[2];
    pg_array arrays[ARRAYS_MAX];
    size_t count;
} sheet;

static inline void add_file(sheet *s, int at, const char *path)
{
    OK(pg_safetensors_open(path, &s->files[at], &err));
    for (size_t i = 0; i < pg_safetensors_count(s->files[at]); i++) {
        assert_true(s->count < ARRAYS_MAX);
        s->arrays[s->count++] = *pg_safetensors_at(s->files[at], i);
    }
}

static inline sheet open_sheet(void)
{
    sheet s = {.count = 0};
    add_file(&s, 0, model_path);
    return s;
}

static inline pg_array *array_of(sheet *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->arrays[i].name, name) == 0) return &s->arrays[i];
    return NULL;
}

static inline void drop(sheet *s, const char *name)
{
    pg_array *array = array_of(s, name);
    if (!array) fail_msg("there is no tensor %s to drop", name);
    *array = s->arrays[--s->count];
}

static inline void write_sheet(const sheet *s)
{
    OK(pg_safetensors_write(edited_path, s->arrays, s->count, NULL, 0, PG_FILE_PUBLIC, &err));
}

static inline void close_sheet(sheet *s)
{
    pg_safetensors_close(&s->files[0]);
    pg_safetensors_close(&s->files[1]);
}

static inline void check_loads(const pg_model *expected, const pg_net_spec *known)
{
    pg_model *loaded = NULL;
    const pg_model_hints hints = {.norm = known ? &known->norm : NULL,
                                  .relu_before_add = known ? &known->relu_before_add : NULL};
    OK(pg_model_load(edited_path, &hints, &loaded, NULL, &err));
    if (known) assert_int_equal(loaded->spec.relu_before_add, known->relu_before_add);
    assert_same_wiring(&loaded->spec, &expected->spec);
    assert_same_values(loaded, expected);
    pg_model_destroy(&loaded);
}

static inline void check_refused(const char *part)
{
    pg_model *loaded = NULL;
    assert_int_equal(pg_model_load(edited_path, NULL, &loaded, NULL, &err), PG_BAD_INPUT);
    assert_null(loaded);
    assert_contains(err.message, edited_path);
    assert_contains(err.message, part);
}

static inline float element(const pg_safetensors *file, const char *name, size_t i)
{
    float value;
    const pg_array *array = pg_safetensors_find(file, name);
    assert_non_null(array);
    assert_int_equal(array->dtype, PG_F32);
    memcpy(&value, (const char *)array->data + i * sizeof value, sizeof value);
    return value;
}

#endif
