#include "cli/rules_what.h"

#include "base/auto.h"
#include "base/text.h"
#include "cli/rules_sources.h"
#include "rules/rule_text.h"

#include <inttypes.h>

enum { PATTERNS_SHOWN = 64, BYTES_SHOWN = 96 };

/* Digest tables by section. */
static const struct {
    const char *of, *digest;
    size_t whole; /* bytes that the digest has; tables of detection keep fewer */
} tables[HF_DB_SECTION_TYPES] = {
    [HF_DB_HASH_MD5] = {"file", "MD5", 16},
    [HF_DB_HASH_SHA1] = {"file", "SHA-1", 20},
    [HF_DB_HASH_SHA256] = {"file", "SHA-256", 32},
    [HF_DB_SECTION_MD5] = {"section of an executable", "MD5", 16},
    [HF_DB_SECTION_SHA1] = {"section of an executable", "SHA-1", 20},
    [HF_DB_SECTION_SHA256] = {"section of an executable", "SHA-256", 32},
    [HF_DB_IMPORTS_MD5] = {"imports of an executable", "MD5", 16},
    [HF_DB_IMPORTS_SHA1] = {"imports of an executable", "SHA-1", 20},
    [HF_DB_IMPORTS_SHA256] = {"imports of an executable", "SHA-256", 32},
    [HF_DB_ALLOW_MD5] = {"allowed file", "MD5", 16},
    [HF_DB_ALLOW_SHA1] = {"allowed file", "SHA-1", 20},
    [HF_DB_ALLOW_SHA256] = {"allowed file", "SHA-256", 32},
};

static const struct {
    uint32_t flag;
    const char *word;
} modifiers[] = {{HF_PATTERN_NOCASE, "nocase"},     {HF_PATTERN_WIDE, "wide"},
                 {HF_PATTERN_FULLWORD, "fullword"}, {HF_PATTERN_XOR, "xor"},
                 {HF_PATTERN_BASE64, "base64"},     {HF_PATTERN_BASE64WIDE, "base64wide"},
                 {HF_PATTERN_PRIVATE, "private"},   {HF_PATTERN_LINKED, "linked"}};

static const char *const kinds[] = {"text",       "hex",       "regex",
                                    "comparison", "backtrack", "metadata"};

static const char *const places[] = {
    [HF_PLACE_ANYWHERE] = "anywhere",
    [HF_PLACE_START] = "from the start",
    [HF_PLACE_END] = "from the end",
    [HF_PLACE_ENTRY] = "from the entry point",
    [HF_PLACE_SECTION] = "in section",
    [HF_PLACE_LAST_SECTION] = "in the last section",
    [HF_PLACE_IN_SECTION] = "within section",
    [HF_PLACE_VERSION_INFO] = "in the version information",
};

/* One pattern: what the database keeps of its text. Literals are kept whole; of programs the literal
 * piece that is searched for is shown. */
struct shown {
    struct hf_rule_string name;
    struct hf_pattern pattern;
    struct hf_bytes bytes;
    bool piece; /* bytes are a piece of it only */
    struct hf_rules_cost cost;
};

static bool show(const struct hf_db *db, uint32_t segment, uint32_t number,
                 struct shown *out)
{
    uint32_t rule;
    if (hf_db_pattern(db, segment, number, &out->pattern, &rule) != HF_OK)
        return false;
    out->piece = out->pattern.kind != HF_PATTERN_LITERAL;
    out->bytes = out->pattern.text;
    if (out->piece) {
        struct hf_yara_string s = {
            .name = "", .hex = out->name.hex, .pattern = out->pattern};
        out->bytes = (struct hf_bytes){0};
        if (!hf_pattern_is_derived(out->pattern.kind)) {
            hf_rules_cost(&s, &out->cost);
            out->bytes = hf_bytes_of(out->cost.anchor, out->cost.anchor_shown);
        }
    }
    return true;
}

static bool is_text(struct hf_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] >= 0x7f)
            return false;
    return bytes.len > 0;
}

static void put_bytes(struct hf_buffer *out, const struct shown *s)
{
    struct hf_bytes bytes = s->bytes;
    bool cut = bytes.len > BYTES_SHOWN, text = is_text(bytes);
    if (cut)
        bytes.len = BYTES_SHOWN;
    if (s->piece && s->bytes.len == 0) {
        hf_buffer_text(out, "no literal piece");
        return;
    }
    hf_buffer_text(out, s->piece ? "has " : "");
    hf_buffer_u8(out, text ? '"' : '{');
    (text ? hf_escape : hf_hex)(out, bytes);
    hf_buffer_u8(out, text ? '"' : '}');
    if (cut)
        hf_buffer_format(out, "... (%zu bytes)", s->bytes.len);
}

static void put_pattern(struct hf_buffer *out, const struct shown *s)
{
    const struct hf_pattern *p = &s->pattern;
    hf_buffer_text(out, "  pattern    ");
    if (s->name.name.len > 0) {
        hf_escape(out, s->name.name);
        hf_buffer_text(out, "  ");
    }
    hf_buffer_format(out, "%s  ", kinds[p->kind]);
    put_bytes(out, s);
    for (size_t i = 0; i < sizeof modifiers / sizeof *modifiers; i++)
        if ((p->flags & modifiers[i].flag) != 0)
            hf_buffer_format(out, " %s", modifiers[i].word);
    if (p->place.kind != HF_PLACE_ANYWHERE) {
        hf_buffer_format(out, ", %s", places[p->place.kind]);
        if (p->place.kind == HF_PLACE_SECTION || p->place.kind == HF_PLACE_IN_SECTION)
            hf_buffer_format(out, " %u", p->place.section);
        hf_buffer_format(out, " %+" PRId64, p->place.offset);
        if (p->place.span > 0)
            hf_buffer_format(out, ", up to %" PRIu64 " later", p->place.span);
    }
    hf_buffer_u8(out, '\n');
}

