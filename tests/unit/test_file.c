/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Durable files: written whole or not at all, and read with care. */
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stat stat_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info;
}

static void write_text(const char *name, const char *text, pg_file_mode mode)
{
    OK(pg_file_write(path_of(name), text, strlen(text), mode, &err));
}

static void assert_text(const char *name, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    OK(pg_file_read(path_of(name), &text, &bytes, &err));
    assert_int_equal(bytes, strlen(expected));
    assert_string_equal(text, expected);
    pg_free(text);
}

static int leftovers(void)
{
    DIR *dir = opendir(folder());
    int count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) count += strstr(entry->d_name, ".part") != NULL;
    closedir(dir);
    return count;
}

TEST(bytes_come_back_as_they_were_written)
{
    static const char bytes[] = "zero \0 and \xff";
    char *back = NULL;
    size_t count = 0;
    OK(pg_file_write(path_of("bytes"), bytes, sizeof bytes, PG_FILE_PUBLIC, &err));
    OK(pg_file_read(path_of("bytes"), &back, &count, &err));
    assert_int_equal(count, sizeof bytes);
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_int_equal(back[count], 0);
    pg_free(back);
    write_text("text", "first", PG_FILE_PUBLIC);
    write_text("text", "a longer second", PG_FILE_PUBLIC);
    assert_text("text", "a longer second");
    write_text("text", "", PG_FILE_PUBLIC);
    assert_text("text", "");
    assert_int_equal(leftovers(), 0);
}

TEST(a_file_with_the_same_bytes_is_not_written)
{
    static const struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    write_text("same", "text", PG_FILE_PUBLIC);
    assert_int_equal(utimensat(AT_FDCWD, path_of("same"), past, 0), 0);
    const struct stat before = stat_of(path_of("same"));
    write_text("same", "text", PG_FILE_PUBLIC);
    const struct stat after = stat_of(path_of("same"));
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mtim.tv_sec, 1000);
    write_text("same", "tex!", PG_FILE_PUBLIC);
    assert_int_not_equal(stat_of(path_of("same")).st_mtim.tv_sec, 1000);
    assert_text("same", "tex!");
}

static mode_t mode_of(const char *name)
{
    return stat_of(path_of(name)).st_mode & 07777;
}

TEST(secrets_are_for_their_owner_alone)
{
    bool keeps = false;
    const mode_t old = umask(0077);
    write_text("private", "text", PG_FILE_PUBLIC);
    umask(0027);
    write_text("group", "text", PG_FILE_PUBLIC);
    umask(0);
    write_text("public", "text", PG_FILE_PUBLIC);
    write_text("secret", "text", PG_FILE_SECRET);
    umask(old);
    assert_int_equal(mode_of("private"), 0600);
    assert_int_equal(mode_of("group"), 0640);
    assert_int_equal(mode_of("public"), 0666);
    assert_int_equal(mode_of("secret"), 0600);
    /* the bytes are the same, but other users may read the file */
    write_text("public", "text", PG_FILE_SECRET);
    assert_int_equal(mode_of("public"), 0600);
    OK(pg_file_keeps_secrets(folder(), &keeps, &err));
    assert_true(keeps);
    assert_int_equal(pg_file_keeps_secrets(path_of("nowhere"), &keeps, NULL), PG_IO_FAULT);
    assert_int_equal(leftovers(), 0);
}

TEST(a_write_replaces_a_link_and_not_its_target)
{
    write_text("target", "text", PG_FILE_PUBLIC);
    assert_int_equal(symlink("target", path_of("link")), 0);
    OK(pg_file_refuse_link(path_of("target"), &err));
    OK(pg_file_refuse_link(path_of("nowhere"), &err));
    FAILS(pg_file_refuse_link(path_of("link"), &err), PG_BAD_INPUT, "link is a symbolic link");
    /* a write replaces the link, not what it points to */
    write_text("link", "other", PG_FILE_PUBLIC);
    assert_text("target", "text");
    assert_text("link", "other");
}

