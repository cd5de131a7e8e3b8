/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fine-tuning: where each mode starts, and what it changes. */
#include "tests/unit/victims.h"

/* ---- fine-tuning ---- */

static const char *const modes[] = {"ftll", "ftal", "rtll", "rtal"};

/* The tensor of that name. */
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

/* A mode changes the parameters of the last layer, or all that the deployed branch uses. Running statistics always move, as in
 * the code of Adi et al. The victim's model stays as it is. */
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

/* The rate is too small to move anything, so the outcome shows where each mode starts: with the victim's last layer or a new
 * one, and with the affine of the deployed branch. V1's is the affine that its passports give. */
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

/* The last layer is new even if the mode would keep it. Classes and images are those of the other data set. */
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
