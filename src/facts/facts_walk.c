#include "facts/facts.h"

#include <stdio.h>

/* The walk keeps opened structs back until something in them is defined, so that visitors never
 * see an empty one. Elements of lists are not kept back: their places count. */
struct walk {
    struct hf_facts *facts;
    const struct hf_fact_module *module;
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

/* ---- names of numbers ---- */

static const struct hf_fact_naming *naming_of(const struct walk *w,
                                              const struct hf_fact_record *record,
                                              const char *field)
{
    for (size_t i = 0; i < w->module->naming_count; i++) {
        const struct hf_fact_naming *n = &w->module->namings[i];
        if (n->record == record && strcmp(n->field, field) == 0)
            return n;
    }
    return NULL;
}

static bool starts(const char *text, const char *with)
{
    return with == NULL || strncmp(text, with, strlen(with)) == 0;
}

static bool is_named_by(const struct hf_fact_field *f, const struct hf_fact_naming *naming)
{
    return f->repr == HF_REPR_CONSTANT && starts(f->name, naming->constants) &&
           starts(f->help, naming->help);
}

/* Constants of one bit each; such as are masks of several or nothing are left out. */
static struct hf_bytes label_bits(const struct hf_fact_record *constants,
                                  const struct hf_fact_naming *naming, uint64_t value,
                                  char room[HF_FACT_LABEL_MAX])
{
    size_t len = 0, skip = naming->constants != NULL ? strlen(naming->constants) : 0;
    uint64_t rest = value;
    for (size_t i = 0; i < constants->field_count && rest != 0; i++) {
        const struct hf_fact_field *f = &constants->fields[i];
        uint64_t bit = (uint64_t)f->constant;
        if (bit == 0 || (bit & (bit - 1)) != 0 || (rest & bit) == 0 ||
            !is_named_by(f, naming))
            continue;
        int n = snprintf(room + len, HF_FACT_LABEL_MAX - len, "%s%s", len > 0 ? " " : "",
                         f->name + skip);
        if (n < 0 || (size_t)n >= HF_FACT_LABEL_MAX - len)
            break;
        len += (size_t)n;
        rest &= ~bit;
    }
    if (rest != 0 && len > 0) {
        int n = snprintf(room + len, HF_FACT_LABEL_MAX - len, " 0x%llx",
                         (unsigned long long)rest);
        len += n > 0 && (size_t)n < HF_FACT_LABEL_MAX - len ? (size_t)n : 0;
    }
    return hf_bytes_of(room, len);
}

struct hf_bytes hf_fact_label(const struct hf_fact_module *module,
                              const struct hf_fact_naming *naming, int64_t value,
                              char room[HF_FACT_LABEL_MAX])
{
    const struct hf_fact_record *constants = module->record;
    if (naming->bits)
        return label_bits(constants, naming, (uint64_t)value, room);
    for (size_t i = 0; i < constants->field_count; i++) {
        const struct hf_fact_field *f = &constants->fields[i];
        if (f->constant == value && is_named_by(f, naming))
            return hf_bytes_text(
                f->name + (naming->constants != NULL ? strlen(naming->constants) : 0));
    }
    return (struct hf_bytes){0};
}

/* ---- values ---- */

static void tell_value(struct walk *w, struct hf_fact_event event, struct hf_value value,
                       const struct hf_fact_naming *naming)
{
    char room[HF_FACT_LABEL_MAX];
    if (naming != NULL && value.defined && value.type == HF_FACT_INT)
        event.label = hf_fact_label(w->module, naming, value.integer, room);
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
                       const struct hf_fact_naming *naming, unsigned depth);

static void walk_members(struct walk *w, const struct hf_fact_record *record,
                         const void *data, size_t first, unsigned depth)
{
    for (size_t i = first; i < record->field_count && !w->ended; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->repr == HF_REPR_CONSTANT || f->type == HF_FACT_FUNCTION)
            continue;
        struct hf_fact_event event = {.name = hf_bytes_text(f->name), .field = f};
        walk_value(w, event, hf_facts_member(w->facts, record, data, i),
                   naming_of(w, record, f->name), depth);
    }
}

/* Whether a later entry of a dictionary has the key: that one counts. */
static bool comes_again(struct walk *w, const struct hf_fact_field *field,
                        struct hf_value dict, size_t at, struct hf_bytes key)
{
    for (size_t i = at + 1; i < dict.list.count; i++) {
        struct hf_value other;
        if (!hf_budget_work(w->facts->object.budget, 1))
            return false;
        (void)hf_facts_entry(w->facts, field, dict, i, &other);
        if (other.defined && hf_bytes_equal(other.string, key))
            return true;
    }
    return false;
}

