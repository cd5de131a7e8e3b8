/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid why: shows why a task would run. */
#include "experiments/commands/commands.h"

#include "core/base/utf8.h"
#include "core/formats/json_file.h"
#include "core/formats/yaml.h"
#include "experiments/commands/named_grid.h"
#include "experiments/work/records.h"

#include <stdio.h>
#include <string.h>

typedef struct arguments {
    const char *task;
    pg_grid_arguments grid;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_TEXT(arguments, task, NULL, "TASK", "name of a task, or the beginning of its key, as `passgrid plan` prints them"),
    PG_CLI_ROWS(arguments, grid, pg_grid_rows),
    {0},
};

/* ---- descriptions ---- */

typedef void difference(void *context, const char *field, const char *here, const char *there);

static const char *text_of(const pg_node *node, char out[PG_NODE_SHORT])
{
    if (!node) return "absent";
    return node->kind == PG_SCALAR && strlen(node->text) > 0 ? node->text : pg_node_describe(node, out);
}

static const pg_node *partner(const pg_node *parent, const pg_node *child)
{
    if (!parent) return NULL;
    return child->key ? pg_node_find(parent, child->key) : pg_node_at(parent, child->index);
}

/* Call tell for every scalar of this tree that is changed or absent in the other. Returns their number. */
static int compare_side(const pg_node *here, const pg_node *there, bool swapped, difference *tell, void *context)
{
    char path[PG_NODE_PATH], text1[PG_NODE_SHORT], text2[PG_NODE_SHORT];
    int count = 0;
    if (here->kind != PG_SCALAR && there && there->kind == here->kind) {
        for (const pg_node *n = here->first; n; n = n->next)
            count += compare_side(n, partner(there, n), swapped, tell, context);
        return count;
    }
    if (there && (swapped || (there->kind == here->kind && strcmp(there->text, here->text) == 0))) return 0;
    if (tell)
        tell(context, pg_node_path(here, path), swapped ? "absent" : text_of(here, text1),
             swapped ? text_of(here, text1) : text_of(there, text2));
    return 1;
}

static int compare(const pg_node *here, const pg_node *there, difference *tell, void *context)
{
    return compare_side(here, there, false, tell, context) + compare_side(there, here, true, tell, context);
}

/* ---- finished tasks ---- */

typedef struct nearest {
    const pg_node *wanted;
    int count, fewest; /* finished tasks; fields that differ in the nearest one */
    pg_tree *tree;     /* description of the nearest one */
    char name[256];
} nearest;

static pg_status compare_record(nearest *n, const pg_record_text *record, pg_error *err)
{
    pg_status status = PG_OK;
    const char *path = record->from;
    json_t *root = NULL;
    pg_tree *tree = NULL;
    char *text, *name;
    PG_TRY(pg_json_parse(record->data, record->bytes, path, NULL, &root, err));
    if (json_unpack(root, "{s:s, s:s}", "task", &text, "name", &name) != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the record does not name its task", path));
    PG_TRY(pg_yaml_parse_text(text, path, &tree, err));
    const int differ = compare(n->wanted, tree->root, NULL, NULL);
    if (n->count++ && differ >= n->fewest) goto done;
    n->fewest = differ;
    pg_printable(name, n->name, sizeof n->name);
    pg_tree_destroy(&n->tree);
    n->tree = tree;
    tree = NULL;
done:
    pg_tree_destroy(&tree);
    json_decref(root);
    return status;
}

/* Report and skip a damaged record: it is no finished task. */
static pg_status consider(void *context, const pg_record_text *record, pg_error *err)
{
    pg_error damage;
    (void)err;
    if (compare_record(context, record, &damage) != PG_OK) pg_complain("why", PG_BAD_INPUT, "%s", damage.message);
    return PG_OK;
}

static pg_status print_place(void *context, const pg_record_text *record, pg_error *err)
{
    (void)context;
    (void)err;
    printf("record: %s\n", record->from);
    return PG_OK;
}

/* ---- the command ---- */

static void print_difference(void *context, const char *field, const char *here, const char *there)
{
    (void)context;
    printf("  %s: %s here, %s there\n", field, here, there);
}

static pg_status explain(const pg_named_grid *named, const pg_grid_task *task, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    nearest n = {0};
    PG_TRY(pg_yaml_parse_text(task->public_text, task->name, &tree, err));
    n.wanted = tree->root;
    PG_TRY(pg_records_visit(named->directory, PG_RECORDS_ALL, consider, &n, err));
    if (n.count == 0) {
        printf("no task is finished in %s\n", named->directory);
        goto done;
    }
    printf("nearest of %d finished tasks: %s\n", n.count, n.name);
    compare(n.wanted, n.tree->root, print_difference, NULL);
done:
    pg_tree_destroy(&n.tree);
    pg_tree_destroy(&tree);
    return status;
}

static pg_status answer(const pg_named_grid *named, int at, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], reason[PG_MESSAGE_MAX];
    bool found;
    const pg_grid_task *task = &named->grid->tasks[at];
    const pg_task_state state = named->states[at];
    printf("%s is %s\nkey: %s\n", task->name, pg_task_state_names[state], task->key);
    if (state == PG_STATE_DONE) {
        status = pg_records_find(named->directory, task->key, print_place, NULL, &found, err);
        goto done;
    }
    if (state == PG_STATE_FAILED) {
        PG_TRY(pg_rundir_file(named->directory, "failed", task->key, path, err));
        PG_TRY(pg_failure_load(path, reason, sizeof reason, err));
        printf("reason: %s\n", reason);
    }
    PG_TRY(explain(named, task, err));
done:
    return status;
}

static int run(int argc, char **argv)
{
    arguments a;
    pg_named_grid named;
    pg_error err;
    int code, at = -1;
    if (!pg_cli_parse(&pg_cmd_why, argc, argv, &a, &code)) return code;
    if (!pg_named_grid_open("why", &a.grid, &named, &code)) return code;
    pg_status status = pg_named_task(named.grid, a.task, &at, &err);
    if (status == PG_OK) status = answer(&named, at, &err);
    pg_named_grid_close(&named);
    return status == PG_OK ? 0 : pg_complain("why", status, "%s", err.message);
}

const pg_command pg_cmd_why = {
    .name = "why",
    .summary = "show how a task differs from the finished ones",
    .about =
        "Compare the description of a task with those of the finished tasks in the directory of the run, and print the fields "
        "in which it differs from the most similar one.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the task was found\n2 bad usage or configuration, or no single such task\n3 input/output fault",
    .examples = "  passgrid why 3f9a configs/quick.yaml --out results/quick\n",
    .run = run,
};
