/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks that were trained elsewhere; see supplied.h. */
#include "experiments/grid/supplied.h"

#include "core/formats/number.h"
#include "core/ownership/mark.h"

#include <stdio.h>
#include <string.h>

/* ---- do the files suit the scheme? ---- */

static const char *const holding_names[] = {"passports", "mark", "triggers"}; /* bits of pg_holding */

static unsigned holdings(const pg_evidence *e)
{
    return (e->passport_count ? PG_HOLDS_PASSPORTS : 0u) | (e->mark.bits ? PG_HOLDS_MARK : 0u) |
           (e->triggers.count ? PG_HOLDS_TRIGGERS : 0u);
}

/* PG_BAD_INPUT unless the evidence has exactly the parts of the scheme's evidence. */
static pg_status check_parts(const pg_evidence *evidence, const pg_scheme *scheme, const char *path, pg_error *err)
{
    const unsigned has = holdings(evidence);
    for (unsigned i = 0; i < sizeof holding_names / sizeof *holding_names; i++)
        if ((has ^ scheme->holds) >> i & 1)
            return pg_fail(err, PG_BAD_INPUT, "%s: evidence of %s has %s%s, but this evidence has %s%s", path, scheme->name,
                           has >> i & 1 ? "no " : "", holding_names[i], has >> i & 1 ? "" : "no ", holding_names[i]);
    return PG_OK;
}

/* The branches of a network, in words. */
static const char *form_of(const pg_net_spec *s)
{
    if (!s->passports) return "no passport layers";
    if (!s->public_affine) return "passport layers with only a private branch";
    return s->perceptron || s->own_norm ? "passport layers with a public branch, and a private one with its own norm"
                                        : "passport layers with a public and a private branch";
}

/* PG_BAD_INPUT unless the scheme makes networks of this form. */
static pg_status check_form(const pg_net_spec *spec, const pg_scheme *scheme, const void *options, const char *path,
                            pg_error *err)
{
    pg_net_spec made = *spec;
    made.passports = 0;
    made.private_affine = made.own_norm = made.perceptron = false;
    made.public_affine = true;
    const pg_status status = pg_scheme_wire(scheme, options, &made, err);
    if (status != PG_OK) return pg_error_context(err, "%s", path), status;
    if (made.passports == spec->passports && made.public_affine == spec->public_affine &&
        made.private_affine == spec->private_affine && made.own_norm == spec->own_norm && made.perceptron == spec->perceptron)
        return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s: the network has %s, but one of %s has %s", path, form_of(spec), scheme->name,
                   form_of(&made));
}

/* PG_BAD_INPUT unless passports, mark and triggers fit the network. */
static pg_status check_fit(const pg_evidence *e, const pg_model *model, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec shown;
    const pg_net_spec *s = &model->spec;
    PG_TRY(pg_evidence_fit(e, s, &shown, err));
    if (e->passport_count && shown.passports != s->passports)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "its passports are for other layers than those of the network"));
    if (e->mark.bits) PG_TRY(pg_mark_fit(&e->mark, model, err));
    if (e->triggers.count) PG_TRY(pg_dataset_fits(&e->triggers, s->image_height, s->image_width, s->classes, err));
done:
    return status;
}

/* ---- reading ---- */

static pg_status read_evidence(const pg_source_options *files, const pg_scheme *scheme, pg_supplied *out, pg_error *err)
{
    pg_status status = PG_OK;
    if (!scheme->keygen && !files->evidence[0]) return PG_OK;
    if (!scheme->keygen)
        return pg_fail(err, PG_BAD_INPUT, "%s: remove this file, because the scheme %s has no evidence", files->evidence,
                       scheme->name);
    if (!files->evidence[0])
        return pg_fail(err, PG_BAD_INPUT, "%s: the owner's evidence is missing; add `evidence: FILE`", files->model);
    PG_TRY(pg_evidence_load(files->evidence, &out->evidence, err));
    PG_TRY(check_parts(out->evidence, scheme, files->evidence, err));
    status = check_fit(out->evidence, out->model, err);
    if (status != PG_OK) pg_error_context(err, "%s", files->evidence);
    pg_evidence_commitment(out->evidence, out->commitment);
done:
    return status;
}

/* The sum that stands for the network in keys. */
static pg_status sum_network(const pg_source_options *files, const pg_arch *arch, char out[PG_SHA256_HEX], pg_error *err)
{
    pg_status status = PG_OK;
    pg_hash hash;
    char map[PG_SHA256_HEX];
    PG_TRY(pg_sha256_file(files->model, out, err));
    if (!files->map[0]) goto done;
    PG_TRY(pg_sha256_file(files->map, map, err));
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, out);
    pg_hash_add_text(&hash, map);
    pg_hash_add_text(&hash, arch->text ? arch->text : arch->name);
    pg_hash_finish_hex(&hash, out);
done:
    return status;
}

pg_status pg_supplied_read(const pg_source_options *files, const pg_model_hints *hints, const pg_scheme *scheme, void *options,
                           pg_supplied *out, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_model_open(files->model, files->map, hints, &out->model, &out->facts, err));
    PG_TRY(sum_network(files, out->model->spec.arch, out->model_sha256, err));
    PG_TRY(read_evidence(files, scheme, out, err));
    if (scheme->recognise) {
        status = scheme->recognise(options, &out->model->spec, out->evidence, err);
        if (status != PG_OK) pg_error_context(err, "%s", files->model);
    }
    if (status == PG_OK) status = check_form(&out->model->spec, scheme, options, files->model, err);
done:
    return status;
}

void pg_supplied_clear(pg_supplied *supplied)
{
    pg_model_destroy(&supplied->model);
    pg_evidence_destroy(&supplied->evidence);
    *supplied = (pg_supplied){0};
}

void pg_supplied_describe(const pg_supplied *b, const pg_source_options *files, char *out, size_t room)
{
    char width[PG_NUMBER_MAX];
    const pg_net_spec *s = &b->model->spec;
    const bool silent = !b->facts.pixels[0];
    snprintf(out, room, "%s (%s, %s, width %s)%s%s%s%s%s%s", files->model, s->arch->name, pg_norm_kind_name(s->norm),
             pg_number_text(s->width, width), b->evidence ? " with " : "", b->evidence ? files->evidence : "",
             silent || b->facts.assumed[0] ? "; assumed: " : "", b->facts.assumed, silent && b->facts.assumed[0] ? "; " : "",
             silent ? "images normalised as the grid's" : "");
}