static void walk_list(struct walk *w, struct hf_fact_event event, struct hf_value list,
                      const struct hf_fact_naming *naming, unsigned depth)
{
    char room[HF_FACT_LABEL_MAX];
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
        if (key.defined && comes_again(w, event.field, list, i, key.string))
            continue;
        if (v.type != HF_FACT_STRUCT) {
            tell_value(w, element, v, naming); /* also undefined ones: their places count */
            continue;
        }
        if (naming != NULL)
            element.label = hf_fact_label(w->module, naming, (int64_t)i, room);
        element.kind = HF_FACT_EVENT_OPEN;
        element.type = HF_FACT_STRUCT;
        tell(w, &element);
        size_t first = event.field->type == HF_FACT_DICT ? 1 : 0;
        walk_members(w, event.field->record, v.record, first, depth + 2);
        element.label = (struct hf_bytes){0};
        close_event(w, element, 0);
    }
    close_event(w, event, list.list.count - shown);
}

static void walk_value(struct walk *w, struct hf_fact_event event, struct hf_value value,
                       const struct hf_fact_naming *naming, unsigned depth)
{
    if (!value.defined || depth + 2 > HF_FACT_DEPTH_MAX)
        return;
    if (value.type == HF_FACT_ARRAY || value.type == HF_FACT_DICT) {
        walk_list(w, event, value, naming, depth);
        return;
    }
    if (value.type != HF_FACT_STRUCT) {
        tell_value(w, event, value, naming);
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

/* Functions of the whole object that give a text: imphash() and the like. */
static bool is_digest(const struct hf_fact_field *f)
{
    return f->type == HF_FACT_FUNCTION && f->result == HF_FACT_STRING && f->call != NULL &&
           f->signature[0] == '\0';
}

bool hf_facts_walk(struct hf_facts *facts, size_t module, struct hf_fact_bounds bounds,
                   hf_fact_visit *visit, void *user)
{
    const struct hf_fact_module *m = facts->modules[module];
    struct walk w = {
        .facts = facts, .module = m, .bounds = bounds, .visit = visit, .user = user};
    (void)hf_facts_need(facts, m, (2u << m->group_count) - 2);
    struct hf_fact_event event = {
        .kind = HF_FACT_EVENT_OPEN, .type = HF_FACT_STRUCT, .name = hf_bytes_text(m->name)};
    w.kept[w.kept_count++] = event;
    for (size_t i = 0; i < m->record->field_count && !w.ended; i++) {
        const struct hf_fact_field *f = &m->record->fields[i];
        struct hf_fact_event member = {.name = hf_bytes_text(f->name), .field = f};
        if (is_digest(f)) {
            struct hf_value digest = hf_facts_call(facts, f, NULL);
            if (digest.defined)
                tell_value(&w, member, digest, NULL);
            continue;
        }
        if (f->repr == HF_REPR_CONSTANT || f->type == HF_FACT_FUNCTION || f->group == 0)
            continue;
        walk_value(&w, member, hf_facts_get(facts, module, i),
                   naming_of(&w, m->record, f->name), 1);
    }
    if (w.kept_count == 0 && !w.ended)
        close_event(&w, event, 0);
    return !w.ended;
}

bool hf_facts_walk_notes(const struct hf_notes *notes, hf_fact_visit *visit, void *user)
{
    struct hf_fact_event list = {
        .kind = HF_FACT_EVENT_OPEN, .type = HF_FACT_ARRAY, .name = hf_bytes_text("notes")};
    if (notes->count == 0)
        return true;
    bool going = visit(user, &list);
    for (size_t i = 0; i < notes->count && going; i++) {
        const struct hf_note *n = &notes->items[i];
        struct hf_fact_event row = {.kind = HF_FACT_EVENT_OPEN, .type = HF_FACT_STRUCT};
        struct hf_fact_event offset = {.kind = HF_FACT_EVENT_VALUE,
                                       .type = HF_FACT_INT,
                                       .name = hf_bytes_text("offset"),
                                       .value = hf_value_int((int64_t)n->at)};
        struct hf_fact_event text = {.kind = HF_FACT_EVENT_VALUE,
                                     .type = HF_FACT_STRING,
                                     .name = hf_bytes_text("text"),
                                     .value = hf_value_string(hf_bytes_text(n->text))};
        going = visit(user, &row) && visit(user, &offset) && visit(user, &text);
        row.kind = HF_FACT_EVENT_CLOSE;
        going = going && visit(user, &row);
    }
    list.kind = HF_FACT_EVENT_CLOSE;
    list.left_out = notes->dropped;
    return going && visit(user, &list);
}
