/* Forged evidence: what judging many forgeries shares, solving for passports, and the attacks that forge. */
#include "attacks/attack.h"
#include "attacks/residual.h"
#include "core/compute/kernels.h"
#include "core/formats/yaml.h"
#include "core/nets/state.h"
#include "core/ownership/inversion.h"
#include "core/ownership/verify.h"
#include "experiments/work/execute_internal.h"
#include "tests/unit/subject.h"

enum { IMAGES = 20, BATCH = 8, NULLS = 5 };
static const pg_verify_options verify = {.level = 1e-3, .tolerance = 5, .nulls = NULLS, .batch = BATCH};
static pg_data data;
static pg_dataset fresh; /* images that are not in data.train */

SET_UP
{
    pg_compute_start(1);
    pg_data whole = {0};
    data = test_data(40, IMAGES);
    OK(pg_data_load("synthetic", NULL, &whole, &err));
    OK(pg_dataset_subset(&whole.test, 15, &fresh, &err));
    pg_data_clear(&whole);
}

TEAR_DOWN
{
    pg_data_clear(&data);
    pg_dataset_clear(&fresh);
}

/* ---- the trunk ---- */

typedef struct site {
    const char *arch, *scheme, *layers;
    pg_norm_kind norm;
} site;

/* A network of that architecture with evidence drawn at random. */
static subject subject_at(const site *at)
{
    subject s = subject_wire(at->scheme, at->norm, PG_PASSPORT_RANDOM);
    s.spec.arch = pg_arch_find(at->arch);
    snprintf(s.options.layers, sizeof s.options.layers, "%s", at->layers);
    OK(s.scheme->wire(&s.options, &s.spec, &err));
    subject_fill(&s, &data);
    return s;
}

static void assert_same_finding(const pg_finding *a, const pg_finding *b)
{
    const pg_accuracy *const left[] = {&a->deployed, &a->public_branch, &a->private_branch};
    const pg_accuracy *const right[] = {&b->deployed, &b->public_branch, &b->private_branch};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(left[i]->present, right[i]->present);
        assert_true(left[i]->exact == right[i]->exact && left[i]->batch_mean == right[i]->batch_mean);
    }
    assert_int_equal(a->bits, b->bits);
    assert_int_equal(a->agree, b->agree);
    assert_true(a->p_value == b->p_value && a->p_coin == b->p_coin && a->null_mean == b->null_mean);
    assert_int_equal(a->nulls, b->nulls);
    assert_int_equal(a->enough, b->enough);
    assert_int_equal(a->ruling, b->ruling);
}

/* Passports under the first layer, in the middle of a block, at its shortcut: each cuts the network elsewhere. */
static const site sites[] = {
    {"alexnet", "v1", "default", PG_NORM_BN},
    {"alexnet", "v2", "features.4 features.6", PG_NORM_GN},
    {"alexnet", "v1", "features.0", PG_NORM_IN},
    {"alexnet", "pan", "features.2", PG_NORM_BN},
    {"resnet9", "v1", "default", PG_NORM_BN},
    {"resnet9", "v2", "layer4.0.convbn_2", PG_NORM_GN},
    {"resnet9", "v3", "layer3.0.shortcut", PG_NORM_NONE},
};
enum { SITES = sizeof sites / sizeof *sites };

/* Logits from the trunk are those of a whole forward pass, to the bit, also in a batch that is not full. */
TEST(logits_from_the_trunk_equal_a_whole_pass)
{
    enum { N = 5, CLASSES = 10 };
    pg_real images[N * 32 * 32 * 3], expected[N * CLASSES], *trunk = NULL;
    for (int i = 0; i < SITES; i++) {
        subject s = subject_at(&sites[i]);
        pg_net *net = NULL;
        OK(pg_net_create(&s.spec, BATCH, false, PG_CONV_AUTO, &net, &err));
        OK(pg_alloc(N * pg_net_trunk_size(net), sizeof *trunk, &trunk, &err));
        assert_true(pg_net_trunk_size(net) > 0);
        OK(pg_passports_install(net, s.model, s.evidence, &err));
        pg_batch_range(&data.test, 0, N, PG_PIXELS_IMAGENET, images);
        for (int branch = s.spec.public_affine ? PG_PUBLIC : PG_PRIVATE; branch <= PG_PRIVATE; branch++) {
            memcpy(expected, pg_net_forward(net, s.model, (pg_branch)branch, PG_EVAL, images, N), sizeof expected);
            pg_net_trunk_forward(net, s.model, images, N, trunk);
            const pg_real *logits = pg_net_forward_from_trunk(net, s.model, (pg_branch)branch, trunk, N);
            if (memcmp(logits, expected, sizeof expected)) fail_msg("site %d branch %d", i, branch);
        }
        pg_free(trunk);
        pg_net_destroy(&net);
        subject_destroy(&s);
    }
}

/* Claims before one judge are found as each by itself. */
TEST(claims_before_one_judge_are_found_as_each_alone)
{
    for (int i = 0; i < SITES; i++) {
        subject s = subject_at(&sites[i]);
        pg_judge *judge = NULL;
        pg_evidence *forged = NULL;
        const pg_judge_setup setup = {.model = s.model, .test = &data.test, .options = &verify, .distributed = s.evidence};
        OK(pg_judge_create(&setup, &judge, &err));
        OK(pg_evidence_clone(s.evidence, &forged, &err));
        for (int claim = 0; claim < 3; claim++) {
            pg_finding alone, together;
            OK(pg_verify(&setup, forged, &alone, &err));
            OK(pg_judge_claim(judge, forged, &together, &err));
            assert_same_finding(&alone, &together);
            for (int p = 0; p < forged->passport_count; p++)
                for (int e = 0; e < forged->passports[p].inputs; e++) forged->passports[p].skey[e] -= (pg_real)0.75;
        }
        pg_evidence_destroy(&forged);
        pg_judge_destroy(&judge);
        subject_destroy(&s);
    }
}

/* Whatever part of the images a trunk has room for. */
TEST(a_trunk_gives_the_same_accuracy_in_any_memory)
{
    subject s = subject_at(&sites[1]);
    pg_accuracy expected, found;
    OK(pg_measure_accuracy(s.model, PG_PRIVATE, s.evidence, &data.test, PG_PIXELS_IMAGENET, BATCH, &expected, &err));
    for (size_t bytes = 0; bytes <= 1 << 20; bytes += 1 << 17) {
        pg_trunk *trunk = NULL;
        const long live = pg_memory_live();
        OK(pg_trunk_create(s.model, &data.test, PG_PIXELS_IMAGENET, BATCH, bytes, &trunk, &err));
        OK(pg_trunk_accuracy(trunk, s.evidence, &found, &err));
        assert_true(found.exact == expected.exact && found.batch_mean == expected.batch_mean);
        pg_trunk_destroy(&trunk);
        assert_int_equal(pg_memory_live(), live);
    }
    subject_destroy(&s);
}

/* A network that training has wrecked is no network of some accuracy, though ReLUs hide it from the logits. */
TEST(a_wrecked_network_has_no_accuracy)
{
    subject s = subject_at(&sites[3]);
    pg_accuracy found;
    pg_trunk *trunk = NULL;
    s.model->buffers[s.model->layers[0].affine[PG_PUBLIC].var] = NAN;
    FAILS(pg_measure_accuracy(s.model, PG_PUBLIC, NULL, &data.test, PG_PIXELS_IMAGENET, BATCH, &found, &err), PG_FAILED,
          "tensor 'features.0.bn.running_var': a value is not a finite number");
    s.model->params[s.model->layers[0].weight] = INFINITY;
    FAILS(pg_trunk_create(s.model, &data.test, PG_PIXELS_IMAGENET, BATCH, 0, &trunk, &err), PG_FAILED,
          "tensor 'features.0.conv.weight': a value is not a finite number");
    subject_destroy(&s);
}

