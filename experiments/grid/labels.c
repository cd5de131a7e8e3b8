/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels; see labels.h. */
#include "experiments/grid/labels.h"

#include "core/base/memory.h"
#include "core/formats/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pg_task_stem(const char *key, const char *outcome, char stem[PG_FILE_STEM])
{
    snprintf(stem, PG_FILE_STEM, "%.64s%s%.63s", key, outcome[0] ? "." : "", outcome);
}

enum { SHORT_SUM = 16 };

/* A text, of which at most so many bytes are shown: fewer than PG_HIDDEN_MAX. */
static pg_status add_text(pg_parameter_draft *draft, const char *key, const char *text, size_t bytes, pg_error *err)
{
    pg_value *value = NULL;
    pg_value_room *room = NULL;
    const pg_status status = pg_parameter_add(draft, key, &value, &room, err);
    if (status != PG_OK) return status;
    const size_t length = strnlen(text, bytes);
    memcpy(room->text, text, length);
    room->text[length] = 0;
    *value = (pg_value){.type = PG_VALUE_TEXT, .text = room->text};
    return PG_OK;
}

/* Every option, `prefix` before its key. */
static pg_status add_options(pg_parameter_draft *draft, const char *prefix, const pg_option *table, const void *values,
                             pg_text_pool *texts, pg_error *err)
{
    pg_status status = PG_OK;
    for (; table->key; table++) {
        const char *key;
        pg_value *value = NULL;
        pg_value_room *room = NULL;
        if (pg_option_omitted(table, values)) continue;
        PG_TRY(pg_text_pool_print(texts, &key, NULL, err, "%s%s", prefix, table->key));
        PG_TRY(pg_parameter_add(draft, key, &value, &room, err));
        pg_option_value(table, values, PG_REVEAL_CONTENT, room, value);
    }
done:
    return status;
}

/* The names of the attacks that came before, in their order. */
static const char *name_stages(const pg_task *task, char out[PG_HIDDEN_MAX])
{
    size_t used = 0;
    out[0] = 0;
    for (int i = task->before_count - 1; i >= 0 && used < PG_HIDDEN_MAX; i--)
        used += (size_t)snprintf(out + used, PG_HIDDEN_MAX - used, "%s%s", used ? " + " : "", task->before[i].attack->name);
    return out;
}

/* An attack's own options, and those of the attacks that came before it. */
static pg_status add_attack(pg_parameter_draft *draft, const pg_task *task, pg_text_pool *texts, pg_error *err)
{
    pg_status status = PG_OK;
    char names[PG_HIDDEN_MAX], prefix[24];
    if (!task->attack) return PG_OK;
    PG_TRY(add_options(draft, "", task->attack->options, task->attack_options, texts, err));
    if (!task->before_count) return PG_OK;
    const char *how = task->taken[0] ? "chain" : "after";
    PG_TRY(add_text(draft, how, name_stages(task, names), PG_HIDDEN_MAX - 1, err));
    for (int i = 0; i < task->before_count; i++) {
        snprintf(prefix, sizeof prefix, i ? "%s_%d_" : "%s_", how, i + 1);
        PG_TRY(add_options(draft, prefix, task->before[i].attack->options, task->before[i].options, texts, err));
    }
done:
    return status;
}

/* A network from elsewhere is described by its files, because nobody knows how it was made. */
static pg_status add_scheme(pg_parameter_draft *draft, const pg_task *task, pg_text_pool *texts, pg_error *err)
{
    const pg_task_source *s = &task->supplied;
    if (!s->model_sha256[0]) return add_options(draft, "", task->scheme->options, task->scheme_options, texts, err);
    const pg_status status = add_text(draft, "model", s->model_sha256, SHORT_SUM, err);
    return status == PG_OK && s->commitment[0] ? add_text(draft, "evidence", s->commitment, SHORT_SUM, err) : status;
}

static pg_status add_training(pg_parameter_draft *draft, const pg_task *task, pg_text_pool *texts, pg_error *err)
{
    return task->supplied.model_sha256[0] ? PG_OK : add_options(draft, "", pg_train_table, &task->train, texts, err);
}

