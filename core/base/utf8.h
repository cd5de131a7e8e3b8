/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 decoding, and making texts safe to print. */
#ifndef PG_BASE_UTF8_H
#define PG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Decode the character at text [bytes]: set *code and return its length in bytes. Returns 0 if it is invalid: truncated,
 * overlong, a surrogate or too large. */
size_t pg_utf8_character(const char *text, size_t bytes, unsigned *code);

/* Is code a control character: C0, DEL, C1, a Unicode line separator, or a bidirectional control or mark? */
bool pg_utf8_is_control(unsigned code);

/* pg_utf8_width: columns that a text takes on a terminal, one for each character. pg_utf8_fit: number of bytes at its start
 * that fill at most `width` columns. */
int pg_utf8_width(const char *text);
size_t pg_utf8_fit(const char *text, int width);

/* Is text UTF-8 without control characters? */
bool pg_is_printable(const char *text);

/* Copy text to out [room], with every control character and every byte that is not UTF-8 written as \xNN, so that a terminal
 * shows them and does not obey them. Cuts a long text between two characters and appends "..." if that fits. Returns out. */
const char *pg_printable(const char *text, char *out, size_t room);

#endif
