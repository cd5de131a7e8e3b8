/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrix products against BLIS and against their definition, for odd sizes and strides. */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/compute/blas.h"
#include "core/compute/parallel.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

SET_UP
{
    pg_compute_start(1);
}

typedef struct product {
    bool ta, add;
    int m, n, k, lda, ldb, ldc;
    pg_real *a, *b, *c;
    size_t size; /* elements of c */
} product;

static pg_real *fill(size_t count, const char *purpose)
{
    pg_real *out;
    pg_rng rng;
    OK(pg_alloc(count, sizeof *out, &out, &err));
    pg_rng_open(&rng, (pg_seed){.task = "products"}, purpose, count);
    for (size_t i = 0; i < count; i++) out[i] = (pg_real)(2 * pg_rng_uniform(&rng) - 1);
    return out;
}

static int draw(pg_rng *rng, int least, int most)
{
    return least + (int)(pg_rng_uniform(rng) * (most - least + 1));
}

/* Half of them have few rows, and half of those few columns too. */
static product draw_product(pg_rng *rng)
{
    product p = {.ta = draw(rng, 0, 1), .add = draw(rng, 0, 1)};
    p.m = draw(rng, 1, draw(rng, 0, 1) ? 15 : 150);
    p.n = draw(rng, 1, draw(rng, 0, 1) ? 20 : 3 * PG_PANEL);
    p.k = draw(rng, 1, draw(rng, 0, 3) ? 200 : 2000);
    p.lda = (p.ta ? p.m : p.k) + draw(rng, 0, 9);
    p.ldb = p.n + draw(rng, 0, 9);
    p.ldc = p.n + draw(rng, 0, 9);
    p.size = (size_t)(p.m * p.ldc);
    p.a = fill((size_t)(p.lda * (p.ta ? p.k : p.m)), "a");
    p.b = fill((size_t)(p.ldb * p.k), "b");
    p.c = fill(p.size, "c");
    return p;
}

static void close_product(product *p)
{
    pg_free(p->a);
    pg_free(p->b);
    pg_free(p->c);
}

static void multiply(const product *p, pg_products products, pg_real *c)
{
    memcpy(c, p->c, p->size * sizeof *c);
    pg_products_choose(products);
    pg_gemm(p->ta, false, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, p->add, c, p->ldc);
    pg_products_choose(PG_PRODUCTS_AUTO);
}

TEST(products_equal_those_of_blis)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "products"}, "sizes", 0);
    for (int i = 0; i < 200; i++) {
        product p = draw_product(&rng);
        pg_real *panels = fill(p.size, "panels"), *blis = fill(p.size, "blis");
        multiply(&p, PG_PRODUCTS_AUTO, panels);
        multiply(&p, PG_PRODUCTS_BLIS, blis);
        for (size_t at = 0; at < p.size; at++) assert_true(fabs((double)panels[at] - (double)blis[at]) <= 1e-5 * sqrt(p.k));
        pg_free(panels);
        pg_free(blis);
        close_product(&p);
    }
}

/* Each element is one chain of fused multiply-adds in the order of k. So its bits depend neither on the width of the vectors
 * nor on the other sizes. */
static pg_real chain(const product *p, int i, int j)
{
    pg_real sum = p->add ? p->c[i * p->ldc + j] : 0;
    for (int q = 0; q < p->k; q++) sum = fmaf(p->ta ? p->a[q * p->lda + i] : p->a[i * p->lda + q], p->b[q * p->ldb + j], sum);
    return sum;
}

TEST(products_add_in_order)
{
    if (strcmp(pg_products_library(), "BLIS") == 0) skip("BLIS multiplies on this processor");
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "products"}, "chains", 0);
    for (int i = 0; i < 300; i++) {
        product p = draw_product(&rng);
        pg_real *c = fill(p.size, "panels");
        multiply(&p, PG_PRODUCTS_AUTO, c);
        for (int row = 0; row < p.m; row++)
            for (int column = 0; column < p.n; column++)
                if (c[row * p.ldc + column] != chain(&p, row, column))
                    fail_msg("%d x %d x %d, ta %d, add %d: element (%d, %d) is %.9g, expected %.9g", p.m, p.n, p.k, p.ta, p.add,
                             row, column, (double)c[row * p.ldc + column], (double)chain(&p, row, column));
        pg_free(c);
        close_product(&p);
    }
}

/* The tests above once more, in a process whose LIBXSMM makes kernels for another processor. */
static void test_as(const char *target)
{
    const pid_t child = fork();
    int status;
    if (child == 0) {
        const int out = open("out", O_CREAT | O_WRONLY | O_APPEND, 0600);
        dup2(out, STDOUT_FILENO);
        setenv("LIBXSMM_TARGET", target, 1);
        execl("/proc/self/exe", "test_products", "products_*", NULL);
        _exit(127);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

TEST(narrower_vectors_give_the_same_products)
{
    if (strcmp(pg_products_library(), "BLIS") == 0) skip("BLIS multiplies on this processor");
    test_as("hsw");
}

TEST(blis_multiplies_where_libxsmm_would_round_twice)
{
    test_as("snb");
    test_as("wsm");
}

TEST(elements_between_the_rows_stay_as_they_are)
{
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.task = "products"}, "gaps", 0);
    for (int i = 0; i < 50; i++) {
        product p = draw_product(&rng);
        pg_real *c = fill(p.size, "panels");
        multiply(&p, PG_PRODUCTS_AUTO, c);
        for (size_t at = 0; at < p.size; at++)
            if ((int)at % p.ldc >= p.n) assert_true(c[at] == p.c[at]);
        pg_free(c);
        close_product(&p);
    }
}
