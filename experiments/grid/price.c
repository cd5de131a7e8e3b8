/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Costs of tasks; see price.h. */
#include "experiments/grid/price.h"

pg_status pg_price_layout(const pg_design_data *data, const pg_network_options *network, const pg_scheme *scheme,
                          const void *options, pg_layout *out, pg_error *err)
{
    pg_net_spec spec = pg_net_spec_plain(network->found, (pg_norm_kind)network->norm, data->facts.classes);
    spec.width = network->width;
    spec.relu_before_add = network->relu_before_add;
    spec.image_height = data->facts.height;
    spec.image_width = data->facts.width;
    const pg_status status = pg_scheme_wire(scheme, options, &spec, err);
    return status == PG_OK ? pg_layout_plan(&spec, out, err) : status;
}

pg_price pg_price_of(const pg_design_data *data, const pg_layout *layout)
{
    const pg_net_spec *spec = &layout->spec;
    const int branches = spec->passports ? spec->public_affine + spec->private_affine : 1;
    return (pg_price){.forward = pg_layout_macs(layout) * branches,
                      .train = data->choice.train ? data->choice.train : data->facts.train,
                      .test = data->choice.test ? data->choice.test : data->facts.test,
                      .classes = data->facts.classes};
}

double pg_price_bytes(const pg_design_data *data, const pg_layout *layout, const pg_train_options *train)
{
    enum { COPIES = 2, PARAMETERS = 6, ACTIVATIONS = 3, PROGRAM = 60000000 };
    const pg_net_spec *spec = &layout->spec;
    const int branches = spec->passports ? spec->public_affine + spec->private_affine : 1;
    const double pixels = 3.0 * data->facts.height * data->facts.width;
    double activations = pixels;
    for (int i = 0; i < layout->layer_count; i++) {
        const pg_layer *l = &layout->layers[i];
        activations += (double)l->out_height * l->out_width * l->out_channels;
    }
    return COPIES * pixels * (data->facts.train + data->facts.test) + PROGRAM +
           sizeof(pg_real) * (PARAMETERS * (double)layout->param_count + ACTIVATIONS * activations * branches * train->batch);
}

double pg_price_training(const pg_price *p, const pg_train_options *train)
{
    return p->forward * (3 * p->train * train->epochs + p->test);
}

double pg_price_attack(const pg_price *p, const pg_design_attack *a)
{
    const double train = a->other.train ? a->other.train : a->other.name[0] ? a->other_facts.train : p->train;
    const pg_attack_cost cost = pg_attack_cost_of(a->attack, a->options, train, p->classes);
    return p->forward * (3 * cost.trained + cost.outcomes * p->test);
}
