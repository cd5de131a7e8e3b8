/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overwriting: the thief continues to train the stolen model and embeds evidence of his own by the owner's scheme. The outcome
 * has both: the changed model, on which the judge hears the owner's evidence, and the thief's evidence. A mark or a trigger set
 * is added to the owner's. In a V1 network the thief's passports take the place of the owner's; to V2, V3 and PAN, of which he
 * has only the public branch, he attaches a private branch of his own (in PAN with a new perceptron); the owner's branch is put
 * back before the owner's evidence is judged. He may use another scheme; then the network is wired as that scheme wants it. He
 * knows the scheme but none of the owner's options: his are its defaults, those that he chooses, or those with which his
 * evidence is bound to a secret of his own. Images for passports go through his copy of the stolen network. With `data` he
 * trains on another data set, with a last layer for its classes, and both claims are judged there. With `part: marked` he
 * trains only the layers that carry his mark and their norms, and with a small `share` he has few images: the attack of Chen et
 * al. on marks in weights, without the block that they add to the norm. Sources: Uchida et al., ICMR 2017 (overwriting); Lukas
 * et al., IEEE S&P 2022; Chen, Tian, Chen, Zhou, CVPR 2023, section 4.3. */
#include "attacks/tuning.h"

#include "core/base/memory.h"
#include "core/formats/yaml.h"
#include "core/nets/spaces.h"
#include "core/ownership/mark.h"

#include <math.h>
#include <string.h>

enum { PART_ALL, PART_MARKED };
static const char *const parts[] = {"all", "marked", NULL};

typedef struct overwrite_options {
    pg_tuning tuning;
    bool bound;
    char scheme[PG_TEXT_MAX], settings[PG_TEXT_MAX], data[PG_TEXT_MAX];
    int part, data_train, data_test;
    double share;
} overwrite_options;

static const pg_option options[] = {
    PG_TUNING_OPTIONS(overwrite_options, "20", "0.01", "true"),
    {PG_OPTION("bound", overwrite_options, bound, BOOL, bool, "false",
               "the thief's evidence follows from a secret of his own, so that it can prove"),
     .later = true},
    {PG_OPTION("thiefs_scheme", overwrite_options, scheme, TEXT, char *, "", "scheme of his evidence; empty: the owner's"),
     .later = true},
    {PG_OPTION("thiefs_options", overwrite_options, settings, TEXT, char *, "",
               "options of his evidence as KEY=VALUE, separated by spaces; the others have their defaults"),
     .later = true},
    {PG_OPTION("part", overwrite_options, part, CHOICE, int, "all",
               "parameters that he trains: all, or those of the layers that carry his mark, with their norms"),
     .choices = parts, .later = true},
    {PG_OPTION("share", overwrite_options, share, REAL, double, "100",
               "number of his images, as a share of the owner's training set, or of the other data set"),
     .low = PG_ABOVE_ZERO, .high = 100, .unit = "percent", .later = true},
    {PG_OPTION("data", overwrite_options, data, TEXT, char *, "", "data set to train on; empty: the victim's own"),
     .later = true},
    {PG_OPTION("data_train", overwrite_options, data_train, INT, int, "0", "training images of that data set; 0: all"),
     .high = 1e9, .unit = "images", .later = true},
    {PG_OPTION("data_test", overwrite_options, data_test, INT, int, "0", "test images of that data set; 0: all"), .high = 1e9,
     .unit = "images", .later = true},
    {0},
};

typedef struct overwrite_state {
    pg_tuned tuned;
    const pg_attack_view *view;
    const pg_scheme *scheme; /* the thief's, and its options */
    void *scheme_options;
    pg_model *model, *owners; /* with the thief's private branch; with the owner's branch put back */
    pg_model *held;           /* for part marked: whose other layers stay; else NULL */
    pg_evidence *evidence;    /* the thief's */
    pg_dataset few, images;   /* his share of the training set, owned; the images that he trains on */
} overwrite_state;

static pg_other_data overwrite_other_data(const void *values)
{
    const overwrite_options *o = values;
    return (pg_other_data){.name = o->data[0] ? o->data : NULL, .key = "data", .train = o->data_train, .test = o->data_test};
}

/* The images of which he takes a share. His last layer is for their classes. */
static const pg_dataset *overwrite_source(const pg_attack_view *view)
{
    return view->other ? &view->other->train : view->train;
}

