/* content_check.c - written from docs/database.md alone. Takes the format's version from db/format.h
 * and no code of src/db, src/rules, src/pattern or src/match, on purpose: a mistake that the compiler and its reader share is not
 * shared here. Sections whose inside is programs (rules, patterns, matcher) are checked as lists of
 * records; what they mean is the business of the self-test, which runs them in the jail. */
#include "update/content_check.h"

#include "base/cursor.h"
#include "db/format.h"

#include <openssl/evp.h>

/* [database.md "Frame"] */
enum { HEADER = 64, ENTRY = 64, ALIGNMENT = 64, SECTIONS_MAX = 64, KINDS = 26 };
enum {
    SOURCES = 2,
    NAMES = 4,
    TABLES = 5, /* 5 to 16: nine of detection, three of allowing */
    ALLOWS = 14,
    RULES = 17,
    PATTERNS = 18,
    MATCHER = 19,
    IGNORES = 20,
    TOMBSTONES = 21,
    LOCATED = 23,
    LOOSE = 24,
    TARGET_MATCHERS = 26,
    TARGETS = 16
};

struct part {
    bool there;
    uint64_t offset, length, count;
};

struct look {
    struct hf_cursor file;
    uint64_t size;
    struct part parts[KINDS + 1];
    uint64_t numbered; /* signature numbers given so far */
    struct hf_buffer *why;
};

static bool wrong(struct look *l, const char *what)
{
    if (l->why->len == 0)
        hf_buffer_text(l->why, what);
    return false;
}

static bool digest(struct hf_bytes bytes, uint8_t out[32])
{
    unsigned n = 0;
    return EVP_Digest(bytes.data, bytes.len, out, &n, EVP_sha256(), NULL) == 1 && n == 32;
}

static struct hf_cursor part_cursor(const struct look *l, const struct part *p)
{
    return hf_cursor_sub(&l->file, p->offset, p->length);
}

/* Name, place and digest of one section. */
static bool look_at_entry(struct look *l, struct hf_cursor *table, uint64_t *end)
{
    uint32_t type = hf_u32le(table), flags = hf_u32le(table);
    struct part p = {.there = true};
    p.offset = hf_u64le(table);
    p.length = hf_u64le(table);
    p.count = hf_u64le(table);
    uint8_t said[32], is[32];
    hf_copy(table, said, sizeof said);
    if (hf_cursor_status(table) != HF_OK || p.offset % ALIGNMENT != 0 || p.offset < *end ||
        p.length > l->size || p.offset > l->size - p.length)
        return wrong(l, "a section lies outside the file, unaligned or over another");
    struct hf_cursor c = part_cursor(l, &p);
    if (!digest(hf_take_rest(&c), is) || memcmp(said, is, 32) != 0)
        return wrong(l, "a section does not fit its digest");
    *end = p.offset + p.length;
    if (type == 0 || type > KINDS)
        return (flags & 1) == 0 || wrong(l, "a section that must be known is not");
    if (l->parts[type].there)
        return wrong(l, "a section is there twice");
    l->parts[type] = p;
    return true;
}

static bool look_at_frame(struct look *l)
{
    struct hf_cursor c = l->file;
    static const char magic[] = "HFDB\r\n\x1a\n";
    if (!hf_peek_equal(&c, magic, 8))
        return wrong(l, "this is no database");
    hf_skip(&c, 8);
    uint32_t version = hf_u32le(&c), count = hf_u32le(&c);
    uint64_t size = hf_u64le(&c), table_at = hf_u64le(&c);
    uint8_t generation[16], is[32];
    hf_skip(&c, 16);
    hf_copy(&c, generation, sizeof generation);
    if (hf_cursor_status(&c) != HF_OK || version != HF_DB_VERSION || count > SECTIONS_MAX ||
        size != l->size)
        return wrong(l, "the header is of another version or the file is cut");
    struct hf_cursor table = hf_cursor_sub(&l->file, table_at, (uint64_t)count * ENTRY);
    struct hf_cursor copy = table;
    if (hf_cursor_status(&table) != HF_OK || table_at + (uint64_t)count * ENTRY != size)
        return wrong(l, "the section table is not at the end of the file");
    if (!digest(hf_take_rest(&copy), is) || memcmp(is, generation, 16) != 0)
        return wrong(l, "the section table does not fit its generation");
    uint64_t end = HEADER;
    for (uint32_t i = 0; i < count; i++)
        if (!look_at_entry(l, &table, &end))
            return false;
    return end <= table_at || wrong(l, "sections run into the table");
}

