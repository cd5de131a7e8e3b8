/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks whose reader is learned: a perceptron beside the network, and an autoencoder that is cut in two. */
#include "core/ownership/extractor.h"
#include "tests/unit/watermark.h"

/* ---- a perceptron that is trained with the network ---- */

/* E of an extractor, by the bits b. */
static double extractor_loss(const pg_mark *m, const pg_model *model, const int8_t *b)
{
    double z[64], loss = 0;
    pg_mark_read(m, model, z);
    for (int j = 0; j < m->bits; j++) loss += log1p(exp(-b[j] * z[j]));
    return loss;
}

TEST(an_extractor_descends_the_gradient_of_its_loss)
{
    if (!in_double) skip("needs doubles");
    owner o = owner_create("riga", "{bits: 16, hidden: 7, layers: last 2}");
    pg_mark *m = &o.evidence->mark;
    pg_evidence *moved = NULL;
    int8_t b[16];
    size_t shape[2];
    for (int j = 0; j < 16; j++) b[j] = (int8_t)-m->b[j];
    pg_mark_shape(m, shape);
    OK(pg_evidence_clone(o.evidence, &moved, &err));
    pg_extractor_learn(&moved->mark, o.model, b, 1e-3, NULL);
    for (size_t i = 0; i < shape[0] * shape[1]; i += 13) {
        pg_real *x = &m->projection[i];
        const pg_real saved = *x, h = (pg_real)1e-5;
        const double gradient = (double)(saved - moved->mark.projection[i]) / 1e-3;
        *x = saved + h;
        const double above = extractor_loss(m, o.model, b);
        *x = saved - h;
        const double slope = (above - extractor_loss(m, o.model, b)) / (2 * (double)h);
        *x = saved;
        if (!(fabs(slope - gradient) <= 1e-6 * fmax(fabs(slope), 1e-3)))
            fail_msg("value %zu: %.12g, not %.12g", i, gradient, slope);
    }
    pg_evidence_destroy(&moved);
    owner_destroy(&o);
}

/* Networks without the mark in which every bit is read as published: no error. */
static int believed_strangers(const pg_evidence *evidence, pg_model *model, int *significant)
{
    int whole = 0;
    for (int i = 0; i < 20; i++) {
        pg_model_initialise(model, (pg_seed){.grid = (uint64_t)i + 7, .task = "stranger"}, "weights");
        const pg_finding f = judge(model, evidence);
        whole += f.agree == f.bits;
        *significant += f.significant;
    }
    return whole;
}

/* A perceptron that is taught the bits alone reads them nearly everywhere, and one that learns another message where there is
 * no mark reads that. The judge believes neither on a network without the mark. */
TEST(a_learned_extractor_may_read_its_bits_in_networks_without_a_mark)
{
    static const char *const keys[] = {"{bits: 64, hidden: 50, strength: 1, contrast: 0}",
                                       "{bits: 64, hidden: 50, strength: 1}"};
    int whole[2], significant[2] = {0};
    for (int k = 0; k < 2; k++) {
        owner o = owner_create("riga", keys[k]), stranger = owner_create("plain", "{}");
        train(&o, 20);
        const pg_finding own = judge(o.model, o.evidence);
        assert_int_equal(own.agree, 64);
        assert_int_equal(own.significant, k == 1);
        whole[k] = believed_strangers(o.evidence, stranger.model, &significant[k]);
        owner_destroy(&stranger);
        owner_destroy(&o);
    }
    printf("all bits are read in %d of 20 strangers, and in %d with another message\n", whole[0], whole[1]);
    assert_true(whole[0] >= 5 && whole[1] == 0);
    assert_int_equal(significant[0] + significant[1], 0);
}

