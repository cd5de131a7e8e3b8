/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An attack task: run the attack on the parts of the world that it may see, and have each of its outcomes judged. */
#include "core/base/memory.h"
#include "core/formats/number.h"
#include "experiments/work/execute_attack_internal.h"
#include "experiments/work/records.h"

#include <stdio.h>
#include <string.h>

/* What the earlier attacks of a chain cost, which the record of the latest has in sum. */
static pg_status read_spent(pg_attack_work *w, pg_error *err)
{
    pg_status status = PG_OK;
    pg_record record = {0};
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    bool found;
    PG_TRY(pg_records_load(w->at->directory, w->task->taken, &pool, &record, &labels, &found, err));
    for (int i = 0; i < record.cell_count; i++) {
        const pg_record_cell *c = &record.cells[i];
        if (strcmp(c->outcome, "") != 0) continue;
        if (strcmp(c->metric, "attack_images") == 0) w->spent.images = c->value;
        if (strcmp(c->metric, "attack_flops") == 0) w->spent.macs = c->value;
        if (strcmp(c->metric, "queries") == 0) w->spent.queries = c->value;
    }
done:
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    return status;
}

/* An earlier attack on a network that runs on passports left its own beside the network. */
static pg_status load_passports(pg_attack_work *w, pg_error *err)
{
    char stem[PG_FILE_STEM], path[PG_PATH_MAX];
    if (pg_net_spec_deployed(&w->victim->spec) == PG_PUBLIC) return PG_OK;
    pg_task_stem(w->task->taken, "attacker", stem);
    const pg_status status = pg_execute_path(w->at, "evidence", stem, path, err);
    if (status != PG_OK || !pg_file_exists(path)) return status;
    return pg_evidence_load(path, &w->passports, err);
}

static pg_status load_all(pg_attack_work *w, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_task *task = w->task;
    char path[PG_PATH_MAX];
    PG_TRY(pg_execute_data(&task->data, w->at, &w->data, err));
    if (task->other.name[0]) PG_TRY(pg_execute_data(&task->other, w->at, &w->other, err));
    PG_TRY(pg_execute_model(w->at, task->taken[0] ? task->taken : task->victim, &w->victim, err));
    if (task->taken[0]) PG_TRY(read_spent(w, err));
    if (task->taken[0]) PG_TRY(load_passports(w, err));
    if (task->pretrained[0]) PG_TRY(pg_execute_model(w->at, task->pretrained, &w->pretrained, err));
    for (int i = 0; i < task->network_count; i++) PG_TRY(pg_execute_model(w->at, task->networks[i], &w->references[i], err));
    if (task->scheme->keygen) {
        PG_TRY(pg_execute_path(w->at, "evidence", task->victim, path, err));
        PG_TRY(pg_evidence_load(path, &w->evidence, err));
    }
    if (task->forged[0]) {
        PG_TRY(pg_execute_path(w->at, "evidence", task->forged, path, err));
        PG_TRY(pg_evidence_load(path, &w->forged, err));
    }
done:
    return status;
}

/* Make the victim as an ordinary network, with the affine of the deployed branch at passport layers. */
static pg_status make_running(pg_attack_work *w, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_net_spec spec = pg_net_spec_public(&w->victim->spec);
    PG_TRY(pg_model_create(&spec, &w->running, err));
    PG_TRY(pg_model_copy(w->victim, w->running, err));
    if (w->victim->passport_count && !w->victim->spec.public_affine)
        PG_TRY(pg_passports_store(w->victim, pg_attack_distributed(w), w->running, err));
done:
    return status;
}

/* Fill the view with the parts that the attacker may see, and nothing else. */
static pg_status fill_view(pg_attack_work *w, pg_seed seed, pg_error *err)
{
    pg_status status = PG_OK;
    const unsigned sees = w->task->attack->sees;
    const bool runs_on_passports = w->victim->spec.passports && !w->victim->spec.public_affine;
    if (sees & (PG_SEES_AFFINE | PG_SEES_ANSWERS)) PG_TRY(make_running(w, err));
    if (sees & PG_SEES_ANSWERS) {
        PG_TRY(pg_model_create(&w->victim->spec, &w->shape, err));
        PG_TRY(pg_oracle_open(w->running, (pg_pixels)w->task->train.pixels, &w->answers, err));
    }
    if (sees & PG_SEES_FRESH) PG_TRY(pg_execute_fresh(&w->task->data, w->at, &w->fresh, err));
    w->view = (pg_attack_view){.model = w->shape ? w->shape : w->victim,
                               .answers = w->answers,
                               .scheme = w->task->scheme,
                               .running = sees & PG_SEES_AFFINE ? w->running : NULL,
                               .pictures = &w->data.test,
                               .arch = w->task->attack_arch,
                               .pixels = (pg_pixels)w->task->train.pixels,
                               .seed = seed};
    if (sees & PG_SEES_TRAIN) w->view.train = &w->data.train;
    if (sees & PG_SEES_FRESH) w->view.fresh = &w->fresh;
    if (sees & PG_SEES_PRETRAINED) w->view.pretrained = w->pretrained;
    if (sees & PG_SEES_REFERENCES) {
        w->view.references = w->references;
        w->view.reference_count = w->task->network_count;
    }
    if (sees & PG_SEES_DISTRIBUTED && runs_on_passports) w->view.evidence = pg_attack_distributed(w);
    if (sees & PG_SEES_EVIDENCE) w->view.evidence = w->evidence;
    if (w->other.train.count) w->view.other = &w->other;
done:
    return status;
}

