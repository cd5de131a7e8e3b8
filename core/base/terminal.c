/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The width of a terminal; see terminal.h. */
#include "core/base/terminal.h"

#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int pg_terminal_columns(FILE *stream)
{
    enum { LEAST = 20, MOST = 10000 };
    struct winsize size;
    int columns = 0;
    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col) return size.ws_col;
    const char *text = getenv("COLUMNS");
    for (; text && *text >= '0' && *text <= '9' && columns < MOST; text++) columns = 10 * columns + (*text - '0');
    return columns < LEAST ? 0 : columns;
}

void pg_print_wrapped(FILE *stream, const char *text, int width, int indent)
{
    for (int at = 0; *text; text += strspn(text, " ")) {
        const size_t word = strcspn(text, " ");
        const int wide = pg_utf8_width(text) - pg_utf8_width(text + word), gap = (int)strspn(text + word, " ");
        if (width && at > indent && at + wide > width) at = fprintf(stream, "\n%*s", indent, "") - 1;
        fprintf(stream, "%.*s", (int)word, text);
        at += wide + gap;
        text += word;
        if (!width || at + (int)strcspn(text + gap, " ") <= width) fprintf(stream, "%*s", gap, "");
    }
    fputc('\n', stream);
}
