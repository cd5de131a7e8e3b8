/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of safetensors: the format itself, models, evidence before the judge, checkpoints of training and of attacks,
 * data. */
#include "tests/fuzz/fuzz.h"

#include "attacks/attack.h"
#include "core/base/memory.h"
#include "core/data/readers.h"
#include "core/nets/state.h"
#include "core/ownership/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 17, IMAGES = 8 };

/* ---- the format ---- */

static bool same_array(const pg_array *a, const pg_array *b)
{
    static const size_t sizes[] = {
        [PG_F32] = 4, [PG_F64] = 8, [PG_I64] = 8, [PG_I32] = 4, [PG_U8] = 1,  [PG_F16] = 2,     [PG_BF16] = 2,   [PG_BOOL] = 1,
        [PG_I8] = 1,  [PG_I16] = 2, [PG_U16] = 2, [PG_U32] = 4, [PG_U64] = 8, [PG_F8_E4M3] = 1, [PG_F8_E5M2] = 1};
    return b && a->dtype == b->dtype && a->dims == b->dims && a->count == b->count &&
           memcmp(a->shape, b->shape, (size_t)a->dims * sizeof *a->shape) == 0 &&
           (a->count == 0 || memcmp(a->data, b->data, a->count * sizes[a->dtype]) == 0);
}

/* Writes the file again and compares the arrays and texts. */
static void check_arrays(const pg_safetensors *file)
{
    const size_t count = pg_safetensors_count(file), words = pg_safetensors_metadata_count(file);
    pg_array *arrays = calloc(count + 1, sizeof *arrays);
    pg_metadata *metadata = calloc(words + 1, sizeof *metadata);
    pg_safetensors *again = NULL;
    const char *path = fuzz_path("again.safetensors");
    for (size_t i = 0; i < count; i++) arrays[i] = *pg_safetensors_at(file, i);
    for (size_t i = 0; i < words; i++) metadata[i] = *pg_safetensors_metadata_at(file, i);
    FUZZ_MUST(pg_safetensors_write(path, arrays, count, metadata, words, PG_FILE_PUBLIC, &fuzz_error));
    FUZZ_MUST(pg_safetensors_open(path, &again, &fuzz_error));
    FUZZ_CHECK(pg_safetensors_count(again) == count, "%zu", count);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(same_array(&arrays[i], pg_safetensors_find(again, arrays[i].name)), "%s", arrays[i].name);
    for (size_t i = 0; i < words; i++) {
        const char *value = pg_safetensors_metadata(again, metadata[i].key);
        FUZZ_CHECK(value && strcmp(value, metadata[i].value) == 0, "%s", metadata[i].key);
    }
    pg_safetensors_close(&again);
    free(arrays);
    free(metadata);
}

static void read_numbers(const pg_safetensors *file)
{
    enum { ROOM = 64 };
    float f[ROOM];
    double d[ROOM];
    int64_t i[ROOM];
    for (size_t at = 0; at < pg_safetensors_count(file); at++) {
        const pg_array *a = pg_safetensors_at(file, at);
        if (a->count > ROOM) continue;
        (void)!pg_safetensors_read_f32(file, a->name, f, a->count, NULL);
        (void)!pg_safetensors_read_f64(file, a->name, d, a->count, NULL);
        (void)!pg_safetensors_read_i64(file, a->name, i, a->count, NULL);
    }
}

static pg_status read_safetensors(const uint8_t *data, size_t bytes, pg_error *err)
{
    pg_safetensors *file = NULL;
    const pg_status status = pg_safetensors_parse(data, bytes, "x.safetensors", &file, err);
    if (status != PG_OK) return status;
    read_numbers(file);
    check_arrays(file);
    pg_safetensors_close(&file);
    return PG_OK;
}