/* Claims on other layers take turns before one judge: each is found as if it had come alone. */
TEST(claims_on_other_layers_take_turns)
{
    subject s = subject_at(&sites[1]), other = subject_at(&sites[3]);
    pg_judge *judge = NULL;
    const pg_judge_setup setup = {.model = s.model, .test = &data.test, .options = &verify};
    OK(pg_judge_create(&setup, &judge, &err));
    for (int turn = 0; turn < 4; turn++) {
        pg_finding alone, together;
        const pg_evidence *evidence = turn % 2 ? other.evidence : s.evidence;
        OK(pg_verify(&setup, evidence, &alone, &err));
        OK(pg_judge_claim(judge, evidence, &together, &err));
        assert_same_finding(&alone, &together);
    }
    pg_judge_destroy(&judge);
    subject_destroy(&s);
    subject_destroy(&other);
}

/* ---- analytic inversion ---- */

/* A model with the passport layers of s and a public affine drawn at random. */
static pg_model *random_affine(const subject *s)
{
    pg_net_spec spec = s->spec;
    pg_model *affine = NULL;
    pg_rng rng;
    spec.public_affine = true;
    OK(pg_model_create(&spec, &affine, &err));
    pg_rng_open(&rng, s->seed, "affine", 0);
    for (int i = 0; i < affine->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(affine, i);
        for (int k = 0; k < l->out_channels; k++) {
            affine->params[l->affine[PG_PUBLIC].gamma + k] = (pg_real)pg_rng_normal(&rng);
            affine->params[l->affine[PG_PUBLIC].beta + k] = (pg_real)(0.3 * pg_rng_normal(&rng));
        }
    }
    return affine;
}

/* Largest distance between what the passports give in the network and the public affine of wanted. */
static double distance(const subject *s, const pg_evidence *evidence, const pg_model *wanted)
{
    pg_model *given = NULL;
    double worst = 0;
    OK(pg_model_create(&wanted->spec, &given, &err));
    OK(pg_passports_store(s->model, evidence, given, &err));
    for (int i = 0; i < given->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(given, i);
        const ptrdiff_t offsets[] = {l->affine[PG_PUBLIC].gamma, l->affine[PG_PUBLIC].beta};
        for (int which = 0; which < 2; which++)
            for (int k = 0; k < l->out_channels; k++) {
                const ptrdiff_t at = offsets[which] + k;
                worst = fmax(worst, fabs((double)given->params[at] - (double)wanted->params[at]));
            }
    }
    pg_model_destroy(&given);
    return worst;
}

/* gamma and beta are given to 1e-5, from any start; the signature is the signs of gamma. */
TEST(inversion_gives_the_wanted_affine_from_any_start)
{
    static const site places[] = {
        {"alexnet", "v1", "default", PG_NORM_BN},
        {"alexnet", "v2", "features.0 features.2", PG_NORM_GN},
        {"resnet9", "v1", "layer3.0.convbnrelu_1 layer4.0.convbnrelu_1 layer4.0.convbn_2", PG_NORM_BN}};
    for (int i = 0; i < 3; i++) {
        subject s = subject_at(&places[i]);
        pg_model *affine = random_affine(&s);
        pg_inverter *inverter = NULL;
        pg_evidence *forged = NULL;
        double miss;
        OK(pg_inverter_create(s.model, &inverter, &err));
        OK(pg_evidence_create(&s.spec, "v1", "shuffle", &forged, &err));
        for (int from = 0; from < 2; from++) {
            if (from) OK(pg_evidence_clone(s.evidence, &forged, &err));
            assert_true(distance(&s, forged, affine) > 0.1);
            OK(pg_inverter_forge(inverter, affine, forged, &miss, &err));
            assert_true(miss < 1e-5);
            assert_true(distance(&s, forged, affine) < 1e-5);
            for (int p = 0; p < forged->passport_count; p++)
                for (int k = 0; k < forged->passports[p].outputs; k++) {
                    const ptrdiff_t gamma = pg_model_passport_layer(affine, p)->affine[PG_PUBLIC].gamma;
                    assert_int_equal(forged->passports[p].b[k], affine->params[gamma + k] < 0 ? -1 : 1);
                }
            pg_evidence_destroy(&forged);
        }
        pg_inverter_destroy(&inverter);
        pg_model_destroy(&affine);
        subject_destroy(&s);
    }
}

/* Of all passports with this affine the nearest is taken: the change is orthogonal to every change that leaves the affine. */
TEST(inversion_takes_the_nearest_passports)
{
    subject s = subject_at(&sites[0]);
    pg_model *affine = random_affine(&s);
    pg_inverter *inverter = NULL;
    pg_evidence *near = NULL, *far = NULL;
    double miss, product = 0, size = 0;
    OK(pg_inverter_create(s.model, &inverter, &err));
    OK(pg_evidence_clone(s.evidence, &near, &err));
    OK(pg_evidence_create(&s.spec, "v1", "shuffle", &far, &err));
    OK(pg_inverter_forge(inverter, affine, near, &miss, &err));
    OK(pg_inverter_forge(inverter, affine, far, &miss, &err));
    const pg_passport *from = &s.evidence->passports[1], *a = &near->passports[1], *b = &far->passports[1];
    for (int e = 0; e < a->height * a->width * a->inputs; e++) {
        const double moved = (double)(a->skey[e] - from->skey[e]), apart = (double)(a->skey[e] - b->skey[e]);
        product += moved * apart;
        size += moved * moved;
    }
    assert_true(size > 1e-3);
    assert_true(fabs(product) < 1e-4 * size);
    pg_evidence_destroy(&near);
    pg_evidence_destroy(&far);
    pg_inverter_destroy(&inverter);
    pg_model_destroy(&affine);
    subject_destroy(&s);
}

/* A 1x1 shortcut with more outputs than inputs cannot give every affine; what it misses is told, and what it gives once it can
 * give again. */
TEST(inversion_tells_what_it_misses)
{
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM), pan = subject_at(&sites[3]);
    pg_inverter *inverter = NULL;
    pg_evidence *forged = NULL;
    double miss;
    s.spec.arch = pg_arch_find("resnet9");
    s.spec.width = 0.125;
    snprintf(s.options.layers, sizeof s.options.layers, "layer4.0.shortcut");
    OK(s.scheme->wire(&s.options, &s.spec, &err));
    subject_fill(&s, &data);
    pg_model *affine = random_affine(&s);
    OK(pg_inverter_create(s.model, &inverter, &err));
    OK(pg_evidence_clone(s.evidence, &forged, &err));
    OK(pg_inverter_forge(inverter, affine, forged, &miss, &err));
    assert_true(miss > 0.1 && fabs(distance(&s, forged, affine) - miss) < 1e-5);
    OK(pg_passports_store(s.model, forged, affine, &err));
    OK(pg_inverter_forge(inverter, affine, s.evidence, &miss, &err));
    assert_true(distance(&s, s.evidence, affine) < 1e-5);
    pg_inverter_destroy(&inverter);
    OK(pg_inverter_create(pan.model, &inverter, &err));
    FAILS(pg_inverter_forge(inverter, pan.model, pan.evidence, &miss, &err), PG_BAD_INPUT, "perceptron");
    pg_inverter_destroy(&inverter);
    pg_evidence_destroy(&forged);
    pg_model_destroy(&affine);
    subject_destroy(&pan);
    subject_destroy(&s);
}

/* <T x, y> = <x, T' y> for the window means T, with any stride, padding and size of window. */
TEST(window_means_and_their_adjoint_agree)
{
    enum { IMAGE = 7 * 5 * 3, WINDOW = 5 * 5 * 3 };
    static const int shapes[][3] = {{3, 1, 1}, {3, 2, 1}, {1, 2, 0}, {5, 1, 2}, {5, 2, 2}}; /* kernel, stride, padding */
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "adjoint"}, "values", 0);
    for (int i = 0; i < 5; i++) {
        const int r = shapes[i][0], stride = shapes[i][1], pad = shapes[i][2];
        const pg_layer layer = {.row = {.kernel = r, .stride = stride, .pad = pad},
                                .in_height = 7,
                                .in_width = 5,
                                .in_channels = 3,
                                .out_height = (7 + 2 * pad - r) / stride + 1,
                                .out_width = (5 + 2 * pad - r) / stride + 1};
        pg_real x[IMAGE], y[WINDOW], means[WINDOW], back[IMAGE];
        double left = 0, right = 0;
        for (int e = 0; e < IMAGE; e++) x[e] = (pg_real)pg_rng_normal(&rng);
        for (int e = 0; e < r * r * 3; e++) y[e] = (pg_real)pg_rng_normal(&rng);
        pg_passport_means(&layer, x, means);
        pg_passport_means_backward(&layer, y, back);
        for (int e = 0; e < r * r * 3; e++) left += (double)means[e] * (double)y[e];
        for (int e = 0; e < IMAGE; e++) right += (double)x[e] * (double)back[e];
        assert_true(fabs(left) > 1e-3 && fabs(left - right) < 1e-5);
    }
}

