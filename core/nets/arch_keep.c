/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as canonical texts, and those that were read; see arch_file.h. */
#include "core/nets/arch_internal.h"

#include "core/base/memory.h"
#include "core/formats/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

/* The name by which rows refer to row i. */
static const char *name_of(const pg_row *rows, int i, char room[PG_NAME_MAX])
{
    if (i == PG_IMAGES) return "images";
    return rows[i].name[0] ? rows[i].name : pg_row_default_name(&rows[i], i, room);
}

static pg_row_values values_of(const pg_row *rows, int i)
{
    const pg_row *r = &rows[i];
    char room[PG_NAME_MAX];
    const bool windows = r->kind == PG_ROW_MAXPOOL || r->kind == PG_ROW_AVGPOOL;
    pg_row_values v = {.channels = r->channels,
                       .kernel = r->kernel,
                       .stride = windows && r->stride == r->kernel ? 0 : r->stride,
                       .pad = r->kind == PG_ROW_CONV && r->pad == r->kernel / 2 ? -1 : r->pad,
                       .groups = r->groups,
                       .side = r->kernel,
                       .norm = !r->bare,
                       .relu = r->relu || (r->kind == PG_ROW_DENSE && !r->channels),
                       .passport = r->passport,
                       .rate = r->rate};
    if (strcmp(r->name, pg_row_default_name(r, i, room)) != 0) snprintf(v.name, sizeof v.name, "%s", r->name);
    if (r->input != i - 1) snprintf(v.from, sizeof v.from, "%s", name_of(rows, r->input, room));
    if (r->kind == PG_ROW_ADD) snprintf(v.with, sizeof v.with, "%s", name_of(rows, r->other, room));
    return v;
}

static pg_status add_row(pg_tree *tree, pg_node *list, const pg_row *rows, int i, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *map;
    const pg_row_kind_info *info = pg_row_info(&rows[i]);
    const pg_row_values values = values_of(rows, i);
    PG_TRY(pg_node_add(tree, list, NULL, PG_MAP, NULL, &map, err));
    PG_TRY(pg_node_add_text(tree, map, "row", info->name, err));
    PG_TRY(pg_options_write(info->options, &values, PG_REVEAL_ALL, tree, map, err));
done:
    return status;
}

/* The canonical text: the same for equal networks, without the summary, which changes no result. *text is freed by pg_free. */
static pg_status write_text(const char *name, int image, const pg_row *rows, int count, char **text, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_node *list;
    char side[16];
    snprintf(side, sizeof side, "%d", image);
    PG_TRY(pg_tree_create(&tree, err));
    PG_TRY(pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &tree->root, err));
    PG_TRY(pg_node_add_text(tree, tree->root, "name", name, err));
    PG_TRY(pg_node_add(tree, tree->root, "image", PG_SCALAR, side, NULL, err));
    PG_TRY(pg_node_add(tree, tree->root, "rows", PG_LIST, NULL, &list, err));
    for (int i = 0; i < count; i++) PG_TRY(add_row(tree, list, rows, i, err));
    PG_TRY(pg_yaml_emit(tree->root, PG_YAML_FLOW, text, err));
done:
    pg_tree_destroy(&tree);
    return status;
}

pg_status pg_arch_with_channels(const pg_net_spec *spec, const int *channels, const char *name, const pg_arch **out,
                                pg_error *err)
{
    pg_status status = PG_OK;
    pg_row rows[PG_ROWS_MAX];
    char *text = NULL;
    const int n = pg_arch_rows(spec->arch, spec->relu_before_add, rows);
    for (int i = 0; i < n - 1; i++)
        if (rows[i].kind == PG_ROW_CONV || rows[i].kind == PG_ROW_DENSE) rows[i].channels = channels[i];
    PG_TRY(write_text(name, spec->arch->image, rows, n, &text, err));
    PG_TRY(pg_arch_parse(text, name, out, err));
done:
    pg_free(text);
    return status;
}

/* ---- networks that were read ---- */

/* These networks live until the process ends. Their memory is not counted by pg_alloc, because nobody releases it. */
enum { KEPT_MAX = 1024 };
typedef struct kept {
    pg_arch arch;
    char name[PG_ARCH_NAME_MAX], summary[PG_TEXT_MAX];
    pg_row rows[PG_ROWS_MAX];
    char text[];
} kept;
static kept *networks[KEPT_MAX];
static int network_count;

static pg_status keep_copy(const pg_arch *made, const char *text, const pg_arch **out, pg_error *err)
{
    if (network_count == KEPT_MAX) return pg_fail(err, PG_BAD_INPUT, "more than %d different networks", KEPT_MAX);
    kept *k = calloc(1, sizeof *k + strlen(text) + 1);
    if (!k) return pg_fail(err, PG_NO_MEMORY, "no memory for a network");
    snprintf(k->name, sizeof k->name, "%s", made->name);
    snprintf(k->summary, sizeof k->summary, "%s", made->summary);
    memcpy(k->rows, made->table, (size_t)made->count * sizeof *k->rows);
    strcpy(k->text, text);
    k->arch = (pg_arch){
        .name = k->name, .summary = k->summary, .image = made->image, .table = k->rows, .count = made->count, .text = k->text};
    networks[network_count++] = k;
    *out = &k->arch;
    return PG_OK;
}

pg_status pg_arch_keep(const pg_arch *made, const pg_arch **out, pg_error *err)
{
    char *text = NULL;
    pg_status status = write_text(made->name, made->image, made->table, made->count, &text, err);
    if (status != PG_OK) return status;
    *out = NULL;
    for (int i = 0; i < network_count; i++)
        if (strcmp(networks[i]->text, text) == 0) *out = &networks[i]->arch;
    if (!*out) status = keep_copy(made, text, out, err);
    pg_free(text);
    return status;
}
