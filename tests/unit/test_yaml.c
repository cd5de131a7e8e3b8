/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML: trees with positions, the files of tests/bad, limits, --set, and canonical text. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/problems.h"
#include "core/formats/yaml.h"
#include "tests/unit/test.h"

#include <stdlib.h>

#include <glob.h>

static pg_tree *parsed(const char *text)
{
    pg_tree *tree = NULL;
    OK(pg_yaml_parse_text(text, "x.yaml", &tree, &err));
    return tree;
}

static void assert_fails(const char *text, const char *message)
{
    pg_tree *tree = NULL;
    assert_int_equal(pg_yaml_parse_text(text, "x.yaml", &tree, &err), PG_BAD_INPUT);
    assert_null(tree);
    assert_string_equal(err.message, message);
}

static void assert_emits(const pg_tree *tree, pg_yaml_style style, const char *expected)
{
    char *text = NULL;
    OK(pg_yaml_emit(tree->root, style, &text, &err));
    assert_string_equal(text, expected);
    pg_free(text);
}

TEST(a_document_becomes_a_tree_with_positions)
{
    char out[PG_NODE_PATH];
    pg_tree *tree = parsed("# a grid\n"
                           "name: 'caf\xC3\xA9 1'\n"
                           "schemes:\n"
                           "  - {scheme: v1, width: [0.25, 0.5]}\n"
                           "  - scheme: plain\n"
                           "empty:\n"
                           "\"5\": \"5\"\n");
    const pg_node *root = tree->root;
    assert_int_equal(root->kind, PG_MAP);
    assert_int_equal(root->count, 4);
    assert_string_equal(pg_node_find(root, "name")->text, "caf\xC3\xA9 1");
    assert_true(pg_node_find(root, "name")->quoted);
    const pg_node *schemes = pg_node_get(root, "schemes");
    assert_true(schemes->used);
    assert_false(pg_node_find(root, "name")->used);
    const pg_node *width = pg_node_find(pg_node_at(schemes, 0), "width");
    assert_int_equal(width->kind, PG_LIST);
    assert_false(width->first->quoted);
    assert_string_equal(pg_node_path(width->last, out), "schemes.0.width.1");
    assert_string_equal(pg_node_where(width->last, out), "x.yaml:4:32");
    assert_string_equal(pg_node_where_key(width, out), "x.yaml:4:18");
    assert_string_equal(pg_node_path(root, out), "");
    assert_string_equal(pg_node_where(pg_node_at(schemes, 1), out), "x.yaml:5:5");
    assert_true(pg_node_is_null(pg_node_find(root, "empty")));
    assert_false(pg_node_is_null(pg_node_find(root, "5")));
    assert_null(pg_node_find(root, "nothing"));
    assert_null(pg_node_get(NULL, "x"));
    assert_null(pg_node_get(schemes, "x"));
    assert_null(pg_node_at(schemes, 2));
    pg_tree_destroy(&tree);
    assert_null(tree);
}

TEST(a_node_is_described_in_few_words)
{
    static const char *const expected[] = {"1.5",
                                           "\"high\"",
                                           "quoted \"1.5\"",
                                           "an empty list",
                                           "a list",
                                           "a map",
                                           "nothing",
                                           "\"\"",
                                           "\"line?break\"",
                                           "\"012345678901234567890123456789012345678901234567...\"",
                                           "\"0x1F\"",
                                           "\"01234567890123456789012345678901234567890123456...\""};
    char out[PG_NODE_SHORT];
    pg_tree *tree = parsed("[1.5, high, '1.5', [], [1], {a: 1}, ~, '', \"line\\nbreak\", "
                           "01234567890123456789012345678901234567890123456789, 0x1F, "
                           "01234567890123456789012345678901234567890123456\xC3\xA9 zz]");
    size_t i = 0;
    for (const pg_node *node = tree->root->first; node; node = node->next)
        assert_string_equal(pg_node_describe(node, out), expected[i++]);
    assert_int_equal(i, sizeof expected / sizeof *expected);
    pg_tree_destroy(&tree);
}

/* Each file's first line is "# expect: " and the message without the path. */
TEST(a_bad_file_is_refused_at_its_position)
{
    glob_t found;
    assert_int_equal(glob(source_path("tests/bad/yaml_*.yaml"), 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 25);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        char *text = NULL, expected[PG_MESSAGE_MAX];
        size_t bytes = 0;
        pg_tree *tree = NULL;
        OK(pg_file_read(path, &text, &bytes, &err));
        text[strcspn(text, "\n")] = 0;
        assert_memory_equal(text, "# expect: ", 10);
        snprintf(expected, sizeof expected, "%s:%s", path, text + 10);
        assert_int_equal(pg_yaml_parse_file(path, &tree, &err), PG_BAD_INPUT);
        assert_string_equal(err.message, expected);
        assert_null(tree);
        pg_free(text);
    }
    globfree(&found);
}