/* What is learned is part of the checkpoint, and belongs to the network of its epoch. */
TEST(learned_evidence_is_kept_with_the_best_network)
{
    const pg_train_options options = test_training(2, 32);
    owner o = owner_create("riga", "{bits: 16, hidden: 5}");
    pg_trainer *trainer = trainer_of(&o, &options), *resumed = trainer_of(&o, &options);
    const double good[2] = {50, NAN}, bad[2] = {10, NAN};
    OK(pg_trainer_judge_epoch(trainer, good, &err));
    assert_same_commitment(pg_trainer_best_evidence(trainer), o.evidence, true);
    while (!pg_trainer_done(trainer)) {
        OK(pg_trainer_step(trainer, &err));
        if (pg_trainer_epoch_done(trainer) && !pg_trainer_done(trainer)) OK(pg_trainer_judge_epoch(trainer, bad, &err));
    }
    assert_same_commitment(pg_trainer_best_evidence(trainer), o.evidence, true);
    assert_same_commitment(pg_trainer_evidence(trainer), o.evidence, false);
    OK(pg_trainer_save(trainer, "state", &err));
    OK(pg_trainer_load(resumed, "state", &err));
    assert_same_commitment(pg_trainer_best_evidence(resumed), o.evidence, true);
    assert_same_commitment(pg_trainer_evidence(resumed), pg_trainer_evidence(trainer), true);
    pg_trainer_destroy(&trainer);
    pg_trainer_destroy(&resumed);
    owner_destroy(&o);
}

/* ---- an autoencoder that is cut in two ---- */

/* The pictures that the owner's decoder rebuilds are near his own as long as the encoder is in its places. */
static double error_of(const pg_mark *m, const pg_model *model)
{
    double z[512], wrong = 0, all = 0;
    const pg_real *pictures = m->projection + (ptrdiff_t)2 * m->pooled * 64;
    pg_mark_read(m, model, z);
    for (int i = 0; i < m->bits; i++) {
        wrong += pow(z[i] - (double)pictures[i], 2);
        all += pow((double)pictures[i], 2);
    }
    return wrong / all;
}

TEST(a_decoder_rebuilds_pictures_from_the_marked_network_alone)
{
    owner o = owner_create("hufunet", "{pictures: 8, codes: 32, images: 64, sweeps: 200}");
    const double unmarked = error_of(&o.evidence->mark, o.model);
    o.scheme->hold(o.options, o.evidence, o.model);
    const double marked = error_of(&o.evidence->mark, o.model);
    printf("squared error, of that of grey pictures: %.2f, without the mark %.2f\n", marked, unmarked);
    assert_true(marked < 0.2 && unmarked > 0.8);
    owner_destroy(&o);
}

/* A forger solves for a decoder that makes his pictures of the codes that a network without the mark happens to give. He has as
 * many codes as pictures, so he can. The network agrees, because free evidence may follow from the network; others do not. */
static void forge_decoder(pg_mark *m, const pg_model *model)
{
    const int pictures = m->bits / 64;
    pg_real *decoder = pg_mark_decoder(m);
    double z[512];
    for (int sweep = 0; sweep < 4; sweep++) {
        pg_mark_read(m, model, z);
        for (int p = 0; p < pictures; p++) {
            double code[64], square = 0, read[512];
            for (int k = 0; k < m->pooled; k++) { /* the code is what a decoder of a single 1 reads */
                pg_real kept[64];
                memcpy(kept, decoder + k * 64, sizeof kept);
                for (int i = 0; i < 64; i++) decoder[k * 64 + i] += 1;
                pg_mark_read(m, model, read);
                memcpy(decoder + k * 64, kept, sizeof kept);
                code[k] = read[p * 64] - z[p * 64];
                square += code[k] * code[k];
            }
            for (int k = 0; k < m->pooled; k++)
                for (int i = 0; i < 64; i++)
                    decoder[k * 64 + i] += (pg_real)(code[k] / square * (m->b[p * 64 + i] - z[p * 64 + i]));
            pg_mark_read(m, model, z);
        }
    }
}

TEST(a_decoder_can_be_forged_for_any_network)
{
    owner o = owner_create("hufunet", "{pictures: 8, codes: 16, images: 64, sweeps: 100}"), other = owner_create("plain", "{}");
    assert_false(judge(o.model, o.evidence).significant);
    forge_decoder(&o.evidence->mark, o.model);
    const pg_finding forged = judge(o.model, o.evidence);
    printf("forged: %d of %d, p %.2g\n", forged.agree, forged.bits, forged.p_value);
    assert_true(forged.significant && forged.agree > 0.9 * forged.bits);
    for (int i = 0; i < 5; i++) {
        pg_model_initialise(other.model, (pg_seed){.grid = (uint64_t)i, .task = "stranger"}, "weights");
        assert_false(judge(other.model, o.evidence).significant);
    }
    owner_destroy(&other);
    owner_destroy(&o);
}
