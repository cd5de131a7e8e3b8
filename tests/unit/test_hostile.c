/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that this program never writes: models and evidence that promise what they do not hold, and states that no training
 * leaves. Readers refuse them by name before they allocate memory for them. */
#include "tests/unit/small_net.h"

#include "core/data/triggers.h"
#include "core/formats/snapshot.h"
#include "core/nets/state.h"
#include "core/ownership/accuracy.h"
#include "core/ownership/mark.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const char model_path[] = "model.safetensors", edited_path[] = "edited.safetensors";

SET_UP
{
    pg_compute_start(1);
}

enum { ARRAYS_MAX = 256, PAIRS_MAX = 16 };

/* The tensors and metadata of a file, which the test changes and writes again. */
typedef struct sheet {
    pg_safetensors *file;
    pg_array arrays[ARRAYS_MAX];
    pg_metadata pairs[PAIRS_MAX];
    size_t count, pair_count;
} sheet;

static sheet open_sheet(const char *path)
{
    sheet s = {.count = 0};
    OK(pg_safetensors_open(path, &s.file, &err));
    for (; s.count < pg_safetensors_count(s.file); s.count++) s.arrays[s.count] = *pg_safetensors_at(s.file, s.count);
    for (; s.pair_count < pg_safetensors_metadata_count(s.file); s.pair_count++)
        s.pairs[s.pair_count] = *pg_safetensors_metadata_at(s.file, s.pair_count);
    return s;
}

static pg_array *array_of(sheet *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->arrays[i].name, name) == 0) return &s->arrays[i];
    fail_msg("there is no tensor %s", name);
    return NULL;
}

static void add(sheet *s, const char *name, pg_dtype dtype, size_t count, const void *data)
{
    assert_true(s->count < ARRAYS_MAX);
    s->arrays[s->count++] = (pg_array){.name = name, .dtype = dtype, .dims = 1, .shape = {count}, .data = data};
}

/* Change the value of a metadata pair, or add a pair. */
static void say(sheet *s, const char *key, const char *value)
{
    for (size_t i = 0; i < s->pair_count; i++)
        if (strcmp(s->pairs[i].key, key) == 0) {
            s->pairs[i].value = value;
            return;
        }
    s->pairs[s->pair_count++] = (pg_metadata){key, value};
}

static void write_sheet(const sheet *s)
{
    OK(pg_safetensors_write(edited_path, s->arrays, s->count, s->pairs, s->pair_count, PG_FILE_PUBLIC, &err));
}

static void model_refused(const char *part)
{
    pg_model *loaded = NULL;
    assert_int_equal(pg_model_load(edited_path, NULL, &loaded, NULL, &err), PG_BAD_INPUT);
    assert_null(loaded);
    assert_contains(err.message, part);
}

static void evidence_refused(const char *part)
{
    pg_evidence *loaded = NULL;
    assert_int_equal(pg_evidence_load(edited_path, &loaded, &err), PG_BAD_INPUT);
    assert_null(loaded);
    assert_contains(err.message, part);
}

/* A plain network of 32x32 images, saved. */
static pg_model *saved_model(const char *arch)
{
    pg_model *model = NULL;
    pg_net_spec spec = small_spec(arch, PG_NORM_BN, "plain", "default");
    spec.image_height = spec.image_width = 32;
    OK(pg_model_create(&spec, &model, &err));
    fill_model(model);
    OK(pg_model_save(model, NULL, 0, model_path, &err));
    return model;
}

static double most_memory(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (double)usage.ru_maxrss * 1024;
}

/* ---- models ---- */

/* Tensors that the nearest known network does not have, with and without the metadata that name it. */
static void check_another(const char *arch, const char *const *extra)
{
    static const float values[16] = {1};
    pg_model *model = saved_model(arch);
    sheet s = open_sheet(model_path);
    for (const char *const *name = extra; *name; name++) add(&s, *name, PG_F32, 16, values);
    write_sheet(&s);
    model_refused("it is another network");
    assert_contains(err.message, arch);
    s.pair_count = 0;
    write_sheet(&s);
    model_refused("it is another network");
    pg_safetensors_close(&s.file);
    pg_model_destroy(&model);
}

