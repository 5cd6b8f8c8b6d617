#include "feed/root.h"

#include "base/auto.h"

#include <inttypes.h>
#include <stdlib.h>

static const char header[] = "holdfast-root v1";

static bool same_key(const struct hf_role *role, const struct hf_vkey *key)
{
    for (size_t i = 0; i < role->count; i++)
        if (memcmp(role->keys[i].bytes, key->bytes, sizeof key->bytes) == 0)
            return true;
    return false;
}

static enum hf_refusal read_keys(struct hf_fields *f, struct hf_role *role)
{
    while (hf_fields_if(f, "key")) {
        struct hf_vkey *key = &role->keys[role->count];
        if (role->count == HF_ROLE_KEYS_MAX)
            return HF_REFUSE_ROOT_KEYS;
        enum hf_refusal r = hf_vkey_read(hf_field_word(f, HF_KEY_TEXT_MAX), key);
        if (r != HF_ACCEPTED)
            return r;
        if (key->type != HF_KEY_ED25519)
            return HF_REFUSE_KEY_COSIGNER;
        if (same_key(role, key))
            return HF_REFUSE_ROOT_KEYS;
        role->count++;
    }
    return role->threshold >= 1 && role->threshold <= role->count ? HF_ACCEPTED
                                                                  : HF_REFUSE_ROOT_KEYS;
}

/* The log's keys all bear its origin. */
static bool one_name(const struct hf_role *role)
{
    for (size_t i = 1; i < role->count; i++)
        if (!hf_bytes_equal(hf_vkey_name(&role->keys[0]), hf_vkey_name(&role->keys[i])))
            return false;
    return true;
}

static bool role_follows(const struct hf_root *root, const struct hf_role *role)
{
    size_t n = root->role_count;
    if (n == 0)
        return hf_bytes_equal(role->name, hf_bytes_text("root"));
    if (n == 1)
        return hf_bytes_equal(role->name, hf_bytes_text("log")) && one_name(role);
    return !hf_bytes_equal(role->name, hf_bytes_text("root")) &&
           !hf_bytes_equal(role->name, hf_bytes_text("log")) &&
           (n == 2 || hf_bytes_order(root->roles[n - 1].name, role->name) < 0);
}

static enum hf_refusal read_roles(struct hf_fields *f, struct hf_root *root)
{
    while (hf_fields_if(f, "role")) {
        if (root->role_count == HF_ROLES_MAX)
            return HF_REFUSE_ROOT_ROLE;
        struct hf_role *role = &root->roles[root->role_count];
        role->name = hf_field_tag(f);
        role->threshold = hf_field_number(f);
        enum hf_refusal r = read_keys(f, role);
        if (f->failed)
            return HF_REFUSE_ROOT_FORM;
        if (r != HF_ACCEPTED)
            return r;
        if (!role_follows(root, role))
            return HF_REFUSE_ROOT_ROLE;
        root->role_count++;
    }
    return root->role_count >= 2 ? HF_ACCEPTED : HF_REFUSE_ROOT_ROLE;
}

enum hf_refusal hf_root_read(struct hf_bytes text, struct hf_budget *budget,
                             struct hf_root *root)
{
    *root = (struct hf_root){0};
    if (text.len > HF_ROOT_BYTES_MAX)
        return HF_REFUSE_ROOT_LONG;
    struct hf_fields f = hf_fields_begin(text, header, budget);
    hf_fields_line(&f, "product");
    root->product = hf_field_product(&f);
    hf_fields_line(&f, "version");
    root->version = hf_field_number(&f);
    hf_fields_line(&f, "created");
    root->created = hf_field_number(&f);
    hf_fields_line(&f, "expires");
    root->expires = hf_field_number(&f);
    if (f.failed || root->version == 0 || root->created >= root->expires)
        return HF_REFUSE_ROOT_FORM;
    enum hf_refusal r = read_roles(&f, root);
    if (hf_cursor_status(&f.c) == HF_LIMIT)
        return HF_REFUSE_BUDGET;
    if (r == HF_ACCEPTED && !hf_fields_end(&f))
        r = HF_REFUSE_ROOT_FORM;
    return r;
}

enum hf_refusal hf_root_write(struct hf_buffer *out, const struct hf_root *root)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_format(&text, "%s\n", header);
    hf_put_bytes(&text, "product", root->product);
    hf_put_number(&text, "version", root->version);
    hf_put_number(&text, "created", root->created);
    hf_put_number(&text, "expires", root->expires);
    for (size_t i = 0; i < root->role_count && i < HF_ROLES_MAX; i++) {
        const struct hf_role *role = &root->roles[i];
        hf_buffer_text(&text, "role ");
        hf_buffer_bytes(&text, role->name);
        hf_buffer_format(&text, " %" PRIu64 "\n", role->threshold);
        for (size_t k = 0; k < role->count && k < HF_ROLE_KEYS_MAX; k++) {
            hf_buffer_text(&text, "key ");
            hf_vkey_write(&text, &role->keys[k]);
            hf_buffer_u8(&text, '\n');
        }
    }
    if (text.failed)
        return HF_REFUSE_NOMEM;
    struct hf_root *again = calloc(1, sizeof *again);
    if (again == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = hf_root_read(hf_buffer_view(&text), NULL, again);
    free(again);
    if (r != HF_ACCEPTED)
        return r;
    hf_buffer_bytes(out, hf_buffer_view(&text));
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

const struct hf_role *hf_root_role(const struct hf_root *root, struct hf_bytes name)
{
    for (size_t i = 0; i < root->role_count; i++)
        if (hf_bytes_equal(root->roles[i].name, name))
            return &root->roles[i];
    return NULL;
}

enum hf_refusal hf_role_verify(const struct hf_role *role,
                               const struct hf_signed_note *note)
{
    struct hf_note_seal seals[HF_ROLE_KEYS_MAX];
    enum hf_refusal r = hf_note_verify(note, role->keys, role->count, seals);
    if (r == HF_REFUSE_NOTE_UNKNOWN)
        return HF_REFUSE_ROLE_THRESHOLD;
    if (r != HF_ACCEPTED)
        return r;
    uint64_t signers = 0;
    for (size_t i = 0; i < role->count; i++)
        signers += seals[i].valid;
    return signers >= role->threshold ? HF_ACCEPTED : HF_REFUSE_ROLE_THRESHOLD;
}

enum hf_refusal hf_root_verify(const struct hf_root *old, const struct hf_signed_note *note,
                               const struct hf_root *next)
{
    if (old != NULL && !hf_bytes_equal(old->product, next->product))
        return HF_REFUSE_ROOT_PRODUCT;
    if (old != NULL && (old->version == UINT64_MAX || next->version != old->version + 1))
        return HF_REFUSE_ROOT_VERSION;
    enum hf_refusal r = HF_ACCEPTED;
    if (old != NULL)
        r = hf_role_verify(&old->roles[0], note);
    if (r == HF_REFUSE_ROLE_THRESHOLD)
        return HF_REFUSE_ROOT_UNCHAINED;
    return r == HF_ACCEPTED ? hf_role_verify(&next->roles[0], note) : r;
}
