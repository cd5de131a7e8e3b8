/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layouts: shapes and offsets without a model. */
#include "tests/unit/small_net.h"

static pg_norm_kind norm_of(int i)
{
    return (pg_norm_kind)(i % NORMS);
}

TEST(a_layout_takes_no_memory)
{
    const long before = pg_memory_live();
    pg_layout layout;
    const pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet-imagenet"), PG_NORM_BN, 1000);
    OK(pg_layout_plan(&spec, &layout, &err));
    assert_int_equal(pg_memory_live(), before);
    assert_true(layout.param_count > 61000000);
}

/* Every tensor begins at a cache line, directly after the one before it in its block, and each block ends with its last
 * tensor. */
TEST(tensors_lie_one_after_another)
{
    for (int i = 0; i < SCHEMES * NORMS; i++) {
        pg_layout layout;
        const pg_net_spec spec = small_spec("resnet9", norm_of(i), all_schemes[i / NORMS], "default");
        OK(pg_layout_plan(&spec, &layout, &err));
        pg_tensor *tensors = NULL;
        OK(pg_alloc((size_t)layout.tensor_count, sizeof *tensors, &tensors, &err));
        pg_layout_tensors(&layout, tensors);
        size_t end[2] = {0, 0};
        for (int t = 0; t < layout.tensor_count; t++) {
            assert_int_equal(tensors[t].offset, end[tensors[t].buffer]);
            end[tensors[t].buffer] += (tensors[t].count + 15) / 16 * 16;
        }
        assert_int_equal(end[false], layout.param_count);
        assert_int_equal(end[true], layout.buffer_count);
        pg_free(tensors);
    }
}

TEST(a_model_has_the_layout_of_its_spec)
{
    for (int i = 0; i < SCHEMES * NORMS; i++) {
        pg_layout layout;
        pg_model *model = NULL;
        const pg_net_spec spec = small_spec("alexnet", norm_of(i), all_schemes[i / NORMS], "default");
        OK(pg_layout_plan(&spec, &layout, &err));
        OK(pg_model_create(&spec, &model, &err));
        assert_ptr_equal(&model->spec, &model->layout.spec);
        assert_int_equal(model->layer_count, layout.layer_count);
        assert_int_equal(model->param_count, layout.param_count);
        for (int l = 0; l < layout.layer_count; l++) {
            assert_int_equal(model->layers[l].weight, layout.layers[l].weight);
            assert_int_equal(model->layers[l].out_channels, layout.layers[l].out_channels);
            for (int b = 0; b < 2; b++) assert_int_equal(model->layers[l].affine[b].gamma, layout.layers[l].affine[b].gamma);
        }
        assert_true(pg_model_macs(model) == pg_layout_macs(&layout));
        pg_model_destroy(&model);
    }
}

TEST(a_network_that_leaves_a_layer_empty_is_refused)
{
    pg_layout layout;
    pg_net_spec spec = pg_net_spec_plain(pg_arch_find("alexnet"), PG_NORM_BN, 10);
    spec.image_width = 7;
    FAILS(pg_layout_plan(&spec, &layout, &err), PG_BAD_INPUT, "images of 32x7 are too small for alexnet");
}
