/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records in files and packs; see records.h. */
#include "experiments/work/records.h"

#include "core/base/directory.h"
#include "core/base/memory.h"
#include "core/formats/json_file.h"
#include "experiments/work/rundir.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char digits[] = "0123456789abcdef";

unsigned pg_records_pack_of(const char *key)
{
    const char *at = key[0] ? strchr(digits, key[0]) : NULL;
    return at ? 1U << (at - digits) : 0;
}

/* ---- files ---- */

/* Copy the key from the name of a record file; false if it is another file. */
static bool key_of_name(const char *name, char key[PG_SHA256_HEX])
{
    if (strlen(name) != PG_SHA256_HEX - 1 + strlen(".json") || strcmp(name + PG_SHA256_HEX - 1, ".json") != 0) return false;
    snprintf(key, PG_SHA256_HEX, "%.64s", name);
    return true;
}

/* List the record files of a run; none if it has no folder. */
static pg_status list_files(const char *directory, pg_names *files, pg_error *err)
{
    char folder[PG_PATH_MAX];
    *files = (pg_names){0};
    const pg_status status = pg_path(folder, directory, "records", NULL, err);
    return status == PG_OK && pg_file_exists(folder) ? pg_directory_list(folder, files, err) : status;
}

/* Read a record file. *text is NULL if there is none; a file that is no regular one reads as a damaged record. */
static pg_status read_file(const char *path, char **text, size_t *bytes, pg_error *err)
{
    static const char unreadable[] = "not a record";
    *text = NULL;
    const pg_status status = pg_file_read(path, text, bytes, err);
    if (status == PG_OK || !pg_file_exists(path)) return PG_OK;
    *bytes = sizeof unreadable - 1;
    return status == PG_BAD_INPUT ? pg_strdup(unreadable, text, err) : status;
}

/* ---- packs ---- */

typedef struct pack {
    char path[PG_PATH_MAX], *text;
    size_t bytes;
    size_t *starts; /* [count + 1] of its records; behind the last one begins a torn end, if any */
    int count;
} pack;

static void close_pack(pack *p)
{
    pg_free(p->text);
    pg_free(p->starts);
}

static pg_status path_of_pack(const char *directory, int number, char path[PG_PATH_MAX], pg_error *err)
{
    char name[16];
    snprintf(name, sizeof name, "%c.pack", digits[number]);
    return pg_path(path, directory, "records", name, err);
}

/* Read a pack and find its records: each ends with a line "}", which no line within it is. Empty if there is no such file. */
static pg_status open_pack(const char *directory, int number, pack *p, pg_error *err)
{
    static const char end[] = "\n}\n";
    pg_status status = PG_OK;
    size_t at = 0;
    const char *next;
    *p = (pack){0};
    PG_TRY(path_of_pack(directory, number, p->path, err));
    if (pg_file_exists(p->path)) PG_TRY(pg_file_read(p->path, &p->text, &p->bytes, err));
    for (; (status = pg_grow(&p->starts, p->count, sizeof *p->starts, err)) == PG_OK; p->count++) {
        p->starts[p->count] = at;
        next = p->text ? memmem(p->text + at, p->bytes - at, end, sizeof end - 1) : NULL;
        if (!next) break;
        at = (size_t)(next - p->text) + sizeof end - 1;
    }
done:
    return status;
}

/* Copy the key of a record from its first lines, `{ "format": N, "key": "KEY"`; false if they are damaged. */
static bool key_of_text(const char *text, size_t bytes, char key[PG_SHA256_HEX])
{
    static const char format[] = "{\n \"format\": ", name[] = ",\n \"key\": \"";
    size_t at = sizeof format - 1;
    if (bytes < 128 || memcmp(text, format, at) != 0) return false;
    while (at < 32 && isdigit((unsigned char)text[at])) at++;
    if (memcmp(text + at, name, sizeof name - 1) != 0) return false;
    memcpy(key, text + at + sizeof name - 1, PG_SHA256_HEX - 1);
    key[PG_SHA256_HEX - 1] = 0;
    return strspn(key, digits) == PG_SHA256_HEX - 1;
}

