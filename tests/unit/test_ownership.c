/* Ownership: signatures, passports, sign loss, evidence and its files, detection, p-values, decisions, and keys drawn afresh.
 */
#include "tests/unit/subject.h"

#include "core/formats/safetensors.h"
#include "core/ownership/verify.h"

#include <gsl/gsl_cdf.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BITS = 64, PASSPORTS = 3, WIDEST = 32 }; /* of the small AlexNet: 32 + 16 + 16 */

static pg_data data;
static pg_dataset few; /* test images, for what only needs some */
static pg_verify_options judge;

SET_UP
{
    pg_compute_start(1);
    data = test_data(32, 40);
    OK(pg_dataset_subset(&data.test, 4, &few, &err));
    OK(pg_options_defaults(pg_verify_table, &judge, &err));
    judge.nulls = 0;
}

TEAR_DOWN
{
    pg_data_clear(&data);
    pg_dataset_clear(&few);
}

static void assert_close(double a, double b, double relative)
{
    if (!(fabs(a - b) <= relative * fabs(b))) fail_msg("%.17g is not %.17g", a, b);
}

static int key_size(const pg_passport *p)
{
    return p->height * p->width * p->inputs;
}

/* ---- signatures ---- */

static pg_evidence *signed_by(const char *text, uint64_t seed)
{
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    pg_evidence *evidence = NULL;
    pg_rng rng;
    OK(pg_evidence_create(&s.spec, "v1", "random", &evidence, &err));
    pg_rng_open(&rng, (pg_seed){.grid = seed, .task = "signature"}, "signature", 0);
    OK(pg_signature_draw(evidence, text, &rng, &err));
    return evidence;
}

/* "A" is 01000001: most significant bit first, one is +1, zero is -1, anew in every layer. */
TEST(a_text_is_signed_in_every_layer)
{
    static const int8_t bits[] = {-1, 1, -1, -1, -1, -1, -1, 1};
    pg_evidence *evidence = signed_by("A", 1), *two = signed_by("zA", 1);
    assert_int_equal(evidence->passport_count, PASSPORTS);
    assert_int_equal(pg_evidence_bits(evidence), BITS);
    for (int i = 0; i < PASSPORTS; i++) {
        const pg_passport *p = &evidence->passports[i];
        assert_memory_equal(p->b, bits, sizeof bits);
        assert_memory_equal(two->passports[i].b + 8, bits, sizeof bits);
        for (int o = 8; o < p->outputs; o++) assert_true(p->b[o] == 1 || p->b[o] == -1);
    }
    assert_memory_not_equal(evidence->passports[1].b + 8, evidence->passports[2].b + 8, 8);
    pg_evidence_destroy(&evidence);
    pg_evidence_destroy(&two);
}

/* Bytes by their digits; text that only looks like it, and more bytes than there can be, are refused. */
TEST(a_signature_may_be_bytes)
{
    pg_evidence *text = signed_by("zA", 1), *digits = signed_by("hex:7A41", 1);
    pg_rng rng;
    for (int i = 0; i < PASSPORTS; i++)
        assert_memory_equal(text->passports[i].b, digits->passports[i].b, (size_t)text->passports[i].outputs);
    static const char *const bad[] = {"hex:hello", "hex:7A4", "hex:7A 4", "hex:0x41"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(pg_signature_draw(text, bad[i], &rng, &err), PG_BAD_INPUT, "signature: expected at most 120 bytes");
    char many[PG_SIGNATURE_BYTES + 2];
    memset(many, 'a', sizeof many);
    many[PG_SIGNATURE_BYTES + 1] = 0;
    FAILS(pg_signature_draw(text, many, &rng, &err), PG_BAD_INPUT, "signature: expected at most 120 bytes");
    pg_evidence_destroy(&text);
    pg_evidence_destroy(&digits);
}

TEST(a_signature_too_long_for_a_layer_is_refused)
{
    pg_evidence *evidence = signed_by("ab", 1);
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "signature"}, "signature", 0);
    FAILS(pg_signature_draw(evidence, "abc", &rng, &err), PG_BAD_INPUT, "3 bytes need 24 bits, features.5 carries 16");
    pg_evidence_destroy(&evidence);
}

/* Random bits: the same from the same seed, and each sign about half of the time. */
TEST(a_random_signature_follows_from_its_seed)
{
    enum { DRAWS = 100 };
    int sum = 0, changed = 0;
    pg_evidence *first = signed_by("", 0);
    for (int i = 0; i < DRAWS; i++) {
        pg_evidence *again = signed_by("", 0), *other = signed_by("", (uint64_t)i + 1);
        for (int l = 0; l < PASSPORTS; l++) {
            const pg_passport *p = &other->passports[l];
            assert_memory_equal(again->passports[l].b, first->passports[l].b, (size_t)p->outputs);
            for (int o = 0; o < p->outputs; o++) {
                sum += p->b[o];
                changed += p->b[o] != first->passports[l].b[o];
            }
        }
        pg_evidence_destroy(&again);
        pg_evidence_destroy(&other);
    }
    assert_in_range(abs(sum), 0, 4 * 80); /* 4 standard deviations of sqrt(6400) */
    assert_in_range(changed, 3200 - 160, 3200 + 160);
    pg_evidence_destroy(&first);
}

/* ---- gammas that a test chooses ---- */

/* Let the passports give these gammas, in the order of the signature: the largest entry of a passport's window means carries
 * them, all other weights are zero. */
static void impose_gammas(pg_model *model, const pg_evidence *evidence, const double *gamma)
{
    for (int i = 0; i < evidence->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(model, i);
        const int window = l->row.kernel * l->row.kernel * l->in_channels, outputs = l->out_channels;
        pg_real *means = NULL, *w = model->params + l->weight;
        int top = 0;
        OK(pg_alloc((size_t)window, sizeof *means, &means, &err));
        pg_passport_means(l, evidence->passports[i].skey, means);
        for (int j = 1; j < window; j++) top = fabs((double)means[j]) > fabs((double)means[top]) ? j : top;
        memset(w, 0, (size_t)window * (size_t)outputs * sizeof *w);
        for (int o = 0; o < outputs; o++) w[top * outputs + o] = (pg_real)(*gamma++ / (double)means[top]);
        pg_free(means);
    }
}

