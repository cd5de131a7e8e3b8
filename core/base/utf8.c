/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8; see utf8.h. */
#include "core/base/utf8.h"

#include <stdio.h>
#include <string.h>

size_t pg_utf8_character(const char *text, size_t bytes, unsigned *code)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    if (bytes == 0) return 0;
    const size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC0 ? 2 : 0;
    if (length == 0 || length > bytes || s[0] >= 0xF8) return 0;
    *code = length == 1 ? s[0] : s[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        *code = *code << 6 | (s[i] & 0x3Fu);
    }
    if (length > 1 && (*code < least[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))) return 0;
    return length;
}

bool pg_utf8_is_control(unsigned code)
{
    const bool breaks = code == 0x2028 || code == 0x2029, marks = code == 0x061C || code == 0x200E || code == 0x200F;
    const bool reorders = marks || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return code < ' ' || (code >= 0x7F && code < 0xA0) || breaks || reorders;
}

/* Does the byte begin a character? */
static bool is_first(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

int pg_utf8_width(const char *text)
{
    int width = 0;
    for (; *text; text++) width += is_first(*text);
    return width;
}

size_t pg_utf8_fit(const char *text, int width)
{
    size_t bytes = 0;
    for (int used = 0; text[bytes]; bytes++) {
        used += is_first(text[bytes]);
        if (used > width) break;
    }
    return bytes;
}

bool pg_is_printable(const char *text)
{
    unsigned code = 0;
    for (size_t left = strlen(text), length; left > 0; text += length, left -= length) {
        length = pg_utf8_character(text, left, &code);
        if (length == 0 || pg_utf8_is_control(code)) return false;
    }
    return true;
}

const char *pg_printable(const char *text, char *out, size_t room)
{
    size_t used = 0, cut = 0; /* cut: end of the last character after which "..." fits */
    for (size_t left = strlen(text); left > 0;) {
        if (used + sizeof "..." <= room) cut = used;
        char shown[8];
        unsigned code = 0;
        size_t length = pg_utf8_character(text, left, &code);
        const bool safe = length > 0 && !pg_utf8_is_control(code);
        if (!safe) length = 1;
        const size_t put = safe ? length : (size_t)snprintf(shown, sizeof shown, "\\x%02x", (unsigned char)*text);
        if (used + put >= room) {
            if (room >= sizeof "...") used = (size_t)(stpcpy(out + cut, "...") - out);
            break;
        }
        memcpy(out + used, safe ? text : shown, put);
        used += put;
        text += length;
        left -= length;
    }
    out[used] = 0;
    return out;
}
