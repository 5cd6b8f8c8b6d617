#include "facts/bytes.h"

#include "base/text.h"

#include <zlib.h>

/* Digests of ranges are remembered: rule sets ask for the same few over and over. */
enum { REMEMBERED = 32 };

struct remembered {
    enum hf_digest_kind kind;
    int64_t offset, length;
    struct hf_bytes text;
};

struct hash_state {
    struct remembered items[REMEMBERED];
    size_t count;
};

bool hf_facts_range(const struct hf_facts *facts, int64_t offset, int64_t length,
                    struct hf_bytes *out)
{
    if (offset < 0 || length < 0 || (uint64_t)offset >= facts->object.len)
        return false;
    struct hf_cursor c = hf_cursor_clip(&facts->object, (uint64_t)offset, (uint64_t)length);
    if (!hf_cursor_charge(&c, c.len / 1024 + 1))
        return false;
    *out = hf_take_rest(&c);
    return true;
}

static struct hf_bytes digest_text(const struct hf_facts *facts, enum hf_digest_kind kind,
                                   struct hf_bytes data)
{
    struct hf_digests digests = {0};
    struct hf_bytes text = {0};
    struct hf_buffer hex = {0};
    if (facts->hasher == NULL ||
        hf_digest_add(facts->hasher, data, 1u << kind, &digests) != HF_OK)
        return text;
    hf_hex(&hex, hf_digest_bytes(&digests, kind));
    if (!hex.failed)
        text = hf_arena_copy(facts->arena, hf_buffer_view(&hex));
    hf_buffer_done(&hex);
    return text;
}

static void digest_string(const struct hf_facts *facts, enum hf_digest_kind kind,
                          const struct hf_value *args, struct hf_value *out)
{
    if (!hf_budget_work(facts->object.budget, args[0].string.len / 1024 + 1))
        return;
    struct hf_bytes text = digest_text(facts, kind, args[0].string);
    if (text.data != NULL)
        *out = hf_value_string(text);
}

static void digest_range(struct hf_facts *facts, enum hf_digest_kind kind,
                         const struct hf_value *args, struct hf_value *out)
{
    struct hash_state *state = hf_facts_need(facts, &hf_hash_module, 0);
    struct remembered r = {kind, args[0].integer, args[1].integer, {0}};
    struct hf_bytes data;
    if (state == NULL)
        return;
    for (size_t i = 0; i < state->count; i++) {
        const struct remembered *have = &state->items[i];
        if (have->kind == kind && have->offset == r.offset && have->length == r.length) {
            *out = hf_value_string(have->text);
            return;
        }
    }
    if (!hf_facts_range(facts, r.offset, r.length, &data))
        return;
    r.text = digest_text(facts, kind, data);
    if (r.text.data == NULL)
        return;
    if (state->count < REMEMBERED)
        state->items[state->count++] = r;
    *out = hf_value_string(r.text);
}

static void md5_of_string(struct hf_facts *f, const struct hf_value *args,
                          struct hf_value *out)
{
    digest_string(f, HF_MD5, args, out);
}

static void sha1_of_string(struct hf_facts *f, const struct hf_value *args,
                           struct hf_value *out)
{
    digest_string(f, HF_SHA1, args, out);
}

static void sha256_of_string(struct hf_facts *f, const struct hf_value *args,
                             struct hf_value *out)
{
    digest_string(f, HF_SHA256, args, out);
}

static void md5_of_range(struct hf_facts *f, const struct hf_value *args,
                         struct hf_value *out)
{
    digest_range(f, HF_MD5, args, out);
}

static void sha1_of_range(struct hf_facts *f, const struct hf_value *args,
                          struct hf_value *out)
{
    digest_range(f, HF_SHA1, args, out);
}

static void sha256_of_range(struct hf_facts *f, const struct hf_value *args,
                            struct hf_value *out)
{
    digest_range(f, HF_SHA256, args, out);
}

/* The sum of all bytes modulo 2^32. */
static int64_t sum_of(struct hf_bytes data)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < data.len; i++)
        sum += data.data[i];
    return sum;
}

static int64_t crc_of(struct hf_bytes data)
{
    return (int64_t)crc32_z(0, data.data, data.len);
}

static void sum_of_string(struct hf_facts *f, const struct hf_value *args,
                          struct hf_value *out)
{
    if (hf_budget_work(f->object.budget, args[0].string.len / 1024 + 1))
        *out = hf_value_int(sum_of(args[0].string));
}

static void crc_of_string(struct hf_facts *f, const struct hf_value *args,
                          struct hf_value *out)
{
    if (hf_budget_work(f->object.budget, args[0].string.len / 1024 + 1))
        *out = hf_value_int(args[0].string.len == 0 ? 0 : crc_of(args[0].string));
}

static void sum_of_range(struct hf_facts *f, const struct hf_value *args,
                         struct hf_value *out)
{
    struct hf_bytes data;
    if (hf_facts_range(f, args[0].integer, args[1].integer, &data))
        *out = hf_value_int(sum_of(data));
}

static void crc_of_range(struct hf_facts *f, const struct hf_value *args,
                         struct hf_value *out)
{
    struct hf_bytes data;
    if (hf_facts_range(f, args[0].integer, args[1].integer, &data))
        *out = hf_value_int(data.len == 0 ? 0 : crc_of(data));
}

/* clang-format off */
static const struct hf_fact_field hash_rows[] = {
    HF_FACT_CALL("md5", "ii", HF_FACT_STRING, md5_of_range, "MD5 of (offset, length), lower-case digits"),
    HF_FACT_CALL("md5", "s", HF_FACT_STRING, md5_of_string, "MD5 of a string"),
    HF_FACT_CALL("sha1", "ii", HF_FACT_STRING, sha1_of_range, "SHA-1 of (offset, length)"),
    HF_FACT_CALL("sha1", "s", HF_FACT_STRING, sha1_of_string, "SHA-1 of a string"),
    HF_FACT_CALL("sha256", "ii", HF_FACT_STRING, sha256_of_range, "SHA-256 of (offset, length)"),
    HF_FACT_CALL("sha256", "s", HF_FACT_STRING, sha256_of_string, "SHA-256 of a string"),
    HF_FACT_CALL("checksum32", "ii", HF_FACT_INT, sum_of_range, "sum of the bytes of (offset, length), modulo 2^32"),
    HF_FACT_CALL("checksum32", "s", HF_FACT_INT, sum_of_string, "sum of the bytes of a string, modulo 2^32"),
    HF_FACT_CALL("crc32", "ii", HF_FACT_INT, crc_of_range, "CRC-32 of (offset, length), as in zip and gzip"),
    HF_FACT_CALL("crc32", "s", HF_FACT_INT, crc_of_string, "CRC-32 of a string"),
};
/* clang-format on */

static const struct hf_fact_record hash_record =
    HF_FACT_TABLE("hash", struct hash_state, hash_rows);
const struct hf_fact_module hf_hash_module = {.name = "hash", .record = &hash_record};
