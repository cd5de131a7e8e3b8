/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks as text; see task.h.
 *
 * The text is one line of YAML in a fixed order with every option spelled out, so equal tasks have equal texts. Reading is the
 * same tables backwards; what was read is written again and compared, so a text that this version would not write is refused.
 */
#include "experiments/grid/task.h"

#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/formats/yaml.h"
#include "core/nets/arch_file.h"
#include "experiments/grid/data_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };
/* By pg_task_kind. Keys and records hold these words and "brought", which are older than the names in the code. */
static const char *const kinds[] = {"train", "attack", "threshold", "bring", "claim", NULL};
/* What a task of each kind calls its further networks. */
static const char *const networks[] = {"", "references", "null_models", "", "accused"};

/* ---- writing ---- */

static pg_status add_int(pg_tree *tree, pg_node *map, const char *key, long long value, pg_error *err)
{
    char number[32];
    snprintf(number, sizeof number, "%lld", value);
    return pg_node_add(tree, map, key, PG_SCALAR, number, NULL, err);
}

static pg_status add_data(pg_tree *tree, pg_node *map, const char *key, const pg_data_choice *data, pg_reveal reveal,
                          pg_error *err)
{
    const pg_data_options values = {.pictures = data->pictures};
    pg_status status = PG_OK;
    pg_node *entry;
    PG_TRY(pg_node_add(tree, map, key, PG_MAP, NULL, &entry, err));
    PG_TRY(pg_node_add_text(tree, entry, "name", data->name, err));
    PG_TRY(pg_node_add_text(tree, entry, "sha256", data->sha256, err));
    if (data->half) PG_TRY(pg_node_add_text(tree, entry, "half", pg_half_names[data->half], err));
    PG_TRY(add_int(tree, entry, "train", data->train, err));
    PG_TRY(add_int(tree, entry, "test", data->test, err));
    if (reveal == PG_REVEAL_ALL && data->pictures.path[0])
        PG_TRY(pg_options_write(pg_picture_table(), &values, reveal, tree, entry, err));
done:
    return status;
}

/* The map that a task is written to. */
typedef struct target {
    pg_tree *tree;
    pg_node *map;
    pg_reveal reveal;
} target;

/* A struct of options, under a key; name: of the scheme or the attack that has them, under `kind`; NULL: the options alone;
 * arch: the network that they name; NULL: none. */
typedef struct options {
    const char *key, *kind, *name;
    const pg_option *table;
    const void *values;
    const pg_arch *arch;
} options;

/* The text of a network, or its checksum. */
static pg_status add_rows(const target *to, pg_node *map, const pg_arch *arch, pg_error *err)
{
    char sum[PG_SHA256_HEX], content[sizeof sum + 8];
    pg_sha256(arch->text, strlen(arch->text), sum);
    snprintf(content, sizeof content, "sha256:%s", sum);
    return pg_node_add_text(to->tree, map, "rows", to->reveal == PG_REVEAL_ALL ? arch->text : content, err);
}

/* Must the text of a task have the rows of the network that an attack names? Not if the program has it. */
static bool has_rows(const pg_arch *arch)
{
    return arch && arch != pg_arch_find(arch->name);
}

static pg_status add_options(const target *to, const options *o, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *entry;
    PG_TRY(pg_node_add(to->tree, to->map, o->key, PG_MAP, NULL, &entry, err));
    if (o->name) PG_TRY(pg_node_add_text(to->tree, entry, o->kind, o->name, err));
    PG_TRY(pg_options_write(o->table, o->values, to->reveal, to->tree, entry, err));
    if (has_rows(o->arch)) PG_TRY(add_rows(to, entry, o->arch, err));
done:
    return status;
}

static pg_status add_network(const target *to, const pg_task *task, pg_error *err)
{
    pg_network_options network = {.norm = (int)task->norm, .width = task->width, .relu_before_add = task->relu_before_add};
    pg_status status = PG_OK;
    snprintf(network.arch, sizeof network.arch, "%s", task->arch->name);
    PG_TRY(add_options(to, &(options){.key = "network", .table = pg_network_table, .values = &network}, err));
    if (task->arch->text) PG_TRY(add_rows(to, to->map, task->arch, err));
done:
    return status;
}

