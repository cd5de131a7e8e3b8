/* Forward and backward over a model's layers; see net.h.
 *
 * A layer's `shared` input is one that no passport precedes: it is the same in both branches. Its convolution and statistics
 * then serve both, and the gradient dz of its pre-activation is summed over the branches before the convolution's backward runs
 * once. */
#include "core/nets/net.h"

#include "core/base/memory.h"
#include "core/compute/blas.h"
#include "core/compute/kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What the net holds for one layer. Pointers are into pools owned by the net. */
typedef struct cell cell;
struct cell {
    pg_conv conv;
    pg_norm norm;
    pg_pool pool;
    bool input_shared, output_shared; /* the same in both branches */
    cell *folded;                     /* convolution: the max pool after it that its norm does too; pool: its convolution */
    size_t trunk, trunk_size;         /* what a trunk keeps of it: elements of one image before it, and of it; 0: nothing */
    size_t in_size, out_size;         /* elements of one image */
    pg_real *z;                       /* convolution output (training nets; else y) */
    pg_real *y;                       /* layer output */
    pg_real *dy;                      /* gradient of the output; becomes dz in place unless dz is kept apart */
    pg_real *dz;
    bool dy_written, dz_written;
    uint8_t *which;
    pg_real *mean, *inv_std, *variance;
    /* passport layers */
    pg_real *scale_means, *bias_means;      /* [R,R,I] */
    pg_real *gamma, *beta, *dgamma, *dbeta; /* [O]: straight from the passport */
    pg_real *dscale, *dbias;        /* [O]: gradient of the affine in force; dgamma, dbeta where no perceptron follows */
    pg_real *hidden[2], *fc_out[2]; /* perceptron: [O/4], [O] for gamma and beta */
    const pg_real *scale, *bias;    /* affine in force */
};

struct pg_net {
    pg_model *shape; /* a model of the spec, for its layers; its params serve as the gradients */
    int batch, images_n;
    bool training, two_branches;
    int train_from;
    pg_mode mode;
    const pg_real *images, *trunk; /* trunk: what stands in for the shared layers in this forward, or NULL */
    cell *cells;
    cell pictures;     /* stands for the images: holds their gradient */
    size_t trunk_size; /* elements of one image */
    pg_real *scratch, *spare, *affine_scratch;
    pg_real *pool_block;
    uint8_t *byte_block;
    size_t bytes;
};

static const pg_real leak = (pg_real)0.01; /* slope of PAN's leaky ReLU */

/* ---- planning ---- */

/* Two passes over the same code: the first with base NULL counts, the second hands out addresses. */
typedef struct arena {
    pg_real *base;
    size_t used;
} arena;

static pg_real *take(arena *a, size_t count)
{
    pg_real *at = a->base ? a->base + a->used : NULL;
    a->used += (count + 15) / 16 * 16;
    return at;
}

/* Memory that is free again after a step of the schedule is handed out again: `until` is the last step that reads it. */
enum { SLOTS_MAX = 2 * PG_ROWS_MAX };
typedef struct slots {
    int count;
    struct slot {
        size_t size;
        int until;
        pg_real *at;
    } list[SLOTS_MAX];
    int owner[SLOTS_MAX];
} slots;

static int slot_take(slots *s, size_t size, int from, int until)
{
    int best = -1;
    for (int i = 0; i < s->count; i++) {
        if (s->list[i].until >= from) continue;
        if (best < 0 || (s->list[best].size < size ? s->list[i].size > s->list[best].size
                                                   : s->list[i].size >= size && s->list[i].size < s->list[best].size))
            best = i;
    }
    if (best < 0) best = s->count++;
    if (s->list[best].size < size) s->list[best].size = size;
    s->list[best].until = until;
    return best;
}

static size_t layer_size(const pg_layer *l)
{
    return (size_t)l->out_height * (size_t)l->out_width * (size_t)l->out_channels;
}

static int last_reader(const pg_model *m, int row)
{
    int last = row;
    for (int i = row + 1; i < m->layer_count; i++) {
        const pg_row *r = &m->layers[i].row;
        if (r->input == row || (r->kind == PG_ROW_ADD && r->other == row)) last = i;
    }
    return last;
}

