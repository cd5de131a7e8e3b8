/* The base: errors, memory, named random streams, hashes, durable files. */
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/base/utf8.h"
#include "tests/unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct stat stat_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info;
}

/* ---- errors ---- */

TEST(an_error_has_a_status_and_one_line)
{
    assert_int_equal(pg_fail(&err, PG_BAD_INPUT, "%s:%d: wrong", "grid.yaml", 14), PG_BAD_INPUT);
    assert_int_equal(err.status, PG_BAD_INPUT);
    assert_string_equal(err.message, "grid.yaml:14: wrong");
    assert_int_equal(pg_error_context(&err, "task %d", 3), PG_BAD_INPUT);
    assert_string_equal(err.message, "task 3: grid.yaml:14: wrong");
    errno = ENOSPC;
    assert_int_equal(pg_fail_errno(&err, "out/%s", "x"), PG_IO_FAULT);
    assert_int_equal(err.status, PG_IO_FAULT);
    assert_string_equal(err.message, "out/x: No space left on device");
}

TEST(nobody_need_listen_to_an_error)
{
    errno = ENOENT;
    assert_int_equal(pg_fail(NULL, PG_NO_MEMORY, "lost"), PG_NO_MEMORY);
    assert_int_equal(pg_fail_errno(NULL, "lost"), PG_IO_FAULT);
    assert_int_not_equal(pg_error_context(NULL, "lost"), PG_OK);
}

/* What does not fit is cut, and what stands behind the message is not touched. */
TEST(a_long_message_is_cut)
{
    struct {
        pg_error err;
        char guard[8];
    } at = {.guard = "guard"};
    char text[2 * PG_MESSAGE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    assert_int_equal(pg_fail(&at.err, PG_FAILED, "%s", text), PG_FAILED);
    assert_int_equal(strlen(at.err.message), PG_MESSAGE_MAX - 1);
    assert_int_equal(pg_error_context(&at.err, "where"), PG_FAILED);
    assert_int_equal(strlen(at.err.message), PG_MESSAGE_MAX - 1);
    assert_memory_equal(at.err.message, "where: xxx", 10);
    assert_int_equal(pg_error_context(&at.err, "%s", text), PG_FAILED);
    errno = EIO;
    assert_int_equal(pg_fail_errno(&at.err, "%s", text), PG_IO_FAULT);
    assert_int_equal(strlen(at.err.message), PG_MESSAGE_MAX - 1);
    assert_string_equal(at.guard, "guard");
}

/* Words of files and command lines stand in messages: a terminal gets no control character of theirs, and no broken UTF-8. */
TEST(messages_hold_no_control_character_and_no_broken_utf8)
{
    static const char hostile[] = "a\n\x1b[32m\x7f \xc3\xa9 \xc2\x9b \xff \xed\xa0\x80 \xe2\x82",
                      shown[] = "a\\x0a\\x1b[32m\\x7f \xc3\xa9 \\xc2\\x9b \\xff \\xed\\xa0\\x80 \\xe2\\x82";
    char expected[512];
    (void)pg_fail(&err, PG_BAD_INPUT, "%s", hostile);
    assert_string_equal(err.message, shown);
    (void)pg_error_context(&err, "%s", hostile);
    snprintf(expected, sizeof expected, "%s: %s", shown, shown);
    assert_string_equal(err.message, expected);
    errno = ENOENT;
    (void)pg_fail_errno(&err, "%s", hostile);
    snprintf(expected, sizeof expected, "%s: No such file or directory", shown);
    assert_string_equal(err.message, expected);
    assert_false(pg_is_printable(hostile));
    assert_true(pg_is_printable(shown));
}

/* A character that has no room is left out whole, and a text that is cut says so. */
TEST(a_cut_text_ends_in_dots_and_a_whole_character)
{
    char out[8];
    assert_string_equal(pg_printable("abcdef\xc3\xa9", out, sizeof out), "abcd...");
    assert_string_equal(pg_printable("abcde\xc3\xa9", out, sizeof out), "abcde\xc3\xa9");
    assert_string_equal(pg_printable("abc\xc3\xa9xyz", out, sizeof out), "abc...");
    assert_string_equal(pg_printable("abcd\n", out, sizeof out), "abcd...");
    assert_string_equal(pg_printable("abc", out, 3), "ab");
    assert_string_equal(pg_printable("", out, 1), "");
    assert_false(pg_is_printable("a\xe2\x80\xae"
                                 "b"));
}

TEST(every_status_has_a_text_and_an_exit_code)
{
    static const struct {
        pg_status status;
        int code;
    } known[] = {{PG_OK, 0}, {PG_FAILED, 1}, {PG_BAD_INPUT, 2}, {PG_IO_FAULT, 3}, {PG_NO_MEMORY, 3}, {PG_INTERRUPTED, 75}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(pg_status_exit_code(known[i].status), known[i].code);
        assert_string_not_equal(pg_status_text(known[i].status), "unknown status");
    }
    assert_string_equal(pg_status_text((pg_status)99), "unknown status");
    assert_int_equal(pg_status_exit_code((pg_status)99), 1);
}

/* ---- memory ---- */

TEST(blocks_are_zeroed_aligned_and_counted)
{
    const long before = pg_memory_live();
    for (size_t bytes = 0; bytes < 300; bytes++) {
        unsigned char *dirty = NULL, *block = NULL;
        OK(pg_alloc(bytes, 1, &dirty, &err));
        memset(dirty, 0xA5, bytes);
        pg_free(dirty); /* the next block may well be the same memory */
        OK(pg_alloc(bytes, 1, &block, &err));
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % PG_ALIGN, 0);
        for (size_t i = 0; i < bytes; i++) assert_int_equal(block[i], 0);
        assert_int_equal(pg_memory_live(), before + 1);
        pg_free(block);
    }
    pg_free(NULL);
    assert_int_equal(pg_memory_live(), before);
}

