/* The package registry in npm's settings, from which archives can be fetched without npm. */
#ifndef PG_DATA_REGISTRY_H
#define PG_DATA_REGISTRY_H

#include "core/base/file.h"

typedef struct pg_registry {
    char url[PG_PATH_MAX];          /* without a trailing slash; empty: no setting names a registry */
    char certificates[PG_PATH_MAX]; /* file of trusted authorities; empty: curl's own */
    bool unchecked;                 /* certificates are not checked (strict-ssl=false) */
} pg_registry;

/* Read registry, cafile (else NODE_EXTRA_CA_CERTS) and strict-ssl in npm's order, in which the first setting wins:
 * npm_config_... in the environment; .npmrc in the current folder, in the home folder, of the machine. Ignores unreadable
 * files. Reads no credentials. */
void pg_registry_find(pg_registry *out);

#endif
