/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a process is identified and found to run; the lock of a directory. */
#include "core/base/memory.h"
#include "experiments/run/process.h"
#include "experiments/run/run_lock.h"
#include "experiments/run/signals.h"
#include "tests/unit/clock.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that waits to be killed; *out says who it is. */
static pid_t start_child(pg_process *out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        pg_process self;
        pg_process_self(&self);
        const bool told = write(ends[1], &self, sizeof self) == sizeof self;
        if (told)
            for (;;) pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], out, sizeof *out), sizeof *out);
    close(ends[0]);
    close(ends[1]);
    return child;
}

SET_UP
{
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
}

static void kill_child(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

TEST(a_reused_process_number_is_another_process)
{
    pg_process self, child, other;
    char text[PG_PROCESS_TEXT];
    pg_process_self(&self);
    assert_int_equal(self.id, getpid());
    assert_int_equal(pg_process_look(&self), PG_PROCESS_RUNS);
    const pid_t id = start_child(&child);
    assert_int_equal(child.id, id);
    assert_int_equal(pg_process_look(&child), PG_PROCESS_RUNS);
    pg_process_write(&child, text);
    assert_true(pg_process_read(text, &other));
    assert_memory_equal(&other, &child, sizeof child);
    other.started += 1; /* the number in use again */
    assert_int_equal(pg_process_look(&other), PG_PROCESS_ENDED);
    assert_int_equal(kill(id, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)id, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(pg_process_look(&child), PG_PROCESS_ENDED); /* although no process has waited for it */
    assert_int_equal(waitpid(id, NULL, 0), id);
    assert_int_equal(pg_process_look(&child), PG_PROCESS_ENDED);
    other = self;
    strcpy(other.host, "elsewhere");
    assert_int_equal(pg_process_look(&other), PG_PROCESS_UNKNOWN);
    other = self;
    strcpy(other.boot, "another");
    assert_int_equal(pg_process_look(&other), PG_PROCESS_UNKNOWN);
    other = self;
    strcpy(other.space, "pid:[0]");
    assert_int_equal(pg_process_look(&other), PG_PROCESS_UNKNOWN);
    /* a process that cannot be seen is not known to have ended */
    other = child;
    strcpy(other.boot, "-");
    assert_int_equal(pg_process_look(&other), PG_PROCESS_UNKNOWN);
    other = self;
    other.started = -1;
    assert_int_equal(pg_process_look(&other), PG_PROCESS_UNKNOWN);
    other.id = -1;
    assert_int_equal(pg_process_look(&other), PG_PROCESS_UNKNOWN);
    assert_false(pg_process_read("host boot space 1", &other));
    assert_false(pg_process_read("", &other));
}

/* Twelve seconds are ticks of five, five and two. Only one of the alarms that arrive while the process is stopped counts. */
static void live_to_the_limit(void)
{
    pg_limit_seconds(12, 75, "");
    bool good = alarm_seconds == 5;
    raise(SIGALRM);
    good &= alarm_seconds == 5;
    raise(SIGSTOP);
    good &= alarm_seconds == 2;
    if (good) raise(SIGALRM);
    _exit(1);
}

TEST(a_limit_counts_the_seconds_in_which_the_process_runs)
{
    int how;
    const pid_t child = fork();
    if (child == 0) live_to_the_limit();
    assert_int_equal(waitpid(child, &how, WUNTRACED), child);
    assert_true(WIFSTOPPED(how));
    for (int i = 0; i < 10; i++) assert_int_equal(kill(child, SIGALRM), 0);
    assert_int_equal(kill(child, SIGCONT), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 75);
}

/* Without /proc a process can see that a process number is in use, but not by which process. */
TEST(a_process_that_may_open_no_files_is_unknown)
{
    pg_process self, child;
    struct rlimit old, none = {0};
    pg_process_self(&self);
    const pid_t id = start_child(&child);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const pg_process_state runs = pg_process_look(&child);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    kill_child(id);
    assert_int_equal(runs, PG_PROCESS_UNKNOWN);
    assert_int_equal(pg_process_look(&child), PG_PROCESS_ENDED);
}

static void write_lock(const pg_process *process, const char *job)
{
    char line[PG_PROCESS_TEXT], text[2 * PG_PROCESS_TEXT];
    pg_process_write(process, line);
    snprintf(text, sizeof text, "%s\n%s\n", line, job);
    OK(pg_file_write(path_of("run.lock"), text, strlen(text), PG_FILE_PUBLIC, &err));
}

/* Make the lock look as if it had last been renewed long ago. */
static void age_lock(void)
{
    static const struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path_of("run.lock"), past, 0), 0);
}

/* Time of the lock's file. */
static time_t renewed(void)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "%s/run.lock", folder());
    assert_int_equal(stat(path, &info), 0);
    return info.st_mtim.tv_sec;
}

