#include "cli/fact_tree.h"

static struct hf_fact_node *add(struct hf_arena *arena, struct hf_fact_node ***end,
                                const struct hf_fact_event *event)
{
    struct hf_fact_node *node = hf_arena_alloc(arena, sizeof *node);
    if (node == NULL)
        return NULL;
    node->type = event->type;
    node->name = event->name;
    node->value = event->value;
    node->label = event->label;
    node->left_out = event->left_out;
    **end = node;
    *end = &node->next;
    return node;
}

enum hf_status hf_fact_tree_read(struct hf_bytes facts, struct hf_arena *arena,
                                 struct hf_fact_node **out)
{
    struct hf_fact_wire_reader reader = hf_fact_wire_open(facts);
    struct hf_fact_node *open[HF_FACT_DEPTH_MAX], **ends[HF_FACT_DEPTH_MAX + 1];
    unsigned depth = 0; /* the reader's, before the event */
    struct hf_fact_event event;
    enum hf_status st;
    *out = NULL;
    ends[0] = out;
    while ((st = hf_fact_wire_next(&reader, &event)) == HF_OK) {
        if (event.kind == HF_FACT_EVENT_CLOSE) {
            open[--depth]->left_out = event.left_out;
            continue;
        }
        struct hf_fact_node *node = add(arena, &ends[depth], &event);
        if (node == NULL)
            return HF_NOMEM;
        if (depth > 0)
            open[depth - 1]->count++;
        if (event.kind == HF_FACT_EVENT_OPEN) {
            open[depth++] = node;
            ends[depth] = &node->first;
        }
    }
    return st == HF_NOTFOUND ? HF_OK : st;
}
