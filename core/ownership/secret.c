/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets; see secret.h. */
#include "core/ownership/secret.h"

#include "core/base/file.h"
#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char prefix[] = "passgrid-secret-1 ";

pg_status pg_secret_draw(pg_secret *out, pg_error *err)
{
    return getrandom(out->bytes, sizeof out->bytes, 0) == (ssize_t)sizeof out->bytes
               ? PG_OK
               : pg_fail_errno(err, "the system's random generator");
}

void pg_secret_to_hex(const pg_secret *secret, char hex[PG_SECRET_HEX])
{
    pg_to_hex(secret->bytes, sizeof secret->bytes, hex);
}

bool pg_secret_from_hex(const char *hex, pg_secret *out)
{
    return pg_from_hex(hex, sizeof out->bytes, out->bytes);
}

void pg_secret_to_line(const pg_secret *secret, char line[PG_SECRET_LINE])
{
    strcpy(line, prefix);
    pg_secret_to_hex(secret, line + strlen(prefix));
}

pg_status pg_secret_save(const pg_secret *secret, const char *path, pg_error *err)
{
    char line[PG_SECRET_LINE + 1];
    if (pg_file_exists(path)) return pg_fail(err, PG_BAD_INPUT, "%s: already exists; a new secret would replace it", path);
    pg_secret_to_line(secret, line);
    strcat(line, "\n");
    return pg_file_write(path, line, strlen(line), PG_FILE_SECRET, err);
}

/* Read the secret from a file's text; the line end is removed. */
static bool parse_line(char *text, pg_secret *out)
{
    const size_t length = sizeof prefix - 1;
    text[strcspn(text, "\r\n")] = 0;
    return strncmp(text, prefix, length) == 0 && pg_secret_from_hex(text + length, out);
}

pg_status pg_secret_load(const char *path, pg_secret *out, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read_up_to(path, 4096, &text, &bytes, err);
    if (status != PG_OK) return status;
    if (!parse_line(text, out))
        status = pg_fail(err, PG_BAD_INPUT, "%s: not a secret; `passgrid secret new FILE` makes one", path);
    pg_free(text);
    return status;
}

pg_status pg_secret_parse(const char *text, pg_secret *out, pg_error *err)
{
    char line[2 * sizeof prefix + 2 * PG_SECRET_HEX] = "";
    const bool hex = strncmp(text, "hex:", 4) == 0;
    const size_t bytes = hex ? strlen(text + 4) / 2 : strlen(text);
    bool read = bytes < sizeof line;
    if (read && hex) read = pg_from_hex(text + 4, bytes, (unsigned char *)line);
    if (read && !hex) memcpy(line, text, bytes);
    return read && parse_line(line, out)
               ? PG_OK
               : pg_fail(err, PG_BAD_INPUT, "secret: the file holds no secret; `passgrid secret new FILE` makes one");
}

void pg_secret_from_seed(pg_seed seed, pg_secret *out)
{
    pg_hash hash;
    pg_hash_start(&hash);
    pg_hash_add_text(&hash, "passgrid secret from a seed 1");
    pg_hash_add_u64(&hash, seed.grid);
    pg_hash_add_text(&hash, seed.task);
    pg_hash_finish(&hash, out->bytes);
}
