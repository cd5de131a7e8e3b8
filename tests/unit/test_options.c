/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Option tables: defaults, every kind of problem with its position, canonical text, expansion, help; and numbers as text. */
#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/formats/options.h"
#include "core/formats/yaml.h"
#include "tests/unit/test.h"
#include "tests/unit/values.h"

#include <stdlib.h>

#include <math.h>

static const char *const scopes[] = {"global", "layer", NULL};

typedef struct sample {
    int epochs;
    double rate, lr, bias;
    bool flip;
    char name[PG_TEXT_MAX];
    int scope;
    pg_ints steps;
    pg_reals rates;
} sample;

static const pg_option table[] = {
    {.key = "epochs",
     .type = PG_OPT_INT,
     .offset = offsetof(sample, epochs),
     .fallback = "200",
     .low = 1,
     .high = 1000,
     .help = "passes over the data"},
    {.key = "rate",
     .type = PG_OPT_REAL,
     .offset = offsetof(sample, rate),
     .fallback = "0.5",
     .high = 1,
     .unit = "share of weights",
     .help = "how many become zero"},
    {.key = "lr",
     .type = PG_OPT_REAL,
     .offset = offsetof(sample, lr),
     .fallback = "1e-2",
     .low = PG_ABOVE_ZERO,
     .high = INFINITY,
     .help = "step size"},
    {.key = "bias", .type = PG_OPT_REAL, .offset = offsetof(sample, bias), .fallback = "-1", .help = "anything"},
    {.key = "flip", .type = PG_OPT_BOOL, .offset = offsetof(sample, flip), .fallback = "true", .help = "mirror images"},
    {.key = "name", .type = PG_OPT_TEXT, .offset = offsetof(sample, name), .fallback = "", .help = "label"},
    {.key = "scope",
     .type = PG_OPT_CHOICE,
     .offset = offsetof(sample, scope),
     .fallback = "layer",
     .choices = scopes,
     .help = "what is ranked together"},
    {.key = "steps",
     .type = PG_OPT_INTS,
     .offset = offsetof(sample, steps),
     .fallback = "[100, 150]",
     .low = 1,
     .high = INFINITY,
     .help = "when lr falls"},
    {.key = "rates",
     .type = PG_OPT_REALS,
     .offset = offsetof(sample, rates),
     .fallback = "[0, 0.1]",
     .high = 1,
     .help = "sweep"},
    {0},
};

static pg_tree *parsed(const char *text)
{
    pg_tree *tree = NULL;
    OK(pg_yaml_parse_text(text, "x.yaml", &tree, &err));
    return tree;
}

static void assert_text(const sample *values, const char *expected)
{
    char *text = options_text(table, values);
    assert_string_equal(text, expected);
    pg_free(text);
}

TEST(defaults_are_those_of_the_table)
{
    sample values;
    memset(&values, 0xA5, sizeof values);
    OK(pg_options_defaults(table, &values, &err));
    assert_int_equal(values.epochs, 200);
    assert_true(values.rate == 0.5 && values.lr == 0.01 && values.bias == -1);
    assert_true(values.flip);
    assert_string_equal(values.name, "");
    assert_int_equal(values.scope, 1);
    assert_int_equal(values.steps.count, 2);
    assert_int_equal(values.steps.values[1], 150);
    assert_true(values.rates.count == 2 && values.rates.values[1] == 0.1);
    assert_text(
        &values,
        "{epochs: 200, rate: 0.5, lr: 0.01, bias: -1, flip: true, name: '', scope: layer, steps: [100, 150], rates: [0, 0.1]}");
}

TEST(a_default_out_of_range_is_a_fault_of_the_table)
{
    const pg_option wrong[] = {{.key = "rate", .type = PG_OPT_REAL, .fallback = "2", .high = 1, .help = ""}, {0}};
    double value = 0;
    assert_int_equal(pg_options_defaults(wrong, &value, &err), PG_FAILED);
    assert_string_equal(err.message, "the default of an option does not fit it: rate: expected a number in [0, 1], got 2");
}

