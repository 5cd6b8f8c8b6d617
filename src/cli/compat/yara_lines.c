/* yara_lines.c - what `yara` prints of a scanned file: lines of the module console, then rules in
 * the order in which they were loaded. Bytes of the file are escaped as yara does it. */
#include "cli/compat/yara_scan.h"

#include "base/auto.h"
#include "rules/rule_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

enum { LENGTH_MAX = 512 }; /* of a match as yara shows it [facts/yara.md 1 "Limits"] */

/* Where a true rule's matches are. */
struct true_rule {
    uint32_t rule;
    struct hf_cursor matches; /* behind its record */
};

struct showing {
    const struct yara_scan *scan;
    struct hf_buffer *out;
    struct hf_bytes name;
    struct true_rule *rules; /* owned, by number */
    size_t count;
    int64_t shown; /* rules that are true, for -l and -c */
};

static int by_number(const void *a, const void *b)
{
    const struct true_rule *x = a, *y = b;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* Sort out what was told. False: no memory, or the worker spoke nonsense. */
static bool collect(struct showing *s, struct hf_bytes told)
{
    struct hf_cursor c = hf_cursor_open(told.data, told.len, NULL);
    struct hf_told t = {0};
    enum hf_status st;
    size_t room = 0;
    bool quiet = yara_given(s->scan, YA_NO_CONSOLE);
    while ((st = hf_told_next(&c, &t)) == HF_OK) {
        if (t.kind == HF_TOLD_LINE && !quiet) {
            hf_buffer_bytes(s->out, t.data);
            hf_buffer_u8(s->out, '\n');
        }
        if (t.kind != HF_TOLD_RULE)
            continue;
        if (s->count == room) {
            room = room == 0 ? 64 : room * 2;
            struct true_rule *more = realloc(s->rules, room * sizeof *more);
            if (more == NULL)
                return false;
            s->rules = more;
        }
        s->rules[s->count++] = (struct true_rule){t.rule, c};
    }
    if (s->count > 0)
        qsort(s->rules, s->count, sizeof *s->rules, by_number);
    return st == HF_NOTFOUND;
}

static void put_escaped_text(struct hf_buffer *out, struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t b = text.data[i];
        switch (b) {
        case '"': hf_buffer_text(out, "\\\""); break;
        case '\\': hf_buffer_text(out, "\\\\"); break;
        case '\t': hf_buffer_text(out, "\\t"); break;
        case '\n': hf_buffer_text(out, "\\n"); break;
        case '\r': hf_buffer_text(out, "\\r"); break;
        default:
            if (b >= 0x20 && b < 0x7f)
                hf_buffer_u8(out, b);
            else
                hf_buffer_format(out, "\\%03o", b);
        }
    }
}

static void put_plain(struct hf_buffer *out, struct hf_bytes data, uint8_t key)
{
    for (size_t i = 0; i < data.len; i++) {
        uint8_t b = data.data[i] ^ key;
        if (b >= 0x20 && b < 0x7f)
            hf_buffer_u8(out, b);
        else
            hf_buffer_format(out, "\\x%02X", b);
    }
}

static void put_hex(struct hf_buffer *out, struct hf_bytes data)
{
    for (size_t i = 0; i < data.len; i++)
        hf_buffer_format(out, "%s%02X", i > 0 ? " " : "", data.data[i]);
}

static void put_tags(struct hf_buffer *out, struct hf_rule_text *text, bool shown)
{
    struct hf_bytes tag;
    if (shown)
        hf_buffer_u8(out, '[');
    for (bool first = true; hf_rule_text_tag(text, &tag); first = false) {
        if (!shown)
            continue;
        if (!first)
            hf_buffer_u8(out, ',');
        hf_buffer_bytes(out, tag);
    }
    if (shown)
        hf_buffer_text(out, "] ");
}

