/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State dicts of other PyTorch code, read by a mapping of names:
 *
 *   network: lenet5                # as `arch` of a grid
 *   norm: bn
 *   tensors:                       # theirs: ours
 *     conv1: conv1.conv
 *     bn1: conv1.bn
 *     fc: fc1
 *
 * An entry renames the tensor of that name, and all whose names begin with it and a dot; the longest entry that fits counts,
 * and names without an entry stay. The parts "module" and "_orig_mod" of wrappers are dropped before, counters of batches are
 * ignored, and half precision is converted. The bias of a convolution before batch norm moves into the norm's running mean. */
#ifndef PG_NETS_STATE_IMPORT_H
#define PG_NETS_STATE_IMPORT_H

#include "core/formats/options.h"
#include "core/nets/model.h"
#include "core/nets/state.h"

/* The keys of a mapping file beside `tensors`. */
typedef struct pg_import_options {
    char network[PG_TEXT_MAX];
    int norm; /* a pg_norm_kind */
    double width;
    int image;
    bool relu_before_add;
} pg_import_options;
extern const pg_option pg_import_table[];

/* Read the state dict at path by the mapping file. Network files are relative to its folder. On PG_BAD_INPUT, problems has
 * every tensor that is missing, left over or of another shape, or whatever else is wrong with the mapping; if it is empty, the
 * message is in err. */
PG_CHECKED pg_status pg_model_import(const char *path, const char *mapping, pg_model **out, pg_problems *problems,
                                     pg_error *err);

/* pg_model_load, or, if mapping is not empty, pg_model_import with the first problem in err; a state dict has no facts. */
PG_CHECKED pg_status pg_model_open(const char *path, const char *mapping, const pg_model_hints *hints, pg_model **out,
                                   pg_model_facts *facts, pg_error *err);

#endif
