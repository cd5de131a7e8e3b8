/* Attacks: what each may see, change and claim. */
#include "tests/unit/subject.h"

#include "attacks/attack.h"
#include "core/compute/kernels.h"
#include "core/formats/yaml.h"
#include "core/nets/state.h"
#include "core/ownership/verify.h"
#include "experiments/work/execute_internal.h"

static pg_data data;
static const char *const names[] = {"v1", "v2", "v3", "pan"};
enum { SCHEMES = sizeof names / sizeof *names };

SET_UP
{
    pg_compute_start(1);
    data = test_data(32, 24);
}

TEAR_DOWN
{
    pg_data_clear(&data);
}

static subject victim_of(const char *scheme)
{
    return subject_create(scheme, strcmp(scheme, "v2") == 0 ? PG_NORM_GN : PG_NORM_BN, PG_PASSPORT_RANDOM, &data);
}

/* ---- an attack at work ---- */

typedef struct raid {
    const pg_attack *attack;
    void *state, *options;
    pg_attack_view view;
    double progress;
    bool over;
} raid;

/* Read options as a grid would. */
static void read_options(const pg_attack *attack, const char *yaml, void **options, pg_problems *problems)
{
    pg_tree *tree = NULL;
    OK(pg_alloc(1, attack->options_size, options, &err));
    OK(pg_options_defaults(attack->options, *options, &err));
    OK(pg_yaml_parse_text(yaml, "test", &tree, &err));
    pg_options_read(attack->options, tree->root, *options, problems);
    pg_tree_destroy(&tree);
}

/* What an attacker of this victim may see; V1's passports come with the network. */
static pg_attack_view view_of(const subject *victim)
{
    return (pg_attack_view){.model = victim->model,
                            .evidence = victim->spec.public_affine ? NULL : victim->evidence,
                            .train = &data.train,
                            .pictures = &data.test,
                            .seed = {.grid = 1, .task = "attack"}};
}

static void begin(raid *r, const char *name, const char *yaml, const pg_attack_view *view)
{
    static pg_problems problems;
    *r = (raid){.attack = pg_attack_find(name), .view = *view};
    problems.count = 0;
    read_options(r->attack, yaml, &r->options, &problems);
    if (problems.count) fail_msg("%s", problems.lines[0]);
    OK(pg_alloc(1, r->attack->state_size, &r->state, &err));
}

/* The next outcome; false at the end. Progress never falls. */
static bool next(raid *r, pg_outcome *outcome)
{
    pg_attack_state what = PG_ATTACK_WORKING;
    if (r->over) return false;
    while (what < PG_ATTACK_OUTCOME) {
        *outcome = (pg_outcome){0};
        OK(r->attack->step(r->state, &what, outcome, &err));
        const double progress = pg_attack_progress(r->attack, r->state);
        assert_true(progress >= r->progress && progress <= 1);
        r->progress = progress;
    }
    r->over = what == PG_ATTACK_LAST;
    return true;
}

static void finish(raid *r)
{
    if (r->attack->finish) r->attack->finish(r->state);
    pg_free(r->state);
    pg_free(r->options);
}

static void open_raid(raid *r, const char *name, const char *yaml, const pg_attack_view *view)
{
    begin(r, name, yaml, view);
    if (r->attack->start) OK(r->attack->start(r->state, r->options, &r->view, &err));
}

/* ---- the control ---- */

TEST(the_attack_that_changes_nothing_changes_nothing)
{
    subject victim = victim_of("v2");
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    open_raid(&r, "unchanged", "{}", &view);
    assert_true(next(&r, &o));
    assert_true(!r.attack->axis && !o.model && !o.evidence && !o.data);
    assert_false(next(&r, &o));
    finish(&r);
    subject_destroy(&victim);
}

/* ---- pruning ---- */

/* Give every parameter in scope the magnitude `value(i)`, i counting them, with signs that alternate. */
static size_t set_parameters(pg_model *model, bool weights_only, double (*value)(size_t i))
{
    size_t count = 0;
    for (int t = 0; t < model->tensor_count; t++) {
        const pg_tensor *tensor = &model->tensors[t];
        if (tensor->buffer || (weights_only && tensor->order == PG_ORDER_FLAT)) continue;
        for (size_t e = 0; e < tensor->count; e++, count++)
            model->params[tensor->offset + (ptrdiff_t)e] = (pg_real)(value(count) * (count % 2 ? 1 : -1));
    }
    return count;
}

