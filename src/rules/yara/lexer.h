/* lexer.h - words of the YARA language. Inside only. */
#ifndef HF_RULES_YARA_LEXER_H
#define HF_RULES_YARA_LEXER_H

#include "base/arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_BAD, /* the lexer's message says why */
    TOKEN_IDENTIFIER,
    TOKEN_STRING_ID,  /* $a; also $ alone */
    TOKEN_STRING_SET, /* $a* */
    TOKEN_COUNT,      /* #a */
    TOKEN_OFFSET,     /* @a */
    TOKEN_LENGTH,     /* !a */
    TOKEN_INTEGER,
    TOKEN_REAL,
    TOKEN_TEXT,  /* a quoted string */
    TOKEN_REGEX, /* between slashes */
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LE,
    TOKEN_GE,
    TOKEN_SHL,
    TOKEN_SHR,
    TOKEN_DOTS,
    TOKEN_SIGN, /* any other character: in .sign */
    TOKEN_FIRST_KEYWORD,
    TOKEN_ALL = TOKEN_FIRST_KEYWORD,
    TOKEN_AND,
    TOKEN_ANY,
    TOKEN_ASCII,
    TOKEN_AT,
    TOKEN_BASE64,
    TOKEN_BASE64WIDE,
    TOKEN_CONDITION,
    TOKEN_CONTAINS,
    TOKEN_DEFINED,
    TOKEN_ENDSWITH,
    TOKEN_ENTRYPOINT,
    TOKEN_FALSE,
    TOKEN_FILESIZE,
    TOKEN_FOR,
    TOKEN_FULLWORD,
    TOKEN_GLOBAL,
    TOKEN_ICONTAINS,
    TOKEN_IENDSWITH,
    TOKEN_IEQUALS,
    TOKEN_IMPORT,
    TOKEN_IN,
    TOKEN_INCLUDE,
    TOKEN_READ, /* uint8 and kin: .integer is width, .flags those of HF_OP_READ */
    TOKEN_ISTARTSWITH,
    TOKEN_MATCHES,
    TOKEN_META,
    TOKEN_NOCASE,
    TOKEN_NONE,
    TOKEN_NOT,
    TOKEN_OF,
    TOKEN_OR,
    TOKEN_PRIVATE,
    TOKEN_RULE,
    TOKEN_STARTSWITH,
    TOKEN_STRINGS,
    TOKEN_THEM,
    TOKEN_TRUE,
    TOKEN_WIDE,
    TOKEN_XOR
};

struct token {
    enum token_kind kind;
    char sign;
    uint8_t flags; /* REGEX: 1 i, 2 s */
    bool first;    /* the first word of its line */
    unsigned line, column;
    size_t start; /* in the text */
    struct hf_bytes
        text; /* name without $ # @ !; TEXT: unescaped, in the arena if it had to be */
    int64_t integer;
    double real;
};

enum { LEXER_NAME_MAX = 128 };

struct lexer {
    struct hf_bytes text; /* read through look() and slice() of lexer.c only */
    size_t pos, line_start;
    unsigned line;
    bool line_has_word;
    struct hf_arena *arena; /* for unescaped strings */
    const char *message;    /* of the last TOKEN_BAD */
};

struct lexer lexer_open(struct hf_bytes text, struct hf_arena *arena);
struct token lexer_next(struct lexer *lexer);

/* The inside of a hex string, behind its brace; the closing brace is taken too. False: it does
 * not end. */
bool lexer_hex(struct lexer *lexer, struct hf_bytes *inside);

/* The line that a position is in, without its end, cut at a sensible length. */
struct hf_bytes lexer_line(const struct lexer *lexer, size_t pos);

/* What a token is called in messages. */
const char *token_text(const struct token *token);

#endif
