#include "db/hash_table.h"
#include "db/coding.h"

bool hf_hash_table_open(struct hf_bytes section, struct hf_hash_table *table)
{
    struct hf_bytes header;
    *table = (struct hf_hash_table){0};
    if (!hf_extent(section, 0, HF_HASH_HEADER, &header))
        return false;
    const uint8_t *h = header.data;
    uint64_t sized = hf_le64(h + 8), any = hf_le64(h + 16);
    struct hf_hash_table t = {
        .first = hf_le32(h + 24),
        .blocks = hf_le32(h + 28),
        .kept = h[4],
        .prefix_bits = h[5],
    };
    if (hf_le32(h) != HF_HASH_LAYOUT || t.kept < 8 || t.kept > 32 ||
        t.prefix_bits > HF_HASH_PREFIX_BITS_MAX || sized > UINT32_MAX || any > UINT32_MAX ||
        sized + any > UINT32_MAX - t.first)
        return false;
    t.sized = (uint32_t)sized;
    t.any = (uint32_t)any;
    uint64_t prefixes = any == 0 ? 0 : (UINT64_C(1) << t.prefix_bits) + 1;
    if (!hf_extent(section, hf_le64(h + 32), (sized + any) * t.kept, &t.digests) ||
        !hf_extent(section, hf_le64(h + 40),
                   ((uint64_t)t.blocks + 1) * HF_HASH_DIRECTORY_ENTRY, &t.directory) ||
        !hf_extent(section, hf_le64(h + 48), hf_le64(h + 56), &t.pairs) ||
        !hf_extent(section, hf_le64(h + 64), prefixes * 4, &t.prefix))
        return false;
    *table = t;
    return true;
}

/* A directory entry; index <= blocks. */
struct block {
    uint64_t size;
    uint32_t entry, at;
};

static struct block directory_at(const struct hf_hash_table *t, uint32_t index)
{
    const uint8_t *p = t->directory.data + (size_t)index * HF_HASH_DIRECTORY_ENTRY;
    return (struct block){
        .size = hf_le64(p), .entry = hf_le32(p + 8), .at = hf_le32(p + 12)};
}

/* Walks the sizes of one block. */
struct walk {
    struct hf_bytes pairs;
    size_t at;
    uint64_t size;       /* of the current pair */
    uint32_t begin, end; /* its entries */
    uint32_t stop;       /* entries of the block end here */
};

static struct walk walk_block(const struct hf_hash_table *t, uint32_t index)
{
    struct block this = directory_at(t, index), next = directory_at(t, index + 1);
    struct walk w = {.size = this.size, .begin = this.entry, .end = this.entry};
    uint32_t length = next.at < this.at ? 0 : next.at - this.at;
    w.stop = next.entry <= t->sized ? next.entry : t->sized;
    if (!hf_extent(t->pairs, this.at, length, &w.pairs))
        w.pairs = (struct hf_bytes){0};
    return w;
}

static bool walk_next(struct walk *w)
{
    uint64_t delta, count;
    if (w->at >= w->pairs.len || !hf_get_varint(w->pairs, &w->at, &delta) ||
        !hf_get_varint(w->pairs, &w->at, &count))
        return false;
    if (w->end > w->stop || count > w->stop - w->end ||
        __builtin_add_overflow(w->size, delta, &w->size))
        return false;
    w->begin = w->end;
    w->end += (uint32_t)count;
    return true;
}

struct hf_hash_range hf_hash_table_find_size(const struct hf_hash_table *table,
                                             uint64_t size)
{
    struct hf_hash_range none = {0, 0};
    if (table->blocks == 0 || size == UINT64_MAX || size < directory_at(table, 0).size)
        return none;
    uint32_t low = 0, high = table->blocks; /* first size of low <= size < that of high */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (directory_at(table, middle).size <= size)
            low = middle;
        else
            high = middle;
    }
    struct walk w = walk_block(table, low);
    while (walk_next(&w) && w.size <= size)
        if (w.size == size)
            return (struct hf_hash_range){w.begin, w.end};
    return none;
}

struct hf_bytes hf_hash_table_digest(const struct hf_hash_table *table, uint32_t entry)
{
    struct hf_bytes digest;
    (void)hf_extent(table->digests, (uint64_t)entry * table->kept, table->kept, &digest);
    return digest;
}

