/* Null evidence that was drawn before: kept below the data directory, so that judging a model again is quick. */
#ifndef PG_EXPERIMENTS_NULLS_CACHE_H
#define PG_EXPERIMENTS_NULLS_CACHE_H

#include "core/ownership/verify.h"

/* As pg_nulls_draw. The draw is found again by a hash of all that it depends on; what cannot be read is drawn anew, what cannot
 * be kept is not. directory: of the data sets, NULL: the default one. */
PG_CHECKED pg_status pg_nulls_cached(const char *directory, const pg_model *model, const pg_evidence *evidence,
                                     const pg_dataset *test, pg_pixels pixels, int count, pg_seed seed, pg_nulls *out,
                                     pg_error *err);

#endif
