/* All groups of the PE facts, by both of YARA's readings, and every dialect; each reported extent
 * has to lie in the file or be marked, and counts have to agree with their lists. */
#include "base/auto.h"
#include "base/buffer.h"
#include "format/pe.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA = 64 << 20, WORK = 200000, ALL_GROUPS = (2 << HF_PE_GROUPS) - 2 };

static void check_extent(struct hf_pe_extent e, size_t size)
{
    assert(e.size <= size);
    assert(e.size == 0 || e.offset <= size - e.size);
}

static void check_offset(struct hf_optional offset, size_t size)
{
    assert(!offset.defined || (offset.value >= 0 && (uint64_t)offset.value < size));
}

static void check_libraries(struct hf_fact_list list)
{
    const struct hf_pe_library *l = list.items;
    for (size_t i = 0; i < list.count; i++) {
        assert(l[i].name.len > 0 && memchr(l[i].name.data, 0, l[i].name.len) == NULL);
        assert(l[i].functions.count == l[i].function_count);
        assert(l[i].function_count <= HF_PE_THUNKS_MAX);
    }
}

static void check_headers(const struct hf_pe *pe, size_t size)
{
    assert(pe->sections.count <= HF_PE_SECTIONS_MAX);
    assert(pe->entry_offset >= -1 && pe->entry_offset < (int64_t)size);
    check_extent(pe->overlay, size);
    for (size_t i = 0; i < pe->sections.count; i++) {
        check_extent(hf_pe_loader_section(pe, i), size);
        check_extent(hf_pe_clamav_section(pe, i), size);
        uint64_t rva = hf_pe_sections(pe)[i].rva;
        assert(hf_pe_loader_offset(pe, rva) < (int64_t)size);
        assert(hf_pe_clamav_offset(pe, rva) < (int64_t)size);
        assert(hf_pe_yara_offset(pe, rva) < (int64_t)size);
    }
    (void)hf_pe_loader_refuses(pe);
    (void)hf_pe_clamav_broken(pe);
    struct hf_pe_extent parts[HF_PE_AUTHENTICODE_PARTS];
    size_t n = hf_pe_authenticode_parts(pe, parts);
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        check_extent(parts[i], size);
        assert(parts[i].inside && parts[i].offset >= end && parts[i].size > 0);
        end = parts[i].offset + parts[i].size;
    }
}

static void check_tables(const struct hf_pe *pe, size_t size)
{
    check_libraries(pe->imports);
    check_libraries(pe->delayed_imports);
    const struct hf_pe_export *e = pe->exports.items;
    for (size_t i = 0; i < pe->exports.count; i++)
        if (pe->yara == HF_PE_YARA_45)
            check_offset(e[i].offset, size);
    const struct hf_pe_resource *r = pe->resources.items;
    for (size_t i = 0; i < pe->resources.count; i++)
        check_offset(r[i].offset, size);
    const struct hf_pe_icon *icon = pe->icons.items;
    for (size_t i = 0; i < pe->icons.count; i++)
        assert(icon[i].offset < size && icon[i].length <= size - icon[i].offset);
    const struct hf_pe_version_string *v = pe->version_strings.items;
    for (size_t i = 0; i < pe->version_strings.count; i++)
        assert(v[i].key.len <= 63 && v[i].value.len <= 255);
    const struct hf_pe_debug *d = pe->debug.items;
    for (size_t i = 0; i < pe->debug.count; i++)
        check_offset(d[i].offset, size);
    check_offset(pe->rich.offset, size);
    assert(pe->export_count == pe->exports.count);
    assert(pe->resource_count == pe->resources.count);
    assert(pe->version_count == pe->version_strings.count);
}

static void look(const uint8_t *data, size_t size, enum hf_pe_yara yara)
{
    static const struct hf_fact_module *const modules[] = {&hf_pe_module};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = WORK});
    struct hf_cursor file = hf_cursor_open(data, size, &budget);
    struct hf_notes notes = {.arena = arena};
    struct hf_facts facts = hf_facts_of(modules, 1, file, arena, &notes);
    struct hf_pe *pe = hf_facts_need(&facts, &hf_pe_module, 0);
    if (pe == NULL)
        return;
    pe->yara = yara;
    if (hf_facts_need(&facts, &hf_pe_module, ALL_GROUPS) == NULL)
        return;
    check_headers(pe, size);
    check_tables(pe, size);
    assert(pe->is_pe == hf_pe_yara_accepts(pe));
    (void)hf_pe_imphash_text(pe, arena);
    uint64_t sum;
    (void)hf_pe_checksum(pe, &file, &sum);
    HF_AUTO(hf_buffer_done) struct hf_buffer json = {0};
    hf_facts_json(&facts, 0, 5, &json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    look(data, size, HF_PE_YARA_45);
    look(data, size, HF_PE_YARA_42);
    return 0;
}
