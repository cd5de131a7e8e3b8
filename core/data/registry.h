/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The package registry in npm's settings; curl can fetch archives from it. */
#ifndef PG_DATA_REGISTRY_H
#define PG_DATA_REGISTRY_H

#include "core/base/file.h"

typedef struct pg_registry {
    char url[PG_PATH_MAX];          /* without a trailing slash; empty: no setting names a registry */
    char certificates[PG_PATH_MAX]; /* file of trusted certificate authorities; empty: curl's default */
    bool unchecked;                 /* certificates are not checked (strict-ssl=false) */
} pg_registry;

/* Read registry, cafile (else NODE_EXTRA_CA_CERTS) and strict-ssl. The first place that has a setting wins, in npm's order:
 * npm_config_... in the environment; .npmrc in the current folder, in the home folder, of the machine. Ignores unreadable
 * files. Reads no credentials. */
void pg_registry_find(pg_registry *out);

#endif
