/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The attacks of the second program: some of the first one's, and the worked one. */
#include "attacks/attack.h"

#include "core/base/registry.h"

#define ATTACKS(X)                                                                                                             \
    X(pg_attack, unchanged)                                                                                                    \
    X(pg_attack, fake1)                                                                                                        \
    X(pg_attack, counterfeit_triggers)                                                                                         \
    X(pg_attack, quantize)

PG_REGISTRY(pg_attack, pg_attacks, ATTACKS)