static int overwrite_count(const overwrite_options *o, const pg_attack_view *view)
{
    return (int)lround(o->share / 100 * overwrite_source(view)->count);
}

/* With what he makes evidence. */
static pg_data overwrite_data(const pg_attack_view *view, const pg_dataset *images)
{
    return (pg_data){.train = *images, .test = view->other ? view->other->test : *view->pictures};
}

/* The thief's scheme; PG_BAD_INPUT if there is none of that name, or if it makes no evidence. */
static pg_status overwrite_find(const overwrite_options *o, const pg_attack_view *view, const pg_scheme **out, pg_error *err)
{
    *out = o->scheme[0] ? pg_scheme_find(o->scheme) : view->scheme;
    if (*out && (*out)->holds) return PG_OK;
    return pg_fail(err, PG_BAD_INPUT, "thiefs_scheme: there is no scheme '%s' that makes evidence", o->scheme);
}

/* The network that the thief trains, as his scheme wires it. */
static pg_status overwrite_wire(const pg_attack_view *view, const pg_scheme *scheme, const void *chosen, pg_net_spec *out,
                                pg_error *err)
{
    *out = view->model->spec;
    out->classes = overwrite_source(view)->classes;
    return scheme == view->scheme ? PG_OK : pg_scheme_wire(scheme, chosen, out, err);
}

/* "a=1 b=2" as the map "{a: 1, b: 2}". */
static void overwrite_write_map(const char *text, char map[2 * PG_TEXT_MAX + 2])
{
    char *to = map;
    *to++ = '{';
    for (; *text; text++) {
        *to++ = (char)(*text == '=' ? ':' : *text == ' ' ? ',' : *text);
        if (*text == '=' || *text == ' ') *to++ = ' ';
    }
    strcpy(to, "}");
}

static pg_status overwrite_set(const char *text, const pg_scheme *scheme, void *values, pg_error *err)
{
    pg_status status = PG_OK;
    pg_tree *tree = NULL;
    pg_problems problems = {.count = 0};
    char map[2 * PG_TEXT_MAX + 2];
    overwrite_write_map(text, map);
    PG_TRY(pg_yaml_parse_text(map, "thiefs_options", &tree, err));
    pg_options_read(scheme->options, tree->root, values, &problems);
    PG_TRY(pg_problems_status(&problems, "thiefs_options", err));
done:
    pg_tree_destroy(&tree);
    return status;
}

/* The thief's options of the scheme. */
static pg_status overwrite_choose(const overwrite_options *o, const pg_scheme *scheme, void *values, pg_error *err)
{
    pg_status status = PG_OK;
    PG_TRY(pg_options_defaults(scheme->options, values, err));
    PG_TRY(overwrite_set(o->settings, scheme, values, err));
    if (!o->bound) return PG_OK;
    if (!scheme->bound[0].key)
        return pg_fail(err, PG_BAD_INPUT, "bound: evidence of %s cannot be bound to a secret", scheme->name);
    for (int i = 0; scheme->bound[i].key; i++)
        PG_TRY(pg_options_set(scheme->options, scheme->bound[i].key, scheme->bound[i].text, values, err));
done:
    return status;
}

static pg_status overwrite_make_evidence(overwrite_state *s, pg_error *err)
{
    const pg_attack_view *view = s->view;
    pg_status status = PG_OK;
    pg_model *copy = NULL;
    const pg_data data = overwrite_data(view, &s->images);
    PG_TRY(pg_model_clone(view->running, &copy, err));
    const pg_keygen in = {.scheme = s->scheme,
                          .spec = &s->model->spec,
                          .seed = view->seed,
                          .data = &data,
                          .pixels = view->pixels,
                          .pretrained = copy};
    PG_TRY(pg_scheme_keygen(s->scheme_options, &in, &s->evidence, err));
done:
    pg_model_destroy(&copy);
    return status;
}

