/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Presets: published settings that replace the defaults of options. */
#ifndef PG_GRID_PRESETS_H
#define PG_GRID_PRESETS_H

#include "attacks/attack.h"

extern const char *const pg_preset_summaries[];
extern const char *const pg_presets[]; /* names, ended by NULL; the first one is that of the defaults in the option tables */
extern const pg_preset_default pg_preset_train[]; /* other defaults of the training, ended by a preset of NULL */

/* Set the options of a table that a preset (an index into pg_presets), or one that it builds on, changes. changes is
 * pg_preset_train, or the presets of an attack. */
PG_CHECKED pg_status pg_preset_apply(int preset, const pg_preset_default *changes, const pg_option *table, void *values,
                                     pg_error *err);

#endif
