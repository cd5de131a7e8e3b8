/* Where the gammas of the passport layers lie: a histogram in the record of a training. */
#ifndef PG_WORK_GAMMAS_H
#define PG_WORK_GAMMAS_H

#include "core/ownership/evidence.h"
#include "experiments/work/record.h"

enum { PG_GAMMA_BINS = 20 }; /* to a gamma of 1; zero lies between two */

/* Cells "gamma=CENTRE", metric "gamma_channels": how many channels have their gamma in that bin, for bins with any. With
 * passports it is the gamma that carries the signature; without evidence, the norm's own at the layers that would have
 * passports. Nothing where there is neither. */
PG_CHECKED pg_status pg_gammas_record(const pg_model *model, const pg_evidence *evidence, pg_record *record, pg_error *err);

#endif
