/* check.c - the full check of a database before it is used. */
#include "base/auto.h"
#include "db/coding.h"
#include "db/db_internal.h"
#include "db/needles.h"
#include "db/signature_id.h"
#include "rules/machine.h"

#include <sys/mman.h>

struct check {
    const struct hf_db *db;
    uint32_t segment;
    const struct hf_segment *s;
    struct hf_hasher *hasher;
    struct hf_buffer *note;
};

static enum hf_status wrong(const struct check *c, const char *what)
{
    hf_buffer_format(c->note, "segment %u: %s", c->segment, what);
    return HF_MALFORMED;
}

/* What was looked at leaves this process's memory; it stays in the page cache. */
static void forget(const struct check *c, struct hf_bytes seen)
{
    enum { PAGE = 4096 };
    if (c->s->map.data == NULL)
        return;
    uintptr_t begin = (uintptr_t)seen.data / PAGE * PAGE;
    (void)madvise((void *)begin, (uintptr_t)seen.data + seen.len - begin, MADV_DONTNEED);
}

static enum hf_status check_digest(const struct check *c, struct hf_bytes bytes,
                                   const uint8_t *expected, size_t length, const char *what)
{
    struct hf_digests d = {0};
    enum hf_status st = hf_digest_add(c->hasher, bytes, 1u << HF_SHA256, &d);
    if (st != HF_OK)
        return st;
    return memcmp(d.value[HF_SHA256], expected, length) == 0 ? HF_OK : wrong(c, what);
}

static enum hf_status check_frame(const struct check *c)
{
    struct hf_bytes all = c->s->bytes, table;
    uint32_t count = hf_le32(all.data + 12);
    if (!hf_extent(all, hf_le64(all.data + 24), (uint64_t)count * HF_DB_ENTRY, &table))
        return wrong(c, "section table outside the file");
    enum hf_status st = check_digest(c, table, all.data + 48, 16,
                                     "section table does not fit its generation");
    for (uint32_t i = 0; i < count && st == HF_OK; i++) {
        const uint8_t *e = table.data + (size_t)i * HF_DB_ENTRY;
        struct hf_bytes section;
        if (!hf_extent(all, hf_le64(e + 8), hf_le64(e + 16), &section))
            return wrong(c, "section outside the file");
        st = check_digest(c, section, e + 32, 32, "section does not fit its digest");
        forget(c, section);
    }
    return st;
}

/* Signature numbers: tables and rules follow each other without gaps, names cover them all. */
static enum hf_status check_numbers(const struct check *c)
{
    uint64_t next = 0;
    for (unsigned type = HF_DB_HASH_MD5; type <= HF_DB_ALLOW_SHA256; type++) {
        const struct hf_hash_table *t = &c->s->tables[type];
        if (!c->s->parts[type].present)
            continue;
        if (t->first != next)
            return wrong(c, "signature numbers of a table do not follow the ones before");
        next += (uint64_t)t->sized + t->any;
    }
    if (c->s->rules.count > 0 && c->s->rules.first != next)
        return wrong(c, "signature numbers of rules do not follow the ones before");
    next += c->s->rules.count;
    return next == c->s->names.count ? HF_OK
                                     : wrong(c, "names do not cover the signatures");
}

static enum hf_status check_tables(const struct check *c)
{
    for (unsigned type = HF_DB_HASH_MD5; type <= HF_DB_ALLOW_SHA256; type++) {
        const struct hf_hash_table *t = &c->s->tables[type];
        if (!c->s->parts[type].present)
            continue;
        unsigned kind = (type - HF_DB_HASH_MD5) % HF_DIGEST_KINDS;
        size_t kept = type < HF_DB_ALLOW_MD5 ? HF_DB_DIGEST_KEPT
                                             : hf_digest_length((enum hf_digest_kind)kind);
        if (t->kept != kept)
            return wrong(c, "digests of another length than the format says");
        const char *what = hf_hash_table_check(t);
        if (what != NULL)
            return wrong(c, what);
    }
    return HF_OK;
}

