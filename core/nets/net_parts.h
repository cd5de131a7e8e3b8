/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The branches of a net as parts of its buffers, for net.c and net_backward.c.
 *
 * A layer's input is shared if no passport comes before it: it is the same in both branches. When both branches run at once, a
 * buffer that is shared exists once, and any other has two parts: the public images, then the private ones. A convolution
 * processes both parts in one call, a normalisation one after the other. If the input of a normalisation is shared and its
 * output is not, the gradient dz of the pre-activation is summed over the parts before the convolution's backward runs once. */
#ifndef PG_NETS_NET_PARTS_H
#define PG_NETS_NET_PARTS_H

#include "core/nets/net_internal.h"

static inline int parts_of(const pg_net *net, bool shared)
{
    return shared || net->branch != PG_BOTH ? 1 : 2;
}

static inline pg_branch branch_of(const pg_net *net, int part)
{
    return net->branch == PG_BOTH ? (pg_branch)part : net->branch;
}

static inline int images_of(const pg_net *net, bool shared)
{
    return net->images_n * parts_of(net, shared);
}

/* First element of a part in an array of `size` elements per image. */
static inline size_t part_at(const pg_net *net, bool shared, int part, size_t size)
{
    return shared ? 0 : (size_t)part * (size_t)net->images_n * size;
}

static inline pg_net_cell *cell_at(pg_net *net, int row)
{
    return row == PG_IMAGES ? &net->image_cell : &net->cells[row];
}

/* First statistic of a part. Parts with a shared input have the same ones, except running statistics. */
static inline size_t statistics_at(const pg_net *net, const pg_net_cell *c, int part)
{
    return c->input_shared && !c->norm.fixed ? 0 : (size_t)part * pg_norm_sets(&c->norm, net->images_n);
}

static inline const pg_real *input_of(const pg_net *net, int row)
{
    if (row == PG_IMAGES) return net->images;
    const pg_net_cell *c = &net->cells[row];
    return net->trunk && c->output_shared ? net->trunk + c->trunk * (size_t)net->images_n : c->y;
}

static inline const pg_real *input_part(const pg_net *net, int row, int part)
{
    if (row == PG_IMAGES) return net->images;
    const pg_net_cell *c = &net->cells[row];
    return input_of(net, row) + part_at(net, c->output_shared, part, c->out_size);
}

/* The cell that has the output of a convolution block: itself, or the pool or addition fused into it. */
static inline const pg_net_cell *result_of(const pg_net_cell *c)
{
    return c->fused ? c->fused : c;
}

static inline uint8_t *decisions_part(const pg_net *net, const pg_net_cell *c, int part)
{
    uint8_t *decisions = c->fused ? c->fused->decisions : NULL;
    return decisions ? decisions + part_at(net, c->output_shared, part, c->fused->out_size) : NULL;
}

/* The operands of a part's normalisation. */
static inline pg_norm_pass norm_pass(const pg_net *net, const pg_net_cell *c, int part, const pg_real *z)
{
    const pg_branch branch = branch_of(net, part);
    const size_t statistics = statistics_at(net, c, part);
    return (pg_norm_pass){.n = net->images_n,
                          .x = z + part_at(net, c->input_shared, part, c->out_size),
                          .mean = c->mean + statistics,
                          .inv_std = c->inv_std + statistics,
                          .gamma = c->scale[branch],
                          .beta = c->bias[branch],
                          .plus = c->norm.residual ? input_part(net, c->plus, part) : NULL,
                          .y = c->y + part_at(net, c->output_shared, part, result_of(c)->out_size),
                          .decisions = decisions_part(net, c, part),
                          .scratch = net->scratch};
}

/* Does dropout set values to zero in this pass? */
static inline bool drops(const pg_net *net)
{
    return net->training && net->mode == PG_TRAIN;
}

static inline pg_real kept_scale(const pg_row *r)
{
    return (pg_real)(1 / (1 - r->rate));
}

static inline pg_dense dense_of(const pg_net_cell *c)
{
    return (pg_dense){.in = (int)c->in_size, .out = (int)c->out_size};
}

#endif
