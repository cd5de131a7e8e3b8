/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The identity of a process, so that another process on the same host can tell whether it still runs. */
#ifndef PG_RUN_PROCESS_H
#define PG_RUN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

enum { PG_HOST_MAX = 64 };

/* May be sent and compared as bytes. Process ids are reused, so the start time is part of the identity; an id is valid only
 * within one host, boot and name space. */
typedef struct pg_process {
    char host[PG_HOST_MAX], boot[40], space[40];
    long long id, started; /* started: clock ticks after the boot; -1: unknown */
} pg_process;

typedef enum pg_process_state {
    PG_PROCESS_RUNS,
    PG_PROCESS_ENDED,
    PG_PROCESS_UNKNOWN /* invisible: on another host, in another name space, or /proc is unreadable */
} pg_process_state;

void pg_process_self(pg_process *out);
/* Does the process run? PG_PROCESS_ENDED only if it certainly does not. */
pg_process_state pg_process_look(const pg_process *process);

/* Write the identity as a line "HOST BOOT SPACE ID STARTED", and read it back; false if text is not such a line. */
enum { PG_PROCESS_TEXT = 256 };
void pg_process_write(const pg_process *process, char text[PG_PROCESS_TEXT]);
bool pg_process_read(const char *text, pg_process *out);

#endif
