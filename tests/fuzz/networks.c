/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of networks in YAML, and of mappings that rename the tensors of a state dict. */
#include "tests/fuzz/fuzz.h"

#include "core/base/memory.h"
#include "core/nets/arch_file.h"
#include "core/nets/state.h"
#include "core/nets/state_import.h"

#include <stdio.h>
#include <string.h>

/* ---- networks ---- */

/* A network that was read can be planned, and its own text is the same network. Accepted networks live until the process ends.
 */
static void check_network(const pg_arch *arch)
{
    const pg_arch *again = NULL;
    pg_layout layout;
    pg_net_spec spec = pg_net_spec_plain(arch, PG_NORM_BN, 10);
    spec.width = 0.01;
    FUZZ_MUST(pg_layout_plan(&spec, &layout, &fuzz_error));
    if (!arch->text) return;
    FUZZ_MUST(pg_arch_parse(arch->text, "again", &again, &fuzz_error));
    FUZZ_CHECK(again == arch, "%s", arch->text);
}

static pg_status read_network(const uint8_t *data, size_t bytes, pg_error *err)
{
    static pg_problems problems;
    const pg_arch *arch = NULL;
    problems.count = 0;
    const pg_status status = pg_arch_read(fuzz_file("fuzzed.yaml", data, bytes), &arch, &problems, err);
    if (status == PG_BAD_INPUT && problems.count) snprintf(err->message, sizeof err->message, "%s", problems.lines[0]);
    if (status == PG_OK) check_network(arch);
    return status;
}

static void seed_network(void)
{
    static const char residual[] = "name: residual\nimage: 32\nrows:\n"
                                   "  - {row: conv, channels: 16, name: stem}\n"
                                   "  - {row: conv, channels: 16, relu: false, passport: true}\n"
                                   "  - {row: add, with: stem}\n"
                                   "  - {row: max_pool}\n"
                                   "  - {row: conv, channels: 8, kernel: 1, stride: 2, norm: false}\n"
                                   "  - {row: norm}\n"
                                   "  - {row: global_pool}\n"
                                   "  - {row: dropout, rate: 0.5}\n"
                                   "  - {row: dense, name: classifier}\n";
    fuzz_seed_bytes("residual", residual, sizeof residual - 1);
    fuzz_seed_copy("lenet5", "configs/networks/lenet5.yaml");
    fuzz_seed_copy("vgg11", "configs/networks/vgg11.yaml");
}

static void print_rows(FILE *out)
{
    for (const pg_row_kind_info *kind = pg_row_kinds; kind->name; kind++) {
        fprintf(out, "\"row: %s\"\n", kind->name);
        for (const pg_option *o = kind->options; o && o->key; o++) fprintf(out, "\"%s: \"\n", o->key);
    }
}

const fuzz_target fuzz_network = {
    .name = "network", .most = 2048, .seed = seed_network, .words = print_rows, .read = read_network};

/* ---- mappings ---- */

static const char *state;

/* A state dict of LeNet-5 at a small width, under our own names. */
static void prepare_mapping(void)
{
    pg_model *model = NULL;
    static char path[PG_PATH_MAX];
    if (state) return;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("lenet5"), PG_NORM_BN, 10);
    spec.width = 0.1;
    FUZZ_MUST(pg_model_create(&spec, &model, &fuzz_error));
    pg_model_initialise(model, (pg_seed){.task = "mapping"}, "weights");
    snprintf(path, sizeof path, "%s", fuzz_path("state.safetensors"));
    FUZZ_MUST(pg_model_save(model, NULL, 0, path, &fuzz_error));
    pg_model_destroy(&model);
    state = path;
}

static pg_status read_mapping(const uint8_t *data, size_t bytes, pg_error *err)
{
    static pg_problems problems;
    pg_model *model = NULL;
    problems.count = 0;
    const pg_status status = pg_model_import(state, fuzz_file("map.yaml", data, bytes), &model, &problems, err);
    if (status == PG_BAD_INPUT && problems.count) snprintf(err->message, sizeof err->message, "%s", problems.lines[0]);
    FUZZ_CHECK((status == PG_OK) == (model != NULL), "%d", status);
    pg_model_destroy(&model);
    return status;
}

static void seed_mapping(void)
{
    static const char same[] = "network: lenet5\nnorm: bn\nwidth: 0.1\ntensors: {}\n",
                      moved[] = "network: lenet5\nwidth: 0.1\ntensors:\n  conv1: conv1\n  conv2.conv: conv2.conv\n  fc1: fc1\n";
    fuzz_seed_bytes("same", same, sizeof same - 1);
    fuzz_seed_bytes("moved", moved, sizeof moved - 1);
}

static void print_keys_of_mapping(FILE *out)
{
    for (const pg_option *o = pg_import_table; o->key; o++) fprintf(out, "\"%s: \"\n", o->key);
    fputs("\"tensors: \"\n", out);
}

const fuzz_target fuzz_mapping = {.name = "mapping",
                                  .most = 1024,
                                  .prepare = prepare_mapping,
                                  .seed = seed_mapping,
                                  .words = print_keys_of_mapping,
                                  .read = read_mapping};
