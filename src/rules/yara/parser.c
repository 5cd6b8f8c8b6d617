/* parser.c - sources and rules: imports, includes, declarations, meta; and recovery. */
#include "rules/yara/internal.h"

#include "base/auto.h"

/* ---- tokens ---- */

void advance(struct parser *p)
{
    p->token = lexer_next(&p->lexer);
}

bool is_sign(const struct parser *p, char sign)
{
    return p->token.kind == TOKEN_SIGN && p->token.sign == sign;
}

bool accept_sign(struct parser *p, char sign)
{
    if (p->panic || !is_sign(p, sign))
        return false;
    advance(p);
    return true;
}

bool accept_token(struct parser *p, enum token_kind kind)
{
    if (p->panic || p->token.kind != kind)
        return false;
    advance(p);
    return true;
}

bool expect_sign(struct parser *p, char sign)
{
    char text[] = {'\'', sign, '\'', 0};
    if (accept_sign(p, sign))
        return true;
    syntax_error(p, text);
    return false;
}

bool expect_token(struct parser *p, enum token_kind kind, const char *expected)
{
    if (accept_token(p, kind))
        return true;
    syntax_error(p, expected);
    return false;
}

/* ---- between rules ---- */

/* After a syntax error: on to what looks like the beginning of the next rule. Words such as
 * "private" also stand elsewhere, so they count at the start of a line or behind a brace only. */
static void recover(struct parser *p)
{
    bool behind_brace = false;
    while (p->token.kind != TOKEN_END) {
        enum token_kind k = p->token.kind;
        bool begins = k == TOKEN_RULE || k == TOKEN_PRIVATE || k == TOKEN_GLOBAL ||
                      k == TOKEN_IMPORT || k == TOKEN_INCLUDE;
        if (begins && (behind_brace || p->token.first))
            break;
        behind_brace = is_sign(p, '}');
        advance(p);
    }
    p->panic = false;
}

static void parse_import(struct parser *p)
{
    const struct hf_yara_options *o = &p->yara->options;
    struct token name = p->token;
    if (name.kind != TOKEN_TEXT) {
        syntax_error(p, "text string");
        return;
    }
    size_t i = 0;
    while (i < o->module_count &&
           !hf_bytes_equal(name.text, hf_bytes_text(o->modules[i]->name)))
        i++;
    if (i < o->module_count)
        p->yara->imports[p->space] |= 1u << i;
    else
        error_here(p, "unknown module \"%s\"", quoted(p, name.text));
    advance(p);
}

static bool includes_itself(const struct parser *p, const char *name)
{
    for (; p != NULL; p = p->includer)
        if (strcmp(p->file, name) == 0)
            return true;
    return false;
}

static void parse_included(struct parser *p, const char *name, struct hf_bytes text)
{
    struct parser inner = {
        .yara = p->yara,
        .lexer = lexer_open(text, p->yara->scratch),
        .file = name,
        .name_space = p->name_space,
        .space = p->space,
        .includer = p,
        .include_depth = p->include_depth + 1,
    };
    advance(&inner);
    parse_source(&inner);
    p->failed = p->failed || inner.failed;
}

static void parse_include(struct parser *p)
{
    const struct hf_yara_options *o = &p->yara->options;
    if (p->token.kind != TOKEN_TEXT) {
        syntax_error(p, "text string");
        return;
    }
    char *path = hf_arena_text(p->yara->scratch, p->token.text);
    const char *name = path;
    struct hf_bytes text = {0};
    if (path == NULL)
        out_of_memory(p);
    else if (p->include_depth + 1 >= INCLUDES_MAX)
        error_here(p, "too many levels of included rules");
    else if (o->include == NULL)
        error_here(p, "includes are disabled");
    else if (o->include(o->user, path, p->file, p->yara->arena, &name, &text) != HF_OK)
        error_here(p, "can't open include file: %s", quoted(p, p->token.text));
    else if (includes_itself(p, name))
        error_here(p, "include circular reference");
    else
        parse_included(p, name, text);
    advance(p);
}

/* ---- rules ---- */

static const char *kept_text(struct parser *p, struct hf_bytes text)
{
    const char *copy = hf_arena_text(p->yara->arena, text);
    if (copy == NULL)
        out_of_memory(p);
    return copy;
}

static void parse_tags(struct parser *p)
{
    struct hf_yara_rule *rule = p->rule.rule;
    if (!accept_sign(p, ':'))
        return;
    const char **tags = NULL;
    do {
        if (p->token.kind != TOKEN_IDENTIFIER) {
            syntax_error(p, "identifier");
            return;
        }
        if (names_find(&p->rule.names, 1, p->token.text) != NULL)
            error_here(p, "duplicated tag identifier \"%s\"", quoted(p, p->token.text));
        else if (!names_add(&p->rule.names, 1, p->token.text, 0))
            out_of_memory(p);
        const char **more =
            hf_arena_grow(p->yara->arena, tags, rule->tag_count, sizeof *tags);
        if (more == NULL || (more[rule->tag_count] = kept_text(p, p->token.text)) == NULL) {
            out_of_memory(p);
            return;
        }
        tags = more;
        rule->tags = tags;
        rule->tag_count++;
        advance(p);
    } while (p->token.kind == TOKEN_IDENTIFIER);
    if (!is_sign(p, '{'))
        syntax_error(p, "'{'");
}

static bool parse_meta_value(struct parser *p, struct hf_value *value)
{
    bool negative = accept_sign(p, '-');
    struct token t = p->token;
    if (t.kind == TOKEN_INTEGER)
        *value = hf_value_int(negative ? -t.integer : t.integer);
    else if (negative)
        return false;
    else if (t.kind == TOKEN_TEXT)
        *value = hf_value_string(hf_arena_copy(p->yara->arena, t.text));
    else if (t.kind == TOKEN_TRUE || t.kind == TOKEN_FALSE)
        *value = hf_value_bool(t.kind == TOKEN_TRUE);
    else
        return false;
    advance(p);
    return true;
}

