/* db_find.c - digests, allow and ignore lists: what a scan asks for each object. */
#include "db/coding.h"
#include "db/db_internal.h"

static const enum hf_db_section first_table[HF_DB_SCOPES] = {
    [HF_DB_OBJECT] = HF_DB_HASH_MD5,
    [HF_DB_SECTION] = HF_DB_SECTION_MD5,
    [HF_DB_IMPORTS] = HF_DB_IMPORTS_MD5,
};

static bool wanted(const struct hf_hash_table *table, uint64_t size)
{
    if (table->any > 0)
        return true;
    struct hf_hash_range range = hf_hash_table_find_size(table, size);
    return range.begin < range.end;
}

/* Kinds wanted of the tables first .. first + 2; finder: only of lists that reach that segment. */
enum { NO_FINDER = UINT32_MAX };
static unsigned kinds_wanted(const struct hf_db *db, unsigned first, uint64_t size,
                             uint32_t finder)
{
    unsigned kinds = 0;
    for (size_t s = 0; s < db->count; s++)
        for (unsigned k = 0; k < HF_DIGEST_KINDS; k++)
            if ((kinds >> k & 1u) == 0 &&
                (finder == NO_FINDER || hf_db_lists_reach(db, s, finder)) &&
                wanted(&db->segments[s].tables[first + k], size))
                kinds |= 1u << k;
    return kinds;
}

unsigned hf_db_scope_wanted(const struct hf_db *db, enum hf_db_scope scope, uint64_t size)
{
    return (unsigned)scope < HF_DB_SCOPES
               ? kinds_wanted(db, first_table[scope], size, NO_FINDER)
               : 0;
}

unsigned hf_db_digests_wanted(const struct hf_db *db, uint64_t size)
{
    return hf_db_scope_wanted(db, HF_DB_OBJECT, size);
}

bool hf_db_lists_reach(const struct hf_db *db, size_t lists, size_t finder)
{
    const struct hf_db_place *whose = &db->segments[lists].place;
    uint8_t found = db->segments[finder].place.group;
    return whose->group == HF_DB_PLAN_OWNER || whose->group == found ||
           ((whose->flags & HF_DB_PLAN_EVERYWHERE) != 0 && found != HF_DB_PLAN_OWNER);
}

unsigned hf_db_allow_wanted(const struct hf_db *db, uint32_t segment, uint64_t size)
{
    return segment < db->count ? kinds_wanted(db, HF_DB_ALLOW_MD5, size, segment) : 0;
}

/* What a search carries along. */
struct search {
    const struct hf_db *db;
    uint32_t segment;
    uint32_t finder; /* only lists that reach it; NO_FINDER: all tables */
    enum hf_digest_kind kind;
    hf_db_on_hit *on_hit;
    void *user;
};

static bool report(const struct search *s, const struct hf_hash_table *table,
                   struct hf_hash_range hits)
{
    for (uint32_t entry = hits.begin; entry < hits.end; entry++) {
        struct hf_signature signature = {s->segment, table->first + entry};
        if (!hf_db_withdrawn(s->db, signature) && !s->on_hit(s->user, signature, s->kind))
            return false;
    }
    return true;
}

/* Entries of this size, then those of any. False: on_hit wants no more. */
static bool search_table(const struct search *s, const struct hf_hash_table *table,
                         uint64_t size, struct hf_bytes digest)
{
    struct hf_hash_range same_size = hf_hash_table_find_size(table, size);
    struct hf_hash_range any_size = {table->sized, table->sized + table->any};
    return report(s, table, hf_hash_table_find_digest(table, same_size, digest)) &&
           report(s, table, hf_hash_table_find_digest(table, any_size, digest));
}

static void search_tables(struct search *s, unsigned first, uint64_t size,
                          const struct hf_digests *digests)
{
    for (s->segment = 0; s->segment < s->db->count; s->segment++)
        for (unsigned k = 0; k < HF_DIGEST_KINDS; k++) {
            s->kind = (enum hf_digest_kind)k;
            if ((digests->have >> k & 1u) != 0 &&
                (s->finder == NO_FINDER ||
                 hf_db_lists_reach(s->db, s->segment, s->finder)) &&
                !search_table(s, &s->db->segments[s->segment].tables[first + k], size,
                              hf_digest_bytes(digests, s->kind)))
                return;
        }
}

void hf_db_scope_find(const struct hf_db *db, enum hf_db_scope scope, uint64_t size,
                      const struct hf_digests *digests, hf_db_on_hit *on_hit, void *user)
{
    struct search s = {.db = db, .finder = NO_FINDER, .on_hit = on_hit, .user = user};
    if ((unsigned)scope < HF_DB_SCOPES)
        search_tables(&s, first_table[scope], size, digests);
}

void hf_db_find_digests(const struct hf_db *db, uint64_t size,
                        const struct hf_digests *digests, hf_db_on_hit *on_hit, void *user)
{
    hf_db_scope_find(db, HF_DB_OBJECT, size, digests, on_hit, user);
}

static bool note_hit(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    (void)signature;
    (void)kind;
    *(bool *)user = true;
    return false;
}

bool hf_db_allows(const struct hf_db *db, uint32_t segment, uint64_t size,
                  const struct hf_digests *digests)
{
    bool hit = false;
    struct search s = {.db = db, .finder = segment, .on_hit = note_hit, .user = &hit};
    if (segment < db->count)
        search_tables(&s, HF_DB_ALLOW_MD5, size, digests);
    return hit;
}

/* Order of names in IGNORE: by bytes, the shorter first when one begins the other. */
static int compare_names(struct hf_bytes a, struct hf_bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.data, b.data, n);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool hf_db_ignores(const struct hf_db *db, uint32_t segment, struct hf_bytes name)
{
    for (size_t s = 0; s < db->count && segment < db->count; s++) {
        if (!hf_db_lists_reach(db, s, segment))
            continue;
        const struct hf_records *ignore = &db->segments[s].ignore;
        uint32_t low = 0, high = ignore->count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            int order = compare_names(hf_records_at(ignore, middle), name);
            if (order == 0)
                return true;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
    }
    return false;
}
