/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks that were trained elsewhere; see design_source.h. */
#include "experiments/grid/design_source.h"

#include "core/base/memory.h"
#include "core/formats/number.h"
#include "experiments/grid/supplied.h"

#include <stdio.h>
#include <string.h>

bool pg_design_fits(const pg_design_scheme *s, const pg_design_data *data)
{
    const pg_input *image = &data->facts;
    if (!s->supplied.model_sha256[0]) return true;
    return s->fits.classes == image->classes && s->fits.height == image->height && s->fits.width == image->width &&
           (!s->data[0] || strcmp(s->data, data->choice.name) == 0);
}

/* Report a problem unless a data set of the grid fits the network. */
static void check_data(const pg_design *d, const pg_design_scheme *s, const pg_node *node, pg_problems *problems)
{
    for (int i = 0; i < d->data_count; i++)
        if (pg_design_fits(s, &d->data[i])) return;
    if (d->data_count)
        pg_problems_add(problems, node,
                        "the network has %d classes and takes %dx%d images%s%s, but no data set of the grid fits it",
                        s->fits.classes, s->fits.height, s->fits.width, s->data[0] ? " of " : "", s->data);
}

/* Do two networks have the same layers? */
static pg_status alike(const pg_net_spec *a, const pg_net_spec *b, bool *same, pg_error *err)
{
    pg_status status = PG_OK;
    pg_layout x, y;
    *same = a->arch == b->arch && a->norm == b->norm && (!a->arch->residual || a->relu_before_add == b->relu_before_add);
    if (!*same) return PG_OK;
    PG_TRY(pg_layout_plan(a, &x, err));
    PG_TRY(pg_layout_plan(b, &y, err));
    for (int i = 0; i < x.layer_count && *same; i++) *same = x.layers[i].out_channels == y.layers[i].out_channels;
done:
    return status;
}

/* Find the network among those of the grid, or add it if the grid lists none. It is a problem if the grid lists only others,
 * because attackers train the networks of the grid. */
static pg_status find_network(pg_design *d, const pg_net_spec *spec, const pg_node *node, int *at, pg_problems *problems,
                              pg_error *err)
{
    pg_status status = PG_OK;
    char width[PG_NUMBER_MAX];
    for (*at = 0; *at < d->network_count; ++*at) {
        bool same;
        const pg_network_options *o = &d->networks[*at].options;
        pg_net_spec other = *spec;
        other.arch = o->found;
        other.width = o->width;
        other.relu_before_add = o->relu_before_add;
        other.norm = (pg_norm_kind)o->norm;
        PG_TRY(alike(spec, &other, &same, err));
        if (same) return PG_OK;
    }
    pg_number_text(spec->width, width);
    if (pg_node_find(d->tree->root, "networks")) {
        pg_problems_add(
            problems, node, "the grid does not list this network: omit `networks`, or list {arch: %s, norm: %s, width: %s%s}",
            spec->arch->name, pg_norm_kind_name(spec->norm), width, spec->relu_before_add ? "" : ", relu_before_add: false");
        return PG_OK;
    }
    PG_TRY(pg_grow(&d->networks, d->network_count, sizeof *d->networks, err));
    pg_design_network *made = &d->networks[d->network_count++];
    *made = (pg_design_network){.node = node};
    made->options.width = spec->width;
    made->options.relu_before_add = spec->relu_before_add;
    snprintf(made->options.arch, sizeof made->options.arch, "%s", spec->arch->name);
    made->options.found = spec->arch;
    made->options.norm = (int)spec->norm;
done:
    return status;
}

/* Report a problem unless the grid normalises images as the network expects, because attacks on it do the same. */
static void check_pixels(const pg_supplied *b, const pg_design_scheme *s, const pg_node *node, pg_problems *problems)
{
    const char *pixels = pg_pixels_names[s->train.pixels];
    if (b->facts.pixels[0] && strcmp(b->facts.pixels, pixels) != 0)
        pg_problems_add(problems, node,
                        "the network was trained with pixels: %s, but the grid has pixels: %s; write "
                        "train: {pixels: %s}",
                        b->facts.pixels, pixels, b->facts.pixels);
}

