/* Facts of signatures. What YARA has is called and means what YARA 4.5 calls and means by it; rows
 * marked (ours) are not in YARA. */
#include "format/authenticode.h"

/* clang-format off */
/* The same rows for certificates of their own and for the signer's in a signature. */
#define CERTIFICATE_ROWS(S, PREFIX)                                                              \
    HF_FACT_SCALAR(S, PREFIX thumbprint, "thumbprint", 0, "SHA-1 of the certificate, lower-case digits"), \
    HF_FACT_SCALAR(S, PREFIX issuer, "issuer", 0, "/C=../O=../CN=.., at most 255 bytes"),        \
    HF_FACT_SCALAR(S, PREFIX subject, "subject", 0, "/C=../O=../CN=.., at most 255 bytes"),      \
    HF_FACT_SCALAR(S, PREFIX version, "version", 0, "3 in all that are used"),                   \
    HF_FACT_SCALAR(S, PREFIX algorithm, "algorithm", 0, "of its signature, as sha256WithRSAEncryption"), \
    HF_FACT_SCALAR(S, PREFIX algorithm_oid, "algorithm_oid", 0, "the same as numbers"),          \
    HF_FACT_SCALAR(S, PREFIX serial, "serial", 0, "aa:bb:..; undefined above 20 bytes"),         \
    HF_FACT_SCALAR(S, PREFIX not_before, "not_before", 0, "valid from, seconds since 1970"),     \
    HF_FACT_SCALAR(S, PREFIX not_after, "not_after", 0, "valid until, seconds since 1970")
/* clang-format on */

static void valid_on(const struct hf_facts *facts, const void *record,
                     const struct hf_value *args, struct hf_value *out)
{
    const struct hf_certificate *c =
        &((const struct hf_code_signature *)record)->certificate;
    (void)facts;
    if (c->not_before.defined && c->not_after.defined)
        *out = hf_value_int(args[0].integer >= c->not_before.value &&
                            args[0].integer <= c->not_after.value);
}

static const struct hf_fact_field certificate_fields[] = {
    CERTIFICATE_ROWS(struct hf_certificate, ),
};
static const struct hf_fact_record certificate_record =
    HF_FACT_TABLE("certificate", struct hf_certificate, certificate_fields);

static const struct hf_fact_field signer_fields[] = {
    HF_FACT_SCALAR(struct hf_signer_info, program_name, "program_name", 0,
                   "of the program, as the signer calls it; UTF-8"),
    HF_FACT_SCALAR(struct hf_signer_info, digest, "digest", 0,
                   "of the signed content, lower-case digits"),
    HF_FACT_SCALAR(struct hf_signer_info, digest_alg, "digest_alg", 0, "as sha256"),
    HF_FACT_SCALAR(struct hf_signer_info, chain_length, "length_of_chain", 0,
                   "certificates"),
    HF_FACT_LIST(struct hf_signer_info, chain, "chain", 0, &certificate_record,
                 "from the signer's certificate as far as there are some"),
    HF_FACT_SCALAR(struct hf_signer_info, url, "url", 0,
                   "(ours) where to read more, as the signer says"),
};
static const struct hf_fact_record signer_record =
    HF_FACT_TABLE("signer_info", struct hf_signer_info, signer_fields);

static const struct hf_fact_field countersignature_fields[] = {
    HF_FACT_SCALAR(struct hf_countersignature, verified, "verified", 0,
                   "1: it signs this signature; says nothing of trust"),
    HF_FACT_SCALAR(struct hf_countersignature, sign_time, "sign_time", 0,
                   "seconds since 1970"),
    HF_FACT_SCALAR(struct hf_countersignature, digest, "digest", 0,
                   "of the signature, lower-case digits"),
    HF_FACT_SCALAR(struct hf_countersignature, digest_alg, "digest_alg", 0, "as sha256"),
    HF_FACT_SCALAR(struct hf_countersignature, chain_length, "length_of_chain", 0,
                   "certificates"),
    HF_FACT_LIST(struct hf_countersignature, chain, "chain", 0, &certificate_record,
                 "from its signer's certificate as far as there are some"),
    HF_FACT_SCALAR(struct hf_countersignature, kind, "kind", 0, "(ours) pkcs9 or rfc3161"),
    HF_FACT_SCALAR(struct hf_countersignature, error, "error", 0,
                   "(ours) why not verified; undefined: it is"),
    HF_FACT_SCALAR(struct hf_countersignature, chain_status, "chain_status", 0,
                   "(ours) trusted, no root given, or why not trusted"),
};
static const struct hf_fact_record countersignature_record =
    HF_FACT_TABLE("countersignature", struct hf_countersignature, countersignature_fields);

