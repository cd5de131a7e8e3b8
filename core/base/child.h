/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running another program and waiting for it. */
#ifndef PG_BASE_CHILD_H
#define PG_BASE_CHILD_H

#include "core/base/status.h"

#include <stddef.h>

/* Exit code of a program that cannot be found, as in a shell. */
enum { PG_NO_PROGRAM = 127 };

/* Run argv (ended by NULL; argv[0] is searched in PATH, without a shell) in a folder (NULL: the current one) and wait for its
 * end. It reads from /dev/null. output [room] receives the first room - 1 bytes of its stdout and stderr, ended by a zero byte;
 * NULL discards them. *exit_code is the program's, 128 + the number of the signal that ended it, or PG_NO_PROGRAM. PG_IO_FAULT
 * if the program is found but does not start. */
PG_CHECKED pg_status pg_child_run(const char *const argv[], const char *folder, char *output, size_t room, int *exit_code,
                                  pg_error *err);
/* The same; calls watch several times a second while the program runs. */
PG_CHECKED pg_status pg_child_watch(const char *const argv[], const char *folder, char *output, size_t room, int *exit_code,
                                    void (*watch)(void *context), void *context, pg_error *err);

#endif