/* In training a convolution has z apart, and with its pool done too it leaves no output of its own. */
static void plan_outputs(pg_net *net, slots *s)
{
    const pg_model *m = net->shape;
    for (int i = 0; i < m->layer_count; i++) {
        const int until = net->training ? m->layer_count : last_reader(m, i);
        const bool none = net->training && m->layers[i].row.kind == PG_ROW_CONV && net->cells[i].folded;
        s->owner[i] = slot_take(s, none ? 0 : layer_size(&m->layers[i]) * (size_t)net->batch, i, until);
    }
}

/* Backward runs from the last layer to the first: step of layer i is layer_count - i. Gradients of shared outputs live through
 * both branches. */
static void plan_gradients(pg_net *net, slots *s)
{
    const pg_model *m = net->shape;
    for (int i = m->layer_count - 1; i >= 0; i--) {
        const bool kept = net->two_branches && net->cells[i].output_shared;
        const int from = kept ? 0 : m->layer_count - last_reader(m, i), until = kept ? m->layer_count + 1 : m->layer_count - i;
        s->owner[i] = slot_take(s, layer_size(&m->layers[i]) * (size_t)net->batch, from, until);
    }
}

static void place_slots(slots *s, arena *a)
{
    for (int i = 0; i < s->count; i++) s->list[i].at = take(a, s->list[i].size);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void place_passport(cell *c, const pg_layer *l, arena *a)
{
    const size_t k = (size_t)l->out_channels, window = (size_t)(l->row.kernel * l->row.kernel * l->in_channels);
    c->scale_means = take(a, window);
    c->bias_means = take(a, window);
    c->gamma = take(a, k);
    c->beta = take(a, k);
    c->dgamma = take(a, k);
    c->dbeta = take(a, k);
    c->dscale = c->dgamma;
    c->dbias = c->dbeta;
    if (l->affine[PG_PRIVATE].fc1 < 0) return;
    for (int i = 0; i < 2; i++) {
        c->hidden[i] = take(a, k / 4);
        c->fc_out[i] = take(a, k);
    }
    c->dscale = take(a, k);
    c->dbias = take(a, k);
}

static void place(pg_net *net, const slots *outputs, const slots *gradients, arena *a)
{
    const pg_model *m = net->shape;
    const size_t batch = (size_t)net->batch;
    size_t scratch = 0, input = 0, channels = 0;
    for (int i = 0; i < m->layer_count; i++) {
        const pg_layer *l = &m->layers[i];
        cell *c = &net->cells[i];
        c->y = c->z = outputs->list[outputs->owner[i]].at;
        if (net->training) c->dy = c->dz = gradients->list[gradients->owner[i]].at;
        channels = larger(channels, (size_t)l->out_channels);
        if (l->row.kind != PG_ROW_CONV) continue;
        if (net->training) c->z = take(a, c->out_size * batch);
        if (net->training && net->two_branches && c->input_shared && !c->output_shared) c->dz = take(a, c->out_size * batch);
        c->mean = take(a, pg_norm_sets(&c->norm, net->batch));
        c->inv_std = take(a, pg_norm_sets(&c->norm, net->batch));
        c->variance = take(a, (size_t)l->out_channels);
        if (l->passport >= 0) place_passport(c, l, a);
        scratch = larger(scratch, larger(pg_conv_scratch(&c->conv, net->batch), pg_norm_scratch(&c->norm, net->batch)));
        input = larger(input, c->in_size * batch);
    }
    for (int i = 0; i < m->layer_count; i++) {
        cell *c = &net->cells[i];
        if (m->layers[i].row.kind != PG_ROW_CONV || !c->folded) continue;
        c->y = c->folded->y;
        c->dy = c->folded->dy;
    }
    net->scratch = take(a, scratch);
    net->affine_scratch = take(a, 2 * channels);
    if (!net->training) return;
    net->spare = take(a, input);
    net->pictures.dy = take(a, batch * (size_t)(m->spec.image_height * m->spec.image_width * 3));
}

static pg_status plan_cell(pg_net *net, int i, pg_conv_choice choice, pg_error *err)
{
    const pg_layer *l = &net->shape->layers[i];
    const pg_row *r = &l->row;
    cell *c = &net->cells[i];
    const bool left = r->input == PG_IMAGES || net->cells[r->input].output_shared;
    c->input_shared = left && (r->kind != PG_ROW_ADD || net->cells[r->other].output_shared);
    c->output_shared = c->input_shared && l->passport < 0;
    c->in_size = (size_t)l->in_height * (size_t)l->in_width * (size_t)l->in_channels;
    c->out_size = layer_size(l);
    c->pool = (pg_pool){.height = l->in_height,
                        .width = l->in_width,
                        .channels = l->in_channels,
                        .kernel = r->kernel,
                        .stride = r->stride,
                        .pad = r->pad,
                        .out_height = l->out_height,
                        .out_width = l->out_width};
    if (r->kind != PG_ROW_CONV) return PG_OK;
    const int groups = l->out_channels / 16;
    c->norm = (pg_norm){.kind = net->shape->spec.norm,
                        .pixels = l->out_height * l->out_width,
                        .channels = l->out_channels,
                        .groups = groups,
                        .eps = (pg_real)1e-5,
                        .relu = r->relu};
    const pg_conv_shape shape = {.height = l->in_height,
                                 .width = l->in_width,
                                 .channels = l->in_channels,
                                 .filters = l->out_channels,
                                 .kernel = r->kernel,
                                 .stride = r->stride,
                                 .pad = r->pad};
    return pg_conv_plan(&c->conv, &shape, choice, err);
}

/* A 2 x 2 max pool that alone reads a convolution block is done in the same pass over its pixels. */
static void plan_pools(pg_net *net)
{
    const pg_model *m = net->shape;
    for (int i = 1; i < m->layer_count; i++) {
        const pg_layer *pool = &m->layers[i], *conv = &m->layers[i - 1];
        const pg_row *r = &pool->row;
        const bool halves =
            r->kernel == 2 && r->stride == 2 && r->pad == 0 && pool->in_height % 2 == 0 && pool->in_width % 2 == 0;
        if (r->kind != PG_ROW_MAXPOOL || !halves || r->input != i - 1 || conv->row.kind != PG_ROW_CONV) continue;
        if (last_reader(m, i - 1) != i) continue;
        net->cells[i - 1].folded = &net->cells[i];
        net->cells[i].folded = &net->cells[i - 1];
        net->cells[i - 1].norm.pool_width = pool->in_width;
    }
}

/* A trunk keeps the convolution outputs of passport layers with a shared input, and shared outputs that another row reads. */
static void plan_trunk(pg_net *net)
{
    const pg_model *m = net->shape;
    for (int i = 0; i < m->layer_count; i++) {
        const pg_row *r = &m->layers[i].row;
        cell *c = &net->cells[i];
        if (c->input_shared && !c->output_shared) c->trunk_size = c->out_size;
        if (c->input_shared) continue;
        const int inputs[] = {r->input, r->kind == PG_ROW_ADD ? r->other : PG_IMAGES};
        for (int k = 0; k < 2; k++) {
            cell *in = inputs[k] == PG_IMAGES ? NULL : &net->cells[inputs[k]];
            if (in && in->output_shared) in->trunk_size = in->out_size;
        }
    }
    for (int i = 0; i < m->layer_count; i++) {
        net->cells[i].trunk = net->trunk_size;
        net->trunk_size += net->cells[i].trunk_size;
    }
}

static pg_status plan_argmax(pg_net *net, pg_error *err)
{
    const pg_model *m = net->shape;
    size_t total = 0;
    for (int i = 0; i < m->layer_count; i++)
        if (m->layers[i].row.kind == PG_ROW_MAXPOOL) total += net->cells[i].out_size * (size_t)net->batch;
    const pg_status status = pg_alloc(total, 1, &net->byte_block, err);
    if (status != PG_OK) return status;
    net->bytes += total;
    total = 0;
    for (int i = 0; i < m->layer_count; i++)
        if (m->layers[i].row.kind == PG_ROW_MAXPOOL) {
            net->cells[i].which = net->byte_block + total;
            total += net->cells[i].out_size * (size_t)net->batch;
        }
    return PG_OK;
}

pg_status pg_net_create(const pg_net_spec *spec, int batch, bool training, pg_conv_choice choice, pg_net **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net *net = NULL;
    slots *outputs = NULL, *gradients = NULL;
    if (batch < 1) return pg_fail(err, PG_BAD_INPUT, "batch: expected at least 1, got %d", batch);
    PG_TRY(pg_alloc(1, sizeof *net, &net, err));
    PG_TRY(pg_alloc(1, sizeof *outputs, &outputs, err));
    PG_TRY(pg_alloc(1, sizeof *gradients, &gradients, err));
    PG_TRY(pg_model_create(spec, &net->shape, err));
    net->batch = batch;
    net->training = training;
    net->two_branches = spec->passports && spec->public_affine && spec->private_affine;
    PG_TRY(pg_alloc((size_t)net->shape->layer_count, sizeof *net->cells, &net->cells, err));
    for (int i = 0; i < net->shape->layer_count; i++) PG_TRY(plan_cell(net, i, choice, err));
    plan_pools(net);
    plan_trunk(net);
    plan_outputs(net, outputs);
    if (training) plan_gradients(net, gradients);
    arena a = {0};
    place(net, outputs, gradients, &a);
    for (int i = 0; i < outputs->count; i++) a.used += (outputs->list[i].size + 15) / 16 * 16;
    for (int i = 0; i < gradients->count; i++) a.used += (gradients->list[i].size + 15) / 16 * 16;
    PG_TRY(pg_alloc(a.used, sizeof(pg_real), &net->pool_block, err));
    net->bytes = a.used * sizeof(pg_real) + net->shape->param_count * sizeof(pg_real);
    a = (arena){.base = net->pool_block};
    place_slots(outputs, &a);
    place_slots(gradients, &a);
    place(net, outputs, gradients, &a);
    if (training) PG_TRY(plan_argmax(net, err));
    pg_net_zero_gradients(net);
    *out = net;
    net = NULL;
done:
    pg_free(outputs);
    pg_free(gradients);
    pg_net_destroy(&net);
    return status;
}

void pg_net_destroy(pg_net **net)
{
    if (!*net) return;
    pg_model_destroy(&(*net)->shape);
    pg_free((*net)->cells);
    pg_free((*net)->pool_block);
    pg_free((*net)->byte_block);
    pg_free(*net);
    *net = NULL;
}

/* ---- passports ---- */

static int cell_of_passport(const pg_net *net, int i)
{
    return (int)(pg_model_passport_layer(net->shape, i) - net->shape->layers);
}

static int window(const pg_layer *l)
{
    return l->row.kernel * l->row.kernel * l->in_channels;
}

void pg_net_set_passport(pg_net *net, int i, const pg_real *scale_means, const pg_real *bias_means)
{
    const int at = cell_of_passport(net, i);
    const size_t bytes = (size_t)window(&net->shape->layers[at]) * sizeof(pg_real);
    memcpy(net->cells[at].scale_means, scale_means, bytes);
    memcpy(net->cells[at].bias_means, bias_means, bytes);
}

/* out = F2 leaky(F1 in), PAN's perceptron. */
static void perceptron_forward(const pg_layer *l, const pg_model *m, const pg_real *in, pg_real *hidden, pg_real *out)
{
    const int k = l->out_channels, quarter = k / 4;
    pg_dense_forward(1, k, quarter, in, m->params + l->affine[PG_PRIVATE].fc1, NULL, hidden);
    for (int i = 0; i < quarter; i++) hidden[i] = hidden[i] > 0 ? hidden[i] : leak * hidden[i];
    pg_dense_forward(1, quarter, k, hidden, m->params + l->affine[PG_PRIVATE].fc2, NULL, out);
}

/* d in is added to din; dout is d loss / d out. */
static void perceptron_backward(pg_net *net, const pg_layer *l, const pg_model *m, const pg_real *in, const pg_real *hidden,
                                const pg_real *dout, pg_real *din)
{
    const int k = l->out_channels, quarter = k / 4;
    pg_real *back = net->affine_scratch, *dhidden = net->affine_scratch + k;
    pg_real *grads = net->shape->params;
    pg_dense_backward(1, quarter, k, hidden, m->params + l->affine[PG_PRIVATE].fc2, dout, grads + l->affine[PG_PRIVATE].fc2,
                      NULL, dhidden);
    for (int i = 0; i < quarter; i++) dhidden[i] = hidden[i] > 0 ? dhidden[i] : leak * dhidden[i];
    pg_dense_backward(1, k, quarter, in, m->params + l->affine[PG_PRIVATE].fc1, dhidden, grads + l->affine[PG_PRIVATE].fc1,
                      NULL, back);
    pg_accumulate((size_t)k, back, din);
}

static void passport_forward(cell *c, const pg_layer *l, const pg_model *m)
{
    const pg_real *w = m->params + l->weight;
    pg_matvec(window(l), l->out_channels, w, c->scale_means, c->gamma);
    pg_matvec(window(l), l->out_channels, w, c->bias_means, c->beta);
    if (l->affine[PG_PRIVATE].fc1 >= 0) {
        perceptron_forward(l, m, c->gamma, c->hidden[0], c->fc_out[0]);
        perceptron_forward(l, m, c->beta, c->hidden[1], c->fc_out[1]);
    }
    pg_real *const clear[] = {c->dgamma, c->dbeta, c->dscale, c->dbias};
    for (int i = 0; i < 4; i++) pg_zero((size_t)l->out_channels, clear[i]);
}

void pg_net_refresh_passports(pg_net *net, const pg_model *model)
{
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].passport >= 0) passport_forward(&net->cells[i], &model->layers[i], model);
}

