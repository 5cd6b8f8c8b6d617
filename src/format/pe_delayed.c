/* Imports that are bound at the first call. [PE "Delay-Load Import Tables"; what is accepted and
 * what is passed over: YARA 4.5, pe_parse_delayed_imports] */
#include "format/pe_internal.h"

enum {
    DESCRIPTOR_SIZE = 32,
    LOWEST_RVA = 64, /* names and tables cannot lie in the MZ header */
    FUNCTION_NAME_MAX = 512
};

struct descriptor {
    uint32_t attributes, name, module, addresses, names, bound, unload, timestamp;
};

static struct descriptor read_descriptor(struct hf_cursor *c)
{
    struct descriptor d;
    d.attributes = hf_u32le(c);
    d.name = hf_u32le(c);
    d.module = hf_u32le(c);
    d.addresses = hf_u32le(c);
    d.names = hf_u32le(c);
    d.bound = hf_u32le(c);
    d.unload = hf_u32le(c);
    d.timestamp = hf_u32le(c);
    return d;
}

static bool is_end(const struct descriptor *d)
{
    return (d->attributes | d->name | d->module | d->addresses | d->names | d->bound |
            d->unload | d->timestamp) == 0;
}

/* Visual C++ 6 wrote virtual addresses where later linkers write relative ones; attribute 0
 * tells them, and some such tables mix both. */
static uint64_t relative(const struct hf_pe *pe, uint64_t address)
{
    return address > pe->image_base ? address - pe->image_base : address;
}

static void make_relative(const struct hf_pe *pe, struct descriptor *d)
{
    if (pe->is_64 || d->attributes != 0)
        return;
    d->name = (uint32_t)relative(pe, d->name);
    d->addresses = (uint32_t)relative(pe, d->addresses);
    d->names = (uint32_t)relative(pe, d->names);
}

static bool is_sane(const struct hf_pe *pe, const struct descriptor *d)
{
    return d->names < pe->size_of_image && d->addresses < pe->size_of_image &&
           d->name >= LOWEST_RVA && d->names >= LOWEST_RVA;
}

/* The pointer at an address; 0 (the end of a table) when it is not in the file. */
static uint64_t pointer_at(const struct hf_cursor *file, const struct hf_pe *pe,
                           uint64_t rva)
{
    struct hf_cursor c = pe_cursor_at_rva(file, pe, rva);
    return hf_uint(&c, pe->is_64 ? 8 : 4, false);
}

struct reader {
    const struct hf_cursor *file;
    struct hf_arena *arena;
    const struct hf_pe *pe;
    uint32_t thunks, functions; /* table entries looked at; kept */
    enum hf_status status;
};

/* One entry; false: passed over. A name that is nowhere is empty to 4.2 and no entry to 4.5. */
static bool read_function(const struct reader *r, const struct descriptor *d,
                          struct hf_bytes library, uint64_t pointer,
                          struct hf_pe_function *f)
{
    uint64_t by_ordinal = r->pe->is_64 ? UINT64_C(1) << 63 : UINT64_C(1) << 31;
    if ((pointer & by_ordinal) != 0) {
        f->name = pe_ordinal_text(r->arena, library, (uint16_t)pointer);
        f->ordinal = hf_optional_of((uint16_t)pointer);
        return true;
    }
    if (d->attributes == 0)
        pointer = relative(r->pe, pointer);
    int64_t at = hf_pe_yara_offset(r->pe, pointer + 2);
    if (at < 0) {
        f->name = hf_bytes_of("", 0);
        return !hf_pe_yara_rules(r->pe)->names_are_checked;
    }
    f->name = pe_text_at(r->file, (uint64_t)at, FUNCTION_NAME_MAX, NULL);
    return true;
}

static void read_functions(struct reader *r, const struct descriptor *d,
                           struct hf_pe_library *library)
{
    struct pe_list list = {.size = sizeof(struct hf_pe_function)};
    struct hf_cursor meter = hf_cursor_at(r->file, 0); /* carries the budget */
    uint64_t width = r->pe->is_64 ? 8 : 4;
    uint64_t names = d->names, slot = d->addresses;
    for (;; names += width, slot += width) {
        uint64_t pointer = pointer_at(r->file, r->pe, names);
        if (pointer == 0 || pointer_at(r->file, r->pe, slot) == 0)
            break;
        if (++r->thunks > HF_PE_THUNKS_MAX || !hf_cursor_charge(&meter, 1)) {
            r->status = HF_LIMIT;
            break;
        }
        struct hf_pe_function f = {0};
        if (!read_function(r, d, library->name, pointer, &f))
            continue;
        if (slot != 0)
            f.rva = hf_optional_of((int64_t)slot);
        struct hf_pe_function *kept = pe_list_add(&list, r->arena);
        if (kept == NULL) {
            r->status = HF_NOMEM;
            break;
        }
        *kept = f;
        r->functions++;
    }
    library->functions = pe_list_done(&list);
    library->function_count = (uint32_t)list.count;
}

enum hf_status pe_read_delayed(const struct hf_cursor *file, struct hf_arena *arena,
                               struct hf_pe *pe)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_DELAY_IMPORT);
    if (dir == NULL || dir->rva == 0)
        return HF_OK;
    struct reader r = {.file = file, .arena = arena, .pe = pe, .status = HF_OK};
    struct pe_list list = {.size = sizeof(struct hf_pe_library)};
    struct hf_cursor c = pe_cursor_at_rva(file, pe, dir->rva);
    while (r.status == HF_OK && hf_cursor_left(&c) >= DESCRIPTOR_SIZE) {
        struct descriptor d = read_descriptor(&c);
        if (is_end(&d) || d.attributes > 1)
            break;
        if (list.count >= HF_PE_LIBRARIES_MAX || !hf_cursor_charge(&c, 1)) {
            r.status = HF_LIMIT;
            break;
        }
        make_relative(pe, &d);
        if (!is_sane(pe, &d))
            break;
        struct hf_bytes name = pe_library_name(file, pe, d.name, 0);
        if (name.data == NULL)
            continue;
        struct hf_pe_library *library = pe_list_add(&list, arena);
        if (library == NULL)
            return HF_NOMEM;
        library->name = name;
        read_functions(&r, &d, library);
    }
    pe->delayed_imports = pe_list_done(&list);
    pe->delayed_count = (uint32_t)list.count;
    pe->delayed_functions = r.functions;
    return r.status;
}
