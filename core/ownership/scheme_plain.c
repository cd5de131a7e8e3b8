/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The unprotected network: the control of every comparison, and the carrier that image passports are pushed through. */
#include "core/ownership/scheme.h"

static const pg_option options[] = {{0}};

const pg_scheme pg_scheme_plain = {
    .name = "plain",
    .summary = "an ordinary network without any mark",
    .source = "the baseline of Fan, Ng, Chan, NeurIPS 2019",
    .group = PG_CONTROL,
    .options = options,
    .options_size = 1,
};
