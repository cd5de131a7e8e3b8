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

/* Write "key=value" of one option. Texts that hold "=" are quoted, so that no value can pass for another option. */
static void put_option(const char *prefix, const pg_option *option, const char *value, int length, FILE *stream)
{
    const bool quote = option->type == PG_OPT_TEXT && memchr(value, '=', (size_t)length) && !strchr("\"'", value[0]);
    fprintf(stream, "%s%s=%s%.*s%s", prefix, option->key, quote ? "\"" : "", length, value, quote ? "\"" : "");
}

/* Write "key=value key=value" of all options, every key with the prefix, after a space if something was written before. */
static pg_status describe_options(const char *prefix, const pg_option *table, const void *values, FILE *stream, pg_error *err)
{
    for (; table->key; table++) {
        const pg_option one[] = {*table, {0}};
        char *text = NULL;
        const pg_status status = pg_options_text(one, values, &text, err);
        if (status != PG_OK) return status;
        const char *value = text + strlen(table->key) + 3; /* after "{key: " and before "}" */
        if (ftell(stream) > 0) fputc(' ', stream);
        put_option(prefix, table, value, (int)strlen(value) - 1, stream);
        pg_free(text);
    }
    return PG_OK;
}

/* An attack's own options, and those of the attack that came before it. */
static pg_status describe_attack(const pg_task *task, FILE *stream, pg_error *err)
{
    pg_status status = describe_options("", task->attack->options, task->attack_options, stream, err);
    if (status != PG_OK || !task->after) return status;
    fprintf(stream, "%safter=%s", ftell(stream) > 0 ? " " : "", task->after->name);
    return describe_options("after_", task->after->options, task->after_options, stream, err);
}

bool pg_labels_brought(const pg_task_labels *labels)
{
    return strncmp(labels->scheme_parameters, "model=", 6) == 0;
}

/* How a network from elsewhere was made is not known: its files stand for it. */
static pg_status describe_scheme(const pg_task *task, FILE *stream, pg_error *err)
{
    const pg_task_source *s = &task->brought;
    if (s->model_sha256[0]) {
        fprintf(stream, "model=%.16s%s%.16s", s->model_sha256, s->commitment[0] ? " evidence=" : "", s->commitment);
        return PG_OK;
    }
    return describe_options("", task->scheme->options, task->scheme_options, stream, err);
}

static pg_status describe_training(const pg_task *task, FILE *stream, pg_error *err)
{
    if (task->brought.model_sha256[0]) return PG_OK;
    return describe_options("", pg_train_table, &task->train, stream, err);
}

/* The text that describe writes, kept. */
static pg_status keep_written(pg_status (*describe)(const pg_task *task, FILE *stream, pg_error *err), const pg_task *task,
                              pg_text_pool *texts, const char **out, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    pg_status status = describe(task, stream, err);
    if (fclose(stream) != 0 && status == PG_OK) status = pg_fail(err, PG_NO_MEMORY, "out of memory for a label");
    if (status == PG_OK) status = pg_text_pool_keep(texts, text, out, NULL, err);
    free(text);
    return status;
}

static pg_status describe_data(const pg_data_choice *data, pg_text_pool *texts, const char **out, pg_error *err)
{
    char train[16] = "all", test[16] = "all";
    if (data->train) snprintf(train, sizeof train, "%d", data->train);
    if (data->test) snprintf(test, sizeof test, "%d", data->test);
    if (!data->train && !data->test) return pg_text_pool_keep(texts, data->name, out, NULL, err);
    return pg_text_pool_print(texts, out, NULL, err, "%s %s+%s", data->name, train, test);
}

const char *pg_task_name(const pg_task *task, char out[PG_TASK_NAME_MAX])
{
    const char *attack = task->kind == PG_TASK_ATTACK ? task->attack->name : "";
    const char *part = task->kind == PG_TASK_THRESHOLD ? "threshold" : task->kind == PG_TASK_BRING ? "brought" : attack;
    snprintf(out, PG_TASK_NAME_MAX, "%s/%s-%s/%s/%s%ss%llu/%.8s", task->data.name, task->arch, task->norm, task->scheme->name,
             part, part[0] ? "/" : "", (unsigned long long)task->seed, task->key);
    return out;
}

pg_status pg_task_describe(const pg_task *task, pg_text_pool *texts, pg_task_labels *out, pg_error *err)
{
    pg_status status = PG_OK;
    char width[PG_NUMBER_MAX], name[PG_TASK_NAME_MAX];
    const bool full = strcmp(pg_number_text(task->width, width), "1") == 0;
    *out = (pg_task_labels){.attack = "", .parameters = "", .seed = task->seed};
    PG_TRY(describe_data(&task->data, texts, &out->data, err));
    PG_TRY(pg_text_pool_print(texts, &out->network, NULL, err, "%s%s%s%s", task->arch, full ? "" : " x", full ? "" : width,
                              task->relu_before_add ? "" : " late-relu"));
    PG_TRY(pg_text_pool_keep(texts, task->norm, &out->norm, NULL, err));
    PG_TRY(pg_text_pool_keep(texts, task->scheme->name, &out->scheme, NULL, err));
    PG_TRY(keep_written(describe_scheme, task, texts, &out->scheme_parameters, err));
    PG_TRY(keep_written(describe_training, task, texts, &out->training, err));
    if (task->kind == PG_TASK_ATTACK) {
        PG_TRY(pg_text_pool_keep(texts, task->attack->name, &out->attack, NULL, err));
        PG_TRY(keep_written(describe_attack, task, texts, &out->parameters, err));
    }
    PG_TRY(pg_text_pool_keep(texts, pg_task_name(task, name), &out->name, NULL, err));
done:
    return status;
}
