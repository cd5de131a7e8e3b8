/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading networks from YAML; see arch_file.h. */
#include "core/nets/arch_internal.h"

#include "core/formats/yaml.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- keys ---- */

#define ROW_OPTION(member, kind, C, fallback, help)                                                                            \
    PG_OPTION(#member, pg_row_values, member, kind, C, fallback, help), .later = true
#define ROW_INT(member, fallback, low_, high_, unit_, help)                                                                    \
    {                                                                                                                          \
        ROW_OPTION(member, INT, int, fallback, help), .low = low_, .high = high_, .unit = unit_                                \
    }
#define ROW_BOOL(member, fallback, help)                                                                                       \
    {                                                                                                                          \
        ROW_OPTION(member, BOOL, bool, fallback, help)                                                                         \
    }
#define ROW_TEXT(member, fallback, help)                                                                                       \
    {                                                                                                                          \
        ROW_OPTION(member, TEXT, char *, fallback, help)                                                                       \
    }
#define EVERY_ROW                                                                                                              \
    ROW_TEXT(name, "", "name of the row, for other rows, for `layers` and in model files; empty: its kind and number"),        \
        ROW_TEXT(from, "", "row that it reads, or images; empty: the row before it")

enum { CHANNELS_MAX = 16384 };

static const pg_option conv_options[] = {
    PG_INT(pg_row_values, channels, NULL, 1, CHANNELS_MAX, NULL, "filters at width 1"),
    EVERY_ROW,
    ROW_INT(kernel, "3", 1, PG_KERNEL_MAX, "pixels", "side of the filters"),
    ROW_INT(stride, "1", 1, 16, "pixels", "distance between neighbouring outputs"),
    ROW_INT(pad, "-1", -1, 15, "pixels", "zeros at each side of the image; -1: half the kernel, rounded down"),
    ROW_INT(
        groups, "1", 0, CHANNELS_MAX, NULL,
        "parts into which inputs and filters are divided: a filter reads those of its part; 0: as many as inputs (depthwise)"),
    ROW_BOOL(norm, "true", "the norm and the affine of the grid follow; without them the convolution has no bias either"),
    ROW_BOOL(relu, "true", "a ReLU follows"),
    ROW_BOOL(passport, "false", "a passport layer by default, and the first of them holds a mark by default"),
    {0},
};

static const pg_option norm_options[] = {EVERY_ROW, ROW_BOOL(relu, "true", "a ReLU follows"), {0}};

static const pg_option max_pool_options[] = {
    EVERY_ROW,
    ROW_INT(kernel, "2", 1, 15, "pixels", "side of the windows"),
    ROW_INT(stride, "0", 0, 16, "pixels", "distance between neighbouring windows; 0: their side"),
    ROW_INT(pad, "0", 0, 7, "pixels", "border of the image that never wins, at most half the kernel"),
    {0},
};

static const pg_option avg_pool_options[] = {
    EVERY_ROW,
    ROW_INT(kernel, "2", 1, 64, "pixels", "side of the windows"),
    ROW_INT(stride, "0", 0, 64, "pixels", "distance between neighbouring windows; 0: their side"),
    {0},
};

static const pg_option global_pool_options[] = {
    EVERY_ROW,
    ROW_INT(side, "1", 1, 64, "pixels", "side of the output, whatever that of the image; 1: the mean of each channel"),
    {0},
};

static const pg_option add_options[] = {
    PG_TEXT(pg_row_values, with, NULL, "row that is added to the one that the row reads, or images"),
    EVERY_ROW,
    ROW_BOOL(relu, "true", "a ReLU follows"),
    {0},
};

static const pg_option dense_options[] = {
    EVERY_ROW,
    ROW_INT(channels, "0", 0, CHANNELS_MAX, NULL, "outputs at width 1; 0: one for each class, in the last row"),
    ROW_BOOL(relu, "true", "a ReLU follows; none follows the classes"),
    {0},
};

static const pg_option dropout_options[] = {
    EVERY_ROW,
    {ROW_OPTION(rate, REAL, double, "0.5", "probability with which a step of training sets a value to zero"), .low = 0,
     .high = 0.99},
    {0},
};

const pg_row_kind_info pg_row_kinds[] = {
    {"conv", "convolution, norm and ReLU", PG_ROW_CONV, conv_options},
    {"norm", "norm and ReLU without a convolution", PG_ROW_NORM, norm_options},
    {"max_pool", "largest value of each window", PG_ROW_MAXPOOL, max_pool_options},
    {"avg_pool", "mean of each window", PG_ROW_AVGPOOL, avg_pool_options},
    {"global_pool", "means of the whole image, or of as many parts as the output has pixels", PG_ROW_AVGPOOL,
     global_pool_options},
    {"add", "sum of two rows of the same shape, and ReLU", PG_ROW_ADD, add_options},
    {"dense", "dense layer with bias, and ReLU", PG_ROW_DENSE, dense_options},
    {"dropout", "sets values to zero at random in training", PG_ROW_DROPOUT, dropout_options},
    {NULL, NULL, PG_ROW_CONV, NULL},
};

typedef struct network {
    char name[PG_TEXT_MAX], summary[PG_TEXT_MAX];
    int image;
} network;

const pg_option pg_arch_options[] = {
    PG_TEXT(network, name, "", "name of the network; empty: that of the file"),
    PG_TEXT(network, summary, "", "one line about it"),
    PG_INT(network, image, NULL, 1, 4096, "pixels", "side of the images that it is made for; others work if no layer is empty"),
    {0},
};

/* ---- names ---- */

const char *pg_row_default_name(const pg_row *row, int i, char out[PG_NAME_MAX])
{
    snprintf(out, PG_NAME_MAX, "%s%d", pg_row_info(row)->name, i + 1);
    return out;
}

const pg_row_kind_info *pg_row_info(const pg_row *row)
{
    const bool adaptive = row->kind == PG_ROW_AVGPOOL && row->stride == 0;
    int i = 0;
    while (pg_row_kinds[i].kind != row->kind || (adaptive && pg_row_kinds[i].options != global_pool_options)) i++;
    return &pg_row_kinds[i];
}

static bool is_name(const char *text, int room)
{
    const size_t length = strlen(text);
    return length > 0 && length < (size_t)room &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == length;
}

/* Words that have another meaning in `from` or in `layers`. */
static bool is_reserved(const char *name)
{
    static const char *const words[] = {"images", "all", "default", "first", "last", NULL};
    for (int i = 0; words[i]; i++)
        if (strcmp(name, words[i]) == 0) return true;
    return false;
}

static bool has_tensors(const pg_row *row)
{
    return row->kind == PG_ROW_CONV || row->kind == PG_ROW_DENSE || row->kind == PG_ROW_NORM;
}

/* Does a name begin with another and a dot? Both would then have tensors of one name. */
static bool is_inside(const char *name, const char *other)
{
    const size_t n = strlen(other);
    return strncmp(name, other, n) == 0 && name[n] == '.';
}

/* ---- rows ---- */

typedef struct reader {
    pg_problems *problems;
    pg_row rows[PG_ROWS_MAX];
    const pg_node *nodes[PG_ROWS_MAX]; /* of the rows */
    int count;
} reader;

static void check_name(reader *r, const pg_node *node, const char *name)
{
    const pg_row *row = &r->rows[r->count];
    if (!is_name(name, PG_NAME_MAX) || is_reserved(name)) {
        pg_problems_add(r->problems, node, "expected at most %d letters, digits, '.', '_' and '-', and no word such as all",
                        PG_NAME_MAX - 1);
        return;
    }
    for (int i = 0; i < r->count; i++) {
        const pg_row *other = &r->rows[i];
        const bool clash = has_tensors(row) && has_tensors(other);
        if (strcmp(other->name, name) == 0)
            pg_problems_add(r->problems, node, "row %d has the name '%s' already", i + 1, name);
        else if (clash && (is_inside(name, other->name) || is_inside(other->name, name)))
            pg_problems_add(r->problems, node, "'%s' and '%s' would share names of tensors", other->name, name);
    }
}

/* The row that a name refers to. */
static int find_row(reader *r, const pg_node *node, const char *name)
{
    if (strcmp(name, "images") == 0) return PG_IMAGES;
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->rows[i].name, name) == 0) return i;
    pg_problems_add(r->problems, node, "no earlier row has the name '%s'", name);
    return PG_IMAGES;
}

