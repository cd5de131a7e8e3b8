/* A net: the memory in which a model runs forward and backward, planned once for a batch size.
 *
 * The net holds activations, gradients and the passports' window means; the weights stay in the model. One net serves any model
 * of the same spec. Nothing is allocated after pg_net_create.
 *
 * Both branches of V2, V3 or PAN are trained at once: forward(BOTH), backward. Layers whose input is the same in both branches
 * (everything up to the convolution and the statistics of the first passport layer) are run once, and their gradient, the sum
 * of both branches, is taken once; a convolution beyond takes the images of both branches in one go, and reads its weights
 * once; running statistics are updated as two passes would. */
#ifndef PG_NETS_NET_H
#define PG_NETS_NET_H

#include "core/compute/conv.h"
#include "core/nets/model.h"

typedef struct pg_net pg_net;

/* How normalisation gets its statistics. TRAIN: from the batch, and the running ones move. BATCH: from the batch, the running
 * ones stay. EVAL: the running ones. Group and instance norm always use the image's own. */
typedef enum pg_mode { PG_EVAL, PG_TRAIN, PG_BATCH } pg_mode;

/* Plan for batches of up to `batch` images; training adds what backward needs. */
PG_CHECKED pg_status pg_net_create(const pg_net_spec *spec, int batch, bool training, pg_conv_choice choice, pg_net **out,
                                   pg_error *err);
void pg_net_destroy(pg_net **net);

/* Set passport i by its window means [R,R,I] (see pg_passport_means); copied. */
void pg_net_set_passport(pg_net *net, int i, const pg_real *scale_means, const pg_real *bias_means);
/* Compute gamma and beta of every passport from the model's weights. A private forward of a training net does so by itself; one
 * of another net takes them as they are, since there the weights stay. */
void pg_net_refresh_passports(pg_net *net, const pg_model *model);

/* Logits [n,classes] of images [n,height,width,3], with PG_BOTH (training nets) those of the public branch and then those of
 * the private one, [2,n,classes]; borrowed from the net, valid until the next forward. images are borrowed until the backward
 * of this batch. model is written only in mode TRAIN (running statistics). */
const pg_real *pg_net_forward(pg_net *net, pg_model *model, pg_branch branch, pg_mode mode, const pg_real *images, int n);

/* The trunk: all layers that no passport precedes. For a fixed set of images it need be run only once, whatever passports are
 * tried. pg_net_trunk_forward runs it, in mode EVAL, on n images and keeps what the other layers read in trunk
 * [n * pg_net_trunk_size], in an order of its own; pg_net_forward_from_trunk runs the others from there. Logits are those of
 * pg_net_forward in mode EVAL, bit for bit, and as long valid. Only for models with passport layers. */
size_t pg_net_trunk_size(const pg_net *net); /* elements of one image */
void pg_net_trunk_forward(pg_net *net, pg_model *model, const pg_real *images, int n, pg_real *trunk);
const pg_real *pg_net_forward_from_trunk(pg_net *net, pg_model *model, pg_branch branch, const pg_real *trunk, int n);

/* Add the gradient of a loss with d loss / d logits = dlogits, as the logits, to the gradients. Follows a forward of a training
 * net; after one in mode EVAL the running statistics count as constants. */
void pg_net_backward(pg_net *net, pg_model *model, const pg_real *dlogits);

/* Gradients, laid out as the model's params; zero in a new net. */
pg_real *pg_net_gradients(pg_net *net);
void pg_net_zero_gradients(pg_net *net);

/* No gradient is computed for layers before this one (0: all are trained; PG_IMAGES: the images' gradient is wanted too). */
void pg_net_train_from(pg_net *net, int layer);
/* No gradient is computed for the weights and biases of convolutions and dense layers: only affines, passports or images are
 * trained. */
void pg_net_keep_weights(pg_net *net);
/* Multiply-adds of one image: forward in the branches, those that both share once, and backward as far as is trained, two
 * products a layer, one where the weights stay. */
double pg_net_training_macs(const pg_net *net, int branches);
/* d loss / d images [n,height,width,3] of the last backward, if wanted. */
const pg_real *pg_net_image_gradient(const pg_net *net);

/* gamma [O] that passport i gives by itself, as last computed (before PAN's perceptron): what carries the signature. */
const pg_real *pg_net_gamma(const pg_net *net, int i);
/* The affine in force at passport i in the last forward of the private branch, [O] each. */
const pg_real *pg_net_scale(const pg_net *net, int i);
const pg_real *pg_net_bias(const pg_net *net, int i);
/* Where a regulariser adds d loss / d gamma of passport i, [O], between a forward and a backward that the private branch is in.
 */
pg_real *pg_net_gamma_gradient(pg_net *net, int i);
/* d loss / d beta of passport i, [O], after that backward; gamma's too are then complete. */
pg_real *pg_net_beta_gradient(pg_net *net, int i);

/* Activations that entered a layer in the last forward of a training net, [n,H,W,C]. Of an addition, only the summand that the
 * row before it does not make. */
const pg_real *pg_net_input(const pg_net *net, int layer);

/* Window means of a passport: means [R,R,C][i,j,c] is the mean over output positions (y,x) of the zero-padded image at (y
 * stride + i - pad, x stride + j - pad, c). gamma = sum over j of means[j] w[j,:] equals the mean over positions of the
 * convolution of the image. image [H,W,C] with H, W, C, R, stride and pad of the layer. */
void pg_passport_means(const pg_layer *layer, const pg_real *image, pg_real *means);

/* Its adjoint: dimage [H,W,C] is overwritten by the gradient of the image, given that of the means. */
void pg_passport_means_backward(const pg_layer *layer, const pg_real *dmeans, pg_real *dimage);

/* For comparing the arithmetic of two convolution algorithms: decisions of the last training forward become those of `from`, a
 * net of the same spec after the same forward. What its ReLUs stopped becomes zero here, what they let through stays or becomes
 * barely positive, and pools take the same pixels. Returns how many were others; adds the number of all to *count. */
size_t pg_net_take_decisions(pg_net *net, const pg_net *from, size_t *count);

/* Bytes planned. */
size_t pg_net_bytes(const pg_net *net);

#endif
