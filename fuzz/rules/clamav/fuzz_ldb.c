/* Lines of .ldb, .ndb, .db and .cdb. Properties: what is not taken says why; what is taken has a
 * program that the checker accepts and patterns that are stored and read back; what is worked out
 * from other patterns reads no byte that is not there; a name that an expression matches has the
 * three bytes that were said to be required. */
#include "base/auto.h"
#include "pattern/backtrack.h"
#include "rules/clamav/clamav.h"
#include "rules/derived.h"
#include "rules/metadata.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_gram(struct hf_bytes name, uint32_t gram)
{
    for (size_t i = 2; i < name.len; i++)
        if (gram == ((uint32_t)name.data[i - 2] << 16 | (uint32_t)name.data[i - 1] << 8 |
                     name.data[i]))
            return true;
    return false;
}

static void check_metadata(struct hf_bytes text, struct hf_bytes data)
{
    HF_AUTO(hf_backtrack_release) struct hf_backtrack *b = NULL;
    struct hf_metadata m;
    struct hf_pattern_error error;
    size_t start, length;
    assert(hf_metadata_read(text, &m) == HF_OK);
    uint32_t required = hf_metadata_required(m.name);
    if (required == UINT32_MAX || hf_backtrack_new(m.name, 0, &b, &error) != HF_OK)
        return;
    if (hf_backtrack_match(b, data, 0, false, &start, &length) == HF_OK)
        assert(has_gram(data, required));
}

static void check_derived(const struct hf_pattern *p, struct hf_bytes data)
{
    struct hf_compare c;
    struct hf_expression e;
    if (p->kind == HF_PATTERN_COMPARE) {
        assert(hf_compare_read(p->text, &c) == HF_OK);
        for (uint64_t start = 0; start <= data.len && start < 64; start++)
            (void)hf_compare_holds(&c, data, start);
    } else if (p->kind == HF_PATTERN_BACKTRACK) {
        assert(hf_expression_read(p->text, &e) == HF_OK);
    } else if (p->kind == HF_PATTERN_METADATA) {
        check_metadata(p->text, data);
    }
}

static void check(enum hf_clamav_result r, const struct hf_clamav_signature *s,
                  struct hf_bytes data)
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
        check_derived(&back, data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(64 << 20);
    struct hf_clamav_signature s;
    struct hf_bytes line = hf_bytes_of(data, size);
    check(hf_clamav_read_ldb(line, arena, &s), &s, line);
    check(hf_clamav_read_ndb(line, arena, &s), &s, line);
    check(hf_clamav_read_db(line, arena, &s), &s, line);
    check(hf_clamav_read_cdb(line, arena, &s), &s, line);
    return 0;
}
