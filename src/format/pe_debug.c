/* What compilers and linkers leave behind: the rich header and the debug directory. */
#include "format/pe_internal.h"

enum {
    MZ_SIZE = 64,
    RICH_HEAD = 16, /* "DanS" and three words of padding, all under the key */
    RICH_PAIR = 8,  /* tool and build, times used */
    DEBUG_SIZE = 28,
    DEBUG_TYPE_CODEVIEW = 2,
    DEBUG_MAX = 65536,
    PATH_MAX_WINDOWS = 260
};
static const uint32_t DANS = 0x536e6144; /* "DanS" */

/* ---- rich header ---- */

static uint32_t word_at(const struct hf_cursor *file, uint64_t offset)
{
    struct hf_cursor c = hf_cursor_at(file, offset);
    return hf_u32le(&c);
}

/* Going down in steps of 4 from below the PE header, "Rich" is the end. Steps are counted from
 * the PE header, so that only every fourth place is a candidate. [YARA 4.5,
 * pe_parse_rich_signature; bytepointer.com, "The Undocumented Microsoft Rich Header"] */
static bool find_rich(const struct hf_cursor *file, uint32_t nt_offset, uint64_t *end)
{
    struct hf_cursor meter = hf_cursor_at(file, 0);
    if (!hf_cursor_charge(&meter, nt_offset / 64 + 1))
        return false;
    for (uint64_t at = nt_offset; at >= MZ_SIZE + 4;) {
        at -= 4;
        struct hf_cursor c = hf_cursor_at(file, at);
        if (!hf_peek_equal(&c, "Rich", 4))
            continue;
        *end = at;
        return true;
    }
    return false;
}

static bool find_dans(const struct hf_cursor *file, uint64_t end, uint32_t key,
                      uint64_t *start)
{
    for (uint64_t at = end; at >= MZ_SIZE + 4;) {
        at -= 4;
        if ((word_at(file, at) ^ key) == DANS) {
            *start = at;
            return true;
        }
    }
    return false;
}

/* The header without its key, and of that the words that name tools and builds. */
static enum hf_status decode(struct hf_arena *arena, struct hf_cursor c, uint32_t key,
                             struct hf_pe_rich *rich)
{
    size_t length = rich->raw_data.len;
    uint8_t *clear = hf_arena_alloc(arena, length);
    uint8_t *versions = hf_arena_alloc(arena, length);
    if (clear == NULL || versions == NULL)
        return HF_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t word = hf_u32le(&c) ^ key;
        for (unsigned b = 0; b < 4; b++)
            clear[i + b] = (uint8_t)(word >> (8 * b));
        if (i >= RICH_HEAD && (i - RICH_HEAD) % RICH_PAIR == 0 && i + RICH_PAIR <= length) {
            memcpy(versions + n, clear + i, 4);
            n += 4;
        }
    }
    rich->clear_data = hf_bytes_of(clear, length);
    rich->version_data = hf_bytes_of(versions, n);
    return HF_OK;
}

static enum hf_status read_rich(const struct hf_cursor *file, struct hf_arena *arena,
                                struct hf_pe *pe)
{
    uint64_t start, end;
    if (!find_rich(file, pe->nt_offset, &end))
        return HF_OK;
    uint32_t key = word_at(file, end + 4);
    if (key == 0 || !find_dans(file, end, key, &start) || end - start < RICH_HEAD)
        return HF_OK;
    struct hf_cursor c = hf_cursor_at(file, start + 4);
    if (hf_u32le(&c) != key || hf_u32le(&c) != key || hf_u32le(&c) != key)
        return HF_OK;
    c = hf_cursor_at(file, start);
    struct hf_pe_rich rich = {0};
    struct hf_cursor take = c;
    rich.raw_data = hf_take(&take, end - start);
    enum hf_status st = decode(arena, c, key, &rich);
    if (st != HF_OK)
        return st;
    rich.offset = hf_optional_of((int64_t)start);
    rich.length = hf_optional_of((int64_t)(end - start));
    rich.key = hf_optional_of(key);
    pe->rich = rich;
    return HF_OK;
}

