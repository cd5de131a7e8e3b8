/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one file that includes BLIS and LIBXSMM; see blas.h. */
#include "core/compute/blas.h"

#include "core/base/minmax.h"

#include <blis.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <libxsmm.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- kernels ---- */

/* Kernels by the name that users type. BLIS takes their number, reads it once, when it starts, and does not export its own
 * check of what the processor can run. */
typedef struct kernel_set {
    const char *name;
    int number;         /* as numbered by BLIS; -1: kernels of LIBXSMM */
    bool (*runs)(void); /* can this processor run them? */
} kernel_set;

#if defined(__x86_64__)
static bool runs_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

static bool runs_vnni(void)
{
    return runs_avx512() && __builtin_cpu_supports("avx512vnni");
}

static bool runs_bfloat16(void)
{
    return runs_vnni() && __builtin_cpu_supports("avx512bf16");
}

static bool runs_fma(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool runs_avx(void)
{
    return __builtin_cpu_supports("avx");
}

static bool runs_ssse3(void)
{
    return __builtin_cpu_supports("ssse3");
}

static bool runs_always(void)
{
    return true;
}

/* The best ones first. */
static const kernel_set of_blis[] = {{"skx", BLIS_ARCH_SKX, runs_avx512},
                                     {"zen3", BLIS_ARCH_ZEN3, runs_fma},
                                     {"zen2", BLIS_ARCH_ZEN2, runs_fma},
                                     {"zen", BLIS_ARCH_ZEN, runs_fma},
                                     {"haswell", BLIS_ARCH_HASWELL, runs_fma},
                                     {"sandybridge", BLIS_ARCH_SANDYBRIDGE, runs_avx},
                                     {"penryn", BLIS_ARCH_PENRYN, runs_ssse3},
                                     {"generic", BLIS_ARCH_GENERIC, runs_always},
                                     {0}};
/* 0: no kernels, so BLIS computes all products */
static const kernel_set of_libxsmm[] = {{"cpx", -1, runs_bfloat16}, {"clx", -1, runs_vnni}, {"skx", -1, runs_avx512},
                                        {"hsw", -1, runs_fma},      {"0", -1, runs_always}, {0}};

/* The family number of an AMD processor, 0 for any other. */
static unsigned amd_family(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(0, &a, &b, &c, &d) || b != 0x68747541 /* "Auth" of AuthenticAMD */) return 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    return ((a >> 8) & 15) + ((a >> 20) & 255);
}

/* BLIS recognises Intel's processors by their features but AMD's by family, and runs its slow generic kernels on families newer
 * than itself (after 0x19, Zen 4). On those, name it the best kernels that the processor can run. */
static void choose_kernels(void)
{
    const kernel_set *set = of_blis;
    char text[16];
    if (getenv("BLIS_ARCH_TYPE") || amd_family() <= 0x19) return;
    while (!set->runs()) set++;
    snprintf(text, sizeof text, "%d", set->number);
    setenv("BLIS_ARCH_TYPE", text, 0);
}
#else
static const kernel_set of_blis[] = {{0}}, of_libxsmm[] = {{0}};

static void choose_kernels(void)
{
}
#endif

/* "skx, zen3, haswell": those that this processor can run. */
static const char *runnable(const kernel_set *sets, char *out, size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (const kernel_set *set = sets; set->name; set++)
        if (set->runs() && used < room) used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", set->name);
    return out;
}

/* Find the kernels whose name or number VARIABLE holds. *out is NULL if the variable is not set, or if this program knows no
 * kernels for this kind of processor. */
static pg_status find_kernels(const char *variable, const kernel_set *sets, const kernel_set **out, pg_error *err)
{
    const char *text = getenv(variable);
    char names[128], number[16];
    *out = NULL;
    if (!text || !sets->name) return PG_OK;
    for (const kernel_set *set = sets; set->name; set++) {
        snprintf(number, sizeof number, "%d", set->number);
        if (strcmp(text, set->name) != 0 && (set->number < 0 || strcmp(text, number) != 0)) continue;
        if (!set->runs()) break;
        *out = set;
        return PG_OK;
    }
    return pg_fail(err, PG_BAD_INPUT, "%s=%s: this processor runs the kernels %s; set one of them, or unset the variable",
                   variable, text, runnable(sets, names, sizeof names));
}

pg_status pg_blas_kernels_check(pg_error *err)
{
    pg_status status = PG_OK;
    const kernel_set *set;
    char text[16];
    PG_TRY(find_kernels("LIBXSMM_TARGET", of_libxsmm, &set, err));
    PG_TRY(find_kernels("BLIS_ARCH_TYPE", of_blis, &set, err));
    if (set) {
        snprintf(text, sizeof text, "%d", set->number);
        setenv("BLIS_ARCH_TYPE", text, 1);
    }
done:
    return status;
}