/* Only the worker that reads the files needs their paths. */
static pg_status add_source(pg_tree *tree, pg_node *map, const pg_task *task, pg_reveal reveal, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *entry;
    const pg_task_source *s = &task->supplied;
    const bool places = reveal == PG_REVEAL_ALL && task->kind == PG_TASK_SUPPLIED;
    PG_TRY(pg_node_add(tree, map, "brought", PG_MAP, NULL, &entry, err));
    if (places) PG_TRY(pg_node_add_text(tree, entry, "model", s->files.model, err));
    if (places && s->files.map[0]) PG_TRY(pg_node_add_text(tree, entry, "map", s->files.map, err));
    if (places && s->commitment[0]) PG_TRY(pg_node_add_text(tree, entry, "evidence", s->files.evidence, err));
    PG_TRY(pg_node_add_text(tree, entry, "model_sha256", s->model_sha256, err));
    if (s->commitment[0]) PG_TRY(pg_node_add_text(tree, entry, "commitment", s->commitment, err));
done:
    return status;
}

static pg_status add_networks(pg_tree *tree, pg_node *map, const pg_task *task, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *list;
    if (!task->network_count) return PG_OK;
    PG_TRY(pg_node_add(tree, map, networks[task->kind], PG_LIST, NULL, &list, err));
    for (int i = 0; i < task->network_count; i++) PG_TRY(pg_node_add_text(tree, list, NULL, task->networks[i], err));
done:
    return status;
}

/* The key of an earlier attack: after, after_2, ... */
static const char *name_stage(int i, char out[16])
{
    snprintf(out, 16, i ? "after_%d" : "after", i + 1);
    return out;
}

static pg_status add_all(pg_tree *tree, pg_node *map, const pg_task *task, pg_reveal reveal, pg_error *err)
{
    pg_status status = PG_OK;
    const target to = {tree, map, reveal};
    const pg_attack *attack = task->attack;
    PG_TRY(add_int(tree, map, "format", FORMAT, err));
    PG_TRY(pg_node_add_text(tree, map, "kind", kinds[task->kind], err));
    PG_TRY(add_int(tree, map, "seed", (long long)task->seed, err));
    PG_TRY(add_data(tree, map, "data", &task->data, reveal, err));
    PG_TRY(add_network(&to, task, err));
    PG_TRY(add_options(
        &to, &(options){"scheme", "scheme", task->scheme->name, task->scheme->options, task->scheme_options, NULL}, err));
    if (task->supplied.model_sha256[0]) PG_TRY(add_source(tree, map, task, reveal, err));
    PG_TRY(add_options(&to, &(options){.key = "train", .table = pg_train_table, .values = &task->train}, err));
    PG_TRY(add_options(&to, &(options){.key = "verify", .table = pg_verify_table, .values = &task->verify}, err));
    if (task->pretrained[0]) PG_TRY(pg_node_add_text(tree, map, "pretrained", task->pretrained, err));
    if (task->last) PG_TRY(pg_node_add(tree, map, "last", PG_SCALAR, "true", NULL, err));
    if (task->kind == PG_TASK_TRAIN && task->other.name[0]) PG_TRY(add_data(tree, map, "other", &task->other, reveal, err));
    if (task->kind == PG_TASK_TRAIN || task->kind == PG_TASK_SUPPLIED) goto done;
    PG_TRY(pg_node_add_text(tree, map, "victim", task->victim, err));
    PG_TRY(add_networks(tree, map, task, err));
    if (attack)
        PG_TRY(add_options(
            &to, &(options){"attack", "attack", attack->name, attack->options, task->attack_options, task->attack_arch}, err));
    if (task->other.name[0]) PG_TRY(add_data(tree, map, "other", &task->other, reveal, err));
    if (task->keep && reveal == PG_REVEAL_ALL) PG_TRY(pg_node_add(tree, map, "keep", PG_SCALAR, "true", NULL, err));
    for (int i = 0; i < task->before_count; i++) {
        const pg_task_stage *before = &task->before[i];
        const pg_attack *kind = before->attack;
        char key[16];
        PG_TRY(add_options(
            &to, &(options){name_stage(i, key), "attack", kind->name, kind->options, before->options, before->arch}, err));
    }
    if (task->forged[0]) PG_TRY(pg_node_add_text(tree, map, "forged", task->forged, err));
    if (task->taken[0]) PG_TRY(pg_node_add_text(tree, map, "taken", task->taken, err));
done:
    return status;
}

static pg_status make_text(const pg_task *task, pg_reveal reveal, char **text, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    PG_TRY(pg_tree_create(&tree, err));
    PG_TRY(pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &tree->root, err));
    PG_TRY(add_all(tree, tree->root, task, reveal, err));
    PG_TRY(pg_yaml_emit(tree->root, PG_YAML_FLOW, text, err));
done:
    pg_tree_destroy(&tree);
    return status;
}

void pg_task_clear_texts(pg_task *task)
{
    if (task->public_text != task->text) pg_free(task->public_text);
    pg_free(task->text);
    task->text = task->public_text = NULL;
}

