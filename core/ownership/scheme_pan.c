/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PAN: the network's own norm stays as it is; the private branch has statistics of its own and a perceptron between passport
 * and affine, both shed at deployment. The signature is in the passport's gamma before the perceptron. */
#include "core/ownership/passport_scheme.h"

static pg_status pan_wire(const void *options, pg_net_spec *spec, pg_error *err)
{
    spec->own_norm = true;
    spec->perceptron = true;
    return pg_passport_two_branches(options, spec, err);
}

const pg_scheme pg_scheme_pan = {
    .name = "pan",
    .summary = "passport-aware normalisation: a private branch with its own statistics and perceptron",
    .source = "Zhang, Chen, Liao, Zhang, Hua, Yu, NeurIPS 2020",
    .group = PG_PASSPORTS,
    .holds = PG_HOLDS_PASSPORTS,
    .options = pg_passport_table,
    .options_size = sizeof(pg_passport_options),
    .alone = {"passport", "random"},
    .bound = {{"passport", "random"}, {"bound", "true"}},
    .binding = offsetof(pg_passport_options, binding),
    .wire = pan_wire,
    .wants_pretrained = pg_passport_wants_pretrained,
    .check = pg_passport_check,
    .recognise = pg_passport_recognise,
    .kind = pg_passport_kind_of,
    .keygen = pg_passport_keygen,
    .regulariser = pg_passport_regulariser,
};