/* ---- residual blocks ---- */

/* Gradients against central differences. The blocks are of degree two in their values, so a wide step costs only rounding; the
 * leaky ReLU's kinks are avoided by large biases. */
TEST(gradients_of_residual_forgeries_match_differences)
{
    enum { CHANNELS = 16 };
    const double step = 1.0 / 64;
    for (int kind = PG_RESIDUAL_NONE; kind <= PG_RESIDUAL_COLLECTIVE; kind++) {
        pg_residual r;
        pg_rng rng;
        pg_real out[CHANNELS], dout[CHANNELS];
        pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "residual"}, pg_residual_kinds[kind], 0);
        OK(pg_residual_open(&r, (pg_residual_kind)kind, CHANNELS, &rng, &err));
        for (size_t e = r.b1; e < r.w2; e++) r.values[e] += e % 3 ? 4 : -4;
        for (int k = 0; k < CHANNELS; k++) dout[k] = (pg_real)pg_rng_normal(&rng);
        pg_residual_forward(&r, out);
        pg_residual_backward(&r, dout);
        for (size_t e = 0; e < r.count; e++) {
            const pg_real kept = r.values[e];
            double change = 0;
            for (int sign = -1; sign <= 1; sign += 2) {
                r.values[e] = kept + (pg_real)(sign * step);
                pg_residual_forward(&r, out);
                for (int k = 0; k < CHANNELS; k++) change += sign * (double)(out[k] * dout[k]);
            }
            r.values[e] = kept;
            assert_true(fabs(change / (2 * step) - (double)r.gradient[e]) < 2e-3);
        }
        pg_residual_close(&r);
    }
}

/* ---- an attack at work ---- */

typedef struct raid {
    const pg_attack *attack;
    void *state, *options;
    pg_attack_view view;
    pg_model *running;
    bool over;
} raid;

/* The victim as it runs, its affines learned ones. */
static pg_model *running_of(const subject *victim)
{
    pg_model *running = NULL;
    pg_net_spec spec = victim->spec;
    spec.public_affine = true;
    spec.private_affine = spec.own_norm = spec.perceptron = false;
    OK(pg_model_create(&spec, &running, &err));
    OK(pg_model_copy(victim->model, running, &err));
    if (spec.passports && !victim->spec.public_affine) OK(pg_passports_store(victim->model, victim->evidence, running, &err));
    return running;
}

/* Options as a grid would read them. */
static void *read_options(const pg_option *table, size_t size, const char *yaml)
{
    static pg_problems problems;
    pg_tree *tree = NULL;
    void *options = NULL;
    problems.count = 0;
    OK(pg_alloc(1, size, &options, &err));
    OK(pg_options_defaults(table, options, &err));
    OK(pg_yaml_parse_text(yaml, "test", &tree, &err));
    pg_options_read(table, tree->root, options, &problems);
    pg_tree_destroy(&tree);
    if (problems.count) fail_msg("%s", problems.lines[0]);
    return options;
}

/* Options, and the view that the attack declares. */
static void prepare(raid *r, const char *name, const char *yaml, const subject *victim)
{
    *r = (raid){.attack = pg_attack_find(name), .running = running_of(victim)};
    const unsigned sees = r->attack->sees;
    r->options = read_options(r->attack->options, r->attack->options_size, yaml);
    r->view = (pg_attack_view){.model = victim->model,
                               .scheme = victim->scheme,
                               .running = sees & PG_SEES_AFFINE ? r->running : NULL,
                               .evidence = sees & PG_SEES_EVIDENCE ? victim->evidence : NULL,
                               .train = sees & PG_SEES_TRAIN ? &data.train : NULL,
                               .fresh = sees & PG_SEES_FRESH ? &fresh : NULL,
                               .pictures = &data.test,
                               .seed = {.grid = 1, .task = "forgery"}};
    OK(pg_alloc(1, r->attack->state_size, &r->state, &err));
}

static void open_raid(raid *r, const char *name, const char *yaml, const subject *victim)
{
    prepare(r, name, yaml, victim);
    OK(r->attack->start(r->state, r->options, &r->view, &err));
}

static bool next(raid *r, pg_outcome *outcome)
{
    pg_attack_state what = PG_ATTACK_WORKING;
    if (r->over) return false;
    while (what < PG_ATTACK_OUTCOME) {
        *outcome = (pg_outcome){0};
        OK(r->attack->step(r->state, &what, outcome, &err));
    }
    r->over = what == PG_ATTACK_LAST;
    return true;
}

static void close_raid(raid *r)
{
    r->attack->finish(r->state);
    pg_free(r->state);
    pg_free(r->options);
    pg_model_destroy(&r->running);
}

static double measure(const pg_outcome *o, const char *name)
{
    for (int i = 0; i < PG_MEASURES_MAX && o->measures[i].name; i++)
        if (strcmp(o->measures[i].name, name) == 0) return o->measures[i].value;
    fail_msg("no measure %s", name);
    return NAN;
}

/* SHA-256 over every outcome. */
static void hash_outcomes(const char *name, const char *yaml, const subject *victim, uint64_t seed, char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    raid r;
    pg_outcome o;
    pg_hash_start(&hash);
    prepare(&r, name, yaml, victim);
    r.view.seed.grid = seed;
    OK(r.attack->start(r.state, r.options, &r.view, &err));
    while (next(&r, &o)) {
        char commitment[PG_SHA256_HEX];
        pg_evidence_commitment(o.evidence, commitment);
        pg_hash_add_text(&hash, commitment);
        if (o.model) pg_hash_add(&hash, o.model->params, o.model->param_count * sizeof *o.model->params);
        if (o.model) pg_hash_add(&hash, o.model->buffers, o.model->buffer_count * sizeof *o.model->buffers);
        if (o.shown) pg_hash_add(&hash, o.shown->buffers, o.shown->buffer_count * sizeof *o.shown->buffers);
    }
    close_raid(&r);
    pg_hash_finish_hex(&hash, hex);
}

/* A network whose owner has the evidence of a scheme with these options; not trained. */
static subject owner_of(const char *scheme, const char *yaml, uint64_t seed)
{
    subject s = {.scheme = pg_scheme_find(scheme), .seed = {.grid = seed, .task = scheme}};
    void *options = read_options(s.scheme->options, s.scheme->options_size, yaml);
    s.spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    s.spec.width = 0.0625;
    OK(s.scheme->wire(options, &s.spec, &err));
    const pg_keygen in = {.scheme = s.scheme, .spec = &s.spec, .seed = s.seed, .data = &data, .pixels = PG_PIXELS_IMAGENET};
    OK(s.scheme->keygen(options, &in, &s.evidence, &err));
    OK(pg_model_create(&s.spec, &s.model, &err));
    pg_model_initialise(s.model, s.seed, "weights");
    pg_free(options);
    return s;
}

/* Trained a little; its signature is, whatever the training, what its passports give. */
static subject victim_of(const char *scheme, pg_norm_kind norm)
{
    subject s = subject_create(scheme, norm, PG_PASSPORT_RANDOM, &data);
    pg_net *net = NULL;
    const pg_train_options training = test_training(2, 8);
    subject_train(&s, &data, &training);
    if (!s.evidence) return s;
    OK(pg_net_create(&s.spec, 1, false, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, s.model, s.evidence, &err));
    for (int i = 0; i < s.evidence->passport_count; i++)
        for (int k = 0; k < s.evidence->passports[i].outputs; k++)
            s.evidence->passports[i].b[k] = pg_net_gamma(net, i)[k] > 0 ? 1 : -1;
    pg_net_destroy(&net);
    return s;
}