static size_t zeros(const pg_model *model, bool weights_only)
{
    size_t count = 0;
    for (int t = 0; t < model->tensor_count; t++) {
        const pg_tensor *tensor = &model->tensors[t];
        if (tensor->buffer || (weights_only && tensor->order == PG_ORDER_FLAT)) continue;
        for (size_t e = 0; e < tensor->count; e++) count += fabs((double)model->params[tensor->offset + (ptrdiff_t)e]) <= 0;
    }
    return count;
}

static bool same_parameters(const pg_model *a, const pg_model *b)
{
    return memcmp(a->params, b->params, a->param_count * sizeof *a->params) == 0;
}

static bool same_statistics(const pg_model *a, const pg_model *b)
{
    return memcmp(a->buffers, b->buffers, a->buffer_count * sizeof *a->buffers) == 0;
}

static double one_to_four(size_t i)
{
    return (double)(i % 4 + 1);
}

static double counting(size_t i)
{
    return (double)(i + 1);
}

/* Of 1, 2, 3, 4 the 50th percentile is 2.5: half of the values go, whatever their signs. */
TEST(prune_removes_the_smallest_magnitudes)
{
    subject victim = victim_of("plain");
    const size_t count = set_parameters(victim.model, false, one_to_four);
    pg_model *model = victim.model;
    assert_int_equal(count % 4, 2); /* it ends with 1, 2: let the last be 3, so that as many are large as small */
    model->params[pg_model_classifier(model)->bias + 9] = 3;
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    open_raid(&r, "prune", "{levels: [50]}", &view);
    assert_true(next(&r, &o));
    for (size_t i = 0; i < model->param_count; i++) {
        const double before = (double)model->params[i], after = (double)o.model->params[i];
        assert_true(fabs(before) > 2.5 ? after >= before && after <= before : fabs(after) <= 0);
    }
    assert_int_equal(zeros(o.model, false), count / 2);
    finish(&r);
    subject_destroy(&victim);
}

/* Of the magnitudes 1 .. n, level q zeroes those up to the interpolated percentile 1 + (n - 1) q / 100. */
TEST(prune_removes_up_to_the_interpolated_percentile)
{
    static const char *const scopes[] = {"{scope: all}", "{scope: weights}"};
    for (int scope = 0; scope < 2; scope++) {
        subject victim = victim_of("v2");
        pg_model *before = NULL;
        const size_t n = set_parameters(victim.model, scope == 1, counting);
        const pg_attack_view view = view_of(&victim);
        raid r;
        pg_outcome o;
        assert_true(n < 1 << 24); /* exact as float */
        OK(pg_model_clone(victim.model, &before, &err));
        open_raid(&r, "prune", scopes[scope], &view);
        for (int level = 0; level <= 100; level += 10) {
            assert_true(next(&r, &o));
            assert_string_equal(r.attack->axis, "level");
            assert_true(o.value >= level && o.value <= level);
            assert_int_equal(zeros(o.model, scope == 1), level ? (n - 1) * (size_t)level / 100 + 1 : 0);
            if (scope == 1)
                assert_int_equal(zeros(o.model, false) - zeros(o.model, true), zeros(before, false) - zeros(before, true));
            assert_true(same_statistics(o.model, before));
            if (level == 0) assert_true(same_parameters(o.model, before));
        }
        assert_false(next(&r, &o));
        assert_true(same_parameters(victim.model, before));
        finish(&r);
        pg_model_destroy(&before);
        subject_destroy(&victim);
    }
}

static bool of_perceptron(const pg_tensor *t)
{
    return strstr(t->name, ".fc.") != NULL;
}

static size_t perceptron_weights(const pg_model *model)
{
    size_t count = 0;
    for (int t = 0; t < model->tensor_count; t++) count += of_perceptron(&model->tensors[t]) ? model->tensors[t].count : 0;
    return count;
}

