#include "format/pe.h"

#include "format/pe_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    DESCRIPTOR_SIZE = 20,
    HINT_SIZE = 2,
    BY_NAME_SIZE = 4,       /* hint, and what YARA wants to see of a name */
    FUNCTION_NAME_MAX = 512 /* YARA's */
};

/* What is still allowed of a whole file, and where functions are collected. */
struct reader {
    const struct hf_cursor *file;
    struct hf_arena *arena;
    const struct hf_pe *pe;
    const struct hf_pe_yara_rules *rules;
    uint32_t thunks;    /* table entries looked at */
    uint32_t functions; /* kept */
    enum hf_status status;
};

/* ---- names ---- */

/* Characters that a file name cannot have on Windows. [YARA 4.5, pe_valid_dll_name] */
static bool file_name_byte(uint8_t c, bool ascii)
{
    return c >= ' ' && (c <= 0x7e || !ascii) && memchr("\"*<>?|", c, 6) == NULL;
}

struct hf_bytes pe_library_name(const struct hf_cursor *file, const struct hf_pe *pe,
                                uint64_t rva, size_t max)
{
    bool ascii = hf_pe_yara_rules(pe)->names_are_checked, terminated = false;
    int64_t offset = hf_pe_yara_offset(pe, rva);
    struct hf_bytes name = {0};
    if (offset >= 0)
        name = pe_text_at(file, (uint64_t)offset, max == 0 ? HF_PE_NAME_MAX : max + 1,
                          &terminated);
    if (!terminated || name.len == 0)
        return (struct hf_bytes){0};
    for (size_t i = 0; i < name.len; i++)
        if (!file_name_byte(name.data[i], ascii))
            return (struct hf_bytes){0};
    return name;
}

/* Whether compilers and linkers make such names; others are noise in a damaged table. [YARA 4.5,
 * valid_function_name, after pefile] */
static bool function_name(struct hf_bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool letter = (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10;
        if (!letter && memchr("._?@$()<>", c, 9) == NULL)
            return false;
    }
    return name.len > 0;
}

struct hf_bytes pe_ordinal_text(struct hf_arena *arena, struct hf_bytes library,
                                uint16_t ordinal)
{
    const char *known = hf_pe_ordinal_name(library, ordinal);
    if (known != NULL)
        return hf_bytes_text(known);
    char text[16];
    int n = snprintf(text, sizeof text, "ord%u", ordinal);
    return hf_arena_copy(arena, hf_bytes_of(text, (size_t)n));
}

/* ---- regular imports ---- */

/* One entry of an import lookup table as YARA takes it; false: it is passed over. */
static bool read_function(struct reader *r, struct hf_bytes library, uint64_t thunk,
                          struct hf_pe_function *f)
{
    uint64_t by_ordinal = r->pe->is_64 ? UINT64_C(1) << 63 : UINT64_C(1) << 31;
    if ((thunk & by_ordinal) != 0) {
        if (r->rules->ordinals_are_checked && (thunk & ~by_ordinal) > UINT16_MAX)
            return false;
        f->ordinal = hf_optional_of((uint16_t)thunk);
        f->name = pe_ordinal_text(r->arena, library, (uint16_t)thunk);
        if (f->name.data == NULL)
            r->status = HF_NOMEM;
        return f->name.data != NULL;
    }
    struct hf_cursor c = pe_cursor_at_rva(r->file, r->pe, thunk);
    if (hf_cursor_left(&c) < BY_NAME_SIZE)
        return false;
    hf_skip(&c, HINT_SIZE);
    f->name = hf_take_until(&c, 0, FUNCTION_NAME_MAX, NULL);
    return function_name(f->name) || !r->rules->names_are_checked;
}

/* Whether another table entry may be looked at; notes which limit said no. */
static bool may_go_on(struct reader *r, struct hf_cursor *table)
{
    if (r->status != HF_OK)
        return false;
    if (r->thunks >= HF_PE_THUNKS_MAX || !hf_cursor_charge(table, 1)) {
        r->status = HF_LIMIT;
        return false;
    }
    r->thunks++;
    return true;
}

