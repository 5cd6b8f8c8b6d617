/* The channels between supervisor, opener and listener: what decodes encodes to the same bytes. */
#include "daemon/messages.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_daemon_message m;
    struct hf_buffer out = {0};
    if (hf_daemon_get(hf_bytes_of(data, size), &m) == HF_OK) {
        hf_daemon_put(&out, &m);
        assert(hf_bytes_equal(hf_buffer_view(&out), hf_bytes_of(data, size)));
        assert(!hf_daemon_fds_fit(&m, HF_DAEMON_FDS_MAX + 1));
    }
    hf_buffer_done(&out);
    return 0;
}
