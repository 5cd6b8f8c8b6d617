/* support.h - what the tests of signed updates share: keys from fixed seeds, made here and good
 * for nothing else, and shorthands. */
#ifndef TESTS_FEED_SUPPORT_H
#define TESTS_FEED_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/auto.h"
#include "feed/proof.h"
#include "feed/tile.h"

static inline struct hf_bytes text(const char *s)
{
    return hf_bytes_text(s);
}

/* Compare by name, so that a failure says what happened. */
#define assert_refusal(is, expected)                                                       \
    assert_string_equal(hf_refusal_name(is), hf_refusal_name(expected))
#define assert_accepted(is) assert_refusal(is, HF_ACCEPTED)

static inline void assert_buffer(const struct hf_buffer *b, struct hf_bytes expected)
{
    assert_false(b->failed);
    assert_int_equal(b->len, expected.len);
    assert_memory_equal(b->data, expected.data, expected.len);
}

static inline struct hf_skey test_key(const char *name, uint8_t type, uint8_t seed_byte)
{
    uint8_t seed[HF_ED25519_SEED];
    struct hf_skey key;
    memset(seed, seed_byte, sizeof seed);
    assert_accepted(hf_skey_make(text(name), type, seed, &key));
    return key;
}

/* Leaf hash of entry number i: "entry i". */
static inline struct hf_hash test_leaf(struct hf_merkle *m, uint64_t i)
{
    char entry[32];
    int n = snprintf(entry, sizeof entry, "entry %llu", (unsigned long long)i);
    return hf_merkle_leaf(m, hf_bytes_of(entry, (size_t)n));
}

static inline void test_grow(struct hf_merkle *m, struct hf_tree *tree, uint64_t size)
{
    while (tree->size < size) {
        struct hf_hash leaf = test_leaf(m, tree->size);
        assert_accepted(hf_tree_append(m, tree, &leaf));
    }
}

static inline enum hf_refusal read_note(struct hf_arena *arena, struct hf_bytes bytes,
                                        struct hf_signed_note *note)
{
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    return hf_note_read(&c, arena, note);
}

#endif
