/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to stop; see signals.h. */
#include "experiments/run/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* The limit counts ticks of alarm(2): while the process is stopped, at most one tick passes. */
enum { TICK_SECONDS = 5 };

static volatile sig_atomic_t caught, grace, code_at_alarm, seconds_left;
static const char *volatile line_at_alarm = "";

static void tick(int number)
{
    (void)number;
    seconds_left -= TICK_SECONDS;
    if (seconds_left > 0) {
        alarm(seconds_left < TICK_SECONDS ? (unsigned)seconds_left : TICK_SECONDS);
        return;
    }
    (void)!write(STDERR_FILENO, line_at_alarm, strlen(line_at_alarm));
    _exit(code_at_alarm);
}

void pg_limit_seconds(int seconds, int exit_code, const char *line)
{
    alarm(0);
    code_at_alarm = exit_code;
    line_at_alarm = line;
    seconds_left = seconds;
    signal(SIGALRM, tick);
    alarm(seconds < TICK_SECONDS ? (unsigned)seconds : TICK_SECONDS);
}

static void note(int number)
{
    if (number == SIGINT) signal(SIGINT, SIG_DFL);
    if (!caught && grace)
        pg_limit_seconds(grace, 75,
                         "passgrid: ended before the task was saved; repeat the command to resume from its last checkpoint\n");
    caught = number;
}

/* Must this signal stay ignored? slurm/launch.sh ignores SIGUSR1 only until it is caught here, so that an early one does not
 * end the process. */
static bool left_ignored(int number)
{
    struct sigaction old;
    return number != SIGUSR1 && sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

void pg_signals_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!left_ignored(numbers[i])) sigaction(numbers[i], &action, NULL);
}

void pg_signals_grace(int seconds)
{
    grace = seconds;
}

int pg_signals_caught(void)
{
    return caught;
}
