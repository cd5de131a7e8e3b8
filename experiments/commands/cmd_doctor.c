/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid doctor: checks whether this machine is ready for a run. Prints one line for each check, with a remedy if it fails.
 */
#include "experiments/commands/commands.h"

#include "core/base/child.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/compute/blas.h"
#include "core/compute/parallel.h"
#include "core/data/readers.h"
#include "experiments/commands/bench_peak.h"
#include "experiments/run/comm.h"
#include "experiments/run/launch.h"
#include "experiments/run/provenance.h"
#include "experiments/run/run_lock.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef struct arguments {
    const char *out, *data;
} arguments;
static const arguments defaults = {.out = "results"};

static const pg_cli_row rows[] = {
    PG_CLI_FOLDER(arguments, out, "out", "DIR", "directory in which runs will write"),
    PG_CLI_FOLDER(arguments, data, "data", "DIR", "where the data sets are", .fallback = PG_CLI_DATA),
    {0},
};

typedef enum verdict { WRONG, WELL, ABSENT } verdict;

/* Print a line. Returns the number of things that are wrong: 0 or 1. */
static int PG_PRINTF(3, 4) line(verdict well, const char *what, const char *format, ...)
{
    static const char *const words[] = {"WRONG", "ok", "-"};
    va_list args;
    printf("%-5s  %-8s  ", words[well], what);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    return well == WRONG;
}

/* ---- MPI ---- */

/* "4.1.4" of "mpirun (Open MPI) 4.1.4"; empty if mpirun cannot be run. */
static void launcher_version(char out[32])
{
    const char *const argv[] = {"mpirun", "--version", NULL};
    char text[128];
    int code;
    out[0] = 0;
    if (pg_child_run(argv, NULL, text, sizeof text, &code, NULL) != PG_OK || code != 0) return;
    text[strcspn(text, "\n")] = 0;
    const char *version = strrchr(text, ' ');
    if (version) snprintf(out, 32, "%s", version + 1);
}

static int examine_mpi(const pg_launch *launch)
{
    char version[32];
    const char *library = pg_comm_library();
    if (launch->together)
        return line(WELL, "mpi", "%s, under %s with %d ranks", library, getenv("OMPI_COMM_WORLD_SIZE") ? "mpirun" : "srun",
                    launch->size);
    launcher_version(version);
    if (!version[0])
        return line(WRONG, "mpi", "%s, but mpirun does not start: install openmpi-bin, or put it in PATH", library);
    if (!strstr(library, version))
        return line(WRONG, "mpi", "%s, but mpirun has version %s: put the mpirun of this library first in PATH", library,
                    version);
    return line(WELL, "mpi", "%s, mpirun %s", library, version);
}

