/* Models as files: safetensors under the names of the reference's state dict, so that PyTorch users can read and write them. */
#ifndef PG_NETS_STATE_H
#define PG_NETS_STATE_H

#include "core/formats/safetensors.h"
#include "core/nets/model.h"

/* Write every tensor (float32; float64 in the double build) in state-dict order and shape, the second names of passport weights
 * included, with the spec and the given notes in the metadata. notes may be NULL. */
PG_CHECKED pg_status pg_model_save(const pg_model *model, const pg_metadata *notes, size_t note_count, const char *path,
                                   pg_error *err);

/* Read a model. The spec comes from the metadata if this program wrote the file, else from names and shapes; `override` (may be
 * NULL) says what cannot be found there: its norm, when no layer tells, and relu_before_add. PG_BAD_INPUT, naming file and
 * tensor, for what is missing, has another shape, or disagrees with its second name. Tensors that are no part of the
 * network (passports, counters) are not looked at. */
PG_CHECKED pg_status pg_model_load(const char *path, const pg_net_spec *override, pg_model **out, pg_error *err);

#endif
