/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our results beside published ones.
 *
 * A published number is compared with each of our settings that it describes: data, network, norm, scheme and attack with their
 * options, over all seeds and repetitions. If no setting fits, settings of a smaller run stand in: a sibling of the network
 * (resnet9 for resnet18), or another data set to transfer to.
 *
 *   reproduced   at the published or the converged scale our mean is within the tolerance, or every trial keeps the bound
 *   same shape   otherwise, if the inequality about its shape holds here too
 *   differs      the inequality fails; or, at these scales, the number is another and has no inequality
 *   not comparable at this scale   a reduced run, and no inequality
 *
 * Published claims are checked only on networks that learnt (pg_has_learnt), because a network at chance neither supports nor
 * refutes them.
 *
 * The published scale is the whole data set, the whole width, 200 epochs of training and 100 of an attack that trains, or as
 * many as the number's own parameters name. There the tolerance is 2 points. The converged scale is the whole data set and
 * width too, trained for fewer epochs, where the plain network is at most 1 point below a published one (only CSV rows about
 * the same data, network and norm count). There the tolerance is 1 point or the standard deviation over our seeds, whichever is
 * more, and 2 points for a number that was read off a figure. At both it is 2 % for a number that is no percentage. */
#ifndef PG_REPORT_COMPARE_H
#define PG_REPORT_COMPARE_H

#include "experiments/report/published.h"
#include "experiments/report/summary.h"

typedef enum pg_verdict { PG_REPRODUCED, PG_SAME_SHAPE, PG_DIFFERS, PG_NOT_COMPARABLE, PG_VERDICTS } pg_verdict;
extern const char *const pg_verdict_names[];

/* Fill two empty tables: the numbers, and the inequalities alone with "yes", "no" or "not asked" in column PG_CHECKS_HOLDS.
 * counts [PG_VERDICTS] of the rows of the first. */
enum { PG_CHECKS_HOLDS = 7 };
/* Columns of the first: the place is data, network, norm and scheme. */
enum {
    PG_NUMBERS_ID = 0,
    PG_NUMBERS_PLACE = 5,
    PG_NUMBERS_SCALE = 10,
    PG_NUMBERS_VERDICT,
    PG_NUMBERS_PUBLISHED,
    PG_NUMBERS_OURS,
    PG_NUMBERS_DIFFERENCE,
    PG_NUMBERS_SOURCE
};
PG_CHECKED pg_status pg_compare(const pg_published *published, const pg_summary *summary, pg_table *numbers, pg_table *checks,
                                int *counts, pg_error *err);

#endif