const pg_real *pg_net_gamma(const pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].gamma;
}

const pg_real *pg_net_scale(const pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].scale;
}

const pg_real *pg_net_bias(const pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].bias;
}

pg_real *pg_net_gamma_gradient(pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].dgamma;
}

pg_real *pg_net_beta_gradient(pg_net *net, int i)
{
    return net->cells[cell_of_passport(net, i)].dbeta;
}

void pg_passport_means(const pg_layer *layer, const pg_real *image, pg_real *means)
{
    const int r = layer->row.kernel, stride = layer->row.stride, pad = layer->row.pad, channels = layer->in_channels;
    const double positions = (double)layer->out_height * layer->out_width;
    for (int i = 0; i < r; i++)
        for (int j = 0; j < r; j++)
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                for (int oy = 0; oy < layer->out_height; oy++) {
                    const int y = oy * stride + i - pad;
                    if (y < 0 || y >= layer->in_height) continue;
                    for (int ox = 0; ox < layer->out_width; ox++) {
                        const int x = ox * stride + j - pad;
                        if (x >= 0 && x < layer->in_width) sum += (double)image[(y * layer->in_width + x) * channels + c];
                    }
                }
                means[(i * r + j) * channels + c] = (pg_real)(sum / positions);
            }
}

void pg_passport_means_backward(const pg_layer *layer, const pg_real *dmeans, pg_real *dimage)
{
    const int r = layer->row.kernel, stride = layer->row.stride, pad = layer->row.pad, channels = layer->in_channels;
    const pg_real share = (pg_real)(1 / ((double)layer->out_height * layer->out_width));
    pg_zero((size_t)(layer->in_height * layer->in_width * channels), dimage);
    for (int i = 0; i < r; i++)
        for (int j = 0; j < r; j++)
            for (int oy = 0; oy < layer->out_height; oy++) {
                const int y = oy * stride + i - pad;
                if (y < 0 || y >= layer->in_height) continue;
                for (int ox = 0; ox < layer->out_width; ox++) {
                    const int x = ox * stride + j - pad;
                    if (x < 0 || x >= layer->in_width) continue;
                    const pg_real *from = dmeans + (i * r + j) * channels;
                    pg_real *to = dimage + (y * layer->in_width + x) * channels;
                    for (int c = 0; c < channels; c++) to[c] += share * from[c];
                }
            }
}

