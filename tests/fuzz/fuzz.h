/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzz targets: every reader of the project as a function of bytes.
 *
 * A target writes one input to the file (or files) that its reader takes, reads it, and checks the promises of a reader: it
 * neither crashes nor leaks memory, an error has a message of one printable line, and accepted content can be written and reads
 * back equal. Two programs run the targets: libfuzzer.c under libFuzzer, and main.c over given inputs without a fuzzer. */
#ifndef PG_TESTS_FUZZ_H
#define PG_TESTS_FUZZ_H

#include "core/base/file.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How libfuzzer.c changes an input so that it still passes the checks of its format. SAFETENSORS: changes header and data
 * separately and corrects the offsets. SEALED: corrects the checksum that is the last member of the JSON. PICTURE: corrects the
 * checksums of a PNG's chunks. */
typedef enum fuzz_form { FUZZ_PLAIN, FUZZ_SAFETENSORS, FUZZ_SEALED, FUZZ_PICTURE } fuzz_form;

typedef struct fuzz_target {
    const char *name;
    fuzz_form form;
    int most; /* bytes of the largest input */
    /* Prepare everything that the inputs need; called once, before seed and read. May be NULL. */
    void (*prepare)(void);
    /* Write seed inputs with the project's own writers, to paths from fuzz_seed. */
    void (*seed)(void);
    /* Print words that occur in inputs, as a dictionary for libFuzzer. May be NULL. */
    void (*words)(FILE *out);
    /* Read one input. */
    pg_status (*read)(const uint8_t *data, size_t bytes, pg_error *err);
} fuzz_target;

/* All targets, ended by NULL; a target by its name, NULL if it is unknown. */
extern const fuzz_target *const fuzz_targets[];
const fuzz_target *fuzz_find(const char *name);

/* Prepare a target. fuzz_one and fuzz_seed_all do it if it was not done before. */
void fuzz_prepare(const fuzz_target *target);

/* Run a target on one input, with all checks; a broken promise ends the process. */
pg_status fuzz_one(const fuzz_target *target, const uint8_t *data, size_t bytes, pg_error *err);

/* Write the target's seeds into the folder. */
void fuzz_seed_all(const fuzz_target *target, const char *folder);

/* ---- for targets ---- */

/* Path of a new seed of the current target. fuzz_seed_bytes writes these bytes to it, fuzz_seed_copy those of a file. */
const char *fuzz_seed(const char *name);
void fuzz_seed_bytes(const char *name, const void *data, size_t bytes);
void fuzz_seed_copy(const char *name, const char *path);

/* Path of a file in the process's own folder (in /dev/shm if that exists), valid until the fourth call after this one. A target
 * may leave files there; the next input replaces them. */
const char *fuzz_path(const char *name);
/* The same, after writing these bytes to it. */
const char *fuzz_file(const char *name, const void *data, size_t bytes);

/* Several files as one input: parts are separated by the line "%%". Writes part i to names[i] in the process's folder, and
 * removes names[i] if the input has no such part. names is ended by NULL. */
void fuzz_parts(const uint8_t *data, size_t bytes, const char *const *names);
void fuzz_seed_parts(const char *name, const char *const *paths);

/* The input as text, up to its first zero byte. The caller frees it with free. */
char *fuzz_text(const uint8_t *data, size_t bytes);

/* End the process with a message unless the condition holds. */
#define FUZZ_CHECK(condition, ...) ((condition) ? (void)0 : fuzz_broken(#condition, __VA_ARGS__))
_Noreturn void fuzz_broken(const char *condition, const char *format, ...) PG_PRINTF(2, 3);
/* End the process with the message in fuzz_error unless the call succeeds: for writing seeds, and for reading back. */
extern pg_error fuzz_error;
#define FUZZ_MUST(call) FUZZ_CHECK((call) == PG_OK, "%s", fuzz_error.message)

/* Do two files have the same bytes? */
bool fuzz_same_files(const char *a, const char *b);

/* ---- forms ---- */

/* Put the checksum at the end of a JSON text, or replace the one there. data must have room for FUZZ_TAIL more bytes. Returns
 * the new length. */
enum { FUZZ_TAIL = 82 };
size_t fuzz_seal(uint8_t *data, size_t bytes);
/* Correct the checksums of a PNG's chunks. */
void fuzz_sum_chunks(uint8_t *data, size_t bytes);

extern const fuzz_target fuzz_yaml, fuzz_set, fuzz_grid, fuzz_task, fuzz_csv, fuzz_published, fuzz_timings, fuzz_events,
    fuzz_process;
extern const fuzz_target fuzz_safetensors, fuzz_model, fuzz_evidence, fuzz_training, fuzz_attack, fuzz_canonical;
extern const fuzz_target fuzz_record, fuzz_failure, fuzz_manifest, fuzz_tables;
extern const fuzz_target fuzz_picture, fuzz_triggers, fuzz_idx, fuzz_cifar, fuzz_npm, fuzz_registry, fuzz_checkpoint;
extern const fuzz_target fuzz_network, fuzz_mapping;

#endif
