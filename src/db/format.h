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
 *  24  u64 table_offset              = 64: section_count entries of 64 bytes
 *  32  u8  schema[16]                hf_facts_fingerprint of the writer
 *  48  u8  generation[16]            first half of SHA-256 over the section table: names the contents
 *
 * Section table entry:
 *   0  u32 type   4  u32 flags   8  u64 offset   16  u64 length   24  u64 count   32  sha256[32]
 */
#ifndef HF_DB_FORMAT_H
#define HF_DB_FORMAT_H

#include "base/bytes.h"

#define HF_DB_MAGIC "HFDB\r\n\x1a\n"

enum {
    HF_DB_VERSION = 1,
    HF_DB_HEADER = 64,
    HF_DB_ENTRY = 64,
    HF_DB_ALIGN = 64,
    HF_DB_SECTIONS_MAX = 64
};

/* Stored: append, never renumber. Unknown types are skipped unless HF_DB_FLAG_REQUIRED. */
enum hf_db_section {
    HF_DB_META =
        1,         /* text, "key value\n" lines: creator, counts by kind, skipped by kind */
    HF_DB_SOURCES, /* counted strings: file or feed, licence; by source number */
    HF_DB_SIGNATURES, /* signature number -> source number; and what else all have */
    HF_DB_NAMES,      /* signature number -> name */
    HF_DB_HASH_MD5,   /* whole-object digests: size index, entries; signature numbers */
    HF_DB_HASH_SHA1,
    HF_DB_HASH_SHA256,
    HF_DB_PATTERNS, /* pattern number -> stored pattern (pattern.h), its rule, its source id */
    HF_DB_RULES,    /* rule number -> stored rule (rule.h), its signature number */
    HF_DB_MATCHER,       /* the matcher's image; ids are pattern numbers */
    HF_DB_POLICY_ALLOW,  /* digests that cancel alerts, never shortened; by kind and size */
    HF_DB_POLICY_IGNORE, /* names of signatures that are not reported */
    HF_DB_TOMBSTONES     /* 64-bit signature ids of older segments that are withdrawn */
};

enum hf_db_section_flag { HF_DB_FLAG_REQUIRED = 1 << 0 };

#endif
