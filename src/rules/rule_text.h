/* rule_text.h - what a rule is called and what it says of itself, beside its name: namespace, tags,
 * metadata, identifiers of its patterns. Nothing that decides; stored for who prints or asks. */
#ifndef HF_RULES_RULE_TEXT_H
#define HF_RULES_RULE_TEXT_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "facts/facts.h"

struct hf_rule_meta {
    struct hf_bytes name;
    struct hf_value value; /* integer, boolean or string */
};

/* The identifier of a pattern. */
struct hf_rule_string {
    struct hf_bytes name; /* "$a"; "$" when it has none */
    bool hex;             /* written as a hex string: shown as bytes, not as text */
    bool is_private;      /* not shown */
};

/* A reader over the stored form: begin, then the parts in this order, each until it says false. What
 * is damaged reads as its end. Everything borrows from the stored bytes. */
struct hf_rule_text {
    struct hf_bytes name_space;
    bool is_global;
    uint32_t tags, metas, strings; /* left to read */
    struct hf_cursor rest;
};

struct hf_rule_text hf_rule_text_begin(struct hf_bytes stored);
bool hf_rule_text_tag(struct hf_rule_text *text, struct hf_bytes *tag);
bool hf_rule_text_meta(struct hf_rule_text *text, struct hf_rule_meta *meta);
bool hf_rule_text_string(struct hf_rule_text *text, struct hf_rule_string *string);

/* The writer's side: the head, then as many of each as it said. */
void hf_rule_text_write(struct hf_buffer *out, struct hf_bytes name_space, bool is_global,
                        uint32_t tags, uint32_t metas, uint32_t strings);
void hf_rule_text_write_tag(struct hf_buffer *out, struct hf_bytes tag);
void hf_rule_text_write_meta(struct hf_buffer *out, const struct hf_rule_meta *meta);
void hf_rule_text_write_string(struct hf_buffer *out, const struct hf_rule_string *string);

#endif
