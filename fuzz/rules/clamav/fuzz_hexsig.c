/* A HexSig and bytes, split at the first newline. Properties: what is refused says why; what
 * compiles opens; each part alone agrees with the naive matcher. The first byte: modifiers. */
#include "../../../tests/pattern/naive.h"
#include "base/auto.h"
#include "pattern/program.h"
#include "rules/clamav/hexsig.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 64, BIG = 2000 };

static void compare(struct hf_node *root, const struct hf_program *program,
                    struct hf_bytes text, struct hf_machine_scratch *scratch)
{
    struct hf_subject subject = {.data = text};
    for (size_t i = 0; i <= text.len; i++) {
        uint64_t length = 0;
        enum hf_status st = hf_program_match_at(program, &subject, i, scratch, &length);
        int naive = naive_match(root, true, text, i);
        assert((st == HF_OK) == (naive >= 0));
        assert(st != HF_OK || (int)length == naive);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(32 << 20);
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    const uint8_t *line = memchr(data + 1, '\n', size - 1);
    size_t len = line == NULL ? size - 1 : (size_t)(line - data - 1);
    struct hf_bytes text = line == NULL ? (struct hf_bytes){.data = data}
                                        : hf_bytes_of(line + 1, size - len - 2);
    if (text.len > TEXT_MAX)
        text.len = TEXT_MAX;
    struct hf_hexsig_options options = {.nocase = (data[0] & 1) != 0,
                                        .wide = (data[0] & 2) != 0,
                                        .ascii = (data[0] & 4) != 0,
                                        .fullword = (data[0] & 8) != 0,
                                        .counted = (data[0] & 16) != 0};
    struct hf_bytes hex = hf_bytes_of(data + 1, len);
    struct hf_hexsig sig;
    struct hf_pattern_error error;
    enum hf_status st = hf_hexsig_compile(hex, &options, arena, &sig, &error);
    assert((st == HF_OK) == (error.text == NULL));
    if (st != HF_OK)
        return 0;
    for (size_t i = 0; i < sig.count; i++) {
        struct hf_program program;
        assert(sig.patterns[i].kind == HF_PATTERN_LITERAL ||
               hf_program_open(sig.patterns[i].text, &program) == HF_OK);
    }
    struct hf_hexsig_part *parts;
    size_t count;
    if (hf_hexsig_parse(hex, &options, arena, &parts, &count, &error) != HF_OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
        struct hf_program program;
        if (hf_program_compile(parts[i].root, HF_PROGRAM_LAZY, arena, &code) != HF_OK)
            continue;
        assert(hf_program_open(hf_buffer_view(&code), &program) == HF_OK);
        if (program.states < BIG)
            compare(parts[i].root, &program, text, scratch);
    }
    return 0;
}