/* The first `agree` bits of each layer agree with the signature, the others do not. */
static void impose_agreement(pg_model *model, const pg_evidence *evidence, const int *agree)
{
    double gamma[1024], *next = gamma;
    for (int i = 0; i < evidence->passport_count; i++)
        for (int o = 0; o < evidence->passports[i].outputs; o++)
            *next++ = 0.3 * evidence->passports[i].b[o] * (o < agree[i] ? 1 : -1);
    impose_gammas(model, evidence, gamma);
}

/* `agree` bits in all, from the first layer on. */
static void impose_total(pg_model *model, const pg_evidence *evidence, int agree)
{
    int each[PASSPORTS];
    for (int i = 0; i < PASSPORTS; i++) {
        const int outputs = evidence->passports[i].outputs;
        each[i] = agree < outputs ? agree : outputs;
        agree -= each[i];
    }
    impose_agreement(model, evidence, each);
}

/* The claim's own passports are those distributed with the model. */
static pg_judge_setup hearing(const pg_model *model, const pg_evidence *evidence, const pg_dataset *test)
{
    return (pg_judge_setup){.model = model, .test = test, .options = &judge, .distributed = evidence};
}

static pg_finding verify(const pg_model *model, const pg_evidence *evidence, const pg_nulls *nulls)
{
    pg_finding f;
    const pg_judge_setup setup = hearing(model, evidence, &few);
    OK(pg_verify(&setup, evidence, &f, &err));
    if (nulls) {
        OK(pg_finding_weigh(evidence, nulls, &f, &err));
        pg_finding_decide(&f, &judge);
    }
    return f;
}

/* ---- sign loss ---- */

/* Worked by hand from alpha max(0, 0.1 - b gamma) + 1e-5 gamma^2, alpha 0.1. */
static const struct sign_case {
    int8_t b;
    double gamma, loss, gradient;
} sign_cases[] = {
    {1, 0.05, 0.005000025, -0.099999},
    {-1, 0.05, 0.015000025, 0.100001},
    {1, 0.3, 9e-7, 6e-6},
    {-1, -0.3, 9e-7, -6e-6},
    {1, -0.2, 0.0300004, -0.100004},
    {-1, 0, 0.01, 0.1},
    {1, 2, 4e-5, 4e-5},
    {-1, -0.0625, 0.0037500390625, 0.09999875},
};
enum { CASES = sizeof sign_cases / sizeof *sign_cases };

static pg_net *net_with_sign_cases(subject *s)
{
    pg_net *net = NULL;
    double gamma[BITS];
    for (int i = 0, at = 0; i < PASSPORTS; i++)
        for (int o = 0; o < s->evidence->passports[i].outputs; o++, at++) {
            gamma[at] = sign_cases[at % CASES].gamma;
            s->evidence->passports[i].b[o] = sign_cases[at % CASES].b;
        }
    impose_gammas(s->model, s->evidence, gamma);
    OK(pg_net_create(&s->spec, 1, true, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, s->model, s->evidence, &err));
    return net;
}

TEST(the_sign_loss_follows_its_definition)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_net *net = net_with_sign_cases(&s);
    double expected = 0;
    for (int i = 0; i < PASSPORTS; i++)
        memset(pg_net_gamma_gradient(net, i), 0, (size_t)s.evidence->passports[i].outputs * sizeof(pg_real));
    for (int at = 0; at < BITS; at++) expected += sign_cases[at % CASES].loss;
    assert_close(pg_sign_loss(0.1, s.evidence, net), expected, 1e-6);
    assert_close(pg_sign_loss(0.1, s.evidence, net), expected, 1e-6); /* once more: gradients are added */
    for (int i = 0, at = 0; i < PASSPORTS; i++)
        for (int o = 0; o < s.evidence->passports[i].outputs; o++, at++)
            assert_close((double)pg_net_gamma_gradient(net, i)[o], 2 * sign_cases[at % CASES].gradient, 1e-6);
    pg_net_destroy(&net);
    subject_destroy(&s);
}

/* Without alpha V1 has no term at all, the others keep the decay of gamma. */
TEST(without_alpha_v1_has_no_sign_loss)
{
    static const char *const names[] = {"v1", "v2", "v3"};
    double decay = 0;
    for (int at = 0; at < BITS; at++) decay += 1e-5 * sign_cases[at % CASES].gamma * sign_cases[at % CASES].gamma;
    for (int i = 0; i < 3; i++) {
        subject s = subject_create(names[i], PG_NORM_GN, PG_PASSPORT_RANDOM, &data);
        pg_net *net = net_with_sign_cases(&s);
        s.options.alpha = 0;
        const double loss = s.scheme->regulariser(&s.options, s.evidence, s.model, net);
        assert_close(loss, i == 0 ? 0 : decay, 1e-6);
        pg_net_destroy(&net);
        subject_destroy(&s);
    }
}

/* ---- how passports are made ---- */

TEST(random_passports_have_their_distribution)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    double sum = 0, squares = 0;
    int count = 0;
    for (int i = 0; i < PASSPORTS; i++) {
        const pg_passport *p = &s.evidence->passports[i];
        assert_memory_not_equal(p->key, p->skey, (size_t)key_size(p) * sizeof *p->key);
        for (int e = 0; e < key_size(p); e++) {
            assert_true(p->key[e] >= -1 && p->key[e] <= 1 && p->skey[e] >= -1 && p->skey[e] <= 1);
            sum += (double)p->key[e] + (double)p->skey[e];
            squares += (double)p->key[e] * (double)p->key[e] + (double)p->skey[e] * (double)p->skey[e];
            count += 2;
        }
    }
    /* Uniform on [-1,1]: mean 0, mean square 1/3, standard deviation of the square sqrt(4/45); bounds are 4 standard errors. */
    assert_true(fabs(sum / count) < 4 * sqrt(1.0 / 3 / count));
    assert_true(fabs(squares / count - 1.0 / 3) < 4 * sqrt(4.0 / 45 / count));
    subject_destroy(&s);
}

