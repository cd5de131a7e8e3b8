/* Trigger sets: images with secret labels. */
#ifndef PG_DATA_TRIGGERS_H
#define PG_DATA_TRIGGERS_H

#include "core/base/random.h"
#include "core/data/dataset.h"

/* Pin a folder to its content: "FOLDER sha256:HEX", a hash of the names and bytes of its pictures and its labels.txt, but not
 * of its path. Functions that take a folder also take a pinned one, and fail with PG_BAD_INPUT if the content has changed. out
 * may be folder. */
PG_CHECKED pg_status pg_triggers_pin(const char *folder, char *out, size_t room, pg_error *err);

/* Read every JPEG and PNG of a folder, names sorted as text, with the labels of a text file (NULL: labels.txt in the folder),
 * one number a line; label i belongs to image i. Each image is the 32x32 centre of the photograph, without resizing (Adi et
 * al.; DeepIPR). */
PG_CHECKED pg_status pg_triggers_load(const char *folder, const char *labels, int classes, pg_dataset *out, pg_error *err);

/* Make count abstract images (gradients, waves, rings, discs, noise in random colours), 32x32 centres of 1125x750 pictures,
 * with labels drawn uniformly. */
PG_CHECKED pg_status pg_triggers_generate(int count, int classes, pg_seed seed, pg_dataset *out, pg_error *err);

/* The trigger set of an option: "generated" with count images, or a folder. seed NULL: of a generated set only the shape. */
PG_CHECKED pg_status pg_triggers_make(const char *source, int count, int classes, const pg_seed *seed, pg_dataset *out,
                                      pg_error *err);

#endif
