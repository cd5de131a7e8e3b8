/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Solving for passports: a forger who knows or has trained an affine shows passports that give it. The affine is that of the
 * network as the thief runs it, with learned affines at its passport layers. */
#ifndef PG_ATTACKS_SOLVE_H
#define PG_ATTACKS_SOLVE_H

#include "attacks/sweep.h"
#include "core/ownership/inversion.h"

/* A copy of the stolen network as the thief runs it: at passport layers a learned affine, that of the public branch if the
 * victim has one. PG_BAD_INPUT, naming the attack, for networks without passport layers, and for PAN, whose perceptron
 * stands between a passport and its gamma and beta. */
PG_CHECKED pg_status pg_solve_copy(const char *attack, const pg_model *victim, pg_model **out, pg_error *err);

/* Turn the signs of a share (0 to 1) of all gammas of the copy, over all layers together, rounded down. With the same seed, a
 * larger share turns the same gammas and more. */
PG_CHECKED pg_status pg_solve_turn_signs(pg_model *copy, double share, pg_seed seed, pg_error *err);

/* Make forged passports, the smallest that give the copy's learned affine in the victim, with the signature that they carry.
 * *miss: see pg_inverter_forge. */
PG_CHECKED pg_status pg_solve_forge(const pg_model *victim, const pg_model *copy, pg_evidence **forged, double *miss,
                                    pg_error *err);

/* A sweep over shares of signs: each outcome has the passports nearest to given ones that give the affine with this share of
 * its signs turned. First in the state of an attack, which declares pg_sweep_progress and pg_sweep_keep. */
typedef struct pg_solver {
    pg_sweep sweep;         /* of shares */
    const pg_reals *shares; /* percent */
    const pg_attack_view *view;
    pg_model *affine, *turned; /* the target affine, owned by the solver and set by the attack; the same with signs turned */
    pg_inverter *inverter;
    pg_evidence *forged;
} pg_solver;

/* Open a solver; the caller calls pg_solver_close, also after a failure. `affine` is a pg_solve_copy, into which the attack
 * puts the target. */
PG_CHECKED pg_status pg_solver_open(pg_solver *solver, const char *attack, const pg_reals *shares, const pg_attack_view *view,
                                    pg_error *err);
void pg_solver_close(pg_solver *solver);

/* Make the next outcome: the passports nearest to those of `from`. It reports the largest error of the affine. */
PG_CHECKED pg_status pg_solver_step(pg_solver *solver, const pg_evidence *from, pg_attack_state *what, pg_outcome *outcome,
                                    pg_error *err);

#endif
