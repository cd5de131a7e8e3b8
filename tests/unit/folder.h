/* A folder of the test program's own: made before its tests, and removed after them with everything in it. */
#ifndef PG_TESTS_FOLDER_H
#define PG_TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char folder[] = "/tmp/passgrid-test-XXXXXX";

/* NAME in the folder; valid until the next call. */
static inline const char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline int folder_set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "/bin/rm -rf %s", folder);
    return system(command);
}

#endif
