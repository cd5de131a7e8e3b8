/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dummy channels: the wider network has the same logits, and alignment to the original drops them again. Both builds run this;
 * the bound of the double one is 1e-9. */
#include "attacks/attack.h"
#include "core/nets/dummies.h"
#include "core/nets/rewrite.h"
#include "core/nets/state.h"
#include "core/ownership/align.h"
#include "tests/unit/small_net.h"
#include "tests/unit/subject.h"

#include <math.h>

static const double bound = sizeof(pg_real) == sizeof(double) ? 1e-9 : 2e-4; /* of a logit, relative to the largest */
static const char *const kinds[] = {"zero", "clique", "split", "all"};       /* by pg_dummy_kind */

static void logits_of(pg_model *model, const pg_real *images, pg_real logits[SMALL_BATCH * SMALL_CLASSES])
{
    pg_net *net = NULL;
    OK(pg_net_create(&model->spec, SMALL_BATCH, false, PG_CONV_AUTO, &net, &err));
    memcpy(logits, pg_net_forward(net, model, PG_PUBLIC, PG_EVAL, images, SMALL_BATCH),
           SMALL_BATCH * SMALL_CLASSES * sizeof *logits);
    pg_net_destroy(&net);
}

/* The model with dummy channels, permuted, scaled and flipped. */
static pg_model *thiefs_copy(const pg_model *model, pg_dummy_kind kind, double percent)
{
    pg_rng rng;
    pg_dummies *added = NULL;
    pg_rewrite *rewrite = NULL;
    pg_model *wide = NULL, *copy = NULL;
    pg_rng_open(&rng, (pg_seed){.grid = 5, .task = "dummies"}, "dummies", 0);
    OK(pg_dummies_draw(model, kind, percent, &rng, &added, &err));
    OK(pg_model_widen(model, added, &wide, &err));
    OK(pg_rewrite_create(&wide->layout, &rewrite, &err));
    pg_rewrite_draw(wide, PG_PUBLIC, PG_REWRITE_PERMUTE | PG_REWRITE_SCALE | PG_REWRITE_FLIP, &rng, rewrite);
    OK(pg_rewrite_check(wide, PG_PUBLIC, rewrite, &err));
    OK(pg_model_create(&wide->spec, &copy, &err));
    OK(pg_model_rewrite(wide, rewrite, copy, &err));
    pg_rewrite_destroy(&rewrite);
    pg_dummies_destroy(&added);
    pg_model_destroy(&wide);
    return copy;
}

static void assert_near(const pg_real *x, const pg_real *y, size_t count, double tolerance, const char *what)
{
    double most = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)x[i]));
        off = fmax(off, fabs((double)x[i] - (double)y[i]));
    }
    if (!(off <= tolerance * most)) fail_msg("%s: off by %g of %g", what, off, most);
}

/* Every weight comes back, so every bit that a reader could see does too. If norms of their own read the channels, only their
 * directions come back to the last digit: alignment ends with the pairs, before the scales have settled. */
static void check_alignment(const pg_model *model, const pg_model *copy, bool settles, const char *what)
{
    pg_alignment a;
    OK(pg_align(model, copy, NULL, 0, &a, &err));
    assert_true(a.similarity > (settles ? 0.9999 : 0.999) && pg_alignment_derives(&a));
    for (int i = 0; settles && i < model->layer_count; i++) {
        const pg_layer *l = &model->layers[i];
        const pg_filters f = pg_layer_filters(l);
        if (l->weight < 0) continue;
        assert_near(model->params + l->weight, a.model->params + a.model->layers[i].weight,
                    (size_t)f.taps * (size_t)f.inputs * (size_t)f.outputs, 1e-3, what);
    }
    pg_alignment_clear(&a);
}