static const struct hf_fact_field signature_fields[] = {
    CERTIFICATE_ROWS(struct hf_code_signature, certificate.),
    HF_FACT_METHOD("valid_on", "i", HF_FACT_INT, valid_on,
                   "whether the signer's certificate was valid then, seconds since 1970"),
    HF_FACT_SCALAR(struct hf_code_signature, verified, "verified", 0,
                   "1: digests and signature hold; says nothing of trust"),
    HF_FACT_SCALAR(struct hf_code_signature, digest_alg, "digest_alg", 0, "as sha256"),
    HF_FACT_SCALAR(struct hf_code_signature, digest, "digest", 0,
                   "of the file, as it was signed"),
    HF_FACT_SCALAR(struct hf_code_signature, file_digest, "file_digest", 0,
                   "of the file, as it is, up to the certificate table"),
    HF_FACT_SCALAR(struct hf_code_signature, certificate_count, "number_of_certificates", 0,
                   "in certificates"),
    HF_FACT_LIST(struct hf_code_signature, certificates, "certificates", 0,
                 &certificate_record,
                 "all that the signature carries, then those of its timestamps"),
    HF_FACT_RECORD(struct hf_code_signature, signer, "signer_info", 0, &signer_record,
                   "who signed"),
    HF_FACT_SCALAR(struct hf_code_signature, countersignature_count,
                   "number_of_countersignatures", 0, "in countersignatures"),
    HF_FACT_LIST(struct hf_code_signature, countersignatures, "countersignatures", 0,
                 &countersignature_record, "timestamps"),
    HF_FACT_SCALAR(struct hf_code_signature, error, "error", 0,
                   "(ours) why not verified; undefined: it is"),
    HF_FACT_SCALAR(struct hf_code_signature, chain_status, "chain_status", 0,
                   "(ours) trusted, no root given, or why not trusted"),
    HF_FACT_SCALAR(struct hf_code_signature, whole_file, "whole_file", 0,
                   "(ours) 1: the digest also holds over what lies behind the table"),
    HF_FACT_SCALAR(struct hf_code_signature, nested, "nested", 0,
                   "(ours) how deep in other signatures, 0: in none"),
    HF_FACT_SCALAR(struct hf_code_signature, code_signing, "code_signing", 0,
                   "(ours) 1: the signer's certificate may sign code"),
    HF_FACT_SCALAR(
        struct hf_code_signature, signed_at, "signed_at", 0,
        "(ours) by the first verified timestamp (trusted, when roots are given)"),
    HF_FACT_SCALAR(struct hf_code_signature, valid_when_signed, "valid_when_signed", 0,
                   "(ours) 1: the certificate was valid then; without a timestamp: now"),
    HF_FACT_SCALAR(struct hf_code_signature, expired, "expired", 0,
                   "(ours) 1: the certificate has ended by now"),
};
const struct hf_fact_record hf_code_signature_record =
    HF_FACT_TABLE("signature", struct hf_code_signature, signature_fields);

static const struct hf_fact_field entry_fields[] = {
    HF_FACT_SCALAR(struct hf_certificate_entry, offset, "offset", 0, "in the file"),
    HF_FACT_SCALAR(struct hf_certificate_entry, size, "size", 0, "bytes, as it says"),
    HF_FACT_SCALAR(struct hf_certificate_entry, revision, "revision", 0, "0x200 is usual"),
    HF_FACT_SCALAR(struct hf_certificate_entry, type, "type", 0, "2: PKCS #7"),
};
const struct hf_fact_record hf_certificate_entry_record =
    HF_FACT_TABLE("certificate_entry", struct hf_certificate_entry, entry_fields);

static const struct hf_fact_field uncovered_fields[] = {
    HF_FACT_SCALAR(struct hf_uncovered, offset, "offset", 0, "in the file"),
    HF_FACT_SCALAR(struct hf_uncovered, size, "size", 0, "bytes"),
    HF_FACT_SCALAR(
        struct hf_uncovered, kind, "kind", 0,
        "behind the table, behind the entries of the table, behind the signature, "
        "unsigned attribute"),
    HF_FACT_SCALAR(struct hf_uncovered, oid, "oid", 0, "of an attribute"),
};
const struct hf_fact_record hf_uncovered_record =
    HF_FACT_TABLE("uncovered", struct hf_uncovered, uncovered_fields);