/* The i-th record of a pack; false if its key is damaged or belongs in another pack. key, from: room for its texts. */
static bool record_of(const pack *p, int number, int i, char key[PG_SHA256_HEX], char from[PG_PATH_MAX + PG_SHA256_HEX],
                      pg_record_text *out)
{
    *out = (pg_record_text){.key = key, .from = from, .data = p->text + p->starts[i], .bytes = p->starts[i + 1] - p->starts[i]};
    if (!key_of_text(out->data, out->bytes, key) || key[0] != digits[number]) return false;
    snprintf(from, PG_PATH_MAX + PG_SHA256_HEX, "%s: %s", p->path, key);
    return true;
}

/* ---- all records ---- */

typedef struct walk {
    const char *directory;
    pg_record_visitor *visit;
    void *context;
    const char *only;  /* NULL: every key */
    pg_text_pool seen; /* keys */
    int visited;
} walk;

static pg_status is_first(pg_text_pool *seen, const char *key, bool *first, pg_error *err)
{
    int number;
    const int before = seen->count;
    const pg_status status = pg_text_pool_keep(seen, key, NULL, &number, err);
    *first = status == PG_OK && number == before;
    return status;
}

/* Visit a record if it is the first one of its key. An empty one hides the record in a pack. */
static pg_status see(walk *w, const pg_record_text *text, pg_error *err)
{
    bool first;
    const pg_status status = is_first(&w->seen, text->key, &first, err);
    if (!first || text->bytes == 0) return status;
    w->visited++;
    return w->visit(w->context, text, err);
}

static pg_status visit_file(walk *w, const char *key, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX], *data = NULL;
    size_t bytes;
    PG_TRY(pg_rundir_file(w->directory, "records", key, path, err));
    PG_TRY(read_file(path, &data, &bytes, err));
    if (!data) goto done; /* none, or it was moved into a pack meanwhile */
    const bool intact = pg_json_sealed(data, bytes);
    status = see(w, &(pg_record_text){.key = key, .from = path, .data = data, .bytes = bytes, .intact = intact}, err);
done:
    pg_free(data);
    return status;
}

static pg_status visit_files(walk *w, const pg_names *files, unsigned packs, pg_error *err)
{
    pg_status status = PG_OK;
    char key[PG_SHA256_HEX];
    for (int i = 0; status == PG_OK && i < files->count; i++)
        if (key_of_name(files->name[i], key) && (packs & pg_records_pack_of(key))) status = visit_file(w, key, err);
    return status;
}

/* From the last record to the first, because the last one of a task counts. */
static pg_status visit_pack(walk *w, int number, pg_error *err)
{
    pg_status status = PG_OK;
    pack p;
    char key[PG_SHA256_HEX], from[PG_PATH_MAX + PG_SHA256_HEX];
    pg_record_text text;
    PG_TRY(open_pack(w->directory, number, &p, err));
    for (int i = p.count - 1; i >= 0; i--) {
        if (!record_of(&p, number, i, key, from, &text) || (w->only && strcmp(key, w->only) != 0)) continue;
        text.intact = pg_json_sealed(text.data, text.bytes);
        if (text.intact) PG_TRY(see(w, &text, err));
    }
done:
    close_pack(&p);
    return status;
}

pg_status pg_records_visit(const char *directory, unsigned packs, pg_record_visitor *visit, void *context, pg_error *err)
{
    walk w = {.directory = directory, .visit = visit, .context = context};
    pg_names files;
    pg_status status = list_files(directory, &files, err);
    if (status == PG_OK) status = visit_files(&w, &files, packs, err);
    for (int i = 0; status == PG_OK && i < PG_RECORDS_PACKS; i++)
        if (packs & 1U << i) status = visit_pack(&w, i, err);
    pg_names_clear(&files);
    pg_text_pool_clear(&w.seen);
    return status;
}

