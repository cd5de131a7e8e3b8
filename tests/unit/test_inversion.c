/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Solving for passports: inversion, the residual blocks that make it easier, and the attack. */
#include "attacks/residual.h"
#include "attacks/solve.h"
#include "core/ownership/inversion.h"
#include "tests/unit/forgery.h"

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

/* The largest distance between the affine that the passports give in the network and the public affine of `wanted`. */
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

/* gamma and beta to 1e-5. The signature is the signs of gamma. */
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

/* The change is orthogonal to every change that leaves the affine as it is. */
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

/* A 1x1 shortcut with more outputs than inputs cannot give every affine. It can give again an affine that it gave once. */
TEST(inversion_reports_what_it_misses)
{
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM), pan = subject_at(&sites[3]);
    pg_inverter *inverter = NULL;
    pg_evidence *forged = NULL;
    double miss;
    s.spec.arch = pg_arch_find("resnet9");
    s.spec.width = 0.125;
    snprintf(s.options.layers, sizeof s.options.layers, "layer4.0.shortcut");
    OK(pg_scheme_wire(s.scheme, &s.options, &s.spec, &err));
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

/* <T x, y> = <x, T' y> for the window means T, with any stride, padding and window size. */
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

/* Large biases, larger in each layer, keep the leaky ReLU away from its kinks. */
static void check_block(const pg_residual_form *form)
{
    enum { CHANNELS = 16 };
    const double step = 1.0 / 128;
    pg_residual r;
    pg_rng rng;
    pg_real out[CHANNELS], dout[CHANNELS];
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "residual"}, pg_residual_kinds[form->kind], (uint64_t)form->depth);
    OK(pg_residual_open(&r, form, CHANNELS, &rng, &err));
    for (int l = 0; l < r.depth - 1 && form->activation == PG_RESIDUAL_LEAKY_RELU; l++) {
        const int units = r.groups * r.hidden;
        for (int h = 0; h < units; h++)
            r.values[r.layer[l + 1] - (size_t)(units - h)] += (pg_real)ldexp(h % 3 ? 1 : -1, 2 * l + 2);
    }
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
        const double gradient = (double)r.gradient[e];
        assert_true(fabs(change / (2 * step) - gradient) < 2e-3 * (1 + fabs(gradient)));
    }
    pg_residual_close(&r);
}

TEST(gradients_of_residual_forgeries_match_differences)
{
    static const pg_residual_form forms[] = {
        {PG_RESIDUAL_NONE, 2, PG_RESIDUAL_LEAKY_RELU},       {PG_RESIDUAL_INDIVIDUAL, 2, PG_RESIDUAL_LEAKY_RELU},
        {PG_RESIDUAL_COLLECTIVE, 2, PG_RESIDUAL_LEAKY_RELU}, {PG_RESIDUAL_COLLECTIVE, 4, PG_RESIDUAL_LEAKY_RELU},
        {PG_RESIDUAL_INDIVIDUAL, 3, PG_RESIDUAL_TANH},       {PG_RESIDUAL_COLLECTIVE, 5, PG_RESIDUAL_SIGMOID}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) check_block(&forms[i]);
}

/* ---- analytic inversion, the attack ---- */

/* From every start, and with another signature. */
TEST(inverted_passports_act_as_the_deployed_network)
{
    static const char *const runs[] = {"{start: nothing}", "{start: random}", "{start: shuffle, images: 5}"};
    subject victim = victim_of("v2", PG_NORM_GN);
    const pg_finding genuine = judge_alone(victim.model, victim.evidence);
    for (int i = 0; i < 3; i++) {
        raid r;
        pg_outcome o;
        open_forgery(&r, "invert", runs[i], &victim);
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
        finish(&r);
    }
    subject_destroy(&victim);
}

/* Read as one with passport layers, a network that was never marked runs on the forger's passports as it does without them. */
TEST(passports_solved_from_an_unmarked_network_agree_whole_and_prove_nothing)
{
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data),
            read = subject_wire("v2", PG_NORM_BN, PG_PASSPORT_RANDOM);
    pg_model *rewired = NULL;
    OK(pg_model_create(&read.spec, &rewired, &err));
    for (int i = 0; i < rewired->passport_count; i++) { /* as training leaves them */
        const ptrdiff_t layer = pg_model_passport_layer(rewired, i) - rewired->layers;
        const pg_layer *l = &plain.model->layers[layer];
        pg_real *gamma = &plain.model->params[l->affine[PG_PUBLIC].gamma];
        for (int k = 0; k < l->out_channels; k++) gamma[k] = (pg_real)fabs((double)gamma[k]);
    }
    OK(pg_model_copy(plain.model, rewired, &err));
    for (int turned = 0; turned < 2; turned++) {
        pg_model *affine = NULL;
        pg_evidence *forged = NULL;
        double miss;
        OK(pg_solve_copy("test", rewired, &affine, &err));
        OK(pg_solve_turn_signs(affine, turned ? 0.1 : 0, plain.seed, &err));
        OK(pg_solve_forge(rewired, affine, &forged, &miss, &err));
        const pg_verify_options strict = {.level = 1e-3, .tolerance = 5, .nulls = 50, .batch = BATCH};
        const pg_judge_setup setup = {.model = plain.model, .test = &data.test, .options = &strict};
        pg_finding f;
        OK(pg_verify(&setup, forged, &f, &err));
        assert_true(miss < 1e-5);
        assert_int_equal(f.agree, f.bits);
        assert_int_equal(f.significant, turned); /* signs that are all alike agree in any order */
        assert_false(f.bound || f.proves);
        if (!turned) assert_true(fabs(f.private_branch.exact - f.public_branch.exact) <= 100.0 / IMAGES);
        pg_evidence_destroy(&forged);
        pg_model_destroy(&affine);
    }
    pg_model_destroy(&rewired);
    subject_destroy(&read);
    subject_destroy(&plain);
}
