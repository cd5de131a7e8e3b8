/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records in files and packs. */
#include "core/base/directory.h"
#include "core/base/memory.h"
#include "experiments/work/records.h"
#include "experiments/work/rundir.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT = PG_RECORDS_LOOSE + 44 };

/* The first digits differ, so that every pack has records. */
static const char *key_of(int i)
{
    static char key[PG_SHA256_HEX];
    snprintf(key, sizeof key, "%x%063x", i % 16, i);
    return key;
}

static const char *file_of(int i)
{
    static char path[PG_PATH_MAX];
    OK(pg_rundir_file("run", "records", key_of(i), path, &err));
    return path;
}

/* Write a file without waiting for the disk. */
static void put(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

/* Write a record as pg_record_save does. */
static void save(int i, double value)
{
    char text[1024], sum[PG_SHA256_HEX];
    int length = snprintf(
        text, sizeof text,
        "{\n \"format\": 2,\n \"key\": \"%s\",\n \"name\": \"n\",\n \"labels\": {\"data\": \"d\", \"network\": \"n\", "
        "\"norm\": \"bn\", \"scheme\": \"v1\", \"scheme_parameters\": {}, \"training\": {}, \"attack\": \"\", "
        "\"parameters\": {}, \"seed\": 1},\n \"files\": {},\n \"notes\": {},\n \"cells\": [{\"outcome\": \"\", \"metric\": "
        "\"accuracy\", \"value\": %g, \"unit\": \"%%\"}]",
        key_of(i), value);
    pg_sha256(text, (size_t)length, sum);
    length += snprintf(text + length, sizeof text - (size_t)length, ",\n \"sha256\": \"%s\"\n}\n", sum);
    put(file_of(i), text, (size_t)length);
}

static void make_records(int count)
{
    OK(pg_rundir_make("run", &err));
    for (int i = 0; i < count; i++) save(i, i);
}

/* The value in the record of a task; -1 if it has none. */
static double value_of(int i)
{
    pg_record record = {0};
    pg_parameter_pool pool = {0};
    pg_task_labels labels;
    bool found;
    OK(pg_records_load("run", key_of(i), &pool, &record, &labels, &found, &err));
    const double value = found ? record.cells[0].value : -1;
    pg_record_clear(&record);
    pg_parameter_pool_clear(&pool);
    return value;
}

static int names_in_records(void)
{
    pg_names names;
    OK(pg_directory_list("run/records", &names, &err));
    const int count = names.count;
    pg_names_clear(&names);
    return count;
}

typedef struct tally {
    int all, damaged;
    char last[PG_SHA256_HEX];
} tally;

static pg_status count_record(void *context, const pg_record_text *text, pg_error *error)
{
    tally *t = context;
    (void)error;
    t->all++;
    t->damaged += !text->intact;
    strcpy(t->last, text->key);
    return PG_OK;
}

static tally visit(unsigned packs)
{
    tally t = {0};
    OK(pg_records_visit("run", packs, count_record, &t, &err));
    return t;
}

static int mend(void)
{
    tally t = {0};
    OK(pg_records_mend("run", count_record, &t, &err));
    assert_int_equal(t.all, t.damaged);
    return t.damaged;
}

static char *text_of(const char *path, size_t *bytes)
{
    char *text = NULL;
    OK(pg_file_read(path, &text, bytes, &err));
    return text;
}

TEST(few_records_stay_in_files)
{
    bool scattered;
    make_records(PG_RECORDS_LOOSE);
    OK(pg_records_scattered("run", &scattered, &err));
    assert_false(scattered);
    OK(pg_records_pack("run", &err));
    assert_int_equal(names_in_records(), PG_RECORDS_LOOSE);
    save(COUNT, 1);
    OK(pg_records_scattered("run", &scattered, &err));
    assert_true(scattered);
}

TEST(many_records_become_packs_of_the_same_bytes)
{
    size_t bytes = 0, packed_bytes = 0;
    make_records(COUNT);
    assert_int_equal(visit(PG_RECORDS_ALL).all, COUNT);
    char *file = text_of(file_of(17), &bytes);
    OK(pg_records_pack("run", &err));
    assert_int_equal(names_in_records(), PG_RECORDS_PACKS);
    assert_int_equal(visit(PG_RECORDS_ALL).all, COUNT);
    assert_int_equal(visit(pg_records_pack_of("0") | pg_records_pack_of("f")).all, COUNT / 16 * 2 + (COUNT % 16 > 0));
    for (int i = 0; i < COUNT; i++) assert_true(value_of(i) == i);
    assert_true(value_of(COUNT) == -1);
    char *pack = text_of("run/records/1.pack", &packed_bytes);
    assert_non_null(memmem(pack, packed_bytes, file, bytes));
    assert_int_equal(mend(), 0);
    pg_free(file);
    file = text_of("run/records/1.pack", &bytes);
    assert_int_equal(bytes, packed_bytes);
    pg_free(file);
    pg_free(pack);
}

/* Keys of hostile manifests have any form. */
TEST(a_key_that_is_no_key_has_no_record)
{
    bool done = true;
    make_records(1);
    static const char *const keys[] = {"", "g", "../../x", "0"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        OK(pg_records_done("run", keys[i], false, &done, &err));
        assert_false(done);
    }
    assert_int_equal(pg_records_pack_of("g"), 0);
    assert_int_equal(pg_records_pack_of(""), 0);
    OK(pg_records_visit("nowhere", PG_RECORDS_ALL, count_record, NULL, &err));
}

TEST(a_file_counts_more_than_a_pack_and_an_empty_one_removes_the_record)
{
    make_records(COUNT);
    OK(pg_records_pack("run", &err));
    save(3, 1000);
    assert_true(value_of(3) == 1000);
    assert_int_equal(visit(PG_RECORDS_ALL).all, COUNT);
    OK(pg_records_remove("run", key_of(4), &err));
    assert_true(value_of(4) == -1);
    assert_int_equal(visit(PG_RECORDS_ALL).all, COUNT - 1);
    assert_int_equal(mend(), 0); /* the packs lose both */
    assert_int_equal(unlink(file_of(3)), 0);
    assert_int_equal(unlink(file_of(4)), 0);
    assert_true(value_of(3) == -1);
    assert_true(value_of(4) == -1);
    assert_int_equal(visit(PG_RECORDS_ALL).all, COUNT - 2);
}

/* A run that was killed between the pack and the removal of the files packs them again. */
TEST(the_last_record_of_a_task_in_a_pack_counts)
{
    size_t once = 0, twice = 0;
    make_records(COUNT);
    OK(pg_records_pack("run", &err));
    pg_free(text_of("run/records/3.pack", &once));
    for (int i = 0; i < COUNT; i++) save(i, i + 1);
    OK(pg_records_pack("run", &err));
    pg_free(text_of("run/records/3.pack", &twice));
    assert_true(twice > once);
    for (int i = 0; i < COUNT; i++) assert_true(value_of(i) == i + 1);
    assert_int_equal(visit(PG_RECORDS_ALL).all, COUNT);
    assert_int_equal(mend(), 0);
    pg_free(text_of("run/records/3.pack", &twice));
    assert_true(twice < once + 40);
    for (int i = 0; i < COUNT; i++) assert_true(value_of(i) == i + 1);
}

/* Every length to which a killed process may have written a pack: the records before the end are read, and the next run cuts
 * the rest off. */
TEST(a_torn_end_of_a_pack_is_no_record)
{
    size_t bytes = 0, left = 0;
    make_records(COUNT);
    OK(pg_records_pack("run", &err));
    char *pack = text_of("run/records/2.pack", &bytes);
    const int count = visit(pg_records_pack_of("2")).all;
    const size_t third = bytes - 2 * (bytes / (size_t)count);
    for (size_t length = third; length < bytes; length += length + 80 < bytes ? 97 : 5) {
        put("run/records/2.pack", pack, length);
        const int whole = visit(pg_records_pack_of("2")).all;
        assert_true(whole < count && whole >= count - 3);
        assert_int_equal(mend(), 0);
        pg_free(text_of("run/records/2.pack", &left));
        assert_true(left <= length && memcmp(pack + left - 3, "\n}\n", 3) == 0);
        assert_int_equal(visit(pg_records_pack_of("2")).all, whole);
    }
    put("run/records/2.pack", pack, 10);
    assert_int_equal(mend(), 0);
    assert_false(pg_file_exists("run/records/2.pack"));
    pg_free(pack);
}

/* A changed byte costs the record that has it, or its neighbour too where it joins them, and no other. */
TEST(a_damaged_record_in_a_pack_is_dropped)
{
    size_t bytes = 0;
    make_records(COUNT);
    OK(pg_records_pack("run", &err));
    char *pack = text_of("run/records/2.pack", &bytes);
    const int count = visit(pg_records_pack_of("2")).all;
    int named = 0;
    for (size_t i = 0; i < bytes; i += 89) {
        pack[i] ^= 1 << i % 8;
        put("run/records/2.pack", pack, bytes);
        const int left = visit(pg_records_pack_of("2")).all;
        assert_true(left == count - 1 || left == count - 2);
        named += mend();
        assert_int_equal(visit(pg_records_pack_of("2")).all, left);
        pack[i] ^= 1 << i % 8;
    }
    assert_true(named > 0);
    put("run/records/2.pack", pack, bytes);
    put("run/records/5.pack", pack, bytes); /* of other keys */
    assert_int_equal(visit(pg_records_pack_of("5")).all, 0);
    assert_int_equal(mend(), 0);
    assert_false(pg_file_exists("run/records/5.pack"));
    assert_int_equal(visit(pg_records_pack_of("2")).all, count);
    pg_free(pack);
}

TEST(damaged_files_are_not_packed)
{
    make_records(COUNT);
    put(file_of(7), "{", 1);
    OK(pg_records_remove("run", key_of(8), &err));
    assert_int_equal(rename(file_of(9), "away"), 0);
    put(file_of(10), "", 0);
    assert_int_equal(rename("away", file_of(10)), 0); /* the record of another task */
    OK(pg_records_pack("run", &err));
    assert_true(pg_file_exists(file_of(7)));
    assert_true(pg_file_exists(file_of(8)));
    assert_true(pg_file_exists(file_of(10)));
    assert_int_equal(names_in_records(), PG_RECORDS_PACKS + 3);
    assert_int_equal(visit(pg_records_pack_of("7")).damaged, 1);
}

TEST(a_pack_that_is_a_link_is_not_written_to)
{
    make_records(COUNT);
    put("victim", "", 0);
    assert_int_equal(symlink("../../victim", "run/records/0.pack"), 0);
    assert_int_equal(pg_records_pack("run", &err), PG_IO_FAULT);
    assert_contains(err.message, "0.pack");
    assert_true(value_of(0) == 0);
}

/* If the disk is full, the pack stays as it was, and the files stay. */
TEST(a_pack_that_cannot_grow_loses_nothing)
{
    make_records(COUNT);
    assert_int_equal(mkdir("run/records/8.pack", 0700), 0);
    assert_int_not_equal(pg_records_pack("run", &err), PG_OK);
    assert_int_equal(rmdir("run/records/8.pack"), 0);
    for (int i = 0; i < COUNT; i++) assert_true(value_of(i) == i);
}
