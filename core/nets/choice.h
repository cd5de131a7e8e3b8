/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutions of a network, chosen by a text: "default", "all", "first N" or "last N" in the order of the network's rows (a
 * shortcut comes after its block's two), or names separated by spaces, such as "features.4 features.6". */
#ifndef PG_NETS_CHOICE_H
#define PG_NETS_CHOICE_H

#include "core/formats/options.h"
#include "core/nets/layout.h"

/* Bit i of *out: the text chooses convolution i. allowed: those that there are to choose from; by_default: what "default"
 * chooses. PG_BAD_INPUT, beginning with "layers: ", if the network has no such convolutions or the text chooses none. */
PG_CHECKED pg_status pg_choice_read(const char *text, const pg_net_spec *spec, uint64_t allowed, uint64_t by_default,
                                    uint64_t *out, pg_error *err);

/* The text that chooses these: the first of "all", "default" and names that does. PG_BAD_INPUT if the names are too long. */
PG_CHECKED pg_status pg_choice_write(const pg_net_spec *spec, uint64_t chosen, uint64_t allowed, uint64_t by_default,
                                     char text[PG_TEXT_MAX], pg_error *err);

#endif
