#include "db/db.h"
#include "base/auto.h"
#include "db/coding.h"
#include "db/db_internal.h"

#include <stdlib.h>

bool hf_records_open(struct hf_bytes section, bool with_ids, struct hf_records *records)
{
    struct hf_bytes header;
    *records = (struct hf_records){0};
    if (!hf_extent(section, 0, HF_RECORDS_HEADER, &header))
        return false;
    const uint8_t *h = header.data;
    struct hf_records r = {.count = hf_le32(h), .flags = hf_le32(h + 4)};
    if (!hf_extent(section, hf_le64(h + 32), ((uint64_t)r.count + 1) * 4, &r.offsets) ||
        !hf_extent(section, hf_le64(h + 40), hf_le64(h + 48), &r.data))
        return false;
    if (with_ids) {
        r.first = hf_le32(h + 8);
        r.wakes = hf_le32(h + 12);
        if (r.count > UINT32_MAX - r.first ||
            !hf_extent(section, hf_le64(h + 16), (uint64_t)r.count * 8, &r.ids) ||
            !hf_extent(section, hf_le64(h + 24), (uint64_t)r.wakes * 4, &r.waking))
            return false;
    }
    *records = r;
    return true;
}

struct hf_bytes hf_records_at(const struct hf_records *records, uint32_t number)
{
    struct hf_bytes record = {0};
    if (number >= records->count)
        return record;
    uint32_t begin = hf_le32(records->offsets.data + (size_t)number * 4);
    uint32_t end = hf_le32(records->offsets.data + ((size_t)number + 1) * 4);
    if (begin <= end)
        (void)hf_extent(records->data, begin, end - begin, &record);
    return record;
}

/* Note the sections; unknown types are passed over unless they are required. */
static enum hf_status read_table(struct hf_segment *segment)
{
    struct hf_bytes all = segment->bytes, header, table;
    if (!hf_extent(all, 0, HF_DB_HEADER, &header) ||
        memcmp(header.data, HF_DB_MAGIC, sizeof HF_DB_MAGIC - 1) != 0)
        return HF_MALFORMED;
    static const uint8_t no_schema[16];
    if (hf_le32(header.data + 8) != HF_DB_VERSION)
        return HF_UNSUPPORTED;
    uint32_t count = hf_le32(header.data + 12);
    if (hf_le64(header.data + 16) != all.len || count > HF_DB_SECTIONS_MAX ||
        !hf_extent(all, hf_le64(header.data + 24), (uint64_t)count * HF_DB_ENTRY, &table))
        return HF_MALFORMED;
    if (memcmp(header.data + 32, no_schema, sizeof no_schema) != 0)
        return HF_UNSUPPORTED;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *e = table.data + (size_t)i * HF_DB_ENTRY;
        uint32_t type = hf_le32(e);
        uint64_t offset = hf_le64(e + 8);
        struct hf_db_part part = {
            .count = hf_le64(e + 24), .digest = hf_bytes_of(e + 32, 32), .present = true};
        if (!hf_extent(all, offset, hf_le64(e + 16), &part.bytes) ||
            offset % HF_DB_ALIGN != 0)
            return HF_MALFORMED;
        if (type == 0 || type >= HF_DB_SECTION_TYPES) {
            if ((hf_le32(e + 4) & HF_DB_FLAG_REQUIRED) != 0)
                return HF_UNSUPPORTED;
        } else if (segment->parts[type].present) {
            return HF_MALFORMED;
        } else {
            segment->parts[type] = part;
        }
    }
    return HF_OK;
}

static bool open_records(const struct hf_segment *segment, enum hf_db_section type,
                         struct hf_records *records)
{
    const struct hf_db_part *part = &segment->parts[type];
    return !part->present || hf_records_open(part->bytes, type == HF_DB_RULES, records);
}

