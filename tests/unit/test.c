/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main of every unit program; see test.h. */
#include "tests/unit/test.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

pg_error err;
test_case set_up = {.name = "set_up"}, tear_down = {.name = "tear_down"};

static test_case *tests, **last = &tests, *current;
static jmp_buf after; /* where leave() jumps to from the running test */
static pid_t runner;  /* the process that runs the tests, as opposed to its children */
static char source_folder[PATH_MAX], shared_folder[PATH_MAX], own_folder[PATH_MAX];

void test_register(test_case *t)
{
    *last = t;
    last = &t->next;
}

/* ---- outcomes ---- */

static _Noreturn void leave(void)
{
    if (getpid() != runner) _exit(1);
    longjmp(after, 1);
}

void test_fail(test_site at, const char *format, ...)
{
    char text[1536];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    current->outcome = TEST_FAILED;
    snprintf(current->message, sizeof current->message, "%s:%d: %.256s%s%s", at.file, at.line, at.what, *at.what ? " " : "",
             text);
    leave();
}

void test_skip(const char *why)
{
    current->outcome = TEST_SKIPPED;
    snprintf(current->message, sizeof current->message, "%s", why);
    leave();
}

void test_int(test_site at, intmax_t value, intmax_t expected, bool equal)
{
    if (equal && value != expected) test_fail(at, "is %jd, not %jd", value, expected);
    if (!equal && value == expected) test_fail(at, "is %jd", value);
}

void test_text(test_site at, const char *value, const char *expected, bool equal)
{
    const bool same = value && expected ? strcmp(value, expected) == 0 : value == expected;
    if (equal && !same) test_fail(at, "is '%s', not '%s'", value ? value : "(null)", expected ? expected : "(null)");
    if (!equal && same) test_fail(at, "is '%s'", value ? value : "(null)");
}

void test_contains(test_site at, const char *value, const char *part)
{
    if (!strstr(value, part)) test_fail(at, "is '%s', without '%s'", value, part);
}

void test_bytes(test_site at, const void *value, const void *expected, size_t bytes, bool equal)
{
    const unsigned char *a = value, *b = expected;
    size_t i = 0;
    while (i < bytes && a[i] == b[i]) i++;
    if (equal && i < bytes) test_fail(at, "has %#04x at byte %zu of %zu, not %#04x", a[i], i, bytes, b[i]);
    if (!equal && i == bytes) test_fail(at, "has the same %zu bytes", bytes);
}

void test_same_file(test_site at, const char *path, const char *expected)
{
    char *a = NULL, *b = NULL;
    size_t bytes = 0, expected_bytes = 0;
    OK(pg_file_read(path, &a, &bytes, &err));
    OK(pg_file_read(expected, &b, &expected_bytes, &err));
    test_int(at, (intmax_t)bytes, (intmax_t)expected_bytes, true);
    test_bytes(at, a, b, bytes, true);
    pg_free(a);
    pg_free(b);
}

/* ---- folders ---- */

