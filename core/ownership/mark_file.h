/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of an evidence file that holds a mark. The bits are LAYER.mark [bits] of the first site. A bank is LAYER.projection
 * [bits,C,R,R] of every site. The projection of other marks lies at the first site: LAYER.mark_extractor [width + bits,pooled]
 * of an extractor, LAYER.mark_rebuilt [2 pooled + bits/64,64] of a rebuilt mark, none of residuals, else LAYER.projection
 * [pooled,bits]. These marks have four numbers at every site:
 * LAYER.mark_filter for a filtered one (rounds, outputs, inputs, kernel), else LAYER.mark_site (pooled, outputs, inputs,
 * kernel). A placed mark has LAYER.mark_places [pooled,bits] at the first site, a rebuilt one [pooled,64], and one of
 * activations LAYER.mark_pixels, the number of the normalisation of the pictures. Sites are in the order of the network. */
#ifndef PG_OWNERSHIP_MARK_FILE_H
#define PG_OWNERSHIP_MARK_FILE_H

#include "core/formats/safetensors.h"
#include "core/ownership/evidence.h"

enum { PG_MARK_ARRAYS_MAX = PG_MARK_SITES_MAX + 3 };

/* Add the arrays of a mark to a list that has room for PG_MARK_ARRAYS_MAX more. They lie in the sheet, and in the mark. */
typedef struct pg_mark_sheet pg_mark_sheet;
PG_CHECKED pg_status pg_mark_sheet_create(const pg_mark *mark, pg_array *arrays, size_t *count, pg_mark_sheet **out,
                                          pg_error *err);
void pg_mark_sheet_destroy(pg_mark_sheet **sheet);

/* Read the mark of a file; bits 0 if it has none. The form of a bank is SIGNS: the kind tells more. pg_evidence_check checks
 * the limits that the sizes of the arrays do not. */
PG_CHECKED pg_status pg_mark_load(const pg_safetensors *file, const char *path, pg_mark *out, pg_error *err);

/* ---- what passports need too ---- */

/* Split an array's name into layer and ending ("features.4.key" -> "features.4"); false if it does not have the ending. */
bool pg_file_layer_of(const char *name, const char *ending, char layer[PG_NAME_MAX]);

/* The order of a network's layers, because a file may have them in any order. Takes the first network that the program has with
 * all these layers, and writes their places in it; false if there is none. */
bool pg_file_layer_places(const char *const *layers, int count, int *places);

/* b [count] from the array of that name; values [count] is room to work in. */
PG_CHECKED pg_status pg_file_bits(const pg_safetensors *file, const char *path, const char *name, int count, int8_t *b,
                                  pg_real *values, pg_error *err);

#endif
