/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a network's loss depends on pictures: the gradient that makers and forgers of triggers follow. The weights stay. */
#ifndef PG_OWNERSHIP_PICTURE_LOSS_H
#define PG_OWNERSHIP_PICTURE_LOSS_H

#include "core/data/batch.h"
#include "core/nets/net.h"

typedef struct pg_picture_loss {
    pg_net *net;
    pg_real *images, *dlogits; /* of one call */
} pg_picture_loss;

/* For up to `most` pictures in a call, on networks of this spec. Ended by close, also after a failure. */
PG_CHECKED pg_status pg_picture_loss_open(const pg_net_spec *spec, int most, pg_picture_loss *out, pg_error *err);
void pg_picture_loss_close(pg_picture_loss *loss);

/* Show pictures from .. from + n - 1 to the public branch of a model, with running statistics. loss [n]: cross-entropy of each
 * picture's label; right [n]: it is the answer. Either may be NULL. */
void pg_picture_loss_show(pg_picture_loss *loss, pg_model *model, const pg_dataset *pictures, int from, int n, pg_pixels pixels,
                          double *losses, bool *right);

/* The same for n pictures that the caller wrote to loss->images, [n,H,W,3] in normalised pixels, and their labels. */
void pg_picture_loss_run(pg_picture_loss *loss, pg_model *model, int n, const int32_t *labels, double *losses, bool *right);

/* After show or run: the gradient of each picture's loss, [n,H,W,3] in normalised pixels. Valid until the next call. */
const pg_real *pg_picture_loss_gradient(pg_picture_loss *loss, pg_model *model);

/* Move pixels by `levels` of 255 along the sign of their gradient, within the range of a pixel. */
void pg_picture_move(uint8_t *pixels, const pg_real *gradient, size_t count, int levels);

/* After show: move every pixel of these pictures by `levels` of 255 along the sign of the gradient, within the range of a
 * pixel. That raises their losses; negative levels lower them. */
void pg_picture_loss_step(pg_picture_loss *loss, pg_model *model, pg_dataset *pictures, int from, int n, int levels);

#endif