static void put_meta(struct hf_buffer *out, const struct hf_rule_meta *meta)
{
    hf_buffer_bytes(out, meta->name);
    if (meta->value.type == HF_FACT_STRING) {
        hf_buffer_text(out, "=\"");
        put_escaped_text(out, meta->value.string);
        hf_buffer_u8(out, '"');
    } else if (meta->value.type == HF_FACT_BOOL) {
        hf_buffer_text(out, meta->value.integer != 0 ? "=true" : "=false");
    } else {
        hf_buffer_format(out, " =%" PRId64, meta->value.integer); /* sic */
    }
}

static void put_metas(struct hf_buffer *out, struct hf_rule_text *text, bool shown)
{
    struct hf_rule_meta meta;
    if (shown)
        hf_buffer_u8(out, '[');
    for (bool first = true; hf_rule_text_meta(text, &meta); first = false) {
        if (!shown)
            continue;
        if (!first)
            hf_buffer_u8(out, ',');
        put_meta(out, &meta);
    }
    if (shown)
        hf_buffer_text(out, "] ");
}

/* The key of a match of an xor pattern, by its first byte. */
static uint8_t key_of(const struct hf_pattern *pattern, struct hf_bytes data)
{
    if ((pattern->flags & HF_PATTERN_XOR) == 0 || data.len == 0 || pattern->text.len == 0)
        return 0;
    return data.data[0] ^ pattern->text.data[0];
}

static void put_match(struct showing *s, const struct hf_told *m,
                      const struct hf_rule_string *string, const struct hf_pattern *pattern)
{
    struct hf_buffer *out = s->out;
    uint64_t length = m->length < LENGTH_MAX ? m->length : LENGTH_MAX;
    hf_buffer_format(out, "0x%" PRIx64 ":", m->offset);
    if (yara_given(s->scan, YA_LENGTHS))
        hf_buffer_format(out, "%" PRIu64 ":", length);
    hf_buffer_bytes(out, string->name);
    if (yara_given(s->scan, YA_XOR)) {
        uint8_t key = key_of(pattern, m->data);
        hf_buffer_format(out, ":xor(0x%02x,", key);
        put_plain(out, m->data, key);
        hf_buffer_u8(out, ')');
    }
    if (yara_given(s->scan, YA_STRINGS)) {
        hf_buffer_text(out, ": ");
        if (string->hex)
            put_hex(out, m->data);
        else
            put_plain(out, m->data, 0);
    }
    hf_buffer_u8(out, '\n');
}

/* The matches of one pattern; they stand together, in the order of patterns. */
static void put_matches(struct showing *s, struct hf_cursor *at, uint32_t rule,
                        uint32_t first_pattern, uint32_t number,
                        const struct hf_rule_string *string)
{
    struct hf_pattern pattern = {0};
    uint32_t owner;
    bool first_only = yara_given(s->scan, YA_FAST);
    if (yara_given(s->scan, YA_XOR) &&
        hf_db_pattern(s->scan->set.db, 0, first_pattern + number, &pattern, &owner) !=
            HF_OK)
        return;
    struct hf_told m = {.rule = rule};
    uint64_t shown = 0;
    for (;;) {
        struct hf_cursor before = *at;
        if (hf_told_next(at, &m) != HF_OK || m.kind == HF_TOLD_RULE ||
            (m.kind == HF_TOLD_MATCH && m.pattern > number)) {
            *at = before;
            return;
        }
        if (m.kind == HF_TOLD_MATCH && m.pattern == number && !string->is_private &&
            (!first_only || shown++ == 0))
            put_match(s, &m, string, &pattern);
    }
}

static void put_strings(struct showing *s, struct hf_cursor matches, uint32_t number,
                        uint32_t first_pattern, struct hf_rule_text *text)
{
    struct hf_rule_string string;
    for (uint32_t i = 0; hf_rule_text_string(text, &string); i++)
        put_matches(s, &matches, number, first_pattern, i, &string);
}

static bool has_text(const struct yara_value *wanted, struct hf_bytes text)
{
    for (unsigned i = 0; i < wanted->count; i++)
        if (hf_bytes_equal(hf_bytes_text(wanted->texts[i]), text))
            return true;
    return false;
}

