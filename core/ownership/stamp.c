/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time stamps, by OpenSSL's TS; see stamp.h. */
#include "core/ownership/stamp.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <openssl/err.h>
#include <openssl/ts.h>
#include <stdint.h>
#include <string.h>

enum { REPLY_BYTES_MAX = 1 << 20, AUTHORITIES_BYTES_MAX = 1 << 24 };

/* Append OpenSSL's message about its last failure. */
static pg_status fail(pg_error *err, const char *path)
{
    char reason[256];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    const char *last = strrchr(reason, ':');
    return pg_fail(err, PG_BAD_INPUT, "%s: %s", path, last ? last + 1 : reason);
}

pg_status pg_stamp_commit(const pg_evidence *evidence, const char *model_path, unsigned char digest[PG_SHA256_BYTES],
                          pg_error *err)
{
    char commitment[PG_SHA256_HEX], model[PG_SHA256_HEX];
    const pg_status status = pg_sha256_file(model_path, model, err);
    if (status != PG_OK) return status;
    pg_hash hash;
    pg_evidence_commitment(evidence, commitment);
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "passgrid evidence and model 1");
    pg_hash_add_text(&hash, commitment);
    pg_hash_add_text(&hash, model);
    pg_hash_finish(&hash, digest);
    return PG_OK;
}

/* ---- query ---- */

static TS_REQ *make_query(const unsigned char digest[PG_SHA256_BYTES])
{
    TS_REQ *query = TS_REQ_new();
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    bool ok = query && imprint && algorithm;
    ok = ok && X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1;
    ok = ok && TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1;
    ok = ok && TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)digest, PG_SHA256_BYTES) == 1;
    ok = ok && TS_REQ_set_version(query, 1) == 1 && TS_REQ_set_msg_imprint(query, imprint) == 1;
    ok = ok && TS_REQ_set_cert_req(query, 1) == 1; /* the reply carries the authority's certificate */
    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
    if (ok) return query;
    TS_REQ_free(query);
    return NULL;
}

pg_status pg_stamp_query(const unsigned char digest[PG_SHA256_BYTES], const char *path, pg_error *err)
{
    unsigned char *der = NULL;
    TS_REQ *query = make_query(digest);
    const int bytes = query ? i2d_TS_REQ(query, &der) : -1;
    const pg_status status = bytes > 0 ? pg_file_write(path, der, (size_t)bytes, PG_FILE_PUBLIC, err)
                                       : pg_fail(err, PG_NO_MEMORY, "%s: no memory for a time-stamp query", path);
    OPENSSL_free(der);
    TS_REQ_free(query);
    return status;
}

/* ---- reply ---- */

static pg_status read_reply(const char *path, TS_RESP **out, pg_error *err)
{
    char *der = NULL;
    size_t bytes = 0;
    const pg_status status = pg_file_read_up_to(path, REPLY_BYTES_MAX, &der, &bytes, err);
    if (status != PG_OK) return status;
    const unsigned char *at = (const unsigned char *)der;
    *out = d2i_TS_RESP(NULL, &at, (long)bytes);
    const bool whole = *out && at == (const unsigned char *)der + bytes;
    pg_free(der);
    ERR_clear_error();
    return whole ? PG_OK : pg_fail(err, PG_BAD_INPUT, "%s: not a reply of a time-stamping authority", path);
}

/* Seconds by which the authority's clock may be slow, rounded up; 0 if it does not say; -1: no number of seconds. */
static long slack_of(TS_TST_INFO *info)
{
    TS_ACCURACY *accuracy = TS_TST_INFO_get_accuracy(info);
    if (!accuracy) return 0;
    const ASN1_INTEGER *seconds = TS_ACCURACY_get_seconds(accuracy);
    const bool more = TS_ACCURACY_get_millis(accuracy) || TS_ACCURACY_get_micros(accuracy);
    const long whole = seconds ? ASN1_INTEGER_get(seconds) : 0;
    return whole < 0 || whole > INT32_MAX ? -1 : whole + more;
}

static bool time_of(TS_RESP *reply, time_t *when)
{
    struct tm utc;
    TS_TST_INFO *info = TS_RESP_get_tst_info(reply);
    if (!info || ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &utc) != 1) return false;
    const long slack = slack_of(info);
    *when = timegm(&utc) + slack;
    return slack >= 0;
}

/* Read the trusted certificates; they must have been valid when the stamp was made. */
static X509_STORE *trust(const char *authorities, time_t when)
{
    X509_STORE *store = X509_STORE_new();
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    bool ok = store && param && X509_STORE_load_file(store, authorities) == 1;
    if (ok) {
        X509_VERIFY_PARAM_set_time(param, when);
        ok = X509_STORE_set1_param(store, param) == 1;
    }
    X509_VERIFY_PARAM_free(param);
    if (ok) return store;
    X509_STORE_free(store);
    return NULL;
}

pg_status pg_stamp_check_authorities(const char *authorities, pg_error *err)
{
    char *pem = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read_up_to(authorities, AUTHORITIES_BYTES_MAX, &pem, &bytes, err);
    pg_free(pem);
    if (status != PG_OK) return status;
    X509_STORE *store = trust(authorities, 0);
    if (!store) status = fail(err, authorities);
    X509_STORE_free(store);
    return status;
}

static bool is_sha256(TS_RESP *reply)
{
    const ASN1_OBJECT *name = NULL;
    X509_ALGOR *algorithm = TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(TS_RESP_get_tst_info(reply)));
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    return OBJ_obj2nid(name) == NID_sha256;
}

/* Check signature, chain and digest. */
static pg_status verify(TS_RESP *reply, X509_STORE *store, const unsigned char *digest, const char *path, pg_error *err)
{
    TS_VERIFY_CTX *context = TS_VERIFY_CTX_new();
    unsigned char *imprint = OPENSSL_memdup(digest, PG_SHA256_BYTES);
    if (!context || !imprint) {
        TS_VERIFY_CTX_free(context);
        OPENSSL_free(imprint);
        X509_STORE_free(store);
        return pg_fail(err, PG_NO_MEMORY, "%s: no memory to verify it", path);
    }
    TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_SIGNATURE);
    TS_VERIFY_CTX_set_store(context, store); /* the context frees both */
    TS_VERIFY_CTX_set_imprint(context, imprint, PG_SHA256_BYTES);
    const pg_status status = TS_RESP_verify_response(context, reply) == 1 ? PG_OK : fail(err, path);
    TS_VERIFY_CTX_free(context);
    return status;
}

pg_status pg_stamp_verify(const char *path, const char *authorities, const unsigned char digest[PG_SHA256_BYTES], time_t *when,
                          pg_error *err)
{
    pg_status status = PG_OK;
    TS_RESP *reply = NULL;
    X509_STORE *store = NULL;
    PG_TRY(read_reply(path, &reply, err));
    if (!time_of(reply, when)) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the authority granted no stamp", path));
    if (!is_sha256(reply)) PG_TRY(pg_fail(err, PG_BAD_INPUT, "%s: the stamp is of another hash than SHA-256", path));
    store = trust(authorities, *when);
    if (!store) PG_TRY(fail(err, authorities));
    PG_TRY(verify(reply, store, digest, path, err));
done:
    TS_RESP_free(reply);
    return status;
}