static bool hides_stage(const pg_task *task)
{
    for (int i = 0; i < task->before_count; i++)
        if (has_rows(task->before[i].arch) || pg_options_hide(task->before[i].attack->options, task->before[i].options))
            return true;
    return false;
}

/* Does the public text differ? */
static bool hides(const pg_task *task)
{
    return task->keep || task->arch->text || task->data.pictures.path[0] || task->other.pictures.path[0] ||
           task->kind == PG_TASK_SUPPLIED || has_rows(task->attack_arch) ||
           pg_options_hide(task->scheme->options, task->scheme_options) ||
           (task->attack && pg_options_hide(task->attack->options, task->attack_options)) || hides_stage(task);
}

pg_status pg_task_write(pg_task *task, pg_error *err)
{
    pg_status status = PG_OK;
    pg_task_clear_texts(task);
    PG_TRY(make_text(task, PG_REVEAL_ALL, &task->text, err));
    task->public_text = task->text;
    if (hides(task)) PG_TRY(make_text(task, PG_REVEAL_CONTENT, &task->public_text, err));
    pg_sha256(task->public_text, strlen(task->public_text), task->key);
done:
    return status;
}

/* ---- reading ---- */

/* A scalar's text into out[bytes]; "" if it is none or too long, which the comparison at the end finds. */
static void text_of(const pg_node *node, char *out, size_t bytes)
{
    const size_t length = node && node->kind == PG_SCALAR ? strlen(node->text) : 0;
    if (length < bytes && length > 0) memcpy(out, node->text, length + 1);
}

static void get_text(const pg_node *map, const char *key, char *out, size_t bytes)
{
    text_of(pg_node_get(map, key), out, bytes);
}

static long long get_int(const pg_node *map, const char *key)
{
    const pg_node *node = pg_node_get(map, key);
    long long value = 0;
    if (node && pg_number_int(node->text, &value)) return value;
    return 0;
}

static pg_status get_data(const pg_node *map, pg_data_choice *out, pg_problems *problems, pg_error *err)
{
    pg_data_options values;
    get_text(map, "name", out->name, sizeof out->name);
    get_text(map, "sha256", out->sha256, sizeof out->sha256);
    char half[16] = "";
    get_text(map, "half", half, sizeof half);
    for (int i = 0; pg_half_names[i]; i++)
        if (strcmp(half, pg_half_names[i]) == 0) out->half = i;
    out->train = (int)get_int(map, "train");
    out->test = (int)get_int(map, "test");
    const pg_status status = pg_options_defaults(pg_data_table, &values, err);
    if (status != PG_OK || !map || !pg_node_find(map, "path")) return status;
    pg_options_take(pg_picture_table(), map, &values, problems);
    out->pictures = values.pictures;
    return PG_OK;
}

static void get_source(const pg_node *map, pg_task_source *out)
{
    get_text(map, "model", out->files.model, sizeof out->files.model);
    get_text(map, "map", out->files.map, sizeof out->files.map);
    get_text(map, "evidence", out->files.evidence, sizeof out->files.evidence);
    get_text(map, "model_sha256", out->model_sha256, sizeof out->model_sha256);
    get_text(map, "commitment", out->commitment, sizeof out->commitment);
}

static void get_networks(const pg_node *list, pg_task *out)
{
    for (const pg_node *n = list ? list->first : NULL; n && out->network_count < PG_NULL_MODELS_MAX; n = n->next)
        text_of(n, out->networks[out->network_count++], PG_SHA256_HEX);
}

/* Options under key into a new block of size bytes. */
static pg_status get_options(const pg_option *table, const pg_node *map, size_t size, void *out, pg_problems *problems,
                             pg_error *err)
{
    void *values = NULL;
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(1, size, &values, err));
    PG_TRY(pg_options_defaults(table, values, err));
    pg_options_take(table, map, values, problems);
    *(void **)out = values;
    values = NULL;
done:
    pg_free(values);
    return status;
}

/* The network that an attack's options name. */
static pg_status get_arch(const pg_node *map, pg_task_stage *out, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_node *rows = pg_node_get(map, "rows");
    const char *name = pg_attack_network(out->attack, out->options);
    if (!name) return PG_OK;
    out->arch = pg_arch_find(name);
    if (rows) PG_TRY(pg_arch_parse(rows->text, "task", &out->arch, err));
    if (!out->arch || strcmp(out->arch->name, name) != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "task: unknown network '%s'", name));
done:
    return status;
}

/* An attack and its options under key. */
static pg_status get_attack(const pg_node *root, const char *key, pg_task_stage *out, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    char name[64] = "";
    const pg_node *map = pg_node_get(root, key);
    get_text(map, "attack", name, sizeof name);
    out->attack = pg_attack_find(name);
    if (!out->attack) return pg_fail(err, PG_BAD_INPUT, "task: unknown attack '%s'", name);
    PG_TRY(get_options(out->attack->options, map, out->attack->options_size, &out->options, problems, err));
    PG_TRY(get_arch(map, out, err));
done:
    return status;
}

