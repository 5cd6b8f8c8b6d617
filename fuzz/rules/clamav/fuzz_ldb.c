/* Lines of .ldb and .ndb. Properties: what is not taken says why; what is taken has a program that
 * the checker accepts and patterns that are stored and read back. */
#include "base/auto.h"
#include "rules/clamav/clamav.h"
#include "rules/machine.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum hf_clamav_result r, const struct hf_clamav_signature *s)
{
    assert((r == HF_CLAMAV_RULE) == (s->why == NULL));
    if (r != HF_CLAMAV_RULE)
        return;
    assert(s->pattern_count == s->rule.pattern_count && s->pattern_count > 0);
    assert(s->rule.condition != HF_CONDITION_PROGRAM ||
           hf_machine_check(s->rule.program, s->rule.pattern_count) == HF_OK);
    for (size_t i = 0; i < s->pattern_count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
        struct hf_pattern back;
        hf_pattern_write(&s->patterns[i], &out);
        struct hf_cursor c = hf_cursor_open(out.data, out.len, NULL);
        assert(hf_pattern_read(&c, &back) == HF_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(64 << 20);
    struct hf_clamav_signature s;
    struct hf_bytes line = hf_bytes_of(data, size);
    check(hf_clamav_read_ldb(line, arena, &s), &s);
    check(hf_clamav_read_ndb(line, arena, &s), &s);
    return 0;
}
