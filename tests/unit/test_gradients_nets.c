/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients with respect to every tensor of a small network: of the total loss of every scheme and norm, and of the loss of the
 * attack that trains passports. */
#include "attacks/attack.h"
#include "core/formats/yaml.h"
#include "tests/unit/differences.h"

static double loss_of(void *context)
{
    return run_small(context, PG_BATCH, true, false, NULL);
}

static void check_network(const pg_net_spec *spec, const char *label)
{
    small_net s;
    open_small(&s, spec, PG_CONV_DIRECT);
    run_small(&s, PG_BATCH, true, true, NULL);
    for (int i = 0; i < s.model->tensor_count; i++) {
        const pg_tensor *t = &s.model->tensors[i];
        char what[160];
        if (t->buffer) continue;
        snprintf(what, sizeof what, "%s %s %s: %s", spec->arch->name, pg_norm_kind_name(spec->norm), label, t->name);
        check_gradient(what, loss_of, &s, s.model->params + t->offset, pg_net_gradients(s.net) + t->offset, t->count);
    }
    close_small(&s);
}

static void check_schemes(const char *arch)
{
    for (int norm = 0; norm < NORMS; norm++)
        for (int scheme = 0; scheme < SCHEMES; scheme++) {
            const pg_net_spec spec = small_spec(arch, (pg_norm_kind)norm, all_schemes[scheme], "default");
            check_network(&spec, all_schemes[scheme]);
        }
}

TEST(gradients_of_alexnet_match_differences_for_every_scheme)
{
    check_schemes("alexnet");
}

TEST(gradients_of_resnet_match_differences_for_every_scheme)
{
    check_schemes("resnet9");
}

/* Passports at the images, at a shortcut, and inside a block. */
TEST(gradients_match_differences_wherever_the_trunk_ends)
{
    const pg_net_spec specs[] = {
        small_spec("alexnet", PG_NORM_BN, "pan", "all"),
        small_spec("resnet9", PG_NORM_GN, "v1", "all"),
        small_spec("resnet9", PG_NORM_BN, "v2", "layer2.0.shortcut"),
        small_spec("resnet9", PG_NORM_BN, "pan", "layer1.0.convbn_2 layer3.0.convbnrelu_1"),
    };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) check_network(&specs[i], "with chosen layers");
}

/* Norms of their own, convolutions without norm, additions without ReLU, dense layers that share their input with others. */
TEST(gradients_of_every_kind_of_row_match_differences)
{
    for (int norm = 0; norm < NORMS; norm++)
        for (int scheme = 0; scheme < SCHEMES; scheme++) {
            if (norm == PG_NORM_GN) continue;
            const pg_net_spec spec = odd_spec((pg_norm_kind)norm, all_schemes[scheme], scheme == 2 ? "stem two" : "default");
            check_network(&spec, all_schemes[scheme]);
        }
}

/* Without a norm, the gradients of the first layers are too small for differences. */
TEST(gradients_of_convolutions_in_groups_match_differences)
{
    for (int norm = 0; norm < NORMS; norm++) {
        if (norm == PG_NORM_NONE) continue;
        const pg_net_spec plain = grouped_spec((pg_norm_kind)norm, "plain", "default"),
                          passports = grouped_spec((pg_norm_kind)norm, "v2", "default");
        check_network(&plain, "plain");
        check_network(&passports, "v2");
    }
}

TEST(gradients_match_differences_without_relu_before_the_addition)
{
    pg_net_spec spec = small_spec("resnet9", PG_NORM_BN, "v2", "default");
    spec.relu_before_add = false;
    check_network(&spec, "v2 without ReLU before addition");
}

TEST(gradients_of_the_imagenet_sizes_match_differences)
{
    pg_net_spec alexnet = small_spec("alexnet-imagenet", PG_NORM_BN, "v2", "default"),
                resnet = small_spec("resnet18-imagenet", PG_NORM_GN, "v2", "default");
    alexnet.image_height = 63;
    alexnet.image_width = 95;
    resnet.image_height = 33;
    resnet.image_width = 41;
    check_network(&alexnet, "v2");
    check_network(&resnet, "v2");
}

/* ---- fake 3 ---- */

typedef struct fake3_case {
    small_net s;
    pg_evidence *forged;
} fake3_case;

/* The attack's loss: cross-entropy of the private branch, sign loss, and a term that grows as a passport approaches the
 * original. */