static void commitment_of(const pg_evidence *evidence, char hex[PG_SHA256_HEX])
{
    pg_evidence_commitment(evidence, hex);
    assert_int_equal(strlen(hex), PG_SHA256_HEX - 1);
}

/* The same seed gives the same passports whatever the number of threads; another seed, others. */
TEST(passports_follow_from_their_seed_on_any_number_of_threads)
{
    for (int kind = PG_PASSPORT_RANDOM; kind <= PG_PASSPORT_SHUFFLE; kind++) {
        char first[PG_SHA256_HEX] = "", hex[PG_SHA256_HEX];
        for (int threads = 1; threads <= 3; threads++) {
            pg_compute_start(threads);
            subject s = subject_create("v1", PG_NORM_BN, (pg_passport_kind)kind, &data);
            assert_string_equal(s.evidence->kind, pg_passport_kinds[kind]);
            commitment_of(s.evidence, hex);
            if (threads == 1) strcpy(first, hex);
            assert_string_equal(hex, first);
            subject_destroy(&s);
        }
        pg_compute_start(1);
        subject s = subject_wire("v1", PG_NORM_BN, (pg_passport_kind)kind);
        const pg_keygen in = {.scheme = s.scheme,
                              .spec = &s.spec,
                              .seed = {.grid = 2, .task = "v1"},
                              .data = &data,
                              .pixels = PG_PIXELS_IMAGENET};
        OK(s.scheme->keygen(&s.options, &in, &s.evidence, &err));
        commitment_of(s.evidence, hex);
        assert_string_not_equal(hex, first);
        subject_destroy(&s);
    }
}

enum { PICTURES = 3 };

/* What enters each passport layer of the carrier, image by image. */
static void activations_of(pg_model *carrier, const pg_evidence *like, const pg_dataset *pictures, pg_evidence *out[PICTURES])
{
    pg_net *net = NULL;
    pg_real *image = NULL;
    OK(pg_net_create(&carrier->spec, 1, true, PG_CONV_AUTO, &net, &err));
    OK(pg_alloc(32 * 32 * 3, sizeof *image, &image, &err));
    for (int n = 0; n < PICTURES; n++) {
        OK(pg_evidence_clone(like, &out[n], &err));
        pg_batch_range(pictures, n, 1, PG_PIXELS_IMAGENET, image);
        pg_net_forward(net, carrier, PG_PUBLIC, PG_BATCH, image, 1);
        for (int i = 0; i < PASSPORTS; i++)
            for (int l = 0; l < carrier->layer_count; l++)
                if (strcmp(carrier->layers[l].row.name, like->passports[i].layer) == 0)
                    memcpy(out[n]->passports[i].key, pg_net_input(net, l),
                           (size_t)key_size(&like->passports[i]) * sizeof(pg_real));
    }
    pg_net_destroy(&net);
    pg_free(image);
}

static bool same_channel(const pg_passport *p, const pg_real *a, int ca, const pg_real *b, int cb)
{
    for (int i = 0; i < p->height * p->width; i++)
        if (a[i * p->inputs + ca] < b[i * p->inputs + cb] || a[i * p->inputs + ca] > b[i * p->inputs + cb]) return false;
    return true;
}

/* Image whose activation has this channel, as channel number *c; -1: none. */
static int find_channel(pg_evidence *const seen[PICTURES], int i, const pg_real *key, int channel, int *c)
{
    const pg_passport *p = &seen[0]->passports[i];
    for (int n = 0; n < PICTURES; n++)
        for (*c = 0; *c < p->inputs; ++*c)
            if (same_channel(p, key, channel, seen[n]->passports[i].key, *c)) return n;
    return -1;
}

/* One key: channel k comes from image k mod PICTURES, no channel twice. A single image is kept whole instead. */
static void assert_made_of(pg_evidence *const seen[PICTURES], int i, const pg_real *key, bool shuffled)
{
    bool used[PICTURES][WIDEST] = {{false}};
    const int inputs = seen[0]->passports[i].inputs;
    int order[PICTURES], moved = 0;
    for (int k = 0; k < inputs; k++) {
        int c;
        const int n = find_channel(seen, i, key, k, &c);
        assert_true(n >= 0);
        assert_false(used[n][c]);
        used[n][c] = true;
        if (k < PICTURES) order[k] = n;
        if (shuffled && k >= PICTURES) assert_int_equal(n, order[k % PICTURES]);
        if (shuffled && k < PICTURES) assert_true(k == 0 || n != order[0]);
        if (!shuffled) assert_int_equal(n, order[0]);
        moved += c != k;
    }
    assert_true(shuffled ? moved > 0 : moved == 0);
}

/* Instance norm, so that no channel is all zero and each is found in one image only. */
TEST(image_passports_are_activations_of_images)
{
    subject plain = subject_create("plain", PG_NORM_IN, PG_PASSPORT_RANDOM, &data);
    subject s = subject_create("v1", PG_NORM_IN, PG_PASSPORT_RANDOM, &data);
    pg_dataset pictures = {0};
    pg_evidence *seen[PICTURES];
    OK(pg_dataset_subset(&data.test, PICTURES, &pictures, &err));
    activations_of(plain.model, s.evidence, &pictures, seen);
    for (int kind = PG_PASSPORT_IMAGE; kind <= PG_PASSPORT_SHUFFLE; kind++) {
        pg_passport_maker *maker = NULL;
        pg_rng rng;
        OK(pg_passport_maker_create(&(pg_passport_source){.kind = (pg_passport_kind)kind,
                                                          .images = PICTURES,
                                                          .carrier = plain.model,
                                                          .carrier_mode = PG_BATCH,
                                                          .pictures = &pictures},
                                    &maker, &err));
        pg_rng_open(&rng, s.seed, "passports", 0);
        OK(pg_passports_draw(maker, s.evidence, &rng, &err));
        for (int i = 0; i < PASSPORTS; i++) {
            assert_made_of(seen, i, s.evidence->passports[i].key, kind == PG_PASSPORT_SHUFFLE);
            assert_made_of(seen, i, s.evidence->passports[i].skey, kind == PG_PASSPORT_SHUFFLE);
        }
        pg_passport_maker_destroy(&maker);
    }
    for (int n = 0; n < PICTURES; n++) pg_evidence_destroy(&seen[n]);
    pg_dataset_clear(&pictures);
    subject_destroy(&plain);
    subject_destroy(&s);
}

