/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of models: read back as they were saved, inferred from names and shapes, with tensors under two names, and beside
 * evidence. */
#include "core/ownership/verify.h"
#include "tests/unit/model_file.h"

/* ---- round trip ---- */

TEST(a_model_is_loaded_as_it_was_saved)
{
    for (int a = 0; pg_archs[a]; a++)
        for (int scheme = 0; scheme < SCHEMES; scheme++)
            for (int norm = 0; norm < NORMS; norm++) {
                pg_net_spec spec = small_spec(pg_archs[a]->name, (pg_norm_kind)norm, all_schemes[scheme], "default");
                spec.width = 0.1; /* not exact in binary */
                spec.relu_before_add = norm % 2;
                if (pg_archs[a]->image > 32) spec.image_height = spec.image_width = 67;
                pg_model *model = saved_model(&spec), *loaded = NULL;
                OK(pg_model_load(model_path, NULL, &loaded, NULL, &err));
                assert_same_wiring(&loaded->spec, &spec);
                assert_int_equal(loaded->spec.own_norm, spec.own_norm);
                assert_int_equal(loaded->spec.relu_before_add, spec.relu_before_add);
                assert_true(loaded->spec.width == spec.width);
                assert_same_values(loaded, model);
                pg_model_destroy(&loaded);
                pg_model_destroy(&model);
            }
}

/* Including values that arithmetic would change. */
TEST(every_finite_value_comes_back)
{
    static const float odd[] = {-0.0F, 1e-42F, -3.4028235e38F, 3.4028235e38F};
    const pg_net_spec spec = square_spec("alexnet", PG_NORM_BN, "v2", "default");
    pg_model *model = saved_model(&spec), *loaded = NULL;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) model->params[i] = (pg_real)odd[i];
    OK(pg_model_save(model, NULL, 0, model_path, &err));
    OK(pg_model_load(model_path, NULL, &loaded, NULL, &err));
    assert_same_values(loaded, model);
    pg_model_destroy(&loaded);
    pg_model_destroy(&model);
}

TEST(notes_are_kept_in_the_metadata)
{
    const pg_net_spec spec = square_spec("alexnet", PG_NORM_BN, "v2", "default");
    const pg_metadata notes[] = {{"task", "a/b"}, {"epochs", "3"}};
    pg_model *model = saved_model(&spec);
    pg_safetensors *file = NULL;
    OK(pg_model_save(model, notes, 2, model_path, &err));
    OK(pg_safetensors_open(model_path, &file, &err));
    assert_string_equal(pg_safetensors_metadata(file, "format"), "pt");
    assert_string_equal(pg_safetensors_metadata(file, "task"), "a/b");
    assert_string_equal(pg_safetensors_metadata(file, "epochs"), "3");
    assert_string_equal(pg_safetensors_metadata(file, "arch"), "alexnet");
    pg_safetensors_close(&file);
    pg_model_destroy(&model);
}

/* In files, weights are [O,I,k,k] and columns of the dense layer [C,H,W]; in memory, [k,k,I,O] and [H,W,C]. */
TEST(tensors_have_the_layout_of_the_reference)
{
    const pg_net_spec spec = small_spec("alexnet", PG_NORM_BN, "v1", "default");
    pg_model *model = saved_model(&spec);
    pg_safetensors *file = NULL;
    const pg_layer *conv = pg_model_passport_layer(model, 0), *dense = pg_model_classifier(model);
    const int inputs = conv->in_channels, outputs = conv->out_channels, o = 5, i = 11, y = 2, x = 1;
    OK(pg_safetensors_open(model_path, &file, &err));
    const float outside = element(file, "features.4.weight", (size_t)(((o * inputs + i) * 3 + y) * 3 + x));
    assert_true(outside == model->params[conv->weight + ((y * 3 + x) * inputs + i) * outputs + o]);
    assert_true(outside == element(file, "features.4.conv.weight", (size_t)(((o * inputs + i) * 3 + y) * 3 + x)));
    const int height = dense->in_height, width = dense->in_width, channels = dense->in_channels,
              image = height * width * channels;
    assert_true(height == 2 && width == 3);
    assert_true(element(file, "classifier.weight", (size_t)(3 * image + (i * height + 1) * width + 2)) ==
                model->params[dense->weight + 3 * image + (1 * width + 2) * channels + i]);
    assert_non_null(pg_safetensors_find(file, "features.4.bn.num_batches_tracked"));
    assert_null(pg_safetensors_find(file, "features.4.bn.weight"));
    pg_safetensors_close(&file);
    pg_model_destroy(&model);
}

