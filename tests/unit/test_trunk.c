/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judging many forgeries: the shared trunk of the network, and one judge for many claims. */
#include "tests/unit/forgery.h"

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

/* The logits are equal to the bit, also in a batch that is not full. */
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
            if (memcmp(logits, expected, sizeof expected) != 0) fail_msg("site %d branch %d", i, branch);
        }
        pg_free(trunk);
        pg_net_destroy(&net);
        subject_destroy(&s);
    }
}

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

/* It does not matter how many of the images the trunk has room for. */
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

/* Although ReLUs may hide the NaN from the logits. */
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

/* Each claim has the finding that it has alone. */
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
