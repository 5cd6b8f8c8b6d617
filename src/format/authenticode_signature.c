/* One signature: its signer, the digest it holds of the file, what is nested in it. */
#include "format/authenticode_internal.h"

#include "base/auto.h"
#include "base/buffer.h"

void ac_fail(struct ac_context *ctx, enum hf_status status)
{
    if (ctx->status == HF_OK)
        ctx->status = status;
}

void ac_add_uncovered(struct ac_context *ctx, struct hf_uncovered what)
{
    struct hf_uncovered *list = hf_arena_grow(ctx->arena, ctx->uncovered,
                                              ctx->uncovered_count, sizeof *ctx->uncovered);
    if (list == NULL) {
        ac_fail(ctx, HF_NOMEM);
        return;
    }
    ctx->uncovered = list;
    list[ctx->uncovered_count++] = what;
}

/* ---- signer ---- */

/* The attributes as they were signed: with the tag of a SET instead of [0]. [RFC 2315 9.3] */
static struct hf_bytes signed_attributes(const struct ac_attributes *attributes,
                                         struct hf_arena *arena)
{
    enum { HEAD = 6 };
    struct hf_cursor c = attributes->content;
    size_t len = hf_cursor_left(&c), n = 0;
    uint8_t *out = hf_arena_alloc(arena, len + HEAD);
    if (out == NULL || len > UINT32_MAX)
        return (struct hf_bytes){0};
    unsigned bytes = len < 0x80 ? 0 : len < 0x100 ? 1 : len < 0x10000 ? 2 : 4;
    out[n++] = HF_DER_SET;
    out[n++] = (uint8_t)(bytes == 0 ? len : 0x80U + bytes);
    for (unsigned i = bytes; i > 0; i--)
        out[n++] = (uint8_t)(len >> (8 * (i - 1)));
    hf_copy(&c, out + n, len);
    return hf_bytes_of(out, n + len);
}

static bool holds_digest(const struct hf_der *oid, struct hf_bytes data,
                         struct hf_bytes claimed)
{
    struct ac_digest digest;
    return ac_digest(oid, &data, 1, &digest) &&
           hf_bytes_equal(claimed, hf_bytes_of(digest.value, digest.len));
}

const char *ac_check_signer(const struct ac_signer *signer, X509 *cert,
                            struct hf_bytes content, struct hf_bytes content_whole,
                            struct hf_arena *arena, struct hf_bytes *digest)
{
    struct hf_cursor values;
    struct hf_der value;
    if (!ac_find_attribute(&signer->authenticated, AC_MESSAGE_DIGEST, &values) ||
        !hf_der_take(&values, HF_DER_OCTETS, &value))
        return "no message digest";
    struct hf_bytes claimed = hf_der_bytes(&value, arena);
    if (digest != NULL)
        *digest = claimed;
    /* [RFC 2315 9.3] digests the content without tag and length; some signers of versions above
     * 1 took all of it. */
    if (!holds_digest(&signer->digest_oid, content, claimed) &&
        !holds_digest(&signer->digest_oid, content_whole, claimed))
        return "wrong digest of the signed content";
    struct hf_bytes data = signed_attributes(&signer->authenticated, arena);
    if (data.data == NULL)
        return "out of memory";
    return ac_verify(cert, &signer->digest_oid, data, signer->signature)
               ? NULL
               : "wrong signature";
}