TEST(a_source_that_cannot_be_is_refused)
{
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_SHUFFLE);
    pg_passport_maker *maker = NULL;
    pg_passport_source source = {
        .kind = PG_PASSPORT_SHUFFLE, .images = data.test.count + 1, .carrier = plain.model, .pictures = &data.test};
    FAILS(pg_passport_maker_create(&source, &maker, &err), PG_BAD_INPUT,
          "a passport takes 41 distinct images, but synthetic has 40");
    pg_dataset small = few;
    small.height = 16;
    source.images = 2;
    source.pictures = &small;
    FAILS(pg_passport_maker_create(&source, &maker, &err), PG_BAD_INPUT,
          "its images have 16x32 pixels, but the network takes 32x32");
    assert_null(maker);
    s.options.carrier = 0;
    const pg_keygen in = {.scheme = s.scheme, .spec = &s.spec, .seed = s.seed, .data = &data};
    FAILS(s.scheme->keygen(&s.options, &in, &s.evidence, &err), PG_BAD_INPUT, "need a pretrained plain network");
    assert_null(s.evidence);
    subject_destroy(&plain);
}

/* ---- evidence and models that fit ---- */

TEST(evidence_fits_the_network_it_was_made_for)
{
    subject v1 = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data),
            plain = subject_wire("plain", PG_NORM_BN, PG_PASSPORT_RANDOM);
    pg_net_spec spec, other;
    for (int i = 0; i < PASSPORTS; i++) {
        const pg_passport *p = &v1.evidence->passports[i];
        const pg_layer *l = pg_model_passport_layer(v1.model, i);
        assert_string_equal(p->layer, l->row.name);
        assert_true(p->height == l->in_height && p->width == l->in_width && p->inputs == l->in_channels &&
                    p->outputs == l->out_channels);
    }
    OK(pg_evidence_fit(v1.evidence, &plain.spec, &spec, &err));
    assert_true(spec.passports == v1.spec.passports && spec.public_affine && spec.private_affine);
    OK(pg_evidence_fit(v1.evidence, &v1.spec, &spec, &err));
    assert_false(spec.public_affine);

    other = plain.spec;
    other.width = 0.25;
    FAILS(pg_evidence_fit(v1.evidence, &other, &spec, &err), PG_BAD_INPUT, "evidence for features.4 is for 16 to 32 channels");
    other = pg_net_spec_plain(pg_arch_find("resnet9"), PG_NORM_BN, 10);
    FAILS(pg_evidence_fit(v1.evidence, &other, &spec, &err), PG_BAD_INPUT, "a layer that the resnet9 does not have");
    v1.evidence->passport_count = 2;
    FAILS(pg_evidence_fit(v1.evidence, &v1.spec, &spec, &err), PG_BAD_INPUT, "needs passports in other layers");
    OK(pg_evidence_fit(v1.evidence, &plain.spec, &spec, &err));
    v1.evidence->passport_count = PASSPORTS;
    const pg_passport first = v1.evidence->passports[0];
    v1.evidence->passports[0] = v1.evidence->passports[1];
    v1.evidence->passports[1] = first;
    FAILS(pg_evidence_fit(v1.evidence, &v1.spec, &spec, &err), PG_BAD_INPUT, "features.4 is out of order");
    subject_destroy(&v1);
}

