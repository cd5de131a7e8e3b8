/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracy of a model on a data set, by branch. */
#ifndef PG_OWNERSHIP_ACCURACY_H
#define PG_OWNERSHIP_ACCURACY_H

#include "core/ownership/passport.h"

typedef struct pg_accuracy {
    bool present;
    double exact;      /* percent of all images */
    double batch_mean; /* mean of per-batch accuracies, as the reference's attack scripts report */
    int undefined;     /* images with logits that are not finite; each counts as wrong */
} pg_accuracy;

/* What a service does to images before its network sees them: `apply` changes pixels in place. */
typedef struct pg_filter {
    pg_status (*apply)(const void *context, pg_dataset *images, pg_error *err);
    const void *context;
} pg_filter;

/* A copy of the images as the network behind the filter sees them; released by pg_dataset_clear. */
PG_CHECKED pg_status pg_filter_images(const pg_filter *filter, const pg_dataset *images, pg_dataset *out, pg_error *err);

/* Accuracy of one branch on a data set. evidence may be NULL for the public branch. PG_FAILED if the model has values that are
 * not finite, or the public branch gives such logits. The private branch may give such logits, because anybody can make up
 * passports; the image then counts as wrong. */
PG_CHECKED pg_status pg_measure_accuracy(pg_model *model, pg_branch branch, const pg_evidence *evidence, const pg_dataset *data,
                                         pg_pixels pixels, int batch, pg_accuracy *out, pg_error *err);

/* The same, with the class that the branch answers for each image: answers [data->count], -1 if a logit is not finite. */
PG_CHECKED pg_status pg_measure_answers(pg_model *model, pg_branch branch, const pg_evidence *evidence, const pg_dataset *data,
                                        pg_pixels pixels, int batch, pg_accuracy *out, int32_t *answers, pg_error *err);

/* Measures the accuracy of one model on one data set under many passports. It runs the layers below the first passport once and
 * keeps their activations, so a passport costs only the layers above. The results equal those of pg_measure_accuracy bit for
 * bit. */
typedef struct pg_trunk pg_trunk;

/* model and data are borrowed; the model must have passport layers and a private branch. It keeps the activations of as many
 * whole batches as fit in `bytes` and runs the other images through all layers. */
PG_CHECKED pg_status pg_trunk_create(pg_model *model, const pg_dataset *data, pg_pixels pixels, int batch, size_t bytes,
                                     pg_trunk **out, pg_error *err);
void pg_trunk_destroy(pg_trunk **trunk);
PG_CHECKED pg_status pg_trunk_accuracy(pg_trunk *trunk, const pg_evidence *evidence, pg_accuracy *out, pg_error *err);

#endif
