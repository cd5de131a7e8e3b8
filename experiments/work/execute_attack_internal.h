/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What execute_attack.c, which runs an attack, and execute_outcome.c, which judges what it yields, share. */
#ifndef PG_WORK_EXECUTE_ATTACK_INTERNAL_H
#define PG_WORK_EXECUTE_ATTACK_INTERNAL_H

#include "experiments/work/execute_internal.h"
#include "experiments/work/saving.h"

typedef struct pg_attack_work {
    const pg_task *task;
    const pg_workplace *at;
    pg_data data, other;
    pg_dataset fresh;
    pg_model *victim, *pretrained, *running, *references[PG_REFERENCES_MAX];
    pg_model *shape;                /* of the victim, for an attacker who sees its answers alone */
    pg_oracle *answers;             /* of the victim */
    pg_evidence *evidence, *forged; /* the owner's; that which the earlier attack forged, NULL: none */
    pg_evidence *passports;         /* with which the earlier attack of the chain sells its network; NULL: the owner's */
    pg_judge *judge;                /* of claims on the unchanged victim */
    pg_finding genuine;             /* of the owner's evidence, on the unchanged victim */
    pg_attack_view view;
    struct {
        double images, macs, queries;
    } spent; /* by earlier attacks of the chain */
    void *state;
    bool started, genuine_known;
    bool moved; /* the latest network was judged on the other data set */
    pg_record *record;
    pg_saving saving;
} pg_attack_work;

/* The passports that are distributed with the network. */
const pg_evidence *pg_attack_distributed(const pg_attack_work *w);

/* Judge an outcome. If it has a changed model, the owner's evidence is judged on it; if it has forged evidence, that is judged
 * on its model. The row is NAME ("level=10"); if an outcome has both, NAME is the owner's and "attacker" the forger's. */
PG_CHECKED pg_status pg_attack_judge(pg_attack_work *w, pg_outcome *o, pg_record *record, pg_error *err);

#endif
