#include "rules/derived.h"

#include "pattern/backtrack.h"

/* ---- stored forms ---- */

enum {
    COMPARE_BIG = 1 << 0,
    COMPARE_EXACT = 1 << 1,
    COMPARE_NEVER = 1 << 2,
    EXPRESSION_FLAGS = (int)HF_BACKTRACK_FLAGS | (int)HF_EXPRESSION_ALL |
                       (int)HF_EXPRESSION_ROLLING | (int)HF_EXPRESSION_INSIDE
};

/* u8 bases, each u32; i64 distance, u8 form, u8 flags, u8 bytes, u8 tests, each u8 op, i64. */
void hf_compare_write(const struct hf_compare *c, struct hf_buffer *out)
{
    hf_buffer_u8(out, c->base_count);
    for (unsigned i = 0; i < c->base_count; i++)
        hf_buffer_u32(out, c->bases[i]);
    hf_buffer_u64(out, (uint64_t)c->distance);
    hf_buffer_u8(out, (uint8_t)c->form);
    hf_buffer_u8(out,
                 (uint8_t)((c->big ? COMPARE_BIG : 0) | (c->exact ? COMPARE_EXACT : 0) |
                           (c->never ? COMPARE_NEVER : 0)));
    hf_buffer_u8(out, c->bytes);
    hf_buffer_u8(out, c->test_count);
    for (unsigned i = 0; i < c->test_count; i++) {
        hf_buffer_u8(out, (uint8_t)c->tests[i].op);
        hf_buffer_u64(out, (uint64_t)c->tests[i].value);
    }
}

enum hf_status hf_compare_read(struct hf_bytes text, struct hf_compare *c)
{
    struct hf_cursor in = hf_cursor_open(text.data, text.len, NULL);
    *c = (struct hf_compare){.base_count = hf_u8(&in)};
    if (c->base_count > HF_DERIVED_BASES_MAX)
        return HF_MALFORMED;
    for (unsigned i = 0; i < c->base_count; i++)
        c->bases[i] = hf_u32le(&in);
    c->distance = (int64_t)hf_u64le(&in);
    unsigned form = hf_u8(&in), flags = hf_u8(&in);
    c->form = (enum hf_compare_form)form;
    c->big = (flags & COMPARE_BIG) != 0;
    c->exact = (flags & COMPARE_EXACT) != 0;
    c->never = (flags & COMPARE_NEVER) != 0;
    c->bytes = hf_u8(&in);
    c->test_count = hf_u8(&in);
    if (c->test_count > HF_DERIVED_TESTS_MAX || form > HF_COMPARE_AUTO)
        return HF_MALFORMED;
    for (unsigned i = 0; i < c->test_count; i++) {
        c->tests[i].op = (char)hf_u8(&in);
        c->tests[i].value = (int64_t)hf_u64le(&in);
    }
    return in.failed || hf_cursor_left(&in) != 0 ? HF_MALFORMED : HF_OK;
}

/* u32 flags, counted trigger, counted text. */
void hf_expression_write(const struct hf_expression *e, struct hf_buffer *out)
{
    hf_buffer_u32(out, e->flags);
    hf_buffer_counted(out, e->trigger);
    hf_buffer_counted(out, e->text);
}

enum hf_status hf_expression_read(struct hf_bytes text, struct hf_expression *e)
{
    struct hf_cursor in = hf_cursor_open(text.data, text.len, NULL);
    e->flags = hf_u32le(&in);
    e->trigger = hf_take(&in, hf_u32le(&in));
    e->text = hf_take(&in, hf_u32le(&in));
    return in.failed || hf_cursor_left(&in) != 0 ||
                   (e->flags & ~(unsigned)EXPRESSION_FLAGS) != 0
               ? HF_MALFORMED
               : HF_OK;
}

/* ---- comparing ---- */

/* Texts are read as clamscan 1.4.6 was seen to: below, its rules and not what one might expect. */

