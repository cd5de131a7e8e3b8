/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record in a file of any name, for tests. */
#ifndef PG_TESTS_RECORD_FILE_H
#define PG_TESTS_RECORD_FILE_H

#include "core/base/file.h"
#include "core/base/memory.h"
#include "experiments/work/record.h"

static inline pg_status load_record_file(const char *path, const char *key, pg_parameter_pool *pool, pg_record *record,
                                         pg_task_labels *labels, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read(path, &text, &bytes, err);
    if (status == PG_OK) status = pg_record_parse(text, bytes, path, key, pool, record, labels, err);
    pg_free(text);
    return status;
}

#endif
