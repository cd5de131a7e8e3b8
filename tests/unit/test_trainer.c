/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training: resuming and threads change no byte, damaged checkpoints are skipped; rates, the best model, and recorded
 * gammas. */
#include "experiments/work/checkpoint.h"
#include "experiments/work/execute_internal.h"
#include "tests/unit/subject.h"

#include "core/base/file.h"

enum { EPOCHS = 3, BATCH = 16, STEPS = 2, ALL_STEPS = EPOCHS * STEPS };

static pg_data data;
static const char *const names[] = {"plain", "v1", "v2", "v3"};
enum { SCHEMES = sizeof names / sizeof *names };

SET_UP
{
    pg_compute_start(1);
    data = test_data(STEPS * BATCH, 20);
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

static subject subject_of(const char *scheme)
{
    return subject_create(scheme, strcmp(scheme, "v2") == 0 ? PG_NORM_GN : PG_NORM_BN, PG_PASSPORT_SHUFFLE, &data);
}

/* One step, and at the end of an epoch a made-up accuracy by which the second epoch is the best. */
static void step(pg_trainer *trainer)
{
    static const double accuracy[EPOCHS] = {40, 60, 50};
    OK(pg_trainer_step(trainer, &err));
    if (!pg_trainer_epoch_done(trainer)) return;
    const double a = accuracy[pg_trainer_progress(trainer)->epoch - 1];
    OK(pg_trainer_judge_epoch(trainer, (const double[]){a, NAN}, &err));
}

static void finish(pg_trainer *trainer, const char *path)
{
    while (!pg_trainer_done(trainer)) step(trainer);
    OK(pg_trainer_save(trainer, path, &err));
}

/* ---- resuming, threads ---- */

static void run_whole(const char *scheme, const pg_train_options *options)
{
    subject s = subject_of(scheme);
    pg_trainer *trainer = subject_trainer(&s, &data, options);
    for (int k = 1; k <= ALL_STEPS; k++) {
        step(trainer);
        OK(pg_trainer_save(trainer, test_path("step", k), &err));
    }
    assert_true(pg_trainer_done(trainer));
    pg_trainer_destroy(&trainer);
    subject_destroy(&s);
}

TEST(training_resumes_after_any_step_to_the_same_bytes)
{
    const pg_train_options options = test_training(EPOCHS, BATCH);
    for (int i = 0; i < SCHEMES; i++) {
        run_whole(names[i], &options);
        for (int k = 1; k <= ALL_STEPS; k++) {
            subject s = subject_of(names[i]);
            pg_model_initialise(s.model, s.seed, "weights that the checkpoint replaces");
            pg_trainer *trainer = subject_trainer(&s, &data, &options);
            OK(pg_trainer_load(trainer, test_path("step", k), &err));
            finish(trainer, test_path("resumed", k));
            assert_same_file(test_path("resumed", k), test_path("step", ALL_STEPS));
            pg_trainer_destroy(&trainer);
            subject_destroy(&s);
        }
    }
}

TEST(progress_resumes_too)
{
    const pg_train_options options = test_training(EPOCHS, BATCH);
    subject s = subject_of("v1");
    pg_trainer *trainer = subject_trainer(&s, &data, &options), *resumed = subject_trainer(&s, &data, &options);
    for (int k = 0; k < STEPS + 1; k++) step(trainer);
    OK(pg_trainer_save(trainer, test_path("progress", 0), &err));
    OK(pg_trainer_load(resumed, test_path("progress", 0), &err));
    assert_memory_equal(pg_trainer_progress(resumed), pg_trainer_progress(trainer), sizeof(pg_progress));
    pg_trainer_destroy(&trainer);
    pg_trainer_destroy(&resumed);
    subject_destroy(&s);
}

TEST(training_gives_the_same_bytes_on_any_number_of_threads)
{
    const pg_train_options options = test_training(1, STEPS * BATCH);
    for (int i = 0; i < SCHEMES; i++) {
        for (int threads = 1; threads <= 3; threads++) {
            pg_compute_start(threads);
            subject s = subject_of(names[i]);
            pg_trainer *trainer = subject_trainer(&s, &data, &options);
            finish(trainer, test_path("threads", threads));
            assert_same_file(test_path("threads", threads), test_path("threads", 1));
            pg_trainer_destroy(&trainer);
            subject_destroy(&s);
        }
        pg_compute_start(1);
    }
}

/* ---- damaged checkpoints ---- */

static pg_status write_text(void *context, const char *path, pg_error *error)
{
    return pg_file_write(path, context, strlen(context), PG_FILE_PUBLIC, error);
}

static pg_status write_trainer(void *context, const char *path, pg_error *error)
{
    return pg_trainer_save(context, path, error);
}

static void count_damaged(void *context, const char *path)
{
    assert_true(pg_file_exists(path));
    ++*(int *)context;
}

/* The number of the checkpoint that is found; *damaged were skipped. */
static long found(const pg_checkpoints *at, int *damaged)
{
    char path[PG_PATH_MAX];
    long number = -1;
    *damaged = 0;
    OK(pg_checkpoint_find(at, 0, path, &number, count_damaged, damaged, &err));
    return number;
}

static void overwrite(const char *path, const char *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* If any byte of either file of a checkpoint is changed, or the file is cut anywhere, the one before is used. */
static void spoil(const pg_checkpoints *at, const char *ending)
{
    char name[128], *bytes = NULL;
    size_t count = 0;
    int damaged;
    snprintf(name, sizeof name, "%s.2.%s", at->key, ending);
    OK(pg_file_read(test_path(name, -1), &bytes, &count, &err));
    for (size_t i = 0; i < count; i++) {
        bytes[i] ^= 1;
        overwrite(test_path(name, -1), bytes, count);
        assert_int_equal(found(at, &damaged), 1);
        assert_int_equal(damaged, 1);
        bytes[i] ^= 1;
        overwrite(test_path(name, -1), bytes, i);
        assert_int_equal(found(at, &damaged), 1);
    }
    overwrite(test_path(name, -1), bytes, count);
    assert_int_equal(found(at, &damaged), 2);
    assert_int_equal(damaged, 0);
    pg_free(bytes);
}

TEST(a_damaged_checkpoint_is_refused)
{
    pg_checkpoints at;
    char first[] = "the first of two checkpoints", second[] = "the second, a little longer than the first";
    OK(pg_checkpoints_open(&at, folder(), "text", &err));
    OK(pg_checkpoint_save(&at, write_text, first, &err));
    OK(pg_checkpoint_save(&at, write_text, second, &err));
    spoil(&at, "safetensors");
    spoil(&at, "seal");
    pg_checkpoints_remove(&at, 0);
}

TEST(a_missing_checkpoint_is_not_a_damaged_one)
{
    pg_checkpoints at, again;
    char text[] = "text";
    int damaged;
    OK(pg_checkpoints_open(&at, folder(), "gone", &err));
    assert_int_equal(found(&at, &damaged), 0);
    for (int i = 0; i < 3; i++) OK(pg_checkpoint_save(&at, write_text, text, &err));
    assert_false(pg_file_exists(test_path("gone.1.safetensors", -1)));
    assert_false(pg_file_exists(test_path("gone.1.seal", -1)));
    assert_int_equal(remove(test_path("gone.3.seal", -1)), 0);
    assert_int_equal(found(&at, &damaged), 2);
    assert_int_equal(damaged, 1);
    assert_int_equal(remove(test_path("gone.2.safetensors", -1)), 0);
    assert_int_equal(found(&at, &damaged), 0);
    OK(pg_checkpoints_open(&again, folder(), "gone", &err));
    assert_int_equal(again.number, 3);
    pg_checkpoints_remove(&again, 0);
    assert_false(pg_file_exists(test_path("gone.3.safetensors", -1)));
    assert_false(pg_file_exists(test_path("gone.2.seal", -1)));
}

/* Resuming from that one gives the same bytes. */
TEST(a_damaged_checkpoint_leads_to_the_one_before)
{
    const pg_train_options options = test_training(EPOCHS, BATCH);
    subject s = subject_of("v1");
    pg_trainer *trainer = subject_trainer(&s, &data, &options);
    pg_checkpoints at;
    char path[PG_PATH_MAX];
    long number;
    OK(pg_checkpoints_open(&at, folder(), "v1", &err));
    for (int k = 0; k < 3; k++) {
        step(trainer);
        OK(pg_checkpoint_save(&at, write_trainer, trainer, &err));
    }
    finish(trainer, test_path("end", 0));
    FILE *file = fopen(test_path("v1.3.safetensors", -1), "r+b");
    assert_non_null(file);
    fseek(file, -100, SEEK_END);
    fputc(0x7f, file);
    fclose(file);
    OK(pg_checkpoint_find(&at, 0, path, &number, NULL, NULL, &err));
    assert_int_equal(number, 2);
    OK(pg_trainer_load(trainer, path, &err));
    finish(trainer, test_path("end", 1));
    assert_same_file(test_path("end", 0), test_path("end", 1));
    pg_checkpoints_remove(&at, 0);
    pg_trainer_destroy(&trainer);
    subject_destroy(&s);
}

/* The checkpoint with one number changed. */
static void write_changed(const char *from, const char *name, int64_t value, const char *to)
{
    enum { MOST = 64 };
    pg_safetensors *file = NULL;
    pg_array arrays[MOST];
    OK(pg_safetensors_open(from, &file, &err));
    const size_t count = pg_safetensors_count(file);
    const int32_t narrow = (int32_t)value;
    assert_true(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        arrays[i] = *pg_safetensors_at(file, i);
        if (strcmp(arrays[i].name, name) != 0) continue;
        arrays[i].data = arrays[i].dtype == PG_I64 ? (const void *)&value : &narrow;
    }
    OK(pg_safetensors_write(to, arrays, count, NULL, 0, PG_FILE_SECRET, &err));
    pg_safetensors_close(&file);
}

/* Such a position would be used as an index, or would end training without a message. A refused checkpoint changes nothing. */
TEST(an_impossible_position_is_refused)
{
    static const struct {
        const char *name;
        int64_t value;
        const char *message;
    } cases[] = {{"judged", 1000000, "judged"},
                 {"judged", -1000000, "judged"},
                 {"judged", 2, "2 epochs judged of 1"},
                 {"judged", 0, "0 epochs judged"},
                 {"best_epoch", 1, "epoch 2 the best"},
                 {"best_epoch", -1, "best_epoch"},
                 {"epoch", 1000000, "epoch"},
                 {"epoch", -1, "judged"},
                 {"step", 1000000, "step"},
                 {"step", -1, "step"},
                 {"seen", -1, "seen"},
                 {"correct", 1000000000, "correct"}};
    const pg_train_options options = test_training(EPOCHS, BATCH);
    subject s = subject_of("v3");
    pg_trainer *trainer = subject_trainer(&s, &data, &options);
    for (int k = 0; k < STEPS + 1; k++) step(trainer);
    OK(pg_trainer_save(trainer, test_path("good", 0), &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_changed(test_path("good", 0), cases[i].name, cases[i].value, test_path("changed", 0));
        FAILS(pg_trainer_load(trainer, test_path("changed", 0), &err), PG_BAD_INPUT, cases[i].message);
        OK(pg_trainer_save(trainer, test_path("after", 0), &err));
        assert_same_file(test_path("good", 0), test_path("after", 0));
    }
    OK(pg_trainer_load(trainer, test_path("good", 0), &err));
    pg_trainer_destroy(&trainer);
    subject_destroy(&s);
}

TEST(a_checkpoint_of_another_run_is_refused)
{
    const pg_train_options options = test_training(EPOCHS, BATCH), smaller = test_training(EPOCHS, BATCH / 2),
                           shorter = test_training(1, BATCH);
    subject v1 = subject_of("v1"), plain = subject_of("plain");
    pg_trainer *trainer = subject_trainer(&v1, &data, &options);
    for (int k = 0; k < STEPS + 1; k++) step(trainer);
    OK(pg_trainer_save(trainer, test_path("other", 0), &err));
    pg_trainer_destroy(&trainer);

    trainer = subject_trainer(&v1, &data, &smaller);
    FAILS(pg_trainer_load(trainer, test_path("other", 0), &err), PG_BAD_INPUT, "checkpoint of another run");
    pg_trainer_destroy(&trainer);
    trainer = subject_trainer(&v1, &data, &shorter);
    FAILS(pg_trainer_load(trainer, test_path("other", 0), &err), PG_BAD_INPUT, "history");
    pg_trainer_destroy(&trainer);
    trainer = subject_trainer(&plain, &data, &options);
    FAILS(pg_trainer_load(trainer, test_path("other", 0), &err), PG_BAD_INPUT, "params");
    FAILS(pg_trainer_load(trainer, test_path("nowhere", 0), &err), PG_IO_FAULT, "nowhere.0");
    pg_trainer_destroy(&trainer);
    subject_destroy(&v1);
    subject_destroy(&plain);
}

/* ---- failures ---- */

TEST(a_loss_that_is_not_finite_ends_training)
{
    const pg_train_options options = test_training(EPOCHS, BATCH);
    for (int i = 0; i < SCHEMES; i++) {
        subject s = subject_of(names[i]);
        pg_trainer *trainer = subject_trainer(&s, &data, &options);
        for (int k = 0; k < STEPS + 1; k++) step(trainer);
        s.model->params[pg_model_classifier(s.model)->bias] = (pg_real)NAN;
        FAILS(pg_trainer_step(trainer, &err), PG_FAILED, "the loss is not finite in epoch 2, step 2");
        pg_trainer_destroy(&trainer);
        subject_destroy(&s);
    }
}

TEST(a_job_that_cannot_be_is_refused)
{
    const pg_train_options options = test_training(1, STEPS * BATCH + 1);
    subject s = subject_of("v1");
    pg_trainer *trainer = NULL;
    pg_job job = {.model = s.model, .scheme = s.scheme, .scheme_options = &s.options, .data = &data.train, .seed = s.seed};
    job.options = &options;
    job.evidence = s.evidence;
    FAILS(pg_trainer_create(&job, &trainer, &err), PG_BAD_INPUT, "32 training images of synthetic do not fill one batch of 33");
    const pg_train_options fitting = test_training(1, BATCH);
    job.options = &fitting;
    job.evidence = NULL;
    FAILS(pg_trainer_create(&job, &trainer, &err), PG_BAD_INPUT, "cannot be trained without its passports");
    pg_dataset labelled = data.train;
    labelled.classes = 11;
    job.data = &labelled;
    FAILS(pg_trainer_create(&job, &trainer, &err), PG_BAD_INPUT, "it has 11 classes, but the network has 10");
    assert_null(trainer);
    subject_destroy(&s);
}

/* ---- steps and rates ---- */

/* Computed for CIFAR's 50,000 images without reading any. */
TEST(the_last_incomplete_batch_is_dropped)
{
    static const int batches[] = {64, 256}, steps[] = {781, 195};
    subject s = subject_of("plain");
    pg_dataset cifar = data.train;
    cifar.count = 50000;
    for (int i = 0; i < 2; i++) {
        const pg_train_options options = test_training(1, batches[i]);
        pg_trainer *trainer = subject_trainer(&s, &(pg_data){.train = cifar}, &options);
        assert_int_equal(pg_trainer_progress(trainer)->steps, steps[i]);
        pg_trainer_destroy(&trainer);
    }
    subject_destroy(&s);
}

/* Parameters after `scheduled` trained for `before` steps and `last` for one more. */
static pg_model *trained(const pg_train_options *scheduled, int before, const pg_train_options *last)
{
    subject s = subject_of("plain");
    pg_trainer *trainer = subject_trainer(&s, &data, scheduled);
    pg_model *model = NULL;
    for (int k = 0; k < before; k++) OK(pg_trainer_step(trainer, &err));
    OK(pg_trainer_save(trainer, test_path("rate", 0), &err));
    pg_trainer_destroy(&trainer);
    trainer = subject_trainer(&s, &data, last);
    OK(pg_trainer_load(trainer, test_path("rate", 0), &err));
    OK(pg_trainer_step(trainer, &err));
    OK(pg_model_clone(s.model, &model, &err));
    pg_trainer_destroy(&trainer);
    subject_destroy(&s);
    return model;
}

/* At this step the rate of the schedule is lr * factor: a step at that constant rate moves the weights equally. */
static void assert_rate(const pg_train_options *scheduled, int at, double factor)
{
    pg_train_options constant = *scheduled;
    constant.schedule = PG_SCHEDULE_CONSTANT;
    constant.lr = scheduled->lr * factor;
    pg_model *a = trained(scheduled, at, scheduled), *b = trained(scheduled, at, &constant);
    constant.lr *= 1.001;
    pg_model *other = trained(scheduled, at, &constant);
    double difference = 0, other_difference = 0;
    for (size_t i = 0; i < a->param_count; i++) {
        difference = fmax(difference, fabs((double)a->params[i] - (double)b->params[i]));
        other_difference = fmax(other_difference, fabs((double)a->params[i] - (double)other->params[i]));
    }
    assert_true(difference <= 0.01 * other_difference);
    assert_true(other_difference > 0);
    pg_model_destroy(&a);
    pg_model_destroy(&b);
    pg_model_destroy(&other);
}

TEST(the_rate_follows_its_schedule)
{
    pg_train_options o = test_training(5, BATCH);
    o.schedule = PG_SCHEDULE_STEP;
    o.steps = (pg_ints){.count = 2, .values = {1, 3}};
    assert_rate(&o, 1, 1);
    assert_rate(&o, 2, 0.1);
    assert_rate(&o, 5, 0.1);
    assert_rate(&o, 6, 0.01);
    o.schedule = PG_SCHEDULE_ONE_CYCLE;
    o.warmup = 0.4; /* 4 of the 10 steps */
    assert_rate(&o, 0, 0.1);
    assert_rate(&o, 2, 0.55);
    assert_rate(&o, 4, 1);
    assert_rate(&o, 7, 0.5);
    assert_rate(&o, 9, 1.0 / 6);
    o.warmup = 0;
    assert_rate(&o, 0, 1);
    o.warmup = 1;
    assert_rate(&o, 9, 0.91);
}

/* ---- the best model ---- */

/* The best by the mean over branches; the first one of equals. */
TEST(the_best_epoch_is_kept)
{
    static const double accuracy[][2] = {{50, 50}, {90, 30}, {70, 50}, {80, 40}, {10, 10}};
    enum { JUDGED = sizeof accuracy / sizeof *accuracy, BEST = 1 };
    const pg_train_options options = test_training(JUDGED, BATCH);
    subject s = subject_of("v2");
    pg_trainer *trainer = subject_trainer(&s, &data, &options);
    pg_model *then = NULL;
    int count, best;
    assert_null(pg_trainer_best(trainer));
    for (int e = 0; e < JUDGED; e++) {
        for (int k = 0; k < STEPS; k++) OK(pg_trainer_step(trainer, &err));
        if (e == BEST) OK(pg_model_clone(s.model, &then, &err));
        OK(pg_trainer_judge_epoch(trainer, accuracy[e], &err));
    }
    const pg_epoch *history = pg_trainer_history(trainer, &count, &best);
    assert_int_equal(count, JUDGED);
    assert_int_equal(best, BEST);
    assert_memory_equal(history[3].accuracy, accuracy[3], sizeof accuracy[3]);
    assert_memory_equal(pg_trainer_best(trainer)->params, then->params, then->param_count * sizeof(pg_real));
    assert_memory_not_equal(s.model->params, then->params, then->param_count * sizeof(pg_real));
    pg_model_destroy(&then);
    pg_trainer_destroy(&trainer);
    subject_destroy(&s);
}

/* ---- the record ---- */

/* The channels of a plain network whose gamma is in the record of its training. */
static double recorded_gammas(pg_norm_kind norm)
{
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    pg_task task = {.kind = PG_TASK_TRAIN,
                    .key = "plain",
                    .data = planned_data(20, 20),
                    .arch = pg_arch_find("alexnet"),
                    .norm = norm,
                    .width = 0.0625,
                    .scheme = pg_scheme_find("plain"),
                    .train = test_training(1, 20),
                    .verify = {.level = 1e-3, .batch = 20}};
    pg_record record = {0};
    double channels = 0;
    OK(pg_execute_train(&task, &at, &record, &err));
    for (int i = 0; i < record.cell_count; i++)
        if (strcmp(record.cells[i].metric, "gamma_channels") == 0) channels += record.cells[i].value;
    pg_record_clear(&record);
    return channels;
}

/* If the norm has no gamma, the record has none. */
TEST(every_gamma_that_carries_a_bit_is_recorded)
{
    assert_true(recorded_gammas(PG_NORM_BN) == 64);
    assert_true(recorded_gammas(PG_NORM_GN) == 64);
    assert_true(recorded_gammas(PG_NORM_IN) == 0);
    assert_true(recorded_gammas(PG_NORM_NONE) == 0);
    pg_task_release_data();
}
