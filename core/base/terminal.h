/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The width of a terminal. */
#ifndef PG_BASE_TERMINAL_H
#define PG_BASE_TERMINAL_H

#include <stdio.h>

/* Columns for what is printed to a stream: those of its terminal, or 80 if the terminal does not tell; for other streams those
 * of the environment variable COLUMNS. 0: no limit. */
int pg_terminal_columns(FILE *stream);

#endif