/* [database.md "Digest tables"] */
struct table {
    uint8_t kept;
    uint64_t sized, any, digests_at, directory_at, blocks_at, blocks_len, prefix_at;
    uint32_t blocks;
    uint8_t prefix_bits;
    uint32_t first;
};

static bool read_table(struct look *l, struct hf_cursor c, struct table *t)
{
    uint32_t layout = hf_u32le(&c);
    t->kept = hf_u8(&c);
    t->prefix_bits = hf_u8(&c);
    hf_skip(&c, 2);
    t->sized = hf_u64le(&c);
    t->any = hf_u64le(&c);
    t->first = hf_u32le(&c);
    t->blocks = hf_u32le(&c);
    t->digests_at = hf_u64le(&c);
    t->directory_at = hf_u64le(&c);
    t->blocks_at = hf_u64le(&c);
    t->blocks_len = hf_u64le(&c);
    t->prefix_at = hf_u64le(&c);
    if (hf_cursor_status(&c) != HF_OK || layout != 1 || t->prefix_bits > 28 ||
        t->sized > UINT32_MAX || t->any > UINT32_MAX)
        return wrong(l, "a digest table's header is damaged");
    return true;
}

static uint64_t leb128(struct hf_cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = hf_u8(c);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    hf_skip(c, UINT64_MAX); /* no number is that long: fail */
    return 0;
}

/* Digests of one size, ascending (equal ones under other names follow each other). */
static bool ascending(struct look *l, struct hf_cursor digests, uint64_t from, uint64_t n,
                      uint8_t kept)
{
    uint8_t last[32] = {0}, next[32];
    if (from > UINT64_MAX / 32)
        return wrong(l, "a digest table is too long");
    hf_seek(&digests, from * kept);
    for (uint64_t i = 0; i < n; i++) {
        hf_copy(&digests, next, kept);
        if (hf_cursor_status(&digests) != HF_OK || memcmp(last, next, kept) > 0)
            return wrong(l, "digests are out of order or missing");
        memcpy(last, next, kept);
    }
    return true;
}

static bool look_at_sizes(struct look *l, const struct hf_cursor *section,
                          const struct table *t, struct hf_cursor digests)
{
    struct hf_cursor directory =
        hf_cursor_sub(section, t->directory_at, ((uint64_t)t->blocks + 1) * 16);
    struct hf_cursor blocks = hf_cursor_sub(section, t->blocks_at, t->blocks_len);
    uint64_t entry = 0, size = 0;
    bool first = true;
    for (uint32_t b = 0; b < t->blocks; b++) {
        uint64_t says_size = hf_u64le(&directory);
        uint32_t says_entry = hf_u32le(&directory), says_at = hf_u32le(&directory);
        struct hf_cursor ahead = directory;
        hf_skip(&ahead, 12);
        uint32_t end = hf_u32le(&ahead);
        if (hf_cursor_status(&ahead) != HF_OK || says_entry != entry ||
            hf_cursor_where(&blocks) - blocks.origin != says_at || end < says_at)
            return wrong(l, "a block of the size index does not begin where it should");
        for (unsigned k = 0; k < 64 && hf_cursor_where(&blocks) - blocks.origin < end;
             k++) {
            uint64_t difference = leb128(&blocks), n = leb128(&blocks);
            uint64_t now = k == 0 ? says_size : size + difference;
            if (hf_cursor_status(&blocks) != HF_OK || n == 0 || n > t->sized - entry ||
                (k == 0 && difference != 0) || (!first && now <= size))
                return wrong(l, "the size index is damaged");
            if (!ascending(l, digests, entry, n, t->kept))
                return false;
            size = now, first = false;
            entry += n;
        }
        if (hf_cursor_where(&blocks) - blocks.origin != end)
            return wrong(l, "a block of the size index is too long");
    }
    return (hf_cursor_status(&directory) == HF_OK && entry == t->sized &&
            hf_cursor_left(&blocks) == 0) ||
           wrong(l, "the size index does not cover the digests");
}