static pg_finding judge_alone(const pg_model *model, const pg_evidence *evidence)
{
    pg_finding f;
    const pg_verify_options coin = {.level = 1e-3, .tolerance = 5, .batch = BATCH};
    const pg_judge_setup setup = {.model = model, .test = &data.test, .options = &coin, .distributed = evidence};
    OK(pg_verify(&setup, evidence, &f, &err));
    return f;
}

/* Mean cross-entropy over the training set as it is, of the stolen network itself under these passports; plus, where alpha is
 * positive, the sign loss. */
static double training_loss(const subject *victim, const pg_evidence *forged, double alpha)
{
    const int n = data.train.count;
    pg_net *net = NULL;
    pg_real *images = NULL;
    OK(pg_alloc((size_t)n * 32 * 32 * 3, sizeof *images, &images, &err));
    OK(pg_net_create(&victim->spec, n, true, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, victim->model, forged, &err));
    pg_batch_range(&data.train, 0, n, PG_PIXELS_IMAGENET, images);
    const pg_real *logits = pg_net_forward(net, victim->model, PG_PRIVATE, PG_EVAL, images, n);
    double loss = pg_cross_entropy(n, victim->spec.classes, logits, data.train.labels, 0, NULL, NULL);
    if (alpha > 0) loss += pg_sign_loss(alpha, forged, net);
    pg_free(images);
    pg_net_destroy(&net);
    return loss;
}

/* ---- flip ---- */

/* After turning a share f of the signs, a share 1 - f is detected: in the stored affine, and in what the forged passports give,
 * which serve exactly as that affine. The attacker's own bits are found whole. */
TEST(flip_turns_its_share_of_the_signs)
{
    static const char *const schemes[] = {"v1", "v2"};
    for (int i = 0; i < 2; i++) {
        subject victim = victim_of(schemes[i], i ? PG_NORM_GN : PG_NORM_BN);
        const int bits = pg_evidence_bits(victim.evidence);
        raid r;
        pg_outcome o;
        int count = 0;
        open_raid(&r, "flip", "{levels: [0, 10, 30, 50, 100]}", &victim);
        for (; next(&r, &o); count++) {
            const int turned = (int)(o.value / 100 * bits);
            int agree;
            assert_null(o.model);
            assert_true(measure(&o, "affine_missed_by") < 1e-5);
            const pg_finding owner = judge_alone(o.shown, victim.evidence), forger = judge_alone(o.shown, o.evidence);
            assert_int_equal(owner.agree, bits);
            assert_int_equal(owner.agree_stored, bits - turned);
            OK(pg_agreement_with(victim.model, o.evidence, victim.evidence, &agree, &err));
            assert_int_equal(agree, bits - turned);
            assert_int_equal(forger.agree, bits);
            assert_true(fabs(forger.private_branch.exact - forger.public_branch.exact) <= 100.0 / IMAGES);
            if (turned == 0) assert_true(fabs(forger.private_branch.exact - owner.private_branch.exact) <= 100.0 / IMAGES);
        }
        assert_int_equal(count, 5);
        close_raid(&r);
        subject_destroy(&victim);
    }
}

/* ---- fake 1 ---- */

/* Passports made with the stolen network are the activations that enter its layers; each draw costs its images. */
TEST(fake1_may_use_the_stolen_network)
{
    subject victim = victim_of("v2", PG_NORM_GN);
    pg_passport_maker *maker = NULL;
    pg_evidence *expected = NULL;
    pg_rng rng;
    raid r;
    pg_outcome o;
    open_raid(&r, "fake1", "{repeats: 2, carrier: stolen, images: 5}", &victim);
    assert_true(next(&r, &o));
    const pg_passport_source source = {.kind = PG_PASSPORT_SHUFFLE,
                                       .images = 5,
                                       .carrier = victim.model,
                                       .carrier_branch = PG_PUBLIC,
                                       .carrier_mode = PG_BATCH,
                                       .pictures = &data.test};
    OK(pg_evidence_clone(o.evidence, &expected, &err));
    OK(pg_passport_maker_create(&source, &maker, &err));
    pg_rng_open(&rng, r.view.seed, "forged passports", 0);
    OK(pg_passports_draw(maker, expected, &rng, &err));
    char made[PG_SHA256_HEX], wanted[PG_SHA256_HEX], random[PG_SHA256_HEX], stolen[PG_SHA256_HEX];
    pg_evidence_commitment(o.evidence, made);
    pg_evidence_commitment(expected, wanted);
    assert_string_equal(made, wanted);
    assert_true(o.images == 10 && o.macs == 10 * pg_model_macs(victim.model));
    assert_true(next(&r, &o) && o.images == 20);
    close_raid(&r);
    hash_outcomes("fake1", "{repeats: 1, carrier: stolen, images: 5}", &victim, 1, stolen);
    hash_outcomes("fake1", "{repeats: 1, carrier: random, images: 5}", &victim, 1, random);
    assert_string_not_equal(stolen, random);
    open_raid(&r, "fake1", "{repeats: 1, passport: random}", &victim);
    assert_true(next(&r, &o) && o.images == 0);
    close_raid(&r);
    pg_passport_maker_destroy(&maker);
    pg_evidence_destroy(&expected);
    subject_destroy(&victim);
}

/* Every channel of the genuine passport is somewhere in the forged one, but not everywhere in its place. */
TEST(permute_moves_channels_and_keeps_them)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    raid r;
    pg_outcome o;
    int count = 0;
    open_raid(&r, "permute", "{repeats: 2}", &victim);
    for (; next(&r, &o); count++) {
        int moved = 0;
        for (int i = 0; i < o.evidence->passport_count; i++) {
            const pg_passport *p = &o.evidence->passports[i], *q = &victim.evidence->passports[i];
            const int pixels = p->height * p->width, n = p->inputs;
            for (int c = 0; c < n; c++) {
                int found = -1;
                for (int d = 0; d < n && found < 0; d++) {
                    bool same = true;
                    for (int e = 0; e < pixels && same; e++) same = p->skey[e * n + d] == q->skey[e * n + c];
                    if (same) found = d;
                }
                assert_true(found >= 0);
                moved += found != c;
            }
        }
        assert_true(moved > 0);
        assert_int_equal(judge_alone(victim.model, o.evidence).agree, pg_evidence_bits(o.evidence));
    }
    assert_int_equal(count, 2);
    close_raid(&r);
    subject_destroy(&victim);
}

/* ---- fake 2 ---- */

static const pg_real *gammas(const pg_model *m, int i)
{
    return m->params + pg_model_passport_layer(m, i)->affine[PG_PUBLIC].gamma;
}

static const pg_real *betas(const pg_model *m, int i)
{
    return m->params + pg_model_passport_layer(m, i)->affine[PG_PUBLIC].beta;
}

/* At a rate of next to nothing the outcome is the start: bare signs of the running gamma, a share of them turned, or 0.5 times
 * random signs; beta is zero. */
