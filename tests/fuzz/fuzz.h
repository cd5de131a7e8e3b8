/* Fuzz targets: every reader of the project as a function of bytes.
 *
 * A target turns one input into the file (or files) that its reader takes, reads it, and checks what a reader promises: it
 * neither crashes nor leaks, an error has a message of one printable line, and what it accepted can be written and reads back
 * equal. Two programs run the targets: libfuzzer.c under libFuzzer, and main.c, which needs no fuzzer, over given inputs. */
#ifndef PG_TESTS_FUZZ_H
#define PG_TESTS_FUZZ_H

#include "core/base/file.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How an input is changed so that it still gets past its format's own checks. SAFETENSORS: header and data apart, offsets made
 * to fit again; SEALED: JSON whose last member is its checksum; PICTURE: a PNG with the checksums of its chunks. */
typedef enum fuzz_form { FUZZ_PLAIN, FUZZ_SAFETENSORS, FUZZ_SEALED, FUZZ_PICTURE } fuzz_form;

typedef struct fuzz_target {
    const char *name;
    fuzz_form form;
    int most; /* bytes of the largest input */
    /* Makes what every input needs; called once, before the other two. May be NULL. */
    void (*prepare)(void);
    /* Write seed inputs, made by the project's own writers, to the paths that fuzz_seed gives. */
    void (*seed)(void);
    /* Print words that occur in its inputs, as a dictionary of libFuzzer's. May be NULL. */
    void (*words)(FILE *out);
    /* Read one input. */
    pg_status (*read)(const uint8_t *data, size_t bytes, pg_error *err);
} fuzz_target;

/* All targets, ended by NULL, and one by name, NULL if unknown. */
extern const fuzz_target *const fuzz_targets[];
const fuzz_target *fuzz_find(const char *name);

/* Prepare a target; fuzz_one and fuzz_seed_all do it where it was not done. */
void fuzz_prepare(const fuzz_target *target);

/* Run a target on one input, with all checks; a broken promise ends the process. */
pg_status fuzz_one(const fuzz_target *target, const uint8_t *data, size_t bytes, pg_error *err);

/* Write the target's seeds into the folder. */
void fuzz_seed_all(const fuzz_target *target, const char *folder);

/* ---- for targets ---- */

/* Path of a new seed of the target whose seeds are being written; the same with the bytes already in it. */
const char *fuzz_seed(const char *name);
void fuzz_seed_bytes(const char *name, const void *data, size_t bytes);
void fuzz_seed_copy(const char *name, const char *path);

/* Path of a file in the process's own folder (in memory where there is /dev/shm); valid until the fourth call after this. Files
 * of one input may stay: the next input replaces them. */
const char *fuzz_path(const char *name);
/* The same, holding these bytes. */
const char *fuzz_file(const char *name, const void *data, size_t bytes);

/* Several files as one input: parts separated by the line "%%". Puts part i at names[i] in the process's folder and removes
 * names[i] where the input has no such part. names ends with NULL. */
void fuzz_parts(const uint8_t *data, size_t bytes, const char *const *names);
void fuzz_seed_parts(const char *name, const char *const *paths);

/* The input as text, up to its first zero byte. Freed by free. */
char *fuzz_text(const uint8_t *data, size_t bytes);

/* The promise holds, or the process ends with a message. */
#define FUZZ_CHECK(condition, ...) ((condition) ? (void)0 : fuzz_broken(#condition, __VA_ARGS__))
_Noreturn void fuzz_broken(const char *condition, const char *format, ...) PG_PRINTF(2, 3);
/* The call, whose error is fuzz_error, succeeds, or the process ends with its message: for seeds, and for reading back what was
 * just written. */
extern pg_error fuzz_error;
#define FUZZ_MUST(call) FUZZ_CHECK((call) == PG_OK, "%s", fuzz_error.message)

/* The two files hold the same bytes. */
bool fuzz_same_files(const char *a, const char *b);

/* ---- forms ---- */

/* Put the checksum at the end of a JSON text, in place of the one that it may have; room for FUZZ_TAIL more bytes. Returns its
 * length. */
enum { FUZZ_TAIL = 82 };
size_t fuzz_seal(uint8_t *data, size_t bytes);
/* Set the checksums of a PNG's chunks. */
void fuzz_sum_chunks(uint8_t *data, size_t bytes);

extern const fuzz_target fuzz_yaml, fuzz_set, fuzz_grid, fuzz_task, fuzz_csv, fuzz_published, fuzz_timings, fuzz_process;
extern const fuzz_target fuzz_safetensors, fuzz_model, fuzz_evidence, fuzz_training, fuzz_attack, fuzz_canonical;
extern const fuzz_target fuzz_record, fuzz_failure, fuzz_manifest, fuzz_tables;
extern const fuzz_target fuzz_picture, fuzz_triggers, fuzz_idx, fuzz_cifar, fuzz_npm, fuzz_registry, fuzz_checkpoint;

#endif