/* The inputs of key generation for his evidence. */
static pg_status overwrite_check_evidence(const overwrite_options *o, const pg_attack_view *view, const pg_dataset *images,
                                          pg_error *err)
{
    pg_status status = PG_OK;
    void *chosen = NULL;
    const pg_scheme *scheme;
    pg_net_spec wired = view->model->spec, used;
    const pg_data data = overwrite_data(view, images);
    PG_TRY(overwrite_find(o, view, &scheme, err));
    if (o->part == PART_MARKED && !(scheme->holds & PG_HOLDS_MARK))
        return pg_fail(err, PG_BAD_INPUT, "part: evidence of %s marks no layers", scheme->name);
    const pg_keygen in = {.scheme = scheme, .spec = &used, .seed = view->seed, .data = &data, .pixels = view->pixels};
    PG_TRY(pg_alloc(1, scheme->options_size, &chosen, err));
    PG_TRY(overwrite_choose(o, scheme, chosen, err));
    status = pg_scheme_wire(scheme, chosen, &wired, err);
    if (status == PG_OK) status = overwrite_wire(view, scheme, chosen, &used, err);
    if (status == PG_OK) status = pg_scheme_check(chosen, &in, err);
    if (status == PG_OK && scheme->other_data && scheme->other_data(chosen).name)
        status = pg_fail(err, PG_BAD_INPUT, "needs another data set, which the thief does not have");
    if (status != PG_OK) status = pg_error_context(err, "the thief's evidence, by the defaults of %s", scheme->name);
done:
    pg_free(chosen);
    return status;
}

static pg_status overwrite_check(const void *values, const pg_attack_view *view, pg_error *err)
{
    const overwrite_options *o = values;
    const pg_train_options train = pg_tuning_train(&o->tuning, view->pixels);
    pg_dataset images = *overwrite_source(view);
    pg_net_spec spec = view->model->spec;
    if (overwrite_count(o, view) < 1)
        return pg_fail(err, PG_BAD_INPUT, "share: %g %% of %d images are 0", o->share, images.count);
    spec.classes = images.classes;
    images.count = overwrite_count(o, view);
    const pg_status status = pg_train_check(&train, &images, &spec, err);
    return status == PG_OK ? overwrite_check_evidence(o, view, &images, err) : status;
}

static pg_status overwrite_take_images(overwrite_state *s, const overwrite_options *o, pg_error *err)
{
    pg_status status = PG_OK;
    const pg_dataset *all = overwrite_source(s->view);
    if (o->share < 100) PG_TRY(pg_dataset_subset(all, overwrite_count(o, s->view), &s->few, err));
    s->images = o->share < 100 ? s->few : *all;
done:
    return status;
}

static pg_status overwrite_start(void *state, const void *values, const pg_attack_view *view, pg_error *err)
{
    pg_status status = PG_OK;
    overwrite_state *s = state;
    const overwrite_options *o = values;
    s->view = view;
    s->tuned.train = pg_tuning_train(&o->tuning, view->pixels);
    pg_net_spec spec;
    PG_TRY(overwrite_find(o, view, &s->scheme, err));
    PG_TRY(overwrite_take_images(s, o, err));
    PG_TRY(pg_alloc(1, s->scheme->options_size, &s->scheme_options, err));
    PG_TRY(overwrite_choose(o, s->scheme, s->scheme_options, err));
    PG_TRY(overwrite_wire(view, s->scheme, s->scheme_options, &spec, err));
    PG_TRY(pg_model_create(&spec, &s->model, err));
    PG_TRY(overwrite_make_evidence(s, err));
    pg_model_initialise(s->model, view->seed, "weights"); /* a perceptron of the thief's own */
    PG_TRY(pg_model_copy(view->running, s->model, err));
    if (o->part == PART_MARKED) PG_TRY(pg_model_clone(s->model, &s->held, err));
    const pg_job job = {.model = s->model,
                        .scheme = s->scheme,
                        .scheme_options = s->scheme_options,
                        .evidence = s->evidence,
                        .data = &s->images,
                        .options = &s->tuned.train,
                        .seed = view->seed};
    PG_TRY(pg_trainer_create(&job, &s->tuned.trainer, err));
done:
    return status;
}

static void overwrite_copy(const pg_model *from, ptrdiff_t at, size_t count, pg_model *to)
{
    if (at >= 0) memcpy(to->params + at, from->params + at, count * sizeof *to->params);
}