TEST(fake2_starts_from_bare_signs)
{
    static const struct {
        const char *yaml;
        double size, turned; /* of gamma; share, or -1: no relation to the running signs is known */
    } cases[] = {{"{flips: 0, epochs: 1, batch: 20, lr: 1e-12}", 1, 0},
                 {"{flips: 0.3, epochs: 1, batch: 20, lr: 1e-12}", 1, 0.3},
                 {"{flips: 1, epochs: 1, batch: 20, lr: 1e-12}", 1, 1},
                 {"{init: random, epochs: 1, batch: 20, lr: 1e-12}", 0.5, -1}};
    subject victim = victim_of("v1", PG_NORM_BN);
    for (int i = 0; i < 4; i++) {
        raid r;
        pg_outcome o;
        int turned = 0, total = 0, positive = 0;
        open_raid(&r, "fake2", cases[i].yaml, &victim);
        assert_true(next(&r, &o));
        for (int l = 0; l < o.shown->passport_count; l++)
            for (int k = 0; k < pg_model_passport_layer(o.shown, l)->out_channels; k++, total++) {
                const pg_real gamma = gammas(o.shown, l)[k];
                assert_true(fabs(fabs((double)gamma) - cases[i].size) < 1e-6 && fabs((double)betas(o.shown, l)[k]) < 1e-6);
                turned += (gamma > 0) != (gammas(r.running, l)[k] > 0);
                positive += gamma > 0;
            }
        if (cases[i].turned >= 0) assert_int_equal(turned, (int)(cases[i].turned * total));
        if (cases[i].turned < 0) assert_true(positive > total / 4 && positive < 3 * total / 4);
        assert_true(o.images == 40 && o.macs > 0);
        assert_false(next(&r, &o));
        close_raid(&r);
    }
    subject_destroy(&victim);
}

/* Everything but gamma, beta and statistics is the victim's. */
static void assert_weights_kept(const pg_model *a, const pg_model *b)
{
    for (int i = 0; i < a->layer_count; i++) {
        const pg_layer *l = &a->layers[i], *other = &b->layers[i];
        if (l->weight < 0) continue;
        const size_t count = (size_t)(l->row.kind == PG_ROW_CONV ? l->row.kernel * l->row.kernel : l->in_height * l->in_width) *
                             (size_t)l->in_channels * (size_t)l->out_channels;
        assert_memory_equal(a->params + l->weight, b->params + other->weight, count * sizeof *a->params);
    }
}

static void assert_statistics_kept(const pg_model *a, const pg_model *b)
{
    assert_int_equal(a->buffer_count, b->buffer_count);
    assert_memory_equal(a->buffers, b->buffers, a->buffer_count * sizeof *a->buffers);
}

/* Its loss falls; only gamma and beta change, and the running statistics unless they are frozen; the passports that it shows
 * serve as the affine that it trained. */
TEST(fake2_trains_gamma_and_beta_alone)
{
    static const char *const schemes[] = {"v1", "v2"};
    for (int i = 0; i < 2; i++) {
        subject victim = victim_of(schemes[i], PG_NORM_BN);
        raid r;
        pg_outcome o;
        open_raid(&r, "fake2", "{epochs: 6, batch: 8, lr: 0.02, crop: false}", &victim);
        assert_true(next(&r, &o));
        assert_true(measure(&o, "loss_last") < measure(&o, "loss_first"));
        assert_true(measure(&o, "affine_missed_by") < 1e-5);
        assert_weights_kept(o.shown, victim.model);
        for (int l = 0; l < o.shown->passport_count; l++) {
            const double gamma = fabs((double)gammas(o.shown, l)[0]), beta = fabs((double)betas(o.shown, l)[0]);
            assert_true(fabs(gamma - 1) > 1e-6 && beta > 1e-6);
        }
        const pg_layer *first = &o.shown->layers[0], *before = &victim.model->layers[0];
        assert_true(o.shown->buffers[first->affine[0].mean] != victim.model->buffers[before->affine[0].mean]);
        assert_true(o.shown->params[first->affine[0].gamma] == victim.model->params[before->affine[0].gamma]);
        const pg_finding f = judge_alone(o.shown, o.evidence);
        assert_int_equal(f.agree, f.bits);
        assert_true(fabs(f.private_branch.exact - f.public_branch.exact) <= 100.0 / IMAGES);
        close_raid(&r);
        open_raid(&r, "fake2", "{epochs: 1, batch: 8, freeze_stats: true}", &victim);
        assert_true(next(&r, &o));
        assert_statistics_kept(o.shown, victim.model);
        close_raid(&r);
        subject_destroy(&victim);
    }
}

/* ---- fake 3 ---- */

/* Mean over passports of the squared distance between two evidences, and the sum of its inverses. */
static double distance_of(const pg_evidence *a, const pg_evidence *b, double *inverses)
{
    double mean = 0;
    *inverses = 0;
    for (int i = 0; i < a->passport_count; i++) {
        const pg_passport *p = &a->passports[i], *q = &b->passports[i];
        const pg_real *const pairs[2][2] = {{p->key, q->key}, {p->skey, q->skey}};
        const int count = p->height * p->width * p->inputs;
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            for (int e = 0; e < count; e++) sum += pow((double)pairs[k][0][e] - (double)pairs[k][1][e], 2);
            mean += sum / count / (2 * a->passport_count);
            *inverses += count / sum;
        }
    }
    return mean;
}

/* The outcome of a run, its evidence cloned. */
static pg_outcome run_fake3(const subject *victim, const char *yaml, pg_evidence **forged)
{
    raid r;
    pg_outcome o, none;
    open_raid(&r, "fake3", yaml, victim);
    assert_true(next(&r, &o));
    OK(pg_evidence_clone(o.evidence, forged, &err));
    if (o.shown) assert_weights_kept(o.shown, victim->model);
    o.shown = NULL;
    o.evidence = NULL;
    assert_false(next(&r, &none));
    close_raid(&r);
    return o;
}

/* Its loss falls, where the distance from the original dominates it and where it does not. */
TEST(fake3_lowers_its_loss)
{
    static const char *const starts[] = {"noise: 0.001", "noise: 0.5"};
    static const char *const schemes[] = {"v1", "v2", "pan"};
    for (int i = 0; i < 3; i++) {
        subject victim = victim_of(schemes[i], i == 1 ? PG_NORM_GN : PG_NORM_BN);
        for (int k = 0; k < 2; k++) {
            pg_evidence *begin = NULL, *end = NULL;
            char yaml[128];
            double from, to;
            snprintf(yaml, sizeof yaml, "{%s, alpha: 1, epochs: 1, batch: 40, lr: 1e-15, freeze_stats: true}", starts[k]);
            (void)run_fake3(&victim, yaml, &begin);
            snprintf(yaml, sizeof yaml, "{%s, alpha: 1, epochs: 12, batch: 20, crop: false, freeze_stats: true}", starts[k]);
            const pg_outcome o = run_fake3(&victim, yaml, &end);
            const double before = distance_of(begin, victim.evidence, &from), after = distance_of(end, victim.evidence, &to);
            assert_true(fabs(before / (k ? 0.25 : 1e-6) - 1) < 0.1);
            assert_true(fabs(measure(&o, "passport_distance") - after) < 1e-6 * after);
            assert_true(training_loss(&victim, end, 1) + to < training_loss(&victim, begin, 1) + from);
            if (!k) assert_true(after > 10 * before);
            pg_evidence_destroy(&begin);
            pg_evidence_destroy(&end);
        }
        subject_destroy(&victim);
    }
}

/* Passports that begin where the genuine ones are have no direction to leave in: no forgery of numbers that are none. */
TEST(fake3_without_noise_has_no_direction)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    raid r;
    pg_attack_state what;
    pg_outcome o;
    open_raid(&r, "fake3", "{noise: 1e-12, epochs: 1, batch: 40}", &victim);
    FAILS(r.attack->step(r.state, &what, &o, &err), PG_FAILED, "the gradient of the passports is not finite");
    close_raid(&r);
    subject_destroy(&victim);
}

/* A share of each layer's bits is turned, and the passports are trained to give them. */
TEST(fake3_gives_the_bits_it_turned)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    pg_evidence *begin = NULL, *end = NULL;
    (void)run_fake3(&victim, "{flips: 0.3, epochs: 1, batch: 40, lr: 1e-15}", &begin);
    (void)run_fake3(&victim, "{flips: 0.3, alpha: 10, clip: 100, lr: 0.05, epochs: 30, batch: 20}", &end);
    for (int i = 0; i < begin->passport_count; i++) {
        int turned = 0;
        for (int k = 0; k < begin->passports[i].outputs; k++)
            turned += begin->passports[i].b[k] != victim.evidence->passports[i].b[k];
        assert_int_equal(turned, (int)(0.3 * begin->passports[i].outputs));
        assert_memory_equal(begin->passports[i].b, end->passports[i].b, (size_t)end->passports[i].outputs);
    }
    assert_true(judge_alone(victim.model, end).agree > judge_alone(victim.model, begin).agree);
    pg_evidence_destroy(&begin);
    pg_evidence_destroy(&end);
    subject_destroy(&victim);
}

