/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evidence: which models it fits, its files, and its commitment. */
#include "core/formats/safetensors.h"
#include "tests/unit/claims.h"

#include <sys/stat.h>
#include <unistd.h>

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

/* Evidence from a file may have triggers of any size, and test sets may have any labels. */
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

/* A file as a claimant might write it, with one passport (2 channels of 2x2 pixels, 4 outputs) and one fault. */
typedef struct claim_file {
    const char *names[4]; /* the arrays key, skey, signature and trigger labels; NULL: left out */
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
    assert_string_equal(evidence->kind, "shuffle"); /* not in the file: held against the strictest null */
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

/* A sparse file, which takes no room on the disk. */
TEST(passports_that_would_fill_the_memory_are_refused)
{
    const char *path = test_path("vast", -1);
    const size_t bytes = (size_t)4 << 24;
    pg_evidence *evidence = NULL;
    FILE *stream = fopen(path, "wb");
    char header[1024] = "{";
    for (size_t i = 0; i < 5; i++)
        snprintf(header + strlen(header), sizeof header - strlen(header),
                 "\"features.%zu.key\":{\"dtype\":\"F32\",\"shape\":[1,4096,64,64],\"data_offsets\":[%zu,%zu]}%s", i, i * bytes,
                 (i + 1) * bytes, i < 4 ? "," : "}");
    const uint64_t length = strlen(header);
    fwrite(&length, sizeof length, 1, stream);
    fputs(header, stream);
    fclose(stream);
    assert_int_equal(truncate(path, (off_t)(sizeof length + length + 5 * bytes)), 0);
    FAILS(pg_evidence_load(path, &evidence, &err), PG_BAD_INPUT, "passports of 83886080 values, expected at most 67108864");
    assert_null(evidence);
    unlink(path);
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