static void take_values(reader *r, const pg_node *map, const pg_row_kind_info *info, const pg_row_values *v)
{
    pg_row *row = &r->rows[r->count];
    const pg_node *name = pg_node_find(map, "name");
    *row = (pg_row){.kind = info->kind,
                    .input = v->from[0] ? find_row(r, pg_node_find(map, "from"), v->from) : r->count - 1,
                    .channels = v->channels,
                    .kernel = v->kernel ? v->kernel : v->side,
                    .stride = v->stride,
                    .pad = v->pad < 0 ? v->kernel / 2 : v->pad,
                    .groups = v->groups,
                    .relu = v->relu,
                    .passport = v->passport,
                    .rate = v->rate};
    const bool windows = v->kernel && info->kind != PG_ROW_CONV;
    if (windows && !row->stride) row->stride = row->kernel;
    row->bare = info->kind == PG_ROW_CONV && !v->norm;
    if (info->kind == PG_ROW_DENSE && !row->channels) row->relu = false;
    if (v->name[0])
        snprintf(row->name, sizeof row->name, "%.*s", PG_NAME_MAX - 1, v->name);
    else
        pg_row_default_name(row, r->count, row->name);
    check_name(r, name ? name : map, v->name[0] ? v->name : row->name);
}

static void check_values(reader *r, const pg_node *map, const pg_row_values *v)
{
    const pg_row *row = &r->rows[r->count];
    const pg_node *relu = pg_node_find(map, "relu");
    if (row->kind == PG_ROW_ADD) r->rows[r->count].other = find_row(r, pg_node_find(map, "with"), v->with);
    if (row->kind == PG_ROW_ADD && row->other == row->input)
        pg_problems_add(r->problems, pg_node_find(map, "with"), "the row reads this row already");
    if (row->kind == PG_ROW_CONV && row->pad >= row->kernel)
        pg_problems_add(r->problems, pg_node_find(map, "pad"), "expected less than the kernel, %d", row->kernel);
    if (row->kind == PG_ROW_MAXPOOL && row->pad > row->kernel / 2)
        pg_problems_add(r->problems, pg_node_find(map, "pad"), "expected at most half the kernel, %d", row->kernel / 2);
    if (row->bare && row->passport)
        pg_problems_add(r->problems, pg_node_find(map, "passport"), "a convolution without norm cannot be a passport layer");
    if (row->kind == PG_ROW_CONV && row->groups != 1 && row->passport)
        pg_problems_add(r->problems, pg_node_find(map, "passport"), "a convolution in groups cannot be a passport layer");
    if (row->kind == PG_ROW_DENSE && !row->channels && relu && v->relu)
        pg_problems_add(r->problems, relu, "a ReLU cannot follow the classes");
}

