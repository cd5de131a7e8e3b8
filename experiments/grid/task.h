/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A task: one node of the grid, complete in itself.
 *
 * Its canonical text holds everything that its result depends on, every default spelled out: data (name, checksum, subset),
 * network, scheme, training, verification, seed, attack, keys of its parents, format version. Its public text
 * replaces secrets by their SHA-256, and folders and files by that of their content; it has the SHA-256 of a network's rows in
 * their place; it omits `keep`, which changes no result. The key is the SHA-256 of the public text: moving a
 * folder makes no new task. A worker receives only the canonical text; records and failures keep the public one. */
#ifndef PG_GRID_TASK_H
#define PG_GRID_TASK_H

#include "attacks/attack.h"
#include "core/ownership/verify.h"
#include "experiments/grid/grid_options.h"

/* Training a model; attacking it; finding the threshold of its evidence from null models; reading a supplied model, which was
 * trained elsewhere; claiming an independent network with evidence made for another one. */
typedef enum pg_task_kind { PG_TASK_TRAIN, PG_TASK_ATTACK, PG_TASK_THRESHOLD, PG_TASK_SUPPLIED, PG_TASK_CLAIM } pg_task_kind;

/* A network that was trained elsewhere: its files, and their checksums for the key. */
typedef struct pg_task_source {
    pg_source_options files;          /* set only in the task that reads them */
    char model_sha256[PG_SHA256_HEX]; /* of the model's file; empty: the network is trained here */
    char commitment[PG_SHA256_HEX];   /* of the evidence; empty: none */
} pg_task_source;

/* The data set and the number of its images; counts of 0 mean all. `train` counts images of the chosen part of the training
 * set.
 */
typedef struct pg_data_choice {
    char name[64], sha256[PG_SHA256_HEX]; /* checksum of the whole data set, as its reader reports it */
    int half;                             /* pg_half */
    int train, test;
    pg_picture_set pictures; /* for the worker alone: the checksum covers everything that follows from them */
} pg_data_choice;

/* An attack that came before another, with its options, and the network that they name (NULL: none). */
typedef struct pg_task_stage {
    const pg_attack *attack;
    void *options;
    const pg_arch *arch;
} pg_task_stage;

enum { PG_STAGES_MAX = 8 };

typedef struct pg_task {
    char key[PG_SHA256_HEX];
    char *text;        /* canonical */
    char *public_text; /* the same without secrets and paths; the same pointer if the text has none */
    pg_task_kind kind;
    /* the network and its training; for an attack, its victim's */
    pg_data_choice data;
    const pg_arch *arch;
    pg_norm_kind norm;
    double width;
    bool relu_before_add;
    pg_task_source supplied;
    const pg_scheme *scheme;
    void *scheme_options;
    pg_train_options train;
    uint64_t seed;                  /* the replicate: one of the grid's seeds; 0 for a network from elsewhere, which has none */
    char pretrained[PG_SHA256_HEX]; /* key of the task that trained the plain network; empty: none */
    char victim[PG_SHA256_HEX];     /* key of the task that trained the model that this one is about; empty for training */
    /* keys of the tasks that trained further plain networks: the null models of a threshold, the networks that an attacker
     * trained for reference, the accused network */
    char networks[PG_NULL_MODELS_MAX][PG_SHA256_HEX];
    int network_count;
    /* attack, or claim with evidence that this attack forged (NULL: with the owner's) */
    const pg_attack *attack;
    void *attack_options;
    const pg_arch *attack_arch; /* network that its options name; NULL: none */
    pg_data_choice other; /* other data set of the attack, or of the scheme that is trained; of a claim, that of the accused
                             network; name empty: none */
    /* attacks that came before this one, the latest first: the one that forged the evidence with which it begins, or those
     * earlier in its chain */
    pg_task_stage before[PG_STAGES_MAX];
    int before_count;
    char forged[PG_SHA256_HEX]; /* key of the task that forged the evidence which the task begins with; empty: none */
    char taken[PG_SHA256_HEX];  /* key of the attack of the chain whose network this one attacks; empty: the trained one's */
    bool keep;                  /* attack only: attacked networks and forged evidence stay as files; no part of the key */
    bool last;                  /* training outside of a grid: leave the network of the last epoch, not of the best one */
    pg_verify_options verify;
} pg_task;

/* Set texts and key from the other members. */
PG_CHECKED pg_status pg_task_write(pg_task *task, pg_error *err);
void pg_task_clear_texts(pg_task *task);

/* A task from its canonical text; PG_BAD_INPUT if this program would write that task otherwise. Ended by pg_task_clear. */
PG_CHECKED pg_status pg_task_parse(const char *text, pg_task *out, pg_error *err);
void pg_task_clear(pg_task *task); /* of a zeroed task too */

#endif
