/* Version information: blocks of UTF-16 keys and values, nested by length. [PE "Resource",
 * VS_VERSIONINFO, StringFileInfo, StringTable, String]
 *
 * The walk goes by YARA's rules: a block's children start behind its key, aligned to 4 bytes
 * counted from the block (not from the file), and a length of 0 ends a level. */
#include "format/pe_internal.h"

enum {
    HEADER_SIZE = 6,     /* length, length of the value, type */
    ROOT_SIZE = 92,      /* header, "VS_VERSION_INFO", padding, fixed part */
    FILE_INFO_SIZE = 36, /* header, "StringFileInfo" with its end */
    TEXT_UNITS_MAX = 32768,
    KEY_MAX = 63,
    VALUE_MAX = 255
};

static uint64_t align4(uint64_t v)
{
    return (v + 3) & ~(uint64_t)3;
}

static uint16_t block_length(const struct hf_cursor *file, uint64_t block)
{
    struct hf_cursor c = hf_cursor_at(file, block);
    return hf_u16le(&c);
}

/* Whether a block's key is the given text, with room for the key as YARA wants it. */
static bool key_is(const struct hf_cursor *file, uint64_t block, const char *key)
{
    struct hf_cursor c = hf_cursor_at(file, block);
    size_t size = strlen(key) + 1;
    hf_skip(&c, HEADER_SIZE);
    if (hf_cursor_left(&c) < 2 * size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (hf_u16le(&c) != (uint8_t)key[i])
            return false;
    return true;
}

/* Units of UTF-16 before the end mark; false when there is none in the file. */
static bool text_units(const struct hf_cursor *file, uint64_t offset, size_t *units)
{
    struct hf_cursor c = hf_cursor_at(file, offset);
    for (*units = 0; *units < TEXT_UNITS_MAX && hf_cursor_left(&c) >= 2; ++*units)
        if (hf_u16le(&c) == 0)
            return hf_cursor_charge(&c, 1 + *units / 512);
    return false;
}

/* The low bytes of the units, up to one that is 0. */
static struct hf_bytes narrow(const struct hf_cursor *file, struct hf_arena *arena,
                              uint64_t offset, size_t max)
{
    struct hf_cursor c = hf_cursor_at(file, offset);
    uint8_t text[VALUE_MAX];
    size_t n = 0;
    while (n < max) {
        uint8_t low = (uint8_t)hf_u16le(&c);
        if (low == 0)
            break;
        text[n++] = low;
    }
    return hf_arena_copy(arena, hf_bytes_of(text, n));
}

/* Where the children or the value of a block with this key begin. */
static uint64_t behind_key(uint64_t block, size_t key_units)
{
    return block + align4(HEADER_SIZE + 2 * (key_units + 1));
}

struct reader {
    const struct hf_cursor *file;
    struct hf_arena *arena;
    struct pe_list *strings;
    struct hf_cursor meter; /* carries the budget */
    enum hf_status status;
};

/* A block on the way: header in the file, key ended, length not 0, before the end. */
static bool is_block(struct reader *r, uint64_t block, uint64_t end, size_t *key_units)
{
    if (r->status != HF_OK || block >= end)
        return false;
    struct hf_cursor c = hf_cursor_at(r->file, block);
    if (hf_cursor_left(&c) < HEADER_SIZE || hf_u16le(&c) == 0)
        return false;
    if (r->strings->count >= HF_PE_VERSIONS_MAX || !hf_cursor_charge(&r->meter, 1)) {
        r->status = HF_LIMIT;
        return false;
    }
    return text_units(r->file, block + HEADER_SIZE, key_units);
}

static void read_string(struct reader *r, uint64_t block, size_t key_units)
{
    uint64_t value = behind_key(block, key_units);
    size_t units;
    if (!text_units(r->file, value, &units))
        return;
    struct hf_cursor c = hf_cursor_at(r->file, block + 2);
    bool empty = hf_u16le(&c) == 0; /* no value: what follows is the next block */
    struct hf_pe_version_string *s = pe_list_add(r->strings, r->arena);
    if (s == NULL) {
        r->status = HF_NOMEM;
        return;
    }
    s->offset = block + HEADER_SIZE;
    s->key = narrow(r->file, r->arena, block + HEADER_SIZE, KEY_MAX);
    s->value = narrow(r->file, r->arena, value, empty ? 0 : VALUE_MAX);
    if (s->key.data == NULL || s->value.data == NULL)
        r->status = HF_NOMEM;
}

static void read_table(struct reader *r, uint64_t block, uint64_t end, size_t key_units)
{
    uint64_t string = behind_key(block, key_units);
    size_t units;
    while (is_block(r, string, end, &units)) {
        read_string(r, string, units);
        string += align4(block_length(r->file, string));
    }
}

static void read_string_info(struct reader *r, uint64_t block, uint64_t end)
{
    uint64_t table = block + FILE_INFO_SIZE;
    size_t units;
    while (is_block(r, table, end, &units)) {
        uint64_t next = table + align4(block_length(r->file, table));
        read_table(r, table, next, units);
        table = next;
    }
}

enum hf_status pe_read_version(const struct hf_cursor *file, struct hf_arena *arena,
                               const struct hf_pe *pe, uint64_t offset,
                               struct pe_list *strings)
{
    (void)pe;
    if (!key_is(file, offset, "VS_VERSION_INFO"))
        return HF_OK;
    struct reader r = {.file = file,
                       .arena = arena,
                       .strings = strings,
                       .meter = hf_cursor_at(file, 0),
                       .status = HF_OK};
    uint64_t block = offset + ROOT_SIZE;
    while (key_is(file, block, "VarFileInfo") && block_length(file, block) != 0 &&
           hf_cursor_charge(&r.meter, 1))
        block += align4(block_length(file, block));
    while (r.status == HF_OK && key_is(file, block, "StringFileInfo") &&
           block_length(file, block) != 0) {
        uint64_t end = block + align4(block_length(file, block));
        read_string_info(&r, block, end);
        block = end;
    }
    return r.meter.failed ? HF_LIMIT : r.status;
}
