/* build.h - from signature text to a compiled database. Reads sources (files, folders), keeps
 * what it understands, counts and reports what it does not, writes one segment.
 *
 * The same sources give the same bytes on any machine, in any order of directory entries: files
 * are taken in byte order of their names. */
#ifndef HF_DB_BUILD_H
#define HF_DB_BUILD_H

#include "base/buffer.h"
#include "db/format.h"
#include "digest/digest.h"
#include "facts/facts.h"
#include "pattern/pattern.h"
#include "rules/rule.h"

struct hf_build;

/* Something to say about a source line. line is 1-based, 0: the file as a whole. */
typedef void hf_build_on_message(void *user, const char *file, uint64_t line,
                                 const char *text);

/* A new, empty build. NULL when out of memory. */
struct hf_build *hf_build_new(hf_build_on_message *on_message, void *user);
void hf_build_free(struct hf_build *build);
void hf_build_release(struct hf_build **build); /* for HF_AUTO */

/* Read and write with this many threads (1 at first): the result is the same. For before
 * anything is added. */
HF_MUST_USE enum hf_status hf_build_use_threads(struct hf_build *build, unsigned threads);

/* The modules of facts that rules may import, in the order in which a scan has them; borrowed. None
 * at first: rules that import something are then bad lines. */
void hf_build_use_modules(struct hf_build *build,
                          const struct hf_fact_module *const *modules, size_t count);

/* Which files of signatures of potentially unwanted programs (.hdu .hsu .mdu .msu .ndu .ldu) are taken.
 * All zero: all of them, as far as they can be. */
struct hf_pua {
    bool none;    /* none of these files */
    bool all_but; /* those of these kinds are left out, else only they are taken */
    const char *const *kinds; /* borrowed: "Packed" is the kind of PUA.Packed.Thing */
    size_t count;             /* 0: of any kind */
};
void hf_build_use_pua(struct hf_build *build, const struct hf_pua *pua);

/* Begin a source: what is added next comes from it. file and licence are copied. */
HF_MUST_USE enum hf_status hf_build_source(struct hf_build *build, const char *file,
                                           const char *licence);

/* What front ends add. size below 2^56 - 1, or HF_BUILD_ANY_SIZE: of any size. Names are raw
 * bytes, copied, cut at 1024. */
#define HF_BUILD_ANY_SIZE UINT64_MAX
HF_MUST_USE enum hf_status hf_build_add_digest(struct hf_build *build,
                                               enum hf_digest_kind kind,
                                               const uint8_t *digest, uint64_t size,
                                               struct hf_bytes name);
HF_MUST_USE enum hf_status hf_build_add_allow(struct hf_build *build,
                                              enum hf_digest_kind kind,
                                              const uint8_t *digest, uint64_t size,
                                              struct hf_bytes name);
HF_MUST_USE enum hf_status hf_build_add_rule(struct hf_build *build,
                                             const struct hf_rule *rule,
                                             const struct hf_pattern *patterns,
                                             size_t count, struct hf_bytes name);
/* What the rule that was added last says of itself (rules/rule_text.h); copied. */
HF_MUST_USE enum hf_status hf_build_add_text(struct hf_build *build, struct hf_bytes text);

/* All rules of a YARA compiler, in order; what cannot be searched for is counted as skipped. */
struct hf_yara;
HF_MUST_USE enum hf_status hf_build_add_yara(struct hf_build *build,
                                             const struct hf_yara *yara);
HF_MUST_USE enum hf_status hf_build_add_ignore(struct hf_build *build,
                                               struct hf_bytes name);

/* The same for any table: digests of sections and import lists too. length: of the digest. */
HF_MUST_USE enum hf_status hf_build_add_table(struct hf_build *build,
                                              enum hf_db_section table,
                                              const uint8_t *digest, size_t length,
                                              uint64_t size, struct hf_bytes name);

