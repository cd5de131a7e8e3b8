/* The inside of pg_task_execute: what the kinds of tasks share. */
#ifndef PG_WORK_EXECUTE_INTERNAL_H
#define PG_WORK_EXECUTE_INTERNAL_H

#include "experiments/work/execute.h"

/* Data as a task chose it: subsets of a loaded data set, owned by the caller. PG_BAD_INPUT if that is not the one whose
 * checksum the task has. */
PG_CHECKED pg_status pg_execute_data(const pg_data_choice *choice, const pg_workplace *at, pg_data *out, pg_error *err);
/* The training images that a task's choice leaves out, owned by the caller. */
PG_CHECKED pg_status pg_execute_fresh(const pg_data_choice *choice, const pg_workplace *at, pg_dataset *out, pg_error *err);

/* Path of a task's file: "models" or "evidence", and the key of the task or a stem. */
PG_CHECKED pg_status pg_execute_path(const pg_workplace *at, const char *folder, const char *stem, char path[PG_PATH_MAX],
                                     pg_error *err);

/* Save a network that the task made, with what is needed to judge it; data is what it was measured on. */
PG_CHECKED pg_status pg_execute_save(const pg_task *task, const pg_workplace *at, const pg_data_choice *data,
                                     const pg_model *model, const char *outcome, pg_error *err);

/* Report the share of a task that does not train. */
void pg_execute_tell(const pg_workplace *at, double done);

/* The model that the task of that key left. */
PG_CHECKED pg_status pg_execute_model(const pg_workplace *at, const char *key, pg_model **out, pg_error *err);

/* The wired spec of the task's network. */
PG_CHECKED pg_status pg_execute_spec(const pg_task *task, int classes, const pg_dataset *images, pg_net_spec *out,
                                     pg_error *err);

/* What the judge of a task's models is given: the task's test images, pixels and options. */
pg_judge_setup pg_execute_judge(const pg_task *task, const pg_model *model, const pg_dataset *test,
                                const pg_evidence *distributed);

/* Put a finding into the record, for an outcome ("" when there is one). */
PG_CHECKED pg_status pg_execute_record(const pg_finding *finding, const char *outcome, pg_record *record, pg_error *err);

/* Put the owner of a network before the judge, on the network as it is: the cells of a training task. evidence may be NULL. */
PG_CHECKED pg_status pg_execute_owner(const pg_task *task, const pg_model *model, const pg_evidence *evidence,
                                      const pg_dataset *test, pg_record *record, pg_error *err);

/* Leave the network and its evidence as files for the tasks that build on this one, with what the record says of them. */
PG_CHECKED pg_status pg_execute_leave(const pg_task *task, const pg_workplace *at, const pg_model *model,
                                      const pg_evidence *evidence, pg_record *record, pg_error *err);

PG_CHECKED pg_status pg_execute_train(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_attack(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_bring(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_threshold(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);

#endif