/* ---- names and shapes alone ---- */

static void check_inferred(const pg_net_spec *spec, const pg_net_spec *override)
{
    pg_model *model = saved_model(spec);
    sheet s = open_sheet();
    write_sheet(&s);
    check_loads(model, override);
    close_sheet(&s);
    pg_model_destroy(&model);
}

TEST(a_network_is_inferred_from_its_tensors)
{
    for (int a = 0; pg_archs[a]; a++)
        for (int scheme = 0; scheme < SCHEMES; scheme++)
            for (int norm = 0; norm < NORMS; norm++) {
                pg_net_spec spec = square_spec(pg_archs[a]->name, (pg_norm_kind)norm, all_schemes[scheme], "default");
                spec.classes = 7;
                check_inferred(&spec, NULL);
            }
}

TEST(passport_layers_are_inferred)
{
    static const struct {
        const char *arch, *scheme, *layers;
    } cases[] = {{"alexnet", "v1", "all"},
                 {"resnet18", "pan", "all"},
                 {"alexnet", "v2", "features.0 features.5"},
                 {"resnet9", "v1", "convbnrelu_1"},
                 {"resnet18-imagenet", "v2", "convbnrelu_1 layer1.1.convbnrelu_1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const pg_net_spec spec = square_spec(cases[i].arch, PG_NORM_BN, cases[i].scheme, cases[i].layers);
        check_inferred(&spec, NULL);
    }
}

TEST(the_width_is_inferred)
{
    static const double widths[] = {0.01, 0.1, 0.25, 0.3, 0.7, 1};
    static const char *const archs[] = {"alexnet", "resnet9", "alexnet-imagenet"};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int a = 0; a < 3; a++) {
            pg_net_spec spec = square_spec(archs[a], PG_NORM_GN, "v2", "default");
            spec.width = widths[i];
            if (a == 0 || widths[i] < 0.5) check_inferred(&spec, NULL);
        }
}

/* The norm cannot be inferred if every layer has a passport and none has statistics, nor can relu_before_add. */
TEST(what_a_file_does_not_say_is_given_by_the_caller)
{
    pg_net_spec spec = square_spec("resnet9", PG_NORM_GN, "v1", "all");
    pg_model *model = saved_model(&spec);
    sheet s = open_sheet();
    drop(&s, "layer2.0.shortcut.conv.weight"); /* one of its two names */
    write_sheet(&s);
    check_refused("no layer shows the norm");
    spec.relu_before_add = false;
    check_loads(model, &spec);
    close_sheet(&s);
    pg_model_destroy(&model);

    spec = square_spec("alexnet", PG_NORM_BN, "v1", "default");
    const pg_net_spec wrong = square_spec("alexnet", PG_NORM_IN, "v1", "default");
    check_inferred(&spec, &wrong); /* the file overrides the hints */
}

/* ---- second names ---- */

TEST(a_tensor_under_two_names_must_be_the_same)
{
    const pg_net_spec spec = square_spec("alexnet", PG_NORM_BN, "v2", "default");
    pg_model *model = saved_model(&spec);
    static const char *const names[] = {"features.5.weight", "features.5.conv.weight"};
    for (int i = 0; i < 2; i++) {
        sheet s = open_sheet();
        drop(&s, names[i]);
        write_sheet(&s);
        check_loads(model, NULL);
        close_sheet(&s);
    }
    for (int i = 0; i < 2; i++) {
        sheet s = open_sheet();
        pg_array *array = array_of(&s, names[i]);
        float *other = NULL;
        OK(pg_alloc(array->count, sizeof *other, &other, &err));
        memcpy(other, array->data, array->count * sizeof *other);
        other[array->count - 1] = nextafterf(other[array->count - 1], 1);
        array->data = other;
        write_sheet(&s);
        check_refused("tensors 'features.5.weight' and 'features.5.conv.weight' should be one and the same, but differ");
        pg_free(other);
        close_sheet(&s);
    }
    pg_model_destroy(&model);
}

