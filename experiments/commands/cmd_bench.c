/* passgrid bench: how fast a network trains and runs, by the trainer and the net that the experiments use, on synthetic images.
 */
#include "experiments/commands/commands.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/compute/blas.h"
#include "core/compute/parallel.h"
#include "core/formats/yaml.h"
#include "core/ownership/accuracy.h"
#include "core/train/trainer.h"
#include "experiments/commands/bench_dispatch.h"
#include "experiments/commands/bench_layers.h"
#include "experiments/run/provenance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char usage[] =
    "usage: passgrid bench --arch A [options]\n"
    "       mpirun -n RANKS passgrid bench dispatch [--tasks N]\n"
    "\n"
    "Measure a network on synthetic images; one `name: value` a line.\n"
    "\n"
    "  --arch A       network (passgrid list networks)\n"
    "  --scheme S     plain, v1, ... (default: plain)\n"
    "  --norm N       bn, gn, in, none (default: bn)\n"
    "  --width W      multiplies the channels (default: 1)\n"
    "  --batch B      images per step (default: 64)\n"
    "  --threads T    default: the cores that this process may use\n"
    "  --steps K      default: 10\n"
    "  --turns        in mode train, eval or fake1 say `ready:`, then do a step for every line of standard input\n"
    "  --conv C       algorithm of the convolutions: auto, direct, im2col, winograd (default: auto)\n"
    "  --mode M       net: best of the steps in training and in inference (default); train, eval, fake1: seconds of every "
    "step;\n"
    "                 fake1 tries 20 random passports on the batch; layers: every convolution by itself\n";

typedef enum bench_mode { MODE_NET, MODE_TRAIN, MODE_EVAL, MODE_FAKE1, MODE_LAYERS } bench_mode;
static const char *const modes[] = {"net", "train", "eval", "fake1", "layers", NULL};

enum { FAKE_PASSPORTS = 20 };

typedef struct bench {
    const pg_arch *arch;
    const pg_scheme *scheme;
    void *options; /* the scheme's */
    pg_norm_kind norm;
    double width;
    int batch, threads, steps;
    pg_conv_choice conv;
    bench_mode mode;
    bool turns, help;
    pg_net_spec spec;
    pg_data data;
    pg_model *model;
    pg_evidence *evidence;
    double fastest; /* seconds of the fastest step */
} bench;

static pg_status parse_width(const char *text, double *width, pg_error *err)
{
    char *end;
    *width = strtod(text, &end);
    return *end == 0 && *width > 0 && *width <= 16
               ? PG_OK
               : pg_fail(err, PG_BAD_INPUT, "--width: expected a number in (0, 16], got \"%s\"", text);
}

static pg_status parse_mode(const char *text, bench_mode *mode, pg_error *err)
{
    for (int i = 0; modes[i]; i++)
        if (strcmp(text, modes[i]) == 0) {
            *mode = (bench_mode)i;
            return PG_OK;
        }
    return pg_fail(err, PG_BAD_INPUT, "--mode: expected net, train, eval, fake1 or layers, got \"%s\"", text);
}

static pg_status parse(int argc, char **argv, bench *b, pg_error *err)
{
    static const struct option options[] = {{"arch", required_argument, NULL, 'a'},  {"scheme", required_argument, NULL, 's'},
                                            {"norm", required_argument, NULL, 'n'},  {"width", required_argument, NULL, 'w'},
                                            {"batch", required_argument, NULL, 'b'}, {"threads", required_argument, NULL, 't'},
                                            {"steps", required_argument, NULL, 'k'}, {"turns", no_argument, NULL, 'u'},
                                            {"conv", required_argument, NULL, 'c'},  {"mode", required_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},        {0}};
    pg_status status = PG_OK;
    pg_rank_facts here;
    pg_rank_describe(&here, 1);
    *b = (bench){
        .scheme = pg_scheme_holding(0), .norm = PG_NORM_BN, .width = 1, .batch = 64, .threads = here.threads, .steps = 10};
    for (int c; (c = pg_next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case 'a': b->arch = pg_arch_find(optarg); break;
        case 's': b->scheme = pg_scheme_find(optarg); break;
        case 'n': PG_TRY(pg_norm_kind_parse(optarg, &b->norm, err)); break;
        case 'w': PG_TRY(parse_width(optarg, &b->width, err)); break;
        case 'b': PG_TRY(pg_parse_int("--batch", optarg, 1, 2048, &b->batch, err)); break;
        case 't': PG_TRY(pg_parse_int("--threads", optarg, 1, 1024, &b->threads, err)); break;
        case 'k': PG_TRY(pg_parse_int("--steps", optarg, 1, 1000000, &b->steps, err)); break;
        case 'u': b->turns = true; break;
        case 'm': PG_TRY(parse_mode(optarg, &b->mode, err)); break;
        case 'c':
            if (!pg_conv_choice_read(optarg, &b->conv))
                PG_TRY(pg_fail(err, PG_BAD_INPUT, "--conv: expected auto, direct, im2col or winograd, got \"%s\"", optarg));
            break;
        case 'h': b->help = true; return PG_OK;
        default: return pg_fail(err, PG_BAD_INPUT, "%s", "");
        }
        if (c == 'a' && !b->arch) PG_TRY(pg_fail(err, PG_BAD_INPUT, "unknown network '%s' (passgrid list networks)", optarg));
        if (c == 's' && !b->scheme) PG_TRY(pg_fail(err, PG_BAD_INPUT, "unknown scheme '%s' (passgrid list schemes)", optarg));
    }
    if (!b->arch || optind < argc)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "expected --arch and options only (passgrid bench --help)"));
    if (b->turns && (b->mode == MODE_NET || b->mode == MODE_LAYERS))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "--turns: expected --mode train, eval or fake1, not %s", modes[b->mode]));
