/* merge.c - compiled segments read back into a build: several become one, what was withdrawn is
 * left out. Sources are taken in the byte order of their names, as a build takes them, and of
 * each source the segments oldest first. Digests go through the spool as they do in any build, so
 * memory stays bounded. */
#include "base/auto.h"
#include "base/text.h"
#include "db/build_internal.h"
#include "db/coding.h"
#include "db/db_internal.h"
#include "db/names_walk.h"
#include "db/signature_id.h"
#include "rules/machine.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PENDING_MAX = 512 * 1024, FLUSHES = 24 /* bits of a sequence */ };

/* Where a segment's sources are in the build, and its rules by source. */
struct part {
    uint32_t *sources;      /* number in the segment -> rank among all */
    uint32_t *rule_sources; /* rule -> rank; UINT32_MAX: withdrawn */
};

struct merging {
    struct hf_build *build;
    const struct hf_db *db;
    struct part parts[HF_DB_SEGMENTS_MAX];
    uint32_t sources;         /* ranks */
    struct hf_batch *batches; /* two for each rank: of digests, of allowed */
    size_t pending;           /* records in them */
    uint64_t flushes, first_sequence;
    size_t segment; /* that is being read */
};

/* ---- sources ---- */

struct named_source {
    struct hf_bytes file, licence;
    size_t segment;
    uint32_t number;
};

