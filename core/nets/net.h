/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A net: the memory in which a model runs forward and backward, planned once for a batch size.
 *
 * The net holds activations, gradients and the window means of passports; the weights stay in the model. One net serves any
 * model of the same spec. Only pg_net_create allocates.
 *
 * forward(BOTH) and backward train both branches of V2, V3 or PAN at once. Layers up to the convolution and the statistics of
 * the first passport layer have the same input in both branches: they run once, and backward runs once on the sum of both
 * branches' gradients. A later convolution processes the images of both branches in one call and reads its weights once.
 * Running statistics are updated as by two passes. */
#ifndef PG_NETS_NET_H
#define PG_NETS_NET_H

#include "core/compute/conv.h"
#include "core/nets/model.h"

typedef struct pg_net pg_net;

/* The statistics that batch norm uses. TRAIN: those of the batch, and the running statistics are updated. BATCH: those of the
 * batch. EVAL: the running statistics. Group and instance norm always use those of the image. */
typedef enum pg_mode { PG_EVAL, PG_TRAIN, PG_BATCH } pg_mode;

/* Plan for batches of up to `batch` images. A training net has the buffers of backward too. */
PG_CHECKED pg_status pg_net_create(const pg_net_spec *spec, int batch, bool training, pg_conv_choice choice, pg_net **out,
                                   pg_error *err);
void pg_net_destroy(pg_net **net);

/* Set passport i: copies its window means [R,R,C] (see pg_passport_means). */
void pg_net_set_passport(pg_net *net, int i, const pg_real *scale_means, const pg_real *bias_means);
/* Compute gamma and beta of every passport from the model's weights. A private forward of a training net does so itself. Any
 * other net uses the last ones computed, so call this after the weights or the passports change. */
void pg_net_refresh_passports(pg_net *net, const pg_model *model);

/* Logits [N,classes] of images [N,H,W,3], N = n. With PG_BOTH (training nets only): [2,N,classes], the public branch first.
 * They belong to the net and are valid until the next forward. images are borrowed until backward. Writes to the model only in
 * mode TRAIN (running statistics). */
const pg_real *pg_net_forward(pg_net *net, pg_model *model, pg_branch branch, pg_mode mode, const pg_real *images, int n);

/* Draw the dropout of the next forwards in mode TRAIN: step k of a training with this seed has masks of its own. In other
 * modes, and in nets that do not train, dropout changes nothing. */
void pg_net_draw_dropout(pg_net *net, pg_seed seed, uint64_t step);

/* The trunk is all layers before the first passport: for given images it runs only once, however many passports are tried.
 * pg_net_trunk_forward runs it, in mode EVAL, on n images and stores everything that later layers read in trunk
 * [n * pg_net_trunk_size]; the order is internal. pg_net_forward_from_trunk runs the later layers from there. Its logits equal
 * those of pg_net_forward in mode EVAL bit for bit, and are valid as long. Only for models with passport layers. */
size_t pg_net_trunk_size(const pg_net *net); /* elements of one image */
void pg_net_trunk_forward(pg_net *net, pg_model *model, const pg_real *images, int n, pg_real *trunk);
const pg_real *pg_net_forward_from_trunk(pg_net *net, pg_model *model, pg_branch branch, const pg_real *trunk, int n);

/* Add the gradient of a loss to the gradients, given dlogits = d loss / d logits, in the shape of the logits. Call it after a
 * forward of a training net. After one in mode EVAL, running statistics are constants. */
void pg_net_backward(pg_net *net, pg_model *model, const pg_real *dlogits);

/* Gradients [param_count], with the layout of a model's params; zero in a new net. */
pg_real *pg_net_gradients(pg_net *net);
void pg_net_zero_gradients(pg_net *net);

/* Compute no gradients for layers before this one (0: for all layers; PG_IMAGES: for the images too). */
void pg_net_train_from(pg_net *net, int layer);
/* Compute no gradients for weights and biases of convolutions and dense layers, only for affines, passports and images; or
 * compute them again. */
void pg_net_keep_weights(pg_net *net, bool keep);
/* Multiply-adds of one image in a training step: forward in every branch, layers that both share once; backward as far as
 * layers are trained, with two products per layer, or one if the weights are kept. */
double pg_net_training_macs(const pg_net *net, int branches);
/* d loss / d images [N,H,W,3] of the last backward, if pg_net_train_from asked for it. */
const pg_real *pg_net_image_gradient(const pg_net *net);

/* gamma [O] of passport i as last computed, before PAN's perceptron; it carries the signature. */
const pg_real *pg_net_gamma(const pg_net *net, int i);
/* The affine that the last forward of the private branch used at passport i, [O] each. */
const pg_real *pg_net_scale(const pg_net *net, int i);
const pg_real *pg_net_bias(const pg_net *net, int i);
/* d loss / d gamma of passport i, [O]. A regulariser adds its own to it after a forward that runs the private branch and before
 * backward. */
pg_real *pg_net_gamma_gradient(pg_net *net, int i);
/* d loss / d beta of passport i, [O]. After backward, both gradients are complete. */
pg_real *pg_net_beta_gradient(pg_net *net, int i);

/* The input of a layer in the last forward of a training net, [N,H,W,C]. For an addition: only the operand that does not come
 * from the previous row. */
const pg_real *pg_net_input(const pg_net *net, int layer);

/* Add a gradient of the output of a layer, in the shape in which its readers get it (pg_net_input), in the next backward. The
 * output of a convolution that only a pool reads is the pool's. gradient is borrowed until then. */
void pg_net_add_output_gradient(pg_net *net, int layer, const pg_real *gradient);

/* After a forward of the public branch of a training net in mode EVAL: the sum over the batch norms of |mean - running mean| +
 * |variance - running variance|, Euclidean norms over the channels, where mean and variance are those of the batch; times
 * weight. Adds its gradient in the next backward. work [pg_net_statistics_size] is borrowed until then. */
double pg_net_match_statistics(pg_net *net, const pg_model *model, double weight, pg_real *work);
size_t pg_net_statistics_size(const pg_net *net);

/* Window means of a passport image [H,W,C]: means [R,R,C] at [i,j,c] is the mean over the output positions (y,x) of the
 * zero-padded image at (y stride + i - pad, x stride + j - pad, c). gamma = sum over j of means[j] w[j,:] then equals the mean
 * over positions of the convolution of the image. H, W, C, R, stride and pad are those of the layer. */
void pg_passport_means(const pg_layer *layer, const pg_real *image, pg_real *means);

/* Its adjoint: overwrite dimage [H,W,C] with the gradient of the image, given dmeans [R,R,C]. */
void pg_passport_means_backward(const pg_layer *layer, const pg_real *dmeans, pg_real *dimage);

/* For comparing the arithmetic of two convolution algorithms: impose the decisions of `from`, a net of the same spec after the
 * same training forward, on this net. An output that a ReLU of `from` set to zero becomes zero; one that it let through stays,
 * or becomes barely positive; pools choose the same pixels. Returns the number of decisions that changed; adds the number of
 * all decisions to *count. */
size_t pg_net_take_decisions(pg_net *net, const pg_net *from, size_t *count);

/* Bytes of the buffers. */
size_t pg_net_bytes(const pg_net *net);

#endif
