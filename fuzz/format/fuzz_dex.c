/* All facts of a DEX file. Names and code lie in the file. */
#include "base/auto.h"
#include "format/dex.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct hf_cursor object, struct hf_bytes b)
{
    assert(b.len == 0 || (b.data >= object.data && b.len <= object.len &&
                          (size_t)(b.data - object.data) <= object.len - b.len));
}

static bool visit(void *user, const struct hf_fact_event *event)
{
    unsigned *open = user;
    *open += event->kind == HF_FACT_EVENT_OPEN;
    *open -= event->kind == HF_FACT_EVENT_CLOSE;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_fact_module *const modules[] = {&hf_dex_module};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 100000});
    struct hf_cursor object = hf_cursor_open(data, size, &budget);
    struct hf_facts facts = hf_facts_of(modules, 1, object, arena, NULL);
    const struct hf_dex *dex = hf_facts_need(&facts, &hf_dex_module, ~0u);
    unsigned open = 0;
    if (dex == NULL)
        return 0;
    const struct hf_dex_method *m = dex->methods.items;
    for (size_t i = 0; i < dex->methods.count; i++) {
        check_inside(object, m[i].name);
        check_inside(object, m[i].class_name);
        check_inside(object, m[i].code.instructions);
    }
    const struct hf_dex_field *f = dex->fields.items;
    for (size_t i = 0; i < dex->fields.count; i++)
        check_inside(object, f[i].proto);
    assert(!dex->method_count.defined ||
           (uint64_t)dex->method_count.value <= dex->methods.count);
    struct hf_fact_bounds bounds = {.list_max = 100, .string_max = 100};
    if (hf_facts_walk(&facts, 0, bounds, visit, &open))
        assert(open == 0);
    return 0;
}