static const char *join(const char *directory, const char *name)
{
    static char paths[4][PATH_MAX + 256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

const char *folder(void)
{
    return *own_folder ? own_folder : shared_folder;
}

const char *path_of(const char *name)
{
    return join(folder(), name);
}

const char *shared_path(const char *name)
{
    return join(shared_folder, name);
}

const char *source_path(const char *name)
{
    return join(source_folder, name);
}

/* Make a new folder the working directory. */
static void enter(char path[PATH_MAX])
{
    const char *where = getenv("TMPDIR");
    snprintf(path, PATH_MAX, "%s/passgrid-test-XXXXXX", where ? where : "/tmp");
    if (!mkdtemp(path) || chdir(path) != 0) fail_msg("%s: %s", path, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void remove_folder(char path[PATH_MAX])
{
    if (chdir(source_folder) != 0 || (*path && nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0))
        fail_msg("%s cannot be removed: %s", path, strerror(errno));
    *path = 0;
}

/* ---- the report ---- */

static void put_xml(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (strchr("&<>\"\n", *text))
            fprintf(file, "&#%d;", *text);
        else
            fputc((unsigned char)*text < ' ' ? '?' : *text, file);
    }
}

static const char *subject(void)
{
    const char *name = program_invocation_short_name;
    return strncmp(name, "test_", 5) == 0 ? name + 5 : name;
}

/* SET_UP and TEAR_DOWN are mentioned only if they fail. */
static bool silent(const test_case *t)
{
    return (t == &set_up || t == &tear_down) && t->outcome == TEST_PASSED;
}

static void put_case(FILE *file, const test_case *t)
{
    static const char *const element[] = {"failure", "", "failure", "skipped"};
    if (silent(t)) return;
    fprintf(file, "<testcase classname=\"%s\" name=\"%s\" time=\"%.3f\"", subject(), t->name, t->seconds);
    if (t->outcome != TEST_PASSED) {
        fprintf(file, "><%s message=\"", element[t->outcome]);
        put_xml(file, t->outcome == TEST_DID_NOT_END ? "the test did not end" : t->message);
        fprintf(file, "\"/></testcase>\n");
    } else {
        fprintf(file, "/>\n");
    }
}

/* Write the report. This happens before each test and at the end, so that the report of a program that a test ended says where.
 * Tests after `current` have no line in it. */
static void write_report(const char *path)
{
    int count[4] = {0};
    double seconds = 0;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    for (const test_case *t = tests; t; t = t == current ? NULL : t->next) {
        count[t->outcome] += !silent(t);
        seconds += t->seconds;
    }
    fprintf(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    fprintf(file, "<testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" skipped=\"%d\" time=\"%.3f\">\n", subject(),
            count[0] + count[1] + count[2] + count[3], count[TEST_FAILED] + count[TEST_DID_NOT_END], count[TEST_SKIPPED],
            seconds);
    for (const test_case *t = tests; t; t = t == current ? NULL : t->next) put_case(file, t);
    fprintf(file, "</testsuite>\n");
    fclose(file);
}

/* ---- main ---- */

static bool failed; /* a test has */

/* Run a test until it returns or leave() ends it. Memory that a failed test left behind is not charged to TEAR_DOWN. */
static void run_body(const test_case *t)
{
    const long live = t == &tear_down ? 0 : pg_memory_live();
    if (t == &tear_down) (void)!chdir(shared_folder);
    if (t != &tear_down) enter(t == &set_up ? shared_folder : own_folder);
    if (t->run) t->run();
    const long left = pg_memory_live() - live;
    if (left != 0 && t != &set_up && !(t == &tear_down && failed)) fail_msg("%ld blocks of memory were not released", left);
}

/* The real clock, which clock.h cannot move. */
static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_test(test_case *t)
{
    static const char *const word[] = {"", "ok", "FAILED", "skipped"};
    const double start = now();
    current = t;
    err = (pg_error){.message = ""};
    if (setjmp(after) == 0) {
        run_body(t);
        t->outcome = TEST_PASSED;
    }
    if (setjmp(after) == 0) remove_folder(t == &tear_down ? shared_folder : own_folder);
    t->seconds = now() - start;
    failed |= t->outcome == TEST_FAILED;
    if (silent(t)) return;
    printf("%-7s %6.2f s  %s%s%s\n", word[t->outcome], t->seconds, t->name, *t->message ? ": " : "", t->message);
    fflush(stdout);
}

/* If SET_UP fails, neither the tests nor TEAR_DOWN run. */
static void run_tests(const char *report)
{
    set_up.next = tests;
    tests = &set_up;
    test_register(&tear_down);
    for (test_case *t = tests; t; t = t->next) {
        if (set_up.outcome == TEST_FAILED) tear_down.run = NULL;
        if (set_up.outcome == TEST_FAILED && t != &tear_down) continue;
        current = t;
        write_report(report);
        run_test(t);
    }
    write_report(report);
}

/* Keeps the tests that match one of the patterns; all if there are none. */
static void select_tests(int count, char **patterns)
{
    test_case *t = tests;
    tests = NULL;
    last = &tests;
    for (test_case *next; t; t = next) {
        bool wanted = count == 0;
        for (int i = 0; i < count; i++) wanted |= fnmatch(patterns[i], t->name, 0) == 0;
        next = t->next;
        t->next = NULL;
        if (wanted) test_register(t);
    }
}

int main(int argc, char **argv)
{
    const char *report = NULL;
    bool list = false;
    int count = 0; /* of patterns, moved to the front of argv */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strcmp(argv[i], "--report") == 0 && i + 1 < argc)
            report = argv[++i];
        else
            argv[count++] = argv[i];
    }
    select_tests(count, argv);
    if (!list && !tests) fprintf(stderr, "%s: no test has such a name\n", subject());
    for (const test_case *t = tests; list && t; t = t->next) printf("%s\n", t->name);
    if (list || !tests) return list ? 0 : 2;
    runner = getpid();
    if (!getcwd(source_folder, sizeof source_folder)) return 2;
    run_tests(report);
    return failed;
}