static void seed_safetensors(void)
{
    static const double numbers[] = {1, -0.0, 1e300, INFINITY, 2, 3};
    const pg_array arrays[] = {
        {.name = "f64", .dtype = PG_F64, .dims = 2, .shape = {2, 3}, .data = numbers},
        {.name = "f32", .dtype = PG_F32, .dims = 1, .shape = {5}, .data = numbers},
        {.name = "i64", .dtype = PG_I64, .dims = 0, .data = numbers},
        {.name = "i32", .dtype = PG_I32, .dims = 3, .shape = {1, 0, 4}, .data = numbers},
        {.name = "u8", .dtype = PG_U8, .dims = 1, .shape = {7}, .data = numbers},
    };
    const pg_metadata words[] = {{"format", "pt"}, {"words", "\"quoted\" \xc3\xa9"}};
    FUZZ_MUST(pg_safetensors_write(fuzz_seed("all"), arrays, 5, words, 2, PG_FILE_PUBLIC, &fuzz_error));
    FUZZ_MUST(pg_safetensors_write(fuzz_seed("empty"), arrays, 0, NULL, 0, PG_FILE_PUBLIC, &fuzz_error));
}

const fuzz_target fuzz_safetensors = {
    .name = "safetensors", .form = FUZZ_SAFETENSORS, .most = 8192, .seed = seed_safetensors, .read = read_safetensors};

/* ---- small networks with their evidence ---- */

typedef struct subject {
    const char *name; /* of the seed */
    const char *scheme;
    pg_norm_kind norm;
    const char *settings[4][2]; /* options of the scheme, other than the default */
    const pg_scheme *kind;
    void *options;
    pg_net_spec spec;
    pg_model *model;
    pg_evidence *evidence;
} subject;

#define RANDOM                                                                                                                 \
    {                                                                                                                          \
        "passport", "random"                                                                                                   \
    }
