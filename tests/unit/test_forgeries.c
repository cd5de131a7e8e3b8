/* Forged evidence: what judging many forgeries shares, solving for passports, and the attacks that forge. */
#include "attacks/attack.h"
#include "core/ownership/inversion.h"
#include "core/ownership/verify.h"
#include "tests/unit/subject.h"

enum { IMAGES = 20, BATCH = 8, NULLS = 5 };
static const pg_verify_options verify = {.level = 1e-3, .tolerance = 5, .nulls = NULLS, .batch = BATCH};
static pg_data data;

/* ---- the trunk ---------------------------------------------------------------------------------------------------------- */

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
    assert_int_equal(a->significant, b->significant);
    assert_int_equal(a->works, b->works);
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
static void test_trunk_logits(void **state)
{
    (void)state;
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
            memcpy(expected, pg_net_forward(net, s.model, (pg_branch)branch, PG_EVAL, images, N, false), sizeof expected);
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
static void test_judge(void **state)
{
    (void)state;
    for (int i = 0; i < SITES; i++) {
        subject s = subject_at(&sites[i]);
        pg_judge *judge = NULL;
        pg_evidence *forged = NULL;
        pg_nulls nulls;
        OK(pg_nulls_draw(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, NULLS, s.seed, &nulls, &err));
        OK(pg_judge_create(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, &verify, &judge, &err));
        OK(pg_evidence_clone(s.evidence, &forged, &err));
        for (int claim = 0; claim < 3; claim++) {
            pg_finding alone, together;
            OK(pg_verify(s.model, forged, &data.test, PG_PIXELS_IMAGENET, &verify, 40, &nulls, &alone, &err));
            OK(pg_judge_claim(judge, forged, 40, &nulls, &together, &err));
            assert_same_finding(&alone, &together);
            for (int p = 0; p < forged->passport_count; p++)
                for (int e = 0; e < forged->passports[p].inputs; e++) forged->passports[p].skey[e] -= (pg_real)0.75;
        }
        pg_evidence_destroy(&forged);
        pg_judge_destroy(&judge);
        pg_nulls_clear(&nulls);
        subject_destroy(&s);
    }
}

/* Whatever part of the images a trunk has room for. */
static void test_trunk_room(void **state)
{
    (void)state;
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

static void test_judge_refuses(void **state)
{
    (void)state;
    subject s = subject_at(&sites[1]), other = subject_at(&sites[3]);
    pg_judge *judge = NULL;
    pg_finding f;
    OK(pg_judge_create(s.model, s.evidence, &data.test, PG_PIXELS_IMAGENET, &verify, &judge, &err));
    FAILS(pg_judge_claim(judge, other.evidence, 40, NULL, &f, &err), PG_BAD_INPUT, "other layers");
    pg_judge_destroy(&judge);
    subject_destroy(&s);
    subject_destroy(&other);
}

/* ---- analytic inversion ---------------------------------------------------------------------------------------------------
 */

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
static void test_inversion(void **state)
{
    (void)state;
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
static void test_inversion_is_nearest(void **state)
{
    (void)state;
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
static void test_inversion_limits(void **state)
{
    (void)state;
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

static int start(void **state)
{
    const int status = test_start(state);
    data = test_data(40, IMAGES);
    return status;
}

static int end(void **state)
{
    pg_data_clear(&data);
    return test_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trunk_logits),     cmocka_unit_test(test_trunk_room), cmocka_unit_test(test_judge),
        cmocka_unit_test(test_judge_refuses),    cmocka_unit_test(test_inversion),  cmocka_unit_test(test_inversion_is_nearest),
        cmocka_unit_test(test_inversion_limits),
    };
    return cmocka_run_group_tests(tests, start, end);
}
