/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of a design before it runs; see feasible.h. */
#include "experiments/grid/feasible.h"

#include <stdio.h>

/* The shape of a data set with count images; 0: all. */
static pg_dataset shape_of(const pg_data_choice *choice, const pg_input *facts, int count, int all)
{
    pg_dataset shape = {
        .count = count ? count : all, .classes = facts->classes, .height = facts->height, .width = facts->width};
    snprintf(shape.name, sizeof shape.name, "%s", choice->name);
    return shape;
}

static pg_data shapes_of(const pg_data_choice *choice, const pg_input *facts)
{
    return (pg_data){.train = shape_of(choice, facts, choice->train, facts->train),
                     .test = shape_of(choice, facts, choice->test, facts->test)};
}

/* Report the refusal of a check as a problem at node, once for all places `of` that get the same one. Other failures are
 * returned. */
static pg_status report(pg_status status, const pg_node *node, const char *of, const pg_error *fault, pg_problems *problems,
                        pg_error *err)
{
    if (status == PG_BAD_INPUT || status == PG_IO_FAULT)
        pg_problems_add_once(problems, node, of, fault->message);
    else if (status != PG_OK)
        return pg_fail(err, status, "%s", fault->message);
    return PG_OK;
}

static pg_status check_attack(const pg_design_attack *a, const pg_data *data, const pg_design_data *whole,
                              const pg_design_scheme *s, const pg_layout *layout, pg_problems *problems, pg_error *err)
{
    pg_error fault;
    char of[256];
    const pg_model model = {.layout = *layout}; /* without parameters, because checks look only at shapes */
    const pg_data other = shapes_of(&a->other, &a->other_facts);
    pg_dataset fresh = data->train;
    fresh.count = whole->facts.train - data->train.count;
    const pg_attack_view view = {.model = &model,
                                 .scheme = s->scheme,
                                 .running = &model,
                                 .train = &data->train,
                                 .fresh = &fresh,
                                 .pictures = &data->test,
                                 .other = a->other.name[0] ? &other : NULL,
                                 .arch = a->arch,
                                 .pixels = (pg_pixels)s->train.pixels};
    if (!a->attack->check) return PG_OK;
    snprintf(of, sizeof of, "%s, %s, %s", data->train.name, layout->spec.arch->name, s->scheme->name);
    return report(a->attack->check(a->options, &view, &fault), a->node, of, &fault, problems, err);
}

/* The node with the training options: in the scheme's entry, or of the whole grid. */
static const pg_node *train_node(const pg_design *d, const pg_node *scheme)
{
    const pg_node *own = scheme ? pg_node_find(scheme, "train") : NULL, *all = pg_node_find(d->tree->root, "train");
    return own ? own : all ? all : d->tree->root;
}

/* The node with the verification options. */
static const pg_node *verify_node(const pg_design *d)
{
    const pg_node *verify = pg_node_find(d->tree->root, "verify");
    return verify ? verify : d->tree->root;
}

pg_status pg_feasible_check(const pg_design *d, const pg_design_data *data, const pg_design_scheme *s, const pg_layout *layout,
                            pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    pg_error fault;
    char of[256];
    const pg_data shapes = shapes_of(&data->choice, &data->facts), other = shapes_of(&s->other, &s->other_facts);
    const pg_keygen in = {.scheme = s->scheme,
                          .spec = &layout->spec,
                          .data = &shapes,
                          .other = s->other.name[0] ? &other : NULL,
                          .pixels = (pg_pixels)s->train.pixels};
    snprintf(of, sizeof of, "%s, %s", data->choice.name, layout->spec.arch->name);
    PG_TRY(report(pg_verify_check(&d->verify, shapes.test.classes, shapes.test.count, &fault), verify_node(d), of, &fault,
                  problems, err));
    const bool supplied =
        s->supplied.model_sha256[0]; /* not trained here, but null models are read with evidence like its own */
    if (!supplied)
        PG_TRY(report(pg_train_check(&s->train, &shapes.train, &layout->spec, &fault), train_node(d, s->node), of, &fault,
                      problems, err));
    if (!supplied || d->grid.null_models)
        PG_TRY(report(pg_scheme_check(s->options, &in, &fault), s->node, of, &fault, problems, err));
    for (int i = 0; i < d->attack_count; i++)
        if (pg_design_applies(&d->attacks[i], s->scheme))
            PG_TRY(check_attack(&d->attacks[i], &shapes, data, s, layout, problems, err));
done:
    return status;
}

/* Does a task of the scheme, or an attack on its models, use a plain network? */
static bool scheme_wants_plain(const pg_design *d, const pg_design_scheme *s)
{
    if (d->grid.null_models && s->scheme->keygen) return true;
    if (!s->supplied.model_sha256[0] && pg_scheme_wants_pretrained(s->scheme, s->options)) return true;
    for (int i = 0; i < d->attack_count; i++) {
        const pg_design_attack *a = &d->attacks[i];
        if (!pg_design_applies(a, s->scheme)) continue;
        if (a->attack->wants_pretrained && a->attack->wants_pretrained(a->options)) return true;
        if (pg_attack_references(a->attack, a->options)) return true;
    }
    return false;
}

static bool wants_plain(const pg_design *d)
{
    if (d->independent_count) return true;
    for (int i = 0; i < d->scheme_count; i++)
        if (scheme_wants_plain(d, &d->schemes[i])) return true;
    return false;
}

pg_status pg_feasible_check_plain(const pg_design *d, const pg_design_data *data, const pg_layout *layout,
                                  pg_problems *problems, pg_error *err)
{
    pg_error fault;
    char of[256];
    const pg_data shapes = shapes_of(&data->choice, &data->facts);
    if (!wants_plain(d)) return PG_OK;
    snprintf(of, sizeof of, "%s, %s", data->choice.name, layout->spec.arch->name);
    return report(pg_train_check(&d->train, &shapes.train, &layout->spec, &fault), train_node(d, NULL), of, &fault, problems,
                  err);
}