static subject subjects[] = {
    {.name = "plain", .scheme = "plain", .norm = PG_NORM_BN},
    {.name = "v1", .scheme = "v1", .norm = PG_NORM_BN, .settings = {RANDOM}},
    {.name = "v1-image", .scheme = "v1", .norm = PG_NORM_GN, .settings = {{"passport", "image"}, {"carrier", "random"}}},
    {.name = "v2",
     .scheme = "v2",
     .norm = PG_NORM_GN,
     .settings = {{"passport", "shuffle"}, {"carrier", "random"}, {"images", "3"}}},
    {.name = "v3", .scheme = "v3", .norm = PG_NORM_BN, .settings = {RANDOM, {"trigger_count", "3"}}},
    {.name = "pan", .scheme = "pan", .norm = PG_NORM_BN, .settings = {RANDOM}},
    {.name = "uchida", .scheme = "uchida", .norm = PG_NORM_NONE, .settings = {{"bits", "16"}}},
    {.name = "uchida-direct", .scheme = "uchida", .norm = PG_NORM_BN, .settings = {{"bits", "8"}, {"projection", "direct"}}},
    {.name = "uchida-diff", .scheme = "uchida", .norm = PG_NORM_IN, .settings = {{"bits", "8"}, {"projection", "diff"}}},
    {.name = "neuralmark",
     .scheme = "neuralmark",
     .norm = PG_NORM_BN,
     .settings = {{"bits", "64"}, {"rounds", "2"}, {"pooled", "32"}}},
    {.name = "uchida-layers",
     .scheme = "uchida",
     .norm = PG_NORM_BN,
     .settings = {{"bits", "8"}, {"layers", "features.0 features.4"}}},
    {.name = "greedy", .scheme = "greedy", .norm = PG_NORM_BN, .settings = {{"bits", "16"}, {"row", "20"}}},
    {.name = "deepmarks", .scheme = "deepmarks", .norm = PG_NORM_BN, .settings = {{"bits", "8"}}},
    {.name = "stdm", .scheme = "stdm", .norm = PG_NORM_BN, .settings = {{"bits", "8"}}},
    {.name = "laplacian",
     .scheme = "laplacian",
     .norm = PG_NORM_BN,
     .settings = {{"bits", "8"}, {"spread", "10"}, {"layers", "features.0 features.4"}}},
    {.name = "deepsigns",
     .scheme = "deepsigns",
     .norm = PG_NORM_BN,
     .settings = {{"bits", "4"}, {"trigger_count", "3"}, {"layer", "features.5"}}},
    {.name = "adi", .scheme = "adi", .norm = PG_NORM_BN, .settings = {{"trigger_count", "3"}}},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static pg_data data;

static const subject *subject_of(const char *name)
{
    for (int i = 0; i < SUBJECTS; i++)
        if (strcmp(subjects[i].name, name) == 0) return &subjects[i];
    fuzz_broken("a subject of that name", "%s", name);
}

static void make_subject(subject *s)
{
    s->kind = pg_scheme_find(s->scheme);
    s->options = calloc(1, s->kind->options_size + 1);
    FUZZ_MUST(pg_options_defaults(s->kind->options, s->options, &fuzz_error));
    for (int i = 0; i < 4 && s->settings[i][0]; i++)
        FUZZ_MUST(pg_options_set(s->kind->options, s->settings[i][0], s->settings[i][1], s->options, &fuzz_error));
    s->spec = pg_net_spec_plain(pg_arch_find("alexnet"), s->norm, 10);
    s->spec.width = 0.0625;
    FUZZ_MUST(pg_scheme_wire(s->kind, s->options, &s->spec, &fuzz_error));
    const pg_keygen in = {
        .scheme = s->kind, .spec = &s->spec, .seed = {.task = s->name}, .data = &data, .pixels = PG_PIXELS_IMAGENET};
    FUZZ_MUST(pg_scheme_keygen(s->options, &in, &s->evidence, &fuzz_error));
    FUZZ_MUST(pg_model_create(&s->spec, &s->model, &fuzz_error));
    pg_model_initialise(s->model, in.seed, "weights");
}

static void prepare(void)
{
    pg_data whole;
    if (data.train.count) return;
    FUZZ_MUST(pg_data_load("synthetic", NULL, &whole, &fuzz_error));
    FUZZ_MUST(pg_dataset_subset(&whole.train, IMAGES, &data.train, &fuzz_error));
    FUZZ_MUST(pg_dataset_subset(&whole.test, IMAGES, &data.test, &fuzz_error));
    pg_data_clear(&whole);
    for (int i = 0; i < SUBJECTS; i++) make_subject(&subjects[i]);
}

/* ---- models ---- */

static void check_model(pg_model *model)
{
    pg_model *again = NULL;
    pg_accuracy accuracy;
    const char *path = fuzz_path("again.safetensors");
    FUZZ_MUST(pg_model_save(model, NULL, 0, path, &fuzz_error));
    FUZZ_MUST(pg_model_load(path, NULL, &again, NULL, &fuzz_error));
    FUZZ_CHECK(again->param_count == model->param_count && again->buffer_count == model->buffer_count, "%zu %zu",
               again->param_count, model->param_count);
    FUZZ_CHECK(memcmp(again->params, model->params, model->param_count * sizeof *model->params) == 0, "parameters");
    FUZZ_CHECK(memcmp(again->buffers, model->buffers, model->buffer_count * sizeof *model->buffers) == 0, "statistics");
    pg_model_destroy(&again);
    const pg_net_spec *s = &model->spec;
    if (pg_net_spec_deployed(s) != PG_PUBLIC || pg_dataset_fits(&data.test, s->image_height, s->image_width, s->classes, NULL))
        return;
    const pg_status status = pg_measure_accuracy(model, PG_PUBLIC, NULL, &data.test, PG_PIXELS_IMAGENET, 4, &accuracy, NULL);
    FUZZ_CHECK(status != PG_OK || (accuracy.exact >= 0 && accuracy.exact <= 100), "%g", accuracy.exact);
}

static pg_status read_model(const uint8_t *bytes, size_t count, pg_error *err)
{
    pg_model *model = NULL;
    pg_model_facts facts;
    const pg_status status = pg_model_load(fuzz_file("model.safetensors", bytes, count), NULL, &model, &facts, err);
    if (status == PG_OK) check_model(model);
    pg_model_destroy(&model);
    return status;
}

static void seed_models(void)
{
    for (int i = 0; i < SUBJECTS; i++)
        FUZZ_MUST(pg_model_save(subjects[i].model, NULL, 0, fuzz_seed(subjects[i].name), &fuzz_error));
    /* the smallest residual network, and one without our metadata */
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("resnet9"), PG_NORM_BN, 10);
    pg_model *model = NULL;
    spec.width = 0.03125;
    FUZZ_MUST(pg_model_create(&spec, &model, &fuzz_error));
    FUZZ_MUST(pg_model_save(model, NULL, 0, fuzz_seed("resnet9"), &fuzz_error));
    pg_model_destroy(&model);
}

