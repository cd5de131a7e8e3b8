/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of HTML for people: one file that needs no network and no other file, for a screen, a phone and paper, light and dark.
 *
 * Markup is written by this program, texts come from anywhere. PG_HTML puts texts where the markup has a dollar sign and
 * escapes them, so that no text of a file becomes markup. The page's policy also forbids every request to another place. */
#ifndef PG_REPORT_HTML_H
#define PG_REPORT_HTML_H

#include <stdio.h>

/* Begin a page: its head with the style sheet, and the body up to <main>. */
void pg_html_begin(FILE *stream, const char *title);
/* End it. script: JavaScript of this program, NULL: none. */
void pg_html_end(FILE *stream, const char *foot, const char *script);

/* Write markup with the texts in the place of its dollar signs: PG_HTML(stream, "<b>$</b>", name). NULL is an empty text. */
#define PG_HTML(stream, markup, ...)                                                                                           \
    pg_html_put(stream, markup, (int)(sizeof(const char *const[]){__VA_ARGS__} / sizeof(const char *)),                        \
                (const char *const[]){__VA_ARGS__})
void pg_html_put(FILE *stream, const char *markup, int count, const char *const *texts);

/* Write a text with everything escaped that has a meaning in HTML, in an attribute too; control characters and bytes that are
 * not UTF-8 are written as \xNN. Line feeds stay if lines is set. */
typedef enum pg_html_lines { PG_HTML_ONE_LINE, PG_HTML_LINES } pg_html_lines;
void pg_html_text(FILE *stream, const char *text, pg_html_lines lines);

#endif
