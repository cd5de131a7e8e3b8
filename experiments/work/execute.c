/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a task; see execute.h. Training: execute_train.c; attacks: execute_attack.c; thresholds: execute_threshold.c;
 * claims: execute_claim.c. */
#include "experiments/work/execute_internal.h"

#include "core/base/file.h"
#include "core/nets/state.h"
#include "core/ownership/mark.h"
#include "experiments/grid/inputs.h"
#include "experiments/work/gammas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whole data sets, kept between the tasks of this process; a grid uses few. */
enum { KEPT = 4 };
static struct kept_data {
    char name[64], sha256[PG_SHA256_HEX];
    pg_picture_set pictures;
    pg_data data;
} kept[KEPT];
static int kept_next;

void pg_task_release_data(void)
{
    for (int i = 0; i < KEPT; i++) {
        pg_data_clear(&kept[i].data);
        kept[i].name[0] = 0;
    }
}

static pg_status load(const pg_data_choice *choice, const char *directory, const struct kept_data **out, pg_error *err)
{
    for (int i = 0; i < KEPT; i++)
        if (strcmp(kept[i].name, choice->name) == 0 && pg_picture_set_same(&kept[i].pictures, &choice->pictures)) {
            *out = &kept[i];
            return PG_OK;
        }
    struct kept_data *slot = &kept[kept_next];
    kept_next = (kept_next + 1) % KEPT;
    pg_data_clear(&slot->data);
    slot->name[0] = 0;
    const pg_status status = pg_data_read(choice->name, &choice->pictures, directory, &slot->data, err);
    if (status != PG_OK) return status;
    pg_input_sum(&slot->data, slot->sha256);
    snprintf(slot->name, sizeof slot->name, "%s", choice->name);
    slot->pictures = choice->pictures;
    *out = slot;
    return PG_OK;
}

/* Load the whole data set of a choice. PG_BAD_INPUT if the one on this machine does not have the checksum in the task. */
static pg_status load_chosen(const pg_data_choice *choice, const pg_workplace *at, const pg_data **out, pg_error *err)
{
    const struct kept_data *set;
    const pg_status status = load(choice, at->data_directory, &set, err);
    if (status != PG_OK) return status;
    if (strcmp(set->sha256, choice->sha256) != 0)
        return pg_fail(err, PG_BAD_INPUT, "%s: this data set differs from the planned one: its checksum is %.8s, not %.8s",
                       choice->name, set->sha256, choice->sha256);
    *out = &set->data;
    return PG_OK;
}

typedef pg_status part_of(const pg_dataset *from, int count, pg_dataset *out, pg_error *err);

/* Copy a part of the chosen half of a training set. */
static pg_status take_train(const pg_data_choice *choice, const pg_dataset *whole, part_of *take, pg_dataset *out,
                            pg_error *err)
{
    pg_dataset half = {0};
    if (!choice->half) return take(whole, choice->train, out, err);
    pg_status status = pg_dataset_half(whole, (pg_half)choice->half, &half, err);
    if (status == PG_OK) status = take(&half, choice->train, out, err);
    pg_dataset_clear(&half);
    return status;
}

pg_status pg_execute_data(const pg_data_choice *choice, const pg_workplace *at, pg_data *out, pg_error *err)
{
    const pg_data *whole;
    *out = (pg_data){0};
    pg_status status = load_chosen(choice, at, &whole, err);
    if (status == PG_OK) status = take_train(choice, &whole->train, pg_dataset_subset, &out->train, err);
    if (status == PG_OK) status = pg_dataset_subset(&whole->test, choice->test, &out->test, err);
    if (status != PG_OK) pg_data_clear(out);
    return status;
}

pg_status pg_execute_fresh(const pg_data_choice *choice, const pg_workplace *at, pg_dataset *out, pg_error *err)
{
    const pg_data *whole;
    const pg_status status = load_chosen(choice, at, &whole, err);
    return status == PG_OK ? take_train(choice, &whole->train, pg_dataset_rest, out, err) : status;
}

pg_status pg_execute_path(const pg_workplace *at, const char *folder, const char *stem, char path[PG_PATH_MAX], pg_error *err)
{
    char directory[PG_PATH_MAX], file[PG_FILE_STEM + 16];
    pg_status status = pg_path(directory, at->directory, folder, NULL, err);
    if (status == PG_OK) status = pg_make_directories(directory, err);
    snprintf(file, sizeof file, "%s.safetensors", stem);
    return status == PG_OK ? pg_path(path, directory, file, NULL, err) : status;
}

