#include "facts/told.h"

void hf_told_put_rule(struct hf_buffer *out, uint32_t segment, uint32_t rule)
{
    hf_buffer_u8(out, HF_TOLD_RULE);
    hf_buffer_u32(out, segment);
    hf_buffer_u32(out, rule);
}

void hf_told_put_match(struct hf_buffer *out, uint32_t pattern, uint64_t offset,
                       uint64_t length, struct hf_bytes data)
{
    hf_buffer_u8(out, HF_TOLD_MATCH);
    hf_buffer_u32(out, pattern);
    hf_buffer_u64(out, offset);
    hf_buffer_u64(out, length);
    hf_buffer_counted(out, data);
}

void hf_told_put_line(struct hf_buffer *out, struct hf_bytes line)
{
    hf_buffer_u8(out, HF_TOLD_LINE);
    hf_buffer_counted(out, line);
}

enum hf_status hf_told_next(struct hf_cursor *c, struct hf_told *told)
{
    if (!c->failed && hf_cursor_left(c) == 0)
        return HF_NOTFOUND;
    told->kind = (enum hf_told_kind)hf_u8(c);
    switch (told->kind) {
    case HF_TOLD_RULE:
        told->segment = hf_u32le(c);
        told->rule = hf_u32le(c);
        break;
    case HF_TOLD_MATCH:
        told->pattern = hf_u32le(c);
        told->offset = hf_u64le(c);
        told->length = hf_u64le(c);
        told->data = hf_take(c, hf_u32le(c));
        if (told->data.len > told->length)
            return HF_MALFORMED;
        break;
    case HF_TOLD_LINE: told->data = hf_take(c, hf_u32le(c)); break;
    default: return HF_MALFORMED;
    }
    return c->failed ? HF_MALFORMED : HF_OK;
}

void hf_told_put_values(struct hf_buffer *out, const struct hf_value *values, size_t count)
{
    hf_buffer_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct hf_value *v = &values[i];
        uint64_t bits = (uint64_t)v->integer;
        if (v->type == HF_FACT_FLOAT)
            memcpy(&bits, &v->real, sizeof bits);
        hf_buffer_u8(out, (uint8_t)v->type);
        if (v->type == HF_FACT_STRING)
            hf_buffer_counted(out, v->string);
        else
            hf_buffer_u64(out, bits);
    }
}

static bool get_value(struct hf_cursor *c, struct hf_value *v)
{
    *v = (struct hf_value){.defined = true, .type = (enum hf_fact_type)hf_u8(c)};
    if (v->type > HF_FACT_STRING)
        return false;
    if (v->type == HF_FACT_STRING) {
        v->string = hf_take(c, hf_u32le(c));
        return true;
    }
    uint64_t bits = hf_u64le(c);
    if (v->type == HF_FACT_FLOAT)
        memcpy(&v->real, &bits, sizeof bits);
    else
        v->integer = (int64_t)bits;
    return true;
}

size_t hf_told_get_values(struct hf_cursor *c, struct hf_arena *arena,
                          struct hf_value **values)
{
    uint32_t count = hf_u32le(c);
    *values = NULL;
    if (count > hf_cursor_left(c)) /* each takes a byte at least */
        return 0;
    struct hf_value *all = hf_arena_array(arena, (size_t)count + 1, sizeof *all);
    for (uint32_t i = 0; all != NULL && i < count; i++)
        if (!get_value(c, &all[i]))
            return 0;
    if (all == NULL || c->failed)
        return 0;
    *values = all;
    return count;
}
