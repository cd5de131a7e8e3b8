/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The speed of products and of multiply-adds alone; see bench_peak.h. */
#include "experiments/commands/bench_peak.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/real.h"
#include "core/compute/blas.h"
#include "core/compute/parallel.h"

enum { SIDE = 1536, STRIPS = 16 };

typedef struct product {
    pg_real *a, *b, *c;
} product;

static void multiply_strip(void *context, int part)
{
    const product *p = context;
    const ptrdiff_t at = (ptrdiff_t)part * (SIDE / STRIPS) * SIDE;
    pg_gemm(false, false, SIDE / STRIPS, SIDE, SIDE, p->a + at, SIDE, p->b, SIDE, false, p->c + at, SIDE);
}

pg_status pg_product_speed(int steps, double *gflops, pg_error *err)
{
    pg_status status = PG_OK;
    product p = {0};
    PG_TRY(pg_alloc(SIDE * SIDE, sizeof *p.a, &p.a, err));
    PG_TRY(pg_alloc(SIDE * SIDE, sizeof *p.b, &p.b, err));
    PG_TRY(pg_alloc(SIDE * SIDE, sizeof *p.c, &p.c, err));
    for (int i = 0; i < SIDE * SIDE; i++) p.a[i] = p.b[i] = (pg_real)0.5;
    *gflops = 0;
    for (int i = 0; i < steps; i++) {
        const double start = pg_now();
        pg_parallel(STRIPS, multiply_strip, &p);
        const double speed = 2e-9 * SIDE * SIDE * SIDE / (pg_now() - start);
        if (speed > *gflops) *gflops = speed;
    }
done:
    pg_free(p.a);
    pg_free(p.b);
    pg_free(p.c);
    return status;
}

/* ---- multiply-adds ---- */

/* Twelve chains hide the latency of a multiply-add, and with two constants they fit into 16 registers. */
enum { CHAINS = 12, ROUNDS = 1 << 22 };

#define FMA_LOOP(name, bytes, for_processor)                                                                                   \
    __attribute__((noinline)) for_processor static pg_real name(void)                                                          \
    {                                                                                                                          \
        typedef pg_real vec __attribute__((vector_size(bytes)));                                                               \
        const vec half = (vec){0} + (pg_real)0.5, one = (vec){0} + 1;                                                          \
        vec chains[CHAINS];                                                                                                    \
        for (int i = 0; i < CHAINS; i++) chains[i] = one * (pg_real)(i + 3);                                                   \
        for (int r = 0; r < ROUNDS; r++)                                                                                       \
            for (int i = 0; i < CHAINS; i++) chains[i] = chains[i] * half + one;                                               \
        for (int i = 1; i < CHAINS; i++) chains[0] += chains[i];                                                               \
        return chains[0][0];                                                                                                   \
    }

typedef struct fma_loop {
    pg_real (*run)(void);
    int bytes; /* of a vector */
} fma_loop;

#if defined(__x86_64__)
FMA_LOOP(fma_512, 64, __attribute__((target("avx512f,fma"))))
FMA_LOOP(fma_256, 32, __attribute__((target("avx2,fma"))))
FMA_LOOP(fma_128, 16, )

static fma_loop widest_loop(void)
{
    if (__builtin_cpu_supports("avx512f")) return (fma_loop){fma_512, 64};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return (fma_loop){fma_256, 32};
    return (fma_loop){fma_128, 16};
}
#else
FMA_LOOP(fma_128, 16, )

static fma_loop widest_loop(void)
{
    return (fma_loop){fma_128, 16};
}
#endif

static volatile pg_real sink; /* keeps the loops alive */

static void run_loop(void *loop, int part)
{
    (void)part;
    sink = ((const fma_loop *)loop)->run();
}

double pg_fma_speed(int steps, int *bits)
{
    fma_loop loop = widest_loop();
    const int threads = pg_compute_threads();
    const double flops = 2.0 * ROUNDS * CHAINS * loop.bytes / sizeof(pg_real) * threads;
    double gflops = 0;
    for (int i = 0; i < steps; i++) {
        const double start = pg_now();
        pg_parallel(threads, run_loop, &loop);
        const double speed = 1e-9 * flops / (pg_now() - start);
        if (speed > gflops) gflops = speed;
    }
    *bits = 8 * loop.bytes;
    return gflops;
}
