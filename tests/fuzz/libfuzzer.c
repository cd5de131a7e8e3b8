/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fuzz targets under libFuzzer: `fuzz --target=NAME [libFuzzer's options and folders]`.
 *
 * Inputs with blind changes seldom pass the checks of their format, so inputs are changed according to their form. Of a
 * safetensors file, bytes of the header change, or one item of the header, after which offsets and data are corrected. Of JSON,
 * the text changes and the checksum is corrected; of a PNG, bytes change and the checksums of its chunks are corrected. One
 * change in eight is blind. */
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fuzz_target *target;

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char option[] = "--target=";
    for (int i = 1; i < *argc; i++)
        if (strncmp((*argv)[i], option, sizeof option - 1) == 0) target = fuzz_find((*argv)[i] + sizeof option - 1);
    if (target) return fuzz_prepare(target), 0; /* so that the time is not charged to the first input */
    fprintf(stderr, "usage: %s --target=NAME ..., NAME being one of\n", (*argv)[0]);
    for (int i = 0; fuzz_targets[i]; i++) fprintf(stderr, "  %s\n", fuzz_targets[i]->name);
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes > (size_t)target->most) return -1;
    pg_error err;
    (void)fuzz_one(target, data, bytes, &err);
    return 0;
}

/* ---- changing safetensors ---- */

enum { PREFIX = 8, HEADER_MOST = 1 << 15 };

typedef struct parts {
    const uint8_t *header, *data;
    size_t header_bytes, data_bytes;
} parts;

static bool split(const uint8_t *file, size_t bytes, parts *out)
{
    uint64_t length;
    if (bytes < PREFIX) return false;
    memcpy(&length, file, sizeof length);
    if (length > bytes - PREFIX || length > HEADER_MOST) return false;
    *out = (parts){.header = file + PREFIX,
                   .header_bytes = (size_t)length,
                   .data = file + PREFIX + length,
                   .data_bytes = bytes - PREFIX - (size_t)length};
    return true;
}

/* Make a file of a header and data, cut if it is too long. data may point into out. */
static size_t join(uint8_t *out, size_t most, const uint8_t *header, uint64_t header_bytes, const uint8_t *data,
                   size_t data_bytes)
{
    if (PREFIX + header_bytes > most) header_bytes = most - PREFIX;
    const size_t start = PREFIX + (size_t)header_bytes;
    if (data_bytes > most - start) data_bytes = most - start;
    memmove(out + start, data, data_bytes);
    memcpy(out, &header_bytes, sizeof header_bytes);
    memcpy(out + PREFIX, header, (size_t)header_bytes);
    return start + data_bytes;
}

static size_t change_header(uint8_t *file, const parts *p, size_t most)
{
    static uint8_t header[HEADER_MOST];
    memcpy(header, p->header, p->header_bytes);
    const size_t length = LLVMFuzzerMutate(header, p->header_bytes, HEADER_MOST);
    return join(file, most, header, length, p->data, p->data_bytes);
}

static size_t change_data(uint8_t *file, const parts *p, size_t most)
{
    const size_t start = PREFIX + p->header_bytes;
    return start >= most ? start : start + LLVMFuzzerMutate(file + start, p->data_bytes, most - start);
}

static json_int_t odd_number(json_int_t old, unsigned *random)
{
    static const json_int_t odd[] = {0, 1, 2, 3, 7, 16, 255, 256, 4096, 65536, INT32_MAX, UINT32_MAX, INT64_MAX, -1};
    const unsigned choice = (unsigned)rand_r(random) % 18;
    if (choice < 14) return odd[choice];
    return (json_int_t)((uint64_t)old + (choice < 16 ? 1 : choice == 16 ? UINT64_MAX : (uint64_t)old)); /* wraps around */
}

static json_t *change_text(const char *text)
{
    uint8_t changed[256];
    size_t length = strlen(text);
    if (length > 128) length = 128;
    memcpy(changed, text, length);
    length = LLVMFuzzerMutate(changed, length, sizeof changed);
    return json_stringn((const char *)changed, length); /* NULL if it is not UTF-8 */
}

/* Member number n of an object, or NULL. */
static const char *member(json_t *object, unsigned n)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) if (n-- == 0) return key;
    return NULL;
}

/* Make one change to one tensor or to one text of the metadata. */
static void change_entry(json_t *header, unsigned *random)
{
    static const char *const dtypes[] = {"F32", "F64", "I64", "I32", "U8", "F16", "BF16", "BOOL", "I16", "F8_E5M2"};
    json_t *words = json_object_get(header, "__metadata__");
    const size_t word_count = json_object_size(words), count = json_object_size(header);
    if (word_count && rand_r(random) % 3 == 0) {
        const char *key = member(words, (unsigned)rand_r(random) % (unsigned)word_count);
        const char *value = json_string_value(json_object_get(words, key));
        json_t *changed = rand_r(random) % 8 && value ? change_text(value) : NULL;
        if (changed) json_object_set_new(words, key, changed);
        return;
    }
    if (!count) return;
    const char *name = member(header, (unsigned)rand_r(random) % (unsigned)count);
    json_t *entry = json_object_get(header, name), *shape = json_object_get(entry, "shape");
    const size_t dims = json_array_size(shape), at = dims ? (size_t)rand_r(random) % dims : 0;
    json_t *other = NULL;
    switch (rand_r(random) % 6) {
    case 0:
    case 1:
        if (dims)
            json_array_set_new(shape, at, json_integer(odd_number(json_integer_value(json_array_get(shape, at)), random)));
        return;
    case 2: json_array_append_new(shape, json_integer(odd_number(1, random))); return;
    case 3: json_object_set_new(entry, "dtype", json_string(dtypes[rand_r(random) % 10])); return;
    case 4: json_object_del(header, name); return;
    default: /* the same tensor under another name */
        other = change_text(name);
        if (other) json_object_set_new(header, json_string_value(other), json_deep_copy(entry));
        json_decref(other);
    }
}

