/* The findings of `passgrid judge`, as text and as JSON. */
#ifndef PG_COMMANDS_JUDGE_REPORT_H
#define PG_COMMANDS_JUDGE_REPORT_H

#include "core/ownership/verify.h"

enum { PG_CLAIMANTS_MAX = 16 };

/* An evidence file and the judge's finding. */
typedef struct pg_claimant {
    const char *path, *expected; /* the commitment to open, or NULL */
    char commitment[PG_SHA256_HEX];
    pg_evidence *evidence;
    pg_finding finding;
} pg_claimant;

typedef struct pg_judge_report {
    const char *model_path;
    pg_net_spec spec;
    const pg_dataset *images;
    pg_pixels pixels;
    const char *pixels_from; /* the source: "the model file", "--pixels", "assumed" */
    const char *assumed;     /* assumptions made while reading the model, as text; empty: none */
    const char *doubts;      /* contradictions between the model file and an option or the data, as text; empty: none */
    pg_verify_options options;
    int seed;
    pg_accuracy deployed;
    const char *deployed_from;      /* "measured", "--accuracy", "--distributed"; NULL: unknown */
    const pg_claimant *distributed; /* NULL: none */
    const pg_claimant *claims;
    int claim_count;
} pg_judge_report;

/* Print to stdout. The verdict and its reasons come first. */
void pg_judge_print_text(const pg_judge_report *report);
void pg_judge_print_json(const pg_judge_report *report);

#endif
