/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks in the network with its channels in other orders. Bets on one channel: all bits ask whether that channel is far louder
 * than the others. An accuser who has not seen the network wins whenever it is, which is more often than the level allows. */
#include "core/ownership/reading.h"
#include "tests/unit/watermark.h"

/* Make one channel loud in what the layer's mean filter reads, and in what the last convolution passes on. */
static void make_loud(pg_model *m, const char *layer, int loud)
{
    const pg_layer *l = pg_mark_find_reader(layer, &m->layout), *last = NULL;
    for (int t = 0; t < l->row.kernel * l->row.kernel && l->conv >= 0; t++)
        for (int o = 0; o < l->out_channels; o++)
            m->params[l->weight + (ptrdiff_t)(t * l->in_channels + loud) * l->out_channels + o] += (pg_real)0.5;
    for (int i = 0; i < m->layer_count; i++)
        if (m->layers[i].conv >= 0) last = &m->layers[i];
    m->params[last->affine[PG_PUBLIC].gamma + loud] = 20;
}

/* Let every bit ask whether the channel is louder than three times the mean of all; noise keeps the filters apart. */
static void bet(pg_mark *m, int loud, int channels, double noise)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "bet"}, "noise", 0);
    for (int i = 0; i < pg_mark_width(m) * m->bits; i++) {
        const double stake = 4 * ((i / m->bits % channels == loud) - 3.0 / channels);
        m->projection[i] = (pg_real)(m->b[i % m->bits] * (stake + noise * pg_rng_normal(&rng)));
    }
}

static void lose(const char *scheme, const char *yaml, int loud, double noise)
{
    owner o = owner_create(scheme, yaml);
    pg_mark *m = &o.evidence->mark;
    train(&o, 1);
    make_loud(o.model, m->site[0].layer, loud);
    bet(m, loud, pg_mark_find_reader(m->site[0].layer, &o.model->layout)->in_channels, noise);
    const pg_finding f = judge(o.model, o.evidence);
    assert_true(f.agree >= f.bits * 3 / 4);
    assert_true(f.rearranged.mean < 2); /* in the few orders that all claims are held against, it is almost never loud */
    assert_false(f.significant);
    assert_true(f.p_value > verify_options.level && f.enough > f.agree);
    assert_string_equal(f.null_kind, "rearranged");
    owner_destroy(&o);
}

TEST(a_bet_on_one_channel_of_the_weights_is_not_significant)
{
    lose("uchida", "{bits: 64, strength: 0}", 5, 1);
}

TEST(a_bet_on_one_channel_of_the_activations_is_not_significant)
{
    lose("deepsigns", "{bits: 60, trigger_count: 30, strength: 0}", 2, 0.1);
}

/* Whatever agrees, a p-value from n orders is no smaller than 1 / (n + 1). The level asks for just as many. */
TEST(a_mark_that_agrees_whole_has_the_p_value_of_the_level)
{
    owner o = owner_create("uchida", "{bits: 64, strength: 5}");
    const pg_judge_setup setup = {.model = o.model, .test = &data.test, .options = &verify_options};
    pg_judge *judge = NULL;
    pg_finding once, twice;
    train(&o, 10);
    OK(pg_judge_create(&setup, &judge, &err));
    OK(pg_judge_claim(judge, o.evidence, &once, &err));
    OK(pg_judge_claim_twice(judge, o.evidence, &twice, &err));
    assert_true(once.agree == 64 && once.significant && twice.significant);
    assert_close(once.order_p, 1e-3, 1e-12);
    assert_close(once.p_value, 1e-3, 1e-12);
    assert_close(twice.order_p, 5e-4, 1e-12);
    assert_close(twice.p_value, 1e-3, 1e-12);
    assert_true(once.enough <= 64 && twice.enough <= 64);
    pg_judge_destroy(&judge);
    owner_destroy(&o);
}

TEST(the_p_value_falls_from_one_as_more_bits_agree)
{
    owner o = owner_create("uchida", "{bits: 64, strength: 5}");
    double p, last = 1;
    bool between = false;
    train(&o, 10);
    for (int agree = 0; agree <= 64; agree++, last = p) {
        OK(pg_null_orders(o.model, o.evidence, agree, 99, 1, &p, &err));
        assert_true(p <= last && fabs(1 / p - round(1 / p)) < 1e-9 && (agree || p >= 1));
        between |= p < 1 && p > 0.01;
    }
    assert_true(between);
    assert_close(last, 0.01, 1e-12);
    owner_destroy(&o);
}

/* Only what the mark reads is put in another order. The reading is that of a whole network whose channels were permuted. */
static void compare_readings(const char *scheme, const char *yaml)
{
    owner o = owner_create(scheme, yaml);
    const pg_mark *m = &o.evidence->mark;
    pg_model *part = NULL, *whole = NULL;
    pg_rewrite *order = NULL;
    pg_reading *from = NULL, *quick = NULL, *full = NULL;
    pg_rng rng;
    int8_t signs[2][PG_MARK_BITS_MAX];
    OK(pg_model_clone(o.model, &part, &err));
    OK(pg_model_clone(o.model, &whole, &err));
    OK(pg_rewrite_create(&o.model->layout, &order, &err));
    OK(pg_reading_open(o.model, o.evidence, &from, &err));
    OK(pg_reading_open(part, o.evidence, &quick, &err));
    pg_rng_open(&rng, o.seed, "order", 0);
    for (int i = 0; i < 5; i++) {
        pg_rewrite_draw(o.model, PG_PUBLIC, PG_REWRITE_PERMUTE, &rng, order);
        OK(pg_model_rewrite(o.model, order, whole, &err));
        OK(pg_reading_open(whole, o.evidence, &full, &err));
        pg_reading_reorder(from, m, order, part, quick);
        OK(pg_reading_signs(quick, o.evidence, signs[0], &err));
        OK(pg_reading_signs(full, o.evidence, signs[1], &err));
        assert_memory_equal(signs[0], signs[1], (size_t)m->bits);
        pg_reading_close(&full);
    }
    pg_reading_close(&quick);
    pg_reading_close(&from);
    pg_rewrite_destroy(&order);
    pg_model_destroy(&whole);
    pg_model_destroy(&part);
    owner_destroy(&o);
}

TEST(a_mark_reads_the_same_in_its_layers_and_in_the_whole_network_in_another_order)
{
    if (!in_double) skip("sums round to another sign in float");
    compare_readings("uchida", "{bits: 64}");
    compare_readings("stdm", "{bits: 64, layers: last 2}");
    compare_readings("laplacian", "{bits: 64, spread: 20}");
    compare_readings("neuralmark", "{bits: 64, rounds: 2, pooled: 64}");
    compare_readings("greedy", "{bits: 64, row: 20}");
    compare_readings("deepmarks", "{bits: 64}");
    compare_readings("deepsigns", "{bits: 60, trigger_count: 30}");
    compare_readings("deepsigns", "{bits: 40, trigger_count: 20, layer: features.5}");
}
