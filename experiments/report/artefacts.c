/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readable names for the files of a run; see artefacts.h. */
#include "experiments/report/artefacts.h"

#include "core/base/directory.h"
#include "core/base/memory.h"
#include "core/formats/csv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 384 };

/* The parts of a task's name, "DATA/NETWORK/SCHEME/s1/3fa9c01d". */
typedef struct parts {
    char head[256], seed[32], key[16];
} parts;

typedef struct item {
    char name[NAME_MAX_BYTES], outcome[64]; /* models/NAME.safetensors */
    const char *task;                       /* borrowed, as file */
    const pg_artefact *file;
    long long bytes; /* -1: missing */
} item;

typedef struct list {
    const char *directory;
    char (*shared)[NAME_MAX_BYTES]; /* sorted: names that several tasks would share */
    int shared_count, count;
    item *items;
} list;

/* ---- names ---- */

/* Replace characters that some file systems do not allow in names. */
static void tidy(char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("._+-", *text)) *text = '-';
}

static parts parts_of(const char *task)
{
    parts p = {.head = ""};
    const char *last = strrchr(task, '/'), *seed = last;
    while (seed && seed > task && seed[-1] != '/') seed--;
    if (!last || seed == task) {
        snprintf(p.head, sizeof p.head, "%s", task);
    } else {
        snprintf(p.head, sizeof p.head, "%.*s", (int)(seed - 1 - task), task);
        snprintf(p.seed, sizeof p.seed, "%.*s", (int)(last - seed), seed);
        snprintf(p.key, sizeof p.key, "%s", last + 1);
    }
    tidy(p.head);
    return p;
}

/* Name of the task's files without the outcome. */
static void stem_of(const parts *p, char out[NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "%s-%s", p->head, p->seed);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Find the names that several tasks of the grid would share, whether or not they have files yet. */
static pg_status find_shared(list *l, pg_error *err)
{
    pg_status status = PG_OK;
    pg_manifest *manifest = NULL;
    PG_TRY(pg_manifest_read(l->directory, &manifest, err));
    const int n = manifest->count;
    PG_TRY(pg_alloc((size_t)n, sizeof *l->shared, &l->shared, err));
    for (int i = 0; i < n; i++) {
        const parts p = parts_of(manifest->tasks[i].name);
        stem_of(&p, l->shared[i]);
    }
    qsort(l->shared, (size_t)n, sizeof *l->shared, by_text);
    for (int i = 1; i < n; i++)
        if (strcmp(l->shared[i], l->shared[i - 1]) == 0) memmove(l->shared[l->shared_count++], l->shared[i], NAME_MAX_BYTES);
done:
    pg_manifest_destroy(&manifest);
    return status;
}

static void name_item(const list *l, item *one)
{
    char stem[NAME_MAX_BYTES], outcome[64] = "";
    const parts p = parts_of(one->task);
    stem_of(&p, stem);
    const bool shared = bsearch(stem, l->shared, (size_t)l->shared_count, sizeof *l->shared, by_text) != NULL;
    for (const char *at = one->outcome; *at; at++)
        if (*at != '=') snprintf(outcome + strlen(outcome), sizeof outcome - strlen(outcome), "%c", *at);
    tidy(outcome);
    snprintf(one->name, sizeof one->name, "%.*s/%s%s%s-%s%s%s.safetensors", (int)strcspn(one->file->path, "/"), one->file->path,
             p.head, outcome[0] ? "-" : "", outcome, p.seed, shared ? "-" : "", shared ? p.key : "");
}

/* ---- files ---- */

static const char *base_of(const item *one)
{
    return strchr(one->file->path, '/') + 1;
}

/* A task has files of these two forms only: "models/KEY.safetensors" and "evidence/KEY.OUTCOME.safetensors". */
static bool is_artefact(const char *path)
{
    const char *base = strchr(path, '/'), *end = strrchr(path, '.');
    if (!base || strchr(base + 1, '/') || strspn(base + 1, "0123456789abcdef") != PG_SHA256_HEX - 1) return false;
    if (strncmp(path, "models/", 7) != 0 && strncmp(path, "evidence/", 9) != 0) return false;
    return base[PG_SHA256_HEX] == '.' && end && strcmp(end, ".safetensors") == 0;
}

/* The outcome stays empty if the file has none. */
static void find_outcome(item *one)
{
    const char *after = base_of(one) + PG_SHA256_HEX, *end = strrchr(one->file->path, '.');
    if (end > after) snprintf(one->outcome, sizeof one->outcome, "%.*s", (int)(end - after), after);
}

static pg_status add_item(list *l, const pg_result *result, const pg_artefact *file, pg_error *err)
{
    char path[PG_PATH_MAX];
    struct stat info;
    pg_status status = pg_path(path, l->directory, file->path, NULL, err);
    if (status == PG_OK) status = pg_grow(&l->items, l->count, sizeof *l->items, err);
    if (status != PG_OK) return status;
    item *one = &l->items[l->count++];
    *one = (item){.task = result->labels.name, .file = file, .bytes = stat(path, &info) == 0 ? (long long)info.st_size : -1};
    find_outcome(one);
    name_item(l, one);
    return PG_OK;
}

static void fill_list(pg_csv_writer *csv, const void *context)
{
    static const char *const header[] = {"name", "task", "outcome", "file", "sha256", "bytes", NULL};
    const list *l = context;
    pg_csv_row(csv, header);
    for (int i = 0; i < l->count; i++) {
        const item *one = &l->items[i];
        const char *const texts[] = {one->name, one->task, one->outcome, one->file->path, one->file->sha256};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) pg_csv_word(csv, texts[k]);
        if (one->bytes >= 0)
            pg_csv_int(csv, one->bytes);
        else
            pg_csv_text(csv, "missing");
        pg_csv_end_row(csv);
    }
}

