/* Facts about data sets; see inputs.h. They are loaded to be counted and summed, once per process, and let go. */
#include "experiments/inputs.h"

#include "core/data/readers.h"

#include <stdio.h>
#include <string.h>

enum { KNOWN_MAX = 16 };

const char *const *pg_input_names(void)
{
    static const char *names[KNOWN_MAX + 1];
    for (int i = 0; i < KNOWN_MAX && pg_data_kinds[i].name; i++) names[i] = pg_data_kinds[i].name;
    return names;
}

static void sum(const pg_data *data, char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, data->train.sha256);
    pg_hash_add_text(&hash, data->test.sha256);
    pg_hash_finish_hex(&hash, hex);
}

pg_status pg_input_find(const char *name, const char *directory, pg_input *out, pg_error *err)
{
    static struct {
        char name[64];
        pg_input facts;
    } known[KNOWN_MAX];
    static int count;
    pg_data data = {0};
    for (int i = 0; i < count; i++)
        if (strcmp(known[i].name, name) == 0) {
            *out = known[i].facts;
            return PG_OK;
        }
    const pg_status status = pg_data_load(name, directory, &data, err);
    if (status != PG_OK) return status;
    *out = (pg_input){.classes = data.train.classes,
                      .height = data.train.height,
                      .width = data.train.width,
                      .train = data.train.count,
                      .test = data.test.count};
    sum(&data, out->sha256);
    pg_data_clear(&data);
    if (count == KNOWN_MAX) return PG_OK;
    snprintf(known[count].name, sizeof known[count].name, "%s", name);
    known[count++].facts = *out;
    return PG_OK;
}
