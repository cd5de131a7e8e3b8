/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The declarations in the structs of plug-ins are consistent. */
#include "tests/unit/test.h"

#include "attacks/attack.h"
#include "core/base/memory.h"
#include "core/data/readers.h"
#include "experiments/grid/presets.h"

TEST(every_preset_that_an_attack_names_exists_and_applies)
{
    int count = 0;
    for (int i = 0; pg_attacks[i]; i++) {
        const pg_attack *a = pg_attacks[i];
        for (const pg_preset_default *d = a->presets; d && d->preset; d++, count++) {
            int preset = 0;
            void *options;
            while (pg_presets[preset] && strcmp(pg_presets[preset], d->preset) != 0) preset++;
            if (!pg_presets[preset]) fail_msg("%s names the preset %s", a->name, d->preset);
            OK(pg_alloc(1, a->options_size, &options, &err));
            OK(pg_options_defaults(a->options, options, &err));
            OK(pg_preset_apply(preset, a->presets, a->options, options, &err));
            pg_free(options);
        }
    }
    assert_true(count > 0);
}

TEST(an_attack_with_a_curve_has_an_axis_to_draw_it_along)
{
    for (int i = 0; pg_attacks[i]; i++) {
        const pg_attack_figures *f = &pg_attacks[i]->figures;
        if (f->curve && (!pg_attacks[i]->axis || !f->column || !f->label)) fail_msg("%s", pg_attacks[i]->name);
    }
}

TEST(an_attack_costs_at_least_one_outcome)
{
    for (int i = 0; pg_attacks[i]; i++) {
        const pg_attack *a = pg_attacks[i];
        void *options;
        OK(pg_alloc(1, a->options_size, &options, &err));
        OK(pg_options_defaults(a->options, options, &err));
        const pg_attack_cost cost = pg_attack_cost_of(a, options, 1000, 10);
        if (!(cost.outcomes >= 1) || !(cost.trained >= 0) || (cost.outcomes > 1 && !a->axis)) fail_msg("%s", a->name);
        pg_free(options);
    }
}

TEST(a_scheme_that_uses_a_trained_network_can_do_with_another)
{
    for (int i = 0; pg_schemes[i]; i++) {
        const pg_scheme *s = pg_schemes[i];
        void *options;
        OK(pg_alloc(1, s->options_size, &options, &err));
        OK(pg_options_defaults(s->options, options, &err));
        if (s->alone[0]) OK(pg_options_set(s->options, s->alone[0], s->alone[1], options, &err));
        if (!s->alone[0] && pg_scheme_wants_pretrained(s, options)) fail_msg("%s", s->name);
        pg_free(options);
    }
    assert_string_equal(pg_scheme_holding(0)->name, "plain");
    assert_null(pg_scheme_holding(~0u));
}

TEST(a_data_set_with_a_published_size_has_all_of_it)
{
    for (int i = 0; pg_data_kinds[i]; i++) {
        const pg_data_kind *k = pg_data_kinds[i];
        const bool own = !k->classes && !k->side; /* the user's pictures say how many classes there are */
        if ((k->classes < 2 && !own) || !k->load || (k->side != 0) != (k->train != 0) || (k->side != 0) != (k->test != 0))
            fail_msg("%s", k->name);
    }
}
