/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of HTML: texts never become markup. */
#include "tests/unit/test.h"

#include "experiments/report/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text;
static size_t bytes;

static FILE *begin(void)
{
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    return stream;
}

/* Ends the stream and compares what was written. */
static void is(FILE *stream, const char *expected)
{
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, expected);
    free(text);
}

TEST(a_text_never_becomes_markup)
{
    FILE *stream = begin();
    PG_HTML(stream, "<b title='$'>$</b>", "'\"", "<script>alert(1)</script> & more");
    is(stream, "<b title='&#39;&quot;'>&lt;script&gt;alert(1)&lt;/script&gt; &amp; more</b>");
}

TEST(a_dollar_in_a_text_takes_no_other_text)
{
    FILE *stream = begin();
    PG_HTML(stream, "$, $", "$$", "costs $5");
    is(stream, "$$, costs $5");
}

TEST(a_text_that_is_missing_is_empty)
{
    FILE *stream = begin();
    PG_HTML(stream, "[$][$][$]", "a", NULL);
    is(stream, "[a][][]");
}

TEST(control_characters_and_bytes_that_are_no_text_are_shown)
{
    FILE *stream = begin();
    PG_HTML(stream, "$",
            "a\x1b[2J\n\xff\xe2\x80\xae\xe2\x80\x8f\xd8\x9c"
            "b\xc3\xa9");
    is(stream, "a\\x1b[2J\\x0a\\xff\\xe2\\x80\\xae\\xe2\\x80\\x8f\\xd8\\x9c"
               "b\xc3\xa9");
}

TEST(line_feeds_stay_where_lines_are_wanted)
{
    FILE *stream = begin();
    pg_html_text(stream, "name: a\n<b>\r\n", PG_HTML_LINES);
    is(stream, "name: a\n&lt;b&gt;\\x0d\n");
}

TEST(a_page_names_no_other_place)
{
    FILE *stream = begin();
    pg_html_begin(stream, "</title><script>");
    pg_html_end(stream, "foot", NULL);
    assert_int_equal(fclose(stream), 0);
    assert_null(strstr(text, "http:"));
    assert_null(strstr(text, "https:"));
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "default-src 'none'"));
    free(text);
}
