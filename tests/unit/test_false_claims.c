/* SPDX-License-Identifier: GPL-3.0-or-later */
/* False claims: keys that nobody embedded, against networks without a mark, and keys of marked networks against unrelated
 * networks. At most the share that the level allows may agree, unless a row says why. If FALSE_KEYS is set, it is the number of
 * fresh keys of each scheme, the images are those of CIFAR-10, and FALSE_CSV names a file for the table. `make test-false`
 * shows 3,000 of each. */
#include "tests/unit/interval.h"
#include "tests/unit/watermark.h"

#include <stdio.h>

typedef struct row {
    const char *scheme, *options;
    int epochs;      /* in which the small network takes the mark */
    const char *why; /* more may agree than the level allows; NULL: no more may */
    int most;        /* keys that are shown, because each takes long to make; 0: any number */
} row;

static const row rows[] = {
    {"v1", "{passport: random}", 20, NULL, 0},
    {"v1", "{passport: shuffle}", 20, NULL, 0},
    {"v2", "{passport: random}", 20, NULL, 0},
    {"v3", "{passport: random, trigger_count: 20}", 20, NULL, 0},
    {"pan", "{passport: random}", 20, NULL, 0},
    {"uchida", "{bits: 64, strength: 5}", 10, NULL, 0},
    {"uchida", "{bits: 64, strength: 20, projection: direct}", 10, NULL, 0},
    {"uchida", "{bits: 64, strength: 20, projection: diff}", 10, NULL, 0},
    {"uchida", "{bits: 128, strength: 5, projection: signs, bound: true}", 10, NULL, 0},
    {"neuralmark", "{bits: 64, rounds: 2, pooled: 128, strength: 100}", 10, NULL, 0},
    {"greedy", "{bits: 64, row: 20, strength: 1, layers: features.4}", 10, NULL, 0},
    {"deepmarks", "{bits: 32, strength: 1}", 10, NULL, 0},
    {"deepmarks", "{bits: 64, matrix: centred, strength: 1}", 10, NULL, 0},
    {"stdm", "{bits: 64, strength: 1}", 10, NULL, 0},
    {"laplacian", "{bits: 64, spread: 20}", 10, NULL, 0},
    {"deepsigns", "{bits: 40, trigger_count: 40, triggers_per_batch: 40, strength: 10}", 60, NULL, 0},
    {"riga", "{bits: 64, hidden: 50, strength: 1}", 20, NULL, 20},
    {"hufunet", "{pictures: 8, codes: 16, images: 100, sweeps: 20}", 10, NULL, 0},
    {"adi", "{trigger_count: 20, triggers_per_batch: 20}", 20, NULL, 0},
    {"adi", "{trigger_count: 40, triggers_per_batch: 20, bound: true}", 30, NULL, 0},
    {"zhang", "{trigger_count: 20, triggers_per_batch: 20}", 20, NULL, 0},
    {"zhang", "{labels: uniform, trigger_count: 20, triggers_per_batch: 20}", 30, NULL, 0},
    {"zhang", "{pattern: noise, labels: uniform, trigger_count: 20, triggers_per_batch: 20}", 30, NULL, 0},
    {"zhang", "{pattern: unrelated, labels: uniform, trigger_count: 20, triggers_per_batch: 20}", 30, NULL, 0},
    {"frontier", "{trigger_count: 20, triggers_per_batch: 20, candidates: 10, epsilon: 0.03}", 20,
     "the pictures have their true classes; networks that learnt the task answer them too", 300},
    {"ewe", "{source: -1, trigger_count: 20, triggers_per_batch: 20, strength: 0.1}", 20, NULL, 0},
    {"margin", "{trigger_count: 20, triggers_per_batch: 20, weight: 2}", 30, NULL, 0},
    {"deepsigns-black", "{trigger_count: 20, triggers_per_batch: 20}", 30, NULL, 0},
    {"blackmarks", "{trigger_count: 20, triggers_per_batch: 20, candidates: 10, epsilon: 0.2}", 20, NULL, 300},
};
enum { ROWS = sizeof rows / sizeof *rows };

static const pg_verify_options judging = {.level = 1e-3, .tolerance = 5, .nulls = 20, .batch = 64, .proof = 80};

