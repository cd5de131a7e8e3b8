/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models as safetensors files, with the names of the reference code's state dict, so that PyTorch users can read and write
 * them. */
#ifndef PG_NETS_STATE_H
#define PG_NETS_STATE_H

#include "core/base/hash.h"
#include "core/formats/safetensors.h"
#include "core/nets/model.h"

/* Write every tensor (float32; float64 in the double build) in state-dict order and shape, passport weights under both their
 * names. The metadata hold the spec and notes [note_count]; notes may be NULL. */
PG_CHECKED pg_status pg_model_save(const pg_model *model, const pg_metadata *notes, size_t note_count, const char *path,
                                   pg_error *err);

/* Hints of the caller, used only for values that the file does not give; and the size of a network that he accepts. */
typedef struct pg_model_hints {
    const pg_norm_kind *norm;      /* NULL: unknown */
    const bool *relu_before_add;   /* NULL: unknown */
    int image_height, image_width; /* 0: unknown */
    size_t params_max;             /* the most parameters (pg_layout); 0: any number */
} pg_model_hints;

/* Facts in a file beside the network. pixels, data and data_sha256 are the metadata of those names. */
typedef struct pg_model_facts {
    char pixels[16];                 /* how images were normalised, a name in pg_pixels_names; empty: unknown */
    char data[64];                   /* the data set that it was trained on; empty: unknown */
    char data_sha256[PG_SHA256_HEX]; /* of the whole data set, see pg_input_sum */
    char assumed[320]; /* assumptions of the reader about values that neither file nor hints give, separated by "; " */
} pg_model_facts;

/* Read a model. The spec comes from the metadata if this program wrote the file, else from names, shapes and hints (may be
 * NULL). facts may be NULL. Drops the parts "module" and "_orig_mod" that PyTorch's wrappers add to names.
 *
 * PG_BAD_INPUT, naming file and tensor, if the network has more parameters than the hints allow, if a tensor is missing, has
 * another shape, differs from its second name or fails pg_model_check_finite, or if neither the network nor its evidence uses a
 * floating-point tensor. The reader compares sizes with the file before it allocates, so that memory grows with the file and
 * not with its metadata. */
PG_CHECKED pg_status pg_model_load(const char *path, const pg_model_hints *hints, pg_model **out, pg_model_facts *facts,
                                   pg_error *err);

/* Endings of the names of evidence tensors (LAYER.key and so on, see core/ownership/evidence.h) that a state dict may hold
 * beside the network; ended by NULL. */
extern const char *const pg_state_evidence[];

/* Open the state dict of a model or of evidence, and drop the wrappers' parts of its names. */
PG_CHECKED pg_status pg_state_open(const char *path, pg_safetensors **out, pg_error *err);

#endif
