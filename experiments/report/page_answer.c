/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The question of a grid and its answer; see page_internal.h. */
#include "experiments/report/html.h"
#include "experiments/report/page_internal.h"
#include "experiments/report/standing.h"

#include <string.h>

/* ---- the answer ---- */

typedef enum stand { NOT_TRIED, STANDS, FALLS } stand;

static bool is_attack(const pg_table *t, int row)
{
    return strcmp(pg_table_text(t, row, PG_STANDING_GROUP), pg_standing_trained) != 0;
}

/* The results of a scheme under all attacks of a table. */
static stand fares(const pg_table *t, int column)
{
    bool tried = false, stands = true;
    for (int row = 0; row < t->row_count; row++) {
        const pg_sample *s = &pg_table_at(t, row, column)->sample;
        if (!s->count) continue;
        tried |= is_attack(t, row);
        stands &= (int)pg_sample_ones(s) == s->count;
    }
    return !tried ? NOT_TRIED : stands ? STANDS : FALLS;
}

static int count_schemes(const pg_table *t, stand wanted)
{
    int count = 0;
    for (int c = PG_STANDING_TEXTS; c < t->column_count; c++) count += fares(t, c) == wanted;
    return count;
}

enum { NAMED_MOST = 6 };

static void put_names(FILE *stream, const pg_table *t, stand wanted)
{
    int said = 0;
    for (int c = PG_STANDING_TEXTS; c < t->column_count; c++)
        if (fares(t, c) == wanted && said++ < NAMED_MOST)
            PG_HTML(stream, "$<b>$</b>", said == 1 ? NULL : "; ", t->columns[c].name);
    if (said > NAMED_MOST) fprintf(stream, " and %d more", said - NAMED_MOST);
}

/* The number of claims on independent networks that could be read, and of those for which a metric is true. */
typedef struct false_claims {
    int readable, agree, prove;
} false_claims;

static bool is_one(const pg_result *r, const char *outcome, const char *metric)
{
    double value;
    return pg_result_value(r, outcome, metric, &value) && value > 0.5;
}

static false_claims count_false(const pg_summary *s)
{
    false_claims n = {0};
    for (int i = 0; i < s->results->count; i++) {
        const pg_result *r = &s->results->items[i];
        for (int c = 0; s->accused[i] && c < r->record.cell_count; c++) {
            const pg_record_cell *cell = &r->record.cells[c];
            if (strcmp(cell->metric, "p_value") != 0) continue;
            n.readable++;
            n.agree += is_one(r, cell->outcome, "agrees");
            n.prove += is_one(r, cell->outcome, "proves");
        }
    }
    return n;
}

/* A count at the end of a clause: "none agrees", "1 agrees", "2 agree". */
static void put_count(FILE *stream, int count, const char *verb)
{
    if (count)
        fprintf(stream, "%d %s%s", count, verb, count == 1 ? "s" : "");
    else
        fprintf(stream, "none %ss", verb);
}

static void put_false_claims(FILE *stream, const pg_summary *s)
{
    const false_claims n = count_false(s);
    if (!n.readable) return;
    fprintf(stream, "Of %d claim%s on networks that nobody stole, ", n.readable, n.readable == 1 ? "" : "s");
    put_count(stream, n.agree, "agree");
    fputs(" and ", stream);
    put_count(stream, n.prove, "prove");
    fputs(". ", stream);
}

static void put_sentence(FILE *stream, const pg_page *page)
{
    const pg_table *t = &page->standing;
    const int standing = count_schemes(t, STANDS), falling = count_schemes(t, FALLS);
    fputs("<p class=\"answer\">", stream);
    put_false_claims(stream, &page->summary);
    if (!standing && !falling)
        fputs("No attack was tried on a scheme that can stand.", stream);
    else if (!standing)
        fputs("No scheme stands under every attack that was tried.", stream);
    else {
        fprintf(stream, "%d of %d schemes %s under every attack that was tried on %s: ", standing, standing + falling,
                standing == 1 ? "stands" : "stand", standing == 1 ? "it" : "them");
        put_names(stream, t, STANDS);
        fputs(falling ? "." : ". None falls.", stream);
    }
    fputs("</p>\n", stream);
}