/* ---- forward ---- */

static void move_statistics(pg_model *m, const pg_affine *affine, const cell *c, int n)
{
    const double count = (double)n * c->norm.pixels, unbias = count > 1 ? count / (count - 1) : 1;
    for (int k = 0; k < c->norm.channels; k++) {
        pg_real *mean = &m->buffers[affine->mean + k], *var = &m->buffers[affine->var + k];
        *mean = (pg_real)(0.9 * (double)*mean + 0.1 * (double)c->mean[k]);
        *var = (pg_real)(0.9 * (double)*var + 0.1 * unbias * (double)c->variance[k]);
    }
}

static void use_running(const pg_model *m, const pg_affine *affine, cell *c)
{
    for (int k = 0; k < c->norm.channels; k++) {
        c->mean[k] = m->buffers[affine->mean + k];
        c->inv_std[k] = (pg_real)(1 / sqrt((double)m->buffers[affine->var + k] + (double)c->norm.eps));
    }
}

static void choose_affine(cell *c, const pg_layer *l, const pg_model *m, pg_branch branch)
{
    const pg_affine *a = &l->affine[branch];
    if (a->from_passport) {
        passport_forward(c, l, m);
        c->scale = a->fc1 >= 0 ? c->fc_out[0] : c->gamma;
        c->bias = a->fc1 >= 0 ? c->fc_out[1] : c->beta;
    } else {
        c->scale = a->gamma >= 0 ? m->params + a->gamma : NULL;
        c->bias = a->beta >= 0 ? m->params + a->beta : NULL;
    }
}

