/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The name of a data set in a grid and on the command line: that of a known data set, or, with a path, a name of the user's
 * choice for class folders of pictures. */
#ifndef PG_GRID_DATA_ENTRY_H
#define PG_GRID_DATA_ENTRY_H

#include "experiments/grid/grid_options.h"

/* Report a wrong name at its node, and the keys for pictures of an entry that has no path. False if there is a problem. entry
 * NULL: it has no keys. */
bool pg_data_entry_check(const pg_data_options *options, const pg_node *name, const pg_node *entry, pg_problems *problems);

/* Read a word of the command line: NAME, or the keys of a grid's `data` that choose images: "{name: birds, path: DIR}". Sets
 * the name and the pictures alone. A NAME is not checked. */
PG_CHECKED pg_status pg_data_entry_read(const char *word, pg_data_options *out, pg_error *err);

/* The last rows of pg_data_table, which are about pictures. */
const pg_option *pg_picture_table(void);

#endif