/* ---- debug directory ---- */

/* CodeView records by signature: where the path starts, how much must be there. */
static const struct codeview {
    char signature[5];
    uint8_t path, whole;
} codeviews[] = {
    {"NB10", 16, 20}, /* PDB 2.0: offset, time stamp, age */
    {"RSDS", 24, 28}, /* PDB 7.0: GUID, age */
    {"MTOC", 20, 24}, /* Mach-O to COFF: UUID */
};

static struct hf_bytes codeview_path(const struct hf_cursor *file, const struct hf_pe *pe,
                                     uint64_t offset)
{
    size_t least = hf_pe_yara_rules(pe)->empty_pdb_path ? 0 : 1;
    struct hf_cursor c = hf_cursor_at(file, offset);
    for (size_t i = 0; i < sizeof codeviews / sizeof *codeviews; i++) {
        const struct codeview *v = &codeviews[i];
        if (!hf_peek_equal(&c, v->signature, 4) || hf_cursor_left(&c) < v->whole)
            continue;
        hf_skip(&c, v->path);
        struct hf_bytes path = hf_take_until(&c, 0, PATH_MAX_WINDOWS, NULL);
        if (path.data != NULL && path.len >= least && path.len < PATH_MAX_WINDOWS)
            return path;
    }
    return (struct hf_bytes){0};
}

/* Where an entry's data is: by address, else by file offset; either may be left out. */
static struct hf_optional locate(const struct hf_pe *pe, const struct hf_pe_debug *d)
{
    int64_t at = 0;
    if (d->rva != 0)
        at = hf_pe_yara_offset(pe, d->rva);
    if (at <= 0)
        at = d->raw_offset;
    if (at <= 0 || (uint64_t)at >= pe->file_size)
        return (struct hf_optional){0};
    return hf_optional_of(at);
}

static void read_entry(struct hf_cursor *c, struct hf_pe_debug *d)
{
    hf_skip(c, 4);
    d->timestamp = hf_u32le(c);
    hf_skip(c, 4); /* version */
    d->type = hf_u32le(c);
    d->size = hf_u32le(c);
    d->rva = hf_u32le(c);
    d->raw_offset = hf_u32le(c);
}

static enum hf_status read_debug(const struct hf_cursor *file, struct hf_arena *arena,
                                 struct hf_pe *pe)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_DEBUG);
    if (dir == NULL || dir->rva == 0 || dir->size == 0 || dir->size % DEBUG_SIZE != 0)
        return HF_OK;
    struct hf_cursor c = pe_cursor_at_rva(file, pe, dir->rva);
    struct pe_list list = {.size = sizeof(struct hf_pe_debug)};
    enum hf_status st = HF_OK;
    for (uint32_t i = 0; i < dir->size / DEBUG_SIZE && hf_cursor_left(&c) >= DEBUG_SIZE;
         i++) {
        if (i == DEBUG_MAX || !hf_cursor_charge(&c, 1)) {
            st = HF_LIMIT;
            break;
        }
        struct hf_pe_debug *d = pe_list_add(&list, arena);
        if (d == NULL)
            return HF_NOMEM;
        read_entry(&c, d);
        d->offset = locate(pe, d);
        if (d->type == DEBUG_TYPE_CODEVIEW && d->offset.defined &&
            pe->pdb_path.data == NULL)
            pe->pdb_path = codeview_path(file, pe, (uint64_t)d->offset.value);
    }
    pe->debug = pe_list_done(&list);
    return st;
}

enum hf_status hf_pe_read_debug(const struct hf_cursor *file, struct hf_arena *arena,
                                struct hf_pe *pe)
{
    enum hf_status rich = read_rich(file, arena, pe);
    if (rich == HF_NOMEM)
        return rich;
    return pe_status(file, read_debug(file, arena, pe));
}