TEST(tensors_of_another_network_are_refused)
{
    check_another("alexnet", (const char *const[]){"features.7.conv.weight", NULL});
    assert_contains(err.message,
                    "the network alexnet has no tensor 'features.7.conv.weight': it is another network (such tensors: 1)");
    check_another("resnet18",
                  (const char *const[]){"layer1.2.convbnrelu_1.conv.weight", "layer1.2.convbnrelu_1.bn.weight", NULL});
    assert_contains(
        err.message,
        "the network resnet18 has no tensor 'layer1.2.convbnrelu_1.conv.weight': it is another network (such tensors: 2)");
    check_another("alexnet", (const char *const[]){"features.9.key", NULL}); /* a passport for no layer of it */
    check_another("alexnet", (const char *const[]){"features.0.bn.num_batches", NULL});
    check_another("alexnet", (const char *const[]){"features.7.num_batches_tracked", NULL}); /* two numbers, so no counter */
}

TEST(a_value_that_is_not_finite_is_refused)
{
    static const struct {
        const char *name;
        float value;
        const char *message;
    } cases[] = {{"features.4.conv.weight", NAN, "tensor 'features.4.conv.weight': a value is not a finite number"},
                 {"classifier.bias", INFINITY, "tensor 'classifier.bias': a value is not a finite number"},
                 {"features.2.bn.running_mean", -INFINITY, "'features.2.bn.running_mean': a value is not a finite number"},
                 {"features.2.bn.running_var", NAN, "tensor 'features.2.bn.running_var': a value is not a finite number"},
                 {"features.2.bn.running_var", -1e-6F, "tensor 'features.2.bn.running_var': a variance is negative"}};
    pg_model *model = saved_model("alexnet");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sheet s = open_sheet(model_path);
        pg_array *array = array_of(&s, cases[i].name);
        float *values = NULL;
        OK(pg_alloc(array->count, sizeof *values, &values, &err));
        memcpy(values, array->data, array->count * sizeof *values);
        values[array->count - 1] = cases[i].value;
        array->data = values;
        write_sheet(&s);
        model_refused(cases[i].message);
        pg_free(values);
        pg_safetensors_close(&s.file);
    }
    pg_model_destroy(&model);
}

TEST(a_double_that_no_float_holds_is_refused)
{
    pg_model *model = saved_model("alexnet");
    sheet s = open_sheet(model_path);
    double values[SMALL_CLASSES] = {1e300};
    pg_array *bias = array_of(&s, "classifier.bias");
    bias->dtype = PG_F64;
    bias->data = values;
    write_sheet(&s);
    if (sizeof(pg_real) == sizeof(float)) model_refused("'classifier.bias': a value is not a finite number");
    pg_safetensors_close(&s.file);
    pg_model_destroy(&model);
}

/* The reader compares sizes in the metadata with the tensors before it allocates memory for them. */
TEST(promised_sizes_take_no_memory_before_they_are_checked)
{
    static const struct {
        const char *key, *value, *message;
    } cases[] = {{"width", "16", "features.0.conv.weight"},
                 {"classes", "1000000", "classifier.weight"},
                 {"image", "4096x4096", "classifier.weight"}};
    pg_model *model = saved_model("alexnet");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sheet s = open_sheet(model_path);
        say(&s, cases[i].key, cases[i].value);
        write_sheet(&s);
        model_refused(cases[i].message);
        pg_safetensors_close(&s.file);
    }
    assert_true(most_memory() < 5e8);
    pg_model_destroy(&model);
}

/* ---- answers that are no numbers ---- */

TEST(every_kernel_keeps_a_nan)
{
    enum { N = 4 };
    const pg_pool pool = {.height = 2, .width = 2, .channels = 1, .kernel = 2, .stride = 2, .out_height = 1, .out_width = 1};
    for (int at = 0; at < N; at++) {
        pg_real x[N] = {1, -2, 3, -4}, none[N] = {0}, y[N];
        uint8_t which;
        x[at] = NAN;
        memcpy(y, x, sizeof y);
        pg_relu(N, y);
        assert_true(isnan(y[at]));
        pg_add_relu(N, x, none, y);
        assert_true(isnan(y[at]));
        pg_maxpool_forward(&pool, 1, x, y, &which);
        assert_true(isnan(y[0]));
        assert_int_equal(which, at);
        for (int kind = 0; kind < 3; kind++) { /* by itself, pooled, with a residual */
            pg_norm norm = {.kind = PG_NORM_NONE,
                            .pixels = N,
                            .channels = 1,
                            .relu = true,
                            .pool_width = kind == 1 ? 2 : 0,
                            .residual = kind == 2};
            pg_real scratch[64];
            pg_norm_apply(&norm, &(pg_norm_pass){.n = 1, .x = x, .plus = none, .y = y, .scratch = scratch});
            assert_true(isnan(y[kind == 1 ? 0 : at]));
        }
        pg_norm norm = {.kind = PG_NORM_BN, .pixels = N, .channels = 1};
        pg_real mean, inv_std, variance, scratch[64];
        pg_norm_statistics(&norm, 1, x, &mean, &inv_std, &variance, scratch);
        assert_true(isnan(mean) && isnan(inv_std) && isnan(variance));
    }
    pg_real zero = (pg_real)-0.0;
    pg_relu(1, &zero);
    assert_true(copysign(1, (double)zero) > 0);
}

