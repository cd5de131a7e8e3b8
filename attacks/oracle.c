/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The deployed network as a service; see oracle.h. */
#include "attacks/oracle.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/nets/net.h"

#include <string.h>

enum { CHUNK = 64 }; /* images run at a time */

struct pg_oracle {
    pg_model *model;
    pg_net *net;
    pg_pixels pixels;
    pg_real *images;
};

pg_status pg_oracle_open(const pg_model *running, pg_pixels pixels, pg_oracle **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_oracle *o = NULL;
    const pg_net_spec *spec = &running->spec;
    PG_TRY(pg_alloc(1, sizeof *o, &o, err));
    o->pixels = pixels;
    PG_TRY(pg_model_clone(running, &o->model, err));
    PG_TRY(pg_net_create(spec, CHUNK, false, PG_CONV_AUTO, &o->net, err));
    PG_TRY(pg_alloc((size_t)CHUNK * (size_t)(spec->image_height * spec->image_width * 3), sizeof *o->images, &o->images, err));
    *out = o;
    o = NULL;
done:
    pg_oracle_close(&o);
    return status;
}

void pg_oracle_close(pg_oracle **oracle)
{
    if (!*oracle) return;
    pg_net_destroy(&(*oracle)->net);
    pg_model_destroy(&(*oracle)->model);
    pg_free((*oracle)->images);
    pg_free(*oracle);
    *oracle = NULL;
}

void pg_oracle_ask(pg_oracle *oracle, const pg_dataset *images, int from, int n, pg_real *logits)
{
    const size_t classes = (size_t)oracle->model->spec.classes;
    for (int at = 0; at < n; at += CHUNK) {
        const int count = pg_min(CHUNK, n - at);
        pg_batch_range(images, from + at, count, oracle->pixels, oracle->images);
        const pg_real *answers = pg_net_forward(oracle->net, oracle->model, PG_PUBLIC, PG_EVAL, oracle->images, count);
        memcpy(logits + (size_t)at * classes, answers, (size_t)count * classes * sizeof *logits);
    }
}

int pg_oracle_class(const pg_real *logits, int classes)
{
    int best = 0;
    for (int c = 1; c < classes; c++) best = logits[c] > logits[best] ? c : best;
    return best;
}

double pg_oracle_macs(const pg_oracle *oracle)
{
    return pg_model_macs(oracle->model);
}