/* UTF-16 of either order, or ASCII, as UTF-8. */
static struct hf_bytes spc_string(struct hf_cursor c, bool wide, struct hf_arena *arena)
{
    size_t units = hf_cursor_left(&c) / (wide ? 2 : 1), n = 0;
    uint8_t *out = hf_arena_array(arena, units + 1, 3);
    if (out == NULL)
        return (struct hf_bytes){0};
    if (!wide)
        return hf_take_rest(&c);
    for (size_t i = 0; i < units; i++) {
        uint32_t u = hf_u16be(&c);
        struct hf_cursor ahead = c;
        uint32_t low = hf_u16be(&ahead);
        bool pair = u >> 10 == 0x36 && low >> 10 == 0x37 && i + 1 < units;
        if (pair) {
            u = 0x10000 + ((u & 0x3ff) << 10 | (low & 0x3ff));
            c = ahead;
            i++;
            out[n++] = (uint8_t)(0xf0 | u >> 18);
            out[n++] = (uint8_t)(0x80 | (u >> 12 & 0x3f));
        } else if (u >> 11 == 0x1b) {
            u = 0xfffd; /* half a pair */
        }
        if (!pair && u >= 0x800)
            out[n++] = (uint8_t)(0xe0 | u >> 12);
        if (u >= 0x800)
            out[n++] = (uint8_t)(0x80 | (u >> 6 & 0x3f));
        else if (u >= 0x80)
            out[n++] = (uint8_t)(0xc0 | u >> 6);
        out[n++] = (uint8_t)(u >= 0x80 ? 0x80 | (u & 0x3f) : u);
    }
    return hf_bytes_of(out, n);
}

/* SpcSpOpusInfo: [0] name, [1] where to read more; a name is [0] UTF-16 or [1] ASCII, a place is
 * [0] URL or others. [AUTHENTICODE "SpcSpOpusInfo"] */
static void read_opus(const struct ac_signer *signer, struct hf_arena *arena,
                      struct hf_signer_info *out)
{
    struct hf_cursor values;
    struct hf_der name, inner;
    if (!ac_find_attribute(&signer->authenticated, AC_OPUS_INFO, &values))
        return;
    struct hf_cursor info = hf_der_open(&values, HF_DER_SEQUENCE);
    if (hf_der_take(&info, HF_DER_EXPLICIT, &name) && hf_der_next(&name.content, &inner))
        out->program_name = spc_string(inner.content, inner.tag == HF_DER_IMPLICIT, arena);
    if (hf_der_take(&info, HF_DER_EXPLICIT + 1, &name) &&
        hf_der_take(&name.content, HF_DER_IMPLICIT, &inner))
        out->url = spc_string(inner.content, false, arena);
}

/* ---- digest of the file ---- */

static struct hf_bytes digest_text(struct hf_arena *arena, const struct ac_digest *digest)
{
    return ac_hex(arena, hf_bytes_of(digest->value, digest->len));
}

/* Digest the file once for each algorithm. NULL: unknown algorithm, or out of budget. */
static const struct ac_digest *file_digest(struct ac_context *ctx, const struct hf_der *oid,
                                           const struct ac_digest **windows)
{
    enum { ROOM = sizeof ctx->digests / sizeof *ctx->digests };
    struct hf_bytes name = ac_oid_name(oid);
    size_t i = 0;
    while (i < ctx->digest_count && !hf_bytes_equal(ctx->digests[i].name, name))
        i++;
    if (i == ROOM) {
        ac_fail(ctx, HF_LIMIT);
        return NULL;
    }
    if (i == ctx->digest_count) {
        const struct hf_authenticode_source *s = ctx->source;
        struct hf_cursor charge = s->file;
        if (!hf_cursor_charge(&charge, charge.len / 1024 + 1)) {
            ac_fail(ctx, HF_LIMIT);
            return NULL;
        }
        if (!ac_digest(oid, s->parts, s->parts_before, &ctx->digests[i].yara))
            return NULL;
        ctx->digests[i].windows = ctx->digests[i].yara;
        if (s->parts_before < s->part_count &&
            hf_cursor_charge(&charge, charge.len / 1024 + 1))
            (void)ac_digest(oid, s->parts, s->part_count, &ctx->digests[i].windows);
        ctx->digests[i].name = name;
        ctx->digest_count++;
    }
    *windows = &ctx->digests[i].windows;
    return &ctx->digests[i].yara;
}

