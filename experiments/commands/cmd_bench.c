/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid bench: how fast a network trains and runs. */
#include "experiments/commands/commands.h"

#include "core/compute/blas.h"
#include "core/compute/parallel.h"
#include "experiments/commands/bench_layers.h"
#include "experiments/commands/bench_scaling.h"
#include "experiments/commands/bench_steps.h"
#include "experiments/commands/catalogue.h"
#include "experiments/grid/grid_options.h"
#include "experiments/run/provenance.h"

#include <sys/resource.h>

typedef enum mode { MODE_NET, MODE_TRAIN, MODE_EVAL, MODE_PASSPORTS, MODE_LAYERS, MODE_MODEL } mode;
static const char *const modes[] = {"net", "train", "eval", "passports", "layers", "model", NULL};

typedef struct arguments {
    int arch, scheme, norm, batch, threads, steps, conv, products, mode; /* arch: -1, threads: 0, not given */
    double width;
    bool turns;
} arguments;
static const arguments defaults = {.arch = -1, .width = 1, .batch = 64, .steps = 10}; /* plain, bn, auto and net are 0 */

static const pg_cli_row rows[] = {
    PG_CLI_CHOICE(arguments, arch, "arch", "NAME", "network", .names = pg_arch_names, .required = true),
    PG_CLI_CHOICE(arguments, scheme, "scheme", "NAME", "scheme", .names = pg_scheme_names),
    PG_CLI_CHOICE(arguments, norm, "norm", "KIND", "normalisation", .choices = pg_norm_names),
    PG_CLI_REAL(arguments, width, "width", "X", PG_ABOVE_ZERO, 16, "multiplies the channels"),
    PG_CLI_INT(arguments, batch, "batch", "N", 1, 2048, "images per step"),
    PG_CLI_INT(arguments, threads, "threads", "N", 1, 1024, "threads", .fallback = "the cores that this process may use"),
    PG_CLI_INT(arguments, steps, "steps", "N", 1, 1000000, "timed steps, after one that warms up"),
    PG_CLI_CHOICE(arguments, mode, "mode", "MODE", "what to measure", .choices = modes),
    PG_CLI_CHOICE(arguments, conv, "conv", "NAME", "algorithm of the convolutions", .choices = pg_conv_choice_names),
    PG_CLI_CHOICE(arguments, products, "products", "NAME", "library of the matrix products", .choices = pg_products_names),
    PG_CLI_FLAG(arguments, turns, "turns",
                "with --mode train, eval or passports: print `ready:`, then do one step for every line of standard input"),
    {0},
};

static void print_setting(const pg_bench *b)
{
    printf("arch: %s\nscheme: %s\nnorm: %s\nwidth: %g\nbatch: %d\nthreads: %d\n", b->arch->name, b->scheme->name,
           pg_norm_kind_name(b->norm), b->width, b->batch, pg_compute_threads());
    printf("blas: %s\nkernels: %s\n", pg_blas_version(), pg_blas_kernels());
    printf("products: %s\n", pg_products_library());
    printf("parameters: %zu\nmultiply_adds_per_image: %.0f\n", pg_model_parameters(b->model), pg_model_macs(b->model));
}

static void print_memory(const pg_bench *b)
{
    struct rusage resources;
    getrusage(RUSAGE_SELF, &resources);
    printf("minor_faults_per_step: %.1f\npeak_bytes: %ld\n", b->minor_faults_per_step, resources.ru_maxrss * 1024);
}

static pg_status whole_net(pg_bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_bench_training(b, err));
    const double train = b->batch / b->fastest;
    PG_TRY(pg_bench_inference(b, err));
    const double eval = b->batch / b->fastest;
    printf("train_images_per_s: %.2f\neval_images_per_s: %.2f\neval_gflops: %.2f\n", train, eval,
           2e-9 * pg_model_macs(b->model) * eval);
done:
    return status;
}

static pg_status measure(pg_bench *b, mode what, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_bench_prepare(b, err));
    print_setting(b);
    switch (what) {
    case MODE_NET: return whole_net(b, err);
    case MODE_LAYERS: return pg_bench_layers(b->model, b->batch, b->steps, b->conv, err);
    case MODE_MODEL: return pg_bench_scaling(b, err);
    case MODE_TRAIN: PG_TRY(pg_bench_training(b, err)); break;
    case MODE_EVAL: PG_TRY(pg_bench_inference(b, err)); break;
    case MODE_PASSPORTS: PG_TRY(pg_bench_fakes(b, err)); break;
    }
    print_memory(b);
done:
    return status;
}

static int run(int argc, char **argv)
{
    arguments a;
    pg_rank_facts here;
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_bench, argc, argv, &a, &code)) return code;
    if (a.threads > 1 && a.mode == MODE_MODEL)
        return pg_complain("bench", PG_BAD_INPUT, "--threads: --mode model measures one thread");
    if (a.turns && (a.mode == MODE_NET || a.mode == MODE_LAYERS || a.mode == MODE_MODEL))
        return pg_complain("bench", PG_BAD_INPUT, "--turns: expected --mode train, eval or passports, not %s", modes[a.mode]);
    pg_bench b = {.arch = pg_arch_at(a.arch),
                  .scheme = pg_schemes[a.scheme],
                  .norm = (pg_norm_kind)a.norm,
                  .width = a.width,
                  .batch = a.batch,
                  .steps = a.steps,
                  .conv = (pg_conv_choice)a.conv,
                  .each = a.mode != MODE_NET && a.mode != MODE_MODEL,
                  .turns = a.turns};
    pg_rank_describe(&here, 1);
    pg_compute_start(a.threads ? a.threads : a.mode == MODE_MODEL ? 1 : here.threads);
    pg_products_choose((pg_products)a.products);
    const pg_status status = measure(&b, (mode)a.mode, &err);
    pg_bench_clear(&b);
    return status == PG_OK ? 0 : pg_complain("bench", status, "%s", err.message);
}

const pg_command pg_cmd_bench = {
    .name = "bench",
    .summary = "measure how fast a network trains and runs",
    .about =
        "Measure a network on synthetic images and print one `name: value` a line. The modes: net takes the best step in training "
        "and in inference; train and eval print the seconds of every step; passports those of trying 20 random passports on the "
        "batch; layers measures every convolution alone; model trains on one thread and predicts the speed on more.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 measured\n2 bad usage\n3 out of memory",
    .examples = "  passgrid bench --arch resnet18 --scheme v1 --threads 2\n"
                "  passgrid bench --arch alexnet --mode layers\n",
    .run = run,
};
