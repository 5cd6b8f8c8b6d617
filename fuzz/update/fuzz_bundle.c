/* Property: files of an accepted index follow each other, have paths that stay inside, and begin behind
 * the index. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "update/bundle.h"
#include "update/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_bundle_file files[64];
    size_t count, at;
    struct hf_verdict_answer answer;
    (void)!hf_answer_read(hf_bytes_of(data, size), &answer);
    if (hf_bundle_read_index(hf_bytes_of(data, size), files, 64, &count, &at) !=
        HF_ACCEPTED)
        return 0;
    assert(at <= size);
    uint64_t next = 0;
    for (size_t i = 0; i < count; i++) {
        assert(files[i].offset == next && hf_feed_path_valid(files[i].path));
        char path[256] =
            "/"; /* "/" before and behind, so that each part stands between two */
        assert(files[i].path.len < sizeof path - 3);
        memcpy(path + 1, files[i].path.data, files[i].path.len);
        path[1 + files[i].path.len] = '/';
        assert(strstr(path, "/../") == NULL && strstr(path, "//") == NULL);
        next += files[i].size;
    }
    return 0;
}
