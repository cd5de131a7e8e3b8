/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many more bits or triggers a claim needs; see judge_hearing.h. */
#include "experiments/commands/judge_hearing.h"

#include <math.h>
#include <stdio.h>

static void say_count(const pg_finding *f, int enough, char out[PG_ENOUGH_MAX])
{
    const bool triggers = f->claim == PG_CLAIM_TRIGGERS;
    const int count = triggers ? f->trigger_count : f->bits;
    const char *unit = triggers ? "triggers" : "bits";
    if (!count)
        snprintf(out, PG_ENOUGH_MAX, "evidence for this network");
    else if (enough > count)
        snprintf(out, PG_ENOUGH_MAX, "evidence with more %s; not even all %d of these would be enough", unit, count);
    else
        snprintf(out, PG_ENOUGH_MAX, "%d of %d %s; %d agree", enough, count, unit, f->agree);
}

const char *pg_enough_to_agree(const pg_claimant *k, const pg_verify_options *options, char out[PG_ENOUGH_MAX])
{
    const pg_finding *f = &k->finding;
    out[0] = 0;
    if (f->agrees || k->refused[0]) return out;
    if (f->useless)
        snprintf(out, PG_ENOUGH_MAX, "nothing: the network is no better than guessing");
    else if (!f->significant)
        say_count(f, f->enough, out);
    else if (!f->decidable)
        snprintf(out, PG_ENOUGH_MAX, "the accuracy as deployed (--accuracy or --distributed)");
    else
        snprintf(out, PG_ENOUGH_MAX, "an accuracy of %.2f %% with this evidence, better than guessing; it is %.2f %%",
                 fmax(f->reference - options->tolerance, 0), pg_finding_accuracy(f)->exact);
    return out;
}

const char *pg_enough_to_prove(const pg_claimant *k, const pg_verify_options *options, char out[PG_ENOUGH_MAX])
{
    const pg_finding *f = &k->finding;
    out[0] = 0;
    if (f->proves) return out;
    if (k->refused[0])
        snprintf(out, PG_ENOUGH_MAX, "an evidence file that can be used");
    else if (!f->bound)
        snprintf(out, PG_ENOUGH_MAX, "evidence bound to a secret before the training");
    else if (f->seed_refused)
        snprintf(out, PG_ENOUGH_MAX, "evidence from a secret that nobody else can know (passgrid secret new)");
    else if (f->unstamped && f->proof_bits >= options->proof)
        snprintf(out, PG_ENOUGH_MAX, "a stamp of evidence and original that is older than the network (--stamp, --published)");
    else
        say_count(f, f->enough_to_prove, out);
    return out;
}
