/* The contents of a folder of pictures.
 *
 * Operating systems add files of their own: hidden ones (.DS_Store, ._1.png), Thumbs.db, desktop.ini, __MACOSX. So hidden names
 * are ignored; files that end in .jpg, .jpeg, .jpe, .jfif or .png, in any case, are pictures; a picture of another format is an
 * error that names it; everything else is ignored. */
#ifndef PG_DATA_FOLDER_H
#define PG_DATA_FOLDER_H

#include "core/base/directory.h"

/* List the pictures of a folder, or its subfolders, including links to folders. Release *out with pg_names_clear; it is empty
 * on failure. */
PG_CHECKED pg_status pg_folder_pictures(const char *folder, pg_names *out, pg_error *err);
PG_CHECKED pg_status pg_folder_folders(const char *folder, pg_names *out, pg_error *err);

#endif
