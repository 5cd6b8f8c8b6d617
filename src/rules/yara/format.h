/* format.h - YARA sources in one shape: sections and strings on lines of their own, indentation by
 * structure, single blanks, at most one empty line in a row. Comments, the order of things and line
 * breaks inside of conditions stay. Formatting twice changes nothing more; no word of the source
 * does either, which is checked. Needs no source that compiles. */
#ifndef HF_RULES_YARA_FORMAT_H
#define HF_RULES_YARA_FORMAT_H

#include "base/buffer.h"
#include "base/status.h"

/* What a source is made of, for who looks at words and not at meaning. */
enum hf_yara_word_kind {
    HF_YARA_WORD, /* names, keywords, numbers, $a, #a, @a, !a */
    HF_YARA_TEXT, /* "..." */
    HF_YARA_REGEX,
    HF_YARA_HEX, /* { ... } behind an equals sign */
    HF_YARA_SIGN,
    HF_YARA_LINE_COMMENT,
    HF_YARA_BLOCK_COMMENT
};

struct hf_yara_word {
    enum hf_yara_word_kind kind;
    struct hf_bytes text; /* as written, quotes and slashes included */
    unsigned line;
    unsigned newlines; /* between it and the word before */
    bool blank;        /* something is between them at all */
};

/* The words of a source one by one: zeroed at first but for text. False at the end. What is open at
 * the end of the text ends there. */
struct hf_yara_words {
    struct hf_bytes text;
    size_t pos;
    unsigned lines; /* passed so far */
    bool after_equals;
};
bool hf_yara_next_word(struct hf_yara_words *words, struct hf_yara_word *word);

/* Append the formatted source. HF_OK; HF_NOMEM; HF_INVALID: it cannot be done without changing
 * more than its shape. */
HF_MUST_USE enum hf_status hf_yara_format(struct hf_bytes source, struct hf_buffer *out);

#endif
