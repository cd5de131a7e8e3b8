/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bound evidence follows from a secret, and the reader refuses anything else. Another program derived the expected values from
 * the formulas in binding.h alone. */
#include "core/base/memory.h"
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"
#include "core/ownership/verdict.h"
#include "tests/unit/test.h"

#include <math.h>
#include <sys/stat.h>

static pg_secret counting(void)
{
    pg_secret secret;
    for (int i = 0; i < PG_SECRET_BYTES; i++) secret.bytes[i] = (unsigned char)i;
    return secret;
}

static void hash_is(const void *data, size_t bytes, const char *expected)
{
    char hex[PG_SHA256_HEX];
    pg_sha256(data, bytes, hex);
    assert_string_equal(hex, expected);
}

static void key_is(const pg_evidence *evidence, const char *expected)
{
    pg_secret key;
    char hex[PG_SECRET_HEX];
    pg_binding_key(evidence, key.bytes);
    pg_secret_to_hex(&key, hex);
    assert_string_equal(hex, expected);
}

/* A passport for one layer, features.4: 2x3 pixels, 4 input channels, 20 outputs. */
static pg_evidence *passports(void)
{
    pg_evidence *e;
    OK(pg_alloc(1, sizeof *e, &e, &err));
    *e = (pg_evidence){.scheme = "v1",
                       .kind = "random",
                       .passport_count = 1,
                       .binding = {.bound = true,
                                   .secret = counting(),
                                   .statement = "Alice",
                                   .network = "alexnet",
                                   .classes = 10,
                                   .pixels = "cifar",
                                   .relu_before_add = true}};
    OK(pg_alloc(1, sizeof *e->passports, &e->passports, &err));
    e->passports[0] = (pg_passport){.layer = "features.4", .height = 2, .width = 3, .inputs = 4, .outputs = 20};
    OK(pg_passport_allocate(&e->passports[0], &err));
    OK(pg_evidence_bind(e, &err));
    return e;
}

/* Nine bits in layer1.0, 3x3x5. */
static pg_evidence *mark(void)
{
    pg_evidence *e;
    OK(pg_alloc(1, sizeof *e, &e, &err));
    *e = (pg_evidence){.scheme = "uchida",
                       .kind = "signs",
                       .mark = {.site_count = 1, .site = {{.layer = "layer1.0", .kernel = 3, .inputs = 5}}, .bits = 9},
                       .binding = {.bound = true,
                                   .from_seed = true,
                                   .secret = counting(),
                                   .statement = "Bob",
                                   .network = "resnet18",
                                   .classes = 100,
                                   .pixels = "imagenet"}};
    OK(pg_mark_allocate(&e->mark, &err));
    OK(pg_evidence_bind(e, &err));
    return e;
}

/* Five pictures with labels of seven classes. */
static pg_evidence *triggers(void)
{
    pg_evidence *e;
    OK(pg_alloc(1, sizeof *e, &e, &err));
    *e = (pg_evidence){.scheme = "adi",
                       .kind = "generated",
                       .binding = {.bound = true,
                                   .secret = counting(),
                                   .network = "alexnet",
                                   .classes = 7,
                                   .pixels = "cifar",
                                   .relu_before_add = true}};
    OK(pg_dataset_allocate(&e->triggers, 5, 32, 32, &err));
    e->triggers.classes = 7;
    OK(pg_evidence_bind(e, &err));
    return e;
}

TEST(passports_follow_from_the_secret_as_published)
{
    pg_evidence *e = passports();
    const pg_passport *p = &e->passports[0];
    const int8_t bits[] = {1, 1, 1, 1, 1, 1, 1, -1, -1, 1, -1, 1, -1, -1, 1, -1, -1, -1, 1, 1};
    float key[24], skey[24];
    for (int i = 0; i < 24; i++) {
        key[i] = (float)p->key[i];
        skey[i] = (float)p->skey[i];
    }
    key_is(e, "ecd9c7ab42a14adf992d551df8f40d2c2e587defb73e3692b0d8de206030373e");
    hash_is(key, sizeof key, "354fb09157362078a664a27e633e60f53c112a9c33ec25abc3fb85bed48fadda");
    hash_is(skey, sizeof skey, "7d83db58b331abadb3b40d1f3ee5b2771766fdf7d09cc69852b41611617c62bb");
    assert_memory_equal(p->b, bits, sizeof bits);
    pg_evidence_destroy(&e);
}

