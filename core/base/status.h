/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Status codes and caller-owned error objects.
 *
 * A function that can fail returns a pg_status and takes a pg_error as its last argument. The message is one line in lower case
 * and adds what the caller cannot know. If there is a source position ("grid.yaml:14:7: ..."), it is part of the message. If
 * err is NULL, only the status is returned. Reporting an error allocates nothing. */
#ifndef PG_BASE_STATUS_H
#define PG_BASE_STATUS_H

#include <stdarg.h>

/* name, exit code of the process, text */
#define PG_STATUS_LIST(X)                                                                                                      \
    X(PG_OK, 0, "success")                                                                                                     \
    X(PG_FAILED, 1, "the computation failed")                                                                                  \
    X(PG_BAD_INPUT, 2, "bad usage, configuration or input")                                                                    \
    X(PG_IO_FAULT, 3, "input/output fault")                                                                                    \
    X(PG_NO_MEMORY, 3, "out of memory")                                                                                        \
    X(PG_INTERRUPTED, 75, "interrupted; repeat the command to resume")

typedef enum pg_status {
#define PG_STATUS_ENUM(name, code, text) name,
    PG_STATUS_LIST(PG_STATUS_ENUM)
#undef PG_STATUS_ENUM
} pg_status;

#define PG_CHECKED      __attribute__((warn_unused_result))
#define PG_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum { PG_MESSAGE_MAX = 1024 };

typedef struct pg_error {
    pg_status status;
    char message[PG_MESSAGE_MAX]; /* one line of UTF-8, control characters as \xNN; a long message is cut and ends in "..." */
} pg_error;

/* Fill err (if not NULL) and return status, so that `return pg_fail(...)` reads as one statement. */
pg_status pg_fail(pg_error *err, pg_status status, const char *format, ...) PG_PRINTF(3, 4);

/* As pg_fail, with PG_IO_FAULT and the text of errno appended: "path: No space left on device". */
pg_status pg_fail_errno(pg_error *err, const char *format, ...) PG_PRINTF(2, 3);

/* Put "context: " before the message in err. Returns err's status, or PG_FAILED if err is NULL. */
pg_status pg_error_context(pg_error *err, const char *format, ...) PG_PRINTF(2, 3);

const char *pg_status_text(pg_status status);
int pg_status_exit_code(pg_status status);

/* Run call; on failure store its status in the local variable `status` and go to the label `done`. */
#define PG_TRY(call)                                                                                                           \
    do {                                                                                                                       \
        status = (call);                                                                                                       \
        if (status != PG_OK) goto done;                                                                                        \
    } while (0)

#endif
