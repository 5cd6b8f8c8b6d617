#include "pattern/regex.h"

#include "base/cursor.h"

enum { DEPTH_MAX = 100 };

struct parser {
    struct hf_cursor c; /* our own text: no budget */
    struct hf_regex_options options;
    struct hf_arena *arena;
    struct hf_pattern_error *error;
    enum hf_status status;
    unsigned depth;
    bool has_lazy, has_greedy;
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

static bool at_end(const struct parser *p)
{
    return hf_cursor_left(&p->c) == 0;
}

/* The next byte without taking it; 0 at the end (a zero byte is no operator). */
static uint8_t peek(const struct parser *p)
{
    struct hf_cursor c = p->c;
    return hf_u8(&c);
}

static bool accept(struct parser *p, uint8_t byte)
{
    if (at_end(p) || peek(p) != byte)
        return false;
    hf_skip(&p->c, 1);
    return true;
}

/* ---- sets of bytes ---- */

static void set_add(uint8_t set[32], uint8_t byte)
{
    set[byte >> 3] |= (uint8_t)(1u << (byte & 7));
}

static void set_add_range(uint8_t set[32], unsigned first, unsigned last)
{
    for (unsigned b = first; b <= last; b++)
        set_add(set, (uint8_t)b);
}

static void set_invert(uint8_t set[32])
{
    for (unsigned i = 0; i < 32; i++)
        set[i] = (uint8_t)~set[i];
}

static void set_fold(uint8_t set[32])
{
    for (unsigned upper = 'A'; upper <= 'Z'; upper++) {
        unsigned lower = upper | 0x20;
        bool any = (set[upper >> 3] >> (upper & 7) & 1) != 0 ||
                   (set[lower >> 3] >> (lower & 7) & 1) != 0;
        if (any) {
            set_add(set, (uint8_t)upper);
            set_add(set, (uint8_t)lower);
        }
    }
}

/* Add a class escape (\w and kin) to a set. False: the letter is none. */
static bool add_named_class(uint8_t set[32], uint8_t letter)
{
    uint8_t named[32] = {0};
    switch (letter | 0x20) {
    case 'd': set_add_range(named, '0', '9'); break;
    case 'w':
        set_add_range(named, '0', '9');
        set_add_range(named, 'A', 'Z');
        set_add_range(named, 'a', 'z');
        set_add(named, '_');
        break;
    case 's':
        set_add_range(named, 9, 13);
        set_add(named, ' ');
        break;
    default: return false;
    }
    if ((letter & 0x20) == 0)
        set_invert(named);
    for (unsigned i = 0; i < 32; i++)
        set[i] |= named[i];
    return true;
}

/* The byte that an escape stands for; behind the backslash. Unknown ones stand for themselves. */
static uint8_t escaped_byte(struct parser *p)
{
    uint8_t letter = hf_u8(&p->c);
    switch (letter) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'f': return '\f';
    case 'a': return '\a';
    case 'x': {
        unsigned value = 0;
        for (int i = 0; i < 2; i++) {
            uint8_t d = hf_u8(&p->c);
            unsigned digit = d >= '0' && d <= '9' ? d - 48u
                             : (d | 0x20) >= 'a' && (d | 0x20) <= 'f'
                                 ? (d | 0x20) - 'a' + 10u
                                 : 16;
            if (digit > 15 || p->c.failed)
                fail(p, HF_MALFORMED, "\\x needs two hexadecimal digits");
            value = value << 4 | (digit & 15);
        }
        return (uint8_t)value;
    }
    default: return letter;
    }
}

/* One member of a class in brackets: a byte (returned), or a named class that was added (-1). */
static int class_member(struct parser *p, uint8_t set[32])
{
    uint8_t byte = hf_u8(&p->c);
    if (byte != '\\')
        return byte;
    if (at_end(p)) {
        fail(p, HF_MALFORMED, "escape at the end");
        return -1;
    }
    if (add_named_class(set, peek(p))) {
        hf_skip(&p->c, 1);
        return -1;
    }
    return escaped_byte(p);
}

/* The byte behind a dash; -1: there is none. */
static int range_end(struct parser *p)
{
    uint8_t byte = hf_u8(&p->c);
    if (byte == '\\' && at_end(p))
        fail(p, HF_MALFORMED, "escape at the end");
    if (p->status != HF_OK || p->c.failed)
        return -1;
    return byte == '\\' ? escaped_byte(p) : byte;
}

