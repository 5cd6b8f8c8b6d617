#include "rules/clamav/hexsig.h"

#include "base/auto.h"
#include "base/cursor.h"
#include "pattern/program.h"

enum {
    TEXT_MAX = 1 << 20,
    ANCHOR_GAP_MAX = 32,   /* of [n-m] */
    TEXTUAL_GAP_MAX = 127, /* {n} up to here is as many ?? and no gap between parts */
    FIXED_MIN = 2          /* fixed bytes in a row that each part needs */
};

struct parser {
    struct hf_cursor c;
    struct hf_arena *arena;
    const struct hf_hexsig_options *options;
    struct hf_pattern_error *error;
    enum hf_status status;
    unsigned depth;
    /* Of the part being read. */
    struct hf_node_list list;
    size_t units; /* atoms read so far */
    size_t fixed; /* fixed bytes in a row, up to here */
    bool has_fixed, anchored;
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

static uint8_t peek(const struct parser *p)
{
    struct hf_cursor c = p->c;
    return hf_u8(&c);
}

static bool accept(struct parser *p, const char *text)
{
    size_t n = strlen(text);
    if (!hf_peek_equal(&p->c, text, n))
        return false;
    hf_skip(&p->c, n);
    return true;
}

/* ---- bytes ---- */

/* One nibble: 0..15, 16 for '?', -1 for anything else. */
static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return c == '?' ? 16 : -1;
}

static struct hf_node *any_byte(struct parser *p)
{
    return checked(p, hf_node_byte(p->arena, 0, 0, false));
}

/* hh ?? h? ?h; whole letters in either case when case is ignored, as ClamAV: letters behind half
 * a wildcard are not. */
static struct hf_node *read_byte(struct parser *p, bool *fixed)
{
    int high = nibble(hf_u8(&p->c)), low = nibble(hf_u8(&p->c));
    if (p->c.failed || high < 0 || low < 0)
        return fail(p, HF_MALFORMED, "two hexadecimal digits or ? expected");
    uint8_t mask = (uint8_t)((high < 16 ? 0xF0 : 0) | (low < 16 ? 0x0F : 0));
    uint8_t value = (uint8_t)((high & 15) << 4 | (low & 15));
    *fixed = mask == 0xFF;
    uint8_t letter = value | 0x20;
    if (*fixed && p->options->nocase && letter >= 'a' && letter <= 'z')
        mask = 0xDF;
    return checked(p, hf_node_byte(p->arena, value, mask, false));
}

static void add(struct parser *p, struct hf_node *node)
{
    if (node != NULL && p->status == HF_OK)
        hf_node_append(&p->list, node);
}

/* A byte, with its 00 in wide text. */
static void add_byte(struct parser *p)
{
    bool fixed = false;
    add(p, read_byte(p, &fixed));
    if (p->options->wide)
        add(p, checked(p, hf_node_byte(p->arena, 0, 0xFF, false)));
    p->fixed = !fixed ? (p->options->wide ? 1 : 0) : p->fixed + (p->options->wide ? 2 : 1);
    p->has_fixed = p->has_fixed || p->fixed >= FIXED_MIN;
    p->units++;
}

static void add_gap(struct parser *p, uint32_t min, uint32_t max)
{
    struct hf_node *any = any_byte(p);
    if (any != NULL)
        add(p, checked(p, hf_node_repeat(p->arena, any, min, max, true)));
    p->fixed = 0;
}

/* ---- alternatives ---- */

static struct hf_node *read_alternatives(struct parser *p, bool *plain, uint64_t *length);

/* Up to | or ). plain: fixed bytes only. */
static struct hf_node *read_branch(struct parser *p, bool *plain, uint64_t *length)
{
    struct hf_node_list outer = p->list;
    p->list = (struct hf_node_list){0};
    for (uint8_t c; p->status == HF_OK && (c = peek(p)) != '|' && c != ')';) {
        if (accept(p, "(")) {
            bool inner_plain = true;
            uint64_t inner_length = 0;
            add(p, read_alternatives(p, &inner_plain, &inner_length));
            *plain = false;
            continue;
        }
        bool fixed = false;
        add(p, read_byte(p, &fixed));
        if (p->options->wide)
            add(p, checked(p, hf_node_byte(p->arena, 0, 0xFF, false)));
        *plain = *plain && fixed;
        *length += 1;
    }
    struct hf_node *node =
        p->status != HF_OK
            ? NULL
            : checked(p, hf_node_of_list(p->arena, HF_NODE_CONCAT, &p->list));
    p->list = outer;
    return node;
}