static void assert_not_written(const char *path, const char *reason)
{
    assert_int_equal(pg_file_write(path, "text", 4, PG_FILE_PUBLIC, &err), PG_IO_FAULT);
    assert_int_equal(err.status, PG_IO_FAULT);
    if (!strstr(err.message, path) || !strstr(err.message, reason))
        fail_msg("'%s' does not say %s: %s", err.message, path, reason);
    assert_int_equal(leftovers(), 0);
}

TEST(a_failed_write_names_the_file_and_leaves_nothing)
{
    write_text("file", "text", PG_FILE_PUBLIC);
    assert_not_written(path_of("missing/x"), "No such file or directory");
    assert_not_written(path_of("file/x"), "Not a directory");
    assert_not_written("/proc/x", "x"); /* a folder in which not even root can write */
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_not_written(path_of("folder"), "not a regular file");
    if (geteuid() == 0) return; /* permissions do not stop root */
    assert_int_equal(chmod(path_of("folder"), 0500), 0);
    assert_not_written(path_of("folder/x"), "Permission denied");
    assert_int_equal(chmod(path_of("folder"), 0700), 0);
}

/* The test reaches the device through a link, so that a fault in the code would only replace the link. */
/* Print, and remove the temporary file as often as the context says. */
static pg_status print_and_sweep(FILE *stream, const void *context, pg_error *e)
{
    int *sweeps = *(int *const *)context;
    DIR *dir = opendir(folder());
    (void)e;
    fputs("whole", stream);
    for (struct dirent *entry; (*sweeps) > 0 && (entry = readdir(dir));)
        if (strstr(entry->d_name, ".part")) *sweeps -= unlink(path_of(entry->d_name)) == 0;
    closedir(dir);
    return PG_OK;
}

TEST(a_write_is_repeated_if_a_run_removes_its_temporary_file)
{
    int sweeps = 2;
    int *const context = &sweeps;
    OK(pg_file_print(path_of("file"), print_and_sweep, &context, PG_FILE_PUBLIC, &err));
    assert_int_equal(sweeps, 0);
    assert_text("file", "whole");
    assert_int_equal(leftovers(), 0);
}

