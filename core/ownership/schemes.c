/* The list of schemes. */
#include "core/ownership/scheme.h"

#include <string.h>

const pg_scheme *const pg_schemes[] = {&pg_scheme_plain, &pg_scheme_v1,     &pg_scheme_v2,  &pg_scheme_v3,
                                       &pg_scheme_pan,   &pg_scheme_uchida, &pg_scheme_adi, NULL};

const pg_scheme *pg_scheme_find(const char *name)
{
    for (int i = 0; pg_schemes[i]; i++)
        if (strcmp(pg_schemes[i]->name, name) == 0) return pg_schemes[i];
    return NULL;
}
