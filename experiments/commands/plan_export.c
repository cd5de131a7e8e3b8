/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphs for other engines; see plan_export.h. */
#include "experiments/commands/plan_export.h"

#include "core/base/memory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const pg_export_names[] = {
    [PG_EXPORT_JSONL] = "jsonl", [PG_EXPORT_MAKE] = "make", [PG_EXPORT_SLURM_ARRAY] = "slurm-array", NULL};

enum { ARRAY_MOST = 1000 }; /* elements of a job array; Slurm's MaxArraySize is 1001 by default */

/* ---- commands ---- */

/* passgrid task KEY CONFIG ...: its words, with an empty one for the key. */
typedef struct command {
    int count;
    char *words[2 * PG_CLI_LIST_MAX + 16];
} command;

static void clear(command *c)
{
    for (int i = 0; i < c->count; i++) pg_free(c->words[i]);
    c->count = 0;
}

static pg_status add(command *c, const char *word, pg_error *err)
{
    const pg_status status = pg_strdup(word, &c->words[c->count], err);
    c->count += status == PG_OK;
    return status;
}

/* Add a path, which need not exist, as an absolute one. */
static pg_status add_path(command *c, const char *path, pg_error *err)
{
    char here[PG_PATH_MAX], whole[PG_PATH_MAX];
    if (path[0] == '/') return add(c, path, err);
    if (!getcwd(here, sizeof here)) return pg_fail_errno(err, "the working directory");
    const pg_status status = pg_path(whole, here, path, NULL, err);
    return status == PG_OK ? add(c, whole, err) : status;
}

static pg_status add_program(command *c, pg_error *err)
{
    char path[PG_PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) return pg_fail_errno(err, "/proc/self/exe");
    path[length] = 0;
    return add(c, path, err);
}

static pg_status make_command(const pg_grid_arguments *a, const char *directory, command *c, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(add_program(c, err));
    PG_TRY(add(c, "task", err));
    PG_TRY(add(c, "", err));
    PG_TRY(add_path(c, a->config, err));
    PG_TRY(add(c, "--out", err));
    PG_TRY(add_path(c, directory, err));
    if (a->data) PG_TRY(add(c, "--data", err));
    if (a->data) PG_TRY(add_path(c, a->data, err));
    if (a->profile) PG_TRY(add(c, "--profile", err));
    if (a->profile) PG_TRY(add(c, a->profile, err));
    for (int i = 0; i < a->sets.count; i++) {
        PG_TRY(add(c, "--set", err));
        PG_TRY(add(c, a->sets.words[i], err));
    }
done:
    return status;
}

/* Print a word for a POSIX shell, where a makefile needs two dollars for one. Plain words need no quotes. */
static void print_quoted(const char *word, bool in_makefile)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,:@%+=";
    if (*word && !word[strspn(word, plain)]) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            fputs("'\\''", stdout);
        else if (*p == '$' && in_makefile)
            fputs("$$", stdout);
        else
            putchar(*p);
    }
    putchar('\'');
}

/* Print the command with this text, unquoted, for the key. */
static void print_command(const command *c, const char *key, bool in_makefile)
{
    for (int i = 0; i < c->count; i++) {
        if (i) putchar(' ');
        if (c->words[i][0])
            print_quoted(c->words[i], in_makefile);
        else
            fputs(key, stdout);
    }
}

void pg_plan_print_grid(const pg_grid_arguments *a)
{
    const struct {
        const char *option, *word;
    } given[] = {{"--out", a->out}, {"--data", a->data}, {"--profile", a->profile}};
    print_quoted(a->config, false);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        if (!given[i].word) continue;
        printf(" %s ", given[i].option);
        print_quoted(given[i].word, false);
    }
    if (a->sets.count) fputs(" --set ...", stdout);
}

/* ---- formats ---- */

static pg_status export_jsonl(const command *c, const pg_named_grid *named, const pg_dispatch *dispatch, pg_error *err)
{
    for (int i = 0; i < named->grid->count; i++) {
        const pg_grid_task *t = &named->grid->tasks[i];
        if (named->states[i] == PG_STATE_DONE) continue;
        json_t *after = json_array(), *words = json_array();
        for (int p = 0; p < t->parent_count; p++)
            if (named->states[t->parents[p]] != PG_STATE_DONE)
                json_array_append_new(after, json_string(named->grid->tasks[t->parents[p]].key));
        for (int w = 0; w < c->count; w++) json_array_append_new(words, json_string(c->words[w][0] ? c->words[w] : t->key));
        json_t *line = json_pack("{s:s, s:s, s:f, s:o, s:o}", "key", t->key, "name", t->name, "seconds", dispatch->cost[i],
                                 "after", after, "command", words);
        if (!line) return pg_fail(err, PG_NO_MEMORY, "out of memory");
        const bool whole = json_array_size(words) == (size_t)c->count;
        if (whole) json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        if (whole) putchar('\n');
        json_decref(line);
        if (!whole) return pg_fail(err, PG_BAD_INPUT, "a path that is not UTF-8 cannot be written in JSON");
    }
    return PG_OK;
}