/* Hints from the grid, for values that the network's file does not give. */
static pg_model_hints hints_of(const pg_design *d, pg_norm_kind *norm)
{
    pg_model_hints hints = {.image_height = d->data_count ? d->data[0].facts.height : 0,
                            .image_width = d->data_count ? d->data[0].facts.width : 0};
    if (d->network_count != 1) return hints;
    hints.relu_before_add = &d->networks[0].options.relu_before_add;
    *norm = (pg_norm_kind)d->networks[0].options.norm;
    hints.norm = norm;
    return hints;
}

/* Read the files and report their errors as problems of the entry. */
static pg_status read_files(pg_design *d, const pg_node *map, pg_design_scheme *made, pg_problems *problems, pg_error *err)
{
    pg_status status = PG_OK;
    pg_error fault = {.message = ""};
    pg_supplied b = {0};
    pg_norm_kind norm;
    const pg_node *node = pg_node_find(map, "model");
    const pg_model_hints hints = hints_of(d, &norm);
    status = pg_supplied_read(&made->supplied.files, &hints, made->scheme, made->options, &b, &fault);
    if (status == PG_NO_MEMORY) PG_TRY(pg_fail(err, status, "%s", fault.message));
    if (status != PG_OK) {
        pg_problems_add(problems, node, "%s", fault.message);
        status = PG_OK;
        goto done;
    }
    const pg_net_spec *spec = &b.model->spec;
    made->fits = (pg_input){.classes = spec->classes, .height = spec->image_height, .width = spec->image_width};
    snprintf(made->data, sizeof made->data, "%s", b.facts.data);
    snprintf(made->supplied.model_sha256, sizeof made->supplied.model_sha256, "%s", b.model_sha256);
    snprintf(made->supplied.commitment, sizeof made->supplied.commitment, "%s", b.commitment);
    pg_supplied_describe(&b, &made->supplied.files, made->about, sizeof made->about);
    check_data(d, made, node, problems);
    check_pixels(&b, made, node, problems);
    PG_TRY(find_network(d, spec, node, &made->network, problems, err));
done:
    pg_supplied_clear(&b);
    return status;
}

static bool place_files(pg_design_reader *r, const pg_node *map, pg_source_options *files)
{
    return pg_design_place(r, pg_node_find(map, "model"), files->model) &&
           (!files->map[0] || pg_design_place(r, pg_node_find(map, "map"), files->map)) &&
           (!files->evidence[0] || pg_design_place(r, pg_node_find(map, "evidence"), files->evidence));
}

pg_status pg_design_read_source(pg_design_reader *r, const pg_node *map, pg_design_scheme *made, pg_error *err)
{
    pg_status status = PG_OK;
    pg_design *d = r->design;
    pg_problems *problems = r->problems;
    pg_source_options *files = &made->supplied.files;
    const int before = problems->count;
    made->network = -1;
    PG_TRY(pg_options_defaults(pg_source_table, files, err));
    pg_options_take(pg_source_table, map, files, problems);
    if (!files->model[0]) {
        const pg_node *model = pg_node_find(map, "model");
        if (model && problems->count == before)
            pg_problems_add(problems, model, "expected the name of a file, got an empty text");
        else if (files->map[0] && problems->count == before)
            pg_problems_add(problems, pg_node_find(map, "map"), "also write `model: FILE`, the state dict that it is for");
        else if (files->evidence[0] && problems->count == before)
            pg_problems_add(problems, pg_node_find(map, "evidence"),
                            "also write `model: FILE`, the network that the evidence belongs to");
        return PG_OK;
    }
    for (const pg_node *n = map->first; n; n = n->next)
        if (strcmp(n->key, "train") == 0 || pg_options_find(made->scheme->options, n->key))
            pg_problems_add(problems, n, "has no effect, because this network is not trained here");
    PG_TRY(pg_options_defaults(pg_train_table, &made->train, err));
    made->train.pixels = d->train.pixels;
    if (problems->count == before && place_files(r, map, files)) PG_TRY(read_files(d, map, made, problems, err));
done:
    return status;
}
