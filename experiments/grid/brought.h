/* A network that was trained elsewhere, as a subject of a grid: read from files and checked, by the plan and by the task. */
#ifndef PG_GRID_BROUGHT_H
#define PG_GRID_BROUGHT_H

#include "core/nets/state.h"
#include "experiments/grid/task.h"

typedef struct pg_brought {
    pg_model *model;
    pg_evidence *evidence; /* NULL: none */
    pg_model_facts facts;
    char model_sha256[PG_SHA256_HEX], commitment[PG_SHA256_HEX]; /* commitment is empty without evidence */
} pg_brought;

/* Read the files; options, those of the scheme, are set to what network and evidence tell. PG_BAD_INPUT, naming the file, if
 * the network is not of the scheme, or the evidence is not what the scheme has or does not fit the network. A zeroed *out is
 * ended by pg_brought_clear, also after a failure. */
PG_CHECKED pg_status pg_brought_read(const pg_source_options *files, const pg_model_hints *hints, const pg_scheme *scheme,
                                     void *options, pg_brought *out, pg_error *err);
void pg_brought_clear(pg_brought *brought);

/* "models/mine.safetensors (alexnet, bn, width 0.25) with mine.evidence", and what was assumed. */
void pg_brought_describe(const pg_brought *brought, const pg_source_options *files, char *out, size_t room);

#endif
