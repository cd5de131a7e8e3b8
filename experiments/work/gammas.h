/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A histogram of the gammas of the passport layers, in the record of a training. */
#ifndef PG_WORK_GAMMAS_H
#define PG_WORK_GAMMAS_H

#include "core/ownership/evidence.h"
#include "experiments/work/record.h"

enum { PG_GAMMA_BINS = 20 }; /* per unit of gamma; zero is the border of two bins */

/* Add cells "gamma=CENTRE", metric "gamma_channels": the number of channels with their gamma in that bin, for each bin that has
 * any. If the evidence has passports, gamma is that which carries the signature. Without evidence, gamma is the norm's at the
 * layers that could have passports. Otherwise adds nothing. */
PG_CHECKED pg_status pg_gammas_record(const pg_model *model, const pg_evidence *evidence, pg_record *record, pg_error *err);

#endif
