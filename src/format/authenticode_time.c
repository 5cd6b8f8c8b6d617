/* Countersignatures: somebody else's word on when a signature was made. The older kind signs the
 * signature itself [RFC 2985 5.3.6 countersignature], the newer one is a whole signed message
 * about it [RFC 3161]. */
#include "format/authenticode_internal.h"

#include "base/auto.h"

static bool digest_matches(const struct hf_der *oid, struct hf_bytes data,
                           struct hf_bytes claimed)
{
    struct ac_digest digest;
    return ac_digest(oid, &data, 1, &digest) &&
           hf_bytes_equal(claimed, hf_bytes_of(digest.value, digest.len));
}

/* Chain and trust of the one who countersigned. */
static bool describe_signer(struct ac_context *ctx, X509 *cert,
                            const struct ac_certs *certs, struct hf_countersignature *out)
{
    int64_t at = out->sign_time.defined ? out->sign_time.value : ctx->now;
    out->chain_status = ac_judge(cert, certs, ctx->roots, at, true);
    if (!ac_chain(cert, certs, ctx->now, ctx->arena, &out->chain))
        return false;
    out->chain_length = (int64_t)out->chain.count;
    return true;
}

/* What keeps it from being verified; NULL: nothing. */
static const char *read_pkcs9(struct ac_context *ctx, struct hf_cursor *c,
                              const struct ac_signer *parent, const struct ac_certs *certs,
                              struct hf_countersignature *out)
{
    struct ac_signer signer = {0};
    struct hf_cursor values;
    struct hf_der value;
    struct hf_bytes digest = {0};
    int64_t time;
    if (!ac_read_signer(c, ctx->arena, &signer))
        return "damaged";
    out->digest_alg = ac_oid_name(&signer.digest_oid);
    if (!ac_find_attribute(&signer.authenticated, AC_SIGNING_TIME, &values) ||
        !hf_der_next(&values, &value))
        return "no time";
    struct hf_cursor text = value.content;
    if (hf_der_time(value.tag, hf_take_rest(&text), &time))
        out->sign_time = hf_optional_of(time);
    X509 *cert = ac_find_signer(certs, &signer);
    if (cert == NULL)
        return "signer's certificate is missing";
    if (!describe_signer(ctx, cert, certs, out))
        ac_fail(ctx, HF_NOMEM);
    const char *error = ac_check_signer(&signer, cert, parent->signature, parent->signature,
                                        ctx->arena, &digest);
    if (digest.len > 0)
        out->digest = ac_hex(ctx->arena, digest);
    return error;
}

/* TSTInfo: version, policy, imprint (algorithm, digest), serial number, time. [RFC 3161 2.4.2] */
static bool read_tst_info(struct hf_bytes bytes, struct hf_cursor *like,
                          struct hf_arena *arena, struct hf_der *oid,
                          struct hf_bytes *imprint, struct hf_optional *time)
{
    struct hf_cursor outer = hf_cursor_open(bytes.data, bytes.len, like->budget);
    struct hf_cursor c = hf_der_open(&outer, HF_DER_SEQUENCE);
    struct hf_der value;
    uint64_t version = 0;
    int64_t seconds;
    if (!hf_der_take(&c, HF_DER_INTEGER, &value) || !hf_der_uint(&value, &version) ||
        version != 1)
        return false;
    (void)hf_der_open(&c, HF_DER_OID);
    struct hf_cursor message = hf_der_open(&c, HF_DER_SEQUENCE);
    struct hf_cursor algorithm = hf_der_open(&message, HF_DER_SEQUENCE);
    if (!hf_der_take(&algorithm, HF_DER_OID, oid) ||
        !hf_der_take(&message, HF_DER_OCTETS, &value))
        return false;
    *imprint = hf_der_bytes(&value, arena);
    (void)hf_der_open(&c, HF_DER_INTEGER);
    if (!hf_der_take(&c, HF_DER_TIME, &value))
        return false;
    struct hf_cursor text = value.content;
    if (hf_der_time(HF_DER_TIME, hf_take_rest(&text), &seconds))
        *time = hf_optional_of(seconds);
    return true;
}

static const char *read_token(struct ac_context *ctx, struct hf_cursor *c,
                              const struct ac_signer *parent,
                              struct hf_countersignature *out, struct ac_certs *more)
{
    HF_AUTO(ac_certs_release) struct ac_certs certs = {0};
    struct ac_signed_data data;
    struct hf_der oid = {0};
    struct hf_bytes imprint = {0};
    enum hf_status st = ac_read_signed_data(c, ctx->arena, &data);
    if (st != HF_OK || !ac_is(&data.type, AC_TST_INFO))
        return "damaged";
    if ((data.content.tag & ~HF_DER_CONSTRUCTED) != HF_DER_OCTETS)
        return "damaged";
    struct hf_bytes info = hf_der_bytes(&data.content, ctx->arena);
    if (!read_tst_info(info, c, ctx->arena, &oid, &imprint, &out->sign_time))
        return "damaged";
    for (size_t i = 0; i < data.cert_count; i++)
        if (!hf_cursor_charge(c, AC_CERT_WORK) ||
            !ac_certs_add(&certs, data.certs[i], &ctx->certs) ||
            !ac_certs_add(more, data.certs[i], &ctx->certs))
            return "damaged";
    X509 *cert = data.signer_count > 0 ? ac_find_signer(&certs, &data.signers[0]) : NULL;
    if (cert == NULL)
        return "signer's certificate is missing";
    if (!describe_signer(ctx, cert, &certs, out))
        ac_fail(ctx, HF_NOMEM);
    out->digest_alg = ac_oid_name(&oid);
    if (imprint.len == 0)
        return "no digest";
    out->digest = ac_hex(ctx->arena, imprint);
    if (!digest_matches(&oid, parent->signature, imprint))
        return "of another signature";
    return ac_check_signer(&data.signers[0], cert, info, info, ctx->arena, NULL);
}

/* The countersignatures of one kind, appended. */
static bool read_kind(struct ac_context *ctx, const struct ac_signer *signer,
                      const struct ac_certs *certs, bool token, struct hf_fact_list *out,
                      struct ac_certs *more)
{
    struct hf_cursor values;
    if (!ac_find_attribute(&signer->unauthenticated,
                           token ? AC_MS_TIMESTAMP : AC_COUNTERSIGNATURE, &values))
        return true;
    for (int i = 0; hf_cursor_left(&values) > 0 && !values.failed; i++) {
        if (i == HF_AUTHENTICODE_VALUES_MAX) {
            ac_fail(ctx, HF_LIMIT);
            return true;
        }
        struct hf_countersignature *list = hf_arena_grow(
            ctx->arena, (void *)(uintptr_t)out->items, out->count, sizeof *list);
        if (list == NULL)
            return false;
        struct hf_countersignature *one = &list[out->count];
        one->kind = hf_bytes_text(token ? "rfc3161" : "pkcs9");
        one->chain_status = hf_bytes_text("no signer");
        const char *error = token ? read_token(ctx, &values, signer, one, more)
                                  : read_pkcs9(ctx, &values, signer, certs, one);
        one->verified = error == NULL;
        if (error != NULL)
            one->error = hf_bytes_text(error);
        out->items = list;
        out->count++;
    }
    return true;
}

bool ac_read_countersignatures(struct ac_context *ctx, const struct ac_signer *signer,
                               const struct ac_certs *certs, struct hf_fact_list *out,
                               struct ac_certs *more)
{
    return read_kind(ctx, signer, certs, false, out, more) &&
           read_kind(ctx, signer, certs, true, out, more);
}
