/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The attack that changes nothing: the control. Its measurements must equal the owner's. */
#include "attacks/attack.h"

static const pg_option options[] = {{0}};

static pg_status unchanged_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    (void)state;
    (void)outcome;
    (void)err;
    *what = PG_ATTACK_LAST;
    return PG_OK;
}

const pg_attack pg_attack_unchanged = {
    .name = "unchanged",
    .former_name = "null",
    .summary = "change nothing: the control",
    .source = "none",
    .options = options,
    .options_size = 1,
    .state_size = 1,
    .steady = true,
    .step = unchanged_step,
};
