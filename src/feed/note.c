#include "feed/note.h"

#include <inttypes.h>

#include "base/auto.h"
#include "feed/note_internal.h"

static const char dash[] = "\xe2\x80\x94 "; /* U+2014 and a space */

/* ---- reading ---- */

/* One line behind the dash: name, space, base64(id || signature). */
static enum hf_refusal read_signature(struct hf_bytes line, struct hf_arena *arena,
                                      struct hf_note_signature *s)
{
    struct hf_cursor c = hf_cursor_open(line.data, line.len, NULL);
    bool spaced;
    if (!hf_peek_equal(&c, dash, sizeof dash - 1))
        return HF_REFUSE_NOTE_LINE;
    hf_skip(&c, sizeof dash - 1);
    s->name = hf_take_until(&c, ' ', SIZE_MAX, &spaced);
    struct hf_bytes text = hf_take_rest(&c);
    if (!spaced)
        return HF_REFUSE_NOTE_LINE;
    if (!hf_key_name_valid(s->name))
        return HF_REFUSE_NOTE_NAME;
    size_t room = hf_base64_room(text.len);
    if (room > HF_NOTE_SIGNATURE_BYTES_MAX)
        return HF_REFUSE_NOTE_BULKY;
    uint8_t *bytes = hf_arena_alloc(arena, room);
    if (bytes == NULL)
        return HF_REFUSE_NOMEM;
    size_t n = hf_base64_read(text, bytes, room);
    if (n == SIZE_MAX)
        return HF_REFUSE_NOTE_BASE64;
    if (n < 5)
        return HF_REFUSE_NOTE_SHORT;
    struct hf_cursor id = hf_cursor_open(bytes, n, NULL);
    s->id = hf_u32be(&id);
    s->bytes = hf_take_rest(&id);
    return HF_ACCEPTED;
}

static enum hf_refusal read_signatures(struct hf_cursor *c, struct hf_arena *arena,
                                       struct hf_signed_note *note)
{
    while (hf_cursor_left(c) > 0) {
        struct hf_bytes line;
        if (note->count == HF_NOTE_SIGNATURES_MAX)
            return HF_REFUSE_NOTE_CROWDED;
        if (!hf_line_read(c, &line))
            return hf_cursor_status(c) == HF_OK ? HF_REFUSE_NOTE_CUT : HF_REFUSE_BUDGET;
        struct hf_note_signature *more =
            hf_arena_grow(arena, note->signatures, note->count, sizeof *note->signatures);
        if (more == NULL)
            return HF_REFUSE_NOMEM;
        note->signatures = more;
        enum hf_refusal r = read_signature(line, arena, &more[note->count]);
        if (r != HF_ACCEPTED)
            return r;
        note->count++;
    }
    return note->count == 0 ? HF_REFUSE_NOTE_UNSIGNED : HF_ACCEPTED;
}

static enum hf_refusal read_note(struct hf_cursor *c, struct hf_arena *arena,
                                 struct hf_signed_note *note)
{
    struct hf_cursor ahead = *c;
    struct hf_bytes whole = hf_take_rest(&ahead);
    if (whole.len > HF_NOTE_BYTES_MAX)
        return HF_REFUSE_NOTE_LONG;
    if (!hf_cursor_charge(c, whole.len / 1024 + 1))
        return HF_REFUSE_BUDGET;
    enum hf_text_fault fault = hf_text_check(whole);
    if (fault != HF_TEXT_GOOD)
        return fault == HF_TEXT_CONTROL ? HF_REFUSE_NOTE_CONTROL : HF_REFUSE_NOTE_UTF8;
    /* The last blank line parts text and signatures; what follows has none by that. */
    struct hf_cursor body = hf_cursor_open(whole.data, whole.len, c->budget);
    size_t blank = hf_find_last(&body, "\n\n", 2, 0, whole.len);
    if (blank == SIZE_MAX)
        return hf_cursor_status(&body) != HF_OK ? HF_REFUSE_BUDGET
                                                : HF_REFUSE_NOTE_UNSIGNED;
    note->text = hf_take(&body, blank + 1);
    if (note->text.len == 1)
        return HF_REFUSE_NOTE_TEXT;
    hf_skip(&body, 1);
    return read_signatures(&body, arena, note);
}

enum hf_refusal hf_note_read(struct hf_cursor *c, struct hf_arena *arena,
                             struct hf_signed_note *note)
{
    *note = (struct hf_signed_note){0};
    enum hf_refusal r = read_note(c, arena, note);
    if (r != HF_ACCEPTED)
        *note = (struct hf_signed_note){0};
    else
        (void)hf_take_rest(c);
    return r;
}

/* ---- verifying ---- */

void hf_note_cosigned_message(struct hf_buffer *out, struct hf_bytes text, uint64_t time)
{
    hf_buffer_format(out, "cosignature/v1\ntime %" PRIu64 "\n", time);
    hf_buffer_bytes(out, text);
}

static enum hf_refusal verify_plain(const struct hf_vkey *key, struct hf_bytes text,
                                    struct hf_bytes signature, struct hf_note_seal *seal)
{
    if (signature.len != HF_ED25519_SIGNATURE)
        return HF_REFUSE_NOTE_LENGTH;
    enum hf_refusal r = hf_ed25519_verify(key->bytes, text, signature.data);
    seal->valid = r == HF_ACCEPTED;
    return r;
}