const fuzz_target fuzz_model = {
    .name = "model", .form = FUZZ_SAFETENSORS, .most = MOST, .prepare = prepare, .seed = seed_models, .read = read_model};

/* ---- evidence, and a judge ---- */

static pg_verify_options judge_options(void)
{
    pg_verify_options options;
    FUZZ_MUST(pg_options_defaults(pg_verify_table, &options, &fuzz_error));
    options.nulls = 2;
    options.batch = 4;
    return options;
}

/* The judge refuses evidence that does not fit the model, judges the rest, and finds plausible numbers. */
static void check_judge(const pg_model *model, const pg_evidence *evidence)
{
    const pg_verify_options options = judge_options();
    const pg_judge_setup setup = {.model = model, .test = &data.test, .options = &options};
    pg_finding f;
    if (pg_verify(&setup, evidence, &f, NULL) != PG_OK) return;
    FUZZ_CHECK(f.bits >= 0 && f.agree <= f.bits + f.trigger_count, "%d of %d", f.agree, f.bits);
    FUZZ_CHECK(!f.threshold || (f.p_value >= 0 && f.p_value <= 1), "%g", f.p_value);
    FUZZ_CHECK(!f.agrees || (f.significant && f.works && !f.useless), "agrees");
    FUZZ_CHECK(!f.proves || (f.bound && f.proof_bits >= options.proof), "proves");
}

static void check_evidence(const pg_evidence *evidence)
{
    pg_evidence *again = NULL;
    char before[PG_SHA256_HEX], after[PG_SHA256_HEX];
    const char *path = fuzz_path("again.safetensors");
    FUZZ_MUST(pg_evidence_save(evidence, path, &fuzz_error));
    FUZZ_MUST(pg_evidence_load(path, &again, &fuzz_error));
    pg_evidence_commitment(evidence, before);
    pg_evidence_commitment(again, after);
    FUZZ_CHECK(strcmp(before, after) == 0, "%s %s", before, after);
    pg_evidence_destroy(&again);
}

static pg_status read_evidence(const uint8_t *bytes, size_t count, pg_error *err)
{
    pg_evidence *evidence = NULL;
    const pg_status status = pg_evidence_load(fuzz_file("evidence.safetensors", bytes, count), &evidence, err);
    if (status != PG_OK) return status;
    check_evidence(evidence);
    check_judge(subject_of("plain")->model, evidence);
    if (evidence->passport_count) {
        check_judge(subject_of("v1")->model, evidence);
        check_judge(subject_of("v2")->model, evidence);
        check_judge(subject_of("pan")->model, evidence);
    }
    pg_evidence_destroy(&evidence);
    return PG_OK;
}

static void seed_evidence(void)
{
    for (int i = 0; i < SUBJECTS; i++)
        if (subjects[i].evidence) FUZZ_MUST(pg_evidence_save(subjects[i].evidence, fuzz_seed(subjects[i].name), &fuzz_error));
}

const fuzz_target fuzz_evidence = {.name = "evidence",
                                   .form = FUZZ_SAFETENSORS,
                                   .most = MOST,
                                   .prepare = prepare,
                                   .seed = seed_evidence,
                                   .read = read_evidence};

/* ---- a training that resumes from a checkpoint ---- */

enum { EPOCHS = 2, STEPS = EPOCHS * IMAGES / 4 };

static const pg_train_options *training(void)
{
    static pg_train_options options;
    FUZZ_MUST(pg_options_defaults(pg_train_table, &options, &fuzz_error));
    options.epochs = EPOCHS;
    options.batch = 4;
    return &options;
}

static pg_trainer *open_trainer(pg_model *model)
{
    const subject *s = subject_of("v3");
    pg_trainer *trainer = NULL;
    const pg_job job = {.model = model,
                        .scheme = s->kind,
                        .scheme_options = s->options,
                        .evidence = s->evidence,
                        .data = &data.train,
                        .options = training(),
                        .seed = {.task = "training"}};
    FUZZ_MUST(pg_trainer_create(&job, &trainer, &fuzz_error));
    return trainer;
}

