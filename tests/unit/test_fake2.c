/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake 2 trains gamma and beta beside the stolen weights. */
#include "tests/unit/forgery.h"

/* At a rate near zero the outcome is the start. gamma has the signs of the running gamma, a share of them turned, or is 0.5
 * times random signs; beta is zero. */
TEST(fake2_starts_from_bare_signs)
{
    static const struct {
        const char *yaml;
        double size, turned; /* the start of gamma; the share that is turned, or -1: unrelated to the running signs */
    } cases[] = {{"{flips: 0, epochs: 1, batch: 20, lr: 1e-12}", 1, 0},
                 {"{flips: 0.3, epochs: 1, batch: 20, lr: 1e-12}", 1, 0.3},
                 {"{flips: 1, epochs: 1, batch: 20, lr: 1e-12}", 1, 1},
                 {"{init: random, epochs: 1, batch: 20, lr: 1e-12}", 0.5, -1}};
    subject victim = victim_of("v1", PG_NORM_BN);
    for (int i = 0; i < 4; i++) {
        raid r;
        pg_outcome o;
        int turned = 0, total = 0, positive = 0;
        open_forgery(&r, "fake2", cases[i].yaml, &victim);
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
        finish(&r);
    }
    subject_destroy(&victim);
}

/* The loss falls. The running statistics change, unless they are frozen. The passports that the forger shows give the trained
 * affine. */
TEST(fake2_trains_gamma_and_beta_alone)
{
    static const char *const schemes[] = {"v1", "v2"};
    for (int i = 0; i < 2; i++) {
        subject victim = victim_of(schemes[i], PG_NORM_BN);
        raid r;
        pg_outcome o;
        open_forgery(&r, "fake2", "{epochs: 6, batch: 8, lr: 0.02, crop: false}", &victim);
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
        finish(&r);
        open_forgery(&r, "fake2", "{epochs: 1, batch: 8, freeze_stats: true}", &victim);
        assert_true(next(&r, &o));
        assert_statistics_kept(o.shown, victim.model);
        finish(&r);
        subject_destroy(&victim);
    }
}
