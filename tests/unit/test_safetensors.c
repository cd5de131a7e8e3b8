/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Safetensors: the bytes of a written file, reading and conversion, bad headers with their messages, and every cut and every
 * changed bit of a small file. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/formats/safetensors.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>

#include <sys/stat.h>
#include <unistd.h>

static const char path[] = "m.safetensors";

static const float weight[6] = {1.5F, -2.25F, 3.0F, 0.1F, 5e-8F, 7.0F};
static const double gamma_value = 0.1;
static const int64_t tracked = INT64_C(9007199254740993);
static const int32_t labels[2] = {-1, 7};
static const uint8_t text[3] = {'a', 'b', 255};

static const pg_array arrays[] = {
    {.name = "text", .dtype = PG_U8, .dims = 1, .shape = {3}, .data = text},
    {.name = "features.4.weight", .dtype = PG_F32, .dims = 2, .shape = {2, 3}, .data = weight},
    {.name = "gamma", .dtype = PG_F64, .dims = 1, .shape = {1}, .data = &gamma_value},
    {.name = "none", .dtype = PG_F32, .dims = 2, .shape = {0, 3}, .data = NULL},
    {.name = "bn.num_batches_tracked", .dtype = PG_I64, .data = &tracked},
    {.name = "labels", .dtype = PG_I32, .dims = 1, .shape = {2}, .data = labels},
};
enum { ARRAYS = sizeof arrays / sizeof *arrays };
static const pg_metadata metadata[] = {{"format", "pt"}, {"signature", "caf\xC3\xA9 \"1\"\n"}};

static void write_sample(pg_file_mode mode)
{
    OK(pg_safetensors_write(path, arrays, ARRAYS, metadata, 2, mode, &err));
}

TEST(a_written_file_has_these_bytes_and_this_mode)
{
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\",\"signature\":\"caf\xC3\xA9 \\\"1\\\"\\n\"},"
                                 "\"gamma\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                                 "\"bn.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]},"
                                 "\"features.4.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]},"
                                 "\"none\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[40,40]},"
                                 "\"labels\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[40,48]},"
                                 "\"text\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[48,51]}}";
    char *file = NULL, *again = NULL;
    size_t bytes = 0;
    uint64_t length = 0;
    struct stat info;
    write_sample(PG_FILE_PUBLIC);
    OK(pg_file_read(path, &file, &bytes, &err));
    memcpy(&length, file, sizeof length);
    assert_int_equal(length % 8, 0);
    assert_true(length >= sizeof header - 1 && length < sizeof header - 1 + 8);
    assert_memory_equal(file + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < length; i++) assert_int_equal(file[8 + i], ' ');
    assert_int_equal(bytes, 8 + length + 51);
    assert_memory_equal(file + 8 + length, &gamma_value, 8);
    assert_memory_equal(file + 8 + length + 16, weight, 24);
    assert_memory_equal(file + 8 + length + 48, text, 3);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    unlink(path);
    write_sample(PG_FILE_SECRET);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    OK(pg_file_read(path, &again, &bytes, &err));
    assert_memory_equal(file, again, bytes);
    pg_free(file);
    pg_free(again);
}

