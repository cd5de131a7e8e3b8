/* The tables of a run; see tables.h. */
#include "experiments/tables.h"

#include "core/base/memory.h"
#include "experiments/sheet.h"

#include <ctype.h>
#include <string.h>

/* ---- short names ------------------------------------------------------------------------------------------------------------
 */

/* A scheme or an attack with its options. Its label is its name and those options in which it differs from others of the name.
 */
typedef struct variant {
    char name[32], parameters[2 * PG_LABEL_MAX], label[PG_SHEET_TEXT];
} variant;

typedef struct variants {
    int count, room;
    variant *items;
} variants;

static pg_status variant_of(variants *list, const char *name, const char *parameters, int *index, pg_error *err)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0 && strcmp(list->items[i].parameters, parameters) == 0) {
            *index = i;
            return PG_OK;
        }
    if (list->count == list->room) {
        variant *more = NULL;
        const int room = list->room ? 2 * list->room : 16;
        const pg_status status = pg_alloc((size_t)room, sizeof *more, &more, err);
        if (status != PG_OK) return status;
        if (list->count) memcpy(more, list->items, (size_t)list->count * sizeof *more);
        pg_free(list->items);
        list->items = more;
        list->room = room;
    }
    *index = list->count++;
    snprintf(list->items[*index].name, sizeof list->items->name, "%s", name);
    snprintf(list->items[*index].parameters, sizeof list->items->parameters, "%s", parameters);
    return PG_OK;
}

/* Length of the first "key=value" at text, the space after it left out. A value may hold spaces: the next key ends it. */
static size_t token(const char *text)
{
    const char *at = text;
    while (*at) {
        while (*at && *at != ' ') at++;
        const char *next = at;
        while (*next == ' ') next++;
        const char *end = next;
        while (islower((unsigned char)*end) || isdigit((unsigned char)*end) || *end == '_') end++;
        if (!*next || (end > next && *end == '=')) break;
        at = next;
    }
    return (size_t)(at - text);
}

static bool holds(const char *parameters, const char *word, size_t length)
{
    for (const char *at = parameters; *at;) {
        const size_t n = token(at);
        if (n == length && memcmp(at, word, n) == 0) return true;
        at += n;
        while (*at == ' ') at++;
    }
    return false;
}

static void label_one(const variants *list, variant *mine)
{
    size_t used = (size_t)snprintf(mine->label, sizeof mine->label, "%s", mine->name);
    for (const char *at = mine->parameters; *at;) {
        const size_t n = token(at);
        bool common = true;
        for (int i = 0; i < list->count; i++)
            common &= strcmp(list->items[i].name, mine->name) != 0 || holds(list->items[i].parameters, at, n);
        if (!common && used < sizeof mine->label)
            used += (size_t)snprintf(mine->label + used, sizeof mine->label - used, " %.*s", (int)n, at);
        at += n;
        while (*at == ' ') at++;
    }
}

/* ---- what all tables share
 * --------------------------------------------------------------------------------------------------- */

typedef struct book {
    const pg_results *results;
    variants schemes, attacks;
    int *scheme, *attack; /* by result: index of its variant; attack -1: training */
    bool *forges;         /* by result: its outcomes are forged evidence */
    char label[512];
} book;

static void close_book(book *b)
{
    pg_free(b->schemes.items);
    pg_free(b->attacks.items);
    pg_free(b->scheme);
    pg_free(b->attack);
    pg_free(b->forges);
}

