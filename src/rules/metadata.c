#include "rules/metadata.h"

#include <string.h>

/* For each field u8 any, u64 min, u64 max; counted name. */
void hf_metadata_write(const struct hf_metadata *m, struct hf_buffer *out)
{
    for (unsigned i = 0; i < HF_METADATA_FIELDS; i++) {
        hf_buffer_u8(out, m->fields[i].any ? 1 : 0);
        hf_buffer_u64(out, m->fields[i].min);
        hf_buffer_u64(out, m->fields[i].max);
    }
    hf_buffer_counted(out, m->name);
}

enum hf_status hf_metadata_read(struct hf_bytes text, struct hf_metadata *m)
{
    struct hf_cursor in = hf_cursor_open(text.data, text.len, NULL);
    for (unsigned i = 0; i < HF_METADATA_FIELDS; i++) {
        m->fields[i].any = hf_u8(&in) != 0;
        m->fields[i].min = hf_u64le(&in);
        m->fields[i].max = hf_u64le(&in);
    }
    m->name = hf_take(&in, hf_u32le(&in));
    return in.failed || hf_cursor_left(&in) != 0 ? HF_MALFORMED : HF_OK;
}

bool hf_metadata_agrees(const struct hf_metadata *m,
                        const uint64_t values[HF_METADATA_FIELDS])
{
    for (unsigned i = 0; i < HF_METADATA_FIELDS; i++) {
        const struct hf_metadata_range *r = &m->fields[i];
        if (!r->any &&
            (values[i] == UINT64_MAX || values[i] < r->min || values[i] > r->max))
            return false;
    }
    return true;
}

static bool is_plain(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           c == '-' || c == ' ';
}

/* Only text outside of parentheses and brackets is looked at, and none at all when there are
 * alternatives outside of them. A byte with ? * { behind it may be missing. */
uint32_t hf_metadata_required(struct hf_bytes e)
{
    uint32_t gram = 0, found = UINT32_MAX;
    size_t run = 0, depth = 0;
    bool in_set = false;
    for (size_t i = 0; i < e.len; i++) {
        uint8_t c = e.data[i];
        bool escaped = c == '\\' && i + 1 < e.len;
        if (escaped)
            c = e.data[++i];
        if (in_set) {
            in_set = escaped || c != ']';
            continue;
        }
        if (!escaped && c == '[') {
            in_set = true;
            run = 0;
            i += i + 1 < e.len &&
                 e.data[i + 1] == ']'; /* a ] that is first is one of the set */
            continue;
        }
        if (!escaped && (c == '(' || c == ')')) {
            depth += c == '(' ? 1 : 0;
            depth -= c == ')' && depth > 0 ? 1 : 0;
            run = 0;
            continue;
        }
        if (!escaped && c == '|' && depth == 0)
            return UINT32_MAX;
        uint8_t next = i + 1 < e.len ? e.data[i + 1] : 0;
        bool sure = depth == 0 &&
                    (escaped ? memchr(".-_()[]{}+$^ ", c, 13) != NULL : is_plain(c)) &&
                    (next == 0 || memchr("?*{", next, 3) == NULL);
        if (!sure) {
            run = 0;
            continue;
        }
        gram = (gram << 8 | c) & 0xFFFFFF;
        if (++run >= 3 && found == UINT32_MAX)
            found = gram;
        if (next == '+')
            run = 0;
    }
    return found;
}
