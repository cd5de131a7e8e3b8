/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class folders of pictures as a data set; see picture_set.h. */
#include "core/data/picture_set.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/data/folder.h"
#include "core/data/picture_list.h"
#include "core/data/readers.h"

#include <math.h>
#include <string.h>

/* ---- folders ---- */

/* List the class folders of root. */
static pg_status list_classes(const char *root, pg_names *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_names stray = {0};
    PG_TRY(pg_folder_pictures(root, &stray, err));
    if (stray.count)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s/%s: the picture is outside of the class folders", root, stray.name[0]));
    PG_TRY(pg_folder_folders(root, out, err));
    if (out->count < 2)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected a folder of pictures for each of at least 2 classes, found %d folder%s",
                       root, out->count, out->count == 1 ? "" : "s"));
done:
    pg_names_clear(&stray);
    return status;
}

static pg_status refuse_folders(const char *folder, pg_error *err)
{
    pg_names inside = {0};
    pg_status status = pg_folder_folders(folder, &inside, err);
    if (status == PG_OK && inside.count)
        status = pg_fail(err, PG_BAD_INPUT, "%s/%s: a class folder must hold pictures, not folders", folder, inside.name[0]);
    pg_names_clear(&inside);
    return status;
}

/* Add the pictures of every class of root. Every class needs at least `least`. */
static pg_status add_classes(pg_picture_list *list, const char *root, const pg_names *classes, int least, pg_error *err)
{
    pg_status status = PG_OK;
    for (int c = 0; c < classes->count; c++) {
        char folder[PG_PATH_MAX];
        PG_TRY(pg_path(folder, root, classes->name[c], NULL, err));
        PG_TRY(refuse_folders(folder, err));
        PG_TRY(pg_picture_list_add(list, folder, c, least, err));
    }
done:
    return status;
}

/* ---- splits ---- */

/* PG_BAD_INPUT unless the classes of test are those of train. */
static pg_status compare_classes(const char *train, const pg_names *a, const char *test, const pg_names *b, pg_error *err)
{
    int i = 0;
    while (i < a->count && i < b->count && strcmp(a->name[i], b->name[i]) == 0) i++;
    if (i == a->count && i == b->count) return PG_OK;
    const bool extra = i == a->count || (i < b->count && strcmp(b->name[i], a->name[i]) < 0);
    return pg_fail(err, PG_BAD_INPUT, "%s/%s: this class is missing in %s", extra ? test : train,
                   extra ? b->name[i] : a->name[i], extra ? train : test);
}

static pg_status add_split_folders(pg_picture_list *list, const char *train, const char *test, int *classes, pg_error *err)
{
    pg_status status = PG_OK;
    pg_names a = {0}, b = {0};
    PG_TRY(list_classes(train, &a, err));
    PG_TRY(list_classes(test, &b, err));
    PG_TRY(compare_classes(train, &a, test, &b, err));
    PG_TRY(add_classes(list, train, &a, 1, err));
    const int trained = list->count;
    PG_TRY(add_classes(list, test, &b, 1, err));
    for (int i = trained; i < list->count; i++) list->items[i].test = true;
    *classes = a.count;
done:
    pg_names_clear(&a);
    pg_names_clear(&b);
    return status;
}

/* Choose the test pictures of one class, items [from, to) of the list: its share, but at least one and not all. */
static pg_status draw_class(pg_picture_list *list, int from, int to, const pg_picture_set *set, pg_error *err)
{
    const int count = to - from;
    int test = (int)lround(set->split * count);
    uint32_t *order = NULL;
    pg_rng rng;
    const pg_status status = pg_alloc((size_t)count, sizeof *order, &order, err);
    if (status != PG_OK) return status;
    if (test < 1) test = 1;
    if (test > count - 1) test = count - 1;
    pg_rng_open(&rng, (pg_seed){.grid = (uint64_t)set->split_seed, .task = "pictures"}, "split",
                (uint64_t)list->items[from].label);
    pg_rng_permutation(&rng, order, (size_t)count);
    for (int i = 0; i < test; i++) list->items[from + (int)order[i]].test = true;
    pg_free(order);
    return PG_OK;
}

