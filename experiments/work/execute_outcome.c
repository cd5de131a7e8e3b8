/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An outcome of an attack: claims on it are judged as the owner's evidence is, and recorded. */
#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/ownership/binding.h"
#include "experiments/work/execute_attack_internal.h"
#include "experiments/work/rundir.h"

#include <stdio.h>
#include <string.h>

const pg_evidence *pg_attack_distributed(const pg_attack_work *w)
{
    return w->passports ? w->passports : w->evidence;
}

/* Make the judge of claims on the unchanged victim. */
static pg_status judge_of_victim(pg_attack_work *w, pg_error *err)
{
    const pg_judge_setup setup = pg_execute_judge(w->task, w->victim, &w->data.test, pg_attack_distributed(w));
    return w->judge ? PG_OK : pg_judge_create(&setup, &w->judge, err);
}

/* Judge the owner's evidence on the unchanged victim; every forgery is compared with it. If forgeries are for the unchanged
 * victim, the finding is a row of the record too, unless a resumed task has it already. */
static pg_status judge_genuine(pg_attack_work *w, bool unchanged, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    bool readable;
    if (w->genuine_known) return PG_OK;
    w->genuine_known = true;
    PG_TRY(judge_of_victim(w, err));
    PG_TRY(pg_execute_readable(w->evidence, w->victim, record, &readable, err));
    PG_TRY(pg_judge_claim(w->judge, readable ? w->evidence : NULL, &w->genuine, err));
    if (unchanged && !pg_record_has(record, "genuine")) PG_TRY(pg_execute_record(&w->genuine, "genuine", record, err));
done:
    return status;
}

/* Add the cells that compare a forgery with the owner's evidence. owner_detection: share of the owner's bits (or triggers, if
 * the forger claims triggers) that agree in the model that the forger shows. owner_bits_matched, bits_differing: the forged
 * bits against the owner's, if both have the same form and number. ambiguous: the network is not useless, its accuracy with the
 * forgery is at most 2 points below the genuine one, and the forgery is other evidence: a quarter of its bits differ from the
 * owner's, or all of its own bits or triggers agree. */
static pg_status record_ambiguity(const pg_attack_work *w, const pg_model *model, const pg_outcome *o, const pg_finding *f,
                                  const char *name, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding owner = w->genuine;
    int matched;
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    const bool serves = !f->useless && pg_at_least(pg_finding_accuracy(f)->exact, owner.deployed.exact - 2);
    const int count = triggers ? f->trigger_count : f->bits;
    bool another = f->agree == count, readable = true;
    if (!count) return PG_OK;
    if (o->model) model = o->model; /* with the owner's branch */
    const pg_judge_setup unmeasured = pg_execute_judge(w->task, model, NULL, NULL);
    if (model != w->victim) PG_TRY(pg_execute_readable(w->evidence, model, record, &readable, err));
    if (!readable) owner.bits = owner.trigger_count = 0;
    if (readable && model != w->victim) PG_TRY(pg_verify(&unmeasured, w->evidence, &owner, err));
    if (f->bits && f->bits == owner.bits && f->claim == owner.claim) {
        PG_TRY(pg_agreement_with(model, o->evidence, w->evidence, &matched, err));
        const double differing = 100.0 * (f->bits - matched) / f->bits;
        another = differing >= 25 || (differing > 0 && another);
        PG_TRY(pg_record_add(record, name, "owner_bits_matched", 100.0 * matched / f->bits, "%", err));
        PG_TRY(pg_record_add(record, name, "bits_differing", differing, "%", err));
    }
    const int owned = triggers ? owner.trigger_count : owner.bits, agree = triggers ? owner.trigger_agree : owner.agree;
    if (owned) PG_TRY(pg_record_add(record, name, "owner_detection", 100.0 * agree / owned, "%", err));
    PG_TRY(pg_record_add(record, name, "ambiguous", serves && another, "", err));
done:
    return status;
}

/* The model on which the forger shows his evidence. */
static const pg_model *shown_in(const pg_attack_work *w, const pg_outcome *o)
{
    return o->shown ? o->shown : o->model ? o->model : w->victim;
}

/* The images on which an outcome is judged. */
static const pg_dataset *test_of(const pg_attack_work *w, const pg_outcome *o)
{
    return o->data ? &o->data->test : &w->data.test;
}

/* Make a judge of claims on a model that is not the unchanged victim. If the model needs passports to run, it is distributed
 * with the forger's if the attack changed the model and forged some, otherwise with the owner's. If the forger changed only
 * what his evidence needs (o->model is NULL), his network must reach the accuracy of the stolen one. */
