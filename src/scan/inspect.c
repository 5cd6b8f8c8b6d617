/* inspect.c - what `holdfast inspect` shows of an object: what it is, its digests, and all facts
 * of the formats that it has. */
#include "scan/object.h"

#include "facts/facts_wire.h"
#include "format/schema.h"

#include <stdio.h>

/* Long lists and strings are cut, and say so. */
enum { LIST_MAX = 65536, STRING_MAX = 4096 };

/* Whose facts to show for a format. Others would only say that they have nothing to say. */
static const struct {
    enum hf_format format;
    const char *module;
} modules[] = {
    {HF_FORMAT_PE, "pe"},       {HF_FORMAT_PE, "dotnet"},        {HF_FORMAT_ELF, "elf"},
    {HF_FORMAT_MACHO, "macho"}, {HF_FORMAT_MACHO_FAT, "macho"},  {HF_FORMAT_LNK, "lnk"},
    {HF_FORMAT_DEX, "dex"},     {HF_FORMAT_BINARY, "catalogue"},
};

/* Whether a module says of itself, by is_NAME, that the object is none of its. */
static bool is_other(struct hf_facts *facts, size_t module)
{
    char name[32];
    snprintf(name, sizeof name, "is_%s", hf_fact_modules[module]->name);
    size_t field = hf_fact_find(hf_fact_modules[module]->record, hf_bytes_text(name));
    if (field == SIZE_MAX)
        return false;
    struct hf_value v = hf_facts_get(facts, module, field);
    return v.defined && v.integer == 0;
}

static void write_facts(struct hf_engine *engine, const struct hf_object *object,
                        struct hf_buffer *out, bool *cut)
{
    struct hf_cursor whole =
        hf_cursor_open(object->bytes.data, object->bytes.len, &engine->budget);
    struct hf_facts facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, whole, engine->arena, NULL);
    struct hf_notes notes = {.arena = engine->arena};
    facts.hasher = engine->hasher;
    facts.notes = &notes;
    const struct hf_fact_bounds bounds = {.list_max = LIST_MAX, .string_max = STRING_MAX};
    struct hf_fact_wire_writer writer = {
        .out = out, .max = HF_INSPECT_BYTES_MAX - (size_t)engine->fact_bytes};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        size_t m = hf_fact_module_find(hf_bytes_text(modules[i].module));
        if (modules[i].format == object->format && m != SIZE_MAX && !is_other(&facts, m))
            (void)hf_facts_walk(&facts, m, bounds, hf_fact_wire_visit, &writer);
    }
    (void)hf_facts_walk_notes(&notes, hf_fact_wire_visit, &writer);
    *cut = writer.cut || engine->budget.exhausted;
    hf_fact_wire_close(&writer); /* what the budget ended stands open */
}

void hf_scan_inspect(struct hf_engine *engine, struct hf_object *object)
{
    enum { ALL_DIGESTS = (1u << HF_DIGEST_KINDS) - 1 };
    struct hf_bytes storage[HF_SCAN_PATH_MAX];
    struct hf_buffer facts = {0};
    struct hf_arena_mark mark = hf_arena_mark(engine->arena);
    struct hf_inspected seen = {
        .path = hf_scan_path(object, storage),
        .format = object->format,
        .size = object->bytes.len,
    };
    struct hf_cursor whole =
        hf_cursor_open(object->bytes.data, object->bytes.len, &engine->budget);
    if (hf_digest_add(engine->hasher, object->bytes, ALL_DIGESTS, &object->digests) !=
        HF_OK)
        hf_scan_incident(engine, object, HF_NOMEM);
    seen.digests = object->digests;
    seen.also_count = hf_identify_also(&whole, object->format, seen.also);
    write_facts(engine, object, &facts, &seen.facts_cut);
    if (facts.failed) {
        hf_scan_incident(engine, object, HF_NOMEM);
        hf_buffer_done(&facts);
    }
    seen.facts = hf_buffer_view(&facts);
    engine->fact_bytes += facts.len;
    hf_report_inspected(engine->report, &seen);
    hf_buffer_done(&facts);
    hf_arena_rewind(engine->arena, mark);
}
