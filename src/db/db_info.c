#include "db/db_info.h"
#include "base/text.h"
#include "db/classes.h"
#include "db/db_internal.h"

static const char *const section_names[HF_DB_SECTION_TYPES] = {
    [HF_DB_META] = "meta",
    [HF_DB_SOURCES] = "sources",
    [HF_DB_SIGNATURES] = "signatures",
    [HF_DB_NAMES] = "names",
    [HF_DB_HASH_MD5] = "md5",
    [HF_DB_HASH_SHA1] = "sha1",
    [HF_DB_HASH_SHA256] = "sha256",
    [HF_DB_SECTION_MD5] = "section-md5",
    [HF_DB_SECTION_SHA1] = "section-sha1",
    [HF_DB_SECTION_SHA256] = "section-sha256",
    [HF_DB_IMPORTS_MD5] = "imports-md5",
    [HF_DB_IMPORTS_SHA1] = "imports-sha1",
    [HF_DB_IMPORTS_SHA256] = "imports-sha256",
    [HF_DB_ALLOW_MD5] = "allow-md5",
    [HF_DB_ALLOW_SHA1] = "allow-sha1",
    [HF_DB_ALLOW_SHA256] = "allow-sha256",
    [HF_DB_RULES] = "rules",
    [HF_DB_PATTERNS] = "patterns",
    [HF_DB_MATCHER] = "matcher",
    [HF_DB_NEEDLES] = "needles",
    [HF_DB_IGNORE] = "ignore",
    [HF_DB_RULE_TEXTS] = "rule texts",
    [HF_DB_TOMBSTONES] = "withdrawn",
    [HF_DB_TARGET_MATCHERS] = "matchers",
    [HF_DB_LOCATED] = "located",
    [HF_DB_LOOSE] = "loose",
};

/* Digest signatures of a segment and all bytes that they need, their share of the names by
 * number included. */
struct digest_cost {
    uint64_t count, bytes;
};

static struct digest_cost cost_of(const struct hf_segment *s)
{
    struct digest_cost cost = {0, 0};
    for (unsigned type = HF_DB_HASH_MD5; type < HF_DB_ALLOW_MD5; type++) {
        cost.count += s->parts[type].count;
        cost.bytes += s->parts[type].bytes.len;
    }
    uint64_t names = s->parts[HF_DB_NAMES].bytes.len;
    if (s->names.count > 0)
        cost.bytes += (uint64_t)((double)names * (double)cost.count / s->names.count);
    return cost;
}

static void text_of_segment(const struct hf_db *db, uint32_t number, struct hf_buffer *out)
{
    const struct hf_segment *s = &db->segments[number];
    struct digest_cost cost = cost_of(s);
    struct hf_bytes meta = s->parts[HF_DB_META].bytes, value, licence;
    hf_buffer_format(out, "segment %u: %llu signatures, %zu bytes\n", number,
                     (unsigned long long)hf_db_signature_count(db, number), s->bytes.len);
    if (cost.count > 0)
        hf_buffer_format(out, "  %.2f bytes for each digest signature, name included\n",
                         (double)cost.bytes / (double)cost.count);
    hf_buffer_text(out, "  section             count        bytes\n");
    for (unsigned type = 0; type < HF_DB_SECTION_TYPES; type++)
        if (s->parts[type].present)
            hf_buffer_format(out, "  %-16s %8llu %12zu\n", section_names[type],
                             (unsigned long long)s->parts[type].count,
                             s->parts[type].bytes.len);
    hf_buffer_text(out, "  sources\n");
    for (uint32_t i = 0; hf_db_source_at(db, number, i, &value, &licence) == HF_OK; i++) {
        hf_buffer_text(out, "    ");
        hf_escape(out, value);
        hf_buffer_text(out, licence.len > 0 ? "  licence " : "");
        hf_escape(out, licence);
        hf_buffer_u8(out, '\n');
    }
    while (hf_db_next_meta(&meta, "skipped-kind", &value)) {
        hf_buffer_text(out, "  not taken: ");
        hf_escape(out, value);
        hf_buffer_u8(out, '\n');
    }
}

