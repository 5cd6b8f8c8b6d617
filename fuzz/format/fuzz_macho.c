/* All facts of a Mach-O file. Names lie in the file; sections belong to commands in it. */
#include "base/auto.h"
#include "format/macho.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct hf_cursor object, struct hf_bytes b)
{
    assert(b.data == NULL || (b.data >= object.data && b.len <= object.len &&
                              (size_t)(b.data - object.data) <= object.len - b.len));
}

static void check_file(struct hf_cursor object, const struct hf_macho_file *f)
{
    const struct hf_macho_segment *s = f->segments.items;
    const struct hf_bytes *libraries = f->libraries.items;
    assert(f->at <= object.len);
    assert(f->segments.count <= (uint64_t)f->segment_count.value);
    for (size_t i = 0; i < f->segments.count; i++) {
        check_inside(object, s[i].name);
        assert(s[i].sections.count <= s[i].section_count);
        assert(s[i].sections.count <= object.len / 68);
    }
    for (size_t i = 0; i < f->libraries.count; i++)
        check_inside(object, libraries[i]);
    check_inside(object, f->linker);
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
    static const struct hf_fact_module *const modules[] = {&hf_macho_module};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 100000});
    struct hf_cursor object = hf_cursor_open(data, size, &budget);
    struct hf_facts facts = hf_facts_of(modules, 1, object, arena, NULL);
    const struct hf_macho *macho = hf_facts_need(&facts, &hf_macho_module, ~0u);
    unsigned open = 0;
    if (macho == NULL)
        return 0;
    check_file(object, &macho->single);
    const struct hf_macho_file *files = macho->files.items;
    assert(macho->files.count <= macho->archs.count);
    for (size_t i = 0; i < macho->files.count; i++)
        check_file(object, &files[i]);
    struct hf_fact_bounds bounds = {.list_max = 100, .string_max = 100};
    if (hf_facts_walk(&facts, 0, bounds, visit, &open))
        assert(open == 0);
    const struct hf_value args[] = {hf_value_int(7), hf_value_int(3)};
    for (size_t i = 0; i < hf_macho_module.record->field_count; i++)
        if (hf_macho_module.record->fields[i].type == HF_FACT_FUNCTION)
            (void)hf_facts_call(&facts, &hf_macho_module.record->fields[i], args);
    return 0;
}
