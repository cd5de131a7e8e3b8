/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading pictures in class folders; see picture_list.h. */
#include "core/data/picture_list.h"

#include "core/base/memory.h"
#include "core/compute/parallel.h"
#include "core/data/folder.h"
#include "core/data/image.h"
#include "core/data/readers.h"

#include <string.h>

const char *const pg_fit_names[] = {"crop", "stretch", "exact", NULL};

pg_status pg_picture_list_add(pg_picture_list *list, const char *folder, int label, int least, pg_error *err)
{
    pg_status status = PG_OK;
    pg_names files = {0};
    PG_TRY(pg_folder_pictures(folder, &files, err));
    if (files.count < least)
        PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: expected at least %d picture%s, found %d", folder, least, least > 1 ? "s" : "",
                       files.count));
    for (int i = 0; i < files.count; i++) {
        pg_picture picture = {.label = label};
        PG_TRY(pg_text_pool_print(&list->paths, &picture.path, NULL, err, "%s/%s", folder, files.name[i]));
        PG_TRY(pg_grow(&list->items, list->count, sizeof *list->items, err));
        list->items[list->count++] = picture;
    }
done:
    pg_names_clear(&files);
    return status;
}

void pg_picture_list_clear(pg_picture_list *list)
{
    pg_free(list->items);
    pg_text_pool_clear(&list->paths);
    *list = (pg_picture_list){0};
}

/* ---- one picture ---- */

static pg_status fit_image(const pg_image *image, const pg_framing *framing, const char *path, uint8_t *out, pg_error *err)
{
    const int side = framing->side;
    pg_image scaled = {0};
    if (framing->fit == PG_FIT_EXACT && (image->width != side || image->height != side))
        return pg_fail(err, PG_BAD_INPUT, "%s: the picture has %dx%d pixels, expected %dx%d", path, image->width, image->height,
                       side, side);
    pg_status status = framing->fit == PG_FIT_STRETCH ? pg_image_scale(image, side, side, &scaled, path, err)
                                                      : pg_image_shrink(image, side, &scaled, path, err);
    if (status == PG_OK) status = pg_image_centre(&scaled, side, out, path, err);
    pg_image_clear(&scaled);
    return status;
}

static pg_status read_picture(const char *path, const pg_framing *framing, uint8_t *out, pg_error *err)
{
    pg_image image = {0};
    pg_status status = framing->upright ? pg_image_read_upright(path, &image, err) : pg_image_read(path, &image, err);
    if (status == PG_OK) status = fit_image(&image, framing, path, out, err);
    pg_image_clear(&image);
    return status;
}

/* ---- all of them ---- */

/* Threads read the list in blocks. A block stops at its first error, so the first block with an error has that of the first
 * refused picture. */
enum { BLOCKS = 64 };

typedef struct reading {
    const pg_picture_list *list;
    const pg_framing *framing;
    uint8_t **images; /* [list->count] the place of each image */
    pg_error faults[BLOCKS];
} reading;

static int start_of(const reading *r, int block)
{
    return (int)((long)r->list->count * block / BLOCKS);
}

static void read_block(void *context, int block)
{
    reading *r = context;
    pg_status status = PG_OK;
    for (int i = start_of(r, block); i < start_of(r, block + 1) && status == PG_OK; i++)
        status = read_picture(r->list->items[i].path, r->framing, r->images[i], &r->faults[block]);
}

/* Give every picture its place in a split. */
static void place(const pg_picture_list *list, size_t image_bytes, pg_data *out, uint8_t **images)
{
    int at[2] = {0, 0};
    for (int i = 0; i < list->count; i++) {
        const pg_picture *p = &list->items[i];
        pg_dataset *split = p->test ? &out->test : &out->train;
        images[i] = split->images + (size_t)at[p->test] * image_bytes;
        split->labels[at[p->test]++] = p->label;
    }
}

pg_status pg_picture_list_read(const pg_picture_list *list, pg_framing framing, const char *name, const char *source,
                               int classes, pg_data *out, pg_error *err)
{
    pg_status status = PG_OK;
    reading *r = NULL;
    int test = 0;
    for (int i = 0; i < list->count; i++) test += list->items[i].test;
    PG_TRY(pg_data_allocate(out, name, source, classes, framing.side, list->count - test, test, err));
    PG_TRY(pg_alloc(1, sizeof *r, &r, err));
    *r = (reading){.list = list, .framing = &framing};
    PG_TRY(pg_alloc((size_t)list->count, sizeof *r->images, &r->images, err));
    place(list, (size_t)framing.side * (size_t)framing.side * 3, out, r->images);
    pg_parallel(BLOCKS, read_block, r);
    for (int i = 0; i < BLOCKS; i++)
        if (r->faults[i].status != PG_OK) PG_TRY(pg_fail(err, r->faults[i].status, "%s", r->faults[i].message));
done:
    if (r) pg_free(r->images);
    pg_free(r);
    return status;
}