static bool look_at_table(struct look *l, unsigned type)
{
    static const uint8_t whole[] = {16, 20, 32};
    struct hf_cursor section = part_cursor(l, &l->parts[type]);
    struct table t = {0};
    if (!l->parts[type].there)
        return true;
    if (!read_table(l, section, &t))
        return false;
    if (t.kept != (type >= ALLOWS ? whole[type - ALLOWS] : 12))
        return wrong(l, "digests are of another length than the format says");
    if (t.first != l->numbered || l->parts[type].count != t.sized + t.any)
        return wrong(l, "signature numbers of a table do not follow");
    l->numbered += t.sized + t.any;
    struct hf_cursor digests =
        hf_cursor_sub(&section, t.digests_at, (t.sized + t.any) * t.kept);
    if (hf_cursor_status(&digests) != HF_OK)
        return wrong(l, "digests lie outside their section");
    return look_at_sizes(l, &section, &t, digests) &&
           ascending(l, digests, t.sized, t.any, t.kept);
}

/* [database.md "Lists of records"] Offsets ascend from 0 to the length of the data. */
static bool look_at_list(struct look *l, unsigned type, uint32_t *count, uint32_t *first)
{
    struct hf_cursor section = part_cursor(l, &l->parts[type]), c = section;
    *count = *first = 0;
    if (!l->parts[type].there)
        return true;
    *count = hf_u32le(&c);
    hf_skip(&c, 4);
    *first = hf_u32le(&c);
    hf_skip(&c, 4 + 16);
    uint64_t offsets_at = hf_u64le(&c), data_at = hf_u64le(&c), length = hf_u64le(&c);
    struct hf_cursor offsets =
        hf_cursor_sub(&section, offsets_at, ((uint64_t)*count + 1) * 4);
    struct hf_cursor data = hf_cursor_sub(&section, data_at, length);
    uint32_t last = 0;
    for (uint64_t i = 0; i <= *count; i++) {
        uint32_t at = hf_u32le(&offsets);
        if (hf_cursor_status(&offsets) != HF_OK || at < last || (i == 0 && at != 0))
            return wrong(l, "a list of records is out of order");
        last = at;
    }
    return (hf_cursor_status(&c) == HF_OK && hf_cursor_status(&data) == HF_OK &&
            last == length) ||
           wrong(l, "a list of records does not cover its data");
}

static bool look_at_lists(struct look *l)
{
    uint32_t n, first, rules, patterns;
    if (!look_at_list(l, SOURCES, &n, &first) || !look_at_list(l, IGNORES, &n, &first) ||
        !look_at_list(l, PATTERNS, &patterns, &first) ||
        !look_at_list(l, RULES, &rules, &first))
        return false;
    if (l->parts[RULES].there && first != l->numbered)
        return wrong(l, "signature numbers of rules do not follow");
    l->numbered += rules;
    if (patterns > 0 && !l->parts[MATCHER].there && !l->parts[LOCATED].there &&
        !l->parts[LOOSE].there && !l->parts[TARGET_MATCHERS].there)
        return wrong(l, "there are patterns and nothing that looks for them");
    struct hf_cursor stones = part_cursor(l, &l->parts[TOMBSTONES]);
    uint64_t last = 0, left = hf_cursor_left(&stones);
    if (left % 8 != 0)
        return wrong(l, "the list of withdrawn signatures is cut");
    for (uint64_t i = 0; i < left / 8; i++) {
        uint64_t id = hf_u64le(&stones);
        if (i > 0 && id <= last)
            return wrong(l, "withdrawn signatures are out of order");
        last = id;
    }
    return true;
}

