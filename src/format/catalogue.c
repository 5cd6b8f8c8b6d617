/* Catalogues: signed lists of digests. A certificate trust list inside signed data. [MS-CAESO
 * "Certificate Trust List"; Microsoft's wincrypt.h, CTL_INFO] */
#include "format/authenticode_internal.h"

#include <time.h>

enum { GROUP = 1, MEMBERS_MAX = 1 << 20 };

/* The digest in an SPC_INDIRECT_DATA attribute of a member. */
static void read_digest(struct hf_cursor values, struct hf_arena *arena,
                        struct hf_catalogue_member *out)
{
    struct hf_der oid, value;
    struct hf_cursor c = hf_der_open(&values, HF_DER_SEQUENCE);
    (void)hf_der_open(&c, HF_DER_SEQUENCE);
    struct hf_cursor info = hf_der_open(&c, HF_DER_SEQUENCE);
    struct hf_cursor algorithm = hf_der_open(&info, HF_DER_SEQUENCE);
    if (!hf_der_take(&algorithm, HF_DER_OID, &oid) ||
        !hf_der_take(&info, HF_DER_OCTETS, &value))
        return;
    struct hf_bytes digest = hf_der_bytes(&value, arena);
    out->digest_alg = ac_oid_name(&oid);
    out->digest = ac_hex(arena, digest);
}

/* TrustedSubject: identifier, attributes. */
static bool read_member(struct hf_cursor *c, struct hf_arena *arena,
                        struct hf_catalogue_member *out)
{
    struct hf_der value, attribute, type;
    struct hf_cursor values;
    struct hf_cursor member = hf_der_open(c, HF_DER_SEQUENCE);
    if (!hf_der_take(&member, HF_DER_OCTETS, &value))
        return false;
    out->tag = hf_der_bytes(&value, arena);
    if (!hf_der_take(&member, HF_DER_SET, &value))
        return !member.failed;
    while (ac_next_attribute(&value.content, &attribute, &type, &values))
        if (ac_is(&type, AC_INDIRECT_DATA))
            read_digest(values, arena, out);
    return true;
}

static enum hf_status read_members(struct hf_cursor c, struct hf_arena *arena,
                                   struct hf_catalogue *out)
{
    struct hf_catalogue_member *list = NULL;
    enum hf_status st = HF_OK;
    while (hf_cursor_left(&c) > 0 && st == HF_OK) {
        struct hf_catalogue_member *grown =
            out->members.count < MEMBERS_MAX
                ? hf_arena_grow(arena, list, out->members.count, sizeof *list)
                : NULL;
        if (grown == NULL)
            return out->members.count < MEMBERS_MAX ? HF_NOMEM : HF_LIMIT;
        list = grown;
        out->members.items = list;
        if (read_member(&c, arena, &list[out->members.count]))
            out->member_count = (int64_t)++out->members.count;
        else
            st = HF_TRUNCATED;
    }
    return st;
}

/* CertificateTrustList: [version], usage, [identifier], [number], time, [next time], algorithm,
 * subjects. */
static enum hf_status read_list(struct hf_cursor c, struct hf_arena *arena,
                                struct hf_catalogue *out)
{
    struct hf_der value;
    int64_t seconds;
    (void)hf_der_take(&c, HF_DER_INTEGER, &value);
    (void)hf_der_open(&c, HF_DER_SEQUENCE);
    if (hf_der_take(&c, HF_DER_OCTETS, &value))
        out->identifier = ac_hex(arena, hf_der_bytes(&value, arena));
    (void)hf_der_take(&c, HF_DER_INTEGER, &value);
    for (int i = 0; i < 2; i++) {
        if (!hf_der_take(&c, HF_DER_UTC_TIME, &value) &&
            !hf_der_take(&c, HF_DER_TIME, &value))
            break;
        struct hf_cursor text = value.content;
        if (i == 0 && hf_der_time(value.tag, hf_take_rest(&text), &seconds))
            out->this_update = hf_optional_of(seconds);
    }
    (void)hf_der_open(&c, HF_DER_SEQUENCE);
    if (c.failed)
        return HF_TRUNCATED;
    if (!hf_der_take(&c, HF_DER_SEQUENCE, &value))
        return c.failed ? HF_TRUNCATED : HF_OK; /* an empty list may be left out */
    return read_members(value.content, arena, out);
}

