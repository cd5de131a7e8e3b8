/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that implement state.h: the spec of a network, from metadata or from names and shapes. */
#ifndef PG_NETS_STATE_INTERNAL_H
#define PG_NETS_STATE_INTERNAL_H

#include "core/nets/state.h"

enum { TENSOR_NAME = PG_NAME_MAX + 32, OWN_NOTES = 11 };

/* The metadata of a spec; pairs point to value. */
typedef struct pg_spec_notes {
    char value[OWN_NOTES][64];
    pg_metadata pairs[OWN_NOTES];
    size_t count;
} pg_spec_notes;

void pg_spec_describe(const pg_net_spec *spec, pg_spec_notes *notes);

/* The spec of a file: from its metadata if this program wrote it, else from names, shapes and hints (may be NULL). */
PG_CHECKED pg_status pg_spec_find(const pg_safetensors *file, const char *path, const pg_model_hints *hints, pg_net_spec *out,
                                  pg_model_facts *facts, pg_error *err);

/* Add to the assumptions in facts. */
void pg_spec_assume(pg_model_facts *facts, const char *format, ...) PG_PRINTF(2, 3);

#endif
