/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A threshold task: reads fresh evidence, made as the owner made his, from null models, and the owner's evidence from his
 * model. */
#include "experiments/work/execute_internal.h"

#include "core/base/memory.h"
#include "core/ownership/threshold.h"

#include <math.h>
#include <stdio.h>

typedef struct work {
    const pg_task *task;
    const pg_workplace *at;
    pg_data data, other;
    pg_net_spec spec; /* of the model */
    pg_model *pretrained;
    int length;    /* bits or triggers of the evidence */
    double *count; /* [null models][fresh keys] bits or triggers that agree */
} work;

/* *percent: share of the evidence's bits or triggers that agree in a model; *length: their number. */
static pg_status read_evidence(const work *w, const pg_model *model, const pg_evidence *evidence, double *percent, int *length,
                               pg_error *err)
{
    pg_finding f;
    const pg_judge_setup setup = pg_execute_judge(w->task, model, NULL, NULL);
    const pg_status status = pg_verify(&setup, evidence, &f, err);
    *percent = f.detection;
    *length = f.claim == PG_CLAIM_TRIGGERS ? f.trigger_count : f.bits;
    return status;
}

/* The number of bits or triggers in a percentage. */
static double whole(const work *w, double percent)
{
    return floor(percent / 100 * w->length + 1e-6);
}

static pg_status read_owner(work *w, double *percent, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    pg_model *model = NULL;
    pg_evidence *evidence = NULL;
    PG_TRY(pg_execute_model(w->at, w->task->victim, &model, err));
    PG_TRY(pg_execute_path(w->at, "evidence", w->task->victim, path, err));
    PG_TRY(pg_evidence_load(path, &evidence, err));
    PG_TRY(read_evidence(w, model, evidence, percent, &w->length, err));
done:
    pg_model_destroy(&model);
    pg_evidence_destroy(&evidence);
    return status;
}

/* Read fresh evidence number `key` from a null model. It is the same for every null model. */
static pg_status read_fresh(const work *w, const pg_model *model, int key, double *count, pg_error *err)
{
    pg_status status = PG_OK;
    char stream[PG_SHA256_HEX + 16];
    double percent;
    int length;
    pg_evidence *fresh = NULL;
    snprintf(stream, sizeof stream, "%s/%d", w->task->key, key);
    const pg_keygen in = {.scheme = w->task->scheme,
                          .spec = &w->spec,
                          .seed = {.grid = w->task->seed, .task = stream},
                          .data = &w->data,
                          .other = w->task->other.name[0] ? &w->other : NULL,
                          .pixels = (pg_pixels)w->task->train.pixels,
                          .pretrained = w->pretrained};
    PG_TRY(pg_scheme_keygen(w->task->scheme_options, &in, &fresh, err));
    PG_TRY(read_evidence(w, model, fresh, &percent, &length, err));
    *count = whole(w, percent);
done:
    pg_evidence_destroy(&fresh);
    return status;
}

static pg_status read_null_model(work *w, int number, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *model = NULL;
    const int keys = w->task->verify.nulls;
    const double all = (double)w->task->network_count * keys;
    PG_TRY(pg_execute_model(w->at, w->task->networks[number], &model, err));
    for (int k = 0; k < keys; k++) {
        PG_TRY(read_fresh(w, model, k, &w->count[number * keys + k], err));
        pg_execute_tell(w->at, (number * keys + k + 1) / all);
        if (w->at->stop && w->at->stop(w->at->context)) PG_TRY(pg_fail(err, PG_INTERRUPTED, "interrupted"));
    }
done:
    pg_model_destroy(&model);
    return status;
}

static pg_status report(const work *w, double owner, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    const int models = w->task->network_count, keys = w->task->verify.nulls;
    const pg_threshold t = pg_threshold_find(w->count, (size_t)models * (size_t)keys, w->length, w->task->verify.level);
    const double percent = 100.0 / w->length;
    PG_TRY(pg_record_add(record, "", "null_models", models, "models", err));
    PG_TRY(pg_record_add(record, "", "null_model_keys", keys, "keys", err));
    PG_TRY(pg_record_add(record, "", "null_model_length", w->length, "", err));
    PG_TRY(pg_record_add(record, "", "null_model_mean", percent * t.mean, "%", err));
    PG_TRY(pg_record_add(record, "", "null_model_deviation", percent * t.deviation, "%", err));
    PG_TRY(pg_record_add(record, "", "null_model_count", t.count, "", err));
    PG_TRY(pg_record_add(record, "", "null_model_threshold", 100 * t.share, "%", err));
    PG_TRY(pg_record_add(record, "", "null_model_rescaled", pg_threshold_rescale(t.share, owner / 100), "", err));
    PG_TRY(pg_record_add(record, "", "null_model_found", owner > 100 * t.share, "", err));
done:
    return status;
}

pg_status pg_execute_threshold(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    work w = {.task = task, .at = at};
    double owner;
    PG_TRY(pg_execute_data(&task->data, at, &w.data, err));
    if (task->other.name[0]) PG_TRY(pg_execute_data(&task->other, at, &w.other, err));
    PG_TRY(pg_execute_spec(task, w.data.train.classes, &w.data.train, &w.spec, err));
    if (task->pretrained[0]) PG_TRY(pg_execute_model(at, task->pretrained, &w.pretrained, err));
    PG_TRY(read_owner(&w, &owner, err));
    PG_TRY(pg_alloc((size_t)task->network_count * (size_t)task->verify.nulls, sizeof *w.count, &w.count, err));
    for (int i = 0; i < task->network_count; i++) PG_TRY(read_null_model(&w, i, err));
    PG_TRY(report(&w, owner, record, err));
done:
    pg_free(w.count);
    pg_model_destroy(&w.pretrained);
    pg_data_clear(&w.data);
    pg_data_clear(&w.other);
    return status;
}