/* The trigger does not count even if its label is the class that an undefined answer would give. */
TEST(an_undefined_answer_is_never_right)
{
    static const int32_t label = 0;
    static const pg_real answers[][2] = {{NAN, NAN}, {1, NAN}, {NAN, 1}, {INFINITY, 1}, {1, -INFINITY}, {-INFINITY, -INFINITY}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        int hits = 1;
        const double loss = pg_cross_entropy(1, 2, answers[i], &label, 0, NULL, &hits);
        assert_true(isnan(loss) || isinf(loss));
        assert_int_equal(hits, 0);
    }
}

/* The model's parameters are finite, but its outputs are not. */
TEST(undefined_answers_are_no_accuracy)
{
    pg_accuracy found;
    pg_dataset data = {.name = "nought", .classes = SMALL_CLASSES};
    pg_model *model = saved_model("alexnet");
    const pg_layer *last = pg_model_classifier(model);
    OK(pg_dataset_allocate(&data, 3, 32, 32, &err));
    OK(pg_measure_accuracy(model, PG_PUBLIC, NULL, &data, PG_PIXELS_IMAGENET, 2, &found, &err));
    assert_int_equal(found.undefined, 0);
    for (int i = 0; i < last->in_height * last->in_width * last->in_channels; i++)
        model->params[last->weight + i] = (pg_real)3e38;
    for (int i = 0; i < last->out_channels; i++) model->params[last->bias + i] = (pg_real)(i ? 0 : 3e38);
    assert_int_equal(pg_measure_accuracy(model, PG_PUBLIC, NULL, &data, PG_PIXELS_IMAGENET, 2, &found, &err), PG_FAILED);
    assert_contains(err.message, "nought: the network's logits for 3 of 3 images are not finite numbers");
    pg_dataset_clear(&data);
    pg_model_destroy(&model);
}

/* ---- positions in a snapshot ---- */

/* If one index is out of range, or one bool is neither 0 nor 1, the other values stay unchanged too. */
TEST(a_snapshot_out_of_its_limits_restores_nothing)
{
    static const struct {
        int32_t next;
        uint8_t done;
        const char *message;
    } cases[] = {{4, 0, "tensor 'next': 4 is not within 0 .. 3"},
                 {-1, 0, "tensor 'next': -1 is not within 0 .. 3"},
                 {INT32_MAX, 0, "tensor 'next'"},
                 {0, 2, "tensor 'done'"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t next = 3;
        bool done = false;
        double sum = 0.5;
        pg_snapshot snapshot = {0};
        pg_safetensors *file = NULL;
        const double other = 7;
        sheet s = {.count = 0};
        add(&s, "sum", PG_F64, 1, &other);
        add(&s, "next", PG_I32, 1, &cases[i].next);
        add(&s, "done", PG_U8, 1, &cases[i].done);
        write_sheet(&s);
        PG_KEEP(&snapshot, &sum, 1, "sum");
        PG_KEEP_IN(&snapshot, &next, 0, 3, "next");
        PG_KEEP(&snapshot, &done, 1, "done");
        OK(pg_safetensors_open(edited_path, &file, &err));
        assert_int_equal(pg_snapshot_read(&snapshot, file, &err), PG_BAD_INPUT);
        assert_contains(err.message, cases[i].message);
        assert_true(next == 3 && !done && sum == 0.5);
        pg_safetensors_close(&file);
    }
}

/* ---- evidence ---- */

static const float blank[4096 * 75];

/* A mark of so many filters for AlexNet's first layer, all bits +1. */
static sheet mark_sheet(size_t bits, float *plus)
{
    sheet s = {.count = 2};
    for (size_t i = 0; i < bits; i++) plus[i] = 1;
    s.arrays[0] =
        (pg_array){.name = "features.0.projection", .dtype = PG_F32, .dims = 4, .shape = {bits, 3, 5, 5}, .data = blank};
    s.arrays[1] = (pg_array){.name = "features.0.mark", .dtype = PG_F32, .dims = 1, .shape = {bits}, .data = plus};
    say(&s, "scheme", "uchida");
    return s;
}

/* Otherwise the projection would be drawn beyond the end of its array. */
TEST(more_bits_than_positions_are_refused)
{
    static float plus[PG_MARK_BITS_MAX];
    static const struct {
        const char *kind;
        size_t most; /* bits that fit 75 weights */
    } kinds[] = {{"direct", 75}, {"diff", 37}, {"gaussian", PG_MARK_BITS_MAX}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t more = 0; more < 2 && kinds[k].most + more <= PG_MARK_BITS_MAX; more++) {
            pg_evidence *loaded = NULL;
            sheet s = mark_sheet(kinds[k].most + more, plus);
            say(&s, "kind", kinds[k].kind);
            write_sheet(&s);
            if (more) evidence_refused("ones do not fit features.0, whose filters have 75 weights");
            if (!more) OK(pg_evidence_load(edited_path, &loaded, &err));
            pg_evidence_destroy(&loaded);
        }
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "hostile"}, "mark", 0);
    pg_mark mark = {.site_count = 1, .site = {{.layer = "features.0", .kernel = 5, .inputs = 3}}, .bits = 76};
    OK(pg_mark_allocate(&mark, &err));
    assert_int_equal(pg_mark_draw(&mark, PG_MARK_DIRECT, &rng, &err), PG_BAD_INPUT);
    assert_int_equal(pg_mark_draw(&mark, PG_MARK_DIFF, &rng, &err), PG_BAD_INPUT);
    pg_mark_clear(&mark);
}