typedef pg_status adder(pg_parameter_draft *draft, const pg_task *task, pg_text_pool *texts, pg_error *err);

static pg_status keep(adder *add, const pg_task *task, pg_parameter_pool *pool, const pg_parameters **out, pg_error *err)
{
    pg_parameter_draft draft;
    draft.count = 0;
    const pg_status status = add(&draft, task, &pool->texts, err);
    return status == PG_OK ? pg_parameters_keep(pool, &draft, out, err) : status;
}

bool pg_labels_supplied(const pg_task_labels *labels)
{
    return pg_parameters_find(labels->scheme_parameters, "model") != NULL;
}

/* The size of pictures of a folder, if it is not the usual one: `before`, "64px". */
static const char *size_of(const pg_data_choice *data, char before, char out[16])
{
    enum { USUAL = 32 };
    out[0] = 0;
    if (data->pictures.path[0] && data->pictures.size != USUAL) snprintf(out, 16, "%c%dpx", before, data->pictures.size);
    return out;
}

/* "cifar10", "cifar10 first half 5000+all", "birds 64px". */
static pg_status describe_data(const pg_data_choice *data, pg_text_pool *texts, const char **out, pg_error *err)
{
    char train[16] = "all", test[16] = "all", size[16];
    if (data->train) snprintf(train, sizeof train, "%d", data->train);
    if (data->test) snprintf(test, sizeof test, "%d", data->test);
    size_of(data, ' ', size);
    if (!data->train && !data->test && !data->half) return pg_text_pool_print(texts, out, NULL, err, "%s%s", data->name, size);
    return pg_text_pool_print(texts, out, NULL, err, "%s%s %s%s%s+%s", data->name, size,
                              data->half ? pg_half_names[data->half] : "", data->half ? " half " : "", train, test);
}

const char *pg_task_name(const pg_task *task, char out[PG_TASK_NAME_MAX])
{
    static const char *const kinds[] = {
        [PG_TASK_TRAIN] = "", [PG_TASK_THRESHOLD] = "threshold", [PG_TASK_SUPPLIED] = "brought", [PG_TASK_CLAIM] = "claim"};
    char size[16];
    const char *part = task->kind == PG_TASK_ATTACK ? task->attack->name : kinds[task->kind];
    snprintf(out, PG_TASK_NAME_MAX, "%s%s/%s-%s/%s/%s%ss%llu/%.8s", task->data.name, size_of(&task->data, '-', size),
             task->arch->name, pg_norm_kind_name(task->norm), task->scheme->name, part, part[0] ? "/" : "",
             (unsigned long long)task->seed, task->key);
    return out;
}

pg_status pg_task_describe(const pg_task *task, pg_parameter_pool *pool, pg_task_labels *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool *texts = &pool->texts;
    char width[PG_NUMBER_MAX], name[PG_TASK_NAME_MAX];
    const bool full = strcmp(pg_number_text(task->width, width), "1") == 0;
    *out = (pg_task_labels){.seed = task->seed};
    PG_TRY(describe_data(&task->data, texts, &out->data, err));
    PG_TRY(pg_text_pool_print(texts, &out->network, NULL, err, "%s%s%s%s", task->arch->name, full ? "" : " x",
                              full ? "" : width, task->relu_before_add ? "" : " late-relu"));
    PG_TRY(pg_text_pool_keep(texts, pg_norm_kind_name(task->norm), &out->norm, NULL, err));
    PG_TRY(pg_text_pool_keep(texts, task->scheme->name, &out->scheme, NULL, err));
    PG_TRY(pg_text_pool_keep(texts, task->attack ? task->attack->name : "", &out->attack, NULL, err));
    PG_TRY(keep(add_scheme, task, pool, &out->scheme_parameters, err));
    PG_TRY(keep(add_training, task, pool, &out->training, err));
    PG_TRY(keep(add_attack, task, pool, &out->parameters, err));
    PG_TRY(pg_text_pool_keep(texts, pg_task_name(task, name), &out->name, NULL, err));
done:
    return status;
}
