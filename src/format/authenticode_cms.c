/* The structure of signed data. [RFC 2315 9, RFC 5652 5] */
#include "format/authenticode_internal.h"

/* Contents of OIDs, without tag and length. */
#define MICROSOFT "\x2b\x06\x01\x04\x01\x82\x37"
#define PKCS      "\x2a\x86\x48\x86\xf7\x0d\x01"
static const struct {
    const char *bytes;
    size_t len;
} oids[AC_OIDS] = {
    [AC_SIGNED_DATA] = {PKCS "\x07\x02", 9},
    [AC_INDIRECT_DATA] = {MICROSOFT "\x02\x01\x04", 10},
    [AC_OPUS_INFO] = {MICROSOFT "\x02\x01\x0c", 10},
    [AC_NESTED] = {MICROSOFT "\x02\x04\x01", 10},
    [AC_MS_TIMESTAMP] = {MICROSOFT "\x03\x03\x01", 10},
    [AC_MESSAGE_DIGEST] = {PKCS "\x09\x04", 9},
    [AC_SIGNING_TIME] = {PKCS "\x09\x05", 9},
    [AC_COUNTERSIGNATURE] = {PKCS "\x09\x06", 9},
    [AC_TST_INFO] = {PKCS "\x09\x10\x01\x04", 11},
    [AC_TRUST_LIST] = {MICROSOFT "\x0a\x01", 9},
};

bool ac_is(const struct hf_der *value, enum ac_oid oid)
{
    return hf_der_is_oid(value, oids[oid].bytes, oids[oid].len);
}

static struct ac_attributes attributes_of(const struct hf_der *set)
{
    return (struct ac_attributes){.present = true,
                                  .definite = set->definite,
                                  .whole = set->whole,
                                  .content = set->content};
}

/* issuerAndSerialNumber, or [0] subjectKeyIdentifier. */
static void read_signer_id(struct hf_cursor *c, struct hf_arena *arena,
                           struct ac_signer *out)
{
    struct hf_der value;
    if (hf_der_take(c, HF_DER_IMPLICIT, &value)) {
        out->key_id = hf_der_bytes(&value, arena);
        return;
    }
    struct hf_cursor id = hf_der_open(c, HF_DER_SEQUENCE);
    if (hf_der_take(&id, HF_DER_SEQUENCE, &value))
        out->issuer = value.whole;
    if (hf_der_take(&id, HF_DER_INTEGER, &value))
        out->serial = value.whole;
    if (out->issuer.data == NULL || out->serial.data == NULL)
        c->failed = true;
}

bool ac_read_signer(struct hf_cursor *c, struct hf_arena *arena, struct ac_signer *out)
{
    struct hf_cursor s = hf_der_open(c, HF_DER_SEQUENCE);
    struct hf_der value;
    (void)hf_der_open(&s, HF_DER_INTEGER);
    read_signer_id(&s, arena, out);
    struct hf_cursor algorithm = hf_der_open(&s, HF_DER_SEQUENCE);
    if (!hf_der_take(&algorithm, HF_DER_OID, &out->digest_oid))
        return false;
    if (hf_der_take(&s, HF_DER_EXPLICIT, &value))
        out->authenticated = attributes_of(&value);
    (void)hf_der_open(&s,
                      HF_DER_SEQUENCE); /* says "RSA" or the like; the key knows better */
    if (!hf_der_take(&s, HF_DER_OCTETS, &value) &&
        !hf_der_take(&s, HF_DER_OCTETS | HF_DER_CONSTRUCTED, &value))
        return false;
    out->signature = hf_der_bytes(&value, arena);
    if (hf_der_take(&s, HF_DER_EXPLICIT + 1, &value))
        out->unauthenticated = attributes_of(&value);
    return !s.failed && out->signature.data != NULL;
}

static enum hf_status read_certs(struct hf_cursor c, struct hf_arena *arena,
                                 struct ac_signed_data *out)
{
    struct hf_der value;
    out->certs = hf_arena_array(arena, HF_AUTHENTICODE_CERTS_MAX, sizeof *out->certs);
    if (out->certs == NULL)
        return HF_NOMEM;
    while (hf_der_next(&c, &value)) {
        if (value.tag != HF_DER_SEQUENCE)
            continue; /* other kinds of certificates, which nothing uses */
        if (out->cert_count == HF_AUTHENTICODE_CERTS_MAX ||
            value.whole.len > HF_AUTHENTICODE_CERT_BYTES_MAX) {
            out->cut = true;
            return HF_OK;
        }
        out->certs[out->cert_count++] = value.whole;
    }
    return c.failed ? HF_TRUNCATED : HF_OK;
}

