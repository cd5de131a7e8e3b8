/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published numbers and the claims behind them, read from CSV files: results/published/README.md says what the columns mean. */
#ifndef PG_REPORT_PUBLISHED_H
#define PG_REPORT_PUBLISHED_H

#include "core/base/file.h"
#include "core/formats/csv.h"
#include "core/formats/parameters.h"

/* The cells of records that a published number describes. An empty text fits anything, except that an empty attack means the
 * trained model. The pg_published that was read owns all texts. */
typedef struct pg_subject {
    const char *data, *network, *norm, *scheme, *attack, *metric;
    const pg_parameters *parameters; /* options, and an outcome */
} pg_subject;

typedef enum pg_relation { PG_EQUAL, PG_AT_MOST, PG_AT_LEAST } pg_relation;
extern const char *const pg_relation_names[]; /* "=", "<=", ">=", ended by NULL */

/* mean(measured) RELATION mean(than) + offset, or offset alone */
typedef struct pg_published_check {
    const char *id, *what;
    pg_subject measured;
    pg_relation relation;
    pg_subject than; /* empty metric: offset alone is the bound; empty scheme: `measured`'s, with the same options */
    double offset;
} pg_published_check;

typedef struct pg_published_number {
    const char *id, *what, *unit, *source, *strength;
    const char *table, *row, *column; /* its place in a published table; empty: none */
    pg_subject subject;
    pg_relation relation; /* every trial must keep it; PG_EQUAL: the mean must */
    double value;
    const pg_published_check *check; /* the inequality about its shape; NULL: none */
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
