/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The run lock; see run_lock.h. link(2) puts the file in place; it fails if the file exists, even over NFS. On file systems
 * without hard links, O_EXCL does. */
#include "experiments/run/run_lock.h"

#include "core/base/directory.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "experiments/run/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RENEW_SECONDS = 5, STALE_SECONDS = 45 };

/* The content of a run.lock: its process and a random number that no other run.lock has. */
typedef struct owner {
    char text[512];
    pg_process process;
} owner;

/* Make the content of our run.lock, and the name of a temporary file that no other process on any host uses. */
static pg_status describe_self(const char *path, char text[512], char mine[PG_PATH_MAX], pg_error *err)
{
    pg_process self;
    char line[PG_PROCESS_TEXT];
    uint64_t token;
    if (getrandom(&token, sizeof token, 0) < 0) return pg_fail_errno(err, "cannot draw a random number");
    pg_process_self(&self);
    pg_process_write(&self, line);
    snprintf(text, 512, "%s\ntoken %016" PRIx64 "\n", line, token);
    if (snprintf(mine, PG_PATH_MAX, "%s.%016" PRIx64 ".part", path, token) < PG_PATH_MAX) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "%s: path too long", path);
}

/* Read the content of the file. If the file does not exist (any more), out->text is empty. */
static pg_status read_owner(const char *path, owner *out, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    memset(out, 0, sizeof *out);
    const pg_status status = pg_file_exists(path) ? pg_file_read(path, &text, &bytes, err) : PG_OK;
    if (status != PG_OK || !text) return pg_file_exists(path) ? status : PG_OK;
    snprintf(out->text, sizeof out->text, "%s", bytes ? text : "?");
    if (!pg_process_read(text, &out->process)) strcpy(out->process.host, "?");
    pg_free(text);
    return PG_OK;
}

/* Does the owner renew the file while we watch it? The file's time comes from the clock of its server. Counts polls instead of
 * seconds, because whatever suspends this process may suspend the owner too. */
static bool renewed(const char *path)
{
    struct timespec first = {0};
    for (int looks = 0; looks < STALE_SECONDS; looks++, sleep(1)) {
        struct stat info;
        const int fd = open(path, O_RDONLY | O_CLOEXEC); /* opening makes NFS ask its server */
        if (fd < 0) return errno != ENOENT;
        const bool got = fstat(fd, &info) == 0;
        close(fd);
        if (!got) return true;
        if (looks == 0) first = info.st_mtim;
        if (first.tv_sec != info.st_mtim.tv_sec || first.tv_nsec != info.st_mtim.tv_nsec) return true;
    }
    return false;
}

/* Is the owner at work? Slurm's job number cannot tell: a second shell of the job has the same number, and so has a run that
 * survived when the job was requeued. */
static bool at_work(const char *path, const owner *o)
{
    const pg_process_state state = pg_process_look(&o->process);
    return state == PG_PROCESS_RUNS || (state == PG_PROCESS_UNKNOWN && renewed(path));
}

/* Replace a stale file with ours. *done is false if another process was faster, or removed ours. The lock of the directory
 * prevents two processes from replacing at once. */
static pg_status replace(const pg_run_lock *lock, const char *directory, const char *mine, const owner *stale, bool *done,
                         pg_error *err)
{
    owner now;
    const int fd = pg_directory_lock(directory);
    if (fd < 0) return pg_fail_errno(err, "%s", directory);
    pg_status status = read_owner(lock->path, &now, err);
    *done = status == PG_OK && strcmp(now.text, stale->text) == 0;
    if (*done && rename(mine, lock->path) != 0) {
        *done = false;
        if (errno != ENOENT) status = pg_fail_errno(err, "%s", lock->path);
    }
    close(fd);
    return status;
}

/* Put our file in place; false with EEXIST if there is one, with ENOENT if another run removed ours as a remain. On file
 * systems without hard links (CIFS, FAT, some FUSE), an empty file holds the place until ours replaces it. A process that sees
 * the empty file does not know the owner, so it watches whether the file is renewed. */
static bool put(const char *mine, const char *path)
{
    if (link(mine, path) == 0) return unlink(mine) == 0;
    if (errno == EEXIST || errno == ENOENT) return false;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    close(fd);
    return rename(mine, path) == 0;
}

static pg_status refuse(const char *directory, const char *work, const owner *o, pg_error *err)
{
    return pg_fail(err, PG_BAD_INPUT, "%s: %s is at work there, process %lld on %s; wait until it ends, or end it", directory,
                   work, o->process.id, o->process.host);
}

/* One attempt to take the lock. *done is false if the caller must try again. */
static pg_status try(pg_run_lock *lock, const char *directory, const char *mine, bool *done, pg_error *err)
{
    owner other;
    *done = put(mine, lock->path);
    if (*done) return PG_OK;
    if (errno == ENOENT) return PG_OK;
    if (errno != EEXIST) return pg_fail_errno(err, "%s", lock->path);
    const pg_status status = read_owner(lock->path, &other, err);
    if (status != PG_OK || !other.text[0]) return status;
    if (at_work(lock->path, &other)) return refuse(directory, lock->work, &other, err);
    snprintf(lock->before, sizeof lock->before, "process %lld on %s", other.process.id, other.process.host);
    return replace(lock, directory, mine, &other, done, err);
}

