/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What schemes with a trigger set share. Their network is an ordinary one, and the trainer appends triggers to its batches.
 * The options struct of such a scheme begins with a pg_trigger_options, so the functions below are members of its pg_scheme.
 *
 * Each of them can wear adversarial parametric perturbation, which makes a mark harder to remove (Gan, Li, Wu, Xia, ICCV 2023):
 * the triggers do not run with the batch. d is `perturbation` |theta| g / |g|, with g the gradient of their mean cross-entropy,
 * and the gradient of `perturbed_weight` times that cross-entropy at theta + d is added to that of the batch at theta. Triggers
 * then run with the running statistics, so that those follow from the data alone. */
#ifndef PG_OWNERSHIP_TRIGGER_SCHEME_H
#define PG_OWNERSHIP_TRIGGER_SCHEME_H

#include "core/data/triggers.h"
#include "core/ownership/scheme.h"

typedef struct pg_trigger_options {
    int trigger_count, triggers_per_batch, order, start;
    double perturbation, perturbed_weight;
} pg_trigger_options;

enum { PG_TRIGGER_ORDER_CYCLE, PG_TRIGGER_ORDER_SHUFFLE };
extern const char *const pg_trigger_orders[];

/* Rows for the table of a struct T whose member `member` is a pg_trigger_options. */
#define PG_TRIGGER_OPTIONS(T, member, pictures, per_batch)                                                                     \
    PG_NUMBER("trigger_count", T, member.trigger_count, INT, int, "100", 1, PG_TRIGGERS_MAX, NULL, pictures),                  \
        PG_NUMBER("triggers_per_batch", T, member.triggers_per_batch, INT, int, per_batch, 1, 1000, NULL,                      \
                  "trigger images appended to every training batch"),                                                          \
    {                                                                                                                          \
        PG_OPTION("order", T, member.order, CHOICE, int, "cycle",                                                              \
                  "order of the triggers: a fixed cycle from a random start, or shuffled anew in every sweep, as in the "      \
                  "passport authors' version of this scheme"),                                                                 \
            .choices = pg_trigger_orders                                                                                       \
    }

/* Rows of the perturbation; they came after the first release. */
#define PG_TRIGGER_PERTURBATION(T, member)                                                                                     \
    {PG_OPTION("perturbation", T, member.perturbation, REAL, double, "0",                                                      \
               "train the triggers at weights that are moved against them by this share of their norm (adversarial "           \
               "parametric perturbation, 0.02 in Gan et al., ICCV 2023); 0: train them with the batch"),                       \
     .high = 1, .later = true},                                                                                                \
    {                                                                                                                          \
        PG_OPTION("perturbed_weight", T, member.perturbed_weight, REAL, double, "0.01",                                        \
                  "weight of the triggers' loss at the moved weights"),                                                        \
            .high = 1000, .later = true                                                                                        \
    }

pg_status pg_trigger_recognise(void *options, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err);
int pg_trigger_per_batch(const void *options);
bool pg_trigger_in_order(const void *options);
/* The perturbation. */
int pg_trigger_passes(const void *options);
void pg_trigger_before(const void *options, const pg_step *step);
bool pg_trigger_apart(const void *options);
size_t pg_trigger_scratch(const void *options, const pg_layout *layout, int count, int triggers);

/* The members that every trigger scheme has. */
#define PG_TRIGGER_MEMBERS                                                                                                     \
    .group = PG_BLACK_BOX, .holds = PG_HOLDS_TRIGGERS, .options = options, .embed = {"start", "pretrained"},                   \
    .triggers_per_batch = pg_trigger_per_batch, .triggers_in_order = pg_trigger_in_order

/* Move the triggers of the step by `steps` sign-gradient steps of one level each that raise the loss of their labels; pixels
 * stay in their range. */
void pg_trigger_ascend(const pg_step *step, int steps);

/* Leave the gradient of weight times the triggers' mean cross-entropy in the net, after one pass with running statistics;
 * returns that cross-entropy. */
double pg_trigger_pass(const pg_step *step, double weight);

/* Classes that the options of a scheme name, and the number of its triggers; PG_BAD_INPUT unless the data have them. source -1:
 * any. */
PG_CHECKED pg_status pg_trigger_check(const pg_trigger_options *options, const pg_keygen *in, const pg_dataset *from,
                                      int source, int target, pg_error *err);

#endif