/* Behind "(". plain and length: all branches are fixed bytes of one length; 0: they are not. */
static struct hf_node *read_alternatives(struct parser *p, bool *plain, uint64_t *length)
{
    if (p->depth >= HF_HEXSIG_NEST_MAX)
        return fail(p, HF_LIMIT, "alternatives are nested too deep");
    p->depth++;
    struct hf_node_list list = {0};
    bool same = true;
    if (peek(p) == ')')
        return fail(p, HF_MALFORMED, "empty alternatives");
    do {
        uint64_t one = 0;
        struct hf_node *node = read_branch(p, plain, &one);
        if (node == NULL)
            return NULL;
        same = same && (list.count == 0 || one == *length);
        *length = one;
        hf_node_append(&list, node);
    } while (accept(p, "|"));
    p->depth--;
    *plain = *plain && same;
    if (!accept(p, ")"))
        return fail(p, HF_MALFORMED, "missing )");
    return checked(p, hf_node_of_list(p->arena, HF_NODE_ALTERNATE, &list));
}

/* Byte i of a branch of fixed bytes; wide text has a 00 behind each. */
static const struct hf_node *branch_byte(const struct hf_node *branch, uint64_t i)
{
    const struct hf_node *n = branch->kind == HF_NODE_CONCAT ? branch->child : branch;
    while (i-- > 0)
        n = n->sibling;
    return n;
}

/* What is `bytes` long and none of the branches, from byte `at` on: a trie of the branches that are
 * still possible, no larger than they are. */
static struct hf_node *none_of(struct parser *p, const struct hf_node **branches,
                               size_t count, uint64_t at, uint64_t bytes)
{
    uint8_t other[32];
    memset(other, 0xFF, sizeof other);
    struct hf_node_list list = {0};
    const struct hf_node **same = hf_arena_array(p->arena, count, sizeof *same);
    if (same == NULL)
        return fail(p, HF_NOMEM, "out of memory");
    for (unsigned b = 0; b < 256; b++) {
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (hf_node_accepts(branch_byte(branches[i], at), (uint8_t)b))
                same[n++] = branches[i];
        if (n == 0)
            continue;
        other[b >> 3] &= (uint8_t) ~(1u << (b & 7));
        if (at + 1 == bytes)
            continue;
        struct hf_node_list both = {0};
        struct hf_node *byte = checked(p, hf_node_byte(p->arena, (uint8_t)b, 0xFF, false));
        struct hf_node *rest = none_of(p, same, n, at + 1, bytes);
        if (byte == NULL || rest == NULL)
            return NULL;
        hf_node_append(&both, byte);
        hf_node_append(&both, rest);
        struct hf_node *node = checked(p, hf_node_of_list(p->arena, HF_NODE_CONCAT, &both));
        if (node == NULL)
            return NULL;
        hf_node_append(&list, node);
    }
    /* Whatever comes first and fits no branch, then anything. */
    struct hf_node_list both = {0};
    struct hf_node *first = checked(p, hf_node_class(p->arena, other));
    if (first == NULL)
        return NULL;
    hf_node_append(&both, first);
    for (uint64_t i = at + 1; i < bytes; i++) {
        struct hf_node *any = any_byte(p);
        if (any == NULL)
            return NULL;
        hf_node_append(&both, any);
    }
    struct hf_node *node = checked(p, hf_node_of_list(p->arena, HF_NODE_CONCAT, &both));
    if (node == NULL)
        return NULL;
    hf_node_append(&list, node);
    return checked(p, hf_node_of_list(p->arena, HF_NODE_ALTERNATE, &list));
}

