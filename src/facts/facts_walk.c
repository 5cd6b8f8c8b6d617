#include "facts/facts.h"

/* The walk keeps opened structs back until something in them is defined, so that visitors never
 * see an empty one. Elements of lists are not kept back: their places count. */
struct walk {
    struct hf_facts *facts;
    struct hf_fact_bounds bounds;
    hf_fact_visit *visit;
    void *user;
    struct hf_fact_event kept[HF_FACT_DEPTH_MAX];
    unsigned kept_count;
    bool ended;
};

static void tell(struct walk *w, const struct hf_fact_event *event)
{
    for (unsigned i = 0; i < w->kept_count && !w->ended; i++)
        w->ended = !w->visit(w->user, &w->kept[i]);
    w->kept_count = 0;
    if (!w->ended)
        w->ended = !w->visit(w->user, event);
}

static void tell_value(struct walk *w, struct hf_fact_event event, struct hf_value value)
{
    event.kind = HF_FACT_EVENT_VALUE;
    event.type = value.type;
    event.value = value;
    if (value.type == HF_FACT_STRING && value.string.len > w->bounds.string_max) {
        event.left_out = value.string.len - w->bounds.string_max;
        event.value.string.len = w->bounds.string_max;
    }
    tell(w, &event);
}

static void close_event(struct walk *w, struct hf_fact_event opened, uint64_t left_out)
{
    opened.kind = HF_FACT_EVENT_CLOSE;
    opened.left_out = left_out;
    tell(w, &opened);
}

static void walk_value(struct walk *w, struct hf_fact_event event, struct hf_value value,
                       unsigned depth);

static void walk_members(struct walk *w, const struct hf_fact_record *record,
                         const void *data, size_t first, unsigned depth)
{
    for (size_t i = first; i < record->field_count && !w->ended; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->repr == HF_REPR_CONSTANT || f->type == HF_FACT_FUNCTION)
            continue;
        struct hf_fact_event event = {.name = hf_bytes_text(f->name), .field = f};
        walk_value(w, event, hf_facts_member(w->facts, record, data, i), depth);
    }
}

static void walk_list(struct walk *w, struct hf_fact_event event, struct hf_value list,
                      unsigned depth)
{
    if (list.list.count == 0)
        return;
    event.kind = HF_FACT_EVENT_OPEN;
    event.type = event.field->type;
    tell(w, &event);
    size_t shown =
        list.list.count < w->bounds.list_max ? list.list.count : w->bounds.list_max;
    for (size_t i = 0; i < shown && !w->ended; i++) {
        struct hf_fact_event element = {.field = event.field};
        struct hf_value v, key = {0};
        if (!hf_budget_work(w->facts->object.budget, 1)) {
            w->ended = true;
            return;
        }
        if (event.field->type == HF_FACT_DICT)
            v = hf_facts_entry(w->facts, event.field, list, i, &key);
        else
            v = hf_facts_index(w->facts, event.field, list, i);
        if (key.defined)
            element.name = key.string;
        if (v.type != HF_FACT_STRUCT) {
            tell_value(w, element, v); /* also undefined ones: their places count */
            continue;
        }
        element.kind = HF_FACT_EVENT_OPEN;
        element.type = HF_FACT_STRUCT;
        tell(w, &element);
        size_t first = event.field->type == HF_FACT_DICT ? 1 : 0;
        walk_members(w, event.field->record, v.record, first, depth + 2);
        close_event(w, element, 0);
    }
    close_event(w, event, list.list.count - shown);
}

static void walk_value(struct walk *w, struct hf_fact_event event, struct hf_value value,
                       unsigned depth)
{
    if (!value.defined || depth + 2 > HF_FACT_DEPTH_MAX)
        return;
    if (value.type == HF_FACT_ARRAY || value.type == HF_FACT_DICT) {
        walk_list(w, event, value, depth);
        return;
    }
    if (value.type != HF_FACT_STRUCT) {
        tell_value(w, event, value);
        return;
    }
    event.kind = HF_FACT_EVENT_OPEN;
    event.type = HF_FACT_STRUCT;
    unsigned kept = w->kept_count;
    w->kept[w->kept_count++] = event;
    walk_members(w, event.field->record, value.record, 0, depth + 1);
    if (w->kept_count > kept)
        w->kept_count = kept; /* nothing was in it */
    else if (!w->ended)
        close_event(w, event, 0);
}

bool hf_facts_walk(struct hf_facts *facts, size_t module, struct hf_fact_bounds bounds,
                   hf_fact_visit *visit, void *user)
{
    struct walk w = {.facts = facts, .bounds = bounds, .visit = visit, .user = user};
    const struct hf_fact_module *m = facts->modules[module];
    (void)hf_facts_need(facts, m, (2u << m->group_count) - 2);
    struct hf_fact_event event = {
        .kind = HF_FACT_EVENT_OPEN, .type = HF_FACT_STRUCT, .name = hf_bytes_text(m->name)};
    w.kept[w.kept_count++] = event;
    for (size_t i = 0; i < m->record->field_count && !w.ended; i++) {
        const struct hf_fact_field *f = &m->record->fields[i];
        if (f->repr == HF_REPR_CONSTANT || f->type == HF_FACT_FUNCTION || f->group == 0)
            continue;
        struct hf_fact_event member = {.name = hf_bytes_text(f->name), .field = f};
        walk_value(&w, member, hf_facts_get(facts, module, i), 1);
    }
    if (w.kept_count == 0 && !w.ended)
        close_event(&w, event, 0);
    return !w.ended;
}
