/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data sets and networks of a grid file; see design.h. */
#include "experiments/grid/design_internal.h"

#include "core/base/memory.h"
#include "core/nets/arch_file.h"
#include "experiments/grid/data_entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys that an entry may have besides its options. */
static const char *const no_more[] = {NULL};

/* ---- data ---- */

/* Labels tell two folders apart by name and size. */
static void check_namesakes(pg_design_reader *r, const pg_node *node)
{
    const pg_design *d = r->design;
    const pg_data_choice *last = &d->data[d->data_count - 1].choice;
    for (int i = 0; i < d->data_count - 1; i++) {
        const pg_data_choice *other = &d->data[i].choice;
        if (strcmp(other->name, last->name) != 0 || strcmp(other->sha256, last->sha256) == 0 ||
            other->pictures.size != last->pictures.size)
            continue;
        pg_problems_add(r->problems, node, "other pictures have the same name and size: give these a name of their own");
        return;
    }
}

bool pg_design_find_data(pg_design_reader *r, const pg_node *node, const pg_data_options *wanted, pg_data_choice *choice,
                         pg_input *facts)
{
    pg_error fault;
    const char *name = wanted->name;
    if (pg_input_find(name, &wanted->pictures, r->data_directory, facts, &fault) != PG_OK) {
        pg_problems_add(r->problems, node, "%s", fault.message);
        return false;
    }
    const int train = wanted->train, test = wanted->test;
    facts->train = pg_half_count((pg_half)wanted->half, facts->train);
    *choice = (pg_data_choice){.half = wanted->half,
                               .train = train < facts->train ? train : 0,
                               .test = test < facts->test ? test : 0,
                               .pictures = wanted->pictures};
    snprintf(choice->name, sizeof choice->name, "%.63s", name);
    snprintf(choice->sha256, sizeof choice->sha256, "%s", facts->sha256);
    if (train > facts->train)
        pg_problems_add(r->problems, node, "%s has only %d training images, not %d",
                        wanted->half ? "this half of the data set" : "the data set", facts->train, train);
    if (test > facts->test)
        pg_problems_add(r->problems, node, "the data set has only %d test images, not %d", facts->test, test);
    return true;
}

static pg_status read_one_data(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    pg_data_options options;
    pg_design *d = r->design;
    const pg_node *name = pg_node_find(map, "name");
    pg_status status = pg_options_defaults(pg_data_table, &options, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_data_table, map, &options, r->problems);
    if (!options.name[0]) return PG_OK;
    status = pg_grow(&d->data, d->data_count, sizeof *d->data, err);
    if (status != PG_OK) return status;
    pg_design_data *data = &d->data[d->data_count];
    data->node = r->entry;
    if (!pg_data_entry_check(&options, name, map, r->problems)) return PG_OK;
    if (options.pictures.path[0] && !pg_design_place(r, pg_node_find(map, "path"), options.pictures.path)) return PG_OK;
    if (!pg_design_find_data(r, name, &options, &data->choice, &data->facts)) return PG_OK;
    d->data_count++;
    check_namesakes(r, name);
    return PG_OK;
}

pg_status pg_design_read_data(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    return pg_design_read_expanded(r, pg_data_table, no_more, map, read_one_data, err);
}

/* ---- networks ---- */

/* Read a network file, and set arch to its absolute path. */
static pg_status read_network_file(pg_design_reader *r, const pg_node *node, char arch[PG_TEXT_MAX], const pg_arch **out,
                                   pg_error *err)
{
    char whole[PG_PATH_MAX];
    pg_error fault;
    pg_problems problems = {0};
    if (!pg_design_place(r, node, arch)) return PG_OK;
    if (!realpath(arch, whole)) return pg_problems_add(r->problems, node, "%s: %s", arch, strerror(errno)), PG_OK;
    if (snprintf(arch, PG_TEXT_MAX, "%s", whole) >= PG_TEXT_MAX)
        return pg_problems_add(r->problems, node, "%s: path too long", whole), PG_OK;
    const pg_status status = pg_arch_read(arch, out, &problems, &fault);
    if (status != PG_OK && status != PG_BAD_INPUT) return pg_fail(err, status, "%s", fault.message);
    pg_problems_join(r->problems, &problems);
    if (status == PG_BAD_INPUT && !problems.count) pg_problems_add(r->problems, node, "%s", fault.message);
    return PG_OK;
}

