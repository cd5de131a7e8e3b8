/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time stamps for evidence and its model, by RFC 3161.
 *
 * A claimant commits to both together, before any dispute: evidence alone could be prepared and then embedded in a network that
 * is stolen years later. A time-stamping authority signs the commitment with the time; it sees neither evidence nor model. */
#ifndef PG_OWNERSHIP_STAMP_H
#define PG_OWNERSHIP_STAMP_H

#include "core/ownership/evidence.h"

#include <time.h>

/* The digest to stamp: SHA-256 of a tag, the evidence's commitment and the SHA-256 of the model file. */
PG_CHECKED pg_status pg_stamp_commit(const pg_evidence *evidence, const char *model_path, unsigned char digest[PG_SHA256_BYTES],
                                     pg_error *err);

/* Write the query (.tsq, DER) that asks an authority to stamp the digest. */
PG_CHECKED pg_status pg_stamp_query(const unsigned char digest[PG_SHA256_BYTES], const char *path, pg_error *err);

/* Check that the PEM file holds certificates. PG_IO_FAULT if it cannot be read. */
PG_CHECKED pg_status pg_stamp_check_authorities(const char *authorities, pg_error *err);

/* Check an authority's reply (.tsr, DER): it was granted, it stamps this digest, and a certificate that may stamp and chains to
 * one of those in the PEM file `authorities` signed it (valid at *when). *when is the time of the stamp at the latest, with the
 * accuracy that the authority states. PG_BAD_INPUT says what is wrong. */
PG_CHECKED pg_status pg_stamp_verify(const char *path, const char *authorities, const unsigned char digest[PG_SHA256_BYTES],
                                     time_t *when, pg_error *err);

#endif
