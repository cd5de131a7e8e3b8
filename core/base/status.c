/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Status codes and error objects; see status.h. */
#include "core/base/status.h"

#include "core/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One byte more than a message, so that pg_printable sees that a cut message is too long and adds "...". */
enum { RAW_MAX = PG_MESSAGE_MAX + 1 };

/* Format the message and append ": rest" unless rest is NULL. Parts of both come from files and command lines, so escape them.
 */
static void set_message(pg_error *err, const char *format, va_list args, const char *rest)
{
    char raw[2 * RAW_MAX];
    vsnprintf(raw, RAW_MAX, format, args);
    const size_t used = strlen(raw);
    if (rest) snprintf(raw + used, sizeof raw - used, ": %s", rest);
    pg_printable(raw, err->message, sizeof err->message);
}

pg_status pg_fail(pg_error *err, pg_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->status = status;
        set_message(err, format, args, NULL);
        va_end(args);
    }
    return status;
}

pg_status pg_fail_errno(pg_error *err, const char *format, ...)
{
    const char *const reason = strerror(errno);
    if (err) {
        va_list args;
        va_start(args, format);
        err->status = PG_IO_FAULT;
        set_message(err, format, args, reason);
        va_end(args);
    }
    return PG_IO_FAULT;
}

pg_status pg_error_context(pg_error *err, const char *format, ...)
{
    if (!err) return PG_FAILED;
    char rest[PG_MESSAGE_MAX];
    memcpy(rest, err->message, sizeof rest);
    va_list args;
    va_start(args, format);
    set_message(err, format, args, rest);
    va_end(args);
    return err->status;
}

const char *pg_status_text(pg_status status)
{
    switch (status) {
#define PG_STATUS_CASE(name, code, text)                                                                                       \
    case name: return text;
        PG_STATUS_LIST(PG_STATUS_CASE)
#undef PG_STATUS_CASE
    }
    return "unknown status";
}

int pg_status_exit_code(pg_status status)
{
    switch (status) {
#define PG_STATUS_CASE(name, code, text)                                                                                       \
    case name: return code;
        PG_STATUS_LIST(PG_STATUS_CASE)
#undef PG_STATUS_CASE
    }
    return 1;
}