/* Record offsets ascend from 0 and end with the data. */
static bool list_is_whole(const struct hf_records *list)
{
    uint32_t last = 0;
    if (list->offsets.len == 0) /* no such section */
        return true;
    for (uint32_t i = 0; i <= list->count; i++) {
        uint32_t at = hf_le32(list->offsets.data + (size_t)i * 4);
        if (at < last || (i == 0 && at != 0))
            return false;
        last = at;
    }
    return last == list->data.len;
}

static enum hf_status check_rule(const struct check *c, uint32_t number, uint32_t *patterns)
{
    struct hf_rule rule;
    uint32_t signature;
    if (hf_db_rule(c->db, c->segment, number, &rule, &signature) != HF_OK)
        return wrong(c, "rule damaged");
    if (rule.pattern_first != *patterns)
        return wrong(c, "patterns of a rule do not follow the ones before");
    *patterns += rule.pattern_count;
    if (rule.condition == HF_CONDITION_PROGRAM &&
        hf_machine_check(rule.program, rule.pattern_count) != HF_OK)
        return wrong(c, "condition of a rule damaged");
    for (uint32_t i = 0; i < rule.pattern_count; i++) {
        struct hf_pattern pattern;
        uint32_t owner;
        if (hf_db_pattern(c->db, c->segment, rule.pattern_first + i, &pattern, &owner) !=
                HF_OK ||
            owner != number)
            return wrong(c, "pattern damaged");
    }
    return HF_OK;
}

static enum hf_status check_waking(const struct check *c)
{
    const struct hf_bytes waking = c->s->rules.waking;
    size_t next = 0;
    for (uint32_t i = 0; i < c->s->rules.count; i++) {
        struct hf_rule rule;
        uint32_t signature;
        enum hf_status st = hf_db_rule(c->db, c->segment, i, &rule, &signature);
        if (st != HF_OK)
            return st;
        if ((rule.flags & HF_RULE_WAKES_ALONE) == 0)
            continue;
        if (next >= waking.len || hf_le32(waking.data + next) != i)
            return wrong(c, "list of rules that wake alone is wrong");
        next += 4;
    }
    return next == waking.len ? HF_OK : wrong(c, "list of rules that wake alone is wrong");
}

/* Needles belong to patterns, in order; the matcher has none beside them. */
static enum hf_status check_needles(const struct check *c)
{
    const struct hf_db_part *table = &c->s->parts[HF_DB_NEEDLES];
    uint32_t last = 0;
    if (table->present && table->bytes.len != table->count * HF_NEEDLE_STORED)
        return wrong(c, "table of needles cut");
    for (uint32_t i = 0; table->present && i < table->count; i++) {
        uint32_t pattern;
        uint16_t variant;
        if (hf_db_needle(c->db, c->segment, i, &pattern, &variant) != HF_OK ||
            pattern >= c->s->patterns.count || pattern < last)
            return wrong(c, "needles of no pattern, or out of order");
        last = pattern;
    }
    return HF_OK;
}

/* An hf_located_pattern_at. */
static bool pattern_at(void *user, uint32_t number, struct hf_pattern *pattern)
{
    const struct check *c = user;
    uint32_t rule;
    return hf_db_pattern(c->db, c->segment, number, pattern, &rule) == HF_OK;
}

/* The target of a pattern's rule. */
static bool target_at(const struct check *c, uint32_t number, uint8_t *target)
{
    struct hf_pattern pattern;
    struct hf_rule rule;
    uint32_t rule_number, signature;
    if (hf_db_pattern(c->db, c->segment, number, &pattern, &rule_number) != HF_OK ||
        hf_db_rule(c->db, c->segment, rule_number, &rule, &signature) != HF_OK)
        return false;
    *target = rule.scope.target;
    return true;
}

static bool same(const struct hf_db_part *part, const struct hf_buffer *made)
{
    return part->bytes.len == made->len &&
           (made->len == 0 || memcmp(part->bytes.data, made->data, made->len) == 0);
}