static pg_status add_share(pg_picture_list *list, const pg_picture_set *set, int *classes, pg_error *err)
{
    pg_status status = PG_OK;
    pg_names names = {0};
    PG_TRY(list_classes(set->path, &names, err));
    PG_TRY(add_classes(list, set->path, &names, 2, err));
    for (int from = 0, to; from < list->count; from = to) {
        for (to = from; to < list->count && list->items[to].label == list->items[from].label;) to++;
        PG_TRY(draw_class(list, from, to, set, err));
    }
    *classes = names.count;
done:
    pg_names_clear(&names);
    return status;
}

static bool has(const pg_names *names, const char *name)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0) return true;
    return false;
}

/* List the pictures of the folder, and say how they are split. */
static pg_status list_pictures(const pg_picture_set *set, pg_picture_list *list, int *classes, char source[128], pg_error *err)
{
    pg_status status = PG_OK;
    char train[PG_PATH_MAX], test[PG_PATH_MAX];
    pg_names top = {0};
    PG_TRY(pg_folder_folders(set->path, &top, err));
    const char *second = has(&top, "test") ? "test" : "val";
    PG_TRY(pg_path(train, set->path, "train", NULL, err));
    PG_TRY(pg_path(test, set->path, second, NULL, err));
    if (has(&top, "train") && has(&top, second)) {
        snprintf(source, 128, "class folders of pictures in train and %s", second);
        PG_TRY(add_split_folders(list, train, test, classes, err));
    } else {
        snprintf(source, 128, "class folders of pictures, of which a share of %g is for testing (seed %d)", set->split,
                 set->split_seed);
        PG_TRY(add_share(list, set, classes, err));
    }
done:
    pg_names_clear(&top);
    return status;
}

/* ---- the data set ---- */

pg_status pg_picture_set_load(const char *name, const pg_picture_set *set, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_picture_list list = {0};
    char source[128];
    int classes = 0;
    const pg_framing framing = {.side = set->size, .fit = (pg_fit)set->fit, .upright = true};
    *out = (pg_data){.missing = !pg_file_exists(set->path)};
    if (out->missing) return pg_fail(err, PG_BAD_INPUT, "%s: the folder is missing", set->path);
    PG_TRY(list_pictures(set, &list, &classes, source, err));
    PG_TRY(pg_picture_list_read(&list, framing, name, source, classes, out, err));
    pg_dataset_hash(&out->train);
    pg_dataset_hash(&out->test);
done:
    pg_picture_list_clear(&list);
    if (status != PG_OK) pg_data_clear(out);
    return status;
}

pg_status pg_data_read(const char *name, const pg_picture_set *set, const char *directory, pg_data *out, pg_error *err)
{
    return set->path[0] ? pg_picture_set_load(name, set, out, err) : pg_data_load(name, directory, out, err);
}

bool pg_picture_set_same(const pg_picture_set *a, const pg_picture_set *b)
{
    return strcmp(a->path, b->path) == 0 && a->size == b->size && a->fit == b->fit && a->split == b->split &&
           a->split_seed == b->split_seed;
}

/* ---- its name among the data sets ---- */

static pg_status folder_load(const char *name, const char *directory, pg_data *out, pg_error *err)
{
    (void)directory;
    out->missing = true;
    return pg_fail(err, PG_BAD_INPUT, "%s: the path is missing; write {name: %s, path: DIR}", name, name);
}

const pg_data_kind pg_data_kind_folder = {
    .name = "folder",
    .summary = "your own pictures: DIR/CLASS/*.png or *.jpg, or DIR/train/CLASS and DIR/test/CLASS",
    .load = folder_load,
};