TEST(depth_keys_and_size_have_limits)
{
    char deep[2 * PG_NODE_DEPTH + 8];
    memset(deep, '[', PG_NODE_DEPTH);
    memset(deep + PG_NODE_DEPTH, ']', PG_NODE_DEPTH);
    deep[2 * PG_NODE_DEPTH] = 0;
    pg_tree *tree = parsed(deep);
    pg_tree_destroy(&tree);
    memset(deep, '[', PG_NODE_DEPTH + 1);
    deep[PG_NODE_DEPTH + 1] = 0;
    assert_fails(deep, "x.yaml:1:65: nested deeper than 64 levels");
    assert_fails("\xFF\xFE"
                 "a",
                 "x.yaml:1:1: not UTF-8 (byte 0xff)");
    assert_fails("", "x.yaml:1:1: the file is empty");

    char *large = malloc(PG_YAML_BYTES + 2);
    memset(large, '#', PG_YAML_BYTES + 1);
    large[PG_YAML_BYTES + 1] = 0;
    assert_fails(large, "x.yaml: more than 1048576 bytes of YAML");
    size_t used = 0;
    for (int i = 0; i <= PG_NODE_KEYS; i++) used += (size_t)snprintf(large + used, 16, "k%d:\n", i);
    assert_fails(large, "x.yaml:1025:1: more than 1024 keys in one map");
    memset(large, '[', PG_YAML_BYTES);
    large[PG_YAML_BYTES] = 0;
    assert_fails(large, "x.yaml:1:65: nested deeper than 64 levels");
    free(large);

    assert_int_equal(pg_yaml_parse_file("no/such/file.yaml", &tree, &err), PG_IO_FAULT);
    assert_string_equal(err.message, "no/such/file.yaml: No such file or directory");
    tree = parsed("\xEF\xBB\xBF"
                  "a: 1\n"); /* a byte order mark is allowed */
    assert_non_null(pg_node_find(tree->root, "a"));
    pg_tree_destroy(&tree);
}

static void set(pg_tree *tree, const char *assignment)
{
    OK(pg_yaml_set(tree, assignment, &err));
}

TEST(set_replaces_adds_and_reaches_into_lists)
{
    char out[PG_NODE_PATH];
    pg_tree *tree = parsed("seed: 1\nschemes: [{width: 0.25}, {width: 0.5}]\nempty:\n");
    set(tree, "seed=7");
    set(tree, "schemes.1.width=[1, 2]");
    set(tree, "train.sgd.lr=1e-4");
    set(tree, "train.name=a=b, c");
    set(tree, "empty.inner='5'");
    set(tree, "schemes.0.width= ");
    assert_emits(
        tree, PG_YAML_FLOW,
        "{seed: 7, schemes: [{width: null}, {width: [1, 2]}], empty: {inner: '5'}, train: {sgd: {lr: 1e-4}, name: 'a=b, c'}}");
    const pg_node *lr = pg_node_find(pg_node_find(pg_node_find(tree->root, "train"), "sgd"), "lr");
    assert_string_equal(pg_node_where(lr, out), "--set train.sgd.lr=1e-4");
    assert_string_equal(pg_node_path(lr, out), "train.sgd.lr");
    assert_string_equal(pg_node_path(pg_node_find(pg_node_at(pg_node_find(tree->root, "schemes"), 1), "width")->last, out),
                        "schemes.1.width.1");
    set(tree, "seed={a: 1}");
    set(tree, "seed.a=2");
    assert_string_equal(pg_node_find(pg_node_find(tree->root, "seed"), "a")->text, "2");
    pg_tree_destroy(&tree);
}