/* Evidence that reached the judge by a file may have triggers of any size, and test sets any labels. */
TEST(images_that_do_not_fit_are_refused)
{
    subject s = subject_create("v3", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_finding f;
    pg_judge_setup setup = hearing(s.model, s.evidence, &few);
    s.evidence->triggers.height = s.evidence->triggers.width = 16;
    FAILS(pg_verify(&setup, s.evidence, &f, &err), PG_BAD_INPUT, "its images have 16x16 pixels, but the network takes 32x32");
    s.evidence->triggers.height = s.evidence->triggers.width = 32;
    assert_int_equal(verify(s.model, s.evidence, NULL).trigger_count, 5);
    s.evidence->triggers.classes = 100;
    assert_int_equal(verify(s.model, s.evidence, NULL).trigger_count, 0);
    pg_dataset test = few;
    setup.test = &test;
    test.classes = 11;
    FAILS(pg_verify(&setup, s.evidence, &f, &err), PG_BAD_INPUT, "it has 11 classes, but the network has 10");
    test.count = 0;
    FAILS(pg_verify(&setup, s.evidence, &f, &err), PG_BAD_INPUT, "no images");
    subject_destroy(&s);
}

/* ---- evidence files ---- */

static void assert_same_evidence(const pg_evidence *a, const pg_evidence *b)
{
    assert_string_equal(a->scheme, b->scheme);
    assert_string_equal(a->kind, b->kind);
    assert_int_equal(a->passport_count, b->passport_count);
    for (int i = 0; i < a->passport_count; i++) {
        const pg_passport *p = &a->passports[i], *q = &b->passports[i];
        assert_string_equal(p->layer, q->layer);
        assert_memory_equal(p->key, q->key, (size_t)key_size(p) * sizeof *p->key);
        assert_memory_equal(p->skey, q->skey, (size_t)key_size(p) * sizeof *p->skey);
        assert_memory_equal(p->b, q->b, (size_t)p->outputs);
    }
    const pg_dataset *t = &a->triggers, *u = &b->triggers;
    assert_int_equal(t->count, u->count);
    if (t->count == 0) return;
    assert_true(t->height == u->height && t->width == u->width && t->classes == u->classes);
    assert_memory_equal(t->images, u->images, (size_t)(t->count * t->height * t->width * 3));
    assert_memory_equal(t->labels, u->labels, (size_t)t->count * sizeof *t->labels);
    assert_string_equal(t->source, u->source);
}

TEST(evidence_is_read_back_and_private)
{
    static const char *const names[] = {"v1", "v2", "v3", "pan"};
    const mode_t before = umask(0);
    for (int i = 0; i < 4; i++) {
        subject s = subject_create(names[i], PG_NORM_BN, PG_PASSPORT_SHUFFLE, &data);
        pg_evidence *back = NULL;
        struct stat info;
        char own[PG_SHA256_HEX], loaded[PG_SHA256_HEX];
        assert_int_equal(s.evidence->triggers.count, strcmp(names[i], "v3") == 0 ? 5 : 0);
        OK(pg_evidence_save(s.evidence, test_path(names[i], -1), &err));
        assert_int_equal(stat(test_path(names[i], -1), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        OK(pg_evidence_load(test_path(names[i], -1), &back, &err));
        assert_same_evidence(s.evidence, back);
        commitment_of(s.evidence, own);
        commitment_of(back, loaded);
        assert_string_equal(own, loaded);
        pg_evidence_destroy(&back);
        subject_destroy(&s);
    }
    umask(before);
}

TEST(every_part_of_the_content_changes_the_commitment)
{
    enum { CHANGES = 9 };
    subject s = subject_create("v3", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    char hex[CHANGES + 1][PG_SHA256_HEX];
    for (int change = 0; change <= CHANGES; change++) {
        pg_evidence *e = NULL;
        OK(pg_evidence_clone(s.evidence, &e, &err));
        pg_passport *last = &e->passports[PASSPORTS - 1];
        switch (change) {
        case 1: strcpy(e->scheme, "v2"); break;
        case 2: strcpy(e->kind, "image"); break;
        case 3: last->key[key_size(last) - 1] += 0x1p-20F; break;
        case 4: last->skey[0] += 0x1p-20F; break;
        case 5: last->b[last->outputs - 1] = (int8_t)-last->b[last->outputs - 1]; break;
        case 6: e->triggers.images[e->triggers.count * 32 * 32 * 3 - 1] ^= 1; break;
        case 7: e->triggers.labels[0] = (e->triggers.labels[0] + 1) % 10; break;
        case 8:
            e->triggers.height = 16;
            e->triggers.width = 64;
            break;
        case 9: e->triggers.count--; break;
        default: break;
        }
        commitment_of(e, hex[change]);
        for (int i = 0; i < change; i++) assert_string_not_equal(hex[i], hex[change]);
        pg_evidence_destroy(&e);
    }
    subject_destroy(&s);
}

/* A file as a claimant might write it: one passport of 2 channels at 2x2 for 4 outputs, and what is wrong with it. */
typedef struct claim_file {
    const char *names[4]; /* key, skey, signature, trigger labels; NULL: left out */
    size_t skey_width, images;
    float b[4];
    int32_t label;
    const char *classes;
} claim_file;

static void write_claim(const claim_file *c, const char *path)
{
    static const float key[16] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t picture[3];
    const pg_array all[] = {
        {.name = c->names[0], .dtype = PG_F32, .dims = 4, .shape = {c->images, 2, 2, 2}, .data = key},
        {.name = c->names[1], .dtype = PG_F32, .dims = 4, .shape = {1, 2, 2, c->skey_width}, .data = key},
        {.name = c->names[2], .dtype = PG_F32, .dims = 1, .shape = {4}, .data = c->b},
        {.name = c->names[3], .dtype = PG_I32, .dims = 1, .shape = {1}, .data = &c->label},
        {.name = c->names[3] ? "triggers.images" : NULL, .dtype = PG_U8, .dims = 4, .shape = {1, 1, 1, 3}, .data = picture},
    };
    pg_array kept[5];
    size_t count = 0;
    for (size_t i = 0; i < 5; i++)
        if (all[i].name) kept[count++] = all[i];
    const pg_metadata notes[] = {{"trigger_classes", c->classes}};
    OK(pg_safetensors_write(path, kept, count, notes, c->classes ? 1 : 0, PG_FILE_SECRET, &err));
}

TEST(claims_of_other_programs_are_read)
{
    static const claim_file good = {
        {"features.4.key", "features.4.skey", "features.4.sign_loss.b", NULL}, 2, 1, {1, -1, 1, 1}, 0, NULL};
    const char *path = test_path("claim", -1);
    pg_evidence *evidence = NULL;
    claim_file c = good;
    write_claim(&c, path);
    OK(pg_evidence_load(path, &evidence, &err));
    assert_string_equal(evidence->scheme, "v1");
    assert_string_equal(evidence->kind, "shuffle"); /* not told: held to the strictest null */
    assert_true(evidence->passports[0].inputs == 2 && evidence->passports[0].outputs == 4);
    assert_true(evidence->passports[0].key[1] >= 5 &&
                evidence->passports[0].key[1] <= 5); /* [1,C,H,W] outside, [H,W,C] inside */
    pg_evidence_destroy(&evidence);

    c.names[2] = NULL;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "features.4.sign_loss.b");
    c = good;
    c.names[1] = NULL;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "features.4.skey");
    c = good;
    c.names[0] = NULL;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "belongs to neither a passport nor a mark");
    c = good;
    c.skey_width = 1;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "features.4.skey");
    c = good;
    c.images = 2;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "expected one image");
    c = good;
    c.b[3] = 0;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "element 3 is neither -1 nor +1");
    c = good;
    c.names[3] = "triggers.labels";
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "classes in metadata");
    c.classes = "10";
    c.label = 10;
    write_claim(&c, path);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "label 10 of image 0 is not a class");
    assert_null(evidence);
}

