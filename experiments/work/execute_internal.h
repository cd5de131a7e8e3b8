/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Internals of pg_task_execute: functions that several kinds of tasks share. */
#ifndef PG_WORK_EXECUTE_INTERNAL_H
#define PG_WORK_EXECUTE_INTERNAL_H

#include "experiments/work/execute.h"

/* Load the data of a task: subsets of a data set, owned by the caller. PG_BAD_INPUT if the data set does not have the checksum
 * in the task. */
PG_CHECKED pg_status pg_execute_data(const pg_data_choice *choice, const pg_workplace *at, pg_data *out, pg_error *err);
/* Load the training images that the subsets of a task leave out, owned by the caller. */
PG_CHECKED pg_status pg_execute_fresh(const pg_data_choice *choice, const pg_workplace *at, pg_dataset *out, pg_error *err);

/* Path of a task's file. folder: "models" or "evidence"; stem: a task's key or pg_task_stem. */
PG_CHECKED pg_status pg_execute_path(const pg_workplace *at, const char *folder, const char *stem, char path[PG_PATH_MAX],
                                     pg_error *err);

/* Save a network that the task made, with the metadata that judging it needs. data: the data that it was measured on. */
PG_CHECKED pg_status pg_execute_save(const pg_task *task, const pg_workplace *at, const pg_data_choice *data,
                                     const pg_model *model, const char *outcome, pg_error *err);

/* Report the progress of a task that does not train; done: its fraction. */
void pg_execute_tell(const pg_workplace *at, double done);

/* Load the model that the task with this key made. */
PG_CHECKED pg_status pg_execute_model(const pg_workplace *at, const char *key, pg_model **out, pg_error *err);

/* Make the spec of the task's network, as its scheme wires it. */
PG_CHECKED pg_status pg_execute_spec(const pg_task *task, int classes, const pg_dataset *images, pg_net_spec *out,
                                     pg_error *err);

/* The setup of the judge of a task's models: the task's test images, pixels and options. */
pg_judge_setup pg_execute_judge(const pg_task *task, const pg_model *model, const pg_dataset *test,
                                const pg_evidence *distributed);

/* Can the evidence be read in this network? If not, the record gets the note not_readable, which says why. evidence may be
 * NULL, which is readable. */
PG_CHECKED pg_status pg_execute_readable(const pg_evidence *evidence, const pg_model *model, pg_record *record, bool *readable,
                                         pg_error *err);

/* Add a finding to the record, under the name of an outcome ("" if there is only one). */
PG_CHECKED pg_status pg_execute_record(const pg_finding *finding, const char *outcome, pg_record *record, pg_error *err);

/* Judge the owner's evidence on the unchanged network, and add the finding to the record. evidence may be NULL. */
PG_CHECKED pg_status pg_execute_owner(const pg_task *task, const pg_model *model, const pg_evidence *evidence,
                                      const pg_dataset *test, pg_record *record, pg_error *err);

/* Save the network and its evidence for the tasks that depend on this one, and add their notes to the record. */
PG_CHECKED pg_status pg_execute_leave(const pg_task *task, const pg_workplace *at, const pg_model *model,
                                      const pg_evidence *evidence, pg_record *record, pg_error *err);

PG_CHECKED pg_status pg_execute_train(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_attack(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_supplied(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_claim(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);
PG_CHECKED pg_status pg_execute_threshold(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);

#endif