pg_status pg_execute_save(const pg_task *task, const pg_workplace *at, const pg_data_choice *data, const pg_model *model,
                          const char *outcome, pg_error *err)
{
    char stem[PG_FILE_STEM], path[PG_PATH_MAX];
    const pg_metadata notes[] = {{"scheme", task->scheme->name},
                                 {"task", task->key},
                                 {"pixels", pg_pixels_names[task->train.pixels]},
                                 {"data", data->name},
                                 {"data_sha256", data->sha256}};
    pg_task_stem(task->key, outcome, stem);
    const pg_status status = pg_execute_path(at, "models", stem, path, err);
    return status == PG_OK ? pg_model_save(model, notes, sizeof notes / sizeof *notes, path, err) : status;
}

void pg_execute_tell(const pg_workplace *at, double done)
{
    const pg_task_progress now = {.done = done, .loss = NAN, .accuracy = NAN};
    if (at->report) at->report(at->context, &now);
}

pg_status pg_execute_model(const pg_workplace *at, const char *key, pg_model **out, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_status status = pg_execute_path(at, "models", key, path, err);
    return status == PG_OK ? pg_model_load(path, NULL, out, NULL, err) : status;
}

pg_status pg_execute_spec(const pg_task *task, int classes, const pg_dataset *images, pg_net_spec *out, pg_error *err)
{
    *out = pg_net_spec_plain(task->arch, task->norm, classes);
    out->width = task->width;
    out->relu_before_add = task->relu_before_add;
    out->image_height = images->height;
    out->image_width = images->width;
    return pg_scheme_wire(task->scheme, task->scheme_options, out, err);
}

/* ---- judging ---- */

pg_judge_setup pg_execute_judge(const pg_task *task, const pg_model *model, const pg_dataset *test,
                                const pg_evidence *distributed)
{
    return (pg_judge_setup){.model = model,
                            .test = test,
                            .pixels = (pg_pixels)task->train.pixels,
                            .options = &task->verify,
                            .distributed = distributed,
                            .seeds_prove = true};
}

/* PG_BAD_INPUT, naming the layer, if the network has no place for the evidence. */
static pg_status check_fit(const pg_evidence *evidence, const pg_model *model, pg_error *err)
{
    pg_net_spec spec;
    if (!evidence) return PG_OK;
    if (evidence->mark.bits) return pg_mark_fit(&evidence->mark, model, err);
    return pg_evidence_fit(evidence, &model->spec, &spec, err);
}

pg_status pg_execute_readable(const pg_evidence *evidence, const pg_model *model, pg_record *record, bool *readable,
                              pg_error *err)
{
    pg_error reason;
    const pg_status fits = check_fit(evidence, model, &reason);
    *readable = fits == PG_OK;
    if (fits == PG_BAD_INPUT) return pg_record_note(record, "not_readable", reason.message, err);
    return fits == PG_OK ? PG_OK : pg_fail(err, fits, "%s", reason.message);
}

static pg_status add(pg_record *record, const char *outcome, const char *metric, double value, const char *unit, bool present,
                     pg_error *err)
{
    return present && !isnan(value) ? pg_record_add(record, outcome, metric, value, unit, err) : PG_OK;
}

static pg_status record_claim(const pg_finding *f, const char *outcome, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_accuracy *accuracy = pg_finding_accuracy(f);
    PG_TRY(add(record, outcome, "accuracy_claimed", accuracy->exact, "%", accuracy->present, err));
    PG_TRY(add(record, outcome, "bits", f->bits, "bits", f->bits > 0, err));
    PG_TRY(add(record, outcome, "agreeing", f->agree, f->bits ? "bits" : "triggers", true, err));
    PG_TRY(add(record, outcome, "null_probability", f->null_probability, "", true, err));
    PG_TRY(add(record, outcome, "detection", f->detection, "%", true, err));
    PG_TRY(add(record, outcome, "detection_stored", f->detection_stored, "%", true, err));
    PG_TRY(add(record, outcome, "p_coin", f->p_coin, "", f->bits > 0, err));
    PG_TRY(add(record, outcome, "p_value", f->p_value, "", true, err));
    PG_TRY(add(record, outcome, "threshold", f->threshold, "", true, err));
    PG_TRY(add(record, outcome, "enough", f->enough, "", true, err));
    PG_TRY(add(record, outcome, "null_mean", f->null_mean, "%", f->nulls > 0, err));
    PG_TRY(add(record, outcome, "null_deviation", f->null_deviation, "%", f->nulls > 0, err));
    PG_TRY(add(record, outcome, "null_threshold", f->null_threshold, "%", true, err));
    PG_TRY(add(record, outcome, "useless", f->useless, "", true, err));
    PG_TRY(add(record, outcome, "significant", f->significant, "", true, err));
    PG_TRY(add(record, outcome, "decidable", f->decidable, "", true, err));
    PG_TRY(add(record, outcome, "works", f->works, "", true, err));
    PG_TRY(add(record, outcome, "agrees", f->agrees, "", true, err));
    PG_TRY(add(record, outcome, "proof_bits", f->proof_bits, "bits", f->bound, err));
    PG_TRY(add(record, outcome, "proves", f->proves, "", true, err));
done:
    return status;
}

