/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots; see snapshot.h. */
#include "core/formats/snapshot.h"

#include "core/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pg_snapshot_keep(pg_snapshot *snapshot, pg_dtype dtype, size_t size, void *at, size_t count, double low, double high,
                      const char *name, ...)
{
    va_list args;
    if (snapshot->count++ >= PG_SNAPSHOT_MAX) return;
    struct pg_kept *kept = &snapshot->kept[snapshot->count - 1];
    *kept = (struct pg_kept){.dtype = dtype, .data = at, .count = count, .size = size, .low = low, .high = high};
    const int used = snprintf(kept->name, sizeof kept->name, "%s", snapshot->prefix ? snapshot->prefix : "");
    va_start(args, name);
    vsnprintf(kept->name + used, sizeof kept->name - (size_t)used, name, args);
    va_end(args);
}

pg_status pg_snapshot_write(const pg_snapshot *snapshot, const char *path, pg_error *err)
{
    pg_array arrays[PG_SNAPSHOT_MAX];
    if (snapshot->count > PG_SNAPSHOT_MAX)
        return pg_fail(err, PG_BAD_INPUT, "%s: more than %d arrays in a snapshot", path, PG_SNAPSHOT_MAX);
    for (int i = 0; i < snapshot->count; i++) {
        const struct pg_kept *kept = &snapshot->kept[i];
        arrays[i] = (pg_array){.name = kept->name, .dtype = kept->dtype, .dims = 1, .shape = {kept->count}, .data = kept->data};
    }
    return pg_safetensors_write(path, arrays, (size_t)snapshot->count, NULL, 0, PG_FILE_SECRET, err);
}

/* PG_BAD_INPUT if an element is outside the limits of its array. */
static pg_status check_limits(const struct pg_kept *kept, const pg_safetensors *file, pg_error *err)
{
    pg_status status = PG_OK;
    double *values = NULL;
    if (isinf(kept->low) && isinf(kept->high)) return PG_OK;
    PG_TRY(pg_alloc(kept->count, sizeof *values, &values, err));
    PG_TRY(pg_safetensors_read_f64(file, kept->name, values, kept->count, err));
    for (size_t i = 0; i < kept->count; i++)
        if (!(values[i] >= kept->low && values[i] <= kept->high))
            PG_TRY(pg_fail(err, PG_BAD_INPUT, "tensor '%s': %g is not within %g .. %g", kept->name, values[i], kept->low,
                           kept->high));
done:
    pg_free(values);
    return status;
}

pg_status pg_snapshot_read(const pg_snapshot *snapshot, const pg_safetensors *file, pg_error *err)
{
    const pg_array *found[PG_SNAPSHOT_MAX];
    for (int i = 0; i < snapshot->count; i++) {
        const struct pg_kept *kept = &snapshot->kept[i];
        pg_status status = pg_safetensors_get(file, kept->name, 1, &kept->count, &found[i], err);
        if (status != PG_OK) return status;
        if (found[i]->dtype != kept->dtype)
            return pg_fail(err, PG_BAD_INPUT, "tensor '%s': not of the expected type", kept->name);
        if ((status = check_limits(kept, file, err)) != PG_OK) return status;
    }
    for (int i = 0; i < snapshot->count; i++) {
        const struct pg_kept *kept = &snapshot->kept[i];
        if (kept->count) memcpy(kept->data, found[i]->data, kept->count * kept->size);
    }
    return PG_OK;
}