static pg_status open_book(book *b, const pg_results *results, pg_error *err)
{
    pg_status status = PG_OK;
    const size_t n = (size_t)results->count;
    b->results = results;
    PG_TRY(pg_alloc(n, sizeof *b->scheme, &b->scheme, err));
    PG_TRY(pg_alloc(n, sizeof *b->attack, &b->attack, err));
    PG_TRY(pg_alloc(n, sizeof *b->forges, &b->forges, err));
    for (int i = 0; i < results->count; i++) {
        char parameters[2 * PG_LABEL_MAX];
        double value;
        const pg_task_labels *l = &results->items[i].labels;
        snprintf(parameters, sizeof parameters, "%s%s%s", l->scheme_parameters, l->scheme_parameters[0] ? " " : "",
                 l->training);
        PG_TRY(variant_of(&b->schemes, l->scheme, parameters, &b->scheme[i], err));
        b->attack[i] = -1;
        if (l->attack[0]) PG_TRY(variant_of(&b->attacks, l->attack, l->parameters, &b->attack[i], err));
        b->forges[i] = pg_result_value(&results->items[i], "genuine", "stands", &value);
    }
    for (int i = 0; i < b->schemes.count; i++) label_one(&b->schemes, &b->schemes.items[i]);
    for (int i = 0; i < b->attacks.count; i++) label_one(&b->attacks, &b->attacks.items[i]);
    snprintf(b->label, sizeof b->label, "%s", results->label);
    if (results->count < results->expected) {
        const size_t used = strlen(b->label);
        snprintf(b->label + used, sizeof b->label - used, "%sincomplete: %d of %d tasks", used ? "; " : "", results->count,
                 results->expected);
    }
done:
    return status;
}

typedef struct column_spec {
    const char *metric, *name;
    pg_column_kind kind;
} column_spec;

static pg_status start(pg_sheet *sheet, const book *b, const char *title, const char *const *texts, const column_spec *columns,
                       const char *prefix, pg_error *err)
{
    pg_status status = PG_OK;
    char name[2 * PG_SHEET_TEXT];
    if (title) {
        snprintf(sheet->title, sizeof sheet->title, "%.63s: %s", b->results->name, title);
        snprintf(sheet->label, sizeof sheet->label, "%s", b->label);
    }
    for (; texts && *texts; texts++) PG_TRY(pg_sheet_column(sheet, *texts, PG_COLUMN_TEXT, err));
    for (; columns->metric; columns++) {
        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? " " : "", columns->name);
        PG_TRY(pg_sheet_column(sheet, name, columns->kind, err));
    }
done:
    return status;
}

/* The row that begins with these texts (ended by NULL), made if there is none. */
static pg_status row_of(pg_sheet *sheet, const char *const *texts, int *row, pg_error *err)
{
    for (int r = sheet->row_count - 1; r >= 0; r--) {
        bool same = true;
        for (int c = 0; texts[c] && same; c++) same = strcmp(pg_sheet_at(sheet, r, c)->text, texts[c]) == 0;
        if (!same) continue;
        *row = r;
        return PG_OK;
    }
    const pg_status status = pg_sheet_row(sheet, row, err);
    for (int c = 0; status == PG_OK && texts[c]; c++) {
        pg_sheet_cell *cell = pg_sheet_at(sheet, *row, c);
        snprintf(cell->text, sizeof cell->text, "%s", texts[c]);
    }
    return status;
}

