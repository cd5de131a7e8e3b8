/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network that was trained elsewhere. The plan and the task both read and check its files. */
#ifndef PG_GRID_SUPPLIED_H
#define PG_GRID_SUPPLIED_H

#include "core/nets/state_import.h"
#include "experiments/grid/task.h"

typedef struct pg_supplied {
    pg_model *model;
    pg_evidence *evidence; /* NULL: none */
    pg_model_facts facts;
    char model_sha256[PG_SHA256_HEX]; /* of the file; if there is a mapping, of file, mapping and network */
    char commitment[PG_SHA256_HEX];   /* empty without evidence */
} pg_supplied;

/* Read the files, and set the scheme's options to the values that follow from network and evidence. PG_BAD_INPUT, naming the
 * file, if the scheme makes no such network, or if the evidence has other parts than the scheme's or does not fit the network.
 * The caller zeroes *out before the call and calls pg_supplied_clear afterwards, even after a failure. */
PG_CHECKED pg_status pg_supplied_read(const pg_source_options *files, const pg_model_hints *hints, const pg_scheme *scheme,
                                      void *options, pg_supplied *out, pg_error *err);
void pg_supplied_clear(pg_supplied *supplied);

/* "models/mine.safetensors (alexnet, bn, width 0.25) with mine.evidence", followed by the assumptions. */
void pg_supplied_describe(const pg_supplied *supplied, const pg_source_options *files, char *out, size_t room);

#endif