static void conv_forward(pg_net *net, cell *c, const pg_layer *l, pg_model *m, pg_branch branch, const pg_real *x, int n,
                         bool reuse)
{
    const pg_affine *a = &l->affine[branch];
    const bool batch_norm = c->norm.kind == PG_NORM_BN, running = batch_norm && net->mode == PG_EVAL;
    c->norm.fixed = running;
    const bool known = net->trunk && c->trunk_size;
    const pg_real *z = known ? net->trunk + c->trunk * (size_t)n : c->z;
    reuse = reuse && c->input_shared;
    if (!reuse && !known) pg_conv_forward(&c->conv, n, x, m->params + l->weight, c->z, net->scratch);
    if (running)
        use_running(m, a, c);
    else if (!reuse)
        pg_norm_statistics(&c->norm, n, z, c->mean, c->inv_std, batch_norm ? c->variance : NULL, net->scratch);
    if (batch_norm && net->mode == PG_TRAIN) move_statistics(m, a, c, n);
    if (reuse && c->output_shared) return;
    choose_affine(c, l, m, branch);
    pg_norm_apply(&c->norm, n, z, c->mean, c->inv_std, c->scale, c->bias, c->y, c->folded ? c->folded->which : NULL,
                  net->scratch);
}

static const pg_real *input_of(const pg_net *net, int row)
{
    if (row == PG_IMAGES) return net->images;
    const cell *c = &net->cells[row];
    return net->trunk && c->output_shared ? net->trunk + c->trunk * (size_t)net->images_n : c->y;
}

