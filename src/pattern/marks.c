/* marks.c - what ClamAV's marks (B), (L) and (W) accept. The sets of bytes were found by scanning
 * files that hold each byte once beside a mark. */
#include "pattern/ast.h"

enum { BEFORE = 1, BEHIND = 2 };

/* Which sides of a word a byte may bound. */
static const uint8_t boundary[256] = {
    ['\n'] = BEHIND,         ['\r'] = BEHIND,         [' '] = BEFORE | BEHIND,
    ['-'] = BEFORE | BEHIND, ['/'] = BEFORE | BEHIND, ['_'] = BEFORE | BEHIND,
    ['.'] = BEFORE,          ['<'] = BEFORE,          ['@'] = BEFORE,
    ['"'] = BEHIND,          ['\''] = BEHIND,         ['='] = BEHIND,
    ['>'] = BEHIND,
};

bool hf_is_boundary(uint8_t byte)
{
    return boundary[byte] != 0;
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool holds_plain(enum hf_assertion assertion, struct hf_bytes d, uint64_t at)
{
    uint64_t left = d.len - at;
    switch (assertion) {
    case HF_ASSERT_BOUNDARY_BEFORE:
        return at == 0 || (boundary[d.data[at - 1]] & BEFORE) != 0;
    case HF_ASSERT_BOUNDARY_BEHIND:
        return left == 0 || (boundary[d.data[at]] & BEHIND) != 0;
    case HF_ASSERT_LINE_BEFORE: return at == 0 || d.data[at - 1] == '\n';
    case HF_ASSERT_LINE_BEHIND:
        return left == 0 || d.data[at] == '\n' ||
               (left >= 2 && d.data[at] == '\r' && d.data[at + 1] == '\n');
    case HF_ASSERT_ALNUM_ENDS_BEFORE: return at == 0 || !is_alnum(d.data[at - 1]);
    case HF_ASSERT_ALNUM_ENDS_BEHIND: return left == 0 || !is_alnum(d.data[at]);
    case HF_ASSERT_WIDE_ENDS_BEFORE:
        return at < 2 || d.data[at - 1] != 0 || !is_alnum(d.data[at - 2]);
    case HF_ASSERT_WIDE_ENDS_BEHIND:
        return left < 2 || d.data[at + 1] != 0 || !is_alnum(d.data[at]);
    default: return false;
    }
}

bool hf_assertion_holds(enum hf_assertion assertion, struct hf_bytes data, uint64_t at)
{
    if (assertion < HF_ASSERT_BOUNDARY_BEFORE || assertion >= HF_ASSERTIONS)
        return false;
    /* Negations have odd distances from the first. */
    unsigned number = (unsigned)assertion - HF_ASSERT_BOUNDARY_BEFORE;
    bool plain = holds_plain((enum hf_assertion)(assertion - (number & 1)), data, at);
    return plain != ((number & 1) != 0);
}
