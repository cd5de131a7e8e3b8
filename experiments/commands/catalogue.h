/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that a grid can name: schemes, attacks, networks, data sets, presets. */
#ifndef PG_COMMANDS_CATALOGUE_H
#define PG_COMMANDS_CATALOGUE_H

#include "core/formats/options.h"

/* One thing with a name. */
typedef struct pg_named {
    const char *name, *summary;
    const char *group;                      /* of things that stand together; NULL: the list has no groups */
    const char *source;                     /* the paper; NULL: none */
    const char *threat, *differs, *unbound; /* threat model; differences from the source; why it cannot be bound; NULL: none */
    const pg_option *options;               /* its own keys; NULL: it cannot have any */
} pg_named;

/* A list of them. */
typedef struct pg_catalogue {
    const char *name, *one, *word; /* "networks"; "network"; the first word of `passgrid help WORD NAME` */
    pg_named (*at)(int i);         /* name NULL after the last */
} pg_catalogue;
extern const pg_catalogue pg_catalogues[]; /* ended by one without name */

/* The thing of that name in a list; name NULL: none. */
pg_named pg_catalogue_find(const pg_catalogue *list, const char *name);

#endif
