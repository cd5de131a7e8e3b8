/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State dicts under other names: what comes back, and the list of what did not fit. */
#include "core/formats/safetensors.h"
#include "core/nets/state_import.h"
#include "tests/unit/small_net.h"

static pg_problems problems;

/* Our names begin with `ours`; the state dict has `theirs` in its place. */
static const char *const pairs[][2] = {
    {"conv1.conv", "body.0"}, {"conv1.bn", "body.1"}, {"conv2.conv", "body.3"}, {"conv2.bn", "body.4"}, {"fc1", "head"}};
enum { PAIRS = sizeof pairs / sizeof *pairs, ARRAYS = 32 };

static const char map[] = "network: lenet5\n"
                          "tensors:\n"
                          "  body.0: conv1.conv\n"
                          "  body.1: conv1.bn\n"
                          "  body.3: conv2.conv\n"
                          "  body.4: conv2.bn\n"
                          "  head: fc1\n";

typedef struct dict {
    small_net s;
    pg_array arrays[ARRAYS];
    char names[ARRAYS][128];
    pg_real *values[ARRAYS];
    int count;
} dict;

/* The state dict of a model of LeNet-5 as other code would save it, under a wrapper. */
static void open_dict(dict *d)
{
    static const int64_t zero = 0;
    const pg_net_spec spec = pg_net_spec_plain(pg_arch_find("lenet5"), PG_NORM_BN, SMALL_CLASSES);
    *d = (dict){.count = 0};
    open_small(&d->s, &spec, PG_CONV_AUTO);
    for (int i = 0; i < d->s.model->tensor_count; i++) {
        const pg_tensor *t = &d->s.model->tensors[i];
        const char *prefix = "", *rest = t->name;
        for (int p = 0; p < PAIRS; p++)
            if (strncmp(t->name, pairs[p][0], strlen(pairs[p][0])) == 0) {
                prefix = pairs[p][1];
                rest = t->name + strlen(pairs[p][0]);
            }
        snprintf(d->names[d->count], sizeof d->names[0], "module.%s%s", prefix, rest);
        OK(pg_alloc(t->count, sizeof(pg_real), &d->values[d->count], &err));
        pg_tensor_export(d->s.model, t, d->values[d->count]);
        pg_array *a = &d->arrays[d->count];
        *a = (pg_array){.name = d->names[d->count], .dtype = PG_REAL_DTYPE, .dims = t->rank, .data = d->values[d->count]};
        for (int r = 0; r < t->rank; r++) a->shape[r] = (size_t)t->shape[r];
        d->count++;
    }
    d->arrays[d->count++] = (pg_array){.name = "module.body.1.num_batches_tracked", .dtype = PG_I64, .data = &zero};
}

static void close_dict(dict *d)
{
    for (int i = 0; i < d->count; i++) pg_free(d->values[i]);
    close_small(&d->s);
}

static pg_status import_dict(const dict *d, const char *mapping, pg_model **out)
{
    OK(pg_safetensors_write("theirs.safetensors", d->arrays, (size_t)d->count, NULL, 0, PG_FILE_PUBLIC, &err));
    OK(pg_file_write("map.yaml", mapping, strlen(mapping), PG_FILE_PUBLIC, &err));
    problems.count = 0;
    return pg_model_import("theirs.safetensors", "map.yaml", out, &problems, &err);
}

TEST(renamed_tensors_come_back)
{
    dict d;
    pg_model *model = NULL;
    open_dict(&d);
    OK(import_dict(&d, map, &model));
    assert_string_equal(model->spec.arch->name, "lenet5");
    assert_int_equal(model->spec.classes, SMALL_CLASSES);
    assert_memory_equal(model->params, d.s.model->params, model->param_count * sizeof *model->params);
    assert_memory_equal(model->buffers, d.s.model->buffers, model->buffer_count * sizeof *model->buffers);
    pg_model_destroy(&model);
    close_dict(&d);
}

TEST(a_bias_before_batch_norm_moves_into_its_mean)
{
    static const pg_real bias[6] = {1, 2, 3, -4, 5, 0.5};
    dict d;
    pg_model *model = NULL;
    open_dict(&d);
    d.arrays[d.count++] =
        (pg_array){.name = "module.body.0.bias", .dtype = PG_REAL_DTYPE, .dims = 1, .shape = {6}, .data = bias};
    OK(import_dict(&d, map, &model));
    const ptrdiff_t mean = model->layers[0].affine[PG_PUBLIC].mean;
    for (int k = 0; k < 6; k++) assert_true(model->buffers[mean + k] == d.s.model->buffers[mean + k] - bias[k]);
    pg_model_destroy(&model);
    close_dict(&d);
}

static void check_problem(int i, const char *expected)
{
    if (!strstr(problems.lines[i], expected)) fail_msg("problem %d is '%s', without '%s'", i, problems.lines[i], expected);
}

TEST(everything_that_does_not_fit_is_listed)
{
    dict d;
    pg_model *model = NULL;
    open_dict(&d);
    d.arrays[0].name = "module.stray.weight"; /* the first convolution */
    for (int i = 0; i < d.count; i++)
        if (strcmp(d.names[i], "module.fc2.bias") == 0)
            d.arrays[i].shape[0] = 84, d.arrays[i].dims = 2, d.arrays[i].shape[1] = 1;
    assert_int_equal(import_dict(&d,
                                 "network: lenet5\n"
                                 "tensors:\n"
                                 "  body.1: conv1.bn\n"
                                 "  body.3: conv2.conv\n"
                                 "  body.4: conv2.bn\n"
                                 "  head: fc1\n",
                                 &model),
                     PG_BAD_INPUT);
    assert_int_equal(problems.count, 3);
    check_problem(0, "map.yaml:3:3: tensors: missing: 'conv1.conv.weight' [6,3,5,5]");
    check_problem(1, "another shape: 'fc2.bias' is [84,1], and 'fc2.bias' is [84]");
    check_problem(2, "left over: 'stray.weight' [6,3,5,5]");
    close_dict(&d);
}

TEST(a_mapping_that_renames_nothing_is_refused)
{
    dict d;
    pg_model *model = NULL;
    open_dict(&d);
    assert_int_equal(import_dict(&d, "network: lenet5\ntensors: {body.9: conv1.conv}\n", &model), PG_BAD_INPUT);
    check_problem(0, "map.yaml:2:19: tensors.body.9: the state dict has no tensor of this name");
    assert_int_equal(import_dict(&d, "network: lenet5\ntensors: [body.0]\n", &model), PG_BAD_INPUT);
    check_problem(0, "map.yaml:2:10: tensors: expected a map of names, got a list");
    assert_int_equal(import_dict(&d, "network: lenet5\nwidth: 16\n", &model), PG_BAD_INPUT);
    assert_contains(err.message, "lenet5 of width 16 has ");
    assert_int_equal(import_dict(&d, "network: lenet6\n", &model), PG_BAD_INPUT);
    check_problem(0, "did you mean 'lenet5'?");
    assert_int_equal(import_dict(&d, "network: lenet5\ntensors: {body.0: conv1.conv, body.3: conv1.conv}\n", &model),
                     PG_BAD_INPUT);
    check_problem(0, "'body.0.weight' and 'body.3.weight' both become 'conv1.conv.weight'");
    close_dict(&d);
}
