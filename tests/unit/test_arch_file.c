/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks in YAML: what is refused, that one network has one text, and that a model file brings its network along. */
#include "core/base/file.h"
#include "core/nets/arch_file.h"
#include "core/nets/shipped.h"
#include "core/nets/state.h"
#include "core/ownership/mark.h"
#include "tests/unit/small_net.h"

/* ---- reading ---- */

static pg_problems problems;

static const pg_arch *read_odd(void)
{
    const pg_arch *arch = NULL;
    problems.count = 0;
    OK(pg_arch_read(source_path("tests/networks/odd.yaml"), &arch, &problems, &err));
    return arch;
}

/* The only problem of a file with these rows is the message, at its position. */
static void check_problem(const char *rows, const char *message)
{
    char text[2048];
    const pg_arch *arch;
    const int length = snprintf(text, sizeof text, "image: 32\nrows:\n%s", rows);
    OK(pg_file_write("x.yaml", text, (size_t)length, PG_FILE_PUBLIC, &err));
    problems.count = 0;
    assert_int_equal(pg_arch_read("x.yaml", &arch, &problems, &err), PG_BAD_INPUT);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.lines[0], message);
}

#define STEM "  - {row: conv, channels: 8, name: a}\n"
#define END  "  - {row: dense}\n"

TEST(rows_that_make_no_network_are_refused_where_they_stand)
{
    check_problem(
        STEM "  - {row: convolution}\n" END,
        "x.yaml:4:11: rows.1.row: expected one of conv, norm, max_pool, avg_pool, global_pool, add, dense, dropout, got "
        "\"convolution\"");
    check_problem(STEM "  - relu\n" END, "x.yaml:4:5: rows.1: expected a map such as {row: conv, channels: 64}, got \"relu\"");
    check_problem(STEM "  - {layer: conv}\n" END,
                  "x.yaml:4:5: rows.1: expected a map such as {row: conv, channels: 64}, got a map without row");
    check_problem(STEM "  - {row: conv}\n" END,
                  "x.yaml:4:5: rows.1.channels: expected a whole number in [1, 16384], got nothing");
    check_problem(
        STEM "  - {row: max_pool, kernal: 3}\n" END,
        "x.yaml:4:21: rows.1.kernal: unknown key, did you mean 'kernel'? known keys: row, name, from, kernel, stride, pad");
    check_problem(STEM STEM END, "x.yaml:4:36: rows.1.name: row 1 has the name 'a' already");
    check_problem(STEM "  - {row: conv, channels: 8, name: a.b}\n" END,
                  "x.yaml:4:36: rows.1.name: 'a' and 'a.b' would share names of tensors");
    check_problem(STEM "  - {row: conv, channels: 8, name: all}\n" END,
                  "x.yaml:4:36: rows.1.name: expected at most 47 letters, digits, '.', '_' and '-', and no word such as all");
    check_problem(STEM "  - {row: max_pool, from: b}\n" END, "x.yaml:4:27: rows.1.from: no earlier row has the name 'b'");
    check_problem(STEM "  - {row: add, with: a}\n" END, "x.yaml:4:22: rows.1.with: the row reads this row already");
    check_problem(STEM "  - {row: conv, channels: 8, from: images}\n" END, "x.yaml:3:5: rows.0: no row reads 'a'");
    check_problem(STEM "  - {row: dense}\n" END,
                  "x.yaml:4:5: rows.1: expected channels, because only the last row gives the classes");
    check_problem(STEM, "x.yaml:3:5: rows.0: the last row must give the classes: {row: dense}");
    check_problem(STEM "  - {row: dense, relu: true}\n", "x.yaml:4:24: rows.1.relu: a ReLU cannot follow the classes");
    check_problem(END, "x.yaml:3:5: rows.0: the network has no convolution");
    check_problem("  - {row: conv, channels: 8, norm: false, passport: true}\n" END,
                  "x.yaml:3:53: rows.0.passport: a convolution without norm cannot be a passport layer");
    check_problem("  []\n", "x.yaml:3:3: rows: expected a list of 1 to 128 rows, got an empty list");
}

