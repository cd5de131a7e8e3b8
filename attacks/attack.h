/* An attack: takes what its attacker may see, gives back changed models and forged evidence.
 *
 * The threat model is a type: the view holds only what `sees` declares, so an attack cannot use the secret by accident. An
 * attack yields one or more outcomes (pruning: one per level; random passports: one per repetition); the harness measures each
 * by the same verification that the owner gets. Adding one: its file with one const struct, a line in attacks.c, a config, a
 * test. */
#ifndef PG_ATTACKS_ATTACK_H
#define PG_ATTACKS_ATTACK_H

#include "core/ownership/scheme.h"
#include "core/train/trainer.h"

enum pg_sight {
    PG_SEES_TRAIN = 1 << 0,       /* the owner's training set */
    PG_SEES_EVIDENCE = 1 << 1,    /* the genuine evidence: an insider */
    PG_SEES_DISTRIBUTED = 1 << 3, /* the genuine evidence where it is distributed with the network, which is V1 */
    PG_SEES_PRETRAINED = 1 << 2, /* a plain network of the same architecture that the attacker trained, where options want it */
    PG_SEES_AFFINE = 1 << 4,     /* gamma and beta with which the deployed network runs, but not what makes them */
    PG_SEES_FRESH = 1 << 5,      /* images from where the owner's came, on which the owner did not train */
};

/* Everything is borrowed. The weights and the shapes of passports are always seen; what the attack does not declare is NULL. */
typedef struct pg_attack_view {
    const pg_model *model;       /* the stolen model */
    const pg_scheme *scheme;     /* that protects it: methods are public, options and keys are not */
    const pg_evidence *evidence; /* PG_SEES_EVIDENCE, or PG_SEES_DISTRIBUTED for a model that needs a passport to run */
    const pg_model *running;     /* PG_SEES_AFFINE: the deployed branch as an ordinary network, its affines learned ones */
    const pg_dataset *train;     /* PG_SEES_TRAIN */
    const pg_dataset *fresh;     /* PG_SEES_FRESH; of no images when the owner used all */
    const pg_dataset *pictures;  /* public images of the same kind (the test set), never used to train */
    const pg_data *other;        /* another data set, where the attack's options name one */
    pg_model *pretrained;        /* PG_SEES_PRETRAINED */
    pg_pixels pixels;
    pg_seed seed;
} pg_attack_view;

/* Something that an attack tells of an outcome beside what the judge finds: how far it had to go, what it took. */
typedef struct pg_measure {
    const char *name, *unit;
    double value;
} pg_measure;

enum { PG_MEASURES_MAX = 8 };

/* What one outcome is. model and evidence are owned by the attack and valid until its next step. The owner's evidence is judged
 * on a changed model, forged evidence on the model it comes with, and with both each. */
typedef struct pg_outcome {
    const char *axis;            /* what tells outcomes apart: "level", "repeat"; NULL if there is only one */
    double value;                /* on that axis */
    pg_model *model;             /* NULL: the stolen model, unchanged */
    const pg_evidence *evidence; /* forged evidence, or NULL */
    const pg_model *shown; /* network in which the forger shows it, the stolen one but for an affine or statistics of his; NULL:
                              the stolen one (or `model`) */
    const pg_data *data;   /* data set on which the outcome is measured; NULL: the victim's */
    double images, macs;   /* cost so far: images run forward or trained on, multiply-adds */
    pg_measure measures[PG_MEASURES_MAX]; /* ended by a name of NULL, or full */
} pg_outcome;

/* What a step came to: more to do, the end of an epoch of training (more to do), an outcome, the end. */
typedef enum pg_attack_state { PG_ATTACK_WORKING, PG_ATTACK_EPOCH, PG_ATTACK_OUTCOME, PG_ATTACK_DONE } pg_attack_state;

typedef struct pg_attack {
    const char *name, *summary, *source;
    const char *former_name; /* accepted in older grids; NULL: none */
    const pg_option *options;
    size_t options_size, state_size;
    unsigned sees;  /* pg_sight */
    unsigned needs; /* pg_holding: means nothing for schemes whose evidence has none of these; 0: for every scheme */
    bool steady;    /* draws nothing at random, so that every seed gives the same result for a victim */
    bool hands_on;  /* what it forges is for the stolen model as it is, and is handed on to attacks that come after it */

    /* Do the options ask for a plain network that the attacker trained? May be NULL: no. */
    bool (*wants_pretrained)(const void *options);
    /* Name of another data set that the options ask for, or NULL. May be NULL itself. */
    const char *(*other_data)(const void *options);
    /* Refuse what start would refuse, before there is anything to attack: the models of the view have shapes but no weights,
     * its data sets may lack images, and the attacker's evidence and networks may be NULL. NULL: refuses nothing. */
    pg_status (*check)(const void *options, const pg_attack_view *view, pg_error *err);
    /* The harness gives zeroed state. options and view outlive the attack. */
    pg_status (*start)(void *state, const void *options, const pg_attack_view *view, pg_error *err);
    /* One unit of work. OUTCOME: *outcome is ready; DONE: there is no more. */
    pg_status (*step)(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err);
    /* Share of the work done, 0 to 1. */
    double (*progress)(const void *state);
    /* List everything that later steps depend on beside what start gives: a state that was started alike and got that back goes
     * on bit-identically. */
    void (*keep)(void *state, pg_snapshot *snapshot);
    void (*finish)(void *state); /* releases what start and step took, also after a failed start */
} pg_attack;

extern const pg_attack pg_attack_unchanged, pg_attack_overwrite, pg_attack_counterfeit_uchida, pg_attack_counterfeit_triggers,
    pg_attack_finetune, pg_attack_prune, pg_attack_fake1, pg_attack_fake2, pg_attack_fake3, pg_attack_flip,
    pg_attack_substitute, pg_attack_permute, pg_attack_invert;
extern const pg_attack *const pg_attacks[];
const pg_attack *pg_attack_find(const char *name);

#endif
