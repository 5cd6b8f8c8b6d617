/* archives.h - small builders of archives for tests: what no archiver would write is written here
 * field by field. */
#ifndef HF_TESTS_UNPACK_ARCHIVES_H
#define HF_TESTS_UNPACK_ARCHIVES_H

#include "base/arena.h"
#include "base/buffer.h"

/* One member of a ZIP, as one of its headers is to describe it. */
struct zip_entry {
    const char *name;
    uint16_t method, flags;
    uint32_t crc, packed, size;
    struct hf_bytes data; /* behind the local header */
};

/* A member with true fields: stored, or deflated (raw, allocated in the arena). */
struct zip_entry zip_stored(const char *name, struct hf_bytes contents);
struct zip_entry zip_deflated(struct hf_arena *arena, const char *name,
                              struct hf_bytes contents);

/* Append a local header and the data; returns the header's position. */
uint32_t zip_local(struct hf_buffer *b, const struct zip_entry *e);
void zip_central(struct hf_buffer *b, const struct zip_entry *e, uint32_t header);
void zip_end(struct hf_buffer *b, uint32_t count, uint32_t size, uint32_t position);

/* A whole honest archive. */
void zip_archive(struct hf_buffer *b, const struct zip_entry *entries, size_t count);

/* Compressed by zlib; window_bits as deflateInit2 takes them (-15 raw, 31 gzip). */
struct hf_bytes deflated(struct hf_arena *arena, struct hf_bytes contents, int window_bits);

/* A tar header block with its checksum. magic: 0 none, 'u' ustar, 'g' GNU. */
struct tar_entry {
    const char *name, *prefix;
    char type, magic;
    uint64_t size;
};
void tar_header(struct hf_buffer *b, const struct tar_entry *e);
void tar_data(struct hf_buffer *b, struct hf_bytes data); /* filled up to a block */
void tar_file(struct hf_buffer *b, const char *name, const char *contents);
void tar_end(struct hf_buffer *b); /* two zero blocks */
/* Correct the checksum of the header block at this position after a change. */
void tar_seal(struct hf_buffer *b, size_t header);

/* A cpio entry in one of "newc", "crc", "odc", "little", "big". */
void cpio_entry(struct hf_buffer *b, const char *layout, const char *name, uint32_t mode,
                struct hf_bytes data);

/* length bytes of compressible, never repeating text; in the arena. */
struct hf_bytes sample_text(struct hf_arena *arena, size_t length);

/* length bytes that do not compress. */
struct hf_bytes sample_noise(struct hf_arena *arena, size_t length);

#endif
