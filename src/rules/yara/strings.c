/* strings.c - the strings section: text, hex strings and regular expressions with their modifiers
 * become patterns. Strings in base64 become regular expressions of their three encodings, so
 * that the matcher knows one kind less and an own alphabet costs nothing. */
#include "rules/yara/internal.h"

#include "base/auto.h"
#include "pattern/hex.h"
#include "pattern/program.h"

enum { ALPHABET = 64, BASE64_TEXT_MAX = 4096 };

struct modifiers {
    uint64_t seen; /* bit 1 << (kind - TOKEN_FIRST_KEYWORD) */
    uint8_t xor_min, xor_max;
    struct hf_bytes alphabet, alphabet_wide; /* data NULL: the usual one */
    struct token last; /* read: what is wrong with them is told there */
};

static bool has(const struct modifiers *m, enum token_kind kind)
{
    return (m->seen >> (kind - TOKEN_FIRST_KEYWORD) & 1) != 0;
}
_Static_assert(TOKEN_XOR - TOKEN_FIRST_KEYWORD < 64, "a set of modifiers is one word");

/* ---- modifiers ---- */

static bool parse_xor_bound(struct parser *p, int64_t *bound)
{
    *bound = p->token.integer;
    return expect_token(p, TOKEN_INTEGER, "integer number");
}

/* xor, xor(k), xor(a-b). */
static void parse_xor(struct parser *p, struct modifiers *m)
{
    int64_t low = 0, high = 255;
    if (accept_sign(p, '(')) {
        if (!parse_xor_bound(p, &low))
            return;
        high = low;
        if (accept_sign(p, '-') && !parse_xor_bound(p, &high))
            return;
        expect_sign(p, ')');
    }
    if (low > 255 || high > 255)
        error_there(p, &m->last, "invalid xor range: above 255");
    else if (low > high)
        error_there(p, &m->last, "xor lower bound exceeds upper bound");
    m->xor_min = (uint8_t)low;
    m->xor_max = (uint8_t)high;
}

static void parse_alphabet(struct parser *p, struct hf_bytes *alphabet)
{
    if (!accept_sign(p, '('))
        return;
    *alphabet = p->token.text;
    if (p->token.kind == TOKEN_TEXT && p->token.text.len != ALPHABET)
        error_here(p, "length of base64 alphabet must be 64");
    if (expect_token(p, TOKEN_TEXT, "text string"))
        expect_sign(p, ')');
}

static void check_modifiers(struct parser *p, const struct modifiers *m)
{
    static const struct {
        uint8_t a, b;
        const char *text;
    } conflicts[] = {
        {TOKEN_XOR, TOKEN_NOCASE, "xor nocase"},
        {TOKEN_BASE64, TOKEN_NOCASE, "base64 nocase"},
        {TOKEN_BASE64WIDE, TOKEN_NOCASE, "base64wide nocase"},
        {TOKEN_BASE64, TOKEN_FULLWORD, "base64 fullword"},
        {TOKEN_BASE64WIDE, TOKEN_FULLWORD, "base64wide fullword"},
        {TOKEN_BASE64, TOKEN_XOR, "base64 xor"},
        {TOKEN_BASE64WIDE, TOKEN_XOR, "base64wide xor"},
    };
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
        if (has(m, conflicts[i].a) && has(m, conflicts[i].b)) {
            error_there(p, &m->last, "invalid modifier combination: %s", conflicts[i].text);
            return;
        }
    bool differ = has(m, TOKEN_BASE64) && has(m, TOKEN_BASE64WIDE) &&
                  !hf_bytes_equal(m->alphabet, m->alphabet_wide);
    if (differ)
        error_there(p, &m->last, "can not specify multiple alphabets");
}

/* Which modifiers a kind of string takes. */
static bool allowed(enum token_kind string, enum token_kind modifier)
{
    switch (modifier) {
    case TOKEN_PRIVATE: return true;
    case TOKEN_ASCII:
    case TOKEN_WIDE:
    case TOKEN_NOCASE:
    case TOKEN_FULLWORD: return string != TOKEN_SIGN;
    case TOKEN_XOR:
    case TOKEN_BASE64:
    case TOKEN_BASE64WIDE: return string == TOKEN_TEXT;
    default: return false;
    }
}

static bool parse_modifiers(struct parser *p, enum token_kind string, struct modifiers *m)
{
    while (!p->panic && allowed(string, p->token.kind)) {
        enum token_kind kind = p->token.kind;
        if (has(m, kind))
            error_here(p, "duplicated modifier");
        m->seen |= UINT64_C(1) << (kind - TOKEN_FIRST_KEYWORD);
        m->last = p->token;
        advance(p);
        if (kind == TOKEN_XOR)
            parse_xor(p, m);
        else if (kind == TOKEN_BASE64)
            parse_alphabet(p, &m->alphabet);
        else if (kind == TOKEN_BASE64WIDE)
            parse_alphabet(p, &m->alphabet_wide);
    }
    if (!p->panic)
        check_modifiers(p, m);
    return !p->panic;
}

