/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as text; see number.h. strtod and printf depend on the locale, so both run under the C locale here. The grammar is
 * checked first, because strtod accepts more (hexadecimal, inf, leading spaces). */
#include "core/formats/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* glibc and musl return a static object for "C", so this allocates nothing and cannot fail. */
static locale_t c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, int *count)
{
    for (; digit(*at); at++) ++*count;
    return at;
}

static const char *skip_sign(const char *at)
{
    return *at == '+' || *at == '-' ? at + 1 : at;
}

static bool is_decimal(const char *at)
{
    int digits = 0, power = 0;
    at = skip_digits(skip_sign(at), &digits);
    if (*at == '.') at = skip_digits(at + 1, &digits);
    if (digits == 0) return false;
    if (*at == 'e' || *at == 'E') {
        at = skip_digits(skip_sign(at + 1), &power);
        if (power == 0) return false;
    }
    return *at == 0;
}

bool pg_number_real(const char *text, double *value)
{
    if (!is_decimal(text)) return false;
    const locale_t c = c_locale();
    const double got = strtod_l(text, NULL, c);
    freelocale(c);
    if (!isfinite(got)) return false;
    *value = got;
    return true;
}

bool pg_number_int(const char *text, long long *value)
{
    int digits = 0;
    if (*skip_digits(skip_sign(text), &digits) != 0 || digits == 0) return false;
    errno = 0;
    const long long got = strtoll(text, NULL, 10);
    if (errno != 0) return false;
    *value = got;
    return true;
}

bool pg_number_within(const char *text, int low, int high, int *value)
{
    long long got;
    if (!pg_number_int(text, &got) || got < low || got > high) return false;
    *value = (int)got;
    return true;
}

bool pg_number_hex(const char *text, uint64_t *value)
{
    const size_t length = strlen(text);
    if (length == 0 || length > 16 || strspn(text, "0123456789abcdefABCDEF") != length) return false;
    *value = strtoull(text, NULL, 16);
    return true;
}

/* Write value with the fewest of first .. last digits that read back as the same value (is_float: as the same float). */
static const char *shortest(double value, int first, int last, bool is_float, char out[PG_NUMBER_MAX])
{
    if (isnan(value)) return snprintf(out, PG_NUMBER_MAX, "nan"), out;
    if (isinf(value)) return snprintf(out, PG_NUMBER_MAX, value > 0 ? "inf" : "-inf"), out;
    if (value == 0) return snprintf(out, PG_NUMBER_MAX, "0"), out;
    const locale_t c = c_locale(), before = uselocale(c);
    for (int digits = first; digits <= last; digits++) {
        snprintf(out, PG_NUMBER_MAX, "%.*g", digits, value);
        if (is_float ? strtof(out, NULL) == (float)value : strtod(out, NULL) == value) break;
    }
    uselocale(before);
    freelocale(c);
    return out;
}

const char *pg_number_text(double value, char out[PG_NUMBER_MAX])
{
    if (fabs(value) < 1e15 && value == floor(value)) return snprintf(out, PG_NUMBER_MAX, "%.0f", value + 0.0), out;
    return shortest(value, 15, 17, false, out);
}

const char *pg_number_text_float(float value, char out[PG_NUMBER_MAX])
{
    return shortest((double)value, 6, 9, true, out);
}