static enum hf_status read_signers(struct hf_cursor c, struct hf_arena *arena,
                                   struct ac_signed_data *out)
{
    out->signers = hf_arena_array(arena, HF_AUTHENTICODE_SIGNERS_MAX, sizeof *out->signers);
    if (out->signers == NULL)
        return HF_NOMEM;
    while (hf_cursor_left(&c) > 0) {
        if (out->signer_count == HF_AUTHENTICODE_SIGNERS_MAX) {
            out->cut = true;
            return HF_OK;
        }
        if (!ac_read_signer(&c, arena, &out->signers[out->signer_count]))
            return HF_TRUNCATED;
        out->signer_count++;
    }
    return HF_OK;
}

static enum hf_status read_inner(struct hf_cursor s, struct hf_arena *arena,
                                 struct ac_signed_data *out)
{
    struct hf_der value;
    if (!hf_der_take(&s, HF_DER_INTEGER, &value) || !hf_der_uint(&value, &out->version))
        return HF_TRUNCATED;
    (void)hf_der_open(&s, HF_DER_SET); /* digest algorithms: signers name theirs again */
    struct hf_cursor info = hf_der_open(&s, HF_DER_SEQUENCE);
    if (!hf_der_take(&info, HF_DER_OID, &out->type))
        return HF_TRUNCATED;
    if (hf_der_take(&info, HF_DER_EXPLICIT, &value)) {
        struct hf_cursor inside = value.content;
        if (!hf_der_next(&inside, &out->content))
            return HF_TRUNCATED;
    }
    if (hf_der_take(&s, HF_DER_EXPLICIT, &value)) {
        enum hf_status st = read_certs(value.content, arena, out);
        if (st != HF_OK)
            return st;
    }
    (void)hf_der_take(&s, HF_DER_EXPLICIT + 1, &value); /* revocation lists */
    struct hf_cursor signers = hf_der_open(&s, HF_DER_SET);
    if (s.failed || info.failed)
        return HF_TRUNCATED;
    return read_signers(signers, arena, out);
}

enum hf_status ac_read_signed_data(struct hf_cursor *c, struct hf_arena *arena,
                                   struct ac_signed_data *out)
{
    struct hf_der whole, value;
    *out = (struct ac_signed_data){0};
    if (!hf_der_next(c, &whole) || whole.tag != HF_DER_SEQUENCE)
        return HF_TRUNCATED;
    out->whole = whole.whole;
    struct hf_cursor info = whole.content;
    if (!hf_der_take(&info, HF_DER_OID, &value))
        return HF_TRUNCATED;
    if (!ac_is(&value, AC_SIGNED_DATA))
        return HF_NOTFOUND;
    struct hf_cursor content = hf_der_open(&info, HF_DER_EXPLICIT);
    struct hf_cursor signed_data = hf_der_open(&content, HF_DER_SEQUENCE);
    if (content.failed || info.failed)
        return HF_TRUNCATED;
    return read_inner(signed_data, arena, out);
}

bool ac_next_attribute(struct hf_cursor *attributes, struct hf_der *attribute,
                       struct hf_der *type, struct hf_cursor *values)
{
    if (!hf_der_next(attributes, attribute) || attribute->tag != HF_DER_SEQUENCE)
        return false;
    struct hf_cursor c = attribute->content;
    if (!hf_der_take(&c, HF_DER_OID, type))
        return false;
    *values = hf_der_open(&c, HF_DER_SET);
    return !c.failed;
}

bool ac_find_attribute(const struct ac_attributes *attributes, enum ac_oid oid,
                       struct hf_cursor *values)
{
    struct hf_cursor c = attributes->content;
    struct hf_der attribute, type;
    while (attributes->present && ac_next_attribute(&c, &attribute, &type, values))
        if (ac_is(&type, oid))
            return true;
    return false;
}
