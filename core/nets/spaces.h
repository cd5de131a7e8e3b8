/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Channel spaces: the channels of a network that must be reordered or scaled together.
 *
 * A space is the set of channels that one or more convolutions or dense layers write (its producers) and other convolutions or
 * dense layers read (its consumers). Pools, norms of their own, dropout, additions and depthwise convolutions pass channels on.
 * An addition adds
 * channel by channel, so its operands and its result are one space; therefore all blocks of a stage of a ResNet share one. The
 * channels of the images and the classes belong to no space, because nobody may reorder them. A dense layer after an image
 * reads every channel at every pixel. */
#ifndef PG_NETS_SPACES_H
#define PG_NETS_SPACES_H

#include "core/nets/layout.h"

enum { PG_FIXED = -1 };                     /* in place of a space: images, classes, channels of a convolution in groups */
#define PG_NORM_EPS ((double)(pg_real)1e-5) /* the epsilon that every norm adds to its variances */

typedef struct pg_spaces {
    int count;
    int channels[PG_ROWS_MAX];             /* by space */
    int in[PG_ROWS_MAX], out[PG_ROWS_MAX]; /* by row: the space of its input and of its output, or PG_FIXED */
} pg_spaces;

/* A convolution whose filter o reads channel o alone. It writes channels of the space that it reads, as a norm of its own does,
 * but has weights. */
bool pg_layer_is_depthwise(const pg_layer *layer);

/* Spaces are numbered in the order of their first producers. */
void pg_spaces_find(const pg_layout *layout, pg_spaces *out);

/* Does the layer have weights, and do they write (makes) or read channels of this space? A depthwise convolution makes them and
 * does not read them. */
bool pg_layer_makes(const pg_layout *layout, const pg_spaces *spaces, int layer, int space);
bool pg_layer_reads(const pg_layout *layout, const pg_spaces *spaces, int layer, int space);

/* The number of adjacent channels that a permutation must keep together: those of a group if group norm normalises them, else
 * one. */
int pg_space_block(const pg_layout *layout, const pg_spaces *spaces, int space);

/* The weights of a convolution or of a dense layer as one array of three indices: tap (a place in the kernel, or a pixel),
 * input channel of a filter, output channel. Steps are in elements. */
typedef struct pg_filters {
    int taps, inputs, outputs;
    ptrdiff_t tap_step, input_step, output_step;
} pg_filters;

pg_filters pg_layer_filters(const pg_layer *layer);

#endif
