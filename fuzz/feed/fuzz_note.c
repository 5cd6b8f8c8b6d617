/* Property: an accepted note is written again byte for byte, and no key that did not sign it
 * verifies it; an accepted key, too, is written again byte for byte. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(struct hf_bytes input)
{
    struct hf_vkey key;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    if (hf_vkey_read(input, &key) != HF_ACCEPTED)
        return;
    hf_vkey_write(&out, &key);
    assert(hf_bytes_equal(hf_buffer_view(&out), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(4 << 20);
    struct hf_budget budget = hf_budget_unlimited();
    struct hf_cursor c = hf_cursor_open(data, size, &budget);
    struct hf_signed_note note;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    check_key(hf_bytes_of(data, size));
    if (hf_note_read(&c, arena, &note) != HF_ACCEPTED)
        return 0;
    hf_note_write(&out, &note);
    assert(hf_bytes_equal(hf_buffer_view(&out), hf_bytes_of(data, size)));
    /* A key with the name and id of the first line, but bytes that signed nothing. */
    struct hf_skey stranger;
    struct hf_note_seal seal;
    static const uint8_t seed[HF_ED25519_SEED] = {1};
    if (hf_skey_make(note.signatures[0].name, HF_KEY_ED25519, seed, &stranger) !=
        HF_ACCEPTED)
        abort(); /* a name of an accepted note is a valid name */
    stranger.verifier.id = note.signatures[0].id;
    assert(hf_note_verify(&note, &stranger.verifier, 1, &seal) != HF_ACCEPTED &&
           !seal.valid);
    return 0;
}
