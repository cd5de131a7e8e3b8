/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading YAML by libyaml; see yaml.h. The tree is built from libyaml's events instead of its documents: events show tags and
 * anchors, so that the reader reports a repeated key at its position and limits the depth before it recurses. libyaml's marks
 * count from 0. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/yaml_internal.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    pg_tree *tree;
    const char *text, *source;
    size_t bytes;
    bool numbered; /* the user can find lines and columns in the source */
} reader;

static pg_status fail_at(const reader *r, yaml_mark_t mark, pg_error *err, const char *format, ...) PG_PRINTF(4, 5);

static pg_status fail_at(const reader *r, yaml_mark_t mark, pg_error *err, const char *format, ...)
{
    char message[PG_MESSAGE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (!r->numbered) return pg_fail(err, PG_BAD_INPUT, "%s: %s", r->source, message);
    return pg_fail(err, PG_BAD_INPUT, "%s:%zu:%zu: %s", r->source, mark.line + 1, mark.column + 1, message);
}

/* The byte at a mark, 0 at the end. Marks count characters. */
static char byte_at(const reader *r, yaml_mark_t mark)
{
    size_t at = 0;
    for (size_t left = mark.index; left > 0 && at < r->bytes; left--) do
            at++;
        while (at < r->bytes && (r->text[at] & 0xC0) == 0x80);
    return at < r->bytes ? r->text[at] : 0;
}

static pg_status syntax_error(const reader *r, pg_error *err)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return pg_fail(err, PG_NO_MEMORY, "%s: out of memory", r->source);
    if (byte_at(r, p->problem_mark) == '\t')
        return fail_at(r, p->problem_mark, err, "a tab where YAML allows only spaces; replace it with spaces");
    const char *problem = p->problem ? p->problem : "not YAML";
    if (!p->context) return fail_at(r, p->problem_mark, err, "%s", problem);
    if (!r->numbered || p->context_mark.line == p->problem_mark.line)
        return fail_at(r, p->problem_mark, err, "%s %s", problem, p->context);
    return fail_at(r, p->problem_mark, err, "%s %s that starts at line %zu", problem, p->context, p->context_mark.line + 1);
}

static pg_status advance(reader *r, pg_error *err)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) ? PG_OK : syntax_error(r, err);
}

/* libyaml would find these too, but reports no line. */
pg_status pg_yaml_check(const char *text, size_t bytes, const char *source, bool numbered, pg_error *err)
{
    const reader r = {.source = source, .numbered = numbered};
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < bytes;) {
        unsigned code = 0;
        const size_t length = pg_utf8_character(text + i, bytes - i, &code);
        if (length == 0) return fail_at(&r, mark, err, "not UTF-8 (byte 0x%02x)", (unsigned char)text[i]);
        const bool blank = code == '\t' || code == '\n' || code == '\r' || code == 0x85,
                   control = pg_utf8_is_control(code) && !blank;
        if (control || code == 0xFFFE || code == 0xFFFF) return fail_at(&r, mark, err, "control character 0x%02x", code);
        mark.column++;
        if (code == '\n') mark = (yaml_mark_t){.line = mark.line + 1};
        i += length;
    }
    return PG_OK;
}

static pg_status check_plain(const reader *r, const yaml_char_t *anchor, const yaml_char_t *tag, pg_error *err)
{
    if (anchor) return fail_at(r, r->event.start_mark, err, "anchors and aliases are not supported");
    if (tag) return fail_at(r, r->event.start_mark, err, "tags are not supported");
    return PG_OK;
}

static pg_status copy_scalar(reader *r, const char **out, pg_error *err)
{
    const char *text = (const char *)r->event.data.scalar.value;
    const size_t length = r->event.data.scalar.length;
    if (strlen(text) != length) return fail_at(r, r->event.start_mark, err, "the text has a zero byte");
    return pg_tree_text(r->tree, text, length, out, err);
}

static void stamp(const reader *r, pg_node *node)
{
    node->source = r->source;
    if (!r->numbered) return;
    node->line = (int)r->event.start_mark.line + 1;
    node->column = (int)r->event.start_mark.column + 1;
}

static pg_status build(reader *r, int depth, pg_node **out, pg_error *err);

/* Build an entry of a map; the current event is its key. */
static pg_status build_entry(reader *r, const pg_node *map, int depth, pg_node **out, pg_error *err)
{
    pg_status status = PG_OK;
    const yaml_mark_t mark = r->event.start_mark;
    const char *key = NULL;
    if (r->event.type == YAML_ALIAS_EVENT) PG_TRY(check_plain(r, r->event.data.alias.anchor, NULL, err));
    if (r->event.type != YAML_SCALAR_EVENT) PG_TRY(fail_at(r, mark, err, "a key must be a scalar"));
    PG_TRY(check_plain(r, r->event.data.scalar.anchor, r->event.data.scalar.tag, err));
    PG_TRY(copy_scalar(r, &key, err));
    if (key[0] == 0) PG_TRY(fail_at(r, mark, err, "the key is empty"));
    const pg_node *first = pg_node_find(map, key);
    if (first) {
        if (!r->numbered) PG_TRY(fail_at(r, mark, err, "duplicate key '%s'", key));
        PG_TRY(fail_at(r, mark, err, "duplicate key '%s', first at line %d", key, first->key_line));
    }
    if (map->count == PG_NODE_KEYS) PG_TRY(fail_at(r, mark, err, "more than %d keys in one map", PG_NODE_KEYS));
    PG_TRY(advance(r, err));
    PG_TRY(build(r, depth, out, err));
    (*out)->key = key;
    (*out)->key_line = r->numbered ? (int)mark.line + 1 : 0;
    (*out)->key_column = r->numbered ? (int)mark.column + 1 : 0;
done:
    return status;
}