TEST(a_cut_file_is_refused_by_name)
{
    subject s = subject_create("v3", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_evidence *back = NULL;
    struct stat info;
    const char *path = test_path("cut", -1);
    OK(pg_evidence_save(s.evidence, path, &err));
    assert_int_equal(stat(path, &info), 0);
    for (off_t length = info.st_size - 1; length >= 0; length -= info.st_size / 20) {
        assert_int_equal(truncate(path, length), 0);
        FAILS(pg_evidence_load(path, &back, &err), PG_BAD_INPUT, path);
    }
    FAILS(pg_evidence_load(test_path("nowhere", -1), &back, &err), PG_IO_FAULT, "nowhere");
    assert_null(back);
    subject_destroy(&s);
}

/* ---- detection ---- */

TEST(detection_is_the_mean_over_layers)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    impose_agreement(s.model, s.evidence, (const int[]){24, 8, 16});
    const pg_finding f = verify(s.model, s.evidence, NULL);
    assert_int_equal(f.bits, BITS);
    assert_int_equal(f.agree, 48);
    assert_close(f.null_probability, 0.5, 0);
    assert_close(f.layer_detection[0], 75, 0);
    assert_close(f.layer_detection[1], 50, 0);
    assert_close(f.layer_detection[2], 100, 0);
    assert_close(f.detection, 75, 1e-15);                     /* mean over layers, not over bits */
    assert_close(f.p_coin, 713250450657109 * 0x1p-64, 1e-10); /* sum of C(64, k), k = 48 .. 64 */
    assert_true(isnan(f.detection_stored) && f.agree_stored == -1);
    assert_true(f.private_branch.present && !f.public_branch.present);
    subject_destroy(&s);
}

/* A gamma of zero has no sign: it agrees with neither bit. */
TEST(a_gamma_of_zero_agrees_with_neither_bit)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    impose_gammas(s.model, s.evidence, (const double[BITS]){0});
    const pg_finding f = verify(s.model, s.evidence, NULL);
    assert_int_equal(f.agree, 0);
    assert_close(f.detection, 0, 0);
    assert_close(f.p_value, 1, 0);
    subject_destroy(&s);
}

/* The stored scale is judged beside the passport: here the passports' own gammas, stored and then turned around. */
TEST(the_stored_scale_is_judged_beside_the_passport)
{
    subject v1 = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data), copy = v1;
    copy.spec.public_affine = true;
    OK(pg_model_create(&copy.spec, &copy.model, &err));
    OK(pg_model_copy(v1.model, copy.model, &err));
    OK(pg_passports_store(v1.model, v1.evidence, copy.model, &err));
    const pg_finding own = verify(v1.model, v1.evidence, NULL), stored = verify(copy.model, v1.evidence, NULL);
    assert_int_equal(stored.agree, own.agree);
    assert_int_equal(stored.agree_stored, own.agree);
    assert_close(stored.detection_stored, own.detection, 0);
    assert_close(stored.public_branch.exact, stored.private_branch.exact, 0);
    for (int i = 0; i < PASSPORTS; i++) {
        const pg_layer *l = pg_model_passport_layer(copy.model, i);
        for (int o = 0; o < l->out_channels; o++) copy.model->params[l->affine[PG_PUBLIC].gamma + o] *= -1;
    }
    assert_int_equal(verify(copy.model, v1.evidence, NULL).agree_stored, BITS - own.agree);
    FAILS(pg_passports_store(v1.model, v1.evidence, v1.model, &err), PG_BAD_INPUT, "no public affine");
    pg_model_destroy(&copy.model);
    subject_destroy(&v1);
}

/* ---- p-values ---- */

/* k agreeing bits are the fewest whose binomial tail is at most p. */
static void assert_threshold(subject *s, int k, double p)
{
    impose_total(s->model, s->evidence, k);
    pg_finding f = verify(s->model, s->evidence, NULL);
    assert_int_equal(f.agree, k);
    assert_true(f.p_coin <= p * (1 + 1e-12) && f.p_value >= f.p_coin && f.p_value <= f.p_coin);
    impose_total(s->model, s->evidence, k - 1);
    f = verify(s->model, s->evidence, NULL);
    assert_true(f.p_coin > p);
}

static const double levels[] = {0.05, 1e-3, 1e-6, 0x1p-64};

TEST(chance_agreement_follows_the_binomial)
{
    static const int of_64[] = {40, 45, 51, 64}, of_896[] = {474, 495, 520, 584};
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    for (int i = 0; i < 4; i++) assert_threshold(&s, of_64[i], levels[i]);
    subject_destroy(&s);
    s = subject_wire("v1", PG_NORM_BN, PG_PASSPORT_RANDOM);
    s.spec.width = 1;
    const pg_keygen in = {.scheme = s.scheme, .spec = &s.spec, .seed = s.seed, .data = &data};
    OK(s.scheme->keygen(&s.options, &in, &s.evidence, &err));
    OK(pg_model_create(&s.spec, &s.model, &err));
    assert_int_equal(pg_evidence_bits(s.evidence), 896);
    assert_threshold(&s, of_896[1], levels[1]);
    assert_threshold(&s, of_896[3], levels[3]);
    subject_destroy(&s);
}

