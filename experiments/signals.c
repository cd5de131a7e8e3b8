/* Being told to stop; see signals.h. */
#include "experiments/signals.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught, grace, code_at_alarm;
static const char *volatile line_at_alarm = "";

static void leave(int number)
{
    (void)number;
    (void)!write(STDERR_FILENO, line_at_alarm, strlen(line_at_alarm));
    _exit(code_at_alarm);
}

void pg_limit_seconds(int seconds, int exit_code, const char *line)
{
    code_at_alarm = exit_code;
    line_at_alarm = line;
    signal(SIGALRM, leave);
    alarm((unsigned)seconds);
}

static void note(int number)
{
    if (number == SIGINT) signal(SIGINT, SIG_DFL);
    if (!caught && grace)
        pg_limit_seconds(grace, 75, "passgrid: ended in the middle of a task; repeat the command to resume\n");
    caught = number;
}

void pg_signals_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
}

void pg_signals_grace(int seconds)
{
    grace = seconds;
}

int pg_signals_caught(void)
{
    return caught;
}
