/* db_signatures.c - rules, patterns, names, sources, tombstones: what a scan asks after a hit. */
#include "base/auto.h"
#include "db/coding.h"
#include "db/db_internal.h"
#include "db/needles.h"
#include "db/signature_id.h"

static const struct hf_segment *segment_at(const struct hf_db *db, uint32_t segment)
{
    return segment < db->count ? &db->segments[segment] : NULL;
}

const struct hf_matcher *hf_db_matcher(const struct hf_db *db, uint32_t segment,
                                       uint8_t target)
{
    const struct hf_segment *s = segment_at(db, segment);
    if (s == NULL)
        return NULL;
    if (target < HF_DB_TARGETS && (s->own_matchers >> target & 1u) != 0)
        return &s->matchers[target];
    return s->has_matcher ? &s->matchers[0] : NULL;
}

enum hf_status hf_db_needle(const struct hf_db *db, uint32_t segment, uint32_t id,
                            uint32_t *pattern, uint16_t *variant)
{
    *pattern = id;
    *variant = 0;
    const struct hf_segment *s = segment_at(db, segment);
    if (s == NULL)
        return HF_NOTFOUND;
    const struct hf_db_part *table = &s->parts[HF_DB_NEEDLES];
    if (!table->present)
        return id < s->patterns.count ? HF_OK : HF_NOTFOUND;
    if (id >= table->bytes.len / HF_NEEDLE_STORED)
        return HF_NOTFOUND;
    const uint8_t *entry = table->bytes.data + (size_t)id * HF_NEEDLE_STORED;
    *pattern = hf_le32(entry);
    *variant = (uint16_t)(entry[4] | entry[5] << 8);
    return HF_OK;
}

static struct hf_bytes section_of(const struct hf_db *db, uint32_t segment,
                                  enum hf_db_section type)
{
    const struct hf_segment *s = segment_at(db, segment);
    return s == NULL ? (struct hf_bytes){0} : s->parts[type].bytes;
}

void hf_db_find_located(const struct hf_db *db, uint32_t segment, struct hf_bytes view,
                        uint8_t target, hf_place_resolve *resolve, void *resolve_user,
                        hf_on_candidate *on_candidate, void *user)
{
    hf_located_find(section_of(db, segment, HF_DB_LOCATED), view, target, resolve,
                    resolve_user, on_candidate, user);
}

uint32_t hf_db_loose_blocks(const struct hf_db *db, uint32_t segment)
{
    return hf_loose_blocks(section_of(db, segment, HF_DB_LOOSE));
}

void hf_db_find_loose(const struct hf_db *db, uint32_t segment, struct hf_bytes view,
                      uint64_t from, uint64_t to, uint64_t *dropped,
                      hf_on_candidate *on_candidate, void *user)
{
    hf_loose_find(section_of(db, segment, HF_DB_LOOSE), view, from, to, dropped,
                  on_candidate, user);
}

enum hf_status hf_db_pattern(const struct hf_db *db, uint32_t segment, uint32_t number,
                             struct hf_pattern *pattern, uint32_t *rule)
{
    *pattern = (struct hf_pattern){0};
    *rule = 0;
    const struct hf_segment *s = segment_at(db, segment);
    if (s == NULL || number >= s->patterns.count)
        return HF_NOTFOUND;
    struct hf_bytes record = hf_records_at(&s->patterns, number);
    struct hf_cursor in = hf_cursor_open(record.data, record.len, NULL);
    *rule = hf_u32le(&in);
    return hf_pattern_read(&in, pattern) == HF_OK ? HF_OK : HF_MALFORMED;
}

enum hf_status hf_db_rule(const struct hf_db *db, uint32_t segment, uint32_t number,
                          struct hf_rule *rule, uint32_t *signature)
{
    *rule = hf_rule_plain();
    *signature = 0;
    const struct hf_segment *s = segment_at(db, segment);
    if (s == NULL || number >= s->rules.count)
        return HF_NOTFOUND;
    struct hf_bytes record = hf_records_at(&s->rules, number);
    struct hf_cursor in = hf_cursor_open(record.data, record.len, NULL);
    if (hf_rule_read(&in, rule) != HF_OK || rule->pattern_first > s->patterns.count ||
        rule->pattern_count > s->patterns.count - rule->pattern_first)
        return HF_MALFORMED;
    *signature = s->rules.first + number;
    return HF_OK;
}

