/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that read, write and keep networks: arch_file.c reads them from YAML, arch_keep.c keeps them. */
#ifndef PG_NETS_ARCH_INTERNAL_H
#define PG_NETS_ARCH_INTERNAL_H

#include "core/nets/arch_file.h"

/* The options of a row of any kind. */
typedef struct pg_row_values {
    char name[PG_TEXT_MAX], from[PG_TEXT_MAX], with[PG_TEXT_MAX];
    int channels, kernel, stride, pad, groups, side;
    bool norm, relu, passport;
    double rate;
} pg_row_values;

/* The kind of a row, and the name of row i if the file gives none. */
const pg_row_kind_info *pg_row_info(const pg_row *row);
const char *pg_row_default_name(const pg_row *row, int i, char out[PG_NAME_MAX]);

/* The network that equals `made`: one that the program has or has read, else a copy. Sets its text. `made` is borrowed. */
PG_CHECKED pg_status pg_arch_keep(const pg_arch *made, const pg_arch **out, pg_error *err);

#endif
