/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Map of responses (response.h): a field for each scheme and attack, coloured by the outcome of most seeds. */
#include "core/base/memory.h"
#include "experiments/report/response.h"
#include "experiments/report/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of a point is "ATTACK | SCHEME"; a scheme's name stands below its column, an attack's beside its row. */
static const char response_body[] =
    "set lmargin at screen 250.0 / 960\n"
    "set tmargin at screen 0.84\n"
    "set xtics rotate by 30 right scale 0\n"
    "set ytics scale 0\n"
    "unset grid\n"
    "set label 2 'number: percent of the seeds in which the thief removes the mark' at graph 0.5, graph 1 center "
    "offset character 0, character 0.8 font ',10' textcolor '#666666'\n"
    "bar(s) = strstrt(s, ' | ')\n"
    "attack(s) = s[1:bar(s) - 1]\n"
    "scheme(s) = s[bar(s) + 3:]\n"
    "unset xrange\n"
    "unset yrange\n"
    "stats points using (strlen(scheme(strcol('field')))) name 'letters' nooutput\n"
    "set bmargin at screen bottom + 0.02 + (letters_max > 18 ? 0.009 * (letters_max - 18) : 0)\n"
    "set xrange [0.5:*] noextend\n"
    "set yrange [0.5:*] noextend reverse\n"
    "hue(i) = series[i] eq 'removed' ? '#D55E00' : series[i] eq 'useless' ? '#BBBBBB' : series[i] eq 'nothing to remove' ? '#E6E6E6' : series[i] eq 'proves' ? '#0072B2' : '#56B4E9'\n"
    "set style fill solid 0.85 border lc rgb 'white'\n"
    "plot for [i=1:|series|] points using (of(i, 'column')):(column('row')):(0.48):(0.46) with boxxyerror linecolor rgb hue(i) "
    "title series[i], "
    "points using 'column':'row':(sprintf('%.0f', column('removed %'))):xtic(scheme(strcol('field'))):ytic(attack(strcol('field'))) "
    "with labels font ',9' textcolor '#222222' notitle\n";

/* Column numbers by scheme and row numbers by attack, from 1; 0: the scene did not try it. */
typedef struct places {
    int *column, *row, rows;
} places;

static pg_status number_places(const pg_scene *at, places *p, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *s = at->summary;
    int columns = 0;
    PG_TRY(pg_alloc((size_t)s->schemes.count + 1, sizeof *p->column, &p->column, err));
    PG_TRY(pg_alloc((size_t)s->attacks.count + 1, sizeof *p->row, &p->row, err));
    for (int i = 0; i < s->results->count; i++) {
        if (!pg_scene_has(at, i) || !pg_response_counts(s, i)) continue;
        p->column[s->scheme[i]] = p->row[s->attack[i]] = 1;
    }
    for (int k = 0; k < s->schemes.count; k++)
        if (p->column[k]) p->column[k] = ++columns;
    for (int k = 0; k < s->attacks.count; k++)
        if (p->row[k]) p->row[k] = ++p->rows;
done:
    return status;
}

/* Count the words of one scheme under one attack. Returns how many results there are. */
static pg_status count_words(const pg_scene *at, int scheme, int attack, int counts[PG_RESPONSE_WORDS], int *total,
                             pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *s = at->summary;
    *total = 0;
    for (int i = 0; i < s->results->count; i++) {
        pg_response r;
        bool any;
        if (s->scheme[i] != scheme || s->attack[i] != attack || !pg_scene_has(at, i) || !pg_response_counts(s, i)) continue;
        PG_TRY(pg_response_find(s, i, &r, &any, err));
        if (!any) continue;
        counts[r.word]++;
        ++*total;
    }
done:
    return status;
}

/* gnuplot cuts a text at a comma, even a quoted one. */
static void drop_commas(char *text)
{
    char *to = text;
    for (; *text; text++)
        if (*text != ',') *to++ = *text;
    *to = 0;
}

static pg_status add_field(const pg_scene *at, const places *p, int scheme, int attack, pg_figure *f, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_summary *s = at->summary;
    int counts[PG_RESPONSE_WORDS] = {0}, total, most = 0, row;
    char *detail = NULL;
    PG_TRY(count_words(at, scheme, attack, counts, &total, err));
    if (!total) goto done;
    for (int w = 1; w < PG_RESPONSE_WORDS; w++)
        if (counts[w] >= counts[most]) most = w;
    if (asprintf(&detail, "%s | %s", s->attacks.items[attack].label, s->schemes.items[scheme].label) < 0)
        return pg_fail(err, PG_NO_MEMORY, "out of memory for a figure");
    drop_commas(detail);
    PG_TRY(pg_figure_point(f, pg_response_text(most), pg_response_text(most), detail, &row, err));
    const double values[] = {p->column[scheme], p->row[attack], 100.0 * counts[PG_RESPONSE_REMOVED] / total};
    for (int c = 0; c < 3; c++) PG_TRY(pg_table_add(&f->points, row, c + 1, values[c], err));
done:
    free(detail);
    return status;
}

static pg_status draw_response(const pg_scene *at, pg_figures *written, pg_error *err)
{
    static const pg_column columns[] = {
        {"column", PG_COLUMN_NUMBER}, {"row", PG_COLUMN_NUMBER}, {"removed %", PG_COLUMN_NUMBER}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    pg_figure f = {.kind = "response", .body = response_body, .width = 960};
    places p = {0};
    const pg_summary *s = at->summary;
    if (!pg_responses_fit(s)) return PG_OK;
    PG_TRY(pg_scene_start(at, &f, columns, "field", err));
    PG_TRY(number_places(at, &p, err));
    for (int scheme = 0; scheme < s->schemes.count; scheme++)
        for (int attack = 0; attack < s->attacks.count; attack++)
            if (p.column[scheme] && p.row[attack]) PG_TRY(add_field(at, &p, scheme, attack, &f, err));
    PG_TRY(pg_scene_finish(at, &f, written, err));
done:
    pg_free(p.column);
    pg_free(p.row);
    pg_figure_clear(&f);
    return status;
}

const pg_figure_kind pg_figure_kind_response = {
    .draw = draw_response,
};
