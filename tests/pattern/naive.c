#include "naive.h"

static bool word(struct hf_bytes d, size_t at)
{
    if (at >= d.len)
        return false;
    uint8_t c = d.data[at];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_';
}

/* ClamAV's marks, written another way: by lists of characters. */
static bool clamav_asserts(enum hf_assertion a, struct hf_bytes d, size_t at)
{
    unsigned n = (unsigned)a - HF_ASSERT_BOUNDARY_BEFORE;
    bool behind = (n & 2) != 0, negated = (n & 1) != 0, holds = false;
    bool edge = behind ? at == d.len : at == 0;
    uint8_t c = edge ? 0 : d.data[behind ? at : at - 1];
    bool alnum = word(d, behind ? at : at - 1) && c != '_';
    switch (n / 4) {
    case 0:
        holds = edge || memchr(behind ? "\n\r -/_\"'=>" : " -/_.<@", c, behind ? 10 : 7);
        break;
    case 1:
        holds = edge || c == '\n' ||
                (behind && c == '\r' && at + 1 < d.len && d.data[at + 1] == '\n');
        break;
    case 2: holds = edge || !alnum; break;
    case 3:
        holds = behind ? at + 2 > d.len || !alnum || d.data[at + 1] != 0
                       : at < 2 || c != 0 || !word(d, at - 2) || d.data[at - 2] == '_';
        break;
    default: break;
    }
    return holds != negated;
}

static bool asserts(enum hf_assertion a, struct hf_bytes d, size_t at)
{
    bool edge = (at > 0 && word(d, at - 1)) != word(d, at);
    return a == HF_ASSERT_START      ? at == 0
           : a == HF_ASSERT_END      ? at == d.len
           : a == HF_ASSERT_WORD     ? edge
           : a == HF_ASSERT_NOT_WORD ? !edge
                                     : clamav_asserts(a, d, at);
}

static bool add_all(struct positions *to, const struct positions *more)
{
    bool changed = false;
    for (size_t i = 0; i <= NAIVE_MAX; i++) {
        changed = changed || (more->at[i] && !to->at[i]);
        to->at[i] = to->at[i] || more->at[i];
    }
    return changed;
}

struct positions naive_ends(const struct hf_node *node, struct hf_bytes data,
                            struct positions from)
{
    struct positions ends = {0};
    switch (node->kind) {
    case HF_NODE_EMPTY: return from;
    case HF_NODE_BYTE:
    case HF_NODE_CLASS:
        for (size_t i = 0; i < data.len; i++)
            ends.at[i + 1] = from.at[i] && hf_node_accepts(node, data.data[i]);
        return ends;
    case HF_NODE_ASSERT:
        for (size_t i = 0; i <= data.len; i++)
            ends.at[i] = from.at[i] && asserts(node->assertion, data, i);
        return ends;
    case HF_NODE_CONCAT:
        for (const struct hf_node *n = node->child; n != NULL; n = n->sibling)
            from = naive_ends(n, data, from);
        return from;
    case HF_NODE_ALTERNATE:
        for (const struct hf_node *n = node->child; n != NULL; n = n->sibling) {
            struct positions one = naive_ends(n, data, from);
            add_all(&ends, &one);
        }
        return ends;
    case HF_NODE_REPEAT:
        for (uint32_t i = 0; i < node->min; i++)
            from = naive_ends(node->child, data, from);
        ends = from;
        for (uint32_t i = node->min; i < node->max; i++) {
            from = naive_ends(node->child, data, from);
            if (!add_all(&ends, &from) && node->max == HF_REPEAT_UNBOUNDED)
                break;
        }
        return ends;
    }
    return ends;
}

int naive_match(const struct hf_node *root, bool lazy, struct hf_bytes data, size_t start)
{
    struct positions from = {0};
    from.at[start] = true;
    struct positions ends = naive_ends(root, data, from);
    int found = -1;
    for (size_t i = start; i <= data.len; i++)
        if (ends.at[i] && (found < 0 || !lazy))
            found = (int)(i - start);
    return found;
}

/* ---- in order ---- */

struct order {
    size_t count, at[NAIVE_MAX + 1];
};

static void add_end(struct order *to, size_t at)
{
    for (size_t i = 0; i < to->count; i++)
        if (to->at[i] == at)
            return; /* there is a better way to it */
    to->at[to->count++] = at;
}

static void in_order(const struct hf_node *node, struct hf_bytes data, size_t from,
                     struct order *ends);

enum { TURNS_MAX = 64 };

/* seen: by turn and position; turns that need not be counted are one. */
static void turn_in_order(const struct hf_node *node, struct hf_bytes data, size_t from,
                          uint32_t turn, bool (*seen)[NAIVE_MAX + 1], struct order *ends)
{
    const bool may_end = turn >= node->min;
    uint32_t next = turn + 1;
    if (node->max == HF_REPEAT_UNBOUNDED && next > node->min)
        next = node->min;
    if (seen[turn][from])
        return;
    seen[turn][from] = true;
    if (may_end && node->lazy)
        add_end(ends, from);
    if (node->max == HF_REPEAT_UNBOUNDED || turn < node->max) {
        struct order once = {0};
        in_order(node->child, data, from, &once);
        for (size_t i = 0; i < once.count; i++)
            turn_in_order(node, data, once.at[i], next, seen, ends);
    }
    if (may_end && !node->lazy)
        add_end(ends, from);
}

static void sequence_in_order(const struct hf_node *first, struct hf_bytes data,
                              size_t from, struct order *ends)
{
    struct order now = {.count = 1, .at = {from}};
    for (const struct hf_node *n = first; n != NULL; n = n->sibling) {
        struct order next = {0};
        for (size_t i = 0; i < now.count; i++)
            in_order(n, data, now.at[i], &next);
        now = next;
    }
    for (size_t i = 0; i < now.count; i++)
        add_end(ends, now.at[i]);
}

static void in_order(const struct hf_node *node, struct hf_bytes data, size_t from,
                     struct order *ends)
{
    bool seen[TURNS_MAX][NAIVE_MAX + 1] = {0};
    switch (node->kind) {
    case HF_NODE_EMPTY: add_end(ends, from); break;
    case HF_NODE_BYTE:
    case HF_NODE_CLASS:
        if (from < data.len && hf_node_accepts(node, data.data[from]))
            add_end(ends, from + 1);
        break;
    case HF_NODE_ASSERT:
        if (asserts(node->assertion, data, from))
            add_end(ends, from);
        break;
    case HF_NODE_CONCAT: sequence_in_order(node->child, data, from, ends); break;
    case HF_NODE_ALTERNATE:
        for (const struct hf_node *n = node->child; n != NULL; n = n->sibling)
            in_order(n, data, from, ends);
        break;
    case HF_NODE_REPEAT: turn_in_order(node, data, from, 0, seen, ends); break;
    }
}

int naive_first(const struct hf_node *root, struct hf_bytes data, size_t start)
{
    struct order ends = {0};
    in_order(root, data, start, &ends);
    return ends.count == 0 ? -1 : (int)(ends.at[0] - start);
}