TEST(shapes_that_do_not_fit_are_told_with_both)
{
    check_problem(STEM "  - {row: conv, channels: 8, stride: 2, name: b}\n  - {row: add, with: a}\n" END,
                  "x.yaml:5:5: rows.2: add3: 16x16x8 cannot be added to 32x32x8");
    check_problem(STEM "  - {row: conv, channels: 9, name: b}\n  - {row: add, with: a}\n" END,
                  "x.yaml:5:5: rows.2: add3: 32x32x9 cannot be added to 32x32x8");
    check_problem("  - {row: conv, channels: 16384}\n  - {row: conv, channels: 14564}\n" END,
                  "x.yaml:4:5: rows.1: conv2: 2147991552 weights up to here, expected at most 2147483647");
    check_problem(STEM "  - {row: avg_pool, kernel: 33}\n" END, "x.yaml:4:5: rows.1: images of 32x32 are too small for x");
}

TEST(a_name_of_the_program_is_kept_for_its_network)
{
    const pg_arch *arch = NULL;
    static const char text[] = "image: 32\nrows: [{row: conv, channels: 8}, {row: dense}]\n";
    OK(pg_file_write("alexnet.yaml", text, strlen(text), PG_FILE_PUBLIC, &err));
    problems.count = 0;
    assert_int_equal(pg_arch_read("alexnet.yaml", &arch, &problems, &err), PG_BAD_INPUT);
    assert_string_equal(problems.lines[0],
                        "alexnet.yaml:1:1: the program has another network of the name alexnet; write another name");
}

/* ---- one network, one text ---- */

TEST(equal_networks_are_one_whatever_their_files_say)
{
    const pg_arch *arch = read_odd(), *again = NULL;
    assert_ptr_equal(read_odd(), arch);
    OK(pg_arch_parse(arch->text, "text", &again, &err));
    assert_ptr_equal(again, arch);
    static const char spelled[] =
        "# another file\nname: odd\nimage: 24\nrows:\n  - {name: stem, kernel: 5, channels: 7, row: conv, "
        "stride: 1, pad: 2, relu: true, norm: true, from: images, passport: true}\n";
    char text[4096];
    const char *rest = strstr(arch->text, "{row: max_pool");
    snprintf(text, sizeof text, "%s  - %.*s\n", spelled, (int)strcspn(rest, "}") + 1, rest);
    for (rest = strchr(rest, '}'); (rest = strchr(rest, '{')); rest = strchr(rest, '}'))
        snprintf(text + strlen(text), sizeof text - strlen(text), "  - %.*s\n", (int)strcspn(rest, "}") + 1, rest);
    OK(pg_arch_parse(text, "text", &again, &err));
    assert_ptr_equal(again, arch);
}

TEST(every_shipped_network_is_written_as_it_was_read)
{
    for (int i = 0; pg_shipped_networks[i].name; i++) {
        const pg_arch *arch = pg_arch_find(pg_shipped_networks[i].name), *again = NULL;
        assert_non_null(arch);
        assert_non_null(arch->summary[0] ? arch : NULL);
        OK(pg_arch_parse(arch->text, "text", &again, &err));
        assert_ptr_equal(again, arch);
    }
}

TEST(a_network_in_c_with_other_channels_is_alike)
{
    static const char *const archs[] = {"alexnet", "resnet18", "alexnet-imagenet", "resnet18-imagenet"};
    for (int a = 0; a < 4; a++) {
        const pg_arch *wide = NULL, *again = NULL;
        const pg_net_spec spec = pg_net_spec_plain(pg_arch_find(archs[a]), PG_NORM_BN, 10);
        pg_net_spec other = spec;
        pg_layout layout, made;
        int channels[PG_ROWS_MAX];
        OK(pg_layout_plan(&spec, &layout, &err));
        for (int i = 0; i < layout.layer_count; i++) channels[i] = layout.layers[i].out_channels;
        OK(pg_arch_with_channels(&spec, channels, "same", &wide, &err));
        other.arch = wide;
        assert_true(pg_net_spec_alike(&spec, &other));
        OK(pg_layout_plan(&other, &made, &err));
        assert_int_equal(made.param_count, layout.param_count);
        OK(pg_arch_parse(wide->text, "text", &again, &err));
        assert_ptr_equal(again, wide);
        other.arch = pg_arch_find("resnet9");
        assert_false(pg_net_spec_alike(&spec, &other));
    }
}