static pg_status read_row(reader *r, const pg_node *map, pg_error *err)
{
    static const char *const more[] = {"row", NULL};
    const char *names[sizeof pg_row_kinds / sizeof *pg_row_kinds];
    pg_row_values values = {.kernel = 0};
    char found[PG_NODE_SHORT];
    const pg_node *kind = map->kind == PG_MAP ? pg_node_get(map, "row") : NULL;
    const pg_row_kind_info *info = pg_row_kinds;
    for (int i = 0; i == 0 || names[i - 1]; i++) names[i] = pg_row_kinds[i].name;
    if (!kind) {
        pg_problems_add(r->problems, map, "expected a map such as {row: conv, channels: 64}, got %s",
                        map->kind == PG_MAP ? "a map without row" : pg_node_describe(map, found));
        return PG_OK;
    }
    while (info->name && strcmp(info->name, kind->text) != 0) info++;
    if (!info->name) {
        pg_problems_choice(r->problems, kind, names);
        return PG_OK;
    }
    const pg_status status = pg_options_defaults(info->options, &values, err);
    if (status != PG_OK) return status;
    pg_options_take(info->options, map, &values, r->problems);
    pg_options_unknown((const pg_option *const[]){info->options, NULL}, more, map, r->problems);
    take_values(r, map, info, &values);
    check_values(r, map, &values);
    r->nodes[r->count++] = map;
    return PG_OK;
}

/* ---- the whole table ---- */

static bool is_read(const reader *r, int row)
{
    for (int i = row + 1; i < r->count; i++)
        if (r->rows[i].input == row || (r->rows[i].kind == PG_ROW_ADD && r->rows[i].other == row)) return true;
    return false;
}

static void check_table(reader *r)
{
    int convolutions = 0;
    for (int i = 0; i < r->count; i++) {
        const pg_row *row = &r->rows[i];
        const bool last = i == r->count - 1, classes = row->kind == PG_ROW_DENSE && !row->channels;
        convolutions += row->kind == PG_ROW_CONV;
        if (row->kind == PG_ROW_CONV && convolutions == PG_CONVS_MAX + 1)
            pg_problems_add(r->problems, r->nodes[i], "a network has at most %d convolutions", PG_CONVS_MAX);
        if (last && !classes) pg_problems_add(r->problems, r->nodes[i], "the last row must give the classes: {row: dense}");
        if (!last && classes)
            pg_problems_add(r->problems, r->nodes[i], "expected channels, because only the last row gives the classes");
        if (!last && !is_read(r, i)) pg_problems_add(r->problems, r->nodes[i], "no row reads '%s'", row->name);
    }
    if (!convolutions) pg_problems_add(r->problems, r->nodes[r->count - 1], "the network has no convolution");
}

/* Unless the table names passport layers, take the last three convolutions that can be. */
static void choose_passports(reader *r)
{
    bool stated = false;
    for (int i = 0; i < r->count; i++) stated |= r->rows[i].passport;
    for (int i = r->count - 1, left = stated ? 0 : 3; i >= 0 && left; i--)
        if (pg_row_takes_passport(&r->rows[i])) {
            r->rows[i].passport = true;
            left--;
        }
}

