#include "pattern/ast.h"

struct hf_node *hf_node_new(struct hf_arena *arena, enum hf_node_kind kind)
{
    struct hf_node *node = hf_arena_alloc(arena, sizeof *node);
    if (node != NULL)
        node->kind = kind;
    return node;
}

struct hf_node *hf_node_byte(struct hf_arena *arena, uint8_t value, uint8_t mask,
                             bool negated)
{
    struct hf_node *node = hf_node_new(arena, HF_NODE_BYTE);
    if (node != NULL) {
        node->value = value & mask;
        node->mask = mask;
        node->negated = negated;
    }
    return node;
}

struct hf_node *hf_node_class(struct hf_arena *arena, const uint8_t set[32])
{
    struct hf_node *node = hf_node_new(arena, HF_NODE_CLASS);
    uint8_t *copy = hf_arena_alloc(arena, 32);
    if (node == NULL || copy == NULL)
        return NULL;
    memcpy(copy, set, 32);
    node->set = copy;
    return node;
}

struct hf_node *hf_node_repeat(struct hf_arena *arena, struct hf_node *child, uint32_t min,
                               uint32_t max, bool lazy)
{
    struct hf_node *node = child == NULL ? NULL : hf_node_new(arena, HF_NODE_REPEAT);
    if (node != NULL) {
        node->child = child;
        node->min = min;
        node->max = max;
        node->lazy = lazy;
    }
    return node;
}

void hf_node_append(struct hf_node_list *list, struct hf_node *node)
{
    if (list->last == NULL)
        list->first = node;
    else
        list->last->sibling = node;
    list->last = node;
    list->count++;
}

struct hf_node *hf_node_of_list(struct hf_arena *arena, enum hf_node_kind kind,
                                const struct hf_node_list *list)
{
    if (list->count == 1)
        return list->first;
    struct hf_node *node = hf_node_new(arena, list->count == 0 ? HF_NODE_EMPTY : kind);
    if (node != NULL)
        node->child = list->first;
    return node;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > HF_LENGTH_UNBOUNDED - b ? HF_LENGTH_UNBOUNDED : a + b;
}

static uint64_t times(uint64_t a, uint64_t n)
{
    if (a == 0 || n == 0)
        return 0;
    return a > HF_LENGTH_UNBOUNDED / n ? HF_LENGTH_UNBOUNDED : a * n;
}

struct hf_length hf_node_length(const struct hf_node *node)
{
    struct hf_length all = {0, 0};
    switch (node->kind) {
    case HF_NODE_EMPTY:
    case HF_NODE_ASSERT: break;
    case HF_NODE_BYTE:
    case HF_NODE_CLASS: all = (struct hf_length){1, 1}; break;
    case HF_NODE_CONCAT:
        for (const struct hf_node *c = node->child; c != NULL; c = c->sibling) {
            struct hf_length one = hf_node_length(c);
            all.min = add(all.min, one.min);
            all.max = add(all.max, one.max);
        }
        break;
    case HF_NODE_ALTERNATE:
        all.min = HF_LENGTH_UNBOUNDED;
        for (const struct hf_node *c = node->child; c != NULL; c = c->sibling) {
            struct hf_length one = hf_node_length(c);
            all.min = one.min < all.min ? one.min : all.min;
            all.max = one.max > all.max ? one.max : all.max;
        }
        break;
    case HF_NODE_REPEAT: {
        struct hf_length one = hf_node_length(node->child);
        all.min = times(one.min, node->min);
        all.max = node->max != HF_REPEAT_UNBOUNDED ? times(one.max, node->max)
                  : one.max == 0                   ? 0
                                                   : HF_LENGTH_UNBOUNDED;
        break;
    }
    }
    return all;
}

bool hf_node_accepts(const struct hf_node *node, uint8_t byte)
{
    if (node->kind == HF_NODE_CLASS)
        return (node->set[byte >> 3] >> (byte & 7) & 1) != 0;
    return ((byte & node->mask) == node->value) != node->negated;
}
