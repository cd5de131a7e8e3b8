/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/run/provenance.h"

#ifndef PG_VERSION
#define PG_VERSION "unknown version"
#endif

/* In a file of its own: only this object is compiled anew with every revision, and the program holds the text in one place. */
const char *pg_version(void)
{
    return "passgrid " PG_VERSION;
}