/* Behind the opening bracket. */
static struct hf_node *parse_class(struct parser *p)
{
    uint8_t set[32] = {0};
    bool inverted = accept(p, '^'), first = true;
    while (first || peek(p) != ']' || at_end(p)) {
        if (at_end(p))
            return fail(p, HF_MALFORMED, "missing terminating ] for character class");
        first = false;
        int low = class_member(p, set);
        struct hf_cursor ahead = p->c;
        bool dash = hf_u8(&ahead) == '-', closes = hf_u8(&ahead) == ']';
        if (low >= 0 && dash && !closes && !ahead.failed) {
            hf_skip(&p->c, 1);
            /* As the end of a range \d is a d: so YARA reads it. */
            const int high = range_end(p);
            if (high < low)
                return fail(p, HF_MALFORMED, "bad character range");
            set_add_range(set, (unsigned)low, (unsigned)high);
        } else if (low >= 0) {
            set_add(set, (uint8_t)low);
        }
        if (p->status != HF_OK)
            return NULL;
    }
    hf_skip(&p->c, 1);
    if (p->options.nocase)
        set_fold(set);
    if (inverted)
        set_invert(set);
    return checked(p, hf_node_class(p->arena, set));
}

/* ---- atoms ---- */

static struct hf_node *literal(struct parser *p, uint8_t byte)
{
    bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    uint8_t mask = p->options.nocase && letter ? 0xDF : 0xFF;
    return checked(p, hf_node_byte(p->arena, byte, mask, false));
}

static struct hf_node *assertion(struct parser *p, enum hf_assertion which)
{
    struct hf_node *node = checked(p, hf_node_new(p->arena, HF_NODE_ASSERT));
    if (node != NULL)
        node->assertion = which;
    return node;
}

static struct hf_node *parse_alternatives(struct parser *p);

static struct hf_node *parse_group(struct parser *p)
{
    if (p->depth == DEPTH_MAX)
        return fail(p, HF_LIMIT, "groups are nested too deep");
    p->depth++;
    struct hf_node *inner = parse_alternatives(p);
    p->depth--;
    if (inner != NULL && !accept(p, ')'))
        return fail(p, HF_MALFORMED, "missing )");
    return inner;
}

/* What stands behind a backslash. repeatable: false for assertions. */
static struct hf_node *parse_escape(struct parser *p, bool *repeatable)
{
    if (at_end(p))
        return fail(p, HF_MALFORMED, "escape at the end");
    uint8_t set[32] = {0};
    if (add_named_class(set, peek(p))) {
        hf_skip(&p->c, 1);
        return checked(p, hf_node_class(p->arena, set));
    }
    *repeatable = peek(p) != 'b' && peek(p) != 'B';
    if (accept(p, 'b'))
        return assertion(p, HF_ASSERT_WORD);
    if (accept(p, 'B'))
        return assertion(p, HF_ASSERT_NOT_WORD);
    if (peek(p) >= '1' && peek(p) <= '9')
        return fail(p, HF_MALFORMED, "backreferences are not allowed");
    uint8_t byte = escaped_byte(p);
    return p->status == HF_OK ? literal(p, byte) : NULL;
}

static struct hf_node *parse_atom(struct parser *p, bool *repeatable)
{
    *repeatable = true;
    uint8_t byte = hf_u8(&p->c);
    switch (byte) {
    case '(': return parse_group(p);
    case '[': return parse_class(p);
    case '.':
        return checked(p, p->options.dot_all ? hf_node_byte(p->arena, 0, 0, false)
                                             : hf_node_byte(p->arena, '\n', 0xFF, true));
    case '^': *repeatable = false; return assertion(p, HF_ASSERT_START);
    case '$': *repeatable = false; return assertion(p, HF_ASSERT_END);
    case '\\': return parse_escape(p, repeatable);
    case '*':
    case '+':
    case '?': return fail(p, HF_MALFORMED, "nothing to repeat");
    default: return literal(p, byte);
    }
}

/* ---- repetitions ---- */

static bool read_bound(struct hf_cursor *c, uint32_t *bound)
{
    bool any = false;
    *bound = 0;
    for (;;) {
        struct hf_cursor before = *c;
        uint8_t d = hf_u8(c);
        if (d < '0' || d > '9') {
            *c = before;
            return any;
        }
        any = true;
        if (*bound <= HF_REPEAT_MAX)
            *bound = *bound * 10 + (uint32_t)(d - '0');
    }
}

static void skip_spaces(struct hf_cursor *c)
{
    while (hf_peek_equal(c, " ", 1))
        hf_skip(c, 1);
}

