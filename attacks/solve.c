/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Solving for passports; see solve.h. */
#include "attacks/solve.h"

#include "core/base/memory.h"

#include <stddef.h>

pg_status pg_solve_copy(const char *attack, const pg_model *victim, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *copy = NULL;
    const pg_net_spec spec = pg_net_spec_public(&victim->spec);
    if (!spec.passports) return pg_fail(err, PG_BAD_INPUT, "%s: the network has no passport layers", attack);
    if (victim->spec.perceptron)
        return pg_fail(err, PG_BAD_INPUT, "%s: cannot solve for passports behind the perceptron of this scheme", attack);
    PG_TRY(pg_model_create(&spec, &copy, err));
    PG_TRY(pg_model_copy(victim, copy, err));
    *out = copy;
    copy = NULL;
done:
    pg_model_destroy(&copy);
    return status;
}

pg_status pg_solve_turn_signs(pg_model *m, double share, pg_seed seed, pg_error *err)
{
    size_t total = 0;
    uint32_t *order = NULL;
    pg_rng rng;
    for (int i = 0; i < m->passport_count; i++) total += (size_t)pg_model_passport_layer(m, i)->out_channels;
    const pg_status status = pg_alloc(total, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    pg_rng_open(&rng, seed, "turned signs", 0);
    pg_rng_permutation(&rng, order, total);
    for (size_t t = 0; t < (size_t)(share * (double)total); t++) {
        int at = (int)order[t], i = 0;
        while (at >= pg_model_passport_layer(m, i)->out_channels) at -= pg_model_passport_layer(m, i++)->out_channels;
        pg_real *gamma = m->params + pg_model_passport_layer(m, i)->affine[PG_PUBLIC].gamma + at;
        *gamma = -*gamma;
    }
    pg_free(order);
    return PG_OK;
}

pg_status pg_solve_forge(const pg_model *victim, const pg_model *copy, pg_evidence **forged, double *miss, pg_error *err)
{
    pg_status status = PG_OK;
    pg_inverter *inverter = NULL;
    PG_TRY(pg_attack_evidence(&victim->spec, PG_HOLDS_PASSPORTS | PG_HOLDS_AFFINES, pg_passport_kinds[PG_PASSPORT_SHUFFLE],
                              forged, err));
    PG_TRY(pg_inverter_create(victim, &inverter, err));
    PG_TRY(pg_inverter_forge(inverter, copy, *forged, miss, err));
done:
    pg_inverter_destroy(&inverter);
    return status;
}

pg_status pg_solver_open(pg_solver *s, const char *attack, const pg_reals *shares, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    s->sweep.count = shares->count;
    s->shares = shares;
    s->view = view;
    PG_TRY(pg_solve_copy(attack, view->model, &s->affine, err));
    PG_TRY(pg_model_clone(s->affine, &s->turned, err));
    PG_TRY(pg_inverter_create(view->model, &s->inverter, err));
done:
    return status;
}

void pg_solver_close(pg_solver *s)
{
    pg_model_destroy(&s->affine);
    pg_model_destroy(&s->turned);
    pg_inverter_destroy(&s->inverter);
    pg_evidence_destroy(&s->forged);
}

pg_status pg_solver_step(pg_solver *s, const pg_evidence *from, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    double miss;
    const double share = s->shares->values[pg_sweep_next(&s->sweep, what)];
    PG_TRY(pg_model_copy(s->affine, s->turned, err));
    PG_TRY(pg_solve_turn_signs(s->turned, share / 100, s->view->seed, err));
    pg_evidence_destroy(&s->forged);
    PG_TRY(pg_attack_passports(from, &s->forged, err));
    PG_TRY(pg_inverter_forge(s->inverter, s->turned, s->forged, &miss, err));
    *outcome = (pg_outcome){.value = share, .evidence = s->forged, .measures = {{"affine_missed_by", "", miss}}};
done:
    return status;
}
