/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The attacks, in the order of `passgrid list attacks`. A new attack takes a line here. */
#include "attacks/attack.h"

#include "core/base/registry.h"

#define ATTACKS(X)                                                                                                             \
    X(pg_attack, unchanged)                                                                                                    \
    X(pg_attack, overwrite)                                                                                                    \
    X(pg_attack, counterfeit_uchida)                                                                                           \
    X(pg_attack, counterfeit_triggers)                                                                                         \
    X(pg_attack, transfer_triggers)                                                                                            \
    X(pg_attack, finetune)                                                                                                     \
    X(pg_attack, rewrite)                                                                                                      \
    X(pg_attack, prune)                                                                                                        \
    X(pg_attack, fake1)                                                                                                        \
    X(pg_attack, fake2)                                                                                                        \
    X(pg_attack, fake3)                                                                                                        \
    X(pg_attack, flip)                                                                                                         \
    X(pg_attack, substitute)                                                                                                   \
    X(pg_attack, permute)                                                                                                      \
    X(pg_attack, invert)                                                                                                       \
    X(pg_attack, grind)                                                                                                        \
    X(pg_attack, extract)                                                                                                      \
    X(pg_attack, cleanse)                                                                                                      \
    X(pg_attack, dehydra)                                                                                                      \
    X(pg_attack, wrk)                                                                                                          \
    X(pg_attack, fine_prune)                                                                                                   \
    X(pg_attack, regularise)                                                                                                   \
    X(pg_attack, relabel)                                                                                                      \
    X(pg_attack, shift_weights)                                                                                                \
    X(pg_attack, round_weights)                                                                                                \
    X(pg_attack, refit)                                                                                                        \
    X(pg_attack, anp)                                                                                                          \
    X(pg_attack, nad)                                                                                                          \
    X(pg_attack, mcr)                                                                                                          \
    X(pg_attack, adversarial_training)                                                                                         \
    X(pg_attack, filter_inputs)                                                                                                \
    X(pg_attack, detect)

PG_REGISTRY(pg_attack, pg_attacks, ATTACKS)