static void layer_forward(pg_net *net, int i, pg_model *m, pg_branch branch, int n, bool reuse)
{
    const pg_layer *l = &m->layers[i];
    cell *c = &net->cells[i];
    const pg_real *x = input_of(net, l->row.input);
    const size_t count = c->out_size * (size_t)n;
    if (l->row.kind == PG_ROW_CONV) {
        conv_forward(net, c, l, m, branch, x, n, reuse);
        return;
    }
    if (reuse && c->output_shared) return;
    switch (l->row.kind) {
    case PG_ROW_MAXPOOL:
        if (!c->folded) pg_maxpool_forward(&c->pool, n, x, c->y, c->which);
        break;
    case PG_ROW_AVGPOOL: pg_avgpool_forward(&c->pool, n, x, c->y); break;
    case PG_ROW_ADD: pg_add_relu(count, x, input_of(net, l->row.other), c->y); break;
    case PG_ROW_DENSE:
        pg_dense_forward(n, (int)c->in_size, l->out_channels, x, m->params + l->weight, m->params + l->bias, c->y);
        if (l->row.relu) pg_relu(count, c->y);
        break;
    case PG_ROW_CONV: break;
    }
}

const pg_real *pg_net_forward(pg_net *net, pg_model *model, pg_branch branch, pg_mode mode, const pg_real *images, int n,
                              bool reuse)
{
    net->mode = mode;
    net->images = images;
    net->trunk = NULL;
    net->images_n = n;
    for (int i = 0; i < model->layer_count; i++) layer_forward(net, i, model, branch, n, reuse);
    if (!reuse) net->pictures.dy_written = false;
    for (int i = 0; i < model->layer_count; i++) {
        cell *c = &net->cells[i];
        if (!(reuse && c->output_shared)) c->dy_written = false;
        if (!(reuse && c->input_shared)) c->dz_written = false;
    }
    return net->cells[model->layer_count - 1].y;
}

size_t pg_net_trunk_size(const pg_net *net)
{
    return net->trunk_size;
}

