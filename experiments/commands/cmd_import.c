/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid import: turns a state dict of other PyTorch code into a model file. */
#include "experiments/commands/commands.h"

#include "core/nets/state.h"
#include "core/nets/state_import.h"

typedef struct arguments {
    const char *state, *mapping, *out;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FILE(arguments, state, NULL, "STATE", "safetensors file of a state dict"),
    PG_CLI_FILE(arguments, mapping, "map", "FILE", "YAML: network, norm, and tensors, a map of their names to ours",
                .required = true),
    PG_CLI_FILE(arguments, out, "out", "FILE", "write the model here", .required = true, .written = true),
    {0},
};

static int run(int argc, char **argv)
{
    static pg_problems problems;
    arguments a;
    pg_error err;
    int code;
    pg_model *model = NULL;
    pg_status status = PG_OK;
    if (!pg_cli_parse(&pg_cmd_import, argc, argv, &a, &code)) return code;
    PG_TRY(pg_model_import(a.state, a.mapping, &model, &problems, &err));
    PG_TRY(pg_model_save(model, NULL, 0, a.out, &err));
    printf("%s: %s, %zu parameters, %d classes\n", a.out, model->spec.arch->name, pg_model_parameters(model),
           model->spec.classes);
done:
    pg_model_destroy(&model);
    if (!problems.count) return status == PG_OK ? 0 : pg_complain("import", status, "%s", err.message);
    pg_problems_print(&problems, stderr);
    return pg_status_exit_code(status);
}

const pg_command pg_cmd_import = {
    .name = "import",
    .summary = "turn a state dict of other PyTorch code into a model file",
    .about =
        "Rename the tensors of a state dict, and write them as a model file for judge, mark and `model` in a grid. An entry "
        "`theirs: ours` renames a tensor, or all tensors of a layer or module; if several entries fit, the longest one counts. "
        "Our names are LAYER.conv.weight, LAYER.bn.weight and so on, where LAYER is the name of a row of the network. passgrid "
        "drops the parts module and _orig_mod of names, ignores counters of batches, converts half precision, and moves the "
        "bias of a convolution before batch norm into the running mean. If tensors are missing, left over or of another "
        "shape, it lists them and writes nothing.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the model is written\n2 bad usage or input\n3 input/output fault",
    .examples = "  passgrid import theirs.safetensors --map map.yaml --out ours.safetensors\n",
    .run = run,
};
