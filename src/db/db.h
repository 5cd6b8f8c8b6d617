/* db.h - an opened database: one or more segments, mapped, shared, immutable. Opening checks
 * header, section table and extents; every inner offset is checked by the one accessor of its
 * section when it is used, so a damaged database can give wrong answers but no bad access.
 *
 * A scan pins its generation: it holds the struct hf_db that it started with. */
#ifndef HF_DB_DB_H
#define HF_DB_DB_H

#include "base/buffer.h"
#include "db/format.h"
#include "db/located.h"
#include "digest/digest.h"
#include "match/matcher.h"
#include "pattern/pattern.h"
#include "rules/rule.h"

struct hf_db;

/* A signature: segment by position in the open database, number within the segment. */
struct hf_signature {
    uint32_t segment;
    uint32_t number;
};

/*
 * Open segments, oldest first.
 *
 * fds    each a compiled database; mapped, not kept: the caller closes them. The last one may be a
 *        plan (db/plan.h), which says whose each segment is; without one all are the owner's.
 * count  1..HF_DB_FDS_MAX, of them HF_DB_SEGMENTS_MAX segments at most
 * out    on HF_OK; the caller releases it with hf_db_close.
 * Returns HF_OK, HF_MALFORMED (not a database, or cut), HF_UNSUPPORTED (another version or
 * schema: compile it again), HF_IO, HF_NOMEM, HF_INVALID.
 */
enum { HF_DB_SEGMENTS_MAX = 32, HF_DB_FDS_MAX = HF_DB_SEGMENTS_MAX + 1 };
HF_MUST_USE enum hf_status hf_db_open(const int *fds, size_t count, struct hf_db **out);

/* The same over bytes in memory, which stay valid and unchanged while it is open. 64-aligned. */
HF_MUST_USE enum hf_status hf_db_open_memory(struct hf_bytes segment, struct hf_db **out);

void hf_db_close(struct hf_db *db);
void hf_db_release(struct hf_db **db); /* for HF_AUTO */

/* Names the contents: the same bytes, the same generation. 16 bytes. */
void hf_db_generation(const struct hf_db *db, uint8_t out[16]);

/* Names all that decides but digest signatures, allow and ignore lists, and what is withdrawn: with
 * the same value, an object for which no rule held has none now. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_db_rules_generation(const struct hf_db *db, uint8_t out[16]);

size_t hf_db_segment_count(const struct hf_db *db);

/* Whole-object digests that some signature of this size (or of any size) could use: bits
 * 1 << enum hf_digest_kind. Computing others is useless. */
unsigned hf_db_digests_wanted(const struct hf_db *db, uint64_t size);

/* Signatures with this digest of an object of this size. Calls on_hit for each until it returns
 * false: by segment, kind, those of this size before those of any, then load order. Tombstones
 * are applied. Of a digest the first HF_DB_DIGEST_KEPT (12) bytes are compared. */
typedef bool hf_db_on_hit(void *user, struct hf_signature signature,
                          enum hf_digest_kind kind);
void hf_db_find_digests(const struct hf_db *db, uint64_t size,
                        const struct hf_digests *digests, hf_db_on_hit *on_hit, void *user);

/* What digests are taken of. Parts of executables have their own tables: the raw bytes of one
 * section, by its size; the list of imports as text ("imphash"), whose size is the text's. */
enum hf_db_scope { HF_DB_OBJECT, HF_DB_SECTION, HF_DB_IMPORTS, HF_DB_SCOPES };

/* The two calls above for any scope. */
unsigned hf_db_scope_wanted(const struct hf_db *db, enum hf_db_scope scope, uint64_t size);
void hf_db_scope_find(const struct hf_db *db, enum hf_db_scope scope, uint64_t size,
                      const struct hf_digests *digests, hf_db_on_hit *on_hit, void *user);

/* Digest kinds that allow lists have for this size, and whether one of them allows an object in
 * which a signature of a segment was found: asked only after a hit. The owner's lists count for
 * every segment, others' for their own group only (db/plan.h). */
unsigned hf_db_allow_wanted(const struct hf_db *db, uint32_t segment, uint64_t size);
bool hf_db_allows(const struct hf_db *db, uint32_t segment, uint64_t size,
                  const struct hf_digests *digests);

/* Whether some list that counts for a segment ignores signatures of this name. */
bool hf_db_ignores(const struct hf_db *db, uint32_t segment, struct hf_bytes name);

/* What of a segment is searched for in objects of a target (rules/rule.h; 0: of none); NULL when
 * that is nothing. */
const struct hf_matcher *hf_db_matcher(const struct hf_db *db, uint32_t segment,
                                       uint8_t target);

