#include "facts/facts.h"

#include "base/text.h"

#include <math.h>

static void separate(struct hf_fact_json *j)
{
    if (j->depth == 0 || j->depth > HF_FACT_DEPTH_MAX)
        return;
    if (j->more[j->depth - 1])
        hf_buffer_u8(j->out, ',');
    j->more[j->depth - 1] = true;
}

static bool named_level(const struct hf_fact_json *j)
{
    return j->depth > 0 && j->depth <= HF_FACT_DEPTH_MAX && !j->in_list[j->depth - 1];
}

static void member_name(struct hf_fact_json *j, struct hf_bytes name)
{
    separate(j);
    if (!named_level(j))
        return;
    hf_json_string(j->out, name);
    hf_buffer_u8(j->out, ':');
}

/* "NAME_cut": how much is missing of what stands before it. Only where members have names. */
static void cut_member(struct hf_fact_json *j, struct hf_bytes name, uint64_t left_out)
{
    if (left_out == 0 || !named_level(j))
        return;
    separate(j);
    hf_buffer_u8(j->out, '"');
    /* The name's own JSON form without its closing quote, so that any key stays valid. */
    size_t start = j->out->len;
    hf_json_string(j->out, name);
    if (j->out->failed)
        return;
    memmove(j->out->data + start, j->out->data + start + 1, j->out->len - start - 1);
    j->out->len -= 2;
    hf_buffer_format(j->out, "_cut\":%llu", (unsigned long long)left_out);
}

static void open_level(struct hf_fact_json *j, const struct hf_fact_event *event)
{
    /* The module itself has no name in its own object. */
    if (j->depth > 0)
        member_name(j, event->name);
    bool list = event->type == HF_FACT_ARRAY;
    hf_buffer_u8(j->out, list ? '[' : '{');
    if (j->depth < HF_FACT_DEPTH_MAX) {
        j->more[j->depth] = false;
        j->in_list[j->depth] = list;
    }
    j->depth++;
}

static void close_level(struct hf_fact_json *j, const struct hf_fact_event *event)
{
    hf_buffer_u8(j->out, event->type == HF_FACT_ARRAY ? ']' : '}');
    j->depth--;
    cut_member(j, event->name, event->left_out);
}

static void scalar(struct hf_fact_json *j, struct hf_value v)
{
    if (!v.defined)
        hf_buffer_text(j->out, "null");
    else if (v.type == HF_FACT_STRING)
        hf_json_string(j->out, v.string);
    else if (v.type == HF_FACT_BOOL)
        hf_buffer_text(j->out, v.integer != 0 ? "true" : "false");
    else if (v.type == HF_FACT_FLOAT && isfinite(v.real))
        hf_buffer_format(j->out, "%.17g", v.real);
    else if (v.type == HF_FACT_INT)
        hf_buffer_format(j->out, "%lld", (long long)v.integer);
    else
        hf_buffer_text(j->out, "null"); /* JSON has no infinities */
}

bool hf_fact_json_visit(void *json, const struct hf_fact_event *event)
{
    struct hf_fact_json *j = json;
    switch (event->kind) {
    case HF_FACT_EVENT_OPEN: open_level(j, event); break;
    case HF_FACT_EVENT_CLOSE:
        if (j->depth == 0)
            return false; /* events from elsewhere may not balance */
        close_level(j, event);
        break;
    case HF_FACT_EVENT_VALUE:
        member_name(j, event->name);
        scalar(j, event->value);
        cut_member(j, event->name, event->left_out);
        break;
    }
    return !j->out->failed && j->depth <= HF_FACT_DEPTH_MAX;
}

void hf_facts_json(struct hf_facts *facts, size_t module, size_t list_max,
                   struct hf_buffer *out)
{
    struct hf_fact_json json = {.out = out};
    size_t before = out->len;
    struct hf_fact_bounds bounds = {.list_max = list_max, .string_max = SIZE_MAX};
    bool whole = hf_facts_walk(facts, module, bounds, hf_fact_json_visit, &json);
    if (out->len == before)
        hf_buffer_text(out, "{}");
    /* A walk that the budget ended leaves levels open: close them, so that it stays JSON. */
    while (!whole && json.depth > 0 && json.depth <= HF_FACT_DEPTH_MAX)
        hf_buffer_u8(out, json.in_list[--json.depth] ? ']' : '}');
}
