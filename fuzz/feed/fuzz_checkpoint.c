/* Property: an accepted checkpoint is written again byte for byte, signed and cosigned it
 * verifies, and with its last byte of text changed it does not. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum hf_refusal verify(struct hf_merkle *m, struct hf_bytes bytes,
                              const struct hf_log *log, const struct hf_vkey *witness)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(4 << 20);
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    struct hf_signed_note note;
    struct hf_note_seal seals[2];
    struct hf_checkpoint out;
    enum hf_refusal r = hf_note_read(&c, arena, &note);
    if (r == HF_ACCEPTED)
        r = hf_checkpoint_verify(m, &note, log, witness, 1, seals, &out);
    if (r == HF_ACCEPTED)
        assert(seals[0].valid && seals[1].valid && seals[1].time == 7);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_bytes text = hf_bytes_of(data, size);
    struct hf_checkpoint cp;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0}, note = {0};
    if (hf_checkpoint_read(&m, text, &cp) != HF_ACCEPTED ||
        hf_text_check(text) != HF_TEXT_GOOD)
        return 0;
    if (hf_checkpoint_write(&m, &out, &cp) != HF_ACCEPTED)
        abort(); /* what was read can be written */
    assert(hf_bytes_equal(hf_buffer_view(&out), text));
    static const uint8_t seed[HF_ED25519_SEED] = {1};
    struct hf_skey key, witness;
    if (hf_skey_make(hf_bytes_text("log"), HF_KEY_ED25519, seed, &key) != HF_ACCEPTED ||
        hf_skey_make(hf_bytes_text("w"), HF_KEY_COSIGNER, seed, &witness) != HF_ACCEPTED ||
        hf_note_begin(&note, text) != HF_ACCEPTED ||
        hf_note_sign(&note, text, &key) != HF_ACCEPTED ||
        hf_checkpoint_cosign(&m, &note, text, 7, &witness) != HF_ACCEPTED)
        abort(); /* a checkpoint can be signed */
    struct hf_log log = {.origin = cp.origin, .keys = &key.verifier, .count = 1};
    assert(verify(&m, hf_buffer_view(&note), &log, &witness.verifier) == HF_ACCEPTED);
    note.data[size - 2] ^= 1;
    assert(verify(&m, hf_buffer_view(&note), &log, &witness.verifier) != HF_ACCEPTED);
    return 0;
}