void hf_db_info_text(const struct hf_db *db, bool classes, struct hf_buffer *out)
{
    uint8_t generation[16];
    hf_db_generation(db, generation);
    hf_buffer_text(out, "generation ");
    hf_hex(out, hf_bytes_of(generation, sizeof generation));
    hf_buffer_u8(out, '\n');
    for (uint32_t i = 0; i < hf_db_segment_count(db); i++) {
        text_of_segment(db, i, out);
        if (classes)
            hf_db_classes_text(db, i, out);
    }
}

static void json_sources(const struct hf_db *db, uint32_t number, struct hf_buffer *out)
{
    struct hf_bytes source, licence;
    hf_buffer_text(out, ",\"sources\":[");
    for (uint32_t i = 0; hf_db_source_at(db, number, i, &source, &licence) == HF_OK; i++) {
        hf_buffer_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        hf_json_string(out, source);
        hf_buffer_text(out, ",\"licence\":");
        hf_json_string(out, licence);
        hf_buffer_u8(out, '}');
    }
    hf_buffer_u8(out, ']');
}

/* "12 wildcards in .ndb" */
static void json_skipped(struct hf_bytes meta, struct hf_buffer *out)
{
    struct hf_bytes value;
    const char *separator = "";
    hf_buffer_text(out, ",\"skipped\":{");
    while (hf_db_next_meta(&meta, "skipped-kind", &value)) {
        const uint8_t *blank = memchr(value.data, ' ', value.len);
        uint64_t count;
        if (blank == NULL)
            continue;
        size_t digits = (size_t)(blank - value.data);
        if (!hf_parse_uint(hf_bytes_of(value.data, digits), &count))
            continue;
        hf_buffer_text(out, separator);
        hf_json_string(out, hf_bytes_of(blank + 1, value.len - digits - 1));
        hf_buffer_format(out, ":%llu", (unsigned long long)count);
        separator = ",";
    }
    hf_buffer_u8(out, '}');
}

static void json_of_segment(const struct hf_db *db, uint32_t number, bool classes,
                            struct hf_buffer *out)
{
    const struct hf_segment *s = &db->segments[number];
    struct digest_cost cost = cost_of(s);
    const char *separator = "";
    hf_buffer_format(out, "{\"bytes\":%zu,\"signatures\":%llu", s->bytes.len,
                     (unsigned long long)hf_db_signature_count(db, number));
    hf_buffer_format(out,
                     ",\"digest_signatures\":%llu,\"digest_bytes\":%llu,\"sections\":{",
                     (unsigned long long)cost.count, (unsigned long long)cost.bytes);
    for (unsigned type = 0; type < HF_DB_SECTION_TYPES; type++) {
        if (!s->parts[type].present)
            continue;
        hf_buffer_format(out, "%s\"%s\":{\"count\":%llu,\"bytes\":%zu}", separator,
                         section_names[type], (unsigned long long)s->parts[type].count,
                         s->parts[type].bytes.len);
        separator = ",";
    }
    hf_buffer_u8(out, '}');
    json_sources(db, number, out);
    json_skipped(s->parts[HF_DB_META].bytes, out);
    if (classes) {
        hf_buffer_text(out, ",\"classes\":");
        hf_db_classes_json(db, number, out);
    }
    hf_buffer_u8(out, '}');
}

void hf_db_info_json(const struct hf_db *db, bool classes, struct hf_buffer *out)
{
    uint8_t generation[16];
    hf_db_generation(db, generation);
    hf_buffer_text(out, "{\"generation\":\"");
    hf_hex(out, hf_bytes_of(generation, sizeof generation));
    hf_buffer_text(out, "\",\"segments\":[");
    for (uint32_t i = 0; i < hf_db_segment_count(db); i++) {
        hf_buffer_text(out, i == 0 ? "" : ",");
        json_of_segment(db, i, classes, out);
    }
    hf_buffer_text(out, "]}\n");
}