/* PAN's perceptrons count for the percentile, but the owner keeps them: none of their weights goes. */
TEST(prune_keeps_the_perceptrons_of_the_owner)
{
    subject victim = victim_of("pan");
    const size_t n = set_parameters(victim.model, false, counting);
    const double median = 1 + (double)(n - 1) / 2;
    const pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    assert_true(perceptron_weights(victim.model) > 0);
    open_raid(&r, "prune", "{levels: [50]}", &view);
    assert_true(next(&r, &o));
    for (int i = 0; i < o.model->tensor_count; i++) {
        const pg_tensor *t = &o.model->tensors[i];
        for (size_t e = 0; !t->buffer && e < t->count; e++) {
            const pg_real before = victim.model->params[t->offset + (ptrdiff_t)e];
            const bool goes = !of_perceptron(t) && fabs((double)before) <= median;
            assert_true(o.model->params[t->offset + (ptrdiff_t)e] == (goes ? 0 : before));
        }
    }
    finish(&r);
    subject_destroy(&victim);
}

/* Each level starts from the victim; with everything of the network gone no bit of any signature agrees. */
TEST(a_network_without_weights_carries_no_signature)
{
    for (int i = 0; i < SCHEMES; i++) {
        subject victim = victim_of(names[i]);
        const pg_attack_view view = view_of(&victim);
        pg_verify_options judge;
        pg_finding f;
        raid r;
        pg_outcome o;
        OK(pg_options_defaults(pg_verify_table, &judge, &err));
        open_raid(&r, "prune", "{levels: [100, 0]}", &view);
        assert_true(next(&r, &o));
        assert_int_equal(zeros(o.model, false), pg_model_parameters(o.model) - perceptron_weights(o.model));
        judge.nulls = 0;
        const pg_judge_setup setup = {.model = o.model, .test = &data.test, .options = &judge, .distributed = victim.evidence};
        OK(pg_verify(&setup, victim.evidence, &f, &err));
        assert_true(f.useless && f.ruling == PG_USELESS);
        assert_int_equal(f.agree, 0);
        assert_true(f.detection <= 0 && f.p_value >= 1);
        assert_true(next(&r, &o));
        assert_true(same_parameters(o.model, victim.model));
        finish(&r);
        subject_destroy(&victim);
    }
}

/* ---- fine-tuning ---- */

static const char *const modes[] = {"ftll", "ftal", "rtll", "rtal"};

/* Name without its last part: the layer of a tensor. */
static const pg_tensor *tensor_of(const pg_model *model, const char *name)
{
    for (int t = 0; t < model->tensor_count; t++)
        if (strcmp(model->tensors[t].name, name) == 0) return &model->tensors[t];
    return NULL;
}

static bool same_tensor(const pg_model *a, const pg_tensor *t, const pg_model *b, const pg_tensor *u)
{
    const pg_real *p = (t->buffer ? a->buffers : a->params) + t->offset, *q = (u->buffer ? b->buffers : b->params) + u->offset;
    return t->count == u->count && memcmp(p, q, t->count * sizeof *p) == 0;
}

static bool of_classifier(const pg_model *model, const pg_tensor *t)
{
    return t->layer == model->layer_count - 1;
}

/* Does training the deployed branch change it? PAN's perceptrons and private statistics belong to the other branch. */
static bool of_private_branch(const pg_tensor *t)
{
    return of_perceptron(t) || strstr(t->name, ".bn1.");
}

/* The parameters of the last layer alone, or all that the deployed branch uses; its running statistics move in any case (as in
 * the code of Adi et al.); and nothing of the victim. */
