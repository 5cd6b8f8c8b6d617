/* Property: an accepted proof file is written again byte for byte; its path read as an inclusion
 * proof and as a consistency proof never fits a root that it was not made for. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(4 << 20);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_budget budget = hf_budget_unlimited();
    struct hf_cursor c = hf_cursor_open(data, size, &budget);
    struct hf_proof proof;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    if (hf_proof_read(&c, arena, &proof) != HF_ACCEPTED)
        return 0;
    if (hf_proof_write(&out, &proof) != HF_ACCEPTED)
        abort(); /* what was read can be written */
    assert(hf_bytes_equal(hf_buffer_view(&out), hf_bytes_of(data, size)));
    struct hf_checkpoint cp;
    struct hf_hash leaf = hf_merkle_leaf(&m, hf_bytes_text("not in any seed"));
    if (hf_checkpoint_read(&m, proof.checkpoint.text, &cp) != HF_ACCEPTED)
        return 0;
    assert(hf_inclusion_check(&m, &leaf, proof.index, cp.size, &cp.root, proof.path,
                              proof.count) != HF_ACCEPTED);
    if (proof.index > 0)
        assert(hf_consistency_check(&m, proof.index, &leaf, cp.size, &cp.root, proof.path,
                                    proof.count) != HF_ACCEPTED);
    return 0;
}
