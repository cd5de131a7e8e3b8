/* UTF-8 decoding, and making texts safe to print. */
#ifndef PG_BASE_UTF8_H
#define PG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Decode the character at text [bytes]. Returns its length and sets *code. Returns 0 for an invalid one: truncated, overlong, a
 * surrogate or too large. */
size_t pg_utf8_character(const char *text, size_t bytes, unsigned *code);

/* Is it a control character: C0, DEL, C1, or a Unicode line separator or bidirectional control? */
bool pg_utf8_is_control(unsigned code);

/* Columns that a text takes on a terminal, one for each character; bytes at its start that fill at most `width` columns. */
int pg_utf8_width(const char *text);
size_t pg_utf8_fit(const char *text, int width);

/* Is text UTF-8 without control characters? */
bool pg_is_printable(const char *text);

/* Copy text to out [room] and write every control character and every byte that is not UTF-8 as \xNN, so that a terminal shows
 * it and obeys none of it. Cuts a long text between two characters and appends "..." if there is room. Returns out. */
const char *pg_printable(const char *text, char *out, size_t room);

#endif