TEST(a_size_that_overflows_is_out_of_memory)
{
    static const size_t sizes[][2] = {{SIZE_MAX, 2}, {SIZE_MAX / 8 + 1, 8}, {SIZE_MAX, 1}, {3, SIZE_MAX / 2}};
    const long before = pg_memory_live();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char mark, *out = &mark;
        assert_int_equal(pg_alloc(sizes[i][0], sizes[i][1], &out, &err), PG_NO_MEMORY);
        assert_int_equal(err.status, PG_NO_MEMORY);
        assert_contains(err.message, "do not fit");
        assert_ptr_equal(out, &mark);
    }
    assert_int_equal(pg_memory_live(), before);
}

TEST(a_string_is_copied)
{
    static const char *const texts[] = {"", "text"};
    for (size_t i = 0; i < 2; i++) {
        char *copy = NULL;
        OK(pg_strdup(texts[i], &copy, &err));
        assert_string_equal(copy, texts[i]);
        assert_ptr_not_equal(copy, texts[i]);
        pg_free(copy);
    }
}

TEST(an_array_grows_and_keeps_its_elements)
{
    int *array = NULL;
    for (int n = 0; n < 100; n++) {
        OK(pg_grow(&array, n, sizeof *array, &err));
        for (int i = 0; i < n; i++) assert_int_equal(array[i], i + 1);
        assert_int_equal(array[n], 0);
        array[n] = n + 1;
    }
    int *const before = array;
    assert_int_equal(pg_grow(&array, 64, SIZE_MAX / 64, NULL), PG_NO_MEMORY);
    assert_ptr_equal(array, before);
    pg_free(array);
}

/* ---- random streams ---- */

enum { DRAWS = 8 };

static void draw(uint64_t grid, const char *task, const char *purpose, uint64_t epoch, uint64_t out[DRAWS])
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){grid, task}, purpose, epoch);
    for (int i = 0; i < DRAWS; i++) out[i] = pg_rng_below(&rng, UINT64_MAX);
}

TEST(each_name_has_its_own_random_stream)
{
    /* the last two have the same letters as the second and third, divided otherwise */
    static const struct {
        uint64_t grid;
        const char *task, *purpose;
        uint64_t epoch;
    } names[] = {{7, "task", "order", 3}, {8, "task", "order", 3}, {7, "tasks", "order", 3}, {7, "task", "crop", 3},
                 {7, "task", "order", 4}, {8, "tas", "korder", 3}, {7, "task", "sorder", 3}};
    enum { NAMES = sizeof names / sizeof *names };
    uint64_t numbers[NAMES][DRAWS], again[DRAWS];
    for (int i = 0; i < NAMES; i++) draw(names[i].grid, names[i].task, names[i].purpose, names[i].epoch, numbers[i]);
    for (int i = 0; i < NAMES; i++) {
        draw(names[i].grid, names[i].task, names[i].purpose, names[i].epoch, again);
        assert_memory_equal(again, numbers[i], sizeof again);
        for (int j = 0; j < i; j++)
            for (int k = 0; k < DRAWS; k++) assert_true(numbers[i][k] != numbers[j][k]);
    }
}

/* The published first outputs of splitmix64 from 1234567; gsl_rng_get gives their upper halves. */
TEST(numbers_are_those_of_splitmix64)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                        UINT64_C(16408922859458223821)};
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = ""}, "", 0);
    gsl_rng_set(&rng.gsl, 1234567);
    for (int i = 0; i < 5; i++) assert_true(gsl_rng_get(&rng.gsl) == expected[i] >> 32);
    gsl_rng_set(&rng.gsl, 1234567);
    for (int i = 0; i < 5; i++) assert_true(pg_rng_below(&rng, UINT64_MAX) == expected[i]);
}

