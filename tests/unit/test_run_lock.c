/* Who a process is and whether it runs; the lock of a directory. */
#include "core/base/memory.h"
#include "experiments/run/process.h"
#include "experiments/run/run_lock.h"
#include "experiments/run/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/passgrid-lock-XXXXXX";

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
        while (told) pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], out, sizeof *out), sizeof *out);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void kill_child(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_process(void **state)
{
    (void)state;
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
    assert_int_equal(pg_process_look(&child), PG_PROCESS_ENDED); /* though nobody has collected it */
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
    /* what nobody can see is not known to have ended */
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

/* A limit of six seconds counts those in which the process runs: stopped for longer, it has the rest of them left. */
static void test_limit(void **state)
{
    (void)state;
    int how;
    const pid_t child = fork();
    if (child == 0) {
        pg_limit_seconds(6, 75, "");
        for (;;) pause();
    }
    assert_int_equal(kill(child, SIGSTOP), 0);
    sleep(7);
    assert_int_equal(kill(child, SIGCONT), 0);
    usleep(300000);
    assert_int_equal(waitpid(child, &how, WNOHANG), 0);
    assert_int_equal(waitpid(child, &how, 0), child); /* the last second */
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 75);
}

/* A process that cannot open files cannot read /proc: it sees that a number is in use, but not by whom. */
static void test_no_files(void **state)
{
    (void)state;
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
    char line[PG_PROCESS_TEXT], text[2 * PG_PROCESS_TEXT], path[64];
    pg_process_write(process, line);
    snprintf(text, sizeof text, "%s\n%s\n", line, job);
    snprintf(path, sizeof path, "%s/run.lock", folder);
    assert_int_equal(pg_file_write(path, text, strlen(text), PG_FILE_PUBLIC, NULL), PG_OK);
}

/* Time of the lock's file. */
static time_t renewed(void)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "%s/run.lock", folder);
    assert_int_equal(stat(path, &info), 0);
    return info.st_mtim.tv_sec;
}

static void test_lock(void **state)
{
    (void)state;
    pg_run_lock lock, second;
    pg_error err = {.message = ""};
    assert_false(pg_run_lock_there(folder));
    assert_int_equal(pg_run_lock_take(&lock, folder, NULL), PG_OK);
    assert_true(pg_run_lock_there(folder));
    assert_string_equal(lock.before, "");
    assert_int_equal(pg_run_lock_take(&second, folder, &err), PG_BAD_INPUT);
    assert_non_null(strstr(err.message, "another run is at work there"));
    assert_string_equal(second.text, "");
    assert_int_equal(pg_run_lock_release(&second, NULL), PG_OK); /* not its own */
    assert_true(pg_run_lock_there(folder));
    const time_t taken = renewed();
    for (int i = 0; i < 10 && renewed() == taken; i++) sleep(1); /* it is renewed, though this thread never looks at it */
    assert_true(renewed() > taken);
    assert_true(pg_run_lock_held(&lock));
    assert_int_equal(pg_run_lock_release(&lock, NULL), PG_OK);
    assert_false(pg_run_lock_there(folder));
    assert_int_equal(pg_run_lock_take(&lock, "/nowhere", &err), PG_IO_FAULT);
}

/* A process with our number, on another host or in another container, is about to take the lock too. */
static void test_same_number(void **state)
{
    (void)state;
    pg_run_lock lock;
    char path[128], *text = NULL;
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/run.lock.%d.part", folder, (int)getpid());
    assert_int_equal(pg_file_write(path, "theirs", 6, PG_FILE_PUBLIC, NULL), PG_OK);
    assert_int_equal(pg_run_lock_take(&lock, folder, NULL), PG_OK);
    assert_int_equal(pg_run_lock_release(&lock, NULL), PG_OK);
    assert_int_equal(pg_file_read(path, &text, &bytes, NULL), PG_OK);
    assert_string_equal(text, "theirs");
    pg_free(text);
    assert_int_equal(unlink(path), 0);
}

static void test_stale_lock(void **state)
{
    (void)state;
    pg_process child;
    pg_run_lock lock;
    const pid_t id = start_child(&child);
    write_lock(&child, "job - restart -");
    assert_int_equal(pg_run_lock_take(&lock, folder, NULL), PG_BAD_INPUT);
    kill_child(id);
    assert_int_equal(pg_run_lock_take(&lock, folder, NULL), PG_OK);
    char who[128];
    snprintf(who, sizeof who, "process %lld on %s", child.id, child.host);
    assert_string_equal(lock.before, who);
    /* taken from under us */
    write_lock(&child, "job 1 restart -");
    for (int i = 0; i < 10 && pg_run_lock_held(&lock); i++) sleep(1);
    assert_false(pg_run_lock_held(&lock));
    assert_int_equal(pg_run_lock_release(&lock, NULL), PG_OK);
    assert_true(pg_run_lock_there(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/run.lock", folder);
    assert_int_equal(unlink(path), 0);
}

/* Another shell of a job of Slurm, whatever the restarts that either knows of, keeps its hands off a run that lives. */
static void test_same_job(void **state)
{
    (void)state;
    static const char *const restarts[] = {"", "0", "1", "2"};
    pg_process child;
    pg_run_lock lock;
    const pid_t id = start_child(&child);
    assert_int_equal(setenv("SLURM_JOB_ID", "7", 1), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(setenv("SLURM_RESTART_COUNT", restarts[i], 1), 0);
        write_lock(&child, "job 7 restart 1");
        assert_int_equal(pg_run_lock_take(&lock, folder, NULL), PG_BAD_INPUT);
    }
    kill_child(id);
    assert_int_equal(pg_run_lock_take(&lock, folder, NULL), PG_OK);
    assert_int_equal(pg_run_lock_release(&lock, NULL), PG_OK);
    assert_false(pg_run_lock_there(folder));
}

/* A link to nothing is refused: it could neither be read nor be replaced by a hard link. */
static void test_link(void **state)
{
    (void)state;
    pg_run_lock lock;
    pg_error err = {.message = ""};
    char path[64];
    snprintf(path, sizeof path, "%s/run.lock", folder);
    assert_int_equal(symlink("nothing", path), 0);
    assert_int_equal(pg_run_lock_take(&lock, folder, &err), PG_BAD_INPUT);
    assert_non_null(strstr(err.message, "run.lock is a symbolic link"));
    assert_int_equal(unlink(path), 0);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder); /* nothing is left in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process),     cmocka_unit_test(test_no_files),   cmocka_unit_test(test_lock),
        cmocka_unit_test(test_same_number), cmocka_unit_test(test_stale_lock), cmocka_unit_test(test_same_job),
        cmocka_unit_test(test_link),        cmocka_unit_test(test_limit),
    };
    const int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    return failed || pg_memory_live() != 0;
}