TEST(a_bad_set_is_refused_with_its_reason)
{
    static const struct {
        const char *assignment, *message;
    } cases[] = {
        {"seed", "--set seed: expected KEY=VALUE, such as train.epochs=2 or networks.0.width=0.5"},
        {"=1", "--set =1: expected KEY=VALUE, but a key is empty"},
        {"a..b=1", "--set a..b=1: expected KEY=VALUE, but a key is empty"},
        {"seed.x=1", "--set seed.x=1: seed: expected a map or a list, got 1"},
        {"list.2=1", "--set list.2=1: list: expected an index below 2, got '2'"},
        {"list.-1=1", "--set list.-1=1: list: expected an index below 2, got '-1'"},
        {"list.one=1", "--set list.one=1: list: expected an index below 2, got 'one'"},
        {"list.0.x=1", "--set list.0.x=1: list.0: expected a map or a list, got \"p\""},
        {"seed=[1", "--set seed=[1: did not find expected ',' or ']' while parsing a flow sequence"},
        {"seed={a: 1, a: 2}", "--set seed={a: 1, a: 2}: duplicate key 'a'"},
        {"seed=\xFF", "--set seed=\\xff: not UTF-8 (byte 0xff)"},
        {"\xC3=1", "--set \\xc3=1: not UTF-8 (byte 0xc3)"},
        {"a.\x1b[8m=1", "--set a.\\x1b[8m=1: control character 0x1b"},
        {"seed=*a", "--set seed=*a: anchors and aliases are not supported"},
    };
    pg_tree *tree = parsed("{seed: 1, list: [p, q]}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(pg_yaml_set(tree, cases[i].assignment, &err), PG_BAD_INPUT);
        assert_string_equal(err.message, cases[i].message);
    }
    char path[4 * PG_NODE_DEPTH] = "a";
    for (int i = 1; i < PG_NODE_DEPTH; i++) strcat(path, ".a");
    strcat(path, "=1");
    assert_int_equal(pg_yaml_set(tree, path, NULL), PG_BAD_INPUT);
    set(tree, path + 2); /* one level fewer is the most there can be */
    OK(pg_yaml_set(tree, "b.b=[[1]]", &err));
    pg_tree_destroy(&tree);
}

TEST(emitted_text_is_read_as_the_same_tree)
{
    static const char canonical[] =
        "name: quick\n"
        "rates: [0.1, 0.2]\n"
        "schemes:\n"
        "- scheme: v1\n"
        "  width: 0.25\n"
        "- scheme: plain\n"
        "quoted: ['1', 'true', 'null', '', ' x', 'a: b', 'yes', '1:30', plain text, \"two\\nlines\", '#no']\n"
        "none: null\n"
        "empty: {}\n"
        "nothing: []\n"
        "unicode: caf\xC3\xA9\n";
    pg_tree *tree = parsed(canonical);
    assert_emits(tree, PG_YAML_BLOCK, canonical);
    char *flow = NULL;
    OK(pg_yaml_emit(tree->root, PG_YAML_FLOW, &flow, &err));
    assert_null(strchr(flow, '\n'));
    pg_tree_destroy(&tree);
    tree = parsed(flow);
    assert_emits(tree, PG_YAML_BLOCK, canonical);
    assert_emits(tree, PG_YAML_FLOW, flow);
    pg_free(flow);
    pg_tree_destroy(&tree);
    tree = parsed("  {b: ~, \"a\": \"1\", c: 'x y', d: [[1], {k: v}], long: 'aaaaaaaaaa bbbbbbbbbbbbbbbb cccccccccccccccccc "
                  "dddddddddddddddd "
                  "eeeeeeeeeeeeeeeee ffffffffffffffffffff ggggggggggggg'}");
    assert_emits(
        tree, PG_YAML_BLOCK,
        "b: null\na: '1'\nc: x y\nd:\n- [1]\n- k: v\nlong: aaaaaaaaaa bbbbbbbbbbbbbbbb cccccccccccccccccc dddddddddddddddd "
        "eeeeeeeeeeeeeeeee ffffffffffffffffffff ggggggggggggg\n");
    pg_tree_destroy(&tree);
}

TEST(trees_are_built_and_copied)
{
    pg_tree *tree = NULL;
    pg_node *list = NULL, *copy = NULL;
    char out[PG_NODE_PATH];
    OK(pg_tree_create(&tree, &err));
    OK(pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &tree->root, &err));
    OK(pg_node_add_text(tree, tree->root, "text", "12", &err));
    OK(pg_node_add(tree, tree->root, "list", PG_LIST, NULL, &list, &err));
    OK(pg_node_add(tree, list, NULL, PG_SCALAR, "12", NULL, &err));
    assert_int_equal(pg_node_add(tree, tree->root, "text", PG_MAP, NULL, NULL, &err), PG_BAD_INPUT);
    assert_string_equal(err.message, "duplicate key 'text'");
    assert_emits(tree, PG_YAML_FLOW, "{text: '12', list: [12]}");
    OK(pg_node_copy(tree, list, &copy, &err));
    assert_int_equal(copy->count, 1);
    assert_ptr_not_equal(copy->first, list->first);
    assert_string_equal(pg_node_path(copy->first, out), "list.0");
    pg_tree_destroy(&tree);
}

