/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes by OpenSSL's libcrypto; see hash.h. A digest of libcrypto fails only if memory runs out. A wrong hash would go
 * unnoticed, so in that one case the process ends by __builtin_trap. */
#include "core/base/hash.h"

#include "core/base/file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void must(int ok)
{
    if (ok != 1) __builtin_trap();
}

static EVP_MD_CTX *start(const EVP_MD *kind)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    must(EVP_DigestInit_ex(context, kind, NULL));
    return context;
}

static const char digits[] = "0123456789abcdef";

void pg_to_hex(const unsigned char *data, size_t bytes, char *hex)
{
    for (size_t i = 0; i < bytes; i++) {
        hex[2 * i] = digits[data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 15];
    }
    hex[2 * bytes] = 0;
}

bool pg_from_hex(const char *hex, size_t bytes, unsigned char *data)
{
    if (strlen(hex) != 2 * bytes || strspn(hex, digits) != 2 * bytes) return false;
    for (size_t i = 0; i < bytes; i++)
        data[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) << 4 | (strchr(digits, hex[2 * i + 1]) - digits));
    return true;
}

void pg_hash_start(pg_hash *hash)
{
    hash->context = start(EVP_sha256());
}

void pg_hash_add(pg_hash *hash, const void *data, size_t bytes)
{
    must(EVP_DigestUpdate(hash->context, data, bytes));
}

void pg_hash_add_text(pg_hash *hash, const char *text)
{
    pg_hash_add(hash, text, strlen(text) + 1);
}

void pg_hash_add_u64(pg_hash *hash, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> (8 * i));
    pg_hash_add(hash, bytes, sizeof bytes);
}

void pg_hash_finish(pg_hash *hash, unsigned char digest[PG_SHA256_BYTES])
{
    must(EVP_DigestFinal_ex(hash->context, digest, NULL));
    EVP_MD_CTX_free(hash->context);
    hash->context = NULL;
}

void pg_hash_finish_hex(pg_hash *hash, char hex[PG_SHA256_HEX])
{
    unsigned char digest[PG_SHA256_BYTES];
    pg_hash_finish(hash, digest);
    pg_to_hex(digest, sizeof digest, hex);
}

void pg_shake_start(pg_hash *hash)
{
    hash->context = start(EVP_shake256());
}

void pg_shake_finish(pg_hash *hash, unsigned char *digest, size_t bytes)
{
    must(EVP_DigestFinalXOF(hash->context, digest, bytes));
    EVP_MD_CTX_free(hash->context);
    hash->context = NULL;
}

void pg_sha256(const void *data, size_t bytes, char hex[PG_SHA256_HEX])
{
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add(&hash, data, bytes);
    pg_hash_finish_hex(&hash, hex);
}

bool pg_hash_matches(const void *data, size_t bytes, const char *hex)
{
    const EVP_MD *kinds[] = {EVP_md5(), EVP_sha1(), EVP_sha256()};
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    for (int i = 0; i < 3; i++) {
        const size_t length = (size_t)EVP_MD_size(kinds[i]);
        if (strlen(hex) != 2 * length) continue;
        must(EVP_Digest(data, bytes, digest, NULL, kinds[i], NULL));
        pg_to_hex(digest, length, text);
        return strcmp(text, hex) == 0;
    }
    return false;
}

static pg_status hash_file(const EVP_MD *kind, const char *path, char *hex, pg_error *err)
{
    int fd;
    size_t size;
    const pg_status status = pg_file_open(path, &fd, &size, err);
    if (status != PG_OK) return status;
    FILE *file = fdopen(fd, "rb");
    if (!file) {
        close(fd);
        return pg_fail_errno(err, "%s", path);
    }
    EVP_MD_CTX *context = start(kind);
    unsigned char block[1 << 16], digest[EVP_MAX_MD_SIZE];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0) must(EVP_DigestUpdate(context, block, got));
    const int failed = ferror(file);
    fclose(file);
    unsigned int bytes = 0;
    must(EVP_DigestFinal_ex(context, digest, &bytes));
    EVP_MD_CTX_free(context);
    if (failed) {
        errno = EIO;
        return pg_fail_errno(err, "%s", path);
    }
    pg_to_hex(digest, bytes, hex);
    return PG_OK;
}

pg_status pg_sha256_file(const char *path, char hex[PG_SHA256_HEX], pg_error *err)
{
    return hash_file(EVP_sha256(), path, hex, err);
}

pg_status pg_md5_file(const char *path, char hex[PG_MD5_HEX], pg_error *err)
{
    return hash_file(EVP_md5(), path, hex, err);
}
