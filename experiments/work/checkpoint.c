/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checkpoints; see checkpoint.h. Files: DIRECTORY/KEY.NUMBER.safetensors and .seal. */
#include "experiments/work/checkpoint.h"

#include "core/base/directory.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/formats/number.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pg_status name(const pg_checkpoints *at, long number, const char *ending, char path[PG_PATH_MAX], pg_error *err)
{
    char file[160];
    snprintf(file, sizeof file, "%s.%ld.%s", at->key, number, ending);
    return pg_path(path, at->directory, file, NULL, err);
}

/* Number of the checkpoint that a file belongs to; 0 if it is none of this task. */
static long number_of(const pg_checkpoints *at, const char *file)
{
    const size_t length = strlen(at->key);
    if (strncmp(file, at->key, length) != 0 || file[length] != '.') return 0;
    char digits[20];
    long long number;
    snprintf(digits, sizeof digits, "%.*s", (int)strcspn(file + length + 1, "."), file + length + 1);
    return pg_number_int(digits, &number) && number > 0 ? (long)number : 0;
}

pg_status pg_checkpoints_open(pg_checkpoints *at, const char *directory, const char *key, pg_error *err)
{
    *at = (pg_checkpoints){0};
    if (strlen(directory) >= sizeof at->directory || strlen(key) >= sizeof at->key)
        return pg_fail(err, PG_BAD_INPUT, "%s: path too long", directory);
    strcpy(at->directory, directory);
    strcpy(at->key, key);
    pg_names files = {0};
    pg_status status = pg_make_directories(directory, err);
    if (status == PG_OK) status = pg_directory_list(directory, &files, err);
    for (int i = 0; i < files.count; i++) {
        const long number = number_of(at, files.name[i]);
        if (number > at->number) at->number = number;
    }
    pg_names_clear(&files);
    return status;
}

static void remove_one(const pg_checkpoints *at, long number)
{
    char path[PG_PATH_MAX];
    if (number < 1) return;
    if (name(at, number, "seal", path, NULL) == PG_OK) unlink(path);
    if (name(at, number, "safetensors", path, NULL) == PG_OK) unlink(path);
}

/* Make the seal of the file at path: "LENGTH SHA256\n". */
static pg_status seal_text(const char *path, char text[128], pg_error *err)
{
    char *data = NULL, hex[PG_SHA256_HEX];
    size_t bytes = 0;
    const pg_status status = pg_file_read(path, &data, &bytes, err);
    if (status != PG_OK) return status;
    pg_sha256(data, bytes, hex);
    pg_free(data);
    snprintf(text, 128, "%zu %s\n", bytes, hex);
    return PG_OK;
}

pg_status pg_checkpoint_save(pg_checkpoints *at, pg_checkpoint_write *write, void *context, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], seal[PG_PATH_MAX], text[128];
    const long number = at->number + 1;
    PG_TRY(name(at, number, "safetensors", path, err));
    PG_TRY(name(at, number, "seal", seal, err));
    PG_TRY(write(context, path, err));
    PG_TRY(seal_text(path, text, err));
    PG_TRY(pg_file_write(seal, text, strlen(text), PG_FILE_PUBLIC, err));
    at->number = number;
    remove_one(at, number - 2);
done:
    return status;
}

/* Does the file match its seal? Fails if one of them exists and cannot be read. */
static pg_status check(const char *path, const char *seal, bool *intact, pg_error *err)
{
    char text[128], *sealed = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read(seal, &sealed, &bytes, err);
    if (status == PG_OK) status = seal_text(path, text, err);
    *intact = status == PG_OK && strlen(text) == bytes && memcmp(text, sealed, bytes) == 0;
    pg_free(sealed);
    return status == PG_BAD_INPUT || !pg_file_exists(seal) || !pg_file_exists(path) ? PG_OK : status;
}

pg_status pg_checkpoint_find(const pg_checkpoints *at, long before, char path[PG_PATH_MAX], long *number,
                             void (*damaged)(void *context, const char *path), void *context, pg_error *err)
{
    char seal[PG_PATH_MAX];
    *number = 0;
    for (long n = before > 0 ? before - 1 : at->number; n > 0 && n + 3 > at->number; n--) {
        pg_status status = PG_OK;
        if ((status = name(at, n, "safetensors", path, err)) != PG_OK) return status;
        if ((status = name(at, n, "seal", seal, err)) != PG_OK) return status;
        bool intact;
        if ((status = check(path, seal, &intact, err)) != PG_OK) return status;
        if (intact) {
            *number = n;
            return PG_OK;
        }
        if (damaged && pg_file_exists(path)) damaged(context, path);
    }
    return PG_OK;
}

void pg_checkpoints_remove(pg_checkpoints *at, long after)
{
    pg_names files;
    if (pg_directory_list(at->directory, &files, NULL) != PG_OK) return;
    for (int i = 0; i < files.count; i++) {
        const long number = number_of(at, files.name[i]);
        if (number > after) remove_one(at, number);
    }
    pg_names_clear(&files);
    at->number = after;
}
