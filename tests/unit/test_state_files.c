/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of models that lack something, hold too much, or come from elsewhere. */
#include "tests/unit/model_file.h"

/* Leave out each tensor of a network in turn, with its second name; then give it another shape. */
static void check_damage(const char *arch, pg_norm_kind norm, const char *scheme)
{
    const pg_net_spec spec = square_spec(arch, norm, scheme, "default");
    pg_model *model = saved_model(&spec);
    for (int i = 0; i < model->tensor_count; i++) {
        const pg_tensor *t = &model->tensors[i];
        const char *layer = model->layers[t->layer].row.name;
        sheet s = open_sheet();
        pg_array *array = array_of(&s, t->name);
        array->shape[array->dims++] = 1;
        if (t->alias[0]) drop(&s, t->alias);
        write_sheet(&s);
        check_refused(layer);
        drop(&s, t->name);
        write_sheet(&s);
        check_refused(layer);
        close_sheet(&s);
    }
    pg_model_destroy(&model);
}

TEST(a_missing_or_misshapen_tensor_is_named)
{
    check_damage("alexnet", PG_NORM_BN, "plain");
    check_damage("alexnet", PG_NORM_GN, "plain");
    check_damage("alexnet", PG_NORM_IN, "v1");
    check_damage("alexnet", PG_NORM_NONE, "v2");
    check_damage("resnet9", PG_NORM_BN, "pan");
}

/* The file says nothing about the norm. */
TEST(a_missing_layer_is_named)
{
    static const char layer[] = "layer3.1.convbn_2.";
    const pg_net_spec spec = square_spec("resnet18", PG_NORM_BN, "plain", "default");
    pg_model *model = saved_model(&spec);
    sheet s = open_sheet();
    for (size_t i = s.count; i-- > 0;)
        if (strncmp(s.arrays[i].name, layer, strlen(layer)) == 0) drop(&s, s.arrays[i].name);
    write_sheet(&s);
    check_refused("tensor 'layer3.1.convbn_2.conv.weight' is missing");
    close_sheet(&s);
    pg_model_destroy(&model);
}

TEST(a_file_of_no_known_network_is_refused)
{
    static const float value = 1;
    const pg_array array = {.name = "weight", .dtype = PG_F32, .dims = 1, .shape = {1}, .data = &value};
    OK(pg_safetensors_write(edited_path, &array, 1, NULL, 0, PG_FILE_PUBLIC, &err));
    check_refused("not a network known here");
    pg_model *loaded = NULL;
    unlink(edited_path);
    assert_int_equal(pg_model_load(edited_path, NULL, &loaded, NULL, &err), PG_IO_FAULT);
    assert_contains(err.message, edited_path);
}

/* Tensors of another type are refused too. */
TEST(extra_integers_and_missing_counters_are_tolerated)
{
    const pg_net_spec spec = square_spec("resnet9", PG_NORM_BN, "v2", "default");
    static const int64_t extra = 7;
    pg_model *model = saved_model(&spec);
    sheet s = open_sheet();
    drop(&s, "convbnrelu_1.bn.num_batches_tracked");
    s.arrays[s.count++] = (pg_array){.name = "optimizer.step", .dtype = PG_I64, .data = &extra};
    pg_array *bias = array_of(&s, "linear.bias");
    double wide[SMALL_CLASSES];
    for (size_t i = 0; i < SMALL_CLASSES; i++) wide[i] = (double)element(s.files[0], "linear.bias", i);
    bias->dtype = PG_F64;
    bias->data = wide;
    write_sheet(&s);
    check_loads(model, NULL);
    close_sheet(&s);
    pg_model_destroy(&model);
}

/* PyTorch's wrappers, nested, around the whole network or a part of it; in evidence too. */
TEST(names_under_wrappers_are_found)
{
    static const char *const before[] = {"module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.module."};
    const pg_net_spec spec = square_spec("resnet9", PG_NORM_BN, "v1", "default");
    pg_model *model = saved_model(&spec);
    for (size_t w = 0; w < sizeof before / sizeof *before; w++) {
        sheet s = open_sheet();
        char names[ARRAYS_MAX][96];
        for (size_t i = 0; i < s.count; i++) {
            const char *dot = strrchr(s.arrays[i].name, '.');
            const int head = w == 3 ? (int)(dot - s.arrays[i].name + 1) : 0;
            snprintf(names[i], sizeof names[i], "%.*s%s%s", head, s.arrays[i].name, before[w], s.arrays[i].name + head);
            s.arrays[i].name = names[i];
        }
        write_sheet(&s);
        check_loads(model, NULL);
        close_sheet(&s);
    }
    sheet s = open_sheet();
    s.arrays[s.count] = *array_of(&s, "linear.bias");
    s.arrays[s.count++].name = "linear.module.bias";
    write_sheet(&s);
    check_refused("tensor 'linear.bias': two tensors have this name");
    close_sheet(&s);
    pg_model_destroy(&model);
}

