/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrix products. Every product runs on the calling thread alone; see parallel.h.
 *
 * LIBXSMM multiplies panels of PG_PANEL columns. It makes a kernel for each shape at its first use, packs nothing, and is 1.1
 * to five times as fast as BLIS; its advantage grows as products get smaller. It runs on x86-64 processors with fused
 * multiply-adds (AVX2 and later) and reads b in place. BLIS computes products on other processors, and products with tb. */
#ifndef PG_COMPUTE_BLAS_H
#define PG_COMPUTE_BLAS_H

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>

enum { PG_PANEL = 64 };

/* AUTO: LIBXSMM if it supports the processor. BLIS: BLIS for all products. */
typedef enum pg_products { PG_PRODUCTS_AUTO, PG_PRODUCTS_BLIS } pg_products;
extern const char *const pg_products_names[]; /* in their order, ended by NULL */

/* Refuse a BLIS_ARCH_TYPE or LIBXSMM_TARGET in the environment that names no kernels, or kernels that this processor cannot
 * run: the libraries would ignore it, or end the process. Both variables may hold a name; BLIS_ARCH_TYPE may also hold BLIS's
 * number. This function replaces a name by the number, because BLIS 0.9 reads any name as 0. Call it before
 * pg_compute_start. */
PG_CHECKED pg_status pg_blas_kernels_check(pg_error *err);

/* Start the libraries; later calls do nothing. If BLIS does not know this processor and would use its generic kernels, select
 * the best kernel set that the processor can run, unless BLIS_ARCH_TYPE is set. pg_compute_start calls it. */
void pg_blas_start(void);

/* Choose the library of later products in this process; the default is AUTO. */
void pg_products_choose(pg_products products);

/* "BLIS 0.9.0"; the kernel set in use: "skx", "zen3", "haswell", "generic", ... */
const char *pg_blas_version(void);
const char *pg_blas_kernels(void);

/* The library and the kernels of products without tb, after pg_blas_start: "LIBXSMM 1.17, clx", or "BLIS". */
const char *pg_products_library(void);

/* c [m,n] = a [m,k] b [k,n], or c += a b if add is set. Row-major; lda, ldb and ldc are elements from row to row of the stored
 * matrix. ta: a is stored as [k,m]; tb: b is stored as [n,k]. */
void pg_gemm(bool ta, bool tb, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
             pg_real *c, long ldc);

#endif
