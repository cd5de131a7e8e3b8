/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registries: lists of plug-ins that are found by name.
 *
 * A plug-in of type T is a const struct T_NAME in a file of its own, which begins with `const char *name, *summary`. A file
 * that holds nothing else lists the plug-ins of one type, one a line:
 *
 *   #define SCHEMES(X)      \
 *       X(pg_scheme, plain) \
 *       X(pg_scheme, v1)
 *   PG_REGISTRY(pg_scheme, pg_schemes, SCHEMES)
 */
#ifndef PG_BASE_REGISTRY_H
#define PG_BASE_REGISTRY_H

#include <string.h>

/* Most plug-ins of one type. */
enum { PG_REGISTRY_MAX = 64 };

/* Define the list: pointers to the plug-ins, ended by NULL. */
#define PG_REGISTRY(type, list, ENTRIES)                                                                                       \
    ENTRIES(PG_REGISTRY_DECLARE)                                                                                               \
    const type *const list[] = {ENTRIES(PG_REGISTRY_ENTRY) NULL};                                                              \
    _Static_assert(sizeof list / sizeof *list <= PG_REGISTRY_MAX + 1, "too many plug-ins of a type");
#define PG_REGISTRY_DECLARE(type, name) extern const type type##_##name;
#define PG_REGISTRY_ENTRY(type, name)   &type##_##name,

/* Define find: the plug-in of a name, NULL if unknown; and names: of all plug-ins, ended by NULL. */
#define PG_REGISTRY_FIND(type, list, find)                                                                                     \
    const type *find(const char *name)                                                                                         \
    {                                                                                                                          \
        for (int i = 0; list[i]; i++)                                                                                          \
            if (strcmp(list[i]->name, name) == 0) return list[i];                                                              \
        return NULL;                                                                                                           \
    }
#define PG_REGISTRY_NAMES(list, names)                                                                                         \
    const char *const *names(void)                                                                                             \
    {                                                                                                                          \
        static const char *all[PG_REGISTRY_MAX + 1];                                                                           \
        for (int i = 0; list[i]; i++) all[i] = list[i]->name;                                                                  \
        return all;                                                                                                            \
    }

#endif
