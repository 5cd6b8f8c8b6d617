#include "rules/derived.h"

#include "pattern/backtrack.h"

/* ---- stored forms ---- */

enum {
    COMPARE_BIG = 1 << 0,
    COMPARE_EXACT = 1 << 1,
    EXPRESSION_FLAGS = HF_BACKTRACK_FLAGS | HF_EXPRESSION_ALL | HF_EXPRESSION_ROLLING |
                       HF_EXPRESSION_INSIDE
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
                 (uint8_t)((c->big ? COMPARE_BIG : 0) | (c->exact ? COMPARE_EXACT : 0)));
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

static int digit_of(uint8_t c, int base)
{
    int value = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : base;
    return value < base ? value : -1;
}

/* Digits, as far as they go; false when there are none, or not all are when that is asked. */
static bool read_digits(struct hf_bytes text, int base, bool exact, int64_t *value)
{
    uint64_t v = 0;
    size_t i = 0;
    for (int d; i < text.len && (d = digit_of(text.data[i], base)) >= 0; i++) {
        if (v > (UINT64_MAX - (uint64_t)d) / (uint64_t)base)
            return false;
        v = v * (uint64_t)base + (uint64_t)d;
    }
    *value = v > INT64_MAX ? INT64_MAX : (int64_t)v;
    return i > 0 && (!exact || i == text.len);
}

static bool begins_hex(struct hf_bytes text)
{
    return text.len > 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x';
}

/* Pairs of digits, the last first. */
static void swap_pairs(uint8_t *text, size_t len)
{
    for (size_t i = 0, k = len; k >= i + 4; i += 2) {
        k -= 2;
        uint8_t a = text[i], b = text[i + 1];
        text[i] = text[k];
        text[i + 1] = text[k + 1];
        text[k] = a;
        text[k + 1] = b;
    }
}

static bool read_text(const struct hf_compare *c, struct hf_bytes text, int64_t *value)
{
    uint8_t copy[UINT8_MAX + 1];
    while (text.len > 0 &&
           (text.data[0] == ' ' || (text.data[0] >= 9 && text.data[0] <= 13)))
        text = hf_bytes_of(text.data + 1, text.len - 1);
    bool hex =
        c->form == HF_COMPARE_HEX || (c->form == HF_COMPARE_AUTO && begins_hex(text));
    if (!hex)
        return read_digits(text, 10, c->exact, value);
    if (begins_hex(text))
        text = hf_bytes_of(text.data + 2, text.len - 2);
    size_t n = 0;
    while (n < text.len && digit_of(text.data[n], 16) >= 0) {
        copy[n] = text.data[n];
        n++;
    }
    if (c->exact && n != text.len)
        return false;
    if (!c->big && n % 2 == 0)
        swap_pairs(copy, n);
    return read_digits(hf_bytes_of(copy, n), 16, false, value);
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
    size_t n = c->bytes;
    if (n > data.len - at) {
        if (c->exact || c->form == HF_COMPARE_RAW)
            return false;
        n = (size_t)(data.len - at);
    }
    struct hf_bytes bytes = hf_bytes_of(data.data + at, n);
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
