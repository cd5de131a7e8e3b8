/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network that a thief trains on images of his own choice, with true labels or with the answers of the stolen network.
 *
 * The loss of an image is T^2 sum_c q_c (log q_c - log p_c), in nats, with p the softmax of the pupil's logits divided by the
 * temperature T, and q the target: the true class, the class that the stolen network answers, or the softmax of its logits
 * divided by T. With classes T is 1, so the loss is the cross-entropy. alpha mixes it with the cross-entropy of the true class:
 * alpha loss + (1 - alpha) cross-entropy. Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015.
 */
#ifndef PG_ATTACKS_PUPIL_H
#define PG_ATTACKS_PUPIL_H

#include "attacks/oracle.h"
#include "attacks/tuning.h"

enum { PG_LABELS_TRUE, PG_LABELS_HARD, PG_LABELS_SOFT };

typedef struct pg_pupil_options {
    int labels, overlap;
    double share;
    pg_tuning tuning;
} pg_pupil_options;

extern const char *const pg_pupil_labels[]; /* by PG_LABELS_TRUE to PG_LABELS_SOFT; ended by NULL */
extern const char *const pg_pupil_overlaps[];

/* Rows of an option table for the member `pupil` of the struct that holds it: whose images and how many. */
#define PG_PUPIL_IMAGES(holder, share_)                                                                                        \
    PG_NUMBER("share", holder, pupil.share, REAL, double, share_, PG_ABOVE_ZERO, 100, "percent",                               \
              "number of the thief's images, as a share of the owner's training set, or of the other data set"),               \
    {                                                                                                                          \
        PG_OPTION("overlap", holder, pupil.overlap, CHOICE, int, "shared",                                                     \
                  "the thief's images: some of the owner's, or others from the same source, of which the owner must leave "    \
                  "enough"),                                                                                                   \
            .choices = pg_pupil_overlaps                                                                                       \
    }

/* The same: where their labels come from. */
#define PG_PUPIL_LABELS(holder, labels_)                                                                                       \
    {                                                                                                                          \
        PG_OPTION("labels", holder, pupil.labels, CHOICE, int, labels_,                                                        \
                  "labels of the images: the true ones, or those that the stolen network answers, as classes (hard) or as "    \
                  "probabilities (soft)"),                                                                                     \
            .choices = pg_pupil_labels                                                                                         \
    }

/* Changes the targets of a batch: q [count,classes], probabilities. */
typedef void pg_pupil_blend(void *pupil, const pg_step *step, double *q);

/* Put first in the state of an attack, which declares pg_tuned_progress and pg_tuned_keep as its own. The caller zeroes it and
 * may set model, temperature and alpha, blend, and the coach but for its loss before open. The coach's context becomes the
 * pupil, which is also where the attack's state begins. */
typedef struct pg_pupil {
    pg_tuned tuned;
    const pg_pupil_options *options;
    pg_model *model;           /* owned; NULL before open: a copy of the stolen network as it is deployed */
    pg_dataset images;         /* owned; label i is i, by which a batch knows its images */
    int32_t *truth;            /* [count] true labels; -1: unknown */
    pg_real *answers;          /* [count,classes] logits of the stolen network; NULL: not asked */
    bool asked_itself;         /* the thief ran the stolen network for the answers */
    double temperature, alpha; /* temperature 0 before open: both become 1 */
    double weight;             /* by which the gradient of the loss is multiplied; 1 after open */
    double *q;                 /* [batch,classes] */
    pg_coach coach;
    pg_pupil_blend *blend;
} pg_pupil;

/* The thief's images: own_count of the owner's or of the same source, and other_count of another data set (NULL: none), whose
 * labels he does not use. His training set repeats all of them 2^doublings times. */
typedef struct pg_pupil_images {
    const pg_dataset *own, *other;
    int own_count, other_count, doublings;
} pg_pupil_images;

/* Choose the images that the options name. PG_BAD_INPUT if there are too few, or if a network of this spec cannot be trained on
 * them. */
PG_CHECKED pg_status pg_pupil_choose(const pg_pupil_options *options, const pg_attack_view *view, const pg_net_spec *spec,
                                     pg_pupil_images *out, pg_error *err);

/* Begin to train. oracle: the stolen network, which answers; NULL: the current model does. The caller calls pg_pupil_finish,
 * also after a failure. */
PG_CHECKED pg_status pg_pupil_open(pg_pupil *pupil, const pg_pupil_options *options, const pg_pupil_images *images,
                                   const pg_attack_view *view, pg_oracle *oracle, pg_error *err);
/* Members of an attack that fine-tunes the deployed network: `pupil` comes first in its options and in its state. start chooses
 * the images and opens the pupil. */
PG_CHECKED pg_status pg_pupil_check(const void *options, const pg_attack_view *view, pg_error *err);
PG_CHECKED pg_status pg_pupil_start(void *pupil, const void *options, const pg_attack_view *view, pg_error *err);
void pg_pupil_finish(void *pupil);

/* The class that the thief assumes for image i: the true one, or the one that the stolen network answers. */
int pg_pupil_class(const pg_pupil *pupil, int i);

/* The outcome that changes the stolen network to this one, at the cost of training and answers so far. */
pg_outcome pg_pupil_outcome(const pg_pupil *pupil, pg_model *model);

/* Take one step of training; after the last one give the only outcome, the model with its cost. */
PG_CHECKED pg_status pg_pupil_step(void *pupil, pg_attack_state *what, pg_outcome *outcome, pg_error *err);

/* Set the rate for the next step: that of the options, multiplied by factor after every `every` epochs. */
void pg_pupil_decay(pg_pupil *pupil, double factor, int every);

/* The mean loss of n images: targets q [n,classes] against logits, at a temperature. Overwrites dlogits with its
 * gradient. */
double pg_teaching_loss(int n, int classes, const pg_real *logits, const double *q, double temperature, pg_real *dlogits);

#endif