static struct hf_node *negate(struct parser *p, struct hf_node *node, bool plain,
                              uint64_t length)
{
    if (!plain || length == 0)
        return fail(p, HF_MALFORMED,
                    "! needs alternatives of fixed bytes that are equally long");
    size_t count = 0;
    const struct hf_node *first = node->kind == HF_NODE_ALTERNATE ? node->child : node;
    for (const struct hf_node *n = first; n != NULL; n = n->sibling)
        count++;
    const struct hf_node **branches = hf_arena_array(p->arena, count, sizeof *branches);
    if (branches == NULL)
        return fail(p, HF_NOMEM, "out of memory");
    size_t i = 0;
    for (const struct hf_node *n = first; n != NULL; n = n->sibling)
        branches[i++] = n;
    /* Wide alternatives are compared with their 00 bytes. */
    return none_of(p, branches, count, 0, p->options->wide ? 2 * length : length);
}

/* ---- marks ---- */

static struct hf_node *assertion(struct parser *p, unsigned which, bool negated)
{
    struct hf_node *node = checked(p, hf_node_new(p->arena, HF_NODE_ASSERT));
    if (node != NULL)
        node->assertion = (enum hf_assertion)(which + (negated ? 1 : 0));
    return node;
}

/* (L) between bytes: LF or CR LF; !(L): one byte that begins neither. */
static void add_line(struct parser *p, bool negated)
{
    if (negated) {
        add(p, assertion(p, HF_ASSERT_LINE_BEHIND, true));
        add(p, any_byte(p));
        return;
    }
    struct hf_node *lf = checked(p, hf_node_byte(p->arena, '\n', 0xFF, false));
    struct hf_node *cr = checked(p, hf_node_byte(p->arena, '\r', 0xFF, false));
    struct hf_node *again = checked(p, hf_node_byte(p->arena, '\n', 0xFF, false));
    if (lf == NULL || cr == NULL || again == NULL)
        return;
    struct hf_node_list pair = {0}, either = {0};
    hf_node_append(&pair, cr);
    hf_node_append(&pair, again);
    struct hf_node *both = checked(p, hf_node_of_list(p->arena, HF_NODE_CONCAT, &pair));
    if (both == NULL)
        return;
    hf_node_append(&either, lf);
    hf_node_append(&either, both);
    add(p, checked(p, hf_node_of_list(p->arena, HF_NODE_ALTERNATE, &either)));
}

/* (B) and (W) between bytes: one byte of a set. */
static void add_set(struct parser *p, bool words, bool negated)
{
    uint8_t set[32] = {0};
    for (unsigned b = 0; b < 256; b++) {
        unsigned letter = b | 0x20;
        bool alnum = (b >= '0' && b <= '9') || (letter >= 'a' && letter <= 'z' && b < 0x80);
        bool in = words ? !alnum : hf_is_boundary((uint8_t)b);
        if (in != negated)
            set[b >> 3] |= (uint8_t)(1u << (b & 7));
    }
    add(p, checked(p, hf_node_class(p->arena, set)));
}

/* Behind "(B)" and so on. Only the very first and the very last of a part look at its
 * surroundings; others take a byte. */
static void add_mark(struct parser *p, char kind, bool negated)
{
    uint8_t next = peek(p);
    bool left = p->units == 0;
    bool right = hf_cursor_left(&p->c) == 0 || next == '*' || next == '{';
    p->units++;
    p->fixed = 0;
    if (left || right) {
        unsigned which =
            kind == 'B'   ? (left ? HF_ASSERT_BOUNDARY_BEFORE : HF_ASSERT_BOUNDARY_BEHIND)
            : kind == 'L' ? (left ? HF_ASSERT_LINE_BEFORE : HF_ASSERT_LINE_BEHIND)
            : p->options->wide
                ? (left ? HF_ASSERT_WIDE_ENDS_BEFORE : HF_ASSERT_WIDE_ENDS_BEHIND)
                : (left ? HF_ASSERT_ALNUM_ENDS_BEFORE : HF_ASSERT_ALNUM_ENDS_BEHIND);
        add(p, assertion(p, which, negated));
    } else if (kind == 'L') {
        add_line(p, negated);
    } else {
        add_set(p, kind == 'W', negated);
    }
}

