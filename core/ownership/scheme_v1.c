/* SPDX-License-Identifier: GPL-3.0-or-later */
/* V1: passports are part of the deployed network, which does not work without them. */
#include "core/ownership/passport_scheme.h"

static pg_status v1_wire(const void *options, pg_net_spec *spec, pg_error *err)
{
    spec->public_affine = false;
    spec->private_affine = true;
    return pg_passport_layers(options, spec, err);
}

const pg_scheme pg_scheme_v1 = {
    .name = "v1",
    .summary = "passports distributed with the network, which needs them to work",
    .source = "Fan, Ng, Chan, NeurIPS 2019, scheme V1",
    .group = PG_PASSPORTS,
    .holds = PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES,
    .distributed = true,
    .options = pg_passport_table,
    .options_size = sizeof(pg_passport_options),
    .alone = {"passport", "random"},
    .bound = {{"passport", "random"}, {"bound", "true"}},
    .binding = offsetof(pg_passport_options, binding),
    .wire = v1_wire,
    .wants_pretrained = pg_passport_wants_pretrained,
    .check = pg_passport_check,
    .recognise = pg_passport_recognise,
    .kind = pg_passport_kind_of,
    .keygen = pg_passport_keygen,
    .regulariser = pg_passport_regulariser_v1,
};