static bool is_namesake(const pg_arch *other, const pg_arch *arch)
{
    return other && other != arch && strcmp(other->name, arch->name) == 0;
}

/* Does the grid use another network of the same name? */
static bool has_namesake(const pg_design *d, const pg_arch *arch)
{
    bool found = false;
    for (int i = 0; i < d->network_count; i++) found |= is_namesake(d->networks[i].options.found, arch);
    for (int i = 0; i < d->attack_count; i++) found |= is_namesake(d->attacks[i].arch, arch);
    for (int i = 0; i < d->independent_count; i++) found |= is_namesake(d->independent[i].options.found, arch);
    return found;
}

pg_status pg_design_find_arch(pg_design_reader *r, const pg_node *node, char arch[PG_TEXT_MAX], const pg_arch **out,
                              pg_error *err)
{
    pg_status status = PG_OK;
    *out = pg_arch_names_file(arch) ? NULL : pg_arch_find(arch);
    if (pg_arch_names_file(arch))
        status = read_network_file(r, node, arch, out, err);
    else if (!*out)
        pg_problems_choice(r->problems, node, pg_arch_names());
    if (*out && has_namesake(r->design, *out)) {
        pg_problems_add(r->problems, node, "the grid has another network of the name %s", (*out)->name);
        *out = NULL;
    }
    return status;
}

static pg_status read_one_network(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    pg_network_options options;
    pg_design *d = r->design;
    pg_status status = pg_options_defaults(pg_network_table, &options, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_network_table, map, &options, r->problems);
    if (!options.arch[0]) return PG_OK;
    status = pg_design_find_arch(r, pg_node_find(map, "arch"), options.arch, &options.found, err);
    const pg_arch *arch = options.found;
    if (status != PG_OK || !arch) return status;
    if (!arch->residual && !options.relu_before_add)
        pg_problems_add(r->problems, pg_node_find(map, "relu_before_add"), "has no effect on %s, which has no residual blocks",
                        arch->name);
    status = pg_grow(&d->networks, d->network_count, sizeof *d->networks, err);
    if (status == PG_OK) d->networks[d->network_count++] = (pg_design_network){.options = options, .node = r->entry};
    return status;
}

pg_status pg_design_read_network(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    return pg_design_read_expanded(r, pg_network_table, no_more, map, read_one_network, err);
}

/* ---- independent networks ---- */

/* The other half of a training set exists if the grid uses one half. */
static void check_other_half(pg_design_reader *r, const pg_node *node)
{
    for (int i = 0; i < r->design->data_count; i++)
        if (!r->design->data[i].choice.half) {
            pg_problems_add(r->problems, node, "%s has no other half, because the grid uses all of it: set data.half",
                            r->design->data[i].choice.name);
            return;
        }
}

static pg_status read_one_independent(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    pg_independent_options options = {.found = NULL};
    pg_design *d = r->design;
    pg_status status = pg_options_defaults(pg_independent_table, &options, err);
    if (status != PG_OK) return status;
    pg_options_read(pg_independent_table, map, &options, r->problems);
    if (strcmp(options.arch, "same") != 0) {
        status = pg_design_find_arch(r, pg_node_find(map, "arch"), options.arch, &options.found, err);
        if (status != PG_OK || !options.found) return status;
    }
    if (options.half == PG_OTHER_HALF) check_other_half(r, pg_node_find(map, "half"));
    status = pg_grow(&d->independent, d->independent_count, sizeof *d->independent, err);
    if (status == PG_OK) d->independent[d->independent_count++] = (pg_design_independent){.options = options, .node = r->entry};
    return status;
}

pg_status pg_design_read_independent(pg_design_reader *r, const pg_node *map, pg_error *err)
{
    return pg_design_read_expanded(r, pg_independent_table, no_more, map, read_one_independent, err);
}