static void add_group(struct parser *p)
{
    bool negated = accept(p, "!");
    static const char *const marks[] = {"(B)", "(L)", "(W)"};
    for (size_t i = 0; i < 3; i++)
        if (accept(p, marks[i])) {
            add_mark(p, marks[i][1], negated);
            return;
        }
    if (!accept(p, "(")) {
        fail(p, HF_MALFORMED, "( expected");
        return;
    }
    bool plain = true;
    uint64_t length = 0;
    struct hf_node *node = read_alternatives(p, &plain, &length);
    if (node != NULL && negated)
        node = negate(p, node, plain, length);
    add(p, node);
    p->units++;
    p->fixed = 0;
}

/* ---- gaps ---- */

static bool read_number(struct parser *p, uint64_t *value)
{
    bool any = false;
    for (*value = 0;; any = true) {
        uint8_t c = peek(p);
        if (c < '0' || c > '9')
            return any;
        hf_skip(&p->c, 1);
        *value = *value * 10 + (uint64_t)(c - '0');
        if (*value > UINT32_MAX) {
            fail(p, HF_LIMIT, "distance too large");
            return false;
        }
    }
}

struct gap {
    uint64_t min, max;
    bool ranged; /* with a dash */
};

/* n n-m -m n- - and nothing. */
static struct gap read_range(struct parser *p)
{
    struct gap g = {0};
    (void)read_number(p, &g.min);
    g.max = g.min;
    if (accept(p, "-")) {
        g.ranged = true;
        (void)read_number(p, &g.max);
    }
    return g;
}

/* 64[2-4]6161 and 6161[2-4]64: one byte, apart from the rest. ClamAV turns it into a gap between
 * parts when there are modifiers. */
static void add_anchor_gap(struct parser *p)
{
    struct gap g = read_range(p);
    if (p->status == HF_OK && g.ranged && g.max == 0)
        g.max = g.min;
    if (!accept(p, "]")) {
        fail(p, HF_MALFORMED, "bad [n-m]");
        return;
    }
    if (g.max > ANCHOR_GAP_MAX || g.min > g.max) {
        fail(p, HF_MALFORMED, "[n-m] beyond 32, or reversed");
        return;
    }
    bool left = p->units == 1 && !p->anchored;
    struct hf_cursor c = p->c;
    hf_skip(&c, 2);
    uint8_t behind = hf_cursor_left(&c) == 0 ? '*' : hf_u8(&c);
    bool right = behind == '*' || behind == '{';
    if ((!left && !right) || hf_cursor_left(&p->c) < 2) {
        fail(p, HF_MALFORMED, "[n-m] stands only beside the first or last byte of a part");
        return;
    }
    p->anchored = true;
    add_gap(p, (uint32_t)g.min, (uint32_t)g.max);
}

/* ---- parts ---- */

struct parts {
    struct hf_hexsig_part *items;
    size_t count;
    bool linked; /* the part being read is */
    struct hf_link link;
};

static bool finish_part(struct parser *p, struct parts *parts)
{
    if (p->status != HF_OK)
        return false;
    if (p->list.count == 0)
        return fail(p, HF_MALFORMED, "an empty part") != NULL;
    if (!p->has_fixed)
        return fail(p, HF_MALFORMED, "a part without two fixed bytes in a row") != NULL;
    if (parts->count == HF_HEXSIG_PARTS_MAX)
        return fail(p, HF_LIMIT, "too many parts") != NULL;
    struct hf_hexsig_part *more =
        hf_arena_grow(p->arena, parts->items, parts->count, sizeof *more);
    struct hf_node *root =
        more == NULL ? NULL : hf_node_of_list(p->arena, HF_NODE_CONCAT, &p->list);
    if (root == NULL)
        return fail(p, HF_NOMEM, "out of memory") != NULL;
    parts->items = more;
    parts->items[parts->count++] =
        (struct hf_hexsig_part){.root = root, .linked = parts->linked, .link = parts->link};
    p->list = (struct hf_node_list){0};
    p->units = p->fixed = 0;
    p->has_fixed = p->anchored = false;
    return true;
}

