/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hundreds of evidence files that no honest owner made. None proves, and of those made without seeing the network, no more
 * agree than the level allows. HOSTILE_FILES sets their number; `make test-hostile` makes 10,000. */
#include "core/nets/state.h"
#include "core/ownership/binding.h"
#include "core/ownership/mark.h"
#include "core/ownership/reading.h"
#include "core/ownership/verify.h"
#include "tests/unit/interval.h"
#include "tests/unit/subject.h"

#include <math.h>
#include <stdio.h>

static pg_data data;
static const char path[] = "evidence.safetensors";

/* The accused network, and the judge who hears all claims on it. */
typedef struct trial {
    subject network;
    pg_judge *judge;
} trial;
enum { TRIALS = 3 };
static trial trials[TRIALS];
static pg_verify_options options;

static void open_trial(trial *t, const char *scheme, pg_norm_kind norm)
{
    pg_train_options training = test_training(6, 16);
    training.lr = 0.05;
    t->network = subject_create(scheme, norm, PG_PASSPORT_RANDOM, &data);
    subject_train(&t->network, &data, &training);
    const pg_judge_setup setup = {.model = t->network.model,
                                  .test = &data.test,
                                  .pixels = PG_PIXELS_IMAGENET,
                                  .options = &options,
                                  .shown = 1,
                                  .seeds_prove = true};
    OK(pg_judge_create(&setup, &t->judge, &err));
}

