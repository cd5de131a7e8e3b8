/* YAML by libyaml; see yaml.h. We build from libyaml's events rather than its documents: that lets us see tags and anchors,
 * reject repeated keys where they stand, and bound the depth before recursing. Its marks count from 0. */
#include "core/formats/yaml.h"

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/formats/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* ---- reading ---- */

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    pg_tree *tree;
    const char *text, *source;
    size_t bytes;
    bool numbered; /* lines and columns mean something to the user */
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

/* The byte at a mark, which counts characters; 0 at the end. */
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
static pg_status check_characters(const reader *r, const char *text, size_t bytes, pg_error *err)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < bytes;) {
        unsigned code = 0;
        const size_t length = pg_utf8_character(text + i, bytes - i, &code);
        if (length == 0) return fail_at(r, mark, err, "not UTF-8 (byte 0x%02x)", (unsigned char)text[i]);
        const bool blank = code == '\t' || code == '\n' || code == '\r' || code == 0x85,
                   control = pg_utf8_is_control(code) && !blank;
        if (control || code == 0xFFFE || code == 0xFFFF) return fail_at(r, mark, err, "control character 0x%02x", code);
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
    if (strlen(text) != length) return fail_at(r, r->event.start_mark, err, "a zero byte in a text");
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

/* The current event is an entry's key: make its node, and move on to the value. */
static pg_status build_entry(reader *r, const pg_node *map, int depth, pg_node **out, pg_error *err)
{
    pg_status status = PG_OK;
    const yaml_mark_t mark = r->event.start_mark;
    const char *key = NULL;
    if (r->event.type == YAML_ALIAS_EVENT) PG_TRY(check_plain(r, r->event.data.alias.anchor, NULL, err));
    if (r->event.type != YAML_SCALAR_EVENT) PG_TRY(fail_at(r, mark, err, "a key must be a scalar"));
    PG_TRY(check_plain(r, r->event.data.scalar.anchor, r->event.data.scalar.tag, err));
    PG_TRY(copy_scalar(r, &key, err));
    if (key[0] == 0) PG_TRY(fail_at(r, mark, err, "an empty key"));
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

/* Make a node of the current event and of all that belongs to it. The last event of it stays current. */
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
    if (r->event.type == YAML_STREAM_END_EVENT)
        PG_TRY(fail_at(r, r->event.start_mark, err, "expected a document, got nothing"));
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

/* Parse into the tree's memory; the root of what was read stands alone at the given depth. */
static pg_status parse(pg_tree *tree, const char *text, size_t bytes, const char *source, bool numbered, int depth,
                       pg_node **out, pg_error *err)
{
    reader r = {.tree = tree, .text = text, .source = source, .bytes = bytes, .numbered = numbered};
    if (bytes > PG_YAML_BYTES) return pg_fail(err, PG_BAD_INPUT, "%s: more than %d bytes of YAML", source, PG_YAML_BYTES);
    pg_status status = check_characters(&r, text, bytes, err);
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
    PG_TRY(parse(tree, text, bytes, source, true, 1, &tree->root, err));
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

/* ---- assignments ---- */

/* Trim blanks, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n > 0 && strchr(" \t", text[n - 1]); n--) text[n - 1] = 0;
    return text;
}

/* Split "a.b.c" in place at its dots, and trim blanks around each key. */
static pg_status split_path(char *path, const char *source, char *steps[PG_NODE_DEPTH], int *count, pg_error *err)
{
    *count = 0;
    for (char *step = path; step;) {
        char *dot = strchr(step, '.');
        if (dot) *dot++ = 0;
        step = trimmed(step);
        if (step[0] == 0) return pg_fail(err, PG_BAD_INPUT, "%s: expected KEY=VALUE, got an empty key", source);
        if (*count == PG_NODE_DEPTH - 1)
            return pg_fail(err, PG_BAD_INPUT, "%s: nested deeper than %d levels", source, PG_NODE_DEPTH);
        steps[(*count)++] = step;
        step = dot;
    }
    return PG_OK;
}

/* The child that a step names; *out is NULL if it is a key that a map does not have yet. */
static pg_status take_step(const pg_node *node, const char *step, const char *source, pg_node **out, pg_error *err)
{
    char path[PG_NODE_PATH], found[PG_NODE_SHORT];
    long long index = 0;
    *out = NULL;
    if (pg_node_is_null(node)) return PG_OK;
    if (node->kind == PG_MAP) {
        *out = pg_node_find(node, step);
        if (!*out && node->count == PG_NODE_KEYS)
            return pg_fail(err, PG_BAD_INPUT, "%s: more than %d keys in one map", source, PG_NODE_KEYS);
        return PG_OK;
    }
    pg_node_path(node, path);
    if (node->kind == PG_SCALAR)
        return pg_fail(err, PG_BAD_INPUT, "%s: %s: expected a map or a list, got %s", source, path,
                       pg_node_describe(node, found));
    if (!pg_number_int(step, &index) || index < 0 || (size_t)index >= node->count)
        return pg_fail(err, PG_BAD_INPUT, "%s: %s: expected an index below %zu, got '%s'", source, path, node->count, step);
    *out = pg_node_at(node, (size_t)index);
    return PG_OK;
}

/* Put value under node as steps[0].steps[1]. ... of maps that do not exist yet. The chain is complete before it is linked. */
static pg_status create_steps(pg_tree *tree, pg_node *node, char *const *steps, int count, pg_node *value, pg_error *err)
{
    for (int i = count - 1; i >= 0; i--) {
        pg_node *map = NULL;
        pg_status status = pg_tree_text(tree, steps[i], strlen(steps[i]), &value->key, err);
        if (status == PG_OK && i > 0) status = pg_node_add(tree, NULL, NULL, PG_MAP, NULL, &map, err);
        if (status != PG_OK) return status;
        if (i == 0) break;
        map->source = value->source;
        pg_node_link(map, value);
        value = map;
    }
    if (node->kind != PG_MAP) pg_node_replace(node, &(pg_node){.kind = PG_MAP, .text = "", .source = value->source});
    pg_node_link(node, value);
    return PG_OK;
}

static pg_status assign(pg_tree *tree, char *const *steps, int count, pg_node *value, pg_error *err)
{
    pg_node *node = tree->root;
    for (int i = 0; i < count; i++) {
        pg_node *next = NULL;
        const pg_status status = take_step(node, steps[i], value->source, &next, err);
        if (status != PG_OK) return status;
        if (!next) return create_steps(tree, node, steps + i, count - i, value, err);
        node = next;
    }
    pg_node_replace(node, value);
    return PG_OK;
}

pg_status pg_yaml_set(pg_tree *tree, const char *assignment, pg_error *err)
{
    enum { SHOWN = 120 };
    pg_status status = PG_OK;
    char *path = NULL, *steps[PG_NODE_DEPTH], source[SHOWN + 16];
    const char *kept = NULL;
    int count = 0;
    pg_node *value = NULL;
    const char *equals = strchr(assignment, '=');
    if (strlen(assignment) > SHOWN)
        snprintf(source, sizeof source, "--set %.*s...", SHOWN, assignment);
    else
        snprintf(source, sizeof source, "--set %s", assignment);
    PG_TRY(check_characters(&(reader){.source = source}, assignment, strlen(assignment), err));
    if (!equals)
        return pg_fail(err, PG_BAD_INPUT, "%s: expected KEY=VALUE, such as train.epochs=2 or networks.0.width=0.5", source);
    PG_TRY(pg_strdup(assignment, &path, err));
    path[equals - assignment] = 0;
    PG_TRY(split_path(path, source, steps, &count, err));
    PG_TRY(pg_tree_text(tree, source, strlen(source), &kept, err));
    if (equals[1 + strspn(equals + 1, " \t")] == 0)
        PG_TRY(pg_node_add(tree, NULL, NULL, PG_SCALAR, NULL, &value, err));
    else
        PG_TRY(parse(tree, equals + 1, strlen(equals + 1), kept, false, count + 1, &value, err));
    value->source = kept;
    PG_TRY(assign(tree, steps, count, value, err));
done:
    pg_free(path);
    return status;
}

/* ---- writing ---- */

typedef struct writer {
    yaml_emitter_t emitter;
    FILE *stream;
    pg_yaml_style style;
} writer;

static int write_bytes(void *stream, unsigned char *bytes, size_t count)
{
    return fwrite(bytes, 1, count, stream) == count;
}

/* Emit an event; libyaml takes it over even when it fails. */
static bool send(writer *w, yaml_event_t *event, int made)
{
    return made && yaml_emitter_emit(&w->emitter, event);
}

static bool has_line_breaks(const char *text)
{
    return strpbrk(text, "\n\r\t") != NULL || strstr(text, "\xC2\x85") || strstr(text, "\xE2\x80\xA8") ||
           strstr(text, "\xE2\x80\xA9");
}

/* Would a plain scalar be taken for something other than text, here or by other readers (old YAML has 1:30, 0x1F, yes,
 * 2001-01-01)? */
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

/* YAML 1.1 (PyYAML) takes 1e-05 for text: a number with an exponent gets a point and a sign, 1.0e-05. Other texts are returned
 * as they are. */
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