TEST(tensors_and_metadata_are_read_back)
{
    pg_safetensors *file = NULL;
    write_sample(PG_FILE_PUBLIC);
    OK(pg_safetensors_open(path, &file, &err));
    assert_int_equal(pg_safetensors_count(file), ARRAYS);
    assert_string_equal(pg_safetensors_at(file, 0)->name, "gamma");
    assert_string_equal(pg_safetensors_at(file, 5)->name, "text");
    assert_null(pg_safetensors_at(file, 6));
    assert_null(pg_safetensors_find(file, "__metadata__"));
    assert_int_equal(pg_safetensors_metadata_count(file), 2);
    assert_string_equal(pg_safetensors_metadata_at(file, 0)->key, "format");
    assert_null(pg_safetensors_metadata_at(file, 2));
    assert_string_equal(pg_safetensors_metadata(file, "signature"), metadata[1].value);
    assert_null(pg_safetensors_metadata(file, "seed"));

    const pg_array *array = NULL;
    OK(pg_safetensors_get(file, "features.4.weight", 2, (const size_t[]){2, 3}, &array, &err));
    assert_int_equal(array->count, 6);
    assert_int_equal(array->dtype, PG_F32);
    OK(pg_safetensors_get(file, "bn.num_batches_tracked", 0, NULL, &array, &err));
    assert_int_equal(array->count, 1);

    float f[6];
    double d[6];
    int64_t whole[3];
    uint8_t u[3];
    OK(pg_safetensors_read_f32(file, "features.4.weight", f, 6, &err));
    assert_memory_equal(f, weight, sizeof weight);
    OK(pg_safetensors_read_f64(file, "features.4.weight", d, 6, &err));
    assert_true(d[3] == (double)0.1F);
    OK(pg_safetensors_read_f32(file, "gamma", f, 1, &err));
    assert_true(f[0] == 0.1F);
    OK(pg_safetensors_read_f32(file, "labels", f, 2, &err));
    assert_true(f[0] == -1 && f[1] == 7);
    OK(pg_safetensors_read_f64(file, "text", d, 3, &err));
    assert_true(d[2] == 255);
    OK(pg_safetensors_read_i64(file, "bn.num_batches_tracked", whole, 1, &err));
    assert_true(whole[0] == tracked);
    OK(pg_safetensors_read_i64(file, "labels", whole, 2, &err));
    assert_true(whole[0] == -1);
    OK(pg_safetensors_read_u8(file, "text", u, 3, &err));
    assert_memory_equal(u, text, 3);
    OK(pg_safetensors_read_f32(file, "none", f, 0, &err));
    pg_real real = 0;
    OK(pg_safetensors_read_real(file, "gamma", &real, 1, &err));
    assert_true(real == (pg_real)0.1);
    pg_safetensors_close(&file);
    assert_null(file);
}

TEST(wrong_requests_and_arrays_are_refused_by_name)
{
    pg_safetensors *file = NULL;
    const pg_array *array = NULL;
    float f[6];
    int64_t whole[6];
    uint8_t u[6];
    write_sample(PG_FILE_PUBLIC);
    OK(pg_safetensors_open(path, &file, &err));
    FAILS(pg_safetensors_get(file, "features.5.weight", -1, NULL, &array, &err), PG_BAD_INPUT,
          "tensor 'features.5.weight': not in the file");
    FAILS(pg_safetensors_get(file, "features.4.weight", 2, (const size_t[]){3, 2}, &array, &err), PG_BAD_INPUT,
          "tensor 'features.4.weight': expected shape [3, 2], got [2, 3]");
    FAILS(pg_safetensors_get(file, "gamma", 0, NULL, &array, &err), PG_BAD_INPUT, "tensor 'gamma': expected shape [], got [1]");
    FAILS(pg_safetensors_read_f32(file, "features.4.weight", f, 5, &err), PG_BAD_INPUT,
          "tensor 'features.4.weight': expected 5 elements, got 6");
    FAILS(pg_safetensors_read_i64(file, "gamma", whole, 1, &err), PG_BAD_INPUT,
          "tensor 'gamma': expected integers, got floating point");
    FAILS(pg_safetensors_read_u8(file, "labels", u, 2, &err), PG_BAD_INPUT, "tensor 'labels': expected bytes");
    pg_safetensors_close(&file);

    const pg_array twice[] = {arrays[2], arrays[2]};
    FAILS(pg_safetensors_write(path, twice, 2, NULL, 0, PG_FILE_PUBLIC, &err), PG_BAD_INPUT,
          "two entries have the name 'gamma'");
    const pg_array huge = {.name = "x", .dtype = PG_F32, .dims = 3, .shape = {SIZE_MAX / 2, 3, 1}};
    FAILS(pg_safetensors_write(path, &huge, 1, NULL, 0, PG_FILE_PUBLIC, &err), PG_BAD_INPUT, "tensor 'x' is too large");
    const pg_array line = {.name = "a\nb", .dtype = PG_F32, .dims = 1, .shape = {0}};
    FAILS(pg_safetensors_write(path, &line, 1, NULL, 0, PG_FILE_PUBLIC, &err), PG_BAD_INPUT,
          "the name of a tensor has a control character");
    const pg_metadata latin = {"name", "caf\xE9"};
    FAILS(pg_safetensors_write(path, NULL, 0, &latin, 1, PG_FILE_PUBLIC, &err), PG_BAD_INPUT,
          "cannot write 'name': it is not UTF-8, or memory is short");
    assert_int_equal(pg_safetensors_write("/no/such/x", arrays, 1, NULL, 0, PG_FILE_PUBLIC, &err), PG_IO_FAULT);
    assert_int_equal(pg_safetensors_open("/no/such/x", &file, &err), PG_IO_FAULT);
    assert_null(file);
}

