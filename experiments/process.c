/* Who a process is; see process.h. By Linux's /proc. */
#include "experiments/process.h"

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

/* Start of a process; -1 if it has ended, also as a zombie that nobody has collected yet. */
static long long start_of(long long id)
{
    char path[64], line[1024] = "", state = 0;
    long long started = -1;
    snprintf(path, sizeof path, "/proc/%lld/stat", id);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    const char *after = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL; /* the name in brackets may hold anything */
    if (!after || sscanf(after + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &state,
                         &started) != 2)
        started = -1;
    fclose(file);
    return state == 'Z' || state == 'X' ? -1 : started;
}

void pg_process_self(pg_process *out)
{
    memset(out, 0, sizeof *out);
    gethostname(out->host, sizeof out->host - 1);
    first_word("/proc/sys/kernel/random/boot_id", out->boot, sizeof out->boot);
    if (readlink("/proc/self/ns/pid", out->space, sizeof out->space - 1) < 0) strcpy(out->space, "-");
    out->id = getpid();
    out->started = start_of(out->id);
}

pg_process_state pg_process_look(const pg_process *process)
{
    pg_process self;
    pg_process_self(&self);
    /* Two machines may have one name: another boot need not mean that the host was started anew. */
    if (strcmp(self.host, process->host) != 0 || strcmp(self.boot, process->boot) != 0 ||
        strcmp(self.space, process->space) != 0)
        return PG_PROCESS_UNKNOWN;
    const long long started = start_of(process->id);
    return started >= 0 && started == process->started ? PG_PROCESS_RUNS : PG_PROCESS_ENDED;
}

void pg_process_write(const pg_process *p, char text[PG_PROCESS_TEXT])
{
    snprintf(text, PG_PROCESS_TEXT, "%s %s %s %lld %lld", p->host, p->boot, p->space, p->id, p->started);
}

bool pg_process_read(const char *text, pg_process *out)
{
    memset(out, 0, sizeof *out);
    return sscanf(text, "%63s %39s %39s %lld %lld", out->host, out->boot, out->space, &out->id, &out->started) == 5;
}
