#include "pattern/hex.h"

#include "base/cursor.h"

enum { DEPTH_MAX = 100 };

struct parser {
    struct hf_cursor c;
    struct hf_arena *arena;
    struct hf_pattern_error *error;
    enum hf_status status;
    unsigned depth;
};

static struct hf_node *fail(struct parser *p, enum hf_status status, const char *text)
{
    if (p->status == HF_OK) {
        p->status = status;
        p->error->at = p->c.pos;
        p->error->text = text;
    }
    return NULL;
}

static struct hf_node *checked(struct parser *p, struct hf_node *node)
{
    return node != NULL ? node : fail(p, HF_NOMEM, "out of memory");
}

/* Blanks and comments, both kinds. An open comment runs to the end. */
static void skip_blanks(struct parser *p)
{
    for (;;) {
        if (hf_peek_equal(&p->c, "//", 2)) {
            (void)hf_take_until(&p->c, '\n', SIZE_MAX, NULL);
        } else if (hf_peek_equal(&p->c, "/*", 2)) {
            hf_skip(&p->c, 2);
            size_t end = hf_find(&p->c, "*/", 2, UINT64_MAX);
            hf_seek(&p->c, end == SIZE_MAX ? p->c.len : end + 2);
        } else if (hf_peek_equal(&p->c, " ", 1) || hf_peek_equal(&p->c, "\n", 1) ||
                   hf_peek_equal(&p->c, "\r", 1) || hf_peek_equal(&p->c, "\t", 1)) {
            hf_skip(&p->c, 1);
        } else {
            return;
        }
    }
}

/* The next byte that is no blank, without taking it; 0 at the end. */
static uint8_t peek(struct parser *p)
{
    skip_blanks(p);
    struct hf_cursor c = p->c;
    return hf_u8(&c);
}

static bool accept(struct parser *p, uint8_t byte)
{
    if (peek(p) != byte)
        return false;
    hf_skip(&p->c, 1);
    return true;
}

/* One nibble: 0..15, 16 for '?', -1 for anything else. */
static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return c == '?' ? 16 : -1;
}

static struct hf_node *parse_byte(struct parser *p, bool negated)
{
    int high = nibble(hf_u8(&p->c)), low = high < 0 ? -1 : nibble(hf_u8(&p->c));
    if (low < 0)
        return fail(p, HF_MALFORMED, "two hexadecimal digits or ? expected");
    uint8_t mask = (uint8_t)((high < 16 ? 0xF0 : 0) | (low < 16 ? 0x0F : 0));
    uint8_t value = (uint8_t)((high & 15) << 4 | (low & 15));
    if (negated && mask == 0)
        return fail(p, HF_MALFORMED, "~?? matches nothing");
    return checked(p, hf_node_byte(p->arena, value, mask, negated));
}

enum { GAP_MAX = 1 << 30 };

static bool read_number(struct parser *p, uint64_t *value)
{
    bool any = false;
    skip_blanks(p);
    for (*value = 0;; any = true) {
        struct hf_cursor c = p->c;
        int d = nibble(hf_u8(&c));
        if (d < 0 || d > 9)
            return any;
        hf_skip(&p->c, 1);
        if (*value <= INT32_MAX)
            *value = *value * 10 + (uint64_t)d;
    }
}

/* Behind "[": n] n-m] n-] -]; no [-m], and no blanks inside a number: so it is in YARA. */
static struct hf_node *parse_jump(struct parser *p)
{
    uint64_t low = 0, high = 0;
    bool has_low = read_number(p, &low), dash = accept(p, '-');
    bool has_high = dash && read_number(p, &high);
    if (!accept(p, ']') || (!has_low && (!dash || has_high)))
        return fail(p, HF_MALFORMED, "bad jump");
    if (!dash)
        high = low;
    if (low > INT32_MAX || ((has_high || !dash) && high > INT32_MAX))
        return fail(p, HF_LIMIT, "jump bound too large");
    /* A gap of a GiB and more is as good as one without end, and needs no counter. */
    bool unbounded = dash && (!has_high || high > GAP_MAX);
    if (!unbounded && low > high)
        return fail(p, HF_MALFORMED, "invalid jump range");
    if (!dash && high == 0)
        return fail(p, HF_MALFORMED, "invalid jump length 0");
    if (unbounded && p->depth > 0)
        return fail(p, HF_MALFORMED, "unbounded jumps are not allowed inside alternation");
    struct hf_node *any = checked(p, hf_node_byte(p->arena, 0, 0, false));
    return any == NULL
               ? NULL
               : checked(p, hf_node_repeat(p->arena, any, (uint32_t)low,
                                           unbounded ? HF_REPEAT_UNBOUNDED : (uint32_t)high,
                                           true));
}

static struct hf_node *parse_sequence(struct parser *p);

/* Behind "(". */
static struct hf_node *parse_alternatives(struct parser *p)
{
    if (p->depth == DEPTH_MAX)
        return fail(p, HF_LIMIT, "alternatives are nested too deep");
    p->depth++;
    struct hf_node_list list = {0};
    do {
        struct hf_node *node = parse_sequence(p);
        if (node == NULL)
            return NULL;
        hf_node_append(&list, node);
    } while (accept(p, '|'));
    p->depth--;
    if (!accept(p, ')'))
        return fail(p, HF_MALFORMED, "missing )");
    return checked(p, hf_node_of_list(p->arena, HF_NODE_ALTERNATE, &list));
}

static struct hf_node *parse_sequence(struct parser *p)
{
    struct hf_node_list list = {0};
    bool last_is_jump = false;
    for (uint8_t next; (next = peek(p)) != 0 && next != '|' && next != ')';) {
        struct hf_node *node;
        bool jump = next == '[';
        if (jump && list.count == 0)
            return fail(p, HF_MALFORMED, "a jump cannot stand at the start");
        if (next == '(' || next == '[' || next == '~')
            hf_skip(&p->c, 1);
        node = jump          ? parse_jump(p)
               : next == '(' ? parse_alternatives(p)
                             : parse_byte(p, next == '~');
        if (node == NULL)
            return NULL;
        hf_node_append(&list, node);
        last_is_jump = jump;
    }
    if (last_is_jump)
        return fail(p, HF_MALFORMED, "a jump cannot stand at the end");
    if (list.count == 0)
        return fail(p, HF_MALFORMED, "bytes expected");
    return checked(p, hf_node_of_list(p->arena, HF_NODE_CONCAT, &list));
}

enum hf_status hf_hex_parse(struct hf_bytes text, struct hf_arena *arena,
                            struct hf_node **root, struct hf_pattern_error *error)
{
    struct parser p = {
        .c = hf_cursor_open(text.data, text.len, NULL), .arena = arena, .error = error};
    *root = parse_sequence(&p);
    if (p.status == HF_OK && peek(&p) != 0)
        fail(&p, HF_MALFORMED, "unexpected character");
    if (p.status == HF_OK && hf_cursor_left(&p.c) > 0)
        fail(&p, HF_MALFORMED, "unexpected character");
    return p.status;
}
