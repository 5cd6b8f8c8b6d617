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