static uint32_t pattern_flags(const struct modifiers *m)
{
    static const struct {
        uint8_t token;
        uint16_t flag;
    } flags[] = {
        {TOKEN_NOCASE, HF_PATTERN_NOCASE}, {TOKEN_ASCII, HF_PATTERN_ASCII},
        {TOKEN_WIDE, HF_PATTERN_WIDE},     {TOKEN_FULLWORD, HF_PATTERN_FULLWORD},
        {TOKEN_XOR, HF_PATTERN_XOR},       {TOKEN_PRIVATE, HF_PATTERN_PRIVATE},
        {TOKEN_BASE64, HF_PATTERN_BASE64}, {TOKEN_BASE64WIDE, HF_PATTERN_BASE64WIDE}};
    uint32_t set = 0;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (has(m, (enum token_kind)flags[i].token))
            set |= flags[i].flag;
    return (set & HF_PATTERN_WIDE) != 0 ? set : set | HF_PATTERN_ASCII;
}

/* ---- programs ---- */

/* Compile a tree. Errors are reported under the string's name. */
static bool compile_tree(struct parser *p, struct hf_node *root, unsigned flags,
                         struct hf_buffer *program)
{
    enum hf_status status =
        hf_program_compile(root, flags | HF_PROGRAM_ORDERED, p->yara->scratch, program);
    if (status == HF_OK && !program->failed)
        return true;
    if (status == HF_LIMIT)
        error_here(p, "pattern is too complex");
    else
        out_of_memory(p);
    return false;
}

static bool parse_regex_tree(struct parser *p, const struct token *token, bool nocase,
                             const char *name, struct hf_regex *regex)
{
    struct hf_regex_options options = {.nocase = nocase,
                                       .dot_all = (token->flags & 2) != 0};
    struct hf_pattern_error wrong = {0};
    enum hf_status status =
        hf_regex_parse(token->text, &options, p->yara->scratch, regex, &wrong);
    if (status == HF_NOMEM) {
        out_of_memory(p);
    } else if (status != HF_OK) {
        error_at(p, token->line, token->column + 1 + (unsigned)wrong.at, token->start,
                 name != NULL ? "invalid regular expression \"%s\": %s"
                              : "invalid regular expression%s: %s",
                 name != NULL ? name : "", wrong.text);
    }
    return status == HF_OK;
}

static bool compile_regex_tree(struct parser *p, const struct hf_regex *regex, bool nocase,
                               struct hf_buffer *program)
{
    unsigned flags = HF_PROGRAM_NEAR | (regex->lazy ? HF_PROGRAM_LAZY : 0u) |
                     (nocase ? HF_PROGRAM_NOCASE : 0u);
    return compile_tree(p, regex->root, flags, program);
}

bool compile_regex(struct parser *p, const struct token *token, struct hf_buffer *program)
{
    struct hf_regex regex;
    bool nocase = (token->flags & 1) != 0;
    return parse_regex_tree(p, token, nocase, NULL, &regex) &&
           compile_regex_tree(p, &regex, nocase, program);
}

static bool keep_program(struct parser *p, struct string_build *s,
                         const struct hf_buffer *program)
{
    s->string.pattern.text = hf_arena_copy(p->yara->arena, hf_buffer_view(program));
    if (s->string.pattern.text.data == NULL)
        out_of_memory(p);
    return !p->panic;
}

/* The text of a tree that is nothing but bytes, as YARA too takes such strings for text: then the
 * pattern is a literal, shorter to store and faster to find. With nocase letters may be of either
 * case. False: it is more than that, or out of memory. */
static bool literal_of_tree(struct parser *p, const struct hf_node *root, bool nocase,
                            struct hf_bytes *text)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    const struct hf_node *n = root->kind == HF_NODE_CONCAT ? root->child : root;
    if (root->kind != HF_NODE_CONCAT && root->kind != HF_NODE_BYTE)
        return false;
    for (; n != NULL; n = root->kind == HF_NODE_CONCAT ? n->sibling : NULL) {
        if (n->kind != HF_NODE_BYTE || n->negated)
            return false;
        uint8_t lower = n->value | 0x20;
        bool folded = nocase && n->mask == 0xDF && lower >= 'a' && lower <= 'z';
        if (n->mask != 0xFF && !folded)
            return false;
        hf_buffer_u8(&b, folded ? lower : n->value);
    }
    if (b.failed || b.len == 0)
        return false;
    *text = hf_arena_copy(p->yara->arena, hf_buffer_view(&b));
    return text->data != NULL;
}

