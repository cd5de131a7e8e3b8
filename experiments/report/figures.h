/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of a run: for each one DIR/figures/NAME.csv with its points and NAME.gp, a gnuplot script that draws NAME.svg and
 * NAME.png and NAME.pdf from them. For every data set, network and norm:
 *   learning       test accuracy after every epoch, per scheme and branch
 *   pruning, ...   accuracy and detection along the axis of each attack that declares such a curve, per scheme
 *   forged         histogram of the accuracy with genuine passports and with those of attacks that declare trials, per scheme
 *   gamma          histogram of the gammas of passport layers, those of the plain network's norms beside them
 *   dissimilarity  accuracy against the share of the signature in which forged passports differ, per scheme and attack
 *   roc            true claims against false ones, per scheme and kind of evidence
 * A figure without points is left out. */
#ifndef PG_REPORT_FIGURES_H
#define PG_REPORT_FIGURES_H

#include "experiments/report/figure.h"
#include "experiments/report/published.h"
#include "experiments/report/summary.h"

/* Write points and scripts to written->directory. published may be NULL; otherwise its curves are drawn beside ours. */
PG_CHECKED pg_status pg_figures_write(const pg_summary *summary, const pg_published *published, pg_figures *written,
                                      pg_error *err);

#endif
