/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hearing of claims; see judge_hearing.h. */
#include "experiments/commands/judge_hearing.h"

#include "core/ownership/stamp.h"
#include "experiments/grid/data_entry.h"
#include "experiments/grid/inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- files ---- */

static pg_status load_evidence(pg_claimant *k, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_evidence_load(k->path, &k->evidence, err));
    pg_evidence_commitment(k->evidence, k->commitment);
    if (k->expected && strcmp(k->expected, k->commitment) != 0)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: does not open the commitment %s (its own, of version 2, is %s)", k->path,
                       k->expected, k->commitment));
done:
    return status;
}

static pg_status load_data(pg_hearing *h, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_data_read(h->data_set.name, &h->data_set.pictures, h->directory, &h->data, err));
    if (pg_dataset_subset(&h->data.test, h->test, &h->images, err) != PG_OK) PG_TRY(pg_error_context(err, "--test"));
done:
    return status;
}

/* An option must not contradict the model file. */
static pg_status check_hints(const pg_hearing *h, const pg_model_hints *hints, pg_error *err)
{
    const pg_net_spec *s = &h->model->spec;
    if (hints->norm && *hints->norm != s->norm)
        return pg_fail(err, PG_BAD_INPUT, "--norm %s: contradicts %s, which says %s", pg_norm_kind_name(*hints->norm),
                       h->model_path, pg_norm_kind_name(s->norm));
    if (hints->relu_before_add && *hints->relu_before_add != s->relu_before_add)
        return pg_fail(err, PG_BAD_INPUT, "--relu-before-add: contradicts %s", h->model_path);
    return PG_OK;
}

/* If the model file does not give the size of its images, the test images do. */
static pg_status load_accused(pg_hearing *h, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_norm_kind norm = (pg_norm_kind)h->norm;
    const bool relu = h->relu_before_add == 1;
    const pg_model_hints hints = {.norm = h->norm < 0 ? NULL : &norm,
                                  .relu_before_add = h->relu_before_add < 0 ? NULL : &relu,
                                  .image_height = h->images.height,
                                  .image_width = h->images.width};
    PG_TRY(pg_model_open(h->model_path, h->map_path ? h->map_path : "", &hints, &h->model, &h->facts, err));
    PG_TRY(check_hints(h, &hints, err));
done:
    return status;
}

static pg_status load(pg_hearing *h, pg_error *err)
{
    pg_status status = PG_OK;
    if (h->data_word) {
        PG_TRY(pg_data_entry_read(h->data_word, &h->data_set, err));
        PG_TRY(load_data(h, err));
    }
    PG_TRY(load_accused(h, err));
    if (!h->data_word) {
        snprintf(h->data_set.name, sizeof h->data_set.name, "%s", h->facts.data);
        if (!h->facts.data[0])
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "--data NAME is missing, and %s does not name the data set", h->model_path));
        PG_TRY(load_data(h, err));
    }
    if (!h->distributed.path) goto done;
    if (pg_net_spec_deployed(&h->model->spec) == PG_PUBLIC)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "--distributed: %s works without a passport; leave this option out", h->model_path));
    PG_TRY(load_evidence(&h->distributed, err));
done:
    return status;
}

/* ---- the setting ---- */

static void add_doubt(pg_hearing *h, const char *text)
{
    const size_t used = strlen(h->doubts);
    snprintf(h->doubts + used, sizeof h->doubts - used, "%s%s", used ? "; " : "", text);
}

/* Index of the pixels that the model file names; -1: it names none. */
static pg_status find_pixels(const pg_hearing *h, int *told, pg_error *err)
{
    *told = -1;
    if (!h->facts.pixels[0]) return PG_OK;
    for (int i = 0; pg_pixels_names[i]; i++)
        if (strcmp(h->facts.pixels, pg_pixels_names[i]) == 0) *told = i;
    return *told >= 0 ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s: unknown pixels '%s'", h->model_path, h->facts.pixels);
}