TEST(options_are_read_and_written_back)
{
    sample values;
    pg_problems problems = {0};
    pg_tree *tree = parsed(
        "{epochs: +7, rate: 1e-4, lr: .5E1, flip: false, name: '007', scope: \"global\", steps: [3], rates: [1, 0.25, 0.3]}");
    OK(pg_options_defaults(table, &values, &err));
    pg_options_read(table, tree->root, &values, &problems);
    assert_int_equal(problems.count, 0);
    assert_true(values.rate == 1e-4 && values.lr == 5);
    assert_text(&values, "{epochs: 7, rate: 0.0001, lr: 5, bias: -1, flip: false, name: '007', scope: global, steps: [3], "
                         "rates: [1, 0.25, 0.3]}");
    pg_tree_destroy(&tree);

    /* Written values read back as the same. */
    sample again;
    char *text = options_text(table, &values);
    OK(pg_options_defaults(table, &again, &err));
    tree = parsed(text);
    pg_options_read(table, tree->root, &again, &problems);
    assert_int_equal(problems.count, 0);
    assert_text(&again, text);
    pg_free(text);
    pg_tree_destroy(&tree);

    /* An empty map gives the defaults. */
    tree = parsed("x:");
    pg_options_read(table, pg_node_find(tree->root, "x"), &values, &problems);
    pg_options_read(table, NULL, &values, &problems);
    assert_int_equal(problems.count, 0);
    pg_tree_destroy(&tree);
}

/* Each row is one line of YAML and the one problem it gives. */
/* Tasks of earlier versions, whose tables lack the option, keep their keys. */
TEST(an_option_that_came_later_is_written_only_if_it_is_used)
{
    typedef struct both {
        int old, number;
        bool flag;
        char text[PG_TEXT_MAX];
    } both;
    static const pg_option rows[] = {
        PG_INT(both, old, "1", 0, 9, NULL, ""),
        {PG_OPTION("number", both, number, INT, int, "20", ""), .later = true},
        {PG_OPTION("flag", both, flag, BOOL, bool, "true", ""), .later = true},
        {PG_OPTION("text", both, text, TEXT, char *, "", ""), .later = true},
        {0},
    };
    both values;
    OK(pg_options_defaults(rows, &values, &err));
    char *text = options_text(rows, &values);
    assert_string_equal(text, "{old: 1}");
    pg_free(text);
    assert_true(pg_option_omitted(&rows[1], &values) && !pg_option_omitted(&rows[0], &values));
    values = (both){.old = 1, .number = 21, .text = "a"};
    text = options_text(rows, &values);
    assert_string_equal(text, "{old: 1, number: 21, flag: false, text: a}");
    pg_free(text);
}

