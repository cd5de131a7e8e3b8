/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What schemes with a trigger set share. Their network is an ordinary one, and the trainer appends triggers to its batches.
 * The options struct of such a scheme begins with a pg_trigger_options, so the functions below are members of its pg_scheme. */
#ifndef PG_OWNERSHIP_TRIGGER_SCHEME_H
#define PG_OWNERSHIP_TRIGGER_SCHEME_H

#include "core/data/triggers.h"
#include "core/ownership/scheme.h"

typedef struct pg_trigger_options {
    int trigger_count, triggers_per_batch, order, start;
} pg_trigger_options;

enum { PG_TRIGGER_ORDER_CYCLE, PG_TRIGGER_ORDER_SHUFFLE };
extern const char *const pg_trigger_orders[];

/* Rows for the table of a struct T whose member `member` is a pg_trigger_options. */
#define PG_TRIGGER_OPTIONS(T, member, pictures, per_batch)                                                                     \
    PG_NUMBER("trigger_count", T, member.trigger_count, INT, int, "100", 1, PG_TRIGGERS_MAX, NULL, pictures),                  \
        PG_NUMBER("triggers_per_batch", T, member.triggers_per_batch, INT, int, per_batch, 1, 1000, NULL,                      \
                  "trigger images appended to every training batch"),                                                          \
    {                                                                                                                          \
        PG_OPTION("order", T, member.order, CHOICE, int, "cycle",                                                              \
                  "order of the triggers: a fixed cycle from a random start, or shuffled anew in every sweep, as in the "      \
                  "passport authors' version of this scheme"),                                                                 \
            .choices = pg_trigger_orders                                                                                       \
    }

pg_status pg_trigger_recognise(void *options, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err);
int pg_trigger_per_batch(const void *options);
bool pg_trigger_in_order(const void *options);

#endif
