/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Embedding into a trained network; see embed.h. OUT.work is the directory of a run of this one task: the given network is
 * models/SHA256, where the task looks for its parent's. */
#include "experiments/work/embed.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/yaml.h"
#include "core/nets/state.h"
#include "core/ownership/binding.h"
#include "experiments/grid/inputs.h"
#include "experiments/work/checkpoint.h"
#include "experiments/work/execute_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct work {
    const pg_embedding *order;
    pg_workplace at;
    char directory[PG_PATH_MAX];
    pg_model *model;
    pg_model_facts facts;
    pg_task task;
} work;

/* ---- the task ---- */

/* Add an option, unless the user has set it. */
static pg_status add_missing(pg_tree *tree, const pg_setting *s, pg_error *err)
{
    if (pg_node_find(tree->root, s->key)) return PG_OK;
    return pg_node_add(tree, tree->root, s->key, PG_SCALAR, s->text, NULL, err);
}

/* The entry of a grid's schemes that stands for this order, as a map. */
static pg_status make_entry(const pg_embedding *o, pg_tree *tree, pg_error *err)
{
    pg_status status = PG_OK;
    pg_secret secret;
    if (strlen(o->statement) >= PG_TEXT_MAX || !pg_is_printable(o->statement))
        return pg_fail(err, PG_BAD_INPUT,
                       "--statement: expected one line of at most %d bytes, in UTF-8 and without control characters",
                       PG_TEXT_MAX - 1);
    PG_TRY(pg_secret_load(o->secret, &secret, err));
    PG_TRY(pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &tree->root, err));
    for (int i = 0; i < o->set_count; i++) PG_TRY(pg_yaml_set(tree, o->sets[i], err));
    if (pg_binding_add(&secret, o->statement, tree, tree->root, err) != PG_OK) PG_TRY(pg_error_context(err, "--set"));
    for (const pg_setting *s = o->scheme->bound; s->key; s++) PG_TRY(add_missing(tree, s, err));
    PG_TRY(add_missing(tree, &o->scheme->embed, err));
done:
    return status;
}

/* The recipe: the rate rises and then falls to zero, so that the network of the last epoch has settled. */
static pg_status read_train(work *w, const pg_node *map, pg_problems *problems, pg_error *err)
{
    pg_train_options *train = &w->task.train;
    const pg_status status = pg_options_defaults(pg_train_table, train, err);
    if (status != PG_OK) return status;
    train->epochs = w->order->epochs;
    train->lr = w->order->lr;
    train->schedule = PG_SCHEDULE_ONE_CYCLE;
    for (int i = 0; pg_pixels_names[i]; i++)
        if (strcmp(w->facts.pixels, pg_pixels_names[i]) == 0) train->pixels = i;
    pg_options_read(pg_train_table, map, train, problems);
    return PG_OK;
}

static pg_status read_options(work *w, pg_error *err)
{
    static pg_problems problems; /* large */
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_task *task = &w->task;
    const pg_scheme *scheme = task->scheme;
    const char *const more[] = {"train", NULL};
    problems.count = 0;
    PG_TRY(pg_tree_create(&tree, err));
    PG_TRY(make_entry(w->order, tree, err));
    PG_TRY(pg_alloc(1, scheme->options_size, &task->scheme_options, err));
    PG_TRY(pg_options_defaults(scheme->options, task->scheme_options, err));
    pg_options_take(scheme->options, tree->root, task->scheme_options, &problems);
    PG_TRY(read_train(w, pg_node_get(tree->root, "train"), &problems, err));
    pg_options_unknown((const pg_option *const[]){scheme->options, NULL}, more, tree->root, &problems);
    PG_TRY(pg_problems_status(&problems, "--set", err));
    if (!pg_scheme_starts_pretrained(scheme, task->scheme_options))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "--set: with these options %s does not start from the given network", scheme->name));
done:
    pg_tree_destroy(&tree);
    return status;
}

static pg_status read_model(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    pg_task *task = &w->task;
    PG_TRY(pg_model_load(w->order->model, NULL, &w->model, &w->facts, err));
    PG_TRY(pg_sha256_file(w->order->model, task->pretrained, err));
    const pg_net_spec *s = &w->model->spec;
    if (s->passports)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: has passport layers; only an ordinary network can be marked", w->order->model));
    task->arch = s->arch;
    task->norm = s->norm;
    task->width = s->width;
    task->relu_before_add = s->relu_before_add;
done:
    return status;
}