/* ---- model files ---- */

TEST(a_model_file_brings_its_network_along)
{
    for (int norm = 0; norm < NORMS; norm++) {
        if (norm == PG_NORM_GN) continue;
        const pg_net_spec spec = odd_spec((pg_norm_kind)norm, "v2", "all");
        small_net s;
        pg_model *again = NULL;
        open_small(&s, &spec, PG_CONV_AUTO);
        OK(pg_model_save(s.model, NULL, 0, "m.safetensors", &err));
        OK(pg_model_load("m.safetensors", NULL, &again, NULL, &err));
        assert_ptr_equal(again->spec.arch, spec.arch);
        assert_int_equal(again->spec.passports, spec.passports);
        assert_memory_equal(again->params, s.model->params, again->param_count * sizeof *again->params);
        assert_memory_equal(again->buffers, s.model->buffers, again->buffer_count * sizeof *again->buffers);
        pg_model_destroy(&again);
        close_small(&s);
    }
}

static void check_rows(const char *rows, const char *message)
{
    small_net s;
    pg_model *again = NULL;
    const pg_net_spec spec = odd_spec(PG_NORM_BN, "plain", "");
    const pg_arch *honest = spec.arch;
    pg_arch forged = *honest;
    open_small(&s, &spec, PG_CONV_AUTO);
    forged.text = rows;
    s.model->spec.arch = &forged;
    OK(pg_model_save(s.model, NULL, 0, "m.safetensors", &err));
    s.model->spec.arch = honest;
    FAILS(pg_model_load("m.safetensors", NULL, &again, NULL, &err), PG_BAD_INPUT, message);
    close_small(&s);
}

TEST(a_forged_network_in_a_model_file_is_refused)
{
    static char long_text[PG_ARCH_TEXT_MAX + 1];
    memset(long_text, ' ', PG_ARCH_TEXT_MAX);
    check_rows(long_text, "m.safetensors: metadata 'rows': the network has more than 65535 bytes");
    check_rows("[", "m.safetensors: metadata 'rows'");
    check_rows("{name: odd, image: 24, rows: [{row: dense}]}", "the network has no convolution");
    check_rows("{name: other, image: 24, rows: [{row: conv, channels: 4}, {row: dense}]}",
               "metadata 'arch' cannot be read: 'odd'");
    check_rows("{name: odd, image: 24, rows: [{row: conv, channels: 4}, {row: dense}]}", "tensor 'conv1.conv.weight'");
    check_rows(
        "{name: odd, image: 24, rows: [{row: conv, channels: 16384, kernel: 31}, {row: conv, channels: 16384, kernel: 31}, "
        "{row: dense}]}",
        "conv2: 258013708288 weights up to here");
    check_rows("{name: odd, image: 4096, rows: [{row: conv, channels: 16384}, {row: dense}]}", "is too large");
}

/* ---- layers ---- */

TEST(a_convolution_without_norm_carries_a_mark_but_no_passport)
{
    pg_net_spec spec = pg_net_spec_plain(read_odd(), PG_NORM_BN, 10);
    pg_passport_options options = {.alpha = 0.1, .layers = "all"};
    OK(pg_passport_layers(&options, &spec, &err));
    assert_int_equal(spec.passports, 0x15);
    snprintf(options.layers, sizeof options.layers, "last 2");
    OK(pg_passport_layers(&options, &spec, &err));
    assert_int_equal(spec.passports, 0x14);
    snprintf(options.layers, sizeof options.layers, "two one");
    FAILS(pg_passport_layers(&options, &spec, &err), PG_BAD_INPUT,
          "layers: the convolution 'one' of odd has no norm, or it has groups");
    spec.passports = 2;
    pg_layout layout;
    FAILS(pg_layout_plan(&spec, &layout, &err), PG_BAD_INPUT,
          "a convolution of odd without norm or in groups cannot be a passport layer");
    assert_int_equal(pg_arch_convolutions(spec.arch), 0x1f);
}

