#include "update/delta.h"

#include <zstd.h>

enum { LEVEL = 19, WINDOW_LOG_MIN = 20, WINDOW_LOG_MAX = 31 };
#define FILE_MAX (UINT64_C(2) << 30)

static int window_log(size_t size)
{
    int log = WINDOW_LOG_MIN;
    while (log < WINDOW_LOG_MAX && ((size_t)1 << log) < size)
        log++;
    return log;
}

static bool set(ZSTD_CCtx *c, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(c, parameter, value));
}

enum hf_refusal hf_delta_make(struct hf_bytes from, struct hf_bytes to,
                              struct hf_buffer *out)
{
    if (from.len > FILE_MAX || to.len > FILE_MAX)
        return HF_REFUSE_ARGUMENT;
    size_t bound = ZSTD_compressBound(to.len);
    uint8_t *at = hf_buffer_reserve(out, bound);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t n = 0;
    /* The window covers both files, so that everything can refer to everything. */
    bool good = at != NULL && c != NULL &&
                set(c, ZSTD_c_compressionLevel, from.len > 0 ? 3 : LEVEL) &&
                set(c, ZSTD_c_windowLog, window_log(from.len + to.len)) &&
                set(c, ZSTD_c_enableLongDistanceMatching, 1) &&
                set(c, ZSTD_c_ldmMinMatch, 32) && set(c, ZSTD_c_ldmHashRateLog, 3) &&
                set(c, ZSTD_c_checksumFlag, 0);
    if (good && from.len > 0)
        good = !ZSTD_isError(ZSTD_CCtx_refPrefix(c, from.data, from.len));
    if (good) {
        n = ZSTD_compress2(c, at, bound, to.data, to.len);
        good = !ZSTD_isError(n);
    }
    ZSTD_freeCCtx(c);
    if (!good)
        return HF_REFUSE_NOMEM;
    out->len += n;
    return HF_ACCEPTED;
}

enum hf_refusal hf_delta_apply(struct hf_bytes from, struct hf_bytes object, uint8_t *out,
                               size_t size)
{
    unsigned long long says = ZSTD_getFrameContentSize(object.data, object.len);
    size_t frame = ZSTD_findFrameCompressedSize(object.data, object.len);
    if (says == ZSTD_CONTENTSIZE_ERROR || says == ZSTD_CONTENTSIZE_UNKNOWN ||
        ZSTD_isError(frame) || frame != object.len)
        return HF_REFUSE_DELTA_FORM;
    if (says != size)
        return HF_REFUSE_DELTA_SIZE;
    ZSTD_DCtx *d = ZSTD_createDCtx();
    if (d == NULL)
        return HF_REFUSE_NOMEM;
    /* Unpacked straight into its place: however far back it refers, no window is allocated. */
    bool good =
        !ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)) &&
        (from.len == 0 || !ZSTD_isError(ZSTD_DCtx_refPrefix(d, from.data, from.len)));
    size_t n = good ? ZSTD_decompressDCtx(d, out, size, object.data, object.len) : 0;
    ZSTD_freeDCtx(d);
    return good && !ZSTD_isError(n) && n == size ? HF_ACCEPTED : HF_REFUSE_DELTA_FORM;
}
