/* zip.h - between the files of the ZIP decoder: records as they are read, and the map of what has
 * been seen. [APPNOTE] is PKWARE's ".ZIP File Format Specification" 6.3. */
#ifndef HF_UNPACK_ZIP_H
#define HF_UNPACK_ZIP_H

#include "unpack/codec.h"

/* One member as one of its two headers describes it; ZIP64 values are resolved. */
struct hf_zip_member {
    struct hf_bytes name;
    uint64_t packed, size; /* as declared */
    uint64_t header;       /* central: where the local header is said to be */
    uint64_t data;         /* local: position of the data */
    uint32_t crc;
    uint32_t mode; /* Unix mode of the central header; 0: not given */
    uint16_t flags, method;
};

enum {
    HF_ZIP_ENCRYPTED = 1 << 0,
    HF_ZIP_SIZES_LATER = 1 << 3, /* sizes stand behind the data */
};

/* Whether the sizes of a local header are left to a data descriptor behind the data. */
static inline bool hf_zip_sizes_later(const struct hf_zip_member *m)
{
    return (m->flags & HF_ZIP_SIZES_LATER) != 0 && m->packed == 0;
}

/*
 * Read the local header that c stands at. [APPNOTE 4.3.7]
 *
 * c  moved to the data.
 * m  filled, also when the signature is another: a reader that trusts the central directory does
 *    not look at it.
 * Returns HF_OK, HF_MALFORMED (another signature), HF_TRUNCATED.
 */
enum hf_status hf_zip_read_local(struct hf_cursor *c, struct hf_zip_member *m);

/* Read the central header that c stands at and move behind it. HF_OK, HF_NOTFOUND (no central
 * header here), HF_TRUNCATED. [APPNOTE 4.3.12] */
enum hf_status hf_zip_read_central(struct hf_cursor *c, struct hf_zip_member *m);

/* Whether what was read as a local header without anything pointing to it can be one: the
 * signature occurs in programs that handle archives, too. */
bool hf_zip_is_plausible(const struct hf_zip_member *m);

/* A central directory: where its first header stands, and where it says that it does. They
 * differ when a program or another archive stands in front; all positions in it move alike. */
struct hf_zip_directory {
    uint64_t at, declared;
};

/* Where a position that a directory gives is in the file; UINT64_MAX when it is not in any. */
uint64_t hf_zip_place(const struct hf_zip_directory *directory, uint64_t position);

enum { HF_ZIP_DIRECTORIES_MAX = 4 };

/*
 * The directories that one end record can mean: by its position field, by its size field, by the
 * ZIP64 record in front of it. Readers differ, so each that exists is given.
 *
 * file  the whole; not advanced. end: position of the record. [APPNOTE 4.3.14 - 4.3.16]
 * Returns how many.
 */
size_t hf_zip_find_directories(const struct hf_cursor *file, uint64_t end,
                               struct hf_zip_directory found[HF_ZIP_DIRECTORIES_MAX]);

/*
 * The size of stored data whose header leaves it to the descriptor: up to the first descriptor
 * that tells its own distance, else to the next header, else to the end.
 *
 * none_from  in and out: no descriptor's signature stands at or behind this position; HF_UNKNOWN
 *            at first. Thousands of such headers must not each search the whole file.
 */
uint64_t hf_zip_find_stored_end(const struct hf_cursor *file, uint64_t data,
                                uint64_t *none_from);

/* What has been looked at: one span a local header. */
struct hf_zip_span {
    uint64_t start, end; /* header and data */
    /* Of the view that was pushed last: */
    uint64_t packed, size;
    uint16_t method;
    bool is_encrypted;
};

struct hf_zip_map {
    struct hf_arena *arena; /* borrowed */
    struct hf_zip_span *spans;
    size_t count;
    uint32_t *slots; /* hash table by start: index of the span plus one */
    size_t slot_count;
    bool unsorted;
};

/* The span that starts there; NULL. */
struct hf_zip_span *hf_zip_map_find(const struct hf_zip_map *map, uint64_t start);

/* Add a span that is not there yet; valid until the next is added. NULL when out of memory. */
struct hf_zip_span *hf_zip_map_add(struct hf_zip_map *map, uint64_t start);

/* The spans in the order of their starts: the map's own array when it has that order, as in honest
 * archives, else a copy. NULL when out of memory. */
const struct hf_zip_span *hf_zip_map_sorted(const struct hf_zip_map *map);

#endif
