/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemes with a trigger set; see trigger_scheme.h. */
#include "core/ownership/trigger_scheme.h"

const char *const pg_trigger_orders[] = {"cycle", "shuffle", NULL};

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
