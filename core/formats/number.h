/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as text, the same in every locale.
 *
 * Reading takes decimal notation only and the whole token: 12, -0.5, .5, 1e-4. Writing gives the shortest digits that read back
 * as the same value (at most %.9g for float, %.17g for double). */
#ifndef PG_FORMATS_NUMBER_H
#define PG_FORMATS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

enum { PG_NUMBER_MAX = 32 };

/* False, with *value unset, if text is not one decimal number or does not fit; so are nan, inf, hexadecimal and spaces. */
bool pg_number_real(const char *text, double *value);
bool pg_number_int(const char *text, long long *value);
/* A whole number from low to high. */
bool pg_number_within(const char *text, int low, int high, int *value);
/* One to sixteen hexadecimal digits of either case. */
bool pg_number_hex(const char *text, uint64_t *value);

/* Text of a number; minus zero becomes 0; values that are not finite become nan, inf or -inf. Returns out. */
const char *pg_number_text(double value, char out[PG_NUMBER_MAX]);
const char *pg_number_text_float(float value, char out[PG_NUMBER_MAX]);

#endif
