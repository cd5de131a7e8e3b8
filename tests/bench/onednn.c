/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutions by oneDNN. For each of the three passes it takes the fastest of its own algorithms, with layouts of its own
 * choice.
 *
 * usage: onednn BATCH RUNS <SHAPES     one shape a line: channels filters height width kernel stride pad
 *
 * Prints a line for each shape: the milliseconds of the fastest run of forward, backward-data and backward-weights, and the
 * algorithm that ran it. A layout of its own choice costs nothing here, while a network would have to convert into it. */
#include <dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FORWARD, DATA, WEIGHTS, PASSES };

typedef struct shape {
    int batch, channels, filters, height, width, kernel, stride, pad;
} shape;

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "onednn: %s: status %d\n", what, (int)status);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A convolution in one pass; false if the algorithm does not know it. */
static bool describe(const shape *s, int pass, dnnl_alg_kind_t algorithm, dnnl_primitive_desc_t *out)
{
    const int height = (s->height + 2 * s->pad - s->kernel) / s->stride + 1;
    const int width = (s->width + 2 * s->pad - s->kernel) / s->stride + 1;
    const dnnl_dims_t x_size = {s->batch, s->channels, s->height, s->width}, y_size = {s->batch, s->filters, height, width};
    const dnnl_dims_t w_size = {s->filters, s->channels, s->kernel, s->kernel}, stride = {s->stride, s->stride};
    const dnnl_dims_t pad = {s->pad, s->pad};
    dnnl_memory_desc_t x, y, w;
    dnnl_convolution_desc_t convolution;
    check(dnnl_memory_desc_init_by_tag(&x, 4, x_size, dnnl_f32, dnnl_format_tag_any), "images");
    check(dnnl_memory_desc_init_by_tag(&y, 4, y_size, dnnl_f32, dnnl_format_tag_any), "outputs");
    check(dnnl_memory_desc_init_by_tag(&w, 4, w_size, dnnl_f32, dnnl_format_tag_any), "weights");
    dnnl_status_t status;
    if (pass == FORWARD)
        status = dnnl_convolution_forward_desc_init(&convolution, dnnl_forward_training, algorithm, &x, &w, NULL, &y, stride,
                                                    pad, pad);
    else if (pass == DATA)
        status = dnnl_convolution_backward_data_desc_init(&convolution, algorithm, &x, &w, &y, stride, pad, pad);
    else
        status = dnnl_convolution_backward_weights_desc_init(&convolution, algorithm, &x, &w, NULL, &y, stride, pad, pad);
    return status == dnnl_success && dnnl_primitive_desc_create(out, &convolution, NULL, engine, NULL) == dnnl_success;
}

/* The memory of an argument, filled with numbers. */
static dnnl_memory_t fill(dnnl_primitive_desc_t description, dnnl_query_t what)
{
    const dnnl_memory_desc_t *layout = dnnl_primitive_desc_query_md(description, what, 0);
    dnnl_memory_t memory;
    void *data;
    check(dnnl_memory_create(&memory, layout, engine, DNNL_MEMORY_ALLOCATE), "memory");
    check(dnnl_memory_get_data_handle(memory, &data), "memory");
    float *numbers = data;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(layout) / sizeof *numbers; i++)
        numbers[i] = (float)(i * 7919 % 2001) * 1e-3F - 1;
    return memory;
}

/* Seconds of the fastest run. */
static double time_runs(dnnl_primitive_desc_t description, int pass, int runs)
{
    dnnl_primitive_t primitive;
    check(dnnl_primitive_create(&primitive, description), "primitive");
    const dnnl_exec_arg_t arguments[] = {
        {pass == DATA ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
         fill(description, pass == DATA ? dnnl_query_diff_src_md : dnnl_query_src_md)},
        {pass == WEIGHTS ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
         fill(description, pass == WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md)},
        {pass == FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST,
         fill(description, pass == FORWARD ? dnnl_query_dst_md : dnnl_query_diff_dst_md)}};
    double best = 1e9;
    for (int i = 0; i <= runs; i++) { /* the first one warms up */
        const double start = now();
        check(dnnl_primitive_execute(primitive, stream, 3, arguments), "execution");
        check(dnnl_stream_wait(stream), "execution");
        const double seconds = now() - start;
        if (i > 0 && seconds < best) best = seconds;
    }
    for (int i = 0; i < 3; i++) dnnl_memory_destroy(arguments[i].memory);
    dnnl_primitive_destroy(primitive);
    return best;
}

static void print_best(const shape *s, int pass, int runs)
{
    static const struct {
        const char *name;
        dnnl_alg_kind_t kind;
    } algorithms[] = {
        {"direct", dnnl_convolution_direct}, {"winograd", dnnl_convolution_winograd}, {"auto", dnnl_convolution_auto}};
    double best = 1e9;
    const char *name = "none";
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        dnnl_primitive_desc_t description;
        if (!describe(s, pass, algorithms[i].kind, &description)) continue;
        const double seconds = time_runs(description, pass, runs);
        if (seconds < best) name = algorithms[i].name;
        if (seconds < best) best = seconds;
        dnnl_primitive_desc_destroy(description);
    }
    printf("%s%.3f %s", pass ? " " : "", 1e3 * best, name);
}

int main(int argc, char **argv)
{
    shape s;
    if (argc != 3) {
        fprintf(stderr, "usage: onednn BATCH RUNS <SHAPES\n");
        return 2;
    }
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    s.batch = atoi(argv[1]);
    while (scanf("%d %d %d %d %d %d %d", &s.channels, &s.filters, &s.height, &s.width, &s.kernel, &s.stride, &s.pad) == 7) {
        for (int pass = 0; pass < PASSES; pass++) print_best(&s, pass, atoi(argv[2]));
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
