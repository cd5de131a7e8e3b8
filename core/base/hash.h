/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256, SHAKE-256, SHA-1 and MD5, by OpenSSL's libcrypto.
 *
 * SHA-256 makes the keys of tasks, the seeds of random streams, commitments and checksums. SHAKE-256 makes the bits of marks
 * that are published with it. MD5 and SHA-1 only check files whose publisher gives no other checksum. */
#ifndef PG_BASE_HASH_H
#define PG_BASE_HASH_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PG_SHA256_BYTES = 32, PG_SHA256_HEX = 65, PG_MD5_HEX = 33 };

/* A running SHA-256 or SHAKE-256. */
typedef struct pg_hash {
    void *context;
} pg_hash;

void pg_hash_start(pg_hash *hash);
void pg_hash_add(pg_hash *hash, const void *data, size_t bytes);
void pg_hash_add_text(pg_hash *hash, const char *text); /* with its terminating zero, which separates fields */
void pg_hash_add_u64(pg_hash *hash, uint64_t value);    /* little endian */
void pg_hash_finish(pg_hash *hash, unsigned char digest[PG_SHA256_BYTES]);
void pg_hash_finish_hex(pg_hash *hash, char hex[PG_SHA256_HEX]);

/* A SHAKE-256 takes the same additions and gives as many bytes as are asked for. */
void pg_shake_start(pg_hash *hash);
void pg_shake_finish(pg_hash *hash, unsigned char *digest, size_t bytes);

/* Bytes as lower-case hexadecimal text, hex [2 * bytes + 1]. */
void pg_to_hex(const unsigned char *data, size_t bytes, char *hex);
/* And back; false, with data undefined, unless hex is exactly 2 * bytes lower-case digits. */
bool pg_from_hex(const char *hex, size_t bytes, unsigned char *data);

/* SHA-256 of one block, as lower-case hexadecimal text. */
void pg_sha256(const void *data, size_t bytes, char hex[PG_SHA256_HEX]);

/* Is hex (lower case) the MD5, SHA-1 or SHA-256 of the block? The length of hex selects the algorithm. */
bool pg_hash_matches(const void *data, size_t bytes, const char *hex);

/* SHA-256 or MD5 of a file's bytes. */
PG_CHECKED pg_status pg_sha256_file(const char *path, char hex[PG_SHA256_HEX], pg_error *err);
PG_CHECKED pg_status pg_md5_file(const char *path, char hex[PG_MD5_HEX], pg_error *err);

#endif