TEST(every_changed_byte_is_read_or_refused)
{
    static const char text[] = "a: [1, 'x', \"\\u00e9\\n\"]\nb: {c: |\n  text\n  more\n}\nd:\n- e: >-\n    f\n- ? g\n  : h\n";
    static const char bytes[] = "\0\n\t :-?[]{},#&*!|>'\"%@`~0aZ\x80\xC3\xFF";
    char copy[sizeof text];
    const long live = pg_memory_live();
    for (size_t i = 0; i < sizeof text; i++)
        for (size_t j = 0; j < sizeof bytes - 1; j++) {
            pg_tree *tree = NULL;
            memcpy(copy, text, sizeof text);
            copy[i] = bytes[j];
            copy[sizeof text - 1] = 0;
            const pg_status status = pg_yaml_parse_text(copy, "x.yaml", &tree, &err);
            if (status == PG_OK) {
                char *once = NULL;
                OK(pg_yaml_emit(tree->root, PG_YAML_FLOW, &once, &err));
                pg_tree_destroy(&tree);
                tree = parsed(once);
                assert_emits(tree, PG_YAML_FLOW, once);
                pg_free(once);
            } else {
                assert_int_equal(status, PG_BAD_INPUT);
                assert_null(strchr(err.message, '\n'));
                assert_memory_equal(err.message, "x.yaml:", 7);
            }
            pg_tree_destroy(&tree);
        }
    assert_int_equal(pg_memory_live(), live);
}

TEST(problems_have_places_and_suggestions)
{
    static const char *const known[] = {"rate", "scope", "seed", NULL};
    pg_problems problems = {0};
    OK(pg_problems_status(&problems, "x.yaml", &err));
    pg_tree *tree = parsed("attacks:\n- rte: high\n- colour: 1\n  scope: globl\n");
    const pg_node *attacks = pg_node_find(tree->root, "attacks");
    pg_problems_unknown(&problems, attacks->first->first, known);
    assert_int_equal(pg_problems_status(&problems, "x.yaml", &err), PG_BAD_INPUT);
    assert_string_equal(err.message,
                        "x.yaml:2:3: attacks.0.rte: unknown key, did you mean 'rate'? known keys: rate, scope, seed");
    pg_problems_unknown(&problems, attacks->last->first, known);
    pg_problems_choice(&problems, attacks->last->last, (const char *const[]){"global", "layer", NULL});
    pg_problems_missing(&problems, attacks->last, "rate", "a number");
    pg_problems_add(&problems, tree->root, "no %s", "data");
    assert_string_equal(problems.lines[1], "x.yaml:3:3: attacks.1.colour: unknown key; known keys: rate, scope, seed");
    assert_string_equal(problems.lines[2],
                        "x.yaml:4:10: attacks.1.scope: expected one of global, layer, got \"globl\", did you mean 'global'?");
    assert_string_equal(problems.lines[3], "x.yaml:3:3: attacks.1.rate: expected a number, got nothing");
    assert_string_equal(problems.lines[4], "x.yaml:1:1: no data");
    assert_int_equal(pg_problems_status(&problems, "x.yaml", &err), PG_BAD_INPUT);
    assert_string_equal(err.message,
                        "x.yaml: 5 problems, the first: x.yaml:2:3: attacks.0.rte: unknown key, did you mean 'rate'? known "
                        "keys: rate, scope, seed");
    pg_problems_add(&problems, tree->root, "no data"); /* once is enough */
    assert_int_equal(problems.count, 5);
    for (int i = 0; i < 40; i++) pg_problems_add(&problems, tree->root, "%d: %0600d", i, 0);
    assert_int_equal(problems.count, 45);
    assert_int_equal(strlen(problems.lines[19]), PG_PROBLEM_BYTES - 1);
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    pg_problems_print(&problems, stream);
    fclose(stream);
    assert_contains(text, "\nand 25 more problems\n");
    free(text);
    pg_tree_destroy(&tree);
}

TEST(the_nearest_known_word_is_suggested)
{
    static const char *const known[] = {"rate", "scope", "learning_rate", "momentum", NULL};
    assert_string_equal(pg_nearest("rate", known), "rate");
    assert_string_equal(pg_nearest("raet", known), "rate");
    assert_string_equal(pg_nearest("Rate", known), "rate");
    assert_string_equal(pg_nearest("learnin_rte", known), "learning_rate");
    assert_string_equal(pg_nearest("mometnum", known), "momentum");
    assert_null(pg_nearest("colour", known));
    assert_null(pg_nearest("", known));
    char out[12];
    assert_string_equal(pg_join(known, out, sizeof out), "rate, scope");
}
