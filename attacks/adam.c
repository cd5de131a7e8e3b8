/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adam; see adam.h. */
#include "attacks/adam.h"

#include <math.h>

static const double decay_first = 0.5, decay_second = 0.9, least = 1e-8;

void pg_adam_step(size_t count, double *values, const double *gradient, double *first, double *second, double rate, long step)
{
    const double of_first = 1 - pow(decay_first, (double)step), of_second = 1 - pow(decay_second, (double)step);
    for (size_t i = 0; i < count; i++) {
        const double g = gradient[i];
        first[i] = decay_first * first[i] + (1 - decay_first) * g;
        second[i] = decay_second * second[i] + (1 - decay_second) * g * g;
        values[i] -= rate * first[i] / of_first / (sqrt(second[i] / of_second) + least);
    }
}