/* Whether -t and -i want to see it; text is a copy, read for its tags. */
static bool is_wanted(const struct showing *s, struct hf_rule_text text,
                      struct hf_bytes name)
{
    const struct yara_value *tags = &s->scan->line.values[YA_TAG];
    const struct yara_value *names = &s->scan->line.values[YA_IDENTIFIER];
    bool tagged = tags->count == 0;
    struct hf_bytes tag;
    while (!tagged && hf_rule_text_tag(&text, &tag))
        tagged = has_text(tags, tag);
    return tagged && (names->count == 0 || has_text(names, name));
}

static void put_rule(struct showing *s, uint32_t number, const struct hf_rule *rule,
                     const struct true_rule *is_true, struct hf_bytes name)
{
    const struct yara_scan *scan = s->scan;
    struct hf_rule_text text = hf_rule_text_begin(hf_db_rule_text(scan->set.db, 0, number));
    if (yara_given(scan, YA_NAMESPACE)) {
        hf_buffer_bytes(s->out, text.name_space);
        hf_buffer_u8(s->out, ':');
    }
    hf_buffer_bytes(s->out, name);
    hf_buffer_u8(s->out, ' ');
    put_tags(s->out, &text, yara_given(scan, YA_TAGS));
    put_metas(s->out, &text, yara_given(scan, YA_META));
    hf_buffer_bytes(s->out, s->name);
    hf_buffer_u8(s->out, '\n');
    bool strings = yara_given(scan, YA_STRINGS) || yara_given(scan, YA_LENGTHS) ||
                   yara_given(scan, YA_XOR);
    if (strings && is_true != NULL)
        put_strings(s, is_true->matches, number, rule->pattern_first, &text);
}

/* Returns whether to go on with the next rule. */
static bool show_rule(struct showing *s, uint32_t number, const struct true_rule *is_true)
{
    const struct yara_scan *scan = s->scan;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    struct hf_rule rule;
    struct hf_signature signature = {0};
    if (hf_db_rule(scan->set.db, 0, number, &rule, &signature.number) != HF_OK ||
        (rule.flags & HF_RULE_PRIVATE) != 0 ||
        hf_db_name(scan->set.db, signature, &name) != HF_OK)
        return true;
    bool shown = (is_true != NULL) != yara_given(scan, YA_NEGATE) &&
                 is_wanted(s, hf_rule_text_begin(hf_db_rule_text(scan->set.db, 0, number)),
                           hf_buffer_view(&name));
    if (shown && !yara_given(scan, YA_COUNT))
        put_rule(s, number, &rule, is_true, hf_buffer_view(&name));
    s->shown += is_true != NULL;
    int64_t most = yara_number(scan, YA_MAX_RULES, 0);
    return most == 0 || s->shown < most;
}

static void put_count(struct showing *s)
{
    if (!yara_given(s->scan, YA_COUNT))
        return;
    if (!s->scan->single) {
        hf_buffer_bytes(s->out, s->name);
        hf_buffer_text(s->out, ": ");
    }
    hf_buffer_format(s->out, "%" PRId64 "\n", s->shown);
}

void hf_yara_lines(struct hf_buffer *out, const struct yara_scan *scan,
                   struct hf_bytes name, const struct hf_report *report)
{
    struct showing s = {.scan = scan, .out = out, .name = name};
    if (!collect(&s, report->told))
        out->failed = true;
    size_t at = 0;
    uint32_t rules = hf_db_rule_count(scan->set.db, 0);
    bool all = yara_given(scan, YA_NEGATE);
    bool on = true;
    for (uint32_t i = 0; all && on && i < rules; i++) {
        while (at < s.count && s.rules[at].rule < i)
            at++;
        on = show_rule(&s, i, at < s.count && s.rules[at].rule == i ? &s.rules[at] : NULL);
    }
    for (at = 0; !all && on && at < s.count; at++)
        on = show_rule(&s, s.rules[at].rule, &s.rules[at]);
    put_count(&s);
    free(s.rules);
}
