/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scheme: how evidence is made, embedded while a model is trained, and wired into a network.
 *
 * Everything that other code must know about a scheme is in its struct: no other code names a scheme or one of its options.
 * Adding one: its file, a line in schemes.c, a config, a test. */
#ifndef PG_OWNERSHIP_SCHEME_H
#define PG_OWNERSHIP_SCHEME_H

#include "core/ownership/passport.h"

/* Another data set: its name (NULL: none wanted), how many of its images (0: all), and the option that names it. */
typedef struct pg_other_data {
    const char *name, *key;
    int train, test;
} pg_other_data;

/* Inputs of key generation; all borrowed. */
typedef struct pg_keygen {
    const struct pg_scheme *scheme; /* whose evidence is made */
    const pg_net_spec *spec;        /* of the network to be protected, wired */
    pg_seed seed;
    const pg_data *data, *other; /* other: the data set that the options ask for, or NULL */
    pg_pixels pixels;
    pg_model *pretrained; /* a trained plain network of the same architecture, or NULL */
} pg_keygen;

/* Parts of a scheme's evidence. AFFINES: its passports give the affine directly, without a perceptron between them, so that one
 * can solve for them. FILTER: its mark is filtered. FORM: its mark has yet another form than one of signs. */
enum pg_holding {
    PG_HOLDS_PASSPORTS = 1 << 0,
    PG_HOLDS_MARK = 1 << 1,
    PG_HOLDS_TRIGGERS = 1 << 2,
    PG_HOLDS_AFFINES = 1 << 3,
    PG_HOLDS_FILTER = 1 << 4,
    PG_HOLDS_FORM = 1 << 5
};

/* What the judge needs of the accused network: its weights and the owner's passports, its weights, or its answers. */
typedef enum pg_scheme_group { PG_CONTROL, PG_PASSPORTS, PG_WHITE_BOX, PG_BLACK_BOX } pg_scheme_group;

/* Names of the groups, and who has what in their threat models; by pg_scheme_group. */
typedef struct pg_scheme_group_text {
    const char *name, *threat;
} pg_scheme_group_text;
extern const pg_scheme_group_text pg_scheme_groups[];

/* A training step of a scheme that mixes triggers into the batches, as its members `before` and `between` see it. */
typedef struct pg_step {
    const pg_evidence *evidence;
    pg_model *model;
    pg_net *net;         /* its gradients hold what earlier passes of this step added */
    int train_from;      /* layers before this one keep their parameters */
    int count, triggers; /* images of the data, and triggers that follow them */
    pg_pixels pixels;
    pg_real *images;       /* [count + triggers,H,W,3], normalised */
    const int32_t *labels; /* [count + triggers] */
    pg_real *dlogits;      /* [count + triggers,classes]: gradient of the mean cross-entropy over all of them */
    const pg_real *logits; /* likewise; valid in `between` */
    pg_real *scratch;      /* of the size that the scheme asked for, zero at the first step */
} pg_step;

/* An option and its value, as text. */
typedef struct pg_setting {
    const char *key, *text;
} pg_setting;