TEST(a_stream_resumes_at_its_position)
{
    pg_rng rng, resumed;
    double expected[DRAWS];
    pg_rng_open(&rng, (pg_seed){1, "task"}, "noise", 0);
    for (int i = 0; i < 100; i++) (void)pg_rng_normal(&rng);
    const uint64_t position = rng.state.position;
    for (int i = 0; i < DRAWS; i++) expected[i] = pg_rng_normal(&rng);
    pg_rng_open(&resumed, (pg_seed){1, "task"}, "noise", 0);
    assert_true(resumed.state.position == 0);
    resumed.state.position = position;
    for (int i = 0; i < DRAWS; i++) {
        const double value = pg_rng_normal(&resumed);
        assert_memory_equal(&value, &expected[i], sizeof value);
    }
    assert_true(resumed.state.position == rng.state.position);
}

/* Mean and variance of n draws are within five standard errors of what they should be (kurtosis at most 9). */
static void assert_moments(const char *what, double (*one)(pg_rng *rng), double mean, double variance)
{
    enum { N = 20000 };
    pg_rng rng;
    double sum = 0, squares = 0;
    pg_rng_open(&rng, (pg_seed){2, "moments"}, what, 0);
    for (int i = 0; i < N; i++) {
        const double value = one(&rng) - mean;
        sum += value;
        squares += value * value;
    }
    if (fabs(sum / N) > 5 * sqrt(variance / N)) fail_msg("%s: mean %g, expected %g", what, sum / N + mean, mean);
    if (fabs(squares / N - variance) > 5 * variance * sqrt(8.0 / N))
        fail_msg("%s: variance %g, expected %g", what, squares / N, variance);
}

static double one_gaussian(pg_rng *rng)
{
    return gsl_ran_gaussian(&rng->gsl, 2.5);
}

static double one_exponential(pg_rng *rng)
{
    return gsl_ran_exponential(&rng->gsl, 3.0);
}

static double one_binomial(pg_rng *rng)
{
    return gsl_ran_binomial(&rng->gsl, 0.3, 50);
}

static double one_below(pg_rng *rng)
{
    return (double)pg_rng_below(rng, 7);
}

static double one_integer(pg_rng *rng)
{
    return (double)gsl_rng_uniform_int(&rng->gsl, 7);
}

TEST(draws_have_the_moments_of_their_distributions)
{
    assert_moments("uniform", pg_rng_uniform, 0.5, 1 / 12.0);
    assert_moments("normal", pg_rng_normal, 0, 1);
    assert_moments("below", one_below, 3, 4);
    assert_moments("integer", one_integer, 3, 4);
    assert_moments("gaussian", one_gaussian, 0, 6.25);
    assert_moments("exponential", one_exponential, 3, 9);
    assert_moments("binomial", one_binomial, 15, 10.5);
}

TEST(draws_stay_in_their_range_and_fill_it)
{
    pg_rng rng;
    int seen[7] = {0};
    pg_rng_open(&rng, (pg_seed){3, "ranges"}, "", 0);
    for (int i = 0; i < 1000; i++) {
        const double u = pg_rng_uniform(&rng);
        const uint64_t below = pg_rng_below(&rng, 7);
        assert_true(u >= 0 && u < 1);
        assert_true(below < 7);
        seen[below]++;
        assert_true(pg_rng_below(&rng, 1) == 0);
    }
    for (int i = 0; i < 7; i++) assert_true(seen[i] > 0);
}

/* All 24 orders of four things come, about equally often: no cell further than five deviations from its mean. */
TEST(every_permutation_is_equally_likely)
{
    enum { N = 24000 };
    pg_rng rng;
    int seen[256] = {0}, kinds = 0;
    uint32_t order[4];
    pg_rng_open(&rng, (pg_seed){4, "permutation"}, "", 0);
    for (int i = 0; i < N; i++) {
        unsigned digits = 0, there = 0;
        pg_rng_permutation(&rng, order, 4);
        for (int k = 0; k < 4; k++) {
            assert_true(order[k] < 4);
            digits = digits * 4 + order[k];
            there |= 1u << order[k];
        }
        assert_int_equal(there, 15);
        seen[digits]++;
    }
    for (int i = 0; i < 256; i++) {
        if (seen[i] == 0) continue;
        kinds++;
        assert_true(abs(seen[i] - N / 24) < 5 * sqrt(N / 24.0));
    }
    assert_int_equal(kinds, 24);
    const uint64_t position = rng.state.position;
    pg_rng_permutation(&rng, order, 0);
    assert_true(rng.state.position == position);
}

/* ---- hashes ---- */