/* Trigger sets against guessing: a model that answers 3 to everything, and 100 triggers of which k are labelled 3. */
TEST(trigger_sets_are_judged_against_guessing)
{
    static const int classes[] = {10, 100}, fewest[2][4] = {{16, 21, 28, 46}, {4, 6, 9, 20}};
    for (int q = 0; q < 2; q++) {
        subject s = subject_wire("plain", PG_NORM_BN, PG_PASSPORT_RANDOM);
        pg_evidence evidence = {.scheme = "v3", .kind = "random"};
        s.spec.classes = classes[q];
        OK(pg_model_create(&s.spec, &s.model, &err));
        s.model->params[pg_model_classifier(s.model)->bias + 3] = 1;
        OK(pg_dataset_allocate(&evidence.triggers, 100, 32, 32, &err));
        evidence.triggers.classes = classes[q];
        for (int i = 0; i < 4; i++)
            for (int less = 0; less < 2; less++) {
                const int k = fewest[q][i] - less;
                for (int t = 0; t < 100; t++) evidence.triggers.labels[t] = t < k ? 3 : 4;
                const pg_finding f = verify(s.model, &evidence, NULL);
                assert_true(f.trigger_count == 100 && f.bits == 0 && !f.trigger[PG_PRIVATE].present);
                assert_int_equal(f.significant, f.trigger_p <= judge.level); /* triggers alone are a claim of their own */
                assert_true(f.ruling == PG_USELESS && !f.stands);            /* of a network that always says the same */
                assert_true(f.agree == k && f.trigger_agree == k);
                assert_close(f.null_probability, 1.0 / classes[q], 0);
                assert_close(f.trigger[PG_PUBLIC].exact, k, 1e-12);
                assert_true(less ? f.trigger_p > levels[i] : f.trigger_p <= levels[i]);
            }
        pg_dataset_clear(&evidence.triggers);
        subject_destroy(&s);
    }
}

/* Null evidence of which number i agrees with the signature in agree[i] bits. */
static pg_nulls nulls_of(const pg_evidence *evidence, int count, const int *agree)
{
    pg_nulls nulls = {.count = count, .bits = BITS};
    OK(pg_alloc((size_t)count * BITS, 1, &nulls.signs, &err));
    for (int n = 0; n < count; n++)
        for (int i = 0, at = 0; i < PASSPORTS; i++)
            for (int o = 0; o < evidence->passports[i].outputs; o++, at++)
                nulls.signs[n * BITS + at] =
                    (int8_t)(at < agree[n] ? evidence->passports[i].b[o] : -evidence->passports[i].b[o]);
    return nulls;
}

/* P[X >= k] term by term. */
static double binomial_sum(int k, int n, double q)
{
    double sum = 0;
    for (int i = k; i <= n; i++)
        sum += exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * log(q) + (n - i) * log(1 - q));
    return sum;
}