/* Put a measured cell where its metric belongs: columns begin at column `first` of the sheet. */
static pg_status put(pg_sheet *sheet, int row, int first, const column_spec *columns, const pg_cell *cell, pg_error *err)
{
    for (int c = 0; columns[c].metric; c++) {
        if (strcmp(columns[c].metric, cell->metric) != 0) continue;
        const pg_status status = pg_sample_add(&pg_sheet_at(sheet, row, first + c)->sample, cell->value, err);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

static pg_status finish(pg_sheet *sheet, const char *directory, const char *name, FILE *stream, pg_error *err)
{
    char path[PG_PATH_MAX];
    pg_status status = PG_OK;
    PG_TRY(pg_path(path, directory, "tables", name, err));
    if (sheet->row_count == 0) goto done;
    PG_TRY(pg_sheet_write(sheet, path, err));
    if (stream) {
        PG_TRY(pg_sheet_print(sheet, stream, err));
        fputc('\n', stream);
    }
done:
    pg_sheet_clear(sheet);
    return status;
}

/* ---- schemes
 * ------------------------------------------------------------------------------------------------------------------ */

static pg_status make_schemes(const book *b, pg_sheet *sheet, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", NULL};
    static const column_spec columns[] = {{"accuracy", "accuracy %", PG_COLUMN_MEAN},
                                          {"accuracy_public", "public %", PG_COLUMN_MEAN},
                                          {"accuracy_private", "private %", PG_COLUMN_MEAN},
                                          {"detection", "signature %", PG_COLUMN_MEAN},
                                          {"null_mean", "null %", PG_COLUMN_MEAN},
                                          {"trigger_public", "triggers public %", PG_COLUMN_MEAN},
                                          {"trigger_private", "triggers private %", PG_COLUMN_MEAN},
                                          {"p_value", "p-value at most", PG_COLUMN_LARGEST},
                                          {"stands", "claim stands", PG_COLUMN_SHARE},
                                          {"accuracy", "n", PG_COLUMN_COUNT},
                                          {NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    PG_TRY(start(sheet, b, "protected models", texts, columns, "", err));
    for (int i = 0; i < b->results->count; i++) {
        const pg_result *r = &b->results->items[i];
        int row;
        if (b->attack[i] >= 0) continue;
        const char *const key[] = {r->labels.data, r->labels.network, r->labels.norm, b->schemes.items[b->scheme[i]].label,
                                   NULL};
        PG_TRY(row_of(sheet, key, &row, err));
        for (int c = 0; c < r->record.cell_count; c++)
            if (!r->record.cells[c].outcome[0]) PG_TRY(put(sheet, row, 4, columns, &r->record.cells[c], err));
    }
done:
    return status;
}

/* ---- removal
 * ------------------------------------------------------------------------------------------------------------------ */

static const column_spec removal_columns[] = {{"accuracy", "accuracy %", PG_COLUMN_MEAN},
                                              {"detection", "signature %", PG_COLUMN_MEAN},
                                              {"stands", "claim", PG_COLUMN_SHARE},
                                              {NULL, NULL, PG_COLUMN_TEXT}};

static bool any_attack(const book *b, bool forges)
{
    for (int i = 0; i < b->results->count; i++)
        if (b->attack[i] >= 0 && b->forges[i] == forges) return true;
    return false;
}

/* Rows of one result: a trained model is the row "before", an attack has one row per outcome. */
static pg_status add_removal(const book *b, int i, pg_sheet *sheet, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_result *r = &b->results->items[i];
    const bool trained = b->attack[i] < 0;
    const char *attack = trained ? "before" : b->attacks.items[b->attack[i]].label;
    for (int c = 0; c < r->record.cell_count; c++) {
        const pg_cell *cell = &r->record.cells[c];
        int row;
        if (trained && cell->outcome[0]) continue;
        const char *const key[] = {r->labels.data, r->labels.network, r->labels.norm, attack, cell->outcome, NULL};
        PG_TRY(row_of(sheet, key, &row, err));
        PG_TRY(put(sheet, row, 5 + 3 * b->scheme[i], removal_columns, cell, err));
    }
done:
    return status;
}

static pg_status make_removal(const book *b, pg_sheet *sheet, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "attack", "outcome", NULL};
    static const column_spec none[] = {{NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    if (!any_attack(b, false)) return PG_OK;
    PG_TRY(start(sheet, b, "attacks that try to remove the mark", texts, none, "", err));
    for (int s = 0; s < b->schemes.count; s++)
        PG_TRY(start(sheet, b, NULL, NULL, removal_columns, b->schemes.items[s].label, err));
    for (int i = 0; i < b->results->count; i++)
        if (!b->forges[i]) PG_TRY(add_removal(b, i, sheet, err));
done:
    return status;
}

/* ---- ambiguity
 * ---------------------------------------------------------------------------------------------------------------- */

/* Outcomes that repeat one thing share a row, those on an axis, such as a level, have one each. */
static void name_evidence(const char *attack, const char *outcome, char out[PG_SHEET_TEXT])
{
    const bool own = outcome[0] && strncmp(outcome, "repeat=", 7) != 0;
    snprintf(out, PG_SHEET_TEXT, "%.*s%s%s", PG_SHEET_TEXT - 64, attack, own ? " " : "", own ? outcome : "");
}

/* Accuracy is that of the branch which the evidence opens. */
static pg_status make_ambiguity(const book *b, pg_sheet *sheet, pg_error *err)
{
    static const char *const texts[] = {"data", "network", "norm", "scheme", "evidence", NULL};
    static const column_spec columns[] = {{"accuracy_claimed", "accuracy %", PG_COLUMN_MEAN},
                                          {"detection", "detected %", PG_COLUMN_MEAN},
                                          {"owner_bits_matched", "owner's bits %", PG_COLUMN_MEAN},
                                          {"p_value", "smallest p-value", PG_COLUMN_SMALLEST},
                                          {"stands", "claim stands", PG_COLUMN_SHARE},
                                          {"ambiguous", "ambiguous", PG_COLUMN_SHARE},
                                          {"p_value", "n", PG_COLUMN_COUNT},
                                          {NULL, NULL, PG_COLUMN_TEXT}};
    pg_status status = PG_OK;
    if (!any_attack(b, true)) return PG_OK;
    PG_TRY(start(sheet, b, "genuine and forged evidence", texts, columns, "", err));
    for (int i = 0; i < b->results->count; i++) {
        const pg_result *r = &b->results->items[i];
        const bool trained = b->attack[i] < 0;
        double stands;
        int row;
        if (trained ? !pg_result_value(r, "", "stands", &stands) : !b->forges[i]) continue;
        for (int c = 0; c < r->record.cell_count; c++) {
            const pg_cell *cell = &r->record.cells[c];
            const bool wanted = trained ? !cell->outcome[0] : strcmp(cell->outcome, "genuine") != 0;
            char evidence[PG_SHEET_TEXT] = "genuine";
            if (!wanted) continue;
            if (!trained) name_evidence(b->attacks.items[b->attack[i]].label, cell->outcome, evidence);
            const char *const key[] = {
                r->labels.data, r->labels.network, r->labels.norm, b->schemes.items[b->scheme[i]].label, evidence, NULL};
            PG_TRY(row_of(sheet, key, &row, err));
            PG_TRY(put(sheet, row, 5, columns, cell, err));
        }
    }
done:
    return status;
}

/* ---- all
 * ---------------------------------------------------------------------------------------------------------------------- */

/* What the short names stand for. */
static void print_legend(const variants *list, FILE *stream)
{
    for (int i = 0; i < list->count; i++)
        if (list->items[i].parameters[0]) fprintf(stream, "  %s: %s\n", list->items[i].label, list->items[i].parameters);
}

static pg_status render(const pg_results *results, const char *directory, FILE *stream, pg_error *err)
{
    static const struct {
        const char *file;
        pg_status (*make)(const book *b, pg_sheet *sheet, pg_error *err);
    } tables[] = {{"schemes.csv", make_schemes}, {"removal.csv", make_removal}, {"ambiguity.csv", make_ambiguity}};
    pg_status status = PG_OK;
    book b = {0};
    pg_sheet sheet = {0};
    PG_TRY(open_book(&b, results, err));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        PG_TRY(tables[i].make(&b, &sheet, err));
        PG_TRY(finish(&sheet, directory, tables[i].file, stream, err));
    }
    if (stream) {
        print_legend(&b.schemes, stream);
        print_legend(&b.attacks, stream);
    }
done:
    pg_sheet_clear(&sheet);
    close_book(&b);
    return status;
}

pg_status pg_tables_render(const char *directory, bool partial, FILE *stream, pg_error *err)
{
    pg_status status = PG_OK;
    pg_results *results = NULL;
    PG_TRY(pg_results_load(directory, &results, err));
    if (results->count < results->expected && !partial)
        PG_TRY(pg_fail(
            err, PG_BAD_INPUT,
            "%s: %d of %d tasks have no result; `passgrid run` completes them, `passgrid table --partial` shows the others",
            directory, results->expected - results->count, results->expected));
    PG_TRY(pg_results_write_cells(results, directory, err));
    PG_TRY(render(results, directory, stream, err));
done:
    pg_results_destroy(&results);
    return status;
}
