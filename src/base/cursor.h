/* cursor.h - the only way to hostile bytes: a bounded reader that fails instead of overrunning.
 *
 * A read past the end gives zeros and the cursor stays failed, so a parser reads like the table
 * in its specification and checks once per record. The cursor carries the scan's budget: a
 * parser that loops over a hostile count charges it, and exhaustion fails the cursor too. */
#ifndef HF_BASE_CURSOR_H
#define HF_BASE_CURSOR_H

#include "base/budget.h"
#include "base/bytes.h"

struct hf_cursor {
    const uint8_t *data; /* borrowed; never NULL, never touched outside base/cursor.c */
    size_t len, pos;     /* pos <= len always holds */
    uint64_t origin;     /* offset of data[0] in the scanned object, for messages */
    bool failed;         /* set by the first read past the end, never cleared */
    struct hf_budget
        *budget; /* borrowed; may be NULL (our own files): nothing is charged */
};

/* A cursor over bytes. data may be NULL when len is 0. */
struct hf_cursor hf_cursor_open(const void *data, size_t len, struct hf_budget *budget);

/* HF_OK; HF_LIMIT when the budget ran out; HF_TRUNCATED when a read passed the end. */
HF_MUST_USE enum hf_status hf_cursor_status(const struct hf_cursor *c);

/* A second cursor over all of the same bytes, standing at off; failed when off > len. The
 * original does not move, and its failure is not inherited: it is a fresh look. */
struct hf_cursor hf_cursor_at(const struct hf_cursor *c, uint64_t off);

/* A cursor confined to [off, off+len) of the same bytes. When that range is not wholly inside,
 * it is cut to what is there and the new cursor starts failed. */
struct hf_cursor hf_cursor_sub(const struct hf_cursor *c, uint64_t off, uint64_t len);

/* As hf_cursor_sub, but a range that runs past the end is cut without failing: for extents of
 * data whose readable prefix is still worth a look. off > len gives an empty cursor. */
struct hf_cursor hf_cursor_clip(const struct hf_cursor *c, uint64_t off, uint64_t len);

/* Bytes between the position and the end; 0 when failed. */
size_t hf_cursor_left(const struct hf_cursor *c);

/* The position in the scanned object (origin included), for messages and child offsets. */
uint64_t hf_cursor_where(const struct hf_cursor *c);

/* Charge work units; running out fails the cursor. Returns whether the cursor is still good. */
bool hf_cursor_charge(struct hf_cursor *c, uint64_t units);

/* Fixed-width reads, little and big endian. 0 past the end. */
uint8_t hf_u8(struct hf_cursor *c);
uint16_t hf_u16le(struct hf_cursor *c);
uint16_t hf_u16be(struct hf_cursor *c);
uint32_t hf_u24le(struct hf_cursor *c);
uint32_t hf_u32le(struct hf_cursor *c);
uint32_t hf_u32be(struct hf_cursor *c);
uint64_t hf_u64le(struct hf_cursor *c);
uint64_t hf_u64be(struct hf_cursor *c);

/* Width chosen at run time (2, 4 or 8 bytes; else 0 and failed), order by big: for formats such
 * as ELF whose header says how its other fields are to be read. */
uint64_t hf_uint(struct hf_cursor *c, unsigned width, bool big);

/* Copy n bytes to out; zeros when they are not all there. */
void hf_copy(struct hf_cursor *c, void *out, size_t n);

/* Borrow n bytes; {NULL, 0} and failed when they are not all there. For handing a checked
 * extent to a library, a digest or the arena; parsers do not index it. */
struct hf_bytes hf_take(struct hf_cursor *c, uint64_t n);

/* Borrow everything that is left (possibly nothing), and stand at the end. */
struct hf_bytes hf_take_rest(struct hf_cursor *c);

/* Borrow the bytes up to a terminator byte or the end, at most max; skips the terminator.
 * found (may be NULL) says whether there was one. Charges by length. */
struct hf_bytes hf_take_until(struct hf_cursor *c, uint8_t terminator, size_t max,
                              bool *found);

/* Move on by n, or to an absolute position; failed when that is past the end. */
void hf_skip(struct hf_cursor *c, uint64_t n);
void hf_seek(struct hf_cursor *c, uint64_t pos);

/* Whether the next n bytes are there and equal to what is given; does not move or fail. */
bool hf_peek_equal(const struct hf_cursor *c, const void *what, size_t n);

/* Position of the next occurrence of what in [pos, pos+within) (the whole of it inside), or
 * SIZE_MAX. Does not move. Charges by the bytes looked at. what_len >= 1. */
size_t hf_find(struct hf_cursor *c, const void *what, size_t what_len, uint64_t within);

/* The last occurrence of what that ends at or before end and starts at or after begin (absolute
 * positions, clipped to the data), or SIZE_MAX. Does not move. Charges as hf_find. */
size_t hf_find_last(struct hf_cursor *c, const void *what, size_t what_len, uint64_t begin,
                    uint64_t end);

#endif
