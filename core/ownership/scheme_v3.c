/* SPDX-License-Identifier: GPL-3.0-or-later */
/* V3: V2 with a trigger set mixed into every batch, in both branches, for black-box suspicion before white-box proof. */
#include "core/ownership/passport_scheme.h"

static int v3_triggers_per_batch(const void *options)
{
    return ((const pg_passport_options *)options)->triggers_per_batch;
}

const pg_scheme pg_scheme_v3 = {
    .name = "v3",
    .summary = "V2 with a trigger set in training, which claims by answers alone",
    .source = "Fan, Ng, Chan, NeurIPS 2019, scheme V3",
    .group = PG_PASSPORTS,
    .holds = PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES | PG_HOLDS_TRIGGERS,
    .options = pg_passport_trigger_table,
    .options_size = sizeof(pg_passport_options),
    .alone = {"passport", "random"},
    .bound = {{"passport", "random"}, {"bound", "true"}},
    .binding = offsetof(pg_passport_options, binding),
    .wire = pg_passport_two_branches,
    .wants_pretrained = pg_passport_wants_pretrained,
    .check = pg_passport_check,
    .recognise = pg_passport_recognise,
    .kind = pg_passport_kind_of,
    .keygen = pg_passport_keygen,
    .regulariser = pg_passport_regulariser,
    .triggers_per_batch = v3_triggers_per_batch,
};
