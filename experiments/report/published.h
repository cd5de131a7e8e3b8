/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published numbers and the claims behind them, read from CSV files: results/published/README.md says what the columns mean. */
#ifndef PG_REPORT_PUBLISHED_H
#define PG_REPORT_PUBLISHED_H

#include "core/base/file.h"
#include "core/formats/csv.h"
#include "core/formats/parameters.h"

/* What is measured: the cells of records that fit. Empty texts fit anything, but an empty attack means the trained model. All
 * texts are owned by the library that was read. */
typedef struct pg_subject {
    const char *data, *network, *norm, *scheme, *attack, *metric;
    const pg_parameters *parameters; /* options, and an outcome */
} pg_subject;

typedef enum pg_relation { PG_EQUAL, PG_AT_MOST, PG_AT_LEAST } pg_relation;
extern const char *const pg_relation_names[]; /* "=", "<=", ">=", ended by NULL */

/* mean of measured RELATION offset, or mean of than plus offset */
typedef struct pg_published_check {
    const char *id, *what;
    pg_subject measured;
    pg_relation relation;
    pg_subject than; /* metric empty: nothing, the offset is the bound; scheme empty: the same, with the same options */
    double offset;
} pg_published_check;

typedef struct pg_published_number {
    const char *id, *what, *unit, *source, *strength;
    pg_subject subject;
    pg_relation relation; /* between every trial and the value; PG_EQUAL: between the mean and the value */
    double value;
    const pg_published_check *check; /* of its shape; NULL: none */
} pg_published_number;

enum { PG_PUBLISHED_FILES = 32 };

typedef struct pg_published {
    int number_count, check_count, file_count;
    pg_published_number *numbers;
    pg_published_check *checks;
    pg_csv_table *files[PG_PUBLISHED_FILES];
    pg_text_pool number_ids, check_ids;
    pg_parameter_pool parameters;
} pg_published;

/* Read checks.csv and every other CSV file of the directory, in the order of their names. PG_BAD_INPUT, "file:line: ...", for
 * invalid content. */
PG_CHECKED pg_status pg_published_read(const char *directory, pg_published **out, pg_error *err);
void pg_published_destroy(pg_published **published);

/* Find the folder of the published numbers: $PASSGRID_SHARE/published if that is set; else share/passgrid/published beside the
 * installed program, or results/published of the source tree. Returns false if there is none; tried lists the places. */
bool pg_published_directory(char out[PG_PATH_MAX], char tried[PG_MESSAGE_MAX]);

#endif