/* Do a step, and judge the epoch if it ends. */
static pg_status train(pg_trainer *trainer, pg_error *err)
{
    static const double accuracy[] = {50, 40};
    const pg_status status = pg_trainer_step(trainer, err);
    return status == PG_OK && pg_trainer_epoch_done(trainer) ? pg_trainer_judge_epoch(trainer, accuracy, err) : status;
}

/* Save the state that a checkpoint gave, and load it again. */
static void check_trainer(pg_trainer *trainer)
{
    pg_model *model = NULL;
    FUZZ_MUST(pg_model_clone(subject_of("v3")->model, &model, &fuzz_error));
    pg_trainer *again = open_trainer(model);
    const char *first = fuzz_path("first.safetensors"), *second = fuzz_path("second.safetensors");
    FUZZ_MUST(pg_trainer_save(trainer, first, &fuzz_error));
    FUZZ_MUST(pg_trainer_load(again, first, &fuzz_error));
    FUZZ_MUST(pg_trainer_save(again, second, &fuzz_error));
    FUZZ_CHECK(fuzz_same_files(first, second), "%s", first);
    pg_trainer_destroy(&again);
    pg_model_destroy(&model);
}

static pg_status read_training(const uint8_t *bytes, size_t count, pg_error *err)
{
    pg_model *model = NULL;
    FUZZ_MUST(pg_model_clone(subject_of("v3")->model, &model, &fuzz_error));
    pg_trainer *trainer = open_trainer(model);
    const pg_status status = pg_trainer_load(trainer, fuzz_file("training.safetensors", bytes, count), err);
    if (status == PG_OK) check_trainer(trainer);
    int steps = 0;
    for (pg_status going = status; going == PG_OK && !pg_trainer_done(trainer); going = train(trainer, NULL))
        FUZZ_CHECK(steps++ <= STEPS, "the training does not end");
    pg_trainer_destroy(&trainer);
    pg_model_destroy(&model);
    return status;
}

/* Write seeds like the one of that name, each with one of its whole numbers replaced by one out of range. */
static void spoil(const char *from)
{
    static const int64_t numbers[] = {1000000000, -1000000000};
    char *bytes = NULL, name[128], path[PG_PATH_MAX];
    size_t count = 0;
    pg_safetensors *file = NULL;
    snprintf(path, sizeof path, "%s", fuzz_seed(from));
    FUZZ_MUST(pg_file_read(path, &bytes, &count, &fuzz_error));
    FUZZ_MUST(pg_safetensors_parse(bytes, count, path, &file, &fuzz_error));
    for (size_t i = 0; i < 2 * pg_safetensors_count(file); i++) {
        const pg_array *a = pg_safetensors_at(file, i / 2);
        const size_t size = a->dtype == PG_I64 ? sizeof *numbers : sizeof(int32_t);
        char kept[sizeof *numbers], *at = bytes + ((const char *)a->data - bytes);
        if (a->count != 1 || (a->dtype != PG_I64 && a->dtype != PG_I32)) continue;
        memcpy(kept, at, size);
        memcpy(at, &numbers[i % 2], size); /* little-endian: the lower half first */
        snprintf(name, sizeof name, "refused-%s-%s-of-%lld", from, a->name, (long long)numbers[i % 2]);
        fuzz_seed_bytes(name, bytes, count);
        memcpy(at, kept, size);
    }
    pg_safetensors_close(&file);
    pg_free(bytes);
}

static void seed_training(void)
{

    pg_model *model = NULL;
    FUZZ_MUST(pg_model_clone(subject_of("v3")->model, &model, &fuzz_error));
    pg_trainer *trainer = open_trainer(model);
    for (int step = 0; !pg_trainer_done(trainer); step++) {
        char name[16];
        snprintf(name, sizeof name, "%d", step);
        FUZZ_MUST(pg_trainer_save(trainer, fuzz_seed(name), &fuzz_error));
        FUZZ_MUST(train(trainer, &fuzz_error));
    }
    FUZZ_MUST(pg_trainer_save(trainer, fuzz_seed("end"), &fuzz_error));
    spoil("3");
    pg_trainer_destroy(&trainer);
    pg_model_destroy(&model);
}