static size_t element(const char *dtype)
{
    return !dtype || strchr(dtype, '8') || strcmp(dtype, "BOOL") == 0 ? 1
           : strstr(dtype, "16")                                      ? 2
           : strstr(dtype, "64")                                      ? 8
                                                                      : 4;
}

/* Bytes of a tensor of its shape; 0 if that is too large, so that the reader sees offsets that do not fit. */
static size_t tensor_bytes(const json_t *entry, size_t most)
{
    size_t bytes = element(json_string_value(json_object_get(entry, "dtype"))), i;
    json_t *extent;
    json_array_foreach(json_object_get(entry, "shape"), i, extent)
    {
        const json_int_t n = json_integer_value(extent);
        if (n < 0 || __builtin_mul_overflow(bytes, (size_t)n, &bytes)) return 0;
    }
    return bytes > most ? 0 : bytes;
}

/* Correct the offsets to the shapes, and the data to the offsets. Each tensor keeps its bytes, repeated if it has grown. */
static size_t settle(json_t *header, const parts *p, uint8_t *data, size_t most)
{
    size_t used = 0;
    const char *name;
    json_t *entry;
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) continue;
        const json_t *offsets = json_object_get(entry, "data_offsets");
        size_t from = (size_t)json_integer_value(json_array_get(offsets, 0)),
               until = (size_t)json_integer_value(json_array_get(offsets, 1));
        if (from > until || until > p->data_bytes) from = until = 0;
        const size_t bytes = tensor_bytes(entry, most - used);
        for (size_t i = 0; i < bytes; i++) data[used + i] = until > from ? p->data[from + i % (until - from)] : 0;
        json_object_set_new(entry, "data_offsets", json_pack("[I, I]", (json_int_t)used, (json_int_t)(used + bytes)));
        used += bytes;
    }
    return used;
}

static size_t change_one(uint8_t *file, const parts *p, size_t most, unsigned random)
{
    json_t *header = json_loadb((const char *)p->header, p->header_bytes, 0, NULL);
    uint8_t *data = malloc(most);
    size_t bytes = 0;
    if (json_is_object(header)) {
        for (int times = 1 + rand_r(&random) % 3; times > 0; times--) change_entry(header, &random);
        const size_t data_bytes = settle(header, p, data, most);
        char *text = json_dumps(header, JSON_COMPACT);
        const size_t length = text ? strlen(text) : 0, padded = (length + 7) / 8 * 8;
        char *spaced = calloc(padded + 1, 1);
        memset(spaced, ' ', padded);
        if (text) memcpy(spaced, text, length);
        bytes = join(file, most, (const uint8_t *)spaced, padded, data, data_bytes);
        free(spaced);
        free(text);
    }
    json_decref(header);
    free(data);
    return bytes ? bytes : change_header(file, p, most);
}

static size_t change_safetensors(uint8_t *file, size_t bytes, size_t most, unsigned random)
{
    parts p;
    const int choice = rand_r(&random) % 8;
    if (choice == 0 || !split(file, bytes, &p)) return LLVMFuzzerMutate(file, bytes, most);
    if (choice < 3) return change_data(file, &p, most);
    return choice < 5 ? change_header(file, &p, most) : change_one(file, &p, most, random);
}

/* ---- the other forms ---- */

static size_t change_sealed(uint8_t *data, size_t bytes, size_t most)
{
    const size_t body = bytes > FUZZ_TAIL ? bytes - FUZZ_TAIL : bytes;
    if (most <= FUZZ_TAIL + 1) return LLVMFuzzerMutate(data, bytes, most);
    return fuzz_seal(data, LLVMFuzzerMutate(data, body < most - FUZZ_TAIL - 1 ? body : 0, most - FUZZ_TAIL - 1));
}

static size_t change_picture(uint8_t *data, size_t bytes, size_t most)
{
    const size_t changed = LLVMFuzzerMutate(data, bytes, most);
    fuzz_sum_chunks(data, changed);
    return changed;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed)
{
    unsigned random = seed;
    const bool blind = rand_r(&random) % 8 == 0;
    if (blind || target->form == FUZZ_PLAIN) return LLVMFuzzerMutate(data, bytes, most);
    if (target->form == FUZZ_SAFETENSORS) return change_safetensors(data, bytes, most, random);
    return (target->form == FUZZ_SEALED ? change_sealed : change_picture)(data, bytes, most);
}