static void read_functions(struct reader *r, struct hf_cursor table, uint32_t address_table,
                           struct hf_pe_library *library)
{
    struct pe_list list = {.size = sizeof(struct hf_pe_function)};
    size_t width = r->pe->is_64 ? 8 : 4;
    uint64_t slot = address_table;
    for (uint32_t i = 0; i < HF_PE_FUNCTIONS_MAX && r->functions < HF_PE_FUNCTIONS_MAX;
         i++) {
        if (hf_cursor_left(&table) < width)
            break;
        uint64_t thunk = hf_uint(&table, (unsigned)width, false);
        if (thunk == 0 || !may_go_on(r, &table))
            break;
        struct hf_pe_function f = {0};
        if (read_function(r, library->name, thunk, &f)) {
            if (slot != 0)
                f.rva = hf_optional_of(r->pe->is_64 ? (int64_t)slot : (uint32_t)slot);
            struct hf_pe_function *kept = pe_list_add(&list, r->arena);
            if (kept == NULL) {
                r->status = HF_NOMEM;
                break;
            }
            *kept = f;
            r->functions++;
        }
        slot += width;
    }
    library->functions = pe_list_done(&list);
    library->function_count = (uint32_t)list.count;
}

/* One descriptor: its functions, from the lookup table or, when that is nowhere, from the
 * address table. */
static void read_library(struct reader *r, struct hf_cursor *c,
                         struct hf_pe_library *library)
{
    uint32_t lookup = hf_u32le(c);
    hf_skip(c, 8); /* time stamp, forwarder chain */
    uint32_t name = hf_u32le(c);
    uint32_t addresses = hf_u32le(c);
    library->name = pe_library_name(r->file, r->pe, name, r->rules->library_name_max);
    if (library->name.data == NULL)
        return;
    int64_t at = hf_pe_yara_offset(r->pe, lookup);
    if (at <= 0)
        at = hf_pe_yara_offset(r->pe, addresses);
    if (at >= 0)
        read_functions(r, hf_cursor_at(r->file, (uint64_t)at), addresses, library);
}

static uint32_t name_field(const struct hf_cursor *descriptor)
{
    struct hf_cursor c = *descriptor;
    hf_skip(&c, 12);
    return hf_u32le(&c);
}

static enum hf_status read_regular(const struct hf_cursor *file, struct hf_arena *arena,
                                   struct hf_pe *pe)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_IMPORT);
    if (dir == NULL || dir->rva == 0)
        return HF_OK;
    struct reader r = {.file = file,
                       .arena = arena,
                       .pe = pe,
                       .rules = hf_pe_yara_rules(pe),
                       .status = HF_OK};
    struct pe_list list = {.size = sizeof(struct hf_pe_library)};
    uint32_t empty = 0; /* libraries that 4.2 counts though they are not listed */
    struct hf_cursor c = pe_cursor_at_rva(file, pe, dir->rva);
    for (uint32_t i = 0; r.status == HF_OK && hf_cursor_left(&c) >= DESCRIPTOR_SIZE; i++) {
        if (name_field(&c) == 0)
            break;
        if (i == HF_PE_LIBRARIES_MAX || !hf_cursor_charge(&c, 1)) {
            r.status = HF_LIMIT;
            break;
        }
        struct hf_pe_library library = {0};
        bool unmapped = hf_pe_yara_offset(pe, name_field(&c)) < 0;
        read_library(&r, &c, &library);
        if (library.function_count == 0) {
            empty += library.name.data != NULL || unmapped;
            continue;
        }
        struct hf_pe_library *kept = pe_list_add(&list, arena);
        if (kept == NULL)
            return HF_NOMEM;
        *kept = library;
    }
    pe->imports = pe_list_done(&list);
    pe->import_count = (uint32_t)list.count + (r.rules->counts_all ? empty : 0);
    pe->imported_functions = r.rules->counts_all ? r.thunks : r.functions;
    return r.status;
}

enum hf_status hf_pe_read_imports(const struct hf_cursor *file, struct hf_arena *arena,
                                  struct hf_pe *pe)
{
    enum hf_status regular = read_regular(file, arena, pe);
    if (regular == HF_NOMEM)
        return regular;
    enum hf_status delayed = pe_read_delayed(file, arena, pe);
    return pe_status(file, regular != HF_OK ? regular : delayed);
}
