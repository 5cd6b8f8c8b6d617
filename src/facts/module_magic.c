/* module_magic.c - what libmagic says of an object. [yara 4.5 libyara/modules/magic] The library
 * is the caller's (hf_fact_outside.describe): it belongs into jailed processes only. */
#include "facts/modules.h"

struct magic_state {
    struct hf_bytes type, media_type;
    bool asked_type, asked_media_type;
};

static void describe(struct hf_facts *facts, bool media_type, struct hf_value *out)
{
    const struct hf_fact_outside *outside = facts->outside;
    struct magic_state *state = hf_facts_need(facts, &hf_magic_module, 0);
    if (state == NULL || outside == NULL || outside->describe == NULL)
        return;
    bool *asked = media_type ? &state->asked_media_type : &state->asked_type;
    struct hf_bytes *text = media_type ? &state->media_type : &state->type;
    struct hf_cursor whole = hf_cursor_at(&facts->object, 0);
    /* Of an empty object YARA has no block to show: undefined. */
    if (!*asked && hf_cursor_left(&whole) > 0 &&
        hf_cursor_charge(&whole, hf_cursor_left(&whole) / 1024 + 1000))
        *text = outside->describe(outside->user, hf_take_rest(&whole), media_type,
                                  facts->arena);
    *asked = true;
    if (text->data != NULL)
        *out = hf_value_string(*text);
}

static void type(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    (void)args;
    describe(facts, false, out);
}

static void mime_type(struct hf_facts *facts, const struct hf_value *args,
                      struct hf_value *out)
{
    (void)args;
    describe(facts, true, out);
}

static const struct hf_fact_field magic_rows[] = {
    HF_FACT_CALL("mime_type", "", HF_FACT_STRING, mime_type,
                 "media type by libmagic, as text/plain"),
    HF_FACT_CALL("type", "", HF_FACT_STRING, type,
                 "description by libmagic; differs from one version of it to the next"),
};
static const struct hf_fact_record magic_record =
    HF_FACT_TABLE("magic", struct magic_state, magic_rows);
const struct hf_fact_module hf_magic_module = {.name = "magic", .record = &magic_record};