/* Put back every parameter but those of the marked layers. */
static void overwrite_hold(const overwrite_state *s)
{
    const pg_mark *mark = &s->evidence->mark;
    for (int i = 0; i < mark->site_count; i++) {
        const pg_layer *l = pg_mark_find_reader(mark->site[i].layer, &s->model->layout);
        const pg_filters f = pg_layer_filters(l);
        const size_t filters = (size_t)f.outputs;
        overwrite_copy(s->model, l->weight, (size_t)(f.taps * f.inputs) * filters, s->held);
        overwrite_copy(s->model, l->bias, filters, s->held);
        overwrite_copy(s->model, l->affine[PG_PUBLIC].gamma, filters, s->held);
        overwrite_copy(s->model, l->affine[PG_PUBLIC].beta, filters, s->held);
    }
    memcpy(s->model->params, s->held->params, s->model->param_count * sizeof *s->model->params);
}

/* The thief's network with the affine with which he deploys it, as a learned one. */
static pg_status overwrite_deploy(const overwrite_state *s, pg_model **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_net_spec spec = s->model->spec;
    const bool runs_on_passports = pg_net_spec_deployed(&spec) == PG_PRIVATE;
    spec.public_affine = true;
    PG_TRY(pg_model_create(&spec, out, err));
    PG_TRY(pg_model_copy(s->model, *out, err));
    if (runs_on_passports) PG_TRY(pg_passports_store(s->model, s->evidence, *out, err));
done:
    return status;
}

/* The network as the owner reads it: the thief's, with the owner's private branch, and with his wiring if the thief's scheme is
 * another one. */
static pg_status overwrite_restore(overwrite_state *s, pg_error *err)
{
    pg_status status = PG_OK;
    pg_model *deployed = NULL;
    pg_net_spec spec = s->view->model->spec;
    if (s->scheme == s->view->scheme) {
        PG_TRY(pg_model_clone(s->model, &s->owners, err));
    } else {
        spec.public_affine = true;
        spec.classes = s->model->spec.classes;
        PG_TRY(overwrite_deploy(s, &deployed, err));
        PG_TRY(pg_model_create(&spec, &s->owners, err));
        PG_TRY(pg_model_copy(deployed, s->owners, err));
    }
    pg_model_copy_private(s->view->model, s->owners);
done:
    pg_model_destroy(&deployed);
    return status;
}

static pg_status overwrite_step(void *state, pg_attack_state *what, pg_outcome *outcome, pg_error *err)
{
    pg_status status = PG_OK;
    overwrite_state *s = state;
    if (!pg_tuned_done(&s->tuned)) {
        PG_TRY(pg_tuned_step(&s->tuned, what, err));
        if (s->held) overwrite_hold(s);
        return PG_OK;
    }
    PG_TRY(overwrite_restore(s, err));
    *what = PG_ATTACK_LAST;
    *outcome = pg_tuned_outcome(&s->tuned, s->owners);
    outcome->shown = s->model;
    outcome->data = s->view->other;
    outcome->evidence = pg_trainer_evidence(s->tuned.trainer);
done:
    return status;
}

static void overwrite_finish(void *state)
{
    overwrite_state *s = state;
    pg_trainer_destroy(&s->tuned.trainer);
    pg_model_destroy(&s->model);
    pg_model_destroy(&s->owners);
    pg_model_destroy(&s->held);
    pg_dataset_clear(&s->few);
    pg_evidence_destroy(&s->evidence);
    pg_free(s->scheme_options);
}

const pg_attack pg_attack_overwrite = {
    .name = "overwrite",
    .summary = "continue to train the stolen model and embed the thief's evidence by the owner's scheme",
    .source = "Uchida et al., ICMR 2017; Lukas et al., IEEE S&P 2022 (overwriting); Chen, Tian, Chen, Zhou, CVPR 2023 (parts)",
    .options = options,
    .options_size = sizeof(overwrite_options),
    .state_size = sizeof(overwrite_state),
    .sees = PG_SEES_TRAIN | PG_SEES_AFFINE,
    .remakes = true,
    .needs = PG_HOLDS_PASSPORTS | PG_HOLDS_MARK | PG_HOLDS_TRIGGERS,
    .costs = {.epochs = "epochs", .share = "share"},
    .other_data = overwrite_other_data,
    .check = overwrite_check,
    .start = overwrite_start,
    .step = overwrite_step,
    .progress = pg_tuned_progress,
    .keep = pg_tuned_keep,
    .finish = overwrite_finish,
};
