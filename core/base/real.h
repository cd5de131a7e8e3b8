/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The floating-point type of the numerical core.
 *
 * Networks compute in pg_real: float in the program, double in the build with -DPG_DOUBLE, which tests compare with reference
 * vectors and finite differences. */
#ifndef PG_BASE_REAL_H
#define PG_BASE_REAL_H

#ifdef PG_DOUBLE
typedef double pg_real;
#define PG_REAL_NAME "double"
#else
typedef float pg_real;
#define PG_REAL_NAME "float"
#endif

#endif