/* Images of single targets; format.h has the layout. */
static enum hf_status open_own_matchers(struct hf_segment *segment)
{
    const struct hf_bytes section = segment->parts[HF_DB_TARGET_MATCHERS].bytes;
    struct hf_bytes header, image;
    if (!segment->parts[HF_DB_TARGET_MATCHERS].present)
        return HF_OK;
    if (!hf_extent(section, 0, HF_DB_TARGETS * 16, &header))
        return HF_MALFORMED;
    for (unsigned target = 1; target < HF_DB_TARGETS; target++) {
        const uint8_t *entry = header.data + (size_t)target * 16;
        if (hf_le64(entry + 8) == 0)
            continue;
        if (!hf_extent(section, hf_le64(entry), hf_le64(entry + 8), &image) ||
            hf_le64(entry) % HF_DB_ALIGN != 0)
            return HF_MALFORMED;
        enum hf_status st = hf_matcher_open(image, &segment->matchers[target]);
        if (st != HF_OK)
            return st;
        segment->own_matchers |= 1u << target;
    }
    return HF_OK;
}

static enum hf_status open_segment(struct hf_segment *segment)
{
    enum hf_status st = read_table(segment);
    if (st != HF_OK)
        return st;
    const struct hf_db_part *parts = segment->parts;
    for (unsigned type = 0; type < HF_DB_SECTION_TYPES; type++)
        if (hf_db_is_table(type) && parts[type].present &&
            !hf_hash_table_open(parts[type].bytes, &segment->tables[type]))
            return HF_MALFORMED;
    if (!open_records(segment, HF_DB_SOURCES, &segment->sources) ||
        !open_records(segment, HF_DB_RULES, &segment->rules) ||
        !open_records(segment, HF_DB_PATTERNS, &segment->patterns) ||
        !open_records(segment, HF_DB_IGNORE, &segment->ignore) ||
        !open_records(segment, HF_DB_RULE_TEXTS, &segment->texts) ||
        (parts[HF_DB_NAMES].present &&
         !hf_names_open(parts[HF_DB_NAMES].bytes, &segment->names)))
        return HF_MALFORMED;
    if (parts[HF_DB_MATCHER].present) {
        st = hf_matcher_open(parts[HF_DB_MATCHER].bytes, &segment->matchers[0]);
        segment->has_matcher = st == HF_OK;
    }
    return st == HF_OK ? open_own_matchers(segment) : st;
}

static struct hf_db *db_new(size_t count)
{
    struct hf_db *db = calloc(1, sizeof *db + count * sizeof db->segments[0]);
    if (db != NULL)
        db->count = count;
    return db;
}

/* One segment: its own; several: first half of SHA-256 over theirs and the plan. */
static enum hf_status name_generation(struct hf_db *db, struct hf_bytes plan)
{
    uint8_t all[HF_DB_SEGMENTS_MAX * 16];
    for (size_t i = 0; i < db->count; i++)
        memcpy(all + i * 16, db->segments[i].bytes.data + 48, 16);
    if (db->count == 1 && plan.len == 0) {
        memcpy(db->generation, all, 16);
        return HF_OK;
    }
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_digests d = {0};
    if (hasher == NULL)
        return HF_NOMEM;
    const struct hf_bytes parts[] = {hf_bytes_of(all, db->count * 16), plan};
    enum hf_status st =
        hf_digest_add_parts(hasher, parts, plan.len > 0 ? 2 : 1, 1u << HF_SHA256, &d);
    memcpy(db->generation, d.value[HF_SHA256], 16);
    return st;
}

/* Digest tables, what cancels findings, and what is only said about them. */
static bool is_beside_rules(unsigned type)
{
    return type <= HF_DB_ALLOW_SHA256 || type == HF_DB_IGNORE || type == HF_DB_TOMBSTONES;
}

