/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment: undo the rewrites (core/nets/rewrite.h) that separate an accused network from an owner's original.
 *
 * Every channel of the original is paired with one of the accused network, space by space (core/nets/spaces.h). The score of a
 * pair is the sum of the cosines between their weights over every layer that writes or reads the space. If the norm hides the
 * sign of filters, absolute cosines are summed. If images are given, the correlation of the activations is added. The
 * assignment with the largest sum is found exactly; under group norm first inside each pair of groups, then between groups.
 * Scales and gains follow from the pairs: a gain restores the norm and sign of a filter, and a scale that of the weights that
 * read the channel. In the first round, when the layers that read a channel are not aligned yet, the scale restores gamma and
 * beta. Spaces are aligned one after the other, starting at the images, each with the layers around it as they are aligned so
 * far, until a round changes no pair.
 *
 * Source: Ainsworth, Hayase, Srinivasa, "Git Re-Basin: Merging Models modulo Permutation Symmetries", ICLR 2023, algorithm 1,
 * which matches weights under permutations alone. Scales, signs, groups and surplus channels are ours.
 *
 * Whoever brings the original chooses the result of the alignment: filters get the signs that the original has. So bits of
 * evidence that is embedded in the original agree more often than by chance even in an independent network, once that is
 * aligned. The similarity tells the two cases apart. */
#ifndef PG_OWNERSHIP_ALIGN_H
#define PG_OWNERSHIP_ALIGN_H

#include "core/nets/rewrite.h"

/* similarity: mean cosine, over filters, between the original's and their aligned partners. rival: mean over the same filters
 * of the largest absolute cosine with any other filter of the accused layer. Surplus filters that resemble the partner
 * (absolute cosine of 0.7 or more) do not count, because a thief could add copies of every filter and so raise the rival to 1.
 * A network that derives from the original has a similarity far above the rival; in an independent network both are about
 * equally low. A filter of zeros counts as 0, so an original of zeros and a few filters that every network has is similar to
 * none. */
typedef struct pg_alignment {
    pg_model *model;     /* the accused network with the original's channels */
    pg_rewrite *rewrite; /* the rewrite that turns the accused network into it */
    int rounds;
    double similarity, rival;
    double layer_similarity[PG_ROWS_MAX], layer_rival[PG_ROWS_MAX]; /* by row; NaN for rows that write no channels of a space */
} pg_alignment;

/* Align the accused network to the original. Architecture and norm must be the same. Passport layers, branches, number of
 * classes and image size may differ. The accused network may have more channels; the surplus is dropped. images
 * [count,height,width,3] are normalised, or NULL; they are used only if both networks have the same image size and a public
 * branch. An original with only a private branch (V1) has no affine from which scales follow: pass the copy whose public affine
 * holds the values that its passports give (pg_passports_store).
 *
 * The rewrite keeps the function of the deployed branch if no channel is dropped. If a filter of group or instance norm had
 * another magnitude, this holds up to the norm's epsilon. PG_BAD_INPUT if the networks do not fit, PG_FAILED if one holds
 * values that are not finite. The caller ends *out by pg_alignment_clear, also after a failure. */
PG_CHECKED pg_status pg_align(const pg_model *original, const pg_model *accused, const pg_real *images, int count,
                              pg_alignment *out, pg_error *err);
void pg_alignment_clear(pg_alignment *alignment);

/* Does the accused network derive from the original, as far as alignment can tell? It does if the similarity is at least half
 * way from the rival to 1. So the similarity is above 0.5, and a copy passes even if its filters resemble each other, as those
 * of a marked layer do. */
double pg_similarity_needed(double rival);
bool pg_alignment_derives(const pg_alignment *alignment);

#endif