/* ---- overwriting PAN ---- */

static bool is_private(const pg_model *m, const pg_tensor *t)
{
    const pg_affine *a = m->layers[t->layer].affine, *private = &a[PG_PRIVATE];
    if (!t->buffer) return pg_model_of_perceptron(m, t);
    return private->mean != a[PG_PUBLIC].mean && (t->offset == private->mean || t->offset == private->var);
}

/* The thief trains a private branch of his own; the owner is judged with the one that he kept, over what the thief changed. */
TEST(overwrite_trains_a_private_branch_beside_the_owners)
{
    subject victim = victim_of("pan", PG_NORM_BN);
    raid r;
    pg_outcome o;
    int kept = 0;
    open_raid(&r, "overwrite", "{epochs: 1, batch: 40}", &victim);
    assert_true(next(&r, &o));
    for (int i = 0; i < o.model->tensor_count; i++) {
        const pg_tensor *t = &o.model->tensors[i];
        const size_t bytes = t->count * sizeof(pg_real);
        const pg_real *owners = (t->buffer ? o.model->buffers : o.model->params) + t->offset,
                      *thiefs = (t->buffer ? o.shown->buffers : o.shown->params) + t->offset,
                      *before = (t->buffer ? victim.model->buffers : victim.model->params) + t->offset;
        assert_memory_equal(owners, is_private(o.model, t) ? before : thiefs, bytes);
        assert_memory_not_equal(thiefs, before, bytes);
        kept += is_private(o.model, t);
    }
    assert_int_equal(kept, 4 * victim.model->passport_count);
    close_raid(&r);
    subject_destroy(&victim);
}

/* ---- FC substitution ---- */

TEST(substitute_trains_passports_on_its_images)
{
    for (int kind = 0; pg_residual_kinds[kind]; kind++) {
        subject victim = victim_of(kind == 1 ? "v2" : "v1", PG_NORM_BN);
        raid r;
        pg_outcome o;
        char yaml[128];
        snprintf(yaml, sizeof yaml, "{block: %s, share: 50, epochs: 12, batch: 10, crop: false, freeze_stats: true}",
                 pg_residual_kinds[kind]);
        open_raid(&r, "substitute", yaml, &victim);
        assert_true(next(&r, &o));
        assert_true(measure(&o, "loss_last") < measure(&o, "loss_first"));
        assert_true(measure(&o, "affine_missed_by") < 1e-5);
        assert_true(measure(&o, "data_images") == data.train.count / 2.0);
        assert_statistics_kept(o.shown, victim.model);
        assert_weights_kept(o.shown, victim.model);
        const pg_finding f = judge_alone(victim.model, o.evidence);
        assert_int_equal(f.agree, f.bits);
        assert_true(fabs((double)o.evidence->passports[0].key[0]) > 0); /* beta has left zero */
        assert_false(next(&r, &o));
        close_raid(&r);
        subject_destroy(&victim);
    }
}

/* With frozen statistics, what is trained is the stolen network: the loss that the forger sees in his last epoch is the one
 * that it has with his passports. */
TEST(frozen_statistics_keep_the_stolen_network)
{
    static const char *const runs[][2] = {
        {"fake2", "{flips: 0.3, epochs: 8, batch: 20, crop: false, freeze_stats: true}"},
        {"substitute", "{share: 100, epochs: 8, batch: 20, crop: false, freeze_stats: true}"}};
    for (int i = 0; i < 2; i++) {
        subject victim = victim_of("v1", PG_NORM_BN);
        raid r;
        pg_outcome o;
        open_raid(&r, runs[i][0], runs[i][1], &victim);
        assert_true(next(&r, &o));
        assert_statistics_kept(o.shown, victim.model);
        const double seen = measure(&o, "loss_last"), found = training_loss(&victim, o.evidence, 0);
        assert_true(fabs(seen / found - 1) < 0.1);
        close_raid(&r);
        subject_destroy(&victim);
    }
}

/* Shared images are the owner's and none else, disjoint ones the others. */
TEST(overlap_chooses_whose_images_are_used)
{
    static const char *const runs[] = {"{share: 25, epochs: 1, batch: 10}",
                                       "{share: 25, epochs: 1, batch: 10, overlap: disjoint}"};
    subject victim = victim_of("v1", PG_NORM_BN);
    pg_dataset *const sets[] = {&data.train, &fresh};
    char before[2][PG_SHA256_HEX], after[PG_SHA256_HEX];
    for (int i = 0; i < 2; i++) hash_outcomes("substitute", runs[i], &victim, 1, before[i]);
    for (int changed = 0; changed < 2; changed++) {
        uint8_t *const images = sets[changed]->images;
        const size_t bytes = (size_t)sets[changed]->count * 32 * 32 * 3;
        for (size_t b = 0; b < bytes; b++) images[b] ^= 255;
        for (int i = 0; i < 2; i++) {
            hash_outcomes("substitute", runs[i], &victim, 1, after);
            assert_int_equal(strcmp(before[i], after) != 0, i == changed);
        }
        for (size_t b = 0; b < bytes; b++) images[b] ^= 255;
    }
    subject_destroy(&victim);
}

/* ---- analytic inversion, the attack ---- */

/* An outsider's passports act as the deployed network does, from any start, and carry another signature. */
TEST(inverted_passports_act_as_the_deployed_network)
{
    static const char *const runs[] = {"{start: nothing}", "{start: random}", "{start: shuffle, images: 5}"};
    subject victim = victim_of("v2", PG_NORM_GN);
    const pg_finding genuine = judge_alone(victim.model, victim.evidence);
    for (int i = 0; i < 3; i++) {
        raid r;
        pg_outcome o;
        open_raid(&r, "invert", runs[i], &victim);
        for (int at = 0; next(&r, &o); at++) {
            static const double levels[] = {0, 10, 25, 50};
            const pg_finding f = judge_alone(victim.model, o.evidence);
            assert_true(o.value == levels[at]);
            assert_int_equal(f.agree, f.bits);
            assert_true(measure(&o, "affine_missed_by") < 1e-5);
            assert_true(measure(&o, "passport_negative") >= 0 && measure(&o, "passport_negative") <= 100);
            assert_true(measure(&o, "passport_moved") > 0);
            if (at == 0) assert_true(fabs(f.private_branch.exact - genuine.public_branch.exact) <= 100.0 / IMAGES);
            int turned = 0;
            for (int l = 0; l < o.evidence->passport_count; l++)
                for (int k = 0; k < o.evidence->passports[l].outputs; k++)
                    turned += (o.evidence->passports[l].b[k] > 0) != (gammas(r.running, l)[k] > 0);
            assert_int_equal(turned, (int)(o.value / 100 * f.bits));
        }
        close_raid(&r);
    }
    subject_destroy(&victim);
}

/* ---- all of them ---- */

static const struct {
    const char *name, *yaml;
} quick[] = {{"fake2", "{epochs: 1, batch: 10}"},
             {"fake3", "{epochs: 1, batch: 10, flips: 0.5}"},
             {"flip", "{levels: [30]}"},
             {"permute", "{repeats: 2}"},
             {"substitute", "{epochs: 1, batch: 4}"},
             {"invert", "{flips: [10], images: 5}"}};
enum { QUICK = sizeof quick / sizeof *quick };

/* The same seed gives the same outcomes on any number of threads, another seed other ones. */
static void check_deterministic(const char *name, const char *yaml, const subject *victim)
{
    char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
    hash_outcomes(name, yaml, victim, 1, first);
    pg_compute_start(2);
    hash_outcomes(name, yaml, victim, 1, hex);
    pg_compute_start(1);
    assert_string_equal(hex, first);
    hash_outcomes(name, yaml, victim, 2, hex);
    assert_string_not_equal(hex, first);
}