TEST(a_lock_admits_one_run_and_is_renewed)
{
    pg_run_lock lock, second;
    assert_false(pg_run_lock_there(folder()));
    OK(pg_run_lock_take(&lock, folder(), &err));
    assert_true(pg_run_lock_there(folder()));
    assert_string_equal(lock.before, "");
    FAILS(pg_run_lock_take(&second, folder(), &err), PG_BAD_INPUT, "another run is at work there");
    assert_string_equal(second.text, "");
    OK(pg_run_lock_release(&second, &err)); /* not its own */
    assert_true(pg_run_lock_there(folder()));
    age_lock();
    pass_tick(); /* the lock is renewed although this thread never looks at it */
    assert_true(renewed() > 1000);
    assert_true(pg_run_lock_held(&lock));
    OK(pg_run_lock_release(&lock, &err));
    assert_int_equal(rmdir(folder()), 0); /* nothing is left in it */
    assert_int_equal(mkdir(folder(), 0700), 0);
    assert_int_equal(pg_run_lock_take(&lock, "/nowhere", &err), PG_IO_FAULT);
}

/* A process on another host or in another container is about to take the lock too. */
TEST(another_process_of_the_same_number_keeps_its_file)
{
    pg_run_lock lock;
    char path[128], *text = NULL;
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/run.lock.%d.part", folder(), (int)getpid());
    OK(pg_file_write(path, "theirs", 6, PG_FILE_PUBLIC, &err));
    OK(pg_run_lock_take(&lock, folder(), &err));
    OK(pg_run_lock_release(&lock, &err));
    OK(pg_file_read(path, &text, &bytes, &err));
    assert_string_equal(text, "theirs");
    pg_free(text);
}

TEST(the_lock_of_an_ended_process_is_taken_over)
{
    pg_process child;
    pg_run_lock lock;
    const pid_t id = start_child(&child);
    write_lock(&child, "job - restart -");
    assert_int_equal(pg_run_lock_take(&lock, folder(), NULL), PG_BAD_INPUT);
    kill_child(id);
    OK(pg_run_lock_take(&lock, folder(), &err));
    char who[128];
    snprintf(who, sizeof who, "process %lld on %s", child.id, child.host);
    assert_string_equal(lock.before, who);
    /* taken from under us */
    write_lock(&child, "job 1 restart -");
    ticks_due++;
    OK(pg_run_lock_release(&lock, &err));
    assert_false(pg_run_lock_held(&lock));
    assert_true(pg_run_lock_there(folder()));
}

/* The number of restarts that either shell of the Slurm job knows of does not matter. */
TEST(another_shell_of_the_same_job_is_refused)
{
    static const char *const restarts[] = {"", "0", "1", "2"};
    pg_process child;
    pg_run_lock lock;
    const pid_t id = start_child(&child);
    assert_int_equal(setenv("SLURM_JOB_ID", "7", 1), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(setenv("SLURM_RESTART_COUNT", restarts[i], 1), 0);
        write_lock(&child, "job 7 restart 1");
        assert_int_equal(pg_run_lock_take(&lock, folder(), NULL), PG_BAD_INPUT);
    }
    kill_child(id);
    OK(pg_run_lock_take(&lock, folder(), &err));
    OK(pg_run_lock_release(&lock, &err));
    assert_false(pg_run_lock_there(folder()));
}

/* A dangling link could be neither read nor replaced by a hard link. */
TEST(a_link_in_place_of_the_lock_is_refused)
{
    pg_run_lock lock;
    assert_int_equal(symlink("nothing", path_of("run.lock")), 0);
    FAILS(pg_run_lock_take(&lock, folder(), &err), PG_BAD_INPUT, "run.lock is a symbolic link");
}

/* A lock of another host, whose process cannot be seen: how often its owner renews it, and who that is. */
static int renewals;

static void renew_elsewhere(void)
{
    if (renewals-- > 0) assert_int_equal(utimensat(AT_FDCWD, path_of("run.lock"), NULL, 0), 0);
}

static void write_lock_of_another_host(void)
{
    pg_process other;
    pg_process_self(&other);
    strcpy(other.host, "elsewhere");
    write_lock(&other, "job - restart -");
    age_lock();
    slept = 0;
    while_asleep = renew_elsewhere;
}

TEST(a_lock_that_another_host_renews_is_left_to_it)
{
    pg_run_lock lock;
    write_lock_of_another_host();
    renewals = 1;
    FAILS(pg_run_lock_take(&lock, folder(), &err), PG_BAD_INPUT, "another run is at work there");
    assert_int_equal(slept, 1);
}

TEST(a_lock_that_nobody_renews_for_45_seconds_is_taken_over)
{
    pg_run_lock lock;
    write_lock_of_another_host();
    renewals = 0;
    OK(pg_run_lock_take(&lock, folder(), &err));
    assert_int_equal(slept, 45);
    assert_contains(lock.before, " on elsewhere");
    OK(pg_run_lock_release(&lock, &err));
}
