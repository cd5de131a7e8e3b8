/* Models as files: round trip, the spec found from names and shapes alone, files as PyTorch writes them (second names, what is
 * missing, what has another shape), one file as model and evidence. */
#include "tests/unit/small_net.h"

#include "core/formats/safetensors.h"
#include "core/nets/state.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const char model_path[] = "model.safetensors", evidence_path[] = "evidence.safetensors",
                  edited_path[] = "edited.safetensors";

SET_UP
{
    pg_compute_start(1);
}

static size_t bytes_of(size_t count)
{
    return count * sizeof(pg_real);
}

/* ---- models ---- */

/* For images of 32x32, the size that a file without metadata is taken for. */
static pg_net_spec square_spec(const char *arch, pg_norm_kind norm, const char *scheme, const char *layers)
{
    pg_net_spec spec = small_spec(arch, norm, scheme, layers);
    spec.image_height = spec.image_width = 32;
    if (spec.arch->image > 32) spec.image_height = spec.image_width = spec.arch->image;
    return spec;
}

static pg_model *saved_model(const pg_net_spec *spec)
{
    pg_model *model = NULL;
    OK(pg_model_create(spec, &model, &err));
    fill_model(model);
    OK(pg_model_save(model, NULL, 0, model_path, &err));
    return model;
}

static void assert_same_values(const pg_model *a, const pg_model *b)
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

/* What names tell; statistics of one's own exist with batch norm alone. */
static void assert_same_wiring(const pg_net_spec *a, const pg_net_spec *b)
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

/* The arrays of one or two files, to be changed and written again without metadata. */
typedef struct sheet {
    pg_safetensors *files[2];
    pg_array arrays[ARRAYS_MAX];
    size_t count;
} sheet;

static void add_file(sheet *s, int at, const char *path)
{
    OK(pg_safetensors_open(path, &s->files[at], &err));
    for (size_t i = 0; i < pg_safetensors_count(s->files[at]); i++) {
        assert_true(s->count < ARRAYS_MAX);
        s->arrays[s->count++] = *pg_safetensors_at(s->files[at], i);
    }
}

static sheet open_sheet(void)
{
    sheet s = {.count = 0};
    add_file(&s, 0, model_path);
    return s;
}

static pg_array *array_of(sheet *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->arrays[i].name, name) == 0) return &s->arrays[i];
    return NULL;
}

static void drop(sheet *s, const char *name)
{
    pg_array *array = array_of(s, name);
    if (!array) fail_msg("there is no tensor %s to drop", name);
    *array = s->arrays[--s->count];
}

static void write_sheet(const sheet *s)
{
    OK(pg_safetensors_write(edited_path, s->arrays, s->count, NULL, 0, PG_FILE_PUBLIC, &err));
}

static void close_sheet(sheet *s)
{
    pg_safetensors_close(&s->files[0]);
    pg_safetensors_close(&s->files[1]);
}

static void check_loads(const pg_model *expected, const pg_net_spec *known)
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

static void check_refused(const char *part)
{
    pg_model *loaded = NULL;
    assert_int_equal(pg_model_load(edited_path, NULL, &loaded, NULL, &err), PG_BAD_INPUT);
    assert_null(loaded);
    assert_contains(err.message, edited_path);
    assert_contains(err.message, part);
}

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

/* Every finite bit pattern comes back, of values that arithmetic would change too. */
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

static float element(const pg_safetensors *file, const char *name, size_t i)
{
    float value;
    const pg_array *array = pg_safetensors_find(file, name);
    assert_non_null(array);
    assert_int_equal(array->dtype, PG_F32);
    memcpy(&value, (const char *)array->data + i * sizeof value, sizeof value);
    return value;
}

/* Outside, weights are [O,I,k,k] and columns of the dense layer [C,H,W]; inside [k,k,I,O] and [H,W,C]. */
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

/* What a file cannot tell: the norm, if every layer has a passport and none statistics; relu_before_add. */
TEST(what_a_file_cannot_tell_is_given)
{
    pg_net_spec spec = square_spec("resnet9", PG_NORM_GN, "v1", "all");
    pg_model *model = saved_model(&spec);
    sheet s = open_sheet();
    drop(&s, "layer2.0.shortcut.conv.weight"); /* one of its two names */
    write_sheet(&s);
    check_refused("no layer tells the norm");
    spec.relu_before_add = false;
    check_loads(model, &spec);
    close_sheet(&s);
    pg_model_destroy(&model);

    spec = square_spec("alexnet", PG_NORM_BN, "v1", "default");
    const pg_net_spec wrong = square_spec("alexnet", PG_NORM_IN, "v1", "default");
    check_inferred(&spec, &wrong); /* what the file tells goes first */
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

/* ---- what is missing, misshapen, or more than needed ---- */

/* Each tensor of a network in turn, and its second name with it, is left out, then given another shape. */
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

/* A layer that is not there tells no norm. */
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

/* Counters may be missing, integers that no network has may be there, and values may be of another type. */
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

/* Names under PyTorch's wrappers, one in another, around the network or a part of it; for evidence too. */
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

/* Weights of half precision, and flags beside them. */
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

/* What a file tells beside its network, and what is assumed where it does not. */
TEST(a_file_tells_facts_and_what_is_assumed_is_told)
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

/* Metadata of this program that says what cannot be. */
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

/* ---- weights and passports in one file ---- */

typedef struct pair {
    pg_model *model;
    pg_evidence *evidence;
    sheet sheet;
} pair;

/* A model and its evidence, saved, and both files' arrays together. V1's network may have learned affines beside the
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

/* A file without the first names of a passport layer's tensors is still seen to be one. */
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