TEST(marks_follow_from_the_secret_as_published)
{
    pg_evidence *e = mark();
    const int8_t bits[] = {-1, 1, -1, -1, -1, -1, 1, -1, 1};
    int8_t projection[405];
    for (int i = 0; i < 405; i++) projection[i] = (int8_t)e->mark.projection[i];
    key_is(e, "c04362e106a5b8d804a290bf84aea6255d1dbf8a2c6325b050e43883f9bfefb0");
    hash_is(projection, sizeof projection, "c48ef7dd3b945ffad0af129f6aee5e43e0cb02e1dc5eb1fc2992212c8b607a63");
    assert_memory_equal(e->mark.b, bits, sizeof bits);
    pg_evidence_destroy(&e);
}

TEST(triggers_follow_from_the_secret_as_published)
{
    pg_evidence *e = triggers();
    const int32_t labels[] = {0, 5, 6, 4, 5};
    key_is(e, "66d5bac0e0d4063ffaee40af57c68462d854d0ed008999b7479c7dc261024bab");
    hash_is(e->triggers.images, 5 * 32 * 32 * 3, "e63ce03c04bf9aeeb040f4ec88e5edb659dff19f496f4ffaeb5970ab01716758");
    assert_memory_equal(e->triggers.labels, labels, sizeof labels);
    pg_evidence_destroy(&e);
}

/* The claimant chooses the pictures; the secret and all of their bytes determine the labels. */
TEST(labels_of_chosen_pictures_follow_from_the_secret_and_the_pictures)
{
    pg_evidence *e = triggers();
    const int32_t labels[] = {5, 0, 1, 3, 0};
    const size_t bytes = 5 * 32 * 32 * 3;
    strcpy(e->kind, "folder");
    for (size_t i = 0; i < bytes; i++) e->triggers.images[i] = (uint8_t)(i % 251);
    OK(pg_evidence_bind(e, &err));
    key_is(e, "273a86a50944107b1b14a676f54a8a94151b6ab6aed40eedfa5bc772057a6319");
    for (size_t i = 0; i < bytes; i++) assert_int_equal(e->triggers.images[i], i % 251);
    assert_memory_equal(e->triggers.labels, labels, sizeof labels);
    OK(pg_evidence_check(e, &err));
    e->triggers.labels[1] = 6;
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, "triggers.labels does not follow from the secret");
    e->triggers.labels[1] = 0;
    e->triggers.images[bytes - 1]++; /* one level of one pixel changes the labels of all pictures */
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, "triggers.labels does not follow from the secret");
    e->triggers.images[bytes - 1]--;
    strcpy(e->kind, "generated"); /* under this name the pictures follow too */
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, "triggers.images does not follow from the secret");
    pg_evidence_destroy(&e);
}

/* Every field of P, and the secret, gives other evidence. */
TEST(each_public_field_changes_the_key)
{
    pg_evidence *e = passports();
    unsigned char keys[9][PG_SHA256_BYTES];
    int n = 0;
    pg_binding *b = &e->binding;
    pg_binding_key(e, keys[n++]);
    strcpy(e->scheme, "v2"), pg_binding_key(e, keys[n++]);
    strcpy(b->statement, "Alicf"), pg_binding_key(e, keys[n++]);
    b->from_seed = true, pg_binding_key(e, keys[n++]);
    strcpy(b->network, "resnet9"), pg_binding_key(e, keys[n++]);
    b->classes = 100, pg_binding_key(e, keys[n++]);
    strcpy(b->pixels, "imagenet"), pg_binding_key(e, keys[n++]);
    b->relu_before_add = false, pg_binding_key(e, keys[n++]);
    b->secret.bytes[31] ^= 1, pg_binding_key(e, keys[n++]);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) assert_memory_not_equal(keys[i], keys[j], PG_SHA256_BYTES);
    pg_evidence_destroy(&e);
}

TEST(a_bound_file_is_read_back_whole_and_private)
{
    pg_evidence *(*const makers[])(void) = {passports, mark, triggers};
    for (int i = 0; i < 3; i++) {
        pg_evidence *e = makers[i](), *read = NULL;
        char before[PG_SHA256_HEX], after[PG_SHA256_HEX];
        struct stat file;
        OK(pg_evidence_save(e, path_of("e.safetensors"), &err));
        assert_int_equal(stat(path_of("e.safetensors"), &file), 0);
        assert_int_equal(file.st_mode & 0777, 0600);
        OK(pg_evidence_load(path_of("e.safetensors"), &read, &err));
        pg_evidence_commitment(e, before);
        pg_evidence_commitment(read, after);
        assert_string_equal(after, before);
        pg_evidence_destroy(&e);
        pg_evidence_destroy(&read);
    }
}

