#include "scan/members.h"

#include "pattern/backtrack.h"
#include "rules/clamav/types.h"
#include "rules/metadata.h"
#include "scan/derived.h"
#include "unpack/unpack.h"

#include <stdlib.h>

struct hf_member_rule {
    uint32_t segment, signature, pattern;
    uint16_t container; /* ClamAV's type; 0: any */
    uint32_t required;  /* three bytes of the name; UINT32_MAX: none known */
    struct hf_metadata metadata;
};

static bool read_rule(const struct hf_db *db, uint32_t segment, uint32_t number,
                      struct hf_member_rule *out)
{
    struct hf_rule rule;
    struct hf_pattern pattern;
    uint32_t owner;
    *out = (struct hf_member_rule){.segment = segment};
    if (hf_db_rule(db, segment, number, &rule, &out->signature) != HF_OK ||
        rule.scope.views != 0 || rule.pattern_count != 1 ||
        hf_db_pattern(db, segment, rule.pattern_first, &pattern, &owner) != HF_OK ||
        pattern.kind != HF_PATTERN_METADATA ||
        hf_metadata_read(pattern.text, &out->metadata) != HF_OK)
        return false;
    out->pattern = rule.pattern_first;
    out->container = rule.guards.container;
    out->required = hf_metadata_required(out->metadata.name);
    return true;
}

enum hf_status hf_member_rules_make(const struct hf_db *db, struct hf_member_rules *rules)
{
    size_t most = 0;
    *rules = (struct hf_member_rules){0};
    for (uint32_t s = 0; s < hf_db_segment_count(db); s++)
        most += hf_db_rules_waking_alone(db, s).len / 4;
    rules->items = calloc(most + 1, sizeof *rules->items);
    if (rules->items == NULL)
        return HF_NOMEM;
    for (uint32_t s = 0; s < hf_db_segment_count(db); s++) {
        struct hf_bytes list = hf_db_rules_waking_alone(db, s);
        struct hf_cursor c = hf_cursor_open(list.data, list.len, NULL);
        while (hf_cursor_left(&c) >= 4)
            rules->count += read_rule(db, s, hf_u32le(&c), &rules->items[rules->count]);
    }
    return HF_OK;
}

void hf_member_rules_done(struct hf_member_rules *rules)
{
    free(rules->items);
    *rules = (struct hf_member_rules){0};
}

/* Which triples of bytes a name has: a bit for each, by a hash of twelve bits. */
enum { GRAM_BITS = 12 };
struct grams {
    uint64_t bits[(1 << GRAM_BITS) / 64];
};

static uint32_t gram_hash(uint32_t gram)
{
    return gram * 0x9E3779B1u >> (32 - GRAM_BITS);
}

static void note_grams(struct hf_bytes name, struct grams *g)
{
    uint32_t gram = 0;
    memset(g, 0, sizeof *g);
    for (size_t i = 0; i < name.len; i++) {
        gram = (gram << 8 | name.data[i]) & 0xFFFFFF;
        uint32_t h = gram_hash(gram);
        if (i >= 2)
            g->bits[h / 64] |= UINT64_C(1) << h % 64;
    }
}

static bool may_match(const struct grams *g, uint32_t required)
{
    uint32_t h = gram_hash(required);
    return required == UINT32_MAX || (g->bits[h / 64] >> h % 64 & 1) != 0;
}

static bool name_matches(struct hf_engine *engine, const struct hf_member_rule *rule,
                         struct hf_bytes name)
{
    size_t start, length;
    if (rule->metadata.name.len == 0)
        return true;
    const struct hf_expression e = {.text = rule->metadata.name};
    struct hf_backtrack *b =
        hf_expression_compiled(&engine->expressions, rule->segment, rule->pattern, &e);
    return b != NULL && hf_backtrack_match(b, name, 0, false, &start, &length) == HF_OK;
}

void hf_scan_member(struct hf_engine *engine, struct hf_object *container,
                    enum hf_format format, const struct hf_child *child)
{
    const struct hf_member_rules *rules = &engine->members;
    if (rules->count == 0)
        return;
    struct grams grams;
    uint16_t type = hf_clamav_type(hf_bytes_text(hf_format_row(format)->cl_type));
    const uint64_t values[HF_METADATA_FIELDS] = {
        [HF_METADATA_CONTAINER_SIZE] = container->bytes.len,
        [HF_METADATA_PACKED] = child->packed,
        [HF_METADATA_SIZE] = child->declared,
        [HF_METADATA_ENCRYPTED] = child->encrypted,
        [HF_METADATA_POSITION] = child->number + 1,
        [HF_METADATA_CHECKSUM] = child->crc,
    };
    note_grams(child->name, &grams);
    if (!hf_budget_work(&engine->budget, rules->count / 1024 + 1))
        return; /* the scan ends anyway, and says so */
    for (size_t i = 0; i < rules->count; i++) {
        const struct hf_member_rule *rule = &rules->items[i];
        struct hf_signature s = {.segment = rule->segment, .number = rule->signature};
        if ((rule->container != 0 && rule->container != type) ||
            !may_match(&grams, rule->required) ||
            !hf_metadata_agrees(&rule->metadata, values) ||
            !name_matches(engine, rule, child->name))
            continue;
        if (hf_db_withdrawn(engine->db, s)) {
            engine->report->excused = true;
            continue;
        }
        struct hf_judging j = {.engine = engine, .object = container};
        hf_judge_found(&j, &(struct hf_finding){
                               .signature = s,
                               .kind = HF_FINDING_RULE,
                               .member = true,
                               .severity = HF_INFECTED,
                               .view = HF_VIEW_RAW,
                               .offset = HF_NO_OFFSET,
                           });
    }
}
