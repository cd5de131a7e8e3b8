/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contents of a folder of pictures.
 *
 * Pictures are the files that end in .jpg, .jpeg, .jpe, .jfif or .png, in any case. A picture of another format is an error
 * that names it. All other files and all hidden ones are ignored, because operating systems add their own: .DS_Store, ._1.png,
 * Thumbs.db, desktop.ini, __MACOSX. */
#ifndef PG_DATA_FOLDER_H
#define PG_DATA_FOLDER_H

#include "core/base/directory.h"

/* List the pictures of a folder, or its subfolders including links to folders, sorted bytewise. Release *out with
 * pg_names_clear; it is empty on failure. */
PG_CHECKED pg_status pg_folder_pictures(const char *folder, pg_names *out, pg_error *err);
PG_CHECKED pg_status pg_folder_folders(const char *folder, pg_names *out, pg_error *err);

#endif