static void parse_meta(struct parser *p)
{
    struct hf_yara_rule *rule = p->rule.rule;
    struct hf_yara_meta *metas = NULL;
    expect_sign(p, ':');
    if (p->token.kind != TOKEN_IDENTIFIER)
        syntax_error(p, "identifier");
    while (!p->panic && p->token.kind == TOKEN_IDENTIFIER) {
        struct hf_yara_meta meta = {.name = kept_text(p, p->token.text)};
        advance(p);
        if (!expect_sign(p, '='))
            return;
        if (!parse_meta_value(p, &meta.value)) {
            syntax_error(p, "text string, number or boolean");
            return;
        }
        struct hf_yara_meta *more =
            hf_arena_grow(p->yara->arena, metas, rule->meta_count, sizeof *metas);
        if (more == NULL) {
            out_of_memory(p);
            return;
        }
        metas = more;
        metas[rule->meta_count++] = meta;
        rule->metas = metas;
    }
}

static void check_references(struct parser *p)
{
    /* What is wrong may be why it is not referred to. */
    for (size_t i = 0; i < p->rule.string_count && !p->rule.failed; i++) {
        const struct string_build *s = &p->rule.strings[i];
        /* A name that begins with an underscore says: on purpose. [YARA 4.5] */
        if (!s->referenced && s->string.name[1] != '_')
            error_at(p, s->line, s->column, p->lexer.line_start,
                     "unreferenced string \"%s\"", s->string.name);
    }
}

/* Flags, name, and the place of the rule in its namespace. */
static void declare_rule(struct parser *p, struct hf_yara_rule *rule, struct token name)
{
    struct hf_yara *yara = p->yara;
    rule->name = kept_text(p, name.text);
    rule->file = p->file;
    rule->name_space = p->name_space;
    rule->line = name.line;
    rule->rule = hf_rule_plain();
    if (rule->name == NULL)
        return;
    struct hf_bytes key = hf_bytes_text(rule->name);
    if (names_find(&yara->rules, p->space, key) != NULL ||
        names_find(&yara->externals, 0, key) != NULL) {
        p->rule.rule = NULL; /* this one is none: yarac does not name it either */
        error_here(p, "duplicated identifier \"%s\"", rule->name);
        p->rule.rule = rule;
    } else if (!names_add(&yara->rules, p->space, key, (uint32_t)yara->count))
        out_of_memory(p);
}

static void parse_body(struct parser *p)
{
    parse_tags(p);
    expect_sign(p, '{');
    if (accept_token(p, TOKEN_META))
        parse_meta(p);
    if (accept_token(p, TOKEN_STRINGS))
        parse_strings(p);
    expect_token(p, TOKEN_CONDITION, "condition");
    expect_sign(p, ':');
    if (!p->panic)
        p->rule.condition = parse_condition(p);
    if (!p->panic)
        check_references(p);
    expect_sign(p, '}');
}

/* Take the rule up, or remember that there is none. */
static void finish_rule(struct parser *p, struct hf_yara_rule *rule, bool declared)
{
    struct hf_yara *yara = p->yara;
    bool good = !p->rule.failed && !p->panic && generate_rule(p);
    if (good) {
        struct hf_yara_rule **more =
            hf_arena_grow(yara->arena, yara->list, yara->count, sizeof *more);
        if (more != NULL) {
            yara->list = more;
            yara->list[yara->count++] = rule;
            return;
        }
        out_of_memory(p);
    }
    p->failed = true;
    if (!declared || rule->name == NULL)
        return;
    uint32_t *index = names_find(&yara->rules, p->space, hf_bytes_text(rule->name));
    if (index != NULL)
        *index = RULE_FAILED;
}

static void parse_rule(struct parser *p)
{
    struct hf_yara *yara = p->yara;
    struct hf_yara_rule *rule = hf_arena_alloc(yara->arena, sizeof *rule);
    if (rule == NULL) {
        out_of_memory(p);
        return;
    }
    for (;; advance(p)) {
        if (p->token.kind == TOKEN_PRIVATE)
            rule->is_private = true;
        else if (p->token.kind == TOKEN_GLOBAL)
            rule->is_global = true;
        else
            break;
    }
    expect_token(p, TOKEN_RULE, "rule");
    struct token name = p->token;
    if (!p->panic && name.kind != TOKEN_IDENTIFIER)
        syntax_error(p, "identifier");
    if (p->panic)
        return;
    struct hf_arena_mark mark = hf_arena_mark(yara->scratch);
    struct names names = p->rule.names;
    names_clear(&names);
    p->rule = (struct rule_build){.rule = rule, .names = names};
    declare_rule(p, rule, name);
    bool declared = !p->rule.failed;
    advance(p);
    parse_body(p);
    finish_rule(p, rule, declared);
    p->rule.rule = NULL;
    /* The token at hand may be a text that was unescaped into the arena: it is not, at a
     * brace or at a word that begins a rule. */
    if (p->panic)
        recover(p);
    hf_arena_rewind(yara->scratch, mark);
}

void parse_source(struct parser *p)
{
    while (p->token.kind != TOKEN_END && !p->yara->nomem) {
        if (accept_token(p, TOKEN_IMPORT))
            parse_import(p);
        else if (accept_token(p, TOKEN_INCLUDE))
            parse_include(p);
        else
            parse_rule(p);
        if (p->panic)
            recover(p);
    }
    names_done(&p->rule.names);
}
