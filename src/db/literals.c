#include "db/literals.h"

void hf_literals_done(struct hf_literals *literals)
{
    hf_arena_free(literals->arena);
    *literals = (struct hf_literals){0};
}

static enum hf_status add(struct hf_literals *l, struct hf_bytes bytes, bool nocase,
                          uint32_t number)
{
    struct hf_literal *items =
        hf_arena_grow(l->arena, l->items, l->count, sizeof *l->items);
    if (items == NULL)
        return HF_NOMEM;
    l->items = items;
    l->items[l->count++] =
        (struct hf_literal){.bytes = bytes, .nocase = nocase, .id = number};
    return HF_OK;
}

/* Each byte followed by 00. */
static struct hf_bytes widened(struct hf_arena *arena, struct hf_bytes text)
{
    uint8_t *wide = hf_arena_array(arena, text.len, 2);
    for (size_t i = 0; wide != NULL && i < text.len; i++)
        wide[i * 2] = text.data[i];
    return hf_bytes_of(wide, wide == NULL ? 0 : text.len * 2);
}

enum hf_status hf_literals_add(struct hf_literals *literals,
                               const struct hf_pattern *pattern, uint32_t number)
{
    enum { OTHER_FORMS = HF_PATTERN_XOR | HF_PATTERN_BASE64 | HF_PATTERN_BASE64WIDE };
    if (pattern->kind != HF_PATTERN_LITERAL || (pattern->flags & OTHER_FORMS) != 0)
        return HF_UNSUPPORTED;
    if (literals->arena == NULL)
        literals->arena = hf_arena_new(SIZE_MAX / 2);
    if (literals->arena == NULL)
        return HF_NOMEM;
    bool nocase = (pattern->flags & HF_PATTERN_NOCASE) != 0;
    bool wide = (pattern->flags & HF_PATTERN_WIDE) != 0;
    enum hf_status st = HF_OK;
    if (!wide || (pattern->flags & HF_PATTERN_ASCII) != 0)
        st = add(literals, pattern->text, nocase, number);
    if (st == HF_OK && wide) {
        struct hf_bytes text = widened(literals->arena, pattern->text);
        st = text.data == NULL ? HF_NOMEM : add(literals, text, nocase, number);
    }
    return st;
}
