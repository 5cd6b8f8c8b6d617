#include "format/pe.h"

static const uint64_t CHECKSUM_FIELD = 64; /* in the optional header, in both widths */

/* ---- import hash ---- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static void add_lower(uint8_t *out, size_t *n, struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        out[(*n)++] = lower(text.data[i]);
}

/* A library's name without the extensions that Windows adds by itself. Whatever follows the first
 * dot decides. */
static struct hf_bytes stem(struct hf_bytes name)
{
    const uint8_t *dot = memchr(name.data, '.', name.len);
    if (dot == NULL)
        return name;
    size_t len = (size_t)(dot - name.data);
    uint8_t ext[3];
    if (name.len - len < 4)
        return name;
    for (size_t i = 0; i < 3; i++)
        ext[i] = lower(dot[1 + i]);
    if (memcmp(ext, "dll", 3) == 0 || memcmp(ext, "ocx", 3) == 0 ||
        memcmp(ext, "sys", 3) == 0)
        name.len = len;
    return name;
}

static size_t text_length(const struct hf_pe *pe)
{
    const struct hf_pe_library *l = pe->imports.items;
    size_t size = 0;
    for (size_t i = 0; i < pe->imports.count; i++) {
        const struct hf_pe_function *f = l[i].functions.items;
        for (size_t k = 0; k < l[i].functions.count; k++)
            size += l[i].name.len + f[k].name.len + 2;
    }
    return size;
}

struct hf_bytes hf_pe_imphash_text(const struct hf_pe *pe, struct hf_arena *arena)
{
    uint8_t *text = hf_arena_alloc(arena, text_length(pe));
    if (text == NULL)
        return (struct hf_bytes){0};
    const struct hf_pe_library *l = pe->imports.items;
    size_t n = 0;
    for (size_t i = 0; i < pe->imports.count; i++) {
        const struct hf_pe_function *f = l[i].functions.items;
        for (size_t k = 0; k < l[i].functions.count; k++) {
            if (n > 0)
                text[n++] = ',';
            add_lower(text, &n, stem(l[i].name));
            text[n++] = '.';
            add_lower(text, &n, f[k].name);
        }
    }
    return hf_bytes_of(text, n);
}

/* ---- checksum ---- */

/* Words are summed with the carry added back, then folded to 16 bits; the length is added. The
 * field itself counts as 0, if it is aligned as it should be. [PE "CheckSum"; YARA 4.5,
 * calculate_checksum, for odd places and lengths] */
bool hf_pe_checksum(const struct hf_pe *pe, const struct hf_cursor *file,
                    uint64_t *checksum)
{
    struct hf_cursor c = hf_cursor_at(file, 0);
    if (!hf_cursor_charge(&c, pe->file_size / 1024 + 1))
        return false;
    uint64_t field = pe->optional_offset + CHECKSUM_FIELD, sum = 0;
    while (hf_cursor_left(&c) > 0) {
        uint64_t at = c.pos, left = hf_cursor_left(&c);
        uint64_t word = 0;
        if (left >= 4)
            word = hf_u32le(&c);
        else
            for (unsigned i = 0; i < left; i++)
                word |= (uint64_t)hf_u8(&c) << (8 * i);
        if (at == field)
            continue;
        sum += word;
        sum = (sum & UINT32_MAX) + (sum >> 32);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    *checksum = (sum & 0xffff) + pe->file_size;
    return true;
}

/* ---- Authenticode ---- */

static void add_part(struct hf_pe_extent *parts, size_t *n, uint64_t from, uint64_t to)
{
    if (from < to)
        parts[(*n)++] =
            (struct hf_pe_extent){.offset = from, .size = to - from, .inside = true};
}

size_t hf_pe_authenticode_parts(const struct hf_pe *pe,
                                struct hf_pe_extent parts[HF_PE_AUTHENTICODE_PARTS])
{
    if (!pe->found || !pe->headers_whole)
        return 0;
    uint64_t checksum = pe->optional_offset + CHECKSUM_FIELD;
    uint64_t entry = pe->optional_offset + (pe->is_64 ? 112 : 96) + 8 * HF_PE_DIR_SECURITY;
    const struct hf_pe_directory *dir = &pe->directories[HF_PE_DIR_SECURITY];
    uint64_t table = pe->file_size, table_end = pe->file_size;
    if (dir->rva >= entry + 8 && dir->rva < pe->file_size && dir->size > 0) {
        table = dir->rva;
        table_end = dir->size < pe->file_size - table ? table + dir->size : pe->file_size;
    }
    size_t n = 0;
    add_part(parts, &n, 0, checksum);
    add_part(parts, &n, checksum + 4, entry);
    add_part(parts, &n, entry + 8, table);
    add_part(parts, &n, table_end, pe->file_size);
    return n;
}
