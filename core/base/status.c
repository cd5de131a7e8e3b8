/* Status codes and error objects; see status.h. */
#include "core/base/status.h"

#include "core/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Parts of a message come from files and command lines. */
static void make_printable(pg_error *err)
{
    char raw[PG_MESSAGE_MAX];
    memcpy(raw, err->message, sizeof raw);
    pg_printable(raw, err->message, sizeof err->message);
}

pg_status pg_fail(pg_error *err, pg_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->status = status;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        make_printable(err);
    }
    return status;
}

pg_status pg_fail_errno(pg_error *err, const char *format, ...)
{
    const int number = errno;
    if (err) {
        va_list args;
        va_start(args, format);
        err->status = PG_IO_FAULT;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        const size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(number));
        make_printable(err);
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
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    const size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", rest);
    make_printable(err);
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