/* What the matcher's id stands for: a pattern's number and the form of it that was found
 * (pattern/search.h). HF_NOTFOUND. */
HF_MUST_USE enum hf_status hf_db_needle(const struct hf_db *db, uint32_t segment,
                                        uint32_t id, uint32_t *pattern, uint16_t *variant);

/* Candidates among the patterns of a segment that the matcher does not search for: those that are
 * looked at in place, and those that are tried wherever their first bytes fit (located.h, where
 * the arguments are described). hf_pattern_confirm_at says what a candidate means. */
void hf_db_find_located(const struct hf_db *db, uint32_t segment, struct hf_bytes view,
                        uint8_t target, hf_place_resolve *resolve, void *resolve_user,
                        hf_on_candidate *on_candidate, void *user);
uint32_t hf_db_loose_blocks(const struct hf_db *db, uint32_t segment);
void hf_db_find_loose(const struct hf_db *db, uint32_t segment, struct hf_bytes view,
                      uint64_t from, uint64_t to, uint64_t *dropped,
                      hf_on_candidate *on_candidate, void *user);

/* A pattern, by number, and the rule that it belongs to. A rule, by
 * number; its signature. HF_NOTFOUND past the end, HF_MALFORMED. Results borrow from db. */
HF_MUST_USE enum hf_status hf_db_pattern(const struct hf_db *db, uint32_t segment,
                                         uint32_t number, struct hf_pattern *pattern,
                                         uint32_t *rule);
HF_MUST_USE enum hf_status hf_db_rule(const struct hf_db *db, uint32_t segment,
                                      uint32_t number, struct hf_rule *rule,
                                      uint32_t *signature);
/* What a rule says of itself (rules/rule_text.h); {NULL, 0} when nothing was stored. */
struct hf_bytes hf_db_rule_text(const struct hf_db *db, uint32_t segment, uint32_t number);
uint32_t hf_db_rule_count(const struct hf_db *db, uint32_t segment);

/* The views that some rule of a segment sees: bits 1 << enum hf_view_kind. */
uint32_t hf_db_views(const struct hf_db *db, uint32_t segment);

/* Rules that can be true without a match (HF_RULE_WAKES_ALONE), in order: their numbers. */
struct hf_bytes hf_db_rules_waking_alone(const struct hf_db *db,
                                         uint32_t segment); /* u32le each */

/* What names a signature across segments (signature_id.h). HF_NOTFOUND, HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_db_signature_id(const struct hf_db *db,
                                              struct hf_signature signature, uint64_t *id);

/* Whether a signature was withdrawn by a later segment of its own group, or of the owner's. */
bool hf_db_withdrawn(const struct hf_db *db, struct hf_signature signature);

/* What a signature is, for people who ask. */
struct hf_db_what {
    bool is_rule;
    uint32_t rule; /* its number, for hf_db_rule */
    enum hf_db_section
        type; /* else: which table, its digest as far as it is kept, the size */
    struct hf_bytes digest;
    uint64_t size; /* UINT64_MAX: any */
};
/* HF_NOTFOUND, HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_db_what(const struct hf_db *db, struct hf_signature signature,
                                      struct hf_db_what *what);

/* A signature's name and where it came from, appended to out. HF_NOTFOUND, HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_db_name(const struct hf_db *db, struct hf_signature signature,
                                      struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_db_source(const struct hf_db *db,
                                        struct hf_signature signature,
                                        struct hf_bytes *source, struct hf_bytes *licence);

/* Whether a match can lie wholly in zero bytes: only then must holes of sparse files be
 * searched. */
bool hf_db_matches_zeros(const struct hf_db *db);

/* Signatures of a segment that find something (allow lists not counted), withdrawn ones
 * included. */
uint64_t hf_db_signature_count(const struct hf_db *db, uint32_t segment);

/* A segment's sources by number: HF_NOTFOUND past the last. */
HF_MUST_USE enum hf_status hf_db_source_at(const struct hf_db *db, uint32_t segment,
                                           uint32_t number, struct hf_bytes *source,
                                           struct hf_bytes *licence);

/* A raw section, for `db info`, `db check` and tests; {NULL, 0} when there is none. */
struct hf_bytes hf_db_section(const struct hf_db *db, uint32_t segment,
                              enum hf_db_section type, uint64_t *count);

/* The full check, once, before a database is activated: section digests, every inner offset,
 * every stored pattern, rule and program. *note (a buffer) receives what was wrong. */
HF_MUST_USE enum hf_status hf_db_check(const struct hf_db *db, struct hf_buffer *note);

#endif
