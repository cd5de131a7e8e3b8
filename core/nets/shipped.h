/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network files that come with the program. The build makes the list from configs/networks, one entry for each file. */
#ifndef PG_NETS_SHIPPED_H
#define PG_NETS_SHIPPED_H

#include "core/nets/arch.h"

typedef struct pg_shipped {
    const char *name, *text;
} pg_shipped;
extern const pg_shipped pg_shipped_networks[]; /* ended by a NULL name */

#endif