done:
    return status;
}

static const pg_seed seed = {.task = "bench"};

/* The scheme's defaults, but with random passports: they need no trained network to be made. */
static pg_status scheme_defaults(bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_problems problems = {.count = 0};
    PG_TRY(pg_alloc(1, b->scheme->options_size, &b->options, err));
    PG_TRY(pg_options_defaults(b->scheme->options, b->options, err));
    PG_TRY(pg_yaml_parse_text("{passport: random}", "bench", &tree, err));
    pg_options_take(b->scheme->options, tree->root, b->options, &problems);
done:
    pg_tree_destroy(&tree);
    return status;
}

/* A model of the scheme with fresh weights, and its evidence. */
static pg_status make_model(bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_data_load("synthetic", NULL, &b->data, err));
    b->spec = pg_net_spec_plain(b->arch, b->norm, b->data.train.classes);
    b->spec.width = b->width;
    b->spec.image_height = b->data.train.height;
    b->spec.image_width = b->data.train.width;
    PG_TRY(scheme_defaults(b, err));
    PG_TRY(b->scheme->wire(b->options, &b->spec, err));
    PG_TRY(pg_model_create(&b->spec, &b->model, err));
    pg_model_initialise(b->model, seed, "weights");
    if (!b->scheme->keygen) goto done;
    const pg_keygen in = {.scheme = b->scheme, .spec = &b->spec, .seed = seed, .data = &b->data, .pixels = PG_PIXELS_IMAGENET};
    PG_TRY(b->scheme->keygen(b->options, &in, &b->evidence, err));
done:
    return status;
}

static void await_turn(void)
{
    for (int c = 0; c != '\n' && c != EOF;) c = getchar();
}

/* After one that warms up. Seconds of every step are printed as they come, unless only the fastest is wanted. */
static pg_status time_steps(bench *b, pg_status step(bench *b, void *of, pg_error *err), void *of, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(step(b, of, err));
    if (b->turns) printf("ready:\n");
    fflush(stdout);
    b->fastest = INFINITY;
    for (int i = 0; i < b->steps; i++) {
        if (b->turns) await_turn();
        const double start = pg_now();
        PG_TRY(step(b, of, err));
        const double seconds = pg_now() - start;
        b->fastest = fmin(b->fastest, seconds);
        if (b->mode == MODE_NET) continue;
        printf("seconds: %.6f\n", seconds);
        fflush(stdout);
    }
done:
    return status;
}

static pg_status training_step(bench *b, void *trainer, pg_error *err)
{
    (void)b;
    return pg_trainer_step(trainer, err);
}

static pg_status time_training(bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    pg_trainer *trainer = NULL;
    pg_train_options options;
    PG_TRY(pg_options_defaults(pg_train_table, &options, err));
    options.batch = b->batch;
    options.epochs = 1 << 20;
    const pg_job job = {.model = b->model,
                        .scheme = b->scheme,
                        .scheme_options = b->options,
                        .evidence = b->evidence,
                        .data = &b->data.train,
                        .options = &options,
                        .conv = b->conv,
                        .seed = seed};
    PG_TRY(pg_trainer_create(&job, &trainer, err));
    PG_TRY(time_steps(b, training_step, trainer, err));
done:
    pg_trainer_destroy(&trainer);
    return status;
}

typedef struct inference {
    pg_net *net;
    pg_real *images;
} inference;

static pg_status inference_step(bench *b, void *of, pg_error *err)
{
    const inference *i = of;
    (void)err;
    (void)pg_net_forward(i->net, b->model, pg_net_spec_deployed(&b->spec), PG_EVAL, i->images, b->batch);
    return PG_OK;
}

