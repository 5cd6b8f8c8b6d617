#include "db/signature_id.h"
#include "db/coding.h"

static const uint8_t id_key[16] = "Holdfast sig id1";

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void rounds(struct sip *s, unsigned n)
{
    while (n-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static struct sip begin(const uint8_t key[16])
{
    uint64_t k0 = hf_le64(key), k1 = hf_le64(key + 8);
    return (struct sip){
        .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = k1 ^ UINT64_C(0x7465646279746573),
    };
}

static void absorb(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

uint64_t hf_siphash(const uint8_t key[16], struct hf_bytes data)
{
    struct sip s = begin(key);
    size_t whole = data.len / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        absorb(&s, hf_le64(data.data + i));
    uint64_t last = (uint64_t)data.len << 56;
    for (size_t i = whole; i < data.len; i++)
        last |= (uint64_t)data.data[i] << (8 * (i - whole));
    absorb(&s, last);
    s.v2 ^= 0xff;
    rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* Parts are hashed one by one and their hashes together, so nothing is copied and no part can
 * run into the next. */
static uint64_t join(uint64_t kind, uint64_t size, struct hf_bytes contents,
                     struct hf_bytes name)
{
    uint8_t parts[32];
    hf_put_le64(parts, kind);
    hf_put_le64(parts + 8, size);
    hf_put_le64(parts + 16, hf_siphash(id_key, contents));
    hf_put_le64(parts + 24, hf_siphash(id_key, name));
    return hf_siphash(id_key, hf_bytes_of(parts, sizeof parts));
}

uint64_t hf_signature_id_digest(enum hf_db_section section, struct hf_bytes digest,
                                uint64_t size, struct hf_bytes name)
{
    return join((uint64_t)section, size, digest, name);
}

uint64_t hf_signature_id_rule(struct hf_bytes contents, struct hf_bytes name)
{
    return join(HF_DB_RULES, 0, contents, name);
}
