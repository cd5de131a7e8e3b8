/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An attack takes the things that its attacker may see, and returns changed models and forged evidence.
 *
 * The threat model is a type: the view holds only what `sees` declares, so an attack cannot use the secret by accident. An
 * attack yields one or more outcomes (pruning: one per level; random passports: one per repetition); the harness measures each
 * by the same verification that the owner gets. Everything that the harness must know about an attack is in its struct: no
 * other code names an attack or one of its options. Adding one: its file, a line in attacks.c, a config, a test. */
#ifndef PG_ATTACKS_ATTACK_H
#define PG_ATTACKS_ATTACK_H

#include "attacks/oracle.h"
#include "core/ownership/accuracy.h"
#include "core/ownership/scheme.h"
#include "core/train/trainer.h"

enum pg_sight {
    PG_SEES_TRAIN = 1 << 0,       /* the owner's training set */
    PG_SEES_EVIDENCE = 1 << 1,    /* the genuine evidence: an insider */
    PG_SEES_PRETRAINED = 1 << 2,  /* a plain network of the same architecture that the attacker trained, if options want it */
    PG_SEES_DISTRIBUTED = 1 << 3, /* the genuine evidence if the deployed network runs on it and is distributed with it */
    PG_SEES_AFFINE = 1 << 4,      /* gamma and beta with which the deployed network runs, but not the passports behind them */
    PG_SEES_FRESH = 1 << 5,       /* images of the same source as the owner's, on which the owner did not train */
    PG_SEES_REFERENCES =
        1 << 6,               /* plain networks of the same architecture that the attacker trained, as many as options want */
    PG_SEES_ANSWERS = 1 << 7, /* the answers of the deployed network, in place of its weights */
};

/* Everything is borrowed. An attack sees the shapes of passports, and the weights unless it declares that it sees the answers
 * alone; members that it does not declare are NULL. */
typedef struct pg_attack_view {
    const pg_model *model;       /* the stolen model; PG_SEES_ANSWERS: its shape, without its weights */
    pg_oracle *answers;          /* PG_SEES_ANSWERS */
    const pg_scheme *scheme;     /* that protects it: methods are public, options and keys are not */
    const pg_evidence *evidence; /* PG_SEES_EVIDENCE, or PG_SEES_DISTRIBUTED for a model that needs a passport to run */
    const pg_model *running;     /* PG_SEES_AFFINE: the deployed branch as an ordinary network, its affines learned ones */
    const pg_dataset *train;     /* PG_SEES_TRAIN */
    const pg_dataset *fresh;     /* PG_SEES_FRESH; without images if the owner used all */
    const pg_dataset *pictures;  /* public images of the same kind (the test set), never used to train */
    const pg_data *other;        /* another data set, if the attack's options name one */
    const pg_arch *arch;         /* another network, without weights, if the attack's options name one */
    pg_model *pretrained;        /* PG_SEES_PRETRAINED */
    pg_model *const *references; /* PG_SEES_REFERENCES */
    int reference_count;
    pg_pixels pixels;
    pg_seed seed;
} pg_attack_view;

/* A number that the attack reports about an outcome beside the judge's findings, such as the distance it had to move or the
 * steps it took. */
typedef struct pg_measure {
    const char *name, *unit;
    double value;
} pg_measure;

enum { PG_MEASURES_MAX = 8, PG_REFERENCES_MAX = 32 };

/* One outcome. The attack owns model and evidence, which are valid until its next step. The judge tries the owner's evidence on
 * a changed model, forged evidence on the model that it comes with, and both if the outcome has both. */
typedef struct pg_outcome {
    double value;                /* on the attack's axis */
    pg_model *model;             /* NULL: the stolen model, unchanged */
    const pg_evidence *evidence; /* forged evidence, or NULL */
    const pg_model *shown;   /* network in which the forger shows it: the stolen one but for his own affine or statistics; NULL:
                                the stolen one (or `model`) */
    const pg_filter *filter; /* through which the unchanged stolen model answers; NULL: none */
    const pg_data *data;     /* data set on which the outcome is measured; NULL: the victim's */
    double images, macs;     /* cost so far: images run forward or trained on, multiply-adds */
    pg_measure measures[PG_MEASURES_MAX]; /* ended by a name of NULL, or full */
} pg_outcome;

/* Result of a step: more to do; an epoch of training ended and more to do; an outcome and more to come; the last outcome, after
 * which the harness takes no further step. */
typedef enum pg_attack_state { PG_ATTACK_WORKING, PG_ATTACK_EPOCH, PG_ATTACK_OUTCOME, PG_ATTACK_LAST } pg_attack_state;

/* ---- what an attack declares ---- */