static pg_status open_judge(const pg_attack_work *w, const pg_outcome *o, const pg_model *model, pg_judge **out, pg_error *err)
{
    const pg_evidence *sold = o->model && o->evidence ? o->evidence : pg_attack_distributed(w);
    pg_judge_setup setup = pg_execute_judge(w->task, model, test_of(w, o), sold);
    setup.filter = o->filter;
    if (!o->model && !o->filter) setup.known_accuracy = w->genuine.reference;
    return pg_judge_create(&setup, out, err);
}

static pg_status judge_forgery(pg_attack_work *w, const pg_outcome *o, const char *name, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding f;
    pg_judge *own = NULL;
    const pg_model *model = shown_in(w, o);
    if (model != w->victim) PG_TRY(open_judge(w, o, model, &own, err));
    PG_TRY(pg_binding_check(o->evidence, err)); /* the reader of a file would refuse it */
    PG_TRY(pg_judge_claim(own ? own : w->judge, o->evidence, &f, err));
    PG_TRY(pg_execute_record(&f, name, record, err));
    PG_TRY(record_ambiguity(w, model, o, &f, name, record, err));
done:
    pg_judge_destroy(&own);
    return status;
}

/* Copy the victim's public affine to the passport layers of a changed model, because the passports' reference measures triggers
 * with it although the weights have changed. */
static void make_stale(const pg_model *victim, pg_model *changed)
{
    for (int i = 0; i < victim->passport_count; i++) {
        const pg_layer *l = pg_model_passport_layer(victim, i);
        const pg_affine *from = &l->affine[PG_PUBLIC], *to = &pg_model_passport_layer(changed, i)->affine[PG_PUBLIC];
        const size_t bytes = (size_t)l->out_channels * sizeof *victim->params;
        memcpy(changed->params + to->gamma, victim->params + from->gamma, bytes);
        memcpy(changed->params + to->beta, victim->params + from->beta, bytes);
    }
}

/* Record the trigger accuracy of a changed model with the victim's last layer (the protocol of Adi et al.); stale: with the
 * victim's public affine too. A network of another architecture has no place for them. */
static pg_status record_triggers(const pg_attack_work *w, const pg_model *changed, const pg_evidence *evidence, bool stale,
                                 const char *name, const char *metric, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *restored = NULL;
    pg_accuracy a;
    if (!evidence || !evidence->triggers.count || changed->spec.arch != w->victim->spec.arch) return PG_OK;
    pg_net_spec spec = changed->spec;
    spec.classes = w->victim->spec.classes;
    PG_TRY(pg_model_create(&spec, &restored, err));
    PG_TRY(pg_model_copy(changed, restored, err));
    pg_model_copy_classifier(w->victim, restored);
    if (stale) make_stale(w->victim, restored);
    PG_TRY(pg_measure_accuracy(restored, pg_net_spec_deployed(&spec), evidence, &evidence->triggers, w->view.pixels,
                               w->task->verify.batch, &a, err));
    PG_TRY(pg_record_add(record, name, metric, a.exact, "%", err));
done:
    pg_model_destroy(&restored);
    return status;
}

/* Judge the evidence that the earlier attack forged on the changed model; its cells go to the owner's row. */
static pg_status record_forged(const pg_attack_work *w, pg_judge *judge, const pg_model *model, const char *name,
                               pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding f;
    PG_TRY(pg_judge_claim(judge, w->forged, &f, err));
    if (f.bits || f.trigger_count) {
        PG_TRY(pg_record_add(record, name, "forged_detection", f.detection, "%", err));
        PG_TRY(pg_record_add(record, name, "forged_p_value", f.p_value, "", err));
        PG_TRY(pg_record_add(record, name, "forged_agrees", f.agrees, "", err));
    }
    PG_TRY(record_triggers(w, model, w->forged, false, name, "forged_restored", record, err));
done:
    return status;
}

