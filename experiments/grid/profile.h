/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles: other sizes of a grid, in the grid's own file.
 *
 *   train: {epochs: 200}
 *   profiles:
 *     laptop:
 *       label: "reduced run"
 *       train: {epochs: 12}
 *
 * `profile: laptop` (--profile laptop, or --set profile=laptop) overrides entries of the file by those under profiles.laptop.
 * Maps are merged key by key; everything else is replaced. Assignments by --set are applied later and win, except assignments
 * to the profiles themselves, which are applied first. */
#ifndef PG_GRID_PROFILE_H
#define PG_GRID_PROFILE_H

#include "core/formats/problems.h"

/* Apply the profile that the root of a configuration names, if any. Reports problems of every profile at their positions in the
 * file. known: the top-level keys that a profile may have, ended by NULL. */
PG_CHECKED pg_status pg_profile_apply(pg_tree *tree, const char *const *known, pg_problems *problems, pg_error *err);

#endif
