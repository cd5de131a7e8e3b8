/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding networks; see arch.h. */
#include "core/nets/arch_file.h"
#include "core/nets/shipped.h"

#include "core/base/registry.h"

int pg_arch_rows(const pg_arch *arch, bool relu_before_add, pg_row rows[PG_ROWS_MAX])
{
    if (arch->rows) return arch->rows(relu_before_add, rows);
    memcpy(rows, arch->table, (size_t)arch->count * sizeof *rows);
    return arch->count;
}

bool pg_row_takes_passport(const pg_row *row)
{
    return row->kind == PG_ROW_CONV && !row->bare && row->groups == 1;
}

/* A shipped network, read when it is first asked for. */
static const pg_arch *read_shipped(int i)
{
    static const pg_arch *read[PG_REGISTRY_MAX];
    if (!read[i] && pg_arch_parse(pg_shipped_networks[i].text, pg_shipped_networks[i].name, &read[i], NULL) != PG_OK)
        return NULL;
    return read[i];
}

const pg_arch *pg_arch_at(int i)
{
    int in_c = 0;
    while (pg_archs[in_c]) in_c++;
    if (i < in_c) return pg_archs[i];
    for (int k = 0; pg_shipped_networks[k].name; k++)
        if (in_c + k == i) return read_shipped(k);
    return NULL;
}

const pg_arch *pg_arch_find(const char *name)
{
    for (int i = 0; pg_archs[i]; i++)
        if (strcmp(pg_archs[i]->name, name) == 0) return pg_archs[i];
    for (int i = 0; pg_shipped_networks[i].name; i++)
        if (strcmp(pg_shipped_networks[i].name, name) == 0) return read_shipped(i);
    return NULL;
}

const char *const *pg_arch_names(void)
{
    static const char *names[PG_REGISTRY_MAX + 1];
    int n = 0;
    for (int i = 0; pg_archs[i] && n < PG_REGISTRY_MAX; i++) names[n++] = pg_archs[i]->name;
    for (int i = 0; pg_shipped_networks[i].name && n < PG_REGISTRY_MAX; i++) names[n++] = pg_shipped_networks[i].name;
    return names;
}
