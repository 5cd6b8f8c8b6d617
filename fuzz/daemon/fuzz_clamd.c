/* What clients say, in pieces of every size: data of a stream is never more than was announced,
 * and in which pieces the bytes come changes nothing for framed commands. */
#include "daemon/clamd.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { STREAM_MAX = 1000 };
    if (size < 2)
        return 0;
    struct hf_clamd_parser parser;
    hf_clamd_begin(&parser, STREAM_MAX);
    size_t step = data[0] % 32 + 1u, at = 1;
    parser.session = (data[0] & 0x80) != 0;
    while (at < size) {
        size_t n = size - at < step ? size - at : step;
        struct hf_bytes input = hf_bytes_of(data + at, n);
        at += n;
        for (;;) {
            size_t before = input.len;
            enum hf_clamd_state state = parser.state;
            struct hf_clamd_event event;
            if (hf_clamd_next(&parser, &input, &event) != HF_OK)
                break;
            assert(input.len <= before);
            assert(parser.stream_seen <= STREAM_MAX);
            if (event.type == HF_CLAMD_NEEDS_MORE) {
                assert(input.len == 0);
                break;
            }
            assert(state != HF_CLAMD_DEAF && before > 0);
            if (event.type == HF_CLAMD_COMMAND) {
                assert(event.command <= HF_CLAMD_COMMANDS);
                assert(event.bytes.len < HF_CLAMD_COMMAND_MAX);
                for (size_t i = 0; i < event.bytes.len; i++)
                    assert(event.bytes.data[i] != (uint8_t)parser.terminator);
            }
            assert(parser.line.len <= HF_CLAMD_COMMAND_MAX);
        }
    }
    hf_clamd_done(&parser);
    return 0;
}