/* Behind "{" (or, with modifiers, "["). */
static void read_gap(struct parser *p, struct parts *parts, const char *closing)
{
    struct gap g = read_range(p);
    if (!accept(p, closing)) {
        fail(p, HF_MALFORMED, "bad {n-m}");
        return;
    }
    if (!g.ranged && g.min > 0 && g.min <= TEXTUAL_GAP_MAX) {
        /* As many ??, and so a piece of the part around it. */
        for (uint64_t i = 0; i < g.min; i++)
            add(p, any_byte(p));
        p->units += (size_t)g.min;
        p->fixed = 0;
        return;
    }
    if (!finish_part(p, parts))
        return;
    parts->linked = true;
    parts->link =
        (struct hf_link){.min = g.min, .max = g.max == 0 ? HF_LINK_NO_MAX : g.max};
}

static void read_parts(struct parser *p, struct parts *parts)
{
    bool modified = p->options->fullword || p->options->wide;
    if (p->options->fullword)
        add_mark(p, 'W', false);
    while (p->status == HF_OK && hf_cursor_left(&p->c) > 0) {
        uint8_t c = peek(p);
        if (c == '*') {
            hf_skip(&p->c, 1);
            if (finish_part(p, parts)) {
                parts->linked = true;
                parts->link = (struct hf_link){.max = HF_LINK_NO_MAX};
            }
        } else if (c == '{' || (c == '[' && modified)) {
            hf_skip(&p->c, 1);
            read_gap(p, parts, c == '{' ? "}" : "]");
        } else if (c == '[') {
            hf_skip(&p->c, 1);
            add_anchor_gap(p);
        } else if (c == '(' || c == '!') {
            add_group(p);
        } else {
            add_byte(p);
        }
    }
    if (p->status == HF_OK && p->options->fullword)
        add_mark(p, 'W', false);
    (void)finish_part(p, parts);
}

enum hf_status hf_hexsig_parse(struct hf_bytes text,
                               const struct hf_hexsig_options *options,
                               struct hf_arena *arena, struct hf_hexsig_part **parts,
                               size_t *count, struct hf_pattern_error *error)
{
    struct parser p = {.c = hf_cursor_open(text.data, text.len, NULL),
                       .arena = arena,
                       .options = options,
                       .error = error};
    struct parts list = {0};
    *error = (struct hf_pattern_error){0};
    if (text.len > TEXT_MAX)
        fail(&p, HF_LIMIT, "too long");
    else
        read_parts(&p, &list);
    *parts = list.items;
    *count = p.status == HF_OK ? list.count : 0;
    return p.status;
}

/* ---- patterns ---- */

/* Fixed bytes and nothing else. */
static bool is_literal(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (nibble(text.data[i]) < 0 || nibble(text.data[i]) > 15)
            return false;
    return text.len % 2 == 0 && text.len / 2 >= FIXED_MIN;
}

static enum hf_status make_literal(struct hf_bytes text,
                                   const struct hf_hexsig_options *options,
                                   struct hf_arena *arena, struct hf_hexsig *out)
{
    uint8_t *bytes = hf_arena_alloc(arena, text.len / 2);
    out->patterns = hf_arena_alloc(arena, sizeof *out->patterns);
    if (bytes == NULL || out->patterns == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < text.len / 2; i++)
        bytes[i] = (uint8_t)(nibble(text.data[2 * i]) << 4 | nibble(text.data[2 * i + 1]));
    *out->patterns = (struct hf_pattern){
        .kind = HF_PATTERN_LITERAL,
        .flags = (options->nocase ? HF_PATTERN_NOCASE : 0u) |
                 (options->wide ? HF_PATTERN_WIDE : 0u) |
                 (options->wide && options->ascii ? HF_PATTERN_ASCII : 0u) |
                 (options->fullword ? HF_PATTERN_FULLWORD : 0u),
        .text = hf_bytes_of(bytes, text.len / 2),
    };
    out->count = out->form_count = 1;
    return HF_OK;
}