/* What is not searched for follows from the patterns: made again and compared. */
static enum hf_status check_located(const struct check *c)
{
    HF_AUTO(hf_located_done) struct hf_located_build located = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer in_place = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer loose = {0};
    struct check copy = *c;
    struct hf_pattern pattern;
    uint32_t count;
    uint8_t target = 0;
    enum hf_status st = HF_OK;
    for (uint32_t i = 0; i < c->s->patterns.count && st == HF_OK; i++)
        st = target_at(c, i, &target) && pattern_at(&copy, i, &pattern)
                 ? hf_located_offer(&located, &pattern, i, target)
                 : HF_MALFORMED;
    if (st == HF_OK)
        st = hf_located_choose(&located);
    if (st == HF_OK)
        st = hf_located_write(&located, &in_place, &count);
    if (st == HF_OK)
        st = hf_loose_write(&located, pattern_at, &copy, &loose, &count);
    if (st == HF_MALFORMED)
        return wrong(c, "pattern damaged");
    return st != HF_OK || (same(&c->s->parts[HF_DB_LOCATED], &in_place) &&
                           same(&c->s->parts[HF_DB_LOOSE], &loose))
               ? st
               : wrong(c, "patterns that are not searched for are listed wrongly");
}

static enum hf_status check_rules(const struct check *c)
{
    if (!list_is_whole(&c->s->rules) || !list_is_whole(&c->s->patterns))
        return wrong(c, "offsets of rules or patterns out of order");
    if (!list_is_whole(&c->s->texts) || c->s->texts.count > c->s->rules.count)
        return wrong(c, "texts of rules damaged");
    uint32_t patterns = 0;
    enum hf_status st = HF_OK;
    for (uint32_t i = 0; i < c->s->rules.count && st == HF_OK; i++)
        st = check_rule(c, i, &patterns);
    if (st == HF_OK && patterns != c->s->patterns.count)
        st = wrong(c, "patterns of no rule");
    if (st == HF_OK)
        st = check_waking(c);
    if (st == HF_OK)
        st = check_needles(c);
    if (st == HF_OK)
        st = check_located(c);
    for (uint8_t target = 0; target < HF_DB_TARGETS && st == HF_OK; target++) {
        const struct hf_matcher *matcher = hf_db_matcher(c->db, c->segment, target);
        const bool own = target == 0 || (c->s->own_matchers >> target & 1u) != 0;
        if (matcher != NULL && own && hf_matcher_check(matcher) != HF_OK)
            st = wrong(c, "matcher damaged");
    }
    return st;
}

static enum hf_status check_sources(const struct check *c)
{
    if (!list_is_whole(&c->s->sources))
        return wrong(c, "offsets of sources out of order");
    for (uint32_t i = 0; i < c->s->sources.count; i++) {
        struct hf_bytes file, licence;
        if (!hf_segment_source(c->s, i, &file, &licence))
            return wrong(c, "source damaged");
    }
    return HF_OK;
}

static enum hf_status check_policy(const struct check *c)
{
    if (!list_is_whole(&c->s->ignore))
        return wrong(c, "offsets of ignored names out of order");
    for (uint32_t i = 0; i < c->s->ignore.count; i++)
        if (!hf_db_ignores(c->db, c->segment, hf_records_at(&c->s->ignore, i)))
            return wrong(c, "ignored names out of order");
    struct hf_bytes ids = c->s->parts[HF_DB_TOMBSTONES].bytes;
    if (ids.len % 8 != 0)
        return wrong(c, "withdrawn signatures damaged");
    for (size_t i = 8; i < ids.len; i += 8)
        if (hf_le64(ids.data + i - 8) >= hf_le64(ids.data + i))
            return wrong(c, "withdrawn signatures out of order");
    return HF_OK;
}

static enum hf_status check_names(const struct check *c)
{
    if (!c->s->parts[HF_DB_NAMES].present)
        return HF_OK;
    const char *what = hf_names_check(&c->s->names, c->s->sources.count);
    return what == NULL ? HF_OK : wrong(c, what);
}

enum hf_status hf_db_check(const struct hf_db *db, struct hf_buffer *note)
{
    static enum hf_status (*const steps[])(const struct check *) = {
        check_frame, check_sources, check_numbers, check_tables,
        check_names, check_rules,   check_policy,
    };
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    if (hasher == NULL)
        return HF_NOMEM;
    for (uint32_t i = 0; i < db->count; i++) {
        struct check c = {db, i, &db->segments[i], hasher, note};
        for (size_t step = 0; step < sizeof steps / sizeof *steps; step++) {
            enum hf_status st = steps[step](&c);
            forget(&c, c.s->bytes);
            if (st != HF_OK)
                return st;
        }
    }
    return HF_OK;
}
