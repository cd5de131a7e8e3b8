/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A claimant's secret: 32 bytes from the system's generator.
 *
 * Bound evidence (binding.h) follows from it. A secret has a file of its own, readable by its owner alone. Apart from it only
 * the owner's evidence files contain the secret. */
#ifndef PG_OWNERSHIP_SECRET_H
#define PG_OWNERSHIP_SECRET_H

#include "core/base/hash.h"
#include "core/base/random.h"

enum { PG_SECRET_BYTES = 32, PG_SECRET_HEX = 2 * PG_SECRET_BYTES + 1 };

typedef struct pg_secret {
    unsigned char bytes[PG_SECRET_BYTES];
} pg_secret;

/* Draw a fresh secret. PG_IO_FAULT if the system has no randomness to give. */
PG_CHECKED pg_status pg_secret_draw(pg_secret *out, pg_error *err);

/* Write a secret to a new file of one line, "passgrid-secret-1 HEX", with mode 0600. PG_BAD_INPUT if the path exists, because a
 * secret that is overwritten is lost. */
PG_CHECKED pg_status pg_secret_save(const pg_secret *secret, const char *path, pg_error *err);
PG_CHECKED pg_status pg_secret_load(const char *path, pg_secret *out, pg_error *err);

/* Read the secret from the value of an option: the line of such a file, or "hex:" and the digits of all its bytes. */
PG_CHECKED pg_status pg_secret_parse(const char *text, pg_secret *out, pg_error *err);

/* The secret that an experiment derives from its seed. Everybody who has the grid knows it, so it proves nothing to a judge. */
void pg_secret_from_seed(pg_seed seed, pg_secret *out);

/* The line of a secret's file, without its end. */
enum { PG_SECRET_LINE = 18 + PG_SECRET_HEX };
void pg_secret_to_line(const pg_secret *secret, char line[PG_SECRET_LINE]);

/* As lower-case hexadecimal text, and back; false for any other text. */
void pg_secret_to_hex(const pg_secret *secret, char hex[PG_SECRET_HEX]);
bool pg_secret_from_hex(const char *hex, pg_secret *out);

#endif
