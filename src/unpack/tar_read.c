#include "unpack/tar.h"

#include "base/text.h"

/* A number field: octal text, or, with the highest bit set, a big-endian number. UINT64_MAX when
 * it is neither, negative, or beyond 63 bits. [GNU "Extensions", base-256] */
static uint64_t read_number(struct hf_cursor *c, size_t width)
{
    uint8_t field[12];
    hf_copy(c, field, width);
    uint64_t value = 0;
    if ((field[0] & 0x80) != 0) {
        value = field[0] & 0x7f;
        for (size_t i = 1; i < width; i++) {
            if (value > UINT64_MAX >> 9)
                return UINT64_MAX;
            value = value << 8 | field[i];
        }
        return value;
    }
    size_t i = 0;
    while (i < width && (field[i] == ' ' || field[i] == 0))
        i++;
    for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (field[i] - '0');
    return i == width || field[i] == ' ' || field[i] == 0 ? value : UINT64_MAX;
}

/* Text up to its zero or the end of its field. */
static struct hf_bytes read_text(struct hf_cursor *c, size_t width)
{
    struct hf_bytes text = hf_take(c, width);
    const uint8_t *nul = text.len == 0 ? NULL : memchr(text.data, 0, text.len);
    if (nul != NULL)
        text.len = (size_t)(nul - text.data);
    return text;
}

/* The sum of all bytes with spaces for the checksum itself; old programs added signed bytes. */
static void check_sum(struct hf_bytes block, uint64_t declared, struct hf_tar_header *h)
{
    enum { AT = 148, WIDTH = 8 };
    uint32_t sum = 0, high = 0;
    for (size_t i = 0; i < block.len; i++) {
        sum += block.data[i];
        high += block.data[i] >> 7;
    }
    h->is_zero = sum == 0;
    for (size_t i = AT; i < AT + WIDTH; i++) {
        sum -= block.data[i];
        high -= block.data[i] >> 7;
    }
    sum += WIDTH * ' ';
    uint32_t sum_signed = sum - 256 * high;
    h->good = !h->is_zero && (declared == sum || (uint32_t)declared == sum_signed);
}

struct hf_tar_header hf_tar_read_header(struct hf_cursor *c)
{
    struct hf_tar_header h = {.size = UINT64_MAX};
    struct hf_cursor whole = *c;
    struct hf_bytes block = hf_take(&whole, HF_TAR_BLOCK);
    if (whole.failed) {
        c->failed = true;
        return h;
    }
    struct hf_cursor f = *c;
    h.name = read_text(&f, HF_TAR_NAME);
    hf_skip(&f, 8 + 8 + 8); /* mode, owner, group */
    h.size = read_number(&f, 12);
    hf_skip(&f, 12); /* time */
    check_sum(block, read_number(&f, 8), &h);
    h.type = hf_u8(&f);
    hf_skip(&f, 100); /* link name */
    h.has_magic = hf_peek_equal(&f, "ustar", 5);
    h.is_gnu = hf_peek_equal(&f, "ustar  ", 8);
    hf_skip(&f,
            8 + 32 + 32 + 8 + 8); /* magic and version, names of owner and group, device */
    if (h.has_magic && !h.is_gnu)
        h.prefix = read_text(&f, HF_TAR_PREFIX);
    *c = whole;
    return h;
}

struct hf_tar_extended hf_tar_extended_none(void)
{
    return (struct hf_tar_extended){
        .size = HF_UNKNOWN, .real_size = HF_UNKNOWN, .pending_offset = HF_UNKNOWN};
}

static enum hf_status add_stretch(struct hf_tar_extended *x, struct hf_arena *arena,
                                  uint64_t offset, uint64_t size)
{
    struct hf_tar_stretch *map = hf_arena_grow(arena, x->map, x->map_count, sizeof *map);
    if (map == NULL)
        return HF_LIMIT;
    x->map = map;
    map[x->map_count++] = (struct hf_tar_stretch){.offset = offset, .size = size};
    return HF_OK;
}

/* "offset,size,offset,size,..." (pax 0.1) */
static enum hf_status read_map_text(struct hf_bytes text, struct hf_cursor *budget_of,
                                    struct hf_arena *arena, struct hf_tar_extended *x)
{
    struct hf_cursor c = hf_cursor_open(text.data, text.len, budget_of->budget);
    while (hf_cursor_left(&c) > 0) {
        uint64_t offset, size;
        struct hf_bytes first = hf_take_until(&c, ',', SIZE_MAX, NULL);
        struct hf_bytes second = hf_take_until(&c, ',', SIZE_MAX, NULL);
        if (hf_cursor_status(&c) == HF_LIMIT)
            return HF_LIMIT;
        if (!hf_parse_uint(first, &offset) || !hf_parse_uint(second, &size))
            return HF_MALFORMED;
        if (add_stretch(x, arena, offset, size) != HF_OK)
            return HF_LIMIT;
    }
    return HF_OK;
}

enum key { PATH, SIZE, REAL_SIZE, OFFSET, BYTES, MAP, MAJOR };
static const struct {
    const char *name;
    enum key key;
} keys[] = {
    {"path", PATH},
    {"size", SIZE},
    {"GNU.sparse.name", PATH},
    {"GNU.sparse.size", REAL_SIZE},
    {"GNU.sparse.realsize", REAL_SIZE},
    {"GNU.sparse.offset", OFFSET},
    {"GNU.sparse.numbytes", BYTES},
    {"GNU.sparse.map", MAP},
    {"GNU.sparse.major", MAJOR},
};