static double fake3_objective(void *context)
{
    fake3_case *c = context;
    small_net *s = &c->s;
    OK(pg_passports_install(s->net, s->model, c->forged, &err));
    const pg_real *logits = pg_net_forward(s->net, s->model, PG_PRIVATE, PG_BATCH, s->images, SMALL_BATCH);
    double loss = pg_cross_entropy(SMALL_BATCH, SMALL_CLASSES, logits, s->labels, 0, NULL, NULL);
    loss += pg_sign_loss(0.1, c->forged, s->net);
    for (int i = 0; i < c->forged->passport_count; i++) {
        const pg_passport *a = &c->forged->passports[i], *b = &s->evidence->passports[i];
        const size_t n = (size_t)(a->height * a->width * a->inputs);
        const pg_real *const pairs[2][2] = {{a->key, b->key}, {a->skey, b->skey}};
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            for (size_t e = 0; e < n; e++) sum += pow((double)(pairs[k][0][e] - pairs[k][1][e]), 2);
            loss += (double)n / sum;
        }
    }
    return loss;
}

/* The attack's forgery after one step of plain gradient descent at this rate. */
static pg_evidence *fake3_step(const pg_attack_view *view, const char *rate)
{
    static pg_problems problems;
    const pg_attack *attack = pg_attack_find("fake3");
    pg_tree *tree = NULL;
    void *options = NULL, *state = NULL;
    pg_attack_state what = PG_ATTACK_WORKING;
    pg_outcome outcome = {0};
    pg_evidence *forged = NULL;
    char yaml[160];
    snprintf(yaml, sizeof yaml,
             "{flips: 0.3, noise: 0.5, clip: 1e6, epochs: 1, batch: %d, lr: %s, momentum: 0, weight_decay: 0, crop: false}",
             SMALL_BATCH, rate);
    OK(pg_alloc(1, attack->options_size, &options, &err));
    OK(pg_alloc(1, attack->state_size, &state, &err));
    OK(pg_options_defaults(attack->options, options, &err));
    OK(pg_yaml_parse_text(yaml, "test", &tree, &err));
    problems.count = 0;
    pg_options_read(attack->options, tree->root, options, &problems);
    if (problems.count) fail_msg("%s", problems.lines[0]);
    OK(attack->start(state, options, view, &err));
    while (what < PG_ATTACK_OUTCOME) OK(attack->step(state, &what, &outcome, &err));
    OK(pg_evidence_clone(outcome.evidence, &forged, &err));
    attack->finish(state);
    pg_tree_destroy(&tree);
    pg_free(options);
    pg_free(state);
    return forged;
}

/* The objective uses the images of the attack's only step, mirrored and shifted in the same way. */
static void share_batch(small_net *s, const pg_attack_view *view)
{
    pg_batches *batches = NULL;
    OK(pg_batches_create(view->train, SMALL_BATCH, (pg_augment){.flip = true}, view->pixels, view->seed, &batches, &err));
    OK(pg_batches_get(batches, 0, 0, s->images, s->labels, &err));
    pg_batches_destroy(&batches);
}

static void check_fake3(const char *scheme, pg_norm_kind norm)
{
    fake3_case c;
    pg_dataset images = {.name = "images", .classes = SMALL_CLASSES};
    const pg_net_spec spec = small_spec("alexnet", norm, scheme, "default");
    open_small(&c.s, &spec, PG_CONV_AUTO);
    OK(pg_dataset_allocate(&images, SMALL_BATCH, spec.image_height, spec.image_width, &err));
    for (int i = 0; i < SMALL_BATCH * spec.image_height * spec.image_width * 3; i++)
        images.images[i] = (uint8_t)pg_rng_below(&rng, 256);
    for (int i = 0; i < SMALL_BATCH; i++) images.labels[i] = c.s.labels[i];
    const pg_attack_view view = {
        .model = c.s.model, .evidence = c.s.evidence, .train = &images, .seed = {.grid = 7, .task = "fake3"}};
    share_batch(&c.s, &view);
    c.forged = fake3_step(&view, "1e-300");
    pg_evidence *moved = fake3_step(&view, "1");
    for (int i = 0; i < moved->passport_count; i++) {
        pg_passport *from = &c.forged->passports[i], *to = &moved->passports[i];
        const size_t n = (size_t)(from->height * from->width * from->inputs);
        for (size_t e = 0; e < n; e++) {
            to->key[e] = from->key[e] - to->key[e];
            to->skey[e] = from->skey[e] - to->skey[e];
        }
        check_gradient("fake3: key", fake3_objective, &c, from->key, to->key, n);
        check_gradient("fake3: skey", fake3_objective, &c, from->skey, to->skey, n);
    }
    pg_evidence_destroy(&moved);
    pg_evidence_destroy(&c.forged);
    pg_dataset_clear(&images);
    close_small(&c.s);
}

TEST(gradients_of_fake3_match_differences)
{
    check_fake3("v1", PG_NORM_BN);
    check_fake3("v2", PG_NORM_GN);
    check_fake3("pan", PG_NORM_BN);
}