/* ---- products ---- */

const char *const pg_products_names[] = {[PG_PRODUCTS_AUTO] = "auto", [PG_PRODUCTS_BLIS] = "blis", NULL};
static pg_products products;
static bool panels_run; /* LIBXSMM serves this processor */

static bool panels_serve(void)
{
    return panels_run && products == PG_PRODUCTS_AUTO;
}

void pg_products_choose(pg_products choice)
{
    products = choice;
}

const char *pg_blas_version(void)
{
    static char text[64];
    snprintf(text, sizeof text, "BLIS %s", bli_info_get_version_str());
    return text;
}

const char *pg_blas_kernels(void)
{
    return bli_arch_string(bli_arch_query_id());
}

static void multiply_by_blis(bool ta, bool tb, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb,
                             bool add, pg_real *c, long ldc)
{
    rntm_t rntm;
    bli_rntm_init(&rntm);
    bli_rntm_set_num_threads(1, &rntm);
    pg_real one = 1, beta = add ? 1 : 0;
    const trans_t ma = ta ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, mb = tb ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE;
#ifdef PG_DOUBLE
    bli_dgemm_ex(ma, mb, m, n, k, &one, (pg_real *)a, lda, 1, (pg_real *)b, ldb, 1, &beta, c, ldc, 1, NULL, &rntm);
#else
    bli_sgemm_ex(ma, mb, m, n, k, &one, (pg_real *)a, lda, 1, (pg_real *)b, ldb, 1, &beta, c, ldc, 1, NULL, &rntm);
#endif
}

#if defined(__x86_64__)
#ifdef PG_DOUBLE
#define panel_kernel      libxsmm_dmmfunction
#define find_panel_kernel libxsmm_dmmdispatch
#else
#define panel_kernel      libxsmm_smmfunction
#define find_panel_kernel libxsmm_smmdispatch
#endif

/* LIBXSMM's matrices are column-major. A matrix that we store by rows is its transpose there, so a and b change places. Every
 * element is one chain of multiply-adds in the order of k, except that LIBXSMM adds up several chains if fewer than 12 rows
 * have a vector each: these rows are multiplied one by one. Returns false if LIBXSMM has no kernel. */
static bool multiply_panel(bool ta, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
                           pg_real *c, long ldc)
{
    const int row_a = (int)lda, row_b = (int)ldb, row_c = (int)ldc, flags = ta ? LIBXSMM_GEMM_FLAG_TRANS_B : 0;
    const int rows = m < 12 && n <= 16 ? 1 : m;
    const pg_real one = 1, beta = add ? 1 : 0;
    const panel_kernel kernel = find_panel_kernel(n, rows, k, &row_b, &row_a, &row_c, &one, &beta, &flags, NULL);
    for (int i = 0; kernel && i < m; i += rows) kernel(b, a + (ta ? i : i * lda), c + i * ldc);
    return kernel != NULL;
}

/* Without fused multiply-adds LIBXSMM would round twice: BLIS serves these processors. */
static bool start_panels(void)
{
    libxsmm_init();
    return libxsmm_get_target_archid() >= LIBXSMM_X86_AVX2;
}

const char *pg_products_library(void)
{
    static char text[64];
    if (!panels_serve()) return "BLIS";
    snprintf(text, sizeof text, "LIBXSMM %d.%d, %s", LIBXSMM_VERSION_MAJOR, LIBXSMM_VERSION_MINOR, libxsmm_get_target_arch());
    return text;
}
#else
static bool multiply_panel(bool ta, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
                           pg_real *c, long ldc)
{
    (void)ta, (void)m, (void)n, (void)k, (void)a, (void)lda, (void)b, (void)ldb, (void)add, (void)c, (void)ldc;
    return false;
}

static bool start_panels(void)
{
    return false;
}

const char *pg_products_library(void)
{
    return "BLIS";
}
#endif

void pg_blas_start(void)
{
    static bool started;
    if (started) return;
    choose_kernels();
    bli_init();
    panels_run = start_panels();
    started = true;
}

void pg_gemm(bool ta, bool tb, int m, int n, int k, const pg_real *a, long lda, const pg_real *b, long ldb, bool add,
             pg_real *c, long ldc)
{
    for (int from = 0; from < n;) {
        const bool panel = !tb && panels_serve();
        const int width = pg_min(n - from, panel ? PG_PANEL : n);
        const pg_real *of_b = tb ? b + from * ldb : b + from;
        if (!panel || !multiply_panel(ta, m, width, k, a, lda, of_b, ldb, add, c + from, ldc))
            multiply_by_blis(ta, tb, m, width, k, a, lda, of_b, ldb, add, c + from, ldc);
        from += width;
    }
}