/* Keys of the options that determine its work. */
typedef struct pg_attack_costs {
    const char *outcomes; /* number or list of the outcomes that are judged; NULL: one outcome */
    const char *epochs;   /* passes over the images that it trains on; NULL: it does not train */
    const char *images;   /* number of these images; NULL: those of the training set */
    const char *share;    /* part of them that it uses, in percent; NULL: all */
    /* Further images that it runs forward and back, given how many it trains on and the classes; NULL: none. */
    double (*shown)(const void *options, double images, int classes);
    const char *networks; /* number of plain networks, at most PG_REFERENCES_MAX, that the attacker trains for reference and
                             then uses beside the victim; NULL: none */
} pg_attack_costs;

/* Work that it takes: images trained on in all epochs, and outcomes that are judged. */
typedef struct pg_attack_cost {
    double trained, outcomes;
} pg_attack_cost;

/* Another default of an option under a preset. */
typedef struct pg_preset_default {
    const char *preset, *key, *value;
} pg_preset_default;

/* Figures that show its outcomes. */
typedef struct pg_attack_figures {
    /* Accuracy and detection along the axis: name of the figure, column of the axis in its data, label of the axis. NULL: no
     * such figure. */
    const char *curve, *column, *label;
    const char *trials; /* name of the series in the histogram of accuracies with forged evidence; NULL: not shown there */
    bool dissimilarity; /* its outcomes are points of accuracy against bits that differ from the owner's */
} pg_attack_figures;

typedef struct pg_attack {
    const char *name, *summary, *source;
    const char *former_name; /* accepted in older grids; NULL: none */
    const pg_option *options;
    size_t options_size, state_size;
    unsigned sees;       /* pg_sight */
    unsigned needs;      /* pg_holding: applies to schemes whose evidence has one of these; 0: to every scheme */
    const char *axis;    /* along which outcomes differ, "level"; NULL: there is one outcome */
    bool steady;         /* uses no random numbers, so every seed gives the same result for a victim */
    bool remakes;        /* its only outcome is a changed network, with which a later attack of a chain can begin */
    const char *network; /* key of an option that names a network; its default names none. NULL: no such option */
    bool hands_on;       /* its forged evidence is for the unchanged stolen model, and can be the input of a later attack and of
                            claims on independent networks */
    const pg_preset_default *presets; /* ended by a preset of NULL; NULL: none */
    pg_attack_figures figures;
    pg_attack_costs costs;

    /* Do the options ask for a plain network that the attacker trained? NULL: no. */
    bool (*wants_pretrained)(const void *options);
    /* Does it leave a network of other layers, in which the owner's passports have no place? NULL: no. */
    bool (*reshapes)(const void *options);
    /* Another data set that the options ask for. NULL: none. */
    pg_other_data (*other_data)(const void *options);
    /* Refuse, before the grid runs, everything that start would refuse. The models of the view then have shapes but no weights,
     * its data sets may lack images, and the attacker's evidence and networks may be NULL. NULL: refuses nothing. */
    pg_status (*check)(const void *options, const pg_attack_view *view, pg_error *err);

    /* The harness gives zeroed state. options and view outlive the attack. NULL: nothing to start. */
    pg_status (*start)(void *state, const void *options, const pg_attack_view *view, pg_error *err);
    /* One unit of work. OUTCOME and LAST: *outcome, which the harness gives zeroed, is filled in. */
    pg_status (*step)(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err);
    /* Share of the work done, 0 to 1. NULL: 0 until the end. */
    double (*progress)(const void *state);
    /* List everything that later steps depend on, except what start makes again. A state that was started in the same way and
     * then restored from the list continues bit-identically. NULL: nothing, as for an attack of one step. */
    void (*keep)(void *state, pg_snapshot *snapshot);
    /* Release everything that start and step allocated, also after a failed start. NULL: nothing. */
    void (*finish)(void *state);
} pg_attack;

/* All attacks, ended by NULL: attacks.c. One by its name or former name, NULL if unknown; their names, ended by NULL. */
extern const pg_attack *const pg_attacks[];
const pg_attack *pg_attack_find(const char *name);
const char *const *pg_attack_names(void);

/* Its option that names a network, [PG_TEXT_MAX]. NULL: it has none, or the option has its default. */
char *pg_attack_network(const pg_attack *attack, void *options);
/* Its work with a training set of `train` images of so many classes. */
pg_attack_cost pg_attack_cost_of(const pg_attack *attack, const void *options, double train, int classes);
/* How many plain networks its attacker trains for reference. */
int pg_attack_references(const pg_attack *attack, const void *options);
/* The attack's own function, with the meaning of NULL. */
double pg_attack_progress(const pg_attack *attack, const void *state);

/* Empty evidence of a forger, who claims the first scheme of the list whose evidence holds exactly these parts: passports for
 * every passport layer of spec, or none yet. */
PG_CHECKED pg_status pg_attack_evidence(const pg_net_spec *spec, unsigned holds, const char *kind, pg_evidence **out,
                                        pg_error *err);

/* A copy of evidence whose passports a forger is to change: without triggers, and free, because what is changed does not follow
 * from the secret. */
PG_CHECKED pg_status pg_attack_passports(const pg_evidence *from, pg_evidence **out, pg_error *err);

#endif
