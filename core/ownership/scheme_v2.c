/* SPDX-License-Identifier: GPL-3.0-or-later */
/* V2: a public branch with learned affine is deployed; a private branch with passports is trained beside it and kept for
 * verification. */
#include "core/ownership/passport_scheme.h"

const pg_scheme pg_scheme_v2 = {
    .name = "v2",
    .summary = "public network deployed, private passport branch trained beside it",
    .source = "Fan, Ng, Chan, NeurIPS 2019, scheme V2",
    .group = PG_PASSPORTS,
    .holds = PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES,
    .options = pg_passport_table,
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
};