const fuzz_target fuzz_training = {.name = "training",
                                   .form = FUZZ_SAFETENSORS,
                                   .most = 1 << 19,
                                   .prepare = prepare,
                                   .seed = seed_training,
                                   .read = read_training};

/* ---- an attack that resumes from a checkpoint ---- */

typedef struct raid {
    const pg_attack *attack;
    const subject *victim;
    pg_model *running;
    void *options, *state;
    pg_attack_view view;
} raid;

static pg_dataset pictures; /* as many as passports need by default */

static raid raids[32];
static int raid_count;

static pg_status start(raid *r, pg_error *err)
{
    r->state = calloc(1, r->attack->state_size + 1);
    return r->attack->start ? r->attack->start(r->state, r->options, &r->view, err) : PG_OK;
}

static void finish(raid *r)
{
    if (r->attack->finish) r->attack->finish(r->state);
    free(r->state);
}

static void set_options(raid *r)
{
    static const char *const settings[][2] = {
        {"epochs", "1"}, {"batch", "4"},         {"repeats", "2"},    {"steps", "2"},        {"count", "3"},
        {"bits", "8"},   {"passport", "random"}, {"share", "50"},     {"levels", "[0, 50]"}, {"block", "individual"},
        {"images", "3"}, {"pictures", "4"},      {"references", "2"}, {"held_out", "1"}};
    r->options = calloc(1, r->attack->options_size + 1);
    FUZZ_MUST(pg_options_defaults(r->attack->options, r->options, &fuzz_error));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (pg_options_find(r->attack->options, settings[i][0]))
            FUZZ_MUST(pg_options_set(r->attack->options, settings[i][0], settings[i][1], r->options, &fuzz_error));
}

static void open_raid(raid *r)
{
    const bool triggers = r->attack->needs & PG_HOLDS_TRIGGERS && !(r->attack->needs & PG_HOLDS_PASSPORTS);
    r->victim = subject_of(triggers ? "adi" : "v1");
    const pg_net_spec spec = pg_net_spec_public(&r->victim->spec);
    FUZZ_MUST(pg_model_create(&spec, &r->running, &fuzz_error));
    FUZZ_MUST(pg_model_copy(r->victim->model, r->running, &fuzz_error));
    if (!triggers) FUZZ_MUST(pg_passports_store(r->victim->model, r->victim->evidence, r->running, &fuzz_error));
    set_options(r);
    static pg_model *references[PG_REFERENCES_MAX];
    pg_oracle *answers = NULL;
    const bool asks = r->attack->sees & PG_SEES_ANSWERS;
    for (int i = 0; i < PG_REFERENCES_MAX; i++) references[i] = subject_of("plain")->model;
    if (asks) FUZZ_MUST(pg_oracle_open(r->running, PG_PIXELS_IMAGENET, &answers, &fuzz_error));
    r->view = (pg_attack_view){.model = r->victim->model,
                               .scheme = r->victim->kind,
                               .evidence = r->victim->evidence,
                               .running = r->running,
                               .train = &data.train,
                               .fresh = &data.test,
                               .pictures = &pictures,
                               .references = references,
                               .answers = answers,
                               .reference_count = pg_attack_references(r->attack, r->options),
                               .seed = {.task = "raid"}};
}

static void prepare_attack(void)
{
    if (raid_count) return;
    pg_data whole;
    prepare();
    FUZZ_MUST(pg_data_load("synthetic", NULL, &whole, &fuzz_error));
    FUZZ_MUST(pg_dataset_subset(&whole.test, 20, &pictures, &fuzz_error));
    pg_data_clear(&whole);
    for (; pg_attacks[raid_count]; raid_count++) {
        FUZZ_CHECK(raid_count < (int)(sizeof raids / sizeof *raids), "%d attacks", raid_count);
        raids[raid_count].attack = pg_attacks[raid_count];
        open_raid(&raids[raid_count]);
    }
}

/* The attack to which a file belongs: its array "attack" is an index into raids. */
static raid *raid_of(const pg_safetensors *file)
{
    const pg_array *a = pg_safetensors_find(file, "attack");
    return &raids[a && a->dtype == PG_U8 && a->count == 1 ? *(const uint8_t *)a->data % raid_count : 0];
}

