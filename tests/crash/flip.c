/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two checkpoints; one bit of the newer one changes, in every byte of its file and its seal in turn. The reader must report the
 * damage and find the older one. usage: flip [STRIDE], every STRIDE-th byte; prints one line; exit code 1 if a change goes
 * unnoticed */
#include "core/base/memory.h"
#include "experiments/work/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BYTES = 4000 };
static char folder[] = "/tmp/passgrid-flip-XXXXXX";

static pg_status write_bytes(void *context, const char *path, pg_error *err)
{
    return pg_file_write(path, context, BYTES, PG_FILE_PUBLIC, err);
}

static void count(void *context, const char *path)
{
    (void)path;
    ++*(int *)context;
}

/* Change one bit of the file in place, or change it back. */
static void flip(const char *path, long offset)
{
    char byte = 0;
    const int fd = open(path, O_RDWR);
    if (fd < 0 || pread(fd, &byte, 1, offset) != 1) exit(3);
    byte ^= (char)(1 << offset % 8);
    if (pwrite(fd, &byte, 1, offset) != 1) exit(3);
    close(fd);
}

/* Number of bytes of one file whose change goes unnoticed. */
static int flip_all(pg_checkpoints *at, const char *ending, long stride, int *trials)
{
    char path[PG_PATH_MAX], found[PG_PATH_MAX], *text = NULL;
    size_t bytes = 0;
    int unseen = 0;
    snprintf(path, sizeof path, "%s/key.2.%s", folder, ending);
    if (pg_file_read(path, &text, &bytes, NULL) != PG_OK) exit(3);
    pg_free(text);
    for (long offset = 0; offset < (long)bytes; offset += stride, ++*trials) {
        int damaged = 0;
        long number = 0;
        flip(path, offset);
        unseen += pg_checkpoint_find(at, 0, found, &number, count, &damaged, NULL) != PG_OK || number != 1 || damaged != 1;
        flip(path, offset);
    }
    return unseen;
}

int main(int argc, char **argv)
{
    static char data[BYTES];
    pg_checkpoints at;
    char path[PG_PATH_MAX];
    long number = 0;
    int trials = 0;
    const long stride = argc > 1 ? atol(argv[1]) : 1;
    for (int i = 0; i < BYTES; i++) data[i] = (char)(i * 37 + i / 251);
    if (!mkdtemp(folder) || pg_checkpoints_open(&at, folder, "key", NULL) != PG_OK) return 3;
    for (int i = 0; i < 2; i++) {
        data[0] = (char)i;
        if (pg_checkpoint_save(&at, write_bytes, data, NULL) != PG_OK) return 3;
    }
    int unseen = flip_all(&at, "safetensors", stride > 0 ? stride : 1, &trials);
    unseen += flip_all(&at, "seal", 1, &trials);
    /* all bits are changed back, so the newer one is found again */
    unseen += pg_checkpoint_find(&at, 0, path, &number, NULL, NULL, NULL) != PG_OK || number != 2;
    pg_checkpoints_remove(&at, 0);
    rmdir(folder);
    printf("a byte of a checkpoint is changed: %d trials, %d unnoticed\n", trials, unseen);
    return unseen > 0;
}