/* The other data set that the scheme's options ask for. */
static pg_status choose_other(work *w, pg_error *err)
{
    pg_task *task = &w->task;
    const pg_scheme *scheme = task->scheme;
    const pg_other_data other = scheme->other_data ? scheme->other_data(task->scheme_options) : (pg_other_data){0};
    pg_input facts;
    if (!other.name) return PG_OK;
    const pg_status status = pg_input_find(other.name, &(pg_picture_set){.path = ""}, w->order->data_directory, &facts, err);
    if (status != PG_OK) return status;
    task->other = (pg_data_choice){.train = other.train, .test = other.test};
    snprintf(task->other.name, sizeof task->other.name, "%s", other.name);
    snprintf(task->other.sha256, sizeof task->other.sha256, "%s", facts.sha256);
    return PG_OK;
}

static pg_status choose_data(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_embedding *o = w->order;
    const char *name = o->data.name[0] ? o->data.name : w->facts.data;
    pg_input facts;
    if (!name[0]) return pg_fail(err, PG_BAD_INPUT, "--data NAME is missing, and %s does not name the data set", o->model);
    PG_TRY(pg_input_find(name, &o->data.pictures, o->data_directory, &facts, err));
    if (o->train > facts.train || o->test > facts.test)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: has only %d training and %d test images", name, facts.train, facts.test));
    w->task.data = (pg_data_choice){.train = o->train, .test = o->test, .pictures = o->data.pictures};
    snprintf(w->task.data.name, sizeof w->task.data.name, "%.63s", name);
    snprintf(w->task.data.sha256, sizeof w->task.data.sha256, "%s", facts.sha256);
done:
    return status;
}

static pg_status make_task(work *w, pg_error *err)
{
    pg_status status = PG_OK;
    pg_task *task = &w->task;
    *task = (pg_task){.kind = PG_TASK_TRAIN, .scheme = w->order->scheme, .seed = w->order->seed, .last = true};
    if (!task->scheme->embed.key)
        return pg_fail(err, PG_BAD_INPUT, "--scheme: %s cannot be embedded into a trained network", task->scheme->name);
    if (!task->scheme->bound[0].key)
        return pg_fail(err, PG_BAD_INPUT, "--scheme: evidence of %s cannot be bound to a secret", task->scheme->name);
    PG_TRY(pg_options_defaults(pg_verify_table, &task->verify, err));
    PG_TRY(read_model(w, err));
    PG_TRY(read_options(w, err));
    PG_TRY(choose_data(w, err));
    PG_TRY(choose_other(w, err));
    PG_TRY(pg_task_write(task, err));
done:
    return status;
}

/* Refuse everything that would fail only after training, or fail at its start with a worse message. Measure the network as it
 * is given. */
static pg_status check(work *w, pg_embedded *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task *task = &w->task;
    pg_data data = {0}, other = {0};
    pg_net_spec spec;
    pg_accuracy accuracy;
    PG_TRY(pg_execute_data(&task->data, &w->at, &data, err));
    if (task->other.name[0]) PG_TRY(pg_execute_data(&task->other, &w->at, &other, err));
    PG_TRY(pg_verify_check(&task->verify, data.test.classes, data.test.count, err));
    PG_TRY(pg_train_check(&task->train, &data.train, &w->model->spec, err));
    PG_TRY(pg_execute_spec(task, data.train.classes, &data.train, &spec, err));
    const pg_keygen in = {.scheme = task->scheme,
                          .spec = &spec,
                          .data = &data,
                          .other = task->other.name[0] ? &other : NULL,
                          .pixels = (pg_pixels)task->train.pixels};
    PG_TRY(pg_scheme_check(task->scheme_options, &in, err));
    PG_TRY(pg_measure_accuracy(w->model, PG_PUBLIC, NULL, &data.test, (pg_pixels)task->train.pixels, task->verify.batch,
                               &accuracy, err));
    out->before = accuracy.exact;
    out->needed = task->verify.proof;
done:
    pg_data_clear(&data);
    pg_data_clear(&other);
    return status;
}

/* ---- files ---- */

