/* The package registry that npm's own settings name: its archives can then be fetched without npm. */
#ifndef PG_DATA_REGISTRY_H
#define PG_DATA_REGISTRY_H

#include "core/base/file.h"

typedef struct pg_registry {
    char url[PG_PATH_MAX];          /* without a slash at the end; empty: no setting names a registry */
    char certificates[PG_PATH_MAX]; /* file of the authorities to trust there; empty: those that curl trusts */
    bool unchecked;                 /* certificates are not checked (strict-ssl=false) */
} pg_registry;

/* Reads registry, cafile (else NODE_EXTRA_CA_CERTS) and strict-ssl where npm does, the first to name one wins: npm_config_...
 * in the environment; .npmrc in the current folder, in the home folder, of the machine. Files that cannot be read name nothing.
 * Credentials are not looked at. */
void pg_registry_find(pg_registry *out);

#endif