static bool keep(void *context)
{
    pg_run_lock *lock = context;
    owner now;
    if (read_owner(lock->path, &now, NULL) == PG_OK && strcmp(now.text, lock->text) != 0)
        lock->lost = true;
    else
        (void)!utimensat(AT_FDCWD, lock->path, NULL, 0);
    return !lock->lost;
}

/* Take the file lock->path, in the directory of the run. */
static pg_status take(pg_run_lock *lock, const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    char mine[PG_PATH_MAX] = "", text[512];
    PG_TRY(pg_file_refuse_link(lock->path, err));
    PG_TRY(describe_self(lock->path, text, mine, err));
    for (bool done = false; !done;) {
        PG_TRY(pg_file_write(mine, text, strlen(text), PG_FILE_PUBLIC, err));
        PG_TRY(try(lock, directory, mine, &done, err));
    }
    memcpy(lock->text, text, sizeof text);
    PG_TRY(pg_ticker_start(&lock->keeper, RENEW_SECONDS, keep, lock, err));
done:
    if (status != PG_OK) (void)!pg_run_lock_release(lock, NULL);
    if (mine[0]) unlink(mine); /* the other link to it is in place, or it is not needed */
    return status;
}

/* Refuse if the owner of a lock is at work; otherwise remove the file, if `stale` says so. */
static pg_status check_other(const char *directory, const char *path, const char *work, bool stale, pg_error *err)
{
    owner other;
    const pg_status status = read_owner(path, &other, err);
    if (status != PG_OK || !other.text[0]) return status;
    if (at_work(path, &other)) return refuse(directory, work, &other, err);
    if (stale) unlink(path);
    return PG_OK;
}

static const char a_run[] = "another run";

/* Whoever claims a task after this sees our run.lock. */
static pg_status check_claims(const char *directory, pg_error *err)
{
    pg_status status = PG_OK;
    pg_names files = {0};
    char folder[PG_PATH_MAX], path[PG_PATH_MAX];
    PG_TRY(pg_path(folder, directory, "checkpoints", NULL, err));
    if (pg_file_exists(folder)) PG_TRY(pg_directory_list(folder, &files, err));
    for (int i = 0; i < files.count; i++) {
        const char *dot = strrchr(files.name[i], '.');
        if (!dot || strcmp(dot, ".lock") != 0) continue;
        PG_TRY(pg_path(path, folder, files.name[i], NULL, err));
        PG_TRY(check_other(directory, path, "another process that runs one of its tasks", true, err));
    }
done:
    pg_names_clear(&files);
    return status;
}

pg_status pg_run_lock_take(pg_run_lock *lock, const char *directory, pg_error *err)
{
    *lock = (pg_run_lock){.work = a_run};
    pg_status status = pg_path(lock->path, directory, "run.lock", NULL, err);
    if (status == PG_OK) status = take(lock, directory, err);
    if (status != PG_OK) return status;
    status = check_claims(directory, err);
    if (status != PG_OK) (void)!pg_run_lock_release(lock, NULL);
    return status;
}

pg_status pg_run_lock_claim(pg_run_lock *lock, const char *directory, const char *key, pg_error *err)
{
    pg_status status = PG_OK;
    char name[PG_SHA256_HEX + 8], run[PG_PATH_MAX];
    *lock = (pg_run_lock){.work = "another process that runs this task"};
    snprintf(name, sizeof name, "%.64s.lock", key);
    PG_TRY(pg_path(lock->path, directory, "checkpoints", name, err));
    PG_TRY(pg_path(run, directory, "run.lock", NULL, err));
    PG_TRY(pg_file_refuse_link(lock->path, err)); /* which no later attempt would pass */
    status = take(lock, directory, err);
    if (status == PG_OK) status = check_other(directory, run, a_run, false, err);
    if (status == PG_BAD_INPUT) status = PG_INTERRUPTED;
done:
    if (status != PG_OK) (void)!pg_run_lock_release(lock, NULL);
    return status;
}

bool pg_run_lock_held(const pg_run_lock *lock)
{
    return !lock->lost;
}

pg_status pg_run_lock_release(pg_run_lock *lock, pg_error *err)
{
    owner now;
    if (!lock->text[0]) return PG_OK;
    pg_ticker_stop(&lock->keeper);
    const bool ours = read_owner(lock->path, &now, NULL) == PG_OK && strcmp(now.text, lock->text) == 0;
    lock->text[0] = 0;
    return ours && unlink(lock->path) != 0 ? pg_fail_errno(err, "%s", lock->path) : PG_OK;
}

bool pg_run_lock_there(const char *directory)
{
    char path[PG_PATH_MAX];
    return pg_path(path, directory, "run.lock", NULL, NULL) == PG_OK && pg_file_exists(path);
}

static bool renewed_lately(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && difftime(time(NULL), info.st_mtime) < STALE_SECONDS;
}

bool pg_run_lock_look(const char *directory, long long *id)
{
    char path[PG_PATH_MAX];
    owner o;
    *id = 0;
    if (pg_path(path, directory, "run.lock", NULL, NULL) != PG_OK || read_owner(path, &o, NULL) != PG_OK || !o.text[0])
        return false;
    *id = o.process.id;
    const pg_process_state state = pg_process_look(&o.process);
    return state == PG_PROCESS_RUNS || (state == PG_PROCESS_UNKNOWN && renewed_lately(path));
}
