/* Digests of many streams at once against those of OpenSSL, one by one. */
#include "digest/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BOTH = 1 << HF_MD5 | 1 << HF_SHA256, STREAMS = 40 };

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static uint8_t *random_bytes(size_t n)
{
    uint8_t *p = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)draw(256);
    return p;
}

static struct hf_digests expected(struct hf_bytes bytes, unsigned kinds)
{
    struct hf_digests d = {0};
    struct hf_hasher *hasher = hf_hasher_new();
    assert_int_equal(hf_digest_add(hasher, bytes, kinds, &d), HF_OK);
    hf_hasher_free(hasher);
    return d;
}

static void assert_same(const struct hf_digests *got, struct hf_bytes bytes, unsigned kinds)
{
    struct hf_digests want = expected(bytes, kinds);
    assert_int_equal(got->have, kinds);
    for (int k = 0; k < HF_DIGEST_KINDS; k++)
        if ((kinds >> k & 1u) != 0)
            assert_memory_equal(got->value[k], want.value[k],
                                hf_digest_length((enum hf_digest_kind)k));
}

static void without_the_instructions(void)
{
    if (hf_streams_supported())
        return;
    print_message("# SKIP this processor has no AVX-512 or no SHA instructions\n");
    skip();
}

static void test_every_length_around_the_block_is_right(void **state)
{
    (void)state;
    without_the_instructions();
    uint8_t *bytes = random_bytes(300);
    for (size_t n = 0; n <= 300; n++)
        for (unsigned kinds = 1; kinds < 8; kinds++) {
            struct hf_streams streams = {0};
            struct hf_stream stream;
            struct hf_digests d = {0};
            hf_stream_open(&streams, &stream, hf_bytes_of(bytes, n), kinds);
            hf_stream_finish(&streams, &stream, &d);
            assert_same(&d, hf_bytes_of(bytes, n), kinds & BOTH);
            assert_null(streams.first);
        }
    free(bytes);
}

/* Opened, finished and dropped in any order. */
static void test_streams_do_not_disturb_each_other(void **state)
{
    (void)state;
    without_the_instructions();
    for (unsigned round = 0; round < 200; round++) {
        struct hf_streams streams = {0};
        static struct hf_stream all[STREAMS];
        uint8_t *bytes[STREAMS] = {0};
        size_t lengths[STREAMS];
        unsigned kinds[STREAMS];
        for (unsigned step = 0; step < 4 * STREAMS; step++) {
            unsigned i = draw(STREAMS);
            if (bytes[i] == NULL) {
                lengths[i] = draw(draw(4) == 0 ? 20000 : 700);
                kinds[i] = draw(8) == 0   ? 1u << HF_MD5
                           : draw(8) == 0 ? 1u << HF_SHA256
                                          : BOTH;
                bytes[i] = random_bytes(lengths[i]);
                hf_stream_open(&streams, &all[i], hf_bytes_of(bytes[i], lengths[i]),
                               kinds[i]);
                continue;
            }
            struct hf_digests d = {0};
            if (draw(8) == 0) {
                hf_stream_drop(&streams, &all[i]);
            } else {
                hf_stream_finish(&streams, &all[i], &d);
                assert_same(&d, hf_bytes_of(bytes[i], lengths[i]), kinds[i]);
            }
            free(bytes[i]);
            bytes[i] = NULL;
        }
        for (unsigned i = 0; i < STREAMS; i++)
            if (bytes[i] != NULL) {
                hf_stream_drop(&streams, &all[i]);
                free(bytes[i]);
            }
        assert_null(streams.first);
        assert_null(streams.last);
    }
}

static void test_what_is_already_known_is_kept(void **state)
{
    (void)state;
    without_the_instructions();
    struct hf_streams streams = {0};
    struct hf_stream stream;
    struct hf_bytes abc = hf_bytes_text("abc");
    struct hf_digests d = expected(abc, 1u << HF_SHA1);
    hf_stream_open(&streams, &stream, abc, BOTH);
    hf_stream_finish(&streams, &stream, &d);
    assert_same(&d, abc, BOTH | 1u << HF_SHA1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length_around_the_block_is_right),
        cmocka_unit_test(test_streams_do_not_disturb_each_other),
        cmocka_unit_test(test_what_is_already_known_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
