/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The width of a terminal; see terminal.h. */
#include "core/base/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int pg_terminal_columns(FILE *stream)
{
    enum { USUAL = 80, LEAST = 20, MOST = 10000 };
    struct winsize size;
    int columns = 0;
    if (isatty(fileno(stream))) return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : USUAL;
    const char *text = getenv("COLUMNS");
    for (; text && *text >= '0' && *text <= '9' && columns < MOST; text++) columns = 10 * columns + (*text - '0');
    return columns < LEAST ? 0 : columns;
}