TEST(p_values_follow_the_spread_of_the_nulls)
{
    subject s = subject_create("v1", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    impose_total(s.model, s.evidence, BITS);
    /* 50, 56.25, 62.5 and 68.75 %: mean 59.375, deviation 8.069. The spread decides: Student's t with 3 degrees of freedom. */
    pg_nulls nulls = nulls_of(s.evidence, 4, (const int[]){32, 36, 40, 44});
    pg_finding f = verify(s.model, s.evidence, &nulls);
    const double deviation = sqrt(195.3125 / 3), t = (100 - 59.375) / (deviation * sqrt(1.25)), u = t / sqrt(3);
    assert_int_equal(f.nulls, 4);
    assert_close(f.null_mean, 59.375, 1e-14);
    assert_close(f.null_deviation, deviation, 1e-14);
    assert_close(f.p_value, 0.5 - (atan(u) + u / (1 + u * u)) / M_PI, 1e-9);
    assert_close(f.p_coin, 0x1p-64, 1e-12);
    assert_false(f.significant);
    pg_nulls_clear(&nulls);

    /* Nulls that all agree alike leave the binomial tail at their mean, here 9/16. */
    nulls = nulls_of(s.evidence, 3, (const int[]){36, 36, 36});
    impose_total(s.model, s.evidence, 50);
    f = verify(s.model, s.evidence, &nulls);
    assert_close(f.p_value, binomial_sum(50, BITS, 0.5625), 1e-9);
    impose_total(s.model, s.evidence, 36);
    f = verify(s.model, s.evidence, &nulls);
    assert_true(f.p_value >= 0.5);
    pg_nulls_clear(&nulls);

    /* A mean below one half is not held in the claimant's favour. */
    nulls = nulls_of(s.evidence, 3, (const int[]){20, 20, 20});
    impose_total(s.model, s.evidence, 50);
    f = verify(s.model, s.evidence, &nulls);
    assert_close(f.p_value, binomial_sum(50, BITS, 0.5), 1e-9);
    nulls.bits = BITS - 1;
    FAILS(pg_finding_weigh(s.evidence, &nulls, &f, &err), PG_BAD_INPUT, "null evidence of 63 bits for a signature of 64");
    pg_nulls_clear(&nulls);
    subject_destroy(&s);
}

/* ---- null evidence ---- */

/* Its signs are those of gamma under passports of the claimant's kind: for random ones, about half agree; drawn from seeds, by
 * any number of threads. */
TEST(nulls_follow_from_their_seed_on_any_number_of_threads)
{
    enum { COUNT = 10 };
    for (int kind = PG_PASSPORT_RANDOM; kind <= PG_PASSPORT_SHUFFLE; kind++) {
        subject s = subject_create(kind == PG_PASSPORT_IMAGE ? "v1" : "v2", PG_NORM_BN, (pg_passport_kind)kind, &data);
        pg_nulls nulls[3];
        for (int i = 0; i < 3; i++) {
            pg_compute_start(i + 1);
            OK(pg_nulls_draw(s.model, s.evidence, s.evidence, &data.test, PG_PIXELS_IMAGENET, COUNT, 1, &nulls[i], &err));
            assert_int_equal(nulls[i].bits, BITS);
            assert_int_equal(nulls[i].count, COUNT);
            assert_memory_equal(nulls[i].signs, nulls[0].signs, COUNT * BITS);
        }
        pg_compute_start(1);
        int differing = 0, pairs = 0;
        for (int i = 0; i < COUNT; i++)
            for (int k = 0; k < i; k++, pairs++)
                differing += memcmp(nulls[0].signs + k * BITS, nulls[0].signs + i * BITS, BITS) != 0;
        if (kind == PG_PASSPORT_IMAGE)
            assert_true(differing > 0); /* images that look alike may give the same signs */
        else
            assert_int_equal(differing, pairs);
        pg_nulls_clear(&nulls[1]);
        OK(pg_nulls_draw(s.model, s.evidence, s.evidence, &data.test, PG_PIXELS_IMAGENET, COUNT, 2, &nulls[1], &err));
        assert_memory_not_equal(nulls[1].signs, nulls[0].signs, COUNT * BITS);
        for (int i = 0; i < COUNT * BITS; i++) assert_in_range(nulls[0].signs[i] + 1, 0, 2);
        for (int i = 0; i < 3; i++) pg_nulls_clear(&nulls[i]);
        subject_destroy(&s);
    }
}

TEST(agreement_counts_the_passports_and_not_the_claim)
{
    subject s = subject_create("v2", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    pg_evidence *forged = NULL;
    pg_rng rng;
    int own, other;
    impose_total(s.model, s.evidence, 50);
    OK(pg_agreement_with(s.model, s.evidence, s.evidence, &own, &err));
    assert_int_equal(own, 50);
    OK(pg_evidence_clone(s.evidence, &forged, &err));
    pg_rng_open(&rng, s.seed, "forged", 0);
    OK(pg_signature_draw(forged, "", &rng, &err)); /* the passports count, not the signature that is claimed with them */
    OK(pg_agreement_with(s.model, forged, s.evidence, &other, &err));
    assert_int_equal(other, 50);
    pg_evidence_destroy(&forged);
    subject_destroy(&s);
}

/* ---- an owner, and 200 who are none ---- */

/* What was embedded is found. A ResNet-9 with a passport in every convolution: in few layers, a mark's one direction per layer
 * makes null agreement spread too widely for a small network's bits. */
TEST(what_was_embedded_is_found)
{
    static const char *const names[] = {"v1", "v2", "v3"};
    pg_train_options options = test_training(6, 16);
    options.lr = 0.05;
    for (int i = 0; i < 3; i++) {
        subject s = subject_wire(names[i], PG_NORM_GN, PG_PASSPORT_RANDOM);
        pg_nulls nulls;
        s.spec.arch = pg_arch_find("resnet9");
        strcpy(s.options.layers, "all");
        OK(s.scheme->wire(&s.options, &s.spec, &err));
        subject_fill(&s, &data);
        subject_train(&s, &data, &options);
        OK(pg_nulls_draw(s.model, s.evidence, s.evidence, &data.test, PG_PIXELS_IMAGENET, 20, 0, &nulls, &err));
        const pg_finding f = verify(s.model, s.evidence, &nulls);
        printf("%s: detection %.1f %%, null %.1f +- %.1f %%, p %.2g\n", names[i], f.detection, f.null_mean, f.null_deviation,
               f.p_value);
        assert_true(f.significant && f.p_value <= judge.level);
        pg_nulls_clear(&nulls);
        subject_destroy(&s);
    }
}

enum { KEYS = 200 };

/* Exact (Clopper-Pearson) 95 % interval of a share, in percent. */
static void print_share(const char *what, double level, int accepted)
{
    const double low = accepted ? gsl_cdf_beta_Pinv(0.025, accepted, KEYS - accepted + 1) : 0;
    const double high = accepted < KEYS ? gsl_cdf_beta_Pinv(0.975, accepted + 1, KEYS - accepted) : 1;
    printf("%s, level %g: %d of %d keys accepted, %.2f %% [%.2f, %.2f]\n", what, level, accepted, KEYS, 100.0 * accepted / KEYS,
           100 * low, 100 * high);
}

/* Keys drawn afresh by a scheme's own key generation, against a network that was never marked: the share accepted stays at or
 * below the level. */
static void try_keys(const subject *unmarked, const char *scheme, pg_passport_kind kind)
{
    static const double tried[] = {0.05, 0.01, 1e-3};
    subject s = subject_wire(scheme, unmarked->spec.norm, kind);
    pg_judge *keeper = NULL;
    pg_verify_options options = judge;
    options.nulls = 50;
    const pg_judge_setup setup = {.model = unmarked->model, .test = &data.test, .options = &options};
    OK(pg_judge_create(&setup, &keeper, &err));
    int accepted[3] = {0}, triggers = 0;
    double smallest = 1, largest = 0;
    s.options.carrier = 0;
    for (int key = 0; key < KEYS; key++) {
        const pg_keygen in = {.scheme = s.scheme,
                              .spec = &s.spec,
                              .seed = {.grid = (uint64_t)key, .task = "fresh key"},
                              .data = &data,
                              .pixels = PG_PIXELS_IMAGENET,
                              .pretrained = unmarked->model};
        OK(s.scheme->keygen(&s.options, &in, &s.evidence, &err));
        pg_finding f;
        OK(pg_judge_claim(keeper, s.evidence, &f, &err));
        for (int i = 0; i < 3; i++) accepted[i] += f.p_value <= tried[i];
        triggers += f.trigger_count > 0 && f.trigger_p <= tried[0];
        smallest = fmin(smallest, f.p_value);
        largest = fmax(largest, f.p_value);
        pg_evidence_destroy(&s.evidence);
    }
    char what[64];
    snprintf(what, sizeof what, "%s, %s passports", scheme, pg_passport_kinds[kind]);
    for (int i = 0; i < 3; i++) {
        print_share(what, tried[i], accepted[i]);
        assert_true(accepted[i] <= tried[i] * KEYS);
    }
    assert_true(triggers <= tried[0] * KEYS);
    assert_true(smallest < 0.5 && largest > 0.5); /* the p-values do vary */
    pg_judge_destroy(&keeper);
}

TEST(fresh_keys_stand_as_rarely_as_their_level_says)
{
    const pg_train_options options = test_training(3, 16);
    subject plain = subject_create("plain", PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
    subject_train(&plain, &data, &options);
    try_keys(&plain, "v1", PG_PASSPORT_SHUFFLE);
    try_keys(&plain, "v2", PG_PASSPORT_RANDOM);
    try_keys(&plain, "v3", PG_PASSPORT_IMAGE);
    subject_destroy(&plain);
}
