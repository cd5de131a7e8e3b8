/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Embedding into a trained network. An interrupted call leaves no file, and a repeat continues to the same bytes. A network
 * that cannot be marked is refused. */
#include "core/nets/state.h"
#include "core/ownership/binding.h"
#include "experiments/work/embed.h"
#include "tests/unit/subject.h"

#include <sys/stat.h>

static pg_workplace place;
static bool stopping; /* every call takes one step */

static bool stop(void *context)
{
    (void)context;
    return stopping;
}

static void save_subject(const char *scheme, const char *path)
{
    subject s = subject_wire(scheme, PG_NORM_BN, PG_PASSPORT_RANDOM);
    s.spec.width = 0.25; /* a filtered mark needs many weights */
    OK(pg_model_create(&s.spec, &s.model, &err));
    pg_model_initialise(s.model, s.seed, "weights");
    OK(pg_model_save(s.model, NULL, 0, path, &err));
    subject_destroy(&s);
}

SET_UP
{
    pg_secret secret;
    pg_compute_start(1);
    save_subject("plain", "plain");
    save_subject("v1", "v1");
    pg_secret_from_seed((pg_seed){.grid = 1, .task = "secret"}, &secret);
    OK(pg_secret_save(&secret, "secret", &err));
}

static const char *const smaller[] = {"bits=128", "train.batch=20", "train.crop=false"};

/* The files in the test's own folder, at names that the caller chose. */
static pg_embedding order_of(const char *scheme, const char *out, const char *evidence)
{
    static char model[PG_PATH_MAX], secret[PG_PATH_MAX];
    snprintf(model, sizeof model, "%s", shared_path("plain"));
    snprintf(secret, sizeof secret, "%s", shared_path("secret"));
    place = (pg_workplace){.stop = stop, .checkpoint_seconds = 60};
    stopping = false;
    return (pg_embedding){.model = model,
                          .secret = secret,
                          .statement = "Alice, 2026",
                          .scheme = pg_scheme_find(scheme),
                          .sets = smaller,
                          .set_count = 3,
                          .data.name = "synthetic",
                          .train = 40,
                          .test = 20,
                          .epochs = 2,
                          .lr = 0.01,
                          .seed = 1,
                          .out = out,
                          .evidence = evidence};
}

TEST(an_interrupted_call_leaves_no_file_and_continues_to_the_same_bytes)
{
    pg_embedded done;
    pg_embedding order = order_of("uchida", "whole", "whole.evidence");
    OK(pg_embed(&order, &place, &done, &err));
    order.out = "parts", order.evidence = "parts.evidence";
    int stops = 0;
    for (stopping = true; pg_embed(&order, &place, &done, &err) != PG_OK; stops++) {
        assert_int_equal(err.status, PG_INTERRUPTED);
        assert_false(pg_file_exists("parts") || pg_file_exists("parts.evidence"));
        assert_true(pg_file_exists("parts.work"));
    }
    assert_true(stops >= 3);
    assert_same_file("whole", "parts");
    assert_same_file("whole.evidence", "parts.evidence");
    assert_false(pg_file_exists("parts.work"));
}

TEST(an_interrupted_call_does_not_write_over_another_file)
{
    pg_embedded done;
    pg_embedding order = order_of("uchida", "out", "evidence");
    char *text = NULL;
    size_t bytes;
    stopping = true;
    FAILS(pg_embed(&order, &place, &done, &err), PG_INTERRUPTED, "");
    OK(pg_file_write("mine", "x", 1, PG_FILE_SECRET, &err));
    order.evidence = "mine";
    FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "mine: already exists");
    OK(pg_file_read("mine", &text, &bytes, &err));
    assert_int_equal(bytes, 1);
    pg_free(text);
}