/* ---- heat maps ---- */

static bool same_text(const pg_table *t, int row, int other, int column)
{
    return strcmp(pg_table_text(t, row, column), pg_table_text(t, other, column)) == 0;
}

static bool same_place(const pg_table *t, int row, int other)
{
    return same_text(t, row, other, PG_STANDING_DATA) && same_text(t, row, other, PG_STANDING_NETWORK) &&
           same_text(t, row, other, PG_STANDING_NORM);
}

/* Does a scheme have a value in rows from .. to - 1? */
static bool is_used(const pg_table *t, int from, int to, int column)
{
    for (int row = from; row < to; row++)
        if (pg_table_at(t, row, column)->sample.count) return true;
    return false;
}

static void put_share(FILE *stream, const pg_sample *s)
{
    char share[32], count[32];
    if (!s->count) {
        fputs("<td class=\"none\">&ndash;</td>", stream);
        return;
    }
    snprintf(share, sizeof share, "%.0f%%", 100 * pg_sample_ones(s) / s->count);
    snprintf(count, sizeof count, "%.0f/%d", pg_sample_ones(s), s->count);
    PG_HTML(stream, "<td style=\"--s:$\">$</td>", share, count);
}

/* A row of the map of rows from .. to - 1. */
static void put_map_row(FILE *stream, const pg_table *t, int from, int to, int row)
{
    PG_HTML(stream, "<tr><th scope=\"row\">$</th>", pg_table_text(t, row, PG_STANDING_ATTACK));
    for (int c = PG_STANDING_TEXTS; c < t->column_count; c++)
        if (is_used(t, from, to, c)) put_share(stream, &pg_table_at(t, row, c)->sample);
    fputs("</tr>\n", stream);
}

/* The rows of one place: from .. to - 1. */
static void put_map(FILE *stream, const pg_table *t, int from, int to)
{
    PG_HTML(stream, "<h3>$, $, $</h3>\n<div class=\"wide\"><table class=\"heat\"><thead><tr><td class=\"none\"></td>",
            pg_table_text(t, from, PG_STANDING_NETWORK), pg_table_text(t, from, PG_STANDING_NORM),
            pg_table_text(t, from, PG_STANDING_DATA));
    for (int c = PG_STANDING_TEXTS; c < t->column_count; c++)
        if (is_used(t, from, to, c)) PG_HTML(stream, "<th scope=\"col\">$</th>", t->columns[c].name);
    fputs("</tr></thead>\n<tbody>\n", stream);
    for (int row = from; row < to; row++) {
        if (is_attack(t, row) && (row == from || !same_text(t, row, row - 1, PG_STANDING_GROUP)))
            PG_HTML(stream, "<tr class=\"group\"><th>$</th></tr>\n", pg_table_text(t, row, PG_STANDING_GROUP));
        put_map_row(stream, t, from, to, row);
    }
    fputs("</tbody></table></div>\n", stream);
}

void pg_page_answer(FILE *stream, const pg_page *page)
{
    const pg_table *t = &page->standing;
    fputs("<h2 id=\"answer\">Which schemes stand under which attacks?</h2>\n", stream);
    put_sentence(stream, page);
    for (int from = 0, to = 0; from < t->row_count; from = to) {
        while (to < t->row_count && same_place(t, to, from)) to++;
        put_map(stream, t, from, to);
    }
    fputs(
        "<p><i class=\"key\" style=\"background:var(--stand)\"></i>stands in every outcome"
        "<i class=\"key\" style=\"background:var(--fall)\"></i>in none. A cell counts outcomes over seeds, repetitions and "
        "levels of an attack.</p>\n"
        "<p class=\"soft\">As trained and after an attack on the network, a scheme stands if the owner's claim proves or agrees. "
        "Outcomes whose network is no better than guessing do not count. If evidence is forged, it stands if the forger's claim "
        "does neither, or shows what is nearly the owner's evidence. A claim that agrees is what published schemes call verified; it is no proof.</p>\n",
        stream);
}
