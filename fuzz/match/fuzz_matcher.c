/* Three things from one input: a set and a text, where every kernel must find what a naive search
 * finds; and the image with bytes changed, which must be refused or survived. */
#include "base/auto.h"
#include "base/cursor.h"
#include "match/matcher.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LITERALS = 64 };

static uint8_t lower(uint8_t b)
{
    return b >= 'A' && b <= 'Z' ? (uint8_t)(b + 32) : b;
}

static bool occurs(const struct hf_literal *l, const uint8_t *at)
{
    for (size_t i = 0; i < l->bytes.len; i++)
        if (l->nocase ? lower(at[i]) != lower(l->bytes.data[i]) : at[i] != l->bytes.data[i])
            return false;
    return true;
}

struct sum {
    struct hf_bytes text;
    uint64_t matches, sum;
};

static uint64_t mix(uint32_t id, uint64_t start, uint64_t length)
{
    return (start * 0x9e3779b97f4a7c15u ^ id * UINT64_C(0xd6e8feb86659fd93)) + length;
}

static bool on_literal(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    struct sum *s = user;
    assert(start <= s->text.len && length <= s->text.len - start);
    s->matches++;
    s->sum += mix(id, start, length);
    return true;
}

static bool count_only(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    (void)id;
    (void)start;
    (void)length;
    return ++*(uint64_t *)user < 100000;
}

static struct sum naive(const struct hf_literal *l, size_t count, struct hf_bytes text)
{
    struct sum s = {.text = text};
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at + l[i].bytes.len <= text.len; at++)
            if (occurs(&l[i], text.data + at))
                on_literal(&s, l[i].id, at, (uint32_t)l[i].bytes.len);
    return s;
}

static void damage(struct hf_cursor *c, struct hf_buffer *image, struct hf_bytes text)
{
    for (int i = 0; i < 4; i++) {
        uint32_t at = hf_u32le(c);
        image->data[at % image->len] ^= hf_u8(c);
    }
    struct hf_matcher m;
    uint64_t calls = 0;
    if (hf_matcher_open(hf_buffer_view(image), &m) != HF_OK)
        return;
    (void)hf_matcher_search(&m, text, 0, count_only, &calls);
    (void)hf_matcher_check(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    struct hf_literal literals[LITERALS];
    static const char *const kernels[] = {"portable", "avx2", "avx512"};
    struct hf_cursor damages = hf_cursor_sub(&c, 0, 20);
    hf_skip(&c, 20);
    size_t count = hf_u8(&c) % LITERALS, n = 0;
    for (; n < count; n++) {
        uint8_t how = hf_u8(&c);
        struct hf_bytes b = hf_take(&c, 1 + how % 48);
        if (b.len == 0)
            break;
        literals[n] =
            (struct hf_literal){.bytes = b, .nocase = how >= 192, .id = (uint32_t)n};
    }
    c.failed = false;
    struct hf_bytes text = hf_take_rest(&c);
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    if (hf_matcher_build(literals, n, &image) != HF_OK)
        abort();
    struct hf_matcher m;
    if (hf_matcher_open(hf_buffer_view(&image), &m) != HF_OK ||
        hf_matcher_check(&m) != HF_OK)
        abort();
    const struct sum wanted = naive(literals, n, text);
    for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++) {
        struct sum got = {.text = text};
        if (!hf_matcher_use_kernel(kernels[k]))
            continue;
        (void)hf_matcher_search(&m, text, 0, on_literal, &got);
        assert(got.matches == wanted.matches && got.sum == wanted.sum);
    }
    damage(&damages, &image, text);
    return 0;
}