static pg_status write_csv(const list *l, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_status status = pg_path(path, l->directory, "artefacts.csv", NULL, err);
    if (status != PG_OK) return status;
    if (l->count) return pg_csv_write(path, fill_list, l, err);
    return pg_file_exists(path) ? pg_file_remove(path, err) : PG_OK;
}

/* ---- links: where the file system has none, the list alone tells the names ---- */

/* Target of a symbolic link; empty for other files. */
static void target_of(const char *path, char out[PG_FILE_STEM + 16])
{
    const ssize_t length = readlink(path, out, PG_FILE_STEM + 15);
    out[length > 0 ? length : 0] = 0;
}

static void link_item(const list *l, const item *one)
{
    char path[PG_PATH_MAX], now[PG_FILE_STEM + 16];
    if (one->bytes < 0 || pg_path(path, l->directory, one->name, NULL, NULL) != PG_OK) return;
    target_of(path, now);
    if (strcmp(now, base_of(one)) == 0) return;
    if (now[0]) (void)unlink(path);
    (void)!symlink(base_of(one), path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const item *)a)->name, ((const item *)b)->name);
}

/* Delete the links of a folder that are dangling, or that give a listed file a former name. */
static void remove_stale(const list *l, const char *folder)
{
    char directory[PG_PATH_MAX], path[PG_PATH_MAX], target[PG_FILE_STEM + 16];
    if (pg_path(directory, l->directory, folder, NULL, NULL) != PG_OK) return;
    pg_names names;
    (void)!pg_directory_list(directory, &names, NULL);
    for (int n = 0; n < names.count; n++) {
        item wanted;
        if (pg_path(path, directory, names.name[n], NULL, NULL) != PG_OK) continue;
        target_of(path, target);
        if (!target[0]) continue;
        if (snprintf(wanted.name, sizeof wanted.name, "%s/%s", folder, names.name[n]) < (int)sizeof wanted.name &&
            bsearch(&wanted, l->items, (size_t)l->count, sizeof *l->items, by_name))
            continue;
        bool ours = !pg_file_exists(path);
        for (int i = 0; i < l->count && !ours; i++) ours = strcmp(target, base_of(&l->items[i])) == 0;
        if (ours) (void)unlink(path);
    }
    pg_names_clear(&names);
}

/* ---- all ---- */

pg_status pg_artefacts_write(const pg_results *results, const char *directory, int *count, int *missing, pg_error *err)
{
    pg_status status = PG_OK;
    list l = {.directory = directory};
    *count = *missing = 0;
    PG_TRY(find_shared(&l, err));
    for (int i = 0; i < results->count; i++)
        for (int f = 0; f < results->items[i].record.file_count; f++)
            if (is_artefact(results->items[i].record.files[f].path))
                PG_TRY(add_item(&l, &results->items[i], &results->items[i].record.files[f], err));
    PG_TRY(write_csv(&l, err));
    *count = l.count;
    for (int i = 0; i < l.count; i++) *missing += l.items[i].bytes < 0;
    for (int i = 0; i < l.count; i++) link_item(&l, &l.items[i]);
    if (l.count) qsort(l.items, (size_t)l.count, sizeof *l.items, by_name);
    remove_stale(&l, "models");
    remove_stale(&l, "evidence");
done:
    pg_free(l.items);
    pg_free(l.shared);
    return status;
}
