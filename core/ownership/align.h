/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment: undo the rewrites (core/nets/rewrite.h) that separate an accused network from an owner's original.
 *
 * Every channel of the original is paired with one of the accused network, space by space (core/nets/spaces.h). The score of a
 * pair is the sum of the cosines between their weights in every layer that makes or reads the space, between filters whose sign
 * the norm hides in absolute value, and, where images are given, the correlation of their activations. The assignment with the
 * largest sum is found exactly; under group norm first inside each pair of groups, then between groups. Scales and gains are
 * then read off: a gain restores a filter's norm and sign, a scale that of the weights that read the channel; at first, when
 * the layers that read it are not aligned yet, that of gamma and beta. Spaces are aligned one after the other, from the images
 * on, each with the layers around it as aligned so far, until a round changes no pair.
 *
 * Source: Ainsworth, Hayase, Srinivasa, "Git Re-Basin: Merging Models modulo Permutation Symmetries", ICLR 2023, algorithm 1,
 * which matches weights under permutations alone; scales, signs, groups and surplus channels are ours.
 *
 * Alignment is a choice that the bringer of the original makes: it gives filters the signs that the original has. So bits of
 * evidence that is embedded in the original agree more often than by chance even in an independent network once that is
 * aligned; the similarity tells the two cases apart. */
#ifndef PG_OWNERSHIP_ALIGN_H
#define PG_OWNERSHIP_ALIGN_H

#include "core/nets/rewrite.h"

/* similarity: mean cosine, over filters, between the original's and their aligned partners. rival: mean over the same filters
 * of the largest absolute cosine with any other filter of the accused layer. Surplus filters that resemble the partner
 * (absolute cosine of 0.7 or more) do not count: a thief could add copies of every filter, which would bring the rival to 1. A
 * network derived from the original has a similarity far above the rival; that of an independent one is about as low. A filter
 * of zeros counts as 0: an original made of zeros and of a few filters that every network has is similar to none. */
typedef struct pg_alignment {
    pg_model *model;     /* the accused network with the original's channels */
    pg_rewrite *rewrite; /* from the accused network to that */
    int rounds;
    double similarity, rival;
    double layer_similarity[PG_ROWS_MAX], layer_rival[PG_ROWS_MAX]; /* by row; NaN for rows that make no channels of a space */
} pg_alignment;

/* Align the accused network to the original. The architecture and the norm are the same; passport layers, branches, number of
 * classes and image size may differ; the accused network may have more channels, and the surplus is dropped. images [count,
 * height,width,3] are normalised, or NULL; they are used only if both networks have the same image size and a public branch. An
 * original that has only a private branch (V1) tells no scales of its affine: give the copy whose public affine holds those of
 * its passports (pg_passports_store).
 *
 * The rewrite keeps the deployed branch's function if no channel is dropped, up to the norm's epsilon where a filter of group
 * or instance norm had another magnitude. PG_BAD_INPUT if the networks do not fit, PG_FAILED if one holds values that are not
 * finite. *out is ended by pg_alignment_clear, also after a failure. */
PG_CHECKED pg_status pg_align(const pg_model *original, const pg_model *accused, const pg_real *images, int count,
                              pg_alignment *out, pg_error *err);
void pg_alignment_clear(pg_alignment *alignment);

/* Does the accused network derive from the original, as far as alignment can see? The similarity is at least half way from the
 * rival to 1. So it is above 0.5, and a copy passes even if its filters resemble each other, as those of a marked layer do. */
double pg_similarity_needed(double rival);
bool pg_alignment_derives(const pg_alignment *alignment);

#endif