typedef struct pg_scheme {
    const char *name, *summary, *source;
    const char *differs; /* from the source, in one line; NULL: nothing that its options do not say */
    const char *unbound; /* why its evidence cannot follow from a secret; NULL: it can, or there is none */
    pg_scheme_group group;
    unsigned holds;           /* pg_holding; 0: the scheme has no evidence */
    bool distributed;         /* the deployed network needs its passports to run, and they are distributed with it */
    const pg_option *options; /* the only truth about its options: parsing, defaults, ranges, help */
    size_t options_size;
    const char
        *alone[2]; /* option and value with which an untrained network is enough for keygen; NULL: by default it needs none */
    pg_setting
        bound[4];   /* with these its evidence follows from a secret; ended by a key NULL, which is the first if it cannot */
    size_t binding; /* offset of the pg_binding_options in its options, if it has bound */
    double match;   /* probability that an unmarked network answers a trigger as labelled, in the published test; 0: guessing */
    pg_setting embed; /* with this, training starts from a trained plain network; key NULL: it cannot. See PG_SCHEME_START */

    /* Set the passport layers and the branches of spec, which has none, or refuse a network that the evidence would not fit.
     * NULL: any network, without passport layers. */
    pg_status (*wire)(const void *options, pg_net_spec *spec, pg_error *err);
    /* Does keygen need a trained plain network (a parent task in a grid)? NULL: never. */
    bool (*wants_pretrained)(const void *options);
    /* Another data set that the options ask for. NULL: none. */
    pg_other_data (*other_data)(const void *options);
    /* Refuse what keygen would refuse, before any training: in->data and in->other may lack images and in->pretrained may be
     * NULL. NULL: nothing beyond wire. */
    pg_status (*check)(const void *options, const pg_keygen *in, pg_error *err);
    /* The kind that the evidence names. Present with keygen. */
    const char *(*kind)(const void *options);
    /* Set the options that can be seen in a finished network and its evidence: layers and kind of passports or mark, number of
     * triggers. For a network of this scheme, wire then gives its form. NULL: no option can be seen. */
    pg_status (*recognise)(void *options, const pg_net_spec *spec, const pg_evidence *evidence, pg_error *err);
    /* Fill the owner's evidence, which was created for in->spec and is bound afterwards. NULL: the scheme has none. */
    pg_status (*keygen)(const void *options, const pg_keygen *in, pg_evidence *evidence, pg_error *err);
    /* Add the gradient of the embedding loss and return the loss. Called once a step, between the forward and the backward of
     * the last branch. NULL: none. */
    double (*regulariser)(const void *options, const pg_evidence *evidence, const pg_model *model, pg_net *net);
    /* Put back the weights that training must not change. Called before the first step and after every step. NULL: none. */
    void (*hold)(const void *options, const pg_evidence *evidence, pg_model *model);
    /* Train the evidence together with the network: called after every step, which is number `step` of the training from 0,
     * with the trainer's copy of the evidence. NULL: the evidence stays as keygen made it. */
    void (*learn)(const void *options, const pg_model *model, pg_seed seed, long step, pg_evidence *evidence);
    /* Trigger samples appended to every training batch. NULL: none. */
    int (*triggers_per_batch)(const void *options);
    /* Images that `before` runs through the network, forward and backward, for each trigger of a step. NULL: none, and there is
     * no `before`. */
    int (*trigger_passes)(const void *options);
    /* Called with the batch before its forward pass. It may change the triggers, and leave gradients; dlogits is its to use. */
    void (*before)(const void *options, const pg_step *step);
    /* Does the batch then run without the triggers, because `before` left their gradients? NULL: no. */
    bool (*triggers_apart)(const void *options);
    /* Called between forward and backward of the batch. It may change dlogits and add gradients; returns what it adds to the
     * loss. NULL: nothing. */
    double (*between)(const void *options, const pg_step *step);
    /* Elements of step->scratch. NULL: none. */
    size_t (*scratch)(const void *options, const pg_layout *layout, int count, int triggers);
    /* Do batches take the triggers in one fixed order from a random start, instead of a new order in each sweep? NULL: no. */
    bool (*triggers_in_order)(const void *options);
} pg_scheme;

/* The row of an option `start`, the int `member` of the options struct T, for schemes that can be embedded into a trained
 * network. They have `.embed = {"start", "pretrained"}`. */
#define PG_SCHEME_START(T, member, fallback)                                                                                   \
    {                                                                                                                          \
        PG_OPTION("start", T, member, CHOICE, int, fallback,                                                                   \
                  "embed during training from random weights, or during continued training of a plain network"),               \
            .choices = pg_scheme_starts                                                                                        \
    }
extern const char *const pg_scheme_starts[];

/* The members of the struct, with what every scheme shares. Other code calls these.
 *
 * wire: make spec that of a network of the scheme, whatever branches it had. wants_pretrained: is a trained plain network
 * needed, for keygen or as the start of training? starts_pretrained: does training start from its weights? check: refuse what
 * keygen would refuse. keygen: make the owner's evidence, which the caller destroys; *out stays NULL for a scheme without any.
 * in->scheme is the scheme of the last two. */
PG_CHECKED pg_status pg_scheme_wire(const pg_scheme *scheme, const void *options, pg_net_spec *spec, pg_error *err);
bool pg_scheme_wants_pretrained(const pg_scheme *scheme, const void *options);
bool pg_scheme_starts_pretrained(const pg_scheme *scheme, const void *options);
PG_CHECKED pg_status pg_scheme_check(const void *options, const pg_keygen *in, pg_error *err);
PG_CHECKED pg_status pg_scheme_keygen(const void *options, const pg_keygen *in, pg_evidence **out, pg_error *err);

/* A trigger set that fits in->spec: generated, or of a folder (see pg_triggers_make). seed NULL: of a generated set the shape
 * alone, for check. */
PG_CHECKED pg_status pg_scheme_triggers(const char *source, int count, const pg_keygen *in, const pg_seed *seed,
                                        pg_dataset *out, pg_error *err);

/* All schemes, ended by NULL: schemes.c. One by its name, NULL if unknown; their names, ended by NULL. */
extern const pg_scheme *const pg_schemes[];
const pg_scheme *pg_scheme_find(const char *name);
const char *const *pg_scheme_names(void);

/* The first scheme of the list whose evidence has exactly these parts (pg_holding), NULL if there is none. Every list has one
 * for 0: the plain network, which is the control and the carrier of passport images. */
const pg_scheme *pg_scheme_holding(unsigned holds);

#endif
