/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A mark in the weights of some convolutions, its sites: bits read by a secret key.
 *
 * Most marks are read by a bank of filters X, `bits` of them, each of the shape of the sites' filters in turn. w is the mean
 * over the output filters of each site, one site after the other. Bit j follows from z_j = X_j . w:
 *
 *   SIGNS   z_j > 0. Embedded by E = sum_j BCE(sigmoid(z_j), b_j).
 *           Source: Uchida, Nagai, Sakazawa, Satoh, ICMR 2017, section 3; its code, watermark_regularizers.py.
 *   HALVES  z_j > 1/2: the network carries zeros and ones. Source: as the scheme that draws uniform filters says.
 *   WAVES   sin(PG_WAVES z_j) > 0, with filters of length 1. Source: as the scheme that draws waves says.
 *
 * The other forms read the weights of all sites as one list, site after site, each in the state dict's order:
 *
 *   FILTERED   reads another w, of `pooled` values. Its bits choose the weights: in every round the list is cut to a multiple
 *              of the number of bits; the bits are laid along it again and again; the weights under a +1 stay. The list that is
 *              left is cut to rows of `pooled` weights, and w is the mean of the rows. Free bits are the first of SHAKE-256
 *              over the projection [pooled,bits] as float32, the highest bit of a byte first, so that nobody can choose both.
 *              Source: Yao, Song, Jin, AAAI 2026, arXiv 2507.11137; its code, tools/ks_generator.py and tools/embed_loss.py.
 *   RESIDUALS  cuts the list to a multiple of `pooled` and averages it to bits * pooled cells as evenly as it can (a cell of a
 *              short list holds one or two weights, which neighbours share). z_j is the sum of the larger half of the j-th
 *              `pooled` cells, by absolute value, over `pooled`; bit j is its sign. There is no projection.
 *
 *   ACTIVATIONS are not weights: the values that enter a layer, convolution or dense, for the pictures of the evidence, with
 * the running statistics. m_k is the mean over the pictures of class k. The projection is [values,bits], and z_j is its column
 * j times m_k with k = j modulo the classes; bit j is its sign. Read by reading.h, which runs pictures.
 *
 *   PLACED     z_j is the sum over k < pooled of the value [k,j] times the weight at the place [k,j]; bit j is its sign. No
 *              two values have the same place.
 *
 *   EXTRACTOR  a perceptron that is trained with the network reads w. Its `pooled` hidden units are h = sigmoid(U . w), with
 * the first `width` rows of the projection as U; z_j is row j of the other rows times h; bit j is its sign. There are no
 * biases. Source: Wang, Kerschbaum, WWW 2021.
 *
 *   REBUILT    z is the pictures that an autoencoder rebuilds (autoencoder.h), [bits/64,64]; its encoder is the weights at the
 *              places [pooled,64], each over 8 times the standard deviation of its site's first weights: an encoder's entries
 * are about 1/8, and would be the first weights to be pruned. The bits are the signs of the pictures, so nobody can choose
 * both. Source: Lv, Li, Zhang, Chen, Liang, IEEE TPAMI 2023.
 *
 * A reading of exactly zero carries no bit, so a network without weights carries no mark; but an extractor reads 1/2 from each
 * hidden unit there. */
#ifndef PG_OWNERSHIP_MARK_H
#define PG_OWNERSHIP_MARK_H

#include "core/data/batch.h"
#include "core/formats/options.h"
#include "core/ownership/evidence.h"

#define PG_WAVES 10.0
enum { PG_MARK_VALUES_MAX = 1 << 26 }; /* of a projection */

/* The row of an option `layers`, a text in the options struct T. */
#define PG_MARK_LAYERS(T, fallback) PG_TEXT(T, layers, fallback, PG_MARK_LAYERS_HELP)
#define PG_MARK_LAYERS_HELP                                                                                                    \
    "marked convolutions, read as one: default (the first that carries a passport by default), all, first N or last N in the " \
    "network's order, or names separated by spaces"

/* How a projection is drawn. GAUSSIAN (the authors' "random"): all entries standard normal. DIRECT: each filter has a single 1,
 * DIFF: a 1 and a -1, all at distinct random positions. SIGNS: all entries -1 or +1; bound evidence takes these, since they
 * follow from a secret without arithmetic on real numbers. FILTERED: of filtered marks, standard normal unless they are bound.
 * UNIFORM: in [0, 1). CENTRED: in [-1/2, 1/2). WAVES: standard normal, then scaled to length 1. RESIDUALS: of residuals,
 * which have none. PLACED: values of a Laplace distribution of variance 1 at random places.
 * ACTIVATIONS: standard normal. EXTRACTOR: normal, U of a deviation with which the hidden units of a network with first weights
 * spread, the other rows of 1 / sqrt(pooled). REBUILT: random places alone; autoencoder and pictures stay. */
