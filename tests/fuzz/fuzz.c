/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared parts of all fuzz targets; see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/compute/parallel.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const fuzz_target *const fuzz_targets[] = {&fuzz_yaml,       &fuzz_set,      &fuzz_grid,     &fuzz_task,    &fuzz_csv,
                                           &fuzz_published,  &fuzz_timings,  &fuzz_events,   &fuzz_process, &fuzz_safetensors,
                                           &fuzz_model,      &fuzz_evidence, &fuzz_training, &fuzz_attack,  &fuzz_canonical,
                                           &fuzz_record,     &fuzz_failure,  &fuzz_manifest, &fuzz_tables,  &fuzz_picture,
                                           &fuzz_triggers,   &fuzz_idx,      &fuzz_cifar,    &fuzz_npm,     &fuzz_registry,
                                           &fuzz_checkpoint, &fuzz_network,  &fuzz_mapping,  NULL};

pg_error fuzz_error;

const fuzz_target *fuzz_find(const char *name)
{
    for (int i = 0; fuzz_targets[i]; i++)
        if (strcmp(fuzz_targets[i]->name, name) == 0) return fuzz_targets[i];
    return NULL;
}

_Noreturn void fuzz_broken(const char *condition, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "broken promise: %s: ", condition);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

/* ---- running ---- */

/* Prepare the process, once. The data directory is an empty folder, so that no result depends on the machine's data sets. */
void fuzz_prepare(const fuzz_target *target)
{
    static const fuzz_target *prepared;
    if (prepared == target) return;
    if (!prepared) pg_compute_start(1);
    prepared = target;
    setenv("PASSGRID_DATA", fuzz_path("data"), 1);
    if (target->prepare) target->prepare();
}

static void check_message(pg_status status, const pg_error *err)
{
    if (status == PG_OK) return;
    FUZZ_CHECK(err->message[0], "status %d", (int)status);
    for (const char *at = err->message; *at; at++) FUZZ_CHECK(!iscntrl((unsigned char)*at), "'%s'", err->message);
}

pg_status fuzz_one(const fuzz_target *target, const uint8_t *data, size_t bytes, pg_error *err)
{
    *err = (pg_error){.message = ""};
    fuzz_prepare(target);
    const long live = pg_memory_live();
    const pg_status status = target->read(data, bytes, err);
    check_message(status, err);
    FUZZ_CHECK(pg_memory_live() == live, "%ld blocks of memory were not released", pg_memory_live() - live);
    return status;
}

/* ---- seeds ---- */

static const char *seed_folder;

void fuzz_seed_all(const fuzz_target *target, const char *folder)
{
    fuzz_prepare(target);
    FUZZ_MUST(pg_make_directories(folder, &fuzz_error));
    seed_folder = folder;
    target->seed();
}

const char *fuzz_seed(const char *name)
{
    static char path[PG_PATH_MAX];
    FUZZ_MUST(pg_path(path, seed_folder, name, NULL, &fuzz_error));
    return path;
}

void fuzz_seed_bytes(const char *name, const void *data, size_t bytes)
{
    FUZZ_MUST(pg_file_write(fuzz_seed(name), data, bytes, PG_FILE_PUBLIC, &fuzz_error));
}

void fuzz_seed_copy(const char *name, const char *path)
{
    char *data = NULL;
    size_t bytes = 0;
    FUZZ_MUST(pg_file_read(path, &data, &bytes, &fuzz_error));
    fuzz_seed_bytes(name, data, bytes);
    pg_free(data);
}

/* ---- files ---- */

static char folder[PG_PATH_MAX];

static void remove_folder(void)
{
    char command[PG_PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)!system(command);
}

const char *fuzz_path(const char *name)
{
    static char paths[4][PG_PATH_MAX];
    static int turn;
    if (!folder[0]) {
        const char *own = getenv("FUZZ_FOLDER");
        snprintf(folder, sizeof folder, "%s/passgrid-fuzz-XXXXXX", own ? own : access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
        FUZZ_CHECK(mkdtemp(folder), "%s", folder);
        atexit(remove_folder);
    }
    char *path = paths[turn++ % 4];
    FUZZ_MUST(pg_path(path, folder, name, NULL, &fuzz_error));
    return path;
}

const char *fuzz_file(const char *name, const void *data, size_t bytes)
{
    const char *path = fuzz_path(name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0, "%s", path);
    FUZZ_CHECK(write(fd, data, bytes) == (ssize_t)bytes, "%s", path);
    close(fd);
    return path;
}

static const char separator[] = "\n%%\n";

void fuzz_parts(const uint8_t *data, size_t bytes, const char *const *names)
{
    const size_t length = sizeof separator - 1;
    const uint8_t *at = data, *end = data + bytes;
    for (int i = 0; names[i]; i++) {
        if (!at) {
            unlink(fuzz_path(names[i]));
            continue;
        }
        const uint8_t *next = memmem(at, (size_t)(end - at), separator, length);
        fuzz_file(names[i], at, (size_t)((next ? next : end) - at));
        at = next ? next + length : NULL;
    }
}

void fuzz_seed_parts(const char *name, const char *const *paths)
{
    FILE *out = fopen(fuzz_seed(name), "wb");
    FUZZ_CHECK(out, "%s", name);
    for (int i = 0; paths[i]; i++) {
        char *data = NULL;
        size_t bytes = 0;
        FUZZ_MUST(pg_file_read(paths[i], &data, &bytes, &fuzz_error));
        if (i) fputs(separator, out);
        fwrite(data, 1, bytes, out);
        pg_free(data);
    }
    FUZZ_CHECK(fclose(out) == 0, "%s", name);
}

char *fuzz_text(const uint8_t *data, size_t bytes)
{
    char *text = calloc(bytes + 1, 1);
    FUZZ_CHECK(text, "out of memory");
    if (bytes) memcpy(text, data, bytes);
    return text;
}

bool fuzz_same_files(const char *a, const char *b)
{
    char sum[2][PG_SHA256_HEX];
    FUZZ_MUST(pg_sha256_file(a, sum[0], &fuzz_error));
    FUZZ_MUST(pg_sha256_file(b, sum[1], &fuzz_error));
    return strcmp(sum[0], sum[1]) == 0;
}

/* ---- forms ---- */

static const char tail_start[] = ",\n \"sha256\": \"", tail_end[] = "\"\n}\n";

size_t fuzz_seal(uint8_t *data, size_t bytes)
{
    char hex[PG_SHA256_HEX];
    if (bytes >= FUZZ_TAIL && memcmp(data + bytes - FUZZ_TAIL, tail_start, sizeof tail_start - 1) == 0) bytes -= FUZZ_TAIL;
    pg_sha256(data, bytes, hex);
    snprintf((char *)data + bytes, FUZZ_TAIL + 1, "%s%s%s", tail_start, hex, tail_end);
    return bytes + FUZZ_TAIL;
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* CRC-32 of ISO 3309, as PNG's specification gives it in annex D, bit by bit. */
static uint32_t crc(const uint8_t *data, size_t bytes)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < bytes; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? UINT32_C(0xEDB88320) ^ (sum >> 1) : sum >> 1;
    }
    return ~sum;
}

void fuzz_sum_chunks(uint8_t *data, size_t bytes)
{
    for (size_t at = 8; at + 12 <= bytes;) {
        const size_t length = big_endian(data + at);
        if (length > bytes - at - 12) return;
        const uint32_t sum = crc(data + at + 4, length + 4);
        for (size_t i = 0; i < 4; i++) data[at + 8 + length + i] = (uint8_t)(sum >> (24 - 8 * i));
        at += length + 12;
    }
}
