/* All facts of a shortcut, also behind a header that is put in front of the input. */
#include "base/auto.h"
#include "format/lnk.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *user, const struct hf_fact_event *event)
{
    unsigned *open = user;
    *open += event->kind == HF_FACT_EVENT_OPEN;
    *open -= event->kind == HF_FACT_EVENT_CLOSE;
    return true;
}

static void look(struct hf_bytes bytes)
{
    static const struct hf_fact_module *const modules[] = {&hf_lnk_module};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 100000});
    struct hf_cursor object = hf_cursor_open(bytes.data, bytes.len, &budget);
    struct hf_facts facts = hf_facts_of(modules, 1, object, arena, NULL);
    const struct hf_lnk *lnk = hf_facts_need(&facts, &hf_lnk_module, ~0u);
    unsigned open = 0;
    assert(lnk->is_lnk == hf_facts_present(&facts, &hf_lnk_module, HF_LNK_ALL));
    const struct hf_lnk_item *items = lnk->items.items;
    for (size_t i = 0; i < lnk->items.count; i++)
        assert(items[i].data.data == NULL ||
               (items[i].data.data >= object.data && items[i].data.len <= object.len));
    assert(!lnk->overlay_offset.defined ||
           (uint64_t)lnk->overlay_offset.value + (uint64_t)lnk->overlay_size.value ==
               bytes.len);
    struct hf_fact_bounds bounds = {.list_max = 100, .string_max = 100};
    if (hf_facts_walk(&facts, 0, bounds, visit, &open))
        assert(open == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t start[20] = {0x4c, 0, 0,    0, 1, 0x14, 2, 0, 0, 0,
                                      0,    0, 0xc0, 0, 0, 0,    0, 0, 0, 0x46};
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    look(hf_bytes_of(data, size));
    hf_buffer_add(&b, start, sizeof start);
    hf_buffer_add(&b, data, size);
    look(hf_buffer_view(&b));
    return 0;
}
