/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The width of a terminal, and texts broken to it. */
#ifndef PG_BASE_TERMINAL_H
#define PG_BASE_TERMINAL_H

#include <stdio.h>

/* Columns for what is printed to a stream: those of its terminal. If it is none, or one that does not tell (as that which
 * mpirun makes), those of the environment variable COLUMNS. 0: no limit. */
int pg_terminal_columns(FILE *stream);

/* Print a text and a line end, broken at blanks so that no line has more than `width` columns, 0: no limit. Lines after the
 * first are indented. A word that is too long stays whole. */
void pg_print_wrapped(FILE *stream, const char *text, int width, int indent);

#endif