static void check_shapes(reader *r, const network *n)
{
    pg_error fault;
    const pg_arch arch = {.name = n->name, .image = n->image, .table = r->rows, .count = r->count};
    const pg_net_spec spec = pg_net_spec_plain(&arch, PG_NORM_NONE, 10);
    pg_layout layout;
    if (pg_layout_plan(&spec, &layout, &fault) != PG_OK)
        pg_problems_add(r->problems, r->nodes[layout.layer_count], "%s", fault.message);
}

/* "mine" of "networks/mine.yaml" */
static void name_of_file(const char *path, char out[PG_TEXT_MAX])
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    snprintf(out, PG_TEXT_MAX, "%.*s", (int)strcspn(base, "."), base);
}

static pg_status read_rows(reader *r, const pg_node *list, pg_error *err)
{
    char found[PG_NODE_SHORT];
    if (list->kind != PG_LIST || !list->count || list->count > PG_ROWS_MAX) {
        pg_problems_add(r->problems, list, "expected a list of 1 to %d rows, got %s", PG_ROWS_MAX,
                        list->kind == PG_LIST && list->count ? "more" : pg_node_describe(list, found));
        return PG_OK;
    }
    for (const pg_node *row = list->first; row; row = row->next) {
        const pg_status status = read_row(r, row, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

static pg_status read_network(reader *r, const pg_node *root, const char *path, network *n, pg_error *err)
{
    static const char *const more[] = {"rows", NULL};
    pg_status status = PG_OK;
    const pg_node *rows = pg_node_get(root, "rows");
    if (!root || root->kind != PG_MAP) return pg_fail(err, PG_BAD_INPUT, "%s: expected a map of a network", path);
    PG_TRY(pg_options_defaults(pg_arch_options, n, err));
    pg_options_take(pg_arch_options, root, n, r->problems);
    pg_options_unknown((const pg_option *const[]){pg_arch_options, NULL}, more, root, r->problems);
    if (!rows) pg_problems_missing(r->problems, root, "rows", "a list of rows");
    if (rows) PG_TRY(read_rows(r, rows, err));
    if (!n->name[0]) name_of_file(path, n->name);
    if (!is_name(n->name, PG_ARCH_NAME_MAX))
        pg_problems_add(r->problems, pg_node_find(root, "name") ? pg_node_find(root, "name") : root,
                        "the network needs a name of at most %d letters, digits, '.', '_' and '-'", PG_ARCH_NAME_MAX - 1);
    if (r->problems->count) goto done;
    check_table(r);
    if (!r->problems->count) check_shapes(r, n);
    choose_passports(r);
done:
    return status;
}

/* Read a tree, and keep its network. */
static pg_status take_tree(const pg_tree *tree, const char *path, const pg_arch **out, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    reader r = {.problems = problems};
    network n;
    PG_TRY(read_network(&r, tree->root, path, &n, err));
    PG_TRY(pg_problems_status(problems, path, err));
    const pg_arch made = {.name = n.name, .summary = n.summary, .image = n.image, .table = r.rows, .count = r.count};
    PG_TRY(pg_arch_keep(&made, out, err));
done:
    return status;
}

pg_status pg_arch_parse(const char *text, const char *where, const pg_arch **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_problems problems;
    problems.count = 0;
    if (strlen(text) >= PG_ARCH_TEXT_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: the network has more than %d bytes", where, PG_ARCH_TEXT_MAX - 1);
    PG_TRY(pg_yaml_parse_text(text, where, &tree, err));
    PG_TRY(take_tree(tree, where, out, &problems, err));
done:
    pg_tree_destroy(&tree);
    return status;
}

static pg_status check_file(const char *path, pg_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0) return pg_fail(err, PG_BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode)) return pg_fail(err, PG_BAD_INPUT, "%s: not a regular file", path);
    if (info.st_size >= PG_ARCH_TEXT_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: the network has more than %d bytes", path, PG_ARCH_TEXT_MAX - 1);
    return PG_OK;
}

bool pg_arch_names_file(const char *word)
{
    const size_t n = strlen(word);
    return strchr(word, '/') || (n > 5 && strcmp(word + n - 5, ".yaml") == 0);
}

pg_status pg_arch_read(const char *path, const pg_arch **out, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    PG_TRY(check_file(path, err));
    PG_TRY(pg_yaml_parse_file(path, &tree, err));
    PG_TRY(take_tree(tree, path, out, problems, err));
    const pg_arch *known = pg_arch_find((*out)->name);
    if (known && known != *out) {
        const pg_node *name = pg_node_find(tree->root, "name");
        pg_problems_add(problems, name ? name : tree->root,
                        "the program has another network of the name %s; write another name", known->name);
        PG_TRY(pg_problems_status(problems, path, err));
    }
done:
    pg_tree_destroy(&tree);
    return status;
}
