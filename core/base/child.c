/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running another program; see child.h. Its output goes to a file in memory, so that it never waits for a reader. */
#include "core/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int spawn(pid_t *child, const char *const argv[], const char *folder, int output)
{
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_adddup2(&files, output, 2);
    if (folder) posix_spawn_file_actions_addchdir_np(&files, folder);
    const int code = posix_spawnp(child, argv[0], &files, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

static int exit_code_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

/* Wait for the end of a child. False, with errno, if that fails. */
static bool await(pid_t child, int *wait_status, void (*watch)(void *context), void *context)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    for (;;) {
        const pid_t got = waitpid(child, wait_status, watch ? WNOHANG : 0);
        if (got > 0 || (got < 0 && errno != EINTR)) return got > 0;
        if (!watch) continue;
        watch(context);
        nanosleep(&pause, NULL);
    }
}

pg_status pg_child_run(const char *const argv[], const char *folder, char *output, size_t room, int *exit_code, pg_error *err)
{
    return pg_child_watch(argv, folder, output, room, exit_code, NULL, NULL, err);
}

pg_status pg_child_watch(const char *const argv[], const char *folder, char *output, size_t room, int *exit_code,
                         void (*watch)(void *context), void *context, pg_error *err)
{
    pid_t child = 0;
    int wait_status = 0;
    pg_status status = PG_OK;
    const int file = output ? memfd_create("output", MFD_CLOEXEC) : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (output) output[0] = 0;
    if (file < 0) return pg_fail_errno(err, "%s: no file for its output", argv[0]);
    errno = spawn(&child, argv, folder, file);
    *exit_code = PG_NO_PROGRAM;
    if (errno == ENOENT) goto done;
    if (errno) PG_TRY(pg_fail_errno(err, "%s does not start", argv[0]));
    if (!await(child, &wait_status, watch, context)) PG_TRY(pg_fail_errno(err, "%s: its exit code is unknown", argv[0]));
    *exit_code = exit_code_of(wait_status);
    const ssize_t got = output ? pread(file, output, room - 1, 0) : 0;
    if (got > 0) output[got] = 0;
done:
    close(file);
    return status;
}
