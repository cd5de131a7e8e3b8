/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Injected faults: this library is preloaded into passgrid (LD_PRELOAD), counts the calls that change files below one
 * directory, and lets the chosen one fail. The program itself has no code for this.
 *
 *   FAULT_UNDER  the directory, as an absolute path
 *   FAULT_AT     number of the failing call, from 1; 0 or unset: none
 *   FAULT        kill: the process is killed before the call; torn: in the middle of a write;
 *                ENOSPC, EDQUOT: this call and all later ones that need space fail; EIO: this and all later ones;
 *                once: only this call fails, with EIO; short: this write stores half of its bytes and returns that
 *   FAULT_LOG    a file outside the directory; each call appends a line
 *
 * Five values of FAULT need no number: links: hard links fail; modes: everybody may read every new file, and chmod fails;
 * slow: every rename takes a tenth of a second; latency: every call that opens, lists, reads or changes a file takes a
 * millisecond more; late: a file that another process has put there within FAULT_SECONDS is not to be seen.
 *
 * Counted: open of a new file (O_EXCL), write, fsync, rename, link, unlink, mkdir, and fflush of a stream. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int calls;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int below(const char *path)
{
    static char here[4096], whole[8300];
    const char *under = getenv("FAULT_UNDER");
    if (!under) return 0;
    if (path[0] != '/' && !getcwd(here, sizeof here)) return 0;
    snprintf(whole, sizeof whole, "%s%s%s", path[0] == '/' ? "" : here, path[0] == '/' ? "" : "/", path);
    return strncmp(whole, under, strlen(under)) == 0;
}

static int below_fd(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static void log_call(const char *what)
{
    const char *path = getenv("FAULT_LOG");
    char line[128];
    if (!path) return;
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const int length = snprintf(line, sizeof line, "%d %s\n", calls, what);
    if (fd < 0) return;
    (void)!syscall(SYS_write, fd, line, length);
    close(fd);
}

static int is(const char *kind)
{
    const char *fault = getenv("FAULT");
    return fault && strcmp(fault, kind) == 0;
}

static void delay(const char *path)
{
    if (is("latency") && below(path)) usleep(1000);
}

static void delay_fd(int fd)
{
    if (is("latency") && below_fd(fd)) usleep(1000);
}

/* Count a call. Returns -1 with errno set if the call must fail. */
static int strike(const char *what)
{
    const char *text = getenv("FAULT_AT");
    const int at = text ? atoi(text) : 0, mine = ++calls;
    log_call(what);
    if (at == 0 || mine < at) return 0;
    if (mine == at && is("kill")) raise(SIGKILL);
    errno = 0;
    if (is("ENOSPC") && strcmp(what, "unlink") != 0) errno = ENOSPC;
    if (is("EDQUOT") && strcmp(what, "unlink") != 0) errno = EDQUOT;
    if (is("EIO") || (is("once") && mine == at)) errno = EIO;
    return errno ? -1 : 0;
}

/* ---- a file system that shows a new file late ---- */

static char own[1024][4096]; /* files that this process has put there */
static int own_count;

static void remember(const char *path)
{
    if (is("late") && own_count < 1024) snprintf(own[own_count++], sizeof *own, "%s", path);
}

static int hidden(const char *path)
{
    struct stat info;
    const char *seconds = getenv("FAULT_SECONDS");
    if (!is("late") || !below(path)) return 0;
    for (int i = 0; i < own_count; i++)
        if (strcmp(own[i], path) == 0) return 0;
    if (fstatat(AT_FDCWD, path, &info, 0) != 0 || !S_ISREG(info.st_mode)) return 0;
    if (time(NULL) - info.st_ctim.tv_sec >= (seconds ? atoi(seconds) : 30)) return 0;
    errno = ENOENT;
    return 1;
}

int stat(const char *path, struct stat *info)
{
    delay(path);
    return hidden(path) ? -1 : fstatat(AT_FDCWD, path, info, 0);
}

struct dirent *readdir(DIR *dir)
{
    struct dirent *(*real)(DIR *) = next("readdir");
    char link[64], path[8192];
    for (struct dirent *entry; (entry = real(dir));) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd(dir));
        const ssize_t length = is("late") ? readlink(link, path, 4096) : -1;
        if (length < 0) return entry;
        snprintf(path + length, sizeof path - (size_t)length, "/%s", entry->d_name);
        const int before = errno; /* the end of a folder does not change it */
        if (!hidden(path)) return entry;
        errno = before;
    }
    return NULL;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    ssize_t (*real)(int, const void *, size_t) = next("write");
    delay_fd(fd);
    if (!below_fd(fd)) return real(fd, data, bytes);
    if (strike("write") != 0) return -1;
    const char *at = getenv("FAULT_AT");
    const int mine = at && atoi(at) == calls && bytes > 1;
    if (mine && (is("short") || is("torn"))) bytes /= 2;
    const ssize_t put = real(fd, data, bytes);
    if (mine && is("torn")) raise(SIGKILL);
    return put;
}

ssize_t read(int fd, void *data, size_t bytes)
{
    ssize_t (*real)(int, void *, size_t) = next("read");
    delay_fd(fd);
    return real(fd, data, bytes);
}

int fsync(int fd)
{
    int (*real)(int) = next("fsync");
    delay_fd(fd);
    return below_fd(fd) && strike("fsync") != 0 ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = next("rename");
    if (is("slow") && below(to)) usleep(100000);
    delay(to);
    remember(to);
    return below(to) && strike("rename") != 0 ? -1 : real(from, to);
}

int link(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = next("link");
    if (is("links") && below(to)) {
        errno = EPERM;
        return -1;
    }
    return below(to) && strike("link") != 0 ? -1 : real(from, to);
}

int unlink(const char *path)
{
    int (*real)(const char *) = next("unlink");
    delay(path);
    return below(path) && strike("unlink") != 0 ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode)
{
    int (*real)(const char *, mode_t) = next("mkdir");
    return below(path) && strike("mkdir") != 0 ? -1 : real(path, mode);
}

/* Count the open of a new file (O_EXCL); other files are opened as usual. */
int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = next("open");
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    delay(path);
    if (flags & O_CREAT) remember(path);
    if (!(flags & O_CREAT) && hidden(path)) return -1;
    if (!(flags & O_EXCL) || !below(path)) return real(path, flags, mode);
    if (is("modes")) mode = 0777;
    return strike("open") != 0 ? -1 : real(path, flags, mode);
}

int fflush(FILE *stream)
{
    int (*real)(FILE *) = next("fflush");
    return stream && below_fd(fileno(stream)) && strike("fflush") != 0 ? EOF : real(stream);
}

int fchmod(int fd, mode_t mode)
{
    int (*real)(int, mode_t) = next("fchmod");
    if (!is("modes") || !below_fd(fd)) return real(fd, mode);
    errno = EPERM;
    return -1;
}
