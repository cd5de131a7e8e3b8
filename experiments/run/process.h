/* Who a process is, so that another one can tell whether it still runs: on the same host for certain, from elsewhere not at
 * all. */
#ifndef PG_RUN_PROCESS_H
#define PG_RUN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

enum { PG_HOST_MAX = 64 };

/* Plain bytes without padding that matters: it may be sent and compared. Numbers of processes are used again after a while, so
 * the time of the start is part of the name; they mean something only within one name space, host and boot. */
typedef struct pg_process {
    char host[PG_HOST_MAX], boot[40], space[40];
    long long id, started; /* started: clock ticks after the boot; -1: not known */
} pg_process;

typedef enum pg_process_state {
    PG_PROCESS_RUNS,
    PG_PROCESS_ENDED,
    PG_PROCESS_UNKNOWN /* invisible: on another host, in another name space, or /proc is unreadable */
} pg_process_state;

void pg_process_self(pg_process *out);
/* PG_PROCESS_ENDED only if that is certain. */
pg_process_state pg_process_look(const pg_process *process);

/* As one line, "HOST BOOT SPACE ID STARTED", and back; false if text is no such line. */
enum { PG_PROCESS_TEXT = 256 };
void pg_process_write(const pg_process *process, char text[PG_PROCESS_TEXT]);
bool pg_process_read(const char *text, pg_process *out);

#endif