TEST(a_wrong_value_is_refused_with_what_was_expected)
{
    static const struct {
        const char *yaml, *problem;
    } cases[] = {
        {"rate: high", "x.yaml:1:7: rate: expected a number in [0, 1], got \"high\""},
        {"rate: 1.5", "x.yaml:1:7: rate: expected a number in [0, 1], got 1.5"},
        {"rate: [0.1, 0.2]", "x.yaml:1:7: rate: expected a number in [0, 1], got a list"},
        {"rate: {a: 1}", "x.yaml:1:7: rate: expected a number in [0, 1], got a map"},
        {"rate:", "x.yaml:1:6: rate: expected a number in [0, 1], got nothing"},
        {"rate: '0.5'", "x.yaml:1:7: rate: expected a number in [0, 1], got quoted \"0.5\""},
        {"rate: 0,5", "x.yaml:1:7: rate: expected a number in [0, 1], got \"0,5\""},
        {"rate: 0.5x", "x.yaml:1:7: rate: expected a number in [0, 1], got \"0.5x\""},
        {"rate: 0x1p-1", "x.yaml:1:7: rate: expected a number in [0, 1], got \"0x1p-1\""},
        {"bias: nan", "x.yaml:1:7: bias: expected a number, got \"nan\""},
        {"bias: .inf", "x.yaml:1:7: bias: expected a number, got \".inf\""},
        {"bias: 1e999", "x.yaml:1:7: bias: expected a number, got \"1e999\""},
        {"lr: 0", "x.yaml:1:5: lr: expected a number > 0, got 0"},
        {"epochs: 1.5", "x.yaml:1:9: epochs: expected a whole number in [1, 1000], got 1.5"},
        {"epochs: 0", "x.yaml:1:9: epochs: expected a whole number in [1, 1000], got 0"},
        {"epochs: 99999999999999999999", "x.yaml:1:9: epochs: expected a whole number in [1, 1000], got 99999999999999999999"},
        {"epochs: 1e2", "x.yaml:1:9: epochs: expected a whole number in [1, 1000], got 1e2"},
        {"flip: yes", "x.yaml:1:7: flip: expected true or false, got \"yes\""},
        {"flip: 'true'", "x.yaml:1:7: flip: expected true or false, got \"true\""},
        {"name:", "x.yaml:1:6: name: expected a text, got nothing"},
        {"name: [a]", "x.yaml:1:7: name: expected a text, got a list"},
        {"name: \"a\\nb\"", "x.yaml:1:7: name: expected a text of one line, got a control character"},
        {"name: \"a\\u200f\"", "x.yaml:1:7: name: expected a text of one line, got a control character"},
        {"scope: globla", "x.yaml:1:8: scope: expected one of global, layer, got \"globla\", did you mean 'global'?"},
        {"scope: 3", "x.yaml:1:8: scope: expected one of global, layer, got 3"},
        {"scope: [global]", "x.yaml:1:8: scope: expected one of global, layer, got a list"},
        {"steps: 3", "x.yaml:1:8: steps: expected a list of whole numbers >= 1, got 3"},
        {"steps: []", "x.yaml:1:8: steps: expected a list of whole numbers >= 1, got an empty list"},
        {"steps: [3, 0]", "x.yaml:1:12: steps.1: expected a whole number >= 1, got 0"},
        {"rates: [0.5, x]", "x.yaml:1:14: rates.1: expected a number in [0, 1], got \"x\""},
        {"rates: [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
         "x.yaml:1:8: rates: expected at most 32 numbers, got 33"},
        {"rte: 0.5", "x.yaml:1:1: rte: unknown key, did you mean 'rate'? known keys: epochs, rate, lr, bias, flip, name, "
                     "scope, steps, rates"},
        {"[1]", "x.yaml:1:1: expected a map, got a list"},
        {"word", "x.yaml:1:1: expected a map, got \"word\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sample values, before;
        pg_problems problems = {0};
        pg_tree *tree = parsed(cases[i].yaml);
        OK(pg_options_defaults(table, &values, &err));
        before = values;
        pg_options_read(table, tree->root, &values, &problems);
        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.lines[0], cases[i].problem);
        assert_memory_equal(&values.steps, &before.steps, sizeof values.steps);
        assert_true(values.rate == before.rate && values.epochs == before.epochs && values.scope == before.scope);
        pg_tree_destroy(&tree);
    }
    char text[PG_TEXT_MAX + 16] = "name: ";
    memset(text + 6, 'x', PG_TEXT_MAX);
    sample values;
    pg_problems problems = {0};
    pg_tree *tree = parsed(text);
    pg_options_read(table, tree->root, &values, &problems);
    assert_string_equal(problems.lines[0], "x.yaml:1:7: name: expected a text of at most 255 bytes, got 256");
    pg_tree_destroy(&tree);
}

TEST(problems_are_reported_in_order)
{
    sample values;
    pg_problems problems = {0};
    pg_tree *tree = parsed("attacks:\n- attack: prune\n  rates: [2]\n  rate: x\n  nmae: y\n");
    const pg_node *attack = pg_node_find(tree->root, "attacks")->first;
    OK(pg_options_defaults(table, &values, &err));
    assert_non_null(pg_node_get(attack, "attack")); /* the caller's own key is not unknown */
    pg_options_read(table, attack, &values, &problems);
    assert_int_equal(problems.count, 3);
    assert_string_equal(problems.lines[0], "x.yaml:3:11: attacks.0.rates.0: expected a number in [0, 1], got 2");
    assert_string_equal(problems.lines[1], "x.yaml:4:9: attacks.0.rate: expected a number in [0, 1], got \"x\"");
    assert_memory_equal(problems.lines[2], "x.yaml:5:3: attacks.0.nmae: unknown key, did you mean 'name'?", 60);
    assert_int_equal(pg_problems_status(&problems, "x.yaml", &err), PG_BAD_INPUT);
    pg_tree_destroy(&tree);
}

TEST(a_required_option_must_be_given)
{
    const pg_option must[] = {{.key = "data", .type = PG_OPT_CHOICE, .choices = scopes, .help = "which"}, {0}};
    sample values;
    int data = 5;
    pg_problems problems = {0};
    pg_tree *tree = parsed("train:\n  rate: 0.25\n  scheme: v1\n  datum: 3\n");
    const pg_node *train = pg_node_find(tree->root, "train");
    OK(pg_options_defaults(must, &data, &err));
    assert_int_equal(data, 0);
    OK(pg_options_defaults(table, &values, &err));
    pg_options_take(table, train, &values, &problems);
    pg_options_take(must, train, &data, &problems);
    assert_true(values.rate == 0.25);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.lines[0], "x.yaml:2:3: train.data: expected one of global, layer, got nothing");
    const char *const keys[] = {"scheme", "arch", NULL};
    assert_non_null(pg_node_get(train, "scheme"));
    pg_options_unknown((const pg_option *const[]){must, NULL}, keys, train, &problems);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.lines[1],
                        "x.yaml:4:3: train.datum: unknown key, did you mean 'data'? known keys: scheme, arch, data");
    pg_tree_destroy(&tree);
}

