/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of an alignment, for the files that make it up: align_pairs.c pairs channels, align_factors.c reads gains and
 * scales off the pairs, align.c runs both until they are stable. */
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
    bool gains_known[PG_ROWS_MAX]; /* by layer: so were those on both sides of it, and its gains were read off */
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

/* The side from which a layer is compared: by the channels that it makes, or by those that it reads. */
typedef enum pg_view { PG_BY_OUTPUT, PG_BY_INPUT } pg_view;

int pg_align_space_of(const pg_aligner *a, int layer, pg_view by);
bool pg_align_makes(const pg_aligner *a, int layer, int space);
bool pg_align_reads(const pg_aligner *a, int layer, int space);

/* Can the layer's weights be compared channel by channel? The other side must be the same images or classes, or be aligned: its
 * channels to look at those that the layer makes, its gains to look at those that it reads. */
bool pg_align_comparable(const pg_aligner *a, int layer, pg_view by);

/* May filters of the layer have their sign flipped? */
bool pg_align_flips(const pg_aligner *a, int layer);

/* Write the weights of a layer to a->ours and a->theirs, [taps * channels of the other side, channels of the view] each. The
 * other side is in the original's order, with the accused network's gains and scales undone as far as they are known. Returns
 * the number of rows. */
int pg_align_gather(const pg_aligner *a, int layer, pg_view by);

/* Write the cosines of all pairs of channels, in one layer, to a->cosines; 0 for a channel of zeros. */
void pg_align_cosines(pg_aligner *a, int layer, pg_view by);

/* Pair the channels of a space; *changed is set if a pair is another than before. */
PG_CHECKED pg_status pg_align_pair(pg_aligner *a, int space, bool *changed, pg_error *err);

/* Read off the scales of a space and the gains of the layers that make or read it. */
void pg_align_read_factors(pg_aligner *a, int space);

#endif
