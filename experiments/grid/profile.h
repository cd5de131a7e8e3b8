/* Profiles: other sizes of the same grid, in its own file.
 *
 *   train: {epochs: 200}
 *   profiles:
 *     laptop:
 *       label: "reduced run"
 *       train: {epochs: 12}
 *
 * `profile: laptop` (--profile laptop, or --set profile=laptop) lets the entries under profiles.laptop override those of the
 * file: maps are merged key by key, everything else is replaced. Assignments by --set come after and win; those to the profiles
 * themselves come before. */
#ifndef PG_GRID_PROFILE_H
#define PG_GRID_PROFILE_H

#include "core/formats/problems.h"

/* Apply the profile that the root of a configuration names, if any. What is wrong with it, or with the shape of any other one,
 * becomes problems at its place in the file. known: keys that may stand at the top of a grid, ended by NULL. */
PG_CHECKED pg_status pg_profile_apply(pg_tree *tree, const char *const *known, pg_problems *problems, pg_error *err);

#endif