TEST(an_array_that_does_not_follow_is_refused)
{
    pg_evidence *e = passports(), *m = mark(), *t = triggers();
    e->passports[0].b[7] *= -1;
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, "features.4.b does not follow from the secret");
    e->passports[0].b[7] *= -1;
    e->passports[0].skey[23] = 0;
    FAILS(pg_evidence_check(e, &err), PG_BAD_INPUT, "features.4.skey does not follow from the secret");
    m->mark.b[0] *= -1;
    FAILS(pg_evidence_check(m, &err), PG_BAD_INPUT, "layer1.0.mark does not follow from the secret");
    t->triggers.labels[4] = 6;
    FAILS(pg_evidence_check(t, &err), PG_BAD_INPUT, "triggers.labels does not follow from the secret");
    t->triggers.labels[4] = 5;
    OK(pg_evidence_check(t, &err));
    t->binding.statement[0] = 'M'; /* a thief's name over the owner's evidence */
    FAILS(pg_evidence_check(t, &err), PG_BAD_INPUT, "triggers.images does not follow from the secret");
    pg_evidence_destroy(&e);
    pg_evidence_destroy(&m);
    pg_evidence_destroy(&t);
}

TEST(kinds_that_somebody_chose_cannot_be_bound)
{
    pg_evidence *e = passports();
    strcpy(e->kind, "shuffle");
    FAILS(pg_evidence_bind(e, &err), PG_BAD_INPUT, "evidence of kind 'shuffle' cannot be bound to a secret");
    pg_evidence_destroy(&e);
}

TEST(options_of_bound_evidence_are_checked)
{
    pg_binding_options o = {.statement = "Alice"};
    FAILS(pg_binding_options_check(&o, "random", &err), PG_BAD_INPUT, "only bound evidence has them");
    o.bound = true;
    OK(pg_binding_options_check(&o, "random", &err));
    FAILS(pg_binding_options_check(&o, "gaussian", &err), PG_BAD_INPUT, "'gaussian' cannot be bound");
    strcpy(o.secret, "hex:414243");
    FAILS(pg_binding_options_check(&o, "random", &err), PG_BAD_INPUT, "the file holds no secret");
}

TEST(a_secret_file_is_new_and_private)
{
    pg_secret drawn, other, read;
    char text[512] = "hex:", line[256];
    struct stat file;
    OK(pg_secret_draw(&drawn, &err));
    OK(pg_secret_draw(&other, &err));
    assert_memory_not_equal(&drawn, &other, sizeof drawn);
    OK(pg_secret_save(&drawn, path_of("mine"), &err));
    assert_int_equal(stat(path_of("mine"), &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    FAILS(pg_secret_save(&other, path_of("mine"), &err), PG_BAD_INPUT, "already exists");
    OK(pg_secret_load(path_of("mine"), &read, &err));
    assert_memory_equal(&read, &drawn, sizeof read);
    FILE *stream = fopen(path_of("mine"), "r");
    const size_t bytes = fread(line, 1, sizeof line, stream);
    fclose(stream);
    for (size_t i = 0; i < bytes; i++) sprintf(text + 4 + 2 * i, "%02x", (unsigned char)line[i]);
    OK(pg_secret_parse(text, &other, &err));
    assert_memory_equal(&other, &drawn, sizeof other);
    OK(pg_file_write(path_of("cut"), line, bytes - 2, PG_FILE_SECRET, &err));
    FAILS(pg_secret_load(path_of("cut"), &read, &err), PG_BAD_INPUT, "cut: not a secret");
}

/* Compared with exact rational arithmetic. */
TEST(tails_are_right_where_they_underflow)
{
    const struct {
        int k, n;
        double q, bits;
    } rows[] = {{118, 128, 0.5, 80.1859350238},
                {600, 896, 0.5, 80.06920115},
                {51, 100, 0.1, 80.3875345512},
                {3500, 4096, 0.5, 1650.16466053},
                {4800, 4800, 0.5, 4800},
                {2400, 4800, 0.5, 0.98348104238},
                {2500, 4800, 0.5, 8.94073074335},
                {3000, 4800, 0.5, 223.792118073},
                {4799, 4800, 0.5, 4787.77088078},
                {700, 4800, 0.1, 76.2859025994},
                {0, 10, 0.5, 0},
                {3, 10, 0.5, 0.0811367627254}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double bits = pg_binomial_bits(rows[i].k, rows[i].n, rows[i].q);
        if (fabs(bits - rows[i].bits) > 1e-9 * (1 + rows[i].bits)) fail_msg("%d of %d: %.12g", rows[i].k, rows[i].n, bits);
    }
}
