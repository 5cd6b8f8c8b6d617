/* All facts of an ELF. What is reported lies in the file or is marked as not. */
#include "base/auto.h"
#include "format/elf.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
    unsigned open;
};

static void check_inside(const struct input *in, struct hf_bytes b)
{
    if (b.data == NULL)
        assert(b.len == 0);
    else
        assert(b.data >= in->data && b.len <= in->size &&
               (size_t)(b.data - in->data) <= in->size - b.len);
}

static void check_symbols(const struct input *in, struct hf_fact_list list)
{
    const struct hf_elf_symbol *s = list.items;
    for (size_t i = 0; i < list.count; i++)
        check_inside(in, s[i].name);
}

static void check_elf(const struct input *in, const struct hf_elf *e)
{
    assert(e->sections.count == 0 || e->sections.count == e->header.sh_count);
    assert(e->segments.count == 0 || e->segments.count == e->header.ph_count);
    assert(e->section_table.count <= e->section_table_count);
    assert(e->segment_table.count <= e->segment_table_count);
    assert(!e->entry_offset.defined || (uint64_t)e->entry_offset.value < in->size);
    const struct hf_elf_section *s = e->sections.items;
    for (size_t i = 0; i < e->sections.count; i++)
        check_inside(in, s[i].name);
    check_symbols(in, e->symtab);
    check_symbols(in, e->dynsym);
    check_symbols(in, e->dynamic_symbols);
    const struct hf_elf_note *n = e->notes.items;
    for (size_t i = 0; i < e->notes.count; i++) {
        check_inside(in, n[i].owner);
        check_inside(in, n[i].description);
        assert(n[i].offset + n[i].description.len <= in->size);
    }
    const struct hf_bytes *needed = e->needed.items;
    for (size_t i = 0; i < e->needed.count; i++)
        check_inside(in, needed[i]);
    check_inside(in, e->interpreter);
    check_inside(in, e->soname);
}

static bool visit(void *user, const struct hf_fact_event *event)
{
    struct input *in = user;
    in->open += event->kind == HF_FACT_EVENT_OPEN;
    assert(event->kind != HF_FACT_EVENT_CLOSE || in->open > 0);
    in->open -= event->kind == HF_FACT_EVENT_CLOSE;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_fact_module *const modules[] = {&hf_elf_module};
    static struct hf_hasher *hasher;
    if (hasher == NULL)
        hasher = hf_hasher_new();
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 100000});
    struct hf_cursor object = hf_cursor_open(data, size, &budget);
    struct hf_notes notes = {.arena = arena};
    struct hf_facts facts = hf_facts_of(modules, 1, object, arena, &notes);
    struct input in = {.data = object.data, .size = size};
    facts.hasher = hasher;
    const struct hf_elf *elf = hf_facts_need(&facts, &hf_elf_module, ~0u);
    if (elf == NULL)
        return 0;
    check_elf(&in, elf);
    struct hf_fact_bounds bounds = {.list_max = 100, .string_max = 100};
    if (hf_facts_walk(&facts, 0, bounds, visit, &in))
        assert(in.open == 0);
    const struct hf_fact_record *record = hf_elf_module.record;
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].type == HF_FACT_FUNCTION)
            (void)hf_facts_call(&facts, &record->fields[i], NULL);
    (void)hf_elf_clamav(&object);
    return 0;
}