void pg_net_trunk_forward(pg_net *net, pg_model *model, const pg_real *images, int n, pg_real *trunk)
{
    net->mode = PG_EVAL;
    net->images = images;
    net->trunk = NULL;
    net->images_n = n;
    for (int i = 0; i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        const cell *c = &net->cells[i];
        pg_real *kept = trunk + c->trunk * (size_t)n;
        if (c->output_shared) {
            layer_forward(net, i, model, PG_PUBLIC, n, false);
            memcpy(kept, c->y, c->trunk_size * (size_t)n * sizeof *kept);
        } else if (c->input_shared) {
            pg_conv_forward(&c->conv, n, input_of(net, l->row.input), model->params + l->weight, kept, net->scratch);
        }
    }
}

const pg_real *pg_net_forward_from_trunk(pg_net *net, pg_model *model, pg_branch branch, const pg_real *trunk, int n)
{
    net->mode = PG_EVAL;
    net->trunk = trunk;
    net->images_n = n;
    for (int i = 0; i < model->layer_count; i++)
        if (!net->cells[i].output_shared) layer_forward(net, i, model, branch, n, false);
    return net->cells[model->layer_count - 1].y;
}

const pg_real *pg_net_input(const pg_net *net, int layer)
{
    return input_of(net, net->shape->layers[layer].row.input);
}

/* ---- backward ---- */

static bool wants_gradient(const pg_net *net, int row)
{
    return row >= net->train_from;
}

static cell *cell_at(pg_net *net, int row)
{
    return row == PG_IMAGES ? &net->pictures : &net->cells[row];
}

/* Gradient of a convolution's pre-activation dz to its weights and its input. */
static void conv_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    cell *c = &net->cells[i];
    const int in = l->row.input, n = net->images_n;
    const bool below = wants_gradient(net, in);
    cell *source = cell_at(net, in);
    pg_real *dx = !below ? NULL : source->dy_written ? net->spare : source->dy;
    pg_conv_backward(&c->conv, n, input_of(net, in), m->params + l->weight, c->dz, dx, net->shape->params + l->weight,
                     net->scratch);
    if (!below) return;
    if (source->dy_written) pg_accumulate(c->in_size * (size_t)n, dx, source->dy);
    source->dy_written = true;
}

/* Gradient of y to the affine, the passport and the pre-activation. */
static void norm_backward(pg_net *net, int i, const pg_model *m, pg_branch branch)
{
    const pg_layer *l = &m->layers[i];
    cell *c = &net->cells[i];
    const pg_affine *a = &l->affine[branch];
    pg_real *grads = net->shape->params;
    pg_real *dscale = a->from_passport ? c->dscale : a->gamma >= 0 ? grads + a->gamma : NULL;
    pg_real *dbias = a->from_passport ? c->dbias : a->beta >= 0 ? grads + a->beta : NULL;
    const bool add = c->dz != c->dy && c->dz_written;
    pg_norm_backward(&c->norm, net->images_n, c->z, c->mean, c->inv_std, c->scale, c->y, c->folded ? c->folded->which : NULL,
                     c->dy, dscale, dbias, c->dz, add, net->scratch);
    c->dz_written = true;
    if (!a->from_passport) return;
    if (a->fc1 >= 0) {
        perceptron_backward(net, l, m, c->gamma, c->hidden[0], c->dscale, c->dgamma);
        perceptron_backward(net, l, m, c->beta, c->hidden[1], c->dbias, c->dbeta);
    }
    pg_outer_add(window(l), l->out_channels, c->scale_means, c->dgamma, grads + l->weight);
    pg_outer_add(window(l), l->out_channels, c->bias_means, c->dbeta, grads + l->weight);
}

/* Pass gradient dy on to a row that this layer copied its value from. */
static void hand_down(pg_net *net, int row, size_t count, const pg_real *dy)
{
    if (!wants_gradient(net, row)) return;
    cell *target = cell_at(net, row);
    if (target->dy_written)
        pg_accumulate(count, dy, target->dy);
    else
        memcpy(target->dy, dy, count * sizeof *dy);
    target->dy_written = true;
}

