/* collect.h - a sink for tests and fuzz targets: keeps every child of a container in memory. */
#ifndef HF_TESTS_UNPACK_COLLECT_H
#define HF_TESTS_UNPACK_COLLECT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "unpack/unpack.h"

struct collected {
    struct hf_child child; /* name copied into the arena */
    struct hf_bytes bytes;
    enum hf_status how;
    bool was_whole; /* came without a copy */
};

struct collect {
    struct hf_sink sink; /* first: the sink's own pointer is this */
    struct hf_arena *arena;
    struct hf_budget *budget; /* charged as the pipeline does; may be NULL */
    struct collected *items;
    size_t count;
    bool is_open;
    struct hf_buffer data; /* of the open child */
    size_t refuse_from;    /* children from this number on are refused; SIZE_MAX: none */
    size_t bytes_max;      /* write answers HF_UNSUPPORTED past this; 0: no cap */
};

/* Get ready; arena and budget are borrowed. collect_done frees what is not in the arena. */
void collect_init(struct collect *c, struct hf_arena *arena, struct hf_budget *budget);
void collect_done(struct collect *c);

/* Run a decoder over bytes. budget of c is carried by the cursor. */
enum hf_status collect_unpack(struct collect *c, hf_unpacker *unpack, enum hf_format format,
                              struct hf_bytes container);

/* The first child of this name; NULL. */
const struct collected *collect_find(const struct collect *c, const char *name);

#endif
