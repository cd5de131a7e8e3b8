/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filtered marks: the filter, the hash, the regulariser, embedding, hostile evidence, and the judge. */
#include "core/ownership/nulls.h"
#include "tests/unit/watermark.h"

#define OPTIONS "bits: 64, rounds: 2, pooled: 128"

/* w, straight from the definition: a list of weights that shrinks. Returns the number of rows. */
static int defined_values(const pg_mark *m, const pg_layer *l, const pg_real *weights, double *w)
{
    const int taps = l->row.kernel * l->row.kernel, total = taps * l->in_channels * l->out_channels;
    double *list = calloc((size_t)total, sizeof *list);
    int count = 0;
    for (int o = 0; o < l->out_channels; o++)
        for (int c = 0; c < l->in_channels; c++)
            for (int t = 0; t < taps; t++) list[count++] = (double)weights[(t * l->in_channels + c) * l->out_channels + o];
    for (int round = 0; round < m->rounds; round++) {
        int kept = 0;
        for (int i = 0; i < count / m->bits * m->bits; i++)
            if (m->b[i % m->bits] > 0) list[kept++] = list[i];
        count = kept;
    }
    const int rows = count / m->pooled;
    for (int j = 0; j < m->pooled; j++) {
        w[j] = 0;
        for (int r = 0; r < rows; r++) w[j] += list[r * m->pooled + j] / rows;
    }
    free(list);
    return rows;
}

static double defined_loss(const owner *o, const pg_layer *l)
{
    const pg_mark *m = &o->evidence->mark;
    double w[PG_MARK_POOLED_MAX], loss = 0;
    defined_values(m, l, o->model->params + l->weight, w);
    for (int i = 0; i < m->bits; i++) {
        double z = 0;
        for (int j = 0; j < m->pooled; j++) z += w[j] * (double)m->projection[j * m->bits + i];
        loss += log1p(exp(-m->b[i] * z));
    }
    return 0.7 * loss / m->bits;
}

/* Against Python's hashlib: 2 values, 16 bits, the projection 1 to 32. */
TEST(the_bits_are_the_first_of_shake_256)
{
    pg_real projection[32];
    int8_t b[16] = {1, -1, 1, -1, -1, -1, -1, 1, 1, -1, 1, -1, -1, -1, -1, -1};
    pg_mark mark = {.form = PG_FORM_FILTERED,
                    .site_count = 1,
                    .site = {{.layer = "a", .kernel = 1, .inputs = 1, .outputs = 1}},
                    .rounds = 1,
                    .pooled = 2,
                    .bits = 16,
                    .projection = projection,
                    .b = b};
    for (int i = 0; i < 32; i++) projection[i] = (pg_real)(i + 1);
    OK(pg_mark_check_hash(&mark, &err));
    b[15] = (int8_t)-b[15];
    FAILS(pg_mark_check_hash(&mark, &err), PG_BAD_INPUT, "the bits for a are not the hash of its projection");
}

TEST(the_regulariser_of_a_filtered_mark_follows_its_definition)
{
    owner o = owner_create("neuralmark", "{strength: 0.7, " OPTIONS "}");
    pg_net *net = NULL;
    OK(pg_net_create(&o.spec, 1, true, PG_CONV_AUTO, &net, &err));
    const pg_layer *l = pg_mark_find(o.evidence->mark.site[0].layer, o.model);
    double w[PG_MARK_POOLED_MAX];
    assert_int_equal(pg_mark_rows(&o.evidence->mark), defined_values(&o.evidence->mark, l, o.model->params + l->weight, w));
    pg_net_zero_gradients(net);
    assert_close(o.scheme->regulariser(o.options, o.evidence, o.model, net), defined_loss(&o, l), 1e-12);
    const pg_real *g = pg_net_gradients(net);
    const size_t first = (size_t)l->weight, count = 144 * (size_t)l->out_channels;
    size_t chosen = 0;
    for (size_t i = 0; i < o.model->param_count; i++) {
        if (i < first || i >= first + count) assert_true(g[i] == 0);
        chosen += g[i] != 0;
    }
    assert_int_equal(chosen, pg_mark_rows(&o.evidence->mark) * 128);
    for (size_t i = 0; i < count && in_double; i += 7) {
        pg_real *weight = &o.model->params[first + i];
        const pg_real saved = *weight, h = (pg_real)1e-4;
        *weight = saved + h;
        const double above = defined_loss(&o, l);
        *weight = saved - h;
        const double slope = (above - defined_loss(&o, l)) / (2 * (double)h);
        *weight = saved;
        if (!(fabs(slope - (double)g[first + i]) <= 1e-6 * fmax(fabs(slope), 1e-3)))
            fail_msg("weight %zu: gradient %.12g, differences %.12g", i, (double)g[first + i], slope);
    }
    pg_net_destroy(&net);
    owner_destroy(&o);
}