static pg_status export_make(const command *c, const pg_named_grid *named, pg_error *err)
{
    for (int i = 0; i < c->count; i++)
        if (strchr(c->words[i], '\n')) return pg_fail(err, PG_BAD_INPUT, "a line break cannot stand in a makefile");
    puts("# The tasks of a grid, by passgrid plan --export make. Run: make -k -j N -f THIS_FILE");
    puts(".PHONY: all");
    puts("all:");
    for (int i = 0; i < named->grid->count; i++) {
        const pg_grid_task *t = &named->grid->tasks[i];
        if (named->states[i] == PG_STATE_DONE) continue;
        printf("\n# %s\n.PHONY: %s\nall: %s\n%s:", t->name, t->key, t->key, t->key);
        for (int p = 0; p < t->parent_count; p++)
            if (named->states[t->parents[p]] != PG_STATE_DONE) printf(" %s", named->grid->tasks[t->parents[p]].key);
        printf("\n\t@");
        print_command(c, t->key, true);
        putchar('\n');
    }
    return PG_OK;
}

/* The number of unfinished tasks on the longest path that ends with each task: levels [count]. Returns the largest. */
static int find_levels(const pg_named_grid *named, int *levels)
{
    int highest = 0;
    for (int i = 0; i < named->grid->count; i++) {
        const pg_grid_task *t = &named->grid->tasks[i];
        if (named->states[i] == PG_STATE_DONE) continue;
        levels[i] = 1;
        for (int p = 0; p < t->parent_count; p++)
            if (levels[t->parents[p]] >= levels[i]) levels[i] = levels[t->parents[p]] + 1;
        if (levels[i] > highest) highest = levels[i];
    }
    return highest;
}

static const char array_head[] =
    "#!/bin/bash\n"
    "# The tasks of a grid, by passgrid plan --export slurm-array. Run: bash THIS_FILE [options of sbatch]\n"
    "# Each level of the graph is submitted as job arrays that start when the arrays of the level below have ended.\n"
    "set -euo pipefail\n"
    "options=(\"$@\")\n"
    "after= jobs=\n"
    "level() {\n"
    "    after=$jobs jobs=\n"
    "}\n"
    "array() { # array KEY...: one job for each; a job that is interrupted is queued again\n"
    "    local job\n"
    "    job=$(sbatch --parsable --requeue --array=0-$(($# - 1)) ${after:+--dependency=afterany$after} \"${options[@]}\" <<END\n"
    "#!/bin/bash\n"
    "keys=($*)\n"
    "key=\\${keys[\\$SLURM_ARRAY_TASK_ID]}\n";
static const char array_foot[] = "\n"
                                 "code=\\$?\n"
                                 "[ \\$code != 75 ] || scontrol requeue \"\\$SLURM_JOB_ID\"\n"
                                 "exit \\$code\n"
                                 "END\n"
                                 "    )\n"
                                 "    jobs+=:${job%%;*}\n"
                                 "}\n";

/* The command stands in a here-document that the outer shell expands: it is kept from that in a variable. */
static pg_status export_arrays(const command *c, const pg_named_grid *named, pg_error *err)
{
    int *levels = NULL, in_array = 0;
    const pg_status status = pg_alloc((size_t)named->grid->count, sizeof *levels, &levels, err);
    if (status != PG_OK) return status;
    const int highest = find_levels(named, levels);
    fputs(array_head, stdout);
    fputs("$(command_of)", stdout);
    fputs(array_foot, stdout);
    puts("command_of() {\n    cat <<'END_OF_COMMAND'");
    print_command(c, "\"$key\"", false);
    puts("\nEND_OF_COMMAND\n}");
    for (int level = 1; level <= highest; level++) {
        puts("level");
        for (int i = 0; i < named->grid->count; i++) {
            if (levels[i] != level) continue;
            printf("%s %s", in_array ? " \\\n   " : "array", named->grid->tasks[i].key);
            in_array = (in_array + 1) % ARRAY_MOST;
            if (!in_array) putchar('\n');
        }
        if (in_array) putchar('\n');
        in_array = 0;
    }
    pg_free(levels);
    return PG_OK;
}

pg_status pg_plan_export(pg_export format, const pg_grid_arguments *a, const pg_named_grid *named, const pg_dispatch *dispatch,
                         pg_error *err)
{
    command c = {0};
    pg_status status = make_command(a, named->directory, &c, err);
    if (status == PG_OK) switch (format) {
        case PG_EXPORT_JSONL: status = export_jsonl(&c, named, dispatch, err); break;
        case PG_EXPORT_MAKE: status = export_make(&c, named, err); break;
        case PG_EXPORT_SLURM_ARRAY: status = export_arrays(&c, named, err); break;
        }
    clear(&c);
    return status;
}
