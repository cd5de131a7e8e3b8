/* Presets: published settings, as other defaults for options of a grid. */
#ifndef PG_GRID_PRESETS_H
#define PG_GRID_PRESETS_H

#include "core/formats/options.h"

extern const char *const pg_preset_summaries[];
extern const char *const pg_presets[]; /* names, ended by NULL; the first one is that of the defaults in the option tables */

/* Set the options that the preset (an index into pg_presets) knows better, in values of a table. map is whose table it is:
 * "train", or the name of an attack. */
PG_CHECKED pg_status pg_preset_apply(int preset, const char *map, const pg_option *table, void *values, pg_error *err);

#endif
