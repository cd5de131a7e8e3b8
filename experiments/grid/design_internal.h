/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that read the sections of a grid file. */
#ifndef PG_GRID_DESIGN_INTERNAL_H
#define PG_GRID_DESIGN_INTERNAL_H

#include "experiments/grid/design.h"
#include "experiments/grid/presets.h"

typedef struct pg_design_reader {
    pg_design *design;
    pg_preset_options preset;
    pg_problems *problems;
    const char *data_directory;
    const pg_node *entry; /* of a section of the file */
    size_t most; /* most maps to read of one entry: 1 if the grid is too large, so that its other problems are still found */
} pg_design_reader;

typedef pg_status (*pg_map_reader)(pg_design_reader *r, const pg_node *map, pg_error *err);

/* Call read for each map that an entry stands for: a list under an option of table stands for one map for each of its values.
 * more: keys that are allowed besides those of table. If the entry has problems, reads only one map, to find further ones. */
PG_CHECKED pg_status pg_design_read_expanded(pg_design_reader *r, const pg_option *table, const char *const *more,
                                             const pg_node *map, pg_map_reader read, pg_error *err);
/* Call read for each scheme or attack that an entry names under key, as one name or a list of names. */
PG_CHECKED pg_status pg_design_read_kinds(pg_design_reader *r, const char *key, const pg_node *map, pg_map_reader read,
                                          pg_error *err);

/* Make a path absolute. A relative path begins in the folder of the file in which its node stands, one of --set in the working
 * directory. An empty text stays empty. False, with a problem at node, if the path is too long. */
bool pg_design_place(pg_design_reader *r, const pg_node *node, char path[PG_TEXT_MAX]);

/* Look up a data set; false, with a problem at node, if that fails. facts->train counts the images of the chosen half. */
bool pg_design_find_data(pg_design_reader *r, const pg_node *node, const pg_data_options *wanted, pg_data_choice *choice,
                         pg_input *facts);

/* Find a network by its name or file, and make arch absolute if it is a path. *out stays NULL, with a problem at node or in the
 * file, if that fails, or if the grid has another network of the same name. */
PG_CHECKED pg_status pg_design_find_arch(pg_design_reader *r, const pg_node *node, char arch[PG_TEXT_MAX], const pg_arch **out,
                                         pg_error *err);

/* An entry of the sections "data", "networks" and "independent": design_places.c. */
PG_CHECKED pg_status pg_design_read_data(pg_design_reader *r, const pg_node *map, pg_error *err);
PG_CHECKED pg_status pg_design_read_network(pg_design_reader *r, const pg_node *map, pg_error *err);
PG_CHECKED pg_status pg_design_read_independent(pg_design_reader *r, const pg_node *map, pg_error *err);

/* An entry of the section "schemes" and of the section "attacks": design_plugins.c. */
PG_CHECKED pg_status pg_design_read_scheme(pg_design_reader *r, const pg_node *map, pg_error *err);
PG_CHECKED pg_status pg_design_read_attack(pg_design_reader *r, const pg_node *map, pg_error *err);

#endif