/* First entry of among whose digest is not below (or, past: is above) the given one. */
static uint32_t bound(const struct hf_hash_table *t, struct hf_hash_range among,
                      const uint8_t *digest, bool past)
{
    uint32_t low = among.begin, high = among.end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(t->digests.data + (size_t)middle * t->kept, digest, t->kept);
        if (order < 0 || (past && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t prefix_of(const uint8_t *digest, unsigned bits)
{
    uint32_t head = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                    (uint32_t)digest[2] << 8 | digest[3];
    return bits == 0 ? 0 : head >> (32 - bits);
}

/* Digests of any size are narrowed by their first bits, so that a look at millions of entries
 * touches two places, not twenty. */
static struct hf_hash_range narrow(const struct hf_hash_table *t, const uint8_t *digest)
{
    const uint8_t *p = t->prefix.data + (size_t)prefix_of(digest, t->prefix_bits) * 4;
    uint32_t begin = hf_le32(p), end = hf_le32(p + 4);
    if (begin > end || end > t->any)
        return (struct hf_hash_range){0, 0};
    return (struct hf_hash_range){t->sized + begin, t->sized + end};
}

struct hf_hash_range hf_hash_table_find_digest(const struct hf_hash_table *table,
                                               struct hf_hash_range among,
                                               struct hf_bytes digest)
{
    struct hf_hash_range none = {0, 0};
    uint32_t entries = table->sized + table->any;
    if (digest.len < table->kept || among.begin >= among.end || among.end > entries)
        return none;
    if (among.begin == table->sized && table->any > 0) {
        among = narrow(table, digest.data);
        if (among.begin == among.end)
            return none;
    }
    uint32_t begin = bound(table, among, digest.data, false);
    struct hf_hash_range rest = {begin, among.end};
    return (struct hf_hash_range){begin, bound(table, rest, digest.data, true)};
}

bool hf_hash_table_size_of(const struct hf_hash_table *table, uint32_t entry,
                           uint64_t *size)
{
    *size = UINT64_MAX;
    if (entry >= table->sized)
        return entry - table->sized < table->any;
    if (table->blocks == 0)
        return false;
    uint32_t low = 0, high = table->blocks;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (directory_at(table, middle).entry <= entry)
            low = middle;
        else
            high = middle;
    }
    struct walk w = walk_block(table, low);
    while (walk_next(&w))
        if (entry >= w.begin && entry < w.end) {
            *size = w.size;
            return true;
        }
    return false;
}

bool hf_hash_table_for_each_size(const struct hf_hash_table *table,
                                 hf_hash_on_size *on_size, void *user)
{
    uint32_t entry = 0;
    for (uint32_t b = 0; b < table->blocks; b++) {
        struct walk w = walk_block(table, b);
        while (walk_next(&w)) {
            if (w.begin != entry ||
                !on_size(user, w.size, (struct hf_hash_range){w.begin, w.end}))
                return false;
            entry = w.end;
        }
    }
    return entry == table->sized;
}

static bool sorted(const struct hf_hash_table *t, struct hf_hash_range run)
{
    const uint8_t *p = t->digests.data;
    for (uint32_t i = run.begin + 1; i < run.end; i++)
        if (memcmp(p + (size_t)(i - 1) * t->kept, p + (size_t)i * t->kept, t->kept) > 0)
            return false;
    return true;
}

static const char *check_sizes(const struct hf_hash_table *t)
{
    uint32_t entry = 0;
    uint64_t last = 0;
    for (uint32_t b = 0; b < t->blocks; b++) {
        struct block here = directory_at(t, b);
        struct walk w = walk_block(t, b);
        unsigned sizes = 0;
        while (walk_next(&w)) {
            bool ascending = entry == 0 || w.size > last;
            bool at_start = sizes > 0 || w.size == here.size;
            if (w.begin != entry || w.begin == w.end || !ascending || !at_start)
                return "size index out of order";
            if (!sorted(t, (struct hf_hash_range){w.begin, w.end}))
                return "digests of a size out of order";
            entry = w.end;
            last = w.size;
            sizes++;
        }
        if (w.at != w.pairs.len || w.end != w.stop || sizes == 0 ||
            sizes > HF_HASH_BLOCK_SIZES)
            return "size block damaged";
    }
    struct block closing = directory_at(t, t->blocks);
    bool closed = closing.size == UINT64_MAX && closing.entry == t->sized &&
                  closing.at == t->pairs.len;
    return entry == t->sized && closed ? NULL : "size index does not cover its entries";
}

static const char *check_prefixes(const struct hf_hash_table *t)
{
    if (t->any == 0)
        return NULL;
    uint32_t entry = 0;
    for (uint32_t p = 0; p < UINT32_C(1) << t->prefix_bits; p++) {
        if (hf_le32(t->prefix.data + (size_t)p * 4) != entry)
            return "prefix index wrong";
        while (entry < t->any &&
               prefix_of(t->digests.data + (size_t)(t->sized + entry) * t->kept,
                         t->prefix_bits) == p)
            entry++;
    }
    bool closed = hf_le32(t->prefix.data + t->prefix.len - 4) == t->any;
    return entry == t->any && closed ? NULL : "prefix index does not cover its entries";
}

const char *hf_hash_table_check(const struct hf_hash_table *table)
{
    const char *wrong = check_sizes(table);
    if (wrong == NULL &&
        !sorted(table, (struct hf_hash_range){table->sized, table->sized + table->any}))
        wrong = "digests of any size out of order";
    return wrong != NULL ? wrong : check_prefixes(table);
}
