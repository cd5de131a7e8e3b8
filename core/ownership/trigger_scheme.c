/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemes with a trigger set; see trigger_scheme.h. */
#include "core/ownership/trigger_scheme.h"

enum { START_SCRATCH, START_PRETRAINED };
const char *const pg_trigger_orders[] = {"cycle", "shuffle", NULL};
const char *const pg_trigger_starts[] = {"scratch", "pretrained", NULL};

pg_status pg_trigger_wire(const void *options, pg_net_spec *spec, pg_error *err)
{
    (void)options;
    (void)err;
    spec->passports = 0;
    spec->public_affine = true;
    return PG_OK;
}

bool pg_trigger_starts_pretrained(const void *options)
{
    return ((const pg_trigger_options *)options)->start == START_PRETRAINED;
}

pg_status pg_trigger_recognise(void *options, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err)
{
    (void)spec;
    (void)err;
    ((pg_trigger_options *)options)->trigger_count = evidence->triggers.count;
    return PG_OK;
}

int pg_trigger_per_batch(const void *options)
{
    return ((const pg_trigger_options *)options)->triggers_per_batch;
}

bool pg_trigger_in_order(const void *options)
{
    return ((const pg_trigger_options *)options)->order == PG_TRIGGER_ORDER_CYCLE;
}
