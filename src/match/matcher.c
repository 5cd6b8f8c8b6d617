#include "match/matcher.h"

#include "match/search.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Best first. */
static const struct match_kernel *const kernels[] = {
#ifdef __x86_64__
    &hf_match_avx512, &hf_match_avx2,
#endif
    &hf_match_portable};

/* Chosen once; a plain pointer that threads may set to the same value at the same time. */
static _Atomic(const struct match_kernel *) chosen;

bool hf_matcher_use_kernel(const char *name)
{
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if ((name == NULL || strcmp(name, kernels[i]->name) == 0) &&
            kernels[i]->available()) {
            atomic_store(&chosen, kernels[i]);
            return true;
        }
    }
    return false;
}

const struct match_kernel *hf_match_kernel(void)
{
    const struct match_kernel *k = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (k != NULL)
        return k;
    const char *wanted = getenv("HOLDFAST_KERNEL");
    if (wanted == NULL || !hf_matcher_use_kernel(wanted))
        (void)hf_matcher_use_kernel(NULL);
    return atomic_load(&chosen);
}

const char *hf_matcher_kernel(void)
{
    return hf_match_kernel()->name;
}

/* A filter of megabytes is read at random: with 4 KiB pages every probe misses the first TLB.
 * Only a hint; where the kernel has no large pages for this mapping nothing changes. */
static void hint_huge(const uint8_t *from, size_t size)
{
    const uintptr_t page = 4096, begin = ((uintptr_t)from + page - 1) & ~(page - 1);
    const uintptr_t end = ((uintptr_t)from + size) & ~(page - 1);
    if (size >= (size_t)1 << 20)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

enum hf_status hf_matcher_open(struct hf_bytes image, struct hf_matcher *matcher)
{
    struct match_view view;
    *matcher = (struct hf_matcher){0};
    if (!hf_match_view(image, &view))
        return HF_MALFORMED;
    matcher->image = image;
    matcher->opaque[0] = view.longest;
    for (unsigned i = 0; i < view.class_count; i++) {
        const struct match_class *class = &view.classes[i];
        hint_huge(class->filter, (size_t) class->filter_words * 8);
    }
    return HF_OK;
}

size_t hf_matcher_longest(const struct hf_matcher *matcher)
{
    return (size_t)matcher->opaque[0];
}

bool hf_matcher_search(const struct hf_matcher *matcher, struct hf_bytes data,
                       uint64_t base, hf_on_literal *on_literal, void *user)
{
    struct match_view view;
    if (!hf_match_view(matcher->image, &view))
        return true;
    const struct match_search s = {&view, data, base, on_literal, user};
    const struct match_kernel *k = hf_match_kernel();
    uint8_t room[MATCH_LEAD + MATCH_BLOCK + 64 + 2 * MATCH_SLACK];
    uint8_t *const text = room + MATCH_LEAD;
    struct match_queue queue;
    memset(room, 0, MATCH_LEAD);
    for (size_t block = 0; block < data.len; block += MATCH_BLOCK) {
        const size_t left = data.len - block;
        const size_t n = left < MATCH_BLOCK ? left : MATCH_BLOCK;
        const size_t ahead =
            left < MATCH_BLOCK + MATCH_SLACK ? left : MATCH_BLOCK + MATCH_SLACK;
        if (block > 0)
            memcpy(room, text + MATCH_BLOCK - MATCH_LEAD, MATCH_LEAD);
        k->fold(data.data + block, text, ahead);
        memset(text + ahead, 0, MATCH_SLACK + 64);
        for (unsigned c = 0; c < view.class_count; c++) {
            k->probe(&view.classes[c], text, n, &queue);
            if (queue.count > 0 &&
                !hf_match_drain(&s, &view.classes[c], text, block, &queue))
                return false;
        }
    }
    return true;
}
