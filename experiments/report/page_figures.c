/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of a run inside its page; see page_internal.h. */
#include "core/base/memory.h"
#include "experiments/report/figure_internal.h"
#include "experiments/report/html.h"
#include "experiments/report/page_internal.h"

#include <string.h>

/* gnuplot gives every drawing the same names for its parts. In one page they must differ. */
static void put_drawing(FILE *stream, const char *svg, int number)
{
    static const char *const names[] = {" id=\"", " id='", "url(#", "href='#", "href=\"#"};
    while (*svg) {
        size_t length = 1;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strncmp(svg, names[i], strlen(names[i])) == 0) length = strlen(names[i]);
        fwrite(svg, 1, length, stream);
        if (length > 1) fprintf(stream, "f%d-", number);
        svg += length;
    }
}

/* Put the parts of a drawing without gnuplot's own title, which a browser would show at the pointer. */
static void put_svg(FILE *stream, char *svg, int number)
{
    char *title = strstr(svg, "<title>"), *end = title ? strstr(title, "</desc>") : NULL;
    char *begin = strstr(svg, "<svg");
    if (!begin || !end || title < begin) return;
    *title = 0;
    put_drawing(stream, begin, number);
    put_drawing(stream, end + strlen("</desc>"), number);
}

static pg_status put_figure(FILE *stream, const pg_page *page, int i, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], *svg = NULL;
    size_t bytes;
    PG_TRY(pg_figure_path(&page->figures, page->figures.names[i], "svg", path, err));
    PG_TRY(pg_file_read(path, &svg, &bytes, err));
    fputs("<figure>", stream);
    put_svg(stream, svg, i);
    PG_HTML(stream, "<figcaption>figures/$.svg, .pdf, .png, .csv</figcaption></figure>\n", page->figures.names[i]);
done:
    pg_free(svg);
    return status;
}

pg_status pg_page_figures(FILE *stream, const pg_page *page, pg_error *err)
{
    pg_status status = PG_OK;
    fputs("<h2 id=\"figures\">Figures</h2>\n", stream);
    if (page->drawn < 0)
        fputs("<p>gnuplot was not installed when this report was made, so there are no figures (Debian: gnuplot-nox).</p>\n",
              stream);
    else if (!page->drawn)
        fputs("<p>This run has nothing to draw.</p>\n", stream);
    for (int i = 0; i < page->drawn; i++) PG_TRY(put_figure(stream, page, i, err));
done:
    return status;
}
