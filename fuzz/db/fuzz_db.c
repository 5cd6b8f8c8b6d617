/* Mutated databases: at worst refused, never a bad access. The input is a list of edits to a
 * real database (or, marked so, a database itself); then every accessor is called. */
#include "base/auto.h"
#include "base/cursor.h"
#include "db/build.h"
#include "db/db.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 16, HITS_MAX = 2000 };

/* A real database with something in every section. */
static size_t make_database(uint8_t *to)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(NULL, NULL);
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    static const struct {
        const char *name, *line;
    } sources[] = {
        {"a.sfp",
         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff:10:ok-1\n"},
        {"a.mdb", "4096:00112233445566778899aabbccddeeff:Section-7\n"},
        {"a.imp", "00112233445566778899aabbccddeeff:*:Imports\n"},
        {"a.ndb",
         "One:0:*:4142434445\nTwo:1:0:0000000000\nThree-9:0:EOF-9,3:616263646566\n"},
        {"a.ign2", "Ignored\nAnd.This\n"},
    };
    enum hf_status st = HF_OK;
    for (unsigned i = 0; i < 400; i++) {
        hf_buffer_format(&text, "%016llx%016llx:", i * 0x9e3779b97f4a7c15ull, i * 77ull);
        if (i % 4 == 0)
            hf_buffer_format(&text, "*:Any.Family%u-%u:73\n", i % 7, i);
        else
            hf_buffer_format(&text, "%u:Win.Family%u-%u-0\n", 1 + i % 150, i % 20, i * i);
    }
    st = hf_build_read_text(build, "a.hdb", hf_buffer_view(&text));
    for (size_t i = 0; i < sizeof sources / sizeof *sources && st == HF_OK; i++)
        st = hf_build_read_text(build, sources[i].name, hf_bytes_text(sources[i].line));
    hf_build_withdraw(build, true);
    if (st == HF_OK)
        st = hf_build_read_text(build, "b.ndb", hf_bytes_text("X:0:*:4142434445\n"));
    if (st == HF_OK)
        st = hf_build_write(build, &bytes);
    assert(st == HF_OK && bytes.len <= ROOM);
    memcpy(to, bytes.data, bytes.len);
    return bytes.len;
}

struct seen {
    const struct hf_db *db;
    unsigned hits;
};

static void look_at(const struct hf_db *db, struct hf_signature signature)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    struct hf_bytes source, licence;
    uint64_t id;
    (void)!hf_db_name(db, signature, &name);
    (void)hf_db_ignores(db, 0, hf_buffer_view(&name));
    (void)!hf_db_source(db, signature, &source, &licence);
    (void)!hf_db_signature_id(db, signature, &id);
    (void)hf_db_withdrawn(db, signature);
}

static bool on_hit(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    struct seen *seen = user;
    assert(signature.segment < hf_db_segment_count(seen->db) && kind < HF_DIGEST_KINDS);
    if (seen->hits < 8)
        look_at(seen->db, signature);
    return ++seen->hits < HITS_MAX;
}

static void find_digests(const struct hf_db *db, unsigned i)
{
    struct seen seen = {db, 0};
    struct hf_digests d = {.have = 7};
    uint64_t words[2] = {__builtin_bswap64(i * 0x9e3779b97f4a7c15ull),
                         __builtin_bswap64(i * 77ull)};
    for (unsigned k = 0; k < HF_DIGEST_KINDS; k++)
        memcpy(d.value[k], words, sizeof words);
    uint64_t size = i % 8 == 7 ? UINT64_MAX : 1 + i % 150;
    for (unsigned scope = 0; scope < HF_DB_SCOPES; scope++) {
        (void)hf_db_scope_wanted(db, (enum hf_db_scope)scope, size);
        hf_db_scope_find(db, (enum hf_db_scope)scope, size, &d, on_hit, &seen);
    }
    (void)hf_db_allow_wanted(db, 0, size);
    (void)hf_db_allows(db, 0, size, &d);
}

static void read_rules(const struct hf_db *db)
{
    uint32_t count = hf_db_rule_count(db, 0), other;
    for (uint32_t i = 0; i <= count && i < 64; i++) {
        struct hf_rule rule;
        struct hf_pattern pattern;
        if (hf_db_rule(db, 0, i, &rule, &other) == HF_OK)
            look_at(db, (struct hf_signature){0, other});
        (void)!hf_db_pattern(db, 0, i, &pattern, &other);
    }
    struct hf_bytes waking = hf_db_rules_waking_alone(db, 0);
    HF_AUTO(hf_buffer_done) struct hf_buffer copy = {0};
    hf_buffer_bytes(&copy, waking); /* every byte of it is there */
}

static bool on_literal(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    (void)id;
    (void)start;
    (void)length;
    return ++*(unsigned *)user < HITS_MAX;
}

static void use(const struct hf_db *db)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    uint8_t generation[16];
    hf_db_generation(db, generation);
    (void)hf_db_matches_zeros(db);
    for (unsigned i = 0; i < 40; i++)
        find_digests(db, i * 11);
    for (uint32_t i = 0; i < 420; i += 13)
        look_at(db, (struct hf_signature){0, i});
    look_at(db, (struct hf_signature){0, UINT32_MAX});
    read_rules(db);
    const struct hf_matcher *matcher = hf_db_matcher(db, 0, 0);
    unsigned hits = 0;
    static const char text[] = "ABCDE abcdef \0\0\0\0\0\0 ABCDE";
    if (matcher != NULL)
        hf_matcher_search(matcher, hf_bytes_of(text, sizeof text), 0, on_literal, &hits);
    (void)!hf_db_check(db, &note);
}

/* Edits: u16 offset, u8 how, then a byte or four. */
static void edit(uint8_t *bytes, size_t *length, struct hf_cursor *in)
{
    size_t at = hf_u16le(in);
    uint8_t how = hf_u8(in), wide[4];
    if (at >= *length)
        at %= *length;
    switch (how % 5) {
    case 0: bytes[at] = hf_u8(in); break;
    case 1: bytes[at] ^= (uint8_t)(1u << (how >> 5)); break;
    case 2:
        hf_copy(in, wide, sizeof wide);
        memcpy(bytes + at / 4 * 4, wide, sizeof wide);
        break;
    case 3: memset(bytes + at / 8 * 8, how >> 7 ? 0xff : 0, 8); break;
    case 4: *length = at + 1; break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t original[ROOM], bytes[ROOM];
    static size_t original_length;
    if (original_length == 0)
        original_length = make_database(original);
    size_t length = original_length;
    memcpy(bytes, original, length);
    struct hf_cursor in = hf_cursor_open(data, size, NULL);
    while (hf_cursor_left(&in) > 0)
        edit(bytes, &length, &in);
    /* As long as it says, in memory of its own, so that a read past it is seen. */
    size_t room = (length + 63) / 64 * 64;
    uint8_t *exact = aligned_alloc(64, room);
    if (exact == NULL)
        return 0;
    memcpy(exact, bytes, length);
    uint64_t says = length;
    if (length >= 24)
        memcpy(exact + 16, &says, sizeof says);
    HF_AUTO(hf_db_release) struct hf_db *db = NULL;
    if (hf_db_open_memory(hf_bytes_of(exact, length), &db) == HF_OK)
        use(db);
    hf_db_release(&db);
    free(exact);
    return 0;
}