/* Decide how pixels are normalised, and note the source. */
static pg_status choose_pixels(pg_hearing *h, pg_error *err)
{
    char text[128];
    int told;
    const pg_status status = find_pixels(h, &told, err);
    h->used_pixels = (pg_pixels)(h->pixels >= 0 ? h->pixels : told >= 0 ? told : PG_PIXELS_IMAGENET);
    h->pixels_from = h->pixels >= 0 ? "--pixels"
                     : told >= 0    ? "the model file"
                                    : "assumed: neither the model file nor --pixels says";
    if (told < 0 || told == (int)h->used_pixels) return status;
    snprintf(text, sizeof text, "the model file says pixels %s", h->facts.pixels);
    add_doubt(h, text);
    return status;
}

/* Testing on another data set than that of the training is unusual but allowed; note it as a doubt. */
static void compare_data(pg_hearing *h)
{
    char text[512], sum[PG_SHA256_HEX];
    if (!h->facts.data[0]) return;
    pg_input_sum(&h->data, sum);
    if (strcmp(h->facts.data, h->data_set.name) != 0)
        snprintf(text, sizeof text, "the model file says that the network was trained on %s", h->facts.data);
    else if (h->facts.data_sha256[0] && strcmp(h->facts.data_sha256, sum) != 0)
        snprintf(text, sizeof text, "%s here is not the one that the network was trained on: another checksum",
                 h->data_set.name);
    else
        return;
    add_doubt(h, text);
}

/* ---- judging ---- */

/* Refuse a claim whose file is at fault; a fault of the machine ends the hearing. */
static pg_status refuse(pg_claimant *k, pg_status status, const pg_error *fault, pg_error *err)
{
    if (status != PG_BAD_INPUT && status != PG_FAILED) return pg_fail(err, status, "%s", fault->message);
    snprintf(k->refused, sizeof k->refused, "%s", fault->message);
    return PG_OK;
}

/* Check the stamp of evidence and original together. A stamp that does not hold counts as none. */
static pg_status check_stamp(const pg_hearing *h, pg_claimant *k, pg_error *err)
{
    pg_error fault;
    unsigned char digest[PG_SHA256_BYTES];
    pg_status status = pg_stamp_commit(k->evidence, k->original_path, digest, err);
    if (status != PG_OK) return status;
    status = pg_stamp_verify(k->stamp_path, h->authorities, digest, &k->when, &fault);
    k->stamped = status == PG_OK;
    if (k->stamped) return PG_OK;
    if (status != PG_BAD_INPUT) return pg_fail(err, status, "%s", fault.message);
    snprintf(k->stamp_fault, sizeof k->stamp_fault, "%s", fault.message);
    return PG_OK;
}

/* The original is run as the accused network is, unless its file says otherwise. It may have a second branch. A network of more
 * than twice the parameters cannot be an original of this one and is refused, so that memory does not grow with the files of
 * claimants. */
static pg_status load_original(const pg_hearing *h, pg_claimant *k, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model_facts facts;
    const pg_net_spec *s = &h->model->spec;
    const pg_model_hints hints = {.norm = &s->norm,
                                  .relu_before_add = &s->relu_before_add,
                                  .image_height = s->image_height,
                                  .image_width = s->image_width,
                                  .params_max = 2 * h->model->param_count};
    if (!k->original_path) return PG_OK;
    PG_TRY(pg_model_load(k->original_path, &hints, &k->original, &facts, err));
    PG_TRY(pg_sha256_file(k->original_path, k->original_sum, err));
    if (k->stamp_path) PG_TRY(check_stamp(h, k, err));
done:
    return status;
}

static pg_status load_claim(const pg_hearing *h, pg_claimant *k, pg_error *err)
{
    pg_error fault;
    pg_status status = load_evidence(k, &fault);
    if (status == PG_OK) status = load_original(h, k, &fault);
    return status == PG_OK ? PG_OK : refuse(k, status, &fault, err);
}

static pg_status hear_evidence(const pg_hearing *h, pg_judge *judge, pg_claimant *k, pg_error *err)
{
    if (!k->original) return pg_judge_claim(judge, k->evidence, &k->finding, err);
    const pg_original original = {.model = k->original,
                                  .stamped_before = k->stamped && h->published && k->when < h->published_at};
    return pg_judge_claim_with_original(judge, k->evidence, &original, &k->readings, &k->finding, err);
}