/* ---- networks without a mark ---- */

/* READERS have the architecture of the marked networks; the last has another. */
enum { READERS = 4, STRANGERS = 5 };

static const struct {
    const char *arch;
    pg_norm_kind norm;
    bool same_images; /* as the owners */
} strangers[STRANGERS] = {{"alexnet", PG_NORM_BN, true},
                          {"alexnet", PG_NORM_BN, false},
                          {"alexnet", PG_NORM_GN, false},
                          {"alexnet", PG_NORM_NONE, false},
                          {"resnet9", PG_NORM_BN, false}};

typedef struct scene {
    pg_data whole;
    pg_dataset half[2];  /* of the training images: the owners', the others' */
    pg_model *claimants; /* a trained plain network: what keys are made from */
    pg_model *model[STRANGERS];
    pg_judge *judge[STRANGERS];
    pg_judge_setup setup[STRANGERS];
    bool real;
} scene;

static void train_on(owner *o, const pg_dataset *images, int epochs)
{
    const pg_dataset kept = data.train;
    data.train = *images;
    train(o, epochs);
    data.train = kept;
}

static pg_model *plain_model(const scene *s, const char *arch, pg_norm_kind norm, uint64_t seed, int half)
{
    owner o = owner_wire("plain", "{}");
    o.seed.grid = seed;
    o.spec = pg_net_spec_plain(pg_arch_find(arch), norm, 10);
    o.spec.width = 0.0625;
    OK(pg_model_create(&o.spec, &o.model, &err));
    pg_model_initialise(o.model, o.seed, "weights");
    train_on(&o, &s->half[half], s->real ? 6 : 4);
    pg_free(o.options);
    return o.model;
}

static void open_scene(scene *s, bool real)
{
    s->real = real;
    if (real) {
        pg_data all = {0};
        OK(pg_data_load("cifar10", NULL, &all, &err));
        OK(pg_dataset_subset(&all.train, 2000, &s->whole.train, &err));
        OK(pg_dataset_subset(&all.test, 100, &s->whole.test, &err));
        pg_data_clear(&all);
    } else
        s->whole = test_data(320, 60);
    OK(pg_dataset_half(&s->whole.train, PG_HALF_FIRST, &s->half[0], &err));
    OK(pg_dataset_half(&s->whole.train, PG_HALF_SECOND, &s->half[1], &err));
    s->claimants = plain_model(s, "alexnet", PG_NORM_BN, 100, 0);
    for (int i = 0; i < STRANGERS; i++) {
        s->model[i] = plain_model(s, strangers[i].arch, strangers[i].norm, 200 + (uint64_t)i, !strangers[i].same_images);
        s->setup[i] = (pg_judge_setup){
            .model = s->model[i], .test = &s->whole.test, .options = &judging, .shown = 1, .seeds_prove = true};
        OK(pg_judge_create(&s->setup[i], &s->judge[i], &err));
    }
}

static void close_scene(scene *s)
{
    for (int i = 0; i < STRANGERS; i++) {
        pg_judge_destroy(&s->judge[i]);
        pg_model_destroy(&s->model[i]);
    }
    pg_model_destroy(&s->claimants);
    pg_dataset_clear(&s->half[0]);
    pg_dataset_clear(&s->half[1]);
    pg_data_clear(&s->whole);
}

/* ---- claims ---- */

typedef struct tally {
    int keys, significant, agree;      /* of fresh keys */
    bool own;                          /* the marked network agrees with its key */
    int heard, believed, not_readable; /* of that key, on the strangers; heard 0: the key was not embedded */
} tally;

static pg_evidence *make_key(const scene *s, const owner *o, pg_seed seed)
{
    pg_evidence *key = NULL;
    const pg_data images = {.train = s->half[0], .test = s->whole.test};
    const pg_keygen in = {.scheme = o->scheme,
                          .spec = &o->spec,
                          .seed = seed,
                          .data = &images,
                          .other = &second_data,
                          .pixels = PG_PIXELS_IMAGENET,
                          .pretrained = s->claimants};
    OK(pg_scheme_keygen(o->options, &in, &key, &err));
    return key;
}