TEST(the_evidence_is_bound_to_the_secret_and_for_its_owner_alone)
{
    pg_embedded done;
    pg_evidence *evidence = NULL;
    pg_secret secret;
    struct stat facts;
    const pg_embedding order = order_of("uchida", "out", "evidence");
    OK(pg_embed(&order, &place, &done, &err));
    OK(pg_evidence_load("evidence", &evidence, &err));
    OK(pg_secret_load(order.secret, &secret, &err));
    assert_true(evidence->binding.bound && !evidence->binding.from_seed);
    assert_string_equal(evidence->binding.statement, "Alice, 2026");
    assert_memory_equal(&evidence->binding.secret, &secret, sizeof secret);
    assert_int_equal(stat("evidence", &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    pg_evidence_destroy(&evidence);
}

TEST(every_scheme_that_says_so_can_be_embedded)
{
    for (int i = 0; pg_schemes[i]; i++) {
        pg_embedded done;
        pg_embedding order = order_of(pg_schemes[i]->name, "out", "evidence");
        order.set_count = 0;
        order.train = 140;
        if (!pg_schemes[i]->embed.key || !pg_schemes[i]->bound[0].key) {
            FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT,
                  pg_schemes[i]->embed.key ? "cannot be bound to a secret" : "cannot be embedded into a trained network");
            continue;
        }
        OK(pg_embed(&order, &place, &done, &err));
        OK(pg_file_remove("out", &err));
        OK(pg_file_remove("evidence", &err));
    }
}

TEST(files_and_networks_that_do_not_suit_are_refused)
{
    pg_embedded done;
    pg_embedding order = order_of("uchida", "out", "evidence");
    char v1[PG_PATH_MAX];
    snprintf(v1, sizeof v1, "%s", shared_path("v1"));
    order.model = v1;
    FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "has passport layers; only an ordinary network can be marked");
    order = order_of("uchida", "out", "evidence");
    order.data.name[0] = 0;
    FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "--data NAME is missing, and");
    strcpy(order.data.name, "synthetic"), order.train = 1000000;
    FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "synthetic: has only ");
    order.train = 40;
    OK(pg_file_write("evidence", "x", 1, PG_FILE_SECRET, &err));
    FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "evidence: already exists");
    order = order_of("uchida", "both", "both");
    FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "both: expected two files");
}

/* Otherwise the evidence would be written and every reader would refuse it. */
TEST(a_statement_that_cannot_be_read_back_is_refused)
{
    static const char *const statements[] = {"a\xe2\x80\x8f", "a\nb", "a\xff"};
    pg_embedding order = order_of("uchida", "out", "evidence");
    pg_embedded done;
    for (int i = 0; i < 3; i++) {
        order.statement = statements[i];
        FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, "--statement: expected one line of at most 255 bytes");
    }
}

TEST(options_that_do_not_suit_are_refused)
{
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"bits=20", "bits: a bound mark needs at least 128"},
        {"bitz=128", "--set bitz=128: bitz: unknown key, did you mean 'bits'?"},
        {"train.epoch=2", "train.epoch: unknown key, did you mean 'epochs'?"},
        {"train=2", "--set train=2: train: expected a map"},
        {"start=scratch", "--set: with these options uchida does not start from the given network"},
        {"bound=false", "--set: duplicate key 'bound'"},
        {"projection=gaussian", "gaussian"},
        {"train.batch=100", "batch: 40 training images of synthetic do not fill one batch of 100"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_embedded done;
        pg_embedding order = order_of("uchida", "out", "evidence");
        const char *const sets[] = {"train.batch=20", cases[i].set};
        order.sets = sets;
        order.set_count = 2;
        FAILS(pg_embed(&order, &place, &done, &err), PG_BAD_INPUT, cases[i].message);
        assert_false(pg_file_exists("out.work"));
    }
}

TEST(the_text_of_its_task_can_be_read)
{
    pg_task task = {.scheme = pg_scheme_find("plain"), .norm = PG_NORM_BN, .width = 1, .last = true}, again;
    char nothing = 0;
    task.arch = pg_arch_find("alexnet");
    task.scheme_options = &nothing;
    OK(pg_options_defaults(pg_train_table, &task.train, &err));
    OK(pg_options_defaults(pg_verify_table, &task.verify, &err));
    OK(pg_task_write(&task, &err));
    OK(pg_task_parse(task.text, &again, &err));
    assert_true(again.last);
    pg_task_clear(&again);
    pg_task_clear_texts(&task);
}