static sheet trigger_sheet(const char *classes)
{
    static const uint8_t pictures[4 * 4 * 4 * 3];
    static const int32_t labels[4] = {0, 1, 0, 1};
    sheet s = {.count = 2};
    s.arrays[0] = (pg_array){.name = "triggers.images", .dtype = PG_U8, .dims = 4, .shape = {4, 4, 4, 3}, .data = pictures};
    s.arrays[1] = (pg_array){.name = "triggers.labels", .dtype = PG_I32, .dims = 1, .shape = {4}, .data = labels};
    say(&s, "scheme", "adi");
    say(&s, "kind", "noise");
    say(&s, "trigger_classes", classes);
    return s;
}

/* Code that works with labels allocates an array of that size. */
TEST(the_number_of_trigger_classes_has_a_limit)
{
    static const char *const bad[] = {"2147483647", "1000001", "4294967298", "1", "-3", "2x", "two", ""};
    pg_evidence *loaded = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sheet s = trigger_sheet(bad[i]);
        write_sheet(&s);
        evidence_refused("classes in metadata 'trigger_classes'");
    }
    sheet s = trigger_sheet("2");
    write_sheet(&s);
    OK(pg_evidence_load(edited_path, &loaded, &err));
    assert_int_equal(loaded->triggers.classes, 2);
    pg_evidence_destroy(&loaded);
}

/* A judge compares every picture with all others, so their number is limited. */
TEST(the_number_of_trigger_pictures_has_a_limit)
{
    static const uint8_t pictures[(PG_TRIGGERS_MAX + 1) * 3];
    static const int32_t labels[PG_TRIGGERS_MAX + 1];
    pg_evidence *loaded = NULL;
    for (size_t more = 0; more < 2; more++) {
        sheet s = trigger_sheet("2");
        const size_t count = PG_TRIGGERS_MAX + more;
        s.arrays[0] =
            (pg_array){.name = "triggers.images", .dtype = PG_U8, .dims = 4, .shape = {count, 1, 1, 3}, .data = pictures};
        s.arrays[1].shape[0] = count;
        s.arrays[1].data = labels;
        write_sheet(&s);
        if (more) evidence_refused("tensor 'triggers.images': 10001 pictures, expected at most 10000");
        if (!more) OK(pg_evidence_load(edited_path, &loaded, &err));
        pg_evidence_destroy(&loaded);
    }
}