typedef enum pg_mark_kind {
    PG_MARK_GAUSSIAN,
    PG_MARK_DIRECT,
    PG_MARK_DIFF,
    PG_MARK_SIGNS,
    PG_MARK_FILTERED,
    PG_MARK_UNIFORM,
    PG_MARK_CENTRED,
    PG_MARK_WAVES,
    PG_MARK_RESIDUALS,
    PG_MARK_PLACED,
    PG_MARK_ACTIVATIONS,
    PG_MARK_EXTRACTOR,
    PG_MARK_REBUILT
} pg_mark_kind;
extern const char *const pg_mark_kinds[];  /* names, ended by NULL */
extern const pg_mark_form pg_mark_forms[]; /* how a mark of each kind is read */

/* The form in which marks of the kind of that name are read; SIGNS for a name that is no kind. */
pg_mark_form pg_mark_form_of(const char *kind);

/* ---- an object (mark.c) ---- */

/* Allocate projection, places and b by the sizes of the mark. After a failure it keeps the memory that was allocated. */
PG_CHECKED pg_status pg_mark_allocate(pg_mark *mark, pg_error *err);
void pg_mark_clear(pg_mark *mark);

/* *to is ended by pg_mark_clear, also after a failure. */
PG_CHECKED pg_status pg_mark_copy(const pg_mark *from, pg_mark *to, pg_error *err);

/* Number of values with which each filter of the projection is multiplied: for a bank and an extractor the taps of all sites; 0
 * for residuals, which have none. */
int pg_mark_width(const pg_mark *mark);

/* Rows and columns of the projection, and of the places (0 if the mark has none). */
void pg_mark_shape(const pg_mark *mark, size_t shape[2]);
void pg_mark_place_shape(const pg_mark *mark, size_t shape[2]);

/* Number of values of the projection, and of places. */
size_t pg_mark_values(const pg_mark *mark);
size_t pg_mark_place_count(const pg_mark *mark);

/* Does the mark read mean filters by a bank of filters? */
bool pg_mark_is_bank(const pg_mark *mark);

/* The names of its sites, separated by a blank. */
void pg_mark_names(const pg_mark *mark, char names[PG_MARK_NAMES_MAX]);

/* Number of entries other than zero in each filter of a kind, at positions that no other filter uses; 0: all entries. */
int pg_mark_ones(pg_mark_kind kind);

/* Number of weights of all sites of a mark that is not read by a bank. */
int pg_mark_weights(const pg_mark *mark);

/* The text that chooses the sites of a mark in a network of the spec. PG_BAD_INPUT if it is too long, or a site is missing. */
PG_CHECKED pg_status pg_mark_name_layers(const pg_mark *mark, const pg_net_spec *spec, char text[PG_TEXT_MAX], pg_error *err);

/* The convolution of that name; NULL if the model has none. The convolution or dense layer of that name. */
const pg_layer *pg_mark_find(const char *layer, const pg_model *model);
const pg_layer *pg_mark_find_reader(const char *layer, const pg_layout *layout);

/* Number of values that enter a layer. */
int pg_mark_values_into(const pg_layer *layer);

/* PG_BAD_INPUT, naming the layer, if one is missing or has another shape than the mark. */
PG_CHECKED pg_status pg_mark_fit(const pg_mark *mark, const pg_model *model, pg_error *err);

/* ---- made for a network (mark_create.c) ---- */

/* A zero mark of the right size for convolutions of the network that `layers` chooses (choice.h). "default" is the first layer
 * that carries a passport by default, so that marks and passports are compared in one place. The kind is one of a bank.
 * PG_BAD_INPUT if there is no such convolution, or a projection of that kind has too few positions. *out is ended by
 * pg_mark_clear, also after a failure. */
PG_CHECKED pg_status pg_mark_create(const pg_net_spec *spec, const char *layers, int bits, pg_mark_kind kind, pg_mark *out,
                                    pg_error *err);

/* The same for a filtered mark. PG_BAD_INPUT also if the layers have fewer than four rows of `pooled` weights per 2^rounds,
 * half of them being left after each round. */
PG_CHECKED pg_status pg_mark_create_filtered(const pg_net_spec *spec, const char *layers, int bits, int rounds, int pooled,
                                             pg_mark *out, pg_error *err);

/* The same for the kinds RESIDUALS, PLACED, EXTRACTOR and REBUILT. PG_BAD_INPUT also if the layers have fewer weights than
 * bits, or than places, or the extractor has more than PG_MARK_VALUES_MAX values. */
