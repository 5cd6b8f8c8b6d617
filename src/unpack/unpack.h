/* unpack.h - how containers give their children: a decoder reads an object through its cursor
 * and pushes children into a sink, one after another; the sink decides what is kept, scans each
 * child as soon as it is whole, and says when to stop. No decoder holds a child's bytes. */
#ifndef HF_UNPACK_UNPACK_H
#define HF_UNPACK_UNPACK_H

#include "base/cursor.h"
#include "base/notes.h"
#include "format/format.h"

#define HF_UNKNOWN UINT64_MAX

/* What a container says of a child, before its bytes. ClamAV's container signatures look at
 * these, also for children that cannot be unpacked. */
struct hf_child {
    struct hf_bytes
        name;          /* raw, as stored; empty when there is none; borrowed until close */
    uint64_t packed;   /* size in the container; HF_UNKNOWN */
    uint64_t declared; /* size it claims to have when unpacked; HF_UNKNOWN */
    uint64_t offset;   /* of its data in the container; HF_UNKNOWN (solid archives) */
    uint64_t crc;      /* checksum as declared, 32 bits; HF_UNKNOWN */
    uint64_t number;   /* place in the container, from 0 */
    bool encrypted;
    bool is_file; /* false: a folder, a link; its bytes, if any, are scanned all the same */
};

/*
 * Where children go. Between open and close come any number of writes. Every call may return
 * HF_LIMIT (the scan's budget is spent) or HF_STOPPED (the verdict stands, nobody needs more):
 * the decoder then returns that at once, without close.
 */
struct hf_sink {
    /* A child begins. HF_OK: its bytes are wanted. HF_UNSUPPORTED: this one is not (too large,
     * too deep); the decoder goes on with the next and calls neither write nor close. */
    enum hf_status (*open)(struct hf_sink *sink, const struct hf_child *child);

    /* More of its bytes. Charges them to the budget. HF_UNSUPPORTED: enough of this one (its own
     * limit); the decoder calls close and goes on with the next. */
    enum hf_status (*write)(struct hf_sink *sink, struct hf_bytes bytes);

    /* The child ends. how: HF_OK, or why there is no more of it (HF_TRUNCATED, HF_MALFORMED,
     * HF_ENCRYPTED, HF_UNSUPPORTED): what was written is scanned all the same, and the reason
     * is recorded in the verdict. */
    enum hf_status (*close)(struct hf_sink *sink, enum hf_status how);

    /* A whole child that lies in the container as it is: no copy is made, no unpacked bytes are
     * charged. bytes stay valid while the container is. Instead of open, write, close. */
    enum hf_status (*whole)(struct hf_sink *sink, const struct hf_child *child,
                            struct hf_bytes bytes, enum hf_status how);
};

/* What a decoder works with. */
struct hf_unpack {
    struct hf_cursor object; /* the whole container; carries the budget */
    enum hf_format format;   /* what it was recognised as */
    struct hf_sink *sink;
    struct hf_arena
        *arena; /* dies with the container's scan; for tables, not for children */
    struct hf_notes *notes; /* may be NULL */
};

/*
 * A decoder. Pushes every child that can be had, also from damaged containers up to where they
 * break and beyond if there is a way on.
 * Returns HF_OK (all was seen; children may still have failed, each on its own), HF_TRUNCATED,
 * HF_MALFORMED, HF_ENCRYPTED, HF_UNSUPPORTED (not all was seen), HF_NOTFOUND (not this format
 * after all: nothing was pushed and nothing is to be said), or what the sink said (HF_LIMIT,
 * HF_STOPPED).
 */
typedef enum hf_status hf_unpacker(struct hf_unpack *unpack);

struct hf_unpacker_row {
    enum hf_format format;
    hf_unpacker *unpack;
    bool
        risky; /* third-party decoder with a record of faults: the worker ends after its batch */
};

/* The decoder of a format; NULL when it is no container that we open. */
const struct hf_unpacker_row *hf_unpacker_of(enum hf_format format);

/* Load what decoders need before the worker is sealed (tables, codecs of libraries). */
void hf_unpack_prepare(void);

#endif