/* [database.md "Lists of records", TARGET_MATCHERS] Images one behind the other, aligned, none over
 * another, none before the table of their places, all for patterns that are there. */
static bool look_at_target_matchers(struct look *l)
{
    const struct part *p = &l->parts[TARGET_MATCHERS];
    struct hf_cursor c = part_cursor(l, p);
    uint64_t end = (uint64_t)TARGETS * 16;
    unsigned there = 0;
    if (!p->there)
        return true;
    for (unsigned target = 0; target < TARGETS; target++) {
        uint64_t offset = hf_u64le(&c), length = hf_u64le(&c);
        if (hf_cursor_status(&c) != HF_OK)
            return wrong(l, "the matchers of targets are cut");
        if (length == 0 && offset == 0)
            continue;
        if (length == 0 || offset % ALIGNMENT != 0 || offset < end || offset > p->length ||
            length > p->length - offset)
            return wrong(l, "a target's matcher lies outside its section, unaligned or "
                            "over another");
        end = offset + length;
        there++;
    }
    if (end != p->length || there == 0)
        return wrong(l, "the section of targets' matchers has bytes that are no matcher's");
    return l->parts[PATTERNS].there ||
           wrong(l, "there are matchers of targets and no patterns");
}

/* Every signature has a name; so many names, so many signatures. */
static bool look_at_names(struct look *l)
{
    struct hf_cursor c = part_cursor(l, &l->parts[NAMES]);
    uint32_t names = 0;
    if (l->parts[NAMES].there) {
        uint32_t layout = hf_u32le(&c);
        names = hf_u32le(&c);
        if (hf_cursor_status(&c) != HF_OK || layout != 1)
            return wrong(l, "the section of names is of another layout");
    }
    return names == l->numbered || wrong(l, "names do not cover the signatures");
}

static unsigned abilities_of(const struct look *l)
{
    unsigned all = 0;
    for (unsigned type = TABLES; type < ALLOWS; type++)
        if (l->parts[type].there && l->parts[type].count > 0)
            all |= HF_ABILITY_DETECT;
    if (l->parts[RULES].there)
        all |= HF_ABILITY_DETECT;
    for (unsigned type = ALLOWS; type < RULES; type++)
        if (l->parts[type].there)
            all |= HF_ABILITY_ALLOW;
    if (l->parts[IGNORES].there)
        all |= HF_ABILITY_IGNORE;
    if (l->parts[TOMBSTONES].there)
        all |= HF_ABILITY_WITHDRAW;
    return all;
}

const char *hf_ability_name(unsigned number)
{
    static const char *const names[HF_ABILITY_KINDS] = {"detect", "allow", "ignore",
                                                        "withdraw"};
    return names[number];
}

enum hf_refusal hf_content_check(struct hf_bytes file, unsigned *abilities,
                                 struct hf_buffer *why)
{
    struct look l = {
        .file = hf_cursor_open(file.data, file.len, NULL), .size = file.len, .why = why};
    *abilities = 0;
    bool good = look_at_frame(&l);
    for (unsigned type = TABLES; good && type < RULES; type++)
        good = look_at_table(&l, type);
    good = good && look_at_lists(&l) && look_at_target_matchers(&l) && look_at_names(&l);
    if (!good)
        return HF_REFUSE_CONTENT_FORM;
    *abilities = abilities_of(&l);
    return HF_ACCEPTED;
}
