/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agreement with the reference networks: runs each case given and compares every row of its file. See tests/golden/README.md.
 *
 * usage: golden [--conv auto|direct|im2col|winograd] CASE.csv...   Prints the worst deviation per kind, in units of its
 * tolerance; exit 1 beyond it. */
#include "core/base/memory.h"
#include "core/compute/kernels.h"
#include "core/compute/parallel.h"
#include "core/formats/csv.h"
#include "core/nets/net.h"
#include "core/ownership/passport_scheme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call)                                                                                                             \
    do {                                                                                                                       \
        if ((call) != PG_OK) {                                                                                                 \
            fprintf(stderr, "golden: %s\n", problem.message);                                                                  \
            exit(2);                                                                                                           \
        }                                                                                                                      \
    } while (0)

enum { STEPS = 3, KINDS = 16 };
static const double rate = 0.01, momentum = 0.9, decay = 1e-4, alpha = 0.1;

static pg_error problem;
static bool double_build(void)
{
    return sizeof(pg_real) == sizeof(double);
}

/* ---- inputs from names ---- */

static double uniform(const char *name, size_t i)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001B3);
    uint64_t z = h + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (double)(z >> 40) * 0x1p-24;
}

static pg_real fill_value(const char *name, size_t i, double low, double high)
{
    return (pg_real)(float)(low + (high - low) * uniform(name, i));
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static void range_of(const pg_tensor *t, double *low, double *high)
{
    *high = 0.2;
    if (t->order == PG_ORDER_CONV) *high = sqrt(6.0 / (t->shape[0] * t->shape[2] * t->shape[3]));
    if (t->order == PG_ORDER_DENSE) *high = 1 / sqrt(t->shape[1]);
    *low = -*high;
    if (ends_with(t->name, ".bn.weight") || ends_with(t->name, ".scale")) {
        *low = 0.5;
        *high = 1.5;
    }
}

static void fill_model(pg_model *model)
{
    for (int i = 0; i < model->tensor_count; i++) {
        const pg_tensor *t = &model->tensors[i];
        pg_real *values;
        double low, high;
        if (t->buffer) continue;
        range_of(t, &low, &high);
        MUST(pg_alloc(t->count, sizeof *values, &values, &problem));
        for (size_t e = 0; e < t->count; e++) values[e] = fill_value(t->name, e, low, high);
        pg_tensor_import(model, t, values);
        pg_free(values);
    }
}

/* NCHW element order to NHWC memory. */
static void fill_image(const char *name, pg_real *out, int n, int channels, int pixels, double bound)
{
    size_t i = 0;
    for (int b = 0; b < n; b++)
        for (int c = 0; c < channels; c++)
            for (int p = 0; p < pixels; p++, i++) out[(b * pixels + p) * channels + c] = fill_value(name, i, -bound, bound);
}

static void fill_evidence(pg_evidence *evidence)
{
    char name[96];
    for (int i = 0; i < evidence->passport_count; i++) {
        pg_passport *p = &evidence->passports[i];
        snprintf(name, sizeof name, "%s.key", p->layer);
        fill_image(name, p->key, 1, p->inputs, p->height * p->width, 1);
        snprintf(name, sizeof name, "%s.skey", p->layer);
        fill_image(name, p->skey, 1, p->inputs, p->height * p->width, 1);
        snprintf(name, sizeof name, "%s.b", p->layer);
        for (int o = 0; o < p->outputs; o++) p->b[o] = uniform(name, (size_t)o) < 0.5 ? -1 : 1;
    }
}

/* ---- comparison ---- */

typedef struct verdict {
    char kind[KINDS][24];
    double worst[KINDS]; /* deviation / tolerance */
    char where[KINDS][96];
    int kinds;
    size_t rows, compared;
} verdict;

typedef struct golden {
    const pg_csv_table *table;
    bool *seen;
    bool fast;
    size_t lent, decisions; /* by the exact run that accompanies a fast one */
    size_t column[5];       /* step, kind, name, index, value */
    verdict v;
} golden;

static void note(verdict *v, const char *kind, double ratio, const char *where)
{
    int k = 0;
    while (k < v->kinds && strcmp(v->kind[k], kind) != 0) k++;
    if (k == v->kinds) {
        if (k == KINDS) exit(2);
        snprintf(v->kind[v->kinds++], sizeof *v->kind, "%s", kind);
    }
    if (!(ratio <= v->worst[k])) {
        v->worst[k] = ratio;
        snprintf(v->where[k], sizeof *v->where, "%s", where);
    }
    v->compared++;
}

/* Half a unit of the tenth significant digit. */
static double last_digit(double value)
{
    return value == 0 ? 0 : 0.5 * pow(10, floor(log10(fabs(value))) - 9);
}

static double relative_tolerance(const golden *g, int step, const char *kind, bool sum, size_t n)
{
    if (double_build()) return 1e-7 * (sum ? sqrt((double)n) : 1);
    if (step > 0) return sum ? 1e-2 : 1e-3;
    if (g->fast) return 1e-4 * (sum ? sqrt((double)n) : 1);
    const bool loss = ends_with(kind, "_loss");
    return (loss ? 1e-6 : 2e-6) * (sum ? sqrt((double)n) : 1);
}

/* Compare all rows of (step, kind, name) with values[n], in the order of the state dict. g NULL: compare nothing. */
static void compare(golden *g, int step, const char *kind, const char *name, const pg_real *values, size_t n)
{
    double sum = 0, squares = 0;
    if (!g) return;
    for (size_t i = 0; i < n; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    const double norm = sqrt(squares);
    for (size_t r = 0; r < pg_csv_rows(g->table); r++) {
        const char *index = pg_csv_cell(g->table, r, g->column[3]);
        if (atoi(pg_csv_cell(g->table, r, g->column[0])) != step || strcmp(pg_csv_cell(g->table, r, g->column[1]), kind) != 0 ||
            strcmp(pg_csv_cell(g->table, r, g->column[2]), name) != 0)
            continue;
        double expected = 0, got;
        MUST(pg_csv_number(g->table, r, g->column[4], &expected, &problem));
        const bool is_sum = strcmp(index, "sum") == 0, is_norm = strcmp(index, "norm") == 0;
        const size_t at = is_sum || is_norm ? 0 : (size_t)strtoul(index, NULL, 10);
        if (at >= n) exit(2);
        got = is_sum ? sum : is_norm ? norm : (double)values[at];
        const double tolerance = relative_tolerance(g, step, kind, is_sum, n) * norm + last_digit(expected);
        char where[96];
        snprintf(where, sizeof where, "%s[%s]: %.10g, expected %.10g", name, index, got, expected);
        note(&g->v, kind, fabs(got - expected) / tolerance, where);
        g->seen[r] = true;
    }
}

static void compare_tensors(golden *g, int step, const char *kind, bool buffers, const pg_model *model, const pg_real *block)
{
    for (int i = 0; i < model->tensor_count; i++) {
        const pg_tensor *t = &model->tensors[i];
        pg_real *values;
        if (t->buffer != buffers) continue;
        MUST(pg_alloc(t->count, sizeof *values, &values, &problem));
        pg_tensor_export_from(t, block, values);
        compare(g, step, kind, t->name, values, t->count);
        pg_free(values);
    }
}

/* ---- one case ---- */

typedef struct setup {
    pg_net_spec spec;
    bool v2, passports;
    int n;
    pg_model *model;
    pg_net *net;
    pg_evidence *evidence;
    pg_real *images, *momentum;
    int32_t labels[8];
} setup;

static void parse_name(const char *path, pg_net_spec *spec, bool *v2, bool *passports)
{
    char text[128], arch[32], scheme[16], norm[16];
    const char *base = strrchr(path, '/');
    int classes = 10;
    snprintf(text, sizeof text, "%s", base ? base + 1 : path);
    const int fields = sscanf(text, "%31[^_]_%15[^_]_%15[^_.]_c%d", arch, scheme, norm, &classes);
    pg_norm_kind kind;
    const pg_arch *found = fields >= 3 ? pg_arch_find(arch) : NULL;
    static const char *const schemes[] = {"normal", "v1", "v2", "v3"};
    bool known = false;
    for (int i = 0; found && i < 4; i++) known |= strcmp(scheme, schemes[i]) == 0;
    if (!known) {
        fprintf(stderr, "golden: %s: expected a name ARCH_SCHEME_NORM[_cCLASSES].csv, SCHEME normal, v1, v2 or v3\n", path);
        exit(2);
    }
    MUST(pg_norm_kind_parse(norm, &kind, &problem));
    *spec = pg_net_spec_plain(found, kind, classes);
    *v2 = strcmp(scheme, "v2") == 0 || strcmp(scheme, "v3") == 0;
    *passports = strcmp(scheme, "normal") != 0;
    spec->passports = *passports ? pg_arch_default_passports(found) : 0;
    spec->public_affine = !*passports || *v2;
    spec->private_affine = *passports;
}

static void open_case(setup *s, const char *path, pg_conv_choice conv)
{
    parse_name(path, &s->spec, &s->v2, &s->passports);
    s->n = s->spec.arch->residual ? 4 : 8;
    MUST(pg_model_create(&s->spec, &s->model, &problem));
    MUST(pg_net_create(&s->spec, s->n, true, conv, &s->net, &problem));
    MUST(pg_alloc((size_t)s->n * 32 * 32 * 3, sizeof(pg_real), &s->images, &problem));
    MUST(pg_alloc(s->model->param_count, sizeof(pg_real), &s->momentum, &problem));
    fill_model(s->model);
    fill_image("batch", s->images, s->n, 3, 32 * 32, 2);
    for (int i = 0; i < s->n; i++) s->labels[i] = (int32_t)(uniform("labels", (size_t)i) * s->spec.classes);
    if (!s->passports) return;
    MUST(pg_evidence_create(&s->spec, s->v2 ? "v2" : "v1", "random", &s->evidence, &problem));
    fill_evidence(s->evidence);
    MUST(pg_passports_install(s->net, s->model, s->evidence, &problem));
}

static void close_case(setup *s)
{
    pg_net_destroy(&s->net);
    pg_model_destroy(&s->model);
    pg_evidence_destroy(&s->evidence);
    pg_free(s->images);
    pg_free(s->momentum);
}

static const char *branch_name(const setup *s, pg_branch branch)
{
    return !s->v2 ? "" : branch == PG_PUBLIC ? "public" : "private";
}

static void compare_gamma(golden *g, const setup *s, int step)
{
    for (int i = 0; s->passports && i < s->evidence->passport_count; i++) {
        const pg_passport *p = &s->evidence->passports[i];
        compare(g, step, "gamma", p->layer, pg_net_scale(s->net, i), (size_t)p->outputs);
        if (step == 0) compare(g, step, "beta", p->layer, pg_net_bias(s->net, i), (size_t)p->outputs);
    }
}

static int first_branch(const setup *s)
{
    return s->spec.public_affine ? PG_PUBLIC : PG_PRIVATE;
}

static int last_branch(const setup *s)
{
    return s->passports ? PG_PRIVATE : PG_PUBLIC;
}

static const pg_real *forward(const setup *s)
{
    const int first = first_branch(s), branch = first < last_branch(s) ? PG_BOTH : first;
    return pg_net_forward(s->net, s->model, (pg_branch)branch, PG_TRAIN, s->images, s->n);
}

static void backward(golden *g, const setup *s, int step, const pg_real *logits)
{
    pg_real dlogits[2 * 8 * 1000];
    if (s->spec.classes > 1000) exit(2);
    for (int b = first_branch(s); b <= last_branch(s); b++) {
        const size_t count = (size_t)(s->n * s->spec.classes), at = (size_t)(b - first_branch(s)) * count;
        if (step == 0) compare(g, step, "train_logits", branch_name(s, (pg_branch)b), logits + at, count);
        const pg_real loss = (pg_real)pg_cross_entropy(s->n, s->spec.classes, logits + at, s->labels, 0, dlogits + at, NULL);
        compare(g, step, "ce_loss", branch_name(s, (pg_branch)b), &loss, 1);
    }
    if (s->passports) {
        const pg_real sign = (pg_real)pg_sign_loss(alpha, s->evidence, s->net);
        compare(g, step, "sign_loss", "", &sign, 1);
        if (g && step == 0) compare_gamma(g, s, 0);
    }
    pg_net_backward(s->net, s->model, dlogits);
}

static void update(const setup *s)
{
    pg_sgd_step(s->model->param_count, s->model->params, s->momentum, pg_net_gradients(s->net), rate, momentum, decay);
}

/* A step. With a fast algorithm in float, some pre-activation near zero changes its sign in nearly every case, and a single one
 * moves a gradient by far more than rounding does (tests/golden/README.md). So an exact run accompanies it, `exact` (else
 * NULL). The backward pass of the fast one uses the decisions of the exact one: the side of each ReLU, and the place in each
 * pool. */
static void train_step(golden *g, const setup *s, const setup *exact, int step)
{
    pg_net_zero_gradients(s->net);
    if (exact) pg_net_zero_gradients(exact->net);
    const pg_real *logits = forward(s);
    if (exact) {
        const pg_real *exact_logits = forward(exact);
        g->lent += pg_net_take_decisions(s->net, exact->net, &g->decisions);
        backward(NULL, exact, step, exact_logits);
    }
    backward(g, s, step, logits);
    if (step == 0) compare_tensors(g, 0, "grad", false, s->model, pg_net_gradients(s->net));
    update(s);
    if (exact) update(exact);
}

static void compare_end(golden *g, setup *s)
{
    compare_tensors(g, STEPS, "param", false, s->model, s->model->params);
    compare_tensors(g, STEPS, "buffer", true, s->model, s->model->buffers);
    for (int b = first_branch(s); b <= last_branch(s); b++) {
        const pg_real *logits = pg_net_forward(s->net, s->model, (pg_branch)b, PG_EVAL, s->images, s->n);
        compare(g, STEPS, "eval_logits", branch_name(s, (pg_branch)b), logits, (size_t)(s->n * s->spec.classes));
    }
    compare_gamma(g, s, STEPS);
    for (int i = 0; s->passports && i < s->evidence->passport_count; i++) {
        const pg_passport *p = &s->evidence->passports[i];
        const pg_real *gamma = pg_net_gamma(s->net, i);
        int agree = 0;
        for (int o = 0; o < p->outputs; o++) agree += p->b[o] > 0 ? gamma[o] > 0 : gamma[o] < 0;
        const pg_real share = (pg_real)agree / (pg_real)p->outputs;
        compare(g, STEPS, "sign_accuracy", p->layer, &share, 1);
    }
}

static bool report(const golden *g, const char *path)
{
    bool good = true;
    printf("%s: %zu of %zu rows compared\n", path, g->v.compared, g->v.rows);
    for (size_t r = 0; r < g->v.rows; r++)
        if (!g->seen[r]) {
            printf("  line %d: nothing was compared with it\n", pg_csv_line(g->table, r));
            good = false;
        }
    if (g->decisions) printf("  %zu of %zu decisions of ReLUs and pools were lent by the exact run\n", g->lent, g->decisions);
    if (g->lent > g->decisions / 10000) good = false;
    for (int k = 0; k < g->v.kinds; k++) {
        const bool within = g->v.worst[k] <= 1;
        printf("  %-14s worst %8.4f of tolerance%s %s\n", g->v.kind[k], g->v.worst[k], within ? " " : "  FAILED",
               g->v.where[k]);
        good &= within;
    }
    return good;
}

static bool run_case(const char *path, pg_conv_choice conv)
{
    static const char *const columns[] = {"step", "kind", "name", "index", "value"};
    pg_csv_table *table = NULL;
    golden g = {.fast = conv != PG_CONV_DIRECT};
    setup s = {0}, exact = {0};
    MUST(pg_csv_read(path, &table, &problem));
    g.table = table;
    g.v.rows = pg_csv_rows(table);
    for (int i = 0; i < 5; i++) MUST(pg_csv_column(table, columns[i], &g.column[i], &problem));
    MUST(pg_alloc(g.v.rows, sizeof *g.seen, &g.seen, &problem));
    open_case(&s, path, conv);
    const bool beside = g.fast && !double_build();
    if (beside) open_case(&exact, path, PG_CONV_DIRECT);
    for (int step = 0; step < STEPS; step++) train_step(&g, &s, beside ? &exact : NULL, step);
    compare_end(&g, &s);
    const bool good = report(&g, path);
    close_case(&s);
    close_case(&exact);
    pg_free(g.seen);
    pg_csv_close(&table);
    return good;
}

int main(int argc, char **argv)
{
    pg_conv_choice conv = PG_CONV_AUTO;
    bool good = true;
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "--conv") == 0) {
        at = pg_conv_choice_read(argv[2], &conv) ? 3 : argc;
    }
    if (at >= argc) {
        fprintf(stderr, "usage: golden [--conv auto|direct|im2col|winograd] CASE.csv...\n");
        return 2;
    }
    pg_compute_start(2);
    for (; at < argc; at++) good &= run_case(argv[at], conv);
    return good ? 0 : 1;
}
