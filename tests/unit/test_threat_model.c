/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threat model: what each attack sees of its victim, and what the owner restores before triggers are judged. */
#include "core/compute/kernels.h"
#include "experiments/work/execute_internal.h"
#include "tests/unit/victims.h"

/* ---- the threat model ---- */

enum { SPIED_IMAGES = 20 }; /* the images that the victim was trained on */
static pg_attack_view seen; /* by the spy */
static bool seen_evidence, seen_train, seen_pretrained, seen_running, seen_fresh, seen_references, seen_weights, seen_answers;
static const subject *spied; /* the victim; its affine and unused images are compared with what the view shows */

/* The running network has the affine with which the victim is deployed, as learned parameters, and nothing of what produces
 * it. */
static void check_running(const pg_model *running)
{
    pg_net *net = NULL;
    const pg_model *m = spied->model;
    assert_true(running->spec.public_affine);
    assert_false(running->spec.private_affine || running->spec.own_norm || running->spec.perceptron);
    OK(pg_net_create(&m->spec, 1, false, PG_CONV_AUTO, &net, &err));
    OK(pg_passports_install(net, m, spied->evidence, &err));
    for (int i = 0; i < m->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(m, i);
        const bool public = m->spec.public_affine;
        assert_memory_equal(running->params + pg_model_passport_layer(running, i)->affine[PG_PUBLIC].gamma,
                            public ? m->params + l->affine[PG_PUBLIC].gamma : pg_net_gamma(net, i),
                            (size_t)l->out_channels * sizeof *m->params);
    }
    pg_net_destroy(&net);
}

/* The owner trained on none of the fresh images. */
static void check_fresh(const pg_dataset *set)
{
    const size_t bytes = (size_t)(set->height * set->width * 3);
    assert_true(set->count > 0);
    for (int i = 0; i < set->count; i++)
        for (int k = 0; k < SPIED_IMAGES; k++)
            assert_true(memcmp(set->images + (size_t)i * bytes, data.train.images + (size_t)k * bytes, bytes) != 0);
}

/* Does the model of the view have any weight? */
static bool has_weights(const pg_model *model)
{
    for (int i = 0; i < model->tensor_count; i++) {
        const pg_tensor *t = &model->tensors[i];
        for (size_t e = 0; !t->buffer && t->order != PG_ORDER_FLAT && e < t->count; e++)
            if (model->params[t->offset + (ptrdiff_t)e] != 0) return true;
    }
    return false;
}

static pg_status spy_start(void *state, const void *options, const pg_attack_view *view, pg_error *error)
{
    (void)state;
    (void)options;
    (void)error;
    seen = *view;
    return PG_OK;
}

static pg_status spy_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *error)
{
    (void)state;
    (void)outcome;
    (void)error;
    *what = PG_ATTACK_LAST;
    return PG_OK;
}

static double spy_progress(const void *state)
{
    (void)state;
    return 1;
}

static void spy_finish(void *state)
{
    (void)state;
    seen_running = seen.running;
    seen_fresh = seen.fresh;
    if (seen_running) check_running(seen.running);
    if (seen_fresh) check_fresh(seen.fresh);
    seen_evidence = seen.evidence;
    seen_train = seen.train;
    seen_pretrained = seen.pretrained;
    seen_references = seen.references;
    seen_weights = has_weights(seen.model);
    seen_answers = seen.answers;
    if (seen_references) assert_true(seen.reference_count == 1 && seen.references[0]);
}

/* Run an attack task whose attack declares `sees`, on a victim that lies in the run's folder. */
static void spy_on(const subject *victim, unsigned sees)
{
    const pg_attack spy = {.name = "spy",
                           .state_size = 1,
                           .sees = sees,
                           .start = spy_start,
                           .step = spy_step,
                           .progress = spy_progress,
                           .finish = spy_finish};
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    pg_task task = {.kind = PG_TASK_ATTACK,
                    .data = planned_data(SPIED_IMAGES, 20),
                    .scheme = victim->scheme,
                    .seed = 1,
                    .victim = "victim",
                    .pretrained = "pretrained",
                    .networks = {"pretrained"},
                    .network_count = 1,
                    .attack = &spy,
                    .verify = {.level = 1e-3, .batch = 20}};
    pg_record record = {0};
    spied = victim;
    OK(pg_execute_attack(&task, &at, &record, &err));
    pg_record_clear(&record);
}

static void save(const subject *s, const pg_workplace *at, const char *key)
{
    char path[PG_PATH_MAX];
    OK(pg_execute_path(at, "models", key, path, &err));
    OK(pg_model_save(s->model, NULL, 0, path, &err));
    if (!s->evidence) return;
    OK(pg_execute_path(at, "evidence", key, path, &err));
    OK(pg_evidence_save(s->evidence, path, &err));
}

