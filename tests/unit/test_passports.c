/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How passports are made. */
#include "tests/unit/claims.h"

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
        OK(pg_scheme_keygen(&s.options, &in, &s.evidence, &err));
        commitment_of(s.evidence, hex);
        assert_string_not_equal(hex, first);
        subject_destroy(&s);
    }
}

enum { PICTURES = 3 };

/* The input of each passport layer of the carrier, for each image. */
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

/* The image of which this is an activation's channel, number *c; -1: none. */
static int find_channel(pg_evidence *const seen[PICTURES], int i, const pg_real *key, int channel, int *c)
{
    const pg_passport *p = &seen[0]->passports[i];
    for (int n = 0; n < PICTURES; n++)
        for (*c = 0; *c < p->inputs; ++*c)
            if (same_channel(p, key, channel, seen[n]->passports[i].key, *c)) return n;
    return -1;
}

/* One key. Channel k comes from image k mod PICTURES, and no channel occurs twice. A single image is kept whole instead. */
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

/* With instance norm no channel is all zero, and each channel comes from one image only. */
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
    FAILS(pg_scheme_keygen(&s.options, &in, &s.evidence, &err), PG_BAD_INPUT, "need a pretrained plain network");
    assert_null(s.evidence);
    subject_destroy(&plain);
}
