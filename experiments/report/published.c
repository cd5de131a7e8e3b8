/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published numbers; see published.h. */
#include "experiments/report/published.h"

#include "core/base/directory.h"
#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const pg_relation_names[] = {"=", "<=", ">=", NULL};

static const char checks_file[] = "checks.csv";

/* ---- rows ------------------------------------------------------------------------------------------------------------- */

/* A row of a CSV file by column names. The first error is kept. */
typedef struct row {
    const char *path;
    const pg_csv_table *table;
    size_t index;
    pg_status status;
    pg_error *err;
} row;

static const char *text(row *r, const char *column)
{
    size_t c = 0;
    if (r->status == PG_OK) r->status = pg_csv_column(r->table, column, &c, r->err);
    return r->status == PG_OK ? pg_csv_cell(r->table, r->index, c) : "";
}

static double number(row *r, const char *column)
{
    size_t c = 0;
    double value = 0;
    if (r->status == PG_OK) r->status = pg_csv_column(r->table, column, &c, r->err);
    if (r->status == PG_OK) r->status = pg_csv_number(r->table, r->index, c, &value, r->err);
    return value;
}

/* The same of a column that a file may lack. */
static const char *optional(const row *r, const char *column)
{
    size_t c = 0;
    return r->status == PG_OK && pg_csv_column(r->table, column, &c, NULL) == PG_OK ? pg_csv_cell(r->table, r->index, c) : "";
}

static void complain(row *r, const char *what, const char *word)
{
    if (r->status == PG_OK)
        r->status = pg_fail(r->err, PG_BAD_INPUT, "%s:%d: no %s \"%s\"", r->path, pg_csv_line(r->table, r->index), what, word);
}

/* Read the id of a row and check that no other row has it. */
static const char *identify(pg_text_pool *ids, row *r)
{
    const char *id = text(r, "id");
    const int before = ids->count;
    int number;
    if (r->status == PG_OK) r->status = pg_text_pool_keep(ids, id, NULL, &number, r->err);
    if (r->status == PG_OK && number < before)
        r->status =
            pg_fail(r->err, PG_BAD_INPUT, "%s:%d: the id \"%s\" appears twice", r->path, pg_csv_line(r->table, r->index), id);
    return id;
}

static pg_relation relation(row *r)
{
    const char *word = text(r, "relation");
    for (int i = 0; pg_relation_names[i]; i++)
        if (strcmp(pg_relation_names[i], word) == 0) return (pg_relation)i;
    complain(r, "relation", word);
    return PG_EQUAL;
}

static const pg_parameters *parameters(pg_published *p, row *r, const char *column)
{
    const pg_parameters *list = &pg_no_parameters;
    const char *words = text(r, column);
    if (r->status != PG_OK) return list;
    r->status = pg_parameters_parse(&p->parameters, words, &list, r->err);
    if (r->status != PG_OK) (void)pg_error_context(r->err, "%s:%d: %s", r->path, pg_csv_line(r->table, r->index), column);
    return list;
}

static pg_subject subject(pg_published *p, row *r)
{
    return (pg_subject){.data = text(r, "data"),
                        .network = text(r, "network"),
                        .norm = text(r, "norm"),
                        .scheme = text(r, "scheme"),
                        .attack = text(r, "attack"),
                        .parameters = parameters(p, r, "parameters"),
                        .metric = text(r, "metric")};
}

static pg_published_check read_check(pg_published *p, row *r)
{
    return (pg_published_check){.id = identify(&p->check_ids, r),
                                .what = text(r, "what"),
                                .measured = subject(p, r),
                                .relation = relation(r),
                                .than = {.data = "",
                                         .network = "",
                                         .norm = "",
                                         .scheme = text(r, "than_scheme"),
                                         .attack = text(r, "than_attack"),
                                         .parameters = parameters(p, r, "than_parameters"),
                                         .metric = text(r, "than_metric")},
                                .offset = number(r, "offset")};
}

static const pg_published_check *find_check(const pg_published *p, row *r)
{
    const char *id = text(r, "check");
    for (int i = 0; i < p->check_count; i++)
        if (strcmp(p->checks[i].id, id) == 0) return &p->checks[i];
    if (id[0]) complain(r, "check", id);
    return NULL;
}

static pg_published_number read_number(pg_published *p, row *r)
{
    return (pg_published_number){.id = identify(&p->number_ids, r),
                                 .what = text(r, "what"),
                                 .unit = text(r, "unit"),
                                 .source = text(r, "source"),
                                 .strength = text(r, "strength"),
                                 .table = optional(r, "table"),
                                 .row = optional(r, "row"),
                                 .column = optional(r, "column"),
                                 .subject = subject(p, r),
                                 .relation = relation(r),
                                 .value = number(r, "value"),
                                 .check = find_check(p, r)};
}