TEST(finetune_changes_only_what_its_mode_names)
{
    for (int i = 0; i < SCHEMES; i++)
        for (int mode = 0; mode < 4; mode++) {
            subject victim = victim_of(names[i]);
            const pg_attack_view view = view_of(&victim);
            const bool last = mode == 0 || mode == 2;
            pg_model *before = NULL;
            char yaml[64];
            raid r;
            pg_outcome o;
            OK(pg_model_clone(victim.model, &before, &err));
            snprintf(yaml, sizeof yaml, "{mode: %s, epochs: 1, batch: 16, lr: 0.1}", modes[mode]);
            open_raid(&r, "finetune", yaml, &view);
            assert_true(next(&r, &o));
            assert_true(!r.attack->axis && !o.evidence && !o.data);
            assert_true(o.images == data.train.count);
            const double head = pg_layer_macs(pg_model_classifier(o.model)), all = pg_model_macs(o.model);
            assert_true(o.macs == o.images * (last ? all + 2 * head : 3 * all));
            for (int t = 0; t < before->tensor_count; t++) {
                const pg_tensor *old = &before->tensors[t], *new = tensor_of(o.model, old->name);
                const bool moves = !of_private_branch(old) && (!last || old->buffer || of_classifier(before, old));
                if (same_tensor(before, old, o.model, new) == moves)
                    fail_msg("%s, %s: %s %s", names[i], modes[mode], old->name, moves ? "does not change" : "changes");
            }
            assert_false(next(&r, &o));
            assert_true(same_parameters(victim.model, before) && same_statistics(victim.model, before));
            finish(&r);
            pg_model_destroy(&before);
            subject_destroy(&victim);
        }
}

/* With a rate too small to move anything, what is seen is where each mode starts: with the victim's last layer or a new one,
 * and with the affine of the deployed branch, for V1 the one that its passports give. */
TEST(finetune_starts_where_its_mode_says)
{
    for (int i = 0; i < SCHEMES; i++)
        for (int mode = 0; mode < 4; mode++) {
            subject victim = victim_of(names[i]);
            const pg_attack_view view = view_of(&victim);
            const bool renewed = mode >= 2;
            pg_verify_options judge;
            pg_finding f;
            char yaml[64];
            raid r;
            pg_outcome o;
            OK(pg_options_defaults(pg_verify_table, &judge, &err));
            snprintf(yaml, sizeof yaml, "{mode: %s, epochs: 1, batch: 32, lr: 1e-300}", modes[mode]);
            open_raid(&r, "finetune", yaml, &view);
            assert_true(next(&r, &o));
            for (int t = 0; t < victim.model->tensor_count; t++) {
                const pg_tensor *old = &victim.model->tensors[t], *new = tensor_of(o.model, old->name);
                if (!old->buffer)
                    assert_int_equal(same_tensor(victim.model, old, o.model, new),
                                     !(renewed && of_classifier(victim.model, old)));
            }
            judge.nulls = 0;
            const pg_judge_setup setup = {
                .model = o.model, .test = &data.test, .options = &judge, .distributed = victim.evidence};
            OK(pg_verify(&setup, victim.evidence, &f, &err));
            if (strcmp(names[i], "v1") == 0) assert_int_equal(f.agree_stored, f.agree);
            assert_true(f.public_branch.present);
            finish(&r);
            subject_destroy(&victim);
        }
}

/* Another data set: its classes, its images, and a new last layer although the mode would keep it. */
TEST(finetune_on_other_data_has_a_new_last_layer)
{
    subject victim = victim_of("v1");
    pg_data other = {.train = data.train, .test = data.test};
    pg_attack_view view = view_of(&victim);
    raid r;
    pg_outcome o;
    other.train.classes = other.test.classes = 12;
    view.other = &other;
    view.train = NULL;
    open_raid(&r, "finetune", "{mode: ftal, data: other, epochs: 1, batch: 16}", &view);
    assert_string_equal(r.attack->other_data(r.options).name, "other");
    assert_true(next(&r, &o));
    assert_int_equal(o.model->spec.classes, 12);
    assert_ptr_equal(o.data, &other);
    finish(&r);
    open_raid(&r, "finetune", "{epochs: 1, batch: 32}",
              &(pg_attack_view){.model = victim.model, .evidence = victim.evidence, .train = &data.train, .seed = view.seed});
    assert_null(r.attack->other_data(r.options).name);
    finish(&r);
    subject_destroy(&victim);
}

/* ---- fake 1 ---- */

