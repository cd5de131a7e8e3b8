/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adam, for attackers who search for pictures (Kingma and Ba, 2015), with the moments that they use: 0.5 and 0.9. */
#ifndef PG_ATTACKS_ADAM_H
#define PG_ATTACKS_ADAM_H

#include <stddef.h>

/* Step number `step`, from 1, of `count` values down their gradient. first and second [count] are the moments, zero before the
 * first step. */
void pg_adam_step(size_t count, double *values, const double *gradient, double *first, double *second, double rate, long step);

#endif