static bool parse_regex_string(struct parser *p, struct string_build *s)
{
    struct token token = p->token;
    struct modifiers m = {0};
    advance(p);
    if (!parse_modifiers(p, TOKEN_REGEX, &m))
        return false;
    struct hf_pattern *pattern = &s->string.pattern;
    bool nocase = has(&m, TOKEN_NOCASE) || (token.flags & 1) != 0;
    pattern->flags = pattern_flags(&m) | (nocase ? HF_PATTERN_NOCASE : 0u);
    struct hf_regex regex;
    if (!parse_regex_tree(p, &token, nocase, s->string.name, &regex) ||
        literal_of_tree(p, regex.root, nocase, &pattern->text))
        return !p->panic;
    pattern->kind = HF_PATTERN_REGEX;
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    return compile_regex_tree(p, &regex, nocase, &program) && keep_program(p, s, &program);
}

/* At the brace. */
static bool parse_hex_string(struct parser *p, struct string_build *s)
{
    struct hf_bytes inside;
    unsigned line = p->token.line, column = p->token.column;
    size_t start = p->token.start;
    if (!lexer_hex(&p->lexer, &inside)) {
        error_here(p, "unterminated hex string");
        p->panic = true;
        advance(p);
        return false;
    }
    advance(p);
    struct modifiers m = {0};
    if (!parse_modifiers(p, TOKEN_SIGN, &m))
        return false;
    s->string.hex = true;
    s->string.pattern.flags = pattern_flags(&m);
    struct hf_node *root;
    struct hf_pattern_error wrong = {0};
    enum hf_status status = hf_hex_parse(inside, p->yara->scratch, &root, &wrong);
    if (status == HF_NOMEM)
        out_of_memory(p);
    else if (status != HF_OK)
        error_at(p, line, column, start, "invalid hex string \"%s\": %s", s->string.name,
                 wrong.text);
    if (status != HF_OK)
        return false;
    if (literal_of_tree(p, root, false, &s->string.pattern.text))
        return true;
    s->string.pattern.kind = HF_PATTERN_HEX;
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    return compile_tree(p, root, HF_PROGRAM_LAZY, &program) && keep_program(p, s, &program);
}

/* ---- base64 ---- */

/* Text behind `lead` unknown bytes, encoded: only the characters that do not depend on what is
 * before or behind. Returns how many. [RFC 4648 section 4] */
static size_t encode_inner(struct hf_bytes text, unsigned lead, const uint8_t *alphabet,
                           uint8_t *out)
{
    size_t bits = (text.len + lead) * 8, n = 0;
    for (size_t at = 0; at + 6 <= bits; at += 6) {
        unsigned value = 0;
        if (at < (size_t)lead * 8)
            continue; /* holds bits from before */
        for (size_t b = at; b < at + 6; b++)
            value = value << 1 | ((unsigned)text.data[b / 8 - lead] >> (7 - b % 8) & 1u);
        out[n++] = alphabet[value];
    }
    return n;
}

static struct hf_node *literal_tree(struct hf_arena *arena, struct hf_bytes text, bool wide)
{
    struct hf_node_list list = {0};
    for (size_t i = 0; i < text.len; i++)
        for (unsigned half = 0; half < (wide ? 2u : 1u); half++) {
            struct hf_node *byte =
                hf_node_byte(arena, half == 0 ? text.data[i] : 0, 0xFF, false);
            if (byte == NULL)
                return NULL;
            hf_node_append(&list, byte);
        }
    return hf_node_of_list(arena, HF_NODE_CONCAT, &list);
}