/* ---- weights and passports in one file ---- */

typedef struct pair {
    pg_model *model;
    pg_evidence *evidence;
    sheet sheet;
} pair;

/* Save a model and its evidence, and both files' arrays together. V1's network may also have learned affines beside the
 * passports', as it has after fine-tuning. */
static pair open_pair(const char *scheme, bool tuned)
{
    pair p = {0};
    pg_net_spec spec = square_spec("alexnet", PG_NORM_BN, scheme, "default");
    if (tuned) spec.public_affine = true;
    p.model = saved_model(&spec);
    OK(pg_evidence_create(&spec, scheme, "random", &p.evidence, &err));
    fill_evidence(p.evidence);
    OK(pg_evidence_save(p.evidence, evidence_path, &err));
    p.sheet = open_sheet();
    add_file(&p.sheet, 1, evidence_path);
    return p;
}

static void close_pair(pair *p)
{
    close_sheet(&p->sheet);
    pg_model_destroy(&p->model);
    pg_evidence_destroy(&p->evidence);
}

static void check_evidence(const pair *p)
{
    pg_evidence *loaded = NULL;
    OK(pg_evidence_load(edited_path, &loaded, &err));
    assert_string_equal(loaded->scheme, p->evidence->scheme);
    assert_int_equal(loaded->passport_count, p->evidence->passport_count);
    for (int i = 0; i < loaded->passport_count; i++) {
        const pg_passport *a = &loaded->passports[i], *b = &p->evidence->passports[i];
        const size_t count = (size_t)b->height * (size_t)b->width * (size_t)b->inputs;
        assert_string_equal(a->layer, b->layer);
        assert_true(a->height == b->height && a->width == b->width && a->inputs == b->inputs && a->outputs == b->outputs);
        assert_memory_equal(a->key, b->key, bytes_of(count));
        assert_memory_equal(a->skey, b->skey, bytes_of(count));
        assert_memory_equal(a->b, b->b, (size_t)b->outputs);
    }
    pg_evidence_destroy(&loaded);
}

static void check_one_file(const char *scheme, bool tuned)
{
    pair p = open_pair(scheme, tuned);
    write_sheet(&p.sheet);
    check_loads(p.model, NULL);
    check_evidence(&p);
    close_pair(&p);
}

TEST(model_and_evidence_may_share_a_file)
{
    check_one_file("v1", false);
    check_one_file("v1", true);
    check_one_file("v2", false);
}

/* A layer is recognised as a passport layer even if its tensors lack their first names. */
TEST(a_shared_file_needs_no_first_names)
{
    pair p = open_pair("v1", false);
    for (int i = 0; i < p.evidence->passport_count; i++) {
        char name[PG_NAME_MAX + 16];
        snprintf(name, sizeof name, "%s.weight", p.evidence->passports[i].layer);
        drop(&p.sheet, name);
        snprintf(name, sizeof name, "%s.b", p.evidence->passports[i].layer);
        drop(&p.sheet, name);
    }
    write_sheet(&p.sheet);
    check_loads(p.model, NULL);
    check_evidence(&p);
    close_pair(&p);
}

static void check_signature_names(const char *scheme, const char *first, const char *second)
{
    pair p = open_pair(scheme, false);
    pg_evidence *loaded = NULL;
    char part[256];
    pg_array *array = array_of(&p.sheet, second);
    pg_real *bits = NULL;
    assert_non_null(array);
    OK(pg_alloc(array->count, sizeof *bits, &bits, &err));
    memcpy(bits, array->data, bytes_of(array->count));
    array->data = bits;
    bits[1] = -bits[1];
    write_sheet(&p.sheet);
    assert_int_equal(pg_evidence_load(edited_path, &loaded, &err), PG_BAD_INPUT);
    snprintf(part, sizeof part, "%s: tensors '%s' and '%s' should be one and the same, but differ", edited_path, first, second);
    assert_string_equal(err.message, part);
    drop(&p.sheet, second);
    write_sheet(&p.sheet);
    check_evidence(&p);
    pg_free(bits);
    close_pair(&p);
}

TEST(a_signature_has_either_of_its_names)
{
    check_signature_names("v1", "features.5.b", "features.5.sign_loss.b");
    check_signature_names("v2", "features.5.b", "features.5.sign_loss_private.b");
}
