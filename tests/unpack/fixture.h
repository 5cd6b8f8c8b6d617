/* fixture.h - arena, buffer and sink that a test of a decoder needs. */
#ifndef HF_TESTS_UNPACK_FIXTURE_H
#define HF_TESTS_UNPACK_FIXTURE_H

#include "archives.h"
#include "collect.h"

#include "base/auto.h"
#include "unpack/decoders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct hf_arena *arena;
    struct hf_budget budget;
    struct hf_buffer archive;
    struct collect children;
};

static inline struct fixture fixture_new(void)
{
    struct fixture f = {.arena = hf_arena_new((size_t)256 << 20),
                        .budget = hf_budget_unlimited()};
    assert_non_null(f.arena);
    return f;
}

static inline void fixture_done(struct fixture *f)
{
    collect_done(&f->children);
    hf_buffer_done(&f->archive);
    hf_arena_free(f->arena);
}

/* Unpack what the buffer holds. */
static inline enum hf_status fixture_unpack(struct fixture *f, hf_unpacker *unpack)
{
    collect_done(&f->children);
    collect_init(&f->children, f->arena, &f->budget);
    return collect_unpack(&f->children, unpack, HF_FORMAT_BINARY,
                          hf_buffer_view(&f->archive));
}

/* The child of this number has this name, contents and end. */
static inline void assert_child(const struct fixture *f, size_t number, const char *name,
                                struct hf_bytes contents, enum hf_status how)
{
    assert_true(number < f->children.count);
    const struct collected *c = &f->children.items[number];
    assert_true(hf_bytes_equal(c->child.name, hf_bytes_text(name)));
    assert_int_equal(c->bytes.len, contents.len);
    assert_true(hf_bytes_equal(c->bytes, contents));
    assert_int_equal(c->how, how);
}

#endif
