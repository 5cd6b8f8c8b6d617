#include "unpack/huffman.h"

static unsigned reversed(unsigned code, unsigned length)
{
    unsigned r = 0;
    for (unsigned i = 0; i < length; i++)
        r |= (code >> i & 1) << (length - 1 - i);
    return r;
}

static bool fits(const struct hf_code *code)
{
    int left = 1;
    for (unsigned length = 1; length <= HF_CODE_BITS; length++) {
        left = 2 * left - code->count[length];
        if (left < 0)
            return false;
    }
    return true;
}

static void fill_root(struct hf_code *code, unsigned symbol, unsigned bits, unsigned length)
{
    if (length > HF_CODE_ROOT)
        return;
    uint32_t entry = code->values[symbol] | length;
    for (unsigned i = reversed(bits, length); i < 1 << HF_CODE_ROOT; i += 1u << length)
        code->root[i] = entry;
}

bool hf_code_build(struct hf_code *code, const uint8_t *lengths, size_t count,
                   const uint32_t *values)
{
    memset(code->root, 0, sizeof code->root);
    memset(code->count, 0, sizeof code->count);
    code->values = values;
    for (size_t i = 0; i < count; i++)
        code->count[lengths[i]]++;
    code->count[0] = 0;
    if (!fits(code))
        return false;
    unsigned place[HF_CODE_BITS + 2] = {0}, next[HF_CODE_BITS + 2] = {0};
    for (unsigned length = 1; length <= HF_CODE_BITS; length++) {
        place[length + 1] = place[length] + code->count[length];
        next[length + 1] = (next[length] + code->count[length]) << 1;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned length = lengths[i];
        if (length == 0)
            continue;
        code->symbols[place[length]++] = (uint16_t)i;
        fill_root(code, i, next[length]++, length);
    }
    return true;
}

uint32_t hf_code_find_long(const struct hf_code *code, uint64_t bits)
{
    unsigned word = 0, first = 0, place = 0;
    for (unsigned length = 1; length <= HF_CODE_BITS; length++) {
        word |= bits & 1;
        bits >>= 1;
        unsigned here = code->count[length];
        if (word < first + here)
            return code->values[code->symbols[place + word - first]] | length;
        place += here;
        first = (first + here) << 1;
        word <<= 1;
    }
    return 0;
}
