/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The maps of neural attention distillation, and the gradient of their distance beside finite differences. */
#include "attacks/attack.h"

extern const pg_attack tested_nad;
#define pg_attack_nad tested_nad
#include "attacks/nad.c" /* NOLINT(bugprone-suspicious-include) */
#undef pg_attack_nad

#include "tests/unit/forgery.h"

enum { PIXELS = 6, CHANNELS = 4, VALUES = PIXELS * CHANNELS };

TEST(the_gradient_of_a_distance_of_attentions_is_that_of_differences)
{
    pg_real x[VALUES], other[VALUES], dx[VALUES], unused[VALUES];
    double work[2 * PIXELS];
    pg_rng rng;
    pg_rng_open(&rng, (pg_seed){.grid = 1, .task = "maps"}, "x", 0);
    for (int i = 0; i < VALUES; i++) {
        x[i] = (pg_real)pg_rng_normal(&rng);
        other[i] = (pg_real)pg_rng_normal(&rng);
    }
    nad_distance(PIXELS, CHANNELS, x, other, 3, work, dx);
    for (int i = 0; i < VALUES; i++) {
        const double h = 1e-6;
        const pg_real was = x[i];
        x[i] = was + (pg_real)h;
        const double up = nad_distance(PIXELS, CHANNELS, x, other, 3, work, unused);
        x[i] = was - (pg_real)h;
        const double difference = (up - nad_distance(PIXELS, CHANNELS, x, other, 3, work, unused)) / (2 * h);
        x[i] = was;
        if (!(fabs(difference - (double)dx[i]) <= 1e-7 * fmax(fabs(difference), 1e-2)))
            fail_msg("value %d: %.9g is not %.9g", i, (double)dx[i], difference);
    }
    assert_true(nad_distance(PIXELS, CHANNELS, x, x, 3, work, unused) == 0);
    for (int i = 0; i < VALUES; i++) x[i] = 0;
    assert_true(isfinite(nad_distance(PIXELS, CHANNELS, x, other, 3, work, dx)) && dx[0] == 0);
}

/* A ResNet has a map at the end of every stage; AlexNet has one behind every pool or chain of convolutions. */
TEST(a_network_has_a_map_of_every_size)
{
    static const site at[] = {{"resnet9", "plain", "default", PG_NORM_BN}, {"alexnet", "plain", "default", PG_NORM_BN}};
    static const int sizes[2][4] = {{32, 16, 8, 4}, {16, 8, 4, 0}};
    for (int n = 0; n < 2; n++) {
        raid r;
        subject victim = subject_at(&at[n]);
        open_forgery(&r, "nad", "{share: 50, batch: 8}", &victim);
        const nad_state *s = r.state;
        assert_int_equal(s->maps, n == 0 ? 4 : 3);
        for (int i = 0; i < s->maps; i++) {
            const pg_layer *l = &s->pupil.model->layers[s->map[i]];
            assert_int_equal(l->in_height, sizes[n][i]);
            if (n == 0) assert_int_equal(s->pupil.model->layers[l->row.input].row.kind, PG_ROW_ADD);
        }
        finish(&r);
        subject_destroy(&victim);
    }
}

/* The trained network attends more as its teacher does than without that part of the loss. Group norm: both networks then run
 * alike. */
TEST(attention_pulls_the_network_to_its_teacher)
{
    static const char *const yamls[] = {
        "{share: 100, batch: 8, epochs: 2, teacher_epochs: 2, lr: 0.01, crop: false, beta: 0}",
        "{share: 100, batch: 8, epochs: 2, teacher_epochs: 2, lr: 0.01, crop: false, beta: 100}",
    };
    double distance[2];
    subject victim = victim_of("v1", PG_NORM_GN);
    for (int i = 0; i < 2; i++) {
        raid r;
        pg_outcome o;
        open_forgery(&r, "nad", yamls[i], &victim);
        nad_state *s = r.state;
        assert_true(next(&r, &o));
        pg_net *net = NULL;
        OK(pg_net_create(&o.model->spec, BATCH, true, PG_CONV_AUTO, &net, &err));
        pg_real *images = NULL;
        OK(pg_alloc((size_t)(BATCH * s->pupil.images.height * s->pupil.images.width * 3), sizeof *images, &images, &err));
        pg_batch_range(&s->pupil.images, 0, BATCH, PG_PIXELS_IMAGENET, images);
        pg_net_forward(net, o.model, PG_PUBLIC, PG_EVAL, images, BATCH);
        pg_net_forward(s->net, s->teacher.model, PG_PUBLIC, PG_EVAL, images, BATCH);
        const pg_step step = {.model = o.model, .net = net, .count = BATCH};
        nad_options same = *s->options;
        same.beta = 1;
        s->options = &same;
        distance[i] = 0;
        for (int k = 0; k < s->maps; k++) distance[i] += nad_map_loss(s, &step, s->map[k], s->dx[k]);
        pg_free(images);
        pg_net_destroy(&net);
        finish(&r);
    }
    if (!(distance[1] < distance[0])) fail_msg("distance %g, without attention %g", distance[1], distance[0]);
    subject_destroy(&victim);
}
