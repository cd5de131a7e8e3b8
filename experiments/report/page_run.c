/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The course of a run, and its machine; see page_internal.h. */
#include "experiments/report/html.h"
#include "experiments/report/page_internal.h"

#include "core/formats/number.h"

#include <math.h>
#include <string.h>

/* ---- ranks ---- */

/* Columns of timings.csv (estimate.h). */
enum { KEY, TASK, RANK, SECONDS, RANKS_SHOWN = 256 };

static double seconds_of(const pg_csv_table *t, size_t row)
{
    double seconds;
    return pg_number_real(pg_csv_cell(t, row, SECONDS), &seconds) && seconds > 0 ? seconds : 0;
}

static int rank_of(const pg_csv_table *t, size_t row)
{
    long long rank;
    return pg_number_int(pg_csv_cell(t, row, RANK), &rank) && rank >= 0 && rank < RANKS_SHOWN ? (int)rank : -1;
}

/* "42 s", "3 min 20 s", "5 h 03 min" */
static const char *duration(double seconds, char out[48])
{
    const long s = lround(seconds);
    if (seconds < 60)
        snprintf(out, 48, "%.3g s", seconds);
    else if (s < 3600)
        snprintf(out, 48, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, 48, "%ld h %02ld min", s / 3600, s / 60 % 60);
    return out;
}

/* The name of a task has one part more if it is an attack: DATA/NETWORK-NORM/SCHEME/ATTACK/SEED/KEY. */
static bool is_attack(const char *task)
{
    int parts = 0;
    for (; *task; task++) parts += *task == '/';
    return parts > 4;
}

static void put_rank(FILE *stream, const pg_csv_table *t, int rank, double longest)
{
    char name[32], width[32], text[48];
    snprintf(name, sizeof name, "rank %d", rank);
    PG_HTML(stream, "<div class=\"rank\"><span>$</span><div class=\"track\">", name);
    for (size_t row = 0; row < pg_csv_rows(t); row++) {
        if (rank_of(t, row) != rank) continue;
        snprintf(width, sizeof width, "%.4f%%", 100 * seconds_of(t, row) / longest);
        PG_HTML(stream, "<i$ style=\"width:$\" title=\"$: $\"></i>", is_attack(pg_csv_cell(t, row, TASK)) ? " class=b" : NULL,
                width, pg_csv_cell(t, row, TASK), duration(seconds_of(t, row), text));
    }
    fputs("</div></div>\n", stream);
}

void pg_page_ranks(FILE *stream, const pg_page *page)
{
    static double busy[RANKS_SHOWN];
    const pg_csv_table *t = page->timings;
    double longest = 0, all = 0;
    char text[48], total[48];
    if (!t) return;
    memset(busy, 0, sizeof busy);
    for (size_t row = 0; row < pg_csv_rows(t); row++)
        if (rank_of(t, row) >= 0) busy[rank_of(t, row)] += seconds_of(t, row);
    for (int r = 0; r < RANKS_SHOWN; r++) {
        longest = fmax(longest, busy[r]);
        all += busy[r];
    }
    if (longest <= 0) return;
    PG_HTML(stream, "<h2 id=\"ranks\">Ranks</h2>\n<p>All tasks together took $; the busiest rank worked for $.</p>\n",
            duration(all, total), duration(longest, text));
    for (int r = 0; r < RANKS_SHOWN; r++)
        if (busy[r] > 0) put_rank(stream, t, r, longest);
    PG_HTML(
        stream,
        "<div class=\"rank\"><span></span><div class=\"axis\"><span>0</span><span>$</span></div></div>\n"
        "<p><i class=\"key\" style=\"background:var(--bar)\"></i>training<i class=\"key\" style=\"background:var(--bar2)\"></i>"
        "attack. Tasks of a rank are drawn one after the other, without pauses; the pointer shows their names.</p>\n",
        text);
}

/* ---- provenance ---- */

static void put_fact(FILE *stream, const char *term, const json_t *value)
{
    char text[64];
    if (json_is_string(value)) PG_HTML(stream, "<dt>$</dt><dd>$</dd>\n", term, json_string_value(value));
    if (json_is_array(value)) {
        snprintf(text, sizeof text, "%zu", json_array_size(value));
        PG_HTML(stream, "<dt>$</dt><dd>$, first on $</dd>\n", term, text,
                json_string_value(json_object_get(json_array_get(value, 0), "host")));
    }
}

void pg_page_provenance(FILE *stream, const pg_page *page)
{
    const char *key;
    json_t *value;
    fputs("<h2 id=\"provenance\">Provenance</h2>\n", stream);
    if (page->provenance) {
        fputs("<dl>\n", stream);
        json_object_foreach(page->provenance, key, value) put_fact(stream, key, value);
        fputs("</dl>\n", stream);
    }
    if (!page->config) return;
    fputs("<details class=\"screen\"><summary>Configuration, with every default</summary>\n<pre>", stream);
    pg_html_text(stream, page->config, PG_HTML_LINES);
    fputs("</pre></details>\n", stream);
}
