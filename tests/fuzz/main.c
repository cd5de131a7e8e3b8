/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fuzz targets without a fuzzer: what `make test` runs.
 *
 *   fuzz test DIRECTORY [TARGET ...]   every target over its seeds and over the files of DIRECTORY/TARGET
 *   fuzz run TARGET FILE ...           one target over some inputs, with the result of each
 *   fuzz seed DIRECTORY [TARGET ...]   write seeds to DIRECTORY/TARGET
 *   fuzz words TARGET                  words for its inputs, a dictionary of libFuzzer's
 *   fuzz list                          names of the targets
 *
 * The name of an input tells the expected result: refused-* is PG_BAD_INPUT; other seeds and read-* are accepted. Other files
 * may have either result, but must not break a promise. */
#include "tests/fuzz/fuzz.h"

#include "core/base/memory.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* An input breaks a promise if it takes longer than this, or more memory than this beyond the program's at its start. */
enum { SECONDS = 20, MEGABYTES = 1024 };

static char current[PG_PATH_MAX];

/* Prints the input at which the process ends. */
static void fall(int signal_number)
{
    (void)!write(STDERR_FILENO, "input: ", 7);
    (void)!write(STDERR_FILENO, current, strlen(current));
    (void)!write(STDERR_FILENO, "\n", 1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void limit(void)
{
    static const int signals[] = {SIGABRT, SIGALRM, SIGSEGV, SIGBUS, SIGFPE};
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld", &pages) != 1) pages = 0;
    if (file) fclose(file);
    const rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)MEGABYTES << 20);
    setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], fall);
}

static pg_status run(const fuzz_target *target, const char *path, pg_error *err)
{
    char *data = NULL;
    size_t bytes = 0;
    snprintf(current, sizeof current, "%s", path);
    FUZZ_MUST(pg_file_read(path, &data, &bytes, &fuzz_error));
    uint8_t *exact = malloc(bytes + 1); /* without the zero byte that pg_file_read adds */
    memcpy(exact, data, bytes);
    pg_free(data);
    alarm(SECONDS);
    const pg_status status = fuzz_one(target, exact, bytes, err);
    alarm(0);
    free(exact);
    return status;
}

static bool expected(const char *path, pg_status status, bool seed)
{
    const char *name = strrchr(path, '/') + 1;
    if (strncmp(name, "refused-", 8) == 0) return status == PG_BAD_INPUT;
    return status == PG_OK || (!seed && strncmp(name, "read-", 5) != 0);
}

/* Run all inputs of a folder; returns their number. */
static int run_folder(const fuzz_target *target, const char *folder, bool seeds, int *wrong)
{
    char pattern[PG_PATH_MAX];
    glob_t found;
    FUZZ_MUST(pg_path(pattern, folder, "*", NULL, &fuzz_error));
    if (glob(pattern, 0, NULL, &found) != 0) return 0;
    const int count = (int)found.gl_pathc;
    for (int i = 0; i < count; i++) {
        pg_error err;
        const pg_status status = run(target, found.gl_pathv[i], &err);
        if (expected(found.gl_pathv[i], status, seeds)) continue;
        fprintf(stderr, "%s: %s: unexpected: %s\n", target->name, found.gl_pathv[i],
                status == PG_OK ? "it is read" : err.message);
        ++*wrong;
    }
    globfree(&found);
    return count;
}

static int test(const fuzz_target *target, const char *directory)
{
    char folder[PG_PATH_MAX], kept[PG_PATH_MAX];
    int wrong = 0;
    snprintf(current, sizeof current, "a seed of %s", target->name);
    FUZZ_MUST(pg_path(folder, fuzz_path("seeds"), target->name, NULL, &fuzz_error));
    FUZZ_MUST(pg_path(kept, directory, target->name, NULL, &fuzz_error));
    fuzz_seed_all(target, folder);
    const int seeds = run_folder(target, folder, true, &wrong), inputs = run_folder(target, kept, false, &wrong);
    printf("%-12s %3d seeds, %3d kept inputs%s\n", target->name, seeds, inputs, wrong ? ": FAILED" : "");
    return wrong;
}

static int seed(const fuzz_target *target, const char *directory)
{
    char folder[PG_PATH_MAX];
    FUZZ_MUST(pg_path(folder, directory, target->name, NULL, &fuzz_error));
    fuzz_seed_all(target, folder);
    return 0;
}

/* Call `each` for the targets of these names, or for all if there are no names. */
static int for_targets(char **names, int (*each)(const fuzz_target *target, const char *directory), const char *directory)
{
    int wrong = 0;
    for (int i = 0; !*names && fuzz_targets[i]; i++) wrong += each(fuzz_targets[i], directory);
    for (; *names; names++) {
        const fuzz_target *target = fuzz_find(*names);
        if (!target) fprintf(stderr, "%s: no such target\n", *names);
        wrong += target ? each(target, directory) : 1;
    }
    return wrong > 0;
}

static int run_files(const char *name, char **files)
{
    const fuzz_target *target = fuzz_find(name);
    if (!target) return fprintf(stderr, "%s: no such target\n", name), 2;
    for (; *files; files++) {
        pg_error err;
        const pg_status status = run(target, *files, &err);
        printf("%s: %s\n", *files, status == PG_OK ? "it is read" : err.message);
    }
    return 0;
}

static int print_words(const char *name)
{
    const fuzz_target *target = fuzz_find(name);
    printf("# %s\n", name); /* libFuzzer refuses an empty file */
    if (target && target->words) target->words(stdout);
    return target ? 0 : 2;
}

static int print_names(void)
{
    for (int i = 0; fuzz_targets[i]; i++) puts(fuzz_targets[i]->name);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    limit();
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (strcmp(verb, "test") == 0 && argc > 2) return for_targets(argv + 3, test, argv[2]);
    if (strcmp(verb, "seed") == 0 && argc > 2) return for_targets(argv + 3, seed, argv[2]);
    if (strcmp(verb, "run") == 0 && argc > 2) return run_files(argv[2], argv + 3);
    if (strcmp(verb, "words") == 0 && argc > 2) return print_words(argv[2]);
    if (strcmp(verb, "list") == 0) return print_names();
    return 2;
}
