/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cost of the tasks of a grid in multiply-adds, and the memory of a rank, both roughly and before anything runs. */
#ifndef PG_GRID_PRICE_H
#define PG_GRID_PRICE_H

#include "core/nets/layout.h"
#include "experiments/grid/design.h"

/* The cost of running a model of one scheme. */
typedef struct pg_price {
    double forward;     /* multiply-adds of an image through every branch */
    double train, test; /* images of the data set in use */
    int classes;
} pg_price;

/* The layout of the network that a scheme wires. PG_BAD_INPUT if the network cannot be built on the data set. */
PG_CHECKED pg_status pg_price_layout(const pg_design_data *data, const pg_network_options *network, const pg_scheme *scheme,
                                     const void *options, pg_layout *out, pg_error *err);

pg_price pg_price_of(const pg_design_data *data, const pg_layout *layout);

/* Bytes of a rank that trains a network, roughly: the files of the data set and its pixels; parameters with gradient, momentum,
 * the best ones and a checkpoint of them; activations of a batch with their gradients and workspace; the program. */
double pg_price_bytes(const pg_design_data *data, const pg_layout *layout, const pg_train_options *train);

/* A training step costs a forward pass and two products of the same size backward. A measurement costs a forward pass over the
 * test images. */
double pg_price_training(const pg_price *price, const pg_train_options *train);

/* The training and the measurements of an attack, likewise. */
double pg_price_attack(const pg_price *price, const pg_design_attack *attack);

#endif