static int digit_of(uint8_t c, int base)
{
    int value = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : base;
    return value < base ? value : -1;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct hf_bytes behind(struct hf_bytes text, size_t n)
{
    return hf_bytes_of(text.data + n, text.len - n);
}

static bool begins_hex(struct hf_bytes text)
{
    return text.len >= 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
}

/* As strtol: what follows the digits does not matter, none at all is 0. Exact: nothing but digits,
 * for hexadecimal ones perhaps behind 0x. */
static bool read_forward(struct hf_bytes text, int base, bool exact, int64_t *value)
{
    uint64_t v = 0;
    if (!exact)
        while (text.len > 0 && is_space(text.data[0]))
            text = behind(text, 1);
    if (base == 16 && begins_hex(text) && text.len > 2 && digit_of(text.data[2], 16) >= 0)
        text = behind(text, 2);
    size_t i = 0;
    for (int d; i < text.len && (d = digit_of(text.data[i], base)) >= 0; i++)
        v = v > (INT64_MAX - (uint64_t)d) / (uint64_t)base
                ? INT64_MAX
                : v * (uint64_t)base + (uint64_t)d;
    *value = (int64_t)v;
    return !exact || (i > 0 && i == text.len);
}

/* Pairs of digits, the last first; what is no pair counts as 00. A missing first digit is 0. Exact:
 * an even number of characters, or a single digit. */
static bool read_pairs(struct hf_bytes text, bool exact, int64_t *value)
{
    uint64_t v = 0;
    if (exact && (text.len % 2 == 1 ? text.len > 1 || digit_of(text.data[0], 16) < 0
                                    : text.len > 0 && is_space(text.data[0])))
        return false;
    while (text.len > 0 && is_space(text.data[0]))
        text = behind(text, 1);
    if (begins_hex(text)) {
        if (exact)
            return false;
        text = behind(text, 2);
    }
    size_t odd = text.len % 2, pairs = (text.len + odd) / 2;
    for (size_t i = pairs; i-- > 0;) {
        size_t at = 2 * i;
        int high = odd != 0 && i == 0 ? 0 : digit_of(text.data[at - odd], 16);
        int low = digit_of(text.data[at + 1 - odd], 16);
        v = v << 8 | (high < 0 || low < 0 ? 0u : (unsigned)(high << 4 | low));
    }
    *value = (int64_t)v;
    return true;
}

static bool read_text(const struct hf_compare *c, struct hf_bytes text, int64_t *value)
{
    bool hex = c->form == HF_COMPARE_HEX;
    if (c->form == HF_COMPARE_AUTO) {
        struct hf_bytes bare = text;
        while (bare.len > 0 && is_space(bare.data[0]))
            bare = behind(bare, 1);
        hex = begins_hex(bare);
        if (bare.len < 3 || (!hex && !c->big))
            return false;
    }
    if (!hex)
        return read_forward(text, 10, c->exact, value);
    return c->big ? read_forward(text, 16, c->exact, value)
                  : read_pairs(text, c->exact, value);
}

static bool read_raw(const struct hf_compare *c, struct hf_bytes bytes, int64_t *value)
{
    struct hf_cursor in = hf_cursor_open(bytes.data, bytes.len, NULL);
    uint64_t v = c->bytes == 1 ? hf_u8(&in) : hf_uint(&in, c->bytes, c->big);
    *value = (int64_t)v;
    return !in.failed;
}

bool hf_compare_holds(const struct hf_compare *c, struct hf_bytes data, uint64_t start)
{
    uint64_t by = c->distance < 0 ? 0 - (uint64_t)c->distance : (uint64_t)c->distance;
    if (start > data.len || (c->distance < 0 ? by > start : by > data.len - start))
        return false;
    uint64_t at = c->distance < 0 ? start - by : start + by;
    if (c->never || c->bytes > data.len - at)
        return false;
    struct hf_bytes bytes = hf_bytes_of(data.data + at, c->bytes);
    int64_t value;
    if (c->form == HF_COMPARE_RAW ? !read_raw(c, bytes, &value)
                                  : !read_text(c, bytes, &value))
        return false;
    for (unsigned i = 0; i < c->test_count; i++) {
        int64_t wanted = c->tests[i].value;
        if (c->tests[i].op == '<'   ? value >= wanted
            : c->tests[i].op == '>' ? value <= wanted
                                    : value != wanted)
            return false;
    }
    return true;
}
