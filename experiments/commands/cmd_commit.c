/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid commit: commits to evidence and its model together, and checks the stamp of a time-stamping authority. */
#include "experiments/commands/commands.h"

#include "core/ownership/stamp.h"

typedef struct arguments {
    const char *evidence, *model, *query, *reply, *authorities;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FILE(arguments, evidence, "evidence", "FILE", "the claimant's evidence", .required = true),
    PG_CLI_FILE(arguments, model, "model", "FILE", "the claimant's own model, in which the evidence is", .required = true),
    PG_CLI_HEADING("To have the commitment stamped (RFC 3161):"),
    PG_CLI_FILE(arguments, query, "query", "FILE", "write the query for a time-stamping authority", .written = true),
    PG_CLI_HEADING("To check the authority's reply:"),
    PG_CLI_FILE(arguments, reply, "reply", "FILE", "reply of the authority"),
    PG_CLI_FILE(arguments, authorities, "tsa-ca", "FILE", "PEM certificates of the authorities that you trust"),
    {0},
};

static pg_status check_reply(const arguments *a, const unsigned char *digest, pg_error *err)
{
    time_t when;
    struct tm utc;
    char text[32];
    if (!a->authorities) return pg_fail(err, PG_BAD_INPUT, "--reply: needs --tsa-ca FILE, the authorities that you trust");
    const pg_status status = pg_stamp_verify(a->reply, a->authorities, digest, &when, err);
    if (status != PG_OK) return status;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &utc));
    printf("stamped     %s\n", text);
    return PG_OK;
}

static pg_status commit(const arguments *a, pg_error *err)
{
    pg_status status = PG_OK;
    pg_evidence *evidence = NULL;
    unsigned char digest[PG_SHA256_BYTES];
    char hex[PG_SHA256_HEX];
    PG_TRY(pg_evidence_load(a->evidence, &evidence, err));
    PG_TRY(pg_stamp_commit(evidence, a->model, digest, err));
    pg_to_hex(digest, sizeof digest, hex);
    printf("commitment  %s\n", hex);
    if (a->query) PG_TRY(pg_stamp_query(digest, a->query, err));
    if (a->reply) PG_TRY(check_reply(a, digest, err));
done:
    pg_evidence_destroy(&evidence);
    return status;
}

static int run(int argc, char **argv)
{
    arguments a;
    pg_error err;
    int code;
    if (!pg_cli_parse(&pg_cmd_commit, argc, argv, &a, &code)) return code;
    const pg_status status = commit(&a, &err);
    return status == PG_OK ? 0 : pg_complain("commit", status, "%s", err.message);
}

const pg_command pg_cmd_commit = {
    .name = "commit",
    .summary = "commit to evidence and its model, and check a time stamp",
    .about =
        "Print a SHA-256 that commits to an evidence file and a model file together and reveals nothing about either. An authority that "
        "stamps it shows later that both existed by then. Evidence alone could be made ahead and embedded in a network that is "
        "stolen years later.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the commitment is printed, and the stamp, if one was given, is good\n"
             "2 bad usage or input, or the stamp is not one of this commitment by a trusted authority\n3 input/output fault",
    .examples = "  passgrid commit --evidence MINE.safetensors --model M.safetensors \\\n"
                "      --query M.tsq\n"
                "  curl -H 'Content-Type: application/timestamp-query' --data-binary @M.tsq \\\n"
                "      -o M.tsr AUTHORITY\n"
                "  passgrid commit --evidence MINE.safetensors --model M.safetensors \\\n"
                "      --reply M.tsr --tsa-ca AUTHORITY.pem\n",
    .run = run,
};
