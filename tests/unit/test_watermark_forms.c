/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks in several layers, and the marks that are read otherwise than by the signs of a bank. */
#include "tests/unit/watermark.h"

/* ---- what every such scheme promises ---- */

typedef struct scheme_case {
    const char *scheme, *options;
    int epochs; /* that suffice on the small network */
} scheme_case;

static const scheme_case cases[] = {
    {"uchida", "{bits: 64, strength: 5, layers: features.4 features.5}", 10},
    {"neuralmark", "{bits: 64, rounds: 2, pooled: 128, strength: 100, layers: last 2}", 10},
    {"greedy", "{bits: 64, row: 20, strength: 1}", 10},
    {"greedy", "{bits: 128, row: 20, strength: 1, layers: first 2, start: pretrained, bound: true}", 10},
    {"deepmarks", "{bits: 32, strength: 1}", 10},
    {"deepmarks", "{bits: 64, matrix: centred, strength: 1, layers: all}", 10},
    {"stdm", "{bits: 64, strength: 1}", 10},
    {"stdm", "{bits: 64, strength: 1, layers: last 2, start: pretrained}", 10},
    {"laplacian", "{bits: 64, spread: 20}", 10},
    {"laplacian", "{bits: 64, spread: 20, layers: features.4, start: pretrained}", 10},
    {"deepsigns", "{bits: 40, trigger_count: 20, strength: 3}", 60},
    {"deepsigns", "{bits: 40, trigger_count: 20, strength: 3, layer: features.5, start: pretrained}", 60},
    {"riga", "{bits: 64, hidden: 50, strength: 1, rate: 0.1}", 20},
    {"riga", "{bits: 64, hidden: 50, strength: 1, rate: 0.1, layers: last 2, start: pretrained}", 20},
    {"hufunet", "{pictures: 8, codes: 16, images: 64, sweeps: 100}", 10},
    {"hufunet", "{pictures: 8, codes: 16, images: 64, sweeps: 100, layers: last 2, start: pretrained}", 10},
};
enum { CASES = sizeof cases / sizeof *cases };

static owner create(int c)
{
    return owner_create(cases[c].scheme, cases[c].options);
}

TEST(every_scheme_of_marks_is_among_those_tested_here)
{
    for (int s = 0; pg_schemes[s]; s++) {
        bool found = !(pg_schemes[s]->holds & PG_HOLDS_MARK);
        for (int c = 0; c < CASES; c++) found |= strcmp(cases[c].scheme, pg_schemes[s]->name) == 0;
        if (!found) fail_msg("%s: no test of its mark", pg_schemes[s]->name);
    }
}

