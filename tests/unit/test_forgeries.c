/* Forged evidence: what judging many forgeries shares, solving for passports, and the attacks that forge. */
#include "attacks/attack.h"
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
        cmocka_unit_test(test_trunk_logits),
        cmocka_unit_test(test_trunk_room),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_judge_refuses),
    };
    return cmocka_run_group_tests(tests, start, end);
}