/* A file in memory: length, header, data. The block has the exact size, so that a sanitizer reports any access outside. */
static pg_status parse(const char *header, size_t data_bytes)
{
    const uint64_t length = strlen(header);
    pg_safetensors *file = NULL;
    char *bytes = calloc(1, 8 + length + data_bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    const pg_status status = pg_safetensors_parse(bytes, 8 + length + data_bytes, "m", &file, &err);
    pg_safetensors_close(&file);
    free(bytes);
    return status;
}

TEST(a_torch_file_is_refused_with_advice_how_to_convert_it)
{
    static const struct {
        const char *bytes, *kind;
    } cases[] = {{"PK\3\4\0\0\x08\x08\0\0", "zip archive"}, {"\x80\2\x8a\nl\xfc\x9c\x46\xf9\x20", "Python pickle"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pg_safetensors *file = NULL;
        FAILS(pg_safetensors_parse(cases[i].bytes, 10, "m", &file, &err), PG_BAD_INPUT, cases[i].kind);
        assert_non_null(strstr(err.message, "save_file("));
    }
    pg_safetensors *file = NULL; /* a header of 640 bytes begins as a pickle does */
    char bytes[648] = "\x80\2\0\0\0\0\0\0{}";
    memset(bytes + 10, ' ', sizeof bytes - 10);
    OK(pg_safetensors_parse(bytes, sizeof bytes, "m", &file, &err));
    pg_safetensors_close(&file);
}

TEST(metadata_that_is_absent_or_not_text_is_ignored)
{
    static const char header[] = "{\"__metadata__\":{\"epoch\":5,\"format\":\"pt\",\"history\":[1]}}";
    char bytes[8 + sizeof header - 1];
    const uint64_t length = sizeof header - 1;
    pg_safetensors *file = NULL;
    OK(parse("{\"__metadata__\":null}", 0));
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    OK(pg_safetensors_parse(bytes, sizeof bytes, "m", &file, &err));
    assert_int_equal(pg_safetensors_metadata_count(file), 1);
    assert_string_equal(pg_safetensors_metadata(file, "format"), "pt");
    pg_safetensors_close(&file);
}

/* Tensors of other types do not make the rest of the file unreadable. */
TEST(other_types_are_read_where_they_are_numbers)
{
    static const uint16_t half[] = {0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000, 0x7C00, 0x3555},
                          brain[] = {0x3F80, 0xC000, 0x0001, 0x7F7F, 0x8000, 0x7F80, 0x3EAB};
    static const float halves[] = {1, -2, 5.9604644775390625e-8F, 65504, -0.0F, INFINITY, 0.333251953125F},
                       brains[] = {1, -2, 9.1835496157991212e-41F, 3.3895313892515355e38F, -0.0F, INFINITY, 0.333984375F};
    static const uint8_t truth[] = {1, 0};
    static const pg_array others[] = {
        {.name = "f16", .dtype = PG_F16, .dims = 1, .shape = {7}, .data = half},
        {.name = "bf16", .dtype = PG_BF16, .dims = 1, .shape = {7}, .data = brain},
        {.name = "bool", .dtype = PG_BOOL, .dims = 1, .shape = {2}, .data = truth},
        {.name = "f8", .dtype = PG_F8_E4M3, .dims = 1, .shape = {2}, .data = truth},
        {.name = "i16", .dtype = PG_I16, .dims = 1, .shape = {1}, .data = half},
    };
    pg_safetensors *file = NULL;
    float out[7];
    int64_t whole[2];
    OK(pg_safetensors_write(path, others, 5, NULL, 0, PG_FILE_PUBLIC, &err));
    OK(pg_safetensors_open(path, &file, &err));
    OK(pg_safetensors_read_f32(file, "f16", out, 7, &err));
    assert_memory_equal(out, halves, sizeof halves);
    OK(pg_safetensors_read_f32(file, "bf16", out, 7, &err));
    assert_memory_equal(out, brains, sizeof brains);
    OK(pg_safetensors_read_i64(file, "bool", whole, 2, &err));
    assert_true(whole[0] == 1 && whole[1] == 0);
    FAILS(pg_safetensors_read_f32(file, "f8", out, 2, &err), PG_BAD_INPUT,
          "tensor 'f8': values of type F8_E4M3 cannot be read");
    assert_int_equal(pg_safetensors_read_f32(file, "i16", out, 1, &err), PG_BAD_INPUT);
    pg_safetensors_close(&file);
}

TEST(a_bad_header_is_refused_at_its_byte)
{
#define ENTRY(dtype, shape, offsets) "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } cases[] = {
        {"", 0, "m: not a safetensors file: the header is not a JSON object"},
        {"[1]", 0, "m: not a safetensors file: the header is not a JSON object"},
        {"{\"a\":", 0, "m: bad header at byte 13: unexpected token near end of file"},
        {"{\"a\":1,\"a\":2}", 0, "m: bad header at byte 18: duplicate object key near '\"a\"'"},
        {"{} x", 0, "m: bad header at byte 12: end of file expected near 'x'"},
        {"{}", 1, "m: there are bytes after the last tensor"},
        {"{\"a\":1}", 0, "m: tensor 'a': expected dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "m: tensor 'a': expected dtype, shape and data_offsets"},
        {"{\"a\\n\":{}}", 0, "m: the name of a tensor has a control character"},
        {ENTRY("F128", "[1]", "[0,16]"), 16, "m: tensor 'a': not a type of the format"},
        {ENTRY("F32", "[-1]", "[0,4]"), 4, "m: tensor 'a': bad shape"},
        {ENTRY("F32", "[1.0]", "[0,4]"), 4, "m: tensor 'a': bad shape"},
        {ENTRY("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "m: tensor 'a': more than 8 dimensions"},
        {ENTRY("F32", "[4294967296,4294967296]", "[0,0]"), 0, "m: tensor 'a': shape too large"},
        {ENTRY("F32", "[4611686018427387904]", "[0,0]"), 0, "m: tensor 'a': shape too large"},
        {ENTRY("F32", "[0,4294967296,4294967296]", "[0,0]"), 0, "m: tensor 'a': shape too large"},
        {ENTRY("F32", "[1]", "[4,0]"), 4, "m: tensor 'a': bad data_offsets"},
        {ENTRY("F32", "[1]", "[-4,0]"), 4, "m: tensor 'a': bad data_offsets"},
        {ENTRY("F32", "[1]", "[0,4,8]"), 4, "m: tensor 'a': bad data_offsets"},
        {ENTRY("F32", "[1]", "[0,8]"), 8, "m: tensor 'a': its shape and data_offsets disagree"},
        {ENTRY("F32", "[2]", "[0,8]"), 4, "m: tensor 'a': its data is outside the file, which may be truncated"},
        {ENTRY("F32", "[1]", "[9223372036854775803,9223372036854775807]"), 4,
         "m: tensor 'a': its data is outside the file, which may be truncated"},
        {ENTRY("F32", "[1]", "[4,8]"), 8, "m: tensor 'a': there is a gap before its data"},
        {ENTRY("F32", "[1]", "[0,4]"), 8, "m: there are bytes after the last tensor"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_"
         "offsets\":[2,5]}}",
         5, "m: tensor 'b': its data overlaps that of another tensor"},
        {"{\"__metadata__\":[]}", 0, "m: __metadata__ is not an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].header, cases[i].data), PG_BAD_INPUT);
        assert_string_equal(err.message, cases[i].message);
    }
    OK(parse("{}", 0));
    OK(parse(ENTRY("F32", "[1]", "[0,4]"), 4));
    OK(parse(ENTRY("F32", "[0,3]", "[0,0]") "   ", 0));

    pg_safetensors *file = NULL;
    assert_int_equal(pg_safetensors_parse("1234567", 7, "m", &file, &err), PG_BAD_INPUT);
    assert_string_equal(err.message, "m: not a safetensors file: shorter than 8 bytes");
    assert_int_equal(pg_safetensors_parse("\x09\0\0\0\0\0\0\0{", 9, "m", &file, &err), PG_BAD_INPUT);
    assert_string_equal(err.message, "m: the file is truncated: it ends inside the header");
    assert_int_equal(pg_safetensors_parse("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{", 9, "m", &file, &err), PG_BAD_INPUT);
    assert_string_equal(err.message, "m: not a safetensors file: header too long");
    char deep[5000];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    deep[sizeof deep - 1] = 0;
    assert_int_equal(parse(deep, 0), PG_BAD_INPUT);
}

/* Read everything, so that a sanitizer reports a pointer outside the block. */
static void touch_everything(const pg_safetensors *file)
{
    for (size_t i = 0; i < pg_safetensors_count(file); i++) {
        const pg_array *array = pg_safetensors_at(file, i);
        double *values = calloc(array->count + 1, sizeof *values);
        OK(pg_safetensors_read_f64(file, array->name, values, array->count, &err));
        free(values);
    }
}

/* Returns whether the file was accepted. */
static bool survive(const char *bytes, size_t count)
{
    pg_safetensors *file = NULL;
    char *block = malloc(count + (count == 0));
    memcpy(block, bytes, count);
    const pg_status status = pg_safetensors_parse(block, count, "m", &file, &err);
    if (status == PG_OK) {
        touch_everything(file);
    } else {
        assert_int_equal(status, PG_BAD_INPUT);
        assert_null(strchr(err.message, '\n'));
        assert_memory_equal(err.message, "m: ", 3);
    }
    pg_safetensors_close(&file);
    free(block);
    return status == PG_OK;
}

TEST(no_cut_or_flipped_bit_breaks_the_reader)
{
    char *file = NULL;
    size_t bytes = 0;
    const long live = pg_memory_live();
    write_sample(PG_FILE_PUBLIC);
    OK(pg_file_read(path, &file, &bytes, &err));
    assert_true(survive(file, bytes));
    for (size_t i = 0; i < bytes; i++) assert_false(survive(file, i));
    for (size_t i = 0; i < bytes; i++)
        for (int bit = 0; bit < 8; bit++) {
            file[i] = (char)(file[i] ^ 1 << bit);
            survive(file, bytes);
            file[i] = (char)(file[i] ^ 1 << bit);
        }
    pg_free(file);
    assert_int_equal(pg_memory_live(), live);
}
