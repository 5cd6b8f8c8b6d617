/* Property: what is handed out of a container lies in the bounds that it announced, under a name
 * that stays in its folder; a container that nobody signed never passes as published. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "db/cvd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum hf_status on_member(void *user, const char *name, struct hf_bytes text)
{
    unsigned *sum = user;
    assert(name[0] != 0 && name[0] != '.' && strchr(name, '/') == NULL);
    for (size_t i = 0; i < text.len; i++)
        *sum += text.data[i];
    return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0};
    struct hf_bytes file = hf_bytes_of(data, size);
    unsigned sum = 0;
    enum hf_status st = hf_cvd_unpack(file, on_member, &sum, &why);
    assert(st == HF_OK || why.len > 0 || st == HF_NOMEM);
    hf_buffer_clear(&why);
    st = hf_cvd_read(file, HF_CVD_UNSIGNED, &hf_cvd_keys_clamav, on_member, &sum, &why);
    assert(st == HF_OK || why.len > 0 || st == HF_NOMEM);
    st = hf_cvd_read(file, HF_CVD_PUBLISHED, &hf_cvd_keys_clamav, on_member, &sum, &why);
    assert(st != HF_OK);
    /* The digits alone. */
    uint8_t digest[32] = {1};
    struct hf_cvd_header header;
    const char *text;
    if (hf_cvd_read_header(file, &header, &text) == HF_OK)
        (void)hf_cvd_signs_sha256(&hf_cvd_key_info, header.digits, digest);
    return sum == 0x7fffffff ? 1 : 0;
}