pg_status pg_records_find(const char *directory, const char *key, pg_record_visitor *visit, void *context, bool *found,
                          pg_error *err)
{
    walk w = {.directory = directory, .visit = visit, .context = context, .only = key};
    const char *digit = strchr(digits, key[0]);
    pg_status status = visit_file(&w, key, err);
    if (status == PG_OK && !w.seen.count && key[0] && digit) status = visit_pack(&w, (int)(digit - digits), err);
    *found = w.visited > 0;
    pg_text_pool_clear(&w.seen);
    return status;
}

typedef struct loading {
    pg_parameter_pool *pool;
    pg_record *record;
    pg_task_labels *labels;
} loading;

static pg_status load(void *context, const pg_record_text *text, pg_error *err)
{
    const loading *l = context;
    return pg_record_parse(text->data, text->bytes, text->from, text->key, l->pool, l->record, l->labels, err);
}

pg_status pg_records_load(const char *directory, const char *key, pg_parameter_pool *pool, pg_record *record,
                          pg_task_labels *labels, bool *found, pg_error *err)
{
    loading l = {.pool = pool, .record = record, .labels = labels};
    return pg_records_find(directory, key, load, &l, found, err);
}

typedef struct question {
    bool keep, done;
} question;

bool pg_record_is_done(const pg_record_text *text, bool keep)
{
    return text->intact && (!keep || pg_record_kept(text->data, text->bytes));
}

static pg_status answer(void *context, const pg_record_text *text, pg_error *err)
{
    question *q = context;
    (void)err;
    q->done = pg_record_is_done(text, q->keep);
    return PG_OK;
}

pg_status pg_records_done(const char *directory, const char *key, bool keep, bool *done, pg_error *err)
{
    question q = {.keep = keep};
    bool found;
    const pg_status status = pg_records_find(directory, key, answer, &q, &found, err);
    *done = q.done;
    return status;
}

/* ---- changes ---- */

pg_status pg_records_remove(const char *directory, const char *key, pg_error *err)
{
    char path[PG_PATH_MAX];
    const pg_status status = pg_rundir_file(directory, "records", key, path, err);
    return status == PG_OK ? pg_file_write(path, "", 0, PG_FILE_PUBLIC, err) : status;
}

static bool are_scattered(const pg_names *files)
{
    char key[PG_SHA256_HEX];
    int count = 0;
    for (int i = 0; i < files->count; i++) count += key_of_name(files->name[i], key);
    return count > PG_RECORDS_LOOSE;
}

pg_status pg_records_scattered(const char *directory, bool *scattered, pg_error *err)
{
    pg_names files;
    const pg_status status = list_files(directory, &files, err);
    *scattered = are_scattered(&files);
    pg_names_clear(&files);
    return status;
}

/* What a pack takes from files. */
typedef struct gathering {
    const char *directory;
    FILE *stream;
    char *text;
    size_t bytes;
    pg_names keys;
} gathering;

static pg_status gather(void *context, const pg_record_text *text, pg_error *err)
{
    gathering *g = context;
    char key[PG_SHA256_HEX];
    if (!text->intact || !key_of_text(text->data, text->bytes, key) || strcmp(key, text->key) != 0) return PG_OK;
    if (fwrite(text->data, 1, text->bytes, g->stream) != text->bytes) return pg_fail_errno(err, "%s", text->from);
    return pg_names_add(&g->keys, key, err);
}

static void remove_files(const gathering *g)
{
    char path[PG_PATH_MAX];
    for (int i = 0; i < g->keys.count; i++)
        if (pg_rundir_file(g->directory, "records", g->keys.name[i], path, NULL) == PG_OK) unlink(path);
}

