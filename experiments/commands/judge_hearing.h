/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hearing of `passgrid judge`: a model, test images, and the evidence of every claimant.
 *
 * Evidence comes from an adversary. When the file of one claimant cannot be used, that claim is refused with the reason, and
 * the others are judged as if it did not exist. */
#ifndef PG_COMMANDS_JUDGE_HEARING_H
#define PG_COMMANDS_JUDGE_HEARING_H

#include "core/nets/state_import.h"
#include "core/ownership/origin.h"
#include "core/ownership/original.h"
#include "experiments/grid/grid_options.h"

enum { PG_CLAIMANTS_MAX = PG_PAIRS_MAX };

/* An evidence file and the judge's finding. */
typedef struct pg_claimant {
    const char *path, *expected; /* the commitment to open, or NULL */
    char commitment[PG_SHA256_HEX];
    pg_evidence *evidence;
    pg_finding finding;
    const char *same_as;                    /* path of an earlier file of the same bound claim, or NULL */
    const char *original_path, *stamp_path; /* the claimant's own model, and the stamp of both; NULL: not given */
    char original_sum[PG_SHA256_HEX];
    pg_model *original;
    char stamp_fault[PG_MESSAGE_MAX]; /* why the stamp does not hold; empty: it does, or there is none */
    bool stamped;                     /* it holds: */
    time_t when;
    pg_two_readings readings;     /* with an original: both */
    char refused[PG_MESSAGE_MAX]; /* "FILE: reason" if the file cannot be used; empty: the claim was judged */
} pg_claimant;

typedef struct pg_hearing {
    /* set by the caller */
    const char *model_path, *map_path; /* the mapping is NULL: it is a model file */
    const char *data_word;             /* the data set, see pg_data_entry_read; NULL: the one that the model file names */
    const char *directory;             /* of the data sets; NULL: the default */
    int norm, pixels, relu_before_add; /* -1: not given */
    int test, seed;                    /* test images; 0: all */
    double accuracy;                   /* as deployed, percent; 0: not given */
    const char *authorities;           /* PEM file of those whose stamps count; NULL: none */
    const char *published;             /* day of the accused network, YYYY-MM-DD; NULL: not given */
    time_t published_at;               /* its first second, UTC */
    pg_verify_options options;
    pg_claimant distributed, claims[PG_CLAIMANTS_MAX]; /* path NULL: none are distributed */
    int claim_count;
    /* filled by pg_hearing_hold */
    pg_model *model;
    pg_model_facts facts;
    pg_data_options data_set; /* its name and pictures */
    pg_data data;
    pg_dataset images;
    pg_pixels used_pixels;
    const char *pixels_from; /* the source: "the model file", "--pixels", "assumed" */
    char doubts[512];        /* contradictions between the model file and an option or the data; empty: none */
    pg_accuracy deployed;
    const char *deployed_from; /* "measured", "--accuracy", "--distributed"; NULL: unknown */
    int pair_count;            /* claims that prove; 0: fewer than two do, or none of them has an original */
    pg_pair pairs[PG_PAIRS_MAX];
    const pg_claimant *pair_of[PG_PAIRS_MAX]; /* the claim of each pair */
    pg_origin origin;
} pg_hearing;

/* Read the files and judge every claim. Fails if the model, the data or the passports distributed with it cannot be used, and
 * if any file does not exist or cannot be read. The caller ends the hearing with pg_hearing_clear, also after an error. */
PG_CHECKED pg_status pg_hearing_hold(pg_hearing *h, pg_error *err);
void pg_hearing_clear(pg_hearing *h);

/* Print to stdout. The verdict and its reasons come first. */
void pg_hearing_print_text(const pg_hearing *h);
void pg_hearing_print_json(const pg_hearing *h);

/* Write a page of HTML for readers who know neither the program nor the schemes (pg_file_print). */
PG_CHECKED pg_status pg_hearing_write_page(const pg_hearing *h, const char *path, pg_error *err);

/* What would be enough for a claim to agree, and to prove, as words in out; empty if it does. */
enum { PG_ENOUGH_MAX = 128 };
const char *pg_enough_to_agree(const pg_claimant *claim, const pg_verify_options *options, char out[PG_ENOUGH_MAX]);
const char *pg_enough_to_prove(const pg_claimant *claim, const pg_verify_options *options, char out[PG_ENOUGH_MAX]);

#endif