PG_CHECKED pg_status pg_mark_create_listed(const pg_net_spec *spec, const char *layers, int bits, pg_mark_kind kind, int pooled,
                                           pg_mark *out, pg_error *err);

/* The same for activations of pictures that are normalised by `pixels`; "default" is the last dense layer. PG_BAD_INPUT if the
 * network has no such layer, its input is the image, or it has too many values. */
PG_CHECKED pg_status pg_mark_create_activations(const pg_net_spec *spec, const char *layer, int bits, pg_pixels pixels,
                                                pg_mark *out, pg_error *err);

/* The check of pg_mark_create against the shape of a model, without making a mark. */
PG_CHECKED pg_status pg_mark_check(const pg_model *model, const char *layers, int bits, pg_mark_kind kind, pg_error *err);

/* PG_BAD_INPUT if a mark of the kind has another form, or the mark's bits do not fit: a projection needs one position a bit for
 * DIRECT and two for DIFF, residuals need a weight a bit, and a placed mark needs a weight a place. */
PG_CHECKED pg_status pg_mark_fits(const pg_mark *mark, pg_mark_kind kind, pg_error *err);

/* ---- drawn, and checked (mark_draw.c) ---- */

/* Draw the projection; the bits stay, but those of a filtered mark become its hash. PG_BAD_INPUT for a mark that does not fit
 * the kind. */
PG_CHECKED pg_status pg_mark_draw(pg_mark *mark, pg_mark_kind kind, pg_rng *rng, pg_error *err);

/* Encoder and decoder of a rebuilt mark, [pooled,64]. Give it these pictures [bits/64,64], and the bits that follow. */
pg_real *pg_mark_encoder(const pg_mark *mark);
pg_real *pg_mark_decoder(const pg_mark *mark);
void pg_mark_show(pg_mark *mark, const pg_real *pictures);

/* The key that a scheme makes from its seed: a drawn projection, and random bits unless the mark is filtered. */
PG_CHECKED pg_status pg_mark_draw_key(pg_mark *mark, pg_mark_kind kind, pg_seed seed, pg_error *err);

/* PG_BAD_INPUT unless the projection is one that its kind allows: the entries of uniform and centred filters are in their
 * range, filters of waves have length 1, places are those of the mark's weights and no two are the same, and the bits of a free
 * filtered mark are the hash of its projection. */
PG_CHECKED pg_status pg_mark_check_projection(const pg_mark *mark, const char *kind, bool bound, pg_error *err);

/* PG_BAD_INPUT unless the bits of a filtered mark are the hash of its projection. */
PG_CHECKED pg_status pg_mark_check_hash(const pg_mark *mark, pg_error *err);

/* PG_BAD_INPUT if the bits of a filtered mark choose no row. */
PG_CHECKED pg_status pg_mark_check_rows(const pg_mark *mark, pg_error *err);

/* ---- read and embedded in a model that it fits (mark_read.c) ---- */

/* Number of rows of weights that the bits of a filtered mark choose in layers that it fits. With 0 rows the mark reads
 * nothing. */
int pg_mark_rows(const pg_mark *mark);

/* z [bits], in double, of a mark in weights. */
void pg_mark_read(const pg_mark *mark, const pg_model *model, double *z);

/* z of activations, given the mean of each class [classes,values]. */
void pg_mark_read_means(const pg_mark *mark, int classes, const double *means, double *z);

/* What tells the bits by its sign [bits]: z, or as HALVES and WAVES say. */
void pg_mark_project(const pg_mark *mark, const pg_model *model, double *projected);

/* w, the mean filters [kernel,kernel,inputs] of the sites in turn, of a mark that reads them. */
void pg_mark_mean_filter(const pg_mark *mark, const pg_model *model, double *mean);

/* Number of taps of a filter of the layer, and tap j of its mean filter. */
int pg_mark_taps(const pg_layer *layer);
double pg_mark_mean_tap(const pg_model *model, const pg_layer *layer, int j);

/* Add strength * slope [bits], the derivative of a loss by z, carried back to the weights, to their gradients. gradients is
 * laid out as the model's params. Nothing for a rebuilt mark. */
void pg_mark_carry_back(const pg_mark *mark, const pg_model *model, double strength, const double *slope, pg_real *gradients);

/* strength * E, and its gradient. */
double pg_mark_loss(const pg_mark *mark, const pg_model *model, double strength, pg_real *gradients);

/* Put b_j value [k,j] * scale * s at every place [k,j] of a placed mark, where s = sqrt(2 / (outputs kernel^2)) is the standard
 * deviation of the site's first weights; of a rebuilt mark, 8 value * scale * s of the encoder. */
void pg_mark_place(const pg_mark *mark, pg_model *model, double scale);

#endif
