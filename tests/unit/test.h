/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unit tests.
 *
 *     #include "tests/unit/test.h"
 *
 *     TEST(a_cut_file_is_refused)
 *     {
 *         OK(pg_file_write(path_of("x.csv"), "a,b\n1", 5, PG_FILE_PUBLIC, &err));
 *         FAILS(pg_csv_read(path_of("x.csv"), &table, &err), PG_BAD_INPUT, "x.csv:2: ");
 *     }
 *
 * A test registers itself; test.c holds main. Each test runs in an empty folder of its own, which is its working directory and
 * is removed afterwards. It fails if an assertion fails or if it leaves memory of pg_alloc behind. SET_UP runs once before the
 * first test and TEAR_DOWN once after the last; what SET_UP allocates may live until then.
 *
 *     build/tests/test_csv                     runs every test
 *     build/tests/test_csv 'a_*' --list        names those that match
 *     build/tests/test_csv --report FILE.xml   also writes a JUnit report */
#ifndef PG_TESTS_TEST_H
#define PG_TESTS_TEST_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
    enum { TEST_DID_NOT_END, TEST_PASSED, TEST_FAILED, TEST_SKIPPED } outcome;
    double seconds;
    char message[2048]; /* why it failed or was skipped */
} test_case;

void test_register(test_case *t);
extern test_case set_up, tear_down;

#define TEST(title)                                                                                                            \
    static void title(void);                                                                                                   \
    __attribute__((constructor)) static void register_##title(void)                                                            \
    {                                                                                                                          \
        static test_case self = {.name = #title, .run = title};                                                                \
        test_register(&self);                                                                                                  \
    }                                                                                                                          \
    static void title(void)

#define TEST_FIXTURE(when)                                                                                                     \
    static void run_##when(void);                                                                                              \
    __attribute__((constructor)) static void register_##when(void)                                                             \
    {                                                                                                                          \
        when.run = run_##when;                                                                                                 \
    }                                                                                                                          \
    static void run_##when(void)
#define SET_UP    TEST_FIXTURE(set_up)
#define TEAR_DOWN TEST_FIXTURE(tear_down)

/* ---- folders; a path is valid until the fourth call after it ---- */

/* The folder of the running test. In SET_UP and TEAR_DOWN: the folder that all tests share. */
const char *folder(void);
const char *path_of(const char *name);
/* NAME in the folder of SET_UP, and in the source tree. */
const char *shared_path(const char *name);
const char *source_path(const char *name);

/* ---- assertions: the first that fails ends its test ---- */

/* The error of the last OK or FAILS; empty when a test begins. */
extern pg_error err;

/* The call succeeds. */
#define OK(call)                                                                                                               \
    do {                                                                                                                       \
        if ((call) != PG_OK) fail_msg("%s: %s", #call, err.message);                                                           \
    } while (0)

/* The call fails with this status and a message of one line that has this text in it. */
#define FAILS(call, expected, text)                                                                                            \
    do {                                                                                                                       \
        err = (pg_error){.message = ""};                                                                                       \
        assert_int_equal(call, expected);                                                                                      \
        assert_contains(err.message, text);                                                                                    \
        assert_null(strchr(err.message, '\n'));                                                                                \
    } while (0)

typedef struct test_site {
    const char *file;
    int line;
    const char *what; /* the text of the value that an assertion is about */
} test_site;
#define TEST_SITE(what) ((test_site){__FILE__, __LINE__, what})

_Noreturn void test_fail(test_site at, const char *format, ...) PG_PRINTF(2, 3);
_Noreturn void test_skip(const char *why);
void test_int(test_site at, intmax_t value, intmax_t expected, bool equal);
void test_text(test_site at, const char *value, const char *expected, bool equal);
void test_contains(test_site at, const char *value, const char *part);
void test_same_file(test_site at, const char *path, const char *expected);
void test_bytes(test_site at, const void *value, const void *expected, size_t bytes, bool equal);

#define fail_msg(...) test_fail(TEST_SITE(""), __VA_ARGS__)
#define skip(why)     test_skip(why)

#define assert_true(value)     ((value) ? (void)0 : test_fail(TEST_SITE(#value), "is false"))
#define assert_false(value)    ((value) ? test_fail(TEST_SITE(#value), "is true") : (void)0)
#define assert_null(value)     ((value) == NULL ? (void)0 : test_fail(TEST_SITE(#value), "is not NULL"))
#define assert_non_null(value) ((value) != NULL ? (void)0 : test_fail(TEST_SITE(#value), "is NULL"))

#define assert_int_equal(value, expected)     test_int(TEST_SITE(#value), (intmax_t)(value), (intmax_t)(expected), true)
#define assert_int_not_equal(value, expected) test_int(TEST_SITE(#value), (intmax_t)(value), (intmax_t)(expected), false)
#define assert_ptr_equal(value, expected)     test_int(TEST_SITE(#value), (intptr_t)(value), (intptr_t)(expected), true)
#define assert_ptr_not_equal(value, expected) test_int(TEST_SITE(#value), (intptr_t)(value), (intptr_t)(expected), false)
#define assert_in_range(value, least, most)                                                                                    \
    ((value) >= (least) && (value) <= (most) ? (void)0 : test_fail(TEST_SITE(#value), "is not from %s to %s", #least, #most))

#define assert_string_equal(value, expected)     test_text(TEST_SITE(#value), value, expected, true)
#define assert_string_not_equal(value, expected) test_text(TEST_SITE(#value), value, expected, false)
#define assert_contains(value, part)             test_contains(TEST_SITE(#value), value, part)

/* Do two files have the same bytes? */
#define assert_same_file(path, expected) test_same_file(TEST_SITE(#path), path, expected)

#define assert_memory_equal(value, expected, bytes)     test_bytes(TEST_SITE(#value), value, expected, bytes, true)
#define assert_memory_not_equal(value, expected, bytes) test_bytes(TEST_SITE(#value), value, expected, bytes, false)

#endif