/* An owner whose network carries the key of that seed. */
static owner embed(const scene *s, const row *r, pg_seed seed)
{
    owner o = owner_wire(r->scheme, r->options);
    o.seed = seed;
    OK(pg_model_create(&o.spec, &o.model, &err));
    pg_model_initialise(o.model, o.seed, "weights");
    if (pg_scheme_starts_pretrained(o.scheme, o.options)) OK(pg_model_copy(s->claimants, o.model, &err));
    o.evidence = make_key(s, &o, o.seed);
    train_on(&o, &s->half[0], s->real ? (r->epochs + 1) / 2 : r->epochs);
    return o;
}

static void count_fresh(pg_judge *judge, const pg_evidence *key, tally *t)
{
    pg_finding f;
    OK(pg_judge_claim(judge, key, &f, &err));
    t->keys++;
    t->significant += f.significant;
    t->agree += f.agrees || f.proves;
}

/* A key that is trained with a network comes from a network of the claimant. */
static void claim_fresh(const scene *s, const row *r, int keys, tally *t)
{
    owner o = owner_wire(r->scheme, r->options);
    const bool trained = o.scheme->learn != NULL;
    const int most = trained && !s->real ? 2 : r->most;
    for (int i = 0; i < (most && most < keys ? most : keys); i++) {
        const pg_seed seed = {.grid = (uint64_t)i, .task = "claimant"};
        owner claimant = {.evidence = NULL};
        if (trained)
            claimant = embed(s, r, seed);
        else
            claimant.evidence = make_key(s, &o, seed);
        count_fresh(s->judge[i % READERS], claimant.evidence, t);
        owner_destroy(&claimant);
    }
    owner_destroy(&o);
}

static void claim_genuine(const scene *s, const row *r, tally *t)
{
    pg_finding f;
    owner o = embed(s, r, (pg_seed){.grid = 1, .task = "owner"});
    pg_judge_setup own = s->setup[0];
    own.model = o.model;
    own.distributed = o.spec.passports && !o.spec.public_affine ? o.evidence : NULL;
    OK(pg_verify(&own, o.evidence, &f, &err));
    t->own = f.significant;
    for (int i = 0; i < STRANGERS; i++) {
        if (pg_judge_claim(s->judge[i], o.evidence, &f, &err) != PG_OK) {
            t->not_readable++;
            continue;
        }
        t->heard++;
        t->believed += f.agrees || f.proves;
    }
    owner_destroy(&o);
}

static void print_row(FILE *out, const row *r, const tally *t, double low, double high)
{
    fprintf(out, "%s,\"%s\",%d,%d,%d,%g,%.5f,%.5f,%s,%d,%d,%d,%s\n", r->scheme, r->options, t->keys, t->significant, t->agree,
            judging.level, low, high, t->own ? "yes" : "no", t->heard, t->believed, t->not_readable, r->why ? r->why : "");
}

static const char header[] = "scheme,options,fresh keys,significant,agree,level,agree low 99.9 %,agree high 99.9 %,"
                             "own network significant,strangers,strangers that agree,not readable,why\n";

TEST(no_more_false_claims_agree_than_the_level_allows)
{
    const char *told = getenv("FALSE_KEYS"), *path = getenv("FALSE_CSV");
    scene s = {0};
    FILE *csv = path ? fopen(path, "w") : NULL;
    open_scene(&s, told != NULL);
    printf("%s", header);
    if (csv) fprintf(csv, "%s", header);
    int faults = 0;
    for (int i = 0; i < ROWS; i++) {
        tally t = {0};
        double low, high, believed, unused;
        if (told || i % 8 == 1) claim_genuine(&s, &rows[i], &t);
        claim_fresh(&s, &rows[i], told ? atoi(told) : 8, &t);
        interval(t.agree, t.keys, &low, &high);
        interval(t.believed, t.heard ? t.heard : 1, &believed, &unused);
        print_row(stdout, &rows[i], &t, low, high);
        fflush(stdout);
        if (csv) print_row(csv, &rows[i], &t, low, high);
        faults += !rows[i].why && fmax(low, believed) > judging.level;
    }
    if (csv) fclose(csv);
    close_scene(&s);
    assert_int_equal(faults, 0);
}