/* ---- checkpoints: the attack's state and the cells of its judged outcomes ---- */

static pg_status save(void *context, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    pg_attack_work *w = context;
    char *cells = NULL;
    uint8_t kept = w->task->keep;
    pg_snapshot snapshot = {0};
    PG_TRY(pg_record_write_cells(w->record, &cells, err));
    if (w->task->attack->keep) w->task->attack->keep(w->state, &snapshot);
    PG_KEEP(&snapshot, (uint8_t *)cells, strlen(cells), "cells");
    PG_KEEP(&snapshot, &kept, 1, "kept");
    PG_TRY(pg_snapshot_write(&snapshot, path, err));
done:
    pg_free(cells);
    return status;
}

static pg_status load(void *context, const char *path, pg_error *err)
{
    pg_status status = PG_OK;
    pg_attack_work *w = context;
    pg_safetensors *file = NULL;
    pg_snapshot snapshot = {0};
    pg_record record = {0};
    const pg_array *cells, *kept;
    const size_t one = 1;
    PG_TRY(pg_safetensors_open(path, &file, err));
    PG_TRY(pg_safetensors_get(file, "kept", 1, &one, &kept, err));
    if (w->task->keep && (kept->dtype != PG_U8 || !*(const uint8_t *)kept->data))
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: it was written without `keep`, so the files of earlier outcomes are missing",
                       path));
    PG_TRY(pg_safetensors_get(file, "cells", 1, NULL, &cells, err));
    if (cells->dtype != PG_U8) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: tensor 'cells': expected bytes", path));
    PG_TRY(pg_record_read_cells(cells->data, cells->count, path, &record, err));
    if (record.cell_count && !w->task->attack->axis) /* an earlier version saved then too */
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: it was saved after the only outcome, which an earlier version did", path));
    if (w->task->attack->keep) w->task->attack->keep(w->state, &snapshot);
    PG_TRY(pg_snapshot_read(&snapshot, file, err)); /* the last call that can fail, so that a failure changes nothing */
    pg_record_clear(w->record);
    *w->record = record;
    record = (pg_record){0};
done:
    pg_record_clear(&record);
    pg_safetensors_close(&file);
    return status;
}

/* ---- the task ---- */

static pg_status run(pg_attack_work *w, pg_error *err)
{
    const pg_attack *attack = w->task->attack;
    pg_status status = PG_OK;
    w->started = true;
    if (attack->start) PG_TRY(attack->start(w->state, w->task->attack_options, &w->view, err));
    w->saving = (pg_saving){.at = w->at, .save = save, .load = load, .work = w};
    PG_TRY(pg_saving_start(&w->saving, w->task->key, err));
    pg_execute_tell(w->at, pg_attack_progress(attack, w->state));
    for (;;) {
        pg_attack_state what;
        pg_outcome outcome = {0};
        PG_TRY(attack->step(w->state, &what, &outcome, err));
        if (what >= PG_ATTACK_OUTCOME) PG_TRY(pg_attack_judge(w, &outcome, w->record, err));
        const double done = what == PG_ATTACK_LAST ? 1 : pg_attack_progress(attack, w->state);
        pg_execute_tell(w->at, done);
        if (what == PG_ATTACK_LAST) return PG_OK;
        const bool last = what == PG_ATTACK_EPOCH && done >= 1; /* judging the outcome follows */
        PG_TRY(pg_saving_pause(&w->saving,
                               last                        ? PG_PAUSE_LAST
                               : what == PG_ATTACK_WORKING ? PG_PAUSE_STEP
                                                           : PG_PAUSE_EPOCH,
                               err));
    }
done:
    return status;
}

pg_status pg_execute_attack(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_attack_work w = {.task = task, .at = at, .record = record};
    const pg_seed seed = {.grid = task->seed, .task = task->key};
    PG_TRY(load_all(&w, err));
    PG_TRY(fill_view(&w, seed, err));
    PG_TRY(pg_alloc(1, task->attack->state_size, &w.state, err));
    PG_TRY(run(&w, err));
    if (w.other.train.count) PG_TRY(pg_record_note(record, w.moved ? "other_data" : "query_data", w.other.train.source, err));
done:
    if (w.started && task->attack->finish) task->attack->finish(w.state);
    pg_free(w.state);
    pg_judge_destroy(&w.judge);
    pg_model_destroy(&w.victim);
    pg_model_destroy(&w.pretrained);
    pg_model_destroy(&w.running);
    pg_model_destroy(&w.shape);
    pg_oracle_close(&w.answers);
    for (int i = 0; i < PG_REFERENCES_MAX; i++) pg_model_destroy(&w.references[i]);
    pg_evidence_destroy(&w.evidence);
    pg_evidence_destroy(&w.forged);
    pg_evidence_destroy(&w.passports);
    pg_data_clear(&w.data);
    pg_data_clear(&w.other);
    pg_dataset_clear(&w.fresh);
    return status;
}
