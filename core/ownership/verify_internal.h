/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by verify.c, which reads evidence, and weigh.c, which weighs findings. */
#ifndef PG_OWNERSHIP_VERIFY_INTERNAL_H
#define PG_OWNERSHIP_VERIFY_INTERNAL_H

#include "core/ownership/verify.h"

/* Probability that an unmarked network answers a trigger as labelled: by guessing, or by the published test of the scheme that
 * the evidence names, whichever is larger. */
double pg_finding_guess(const pg_finding *finding);

/* Bits of proof of bound evidence; the fewest bits or triggers that would prove (one more: not even all do). */
double pg_finding_proof(const pg_finding *finding, const pg_judge_setup *setup);
int pg_finding_enough(const pg_finding *finding, const pg_judge_setup *setup);

#endif
