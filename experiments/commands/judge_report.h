/* What `passgrid judge` found, as text and as JSON. */
#ifndef PG_COMMANDS_JUDGE_REPORT_H
#define PG_COMMANDS_JUDGE_REPORT_H

#include "core/ownership/verify.h"

enum { PG_CLAIMANTS_MAX = 16 };

/* An evidence file, and what was found of it. */
typedef struct pg_claimant {
    const char *path, *expected; /* commitment that was given, or NULL */
    char commitment[PG_SHA256_HEX];
    pg_evidence *evidence;
    pg_finding finding;
} pg_claimant;

typedef struct pg_judge_report {
    const char *model_path;
    pg_net_spec spec;
    const pg_dataset *images;
    pg_pixels pixels;
    const char *pixels_from; /* who says so: "the model file", "--pixels", "assumed" */
    const char *assumed;     /* what reading the model took for granted, in words; empty: nothing */
    const char *doubts;      /* what an option or the data contradicts in the model file, in words; empty: nothing */
    pg_verify_options options;
    int seed;
    pg_accuracy deployed;
    const char *deployed_from;      /* "measured", "--accuracy", "--distributed"; NULL: not known */
    const pg_claimant *distributed; /* NULL: none */
    const pg_claimant *claims;
    int claim_count;
} pg_judge_report;

/* To stdout. The verdict, and what decides it, come first. */
void pg_judge_print_text(const pg_judge_report *report);
void pg_judge_print_json(const pg_judge_report *report);

#endif