TEST(outcomes_depend_on_the_seed_and_not_on_threads)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    subject uchida = owner_of("uchida", "{bits: 32}", 1), adi = owner_of("adi", "{trigger_count: 8}", 1);
    for (int i = 0; i < QUICK; i++) check_deterministic(quick[i].name, quick[i].yaml, &victim);
    check_deterministic("counterfeit-uchida", "{method: iterative}", &uchida);
    check_deterministic("counterfeit-uchida", "{method: closed-form}", &uchida);
    check_deterministic("counterfeit-triggers", "{count: 4, steps: 5}", &adi);
    check_deterministic("overwrite", "{epochs: 1, batch: 20}", &victim);
    check_deterministic("overwrite", "{epochs: 1, batch: 20}", &uchida);
    check_deterministic("overwrite", "{epochs: 1, batch: 20}", &adi);
    subject_destroy(&victim);
    subject_destroy(&uchida);
    subject_destroy(&adi);
}

static void refuses(const char *name, const char *yaml, const subject *victim, const char *text)
{
    raid r;
    prepare(&r, name, yaml, victim);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, text);
    close_raid(&r);
}

/* What an attack cannot do it says before it trains. */
TEST(what_cannot_be_done_is_refused_before_training)
{
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject pan = subject_create("pan", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject v1 = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    for (int i = 0; i < QUICK; i++) {
        refuses(quick[i].name, quick[i].yaml, &plain, "no passport layers");
        const bool solves = strcmp(quick[i].name, "fake3") != 0 && strcmp(quick[i].name, "permute") != 0;
        if (solves) refuses(quick[i].name, quick[i].yaml, &pan, "behind the perceptron");
        assert_int_equal(pg_attack_find(quick[i].name)->needs, solves ? PG_HOLDS_AFFINES : PG_HOLDS_PASSPORTS);
    }
    refuses("fake2", "{batch: 41}", &v1, "40 training images of synthetic do not fill one batch of 41");
    refuses("substitute", "{share: 5}", &v1, "2 training images of synthetic do not fill one batch of 64");
    refuses("substitute", "{share: 1}", &v1, "share: 1 % of the owner's images are 0");
    refuses("substitute", "{share: 50, overlap: disjoint}", &v1, "are 20, of disjoint ones there are 15");
    refuses("invert", "{images: 21}", &v1, "a passport takes 21 distinct images, but synthetic has 20");
    subject_destroy(&plain);
    subject_destroy(&pan);
    subject_destroy(&v1);
}

/* ---- the threat model ---- */

static const pg_attack *spied; /* the real attack */
static pg_hash spied_hash;
static bool spied_evidence;

static pg_status spy_start(void *state, const void *options, const pg_attack_view *view, pg_error *error)
{
    spied_evidence |= view->evidence != NULL;
    return spied->start(state, options, view, error);
}

static pg_status spy_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *error)
{
    const pg_status status = spied->step(state, what, outcome, error);
    char commitment[PG_SHA256_HEX];
    if (status != PG_OK || *what < PG_ATTACK_OUTCOME) return status;
    pg_evidence_commitment(outcome->evidence, commitment);
    pg_hash_add_text(&spied_hash, commitment);
    return PG_OK;
}

/* Run an attack as a task of a grid, on a victim that lies in the run's folder; SHA-256 of what it forges. The caller clears
 * the record. */
static void forge(const subject *victim, const char *name, const char *yaml, pg_record *record, char hex[PG_SHA256_HEX])
{
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    char path[PG_PATH_MAX];
    raid r;
    prepare(&r, name, yaml, victim);
    spied = r.attack;
    pg_attack spy = *spied;
    spy.start = spy_start;
    spy.step = spy_step;
    pg_hash_start(&spied_hash);
    OK(pg_execute_path(&at, "models", "victim", path, &err));
    OK(pg_model_save(victim->model, NULL, 0, path, &err));
    OK(pg_execute_path(&at, "evidence", "victim", path, &err));
    OK(pg_evidence_save(victim->evidence, path, &err));
    const pg_task task = {.kind = PG_TASK_ATTACK,
                          .data = planned_data(40, IMAGES),
                          .key = "forgery",
                          .scheme = victim->scheme,
                          .seed = 1,
                          .victim = "victim",
                          .attack = &spy,
                          .attack_options = r.options,
                          .verify = {.level = 1e-3, .tolerance = 5, .nulls = 0, .batch = IMAGES}};
    OK(pg_execute_attack(&task, &at, record, &err));
    pg_hash_finish_hex(&spied_hash, hex);
    pg_free(r.state);
    pg_free(r.options);
    pg_model_destroy(&r.running);
}

/* Outsiders forge the same whatever the owner's passports, mark, signature and triggers are; insiders do not. */
static void check_reach(const subject *victim, const subject *other)
{
    static const struct {
        const char *name, *yaml;
        bool insider;
    } runs[] = {{"fake1", "{repeats: 2}", false},
                {"fake1", "{repeats: 2, carrier: stolen, signature: matching}", false},
                {"fake2", "{epochs: 1, batch: 20}", false},
                {"substitute", "{epochs: 1, batch: 4}", false},
                {"substitute", "{epochs: 1, batch: 4, overlap: disjoint}", false},
                {"invert", "{flips: [10]}", false},
                {"counterfeit-uchida", "{bits: 32}", false},
                {"counterfeit-uchida", "{bits: 32, method: free}", false},
                {"counterfeit-triggers", "{count: 4, steps: 3}", false},
                {"counterfeit-triggers", "{count: 4, steps: 3, start: pictures}", false},
                {"fake3", "{epochs: 1, batch: 20}", true},
                {"flip", "{levels: [10]}", true}};
    int count = 0;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char mine[PG_SHA256_HEX], theirs[PG_SHA256_HEX];
        pg_record first = {0}, second = {0};
        subject swapped = *victim;
        if (!(pg_attack_find(runs[i].name)->needs & victim->scheme->holds)) continue;
        spied_evidence = false;
        swapped.evidence = other->evidence;
        forge(victim, runs[i].name, runs[i].yaml, &first, mine);
        forge(&swapped, runs[i].name, runs[i].yaml, &second, theirs);
        pg_record_clear(&first);
        pg_record_clear(&second);
        assert_int_equal(spied_evidence, runs[i].insider);
        assert_int_equal(strcmp(mine, theirs) != 0, runs[i].insider);
        count++;
    }
    assert_true(count >= 2);
}

TEST(secrets_are_out_of_reach)
{
    static const char *const schemes[] = {"v2", "v3"};
    static const char *const keys[][2] = {{"uchida", "{bits: 32}"}, {"adi", "{trigger_count: 8}"}};
    for (int k = 0; k < 4; k++) {
        subject victim, other;
        if (k < 2) {
            victim = victim_of(schemes[k], PG_NORM_BN);
            other = subject_wire(schemes[k], PG_NORM_BN, PG_PASSPORT_SHUFFLE);
            other.seed.grid = 99;
            subject_fill(&other, &data);
        } else {
            victim = owner_of(keys[k - 2][0], keys[k - 2][1], 1);
            other = owner_of(keys[k - 2][0], keys[k - 2][1], 99);
        }
        check_reach(&victim, &other);
        subject_destroy(&other);
        subject_destroy(&victim);
    }
    pg_task_release_data();
}

/* ---- the sheet of a forgery ---- */

static double cell(const pg_record *record, const char *outcome, const char *metric)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].outcome, outcome) == 0 && strcmp(record->cells[i].metric, metric) == 0)
            return record->cells[i].value;
    fail_msg("no %s of %s", metric, outcome);
    return NAN;
}

/* Beside what the judge finds: the owner's bits before and after, bits that differ, what it cost, whether it is an ambiguity.
 * Nothing in it depends on time. */
