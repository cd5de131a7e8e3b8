/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The deployed network as a service: it answers images, and its weights stay hidden. */
#ifndef PG_ATTACKS_ORACLE_H
#define PG_ATTACKS_ORACLE_H

#include "core/data/dataset.h"
#include "core/nets/model.h"

#include "core/data/batch.h"

typedef struct pg_oracle pg_oracle;

/* Copies running, whose public branch answers. */
PG_CHECKED pg_status pg_oracle_open(const pg_model *running, pg_pixels pixels, pg_oracle **out, pg_error *err);
void pg_oracle_close(pg_oracle **oracle);

/* Compute the logits [n,classes] of the images from .. from + n - 1, which must have the size of the network's images. */
void pg_oracle_ask(pg_oracle *oracle, const pg_dataset *images, int from, int n, pg_real *logits);

/* The class with the largest logit; of equals, the first. */
int pg_oracle_class(const pg_real *logits, int classes);

/* Multiply-adds for one answer. */
double pg_oracle_macs(const pg_oracle *oracle);

#endif
