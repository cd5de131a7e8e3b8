/* What stands in a folder of pictures.
 *
 * Computers leave things there that nobody put in: names that begin with a dot (.DS_Store, ._1.png), Thumbs.db, desktop.ini,
 * __MACOSX. The rule: hidden names count for nothing; pictures are the files that end in .jpg, .jpeg, .jpe, .jfif or .png, in
 * any case; a picture of another format is an error that names it; everything else counts for nothing. */
#ifndef PG_DATA_FOLDER_H
#define PG_DATA_FOLDER_H

#include "core/base/status.h"

/* Names in a folder, sorted byte by byte. */
typedef struct pg_names {
    int count;
    char **name;
} pg_names;

/* The pictures of a folder, or its folders, links to folders included. *out is empty on failure; ended by pg_names_clear. */
PG_CHECKED pg_status pg_folder_pictures(const char *folder, pg_names *out, pg_error *err);
PG_CHECKED pg_status pg_folder_folders(const char *folder, pg_names *out, pg_error *err);
void pg_names_clear(pg_names *names);

#endif