TEST(a_record_tells_bits_costs_and_ambiguity)
{
    subject victim = victim_of("v1", PG_NORM_BN);
    const int bits = pg_evidence_bits(victim.evidence);
    pg_record flip = {0}, again = {0}, fake2 = {0};
    char hex[PG_SHA256_HEX];
    forge(&victim, "flip", "{levels: [0, 50]}", &flip, hex);
    forge(&victim, "flip", "{levels: [0, 50]}", &again, hex);
    forge(&victim, "fake2", "{epochs: 2, batch: 20}", &fake2, hex);
    assert_true(cell(&flip, "genuine", "detection") == 100);
    assert_true(cell(&flip, "genuine", "agreeing") == bits && cell(&flip, "genuine", "null_probability") == 0.5);
    assert_true(cell(&flip, "level=0", "bits_differing") == 0 && cell(&flip, "level=0", "owner_bits_matched") == 100);
    assert_true(cell(&flip, "level=0", "ambiguous") == 0); /* the owner's own signature is none of the forger's */
    const double turned = 100.0 * (bits / 2) / bits;       /* rounded down */
    assert_true(fabs(cell(&flip, "level=50", "bits_differing") - turned) < 1e-9);
    assert_true(cell(&flip, "level=50", "owner_detection") == 100 && cell(&flip, "level=50", "detection") == 100);
    const bool serves = cell(&flip, "level=50", "accuracy_private") >= cell(&flip, "genuine", "accuracy") - 2;
    assert_true(cell(&flip, "level=50", "ambiguous") == (serves && !cell(&flip, "level=50", "useless")));
    assert_true(cell(&fake2, "", "attack_images") == 80 && cell(&fake2, "", "attack_flops") > 80 * pg_model_macs(victim.model));
    assert_true(cell(&flip, "level=50", "attack_images") == 0 && cell(&flip, "level=50", "attack_flops") == 0);
    assert_true(cell(&fake2, "", "loss_last") > 0);
    assert_int_equal(flip.cell_count, again.cell_count);
    for (int i = 0; i < flip.cell_count; i++) assert_true(flip.cells[i].value == again.cells[i].value);
    pg_record_clear(&flip);
    pg_record_clear(&again);
    pg_record_clear(&fake2);
    subject_destroy(&victim);
    pg_task_release_data();
}

static bool has_cell(const pg_record *record, const char *outcome, const char *metric)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].outcome, outcome) == 0 && strcmp(record->cells[i].metric, metric) == 0) return true;
    return false;
}

/* The sheet of one forgery: the owner's statistic where it is shown, the forger's, and the accuracy decide. Only evidence of as
 * many bits as the owner's has bits that differ. True if it is an ambiguity. */
static bool check_sheet(const subject *victim, const char *attack, const char *yaml, const char *outcome, bool comparable)
{
    pg_record record = {0};
    char hex[PG_SHA256_HEX];
    forge(victim, attack, yaml, &record, hex);
    const bool unchanged = strcmp(outcome, "attacker") != 0;
    const double before = judge_alone(victim->model, victim->evidence).deployed.exact;
    const bool serves = cell(&record, outcome, "accuracy_claimed") >= before - 2 && !cell(&record, outcome, "useless");
    bool another = cell(&record, outcome, "detection") == 100;
    assert_int_equal(has_cell(&record, outcome, "bits_differing"), comparable);
    assert_int_equal(has_cell(&record, outcome, "owner_bits_matched"), comparable);
    if (comparable) {
        const double differing = cell(&record, outcome, "bits_differing");
        another = differing >= 25 || (differing > 0 && another);
    }
    assert_true(cell(&record, outcome, "ambiguous") == (serves && another));
    assert_int_equal(has_cell(&record, "genuine", "detection"), unchanged);
    const bool triggers = has_cell(&record, outcome, "triggers"), passports = victim->evidence->passport_count > 0;
    const char *statistic = triggers && passports ? "trigger_public" : "detection";
    assert_true(fabs(cell(&record, outcome, "owner_detection") - cell(&record, unchanged ? "genuine" : "", statistic)) < 1e-9);
    assert_true(cell(&record, unchanged ? outcome : "", "attack_images") >= 0);
    assert_true(cell(&record, unchanged ? outcome : "", "attack_flops") >= 0);
    pg_record_clear(&record);
    return serves && another;
}

/* Every form of claim has its sheet: marks of as many bits as the owner's and of more, triggers against triggers alone and
 * beside passports, and evidence that was trained into the stolen model. */
TEST(every_form_of_claim_has_its_record)
{
    subject uchida = owner_of("uchida", "{bits: 32}", 1), whole = owner_of("uchida", "{bits: 256}", 1);
    subject adi = owner_of("adi", "{trigger_count: 8}", 1);
    subject v3 = owner_of("v3", "{passport: random, trigger_count: 8}", 1);
    subject *const victims[] = {&uchida, &whole, &adi, &v3};
    pg_train_options training = test_training(24, 8); /* enough for every network to beat guessing clearly */
    training.lr = 0.05;
    assert_false(check_sheet(&uchida, "counterfeit-uchida", "{bits: 32}", "", true)); /* a useless network has no ambiguities */
    for (int i = 0; i < 4; i++) subject_train(victims[i], &data, &training);
    assert_true(check_sheet(&uchida, "counterfeit-uchida", "{bits: 32}", "", true));
    assert_true(check_sheet(&uchida, "counterfeit-uchida", "{bits: 64}", "", false));
    assert_true(check_sheet(&adi, "counterfeit-triggers", "{count: 4}", "", false));
    assert_false(check_sheet(&adi, "counterfeit-triggers", "{count: 4, steps: 1, bound: 1}", "", false));
    assert_true(check_sheet(&v3, "counterfeit-triggers", "{count: 4}", "", false));
    (void)check_sheet(&uchida, "overwrite", "{epochs: 1, batch: 20}", "attacker", false);
    (void)check_sheet(&whole, "overwrite", "{epochs: 1, batch: 20}", "attacker", true);
    (void)check_sheet(&adi, "overwrite", "{epochs: 1, batch: 20}", "attacker", false);
    for (int i = 0; i < 4; i++) subject_destroy(victims[i]);
    pg_task_release_data();
}

/* What each may see. V1's passports come with the network, but even so these attackers do not use them. */
TEST(every_forger_declares_what_it_sees)
{
    assert_int_equal(pg_attack_find("fake2")->sees, PG_SEES_TRAIN | PG_SEES_AFFINE);
    assert_int_equal(pg_attack_find("fake3")->sees, PG_SEES_TRAIN | PG_SEES_EVIDENCE);
    assert_int_equal(pg_attack_find("flip")->sees, PG_SEES_EVIDENCE);
    assert_int_equal(pg_attack_find("permute")->sees, PG_SEES_EVIDENCE);
    assert_int_equal(pg_attack_find("substitute")->sees, PG_SEES_TRAIN | PG_SEES_FRESH);
    assert_int_equal(pg_attack_find("invert")->sees, PG_SEES_AFFINE);
}

/* Everything that an attack counts by has limits in its checkpoint, so that no position beyond its work is restored. */
TEST(every_position_in_a_checkpoint_has_limits)
{
    static const char *const raids[][2] = {
        {"fake1", "{}"}, {"fake2", "{batch: 8}"},    {"fake3", "{batch: 8}"},
        {"flip", "{}"},  {"invert", "{}"},           {"permute", "{}"},
        {"prune", "{}"}, {"finetune", "{batch: 8}"}, {"substitute", "{batch: 8, share: 50}"}};
    subject victim = victim_of("v2", PG_NORM_BN);
    for (size_t a = 0; a < sizeof raids / sizeof *raids; a++) {
        raid r;
        pg_snapshot snapshot = {0};
        int numbers = 0;
        open_raid(&r, raids[a][0], raids[a][1], &victim);
        r.attack->keep(r.state, &snapshot);
        for (int i = 0; i < snapshot.count; i++) {
            const struct pg_kept *kept = &snapshot.kept[i];
            if (kept->count != 1 || kept->dtype == PG_F32 || kept->dtype == PG_F64) continue;
            if (isinf(kept->low) || isinf(kept->high)) fail_msg("%s: %s has no limits", raids[a][0], kept->name);
            numbers++;
        }
        assert_true(numbers > 0);
        close_raid(&r);
    }
    subject_destroy(&victim);
}
