/* Pattern text and a text to search, split at the first newline. Properties: what parses compiles
 * or is too large; the machine agrees with the naive matcher; damaged programs are refused or run
 * safely. */
#include "pattern/program.h"

#include "../../tests/pattern/naive.h"
#include "base/auto.h"
#include "pattern/hex.h"
#include "pattern/regex.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Patterns that can match longer than this are not compared: too slow. NAIVE_TURNS bounds what the
 * naive matcher can repeat in order. */
enum { BIG = 2000, NAIVE_TURNS = 60 };

static int naive(const struct hf_program *program, const struct hf_node *root,
                 struct hf_bytes text, size_t at)
{
    return (program->flags & HF_PROGRAM_ORDERED) != 0
               ? naive_first(root, text, at)
               : naive_match(root, (program->flags & HF_PROGRAM_LAZY) != 0, text, at);
}

/* By the machine, and by tables that are kept from offset to offset. */
static void compare(const struct hf_program *program, const struct hf_node *root,
                    struct hf_bytes text, struct hf_machine_scratch *scratch)
{
    struct hf_subject subject = {.data = text};
    struct hf_program tabled = *program;
    const bool slow =
        (program->flags & HF_PROGRAM_ORDERED) != 0 && program->states >= NAIVE_TURNS;
    tabled.id = 1;
    for (size_t i = 0; i <= text.len; i++) {
        uint64_t length = 0, same = 0;
        enum hf_status st = hf_program_match_at(program, &subject, i, scratch, &length);
        assert(hf_program_match_at(&tabled, &subject, i, scratch, &same) == st);
        assert(st != HF_OK || length == same);
        int want = slow ? (st == HF_OK ? (int)length : -1) : naive(program, root, text, i);
        assert((st == HF_OK) == (want >= 0));
        assert(st != HF_OK || (int)length == want);
    }
}

static void damage(struct hf_buffer *code, struct hf_bytes text,
                   struct hf_machine_scratch *scratch)
{
    struct hf_program program;
    for (size_t i = 0; i + 1 < text.len && i < 8; i += 2) {
        size_t at = ((size_t)text.data[i] << 8 | text.data[i + 1]) % code->len;
        code->data[at] ^= (uint8_t)(1u << (i & 7));
    }
    if (hf_program_open(hf_buffer_view(code), &program) != HF_OK)
        return;
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 1000});
    struct hf_subject subject = {.data = text, .budget = &budget};
    uint64_t length;
    (void)!hf_program_match_at(&program, &subject, 0, scratch, &length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(32 << 20);
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    const uint8_t *line = memchr(data + 1, '\n', size - 1);
    size_t pattern_len = line == NULL ? size - 1 : (size_t)(line - data - 1);
    struct hf_bytes pattern = hf_bytes_of(data + 1, pattern_len);
    struct hf_bytes text = line == NULL ? (struct hf_bytes){.data = data}
                                        : hf_bytes_of(line + 1, size - pattern_len - 2);
    if (text.len > 64)
        text.len = 64;
    struct hf_pattern_error error = {0};
    struct hf_node *root = NULL;
    unsigned flags = HF_PROGRAM_LAZY;
    if ((data[0] & 1) != 0) {
        struct hf_regex regex;
        struct hf_regex_options options = {.nocase = (data[0] & 2) != 0,
                                           .dot_all = (data[0] & 4) != 0};
        if (hf_regex_parse(pattern, &options, arena, &regex, &error) == HF_OK)
            root = regex.root;
        flags =
            (regex.lazy ? HF_PROGRAM_LAZY : 0u) | (options.nocase ? HF_PROGRAM_NOCASE : 0u);
    } else if (hf_hex_parse(pattern, arena, &root, &error) != HF_OK) {
        root = NULL;
    }
    assert((root == NULL) == (error.text != NULL));
    HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
    if (root == NULL ||
        hf_program_compile(root, flags | HF_PROGRAM_ORDERED, arena, &code) != HF_OK)
        return 0;
    struct hf_program program;
    assert(hf_program_open(hf_buffer_view(&code), &program) == HF_OK);
    if (program.states < BIG)
        compare(&program, root, text, scratch);
    damage(&code, text, scratch);
    return 0;
}
