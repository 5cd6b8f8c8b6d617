/* format.h - the layout of a compiled database (*.hfdb): header, section table, sections. The
 * words are those of docs/database.md; this file is its short form for code.
 *
 * All integers little-endian, all sections aligned to 64 bytes, no pointers: a file is mapped
 * read-only and used as it lies. One file is one segment: self-contained for its references.
 *
 *   0  magic[8] "HFDB\r\n\x1a\n"     a text-mode transfer or a truncation at 6 breaks it
 *   8  u32 version                   readers refuse others
 *  12  u32 section_count             <= 64
 *  16  u64 file_size
 *  24  u64 table_offset              section_count entries of 64 bytes, at the end of the file
 *  32  u8  schema[16]                hf_facts_fingerprint that programs refer to; 0: to none
 *  48  u8  generation[16]            first half of SHA-256 over the section table: names the
 *                                    contents
 *
 * Section table entry:
 *   0  u32 type   4  u32 flags   8  u64 offset   16  u64 length   24  u64 count   32  sha256[32]
 */
#ifndef HF_DB_FORMAT_H
#define HF_DB_FORMAT_H

#include "base/bytes.h"

#define HF_DB_MAGIC "HFDB\r\n\x1a\n"

enum {
    HF_DB_VERSION =
        3, /* raised with every change of what sections hold, stored rules too */
    HF_DB_HEADER = 64,
    HF_DB_ENTRY = 64,
    HF_DB_ALIGN = 64,
    HF_DB_SECTIONS_MAX = 64,
    HF_DB_TARGETS = 16, /* ClamAV's numbers, rules/rule.h */
    /* Digests in detection tables are cut to this many bytes; allow lists keep all of them. */
    HF_DB_DIGEST_KEPT = 12
};

/* clang-format off */
/* Stored: append, never renumber. Unknown types are skipped unless HF_DB_FLAG_REQUIRED. */
enum hf_db_section {
    HF_DB_META = 1,       /* text, "key value\n" lines: creator, counts, skipped by kind */
    HF_DB_SOURCES,        /* file or feed and licence, by source number */
    HF_DB_SIGNATURES,     /* which numbers are what: one group a hash table, one for the rules */
    HF_DB_NAMES,          /* signature number -> name and source number (names.h) */
    HF_DB_HASH_MD5,       /* digests of whole objects (hash_table.h), by enum hf_digest_kind */
    HF_DB_HASH_SHA1,
    HF_DB_HASH_SHA256,
    HF_DB_SECTION_MD5,    /* of one section of an executable's raw bytes */
    HF_DB_SECTION_SHA1,
    HF_DB_SECTION_SHA256,
    HF_DB_IMPORTS_MD5,    /* of an executable's list of imports */
    HF_DB_IMPORTS_SHA1,
    HF_DB_IMPORTS_SHA256,
    HF_DB_ALLOW_MD5,      /* policy: digests that cancel alerts, never shortened */
    HF_DB_ALLOW_SHA1,
    HF_DB_ALLOW_SHA256,
    HF_DB_RULES,          /* rule number -> its id and stored form (rule.h) */
    HF_DB_PATTERNS,       /* pattern number -> its rule and stored form (pattern.h) */
    HF_DB_MATCHER,        /* the matcher's image; ids are numbers of needles */
    HF_DB_IGNORE,         /* policy: names of signatures that are not reported, sorted */
    HF_DB_TOMBSTONES,     /* ids of signatures of older segments that are withdrawn, sorted */
    HF_DB_NEEDLES,        /* needle -> pattern and variant; without it: the same number, 0 */
    HF_DB_LOCATED,        /* patterns that are looked at in place, by place (located.h) */
    HF_DB_LOOSE,          /* patterns without a literal piece, with their first bytes (located.h) */
    HF_DB_RULE_TEXTS,     /* rule number -> namespace, tags, metadata, identifiers (rule_text.h) */
    HF_DB_TARGET_MATCHERS, /* matchers of single targets: for each of HF_DB_TARGETS u64 offset, u64
                            * length (0: it has none); then the images, aligned */
    HF_DB_SECTION_TYPES
};
/* clang-format on */

enum hf_db_section_flag { HF_DB_FLAG_REQUIRED = 1 << 0 };

#endif