/* Free and bound marks, from random weights and into a trained network. */
TEST(an_embedded_filtered_mark_is_found_whole)
{
    static const char *const marks[] = {"{strength: 100, " OPTIONS "}", "{strength: 100, start: pretrained, " OPTIONS "}",
                                        "{strength: 100, bits: 128, rounds: 2, pooled: 200, bound: true}"};
    owner plain = owner_create("plain", "{}");
    train(&plain, 4);
    for (int i = 0; i < 3; i++) {
        owner o = owner_create("neuralmark", marks[i]);
        if (pg_scheme_starts_pretrained(o.scheme, o.options)) OK(pg_model_copy(plain.model, o.model, &err));
        assert_false(judge(o.model, o.evidence).significant);
        assert_false(judge(plain.model, o.evidence).significant);
        train(&o, 10);
        const pg_finding f = judge(o.model, o.evidence);
        printf("%s: %d of %d bits, p %.2g\n", marks[i], f.agree, f.bits, f.p_value);
        assert_int_equal(f.claim, PG_CLAIM_MARK);
        assert_int_equal(f.agree, f.bits);
        assert_true(f.bound == (i == 2) && f.seed_refused == f.bound);
        assert_int_equal(f.nulls, f.bound ? 0 : verify_options.nulls);
        if (!f.bound) assert_true(f.null_kinds == 2 && strcmp(f.null[0].kind, "filtered") == 0 && f.agrees);
        owner_destroy(&o);
    }
    owner_destroy(&plain);
}

TEST(a_filtered_mark_is_refused_by_a_network_that_it_does_not_fit)
{
    owner o = owner_create("neuralmark", "{" OPTIONS "}");
    pg_model *wide = NULL;
    pg_finding f;
    o.spec.width = 0.25;
    OK(pg_model_create(&o.spec, &wide, &err));
    const pg_judge_setup setup = {.model = wide, .test = &data.test, .options = &verify_options};
    FAILS(pg_verify(&setup, o.evidence, &f, &err), PG_BAD_INPUT, "the mark for features.4 is for filters of 3x3x16");
    o.evidence->mark.site[0].inputs = 48;
    FAILS(pg_verify(&setup, o.evidence, &f, &err), PG_BAD_INPUT, "the mark for features.4 is for 32 filters, the model has 96");
    pg_model_destroy(&wide);
    owner_destroy(&o);
}

TEST(options_of_a_filtered_mark_are_checked_when_it_is_planned)
{
    owner o = owner_wire("neuralmark", "{" OPTIONS "}");
    pg_mark mark;
    const pg_keygen in = {.scheme = o.scheme, .spec = &o.spec};
    FAILS(pg_mark_create_filtered(&o.spec, "default", 64, 4, 128, &mark, &err), PG_BAD_INPUT,
          "of the 4608 weights of features.4 about 288 are left after 4 rounds, expected at least 512 for 128 values");
    FAILS(pg_mark_create_filtered(&o.spec, "classifier", 64, 2, 64, &mark, &err), PG_BAD_INPUT, "has no convolution");
    OK(pg_scheme_check(o.options, &in, &err));
    owner_destroy(&o);
    o = owner_wire("neuralmark", "{bound: true, " OPTIONS "}");
    FAILS(pg_scheme_check(o.options, &in, &err), PG_BAD_INPUT, "bits: a bound mark needs at least 128");
    owner_destroy(&o);
}

/* ---- hostile evidence ---- */

static void refused(const pg_evidence *e, const char *why)
{
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, why);
}

TEST(a_filtered_mark_that_its_makers_would_not_make_is_refused)
{
    owner o = owner_create("neuralmark", "{" OPTIONS "}");
    pg_evidence *e = o.evidence;
    pg_mark *m = &e->mark;
    OK(pg_evidence_check(e, &err));
    m->b[3] = (int8_t)-m->b[3];
    refused(e, "the bits for features.4 are not the hash of its projection");
    m->b[3] = (int8_t)-m->b[3];
    m->projection[77] = (pg_real)NAN;
    refused(e, "not finite");
    m->projection[77] = 0; /* another key has other bits */
    refused(e, "not the hash");
    snprintf(e->kind, sizeof e->kind, "gaussian");
    refused(e, "the mark for features.4 has another form than marks of its kind 'gaussian'");
    snprintf(e->kind, sizeof e->kind, "filtered");
    m->rounds = 9;
    refused(e, "has 9 rounds, 128 values");
    m->rounds = 2;
    m->site[0].outputs = 0;
    refused(e, "for 0 outputs");
    owner_destroy(&o);
}

TEST(a_bound_filtered_mark_follows_from_its_secret)
{
    owner o = owner_create("neuralmark", "{bits: 128, rounds: 2, pooled: 128, bound: true}");
    pg_evidence *e = o.evidence;
    OK(pg_evidence_check(e, &err));
    e->mark.b[0] = (int8_t)-e->mark.b[0];
    refused(e, "features.4.mark does not follow from the secret");
    e->mark.b[0] = (int8_t)-e->mark.b[0];
    e->mark.rounds = 1; /* another filter is another key */
    refused(e, "features.4.projection does not follow from the secret");
    e->mark.rounds = 2;
    e->binding.bound = false;
    refused(e, "not the hash");
    owner_destroy(&o);
}

/* ---- null evidence ---- */

/* Every draw has a filter and bits of its own. */
TEST(null_evidence_of_filtered_marks_is_fresh)
{
    owner o = owner_create("neuralmark", "{" OPTIONS "}");
    pg_nulls nulls;
    OK(pg_nulls_draw(o.model, o.evidence, &data.test, PG_PIXELS_CIFAR, 20, 0, &nulls, &err));
    assert_int_equal(nulls.kinds, 1);
    assert_string_equal(nulls.kind[0], "filtered");
    for (int i = 1; i < 20; i++) assert_memory_not_equal(nulls.signs[0] + i * 64, nulls.signs[0], 64);
    OK(pg_mark_check_hash(&nulls.like->mark, &err));
    assert_memory_not_equal(nulls.like->mark.b, o.evidence->mark.b, 64);
    pg_nulls_clear(&nulls);
    owner_destroy(&o);
}