static void assert_node(const pg_node *node, const char *expected)
{
    char *text = NULL;
    OK(pg_yaml_emit(node, PG_YAML_FLOW, &text, &err));
    assert_string_equal(text, expected);
    pg_free(text);
}

typedef struct visited {
    int count;
    const char *const *expected;
} visited;

static pg_status visit(void *context, const pg_node *map, pg_error *error)
{
    visited *v = context;
    (void)error;
    assert_node(map, v->expected[v->count++]);
    return PG_OK;
}

TEST(lists_of_scalars_are_multiplied_out)
{
    static const char *const expected[] = {
        "{rate: 0.1, rates: [0, 1], scope: global, other: [1, 2]}",
        "{rate: 0.1, rates: [0, 1], scope: layer, other: [1, 2]}",
        "{rate: 0.2, rates: [0, 1], scope: global, other: [1, 2]}",
        "{rate: 0.2, rates: [0, 1], scope: layer, other: [1, 2]}",
    };
    pg_tree *tree = parsed("{rate: [0.1, 0.2], rates: [0, 1], scope: [global, layer], other: [1, 2]}\n");
    for (int most = 0; most <= 5; most++) {
        visited v = {.expected = expected};
        OK(pg_options_each(table, tree->root, (size_t)most, visit, &v, &err));
        assert_int_equal(v.count, most < 4 ? most : 4);
    }
    assert_true(pg_options_count(table, tree->root) == 4);
    assert_node(pg_node_find(tree->root, "rate"), "[0.1, 0.2]");
    pg_tree_destroy(&tree);

    static const char *const whole[] = {"{rate: [], name: x}"};
    visited v = {.expected = whole};
    tree = parsed(whole[0]);
    assert_true(pg_options_count(table, tree->root) == 1);
    OK(pg_options_each(table, tree->root, 9, visit, &v, &err));
    assert_int_equal(v.count, 1);
    pg_tree_destroy(&tree);
}

static pg_status read_one(void *context, const pg_node *map, pg_error *error)
{
    sample values;
    const pg_status status = pg_options_defaults(table, &values, error);
    if (status == PG_OK) pg_options_read(table, map, &values, context);
    return status;
}

/* Each problem is reported once, at its position. */
TEST(every_element_is_checked_before_products_are_made)
{
    static const char *const keys[] = {"kind", NULL};
    static const char *const expected[] = {
        "x.yaml:1:71: attacks.0.lrr: unknown key, did you mean 'lr'?",
        "x.yaml:1:27: attacks.0.rate: expected a number in [0, 1], got \"bad\"",
        "x.yaml:1:32: attacks.0.rate.3: the list already has 0.50",
        "x.yaml:1:54: attacks.0.scope.1: the list already has \"layer\"",
    };
    pg_problems problems = {0};
    pg_tree *tree = parsed("attacks: [{rate: [0.5, 1, bad, 0.50], scope: [layer, layer], kind: x, lrr: 3}]\n");
    const pg_node *attack = pg_node_find(tree->root, "attacks")->first;
    pg_options_check(table, keys, attack, &problems);
    assert_int_equal(problems.count, 4);
    for (int i = 0; i < 4; i++)
        if (strncmp(problems.lines[i], expected[i], strlen(expected[i])) != 0) fail_msg("%s", problems.lines[i]);
    pg_node_get(attack, "kind");
    problems.count = 0;
    OK(pg_options_each(table, attack, 1, read_one, &problems, &err));
    assert_int_equal(problems.count, 0);
    pg_tree_destroy(&tree);
}

