/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who was first; see origin.h. */
#include "core/ownership/origin.h"

#include "core/ownership/align.h"

#include <math.h>
#include <string.h>

const char *pg_standing_text(pg_standing standing)
{
    static const char *const texts[] = {
        [PG_STANDS_FIRST] = "its original is the first",
        [PG_STANDS_LATER] = "its original is stamped later than another",
        [PG_STANDS_TIED] = "another original is stamped at the same time",
        [PG_STANDS_MIXED] = "evidence of another claimant proves in its original",
        [PG_STANDS_WITHOUT_ORIGINAL] = "it has no original",
        [PG_STANDS_WITHOUT_STAMP] = "its original has no stamp that holds",
        [PG_STANDS_UNPROVED] = "its evidence does not prove in its original",
        [PG_STANDS_UNRELATED] = "the network does not derive from its original",
    };
    return texts[standing];
}

const char *pg_origin_text(pg_origin_reason reason)
{
    static const char *const texts[] = {
        [PG_ORIGIN_UNKNOWN] = "no claim is shown to be first",
        [PG_ORIGIN_BY_DATE] = "its original is stamped first, of those that carry only their own evidence",
        [PG_ORIGIN_BY_CONTENT] = "its original alone carries only its own evidence",
        [PG_ORIGIN_UNOPPOSED] = "no other claimant has a stamped original from which the network derives",
    };
    return texts[reason];
}

/* ---- the rule ---- */

static bool same_claimant(const pg_pair *a, const pg_pair *b)
{
    const pg_binding *x = &a->evidence->binding, *y = &b->evidence->binding;
    return memcmp(&x->secret, &y->secret, sizeof x->secret) == 0 && strcmp(x->statement, y->statement) == 0;
}

static pg_standing admit(const pg_pair *pair, int self)
{
    const pg_alignment alignment = {.similarity = pair->similarity, .rival = pair->rival};
    if (!pair->original) return PG_STANDS_WITHOUT_ORIGINAL;
    if (!pair->stamped) return PG_STANDS_WITHOUT_STAMP;
    if (!pair->proves[self]) return PG_STANDS_UNPROVED;
    return pg_alignment_derives(&alignment) ? PG_STANDS_FIRST : PG_STANDS_UNRELATED;
}

/* Does another claimant's evidence prove in this original, and this claimant's not in his? */
static bool is_mixed(const pg_pair *pairs, const bool *admitted, int count, int self)
{
    for (int i = 0; i < count; i++)
        if (!same_claimant(&pairs[i], &pairs[self]) && pairs[self].proves[i] && !(admitted[i] && pairs[i].proves[self]))
            return true;
    return false;
}

/* Rank the remaining pairs by their stamps. Pairs of one claimant do not compete. */
static void rank(pg_pair *pairs, int count)
{
    bool left[PG_PAIRS_MAX];
    for (int i = 0; i < count; i++) left[i] = pairs[i].standing == PG_STANDS_FIRST;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count && left[i]; k++) {
            if (!left[k] || same_claimant(&pairs[i], &pairs[k])) continue;
            if (pairs[k].when < pairs[i].when) pairs[i].standing = PG_STANDS_LATER;
            if (pairs[k].when == pairs[i].when && pairs[i].standing == PG_STANDS_FIRST) pairs[i].standing = PG_STANDS_TIED;
        }
}

/* Does another claimant have a pair of one of these standings? */
static bool has_rival(const pg_pair *pairs, int count, int self, pg_standing least, pg_standing most)
{
    for (int i = 0; i < count; i++)
        if (!same_claimant(&pairs[i], &pairs[self]) && pairs[i].standing >= least && pairs[i].standing <= most) return true;
    return false;
}

/* The remaining pair that was stamped first. The remaining pairs all belong to one claimant; the others become later. -1 if
 * there is none. */
static int keep_earliest(pg_pair *pairs, int count)
{
    int first = -1;
    for (int i = 0; i < count; i++)
        if (pairs[i].standing == PG_STANDS_FIRST && (first < 0 || pairs[i].when < pairs[first].when)) first = i;
    for (int i = 0; i < count; i++)
        if (pairs[i].standing == PG_STANDS_FIRST && i != first)
            pairs[i].standing = pairs[i].when > pairs[first].when ? PG_STANDS_LATER : PG_STANDS_TIED;
    return first;
}

pg_origin pg_origin_decide(pg_pair *pairs, int count)
{
    bool admitted[PG_PAIRS_MAX];
    for (int i = 0; i < count; i++) pairs[i].standing = admit(&pairs[i], i);
    for (int i = 0; i < count; i++) admitted[i] = pairs[i].standing == PG_STANDS_FIRST;
    for (int i = 0; i < count; i++)
        if (admitted[i] && is_mixed(pairs, admitted, count, i)) pairs[i].standing = PG_STANDS_MIXED;
    rank(pairs, count);
    const int first = keep_earliest(pairs, count);
    if (first < 0) return (pg_origin){-1, PG_ORIGIN_UNKNOWN};
    const bool later = has_rival(pairs, count, first, PG_STANDS_LATER, PG_STANDS_LATER),
               mixed = has_rival(pairs, count, first, PG_STANDS_MIXED, PG_STANDS_MIXED);
    return (pg_origin){first, later ? PG_ORIGIN_BY_DATE : mixed ? PG_ORIGIN_BY_CONTENT : PG_ORIGIN_UNOPPOSED};
}

/* ---- measurements ---- */

/* Is a claimant's file at fault, as opposed to the machine? */
static bool is_fault(pg_status status)
{
    return status == PG_BAD_INPUT || status == PG_FAILED;
}

/* Read the evidence of every pair in one original. Evidence that does not fit an original does not prove in it. */
static pg_status read_original(const pg_judge_setup *accused, pg_pair *pairs, int count, int self, pg_error *err)
{
    pg_status status = PG_OK;
    pg_judge *judge = NULL;
    pg_judge_setup setup = *accused;
    setup.model = pairs[self].original;
    setup.test = NULL;
    setup.distributed = NULL;
    PG_TRY(pg_judge_create(&setup, &judge, err));
    for (int i = 0; i < count; i++) {
        pg_finding finding;
        status = pg_judge_claim(judge, pairs[i].evidence, &finding, err);
        pairs[self].proves[i] = status == PG_OK && finding.proves;
        if (!is_fault(status)) PG_TRY(status);
    }
    status = PG_OK;
done:
    pg_judge_destroy(&judge);
    return status;
}

/* Networks that cannot be aligned are not similar. */
static pg_status align(const pg_model *accused, pg_pair *pair, pg_error *err)
{
    pg_alignment alignment = {0};
    const pg_status status = pg_align(pair->original, accused, NULL, 0, &alignment, err);
    pair->similarity = alignment.similarity;
    pair->rival = alignment.rival;
    pg_alignment_clear(&alignment);
    return is_fault(status) ? PG_OK : status;
}

pg_status pg_origin_find(const pg_judge_setup *judge, pg_pair *pairs, int count, pg_origin *out, pg_error *err)
{
    pg_status status = PG_OK;
    for (int i = 0; i < count; i++) {
        if (!pairs[i].original || !pairs[i].stamped) continue;
        if (isnan(pairs[i].similarity)) PG_TRY(align(judge->model, &pairs[i], err));
        PG_TRY(read_original(judge, pairs, count, i, err));
    }
    *out = pg_origin_decide(pairs, count);
done:
    return status;
}