/* SpcIndirectDataContent: what is signed, and DigestInfo. [AUTHENTICODE "SpcIndirectDataContent"]
 */
static bool read_indirect(const struct ac_signed_data *data, struct hf_arena *arena,
                          struct hf_der *oid, struct hf_bytes *digest)
{
    struct hf_der value;
    if (!ac_is(&data->type, AC_INDIRECT_DATA) || data->content.tag != HF_DER_SEQUENCE)
        return false;
    struct hf_cursor c = data->content.content;
    (void)hf_der_open(&c, HF_DER_SEQUENCE);
    struct hf_cursor info = hf_der_open(&c, HF_DER_SEQUENCE);
    struct hf_cursor algorithm = hf_der_open(&info, HF_DER_SEQUENCE);
    if (!hf_der_take(&algorithm, HF_DER_OID, oid) ||
        !hf_der_take(&info, HF_DER_OCTETS, &value))
        return false;
    *digest = hf_der_bytes(&value, arena);
    return true;
}

static void compare_file(struct ac_context *ctx, const struct hf_der *oid,
                         struct hf_bytes claimed, struct hf_code_signature *out)
{
    const struct ac_digest *windows = NULL;
    const struct ac_digest *own = file_digest(ctx, oid, &windows);
    if (own == NULL || claimed.len == 0) {
        if (out->error.data == NULL)
            out->error = hf_bytes_text("unknown digest algorithm");
        return;
    }
    out->file_digest = digest_text(ctx->arena, own);
    out->whole_file = hf_bytes_equal(claimed, hf_bytes_of(windows->value, windows->len));
    if (!hf_bytes_equal(claimed, hf_bytes_of(own->value, own->len))) {
        out->error = hf_bytes_text("wrong digest of the file");
        out->hidden = false; /* YARA forgets earlier errors here, and lists it */
    }
}

/* ---- the whole ---- */

/* Unsigned attributes other than those that hold signatures: anybody may write there. */
static void report_unsigned(struct ac_context *ctx, const struct ac_signer *signer)
{
    struct hf_cursor c = signer->unauthenticated.content, values;
    struct hf_der attribute, type;
    if (!signer->unauthenticated.present)
        return;
    for (;;) {
        uint64_t at = hf_cursor_where(&c);
        if (!ac_next_attribute(&c, &attribute, &type, &values))
            return;
        if (ac_is(&type, AC_NESTED) || ac_is(&type, AC_MS_TIMESTAMP) ||
            ac_is(&type, AC_COUNTERSIGNATURE))
            continue;
        struct hf_cursor oid = type.content;
        ac_add_uncovered(ctx, (struct hf_uncovered){
                                  .offset = at,
                                  .size = attribute.whole.len,
                                  .kind = hf_bytes_text("unsigned attribute"),
                                  .oid = hf_der_oid_text(hf_take_rest(&oid), ctx->arena)});
    }
}

static void read_nested(struct ac_context *ctx, const struct ac_signer *signer, int depth)
{
    struct hf_cursor values;
    if (!ac_find_attribute(&signer->unauthenticated, AC_NESTED, &values))
        return;
    for (int i = 0; hf_cursor_left(&values) > 0; i++) {
        if (i == HF_AUTHENTICODE_VALUES_MAX)
            ac_fail(ctx, HF_LIMIT);
        if (i == HF_AUTHENTICODE_VALUES_MAX || !ac_read_signature(ctx, &values, depth + 1))
            return;
    }
}

/* The first signer's certificate. As in YARA there is none when any signer's is missing. */
static X509 *signing_cert(const struct ac_signed_data *data, const struct ac_certs *certs)
{
    X509 *first = NULL;
    for (size_t i = 0; i < data->signer_count; i++) {
        X509 *cert = ac_find_signer(certs, &data->signers[i]);
        if (cert == NULL)
            return NULL;
        first = first == NULL ? cert : first;
    }
    return first;
}