/* Withdraw a signature of older segments by its id (signature_id.h). */
HF_MUST_USE enum hf_status hf_build_add_tombstone(struct hf_build *build, uint64_t id);

/* While withdrawing, everything that is added (digests, allowed digests, rules; names to ignore
 * excepted) is withdrawn from older segments instead: for the lines that an update takes away. */
void hf_build_withdraw(struct hf_build *build, bool withdrawing);

/* Count a signature that was not taken: kind is a few words, the same for all of its kind
 * ("wildcards in .ndb"). Shown by the build summary, `db info` and the scan summary. */
void hf_build_skip(struct hf_build *build, const char *kind);
void hf_build_skip_many(struct hf_build *build, const char *kind, uint64_t count);
typedef void hf_build_on_skipped(void *user, const char *kind, uint64_t count);
void hf_build_for_each_skipped(const struct hf_build *build,
                               hf_build_on_skipped *on_skipped, void *user);

/* Report a line through on_message and count it as bad. */
void hf_build_bad_line(struct hf_build *build, uint64_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read one source file's text as its name's ending says: .hdb .hsb .fp .sfp .ndb; .txt .sha256
 * .sha1 .md5 .hashes and others: a plain list. HF_UNSUPPORTED: an ending that is no source. */
HF_MUST_USE enum hf_status hf_build_read_text(struct hf_build *build, const char *file_name,
                                              struct hf_bytes text);

/* The same from a descriptor, from its position on: never all of it in memory. ClamAV's
 * containers too (.cvd .cld .cud; db/cvd.h): HF_MALFORMED, HF_TRUNCATED, HF_LIMIT when one is
 * damaged or not signed by whom it should be. */
HF_MUST_USE enum hf_status hf_build_read_fd(struct hf_build *build, const char *file_name,
                                            int fd);

/* Read a file or, recursively, a folder's files with known endings. HF_NOTFOUND, HF_IO: the
 * message says which. */
HF_MUST_USE enum hf_status hf_build_read_path(struct hf_build *build, const char *path);

/* Several, in the byte order of their last names (then of the paths): the same sources give the
 * same bytes in whatever order they are named. */
HF_MUST_USE enum hf_status hf_build_read_paths(struct hf_build *build,
                                               const char *const *paths, size_t count);

/* Read nothing but the entries of .ign and .ign2 files that name one version of a signature: what is
 * read afterwards is left out if it is that. hf_build_read_paths does it for all of its paths; who reads
 * paths one by one calls this first. What cannot be read is said when it is read as a whole. */
HF_MUST_USE enum hf_status hf_build_read_pins(struct hf_build *build,
                                              const char *const *paths, size_t count);

/*
 * Read compiled segments back, oldest first: what a younger one withdraws is left out. For a build
 * into which nothing was read before. Written, they are one segment that finds the same; it has
 * the bytes of a build from all of the sources when no signature was in them twice and a source of
 * a younger segment that an older one has too only added lines to its end.
 *
 * keep_withdrawn  keep what they withdraw: for segments that stay on top of an older one.
 * Returns HF_OK, HF_INVALID (something was read before), HF_MALFORMED, HF_NOMEM, HF_IO.
 */
struct hf_db;
HF_MUST_USE enum hf_status hf_build_read_db(struct hf_build *build, const struct hf_db *db,
                                            bool keep_withdrawn);

struct hf_build_summary {
    uint64_t signatures, digests, patterns, allowed, ignored;
    uint64_t withdrawn;
    uint64_t skipped, bad_lines, files;
    uint64_t
        left_out; /* kept away: files by hf_build_use_pua, signatures by that or by their line */
};
struct hf_build_summary hf_build_summary(const struct hf_build *build);

/* The finished segment. */
HF_MUST_USE enum hf_status hf_build_write(struct hf_build *build, struct hf_buffer *out);

/* Write it beside path, check it as hf_db_check does, and rename: path is the old file or the
 * complete new one, at any moment. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_build_write_file(struct hf_build *build, const char *path);

#endif
