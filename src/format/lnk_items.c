#include "format/lnk_internal.h"

/* Shell items: [LNK 2.2] says how long they are, [FWSI] what is in them. */

enum { ITEMS_MAX = 1024 }; /* 64 KiB hold more of the smallest, but no path has */

static size_t put_utf8(uint8_t *out, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(lead[n] | c);
    return n;
}

/* A code point, 0 at the end. */
static uint32_t next_utf16(struct hf_cursor *c)
{
    enum { REPLACEMENT = 0xfffd };
    if (hf_cursor_left(c) < 2)
        return 0;
    uint32_t unit = hf_u16le(c);
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    struct hf_cursor ahead = *c;
    uint32_t low = hf_u16le(&ahead);
    if (unit > 0xdbff || ahead.failed || low < 0xdc00 || low > 0xdfff)
        return REPLACEMENT;
    *c = ahead;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

struct hf_bytes hf_lnk_utf16(struct hf_facts *facts, struct hf_cursor c)
{
    struct hf_bytes none = {0};
    struct hf_cursor end = c;
    size_t units = 0;
    while (hf_cursor_left(&end) >= 2 && hf_u16le(&end) != 0)
        units++;
    if (!hf_cursor_charge(&c, units / 512 + 1))
        return none;
    uint8_t *text = hf_arena_alloc(facts->arena, 3 * units); /* two units make four bytes */
    if (text == NULL)
        return none;
    size_t len = 0;
    for (uint32_t code; (code = next_utf16(&c)) != 0;)
        len += put_utf8(text + len, code);
    return hf_bytes_of(text, len);
}

struct hf_bytes hf_lnk_guid(struct hf_facts *facts, struct hf_cursor *c)
{
    struct hf_buffer text = {0};
    struct hf_bytes copy = {0};
    uint32_t a = hf_u32le(c);
    uint16_t b = hf_u16le(c), d = hf_u16le(c);
    hf_buffer_format(&text, "%08x-%04x-%04x-", a, b, d);
    for (int i = 0; i < 8; i++)
        hf_buffer_format(&text, i == 1 ? "%02x-" : "%02x", hf_u8(c));
    if (!c->failed && !text.failed)
        copy = hf_arena_copy(facts->arena, hf_buffer_view(&text));
    hf_buffer_done(&text);
    return copy;
}

/* A text of bytes up to a zero. */
static struct hf_bytes narrow(struct hf_cursor c)
{
    return hf_cursor_left(&c) == 0 ? (struct hf_bytes){0}
                                   : hf_take_until(&c, 0, SIZE_MAX, NULL);
}

/* What [FWSI] says of a class. c stands behind the class byte. */
static void read_details(struct hf_facts *facts, struct hf_cursor c, uint8_t class,
                         struct hf_lnk_item *item)
{
    switch (item->type) {
    case 0x1f: /* sort order, then the folder */
        hf_skip(&c, 1);
        item->root_folder_id = hf_lnk_guid(facts, &c);
        break;
    case 0x20: /* a name when the class says so */
        if ((class & 1) != 0)
            item->volume_name = narrow(c);
        break;
    case 0x30: /* unknown, size, time, attributes, name */
        hf_skip(&c, 1 + 4 + 4 + 2);
        item->file_entry_name = (class & 4) != 0 ? hf_lnk_utf16(facts, c) : narrow(c);
        break;
    case 0x40: /* two bytes of flags, location */
        hf_skip(&c, 2);
        item->network_location = narrow(c);
        break;
    default: break;
    }
}

/* Classes 0x20 to 0x4f have flags in their lower half; 0x1f and the others stand for themselves. */
static uint8_t type_of(uint8_t class)
{
    return class >= 0x20 && class <= 0x4f ? class & 0x70 : class;
}

static enum hf_status add_item(struct hf_facts *facts, struct hf_cursor body,
                               struct hf_lnk *lnk)
{
    struct hf_lnk_item *items = (struct hf_lnk_item *)(uintptr_t)lnk->items.items;
    size_t n = lnk->items.count;
    if (n == ITEMS_MAX || !hf_cursor_charge(&body, 1))
        return HF_LIMIT;
    items = hf_arena_grow(facts->arena, items, n, sizeof *items);
    if (items == NULL)
        return HF_NOMEM;
    uint8_t class = hf_u8(&body);
    struct hf_cursor data = body;
    items[n].type = type_of(class);
    items[n].data = hf_take_rest(&data);
    read_details(facts, body, class, &items[n]);
    lnk->items = (struct hf_fact_list){items, n + 1};
    return HF_OK;
}

enum hf_status hf_lnk_read_items(struct hf_facts *facts, struct hf_cursor *c,
                                 struct hf_lnk *lnk)
{
    uint16_t total = hf_u16le(c);
    struct hf_cursor list = hf_cursor_clip(c, c->pos, total);
    hf_skip(c, total);
    while (hf_cursor_left(&list) >= 2) {
        struct hf_cursor start = list;
        uint16_t size = hf_u16le(&list);
        if (size < 3) /* 0 ends the list; no item is shorter than its size and class */
            return size == 0 ? HF_OK : HF_MALFORMED;
        struct hf_cursor body = hf_cursor_clip(&start, start.pos + 2, size - 2u);
        enum hf_status st = add_item(facts, body, lnk);
        if (st != HF_OK)
            return st;
        hf_skip(&list, size - 2u);
    }
    return HF_MALFORMED;
}
