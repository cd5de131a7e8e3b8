/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trigger sets: images with secret labels. */
#ifndef PG_DATA_TRIGGERS_H
#define PG_DATA_TRIGGERS_H

#include "core/base/random.h"
#include "core/data/dataset.h"

/* Pictures of a trigger set at most: as many as the test images of a usual data set, so that a judge who compares each with all
 * others, and asks the network about each, takes seconds. */
enum { PG_TRIGGERS_MAX = 10000 };

/* Pin a folder to its content: write "FOLDER sha256:HEX" to out [room]. HEX is a hash of its labels.txt and of the names and
 * bytes of its pictures, not of its path. Functions that take a folder also take a pinned one; they fail with PG_BAD_INPUT if
 * its content has changed. out may be folder. */
PG_CHECKED pg_status pg_triggers_pin(const char *folder, char *out, size_t room, pg_error *err);

/* Read every JPEG and PNG file of a folder, sorted by name, and a text file of labels (NULL: labels.txt in the folder), one
 * number a line; label i belongs to image i. Each image is the centre of the photograph, side x side pixels, without scaling
 * (Adi et al. and DeepIPR, with a side of 32). */
PG_CHECKED pg_status pg_triggers_load(const char *folder, const char *labels, int side, int classes, pg_dataset *out,
                                      pg_error *err);

/* Generate count abstract images, the centres, side x side pixels, of 1125x750 pictures of waves, rings, discs, edges, clouds
 * and chequers in random colours. Labels are uniform. */
PG_CHECKED pg_status pg_triggers_generate(int count, int side, int classes, pg_seed seed, pg_dataset *out, pg_error *err);

/* Take count pictures of a data set at random, as an owner chooses those that he will change: only of class `only` (-1: of
 * any), and none of class `except` (-1: none). They keep their labels. PG_BAD_INPUT if there are fewer. */
PG_CHECKED pg_status pg_triggers_take(const pg_dataset *from, int only, int except, int count, pg_seed seed, pg_dataset *out,
                                      pg_error *err);

/* Make a rectangle of every picture white. */
void pg_triggers_stamp(pg_dataset *triggers, int top, int left, int height, int width);

/* Give every picture a random class, or all of them one class (label; -1: random). */
void pg_triggers_label(pg_dataset *triggers, int label, int classes, pg_seed seed);

/* Make the trigger set of an option: "generated" (count images), or a folder. With seed NULL a generated set has its sizes but
 * no images. */
PG_CHECKED pg_status pg_triggers_make(const char *source, int count, int side, int classes, const pg_seed *seed,
                                      pg_dataset *out, pg_error *err);

#endif