static pg_net_spec spec_of(const char *text)
{
    const pg_arch *arch = NULL;
    OK(pg_arch_parse(text, "text", &arch, &err));
    return pg_net_spec_plain(arch, PG_NORM_BN, 10);
}

TEST(a_network_without_norms_has_no_layers_by_default)
{
    pg_net_spec spec = spec_of("{name: bare, image: 8, rows: [{row: conv, channels: 4, norm: false}, {row: dense}]}");
    pg_passport_options options = {.alpha = 0.1, .layers = "all"};
    pg_mark mark;
    FAILS(pg_passport_layers(&options, &spec, &err), PG_BAD_INPUT,
          "layers: every convolution of bare is without a norm or in groups, so none is chosen");
    FAILS(pg_mark_create(&spec, "default", 4, PG_MARK_GAUSSIAN, &mark, &err), PG_BAD_INPUT,
          "layers: every convolution of bare is");
    OK(pg_mark_create(&spec, "all", 4, PG_MARK_GAUSSIAN, &mark, &err));
    pg_mark_clear(&mark);
}

TEST(the_largest_filters_carry_a_mark)
{
    const pg_net_spec spec = spec_of("{name: large, image: 31, rows: [{row: conv, channels: 8, kernel: 31}, {row: dense}]}");
    pg_evidence evidence = {.scheme = "uchida", .kind = "gaussian"};
    OK(pg_mark_create(&spec, "default", 4, PG_MARK_GAUSSIAN, &evidence.mark, &err));
    OK(pg_mark_draw_key(&evidence.mark, PG_MARK_GAUSSIAN, (pg_seed){.task = "t"}, &err));
    OK(pg_evidence_check(&evidence, &err));
    pg_mark_clear(&evidence.mark);
}

/* Marks, passports and the orders of channels have room for so many. */
TEST(width_makes_no_layer_of_too_many_channels)
{
    pg_net_spec spec = spec_of("{name: broad, image: 1, rows: [{row: conv, channels: 16384, kernel: 1}, {row: dense}]}");
    pg_layout layout;
    spec.width = 4;
    OK(pg_layout_plan(&spec, &layout, &err));
    assert_int_equal(layout.layers[0].out_channels, PG_CHANNELS_MAX);
    spec.width = 4.01;
    FAILS(pg_layout_plan(&spec, &layout, &err), PG_BAD_INPUT, "conv1: an output of 1x1x65696 is too large");
}

TEST(group_norm_needs_whole_groups)
{
    const pg_net_spec spec = pg_net_spec_plain(read_odd(), PG_NORM_GN, 10);
    pg_layout layout;
    FAILS(pg_layout_plan(&spec, &layout, &err), PG_BAD_INPUT, "stem: group norm needs a multiple of 16 channels, not 7");
}

/* ---- dropout ---- */

TEST(dropout_draws_a_mask_for_each_step_of_training)
{
    const pg_net_spec spec = odd_spec(PG_NORM_NONE, "plain", "");
    const pg_seed seed = {.grid = 3, .task = "t"};
    pg_real logits[5][SMALL_BATCH * SMALL_CLASSES];
    small_net s;
    open_small(&s, &spec, PG_CONV_AUTO);
    for (int i = 0; i < 5; i++) {
        pg_net_draw_dropout(s.net, seed, i == 2 ? 0 : (uint64_t)i);
        const pg_real *z = pg_net_forward(s.net, s.model, PG_PUBLIC,
                                          i < 3    ? PG_TRAIN
                                          : i == 3 ? PG_EVAL
                                                   : PG_BATCH,
                                          s.images, SMALL_BATCH);
        memcpy(logits[i], z, sizeof *logits);
    }
    assert_memory_not_equal(logits[0], logits[1], sizeof *logits);
    assert_memory_equal(logits[0], logits[2], sizeof *logits);
    assert_memory_not_equal(logits[0], logits[3], sizeof *logits);
    assert_memory_equal(logits[3], logits[4], sizeof *logits);
    close_small(&s);
}