pg_status pg_execute_record(const pg_finding *f, const char *outcome, pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_accuracy *triggers = f->trigger;
    PG_TRY(add(record, outcome, "accuracy", f->deployed.exact, "%", f->deployed.present, err));
    PG_TRY(add(record, outcome, "accuracy_batch_mean", f->deployed.batch_mean, "%", f->deployed.present, err));
    PG_TRY(add(record, outcome, "accuracy_public", f->public_branch.exact, "%", f->public_branch.present, err));
    PG_TRY(add(record, outcome, "accuracy_private", f->private_branch.exact, "%", f->private_branch.present, err));
    if (f->bits || (f->claim == PG_CLAIM_TRIGGERS && f->trigger_count)) PG_TRY(record_claim(f, outcome, record, err));
    PG_TRY(add(record, outcome, "triggers", f->trigger_count, "triggers", f->trigger_count > 0, err));
    PG_TRY(add(record, outcome, "triggers_agreeing", f->trigger_agree, "triggers", f->trigger_count > 0, err));
    PG_TRY(add(record, outcome, "trigger_public", triggers[PG_PUBLIC].exact, "%", triggers[PG_PUBLIC].present, err));
    PG_TRY(add(record, outcome, "trigger_private", triggers[PG_PRIVATE].exact, "%", triggers[PG_PRIVATE].present, err));
    PG_TRY(add(record, outcome, "trigger_p_value", f->trigger_p, "", f->trigger_count > 0, err));
done:
    return status;
}

/* ---- the end of a training, and of reading a network that was trained elsewhere ---- */

pg_status pg_execute_owner(const pg_task *task, const pg_model *model, const pg_evidence *evidence, const pg_dataset *test,
                           pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    pg_finding finding;
    const pg_judge_setup setup = pg_execute_judge(task, model, test, evidence);
    PG_TRY(pg_verify(&setup, evidence, &finding, err));
    PG_TRY(pg_execute_record(&finding, "", record, err));
    PG_TRY(pg_record_add(record, "", "classes", test->classes, "classes", err));
    PG_TRY(pg_record_add(record, "", "test_images", test->count, "images", err));
done:
    return status;
}

pg_status pg_execute_leave(const pg_task *task, const pg_workplace *at, const pg_model *model, const pg_evidence *evidence,
                           pg_record *record, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], commitment[PG_SHA256_HEX];
    PG_TRY(pg_gammas_record(model, evidence, record, err));
    PG_TRY(pg_execute_save(task, at, &task->data, model, "", err));
    if (!evidence) return PG_OK;
    PG_TRY(pg_execute_path(at, "evidence", task->key, path, err));
    PG_TRY(pg_evidence_save(evidence, path, err));
    pg_evidence_commitment(evidence, commitment);
    PG_TRY(pg_record_note(record, "evidence_commitment", commitment, err));
    if (evidence->triggers.count) PG_TRY(pg_record_note(record, "trigger_set", evidence->triggers.source, err));
done:
    return status;
}

pg_status pg_task_execute(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err)
{
    static pg_status (*const how[])(const pg_task *task, const pg_workplace *at, pg_record *record,
                                    pg_error *err) = {[PG_TASK_TRAIN] = pg_execute_train,
                                                      [PG_TASK_ATTACK] = pg_execute_attack,
                                                      [PG_TASK_THRESHOLD] = pg_execute_threshold,
                                                      [PG_TASK_SUPPLIED] = pg_execute_supplied,
                                                      [PG_TASK_CLAIM] = pg_execute_claim};
    return how[task->kind](task, at, record, err);
}