static pg_status judge_removal(pg_attack_work *w, const pg_outcome *o, const char *name, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding f;
    bool readable;
    pg_judge *own = NULL;
    const pg_model *model = o->model ? o->model : w->victim;
    w->moved = o->data != NULL;
    if (o->model || o->filter)
        PG_TRY(open_judge(w, o, model, &own, err));
    else
        PG_TRY(judge_of_victim(w, err));
    pg_judge *judge = own ? own : w->judge;
    PG_TRY(pg_execute_readable(w->evidence, model, record, &readable, err));
    PG_TRY(pg_judge_claim(judge, readable ? w->evidence : NULL, &f, err));
    PG_TRY(pg_execute_record(&f, name, record, err));
    if (!readable) PG_TRY(pg_record_add(record, name, "readable", 0, "", err));
    if (!o->filter) PG_TRY(record_triggers(w, model, w->evidence, false, name, "trigger_restored", record, err));
    if (w->victim->passport_count && w->victim->spec.public_affine && model->passport_count && !o->filter)
        PG_TRY(record_triggers(w, model, w->evidence, true, name, "trigger_stale", record, err));
    if (w->forged) PG_TRY(record_forged(w, judge, model, name, record, err));
done:
    pg_judge_destroy(&own);
    return status;
}

/* Add the attack's own cells: its cost, with that of the earlier attacks of its chain, and its measures. */
static pg_status record_attack(const pg_attack_work *w, const pg_outcome *o, const char *name, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    double queries = w->spent.queries;
    PG_TRY(pg_record_add(record, name, "attack_images", o->images + w->spent.images, "images", err));
    PG_TRY(pg_record_add(record, name, "attack_flops", o->macs + w->spent.macs, "multiply-adds", err));
    for (const pg_measure *m = o->measures; m < o->measures + PG_MEASURES_MAX && m->name; m++)
        if (strcmp(m->name, "queries") == 0)
            queries += m->value;
        else
            PG_TRY(pg_record_add(record, name, m->name, m->value, m->unit, err));
    if (queries > 0) PG_TRY(pg_record_add(record, name, "queries", queries, "images", err));
done:
    return status;
}

static pg_status save_evidence(const pg_attack_work *w, const pg_evidence *evidence, const char *outcome, pg_error *err)
{
    char stem[PG_FILE_STEM], path[PG_PATH_MAX];
    pg_task_stem(w->task->key, outcome, stem);
    const pg_status status = pg_execute_path(w->at, "evidence", stem, path, err);
    return status == PG_OK ? pg_evidence_save(evidence, path, err) : status;
}

/* Save the forged evidence of an outcome, and its network unless it is the unchanged victim. */
static pg_status keep_row(const pg_attack_work *w, const pg_outcome *o, const pg_model *model, const pg_evidence *forged,
                          const char *name, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_data_choice *data = o->data ? &w->task->other : &w->task->data;
    if (!w->task->keep) return PG_OK;
    if (model && model != w->victim) PG_TRY(pg_execute_save(w->task, w->at, data, model, name, err));
    if (forged) PG_TRY(save_evidence(w, forged, name, err));
done:
    return status;
}

/* A changed model that lacks what only the owner's private branch has (PAN's perceptrons and statistics), with that put back.
 * *out stays NULL for others. */
static pg_status restore_branch(const pg_attack_work *w, const pg_model *changed, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec spec = w->victim->spec;
    if (!changed || !(spec.own_norm || spec.perceptron) || changed->spec.private_affine || changed->spec.arch != spec.arch)
        return PG_OK;
    spec.classes = changed->spec.classes;
    PG_TRY(pg_model_create(&spec, out, err));
    PG_TRY(pg_model_copy(changed, *out, err));
    pg_model_copy_private(w->victim, *out);
done:
    return status;
}

pg_status pg_attack_judge(pg_attack_work *w, pg_outcome *o, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *restored = NULL;
    char name[64] = "", value[PG_NUMBER_MAX];
    const char *axis = w->task->attack->axis;
    if (axis) snprintf(name, sizeof name, "%.31s=%s", axis, pg_number_text(o->value, value));
    PG_TRY(restore_branch(w, o->model, &restored, err));
    if (restored) o->model = restored;
    const char *forger = o->model ? "attacker" : name;
    if (o->model || !o->evidence) PG_TRY(judge_removal(w, o, name, record, err));
    if (o->model) PG_TRY(keep_row(w, o, o->model, NULL, name, err));
    if (o->evidence) PG_TRY(judge_genuine(w, !o->model, record, err));
    if (o->evidence) PG_TRY(judge_forgery(w, o, forger, record, err));
    if (o->evidence) PG_TRY(keep_row(w, o, shown_in(w, o), o->evidence, forger, err));
    if (w->task->attack->hands_on) PG_TRY(save_evidence(w, o->evidence, "", err)); /* for later attacks */
    PG_TRY(record_attack(w, o, name, record, err));
done:
    pg_model_destroy(&restored);
    return status;
}