/* The three encodings of one text, into the alternatives. */
static bool add_encodings(struct parser *p, struct hf_bytes text, const struct modifiers *m,
                          struct hf_node_list *list)
{
    static const char usual[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct hf_arena *arena = p->yara->scratch;
    for (unsigned form = 0; form < 2; form++) {
        bool wide = form == 1;
        struct hf_bytes own = m->alphabet.data != NULL ? m->alphabet : m->alphabet_wide;
        const uint8_t *alphabet = own.len == ALPHABET ? own.data : (const uint8_t *)usual;
        if (!has(m, wide ? TOKEN_BASE64WIDE : TOKEN_BASE64))
            continue;
        for (unsigned lead = 0; lead < 3; lead++) {
            uint8_t *out = hf_arena_alloc(arena, text.len * 2 + 4);
            size_t n = out == NULL ? 0 : encode_inner(text, lead, alphabet, out);
            struct hf_node *tree =
                n == 0 ? NULL : literal_tree(arena, hf_bytes_of(out, n), wide);
            if (out == NULL || (n > 0 && tree == NULL))
                return false;
            if (n > 0)
                hf_node_append(list, tree);
        }
    }
    return true;
}

static bool make_base64(struct parser *p, struct string_build *s, struct hf_bytes text,
                        const struct modifiers *m)
{
    struct hf_arena *arena = p->yara->scratch;
    struct hf_node_list list = {0};
    bool wide = has(m, TOKEN_WIDE), ascii = !wide || has(m, TOKEN_ASCII);
    uint8_t *doubled = hf_arena_array(arena, text.len, 2);
    if (doubled == NULL || text.len > BASE64_TEXT_MAX) {
        error_here(p, "string \"%s\" is too long for base64", s->string.name);
        return false;
    }
    for (size_t i = 0; i < text.len; i++)
        doubled[2 * i] = text.data[i];
    bool made = (!ascii || add_encodings(p, text, m, &list)) &&
                (!wide || add_encodings(p, hf_bytes_of(doubled, text.len * 2), m, &list));
    if (made && list.count == 0) {
        error_here(p, "string \"%s\" is too short for base64", s->string.name);
        return false;
    }
    struct hf_node *root = made ? hf_node_of_list(arena, HF_NODE_ALTERNATE, &list) : NULL;
    if (root == NULL) {
        out_of_memory(p);
        return false;
    }
    s->string.pattern.kind = HF_PATTERN_REGEX;
    s->string.pattern.flags &=
        (uint32_t) ~(HF_PATTERN_BASE64 | HF_PATTERN_BASE64WIDE | HF_PATTERN_WIDE);
    s->string.pattern.flags |= HF_PATTERN_ASCII;
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    return compile_tree(p, root, 0, &program) && keep_program(p, s, &program);
}

/* ---- the section ---- */

static bool parse_text_string(struct parser *p, struct string_build *s)
{
    struct token token = p->token;
    struct modifiers m = {.xor_max = 255};
    advance(p);
    if (!parse_modifiers(p, TOKEN_TEXT, &m))
        return false;
    if (token.text.len == 0) {
        error_at(p, token.line, token.column, token.start, "empty string \"%s\"",
                 s->string.name);
        return false;
    }
    struct hf_pattern *pattern = &s->string.pattern;
    pattern->flags = pattern_flags(&m);
    pattern->xor_min = m.xor_min;
    pattern->xor_max = has(&m, TOKEN_XOR) ? m.xor_max : 0;
    if (has(&m, TOKEN_BASE64) || has(&m, TOKEN_BASE64WIDE))
        return make_base64(p, s, token.text, &m);
    pattern->text = hf_arena_copy(p->yara->arena, token.text);
    if (pattern->text.data == NULL)
        out_of_memory(p);
    return !p->panic;
}

static bool parse_value(struct parser *p, struct string_build *s)
{
    switch (p->token.kind) {
    case TOKEN_TEXT: return parse_text_string(p, s);
    case TOKEN_REGEX: return parse_regex_string(p, s);
    default:
        if (is_sign(p, '{'))
            return parse_hex_string(p, s);
        syntax_error(p, "text string, hex string or regular expression");
        return false;
    }
}

/* Take up the name at hand. */
static struct string_build *new_string(struct parser *p)
{
    struct rule_build *r = &p->rule;
    struct token t = p->token;
    struct string_build *more =
        hf_arena_grow(p->yara->scratch, r->strings, r->string_count, sizeof *more);
    char *name = hf_arena_alloc(p->yara->arena, t.text.len + 2);
    if (more == NULL || name == NULL) {
        out_of_memory(p);
        return NULL;
    }
    name[0] = '$';
    if (t.text.len > 0)
        memcpy(name + 1, t.text.data, t.text.len);
    r->strings = more;
    struct string_build *s = &more[r->string_count++];
    s->string.name = name;
    s->line = t.line;
    s->column = t.column;
    if (t.text.len == 0)
        return s;
    if (names_find(&r->names, 0, t.text) != NULL)
        error_here(p, "duplicated string identifier \"%s\"", name);
    else if (!names_add(&r->names, 0, t.text, (uint32_t)r->string_count - 1))
        out_of_memory(p);
    return s;
}

void parse_strings(struct parser *p)
{
    uint32_t most = p->yara->options.strings_per_rule;
    expect_sign(p, ':');
    if (p->token.kind != TOKEN_STRING_ID)
        syntax_error(p, "string identifier");
    while (!p->panic && p->token.kind == TOKEN_STRING_ID) {
        if (p->rule.string_count == (most != 0 ? most : STRINGS_MAX)) {
            error_here(p, "too many strings in rule \"%s\" (limit: %zu)",
                       p->rule.rule->name, p->rule.string_count);
            p->panic = true;
            return;
        }
        struct string_build *s = new_string(p);
        advance(p);
        /* What failed is poison enough: the rule will not live. */
        if (s != NULL && expect_sign(p, '='))
            (void)parse_value(p, s);
    }
}
