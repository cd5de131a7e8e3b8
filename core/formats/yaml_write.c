/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing YAML by libyaml; see yaml.h. */
#include "core/base/memory.h"
#include "core/formats/number.h"
#include "core/formats/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

typedef struct writer {
    yaml_emitter_t emitter;
    FILE *stream;
    pg_yaml_style style;
} writer;

static int write_bytes(void *stream, unsigned char *bytes, size_t count)
{
    return fwrite(bytes, 1, count, stream) == count;
}

/* Emit an event. libyaml takes ownership of it even if it fails. */
static bool send(writer *w, yaml_event_t *event, int made)
{
    return made && yaml_emitter_emit(&w->emitter, event);
}

static bool has_line_breaks(const char *text)
{
    return strpbrk(text, "\n\r\t") != NULL || strstr(text, "\xC2\x85") || strstr(text, "\xE2\x80\xA8") ||
           strstr(text, "\xE2\x80\xA9");
}

/* Would this or another reader take the text, unquoted, for something else? Old YAML has 1:30, 0x1F, yes, 2001-01-01. */
static bool reads_as_other(const char *text)
{
    static const char *const words[] = {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) return true;
    return strchr("0123456789+-.=<", text[0]) != NULL;
}

static bool emit_scalar(writer *w, const char *text, bool quoted)
{
    yaml_event_t event;
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE; /* the emitter quotes what cannot be plain */
    if (has_line_breaks(text))
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    else if (quoted && reads_as_other(text))
        style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
    return send(w, &event,
                yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style));
}

enum { SPELLED_MAX = PG_NUMBER_MAX + 4 };

/* YAML 1.1 (PyYAML) reads 1e-05 as text, so a number with an exponent gets a point and a sign: 1.0e-05. Returns other texts as
 * they are. */
static const char *spell(const char *text, char out[SPELLED_MAX])
{
    double value;
    const size_t digits = strcspn(text, "eE");
    if (!text[digits] || strlen(text) >= PG_NUMBER_MAX || !pg_number_real(text, &value)) return text;
    const char *power = text + digits + 1;
    snprintf(out, SPELLED_MAX, "%.*s%se%s%s", (int)digits, text, memchr(text, '.', digits) ? "" : ".0",
             strchr("+-", *power) ? "" : "+", power);
    return out;
}

static bool only_scalars(const pg_node *node)
{
    for (const pg_node *child = node->first; child; child = child->next)
        if (child->kind != PG_SCALAR) return false;
    return true;
}

static bool emit_node(writer *w, const pg_node *node)
{
    yaml_event_t event;
    char number[SPELLED_MAX];
    if (node->kind == PG_SCALAR && pg_node_is_null(node)) return emit_scalar(w, "null", false);
    if (node->kind == PG_SCALAR && w->style == PG_YAML_BLOCK && !node->quoted)
        return emit_scalar(w, spell(node->text, number), false);
    if (node->kind == PG_SCALAR) return emit_scalar(w, node->text, node->quoted);
    const bool list = node->kind == PG_LIST, flow = w->style == PG_YAML_FLOW || (list && only_scalars(node));
    const yaml_sequence_style_t list_style = flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    const yaml_mapping_style_t map_style = flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
    if (!send(w, &event,
              list ? yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, list_style)
                   : yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, map_style)))
        return false;
    for (const pg_node *child = node->first; child; child = child->next) {
        if (!list && !emit_scalar(w, child->key, false)) return false;
        if (!emit_node(w, child)) return false;
    }
    return send(w, &event, list ? yaml_sequence_end_event_initialize(&event) : yaml_mapping_end_event_initialize(&event));
}

static bool emit_document(writer *w, const pg_node *node)
{
    yaml_event_t event;
    return send(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
           send(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) && emit_node(w, node) &&
           send(w, &event, yaml_document_end_event_initialize(&event, 1)) &&
           send(w, &event, yaml_stream_end_event_initialize(&event));
}

pg_status pg_yaml_emit(const pg_node *node, pg_yaml_style style, char **text, pg_error *err)
{
    char *buffer = NULL;
    size_t bytes = 0;
    writer w = {.style = style, .stream = open_memstream(&buffer, &bytes)};
    if (!w.stream) return pg_fail(err, PG_NO_MEMORY, "out of memory writing YAML");
    bool good = yaml_emitter_initialize(&w.emitter);
    if (good) {
        yaml_emitter_set_output(&w.emitter, write_bytes, w.stream);
        yaml_emitter_set_unicode(&w.emitter, 1);
        yaml_emitter_set_width(&w.emitter, -1);
        good = emit_document(&w, node);
        yaml_emitter_delete(&w.emitter);
    }
    if (fclose(w.stream) != 0) good = false;
    if (good && style == PG_YAML_FLOW && bytes > 0 && buffer[bytes - 1] == '\n') buffer[bytes - 1] = 0;
    const pg_status status = good ? pg_strdup(buffer, text, err) : pg_fail(err, PG_NO_MEMORY, "out of memory writing YAML");
    free(buffer);
    return status;
}