static pg_status hear_claim(const pg_hearing *h, pg_judge *judge, pg_claimant *k, pg_error *err)
{
    pg_error fault;
    if (k->refused[0]) return PG_OK;
    const pg_status status = hear_evidence(h, judge, k, &fault);
    if (status == PG_OK) return PG_OK;
    pg_error_context(&fault, "%s", k->path);
    return refuse(k, status, &fault, err);
}

static bool is_same(const pg_claimant *a, const pg_claimant *b)
{
    return strcmp(a->commitment, b->commitment) == 0 && strcmp(a->original_sum, b->original_sum) == 0;
}

/* Evidence with the same commitment counts once, under whatever names it is shown. With another original it is read in another
 * way and counts again. Returns the number of pieces. */
static int count_pieces(pg_hearing *h)
{
    int count = 0;
    for (int i = 0; i < h->claim_count; i++) {
        pg_claimant *k = &h->claims[i];
        for (int j = 0; j < i && !k->same_as && !k->refused[0]; j++)
            if (is_same(&h->claims[j], k)) k->same_as = h->claims[j].path;
        count += !k->same_as && !k->refused[0];
    }
    return count;
}

/* If several claims prove, find out who was first. */
static pg_status find_origin(pg_hearing *h, const pg_judge_setup *judge, pg_error *err)
{
    int count = 0, originals = 0;
    for (int i = 0; i < h->claim_count; i++) {
        const pg_claimant *k = &h->claims[i];
        if (k->refused[0] || k->same_as || !k->finding.proves) continue;
        h->pair_of[count] = k;
        h->pairs[count++] = (pg_pair){.evidence = k->evidence,
                                      .original = k->original,
                                      .stamped = k->stamped,
                                      .when = k->when,
                                      .similarity = k->original ? k->readings.similarity : NAN,
                                      .rival = k->readings.rival};
        originals += k->original != NULL;
    }
    if (count < 2 || !originals) return PG_OK;
    h->pair_count = count;
    return pg_origin_find(judge, h->pairs, count, &h->origin, err);
}

static pg_status judge_all(pg_hearing *h, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge *judge = NULL;
    pg_finding alone;
    for (int i = 0; i < h->claim_count; i++) PG_TRY(load_claim(h, &h->claims[i], err));
    const pg_judge_setup setup = {.model = h->model,
                                  .test = &h->images,
                                  .pixels = h->used_pixels,
                                  .options = &h->options,
                                  .seed = (uint64_t)h->seed,
                                  .known_accuracy = h->accuracy,
                                  .distributed = h->distributed.evidence,
                                  .shown = count_pieces(h)};
    status = pg_judge_create(&setup, &judge, err);
    if (status == PG_OK) status = pg_judge_claim(judge, NULL, &alone, err);
    if (status != PG_OK) {
        pg_error_context(err, "%s", setup.distributed ? h->distributed.path : h->model_path);
        goto done;
    }
    h->deployed = alone.deployed;
    h->deployed.exact = alone.reference;
    if (alone.decidable) h->deployed_from = h->accuracy > 0 ? "--accuracy" : setup.distributed ? "--distributed" : "measured";
    for (int i = 0; i < h->claim_count; i++) PG_TRY(hear_claim(h, judge, &h->claims[i], err));
    PG_TRY(find_origin(h, &setup, err));
done:
    pg_judge_destroy(&judge);
    return status;
}

pg_status pg_hearing_hold(pg_hearing *h, pg_error *err)
{
    pg_status status = PG_OK;
    if (h->authorities) PG_TRY(pg_stamp_check_authorities(h->authorities, err));
    PG_TRY(load(h, err));
    PG_TRY(pg_verify_check(&h->options, h->model->spec.classes, h->images.count, err));
    PG_TRY(choose_pixels(h, err));
    compare_data(h);
    PG_TRY(judge_all(h, err));
done:
    return status;
}

void pg_hearing_clear(pg_hearing *h)
{
    for (int i = 0; i < h->claim_count; i++) {
        pg_evidence_destroy(&h->claims[i].evidence);
        pg_model_destroy(&h->claims[i].original);
    }
    pg_evidence_destroy(&h->distributed.evidence);
    pg_model_destroy(&h->model);
    pg_dataset_clear(&h->images);
    pg_data_clear(&h->data);
}