uint32_t hf_db_views(const struct hf_db *db, uint32_t segment)
{
    const struct hf_segment *s = segment_at(db, segment);
    return s == NULL ? 0 : s->rules.flags;
}

struct hf_bytes hf_db_rule_text(const struct hf_db *db, uint32_t segment, uint32_t number)
{
    const struct hf_segment *s = segment_at(db, segment);
    return s == NULL ? (struct hf_bytes){0} : hf_records_at(&s->texts, number);
}

uint32_t hf_db_rule_count(const struct hf_db *db, uint32_t segment)
{
    const struct hf_segment *s = segment_at(db, segment);
    return s == NULL ? 0 : s->rules.count;
}

struct hf_bytes hf_db_rules_waking_alone(const struct hf_db *db, uint32_t segment)
{
    const struct hf_segment *s = segment_at(db, segment);
    return s == NULL ? (struct hf_bytes){0} : s->rules.waking;
}

bool hf_db_matches_zeros(const struct hf_db *db)
{
    for (size_t s = 0; s < db->count; s++)
        if ((db->segments[s].patterns.flags & HF_PATTERNS_MATCH_ZEROS) != 0)
            return true;
    return false;
}

const struct hf_hash_table *hf_segment_table_of(const struct hf_segment *segment,
                                                uint32_t number, enum hf_db_section *type,
                                                uint32_t *entry)
{
    for (unsigned t = HF_DB_HASH_MD5; t <= HF_DB_ALLOW_SHA256; t++) {
        const struct hf_hash_table *table = &segment->tables[t];
        if (number >= table->first && number - table->first < table->sized + table->any) {
            *type = (enum hf_db_section)t;
            *entry = number - table->first;
            return table;
        }
    }
    return NULL;
}

enum hf_status hf_db_name(const struct hf_db *db, struct hf_signature signature,
                          struct hf_buffer *out)
{
    const struct hf_segment *s = segment_at(db, signature.segment);
    if (s == NULL || signature.number >= s->names.count)
        return HF_NOTFOUND;
    return hf_names_get(&s->names, signature.number, out, NULL) ? HF_OK : HF_MALFORMED;
}

bool hf_segment_source(const struct hf_segment *segment, uint32_t number,
                       struct hf_bytes *file, struct hf_bytes *licence)
{
    struct hf_bytes record = hf_records_at(&segment->sources, number);
    struct hf_cursor in = hf_cursor_open(record.data, record.len, NULL);
    *file = hf_take(&in, hf_u32le(&in));
    *licence = hf_take(&in, hf_u32le(&in));
    return hf_cursor_status(&in) == HF_OK;
}

enum hf_status hf_db_source(const struct hf_db *db, struct hf_signature signature,
                            struct hf_bytes *source, struct hf_bytes *licence)
{
    *source = *licence = (struct hf_bytes){0};
    const struct hf_segment *s = segment_at(db, signature.segment);
    if (s == NULL || signature.number >= s->names.count)
        return HF_NOTFOUND;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    uint32_t number;
    if (!hf_names_get(&s->names, signature.number, &name, &number))
        return HF_MALFORMED;
    return hf_segment_source(s, number, source, licence) ? HF_OK : HF_MALFORMED;
}

enum hf_status hf_db_source_at(const struct hf_db *db, uint32_t segment, uint32_t number,
                               struct hf_bytes *source, struct hf_bytes *licence)
{
    *source = *licence = (struct hf_bytes){0};
    const struct hf_segment *s = segment_at(db, segment);
    if (s == NULL || number >= s->sources.count)
        return HF_NOTFOUND;
    return hf_segment_source(s, number, source, licence) ? HF_OK : HF_MALFORMED;
}

uint64_t hf_db_signature_count(const struct hf_db *db, uint32_t segment)
{
    const struct hf_segment *s = segment_at(db, segment);
    return s == NULL ? 0 : s->parts[HF_DB_SIGNATURES].count;
}