/* "{n}", "{n,}", "{,m}", "{n,m}", spaces behind the comma allowed. False, and not moved, when the
 * brace begins no repetition: it is a literal then. */
static bool parse_braces(struct parser *p, uint32_t *min, uint32_t *max)
{
    struct hf_cursor c = p->c;
    hf_skip(&c, 1);
    bool low = read_bound(&c, min), high = false;
    bool comma = hf_peek_equal(&c, ",", 1);
    if (comma) {
        hf_skip(&c, 1);
        skip_spaces(&c);
        high = read_bound(&c, max);
    }
    if (hf_u8(&c) != '}' || c.failed || (!low && !high))
        return false;
    if (!low)
        *min = 0;
    if (!comma)
        *max = *min;
    else if (!high)
        *max = HF_REPEAT_UNBOUNDED;
    p->c = c;
    return true;
}

/* Whether a repetition follows; its bounds. */
static bool parse_repetition(struct parser *p, uint32_t *min, uint32_t *max)
{
    static const struct {
        uint8_t sign;
        uint32_t min, max;
    } signs[] = {{'*', 0, HF_REPEAT_UNBOUNDED}, {'+', 1, HF_REPEAT_UNBOUNDED}, {'?', 0, 1}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (accept(p, signs[i].sign)) {
            *min = signs[i].min;
            *max = signs[i].max;
            return true;
        }
    return peek(p) == '{' && !at_end(p) && parse_braces(p, min, max);
}

static struct hf_node *parse_repeated(struct parser *p)
{
    bool repeatable;
    struct hf_node *atom = parse_atom(p, &repeatable);
    uint32_t min = 0, max = 0;
    if (atom == NULL || !repeatable || !parse_repetition(p, &min, &max))
        return atom;
    if (max == 0 || (max != HF_REPEAT_UNBOUNDED && min > max))
        return fail(p, HF_MALFORMED, "bad repeat interval");
    if (min > HF_REPEAT_MAX || (max != HF_REPEAT_UNBOUNDED && max > HF_REPEAT_MAX))
        return fail(p, HF_LIMIT, "repeat interval too large");
    bool lazy = accept(p, '?');
    uint32_t again_min, again_max;
    if (parse_repetition(p, &again_min, &again_max))
        return fail(p, HF_MALFORMED, "a repetition of a repetition");
    p->has_lazy = p->has_lazy || lazy;
    p->has_greedy = p->has_greedy || !lazy;
    return checked(p, hf_node_repeat(p->arena, atom, min, max, lazy));
}

/* ---- the whole ---- */

static struct hf_node *parse_sequence(struct parser *p)
{
    struct hf_node_list list = {0};
    while (!at_end(p) && peek(p) != '|' && peek(p) != ')') {
        struct hf_node *node = parse_repeated(p);
        if (node == NULL)
            return NULL;
        hf_node_append(&list, node);
    }
    return checked(p, hf_node_of_list(p->arena, HF_NODE_CONCAT, &list));
}

static struct hf_node *parse_alternatives(struct parser *p)
{
    struct hf_node_list list = {0};
    do {
        struct hf_node *node = parse_sequence(p);
        if (node == NULL)
            return NULL;
        /* (abc|) is fine, (|abc) and () are not: so it is in YARA's grammar. */
        if (node->kind == HF_NODE_EMPTY && list.count == 0)
            return fail(p, HF_MALFORMED, "an alternative is empty");
        hf_node_append(&list, node);
    } while (accept(p, '|'));
    return checked(p, hf_node_of_list(p->arena, HF_NODE_ALTERNATE, &list));
}

enum hf_status hf_regex_parse(struct hf_bytes text, const struct hf_regex_options *options,
                              struct hf_arena *arena, struct hf_regex *regex,
                              struct hf_pattern_error *error)
{
    struct parser p = {
        .c = hf_cursor_open(text.data, text.len, NULL),
        .options = *options,
        .arena = arena,
        .error = error,
    };
    *regex = (struct hf_regex){.root = parse_alternatives(&p)};
    if (p.status == HF_OK && !at_end(&p))
        fail(&p, HF_MALFORMED, "unexpected )");
    if (p.status == HF_OK && p.has_lazy && p.has_greedy)
        fail(&p, HF_MALFORMED,
             "greedy and ungreedy quantifiers can't be mixed in a regular "
             "expression");
    regex->lazy = p.has_lazy;
    return p.status;
}
