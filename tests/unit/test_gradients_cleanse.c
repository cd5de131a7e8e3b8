/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gradient that the search of neural cleanse follows, beside finite differences. */
#include "attacks/attack.h"

extern const pg_attack tested_cleanse;
#define pg_attack_cleanse tested_cleanse
#include "attacks/cleanse.c" /* NOLINT(bugprone-suspicious-include) */
#undef pg_attack_cleanse

#include "tests/unit/forgery.h"

enum { SHOWN = 6 };

/* Mean cross-entropy of the class on stamped images, and the size of the stamp. */
static double loss_of_stamp(cleanse_state *s)
{
    int32_t wanted[SHOWN];
    double losses[SHOWN], sum = s->options->lambda * cleanse_size_of_stamp(s);
    for (int i = 0; i < SHOWN; i++) wanted[i] = s->class;
    pg_batch_range(&s->pupil.images, 0, SHOWN, s->pixels, s->loss.images);
    cleanse_put_stamp(s, s->stamp, SHOWN, s->loss.images);
    pg_picture_loss_run(&s->loss, s->pupil.model, SHOWN, wanted, losses, NULL);
    for (int i = 0; i < SHOWN; i++) sum += losses[i] / SHOWN;
    return sum;
}

TEST(the_gradient_of_the_stamp_is_that_of_differences)
{
    raid r;
    subject victim = victim_of("v2", PG_NORM_BN);
    open_forgery(&r, "cleanse", "{share: 50, batch: 8, lambda: 0.01}", &victim);
    cleanse_state *s = r.state;
    s->class = 3;
    cleanse_begin_class(s);
    loss_of_stamp(s);
    cleanse_find_gradient(s, SHOWN, s->loss.images, pg_picture_loss_gradient(&s->loss, s->pupil.model));
    for (size_t k = 0; k < 24; k++) {
        const double h = 1e-5;
        const size_t i = k < 8 ? 37 * k : s->places + 131 * k;
        const double was = s->stamp[i], gradient = s->gradient[i];
        s->stamp[i] = was + h;
        const double up = loss_of_stamp(s);
        s->stamp[i] = was - h;
        const double difference = (up - loss_of_stamp(s)) / (2 * h);
        s->stamp[i] = was;
        if (!(fabs(difference - gradient) <= 1e-5 * fmax(fabs(gradient), 1e-3)))
            fail_msg("entry %zu: %.9g is not %.9g", i, gradient, difference);
    }
    finish(&r);
    subject_destroy(&victim);
}
