/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published tables; see paper.h. */
#include "experiments/report/paper.h"

#include "experiments/report/compare.h"

#include <string.h>

/* Columns: the published row; our network and scheme; then four for each published column. */
enum { ROW, PLACE, PLACE_COUNT = 4, FIRST = PLACE + PLACE_COUNT, PUBLISHED = 0, OURS, DIFFERENCE, VERDICT, PARTS };

const char *pg_paper_next(const pg_published *published, int *at)
{
    while (*at < published->number_count) {
        const char *name = published->numbers[(*at)++].table;
        int before = 0;
        while (strcmp(published->numbers[before].table, name) != 0) before++;
        if (name[0] && before == *at - 1) return name;
    }
    return NULL;
}

static bool is_in(const pg_published_number *n, const char *table, const char *row)
{
    return strcmp(n->table, table) == 0 && (!row || strcmp(n->row, row) == 0);
}

/* Is a row of the table of numbers about this number? */
static bool is_about(const pg_table *numbers, int row, const pg_published_number *n)
{
    return strcmp(pg_table_text(numbers, row, PG_NUMBERS_ID), n->id) == 0;
}

static bool same_place(const pg_table *numbers, int row, const pg_table *out, int of)
{
    for (int c = 0; c < PLACE_COUNT; c++)
        if (strcmp(pg_table_text(numbers, row, PG_NUMBERS_PLACE + c), pg_table_text(out, of, PLACE + c)) != 0) return false;
    return true;
}

/* ---- columns ---- */

static int find_column(const pg_table *out, const char *name)
{
    const size_t length = strlen(name);
    for (int c = FIRST; c < out->column_count; c += PARTS)
        if (strncmp(out->columns[c].name, name, length) == 0 && strcmp(out->columns[c].name + length, " published") == 0)
            return c;
    return -1;
}

