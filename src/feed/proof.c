#include "feed/proof.h"

#include <inttypes.h>

static const char header[] = "c2sp.org/tlog-proof@v1";
static const char extra_word[] = "extra ";
static const char index_word[] = "index ";

/* The rest of a line that begins with a word; false, and nothing moved, when it does not. */
static bool read_worded(struct hf_cursor *c, const char *word, struct hf_bytes *rest)
{
    if (!hf_peek_equal(c, word, strlen(word)))
        return false;
    hf_skip(c, strlen(word));
    return hf_line_read(c, rest);
}

static enum hf_refusal read_extra(struct hf_cursor *c, struct hf_arena *arena,
                                  struct hf_proof *proof)
{
    struct hf_bytes text;
    if (!hf_peek_equal(c, extra_word, sizeof extra_word - 1))
        return HF_ACCEPTED;
    if (!read_worded(c, extra_word, &text) || text.len == 0)
        return HF_REFUSE_FILE_EXTRA;
    size_t room = hf_base64_room(text.len);
    uint8_t *bytes = hf_arena_alloc(arena, room);
    if (bytes == NULL)
        return HF_REFUSE_NOMEM;
    size_t n = hf_base64_read(text, bytes, room);
    if (n == SIZE_MAX)
        return HF_REFUSE_FILE_EXTRA;
    proof->extra = hf_bytes_of(bytes, n);
    return HF_ACCEPTED;
}

static enum hf_refusal read_path(struct hf_cursor *c, struct hf_proof *proof)
{
    for (;;) {
        struct hf_bytes line;
        if (!hf_line_read(c, &line))
            return HF_REFUSE_FILE_CUT;
        if (line.len == 0)
            return HF_ACCEPTED;
        if (proof->count == HF_PROOF_MAX)
            return HF_REFUSE_FILE_HASHES;
        if (!hf_hash_read(line, &proof->path[proof->count]))
            return HF_REFUSE_FILE_HASH;
        proof->count++;
    }
}

static enum hf_refusal read_proof(struct hf_cursor *c, struct hf_arena *arena,
                                  struct hf_proof *proof)
{
    struct hf_bytes line;
    if (hf_cursor_left(c) > HF_PROOF_BYTES_MAX)
        return HF_REFUSE_FILE_LONG;
    if (!hf_line_read(c, &line) || !hf_bytes_equal(line, hf_bytes_text(header)))
        return HF_REFUSE_FILE_HEADER;
    enum hf_refusal r = read_extra(c, arena, proof);
    if (r != HF_ACCEPTED)
        return r;
    if (!read_worded(c, index_word, &line) || !hf_decimal_read(line, &proof->index))
        return HF_REFUSE_FILE_INDEX;
    r = read_path(c, proof);
    if (r != HF_ACCEPTED)
        return r;
    /* A cursor of its own: the note is all that is left. */
    struct hf_bytes rest = hf_take_rest(c);
    struct hf_cursor note = hf_cursor_open(rest.data, rest.len, c->budget);
    return hf_note_read(&note, arena, &proof->checkpoint);
}

enum hf_refusal hf_proof_read(struct hf_cursor *c, struct hf_arena *arena,
                              struct hf_proof *proof)
{
    *proof = (struct hf_proof){0};
    enum hf_refusal r = read_proof(c, arena, proof);
    if (r == HF_ACCEPTED)
        return r;
    if (hf_cursor_status(c) == HF_LIMIT)
        r = HF_REFUSE_BUDGET;
    *proof = (struct hf_proof){0};
    return r;
}

static void write_hash(struct hf_buffer *out, const struct hf_hash *hash)
{
    hf_base64_write(out, hf_bytes_of(hash->bytes, sizeof hash->bytes));
    hf_buffer_u8(out, '\n');
}

enum hf_refusal hf_proof_write(struct hf_buffer *out, const struct hf_proof *proof)
{
    if (proof->count > HF_PROOF_MAX)
        return HF_REFUSE_ARGUMENT;
    hf_buffer_format(out, "%s\n", header);
    if (proof->extra.len > 0) {
        hf_buffer_text(out, extra_word);
        hf_base64_write(out, proof->extra);
        hf_buffer_u8(out, '\n');
    }
    hf_buffer_format(out, "%s%" PRIu64 "\n", index_word, proof->index);
    for (size_t i = 0; i < proof->count; i++)
        write_hash(out, &proof->path[i]);
    hf_buffer_u8(out, '\n');
    hf_note_write(out, &proof->checkpoint);
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

enum hf_refusal hf_proof_verify(struct hf_merkle *m, const struct hf_proof *proof,
                                struct hf_bytes entry, const struct hf_log *log,
                                const struct hf_vkey *witnesses, size_t count,
                                struct hf_note_seal *seals, struct hf_checkpoint *out)
{
    enum hf_refusal r =
        hf_checkpoint_verify(m, &proof->checkpoint, log, witnesses, count, seals, out);
    if (r != HF_ACCEPTED)
        return r;
    struct hf_hash leaf = hf_merkle_leaf(m, entry);
    r = hf_inclusion_check(m, &leaf, proof->index, out->size, &out->root, proof->path,
                           proof->count);
    if (r == HF_ACCEPTED)
        return r;
    *out = (struct hf_checkpoint){0};
    for (size_t i = 0; i < log->count + count; i++)
        seals[i] = (struct hf_note_seal){0};
    return r;
}