/* Texts that differ only behind the cut would have the same commitment. */
TEST(a_long_text_is_refused_and_not_cut)
{
    char text[200];
    static const struct {
        const char *key;
        size_t most;
    } fields[] = {{"scheme", PG_KIND_MAX - 1}, {"kind", PG_KIND_MAX - 1}, {"trigger_source", 127}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (size_t more = 0; more < 2; more++) {
            pg_evidence *loaded = NULL;
            const size_t length = fields[i].most + more;
            memset(text, 'x', length);
            text[length] = 0;
            sheet s = trigger_sheet("2");
            say(&s, fields[i].key, text);
            write_sheet(&s);
            if (more) evidence_refused("is longer than");
            if (!more) OK(pg_evidence_load(edited_path, &loaded, &err));
            pg_evidence_destroy(&loaded);
        }
}

static pg_array image_of(const char *name)
{
    return (pg_array){.name = name, .dtype = PG_F32, .dims = 4, .shape = {1, 4, 4, 4}, .data = blank};
}

/* A signature of four bits. */
static pg_array bits_of(const char *name)
{
    static const float bits[] = {1, 1, -1, 1};
    return (pg_array){.name = name, .dtype = PG_F32, .dims = 1, .shape = {4}, .data = bits};
}

/* The reader looks at every tensor and every metadata entry exactly once. */
TEST(what_belongs_to_no_evidence_is_refused)
{
    static const float infinite[64] = {[63] = INFINITY};
    pg_evidence *loaded = NULL;
    sheet s = {.arrays = {image_of("features.4.key"), image_of("features.4.skey"), bits_of("features.4.b")}, .count = 3};
    write_sheet(&s);
    OK(pg_evidence_load(edited_path, &loaded, &err));
    loaded->passports[0].b[3] = 0; /* the writer refuses what the reader would refuse */
    unlink(edited_path);
    assert_int_equal(pg_evidence_save(loaded, edited_path, &err), PG_BAD_INPUT);
    assert_contains(err.message, "bit 3 for features.4 is neither -1 nor +1");
    assert_contains(err.message, edited_path);
    assert_int_equal(access(edited_path, F_OK), -1);
    pg_evidence_destroy(&loaded);

    s.arrays[3] = image_of("features.5.skey");
    s.count = 4;
    write_sheet(&s);
    evidence_refused("tensor 'features.5.skey' belongs to neither a passport nor a mark");
    s.arrays[3] = bits_of("features.5.sign_loss.b");
    write_sheet(&s);
    evidence_refused("tensor 'features.5.sign_loss.b' belongs to neither a passport nor a mark");
    s.arrays[3] = image_of("a.layer.whose.name.is.longer.than.any.network.here.has.key");
    write_sheet(&s);
    evidence_refused("has.key' belongs to neither a passport nor a mark");
    s.arrays[3] = image_of("features.4.key_private");
    s.arrays[4] = image_of("features.4.skey_private");
    s.count = 5;
    write_sheet(&s);
    evidence_refused("two passports for features.4");
    s.arrays[1].data = infinite;
    s.count = 3;
    write_sheet(&s);
    evidence_refused("the passport for features.4 has values that are not finite");

    s.arrays[1] = image_of("features.4.skey");
    static float plus[8];
    sheet marks = mark_sheet(8, plus);
    s.arrays[3] = marks.arrays[0];
    s.arrays[4] = marks.arrays[1];
    s.count = 5;
    write_sheet(&s);
    evidence_refused("a mark for features.0 beside passports: evidence makes one claim");

    marks.arrays[2] = marks.arrays[0];
    marks.arrays[3] = marks.arrays[1];
    marks.arrays[2].name = "features.1.projection";
    marks.arrays[3].name = "features.1.mark";
    marks.count = 4;
    write_sheet(&marks);
    evidence_refused("more than one mark");
    marks.count = 2;
    plus[7] = 0.5F;
    write_sheet(&marks);
    evidence_refused("tensor 'features.0.mark': element 7 is neither -1 nor +1");
}

TEST(the_commitment_hashes_every_number_before_what_it_counts)
{
    static const uint8_t pixels[2 * 3] = {1, 2, 3, 4, 5, 6};
    static const int32_t labels[2] = {1, 0};
    pg_hash hash;
    char expected[PG_SHA256_HEX], found[PG_SHA256_HEX];
    pg_evidence e = {
        .scheme = "adi",
        .kind = "noise",
        .triggers = {
            .count = 2, .classes = 2, .height = 1, .width = 1, .images = (uint8_t *)pixels, .labels = (int32_t *)labels}};
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "passgrid evidence 2");
    pg_hash_add_text(&hash, "adi");
    pg_hash_add_text(&hash, "noise");
    static const uint64_t numbers[] = {0, 0, 2, 1, 1, 2}; /* passports, bits; triggers, their height, width and classes */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) pg_hash_add_u64(&hash, numbers[i]);
    pg_hash_add(&hash, pixels, sizeof pixels);
    pg_hash_add(&hash, labels, sizeof labels);
    pg_hash_finish_hex(&hash, expected);
    pg_evidence_commitment(&e, found);
    assert_string_equal(found, expected);
}