TEST(an_embedded_mark_of_every_form_is_found_and_a_fresh_key_is_not)
{
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int c = 0; c < CASES; c++) {
        owner o = create(c);
        if (pg_scheme_starts_pretrained(o.scheme, o.options)) OK(pg_model_copy(plain.model, o.model, &err));
        const pg_finding before = judge(plain.model, o.evidence);
        train(&o, cases[c].epochs);
        pg_evidence *fresh = key_of(&o, (pg_seed){.grid = 9, .task = "another"});
        const pg_finding f = judge(o.model, o.evidence), other = judge(o.model, fresh);
        printf("%s %s: %d, %d and %d of %d bits, p %.2g, %.2g and %.2g\n", cases[c].scheme, cases[c].options, before.agree,
               f.agree, other.agree, f.bits, before.p_value, f.p_value, other.p_value);
        assert_false(before.significant || other.significant);
        assert_true(f.significant && f.agree >= f.bits * 0.9);
        pg_evidence_destroy(&fresh);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

/* Loss and gradient of every weight by central differences of the scheme's own loss, which test_watermarks and the tests below
 * compare with definitions. */
TEST(gradients_of_every_embedding_loss_match_differences)
{
    if (!in_double) skip("needs doubles");
    for (int c = 0; c < CASES; c++) {
        owner o = create(c);
        if (!o.scheme->regulariser) {
            owner_destroy(&o);
            continue;
        }
        pg_net *net = NULL, *spare = NULL;
        OK(pg_net_create(&o.spec, 1, true, PG_CONV_AUTO, &net, &err));
        OK(pg_net_create(&o.spec, 1, true, PG_CONV_AUTO, &spare, &err));
        for (size_t i = 0; i < o.model->param_count; i++) o.model->params[i] *= 3;
        o.scheme->regulariser(o.options, o.evidence, o.model, net);
        size_t touched = 0;
        for (size_t i = 0; i < o.model->param_count; i += 37) {
            pg_real *w = &o.model->params[i];
            const pg_real saved = *w, h = (pg_real)1e-5;
            const double found = (double)pg_net_gradients(net)[i];
            *w = saved + h;
            const double above = o.scheme->regulariser(o.options, o.evidence, o.model, spare);
            *w = saved - h;
            const double slope = (above - o.scheme->regulariser(o.options, o.evidence, o.model, spare)) / (2 * (double)h);
            *w = saved;
            touched += found != 0;
            if (!(fabs(slope - found) <= 1e-5 * fmax(fabs(found), 1e-2)))
                fail_msg("%s %s, weight %zu: gradient %.12g, differences %.12g", cases[c].scheme, cases[c].options, i, found,
                         slope);
        }
        assert_true(touched > 10);
        pg_net_destroy(&spare);
        pg_net_destroy(&net);
        owner_destroy(&o);
    }
}

enum { ORDINARY = 4, KEYS = 8, BATCH = ORDINARY + KEYS };

/* A step of four ordinary pictures and eight key pictures, up to the loss of their activations. */
static double activation_loss(const owner *o, pg_net *net, const pg_real *images, const int32_t *labels, pg_real *dlogits,
                              pg_real *scratch)
{
    const pg_step step = {.evidence = o->evidence,
                          .model = o->model,
                          .net = net,
                          .count = ORDINARY,
                          .triggers = KEYS,
                          .images = (pg_real *)images,
                          .labels = (int32_t *)labels,
                          .dlogits = dlogits,
                          .scratch = scratch};
    pg_net_forward(net, o->model, PG_PUBLIC, PG_BATCH, images, BATCH);
    return o->scheme->between(o->options, &step);
}

/* The best of several steps counts: at a long one a ReLU may switch, at a short one rounding shows. */
TEST(gradients_of_activations_match_differences)
{
    if (!in_double) skip("needs doubles");
    static const char *const layers[] = {"{bits: 30, trigger_count: 8, pull: 0.1}",
                                         "{bits: 30, trigger_count: 8, pull: 0.1, layer: features.6}"};
    for (int k = 0; k < 2; k++) {
        owner o = owner_create("deepsigns", layers[k]);
        pg_net *net = NULL;
        static pg_real images[BATCH * 32 * 32 * 3], dlogits[BATCH * 10];
        const int32_t labels[BATCH] = {0, 1, 2, 3, 0, 0, 1, 1, 1, 5, 5, 9};
        pg_real *scratch = calloc(o.scheme->scratch(o.options, &o.model->layout, ORDINARY, KEYS), sizeof *scratch);
        pg_rng rng;
        pg_rng_open(&rng, o.seed, "images", 0);
        for (int i = 0; i < BATCH * 32 * 32 * 3; i++) images[i] = (pg_real)pg_rng_normal(&rng);
        OK(pg_net_create(&o.spec, BATCH, true, PG_CONV_AUTO, &net, &err));
        memset(dlogits, 0, sizeof dlogits);
        assert_true(activation_loss(&o, net, images, labels, dlogits, scratch) > 0);
        pg_net_backward(net, o.model, dlogits);
        for (int i = 0; i < 40; i++) {
            const size_t at = (size_t)pg_rng_below(&rng, o.model->param_count);
            pg_real *w = &o.model->params[at];
            const pg_real saved = *w;
            const double gradient = (double)pg_net_gradients(net)[at];
            double best = INFINITY;
            for (double h = 1e-4; h > 1e-8; h /= 10) {
                *w = saved + (pg_real)h;
                const double above = activation_loss(&o, net, images, labels, dlogits, scratch);
                *w = saved - (pg_real)h;
                const double slope = (above - activation_loss(&o, net, images, labels, dlogits, scratch)) / (2 * h);
                best = fmin(best, fabs(slope - gradient));
            }
            *w = saved;
            if (!(best <= 1e-5 * fmax(fabs(gradient), 1e-2)))
                fail_msg("%s, weight %zu: %.12g misses by %.2g", layers[k], at, gradient, best);
        }
        free(scratch);
        pg_net_destroy(&net);
        owner_destroy(&o);
    }
}

TEST(evidence_of_every_form_is_read_back_and_fits_its_network_alone)
{
    for (int c = 0; c < CASES; c++) {
        owner o = create(c);
        pg_evidence *loaded = NULL, *clone = NULL;
        pg_model *wide = NULL;
        pg_finding f;
        OK(pg_evidence_save(o.evidence, test_path("key", c), &err));
        OK(pg_evidence_load(test_path("key", c), &loaded, &err));
        OK(pg_evidence_clone(loaded, &clone, &err));
        assert_true(pg_evidence_alike(loaded, o.evidence));
        assert_same_commitment(loaded, o.evidence, true);
        assert_same_commitment(clone, o.evidence, true);
        clone->mark.b[3] = (int8_t)-clone->mark.b[3];
        assert_same_commitment(clone, o.evidence, false);
        o.spec.width = 0.5;
        OK(pg_model_create(&o.spec, &wide, &err));
        const pg_judge_setup setup = {.model = wide, .test = &data.test, .options = &verify_options};
        FAILS(pg_verify(&setup, loaded, &f, &err), PG_BAD_INPUT, "the mark for ");
        pg_model_destroy(&wide);
        pg_evidence_destroy(&clone);
        pg_evidence_destroy(&loaded);
        owner_destroy(&o);
    }
}

TEST(training_with_every_mark_resumes_to_the_same_bytes)
{
    const pg_train_options options = test_training(2, 32);
    for (int c = 2; c < CASES; c++) {
        owner o = create(c), again = create(c);
        pg_trainer *trainer = trainer_of(&o, &options), *resumed = NULL;
        OK(pg_trainer_step(trainer, &err));
        OK(pg_trainer_save(trainer, test_path("middle", c), &err));
        while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
        resumed = trainer_of(&again, &options);
        OK(pg_trainer_load(resumed, test_path("middle", c), &err));
        while (!pg_trainer_done(resumed)) OK(pg_trainer_step(resumed, &err));
        assert_memory_equal(o.model->params, again.model->params, o.model->param_count * sizeof *o.model->params);
        pg_trainer_destroy(&trainer);
        pg_trainer_destroy(&resumed);
        owner_destroy(&o);
        owner_destroy(&again);
    }
}

/* ---- one published mechanic of each ---- */

/* Two layers together carry what each would, and a key for one is not a key for both. */
TEST(a_mark_of_two_layers_reads_the_sum_of_both)
{
    owner o = owner_create("uchida", "{bits: 16, layers: features.4 features.5}");
    const pg_mark *m = &o.evidence->mark;
    double both[16], sum[16] = {0};
    assert_int_equal(m->site_count, 2);
    pg_mark_project(m, o.model, both);
    const pg_real *x = m->projection;
    for (int s = 0; s < 2; s++) {
        pg_mark one = {.site_count = 1, .site = {m->site[s]}, .bits = 16, .projection = (pg_real *)x};
        double z[16];
        pg_mark_project(&one, o.model, z);
        for (int i = 0; i < 16; i++) sum[i] += z[i];
        x += pg_mark_width(&one) * 16;
    }
    for (int i = 0; i < 16; i++) assert_close(both[i], sum[i], 1e-12);
    owner_destroy(&o);
}

/* The value of one cell, straight from the definition of an adaptive mean. */
static double cell(const double *list, int weights, int cells, int c)
{
    const int from = (int)((int64_t)c * weights / cells), to = (int)(((int64_t)(c + 1) * weights + cells - 1) / cells);
    double sum = 0;
    for (int i = from; i < to; i++) sum += list[i];
    return sum / (to - from);
}

static int by_size(const void *a, const void *b)
{
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

TEST(a_residual_is_the_mean_of_the_larger_half_of_its_row)
{
    enum { ROW = 253, BITS = 256 };
    owner o = owner_create("greedy", "{}");
    const pg_layer *l = pg_mark_find("features.0", o.model);
    const int taps = l->row.kernel * l->row.kernel, count = taps * l->in_channels * l->out_channels,
              weights = count / ROW * ROW;
    double list[4096], z[BITS], row[ROW];
    int n = 0;
    assert_true(count <= 4096);
    for (int k = 0; k < l->out_channels; k++)
        for (int c = 0; c < l->in_channels; c++)
            for (int t = 0; t < taps; t++)
                list[n++] = (double)o.model->params[l->weight + (t * l->in_channels + c) * l->out_channels + k];
    pg_mark_read(&o.evidence->mark, o.model, z);
    for (int b = 0; b < BITS; b++) {
        double sum = 0;
        for (int c = 0; c < ROW; c++) row[c] = cell(list, weights, ROW * BITS, b * ROW + c);
        qsort(row, ROW, sizeof *row, by_size);
        for (int c = 127; c < ROW; c++) sum += row[c];
        assert_close(z[b], sum / ROW, 1e-12);
    }
    owner_destroy(&o);
}

static double correlation(const double *a, const double *b, int n)
{
    double product = 0, square[2] = {0};
    for (int i = 0; i < n; i++) {
        product += a[i] * b[i];
        square[0] += a[i] * a[i];
        square[1] += b[i] * b[i];
    }
    return product / sqrt(square[0] * square[1]);
}

/* The published rule accepts where the readings of two networks under one matrix correlate by more than 0.6. Under a positive
 * matrix the sum of the weights decides, so every second stranger passes. The bits of none are significant. */
TEST(the_published_rule_of_fingerprints_accepts_networks_without_a_mark)
{
    static const char *const matrices[] = {"{}", "{matrix: centred}"};
    int accepted[2] = {0};
    for (int k = 0; k < 2; k++) {
        owner o = owner_create("deepmarks", matrices[k]);
        double own[100], read[100];
        pg_mark_read(&o.evidence->mark, o.model, own);
        for (int i = 0; i < 20; i++) {
            pg_model_initialise(o.model, (pg_seed){.grid = (uint64_t)i + 7, .task = "stranger"}, "weights");
            pg_mark_read(&o.evidence->mark, o.model, read);
            accepted[k] += correlation(own, read, 100) > 0.6;
            assert_false(judge(o.model, o.evidence).significant);
        }
        owner_destroy(&o);
    }
    printf("accepted: %d of 20, and %d with a centred matrix\n", accepted[0], accepted[1]);
    assert_true(accepted[0] >= 5 && accepted[1] == 0);
}

/* A network without a mark reads zeros, so the judge's fresh keys find zeros as well as the claimant's. */
TEST(a_fingerprint_of_zeros_is_no_evidence)
{
    owner o = owner_create("deepmarks", "{bits: 64}");
    for (int ones = 0; ones < 4; ones++) {
        for (int i = 0; i < 64; i++) o.evidence->mark.b[i] = i < ones ? 1 : -1;
        const pg_finding f = judge(o.model, o.evidence);
        assert_int_equal(f.agree, 64 - ones);
        assert_false(f.significant);
    }
    owner_destroy(&o);
}

TEST(readings_that_differ_by_a_wave_carry_the_same_bit)
{
    owner o = owner_create("stdm", "{bits: 8}");
    pg_mark *m = &o.evidence->mark;
    double z[8], before[8], after[8];
    const pg_layer *l = pg_mark_find("features.4", o.model);
    pg_mark_read(m, o.model, z);
    pg_mark_project(m, o.model, before);
    for (int i = 0; i < 8; i++) {
        assert_close(before[i], sin(10 * z[i]), 1e-12);
        double square = 0;
        for (int t = 0; t < 144; t++) square += pow((double)*filter_tap(m, t, i), 2);
        assert_close(square, 1, 1e-5);
        for (int t = 0; t < 144; t++) /* move w along the filter, which has length 1, by a wave */
            for (int k = 0; k < l->out_channels; k++)
                o.model->params[l->weight + t * l->out_channels + k] += (pg_real)(0.2 * M_PI) * *filter_tap(m, t, i);
        pg_mark_project(m, o.model, after);
        assert_close(after[i], before[i], 1e-4);
        for (int t = 0; t < 144; t++)
            for (int k = 0; k < l->out_channels; k++)
                o.model->params[l->weight + t * l->out_channels + k] -= (pg_real)(0.2 * M_PI) * *filter_tap(m, t, i);
    }
    owner_destroy(&o);
}

TEST(fixed_weights_do_not_move_and_all_others_do)
{
    owner o = owner_create("laplacian", "{bits: 32, spread: 10, layers: features.4}");
    const pg_layer *l = pg_mark_find("features.4", o.model);
    const pg_train_options options = test_training(1, 32);
    pg_trainer *trainer = trainer_of(&o, &options); /* sets the weights */
    const size_t count = 144 * (size_t)l->out_channels;
    pg_real *first = malloc(count * sizeof *first);
    memcpy(first, o.model->params + l->weight, count * sizeof *first);
    size_t same = 0;
    assert_int_equal(judge(o.model, o.evidence).agree, 32);
    while (!pg_trainer_done(trainer)) OK(pg_trainer_step(trainer, &err));
    for (size_t i = 0; i < count; i++) same += o.model->params[(size_t)l->weight + i] == first[i];
    assert_int_equal(same, 320);
    free(first);
    pg_trainer_destroy(&trainer);
    owner_destroy(&o);
}

/* Bit j is read from the mean of the key pictures of class j modulo 10. */
TEST(a_bit_is_read_from_the_mean_activation_of_its_class)
{
    owner o = owner_create("deepsigns", "{bits: 30, trigger_count: 20}");
    const pg_mark *m = &o.evidence->mark;
    const pg_dataset *t = &o.evidence->triggers;
    pg_reading *reading = NULL;
    pg_net *net = NULL;
    int8_t signs[30];
    static pg_real image[32 * 32 * 3];
    const int layer = (int)(pg_mark_find_reader("classifier", &o.model->layout) - o.model->layers);
    double *means = calloc((size_t)(10 * m->pooled), sizeof *means);
    OK(pg_net_create(&o.spec, 1, true, PG_CONV_AUTO, &net, &err));
    for (int i = 0; i < t->count; i++) {
        const uint32_t at = (uint32_t)i;
        int alike = 0;
        for (int j = 0; j < t->count; j++) alike += t->labels[j] == t->labels[i];
        pg_batch_fill(t, &at, 1, NULL, PG_PIXELS_IMAGENET, NULL, image);
        pg_net_forward(net, o.model, PG_PUBLIC, PG_EVAL, image, 1);
        for (int v = 0; v < m->pooled; v++) means[t->labels[i] * m->pooled + v] += (double)pg_net_input(net, layer)[v] / alike;
    }
    OK(pg_reading_open(o.model, o.evidence, &reading, &err));
    OK(pg_reading_signs(reading, o.evidence, signs, &err));
    for (int i = 0; i < 30; i++) {
        double z = 0;
        for (int v = 0; v < m->pooled; v++) z += means[i % 10 * m->pooled + v] * (double)m->projection[v * 30 + i];
        assert_int_equal(signs[i], (z > 0) - (z < 0));
    }
    pg_reading_close(&reading);
    pg_net_destroy(&net);
    free(means);
    owner_destroy(&o);
}

/* ---- what cannot be ---- */

static void unfit(const char *scheme, const char *yaml, const char *why)
{
    owner o = {.scheme = pg_scheme_find(scheme)};
    o.spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    o.spec.width = 0.0625;
    o.options = read_options(o.scheme->options, o.scheme->options_size, yaml);
    FAILS(pg_scheme_wire(o.scheme, o.options, &o.spec, &err), PG_BAD_INPUT, why);
    owner_destroy(&o);
}

TEST(marks_that_do_not_fit_are_refused_before_training)
{
    unfit("uchida", "{layers: features.3}", "layers: alexnet has no convolution 'features.3'");
    unfit("greedy", "{bits: 2000}", "bits: 2000 bits need 2000 weights, features.0 has 1012 in whole rows of 253");
    unfit("deepmarks", "{layers: first 9}", "layers: expected first or last 1 to 5 of the convolutions of alexnet");
    unfit("stdm", "{layers: classifier}", "layers: alexnet has no convolution 'classifier'");
    unfit("deepsigns", "{layer: features.0}", "layer: alexnet has no layer 'features.0' that reads the output of another");
    unfit("deepsigns", "{layer: features.3}", "layer: alexnet has no layer 'features.3' that reads the output of another");
    unfit("riga", "{layers: features.3}", "layers: alexnet has no convolution 'features.3'");
    unfit("hufunet", "{codes: 64, layers: features.0}", "codes: 64 codes need 4096 weights, features.0 has 1200");
    unfit("laplacian", "{spread: 100}", "bits: 256 bits need 25600 weights, features.4 and the other layers have 11520");
}

static void refused(const pg_evidence *e, const char *why)
{
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, why);
}

TEST(keys_that_their_makers_would_not_make_are_refused)
{
    owner o = owner_create("deepmarks", "{}");
    o.evidence->mark.projection[5] = (pg_real)1.5;
    refused(o.evidence, "the projection for features.4 has the value 1.5, expected 0 to 1");
    snprintf(o.evidence->kind, sizeof o.evidence->kind, "gaussian");
    refused(o.evidence, "the mark for features.4 has another form than marks of its kind 'gaussian'");
    owner_destroy(&o);
    o = owner_create("stdm", "{}");
    for (int t = 0; t < 144; t++) o.evidence->mark.projection[t * o.evidence->mark.bits + 2] *= 2;
    refused(o.evidence, "filter 2 for features.4 has length 2, expected 1");
    owner_destroy(&o);
    o = owner_create("laplacian", "{bits: 32, spread: 10}");
    o.evidence->mark.places[7] = o.evidence->mark.places[8];
    refused(o.evidence, "occurs twice");
    o.evidence->mark.places[7] = -1;
    refused(o.evidence, "the place -1 is outside of");
    owner_destroy(&o);
    o = owner_create("greedy", "{bits: 128, bound: true}");
    OK(pg_evidence_check(o.evidence, &err));
    o.evidence->mark.b[0] = (int8_t)-o.evidence->mark.b[0];
    refused(o.evidence, "features.0.mark does not follow from the secret");
    o.evidence->mark.b[0] = (int8_t)-o.evidence->mark.b[0];
    o.evidence->mark.pooled = 0;
    refused(o.evidence, "has 0 rounds, 0 values");
    owner_destroy(&o);
    o = owner_create("deepsigns", "{trigger_count: 20}");
    OK(pg_evidence_check(o.evidence, &err));
    o.evidence->mark.pixels = 2;
    refused(o.evidence, "pixels 2");
    o.evidence->mark.pixels = 0;
    const int count = o.evidence->triggers.count;
    o.evidence->triggers.count = 0;
    refused(o.evidence, "the mark for classifier reads activations of 0 pictures, expected 1 to 1000");
    o.evidence->triggers.count = count;
    o.evidence->mark.site[0].inputs--;
    refused(o.evidence, "the mark for 'classifier'");
    owner_destroy(&o);
    o = owner_create("riga", "{bits: 16, hidden: 5}");
    OK(pg_evidence_check(o.evidence, &err));
    o.evidence->mark.pooled = 5000;
    refused(o.evidence, "has 0 rounds, 5000 values");
    o.evidence->mark.pooled = 5;
    o.evidence->mark.projection[3] = (pg_real)INFINITY;
    refused(o.evidence, "the projection for features.4 has values that are not finite");
    owner_destroy(&o);
    o = owner_create("hufunet", "{pictures: 2, codes: 4, images: 10, sweeps: 1}");
    OK(pg_evidence_check(o.evidence, &err));
    o.evidence->mark.b[9] = (int8_t)-o.evidence->mark.b[9];
    refused(o.evidence, "bit 9 for features.4 is not the sign of its pixel");
    o.evidence->mark.b[9] = (int8_t)-o.evidence->mark.b[9];
    o.evidence->mark.places[0] = o.evidence->mark.places[255];
    refused(o.evidence, "occurs twice");
    o.evidence->mark.bits--;
    refused(o.evidence, "has 4 codes and 127 bits, expected at most 64 and a multiple of 64");
    o.evidence->mark.bits++;
    owner_destroy(&o);
    o = owner_create("uchida", "{bits: 16, layers: features.4 features.5}");
    snprintf(o.evidence->mark.site[1].layer, PG_NAME_MAX, "features.4");
    refused(o.evidence, "two marks for features.4");
    owner_destroy(&o);
}