/* Otherwise one setting would have two results. */
TEST(a_number_twice_in_a_list_is_refused)
{
    static const char *const texts[] = {"{rates: [0.5, 0.25, 0.50]}", "{rates: [1e-1, 0.1]}", "{steps: [7, 8, +7, 07]}",
                                        "{rates: [0.5, 0.5000001]}"};
    static const int counts[] = {1, 1, 2, 0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pg_problems problems = {0};
        pg_tree *tree = parsed(texts[i]);
        OK(read_one(&problems, tree->root, &err));
        if (problems.count != counts[i]) fail_msg("%s: %d problems, %s", texts[i], problems.count, problems.lines[0]);
        pg_tree_destroy(&tree);
    }
    pg_problems problems = {0};
    pg_tree *tree = parsed("a: {rates: [0.5, 0.25, 0.50]}");
    OK(read_one(&problems, tree->root->first, &err));
    assert_string_equal(problems.lines[0], "x.yaml:1:24: a.rates.2: the list already has 0.50");
    pg_tree_destroy(&tree);
}

TEST(options_compare_equal_only_if_every_field_is)
{
    sample a, b;
    OK(pg_options_defaults(table, &a, &err));
    OK(pg_options_defaults(table, &b, &err));
    assert_int_equal(pg_options_compare(table, &a, &b), 0);
    for (const pg_option *o = table; o->key; o++) {
        ((unsigned char *)&b)[o->offset] ^= 1;
        const int there = pg_options_compare(table, &a, &b), back = pg_options_compare(table, &b, &a);
        if (there == 0 || (there > 0) == (back > 0)) fail_msg("%s", o->key);
        b = a;
    }
}

TEST(help_shows_ranges_units_and_defaults)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    pg_options_help(table, stream);
    fclose(stream);
    assert_memory_equal(text,
                        "  epochs  a whole number in [1, 1000], default 200\n"
                        "          passes over the data\n"
                        "  rate    a number in [0, 1], in share of weights, default 0.5\n"
                        "          how many become zero\n"
                        "  lr      a number > 0, default 1e-2\n",
                        200);
    assert_contains(text, "  name    a text, default empty\n");
    assert_contains(text, "  scope   one of global, layer, default layer\n");
    assert_contains(text, "  steps   a list of whole numbers >= 1, default [100, 150]\n");
    free(text);
}

static void assert_number(double value, const char *expected)
{
    char text[PG_NUMBER_MAX];
    double back;
    assert_string_equal(pg_number_text(value, text), expected);
    assert_true(pg_number_real(text, &back) && back == value);
}

TEST(numbers_are_read_strictly_and_written_shortest)
{
    static const char *const refused[] = {"",      "+",   ".",    "e5",  "1e",  "1e+",   " 1",    "1 ",
                                          "1.2.3", "--1", "0x10", "inf", "nan", "1_000", "1e400", "1f"};
    double value = 42;
    long long whole = 42;
    char text[PG_NUMBER_MAX];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_false(pg_number_real(refused[i], &value));
        assert_false(pg_number_int(refused[i], &whole));
    }
    assert_true(value == 42 && whole == 42);
    assert_false(pg_number_int("9223372036854775808", &whole));
    assert_true(pg_number_int("-9223372036854775808", &whole) && whole == INT64_MIN);
    int within = 42;
    uint64_t bits = 42;
    assert_false(pg_number_within("8", 0, 7, &within) || pg_number_within("-1", 0, 7, &within));
    assert_true(within == 42 && pg_number_within("+7", 0, 7, &within) && within == 7);
    assert_false(pg_number_hex("", &bits) || pg_number_hex("0x1", &bits) || pg_number_hex("00000000000000001", &bits));
    assert_true(bits == 42 && pg_number_hex("fFfFfFfFfFfFfFfE", &bits) && bits == UINT64_MAX - 1);
    assert_number(1e14, "100000000000000");
    assert_number(1e15, "1e+15");
    assert_number(0.1, "0.1");
    assert_number(-0.0, "0");
    assert_number(1.0 / 3, "0.3333333333333333");
    assert_number(0.1 + 0.2, "0.30000000000000004");
    assert_number(1e-4, "0.0001");
    assert_number(6.02e23, "6.02e+23");
    assert_number(5e-324, "4.94065645841247e-324");
    assert_number(1234567, "1234567");
    assert_string_equal(pg_number_text((double)NAN, text), "nan");
    assert_string_equal(pg_number_text(-(double)INFINITY, text), "-inf");
    assert_string_equal(pg_number_text_float(0.1F, text), "0.1");
    assert_string_equal(pg_number_text_float(0.79124856F, text), "0.79124856");
    assert_string_equal(pg_number_text_float(16777216.0F, text), "16777216");
}
