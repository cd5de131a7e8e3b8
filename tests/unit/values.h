/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options and parameters as text, for tests. */
#ifndef PG_TESTS_VALUES_H
#define PG_TESTS_VALUES_H

#include "core/formats/options.h"
#include "core/formats/yaml.h"
#include "tests/unit/test.h"

static pg_parameter_pool parameter_pool;

/* A list of parameters, valid until forget_parameters. */
static inline const pg_parameters *listed(const char *text)
{
    const pg_parameters *list = NULL;
    OK(pg_parameters_parse(&parameter_pool, text, &list, &err));
    return list;
}

static inline void forget_parameters(void)
{
    pg_parameter_pool_clear(&parameter_pool);
}

/* A struct of options as one line of YAML, as records show it; freed by pg_free. */
static inline char *options_text(const pg_option *table, const void *values)
{
    pg_tree *tree = NULL;
    char *text = NULL;
    OK(pg_tree_create(&tree, &err));
    OK(pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &tree->root, &err));
    OK(pg_options_write(table, values, PG_REVEAL_CONTENT, tree, tree->root, &err));
    OK(pg_yaml_emit(tree->root, PG_YAML_FLOW, &text, &err));
    pg_tree_destroy(&tree);
    return text;
}

#endif