/* Times, uses and trust of the signer's certificate. */
static void judge(struct ac_context *ctx, X509 *cert, const struct ac_certs *certs,
                  struct hf_code_signature *out)
{
    const struct hf_countersignature *counter = out->countersignatures.items;
    for (size_t i = 0; i < out->countersignatures.count && !out->signed_at.defined; i++)
        if (counter[i].verified != 0 && counter[i].sign_time.defined &&
            (ctx->roots == NULL ||
             hf_bytes_equal(counter[i].chain_status, hf_bytes_text("trusted"))))
            out->signed_at = counter[i].sign_time;
    int64_t at = out->signed_at.defined ? out->signed_at.value : ctx->now;
    const struct hf_certificate *c = &out->certificate;
    out->valid_when_signed = c->not_before.defined && c->not_after.defined &&
                             c->not_before.value <= at && at <= c->not_after.value;
    out->expired = c->not_after.defined && c->not_after.value < ctx->now;
    out->code_signing = ac_for_code(cert);
    out->chain_status = ac_judge(cert, certs, ctx->roots, at, false);
}

/* Everything about the first signer; the error that it ends with, NULL: none. */
static const char *read_first_signer(struct ac_context *ctx, X509 *cert,
                                     const struct ac_signed_data *data,
                                     const struct ac_certs *certs,
                                     struct hf_code_signature *out)
{
    const struct ac_signer *signer = &data->signers[0];
    struct hf_signer_info *info = &out->signer;
    struct hf_bytes digest = {0};
    if (!ac_describe(cert, ctx->arena, &out->certificate) ||
        !ac_chain(cert, certs, ctx->now, ctx->arena, &info->chain))
        ac_fail(ctx, HF_NOMEM);
    info->chain_length = (int64_t)info->chain.count;
    judge(ctx, cert, certs, out);
    struct hf_cursor content = data->content.content;
    const char *error = ac_check_signer(signer, cert, hf_take_rest(&content),
                                        data->content.whole, ctx->arena, &digest);
    if (digest.data == NULL)
        return error;
    info->digest = ac_hex(ctx->arena, digest);
    info->digest_alg = ac_oid_name(&signer->digest_oid);
    read_opus(signer, ctx->arena, info);
    return error;
}

/* Signers, counter and nested signatures of signed data with a digest of the file inside. */
static void read_signers(struct ac_context *ctx, const struct ac_signed_data *data,
                         struct ac_certs *certs, int depth, struct hf_code_signature *out)
{
    HF_AUTO(ac_certs_release) struct ac_certs more = {0};
    const char *error = "no signer";
    out->hidden = true;
    if (data->signer_count > 0) {
        error = "signer's certificate is missing";
        X509 *cert = signing_cert(data, certs);
        read_nested(ctx, &data->signers[0], depth);
        for (size_t i = 0; i < data->signer_count; i++)
            report_unsigned(ctx, &data->signers[i]);
        if (!ac_read_countersignatures(ctx, &data->signers[0], certs,
                                       &out->countersignatures, &more))
            ac_fail(ctx, HF_NOMEM);
        if (cert != NULL)
            error = read_first_signer(ctx, cert, data, certs, out);
        out->hidden = cert == NULL;
    }
    struct hf_fact_list extra = {0};
    if (!ac_describe_all(&more, ctx->arena, &extra))
        ac_fail(ctx, HF_NOMEM);
    if (extra.count > 0) {
        size_t own = out->certificates.count;
        struct hf_certificate *all =
            hf_arena_array(ctx->arena, own + extra.count, sizeof *all);
        if (all == NULL) {
            ac_fail(ctx, HF_NOMEM);
        } else {
            if (own > 0)
                memcpy(all, out->certificates.items, own * sizeof *all);
            memcpy(all + own, extra.items, extra.count * sizeof *all);
            out->certificates =
                (struct hf_fact_list){.items = all, .count = own + extra.count};
        }
    }
    out->error = error == NULL ? (struct hf_bytes){0} : hf_bytes_text(error);
}

