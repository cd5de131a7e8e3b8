/* A task: one node of the grid, complete in itself.
 *
 * Its canonical text holds everything that its result depends on, every default spelled out: data (name, checksum, subset),
 * network, scheme, training, verification, seed, attack, keys of its parents, format version. In its public text a SHA-256
 * stands for every secret, and that of its content for every folder and file; what changes no result (keep) is left out. Its
 * key is the SHA-256 of the public text: a folder that moved makes no new task. A worker gets the canonical text and nothing
 * else; records and failures keep the public one. */
#ifndef PG_EXPERIMENTS_TASK_H
#define PG_EXPERIMENTS_TASK_H

#include "attacks/attack.h"
#include "core/ownership/verify.h"
#include "experiments/grid_options.h"
#include "experiments/progress.h"
#include "experiments/record.h"

/* Training a model; attacking it; the threshold of its evidence from null models; taking a model that was trained elsewhere. */
typedef enum pg_task_kind { PG_TASK_TRAIN, PG_TASK_ATTACK, PG_TASK_THRESHOLD, PG_TASK_BRING } pg_task_kind;

/* A network that was trained elsewhere: its files, and what stands for them in a key. */
typedef struct pg_task_source {
    pg_source_options files;          /* known to the task that reads them, and to no other */
    char model_sha256[PG_SHA256_HEX]; /* of the model's file; empty: the network is trained here */
    char commitment[PG_SHA256_HEX];   /* of the evidence; empty: none */
} pg_task_source;

/* Which data, and how much of it: counts of 0 mean all. */
typedef struct pg_data_choice {
    char name[64], sha256[PG_SHA256_HEX]; /* checksum of the whole data set, as its reader reports it */
    int train, test;
} pg_data_choice;

typedef struct pg_task {
    char key[PG_SHA256_HEX];
    char *text;        /* canonical */
    char *public_text; /* the same without secrets and paths; the very same text where there are none */
    pg_task_kind kind;
    /* the network and its training; for an attack, its victim's */
    pg_data_choice data;
    char arch[32], norm[8];
    double width;
    bool relu_before_add;
    pg_task_source brought;
    const pg_scheme *scheme;
    void *scheme_options;
    pg_train_options train;
    uint64_t seed;                  /* the replicate: one of the grid's seeds; 0 for a network from elsewhere, which has none */
    char pretrained[PG_SHA256_HEX]; /* key of the task that trained the plain network; empty: none */
    char victim[PG_SHA256_HEX];     /* key of the task that trained the model that this one is about; empty for training */
    /* threshold only: keys of the tasks that trained the null models */
    char null_models[PG_NULL_MODELS_MAX][PG_SHA256_HEX];
    int null_model_count;
    /* attack only */
    const pg_attack *attack;
    void *attack_options;
    pg_data_choice other; /* the attack's other data set; name empty: none */
    /* attack that comes after one that forged evidence: that one, its options, key of its task; NULL: none */
    const pg_attack *after;
    void *after_options;
    char forged[PG_SHA256_HEX];
    bool keep; /* attack only: attacked networks and forged evidence stay as files; no part of the key */
    pg_verify_options verify;
} pg_task;

/* Set texts and key from the other members. */
PG_CHECKED pg_status pg_task_write(pg_task *task, pg_error *err);
void pg_task_clear_texts(pg_task *task);

/* A task from its canonical text; PG_BAD_INPUT if this program would write that task otherwise. Ended by pg_task_clear. */
PG_CHECKED pg_status pg_task_parse(const char *text, pg_task *out, pg_error *err);
void pg_task_clear(pg_task *task); /* of a zeroed task too */

/* What people call it. The texts belong to a pg_text_pool and are of any length. */
typedef struct pg_task_labels {
    const char *name;                                      /* "cifar10/alexnet-bn/v1/prune/s1/3fa9c01d", unique */
    const char *data, *network, *norm;                     /* "cifar10 20000+2000", "alexnet x0.5", "bn" */
    const char *scheme, *attack;                           /* attack is empty for training */
    const char *scheme_parameters, *training, *parameters; /* "epochs=2 mode=ftal"; a value with "=" in it stands in quotes */
    uint64_t seed;
} pg_task_labels;
enum { PG_TASK_NAME_MAX = 256 };
const char *pg_task_name(const pg_task *task, char out[PG_TASK_NAME_MAX]); /* the name alone; returns out */
PG_CHECKED pg_status pg_task_describe(const pg_task *task, pg_text_pool *texts, pg_task_labels *out, pg_error *err);
/* Is it about a network that was trained elsewhere? */
bool pg_labels_brought(const pg_task_labels *labels);

/* Name of the files that belong to one outcome of a task, without folder and ending: "KEY.level=60", or "KEY" where outcome is
 * empty. */
enum { PG_FILE_STEM = PG_SHA256_HEX + 64 };
void pg_task_stem(const char *key, const char *outcome, char stem[PG_FILE_STEM]);

/* What running a task needs from its surroundings. */
typedef struct pg_workplace {
    const char *directory;       /* of the run: models/KEY.safetensors, evidence/KEY.safetensors, checkpoints/KEY.* are below */
    const char *data_directory;  /* NULL: the default */
    bool (*stop)(void *context); /* asked between steps: should this task save and end? */
    void (*report)(void *context, const pg_task_progress *progress); /* at the start, then after every step */
    void (*note)(void *context, const char *text);                   /* something for the log that people should see */
    void *context;
    double checkpoint_seconds; /* between checkpoints; 0: one after every epoch and every outcome of an attack */
} pg_workplace;

/* Run a task to its end: writes its artefacts (parents' are read), fills the record. PG_INTERRUPTED after workplace->stop said
 * so, with a checkpoint from which the next call goes on; PG_FAILED when the computation has no result (a loss that is not
 * finite). */
PG_CHECKED pg_status pg_task_execute(const pg_task *task, const pg_workplace *at, pg_record *record, pg_error *err);

/* Data sets stay loaded between the tasks of a process; this releases them. */
void pg_task_release_data(void);

#endif
