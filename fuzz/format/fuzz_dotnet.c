/* All facts of a .NET assembly. Strings that are borrowed lie in the file. */
#include "base/auto.h"
#include "format/dotnet.h"
#include "format/pe.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct hf_cursor object, const struct hf_fact_list *list)
{
    const struct hf_bytes *b = list->items;
    for (size_t i = 0; i < list->count; i++)
        assert(b[i].len == 0 ||
               (b[i].data >= object.data && b[i].len <= object.len &&
                (size_t)(b[i].data - object.data) <= object.len - b[i].len));
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
    static const struct hf_fact_module *const modules[] = {&hf_pe_module,
                                                           &hf_dotnet_module};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 100000});
    struct hf_cursor object = hf_cursor_open(data, size, &budget);
    struct hf_facts facts = hf_facts_of(modules, 2, object, arena, NULL);
    const struct hf_dotnet *net = hf_facts_need(&facts, &hf_dotnet_module, ~0u);
    unsigned open = 0;
    if (net == NULL)
        return 0;
    check_inside(object, &net->user_strings);
    check_inside(object, &net->constants);
    check_inside(object, &net->modulerefs);
    const struct hf_dotnet_resource *resource = net->resources.items;
    for (size_t i = 0; i < net->resources.count; i++)
        assert(resource[i].offset - 4 <= size && resource[i].length <= size);
    const uint64_t *field = net->field_offsets.items;
    for (size_t i = 0; i < net->field_offsets.count; i++)
        assert(field[i] < size);
    const struct hf_dotnet_class *class = net->classes.items;
    for (size_t i = 0; i < net->classes.count; i++)
        assert(!class[i].method_count.defined ||
               (uint64_t) class[i].method_count.value == class[i].methods.count);
    struct hf_fact_bounds bounds = {.list_max = 100, .string_max = 100};
    if (hf_facts_walk(&facts, 1, bounds, visit, &open))
        assert(open == 0);
    return 0;
}