static void put_pattern_json(struct hf_buffer *out, const struct shown *s, bool first)
{
    const struct hf_pattern *p = &s->pattern;
    hf_buffer_text(out, first ? "{\"name\":" : ",{\"name\":");
    hf_json_string(out, s->name.name);
    hf_buffer_format(out, ",\"kind\":\"%s\",\"%s\":\"", kinds[p->kind],
                     s->piece ? "piece" : "bytes");
    hf_hex(out, s->bytes);
    hf_buffer_text(out, "\",\"modifiers\":[");
    for (size_t i = 0, n = 0; i < sizeof modifiers / sizeof *modifiers; i++)
        if ((p->flags & modifiers[i].flag) != 0)
            hf_buffer_format(out, "%s\"%s\"", n++ > 0 ? "," : "", modifiers[i].word);
    hf_buffer_text(out, "],\"place\":");
    hf_json_string(out, hf_bytes_text(places[p->place.kind]));
    hf_buffer_format(out, ",\"offset\":%" PRId64 "}", p->place.offset);
}

static void put_rule(struct hf_buffer *out, const struct hf_db *db, uint32_t segment,
                     uint32_t number, bool json)
{
    struct hf_rule rule;
    uint32_t signature;
    if (hf_db_rule(db, segment, number, &rule, &signature) != HF_OK)
        return;
    struct hf_rule_text text = hf_rule_text_begin(hf_db_rule_text(db, segment, number));
    struct hf_bytes tag;
    struct hf_rule_meta meta;
    while (hf_rule_text_tag(&text, &tag))
        ;
    while (hf_rule_text_meta(&text, &meta)) {
        if (json || meta.value.type != HF_FACT_STRING)
            continue;
        hf_buffer_text(out, "  meta       ");
        hf_escape(out, meta.name);
        hf_buffer_text(out, " = ");
        hf_escape(out, meta.value.string);
        hf_buffer_u8(out, '\n');
    }
    static const char *const conditions[] = {[HF_CONDITION_ALL] = "all patterns",
                                             [HF_CONDITION_ANY] = "any pattern",
                                             [HF_CONDITION_PROGRAM] = "a program"};
    hf_buffer_format(out,
                     json ? ",\"kind\":\"rule\",\"condition\":\"%s\",\"patterns\":["
                          : "  kind       rule, condition: %s",
                     conditions[rule.condition]);
    if (!json && rule.condition == HF_CONDITION_PROGRAM)
        hf_buffer_format(out, " of %zu bytes", rule.program.len);
    if (!json)
        hf_buffer_format(out, ", %u patterns\n", rule.pattern_count);
    for (uint32_t i = 0; i < rule.pattern_count; i++) {
        struct shown s = {0};
        if (!hf_rule_text_string(&text, &s.name))
            s.name = (struct hf_rule_string){0};
        if (i == PATTERNS_SHOWN && !json)
            hf_buffer_format(out, "  pattern    and %u more\n", rule.pattern_count - i);
        if ((i >= PATTERNS_SHOWN && !json) ||
            !show(db, segment, rule.pattern_first + i, &s))
            break;
        if (json)
            put_pattern_json(out, &s, i == 0);
        else
            put_pattern(out, &s);
    }
    if (json)
        hf_buffer_u8(out, ']');
}

void hf_rules_what_text(struct hf_buffer *out, const struct hf_db *db,
                        struct hf_signature signature)
{
    struct hf_db_what what;
    if (hf_db_what(db, signature, &what) != HF_OK)
        return;
    if (what.is_rule) {
        put_rule(out, db, signature.segment, what.rule, false);
        return;
    }
    hf_buffer_format(out, "  kind       %s of a%s %s: ", tables[what.type].digest,
                     tables[what.type].of[0] == 'a' || tables[what.type].of[0] == 'i' ? "n"
                                                                                      : "",
                     tables[what.type].of);
    hf_hex(out, what.digest);
    if (what.digest.len < tables[what.type].whole)
        hf_buffer_format(out, "... (%zu of %zu bytes are kept)", what.digest.len,
                         tables[what.type].whole);
    if (what.size == UINT64_MAX)
        hf_buffer_text(out, ", any size\n");
    else
        hf_buffer_format(out, ", size %" PRIu64 "\n", what.size);
}

void hf_rules_what_json(struct hf_buffer *out, const struct hf_db *db,
                        struct hf_signature signature)
{
    struct hf_db_what what;
    if (hf_db_what(db, signature, &what) != HF_OK)
        return;
    if (what.is_rule) {
        put_rule(out, db, signature.segment, what.rule, true);
        return;
    }
    hf_buffer_format(out,
                     ",\"kind\":\"digest\",\"of\":\"%s\",\"algorithm\":\"%s\","
                     "\"digest\":\"",
                     tables[what.type].of, tables[what.type].digest);
    hf_hex(out, what.digest);
    hf_buffer_u8(out, '"');
    if (what.size != UINT64_MAX)
        hf_buffer_format(out, ",\"size\":%" PRIu64, what.size);
}
