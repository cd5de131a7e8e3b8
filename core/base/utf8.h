/* Characters of UTF-8, and texts that are safe to show. */
#ifndef PG_BASE_UTF8_H
#define PG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at text, of which `bytes` are there, and its code; 0 if it is none: cut short, overlong, a surrogate
 * or too large. */
size_t pg_utf8_character(const char *text, size_t bytes, unsigned *code);

/* A control character: C0, DEL or C1, or one of Unicode's that end a line or turn the order of what follows. */
bool pg_utf8_is_control(unsigned code);

/* Is text UTF-8 without control characters? */
bool pg_is_printable(const char *text);

/* Copy text to out [room], with every control character and every byte that is not UTF-8 as \xNN: a terminal shows what it is
 * and does nothing else. A text that is too long is cut between two characters and ends in "..." where there is room for that.
 * Returns out. */
const char *pg_printable(const char *text, char *out, size_t room);

#endif
