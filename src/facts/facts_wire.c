#include "facts/facts_wire.h"

enum { KIND_BITS = 3, TYPE_SHIFT = 2, TYPE_BITS = 15, UNDEFINED = 0x80 };

static struct hf_bytes cut_to(struct hf_bytes bytes, size_t max)
{
    return hf_bytes_of(bytes.data, bytes.len < max ? bytes.len : max);
}

static void put_value(struct hf_buffer *out, const struct hf_fact_event *event)
{
    const struct hf_value *v = &event->value;
    if (!v->defined)
        return;
    if (v->type == HF_FACT_STRING) {
        struct hf_bytes s = cut_to(v->string, HF_FACT_WIRE_STRING_MAX);
        hf_buffer_u64(out, event->left_out + (v->string.len - s.len));
        hf_buffer_counted(out, s);
    } else if (v->type == HF_FACT_BOOL) {
        hf_buffer_u8(out, v->integer != 0);
    } else {
        uint64_t bits;
        memcpy(&bits, v->type == HF_FACT_FLOAT ? (const void *)&v->real : &v->integer,
               sizeof bits);
        hf_buffer_u64(out, bits);
    }
    if (v->type == HF_FACT_INT)
        hf_buffer_counted(out, cut_to(event->label, HF_FACT_LABEL_MAX));
}

static void put_event(struct hf_fact_wire_writer *w, const struct hf_fact_event *event)
{
    bool value = event->kind == HF_FACT_EVENT_VALUE;
    unsigned tag = (unsigned)event->kind | (unsigned)event->type << TYPE_SHIFT;
    if (value && !event->value.defined)
        tag |= UNDEFINED;
    hf_buffer_u8(w->out, (uint8_t)tag);
    bool named = w->depth == 0 || w->open[w->depth - 1] != HF_FACT_ARRAY;
    if (event->kind != HF_FACT_EVENT_CLOSE && named)
        hf_buffer_counted(w->out, cut_to(event->name, HF_FACT_WIRE_NAME_MAX));
    if (value)
        put_value(w->out, event);
    if (event->kind == HF_FACT_EVENT_OPEN)
        hf_buffer_counted(w->out, cut_to(event->label, HF_FACT_LABEL_MAX));
    if (event->kind == HF_FACT_EVENT_CLOSE)
        hf_buffer_u64(w->out, event->left_out);
}

void hf_fact_wire_close(struct hf_fact_wire_writer *w)
{
    struct hf_fact_event close = {.kind = HF_FACT_EVENT_CLOSE};
    for (; w->depth > 0; w->depth--) {
        close.type = w->open[w->depth - 1];
        put_event(w, &close);
    }
}

bool hf_fact_wire_visit(void *writer, const struct hf_fact_event *event)
{
    struct hf_fact_wire_writer *w = writer;
    size_t before = w->out->len;
    if (w->cut)
        return false;
    put_event(w, event);
    if (w->out->failed)
        return false;
    if (event->kind != HF_FACT_EVENT_CLOSE &&
        (w->out->len > w->max ||
         (event->kind == HF_FACT_EVENT_OPEN && w->depth == HF_FACT_DEPTH_MAX))) {
        w->out->len = before;
        w->cut = true;
        hf_fact_wire_close(w);
        return false;
    }
    if (event->kind == HF_FACT_EVENT_OPEN)
        w->open[w->depth++] = event->type;
    else if (event->kind == HF_FACT_EVENT_CLOSE && w->depth > 0)
        w->depth--;
    return true;
}

struct hf_fact_wire_reader hf_fact_wire_open(struct hf_bytes bytes)
{
    return (struct hf_fact_wire_reader){.bytes =
                                            hf_cursor_open(bytes.data, bytes.len, NULL)};
}

static struct hf_bytes take_counted(struct hf_cursor *c, size_t max)
{
    uint32_t n = hf_u32le(c);
    struct hf_bytes bytes = hf_take(c, n);
    if (n > max)
        c->failed = true;
    return bytes;
}

static struct hf_value take_value(struct hf_cursor *c, enum hf_fact_type type, bool defined,
                                  uint64_t *left_out, struct hf_bytes *label)
{
    struct hf_value v = {.defined = defined, .type = type};
    if (!defined)
        return v;
    if (type == HF_FACT_STRING) {
        *left_out = hf_u64le(c);
        v.string = take_counted(c, HF_FACT_WIRE_STRING_MAX);
    } else if (type == HF_FACT_BOOL) {
        uint8_t bit = hf_u8(c);
        c->failed = c->failed || bit > 1;
        v.integer = bit;
    } else {
        uint64_t bits = hf_u64le(c);
        memcpy(type == HF_FACT_FLOAT ? (void *)&v.real : &v.integer, &bits, sizeof bits);
    }
    if (type == HF_FACT_INT)
        *label = take_counted(c, HF_FACT_LABEL_MAX);
    return v;
}

static bool is_level(enum hf_fact_type type)
{
    return type == HF_FACT_STRUCT || type == HF_FACT_ARRAY || type == HF_FACT_DICT;
}

static bool is_scalar(enum hf_fact_type type)
{
    return type == HF_FACT_INT || type == HF_FACT_FLOAT || type == HF_FACT_BOOL ||
           type == HF_FACT_STRING;
}

/* Whether an event of this kind and type may come now. */
static bool may_come(const struct hf_fact_wire_reader *r, const struct hf_fact_event *e,
                     bool undefined)
{
    switch (e->kind) {
    case HF_FACT_EVENT_OPEN:
        return !undefined && is_level(e->type) && r->depth < HF_FACT_DEPTH_MAX;
    case HF_FACT_EVENT_VALUE: return is_scalar(e->type) && r->depth > 0;
    case HF_FACT_EVENT_CLOSE:
        return !undefined && r->depth > 0 && e->type == r->open[r->depth - 1].type;
    default: return false;
    }
}

enum hf_status hf_fact_wire_next(struct hf_fact_wire_reader *r, struct hf_fact_event *event)
{
    struct hf_cursor *c = &r->bytes;
    if (!c->failed && hf_cursor_left(c) == 0)
        return r->depth == 0 ? HF_NOTFOUND : HF_MALFORMED;
    uint8_t tag = hf_u8(c);
    *event = (struct hf_fact_event){
        .kind = (enum hf_fact_event_kind)(tag & KIND_BITS),
        .type = (enum hf_fact_type)(tag >> TYPE_SHIFT & TYPE_BITS),
    };
    bool undefined = (tag & UNDEFINED) != 0;
    if (c->failed || (tag & 0x40) != 0 || !may_come(r, event, undefined))
        return HF_MALFORMED;
    bool named = r->depth == 0 || r->open[r->depth - 1].type != HF_FACT_ARRAY;
    if (event->kind == HF_FACT_EVENT_CLOSE) {
        uint64_t left_out = hf_u64le(c);
        *event = r->open[--r->depth];
        event->kind = HF_FACT_EVENT_CLOSE;
        event->left_out = left_out;
    } else if (named) {
        event->name = take_counted(c, HF_FACT_WIRE_NAME_MAX);
    }
    if (event->kind == HF_FACT_EVENT_VALUE)
        event->value =
            take_value(c, event->type, !undefined, &event->left_out, &event->label);
    if (event->kind == HF_FACT_EVENT_OPEN)
        event->label = take_counted(c, HF_FACT_LABEL_MAX);
    if (event->kind == HF_FACT_EVENT_OPEN)
        r->open[r->depth++] = *event;
    return c->failed ? HF_MALFORMED : HF_OK;
}
