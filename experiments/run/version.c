/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/run/provenance.h"

#ifndef PG_VERSION
#define PG_VERSION "unknown version"
#endif

/* The version has a file of its own: a new revision recompiles only this object, and the program holds the text once. */
const char *pg_version(void)
{
    return "passgrid " PG_VERSION;
}
