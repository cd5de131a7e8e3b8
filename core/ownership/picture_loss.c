/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a network's loss depends on pictures; see picture_loss.h. */
#include "core/ownership/picture_loss.h"

#include "core/base/memory.h"
#include "core/compute/kernels.h"

pg_status pg_picture_loss_open(const pg_net_spec *spec, int most, pg_picture_loss *out, pg_error *err)
{
    pg_status status = PG_OK;
    *out = (pg_picture_loss){.net = NULL};
    PG_TRY(pg_net_create(spec, most, true, PG_CONV_AUTO, &out->net, err));
    pg_net_train_from(out->net, PG_IMAGES);
    pg_net_keep_weights(out->net, true);
    PG_TRY(
        pg_alloc((size_t)most * (size_t)(spec->image_height * spec->image_width * 3), sizeof *out->images, &out->images, err));
    PG_TRY(pg_alloc((size_t)most * (size_t)spec->classes, sizeof *out->dlogits, &out->dlogits, err));
done:
    return status;
}

void pg_picture_loss_close(pg_picture_loss *loss)
{
    pg_net_destroy(&loss->net);
    pg_free(loss->images);
    pg_free(loss->dlogits);
    *loss = (pg_picture_loss){.net = NULL};
}

void pg_picture_loss_show(pg_picture_loss *loss, pg_model *model, const pg_dataset *pictures, int from, int n, pg_pixels pixels,
                          double *losses, bool *right)
{
    pg_batch_range(pictures, from, n, pixels, loss->images);
    pg_picture_loss_run(loss, model, n, pictures->labels + from, losses, right);
}

void pg_picture_loss_run(pg_picture_loss *loss, pg_model *model, int n, const int32_t *labels, double *losses, bool *right)
{
    const int classes = model->spec.classes;
    const pg_real *logits = pg_net_forward(loss->net, model, PG_PUBLIC, PG_EVAL, loss->images, n);
    for (int i = 0; i < n; i++) {
        int hit = 0;
        const ptrdiff_t at = (ptrdiff_t)i * classes;
        const double own = pg_cross_entropy(1, classes, logits + at, &labels[i], 0, loss->dlogits + at, &hit);
        if (losses) losses[i] = own;
        if (right) right[i] = hit;
    }
}

const pg_real *pg_picture_loss_gradient(pg_picture_loss *loss, pg_model *model)
{
    pg_net_backward(loss->net, model, loss->dlogits);
    return pg_net_image_gradient(loss->net);
}

void pg_picture_move(uint8_t *pixels, const pg_real *gradient, size_t count, int levels)
{
    for (size_t i = 0; i < count; i++) {
        const int level = pixels[i] + levels * ((gradient[i] > 0) - (gradient[i] < 0));
        pixels[i] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
    }
}

void pg_picture_loss_step(pg_picture_loss *loss, pg_model *model, pg_dataset *pictures, int from, int n, int levels)
{
    const size_t size = (size_t)pictures->height * (size_t)pictures->width * 3;
    pg_picture_move(pictures->images + (size_t)from * size, pg_picture_loss_gradient(loss, model), (size_t)n * size, levels);
}
