/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes of texts, fields and files. */
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/memory.h"
#include "tests/unit/test.h"

static const char sha_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char sha_empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(hashes_are_those_that_are_published)
{
    char hex[PG_SHA256_HEX], md5[PG_MD5_HEX];
    pg_sha256("abc", 3, hex);
    assert_string_equal(hex, sha_abc);
    pg_sha256("", 0, hex);
    assert_string_equal(hex, sha_empty);
    OK(pg_file_write(path_of("abc"), "abc", 3, PG_FILE_PUBLIC, &err));
    OK(pg_file_write(path_of("empty"), "", 0, PG_FILE_PUBLIC, &err));
    OK(pg_sha256_file(path_of("abc"), hex, &err));
    assert_string_equal(hex, sha_abc);
    OK(pg_sha256_file(path_of("empty"), hex, &err));
    assert_string_equal(hex, sha_empty);
    OK(pg_md5_file(path_of("abc"), md5, &err));
    assert_string_equal(md5, "900150983cd24fb0d6963f7d28e17f72");
    OK(pg_md5_file(path_of("empty"), md5, &err));
    assert_string_equal(md5, "d41d8cd98f00b204e9800998ecf8427e");
}

/* FIPS 180's million letters a: in one call, in pieces, and from a file of many blocks. */
TEST(a_long_text_is_hashed_alike_whole_and_in_pieces)
{
    enum { N = 1000000 };
    static const char expected[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    char *text = NULL, hex[PG_SHA256_HEX];
    pg_hash hash;
    OK(pg_alloc(N, 1, &text, &err));
    memset(text, 'a', N);
    pg_sha256(text, N, hex);
    assert_string_equal(hex, expected);
    pg_hash_start(&hash);
    for (size_t done = 0, piece = 1; done < N; done += piece, piece = (piece * 7) % 1009)
        pg_hash_add(&hash, text + done, piece = piece < N - done ? piece : N - done);
    pg_hash_finish_hex(&hash, hex);
    assert_string_equal(hex, expected);
    OK(pg_file_write(path_of("long"), text, N, PG_FILE_PUBLIC, &err));
    OK(pg_sha256_file(path_of("long"), hex, &err));
    assert_string_equal(hex, expected);
    pg_free(text);
}

TEST(fields_are_hashed_with_their_ends)
{
    char hex[PG_SHA256_HEX], expected[PG_SHA256_HEX];
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "ab");
    pg_hash_add_text(&hash, "");
    pg_hash_add_u64(&hash, UINT64_C(0x0123456789abcdef));
    pg_hash_finish_hex(&hash, hex);
    pg_sha256("ab\0\0\xef\xcd\xab\x89\x67\x45\x23\x01", 12, expected);
    assert_string_equal(hex, expected);
}

TEST(a_file_that_cannot_be_hashed_is_named)
{
    char hex[PG_SHA256_HEX];
    FAILS(pg_sha256_file(path_of("nowhere"), hex, &err), PG_IO_FAULT, "nowhere: No such file");
    FAILS(pg_md5_file(folder(), hex, &err), PG_BAD_INPUT, folder());
}
