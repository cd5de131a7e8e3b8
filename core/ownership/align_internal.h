/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Internals of alignment: align_pairs.c pairs channels, align_factors.c computes gains and scales from the pairs, align.c
 * repeats both until nothing changes. */
#ifndef PG_OWNERSHIP_ALIGN_INTERNAL_H
#define PG_OWNERSHIP_ALIGN_INTERNAL_H

#include "core/ownership/align.h"
#include "core/ownership/correlations.h"

typedef struct pg_aligner {
    const pg_model *original, *accused;
    pg_branch deployed; /* of the accused network */
    pg_spaces given;    /* of the accused network; the original's are the rewrite's */
    pg_rewrite *rewrite;
    bool known[PG_ROWS_MAX];       /* by space: its channels were paired */
    bool gains_known[PG_ROWS_MAX]; /* by layer: the channels on both its sides were paired, and its gains computed */
    pg_correlations *activations;  /* NULL: no images */
    pg_real *ours, *theirs;        /* weights of one layer, see pg_align_gather */
    pg_real *cosines;              /* [channels of the original, channels of the accused network] */
    double *score;                 /* as cosines */
    int *before;                   /* the pairs of the round before */
    int *inside, *block_from;      /* group norm: the pairs inside every pair of groups, and the pairs of groups */
    double *block_score;
    bool *is_paired;                                               /* by channel of the accused network */
    double *our_factor, *their_factor;                             /* by channel: 1 / norm of its column; 0 for zeros */
    double *dot, *our_square, *their_square, *log_sum, *log_count; /* by channel of the original */
} pg_aligner;

/* The side from which a layer is compared: by the channels that it writes, or by those that it reads. */
typedef enum pg_view { PG_BY_OUTPUT, PG_BY_INPUT } pg_view;

int pg_align_space_of(const pg_aligner *a, int layer, pg_view by);
bool pg_align_makes(const pg_aligner *a, int layer, int space);
bool pg_align_reads(const pg_aligner *a, int layer, int space);

/* Can the layer's weights be compared channel by channel? The channels on the other side must be the same images or classes, or
 * be aligned: for comparing the channels that the layer writes, its input channels; for comparing those that it reads, its
 * gains. */
bool pg_align_comparable(const pg_aligner *a, int layer, pg_view by);

/* May a rewrite flip the signs of the layer's filters? */
bool pg_align_flips(const pg_aligner *a, int layer);

/* Write the weights of a layer to a->ours and a->theirs, [taps * channels of the other side, channels of the view] each. The
 * other side is in the original's order, and the accused network's gains and scales are undone as far as they are known.
 * Returns the number of rows. */
int pg_align_gather(const pg_aligner *a, int layer, pg_view by);

/* Write the cosines of all pairs of channels in one layer to a->cosines. A channel of zeros has the cosine 0. */
void pg_align_cosines(pg_aligner *a, int layer, pg_view by);

/* Pair the channels of a space. Sets *changed if a pair differs from the last round's. */
PG_CHECKED pg_status pg_align_pair(pg_aligner *a, int space, bool *changed, pg_error *err);

/* Compute the scales of a space, and the gains of the layers that write or read it. */
void pg_align_read_factors(pg_aligner *a, int space);

#endif
