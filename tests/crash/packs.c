/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packs of records, for crash.sh: in a fresh directory that has enough records to be packed.
 *
 *   packs make DIR     makes it
 *   packs pack DIR     does what a run does when it starts: mends the packs, then packs the files
 *   packs check DIR    exit code 1 unless every record is there, once, with its bytes
 *
 * Each prints a message if it fails; exit code 3. */
#include "core/base/hash.h"
#include "experiments/work/records.h"
#include "experiments/work/rundir.h"

#include <stdio.h>
#include <string.h>

enum { COUNT = PG_RECORDS_LOOSE + 16 };

/* Make the i-th record: a sealed text that has a key. Returns its length. */
static size_t make_text(int i, char key[PG_SHA256_HEX], char *out, size_t room)
{
    char sum[PG_SHA256_HEX];
    snprintf(key, PG_SHA256_HEX, "%x%063x", i % PG_RECORDS_PACKS, i);
    size_t length = (size_t)snprintf(out, room, "{\n \"format\": 2,\n \"key\": \"%s\",\n \"notes\": \"%0*d\"", key, 200, i);
    pg_sha256(out, length, sum);
    return length + (size_t)snprintf(out + length, room - length, ",\n \"sha256\": \"%s\"\n}\n", sum);
}

static pg_status make(const char *directory, pg_error *err)
{
    char key[PG_SHA256_HEX], path[PG_PATH_MAX], text[1024];
    pg_status status = pg_rundir_make(directory, err);
    for (int i = 0; status == PG_OK && i < COUNT; i++) {
        const size_t bytes = make_text(i, key, text, sizeof text);
        status = pg_rundir_file(directory, "records", key, path, err);
        FILE *file = status == PG_OK ? fopen(path, "w") : NULL;
        if (!file || fwrite(text, 1, bytes, file) != bytes) status = pg_fail_errno(err, "%s", path);
        if (file) fclose(file);
    }
    return status;
}

static pg_status ignore(void *context, const pg_record_text *text, pg_error *err)
{
    (void)context;
    (void)text;
    (void)err;
    return PG_OK;
}

static pg_status do_pack(const char *directory, pg_error *err)
{
    const pg_status status = pg_records_mend(directory, ignore, NULL, err);
    return status == PG_OK ? pg_records_pack(directory, err) : status;
}

typedef struct tally {
    int records, wrong;
} tally;

static pg_status compare(void *context, const pg_record_text *found, pg_error *err)
{
    tally *t = context;
    char key[PG_SHA256_HEX], text[1024];
    int i = 0;
    (void)err;
    const bool numbered = sscanf(found->key + 1, "%x", (unsigned *)&i) == 1;
    const size_t bytes = make_text(i, key, text, sizeof text);
    t->records++;
    t->wrong += !numbered || strcmp(key, found->key) != 0 || bytes != found->bytes || memcmp(text, found->data, bytes) != 0;
    return PG_OK;
}

static pg_status check(const char *directory, pg_error *err)
{
    tally t = {0};
    const pg_status status = pg_records_visit(directory, PG_RECORDS_ALL, compare, &t, err);
    if (status != PG_OK || (t.records == COUNT && !t.wrong)) return status;
    return pg_fail(err, PG_FAILED, "%d of %d records, %d of them wrong", t.records, COUNT, t.wrong);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        pg_status (*run)(const char *directory, pg_error *err);
    } works[] = {{"make", make}, {"pack", do_pack}, {"check", check}};
    pg_error err;
    for (size_t i = 0; argc == 3 && i < sizeof works / sizeof *works; i++) {
        if (strcmp(argv[1], works[i].name) != 0) continue;
        const pg_status status = works[i].run(argv[2], &err);
        if (status != PG_OK) fprintf(stderr, "packs %s: %s\n", argv[1], err.message);
        return status == PG_OK ? 0 : pg_status_exit_code(status);
    }
    fputs("usage: packs make|pack|check DIR\n", stderr);
    return 2;
}
