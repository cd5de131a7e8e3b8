/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks as text, in YAML:
 *
 *   summary: two convolutions and an addition, for 32x32 images
 *   image: 32
 *   rows:
 *     - {row: conv, channels: 64, name: stem}
 *     - {row: conv, channels: 64, relu: false}
 *     - {row: add, with: stem}
 *     - {row: global_pool}
 *     - {row: dense, name: classifier}
 *
 * Each row reads the row before it, or the one that `from` names. pg_row_kinds has the options of every kind. The reader
 * finds all problems of a text, checks the shapes at the nominal image size, and refuses rows that no row reads. If no row is a
 * passport layer by default, the last three convolutions with a norm and without groups are.
 *
 * Networks that were read live until the process ends. Equal ones are one and the same, so that pointers can be compared. */
#ifndef PG_NETS_ARCH_FILE_H
#define PG_NETS_ARCH_FILE_H

#include "core/formats/options.h"
#include "core/nets/layout.h"

/* The keys of a file, and the kinds of its rows, ended by a NULL name; those of a row are `row` and the kind's options. */
extern const pg_option pg_arch_options[];
typedef struct pg_row_kind_info {
    const char *name, *summary;
    pg_row_kind kind;
    const pg_option *options;
} pg_row_kind_info;
extern const pg_row_kind_info pg_row_kinds[];

enum { PG_ARCH_TEXT_MAX = 65536 }; /* bytes of a network's text, with the zero at its end */

/* Read a network file; the network has the file's name unless the file gives one. problems must be empty; on PG_BAD_INPUT it
 * has what is wrong, or err if it is still empty. A name of a network that the program has is a problem unless the rows are
 * equal. */
PG_CHECKED pg_status pg_arch_read(const char *path, const pg_arch **out, pg_problems *problems, pg_error *err);

/* Does the name of a network mean a file, such as "x.yaml" or "networks/x"? */
bool pg_arch_names_file(const char *word);

/* A network from its text. PG_BAD_INPUT, beginning with `where`, if the text describes none. */
PG_CHECKED pg_status pg_arch_parse(const char *text, const char *where, const pg_arch **out, pg_error *err);

/* The network of a spec with other numbers of channels, channels [rows], under another name. Ignores the numbers of the last
 * row and of rows that pass channels on. */
PG_CHECKED pg_status pg_arch_with_channels(const pg_net_spec *spec, const int *channels, const char *name, const pg_arch **out,
                                           pg_error *err);

#endif