static void dense_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_layer *l = &m->layers[i];
    cell *c = &net->cells[i];
    const int in = l->row.input, n = net->images_n;
    const bool below = wants_gradient(net, in);
    pg_real *grads = net->shape->params;
    if (l->row.relu) pg_relu_backward(c->out_size * (size_t)n, c->y, c->dy, c->dy);
    pg_dense_backward(n, (int)c->in_size, l->out_channels, input_of(net, in), m->params + l->weight, c->dy, grads + l->weight,
                      grads + l->bias, below ? cell_at(net, in)->dy : NULL);
    if (below) cell_at(net, in)->dy_written = true;
}

static void pool_backward(pg_net *net, int i, const pg_model *m)
{
    const pg_row *r = &m->layers[i].row;
    cell *c = &net->cells[i];
    if (!wants_gradient(net, r->input)) return;
    cell *in = cell_at(net, r->input);
    if (r->kind == PG_ROW_MAXPOOL)
        pg_maxpool_backward(&c->pool, net->images_n, c->which, c->dy, in->dy, in->dy_written);
    else
        pg_avgpool_backward(&c->pool, net->images_n, c->dy, in->dy, in->dy_written);
    in->dy_written = true;
}

static void layer_backward(pg_net *net, int i, const pg_model *m, pg_branch branch, bool more)
{
    const pg_row *r = &m->layers[i].row;
    cell *c = &net->cells[i];
    const size_t count = c->out_size * (size_t)net->images_n;
    switch (r->kind) {
    case PG_ROW_CONV:
        norm_backward(net, i, m, branch);
        if (!(more && c->input_shared)) conv_backward(net, i, m);
        break;
    case PG_ROW_MAXPOOL:
    case PG_ROW_AVGPOOL:
        if (!c->folded) pool_backward(net, i, m);
        break;
    case PG_ROW_ADD:
        pg_relu_backward(count, c->y, c->dy, c->dy);
        hand_down(net, r->input, count, c->dy);
        hand_down(net, r->other, count, c->dy);
        break;
    case PG_ROW_DENSE: dense_backward(net, i, m); break;
    }
}

void pg_net_backward(pg_net *net, pg_model *model, pg_branch branch, const pg_real *dlogits, bool more)
{
    const int last = model->layer_count - 1;
    cell *top = &net->cells[last];
    memcpy(top->dy, dlogits, top->out_size * (size_t)net->images_n * sizeof *dlogits);
    for (int i = last; i >= 0 && i >= net->train_from; i--)
        if (!(more && net->cells[i].output_shared)) layer_backward(net, i, model, branch, more);
}

pg_real *pg_net_gradients(pg_net *net)
{
    return net->shape->params;
}

void pg_net_zero_gradients(pg_net *net)
{
    pg_zero(net->shape->param_count, net->shape->params);
}

const pg_real *pg_net_image_gradient(const pg_net *net)
{
    return net->pictures.dy;
}

void pg_net_train_from(pg_net *net, int layer)
{
    net->train_from = layer;
}

static size_t take_signs(size_t count, pg_real *y, const pg_real *from)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++) {
        if ((y[i] > 0) == (from[i] > 0)) continue;
        y[i] = from[i] > 0 ? (pg_real)FLT_MIN : 0;
        others++;
    }
    return others;
}

static size_t take_places(size_t count, uint8_t *which, const uint8_t *from)
{
    size_t others = 0;
    for (size_t i = 0; i < count; i++) others += which[i] != from[i];
    memcpy(which, from, count);
    return others;
}

size_t pg_net_take_decisions(pg_net *net, const pg_net *from, size_t *count)
{
    size_t others = 0;
    for (int i = 0; i < net->shape->layer_count; i++) {
        const pg_row *r = &net->shape->layers[i].row;
        cell *c = &net->cells[i];
        const cell *other = &from->cells[i];
        const bool conv_with_pool = r->kind == PG_ROW_CONV && c->folded;
        const size_t outputs = (conv_with_pool ? c->folded->out_size : c->out_size) * (size_t)net->images_n;
        if (r->relu || r->kind == PG_ROW_ADD) {
            others += take_signs(outputs, c->y, other->y);
            *count += outputs;
        }
        if (r->kind == PG_ROW_MAXPOOL) {
            others += take_places(outputs, c->which, other->which);
            *count += outputs;
        }
    }
    return others;
}

size_t pg_net_bytes(const pg_net *net)
{
    return net->bytes;
}