static pg_status get_scheme_and_attack(const pg_node *root, pg_task *out, pg_problems *problems, pg_error *err)
{
    char name[64] = "";
    pg_status status = PG_OK;
    pg_task_stage attack = {.options = NULL};
    get_text(pg_node_get(root, "scheme"), "scheme", name, sizeof name);
    out->scheme = pg_scheme_find(name);
    if (!out->scheme) PG_TRY(pg_fail(err, PG_BAD_INPUT, "task: unknown scheme '%s'", name));
    PG_TRY(get_options(out->scheme->options, pg_node_get(root, "scheme"), out->scheme->options_size, &out->scheme_options,
                       problems, err));
    const bool forged = out->kind == PG_TASK_CLAIM && pg_node_find(root, "attack");
    if (out->kind != PG_TASK_ATTACK && !forged) goto done;
    PG_TRY(get_attack(root, "attack", &attack, problems, err));
    for (char key[16]; out->before_count < PG_STAGES_MAX && pg_node_find(root, name_stage(out->before_count, key));) {
        pg_task_stage *stage = &out->before[out->before_count++];
        PG_TRY(get_attack(root, key, stage, problems, err));
    }
done:
    out->attack = attack.attack;
    out->attack_options = attack.options;
    out->attack_arch = attack.arch;
    return status;
}

static pg_status read_task(const pg_node *root, pg_task *out, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    char kind[16] = "";
    pg_network_options network;
    get_text(root, "kind", kind, sizeof kind);
    for (int i = 0; kinds[i]; i++)
        if (strcmp(kind, kinds[i]) == 0) out->kind = (pg_task_kind)i;
    out->seed = (uint64_t)get_int(root, "seed");
    PG_TRY(get_data(pg_node_get(root, "data"), &out->data, problems, err));
    PG_TRY(pg_options_defaults(pg_network_table, &network, err));
    pg_options_take(pg_network_table, pg_node_get(root, "network"), &network, problems);
    const pg_node *rows = pg_node_get(root, "rows");
    out->arch = pg_arch_find(network.arch);
    if (rows) PG_TRY(pg_arch_parse(rows->text, "task", &out->arch, err));
    if (!out->arch) PG_TRY(pg_fail(err, PG_BAD_INPUT, "task: unknown network '%s'", network.arch));
    out->norm = (pg_norm_kind)network.norm;
    out->width = network.width;
    out->relu_before_add = network.relu_before_add;
    PG_TRY(pg_options_defaults(pg_train_table, &out->train, err));
    pg_options_take(pg_train_table, pg_node_get(root, "train"), &out->train, problems);
    PG_TRY(pg_options_defaults(pg_verify_table, &out->verify, err));
    pg_options_take(pg_verify_table, pg_node_get(root, "verify"), &out->verify, problems);
    get_source(pg_node_get(root, "brought"), &out->supplied);
    get_text(root, "pretrained", out->pretrained, sizeof out->pretrained);
    out->last = pg_node_find(root, "last") != NULL;
    get_text(root, "victim", out->victim, sizeof out->victim);
    if (networks[out->kind][0]) get_networks(pg_node_get(root, networks[out->kind]), out);
    get_text(root, "forged", out->forged, sizeof out->forged);
    get_text(root, "taken", out->taken, sizeof out->taken);
    PG_TRY(get_data(pg_node_get(root, "other"), &out->other, problems, err));
    out->keep = pg_node_find(root, "keep") != NULL;
    PG_TRY(get_scheme_and_attack(root, out, problems, err));
done:
    return status;
}

pg_status pg_task_parse(const char *text, pg_task *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_task task = {0};
    pg_problems problems;
    problems.count = 0;
    PG_TRY(pg_yaml_parse_text(text, "task", &tree, err));
    PG_TRY(read_task(tree->root, &task, &problems, err));
    PG_TRY(pg_problems_status(&problems, "task", err));
    PG_TRY(pg_task_write(&task, err));
    if (strcmp(task.text, text) != 0) PG_TRY(pg_fail(err, PG_BAD_INPUT, "task: not in the format of this version"));
    *out = task;
    task = (pg_task){0};
done:
    pg_task_clear(&task);
    pg_tree_destroy(&tree);
    return status;
}

void pg_task_clear(pg_task *task)
{
    pg_task_clear_texts(task);
    pg_free(task->scheme_options);
    pg_free(task->attack_options);
    for (int i = 0; i < task->before_count; i++) pg_free(task->before[i].options);
    *task = (pg_task){0};
}