/* u64 time || Ed25519 over the text with a prefix that names that time. */
static enum hf_refusal verify_cosignature(const struct hf_vkey *key, struct hf_bytes text,
                                          struct hf_bytes signature,
                                          struct hf_note_seal *seal)
{
    if (signature.len != 8 + HF_ED25519_SIGNATURE)
        return HF_REFUSE_NOTE_LENGTH;
    struct hf_cursor c = hf_cursor_open(signature.data, signature.len, NULL);
    uint64_t time = hf_u64be(&c);
    if (time > INT64_MAX)
        return HF_REFUSE_NOTE_TIME;
    HF_AUTO(hf_buffer_done) struct hf_buffer message = {0};
    hf_note_cosigned_message(&message, text, time);
    if (message.failed)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r =
        hf_ed25519_verify(key->bytes, hf_buffer_view(&message), hf_take_rest(&c).data);
    if (r != HF_ACCEPTED)
        return r;
    seal->valid = true;
    if (time > seal->time)
        seal->time = time; /* several lines by one witness: the newest counts */
    return HF_ACCEPTED;
}

static const struct {
    uint8_t type;
    enum hf_refusal (*verify)(const struct hf_vkey *key, struct hf_bytes text,
                              struct hf_bytes signature, struct hf_note_seal *seal);
} algorithms[] = {
    {HF_KEY_ED25519, verify_plain},
    {HF_KEY_COSIGNER, verify_cosignature},
};

static enum hf_refusal verify_one(const struct hf_vkey *key, struct hf_bytes text,
                                  struct hf_bytes signature, struct hf_note_seal *seal)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (algorithms[i].type == key->type)
            return algorithms[i].verify(key, text, signature, seal);
    return HF_REFUSE_KEY_ALGORITHM;
}

static bool same_key(const struct hf_vkey *key, struct hf_bytes name, uint32_t id)
{
    return key->id == id && hf_bytes_equal(hf_vkey_name(key), name);
}

static enum hf_refusal check_keys(const struct hf_vkey *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (same_key(&keys[i], hf_vkey_name(&keys[j]), keys[j].id))
                return HF_REFUSE_KEY_AMBIGUOUS;
    return HF_ACCEPTED;
}

static enum hf_refusal verify_lines(const struct hf_signed_note *note,
                                    const struct hf_vkey *keys, size_t count,
                                    struct hf_note_seal *seals)
{
    bool known = false;
    for (size_t i = 0; i < note->count; i++) {
        const struct hf_note_signature *s = &note->signatures[i];
        for (size_t k = 0; k < count; k++) {
            if (!same_key(&keys[k], s->name, s->id))
                continue;
            enum hf_refusal r = verify_one(&keys[k], note->text, s->bytes, &seals[k]);
            if (r != HF_ACCEPTED)
                return r;
            known = true;
        }
    }
    return known ? HF_ACCEPTED : HF_REFUSE_NOTE_UNKNOWN;
}

static void clear_seals(struct hf_note_seal *seals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        seals[i] = (struct hf_note_seal){0};
}

enum hf_refusal hf_note_verify_all(const struct hf_signed_note *note,
                                   const struct hf_vkey *keys, size_t count,
                                   struct hf_note_seal *seals)
{
    clear_seals(seals, count);
    enum hf_refusal r = check_keys(keys, count);
    if (r == HF_ACCEPTED)
        r = verify_lines(note, keys, count, seals);
    if (r != HF_ACCEPTED)
        clear_seals(seals, count); /* nobody acts on half a verification */
    return r;
}

enum hf_refusal hf_note_verify(const struct hf_signed_note *note,
                               const struct hf_vkey *keys, size_t count,
                               struct hf_note_seal *seals)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].type == HF_KEY_COSIGNER) {
            clear_seals(seals, count);
            return HF_REFUSE_KEY_COSIGNER;
        }
    return hf_note_verify_all(note, keys, count, seals);
}

/* ---- writing ---- */

void hf_note_write_line(struct hf_buffer *out, const struct hf_note_signature *signature)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    uint32_t id = signature->id;
    for (int shift = 24; shift >= 0; shift -= 8)
        hf_buffer_u8(&bytes, (uint8_t)(id >> shift));
    hf_buffer_bytes(&bytes, signature->bytes);
    hf_buffer_text(out, dash);
    hf_buffer_bytes(out, signature->name);
    hf_buffer_u8(out, ' ');
    hf_base64_write(out, hf_buffer_view(&bytes));
    hf_buffer_u8(out, '\n');
    out->failed = out->failed || bytes.failed;
}

void hf_note_write(struct hf_buffer *out, const struct hf_signed_note *note)
{
    hf_buffer_bytes(out, note->text);
    hf_buffer_u8(out, '\n');
    for (size_t i = 0; i < note->count; i++)
        hf_note_write_line(out, &note->signatures[i]);
}

enum hf_refusal hf_note_begin(struct hf_buffer *out, struct hf_bytes text)
{
    if (text.len < 2 || text.data[text.len - 1] != '\n' || text.len >= HF_NOTE_BYTES_MAX ||
        hf_text_check(text) != HF_TEXT_GOOD)
        return HF_REFUSE_ARGUMENT;
    hf_buffer_bytes(out, text);
    hf_buffer_u8(out, '\n');
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

enum hf_refusal hf_note_sign(struct hf_buffer *out, struct hf_bytes text,
                             const struct hf_skey *key)
{
    if (key->verifier.type != HF_KEY_ED25519)
        return HF_REFUSE_KEY_COSIGNER;
    uint8_t bytes[HF_ED25519_SIGNATURE];
    enum hf_refusal r = hf_ed25519_sign(key->seed, text, bytes);
    if (r != HF_ACCEPTED)
        return r;
    struct hf_note_signature s = {.name = hf_vkey_name(&key->verifier),
                                  .id = key->verifier.id,
                                  .bytes = hf_bytes_of(bytes, sizeof bytes)};
    hf_note_write_line(out, &s);
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}
