#include "pattern/backtrack.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

struct hf_backtrack {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

static uint32_t options_of(unsigned flags)
{
    static const struct {
        unsigned flag;
        uint32_t option;
    } rows[] = {
        {HF_BACKTRACK_NOCASE, PCRE2_CASELESS},
        {HF_BACKTRACK_DOT_ALL, PCRE2_DOTALL},
        {HF_BACKTRACK_MULTI_LINE, PCRE2_MULTILINE},
        {HF_BACKTRACK_EXTENDED, PCRE2_EXTENDED},
        {HF_BACKTRACK_ANCHORED, PCRE2_ANCHORED},
        {HF_BACKTRACK_END_ONLY, PCRE2_DOLLAR_ENDONLY},
        {HF_BACKTRACK_UNGREEDY, PCRE2_UNGREEDY},
    };
    /* Signatures speak of bytes: no pattern may turn UTF on, or it would be asked to trust them. */
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        options |= (flags & rows[i].flag) != 0 ? rows[i].option : 0;
    return options;
}

enum hf_status hf_backtrack_new(struct hf_bytes text, unsigned flags,
                                struct hf_backtrack **out, struct hf_pattern_error *error)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    *out = NULL;
    *error = (struct hf_pattern_error){.text = "out of memory"};
    struct hf_backtrack *b = calloc(1, sizeof *b);
    if (b == NULL)
        return HF_NOMEM;
    b->code = pcre2_compile(text.data, text.len, options_of(flags), &code, &at, NULL);
    if (b->code == NULL) {
        hf_backtrack_free(b);
        *error = (struct hf_pattern_error){
            .at = at, .text = "no regular expression as PCRE reads it"};
        return code == PCRE2_ERROR_HEAP_FAILED ? HF_NOMEM : HF_MALFORMED;
    }
    b->match = pcre2_match_data_create_from_pattern(b->code, NULL);
    b->limits = pcre2_match_context_create(NULL);
    if (b->match == NULL || b->limits == NULL) {
        hf_backtrack_free(b);
        return HF_NOMEM;
    }
    pcre2_set_match_limit(b->limits, HF_BACKTRACK_STEPS);
    pcre2_set_depth_limit(b->limits, HF_BACKTRACK_DEPTH);
    *out = b;
    return HF_OK;
}

void hf_backtrack_free(struct hf_backtrack *b)
{
    if (b == NULL)
        return;
    pcre2_match_context_free(b->limits);
    pcre2_match_data_free(b->match);
    pcre2_code_free(b->code);
    free(b);
}

void hf_backtrack_release(struct hf_backtrack **b)
{
    hf_backtrack_free(*b);
    *b = NULL;
}

enum hf_status hf_backtrack_match(struct hf_backtrack *b, struct hf_bytes data, size_t from,
                                  bool anchored, size_t *start, size_t *length)
{
    static const uint8_t nothing[1];
    int rc = pcre2_match(b->code, data.len == 0 ? nothing : data.data, data.len, from,
                         anchored ? PCRE2_ANCHORED : 0, b->match, b->limits);
    if (rc == PCRE2_ERROR_NOMEMORY)
        return HF_NOMEM;
    if (rc < 0)
        return HF_NOTFOUND;
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(b->match);
    *start = found[0];
    /* \K can put the start behind the end. */
    *length = found[1] > found[0] ? found[1] - found[0] : 0;
    return HF_OK;
}