/* With flags beside the weights. */
TEST(half_precision_is_read)
{
    static const uint8_t flag = 1;
    static const uint16_t halves[SMALL_CLASSES] = {0x3C00, 0xC000, 0x3800, 0, 0x4248}, brains[SMALL_CLASSES] = {0x3F80, 0x4049};
    const pg_net_spec spec = square_spec("alexnet", PG_NORM_BN, "plain", "default");
    pg_model *model = saved_model(&spec), *loaded = NULL;
    pg_model_facts facts;
    sheet s = open_sheet();
    pg_array *bias = array_of(&s, "classifier.bias");
    s.arrays[s.count++] = (pg_array){.name = "trained", .dtype = PG_BOOL, .data = &flag};
    bias->dtype = PG_F16;
    bias->data = halves;
    write_sheet(&s);
    OK(pg_model_load(edited_path, NULL, &loaded, &facts, &err));
    const pg_real *values = loaded->params + pg_model_classifier(loaded)->bias;
    assert_true(values[0] == 1 && values[1] == -2 && values[2] == (pg_real)0.5 && values[3] == 0 && values[4] == 3.140625F);
    assert_contains(facts.assumed, "'trained'");
    pg_model_destroy(&loaded);
    bias->dtype = PG_BF16;
    bias->data = brains;
    write_sheet(&s);
    OK(pg_model_load(edited_path, NULL, &loaded, NULL, &err));
    values = loaded->params + pg_model_classifier(loaded)->bias;
    assert_true(values[0] == 1 && values[1] == 3.140625F && values[2] == 0);
    pg_model_destroy(&loaded);
    close_sheet(&s);
    pg_model_destroy(&model);
}

TEST(facts_in_a_file_are_read_and_assumptions_are_reported)
{
    const pg_net_spec spec = square_spec("resnet9", PG_NORM_BN, "plain", "default");
    const pg_metadata notes[] = {{"pixels", "cifar"}, {"data", "cifar10"}, {"data_sha256", "abc"}};
    const bool relu = false;
    const pg_model_hints hints = {.relu_before_add = &relu, .image_height = 28, .image_width = 24};
    pg_model *model = saved_model(&spec), *loaded = NULL;
    pg_model_facts facts;
    OK(pg_model_save(model, notes, 3, model_path, &err));
    OK(pg_model_load(model_path, &hints, &loaded, &facts, &err));
    assert_string_equal(facts.pixels, "cifar");
    assert_string_equal(facts.data, "cifar10");
    assert_string_equal(facts.data_sha256, "abc");
    assert_string_equal(facts.assumed, "");
    assert_true(loaded->spec.relu_before_add); /* the file goes first */
    pg_model_destroy(&loaded);

    sheet s = open_sheet();
    write_sheet(&s);
    OK(pg_model_load(edited_path, NULL, &loaded, &facts, &err));
    assert_string_equal(facts.pixels, "");
    assert_string_equal(facts.data, "");
    assert_string_equal(facts.assumed, "relu_before_add is true; images are 32x32");
    pg_model_destroy(&loaded);
    OK(pg_model_load(edited_path, &hints, &loaded, &facts, &err));
    assert_string_equal(facts.assumed, "");
    assert_false(loaded->spec.relu_before_add);
    assert_true(loaded->spec.image_height == 28 && loaded->spec.image_width == 24);
    pg_model_destroy(&loaded);
    close_sheet(&s);
    pg_model_destroy(&model);
}

TEST(bad_metadata_is_refused)
{
    static const pg_metadata good[] = {{"arch", "alexnet"}, {"norm", "gn"},
                                       {"width", "0.0625"}, {"classes", "5"},
                                       {"image", "32x32"},  {"relu_before_add", "true"},
                                       {"passports", "1c"}, {"branches", "public+private"},
                                       {"pan", "00"}};
    enum { PAIRS = sizeof good / sizeof *good };
    static const struct {
        int at;
        const char *value, *message;
    } cases[] = {{0, "alexnet2", "unknown architecture 'alexnet2'"},
                 {1, "ln", "unknown norm 'ln'"},
                 {2, "wide", "metadata 'width' cannot be read: 'wide'"},
                 {2, "-1", "width: expected"},
                 {2, "nan", "metadata 'width' cannot be read"},
                 {3, "five", "metadata 'classes' cannot be read"},
                 {3, "5abc", "metadata 'classes' cannot be read"},
                 {3, "2000000000", "classes: expected"},
                 {3, "6", "classifier.weight"},
                 {4, "32", "metadata 'image' cannot be read"},
                 {4, "2000000000x2000000000", "images: expected"},
                 {4, "-32x32", "images: expected"},
                 {5, "frue", "metadata 'relu_before_add' cannot be read"},
                 {6, "zzz", "metadata 'passports' cannot be read"},
                 {6, "ffffff", "only 5 convolutions"},
                 {7, "", "public or a private branch"},
                 {8, "01", "features.4.fc.0.weight"}};
    const pg_net_spec spec = square_spec("alexnet", PG_NORM_GN, "v2", "default");
    pg_model *model = saved_model(&spec);
    sheet s = open_sheet();
    OK(pg_safetensors_write(edited_path, s.arrays, s.count, good, PAIRS, PG_FILE_PUBLIC, &err));
    check_loads(model, NULL);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        pg_metadata pairs[PAIRS];
        memcpy(pairs, good, sizeof good);
        pairs[cases[c].at].value = cases[c].value;
        OK(pg_safetensors_write(edited_path, s.arrays, s.count, pairs, PAIRS, PG_FILE_PUBLIC, &err));
        check_refused(cases[c].message);
    }
    for (size_t without = 1; without < PAIRS; without++) {
        pg_metadata pairs[PAIRS];
        char part[64];
        memcpy(pairs, good, sizeof good);
        pairs[without] = good[PAIRS - 1];
        OK(pg_safetensors_write(edited_path, s.arrays, s.count, pairs, PAIRS - 1, PG_FILE_PUBLIC, &err));
        snprintf(part, sizeof part, "metadata '%s' is missing", good[without].key);
        check_refused(part);
    }
    close_sheet(&s);
    pg_model_destroy(&model);
}