/* A file that exists already must be the copy of our result that an interrupted call wrote just before its end. */
static pg_status check_file(const work *w, const char *folder, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    char from[PG_PATH_MAX], made[PG_SHA256_HEX] = "", there[PG_SHA256_HEX];
    if (!pg_file_exists(path)) return PG_OK;
    PG_TRY(pg_execute_path(&w->at, folder, w->task.key, from, err));
    PG_TRY(pg_sha256_file(path, there, err));
    if (pg_file_exists(from)) PG_TRY(pg_sha256_file(from, made, err));
    if (strcmp(made, there) != 0) status = pg_fail(err, PG_BAD_INPUT, "%s: already exists", path);
done:
    return status;
}

static pg_status copy(const work *w, const char *folder, const char *path, pg_file_mode mode, pg_error *err)
{
    pg_status status = PG_OK;
    char from[PG_PATH_MAX], *bytes = NULL;
    size_t size;
    PG_TRY(pg_execute_path(&w->at, folder, w->task.key, from, err));
    PG_TRY(pg_file_read(from, &bytes, &size, err));
    PG_TRY(pg_file_write(path, bytes, size, mode, err));
done:
    pg_free(bytes);
    return status;
}

static pg_status remove_file(const work *w, const char *folder, const char *stem, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_status status = pg_execute_path(&w->at, folder, stem, path, err);
    return status == PG_OK ? pg_file_remove(path, err) : status;
}

/* Remove the files of this task and the folders that are then empty. */
static pg_status clear_directory(work *w, pg_error *err)
{
    static const char *const folders[] = {"models", "evidence", "checkpoints", ""};
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    pg_checkpoints checkpoints;
    PG_TRY(remove_file(w, "models", w->task.key, err));
    PG_TRY(remove_file(w, "models", w->task.pretrained, err));
    PG_TRY(remove_file(w, "evidence", w->task.key, err));
    PG_TRY(pg_path(path, w->directory, "checkpoints", NULL, err));
    PG_TRY(pg_checkpoints_open(&checkpoints, path, w->task.key, err));
    pg_checkpoints_remove(&checkpoints, 0);
    for (int i = 0; i < 4; i++) {
        PG_TRY(pg_path(path, w->directory, folders[i], NULL, err));
        rmdir(path);
    }
done:
    return status;
}

/* ---- running it ---- */

static pg_status train(work *w, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    PG_TRY(pg_execute_path(&w->at, "models", w->task.pretrained, path, err));
    PG_TRY(pg_model_save(w->model, NULL, 0, path, err));
    PG_TRY(pg_task_execute(&w->task, &w->at, record, err));
done:
    return status;
}

static void read_result(const pg_record *record, pg_embedded *out)
{
    for (int i = 0; i < record->cell_count; i++) {
        const pg_record_cell *c = &record->cells[i];
        if (c->outcome[0]) continue;
        if (strcmp(c->metric, "accuracy") == 0) out->after = c->value;
        if (strcmp(c->metric, "proof_bits") == 0) out->proof = c->value;
        if (strcmp(c->metric, "proves") == 0) out->proves = c->value > 0;
    }
}

pg_status pg_embed(const pg_embedding *order, const pg_workplace *at, pg_embedded *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_record record = {0};
    work w = {.order = order, .at = *at};
    *out = (pg_embedded){0};
    if (snprintf(w.directory, PG_PATH_MAX, "%s.work", order->out) >= PG_PATH_MAX)
        return pg_fail(err, PG_BAD_INPUT, "--out: path too long");
    if (pg_file_same(order->out, order->evidence))
        return pg_fail(err, PG_BAD_INPUT, "%s: expected two files, one for the network and one for the evidence", order->out);
    w.at.directory = w.directory;
    w.at.data_directory = order->data_directory;
    PG_TRY(make_task(&w, err));
    PG_TRY(check_file(&w, "models", order->out, err));
    PG_TRY(check_file(&w, "evidence", order->evidence, err));
    PG_TRY(check(&w, out, err));
    PG_TRY(train(&w, &record, err));
    read_result(&record, out);
    PG_TRY(copy(&w, "evidence", order->evidence, PG_FILE_SECRET, err));
    PG_TRY(copy(&w, "models", order->out, PG_FILE_PUBLIC, err));
    PG_TRY(clear_directory(&w, err));
done:
    pg_record_clear(&record);
    pg_model_destroy(&w.model);
    pg_task_clear(&w.task);
    pg_task_release_data();
    return status;
}
