#include "rules/yara/internal.h"

#include "base/auto.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_MAX = 512, QUOTED_MAX = 160 };

static void __attribute__((format(printf, 6, 0)))
report(struct parser *p, bool warning, unsigned line, unsigned column, size_t pos,
       const char *format, va_list args)
{
    struct hf_yara *yara = p->yara;
    size_t *count = warning ? &yara->warnings : &yara->errors;
    (*count)++;
    if (!warning) {
        p->failed = true;
        p->rule.failed = true;
    }
    if (yara->options.message == NULL)
        return;
    char text[TEXT_MAX];
    vsnprintf(text, sizeof text, format, args);
    const struct hf_yara_rule *rule = p->rule.rule;
    struct hf_yara_message message = {
        .warning = warning,
        .file = p->file,
        .line = line,
        .column = column,
        .rule = rule != NULL ? rule->name : "",
        .text = text,
        .source_line = lexer_line(&p->lexer, pos),
    };
    yara->options.message(yara->options.user, &message);
}

void error_at(struct parser *p, unsigned line, unsigned column, size_t pos,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(p, false, line, column, pos, format, args);
    va_end(args);
}

void error_here(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(p, false, p->token.line, p->token.column, p->token.start, format, args);
    va_end(args);
}

void error_there(struct parser *p, const struct token *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(p, false, at->line, at->column, at->start, format, args);
    va_end(args);
}

/* Where a line starts is not kept; the nodes' lines are near what was read last. */
static size_t position_of(const struct parser *p, unsigned line)
{
    size_t pos = p->lexer.line_start;
    for (unsigned at = p->lexer.line; at > line && pos > 0; at--) {
        pos--;
        while (pos > 0 && p->lexer.text.data[pos - 1] != '\n')
            pos--;
    }
    return pos;
}

void error_node(struct parser *p, const struct node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(p, false, node->line, node->column, position_of(p, node->line), format, args);
    va_end(args);
}

void warn_node(struct parser *p, const struct node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(p, true, node->line, node->column, position_of(p, node->line), format, args);
    va_end(args);
}

void warn_at(struct parser *p, unsigned line, unsigned column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(p, true, line, column, position_of(p, line), format, args);
    va_end(args);
}

const char *quoted(struct parser *p, struct hf_bytes bytes)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    bool cut = bytes.len > QUOTED_MAX;
    hf_escape(&b, hf_bytes_of(bytes.data, cut ? QUOTED_MAX : bytes.len));
    if (cut)
        hf_buffer_text(&b, "...");
    const char *text =
        b.failed ? NULL : hf_arena_text(p->yara->scratch, hf_buffer_view(&b));
    return text != NULL ? text : "?";
}

void syntax_error(struct parser *p, const char *expected)
{
    if (p->panic)
        return;
    const struct token *t = &p->token;
    char sign[] = {'\'', t->sign, '\'', 0};
    const char *found = t->kind == TOKEN_SIGN ? sign : token_text(t);
    if (t->kind == TOKEN_BAD)
        error_here(p, "%s", p->lexer.message);
    else if (expected != NULL)
        error_here(p, "syntax error, unexpected %s, expecting %s", found, expected);
    else
        error_here(p, "syntax error, unexpected %s", found);
    p->panic = true;
}

void out_of_memory(struct parser *p)
{
    if (!p->yara->nomem)
        error_here(p, "out of memory");
    p->yara->nomem = true;
    p->panic = true;
}