static void check(const pg_net_spec *spec, pg_dummy_kind kind, double percent, bool settles)
{
    char what[96];
    small_net s;
    pg_real before[SMALL_BATCH * SMALL_CLASSES], after[SMALL_BATCH * SMALL_CLASSES];
    snprintf(what, sizeof what, "%s, %s, %s", spec->arch->name, pg_norm_kind_name(spec->norm), kinds[kind]);
    open_small(&s, spec, PG_CONV_AUTO);
    pg_model *copy = thiefs_copy(s.model, kind, percent);
    assert_true(copy->param_count > s.model->param_count);
    logits_of(s.model, s.images, before);
    logits_of(copy, s.images, after);
    assert_near(before, after, SMALL_BATCH * SMALL_CLASSES, bound, what);
    check_alignment(s.model, copy, settles, what);
    pg_model_destroy(&copy);
    close_small(&s);
}

TEST(wider_networks_keep_their_logits_and_come_back)
{
    static const char *const archs[] = {"alexnet", "resnet9", "resnet18"};
    for (int a = 0; a < 3; a++)
        for (int norm = 0; norm < NORMS; norm++)
            for (int kind = 0; kind < 4; kind++) {
                pg_net_spec spec = small_spec(archs[a], (pg_norm_kind)norm, "plain", "");
                spec.image_width = 16;
                if (norm == PG_NORM_IN) continue; /* without affine, instance norm hides the size of a channel */
                check(&spec, (pg_dummy_kind)kind, kind == PG_DUMMIES_SPLIT ? 100 : 10, true);
            }
}

TEST(odd_numbers_of_channels_are_widened_too)
{
    const pg_net_spec spec = odd_spec(PG_NORM_BN, "plain", "");
    for (int kind = 0; kind < 4; kind++) check(&spec, (pg_dummy_kind)kind, 30, false);
}

static pg_net_spec spec_of(const char *text)
{
    const pg_arch *arch = NULL;
    OK(pg_arch_parse(text, "text", &arch, &err));
    return pg_net_spec_plain(arch, PG_NORM_BN, SMALL_CLASSES);
}

TEST(channels_that_are_added_to_the_images_stay_three)
{
    const pg_net_spec spec = spec_of("{name: sum, image: 16, rows: [{row: conv, channels: 3}, {row: add, with: images}, "
                                     "{row: conv, channels: 16}, {row: dense}]}");
    for (int kind = 0; kind < 4; kind++) check(&spec, (pg_dummy_kind)kind, 30, true);
}

TEST(a_network_without_room_for_dummies_is_refused_at_once)
{
    const pg_net_spec spec = spec_of("{name: full, image: 16, rows: [{row: conv, channels: 16, norm: false}, {row: norm}, "
                                     "{row: dense}]}");
    const pg_attack *attack = pg_attack_find("rewrite");
    void *options = read_options(attack->options, attack->options_size, "{dummies: zero}");
    small_net s;
    open_small(&s, &spec, PG_CONV_AUTO);
    FAILS(attack->check(options, &(pg_attack_view){.model = s.model}, &err), PG_BAD_INPUT,
          "dummies: no layer of full can have more channels");
    pg_free(options);
    close_small(&s);
}

TEST(a_wider_network_is_a_network_of_its_own)
{
    const pg_net_spec spec = small_spec("resnet9", PG_NORM_BN, "plain", "");
    small_net s;
    pg_model *again = NULL;
    open_small(&s, &spec, PG_CONV_AUTO);
    pg_model *copy = thiefs_copy(s.model, PG_DUMMIES_ALL, 10), *twice = thiefs_copy(copy, PG_DUMMIES_ALL, 10);
    assert_string_equal(copy->spec.arch->name, "resnet9-wide");
    assert_string_equal(twice->spec.arch->name, "resnet9-wide");
    assert_true(pg_net_spec_alike(&copy->spec, &s.model->spec));
    for (int i = 0; i < s.model->layer_count - 1; i++) {
        const bool inner = strstr(s.model->layers[i].row.name, ".convbnrelu_1") != NULL;
        assert_int_equal(copy->layers[i].out_channels, s.model->layers[i].out_channels + (inner ? 6 : 0));
    }
    OK(pg_model_save(copy, NULL, 0, "wide.safetensors", &err));
    OK(pg_model_load("wide.safetensors", NULL, &again, NULL, &err));
    assert_ptr_equal(again->spec.arch, copy->spec.arch);
    pg_model_destroy(&again);
    pg_model_destroy(&twice);
    pg_model_destroy(&copy);
    close_small(&s);
}
