/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A claim task: evidence that was made for one network is shown against an independent one, which nobody of the grid trained
 * with it. The claim is false, whatever the judge answers. Source: Liu et al., USENIX Security 2024. */
#include "experiments/work/execute_internal.h"

#include <stdio.h>
#include <string.h>

/* Name of the accused network: "accused=resnet9-bn other half 3fa9c01d", the last word from the key of its task. */
static void name_accused(const pg_task *task, const pg_model *accused, char out[64])
{
    snprintf(out, 64, "accused=%s-%s %s%.8s", accused->spec.arch->name, pg_norm_kind_name(accused->spec.norm),
             task->other.half == task->data.half ? "" : "other half ", task->networks[0]);
}

static pg_status judge(const pg_task *task, const pg_model *model, const pg_evidence *evidence, const pg_dataset *test,
                       pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding finding;
    bool readable;
    char name[64];
    const pg_judge_setup setup = pg_execute_judge(task, model, test, NULL);
    PG_TRY(pg_execute_readable(evidence, model, record, &readable, err));
    name_accused(task, model, name);
    PG_TRY(pg_record_add(record, name, "readable", readable, "", err));
    PG_TRY(pg_verify(&setup, readable ? evidence : NULL, &finding, err));
    PG_TRY(pg_execute_record(&finding, name, record, err));
done:
    return status;
}

pg_status pg_execute_claim(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    pg_data data = {0};
    pg_model *accused = NULL;
    pg_evidence *evidence = NULL;
    PG_TRY(pg_execute_data(&task->data, at, &data, err));
    PG_TRY(pg_execute_model(at, task->networks[0], &accused, err));
    PG_TRY(pg_execute_path(at, "evidence", task->forged[0] ? task->forged : task->victim, path, err));
    PG_TRY(pg_evidence_load(path, &evidence, err));
    PG_TRY(judge(task, accused, evidence, &data.test, record, err));
done:
    pg_evidence_destroy(&evidence);
    pg_model_destroy(&accused);
    pg_data_clear(&data);
    return status;
}