static pg_status restore(raid *r, const pg_safetensors *file, pg_error *err)
{
    pg_snapshot snapshot = {0};
    if (r->attack->keep) r->attack->keep(r->state, &snapshot);
    return pg_snapshot_read(&snapshot, file, err);
}

static pg_status read_attack(const uint8_t *bytes, size_t count, pg_error *err)
{
    pg_safetensors *file = NULL;
    pg_attack_state what = PG_ATTACK_WORKING;
    pg_outcome outcome;
    pg_status status = pg_safetensors_parse(bytes, count, "x.safetensors", &file, err);
    if (status != PG_OK) return status;
    raid *r = raid_of(file);
    FUZZ_MUST(start(r, &fuzz_error));
    status = restore(r, file, err);
    for (int i = 0; status == PG_OK && i < 3 && what != PG_ATTACK_LAST; i++) {
        outcome = (pg_outcome){0};
        const double progress = pg_attack_progress(r->attack, r->state);
        FUZZ_CHECK(progress >= 0 && progress <= 1, "%s: %g", r->attack->name, progress);
        if (r->attack->step(r->state, &what, &outcome, NULL) != PG_OK) break;
    }
    finish(r);
    pg_safetensors_close(&file);
    return status;
}

static void seed_attack(void)
{
    for (raid *r = raids; r < raids + raid_count; r++) {
        uint8_t index = (uint8_t)(r - raids);
        pg_attack_state what = PG_ATTACK_WORKING;
        FUZZ_MUST(start(r, &fuzz_error));
        for (int i = 0; i < 3 && what != PG_ATTACK_LAST; i++) {
            pg_outcome outcome = {0};
            pg_snapshot snapshot = {0};
            char name[64];
            snprintf(name, sizeof name, "%s-%d", r->attack->name, i);
            if (r->attack->keep) r->attack->keep(r->state, &snapshot);
            PG_KEEP(&snapshot, &index, 1, "attack");
            FUZZ_MUST(pg_snapshot_write(&snapshot, fuzz_seed(name), &fuzz_error));
            if (i == 0) spoil(name);
            FUZZ_MUST(r->attack->step(r->state, &what, &outcome, &fuzz_error));
        }
        finish(r);
    }
}

const fuzz_target fuzz_attack = {.name = "attack",
                                 .form = FUZZ_SAFETENSORS,
                                 .most = 1 << 19,
                                 .prepare = prepare_attack,
                                 .seed = seed_attack,
                                 .read = read_attack};

/* ---- data sets in their canonical form ---- */

static pg_status read_canonical(const uint8_t *bytes, size_t count, pg_error *err)
{
    pg_data read = {0}, again = {0};
    fuzz_file("canonical.safetensors", bytes, count);
    pg_status status = pg_canonical_load("canonical", fuzz_path(""), &read, err);
    if (status == PG_OK) {
        FUZZ_MUST(pg_canonical_save(&read, fuzz_path("again.safetensors"), &fuzz_error));
        FUZZ_MUST(pg_canonical_load("again", fuzz_path(""), &again, &fuzz_error));
        pg_dataset_hash(&read.train);
        pg_dataset_hash(&again.train);
        FUZZ_CHECK(strcmp(read.train.sha256, again.train.sha256) == 0, "%s", again.train.sha256);
    }
    pg_data_clear(&read);
    pg_data_clear(&again);
    return status;
}

static void seed_canonical(void)
{
    pg_data two = {0};
    FUZZ_MUST(pg_dataset_subset(&data.train, 3, &two.train, &fuzz_error));
    FUZZ_MUST(pg_dataset_subset(&data.test, 2, &two.test, &fuzz_error));
    FUZZ_MUST(pg_canonical_save(&two, fuzz_seed("canonical"), &fuzz_error));
    pg_data_clear(&two);
}

const fuzz_target fuzz_canonical = {.name = "canonical",
                                    .form = FUZZ_SAFETENSORS,
                                    .most = 1 << 15,
                                    .prepare = prepare,
                                    .seed = seed_canonical,
                                    .read = read_canonical};
