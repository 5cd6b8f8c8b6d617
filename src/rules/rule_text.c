#include "rules/rule_text.h"

/* u32 length, namespace; u8 global; u32 tags, metas, strings; tags: u32 length, bytes; metas: name,
 * u8 type, i64 or u32 length and bytes; strings: name, u8 flags. */
enum { STRING_HEX = 1 << 0, STRING_PRIVATE = 1 << 1 };

static struct hf_bytes take_counted(struct hf_cursor *c)
{
    return hf_take(c, hf_u32le(c));
}

struct hf_rule_text hf_rule_text_begin(struct hf_bytes stored)
{
    struct hf_cursor c = hf_cursor_open(stored.data, stored.len, NULL);
    struct hf_rule_text t = {.name_space = take_counted(&c)};
    t.is_global = hf_u8(&c) != 0;
    t.tags = hf_u32le(&c);
    t.metas = hf_u32le(&c);
    t.strings = hf_u32le(&c);
    t.rest = c;
    return t;
}

bool hf_rule_text_tag(struct hf_rule_text *t, struct hf_bytes *tag)
{
    if (t->tags == 0 || t->rest.failed)
        return false;
    t->tags--;
    *tag = take_counted(&t->rest);
    return !t->rest.failed;
}

bool hf_rule_text_meta(struct hf_rule_text *t, struct hf_rule_meta *meta)
{
    struct hf_bytes skipped;
    while (hf_rule_text_tag(t, &skipped))
        continue;
    if (t->metas == 0 || t->rest.failed)
        return false;
    t->metas--;
    meta->name = take_counted(&t->rest);
    switch (hf_u8(&t->rest)) {
    case HF_FACT_STRING: meta->value = hf_value_string(take_counted(&t->rest)); break;
    case HF_FACT_BOOL: meta->value = hf_value_bool(hf_u64le(&t->rest) != 0); break;
    default: meta->value = hf_value_int((int64_t)hf_u64le(&t->rest)); break;
    }
    return !t->rest.failed;
}

bool hf_rule_text_string(struct hf_rule_text *t, struct hf_rule_string *string)
{
    struct hf_rule_meta skipped;
    while (hf_rule_text_meta(t, &skipped))
        continue;
    if (t->strings == 0 || t->rest.failed)
        return false;
    t->strings--;
    string->name = take_counted(&t->rest);
    uint8_t flags = hf_u8(&t->rest);
    string->hex = (flags & STRING_HEX) != 0;
    string->is_private = (flags & STRING_PRIVATE) != 0;
    return !t->rest.failed;
}

void hf_rule_text_write(struct hf_buffer *out, struct hf_bytes name_space, bool is_global,
                        uint32_t tags, uint32_t metas, uint32_t strings)
{
    hf_buffer_counted(out, name_space);
    hf_buffer_u8(out, is_global);
    hf_buffer_u32(out, tags);
    hf_buffer_u32(out, metas);
    hf_buffer_u32(out, strings);
}

void hf_rule_text_write_tag(struct hf_buffer *out, struct hf_bytes tag)
{
    hf_buffer_counted(out, tag);
}

void hf_rule_text_write_meta(struct hf_buffer *out, const struct hf_rule_meta *meta)
{
    hf_buffer_counted(out, meta->name);
    hf_buffer_u8(out, (uint8_t)meta->value.type);
    if (meta->value.type == HF_FACT_STRING)
        hf_buffer_counted(out, meta->value.string);
    else
        hf_buffer_u64(out, (uint64_t)meta->value.integer);
}

void hf_rule_text_write_string(struct hf_buffer *out, const struct hf_rule_string *string)
{
    hf_buffer_counted(out, string->name);
    hf_buffer_u8(out, (uint8_t)((string->hex ? STRING_HEX : 0) |
                                (string->is_private ? STRING_PRIVATE : 0)));
}
