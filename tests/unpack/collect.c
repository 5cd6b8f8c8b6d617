#include "collect.h"

#include <assert.h>
#include <string.h>

static struct collect *self_of(struct hf_sink *sink)
{
    return (struct collect *)(void *)sink;
}

static enum hf_status keep(struct collect *c, const struct hf_child *child)
{
    struct collected *items = hf_arena_grow(c->arena, c->items, c->count, sizeof *items);
    if (items == NULL)
        return HF_LIMIT;
    c->items = items;
    items[c->count].child = *child;
    items[c->count].child.name = hf_arena_copy(c->arena, child->name);
    c->count++;
    return HF_OK;
}

static enum hf_status on_open(struct hf_sink *sink, const struct hf_child *child)
{
    struct collect *c = self_of(sink);
    assert(!c->is_open);
    if (!hf_budget_object(c->budget))
        return HF_LIMIT;
    if (c->count >= c->refuse_from)
        return HF_UNSUPPORTED;
    enum hf_status st = keep(c, child);
    c->is_open = st == HF_OK;
    hf_buffer_clear(&c->data);
    return st;
}

static enum hf_status on_write(struct hf_sink *sink, struct hf_bytes bytes)
{
    struct collect *c = self_of(sink);
    assert(c->is_open);
    if (!hf_budget_bytes(c->budget, bytes.len)) {
        c->is_open = false;
        return HF_LIMIT;
    }
    hf_buffer_bytes(&c->data, bytes);
    return c->bytes_max != 0 && c->data.len > c->bytes_max ? HF_UNSUPPORTED : HF_OK;
}

static enum hf_status on_close(struct hf_sink *sink, enum hf_status how)
{
    struct collect *c = self_of(sink);
    assert(c->is_open);
    c->is_open = false;
    struct collected *item = &c->items[c->count - 1];
    item->bytes = hf_arena_copy(c->arena, hf_buffer_view(&c->data));
    item->how = how;
    return HF_OK;
}

static enum hf_status on_whole(struct hf_sink *sink, const struct hf_child *child,
                               struct hf_bytes bytes, enum hf_status how)
{
    struct collect *c = self_of(sink);
    assert(!c->is_open);
    if (!hf_budget_object(c->budget))
        return HF_LIMIT;
    if (c->count >= c->refuse_from)
        return HF_OK;
    enum hf_status st = keep(c, child);
    if (st != HF_OK)
        return st;
    c->items[c->count - 1].bytes = bytes;
    c->items[c->count - 1].how = how;
    c->items[c->count - 1].was_whole = true;
    return HF_OK;
}

void collect_init(struct collect *c, struct hf_arena *arena, struct hf_budget *budget)
{
    *c = (struct collect){
        .sink = {.open = on_open, .write = on_write, .close = on_close, .whole = on_whole},
        .arena = arena,
        .budget = budget,
        .refuse_from = SIZE_MAX,
    };
}

void collect_done(struct collect *c)
{
    hf_buffer_done(&c->data);
}

enum hf_status collect_unpack(struct collect *c, hf_unpacker *unpack, enum hf_format format,
                              struct hf_bytes container)
{
    struct hf_unpack u = {
        .object = hf_cursor_open(container.data, container.len, c->budget),
        .format = format,
        .sink = &c->sink,
        .arena = c->arena,
    };
    enum hf_status st = unpack(&u);
    assert(!c->is_open || st == HF_LIMIT || st == HF_STOPPED);
    return st;
}

const struct collected *collect_find(const struct collect *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (hf_bytes_equal(c->items[i].child.name, hf_bytes_text(name)))
            return &c->items[i];
    return NULL;
}
