/* SPDX-License-Identifier: GPL-3.0-or-later */
/* passgrid secret new: draws a claimant's secret. */
#include "experiments/commands/commands.h"

#include "core/ownership/secret.h"

typedef struct arguments {
    const char *path;
} arguments;

static const pg_cli_row rows[] = {
    PG_CLI_FILE(arguments, path, NULL, "FILE", "new file for the secret; only its owner can read it"),
    {0},
};

static int run(int argc, char **argv)
{
    arguments a;
    pg_error err;
    pg_secret secret;
    int code;
    if (!pg_cli_parse(&pg_cmd_secret_new, argc, argv, &a, &code)) return code;
    pg_status status = pg_secret_draw(&secret, &err);
    if (status == PG_OK) status = pg_secret_save(&secret, a.path, &err);
    return status == PG_OK ? 0 : pg_complain("secret new", status, "%s", err.message);
}

const pg_command pg_cmd_secret_new = {
    .name = "secret new",
    .summary = "draw the secret that bound evidence follows from",
    .about =
        "Write 32 bytes from the system's random generator to a new file. A scheme with `bound: true` and `secret: file:FILE` "
        "derives all its evidence from them. Keep the file: whoever has it has the evidence, and without it the evidence file "
        "is all that is left.",
    .rows = rows,
    .size = sizeof(arguments),
    .exits = "0 the secret is written\n2 bad usage, or FILE exists\n3 input/output fault",
    .examples = "  passgrid secret new ~/passgrid.secret\n",
    .run = run,
};