SET_UP
{
    pg_compute_start(1);
    data = test_data(320, 100);
    OK(pg_options_defaults(pg_verify_table, &options, &err));
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

static void open_trials(void)
{
    open_trial(&trials[0], "plain", PG_NORM_BN);
    open_trial(&trials[1], "plain", PG_NORM_GN);
    open_trial(&trials[2], "v2", PG_NORM_BN);
}

static void close_trials(void)
{
    for (int i = 0; i < TRIALS; i++) {
        pg_judge_destroy(&trials[i].judge);
        subject_destroy(&trials[i].network);
    }
}

/* ---- making files ---- */

/* The hands of a forger. */
typedef struct forger {
    const trial *on;
    pg_rng rng;
    pg_evidence *e;
} forger;

static double uniform(forger *f, double low, double high)
{
    return low + (high - low) * pg_rng_uniform(&f->rng);
}

static int below(forger *f, int n)
{
    return (int)pg_rng_below(&f->rng, (uint64_t)n);
}

static double noise(forger *f)
{
    return uniform(f, -1, 1) + uniform(f, -1, 1) + uniform(f, -1, 1);
}

static pg_net_spec plain_spec(const forger *f)
{
    pg_net_spec spec = f->on->network.spec;
    spec.passports = 0;
    return spec;
}

static int taps_of(const pg_mark *m)
{
    return m->site[0].kernel * m->site[0].kernel * m->site[0].inputs;
}

static const char *const layers[] = {"features.0", "features.2", "features.4", "features.5", "features.6"};

/* A mark of 16 to 512 bits with all of them +1 and a zero projection. */
static pg_mark *begin_mark(forger *f)
{
    const pg_net_spec spec = plain_spec(f);
    OK(pg_evidence_create(&spec, "uchida", pg_mark_kinds[below(f, 2) * PG_MARK_SIGNS], &f->e, &err));
    OK(pg_mark_create(&spec, layers[below(f, 5)], 16 << below(f, 6), PG_MARK_GAUSSIAN, &f->e->mark, &err));
    memset(f->e->mark.b, 1, (size_t)f->e->mark.bits);
    return &f->e->mark;
}

/* Filters around one filter, or around it and its negative; `near` is the share that they have in common. */
static void fill_filters(forger *f, pg_mark *m, double near, bool both)
{
    for (int i = 0; i < m->bits; i++) m->b[i] = both && below(f, 2) ? -1 : 1;
    for (int t = 0; t < taps_of(m); t++) {
        const double common = near * noise(f);
        for (int i = 0; i < m->bits; i++) m->projection[t * m->bits + i] = (pg_real)(m->b[i] * common + (1 - near) * noise(f));
    }
}

static void random_bits(forger *f, int8_t *b, int count)
{
    for (int i = 0; i < count; i++) b[i] = below(f, 2) ? 1 : -1;
}

static void repeated_filter(forger *f)
{
    fill_filters(f, begin_mark(f), uniform(f, 0.95, 1), below(f, 2));
}

static void similar_filters(forger *f)
{
    fill_filters(f, begin_mark(f), uniform(f, 0.2, 0.9), below(f, 2));
}

static void positive_filters(forger *f)
{
    pg_mark *m = begin_mark(f);
    const double spread = uniform(f, 0, 3);
    for (int i = 0; i < taps_of(m) * m->bits; i++) m->projection[i] = (pg_real)(1 + spread * noise(f));
    if (below(f, 2)) memset(m->b, -1, (size_t)m->bits);
}

static void honest_mark(forger *f)
{
    pg_mark *m = begin_mark(f);
    OK(pg_mark_draw(m, PG_MARK_GAUSSIAN, &f->rng, &err));
    random_bits(f, m->b, m->bits);
}

static void bits_read_in_the_weights(forger *f)
{
    double projected[PG_MARK_BITS_MAX];
    honest_mark(f);
    OK(pg_mark_fit(&f->e->mark, f->on->network.model, &err));
    pg_mark_project(&f->e->mark, f->on->network.model, projected);
    for (int i = 0; i < f->e->mark.bits; i++) f->e->mark.b[i] = projected[i] > 0 ? 1 : -1;
}

/* A mark of these bits that a perceptron or an autoencoder reads, with random values. */
static pg_mark *begin_trained_mark(forger *f, const char *scheme, pg_mark_kind kind, int bits, int pooled)
{
    const pg_net_spec spec = plain_spec(f);
    OK(pg_evidence_create(&spec, scheme, pg_mark_kinds[kind], &f->e, &err));
    pg_mark *m = &f->e->mark;
    OK(pg_mark_create_listed(&spec, layers[1 + below(f, 4)], bits, kind, pooled, m, &err));
    OK(pg_mark_draw(m, kind, &f->rng, &err));
    random_bits(f, m->b, m->bits);
    return m;
}

/* Every hidden unit votes for the bits, from hardly at all to alone; the hidden units tell nothing, something or everything. */
static void perceptron_that_knows_its_bits(forger *f)
{
    pg_mark *m = begin_trained_mark(f, "riga", PG_MARK_EXTRACTOR, 16 << below(f, 6), 1 + below(f, 16));
    pg_real *v = m->projection + (ptrdiff_t)taps_of(m) * m->pooled;
    const double scale = pow(10, uniform(f, -6, 6)), own = uniform(f, 0, 1);
    for (int i = 0; i < taps_of(m) * m->pooled; i++) m->projection[i] = (pg_real)(scale * (double)m->projection[i]);
    for (int i = 0; i < m->bits * m->pooled; i++) {
        const int bit = i / m->pooled;
        v[i] = (pg_real)((1 - own) * m->b[bit] + own * (double)v[i]);
    }
}

/* Pictures of large pixels turn codes into signs of sums of weights, and the decoder lets them vote for the pictures. */
static void decoder_that_knows_its_pictures(forger *f)
{
    const int codes = 1 + below(f, 16), pictures = 1 + below(f, 8);
    pg_mark *m = begin_trained_mark(f, "hufunet", PG_MARK_REBUILT, 64 * pictures, codes);
    const double scale = pow(10, uniform(f, -1, 6)), alike = uniform(f, 0, 1), side = below(f, 2) ? 1 : -1;
    double pattern[64];
    pg_real pixels[64 * 8];
    for (int i = 0; i < 64; i++) pattern[i] = noise(f) < 3 * alike ? 1 : -1;
    for (int i = 0; i < m->bits; i++) pixels[i] = (pg_real)(scale * (pattern[i % 64] + 0.5 * (1 - alike) * noise(f)));
    pg_mark_show(m, pixels);
    for (int i = 0; i < codes * 64; i++) pg_mark_decoder(m)[i] = (pg_real)(side * pattern[i % 64] + 2 * (1 - alike) * noise(f));
}

/* A trigger set of 4 to 64 pictures, grey, all with one label. */
static pg_dataset *begin_triggers(forger *f)
{
    const pg_net_spec spec = plain_spec(f);
    OK(pg_evidence_create(&spec, "adi", "generated", &f->e, &err));
    pg_dataset *t = &f->e->triggers;
    OK(pg_dataset_allocate(t, 4 << below(f, 5), 32, 32, &err));
    t->classes = 10;
    memset(t->images, 128, (size_t)t->count * 32 * 32 * 3);
    const int label = below(f, 10);
    for (int i = 0; i < t->count; i++) t->labels[i] = label;
    return t;
}

static void random_labels(forger *f, pg_dataset *t)
{
    for (int i = 0; i < t->count; i++) t->labels[i] = below(f, 10);
}

/* Pictures around one picture, at most `levels` away from it. */
static void fill_pictures(forger *f, pg_dataset *t, int levels)
{
    const int size = 32 * 32 * 3;
    for (int k = 0; k < size; k++) {
        const int common = below(f, 256);
        for (int i = 0; i < t->count; i++) {
            const int level = common + below(f, 2 * levels + 1) - levels;
            t->images[i * size + k] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
    }
}

static void repeated_picture(forger *f)
{
    pg_dataset *t = begin_triggers(f);
    if (below(f, 2)) fill_pictures(f, t, below(f, 30));
}

static void similar_pictures(forger *f)
{
    pg_dataset *t = begin_triggers(f);
    fill_pictures(f, t, 30 + below(f, 226));
    if (below(f, 2)) random_labels(f, t);
}

/* Squares of colour. Each picture differs from the others, and each class has a run of them. */
static void pictures_in_runs(forger *f)
{
    pg_dataset *t = begin_triggers(f);
    for (int i = 0; i < t->count; i++) {
        const uint8_t colour[3] = {(uint8_t)below(f, 256), (uint8_t)below(f, 256), (uint8_t)below(f, 256)};
        for (int k = 0; k < 32 * 32 * 3; k++) t->images[i * 32 * 32 * 3 + k] = colour[k % 3];
        t->labels[i] = below(f, 2) ? colour[0] / 26 : 0;
    }
}

static void test_pictures(forger *f)
{
    pg_dataset *t = begin_triggers(f);
    const size_t size = (size_t)32 * 32 * 3;
    for (int i = 0; i < t->count; i++) {
        const int from = below(f, data.test.count);
        memcpy(t->images + (size_t)i * size, data.test.images + (size_t)from * size, size);
        t->images[(size_t)i * size + (size_t)below(f, (int)size)] ^= 1;
        t->labels[i] = data.test.labels[from];
    }
}

static void labels_read_in_the_network(forger *f)
{
    pg_accuracy accuracy;
    int32_t answers[64];
    pg_model *copy = NULL;
    pg_dataset *t = begin_triggers(f);
    fill_pictures(f, t, 255);
    OK(pg_model_clone(f->on->network.model, &copy, &err));
    OK(pg_measure_answers(copy, PG_PUBLIC, NULL, t, PG_PIXELS_IMAGENET, 64, &accuracy, answers, &err));
    memcpy(t->labels, answers, (size_t)t->count * sizeof *answers);
    pg_model_destroy(&copy);
}

/* Passports for the default layers, noise around a mean, with random signatures. */
static void begin_passports(forger *f, double mean, double spread)
{
    subject s = subject_wire("v2", f->on->network.spec.norm, PG_PASSPORT_RANDOM);
    OK(pg_evidence_create(&s.spec, "v2", pg_passport_kinds[below(f, 3)], &f->e, &err));
    for (int i = 0; i < f->e->passport_count; i++) {
        pg_passport *p = &f->e->passports[i];
        for (int k = 0; k < p->height * p->width * p->inputs; k++) {
            p->key[k] = (pg_real)(mean + spread * noise(f));
            p->skey[k] = (pg_real)(mean + spread * noise(f));
        }
        random_bits(f, p->b, p->outputs);
    }
    subject_destroy(&s);
}

static void honest_passports(forger *f)
{
    begin_passports(f, 0, 1);
}

static void one_sided_passports(forger *f)
{
    begin_passports(f, below(f, 2) ? 1 : -1, uniform(f, 0, 1));
    const int sign = below(f, 2) ? 1 : -1;
    for (int i = 0; i < f->e->passport_count; i++) memset(f->e->passports[i].b, sign, (size_t)f->e->passports[i].outputs);
}

static void huge_or_tiny_passports(forger *f)
{
    begin_passports(f, 0, pow(10, uniform(f, -35, 35)));
}

static void signature_read_in_the_network(forger *f)
{
    pg_reading *reading = NULL;
    int8_t signs[PG_MARK_BITS_MAX], *next = signs;
    begin_passports(f, uniform(f, -1, 1), 1);
    OK(pg_reading_open(f->on->network.model, f->e, &reading, &err));
    OK(pg_reading_signs(reading, f->e, signs, &err));
    for (int i = 0; i < f->e->passport_count; i++)
        for (int o = 0; o < f->e->passports[i].outputs; o++, next++) f->e->passports[i].b[o] = *next < 0 ? -1 : 1;
    pg_reading_close(&reading);
}

/* ---- bound evidence ---- */

static void bind_to(forger *f, int number)
{
    pg_secret_from_seed((pg_seed){.grid = (uint64_t)number, .task = "hostile"}, &f->e->binding.secret);
    OK(pg_evidence_bind(f->e, &err));
}

/* A mark, triggers or passports of a fresh secret. */
static void fresh_secret(forger *f)
{
    const int claim = below(f, 3);
    pg_net_spec spec = f->on->network.spec;
    if (claim == 0) {
        begin_mark(f);
        snprintf(f->e->kind, sizeof f->e->kind, "signs");
    } else if (claim == 1)
        begin_triggers(f);
    else {
        begin_passports(f, 0, 1);
        snprintf(f->e->kind, sizeof f->e->kind, "random");
    }
    if (claim < 2) spec = plain_spec(f);
    f->e->binding = pg_binding_for(&spec, PG_PIXELS_IMAGENET);
    bind_to(f, below(f, 1 << 30));
}

/* The best of twenty secrets. */
static void ground_secret(forger *f)
{
    pg_reading *reading = NULL;
    int8_t signs[PG_MARK_BITS_MAX];
    int best = 0, most = -1;
    pg_mark *m = begin_mark(f);
    snprintf(f->e->kind, sizeof f->e->kind, "signs");
    const pg_net_spec spec = plain_spec(f);
    f->e->binding = pg_binding_for(&spec, PG_PIXELS_IMAGENET);
    OK(pg_reading_open(f->on->network.model, f->e, &reading, &err));
    for (int i = 0; i < 20; i++) {
        bind_to(f, i);
        OK(pg_reading_signs(reading, f->e, signs, &err));
        const int agree = pg_signs_agree(f->e, signs);
        if (agree > most) best = i;
        if (agree > most) most = agree;
    }
    bind_to(f, best);
    assert_true(m->bits > 0);
    pg_reading_close(&reading);
}

/* ---- hearing them ---- */

typedef struct kind {
    const char *name;
    bool blind;  /* made without seeing the network */
    bool edited; /* the file is changed after it was written */
    void (*make)(forger *f);
} kind;

static const kind kinds[] = {
    {"a filter repeated", true, false, repeated_filter},
    {"similar filters", true, false, similar_filters},
    {"positive filters", true, false, positive_filters},
    {"a free mark of another network", true, false, honest_mark},
    {"a perceptron that knows its bits", true, false, perceptron_that_knows_its_bits},
    {"a decoder that knows its pictures", true, false, decoder_that_knows_its_pictures},
    {"a perceptron, edited file", true, true, perceptron_that_knows_its_bits},
    {"a decoder, edited file", true, true, decoder_that_knows_its_pictures},
    {"a picture repeated", true, false, repeated_picture},
    {"similar pictures", true, false, similar_pictures},
    {"pictures of colours in runs", true, false, pictures_in_runs},
    {"the judge's test pictures", true, false, test_pictures},
    {"free passports of another network", true, false, honest_passports},
    {"one-sided passports and signature", true, false, one_sided_passports},
    {"huge or tiny passports", true, false, huge_or_tiny_passports},
    {"a fresh secret", true, false, fresh_secret},
    {"a fresh secret, edited file", true, true, fresh_secret},
    {"free passports, edited file", true, true, honest_passports},
    {"bits read in the weights", false, false, bits_read_in_the_weights},
    {"labels read in the network", false, false, labels_read_in_the_network},
    {"signature read in the network", false, false, signature_read_in_the_network},
    {"best of twenty secrets", false, false, ground_secret},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct tally {
    int files, refused, significant, agree, prove;
} tally;

/* Change up to eight bytes of the file, half of the time in its header. */
static void edit(forger *f)
{
    char *bytes = NULL;
    size_t count;
    OK(pg_file_read(path, &bytes, &count, &err));
    const int within = below(f, 2) && count > 600 ? 600 : (int)count;
    for (int i = below(f, 8); i >= 0; i--) bytes[8 + below(f, within - 8)] = (char)below(f, 256);
    OK(pg_file_write(path, bytes, count, PG_FILE_PUBLIC, &err));
    pg_free(bytes);
}

static void hear(const kind *k, int number, tally *t)
{
    pg_finding found;
    pg_evidence *shown = NULL;
    forger f = {.on = &trials[number % TRIALS]};
    pg_rng_open(&f.rng, (pg_seed){.task = "hostile files"}, k->name, (uint64_t)number);
    k->make(&f);
    t->files++;
    if (pg_evidence_save(f.e, path, &err) == PG_OK) {
        if (k->edited) edit(&f);
        const bool fits =
            pg_evidence_load(path, &shown, &err) == PG_OK && pg_judge_claim(f.on->judge, shown, &found, &err) == PG_OK;
        t->refused += !fits;
        t->significant += fits && found.significant;
        t->agree += fits && found.agrees;
        t->prove += fits && found.proves;
    } else
        t->refused++;
    pg_evidence_destroy(&shown);
    pg_evidence_destroy(&f.e);
}

static void print_tally(const char *name, const tally *t)
{
    printf("  %-36s %6d %8d %11d %6d %6d\n", name, t->files, t->refused, t->significant, t->agree, t->prove);
}

static void check_agreement(const char *name, const tally *t)
{
    double low, high;
    interval(t->agree, t->files, &low, &high);
    if (low > options.level) fail_msg("%s: %d of %d files agree", name, t->agree, t->files);
}

TEST(no_hostile_file_proves_and_few_agree)
{
    const char *told = getenv("HOSTILE_FILES");
    const int files = told ? atoi(told) : 10 * KINDS;
    tally each[KINDS] = {0}, blind = {0};
    double low, high;
    open_trials();
    for (int k = 0; k < KINDS; k++)
        for (int i = k; i < files; i += KINDS) hear(&kinds[k], i / KINDS, &each[k]);
    close_trials();
    printf("  %-36s %6s %8s %11s %6s %6s\n", "", "files", "refused", "significant", "agree", "prove");
    for (int k = 0; k < KINDS; k++) {
        print_tally(kinds[k].name, &each[k]);
        if (!kinds[k].blind) continue;
        blind.files += each[k].files;
        blind.refused += each[k].refused;
        blind.significant += each[k].significant;
        blind.agree += each[k].agree;
        blind.prove += each[k].prove;
    }
    print_tally("all made without seeing the network", &blind);
    interval(blind.agree, blind.files, &low, &high);
    printf("  of these %.4f agree (99.9 %% interval %.4f to %.4f), level %g\n", (double)blind.agree / blind.files, low, high,
           options.level);
    for (int k = 0; k < KINDS; k++) {
        if (each[k].prove) fail_msg("%s: %d of %d files prove", kinds[k].name, each[k].prove, each[k].files);
        if (kinds[k].blind) check_agreement(kinds[k].name, &each[k]);
    }
    check_agreement("made without seeing the network", &blind);
}
