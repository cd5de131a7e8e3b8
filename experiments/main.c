/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid: from the command line to a command. */
#include "core/base/utf8.h"
#include "core/formats/problems.h"
#include "experiments/commands/commands.h"
#include "experiments/run/provenance.h"

#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int choose(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    int used;
    if (strcmp(name, "--version") == 0) return puts(pg_version()), 0;
    if (!name[0] || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        pg_commands_overview(stdout);
        return name[0] ? 0 : 2;
    }
    const pg_command *command = pg_command_find(argc - 1, argv + 1, &used);
    if (command) return command->run(argc - used, argv + used);
    char shown[64];
    const char *near = pg_command_nearest(name);
    fprintf(stderr, "passgrid: unknown command '%s'%s%s%s (passgrid --help)\n", pg_printable(name, shown, sizeof shown),
            near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return 2;
}

static void nothing(int number)
{
    (void)number;
}

/* Open standard streams that were closed at the start. Otherwise the next file that is opened would get the number of one of
 * them and receive everything that the program prints. */
static bool open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
    return true;
}

/* Has the reader of standard output closed it, as head does when it has seen enough? */
static bool reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

/* When a reader is gone or a file reaches its size limit, writing fails and the program continues. The signals have a handler
 * because child processes would inherit SIG_IGN. */
int main(int argc, char **argv)
{
    if (!open_standard_streams()) return 3;
    signal(SIGPIPE, nothing);
    signal(SIGXFSZ, nothing);
    gsl_set_error_handler_off();
    const int code = choose(argc, argv);
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_is_gone()) return code;
    fprintf(stderr, "passgrid: standard output: %s\n", errno ? strerror(errno) : "cannot be written");
    return code ? code : 3;
}