/* YARA 4.2 lists the certificate of each signer, whatever is signed. */
static void list_signers_42(struct ac_context *ctx, const struct ac_signed_data *data,
                            const struct ac_certs *certs)
{
    enum { MAX_42 = 16 };
    if (signing_cert(data, certs) == NULL)
        return;
    for (size_t i = 0; i < data->signer_count && ctx->count < MAX_42; i++) {
        struct hf_code_signature *list =
            hf_arena_grow(ctx->arena, ctx->list, ctx->count, sizeof *list);
        if (list == NULL) {
            ac_fail(ctx, HF_NOMEM);
            return;
        }
        ctx->list = list;
        (void)ac_describe(ac_find_signer(certs, &data->signers[i]), ctx->arena,
                          &list[ctx->count++].certificate);
    }
}

/* Add the signature, then what is nested in it. */
static void add_signature(struct ac_context *ctx, const struct ac_signed_data *data,
                          struct ac_certs *certs, int depth)
{
    struct hf_code_signature out = {.nested = depth,
                                    .chain_status = hf_bytes_text("no signer")};
    struct hf_code_signature *list =
        hf_arena_grow(ctx->arena, ctx->list, ctx->count, sizeof *list);
    if (list == NULL || !ac_describe_all(certs, ctx->arena, &out.certificates)) {
        ac_fail(ctx, HF_NOMEM);
        return;
    }
    size_t place = ctx->count++;
    ctx->list = list;
    struct hf_der oid = {0};
    struct hf_bytes claimed = {0};
    bool catalogue = ctx->source == NULL && ac_is(&data->type, AC_TRUST_LIST);
    bool indirect = read_indirect(data, ctx->arena, &oid, &claimed);
    if (indirect || catalogue)
        read_signers(ctx, data, certs, depth, &out);
    else
        out.error = hf_bytes_text("no digest of the file inside");
    if (indirect) {
        out.digest_alg = ac_oid_name(&oid);
        out.digest = ac_hex(ctx->arena, claimed);
    }
    if (indirect && ctx->source != NULL)
        compare_file(ctx, &oid, claimed, &out);
    out.verified = out.error.data == NULL;
    out.certificate_count = (int64_t)out.certificates.count;
    out.countersignature_count = (int64_t)out.countersignatures.count;
    ctx->list[place] = out; /* nested ones may have moved the list */
}

bool ac_read_signature(struct ac_context *ctx, struct hf_cursor *c, int depth)
{
    HF_AUTO(ac_certs_release) struct ac_certs certs = {0};
    struct ac_signed_data data;
    if (depth > HF_AUTHENTICODE_DEPTH_MAX || ctx->count >= HF_AUTHENTICODE_SIGNATURES_MAX) {
        ac_fail(ctx, HF_LIMIT);
        return false;
    }
    enum hf_status st = ac_read_signed_data(c, ctx->arena, &data);
    if (data.cut)
        ac_fail(ctx, HF_LIMIT);
    for (size_t i = 0; i < data.cert_count && st == HF_OK; i++)
        if (!hf_cursor_charge(c, AC_CERT_WORK) ||
            !ac_certs_add(&certs, data.certs[i], &ctx->certs))
            st = HF_TRUNCATED; /* as YARA: a broken certificate spoils the whole */
    if (st != HF_OK) {
        ac_fail(ctx, st == HF_NOTFOUND ? HF_TRUNCATED : st);
        return data.whole.data != NULL && !c->failed;
    }
    if (!ctx->yara42) {
        add_signature(ctx, &data, &certs, depth);
        return true;
    }
    list_signers_42(ctx, &data, &certs);
    if (data.signer_count > 0 && signing_cert(&data, &certs) != NULL)
        read_nested(ctx, &data.signers[0], depth);
    return true;
}