enum hf_status hf_db_rules_generation(const struct hf_db *db, uint8_t out[16])
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    HF_AUTO(hf_buffer_done) struct hf_buffer all = {0};
    for (size_t i = 0; i < db->count; i++)
        for (unsigned type = 0; type < HF_DB_SECTION_TYPES; type++) {
            const struct hf_db_part *part = &db->segments[i].parts[type];
            if (!part->present || is_beside_rules(type))
                continue;
            hf_buffer_u8(&all, (uint8_t)type);
            hf_buffer_bytes(&all, part->digest);
        }
    struct hf_digests d = {0};
    if (hasher == NULL || all.failed ||
        hf_digest_add(hasher, hf_buffer_view(&all), 1u << HF_SHA256, &d) != HF_OK)
        return HF_NOMEM;
    memcpy(out, d.value[HF_SHA256], 16);
    return HF_OK;
}

/* When the last of the files is a plan: what it says; *count is then the number of segments. */
static enum hf_status take_plan(const int *fds, size_t *count, struct hf_map *plan,
                                struct hf_db_place *places)
{
    uint8_t begin[8];
    size_t got = 0;
    if (hf_fd_read_at(fds[*count - 1], begin, sizeof begin, 0, &got) == HF_OK &&
        hf_db_plan_is(hf_bytes_of(begin, got))) {
        enum hf_status st = hf_map_open(fds[*count - 1], plan);
        if (st != HF_OK)
            return st;
        if (--*count == 0 || *count > HF_DB_SEGMENTS_MAX ||
            !hf_db_plan_read(hf_bytes_of(plan->data, plan->len), places, *count))
            return HF_MALFORMED;
    }
    return *count <= HF_DB_SEGMENTS_MAX ? HF_OK : HF_INVALID;
}

enum hf_status hf_db_open(const int *fds, size_t count, struct hf_db **out)
{
    *out = NULL;
    if (count == 0 || count > HF_DB_FDS_MAX)
        return HF_INVALID;
    struct hf_db_place places[HF_DB_SEGMENTS_MAX] = {{0}};
    HF_AUTO(hf_map_release) struct hf_map plan = {0};
    enum hf_status st = take_plan(fds, &count, &plan, places);
    if (st != HF_OK)
        return st;
    HF_AUTO(hf_db_release) struct hf_db *db = db_new(count);
    if (db == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct hf_segment *segment = &db->segments[i];
        st = hf_map_open(fds[i], &segment->map);
        segment->place = places[i];
        segment->bytes = hf_bytes_of(segment->map.data, segment->map.len);
        if (st == HF_OK)
            st = open_segment(segment);
        if (st != HF_OK)
            return st;
    }
    st = name_generation(db, hf_bytes_of(plan.data, plan.len));
    if (st == HF_OK) {
        *out = db;
        db = NULL;
    }
    return st;
}

enum hf_status hf_db_open_memory(struct hf_bytes segment, struct hf_db **out)
{
    *out = NULL;
    if ((uintptr_t)segment.data % HF_DB_ALIGN != 0)
        return HF_INVALID;
    HF_AUTO(hf_db_release) struct hf_db *db = db_new(1);
    if (db == NULL)
        return HF_NOMEM;
    db->segments[0].bytes = segment;
    enum hf_status st = open_segment(&db->segments[0]);
    if (st == HF_OK)
        st = name_generation(db, (struct hf_bytes){0});
    if (st == HF_OK) {
        *out = db;
        db = NULL;
    }
    return st;
}

void hf_db_close(struct hf_db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->count; i++)
        hf_map_release(&db->segments[i].map);
    free(db);
}

void hf_db_release(struct hf_db **db)
{
    hf_db_close(*db);
    *db = NULL;
}

void hf_db_generation(const struct hf_db *db, uint8_t out[16])
{
    memcpy(out, db->generation, 16);
}

size_t hf_db_segment_count(const struct hf_db *db)
{
    return db->count;
}

struct hf_bytes hf_db_section(const struct hf_db *db, uint32_t segment,
                              enum hf_db_section type, uint64_t *count)
{
    *count = 0;
    if (segment >= db->count || (unsigned)type >= HF_DB_SECTION_TYPES)
        return (struct hf_bytes){0};
    *count = db->segments[segment].parts[type].count;
    return db->segments[segment].parts[type].bytes;
}