static int compare_bytes(struct hf_bytes a, struct hf_bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.data, b.data, n);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_sources(const void *left, const void *right)
{
    const struct named_source *a = left, *b = right;
    int order = compare_bytes(a->file, b->file);
    if (order == 0)
        order = compare_bytes(a->licence, b->licence);
    if (order == 0)
        order = (a->segment > b->segment) - (a->segment < b->segment);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static bool same_source(const struct named_source *a, const struct named_source *b)
{
    return hf_bytes_equal(a->file, b->file) && hf_bytes_equal(a->licence, b->licence);
}

static enum hf_status collect_sources(struct merging *m, struct named_source **out,
                                      size_t *count)
{
    size_t total = 0;
    for (size_t s = 0; s < m->db->count; s++)
        total += m->db->segments[s].sources.count;
    struct named_source *all = calloc(total + 1, sizeof *all);
    *out = all;
    *count = 0;
    if (all == NULL)
        return HF_NOMEM;
    for (size_t s = 0; s < m->db->count; s++) {
        const struct hf_segment *segment = &m->db->segments[s];
        m->parts[s].sources = calloc((size_t)segment->sources.count + 1, sizeof(uint32_t));
        if (m->parts[s].sources == NULL)
            return HF_NOMEM;
        for (uint32_t i = 0; i < segment->sources.count; i++) {
            struct named_source *source = &all[(*count)++];
            *source = (struct named_source){.segment = s, .number = i};
            if (!hf_segment_source(segment, i, &source->file, &source->licence))
                return HF_MALFORMED;
        }
    }
    qsort(all, total, sizeof *all, compare_sources);
    return HF_OK;
}

static enum hf_status add_source(struct hf_build *build, const struct named_source *source)
{
    char *file = strndup((const char *)source->file.data, source->file.len);
    char *licence = strndup((const char *)source->licence.data, source->licence.len);
    enum hf_status st =
        file == NULL || licence == NULL ? HF_NOMEM : hf_build_source(build, file, licence);
    free(file);
    free(licence);
    return st;
}

static enum hf_status add_sources(struct merging *m)
{
    struct named_source *all;
    size_t count;
    enum hf_status st = collect_sources(m, &all, &count);
    for (size_t i = 0; i < count && st == HF_OK; i++) {
        if (i == 0 || !same_source(&all[i - 1], &all[i])) {
            st = add_source(m->build, &all[i]);
            m->sources++;
        }
        m->parts[all[i].segment].sources[all[i].number] = m->sources - 1;
    }
    free(all);
    return st;
}

/* ---- digests ---- */

static bool is_withdrawn_later(const struct merging *m, uint64_t id)
{
    return hf_db_id_withdrawn(m->db, m->segment, id);
}

/* Every batch of a source and a segment has a place of its own among the sequences, so that equal
 * digests stay in the order in which a build would have met them. */
static enum hf_status flush(struct merging *m)
{
    enum hf_status st = HF_OK;
    for (size_t i = 0; i < (size_t)m->sources * 2 && st == HF_OK; i++) {
        uint64_t place = (i / 2) * m->db->count + m->segment;
        struct hf_spool *spool = i % 2 == 0 ? m->build->digests : m->build->allowed;
        st = hf_spool_take(spool, &m->batches[i],
                           m->first_sequence + (place << FLUSHES) + m->flushes);
    }
    m->pending = 0;
    m->flushes++;
    return st;
}

struct table_reading {
    struct merging *m;
    const struct hf_segment *segment;
    enum hf_db_section type;
    const struct hf_hash_table *table;
    struct hf_names_walk *names;
    bool later; /* younger segments withdraw something */
    enum hf_status status;
};

static uint64_t id_of(const struct table_reading *t, struct hf_bytes digest, uint64_t size,
                      const struct hf_name_parts *parts)
{
    struct hf_buffer name = {0};
    hf_name_join(parts, &name);
    uint64_t id = hf_signature_id_digest(t->type, digest, size, hf_buffer_view(&name));
    hf_buffer_done(&name);
    return id;
}

static enum hf_status read_entry(struct table_reading *t, uint32_t entry, uint64_t size)
{
    struct merging *m = t->m;
    struct hf_name_parts parts;
    uint32_t source;
    struct hf_bytes digest = hf_hash_table_digest(t->table, entry);
    if (!hf_names_walk_next(t->names, &parts, &source) || digest.data == NULL ||
        source >= t->segment->sources.count ||
        (size >= HF_SPOOL_SIZE_ANY && size != UINT64_MAX))
        return HF_MALFORMED;
    if (t->later && is_withdrawn_later(m, id_of(t, digest, size, &parts)))
        return HF_OK;
    bool allow = t->type >= HF_DB_ALLOW_MD5;
    uint32_t rank = m->parts[m->segment].sources[source];
    struct hf_spooled record = {
        .table = (uint8_t)t->type,
        .size = size,
        .number = parts.number,
        .stem = hf_stems_add(&m->build->stems, &parts, rank),
    };
    if (m->build->stems.failed)
        return HF_NOMEM;
    memcpy(record.digest, digest.data, digest.len);
    hf_build_count(m->build, t->type, size == UINT64_MAX, 1);
    hf_batch_add(allow ? m->build->allowed : m->build->digests,
                 &m->batches[(size_t)rank * 2 + allow], &record);
    return ++m->pending < PENDING_MAX ? HF_OK : flush(m);
}

static bool on_size(void *user, uint64_t size, struct hf_hash_range range)
{
    struct table_reading *t = user;
    for (uint32_t e = range.begin; e < range.end && t->status == HF_OK; e++)
        t->status = read_entry(t, e, size);
    return t->status == HF_OK;
}

static bool expects(const struct hf_hash_table *table, enum hf_db_section type)
{
    unsigned kind = type - HF_DB_ALLOW_MD5;
    size_t kept = type < HF_DB_ALLOW_MD5 ? HF_DB_DIGEST_KEPT
                                         : hf_digest_length((enum hf_digest_kind)kind);
    return table->kept == kept;
}

static enum hf_status read_table(struct table_reading *t)
{
    struct hf_hash_range any = {t->table->sized, t->table->sized + t->table->any};
    if (any.end == 0)
        return HF_OK;
    if (t->table->first != t->names->number || !expects(t->table, t->type))
        return HF_MALFORMED;
    bool all = hf_hash_table_for_each_size(t->table, on_size, t);
    if (t->status == HF_OK && all)
        (void)on_size(t, UINT64_MAX, any);
    return t->status == HF_OK && !all ? HF_MALFORMED : t->status;
}

static bool any_tombstones_after(const struct hf_db *db, size_t segment)
{
    for (size_t s = segment + 1; s < db->count; s++)
        if (db->segments[s].parts[HF_DB_TOMBSTONES].bytes.len > 0)
            return true;
    return false;
}

/* ---- rules ---- */

/* The sources of a segment's rules, whose names come behind those of its digests; and which of
 * them are withdrawn. */
static enum hf_status read_rule_names(struct merging *m, const struct hf_segment *segment,
                                      struct hf_names_walk *names, bool later)
{
    uint32_t count = segment->rules.count;
    uint32_t *sources = calloc((size_t)count + 1, sizeof *sources);
    m->parts[m->segment].rule_sources = sources;
    if (sources == NULL)
        return HF_NOMEM;
    if (count > 0 && segment->rules.first != names->number)
        return HF_MALFORMED;
    for (uint32_t i = 0; i < count; i++) {
        struct hf_name_parts parts;
        uint32_t source;
        if (!hf_names_walk_next(names, &parts, &source) || source >= segment->sources.count)
            return HF_MALFORMED;
        uint64_t id = hf_le64(segment->rules.ids.data + (size_t)i * 8);
        bool gone = later && is_withdrawn_later(m, id);
        sources[i] = m->parts[m->segment].sources[source] | (gone ? UINT32_C(1) << 31 : 0);
    }
    return HF_OK;
}

static enum hf_status read_segment(struct merging *m)
{
    const struct hf_segment *segment = &m->db->segments[m->segment];
    struct hf_names_walk names;
    bool later = any_tombstones_after(m->db, m->segment);
    enum hf_status st = hf_names_walk_begin(&names, &segment->names);
    for (unsigned type = 0; type < HF_DB_SECTION_TYPES && st == HF_OK; type++) {
        struct table_reading t = {.m = m,
                                  .segment = segment,
                                  .type = (enum hf_db_section)type,
                                  .table = &segment->tables[type],
                                  .names = &names,
                                  .later = later};
        if (hf_db_is_table(type))
            st = read_table(&t);
    }
    if (st == HF_OK)
        st = read_rule_names(m, segment, &names, later);
    hf_names_walk_done(&names);
    if (segment->map.data != NULL) /* read once: it need not stay in our memory */
        (void)madvise((void *)(uintptr_t)segment->map.data, segment->map.len,
                      MADV_DONTNEED);
    return st == HF_OK ? flush(m) : st;
}

/* Conditions name other rules by their distance, so what stands between must stay. */
static bool may_name_others(const struct hf_db *db, uint32_t segment)
{
    struct hf_rule rule;
    uint32_t signature;
    for (uint32_t i = 0; hf_db_rule(db, segment, i, &rule, &signature) == HF_OK; i++)
        if (rule.gates.len > 0 ||
            (rule.program.len > 0 &&
             memchr(rule.program.data, HF_OP_RULE, rule.program.len) != NULL))
            return true;
    return false;
}

static enum hf_status take_rule(struct merging *m, uint32_t segment, uint32_t number,
                                bool silent)
{
    struct hf_rule rule;
    uint32_t signature, owner;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    enum hf_status st = hf_db_rule(m->db, segment, number, &rule, &signature);
    if (st != HF_OK)
        return st;
    struct hf_pattern *patterns = calloc((size_t)rule.pattern_count + 1, sizeof *patterns);
    if (patterns == NULL)
        return HF_NOMEM;
    for (uint32_t i = 0; i < rule.pattern_count && st == HF_OK; i++)
        st = hf_db_pattern(m->db, segment, rule.pattern_first + i, &patterns[i], &owner);
    if (st == HF_OK)
        st = hf_db_name(m->db, (struct hf_signature){segment, signature}, &name);
    rule.flags &= ~(uint32_t)HF_RULE_CHAINED; /* found out again */
    if (silent)
        rule.flags |= HF_RULE_PRIVATE;
    if (st == HF_OK)
        st = hf_build_add_rule(m->build, &rule, patterns, rule.pattern_count,
                               hf_buffer_view(&name));
    struct hf_bytes text = hf_db_rule_text(m->db, segment, number);
    if (st == HF_OK && text.len > 0)
        st = hf_build_add_text(m->build, text);
    free(patterns);
    return st;
}

/* A segment's rules of one source, in order: they stand together. */
static enum hf_status take_rules_of(struct merging *m, uint32_t segment, uint32_t rank,
                                    uint32_t *next, bool named)
{
    const uint32_t *sources = m->parts[segment].rule_sources;
    uint32_t count = m->db->segments[segment].rules.count;
    enum hf_status st = HF_OK;
    for (; *next < count && (sources[*next] & INT32_MAX) == rank && st == HF_OK; ++*next) {
        bool gone = sources[*next] >> 31 != 0;
        if (!gone || named)
            st = take_rule(m, segment, *next, gone);
    }
    return st;
}

static enum hf_status take_rules(struct merging *m)
{
    uint32_t next[HF_DB_SEGMENTS_MAX] = {0};
    bool named[HF_DB_SEGMENTS_MAX];
    enum hf_status st = HF_OK;
    for (uint32_t s = 0; s < m->db->count; s++)
        named[s] = may_name_others(m->db, s);
    for (uint32_t rank = 0; rank < m->sources; rank++) {
        m->build->source = rank;
        for (uint32_t s = 0; s < m->db->count && st == HF_OK; s++)
            st = take_rules_of(m, s, rank, &next[s], named[s]);
    }
    for (uint32_t s = 0; s < m->db->count && st == HF_OK; s++)
        if (next[s] != m->db->segments[s].rules.count)
            st = HF_MALFORMED; /* rules are not in the order of their sources */
    return st;
}

/* ---- policy, and what there is to tell ---- */

static enum hf_status take_policy(struct merging *m, bool keep_withdrawn)
{
    enum hf_status st = HF_OK;
    for (size_t s = 0; s < m->db->count; s++) {
        const struct hf_segment *segment = &m->db->segments[s];
        struct hf_bytes ids = segment->parts[HF_DB_TOMBSTONES].bytes;
        for (uint32_t i = 0; i < segment->ignore.count && st == HF_OK; i++)
            st = hf_build_add_ignore(m->build, hf_records_at(&segment->ignore, i));
        for (size_t i = 0; keep_withdrawn && i < ids.len / 8 && st == HF_OK; i++)
            st = hf_build_add_tombstone(m->build, hf_le64(ids.data + i * 8));
    }
    return st;
}

static void take_counts(struct merging *m)
{
    for (size_t s = 0; s < m->db->count; s++) {
        struct hf_bytes meta = m->db->segments[s].parts[HF_DB_META].bytes, value;
        while (hf_db_next_meta(&meta, "skipped-kind", &value)) {
            const uint8_t *blank = memchr(value.data, ' ', value.len);
            uint64_t count;
            char kind[256];
            size_t digits = blank == NULL ? 0 : (size_t)(blank - value.data);
            size_t length = value.len - digits;
            if (blank == NULL || length > sizeof kind ||
                !hf_parse_uint(hf_bytes_of(value.data, digits), &count))
                continue;
            memcpy(kind, blank + 1, length - 1);
            kind[length - 1] = 0;
            hf_build_skip_many(m->build, kind, count);
        }
        meta = m->db->segments[s].parts[HF_DB_META].bytes;
        uint64_t bad;
        while (hf_db_next_meta(&meta, "bad-lines", &value))
            if (hf_parse_uint(value, &bad))
                m->build->summary.bad_lines += bad;
    }
}

static void merging_done(struct merging *m)
{
    for (size_t s = 0; s < HF_DB_SEGMENTS_MAX; s++) {
        free(m->parts[s].sources);
        free(m->parts[s].rule_sources);
    }
    for (size_t i = 0; m->batches != NULL && i < (size_t)m->sources * 2; i++)
        hf_batch_done(&m->batches[i]);
    free(m->batches);
}

enum hf_status hf_build_read_db(struct hf_build *build, const struct hf_db *db,
                                bool keep_withdrawn)
{
    struct merging m = {.build = build, .db = db, .first_sequence = build->sequence};
    if (build->sources.count > 0)
        return HF_INVALID;
    enum hf_status st = add_sources(&m);
    if (st == HF_OK)
        m.batches = calloc((size_t)m.sources * 2 + 1, sizeof *m.batches);
    if (st == HF_OK && m.batches == NULL)
        st = HF_NOMEM;
    for (; m.segment < db->count && st == HF_OK; m.segment++)
        st = read_segment(&m);
    if (st == HF_OK)
        st = take_rules(&m);
    if (st == HF_OK)
        st = take_policy(&m, keep_withdrawn);
    build->summary.files = m.sources;
    take_counts(&m);
    build->sequence += ((uint64_t)m.sources * db->count + 1) << FLUSHES;
    merging_done(&m);
    return st;
}
