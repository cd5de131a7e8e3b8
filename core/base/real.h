/* The one floating type of the numerical core.
 *
 * Everything a network computes is pg_real: float in the product, double in the build that the tests
 * use to compare with reference vectors and finite differences (compile with -DPG_DOUBLE). */
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