enum hf_status hf_catalogue_read(const struct hf_cursor *file, struct hf_arena *arena,
                                 struct hf_catalogue *out)
{
    struct ac_signed_data data;
    struct hf_cursor c = hf_cursor_at(file, 0);
    /* Most objects are no signed data: told by the first bytes. */
    if (!hf_peek_equal(&c, "\x30", 1))
        return HF_NOTFOUND;
    enum hf_status st = ac_read_signed_data(&c, arena, &data);
    if (data.type.tag == 0 || !ac_is(&data.type, AC_TRUST_LIST) ||
        data.content.tag != HF_DER_SEQUENCE)
        return HF_NOTFOUND;
    out->is_catalogue = 1;
    enum hf_status members = read_list(data.content.content, arena, out);
    struct ac_context ctx = {
        .arena = arena, .roots = out->roots, .now = out->now != 0 ? out->now : time(NULL)};
    struct hf_cursor again = hf_cursor_at(file, 0);
    (void)ac_read_signature(&ctx, &again, 0);
    ac_cache_release(&ctx.certs);
    if (ctx.count > 0 && !ctx.list[0].hidden) {
        out->signatures = (struct hf_fact_list){.items = ctx.list, .count = ctx.count};
        out->signature_count = (int64_t)ctx.count;
        out->is_signed = ctx.list[0].verified;
    }
    if (!hf_cursor_charge(&c, 0) && hf_cursor_status(&c) == HF_LIMIT)
        return HF_LIMIT;
    if (members != HF_OK)
        return members;
    return st != HF_OK ? st : ctx.status;
}

/* ---- facts ---- */

static const struct hf_fact_field member_fields[] = {
    HF_FACT_SCALAR(struct hf_catalogue_member, tag, "tag", 0,
                   "name in the list, mostly the digest as UTF-16 digits"),
    HF_FACT_SCALAR(struct hf_catalogue_member, digest_alg, "digest_alg", 0, "as sha256"),
    HF_FACT_SCALAR(struct hf_catalogue_member, digest, "digest", 0,
                   "of the file, lower-case digits; of PE files the Authenticode one"),
};
static const struct hf_fact_record member_record =
    HF_FACT_TABLE("member", struct hf_catalogue_member, member_fields);

static const struct hf_fact_field catalogue_fields[] = {
    HF_FACT_SCALAR(struct hf_catalogue, is_catalogue, "is_catalogue", GROUP,
                   "1; undefined for other files"),
    HF_FACT_SCALAR(struct hf_catalogue, this_update, "this_update", GROUP,
                   "made at, seconds since 1970"),
    HF_FACT_SCALAR(struct hf_catalogue, identifier, "identifier", GROUP,
                   "of the list, lower-case digits"),
    HF_FACT_SCALAR(struct hf_catalogue, member_count, "number_of_members", GROUP,
                   "in members"),
    HF_FACT_LIST(struct hf_catalogue, members, "members", GROUP, &member_record,
                 "files that the signature vouches for"),
    HF_FACT_SCALAR(struct hf_catalogue, is_signed, "is_signed", GROUP,
                   "1: the signature is verified"),
    HF_FACT_SCALAR(struct hf_catalogue, signature_count, "number_of_signatures", GROUP,
                   "in signatures"),
    HF_FACT_LIST(struct hf_catalogue, signatures, "signatures", GROUP,
                 &hf_code_signature_record, "as of PE files"),
};
static const struct hf_fact_record catalogue_record =
    HF_FACT_TABLE("catalogue", struct hf_catalogue, catalogue_fields);

static enum hf_status parse(struct hf_facts *facts, void *state, unsigned group)
{
    (void)group;
    return hf_catalogue_read(&facts->object, facts->arena, state);
}

const struct hf_fact_module hf_catalogue_module = {
    .name = "catalogue",
    .record = &catalogue_record,
    .group_count = GROUP,
    .parse = parse,
};
