/* The one door to BLIS. Every product runs single-threaded on the calling thread; see parallel.h. */
#ifndef PG_COMPUTE_BLAS_H
#define PG_COMPUTE_BLAS_H

#include "core/base/real.h"

#include <stdbool.h>

/* Start BLIS, once per process. Where BLIS does not know this processor and would fall back to its generic kernels, the best
 * kernel set that the processor can run is chosen instead (BLIS_ARCH_TYPE, if set, is respected). pg_compute_start calls it. */
void pg_blas_start(void);

/* "BLIS 0.9.0", and the kernel set in use: "skx", "zen3", "haswell", "generic", ... */
const char *pg_blas_version(void);
const char *pg_blas_kernels(void);

/* c [m,n] = a [m,k] b [k,n] (+ c when add). Row-major; lda, ldb, ldc are elements from row to row of the matrix as it is
 * stored; ta / tb: a is stored [k,m] / b is stored [n,k]. */
void pg_gemm(bool ta, bool tb, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
             pg_real *c, long ldc);

#endif
