#include "feed/witness.h"

#include "base/auto.h"

#include <inttypes.h>

enum { ARENA_BYTES = 2 << 20 };

struct request {
    uint64_t old;
    struct hf_hash proof[HF_WITNESS_PROOF_MAX];
    size_t count;
    struct hf_signed_note note;
};

static bool read_request(struct hf_cursor *c, struct hf_arena *arena, struct request *r)
{
    static const char word[] = "old ";
    struct hf_bytes line;
    if (!hf_peek_equal(c, word, sizeof word - 1))
        return false;
    hf_skip(c, sizeof word - 1);
    if (!hf_line_read(c, &line) || !hf_decimal_read(line, &r->old))
        return false;
    while (hf_line_read(c, &line)) {
        if (line.len == 0)
            return hf_note_read(c, arena, &r->note) == HF_ACCEPTED;
        if (r->count == HF_WITNESS_PROOF_MAX || !hf_hash_read(line, &r->proof[r->count]))
            return false;
        r->count++;
    }
    return false;
}

static int status_of(enum hf_refusal r)
{
    switch (r) {
    case HF_REFUSE_CHECKPOINT_OTHER: return 404;
    case HF_REFUSE_CHECKPOINT_LOG:
    case HF_REFUSE_NOTE_UNKNOWN:
    case HF_REFUSE_NOTE_SIGNATURE:
    case HF_REFUSE_NOTE_LENGTH: return 403;
    case HF_REFUSE_NOMEM:
    case HF_REFUSE_CRYPTO: return 500;
    default: return 400;
    }
}

static int judge(struct hf_merkle *m, struct hf_arena *arena, struct request *r,
                 const struct hf_log *log, struct hf_witnessed *known,
                 struct hf_checkpoint *cp)
{
    struct hf_note_seal *seals = hf_arena_array(arena, log->count, sizeof *seals);
    if (seals == NULL)
        return 500;
    enum hf_refusal st = hf_checkpoint_verify(m, &r->note, log, NULL, 0, seals, cp);
    if (st != HF_ACCEPTED)
        return status_of(st);
    if (r->old > cp->size)
        return 400;
    if (r->old != known->size)
        return 409;
    if (r->old == cp->size && known->size > 0 && !hf_hash_equal(&known->root, &cp->root))
        return 409;
    if (r->old == 0)
        return r->count == 0 ? 200 : 422;
    st = hf_consistency_check(m, r->old, &known->root, cp->size, &cp->root, r->proof,
                              r->count);
    return st == HF_ACCEPTED ? 200 : st == HF_REFUSE_CRYPTO ? 500 : 422;
}

int hf_witness_judge(struct hf_merkle *m, struct hf_bytes bytes, const struct hf_log *log,
                     const struct hf_skey *key, uint64_t time, struct hf_witnessed *known,
                     struct hf_buffer *answer)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA_BYTES);
    struct request *r = arena == NULL ? NULL : hf_arena_alloc(arena, sizeof *r);
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    struct hf_checkpoint cp;
    if (r == NULL)
        return 500;
    if (!read_request(&c, arena, r))
        return 400;
    int status = judge(m, arena, r, log, known, &cp);
    if (status == 409)
        hf_buffer_format(answer, "%" PRIu64 "\n", known->size);
    if (status != 200)
        return status;
    if (hf_checkpoint_cosign(m, answer, r->note.text, time, key) != HF_ACCEPTED)
        return 500;
    *known = (struct hf_witnessed){cp.size, cp.root};
    return 200;
}

void hf_witness_request(struct hf_buffer *out, uint64_t old, const struct hf_hash *proof,
                        size_t count, struct hf_bytes checkpoint)
{
    hf_buffer_format(out, "old %" PRIu64 "\n", old);
    for (size_t i = 0; i < count; i++) {
        hf_base64_write(out, hf_bytes_of(proof[i].bytes, sizeof proof[i].bytes));
        hf_buffer_u8(out, '\n');
    }
    hf_buffer_u8(out, '\n');
    hf_buffer_bytes(out, checkpoint);
}