/* Build the node that begins at the current event. Its last event becomes the current one. */
static pg_status build(reader *r, int depth, pg_node **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *node = NULL;
    const yaml_event_t *event = &r->event;
    if (depth > PG_NODE_DEPTH) return fail_at(r, event->start_mark, err, "nested deeper than %d levels", PG_NODE_DEPTH);
    PG_TRY(pg_tree_alloc(r->tree, sizeof *node, &node, err));
    stamp(r, node);
    node->text = "";
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        PG_TRY(check_plain(r, event->data.scalar.anchor, event->data.scalar.tag, err));
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        PG_TRY(copy_scalar(r, &node->text, err));
        break;
    case YAML_SEQUENCE_START_EVENT:
        PG_TRY(check_plain(r, event->data.sequence_start.anchor, event->data.sequence_start.tag, err));
        node->kind = PG_LIST;
        break;
    case YAML_MAPPING_START_EVENT:
        PG_TRY(check_plain(r, event->data.mapping_start.anchor, event->data.mapping_start.tag, err));
        node->kind = PG_MAP;
        break;
    default: PG_TRY(check_plain(r, event->data.alias.anchor, NULL, err)); /* the parser's grammar leaves only an alias */
    }
    while (node->kind != PG_SCALAR) {
        pg_node *child = NULL;
        PG_TRY(advance(r, err));
        if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) break;
        if (node->kind == PG_MAP)
            PG_TRY(build_entry(r, node, depth + 1, &child, err));
        else
            PG_TRY(build(r, depth + 1, &child, err));
        pg_node_link(node, child);
    }
    *out = node;
done:
    return status;
}

static pg_status build_document(reader *r, int depth, pg_node **out, pg_error *err)
{
    pg_status status = PG_OK;
    pg_node *root = NULL;
    PG_TRY(advance(r, err)); /* start of the stream */
    PG_TRY(advance(r, err));
    if (r->event.type == YAML_STREAM_END_EVENT) PG_TRY(fail_at(r, r->event.start_mark, err, "the file is empty"));
    if (r->event.data.document_start.version_directive ||
        r->event.data.document_start.tag_directives.start != r->event.data.document_start.tag_directives.end)
        PG_TRY(fail_at(r, r->event.start_mark, err, "directives are not supported"));
    PG_TRY(advance(r, err));
    PG_TRY(build(r, depth, &root, err));
    PG_TRY(advance(r, err)); /* end of the document */
    PG_TRY(advance(r, err));
    if (r->event.type != YAML_STREAM_END_EVENT)
        PG_TRY(fail_at(r, r->event.start_mark, err, "expected one document, got a second"));
    *out = root;
done:
    return status;
}

pg_status pg_yaml_read(pg_tree *tree, const char *text, size_t bytes, const char *source, bool numbered, int depth,
                       pg_node **out, pg_error *err)
{
    reader r = {.tree = tree, .text = text, .source = source, .bytes = bytes, .numbered = numbered};
    if (bytes > PG_YAML_BYTES) return pg_fail(err, PG_BAD_INPUT, "%s: more than %d bytes of YAML", source, PG_YAML_BYTES);
    pg_status status = pg_yaml_check(text, bytes, source, numbered, err);
    if (status != PG_OK) return status;
    if (!yaml_parser_initialize(&r.parser)) return pg_fail(err, PG_NO_MEMORY, "%s: out of memory", source);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, bytes);
    status = build_document(&r, depth, out, err);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return status;
}

static pg_status parse_new(const char *text, size_t bytes, const char *name, pg_tree **out, pg_error *err)
{
    pg_tree *tree = NULL;
    const char *source = NULL;
    pg_status status = PG_OK;
    PG_TRY(pg_tree_create(&tree, err));
    PG_TRY(pg_tree_text(tree, name, strlen(name), &source, err));
    PG_TRY(pg_yaml_read(tree, text, bytes, source, true, 1, &tree->root, err));
    *out = tree;
    tree = NULL;
done:
    pg_tree_destroy(&tree);
    return status;
}

pg_status pg_yaml_parse_text(const char *text, const char *name, pg_tree **out, pg_error *err)
{
    return parse_new(text, strlen(text), name, out, err);
}

pg_status pg_yaml_parse_file(const char *path, pg_tree **out, pg_error *err)
{
    char *text = NULL;
    size_t bytes = 0;
    pg_status status = pg_file_read_text(path, &text, &bytes, err);
    if (status != PG_OK) return status;
    status = parse_new(text, bytes, path, out, err);
    pg_free(text);
    return status;
}