static bool stays_inside(const struct hf_hexsig_part *part,
                         const struct hf_hexsig_options *options)
{
    return part->linked && !options->counted && part->link.max <= HF_HEXSIG_GAP_INSIDE &&
           part->link.min <= part->link.max;
}

/* The tree of parts first..end-1 with the gaps between them. */
static struct hf_node *join(const struct hf_hexsig_part *parts, size_t first, size_t end,
                            struct hf_arena *arena)
{
    struct hf_node_list list = {0};
    for (size_t i = first; i < end; i++) {
        if (i > first) {
            struct hf_node *any = hf_node_byte(arena, 0, 0, false);
            struct hf_node *gap = hf_node_repeat(arena, any, (uint32_t)parts[i].link.min,
                                                 (uint32_t)parts[i].link.max, true);
            if (gap == NULL)
                return NULL;
            hf_node_append(&list, gap);
        }
        hf_node_append(&list, parts[i].root);
    }
    return hf_node_of_list(arena, HF_NODE_CONCAT, &list);
}

/* every: the next part must start at a bounded distance, so each end counts. */
static enum hf_status make_program(struct hf_node *root, bool nocase, bool every,
                                   struct hf_arena *arena, struct hf_pattern *pattern)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
    struct hf_length length = hf_node_length(root);
    unsigned flags = HF_PROGRAM_LAZY | (nocase ? HF_PROGRAM_NOCASE : 0u) |
                     (every && length.min != length.max ? HF_PROGRAM_EVERY : 0u);
    enum hf_status st = hf_program_compile(root, flags, arena, &code);
    if (st != HF_OK)
        return st;
    struct hf_bytes copy = hf_arena_copy(arena, hf_buffer_view(&code));
    *pattern = (struct hf_pattern){.kind = HF_PATTERN_HEX, .text = copy};
    return copy.data == NULL ? HF_NOMEM : HF_OK;
}

static enum hf_status make_form(struct hf_bytes text,
                                const struct hf_hexsig_options *options,
                                struct hf_arena *arena, struct hf_hexsig *out,
                                struct hf_pattern_error *error)
{
    struct hf_hexsig_part *parts;
    size_t count;
    enum hf_status st = hf_hexsig_parse(text, options, arena, &parts, &count, error);
    out->forms[out->form_count].first = out->count;
    for (size_t i = 0, end; st == HF_OK && i < count; i = end) {
        for (end = i + 1; end < count && stays_inside(&parts[end], options);)
            end++;
        struct hf_pattern *more =
            hf_arena_grow(arena, out->patterns, out->count, sizeof *more);
        struct hf_node *root = join(parts, i, end, arena);
        if (more == NULL || root == NULL)
            return HF_NOMEM;
        out->patterns = more;
        struct hf_pattern *pattern = &out->patterns[out->count++];
        bool every = end < count && parts[end].link.max != HF_LINK_NO_MAX;
        st = make_program(root, options->nocase, every, arena, pattern);
        if (parts[i].linked) {
            pattern->flags |= HF_PATTERN_LINKED;
            pattern->link = parts[i].link;
        }
    }
    out->forms[out->form_count++].last = out->count - 1;
    return st;
}

enum hf_status hf_hexsig_compile(struct hf_bytes text,
                                 const struct hf_hexsig_options *options,
                                 struct hf_arena *arena, struct hf_hexsig *out,
                                 struct hf_pattern_error *error)
{
    *out = (struct hf_hexsig){0};
    *error = (struct hf_pattern_error){0};
    enum hf_status st;
    if (text.len <= TEXT_MAX && is_literal(text)) {
        st = make_literal(text, options, arena, out);
    } else {
        struct hf_hexsig_options form = *options;
        form.wide = false;
        st = !options->wide || options->ascii ? make_form(text, &form, arena, out, error)
                                              : HF_OK;
        form.wide = true;
        if (st == HF_OK && options->wide)
            st = make_form(text, &form, arena, out, error);
    }
    if (st != HF_OK && error->text == NULL)
        error->text = st == HF_LIMIT ? "too large" : "out of memory";
    return st;
}