TEST(fake1_draws_passports_of_its_kind)
{
    enum { REPEATS = 3 };
    subject plain = victim_of("plain");
    for (int kind = PG_PASSPORT_RANDOM; kind <= PG_PASSPORT_SHUFFLE; kind++)
        for (int matching = 0; matching < 2; matching++) {
            subject victim = victim_of(kind == PG_PASSPORT_IMAGE ? "v2" : "v1");
            pg_attack_view view = view_of(&victim);
            char yaml[128], hex[REPEATS + 1][PG_SHA256_HEX];
            raid r;
            pg_outcome o;
            view.evidence = NULL;
            view.train = NULL;
            view.pretrained = plain.model;
            snprintf(yaml, sizeof yaml, "{repeats: %d, passport: %s, images: 4, carrier: %s, signature: %s}", REPEATS,
                     pg_passport_kinds[kind], matching ? "pretrained" : "random", matching ? "matching" : "random");
            open_raid(&r, "fake1", yaml, &view);
            pg_evidence_commitment(victim.evidence, hex[REPEATS]);
            for (int i = 0; i < REPEATS; i++) {
                int agree;
                assert_true(next(&r, &o));
                assert_string_equal(r.attack->axis, "repeat");
                assert_true(o.value >= i + 1 && o.value <= i + 1);
                assert_null(o.model);
                assert_string_equal(o.evidence->kind, pg_passport_kinds[kind]);
                OK(pg_agreement_with(victim.model, o.evidence, o.evidence, &agree, &err));
                assert_true(matching ? agree == pg_evidence_bits(o.evidence) : agree < pg_evidence_bits(o.evidence));
                pg_evidence_commitment(o.evidence, hex[i]);
                for (int j = 0; j < i; j++) assert_string_not_equal(hex[i], hex[j]);
                assert_string_not_equal(hex[i], hex[REPEATS]);
            }
            assert_false(next(&r, &o));
            finish(&r);
            subject_destroy(&victim);
        }
    subject_destroy(&plain);
}

TEST(fake1_needs_a_carrier_for_image_passports)
{
    subject victim = victim_of("v1");
    const pg_attack_view view = view_of(&victim);
    raid r;
    begin(&r, "fake1", "{carrier: pretrained}", &view);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, "a pretrained plain network");
    finish(&r);
    begin(&r, "fake1", "{images: 25}", &view);
    FAILS(r.attack->start(r.state, r.options, &r.view, &err), PG_BAD_INPUT, "takes 25 distinct images, but synthetic has 24");
    finish(&r);
    subject_destroy(&victim);
}

/* ---- all attacks ---- */

/* SHA-256 over every outcome of an attack. */
static void hash_outcomes(const char *name, const char *yaml, const pg_attack_view *view, char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    raid r;
    pg_outcome o;
    pg_hash_start(&hash);
    open_raid(&r, name, yaml, view);
    while (next(&r, &o)) {
        const pg_model *m = o.model ? o.model : view->model;
        char commitment[PG_SHA256_HEX] = "";
        if (o.evidence) pg_evidence_commitment(o.evidence, commitment);
        pg_hash_add_text(&hash, commitment);
        pg_hash_add(&hash, m->params, m->param_count * sizeof *m->params);
        pg_hash_add(&hash, m->buffers, m->buffer_count * sizeof *m->buffers);
    }
    finish(&r);
    pg_hash_finish_hex(&hash, hex);
}

/* The same seed gives the same outcomes on any number of threads; where chance is used, another seed gives others. */
TEST(outcomes_depend_on_the_seed_and_not_on_threads)
{
    static const char *const runs[][2] = {
        {"unchanged", "{}"}, {"prune", "{levels: [50]}"}, {"finetune", "{epochs: 1, batch: 16}"}, {"fake1", "{repeats: 2}"}};
    subject victim = victim_of("v1");
    for (int i = 0; i < 4; i++) {
        pg_attack_view view = view_of(&victim);
        char first[PG_SHA256_HEX], hex[PG_SHA256_HEX];
        hash_outcomes(runs[i][0], runs[i][1], &view, first);
        pg_compute_start(2);
        hash_outcomes(runs[i][0], runs[i][1], &view, hex);
        pg_compute_start(1);
        assert_string_equal(hex, first);
        view.seed.grid = 2;
        hash_outcomes(runs[i][0], runs[i][1], &view, hex);
        assert_int_equal(strcmp(hex, first) == 0, i < 2);
    }
    subject_destroy(&victim);
}

