/* [PE "The .edata Section"] */
#include "format/pe_internal.h"

enum {
    DIRECTORY_SIZE = 40,
    EXPORT_NAME_MAX = 512 /* YARA's */
};

struct tables {
    uint32_t ordinal_base, function_count, name_count; /* as the directory says */
    uint32_t name, functions, names, ordinals;         /* addresses */
    uint64_t start, size;                              /* the directory in the file */
};

/* The directory; the time stamp is a fact as soon as it is there. */
static bool read_directory(const struct hf_cursor *file, struct hf_pe *pe, struct tables *t)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_EXPORT);
    if (dir == NULL || dir->rva == 0)
        return false;
    struct hf_cursor c = pe_cursor_at_rva(file, pe, dir->rva);
    if (hf_cursor_left(&c) < DIRECTORY_SIZE)
        return false;
    t->start = c.pos;
    t->size = dir->size;
    hf_skip(&c, 4);
    pe->export_timestamp = hf_optional_of(hf_u32le(&c));
    hf_skip(&c, 4);
    t->name = hf_u32le(&c);
    t->ordinal_base = hf_u32le(&c);
    t->function_count = hf_u32le(&c);
    t->name_count = hf_u32le(&c);
    t->functions = hf_u32le(&c);
    t->names = hf_u32le(&c);
    t->ordinals = hf_u32le(&c);
    return true;
}

/* A table of count entries at an address; failed when it is not wholly in the file. */
static struct hf_cursor table_at(const struct hf_cursor *file, const struct hf_pe *pe,
                                 uint32_t rva, uint64_t count, size_t width)
{
    struct hf_cursor c = pe_cursor_at_rva(file, pe, rva);
    if (hf_cursor_left(&c) < count * width)
        c.failed = true;
    return c;
}

/* The name at an address; data NULL: none. Address 0 of the file is no name. */
static struct hf_bytes name_at(const struct hf_cursor *file, const struct hf_pe *pe,
                               uint32_t rva)
{
    int64_t at = hf_pe_yara_offset(pe, rva);
    return at <= 0 ? (struct hf_bytes){0}
                   : pe_text_at(file, (uint64_t)at, EXPORT_NAME_MAX, NULL);
}

/* The module's own name runs as far as it runs. */
static bool read_module_name(const struct hf_cursor *file, struct hf_pe *pe,
                             const struct tables *t, uint32_t count)
{
    int64_t at = hf_pe_yara_offset(pe, t->name);
    if (at > 0)
        pe->dll_name = pe_text_at(file, (uint64_t)at, HF_PE_NAME_MAX, NULL);
    /* YARA counts the room for the table from the name on; without a name from the file's start
     * less one byte. An odd check, but it decides whether there are exports. */
    uint64_t room = pe->file_size - (uint64_t)at;
    return (uint64_t)count * 4 <= room;
}

/* Where an address leads: into the directory itself means that it is the text of a forwarder. */
static void read_target(const struct hf_cursor *file, const struct hf_pe *pe,
                        const struct tables *t, struct hf_pe_export *e)
{
    int64_t at = hf_pe_yara_offset(pe, e->rva);
    if (at < 0 && hf_pe_yara_rules(pe)->undefined_offsets)
        return;
    uint64_t offset = (uint64_t)at;
    if (at >= 0 && offset > t->start && offset - t->start < t->size)
        e->forward_name = pe_text_at(file, offset, EXPORT_NAME_MAX, NULL);
    else
        e->offset = hf_optional_of(at);
}

/* Names belong to functions by the ordinal table; the first name of a function counts. */
static void read_names(const struct hf_cursor *file, const struct hf_pe *pe,
                       struct hf_cursor names, struct hf_cursor ordinals,
                       uint32_t name_count, struct hf_pe_export *exports, bool *named,
                       uint32_t count)
{
    for (uint32_t i = 0; i < name_count && hf_cursor_charge(&names, 1); i++) {
        uint32_t rva = hf_u32le(&names);
        uint16_t index = hf_u16le(&ordinals);
        if (index >= count || named[index])
            continue;
        named[index] = true;
        exports[index].name = name_at(file, pe, rva);
    }
}

static enum hf_status read_exports(const struct hf_cursor *file, struct hf_arena *arena,
                                   struct hf_pe *pe, const struct tables *t, uint32_t count)
{
    struct hf_cursor names = table_at(file, pe, t->names, t->name_count, 4);
    struct hf_cursor ordinals = table_at(file, pe, t->ordinals, count, 2);
    struct hf_cursor functions = table_at(file, pe, t->functions, count, 4);
    if ((names.failed && t->name_count > 0) || ordinals.failed || functions.failed)
        return HF_TRUNCATED;
    struct hf_pe_export *exports = hf_arena_array(arena, count, sizeof *exports);
    bool *named = hf_arena_array(arena, count, sizeof *named);
    if (exports == NULL || named == NULL)
        return HF_NOMEM;
    for (uint32_t i = 0; i < count && hf_cursor_charge(&functions, 1); i++) {
        exports[i].ordinal = t->ordinal_base + i;
        exports[i].rva = hf_u32le(&functions);
        read_target(file, pe, t, &exports[i]);
    }
    read_names(file, pe, names, ordinals, t->name_count < count ? t->name_count : count,
               exports, named, count);
    pe->exports = (struct hf_fact_list){.items = exports, .count = count};
    pe->export_count = count;
    return HF_OK;
}

enum hf_status hf_pe_read_exports(const struct hf_cursor *file, struct hf_arena *arena,
                                  struct hf_pe *pe)
{
    struct tables t = {0};
    if (!read_directory(file, pe, &t))
        return HF_OK;
    uint32_t most = hf_pe_yara_rules(pe)->exports_max;
    uint32_t count = t.function_count < most ? t.function_count : most;
    if (!read_module_name(file, pe, &t, count))
        return HF_TRUNCATED;
    enum hf_status st = read_exports(file, arena, pe, &t, count);
    if (st == HF_OK && count < t.function_count)
        st = HF_LIMIT;
    return pe_status(file, st);
}