static enum hf_status apply(enum key key, struct hf_bytes value,
                            struct hf_cursor *budget_of, struct hf_arena *arena,
                            struct hf_tar_extended *x)
{
    uint64_t number = 0;
    if (key == PATH) {
        x->name = value;
        return HF_OK;
    }
    if (key == MAP) {
        x->sparse = HF_TAR_SPARSE_MAP;
        return read_map_text(value, budget_of, arena, x);
    }
    if (!hf_parse_uint(value, &number))
        return HF_MALFORMED;
    switch (key) {
    case SIZE: x->size = number; break;
    case REAL_SIZE: x->real_size = number; break;
    case OFFSET: x->pending_offset = number; break;
    case MAJOR: x->sparse = number >= 1 ? HF_TAR_SPARSE_IN_DATA : x->sparse; break;
    case BYTES:
        if (x->pending_offset == HF_UNKNOWN)
            return HF_MALFORMED;
        x->sparse = HF_TAR_SPARSE_MAP;
        return add_stretch(x, arena, x->pending_offset, number);
    case PATH:
    case MAP: break;
    }
    return HF_OK;
}

/* One record, "LENGTH KEY=VALUE\n", whose length counts itself. */
static enum hf_status read_record(struct hf_cursor *c, struct hf_bytes *key,
                                  struct hf_bytes *value)
{
    enum { DIGITS_MAX = 20 };
    uint64_t length, start = c->pos;
    bool found;
    struct hf_bytes digits = hf_take_until(c, ' ', DIGITS_MAX, &found);
    if (!found || !hf_parse_uint(digits, &length) || length <= c->pos - start)
        return HF_MALFORMED;
    struct hf_cursor record = hf_cursor_sub(c, c->pos, length - (c->pos - start));
    hf_skip(c, length - (c->pos - start));
    if (record.failed)
        return HF_MALFORMED;
    *key = hf_take_until(&record, '=', SIZE_MAX, &found);
    *value = hf_take_rest(&record);
    if (!found || value->len == 0 || value->data[value->len - 1] != '\n')
        return HF_MALFORMED;
    value->len--;
    return HF_OK;
}

enum hf_status hf_tar_read_pax(struct hf_cursor records, struct hf_arena *arena,
                               struct hf_tar_extended *extended)
{
    while (hf_cursor_left(&records) > 0) {
        struct hf_bytes key, value;
        if (!hf_cursor_charge(&records, 1))
            return HF_LIMIT;
        enum hf_status st = read_record(&records, &key, &value);
        for (size_t i = 0; st == HF_OK && i < sizeof keys / sizeof *keys; i++)
            if (hf_bytes_equal(key, hf_bytes_text(keys[i].name)))
                st = apply(keys[i].key, value, &records, arena, extended);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}

/* Entries of 12 + 12 bytes; an empty one ends the list. */
static enum hf_status read_gnu_entries(struct hf_cursor *c, size_t count,
                                       struct hf_arena *arena, struct hf_tar_extended *x)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = read_number(c, 12), size = read_number(c, 12);
        bool is_empty = offset == 0 && size == 0;
        if (!is_empty && add_stretch(x, arena, offset, size) != HF_OK)
            return HF_LIMIT;
    }
    return HF_OK;
}

enum hf_status hf_tar_read_gnu_map(struct hf_cursor *c, uint64_t header,
                                   struct hf_arena *arena, struct hf_tar_extended *extended)
{
    enum { AT = 386, IN_HEADER = 4, IN_BLOCK = 21 };
    struct hf_cursor f = hf_cursor_at(c, header);
    hf_skip(&f, AT);
    extended->sparse = HF_TAR_SPARSE_MAP;
    enum hf_status st = read_gnu_entries(&f, IN_HEADER, arena, extended);
    bool more = hf_u8(&f) != 0;
    extended->real_size = read_number(&f, 12);
    while (st == HF_OK && more && hf_cursor_charge(c, 1)) {
        f = hf_cursor_sub(c, c->pos, HF_TAR_BLOCK);
        hf_skip(c, HF_TAR_BLOCK);
        if (c->failed)
            return HF_TRUNCATED;
        st = read_gnu_entries(&f, IN_BLOCK, arena, extended);
        more = hf_u8(&f) != 0;
    }
    return st != HF_OK ? st : hf_cursor_status(c);
}

static bool read_line_number(struct hf_cursor *c, uint64_t *number)
{
    enum { DIGITS_MAX = 21 };
    bool found;
    struct hf_bytes digits = hf_take_until(c, '\n', DIGITS_MAX, &found);
    return found && hf_parse_uint(digits, number);
}

enum hf_status hf_tar_read_map_in_data(struct hf_cursor *data, struct hf_arena *arena,
                                       struct hf_tar_extended *extended)
{
    uint64_t count, offset, size;
    if (!read_line_number(data, &count))
        return HF_MALFORMED;
    for (uint64_t i = 0; i < count; i++) {
        if (!read_line_number(data, &offset) || !read_line_number(data, &size))
            return hf_cursor_status(data) == HF_LIMIT ? HF_LIMIT : HF_MALFORMED;
        if (add_stretch(extended, arena, offset, size) != HF_OK)
            return HF_LIMIT;
    }
    uint64_t over = data->pos % HF_TAR_BLOCK;
    hf_skip(data, over == 0 ? 0 : HF_TAR_BLOCK - over);
    return HF_OK;
}