/* A misspelt option is an error that suggests the right one. */
TEST(a_misspelt_option_is_refused_with_the_right_one)
{
    static pg_problems problems;
    for (int a = 0; pg_attacks[a]; a++)
        for (const pg_option *o = pg_attacks[a]->options; o->key; o++) {
            void *options = NULL;
            char yaml[64], suggestion[64];
            problems.count = 0;
            snprintf(yaml, sizeof yaml, "{%sz: 1}", o->key);
            snprintf(suggestion, sizeof suggestion, "unknown key, did you mean '%s'?", o->key);
            read_options(pg_attacks[a], yaml, &options, &problems);
            assert_int_equal(problems.count, 1);
            if (!strstr(problems.lines[0], suggestion)) fail_msg("%s: %s", pg_attacks[a]->name, problems.lines[0]);
            pg_free(options);
        }
}

TEST(every_attack_is_found_by_its_name)
{
    for (int a = 0; pg_attacks[a]; a++) {
        assert_ptr_equal(pg_attack_find(pg_attacks[a]->name), pg_attacks[a]);
        assert_true(pg_attacks[a]->summary[0] && pg_attacks[a]->source[0]);
    }
    assert_null(pg_attack_find("Prune"));
}

/* ---- the threat model ---- */

enum { SPIED_IMAGES = 20 }; /* that the victim was trained on */
static pg_attack_view seen; /* by the spy */
static bool seen_evidence, seen_train, seen_pretrained, seen_running, seen_fresh;
static const subject *spied; /* the victim; its affine and unused images are compared with what the view shows */

/* The running network has the affine with which the victim is deployed, as its own: nothing of what makes it. */
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

/* Fresh images are none of those that the owner trained on. */
static void check_fresh(const pg_dataset *set)
{
    const size_t bytes = (size_t)(set->height * set->width * 3);
    assert_true(set->count > 0);
    for (int i = 0; i < set->count; i++)
        for (int k = 0; k < SPIED_IMAGES; k++)
            assert_true(memcmp(set->images + (size_t)i * bytes, data.train.images + (size_t)k * bytes, bytes) != 0);
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

/* Whatever an attack declares is what its view holds, and no more: genuine evidence is out of reach unless it is declared, or
 * declared as distributed and the network cannot run without it. */
TEST(an_attack_sees_what_it_declares_and_no_more)
{
    const pg_workplace at = {.directory = folder(), .checkpoint_seconds = 1e9};
    subject plain = victim_of("plain");
    save(&plain, &at, "pretrained");
    for (int i = 0; i < SCHEMES; i++) {
        subject victim = victim_of(names[i]);
        save(&victim, &at, "victim");
        for (unsigned sees = 0; sees < 2 * PG_SEES_FRESH; sees++) {
            spy_on(&victim, sees);
            assert_non_null(seen.model);
            assert_non_null(seen.pictures);
            assert_null(seen.other);
            const bool distributed = sees & PG_SEES_DISTRIBUTED && strcmp(names[i], "v1") == 0;
            assert_int_equal(seen_evidence, sees & PG_SEES_EVIDENCE || distributed);
            assert_int_equal(seen_train, (sees & PG_SEES_TRAIN) != 0);
            assert_int_equal(seen_pretrained, (sees & PG_SEES_PRETRAINED) != 0);
            assert_int_equal(seen_running, (sees & PG_SEES_AFFINE) != 0);
            assert_int_equal(seen_fresh, (sees & PG_SEES_FRESH) != 0);
        }
        subject_destroy(&victim);
    }
    subject_destroy(&plain);
    pg_task_release_data();
}

/* ---- triggers after removal ---- */

static pg_model *silenced; /* what the attack below gives back */

/* An attack that sets the public affine of passport layers to nothing. */
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

/* A network of which only the affine was changed answers the triggers as before once its affine is put back, and not without.
 */
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

/* None of these attackers is an insider; only the fine-tuner trains on the owner's images. */
TEST(only_finetune_sees_the_images_of_the_owner)
{
    assert_int_equal(pg_attack_find("unchanged")->sees, 0);
    assert_int_equal(pg_attack_find("prune")->sees, 0);
    assert_int_equal(pg_attack_find("fake1")->sees, PG_SEES_PRETRAINED);
    assert_int_equal(pg_attack_find("finetune")->sees, PG_SEES_TRAIN | PG_SEES_DISTRIBUTED);
}
