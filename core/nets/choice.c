/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chosen convolutions; see choice.h. */
#include "core/nets/choice.h"

#include "core/formats/number.h"

#include <stdio.h>
#include <string.h>

/* Bit of the convolution called name (its row name), or 0. */
static uint64_t layer_bit(const pg_net_spec *spec, const char *name, size_t length)
{
    pg_row rows[PG_ROWS_MAX];
    const int n = pg_arch_rows(spec->arch, spec->relu_before_add, rows);
    for (int i = 0, conv = 0; i < n; i++) {
        if (rows[i].kind != PG_ROW_CONV) continue;
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0) return UINT64_C(1) << conv;
        conv++;
    }
    return 0;
}

static int count_bits(uint64_t bits)
{
    int count = 0;
    for (; bits; bits &= bits - 1) count++;
    return count;
}

static uint64_t without_lowest(uint64_t bits, int n)
{
    while (n-- > 0) bits &= bits - 1;
    return bits;
}

static pg_status read_place(const char *text, const pg_net_spec *spec, uint64_t allowed, uint64_t *out, pg_error *err)
{
    const bool last = text[0] == 'l';
    const int count = count_bits(allowed);
    long long n;
    if (!pg_number_int(strchr(text, ' ') + 1, &n) || n < 1 || n > count)
        return pg_fail(err, PG_BAD_INPUT, "layers: expected first or last 1 to %d of the convolutions of %s, got '%s'", count,
                       spec->arch->name, text);
    *out = last ? without_lowest(allowed, count - (int)n) : allowed & ~without_lowest(allowed, (int)n);
    return PG_OK;
}

static pg_status read_names(const char *text, const pg_net_spec *spec, uint64_t allowed, uint64_t *out, pg_error *err)
{
    for (const char *at = text; *at;) {
        const size_t gap = strspn(at, " "), length = strcspn(at + gap, " ");
        const uint64_t bit = layer_bit(spec, at + gap, length);
        if (length && !bit)
            return pg_fail(err, PG_BAD_INPUT, "layers: %s has no convolution '%.*s'", spec->arch->name, (int)length, at + gap);
        if (bit & ~allowed)
            return pg_fail(err, PG_BAD_INPUT, "layers: the convolution '%.*s' of %s has no norm, or it has groups", (int)length,
                           at + gap, spec->arch->name);
        *out |= bit;
        at += gap + length;
    }
    return *out ? PG_OK : pg_fail(err, PG_BAD_INPUT, "layers: the option names no layer");
}

pg_status pg_choice_read(const char *text, const pg_net_spec *spec, uint64_t allowed, uint64_t by_default, uint64_t *out,
                         pg_error *err)
{
    *out = 0;
    if (strncmp(text, "first ", 6) == 0 || strncmp(text, "last ", 5) == 0) return read_place(text, spec, allowed, out, err);
    const bool all = strcmp(text, "all") == 0;
    if (!all && strcmp(text, "default") != 0) return read_names(text, spec, allowed, out, err);
    *out = all ? allowed : by_default;
    if (*out) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "layers: every convolution of %s is without a norm or in groups, so none is chosen",
                   spec->arch->name);
}

pg_status pg_choice_write(const pg_net_spec *spec, uint64_t chosen, uint64_t allowed, uint64_t by_default,
                          char text[PG_TEXT_MAX], pg_error *err)
{
    pg_row rows[PG_ROWS_MAX];
    const int n = pg_arch_rows(spec->arch, spec->relu_before_add, rows);
    const bool all = chosen == allowed;
    size_t used = 0;
    text[0] = 0;
    if (all || chosen == by_default) {
        snprintf(text, PG_TEXT_MAX, "%s", all ? "all" : "default");
        return PG_OK;
    }
    for (int i = 0, conv = 0; i < n && used < PG_TEXT_MAX; i++)
        if (rows[i].kind == PG_ROW_CONV && chosen >> conv++ & 1)
            used += (size_t)snprintf(text + used, PG_TEXT_MAX - used, "%s%s", used ? " " : "", rows[i].name);
    return used < PG_TEXT_MAX ? PG_OK : pg_fail(err, PG_BAD_INPUT, "the names of its layers are too long for a grid");
}