/* ---- files ------------------------------------------------------------------------------------------------------------ */

static pg_status open_table(pg_published *p, const char *path, const pg_csv_table **table, pg_error *err)
{
    if (p->file_count == PG_PUBLISHED_FILES)
        return pg_fail(err, PG_BAD_INPUT, "%s: more than %d files", path, PG_PUBLISHED_FILES);
    const pg_status status = pg_csv_read(path, &p->files[p->file_count], err);
    if (status == PG_OK) *table = p->files[p->file_count++];
    return status;
}

static pg_status read_checks(pg_published *p, const char *path, pg_error *err)
{
    const pg_csv_table *table = NULL;
    pg_status status = PG_OK;
    PG_TRY(open_table(p, path, &table, err));
    PG_TRY(pg_alloc(pg_csv_rows(table), sizeof *p->checks, &p->checks, err));
    for (row r = {.path = path, .table = table, .err = err}; r.index < pg_csv_rows(table); r.index++) {
        p->checks[p->check_count++] = read_check(p, &r);
        PG_TRY(r.status);
    }
done:
    return status;
}

static pg_status read_numbers(pg_published *p, const char *path, pg_error *err)
{
    const pg_csv_table *table = NULL;
    pg_published_number *more = NULL;
    pg_status status = PG_OK;
    PG_TRY(open_table(p, path, &table, err));
    PG_TRY(pg_alloc((size_t)p->number_count + pg_csv_rows(table), sizeof *more, &more, err));
    if (p->number_count) memcpy(more, p->numbers, (size_t)p->number_count * sizeof *more);
    pg_free(p->numbers);
    p->numbers = more;
    for (row r = {.path = path, .table = table, .err = err}; r.index < pg_csv_rows(table); r.index++) {
        p->numbers[p->number_count++] = read_number(p, &r);
        PG_TRY(r.status);
    }
done:
    return status;
}

static bool is_numbers(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot && strcmp(dot, ".csv") == 0 && strcmp(file, checks_file) != 0;
}

pg_status pg_published_read(const char *directory, pg_published **out, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_names files = {0};
    pg_published *p = NULL;
    pg_status status = PG_OK;
    PG_TRY(pg_alloc(1, sizeof *p, &p, err));
    PG_TRY(pg_path(path, directory, checks_file, NULL, err));
    PG_TRY(read_checks(p, path, err));
    PG_TRY(pg_directory_list(directory, &files, err));
    for (int i = 0; i < files.count; i++) {
        if (!is_numbers(files.name[i])) continue;
        PG_TRY(pg_path(path, directory, files.name[i], NULL, err));
        PG_TRY(read_numbers(p, path, err));
    }
    *out = p;
    p = NULL;
done:
    pg_names_clear(&files);
    pg_published_destroy(&p);
    return status;
}

void pg_published_destroy(pg_published **published)
{
    pg_published *p = *published;
    if (!p) return;
    for (int i = 0; i < p->file_count; i++) pg_csv_close(&p->files[i]);
    pg_free(p->numbers);
    pg_free(p->checks);
    pg_text_pool_clear(&p->number_ids);
    pg_text_pool_clear(&p->check_ids);
    pg_parameter_pool_clear(&p->parameters);
    pg_free(p);
    *published = NULL;
}

/* Does this folder of published numbers exist? If not, append its name to `tried`. */
static bool is_there(const char *directory, const char *part, char out[PG_PATH_MAX], char tried[PG_MESSAGE_MAX])
{
    char file[PG_PATH_MAX];
    const size_t used = strlen(tried);
    if (pg_path(out, directory, part, NULL, NULL) != PG_OK || pg_path(file, out, checks_file, NULL, NULL) != PG_OK)
        return false;
    if (pg_file_exists(file)) return true;
    snprintf(tried + used, PG_MESSAGE_MAX - used, "%s%s is not there", used ? ", " : "", out);
    return false;
}

bool pg_published_directory(char out[PG_PATH_MAX], char tried[PG_MESSAGE_MAX])
{
    char program[PG_PATH_MAX];
    const char *share = getenv("PASSGRID_SHARE");
    tried[0] = 0;
    if (share && share[0]) return is_there(share, "published", out, tried);
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n < 0 ? 0 : n] = 0;
    for (int up = 0; up < 2 && strrchr(program, '/'); up++) *strrchr(program, '/') = 0;
    return is_there(program, "share/passgrid/published", out, tried) || is_there(program, "results/published", out, tried) ||
           is_there(PG_SOURCE, "results/published", out, tried);
}