/* Move the files that belong in one pack. A file that cannot be removed stays, which is harmless. */
static pg_status fill_pack(const char *directory, const pg_names *files, int number, pg_error *err)
{
    pg_status status = PG_OK;
    char path[PG_PATH_MAX];
    gathering g = {.directory = directory};
    walk w = {.directory = directory, .visit = gather, .context = &g};
    g.stream = open_memstream(&g.text, &g.bytes);
    if (!g.stream) return pg_fail(err, PG_NO_MEMORY, "no memory to pack records");
    PG_TRY(path_of_pack(directory, number, path, err));
    PG_TRY(visit_files(&w, files, 1U << number, err));
    if (fflush(g.stream) != 0) PG_TRY(pg_fail(err, PG_NO_MEMORY, "no memory to pack records"));
    if (g.bytes == 0) goto done;
    PG_TRY(pg_file_append(path, g.text, g.bytes, err));
    remove_files(&g);
done:
    fclose(g.stream);
    free(g.text);
    pg_names_clear(&g.keys);
    pg_text_pool_clear(&w.seen);
    return status;
}

pg_status pg_records_pack(const char *directory, pg_error *err)
{
    pg_names files;
    pg_status status = list_files(directory, &files, err);
    const bool scattered = are_scattered(&files);
    for (int i = 0; status == PG_OK && scattered && i < PG_RECORDS_PACKS; i++) status = fill_pack(directory, &files, i, err);
    pg_names_clear(&files);
    return status;
}

/* Move the records of a pack that count to the front of its text. *bytes: their length. seen: keys that a file holds. */
static pg_status select_records(pack *p, int number, pg_text_pool *seen, const walk *damaged, size_t *bytes, pg_error *err)
{
    pg_status status = PG_OK;
    char key[PG_SHA256_HEX], from[PG_PATH_MAX + PG_SHA256_HEX];
    pg_record_text text;
    bool *counts = NULL;
    *bytes = 0;
    PG_TRY(pg_alloc((size_t)p->count, sizeof *counts, &counts, err));
    for (int i = p->count - 1; i >= 0; i--) {
        if (!record_of(p, number, i, key, from, &text)) continue;
        if (pg_json_sealed(text.data, text.bytes))
            PG_TRY(is_first(seen, key, &counts[i], err));
        else
            PG_TRY(damaged->visit(damaged->context, &text, err));
    }
    for (int i = 0; i < p->count; i++) {
        const size_t length = p->starts[i + 1] - p->starts[i];
        if (!counts[i]) continue;
        memmove(p->text + *bytes, p->text + p->starts[i], length);
        *bytes += length;
    }
done:
    pg_free(counts);
    return status;
}

static pg_status mend_pack(const char *directory, int number, pg_text_pool *seen, const walk *damaged, pg_error *err)
{
    pg_status status = PG_OK;
    pack p;
    size_t bytes;
    PG_TRY(open_pack(directory, number, &p, err));
    if (!p.text) goto done;
    PG_TRY(select_records(&p, number, seen, damaged, &bytes, err));
    if (bytes == 0)
        status = pg_file_remove(p.path, err);
    else if (bytes < p.bytes)
        status = pg_file_write(p.path, p.text, bytes, PG_FILE_PUBLIC, err);
done:
    close_pack(&p);
    return status;
}

pg_status pg_records_mend(const char *directory, pg_record_visitor *damaged, void *context, pg_error *err)
{
    const walk w = {.visit = damaged, .context = context};
    pg_names files;
    pg_text_pool seen = {0};
    char key[PG_SHA256_HEX];
    pg_status status = list_files(directory, &files, err);
    for (int i = 0; status == PG_OK && i < files.count; i++)
        if (key_of_name(files.name[i], key)) status = pg_text_pool_keep(&seen, key, NULL, NULL, err);
    for (int i = 0; status == PG_OK && i < PG_RECORDS_PACKS; i++) status = mend_pack(directory, i, &seen, &w, err);
    pg_names_clear(&files);
    pg_text_pool_clear(&seen);
    return status;
}
