/* anchors.c - which literal pieces to search for: a set of which every match has one. A sequence
 * offers its best run or the best set of one of its parts, an alternative needs a set from each
 * of its branches, a repetition that must come offers its child's. */
#include "pattern/code.h"

/* A set under consideration. score: the worst of its pieces; 0: no set. */
struct choice {
    struct hf_anchor *anchors;
    size_t count;
    unsigned score;
};

struct chooser {
    bool nocase;
    struct hf_arena *arena;
    size_t max;
};

/* A byte that a literal can hold: exact, or a letter in either case when case is ignored. */
static bool is_literal(const struct chooser *ch, const struct hf_node *node)
{
    if (node->kind != HF_NODE_BYTE || node->negated)
        return false;
    uint8_t letter = node->value | 0x20;
    return node->mask == 0xFF ||
           (ch->nocase && node->mask == 0xDF && letter >= 'a' && letter <= 'z');
}

/* How much a run is worth: its length, less for bytes that files are full of and for one byte
 * over and over. */
static unsigned score_of(struct hf_bytes run)
{
    unsigned score = 0;
    bool seen[256] = {false};
    for (size_t i = 0; i < run.len; i++) {
        uint8_t b = run.data[i];
        bool common = b == 0 || b == 0xFF || b == 0x20 || b == 0xCC || b == 0x90;
        score += seen[b] ? 1 : common ? 2 : 4;
        seen[b] = true;
    }
    return score;
}

/* The run of literal bytes that starts at a node, at most max of them: siblings follow each other
 * in a sequence only. */
static struct choice run_at(const struct chooser *ch, const struct hf_node *first,
                            size_t max)
{
    size_t len = 0;
    for (const struct hf_node *n = first; len < max && n != NULL && is_literal(ch, n);
         n = n->sibling)
        len++;
    struct choice c = {0};
    uint8_t *bytes = hf_arena_alloc(ch->arena, len);
    c.anchors = hf_arena_alloc(ch->arena, sizeof *c.anchors);
    if (len == 0 || bytes == NULL || c.anchors == NULL)
        return (struct choice){0};
    const struct hf_node *n = first;
    for (size_t i = 0; i < len; i++, n = n->sibling)
        bytes[i] = n->value;
    c.count = 1;
    c.anchors[0] = (struct hf_anchor){.bytes = hf_bytes_of(bytes, len),
                                      .forward = first->forward,
                                      .backward = first->backward + 1};
    c.score = score_of(c.anchors[0].bytes);
    return c;
}

static struct choice better(struct choice a, struct choice b)
{
    if (a.score != b.score)
        return a.score > b.score ? a : b;
    return a.count <= b.count ? a : b;
}

static struct choice choose(const struct chooser *ch, const struct hf_node *node);

static struct choice choose_in_sequence(const struct chooser *ch,
                                        const struct hf_node *first)
{
    struct choice best = {0};
    for (const struct hf_node *n = first; n != NULL;) {
        if (!is_literal(ch, n)) {
            best = better(best, choose(ch, n));
            n = n->sibling;
            continue;
        }
        struct choice run = run_at(ch, n, HF_ANCHOR_LENGTH_MAX);
        best = better(best, run);
        size_t skip = run.count == 0 ? 1 : run.anchors[0].bytes.len;
        while (skip-- > 0)
            n = n->sibling;
    }
    return best;
}

static struct choice choose_in_alternatives(const struct chooser *ch,
                                            const struct hf_node *first)
{
    struct choice all = {.score = UINT32_MAX};
    for (const struct hf_node *n = first; n != NULL; n = n->sibling) {
        struct choice one = choose(ch, n);
        if (one.score == 0 || all.count + one.count > ch->max)
            return (struct choice){0};
        struct hf_anchor *joined =
            hf_arena_array(ch->arena, all.count + one.count, sizeof *joined);
        if (joined == NULL)
            return (struct choice){0};
        if (all.count > 0)
            memcpy(joined, all.anchors, all.count * sizeof *joined);
        memcpy(joined + all.count, one.anchors, one.count * sizeof *joined);
        all.anchors = joined;
        all.count += one.count;
        all.score = one.score < all.score ? one.score : all.score;
    }
    return all;
}

static struct choice choose(const struct chooser *ch, const struct hf_node *node)
{
    switch (node->kind) {
    case HF_NODE_BYTE: return run_at(ch, node, 1);
    case HF_NODE_CONCAT: return choose_in_sequence(ch, node->child);
    case HF_NODE_ALTERNATE: return choose_in_alternatives(ch, node->child);
    case HF_NODE_REPEAT:
        return node->min > 0 ? choose(ch, node->child) : (struct choice){0};
    case HF_NODE_EMPTY:
    case HF_NODE_CLASS:
    case HF_NODE_ASSERT: break;
    }
    return (struct choice){0};
}

size_t code_choose_anchors(const struct hf_node *root, bool nocase, struct hf_arena *arena,
                           struct hf_anchor *anchors, size_t max)
{
    struct chooser ch = {.nocase = nocase, .arena = arena, .max = max};
    struct choice c = choose(&ch, root);
    for (size_t i = 0; i < c.count; i++)
        anchors[i] = c.anchors[i];
    return c.score == 0 ? 0 : c.count;
}