static pg_status time_inference(bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    inference i = {.net = NULL};
    const size_t pixels = (size_t)b->batch * (size_t)(b->spec.image_height * b->spec.image_width * 3);
    PG_TRY(pg_net_create(&b->spec, b->batch, false, b->conv, &i.net, err));
    PG_TRY(pg_alloc(pixels, sizeof *i.images, &i.images, err));
    if (pg_net_spec_deployed(&b->spec) == PG_PRIVATE) PG_TRY(pg_passports_install(i.net, b->model, b->evidence, err));
    pg_batch_range(&b->data.train, 0, b->batch, PG_PIXELS_IMAGENET, i.images);
    PG_TRY(time_steps(b, inference_step, &i, err));
done:
    pg_net_destroy(&i.net);
    pg_free(i.images);
    return status;
}

/* As the attack does it: the layers below the passports once, then those above for every passport. */
static pg_status fake_step(bench *b, void *test, pg_error *err)
{
    enum { BATCH = 128 };
    pg_status status = PG_OK;
    pg_trunk *trunk = NULL;
    pg_evidence *forged = NULL;
    pg_accuracy accuracy;
    PG_TRY(pg_trunk_create(b->model, test, PG_PIXELS_IMAGENET, BATCH, (size_t)1 << 30, &trunk, err));
    for (int i = 0; i < FAKE_PASSPORTS; i++) {
        pg_evidence_destroy(&forged);
        const pg_keygen in = {
            .scheme = b->scheme, .spec = &b->spec, .seed = {.grid = (uint64_t)i, .task = "fake"}, .data = &b->data};
        PG_TRY(b->scheme->keygen(b->options, &in, &forged, err));
        PG_TRY(pg_trunk_accuracy(trunk, forged, &accuracy, err));
    }
done:
    pg_evidence_destroy(&forged);
    pg_trunk_destroy(&trunk);
    return status;
}

static pg_status time_fakes(bench *b, pg_error *err)
{
    pg_dataset test = b->data.train;
    if (!b->evidence || !b->evidence->passport_count)
        return pg_fail(err, PG_BAD_INPUT, "fake1 needs a scheme with passports, not '%s'", b->scheme->name);
    if (test.count < b->batch) return pg_fail(err, PG_BAD_INPUT, "fake1: there are only %d images", test.count);
    test.count = b->batch;
    return time_steps(b, fake_step, &test, err);
}

static void print_setting(const bench *b)
{
    printf("arch: %s\nscheme: %s\nnorm: %s\nwidth: %g\nbatch: %d\nthreads: %d\n", b->arch->name, b->scheme->name,
           pg_norm_kind_name(b->norm), b->width, b->batch, b->threads);
    printf("blas: %s\nkernels: %s\n", pg_blas_version(), pg_blas_kernels());
    printf("parameters: %zu\nmultiply_adds_per_image: %.0f\n", pg_model_parameters(b->model), pg_model_macs(b->model));
}

static void print_peak(void)
{
    struct rusage resources;
    getrusage(RUSAGE_SELF, &resources);
    printf("peak_bytes: %ld\n", resources.ru_maxrss * 1024);
}

static pg_status whole_net(bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(time_training(b, err));
    const double train = b->batch / b->fastest;
    PG_TRY(time_inference(b, err));
    const double eval = b->batch / b->fastest;
    printf("train_images_per_s: %.2f\neval_images_per_s: %.2f\neval_gflops: %.2f\n", train, eval,
           2e-9 * pg_model_macs(b->model) * eval);
done:
    return status;
}

static pg_status measure(bench *b, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(make_model(b, err));
    print_setting(b);
    switch (b->mode) {
    case MODE_NET: return whole_net(b, err);
    case MODE_LAYERS: return pg_bench_layers(b->model, b->batch, b->steps, b->conv, err);
    case MODE_TRAIN: PG_TRY(time_training(b, err)); break;
    case MODE_EVAL: PG_TRY(time_inference(b, err)); break;
    case MODE_FAKE1: PG_TRY(time_fakes(b, err)); break;
    }
    print_peak();
done:
    return status;
}

int pg_cmd_bench(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "dispatch") == 0) return pg_bench_dispatch(argc - 1, argv + 1);
    bench b;
    pg_error err = {.message = ""};
    pg_status status = parse(argc, argv, &b, &err);
    if (status == PG_OK && b.help) return pg_print(usage);
    if (status == PG_OK) {
        pg_compute_start(b.threads);
        status = measure(&b, &err);
    }
    pg_model_destroy(&b.model);
    pg_evidence_destroy(&b.evidence);
    pg_data_clear(&b.data);
    pg_free(b.options);
    if (status == PG_OK) return 0;
    return err.message[0] ? pg_complain("bench", status, "%s", err.message) : 2;
}
