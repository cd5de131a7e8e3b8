/* The one door to BLIS, and the threads of a rank.
 *
 * Every product runs single-threaded on the calling thread; parallelism is ours (see pg_parallel), because BLIS does not
 * promise equal bits across thread counts. pg_compute_start must come before any other call of core/compute. */
#ifndef PG_COMPUTE_BLAS_H
#define PG_COMPUTE_BLAS_H

#include "core/base/real.h"

#include <stdbool.h>

/* Start BLIS and fix the number of threads (>= 1) of later parallel regions. Where BLIS does not know this processor and would
 * fall back to its generic kernels, the best kernel set that the processor can run is chosen instead (BLIS_ARCH_TYPE, if set,
 * is respected). May be called again to change the number of threads. */
void pg_compute_start(int threads);
int pg_compute_threads(void);

/* "BLIS 0.9.0", and the kernel set in use: "skx", "zen3", "haswell", "generic", ... */
const char *pg_blas_version(void);
const char *pg_blas_kernels(void);

/* c [m,n] = a [m,k] b [k,n] (+ c when add). Row-major; lda, ldb, ldc are elements from row to row of the matrix as it is
 * stored; ta / tb: a is stored [k,m] / b is stored [n,k]. */
void pg_gemm(bool ta, bool tb, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
             pg_real *c, long ldc);

/* Call body(context, part, thread) for part = 0 .. parts-1 on the rank's threads; thread is 0 .. threads-1 and serves only to
 * find private scratch. Parts must write disjoint results. Nested calls run on the calling thread. */
void pg_parallel(int parts, void (*body)(void *context, int part, int thread), void *context);

#endif