TEST(a_device_is_refused)
{
    struct stat info;
    char *text = NULL;
    size_t bytes = 0;
    assert_int_equal(symlink("/dev/full", path_of("full")), 0);
    assert_not_written(path_of("full"), "not a regular file");
    assert_int_equal(lstat(path_of("full"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    FAILS(pg_file_read(path_of("full"), &text, &bytes, &err), PG_BAD_INPUT, "full: not a regular file");
    assert_null(text);
}

/* A limit on the size of files stands in for a full disk. */
TEST(a_full_disk_leaves_the_old_file)
{
    enum { N = 1 << 16 };
    static char many[N];
    struct rlimit old, low;
    write_text("kept", "old", PG_FILE_PUBLIC);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){.rlim_cur = N / 2, .rlim_max = old.rlim_max};
    void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    const pg_status status = pg_file_write(path_of("kept"), many, N, PG_FILE_PUBLIC, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, PG_IO_FAULT);
    assert_contains(err.message, "kept: File too large");
    assert_text("kept", "old");
    assert_int_equal(leftovers(), 0);
}

TEST(a_file_that_cannot_be_read_is_named)
{
    char *text = NULL;
    size_t bytes = 0;
    FAILS(pg_file_read(path_of("nowhere"), &text, &bytes, &err), PG_IO_FAULT, "nowhere: No such file");
    FAILS(pg_file_read(folder(), &text, &bytes, &err), PG_BAD_INPUT, "not a regular file");
    assert_null(text);
}

/* No process writes to the FIFO. Opening it like a regular file would wait for ever. */
TEST(a_fifo_is_refused_without_waiting)
{
    char *text = NULL, sum[PG_SHA256_HEX], head[4];
    size_t bytes = 0;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    FAILS(pg_file_read(path_of("fifo"), &text, &bytes, &err), PG_BAD_INPUT, "fifo: not a regular file");
    assert_int_equal(pg_file_read_text(path_of("fifo"), &text, &bytes, &err), PG_BAD_INPUT);
    assert_int_equal(pg_sha256_file(path_of("fifo"), sum, &err), PG_BAD_INPUT);
    assert_int_equal(pg_sha256_file("/dev/zero", sum, &err), PG_BAD_INPUT);
    assert_int_equal(pg_file_head(path_of("fifo"), head, sizeof head, &bytes, &err), PG_BAD_INPUT);
    assert_null(text);
    assert_int_equal(unlink(path_of("fifo")), 0);
}

TEST(a_file_larger_than_allowed_is_refused)
{
    char *text = NULL, head[4];
    size_t bytes = 0;
    write_text("large", "12345", PG_FILE_PUBLIC);
    FAILS(pg_file_read_up_to(path_of("large"), 4, &text, &bytes, &err), PG_BAD_INPUT,
          "large: the file has 5 bytes; at most 4 are allowed");
    assert_null(text);
    OK(pg_file_read_up_to(path_of("large"), 5, &text, &bytes, &err));
    assert_string_equal(text, "12345");
    pg_free(text);
    OK(pg_file_head(path_of("large"), head, sizeof head, &bytes, &err));
    assert_memory_equal(head, "1234", 4);
    assert_int_equal(bytes, 5);
    assert_int_equal(truncate(path_of("large"), (off_t)1 << 40), 0); /* a terabyte of nothing */
    assert_int_equal(pg_file_read_text(path_of("large"), &text, &bytes, &err), PG_BAD_INPUT);
    assert_int_equal(unlink(path_of("large")), 0);
}

TEST(directories_are_made_with_their_parents)
{
    OK(pg_make_directories(path_of("a/b//c/"), &err));
    assert_true(S_ISDIR(stat_of(path_of("a/b/c")).st_mode));
    OK(pg_make_directories(path_of("a/b//c/"), &err));
    OK(pg_make_directories("/", &err));
    write_text("a/file", "", PG_FILE_PUBLIC);
    FAILS(pg_make_directories(path_of("a/file"), &err), PG_IO_FAULT, "a/file: not a directory");
    FAILS(pg_make_directories(path_of("a/file/b"), &err), PG_IO_FAULT, "Not a directory");
    assert_int_equal(pg_make_directories("", &err), PG_BAD_INPUT);
    assert_true(pg_file_exists(path_of("a/file")));
    assert_false(pg_file_exists(path_of("a/nowhere")));
}

TEST(links_to_one_file_are_the_same)
{
    OK(pg_file_write("a", "x", 1, PG_FILE_PUBLIC, &err));
    OK(pg_file_write("b", "x", 1, PG_FILE_PUBLIC, &err));
    assert_int_equal(symlink("a", "soft"), 0);
    assert_int_equal(link("a", "hard"), 0);
    assert_true(pg_file_same("a", "./a") && pg_file_same("a", "soft") && pg_file_same("hard", "soft"));
    assert_false(pg_file_same("a", "b") || pg_file_same("a", "none") || pg_file_same("none", "never"));
    OK(pg_make_directories("folder", &err));
    assert_true(pg_file_same("none", "none") && pg_file_same("none", "folder/../none"));
    assert_false(pg_file_same("none", "folder/none") || pg_file_same("nowhere/none", "none"));
}

TEST(a_path_that_is_too_long_is_refused)
{
    char out[PG_PATH_MAX], longest[PG_PATH_MAX];
    OK(pg_path(out, "a", "b", NULL, &err));
    assert_string_equal(out, "a/b");
    OK(pg_path(out, "a", "b", "c", &err));
    assert_string_equal(out, "a/b/c");
    memset(longest, 'x', sizeof longest - 1);
    longest[PG_PATH_MAX - 3] = 0; /* with "/b" the longest that fits */
    OK(pg_path(out, longest, "b", NULL, &err));
    assert_int_equal(strlen(out), PG_PATH_MAX - 1);
    assert_int_equal(pg_path(out, longest, "bc", NULL, &err), PG_BAD_INPUT);
    assert_int_equal(pg_path(out, longest, "b", "c", &err), PG_BAD_INPUT);
    assert_int_equal(pg_file_write(longest, "x", 1, PG_FILE_PUBLIC, &err), PG_BAD_INPUT);
}
