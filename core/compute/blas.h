/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrix products by BLIS. Every product runs on the calling thread alone; see parallel.h. */
#ifndef PG_COMPUTE_BLAS_H
#define PG_COMPUTE_BLAS_H

#include "core/base/real.h"

#include <stdbool.h>

/* Start BLIS; later calls do nothing. If BLIS does not know this processor and would use its generic kernels, select the best
 * kernel set that the processor can run, unless BLIS_ARCH_TYPE is set. pg_compute_start calls it. */
void pg_blas_start(void);

/* "BLIS 0.9.0"; the kernel set in use: "skx", "zen3", "haswell", "generic", ... */
const char *pg_blas_version(void);
const char *pg_blas_kernels(void);

/* c [m,n] = a [m,k] b [k,n], or c += a b if add is set. Row-major; lda, ldb and ldc are elements from row to row of the stored
 * matrix. ta: a is stored as [k,m]; tb: b is stored as [n,k]. */
void pg_gemm(bool ta, bool tb, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
             pg_real *c, long ldc);

#endif
