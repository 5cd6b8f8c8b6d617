#include "scan/asked.h"

void hf_asked_put(struct hf_buffer *out, enum hf_db_scope scope, uint64_t size,
                  const struct hf_digests *digests, unsigned kinds)
{
    kinds &= digests->have;
    hf_buffer_u8(out, (uint8_t)((unsigned)scope << 4 | kinds));
    hf_buffer_u64(out, size);
    for (unsigned k = 0; k < HF_DIGEST_KINDS; k++)
        if ((kinds >> k & 1u) != 0)
            hf_buffer_add(out, digests->value[k], HF_DB_DIGEST_KEPT);
}

bool hf_asked_get(struct hf_cursor *c, struct hf_asked *asked)
{
    uint8_t head = hf_u8(c);
    *asked = (struct hf_asked){.scope = (enum hf_db_scope)((unsigned)head >> 4),
                               .size = hf_u64le(c)};
    asked->digests.have = head & 15u;
    for (unsigned k = 0; k < HF_DIGEST_KINDS; k++)
        if (((unsigned)head >> k & 1u) != 0)
            hf_copy(c, asked->digests.value[k], HF_DB_DIGEST_KEPT);
    return !c->failed && (unsigned)asked->scope < HF_DB_SCOPES &&
           asked->digests.have < 1u << HF_DIGEST_KINDS;
}
