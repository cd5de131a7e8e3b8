/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records in memory; see record.h. */
#include "experiments/work/record_internal.h"

#include "core/base/memory.h"

#include <string.h>

pg_status pg_record_append_cell(pg_record *record, const pg_record_cell *cell, pg_error *err)
{
    const pg_status status = pg_grow(&record->cells, record->cell_count, sizeof *record->cells, err);
    if (status == PG_OK) record->cells[record->cell_count++] = *cell;
    return status;
}

pg_status pg_record_append_note(pg_record *record, const pg_note *note, pg_error *err)
{
    const pg_status status = pg_grow(&record->notes, record->note_count, sizeof *record->notes, err);
    if (status == PG_OK) record->notes[record->note_count++] = *note;
    return status;
}

pg_status pg_record_append_file(pg_record *record, const pg_artefact *file, pg_error *err)
{
    const pg_status status = pg_grow(&record->files, record->file_count, sizeof *record->files, err);
    if (status == PG_OK) record->files[record->file_count++] = *file;
    return status;
}

pg_status pg_record_add(pg_record *record, const char *outcome, const char *metric, double value, const char *unit,
                        pg_error *err)
{
    pg_status status = PG_OK;
    pg_record_cell cell = {.value = value};
    PG_TRY(pg_text_pool_keep(&record->texts, outcome, &cell.outcome, NULL, err));
    PG_TRY(pg_text_pool_keep(&record->texts, metric, &cell.metric, NULL, err));
    PG_TRY(pg_text_pool_keep(&record->texts, unit, &cell.unit, NULL, err));
    PG_TRY(pg_record_append_cell(record, &cell, err));
done:
    return status;
}

pg_status pg_record_note(pg_record *record, const char *key, const char *text, pg_error *err)
{
    pg_status status = PG_OK;
    pg_note note;
    PG_TRY(pg_text_pool_keep(&record->texts, key, &note.key, NULL, err));
    PG_TRY(pg_text_pool_keep(&record->texts, text, &note.text, NULL, err));
    PG_TRY(pg_record_append_note(record, &note, err));
done:
    return status;
}

pg_status pg_record_file(pg_record *record, const char *path, const char *sha256, pg_error *err)
{
    pg_status status = PG_OK;
    pg_artefact file = {.path = NULL};
    PG_TRY(pg_text_pool_keep(&record->texts, path, &file.path, NULL, err));
    PG_TRY(pg_text_pool_keep(&record->texts, sha256, &file.sha256, NULL, err));
    PG_TRY(pg_record_append_file(record, &file, err));
done:
    return status;
}

bool pg_record_has(const pg_record *record, const char *outcome)
{
    for (int i = 0; i < record->cell_count; i++)
        if (strcmp(record->cells[i].outcome, outcome) == 0) return true;
    return false;
}

void pg_record_clear(pg_record *record)
{
    pg_free(record->cells);
    pg_free(record->notes);
    pg_free(record->files);
    pg_text_pool_clear(&record->texts);
    *record = (pg_record){0};
}

pg_status pg_record_check_unique(const pg_record *record, const char *from, pg_error *err)
{
    pg_status status = PG_OK;
    pg_text_pool seen = {0};
    for (int i = 0; i < record->cell_count; i++) {
        const pg_record_cell *c = &record->cells[i];
        int number;
        PG_TRY(pg_text_pool_print(&seen, NULL, &number, err, "%s\n%s", c->outcome, c->metric));
        if (number < i)
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: cells[%d]: %s of '%s' appears twice", from, i, c->metric, c->outcome));
    }
done:
    pg_text_pool_clear(&seen);
    return status;
}
