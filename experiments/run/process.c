/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Identity of processes; see process.h. kill(2) tells whether an id is in use, Linux's /proc since when. */
#include "experiments/run/process.h"

#include "core/formats/number.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* First word of a small file; "-" if there is none. */
static void first_word(const char *path, char *out, size_t bytes)
{
    char line[128] = "";
    FILE *file = fopen(path, "re");
    const bool got = file && fgets(line, sizeof line, file);
    if (file) fclose(file);
    line[strcspn(line, " \n")] = 0;
    snprintf(out, bytes, "%.*s", (int)bytes - 1, got && line[0] ? line : "-");
}

/* Cut a text at its blanks: its first words, at most so many. Returns how many. */
static int take_words(char *text, char **words, int most)
{
    int count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \n", &rest); word && count < most; word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    return count;
}

/* State letter and start time of a process; false if /proc does not show them. */
static bool look_up(long long id, char *state, long long *started)
{
    enum { STARTED = 19 }; /* place of the start time among the words after the name */
    char path[64], line[1024] = "", *words[STARTED + 1];
    snprintf(path, sizeof path, "/proc/%lld/stat", id);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    char *after =
        fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL; /* the name in parentheses may contain any character */
    fclose(file);
    if (!after || take_words(after + 1, words, STARTED + 1) <= STARTED) return false;
    *state = words[0][0];
    return pg_number_int(words[STARTED], started);
}

void pg_process_self(pg_process *out)
{
    memset(out, 0, sizeof *out);
    gethostname(out->host, sizeof out->host - 1);
    first_word("/proc/sys/kernel/random/boot_id", out->boot, sizeof out->boot);
    if (readlink("/proc/self/ns/pid", out->space, sizeof out->space - 1) < 0) strcpy(out->space, "-");
    out->id = getpid();
    char state;
    if (!look_up(out->id, &state, &out->started)) out->started = -1;
}

/* Do both ids certainly belong to one host, boot and name space? Two machines may share a name, so a different boot id does not
 * prove that this host was restarted. */
static bool same_space(const pg_process *a, const pg_process *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->boot, b->boot) == 0 && strcmp(a->space, b->space) == 0 &&
           strcmp(a->boot, "-") != 0 && strcmp(a->space, "-") != 0;
}

pg_process_state pg_process_look(const pg_process *process)
{
    pg_process self;
    char state;
    long long started;
    pg_process_self(&self);
    if (!same_space(&self, process) || process->id < 1 || process->id > INT_MAX) return PG_PROCESS_UNKNOWN;
    if (kill((pid_t)process->id, 0) != 0 && errno == ESRCH) return PG_PROCESS_ENDED;
    if (!look_up(process->id, &state, &started) || process->started < 0) return PG_PROCESS_UNKNOWN;
    const bool ended = state == 'Z' || state == 'X' || started != process->started; /* a zombie waits to be collected */
    return ended ? PG_PROCESS_ENDED : PG_PROCESS_RUNS;
}

void pg_process_write(const pg_process *p, char text[PG_PROCESS_TEXT])
{
    snprintf(text, PG_PROCESS_TEXT, "%s %s %s %lld %lld", p->host, p->boot, p->space, p->id, p->started);
}

bool pg_process_read(const char *text, pg_process *out)
{
    memset(out, 0, sizeof *out);
    char copy[PG_PROCESS_TEXT], *words[5];
    snprintf(copy, sizeof copy, "%s", text);
    if (take_words(copy, words, 5) < 5) return false;
    snprintf(out->host, sizeof out->host, "%.*s", (int)sizeof out->host - 1, words[0]);
    snprintf(out->boot, sizeof out->boot, "%.*s", (int)sizeof out->boot - 1, words[1]);
    snprintf(out->space, sizeof out->space, "%.*s", (int)sizeof out->space - 1, words[2]);
    return pg_number_int(words[3], &out->id) && pg_number_int(words[4], &out->started);
}