static enum hf_status digest_id(const struct hf_segment *s, uint32_t number, uint64_t *id)
{
    enum hf_db_section type;
    uint32_t entry;
    uint64_t size;
    const struct hf_hash_table *table = hf_segment_table_of(s, number, &type, &entry);
    if (table == NULL)
        return HF_NOTFOUND;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    if (!hf_hash_table_size_of(table, entry, &size) ||
        !hf_names_get(&s->names, number, &name, NULL))
        return HF_MALFORMED;
    *id = hf_signature_id_digest(type, hf_hash_table_digest(table, entry), size,
                                 hf_buffer_view(&name));
    return HF_OK;
}

enum hf_status hf_db_signature_id(const struct hf_db *db, struct hf_signature signature,
                                  uint64_t *id)
{
    *id = 0;
    const struct hf_segment *s = segment_at(db, signature.segment);
    if (s == NULL)
        return HF_NOTFOUND;
    uint32_t number = signature.number;
    if (number < s->rules.first || number - s->rules.first >= s->rules.count)
        return digest_id(s, number, id);
    *id = hf_le64(s->rules.ids.data + (size_t)(number - s->rules.first) * 8);
    return HF_OK;
}

enum hf_status hf_db_what(const struct hf_db *db, struct hf_signature signature,
                          struct hf_db_what *what)
{
    const struct hf_segment *s = segment_at(db, signature.segment);
    uint32_t number = signature.number, entry;
    *what = (struct hf_db_what){0};
    if (s == NULL)
        return HF_NOTFOUND;
    if (number >= s->rules.first && number - s->rules.first < s->rules.count) {
        what->is_rule = true;
        what->rule = number - s->rules.first;
        return HF_OK;
    }
    const struct hf_hash_table *table = hf_segment_table_of(s, number, &what->type, &entry);
    if (table == NULL)
        return HF_NOTFOUND;
    what->digest = hf_hash_table_digest(table, entry);
    return what->digest.len > 0 && hf_hash_table_size_of(table, entry, &what->size)
               ? HF_OK
               : HF_MALFORMED;
}

static bool holds(struct hf_bytes ids, uint64_t id)
{
    size_t low = 0, high = ids.len / 8;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t there = hf_le64(ids.data + middle * 8);
        if (there == id)
            return true;
        if (there < id)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Nobody takes back what others have published, but the owner. */
static bool withdraws_of(const struct hf_db *db, size_t stones, size_t of)
{
    uint8_t group = db->segments[stones].place.group;
    return group == HF_DB_PLAN_OWNER || group == db->segments[of].place.group;
}

bool hf_db_id_withdrawn(const struct hf_db *db, size_t segment, uint64_t id)
{
    for (size_t s = segment + 1; s < db->count; s++)
        if (withdraws_of(db, s, segment) &&
            holds(db->segments[s].parts[HF_DB_TOMBSTONES].bytes, id))
            return true;
    return false;
}

bool hf_db_withdrawn(const struct hf_db *db, struct hf_signature signature)
{
    uint64_t id = 0;
    bool known = false;
    for (size_t s = (size_t)signature.segment + 1; s < db->count; s++) {
        struct hf_bytes ids = db->segments[s].parts[HF_DB_TOMBSTONES].bytes;
        if (ids.len == 0 || !withdraws_of(db, s, signature.segment))
            continue;
        if (!known && hf_db_signature_id(db, signature, &id) != HF_OK)
            return false;
        known = true;
        if (holds(ids, id))
            return true;
    }
    return false;
}

bool hf_db_next_meta(struct hf_bytes *meta, const char *key, struct hf_bytes *value)
{
    size_t n = strlen(key);
    while (meta->len > 0) {
        const uint8_t *end = memchr(meta->data, '\n', meta->len);
        size_t length = end == NULL ? meta->len : (size_t)(end - meta->data);
        struct hf_bytes line = hf_bytes_of(meta->data, length);
        size_t used = end == NULL ? length : length + 1;
        *meta = hf_bytes_of(meta->data + used, meta->len - used);
        if (length > n && memcmp(line.data, key, n) == 0 && line.data[n] == ' ') {
            *value = hf_bytes_of(line.data + n + 1, length - n - 1);
            return true;
        }
    }
    return false;
}