/* Genuine evidence is out of reach unless the attack declares it, or declares that it needs the distributed evidence and the
 * network cannot run without it. */
TEST(an_attack_sees_what_it_declares_and_no_more)
{
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    subject plain = victim_of("plain");
    save(&plain, &at, "pretrained");
    for (int i = 0; i < SCHEMES; i++) {
        subject victim = victim_of(names[i]);
        save(&victim, &at, "victim");
        for (unsigned sees = 0; sees < 2 * PG_SEES_ANSWERS; sees++) {
            spy_on(&victim, sees);
            assert_non_null(seen.model);
            assert_non_null(seen.pictures);
            assert_null(seen.other);
            const bool distributed = sees & PG_SEES_DISTRIBUTED && strcmp(names[i], "v1") == 0;
            assert_int_equal(seen_evidence, sees & PG_SEES_EVIDENCE || distributed);
            assert_int_equal(seen_train, (sees & PG_SEES_TRAIN) != 0);
            assert_int_equal(seen_pretrained, (sees & PG_SEES_PRETRAINED) != 0);
            assert_int_equal(seen_running, (sees & PG_SEES_AFFINE) != 0);
            assert_int_equal(seen_answers, (sees & PG_SEES_ANSWERS) != 0);
            assert_int_equal(seen_weights, !seen_answers);
            assert_int_equal(seen_fresh, (sees & PG_SEES_FRESH) != 0);
            assert_int_equal(seen_references, (sees & PG_SEES_REFERENCES) != 0);
        }
        subject_destroy(&victim);
    }
    subject_destroy(&plain);
    pg_task_release_data();
}

/* ---- triggers after removal ---- */

static pg_model *silenced; /* the outcome of the attack below */

/* An attack that sets the public affine of passport layers to zero. */
static pg_status silence_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *error)
{
    (void)state;
    *what = PG_ATTACK_LAST;
    const pg_status status = pg_model_clone(seen.model, &silenced, error);
    for (int i = 0; status == PG_OK && i < silenced->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(silenced, i);
        pg_zero((size_t)l->out_channels, silenced->params + l->affine[PG_PUBLIC].gamma);
        pg_zero((size_t)l->out_channels, silenced->params + l->affine[PG_PUBLIC].beta);
    }
    *outcome = (pg_outcome){.model = silenced};
    return status;
}

static double cell_of(const pg_record *record, const char *metric)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].metric, metric) == 0) return record->cells[i].value;
    fail_msg("no %s", metric);
    return NAN;
}

/* A network of which only the affine was changed recognises the triggers after its affine is restored, and not before. */
TEST(a_changed_affine_is_put_back_before_triggers_are_judged)
{
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    const pg_attack silence = {.name = "silence",
                               .state_size = 1,
                               .start = spy_start,
                               .step = silence_step,
                               .progress = spy_progress,
                               .finish = spy_finish};
    const pg_task task = {.kind = PG_TASK_ATTACK,
                          .data = planned_data(20, 20),
                          .scheme = pg_scheme_find("v3"),
                          .seed = 1,
                          .victim = "victim",
                          .attack = &silence,
                          .verify = {.level = 1e-3, .batch = 20}};
    pg_record record = {0};
    subject victim = victim_of("v3");
    pg_dataset *triggers = &victim.evidence->triggers;
    pg_accuracy a;
    for (int i = 0; i < triggers->count; i++) triggers->labels[i] = 0;
    OK(pg_measure_accuracy(victim.model, PG_PUBLIC, NULL, triggers, PG_PIXELS_IMAGENET, 20, &a, &err));
    for (int c = 1; c < 10 && !(a.exact > 0); c++) { /* what the network answers to at least one of them */
        for (int i = 0; i < triggers->count; i++) triggers->labels[i] = c;
        OK(pg_measure_accuracy(victim.model, PG_PUBLIC, NULL, triggers, PG_PIXELS_IMAGENET, 20, &a, &err));
    }
    save(&victim, &at, "victim");
    OK(pg_execute_attack(&task, &at, &record, &err));
    const double restored = cell_of(&record, "trigger_restored");
    assert_true(fabs(cell_of(&record, "trigger_stale") - a.exact) < 1e-9);
    assert_true(fabs(restored - a.exact) > 1);
    pg_record_clear(&record);
    pg_model_destroy(&silenced);
    subject_destroy(&victim);
    pg_task_release_data();
}