static const char sha_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char sha_empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(hashes_are_those_that_are_published)
{
    char hex[PG_SHA256_HEX], md5[PG_MD5_HEX];
    pg_sha256("abc", 3, hex);
    assert_string_equal(hex, sha_abc);
    pg_sha256("", 0, hex);
    assert_string_equal(hex, sha_empty);
    OK(pg_file_write(path_of("abc"), "abc", 3, PG_FILE_PUBLIC, &err));
    OK(pg_file_write(path_of("empty"), "", 0, PG_FILE_PUBLIC, &err));
    OK(pg_sha256_file(path_of("abc"), hex, &err));
    assert_string_equal(hex, sha_abc);
    OK(pg_sha256_file(path_of("empty"), hex, &err));
    assert_string_equal(hex, sha_empty);
    OK(pg_md5_file(path_of("abc"), md5, &err));
    assert_string_equal(md5, "900150983cd24fb0d6963f7d28e17f72");
    OK(pg_md5_file(path_of("empty"), md5, &err));
    assert_string_equal(md5, "d41d8cd98f00b204e9800998ecf8427e");
}

/* The million letters a of FIPS 180, whole, in pieces, and from a file of many blocks. */
TEST(a_long_text_is_hashed_alike_whole_and_in_pieces)
{
    enum { N = 1000000 };
    static const char expected[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    char *text = NULL, hex[PG_SHA256_HEX];
    pg_hash hash;
    OK(pg_alloc(N, 1, &text, &err));
    memset(text, 'a', N);
    pg_sha256(text, N, hex);
    assert_string_equal(hex, expected);
    pg_hash_start(&hash);
    for (size_t done = 0, piece = 1; done < N; done += piece, piece = (piece * 7) % 1009)
        pg_hash_add(&hash, text + done, piece = piece < N - done ? piece : N - done);
    pg_hash_finish_hex(&hash, hex);
    assert_string_equal(hex, expected);
    OK(pg_file_write(path_of("long"), text, N, PG_FILE_PUBLIC, &err));
    OK(pg_sha256_file(path_of("long"), hex, &err));
    assert_string_equal(hex, expected);
    pg_free(text);
}

TEST(fields_are_hashed_with_their_ends)
{
    char hex[PG_SHA256_HEX], expected[PG_SHA256_HEX];
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "ab");
    pg_hash_add_text(&hash, "");
    pg_hash_add_u64(&hash, UINT64_C(0x0123456789abcdef));
    pg_hash_finish_hex(&hash, hex);
    pg_sha256("ab\0\0\xef\xcd\xab\x89\x67\x45\x23\x01", 12, expected);
    assert_string_equal(hex, expected);
}

TEST(a_file_that_cannot_be_hashed_is_named)
{
    char hex[PG_SHA256_HEX];
    FAILS(pg_sha256_file(path_of("nowhere"), hex, &err), PG_IO_FAULT, "nowhere: No such file");
    FAILS(pg_md5_file(folder(), hex, &err), PG_BAD_INPUT, folder());
}

/* ---- files ---- */

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
    /* the bytes are there already, but not for the owner alone */
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
    assert_not_written("/proc/x", "x"); /* a folder that not even root can write to */
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_not_written(path_of("folder"), "not a regular file");
    if (geteuid() == 0) return; /* whom permissions do not stop */
    assert_int_equal(chmod(path_of("folder"), 0500), 0);
    assert_not_written(path_of("folder/x"), "Permission denied");
    assert_int_equal(chmod(path_of("folder"), 0700), 0);
}

/* A device is refused, not replaced by a file. It is reached by a link, so that a mistake would cost the link alone. */
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

/* A limit on the size of files stands in for a disk without room: the old bytes stay, nothing is left behind. */
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

/* Nobody writes to the FIFO: what opens it as a file is opened waits for ever. */
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

TEST(a_path_that_is_too_long_is_refused)
{
    char out[PG_PATH_MAX], longest[PG_PATH_MAX];
    OK(pg_path(out, "a", "b", NULL, &err));
    assert_string_equal(out, "a/b");
    OK(pg_path(out, "a", "b", "c", &err));
    assert_string_equal(out, "a/b/c");
    memset(longest, 'x', sizeof longest - 1);
    longest[PG_PATH_MAX - 3] = 0; /* with "/b" the last that fits */
    OK(pg_path(out, longest, "b", NULL, &err));
    assert_int_equal(strlen(out), PG_PATH_MAX - 1);
    assert_int_equal(pg_path(out, longest, "bc", NULL, &err), PG_BAD_INPUT);
    assert_int_equal(pg_path(out, longest, "b", "c", &err), PG_BAD_INPUT);
    assert_int_equal(pg_file_write(longest, "x", 1, PG_FILE_PUBLIC, &err), PG_BAD_INPUT);
}