static pg_status add_columns(const char *name, pg_table *out, pg_error *err)
{
    static const pg_column parts[PARTS] = {[PUBLISHED] = {"published", PG_COLUMN_NUMBER},
                                           [OURS] = {"ours", PG_COLUMN_MEAN},
                                           [DIFFERENCE] = {"difference", PG_COLUMN_NUMBER},
                                           [VERDICT] = {"verdict", PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    for (int p = 0; p < PARTS && status == PG_OK; p++) {
        const char *full;
        status = pg_text_pool_print(&out->texts, &full, NULL, err, "%s %s", name, parts[p].name);
        if (status == PG_OK) status = pg_table_column(out, full, parts[p].kind, err);
    }
    return status;
}

static pg_status make_columns(const pg_published *p, const char *name, pg_table *out, pg_error *err)
{
    static const pg_column first[] = {{"row", PG_COLUMN_TEXT},  {"data", PG_COLUMN_TEXT},   {"network", PG_COLUMN_TEXT},
                                      {"norm", PG_COLUMN_TEXT}, {"scheme", PG_COLUMN_TEXT}, {NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(pg_table_columns(out, first, err));
    for (int i = 0; i < p->number_count; i++) {
        const pg_published_number *n = &p->numbers[i];
        if (is_in(n, name, NULL) && find_column(out, n->column) < 0) PG_TRY(add_columns(n->column, out, err));
    }
done:
    return status;
}

/* ---- rows ---- */

/* Put our value of a number beside it, from a row of the table of numbers; if several of our attacks fit, that of the first. */
static pg_status put_ours(const pg_table *numbers, int from, pg_table *out, int row, int column, pg_error *err)
{
    pg_status status = PG_OK;
    const char *verdict = pg_table_text(numbers, from, PG_NUMBERS_VERDICT),
               *scale = pg_table_text(numbers, from, PG_NUMBERS_SCALE);
    const pg_sample *difference = &pg_table_at(numbers, from, PG_NUMBERS_DIFFERENCE)->sample;
    const char *text;
    if (pg_table_at(out, row, column + OURS)->sample.count) return PG_OK;
    PG_TRY(pg_sample_copy(&pg_table_at(numbers, from, PG_NUMBERS_OURS)->sample, &pg_table_at(out, row, column + OURS)->sample,
                          err));
    PG_TRY(pg_sample_copy(difference, &pg_table_at(out, row, column + DIFFERENCE)->sample, err));
    PG_TRY(pg_text_pool_print(&out->texts, &text, NULL, err, "%s (%s)", verdict, scale));
    PG_TRY(pg_table_put(out, row, column + VERDICT, (const char *const[]){text, NULL}, err));
done:
    return status;
}

/* Fill the numbers of a published row into a row of ours. */
static pg_status fill_row(const pg_published *p, const char *name, const char *label, const pg_table *numbers, pg_table *out,
                          int row, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < p->number_count; i++) {
        const pg_published_number *n = &p->numbers[i];
        if (!is_in(n, name, label)) continue;
        const int column = find_column(out, n->column);
        PG_TRY(pg_table_add(out, row, column + PUBLISHED, n->value, err));
        for (int r = 0; r < numbers->row_count; r++)
            if (is_about(numbers, r, n) && same_place(numbers, r, out, row))
                PG_TRY(put_ours(numbers, r, out, row, column, err));
    }
done:
    return status;
}

/* Add a row for each of our places that a published row describes, or one without a place. */
static pg_status add_rows(const pg_published *p, const char *name, const char *label, const pg_table *numbers, pg_table *out,
                          pg_error *err)
{
    pg_status status = PG_OK;
    const int before = out->row_count;
    int row;
    for (int i = 0; i < p->number_count; i++)
        for (int r = 0; is_in(&p->numbers[i], name, label) && r < numbers->row_count; r++) {
            if (!is_about(numbers, r, &p->numbers[i])) continue;
            const char *place[PLACE_COUNT];
            for (int c = 0; c < PLACE_COUNT; c++) place[c] = pg_table_text(numbers, r, PG_NUMBERS_PLACE + c);
            PG_TRY(pg_table_row(out, &row, err, "%s\n%s\n%s\n%s\n%s", label, place[0], place[1], place[2], place[3]));
            PG_TRY(
                pg_table_put(out, row, ROW, (const char *const[]){label, place[0], place[1], place[2], place[3], NULL}, err));
        }
    if (out->row_count == before) {
        PG_TRY(pg_table_row(out, &row, err, "%s", label));
        PG_TRY(pg_table_put(out, row, ROW, (const char *const[]){label, NULL}, err));
    }
    for (row = before; row < out->row_count; row++) PG_TRY(fill_row(p, name, label, numbers, out, row, err));
done:
    return status;
}

static bool is_measured(const pg_published *p, const char *name, const pg_table *numbers)
{
    for (int i = 0; i < p->number_count; i++)
        for (int r = 0; is_in(&p->numbers[i], name, NULL) && r < numbers->row_count; r++)
            if (is_about(numbers, r, &p->numbers[i])) return true;
    return false;
}

pg_status pg_paper_fill(const pg_published *p, const char *name, const pg_table *numbers, pg_table *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool labels = {0};
    if (!is_measured(p, name, numbers)) return PG_OK;
    PG_TRY(make_columns(p, name, out, err));
    for (int i = 0; i < p->number_count; i++) {
        const pg_published_number *n = &p->numbers[i];
        const int before = labels.count;
        if (!is_in(n, name, NULL)) continue;
        if (!out->title) PG_TRY(pg_text_pool_keep(&out->texts, n->source, &out->title, NULL, err));
        PG_TRY(pg_text_pool_keep(&labels, n->row, NULL, NULL, err));
        if (labels.count > before) PG_TRY(add_rows(p, name, n->row, numbers, out, err));
    }
    PG_TRY(numbers->label ? pg_text_pool_keep(&out->texts, numbers->label, &out->label, NULL, err) : PG_OK);
done:
    pg_text_pool_clear(&labels);
    return status;
}
