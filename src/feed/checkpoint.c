#include "feed/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/note_internal.h"

bool hf_hash_read(struct hf_bytes line, struct hf_hash *hash)
{
    return line.len == 44 &&
           hf_base64_read(line, hash->bytes, sizeof hash->bytes) == sizeof hash->bytes;
}

static enum hf_refusal check_values(struct hf_merkle *m,
                                    const struct hf_checkpoint *checkpoint)
{
    if (checkpoint->origin.len == 0 || checkpoint->origin.len > HF_ORIGIN_MAX)
        return HF_REFUSE_CHECKPOINT_ORIGIN;
    if (checkpoint->size > HF_TREE_MAX)
        return HF_REFUSE_CHECKPOINT_HUGE;
    if (checkpoint->size > 0)
        return HF_ACCEPTED;
    struct hf_hash empty = hf_merkle_empty(m);
    if (m->failed)
        return HF_REFUSE_CRYPTO;
    return hf_hash_equal(&checkpoint->root, &empty) ? HF_ACCEPTED
                                                    : HF_REFUSE_CHECKPOINT_EMPTY;
}

static enum hf_refusal check_extensions(struct hf_bytes lines)
{
    struct hf_cursor c = hf_cursor_open(lines.data, lines.len, NULL);
    while (hf_cursor_left(&c) > 0) {
        struct hf_bytes line;
        if (!hf_line_read(&c, &line) || line.len == 0)
            return HF_REFUSE_CHECKPOINT_EXTENSION;
    }
    return HF_ACCEPTED;
}

static enum hf_refusal read_checkpoint(struct hf_merkle *m, struct hf_bytes text,
                                       struct hf_checkpoint *checkpoint)
{
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    struct hf_bytes size, root;
    if (text.len > HF_CHECKPOINT_BYTES_MAX)
        return HF_REFUSE_NOTE_LONG;
    if (!hf_line_read(&c, &checkpoint->origin) || !hf_line_read(&c, &size) ||
        !hf_line_read(&c, &root))
        return HF_REFUSE_CHECKPOINT_LINES;
    checkpoint->extensions = hf_take_rest(&c);
    if (!hf_decimal_read(size, &checkpoint->size))
        return HF_REFUSE_CHECKPOINT_SIZE;
    if (!hf_hash_read(root, &checkpoint->root))
        return HF_REFUSE_CHECKPOINT_ROOT;
    enum hf_refusal r = check_values(m, checkpoint);
    return r != HF_ACCEPTED ? r : check_extensions(checkpoint->extensions);
}

enum hf_refusal hf_checkpoint_read(struct hf_merkle *m, struct hf_bytes text,
                                   struct hf_checkpoint *checkpoint)
{
    *checkpoint = (struct hf_checkpoint){0};
    enum hf_refusal r = read_checkpoint(m, text, checkpoint);
    if (r != HF_ACCEPTED)
        *checkpoint = (struct hf_checkpoint){0};
    return r;
}

enum hf_refusal hf_checkpoint_write(struct hf_merkle *m, struct hf_buffer *out,
                                    const struct hf_checkpoint *checkpoint)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_bytes(&text, checkpoint->origin);
    hf_buffer_format(&text, "\n%" PRIu64 "\n", checkpoint->size);
    hf_base64_write(&text,
                    hf_bytes_of(checkpoint->root.bytes, sizeof checkpoint->root.bytes));
    hf_buffer_u8(&text, '\n');
    hf_buffer_bytes(&text, checkpoint->extensions);
    if (text.failed)
        return HF_REFUSE_NOMEM;
    /* Reading it back shows whether an origin or extension would be taken for something else. */
    struct hf_checkpoint again;
    if (hf_text_check(hf_buffer_view(&text)) != HF_TEXT_GOOD ||
        hf_checkpoint_read(m, hf_buffer_view(&text), &again) != HF_ACCEPTED ||
        !hf_bytes_equal(again.origin, checkpoint->origin) || again.size != checkpoint->size)
        return HF_REFUSE_ARGUMENT;
    hf_buffer_bytes(out, hf_buffer_view(&text));
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

static void release_keys(struct hf_vkey **keys)
{
    free(*keys);
}

static enum hf_refusal verify_by(const struct hf_signed_note *note,
                                 const struct hf_log *log, const struct hf_vkey *witnesses,
                                 size_t count, struct hf_note_seal *seals)
{
    HF_AUTO(release_keys)
    struct hf_vkey *keys = calloc(log->count + count + 1, sizeof *keys);
    if (keys == NULL)
        return HF_REFUSE_NOMEM;
    if (log->count > 0)
        memcpy(keys, log->keys, log->count * sizeof *keys);
    if (count > 0)
        memcpy(keys + log->count, witnesses, count * sizeof *keys);
    return hf_note_verify_all(note, keys, log->count + count, seals);
}

static bool signed_by_log(const struct hf_log *log, const struct hf_note_seal *seals)
{
    for (size_t i = 0; i < log->count; i++)
        if (seals[i].valid && log->keys[i].type == HF_KEY_ED25519)
            return true;
    return false;
}

enum hf_refusal hf_checkpoint_verify(struct hf_merkle *m, const struct hf_signed_note *note,
                                     const struct hf_log *log,
                                     const struct hf_vkey *witnesses, size_t count,
                                     struct hf_note_seal *seals, struct hf_checkpoint *out)
{
    for (size_t i = 0; i < log->count + count; i++)
        seals[i] = (struct hf_note_seal){0};
    enum hf_refusal r = hf_checkpoint_read(m, note->text, out);
    if (r == HF_ACCEPTED && !hf_bytes_equal(out->origin, log->origin))
        r = HF_REFUSE_CHECKPOINT_OTHER;
    if (r == HF_ACCEPTED)
        r = verify_by(note, log, witnesses, count, seals);
    if (r == HF_ACCEPTED && !signed_by_log(log, seals))
        r = HF_REFUSE_CHECKPOINT_LOG;
    if (r == HF_ACCEPTED)
        return r;
    for (size_t i = 0; i < log->count + count; i++)
        seals[i] = (struct hf_note_seal){0};
    *out = (struct hf_checkpoint){0};
    return r;
}

enum hf_refusal hf_checkpoint_cosign(struct hf_merkle *m, struct hf_buffer *out,
                                     struct hf_bytes text, uint64_t time,
                                     const struct hf_skey *key)
{
    struct hf_checkpoint checkpoint;
    enum hf_refusal r = hf_checkpoint_read(m, text, &checkpoint);
    if (r != HF_ACCEPTED)
        return r;
    if (key->verifier.type != HF_KEY_COSIGNER)
        return HF_REFUSE_KEY_ALGORITHM;
    if (time > INT64_MAX)
        return HF_REFUSE_NOTE_TIME;
    HF_AUTO(hf_buffer_done) struct hf_buffer message = {0};
    hf_note_cosigned_message(&message, text, time);
    uint8_t bytes[8 + HF_ED25519_SIGNATURE];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(time >> (56 - 8 * i));
    if (message.failed)
        return HF_REFUSE_NOMEM;
    r = hf_ed25519_sign(key->seed, hf_buffer_view(&message), bytes + 8);
    if (r != HF_ACCEPTED)
        return r;
    struct hf_note_signature s = {.name = hf_vkey_name(&key->verifier),
                                  .id = key->verifier.id,
                                  .bytes = hf_bytes_of(bytes, sizeof bytes)};
    hf_note_write_line(out, &s);
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}
