/* Tables that the loader works through before the entry point. YARA has no facts of these. */
#include "format/pe_internal.h"

enum {
    TLS_CALLBACKS_MAX = 4096,
    BLOCK_HEAD = 8,
    BOUND_SIZE = 8,
    BOUND_MAX = 4096,
    BOUND_NAME_MAX = 512
};

static uint64_t read_word(struct hf_cursor *c, const struct hf_pe *pe)
{
    return pe->is_64 ? hf_u64le(c) : hf_u32le(c);
}

/* A directory's table, confined to what the directory declares; empty when there is none. */
static struct hf_cursor table_of(const struct hf_cursor *file, const struct hf_pe *pe,
                                 enum hf_pe_directory_index index)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, index);
    if (dir == NULL || dir->rva == 0)
        return hf_cursor_clip(file, file->len, 0);
    struct hf_cursor c = pe_cursor_at_rva(file, pe, dir->rva);
    return c.failed ? hf_cursor_clip(file, file->len, 0)
                    : hf_cursor_clip(file, c.pos, dir->size);
}

/* ---- thread local storage [PE "The .tls Section"] ---- */

static enum hf_status read_callbacks(const struct hf_cursor *file, struct hf_arena *arena,
                                     struct hf_pe *pe)
{
    if (pe->tls.callbacks_address <= pe->image_base)
        return HF_OK;
    struct hf_cursor c =
        pe_cursor_at_rva(file, pe, pe->tls.callbacks_address - pe->image_base);
    struct pe_list list = {.size = sizeof(uint64_t)};
    enum hf_status st = HF_OK;
    for (;;) {
        uint64_t address = read_word(&c, pe);
        if (address == 0)
            break;
        if (list.count == TLS_CALLBACKS_MAX || !hf_cursor_charge(&c, 1)) {
            st = HF_LIMIT;
            break;
        }
        uint64_t *rva = pe_list_add(&list, arena);
        if (rva == NULL)
            return HF_NOMEM;
        *rva = address - pe->image_base;
    }
    pe->tls.callbacks = pe_list_done(&list);
    return st == HF_OK && c.failed && list.count > 0 ? HF_TRUNCATED : st;
}

static enum hf_status read_tls(const struct hf_cursor *file, struct hf_arena *arena,
                               struct hf_pe *pe)
{
    struct hf_cursor c = table_of(file, pe, HF_PE_DIR_TLS);
    if (c.len == 0)
        return HF_OK;
    pe->tls.raw_start = read_word(&c, pe);
    pe->tls.raw_end = read_word(&c, pe);
    pe->tls.index_address = read_word(&c, pe);
    pe->tls.callbacks_address = read_word(&c, pe);
    pe->tls.present = !c.failed;
    return c.failed ? HF_TRUNCATED : read_callbacks(file, arena, pe);
}

/* ---- base relocations [PE "The .reloc Section"] ---- */

static enum hf_status read_relocations(const struct hf_cursor *file, struct hf_pe *pe)
{
    struct hf_pe_relocations *r = &pe->relocations;
    struct hf_cursor c = table_of(file, pe, HF_PE_DIR_RELOC);
    while (hf_cursor_left(&c) >= BLOCK_HEAD && hf_cursor_charge(&c, 1)) {
        hf_skip(&c, 4);
        uint32_t size = hf_u32le(&c);
        if (size == 0)
            break; /* padding at the end of the table */
        if (size < BLOCK_HEAD || size - BLOCK_HEAD > hf_cursor_left(&c)) {
            r->damaged = true;
            break;
        }
        uint32_t entries = (size - BLOCK_HEAD) / 2;
        if (!hf_cursor_charge(&c, entries / 256))
            break;
        for (uint32_t i = 0; i < entries; i++)
            if (hf_u16le(&c) >> 12 != 0)
                r->entries++;
        hf_skip(&c, size % 2);
        r->blocks++;
    }
    return r->damaged ? HF_TRUNCATED : HF_OK;
}

/* ---- load configuration [PE "The Load Configuration Structure"] ---- */

/* Its own size field says how much of it there is; older linkers write 64. Fields past that size
 * stay 0. */
static void read_load_config(const struct hf_cursor *file, struct hf_pe *pe)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_LOAD_CONFIG);
    if (dir == NULL || dir->rva == 0)
        return;
    struct hf_cursor whole = pe_cursor_at_rva(file, pe, dir->rva);
    struct hf_pe_load_config *l = &pe->load_config;
    if (hf_cursor_left(&whole) < 4)
        return;
    struct hf_cursor peek = whole;
    l->size = hf_u32le(&peek);
    l->present = true;
    struct hf_cursor c = hf_cursor_clip(file, whole.pos, l->size);
    hf_skip(&c, 4);
    l->timestamp = hf_u32le(&c);
    hf_skip(&c, pe->is_64 ? 0x58 - 8 : 0x3c - 8);
    l->security_cookie = read_word(&c, pe);
    l->handler_table = read_word(&c, pe);
    l->handler_count = read_word(&c, pe);
    l->guard_check = read_word(&c, pe);
    (void)read_word(&c, pe); /* dispatch function */
    l->guard_table = read_word(&c, pe);
    l->guard_count = read_word(&c, pe);
    l->guard_flags = hf_u32le(&c);
}

/* ---- bound imports [PE "Bound Import"; offsets count from the table] ---- */

static enum hf_status read_bound(const struct hf_cursor *file, struct hf_arena *arena,
                                 struct hf_pe *pe)
{
    struct hf_cursor c = table_of(file, pe, HF_PE_DIR_BOUND_IMPORT);
    uint64_t base = c.origin - file->origin;
    struct pe_list list = {.size = sizeof(struct hf_pe_bound_import)};
    enum hf_status st = HF_OK;
    while (hf_cursor_left(&c) >= BOUND_SIZE) {
        struct hf_pe_bound_import b = {0};
        b.timestamp = hf_u32le(&c);
        uint16_t name = hf_u16le(&c);
        b.forwarders = hf_u16le(&c);
        if (b.timestamp == 0 && name == 0)
            break;
        if (list.count == BOUND_MAX || !hf_cursor_charge(&c, 1)) {
            st = HF_LIMIT;
            break;
        }
        b.name = pe_text_at(file, base + name, BOUND_NAME_MAX, NULL);
        hf_skip(&c, (uint64_t)b.forwarders * BOUND_SIZE);
        struct hf_pe_bound_import *kept = pe_list_add(&list, arena);
        if (kept == NULL)
            return HF_NOMEM;
        *kept = b;
    }
    pe->bound_imports = pe_list_done(&list);
    return st;
}

enum hf_status hf_pe_read_loader(const struct hf_cursor *file, struct hf_arena *arena,
                                 struct hf_pe *pe)
{
    read_load_config(file, pe);
    enum hf_status parts[] = {
        read_tls(file, arena, pe),
        read_relocations(file, pe),
        read_bound(file, arena, pe),
    };
    enum hf_status worst = HF_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] == HF_NOMEM || worst == HF_OK)
            worst = parts[i];
    return pe_status(file, worst);
}