/* mpirun refuses root, and more ranks than cores, without these options; slurm/launch.sh adds them. */
static int examine_ranks(void)
{
    const bool root = geteuid() == 0 && !(getenv("OMPI_ALLOW_RUN_AS_ROOT") && getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"));
    return line(WELL, "ranks", "slurm/launch.sh starts any number; plain mpirun needs --oversubscribe for more than %ld here%s",
                sysconf(_SC_NPROCESSORS_ONLN),
                root ? ", and root needs OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1" : "");
}

static int examine_binding(const pg_launch *launch)
{
    cpu_set_t mine;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        return line(WELL, "binding", "unknown: this system does not report it; %ld cores", online);
    if (launch->together && CPU_COUNT(&mine) == 1 && online > 1)
        return line(WRONG, "binding",
                    "each rank is bound to 1 of %ld cores, which its threads would share: mpirun --map-by slot:PE=THREADS "
                    "--bind-to core, or --bind-to none",
                    online);
    return line(WELL, "binding", "a rank may use %d of %ld cores", CPU_COUNT(&mine), online);
}

/* ---- BLIS ---- */

static int examine_blis(void)
{
    pg_rank_facts here;
    pg_rank_describe(&here, 1);
    pg_compute_start(here.threads);
    const bool generic = strcmp(pg_blas_kernels(), "generic") == 0;
    return line(generic ? WRONG : WELL, "blis", "%s, kernels %s, products by %s%s", pg_blas_version(), pg_blas_kernels(),
                pg_products_library(), generic ? ": set BLIS_ARCH_TYPE to kernels that this processor can run" : "");
}

static int examine_speed(void)
{
    enum { TRIES = 5 };
    double gflops = 0; /* stays so if memory is short */
    int bits;
    const double peak = pg_fma_speed(TRIES, &bits);
    (void)!pg_product_speed(TRIES, &gflops, NULL);
    return line(WELL, "speed", "%d thread%s, vectors of %d bits; a matrix product reaches %.1f GFLOPS, %.0f %% of the peak",
                pg_compute_threads(), pg_compute_threads() > 1 ? "s" : "", bits, gflops, 100 * gflops / peak);
}

/* ---- data ---- */

/* An absent data set is no fault; an unreadable one is. */
static int examine_data(const char *directory)
{
    int wrong = 0;
    for (int i = 0; pg_data_kinds[i]; i++) {
        const pg_data_kind *kind = pg_data_kinds[i];
        pg_data data;
        pg_error err;
        const pg_status status = pg_data_load(kind->name, directory, &data, &err);
        if (status == PG_OK)
            wrong += line(WELL, "data", "%s: %d + %d images, sha256 %.8s + %.8s", kind->name, data.train.count, data.test.count,
                          data.train.sha256, data.test.sha256);
        else
            wrong += line(data.missing ? ABSENT : WRONG, "data", "%s", err.message);
        pg_data_clear(&data);
    }
    return wrong;
}

/* ---- disk ---- */

/* The directory, or its nearest parent that exists: doctor creates none. */
static pg_status existing(const char *directory, char path[PG_PATH_MAX], pg_error *err)
{
    if (snprintf(path, PG_PATH_MAX, "%s", directory) >= PG_PATH_MAX) return pg_fail(err, PG_BAD_INPUT, "--out: path too long");
    while (access(path, F_OK) != 0 && strcmp(path, ".") != 0) {
        char *slash = strrchr(path, '/');
        if (slash)
            slash[slash == path] = 0;
        else
            strcpy(path, ".");
    }
    return PG_OK;
}

static int examine_space(const char *directory)
{
    const double enough = 1e9; /* a few models of full size and their checkpoints */
    struct statvfs disk;
    if (statvfs(directory, &disk) != 0) return line(WRONG, "space", "%s: cannot read the free space", directory);
    const double bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    if (bytes < enough)
        return line(WRONG, "space", "%s: only %.2f GB are free: make room, or choose another directory with --out", directory,
                    bytes / 1e9);
    return line(WELL, "space", "%s: %.1f GB are free", directory, bytes / 1e9);
}

/* Write a file as runs do, replace it, read it back. */
static pg_status write_twice(const char *path, double *seconds, pg_error *err)
{
    static const char *const texts[] = {"first", "second"};
    pg_status status = PG_OK;
    char *text = NULL;
    size_t bytes = 0;
    const double start = pg_now();
    for (int i = 0; i < 2; i++) PG_TRY(pg_file_write(path, texts[i], strlen(texts[i]), PG_FILE_PUBLIC, err));
    *seconds = (pg_now() - start) / 2;
    PG_TRY(pg_file_read(path, &text, &bytes, err));
    if (strcmp(text, texts[1]) != 0) PG_TRY(pg_fail(err, PG_IO_FAULT, "%s: rename does not replace a file", path));
done:
    pg_free(text);
    return status;
}

static int examine_writes(const char *directory)
{
    char path[PG_PATH_MAX], file[64];
    pg_error err;
    double seconds = 0;
    snprintf(file, sizeof file, ".passgrid-doctor-%ld", (long)getpid());
    pg_status status = pg_path(path, directory, file, NULL, &err);
    if (status == PG_OK) status = write_twice(path, &seconds, &err);
    if (unlink(path) != 0 && status == PG_OK) status = pg_fail_errno(&err, "%s", path);
    if (status != PG_OK)
        return line(WRONG, "writes", "%s: choose a directory on another file system with --out, or repair this one",
                    err.message);
    return line(WELL, "writes", "%s: write, fsync, rename, fsync of the directory in %.1f ms", directory, 1e3 * seconds);
}

/* Lock a new folder as a run locks its directory, and find out whether the file system has hard links. */
static pg_status lock_folder(const char *folder, bool *links, pg_error *err)
{
    pg_run_lock lock;
    char link_path[PG_PATH_MAX];
    pg_status status = pg_run_lock_take(&lock, folder, err);
    if (status != PG_OK) return status;
    status = pg_path(link_path, folder, "link", NULL, err);
    *links = status == PG_OK && link(lock.path, link_path) == 0;
    if (*links && unlink(link_path) != 0) status = pg_fail_errno(err, "%s", link_path);
    const pg_status released = pg_run_lock_release(&lock, err);
    return status == PG_OK ? released : status;
}

static int examine_lock(const char *directory)
{
    char folder[PG_PATH_MAX];
    pg_error err;
    bool links = false;
    pg_status status = pg_path(folder, directory, ".passgrid-doctor-XXXXXX", NULL, &err);
    if (status == PG_OK && !mkdtemp(folder)) status = pg_fail_errno(&err, "%s", directory);
    if (status == PG_OK) {
        status = lock_folder(folder, &links, &err);
        rmdir(folder);
    }
    if (status != PG_OK) return line(WRONG, "lock", "%s: nothing would prevent a second run", err.message);
    return line(WELL, "lock", "%s: %s prevents a second run", directory,
                links ? "a hard link" : "a file created exclusively (no hard links here)");
}

static int examine_secrets(const char *directory)
{
    pg_error err;
    bool keeps = false;
    if (pg_file_keeps_secrets(directory, &keeps, &err) != PG_OK) return line(WRONG, "secrets", "%s", err.message);
    if (!keeps)
        return line(WRONG, "secrets",
                    "%s: this file system keeps no permissions, so other users may be able to read the evidence: choose "
                    "another one with --out",
                    directory);
    return line(WELL, "secrets", "%s: only its owner can read evidence", directory);
}

static int examine_disk(const char *directory)
{
    char path[PG_PATH_MAX];
    pg_error err;
    if (existing(directory, path, &err) != PG_OK) return line(WRONG, "space", "%s", err.message);
    return examine_space(path) + examine_writes(path) + examine_lock(path) + examine_secrets(path);
}

static int run(int argc, char **argv)
{
    arguments a;
    int code;
    pg_launch launch;
    pg_error err;
    if (!pg_cli_parse(&pg_cmd_doctor, argc, argv, &a, &code)) return code;
    const pg_status status = pg_launch_find(&launch, &err);
    if (status != PG_OK) return pg_complain("doctor", status, "%s", err.message);
    if (launch.rank > 0) return 0;
    const int wrong = examine_mpi(&launch) + examine_ranks() + examine_binding(&launch) + examine_blis() + examine_speed() +
                      examine_data(a.data) + examine_disk(a.out);
    return wrong ? pg_status_exit_code(PG_BAD_INPUT) : 0;
}

const pg_command pg_cmd_doctor = {
    .name = "doctor",
    .summary = "check MPI, cores, BLIS, data sets and disk",
    .usage = "passgrid doctor [options]\nmpirun ... passgrid doctor [options]",
    .about =
        "Check everything that a run depends on: MPI, the binding of ranks to cores, BLIS and its speed, data sets and their "
        "checksums; and in the directory of the results the free space, durable writes, the lock against a second run, and files "
        "that only their owner can read. Each check prints one line, with a remedy if something is wrong.\n"
        "Under mpirun, with the options of the run that you plan, rank 0 answers.",
    .rows = rows,
    .size = sizeof(arguments),
    .defaults = &defaults,
    .exits = "0 everything is well\n2 bad usage, or something is wrong",
    .examples = "  passgrid doctor\n  mpirun -n 5 --bind-to none passgrid doctor --out /scratch/results\n",
    .run = run,
};
