#include "match/image.h"

#include "base/cursor.h"

static const char magic[8] = {'H', 'F', 'M', 'A', 'T', 'C', 'H', '4'};

/* An extent of count elements of size bytes, 8-aligned; NULL when it is not inside the image. */
static const uint8_t *extent(struct hf_bytes image, uint64_t offset, uint64_t count,
                             uint64_t size)
{
    if (offset > image.len || offset % 8 != 0 || count > (image.len - offset) / size)
        return NULL;
    return image.data + offset;
}

static bool shape_sound(const struct match_class *class)
{
    const unsigned stride = class->stride, window = class->window;
    const uint32_t words = class->filter_words;
    if (stride < 1 || stride > MATCH_STRIDE_MAX || (stride & (stride - 1)) != 0)
        return false;
    if (window < 1 || window > MATCH_WINDOW_MAX || class->bucket_count == 0 || words == 0)
        return false;
    return window > MATCH_NARROW ||
           ((words & (words - 1)) == 0 && words <= UINT32_C(1) << 24);
}

static bool read_class(struct hf_cursor *c, struct hf_bytes image,
                       struct match_class *class)
{
    class->stride = hf_u32le(c);
    class->window = hf_u32le(c);
    class->filter_words = hf_u32le(c);
    class->bucket_count = hf_u32le(c);
    uint64_t filter = hf_u64le(c), shuffle = hf_u64le(c);
    uint64_t buckets = hf_u64le(c), overflow = hf_u64le(c);
    class->overflow_count = hf_u32le(c);
    class->sieve_words = hf_u32le(c);
    uint64_t sieve = hf_u64le(c);
    if (!shape_sound(class))
        return false;
    class->mask = UINT64_MAX >> (64 - 8 * class->window);
    class->filter =
        extent(image, filter, class->filter_words, class->window > MATCH_NARROW ? 8 : 4);
    class->buckets = extent(image, buckets, class->bucket_count, MATCH_LINE);
    class->overflow = extent(image, overflow, class->overflow_count, MATCH_LINE);
    if (sieve != 0) {
        class->sieve = extent(image, sieve, class->sieve_words, 4);
        if (class->sieve == NULL || class->sieve_words == 0 ||
            (class->sieve_words & (class->sieve_words - 1)) != 0)
            return false;
    }
    if (shuffle != 0) {
        class->shuffle = extent(image, shuffle, class->window, MATCH_SHUFFLE_BYTES);
        if (class->shuffle == NULL || class->stride != 1 || class->window > MATCH_NARROW)
            return false;
    }
    return class->filter != NULL && class->buckets != NULL && class->overflow != NULL;
}

bool hf_match_view(struct hf_bytes image, struct match_view *view)
{
    *view = (struct match_view){0};
    if (image.len < MATCH_HEADER || memcmp(image.data, magic, sizeof magic) != 0)
        return false;
    struct hf_cursor c = hf_cursor_open(image.data, image.len, NULL);
    hf_skip(&c, sizeof magic);
    view->class_count = hf_u32le(&c);
    hf_skip(&c, 4);
    uint64_t size = hf_u64le(&c);
    uint64_t longest = hf_u64le(&c);
    uint64_t records = hf_u64le(&c), record_words = hf_u64le(&c);
    uint64_t ids = hf_u64le(&c), id_count = hf_u64le(&c);
    if (size != image.len || view->class_count > MATCH_CLASSES_MAX ||
        longest > MATCH_LENGTH_MAX)
        return false;
    view->longest = (size_t)longest;
    view->records.data = extent(image, records, record_words, 8);
    view->ids.data = extent(image, ids, id_count, 4);
    if (view->records.data == NULL || view->ids.data == NULL)
        return false;
    view->records.len = (size_t)record_words * 8;
    view->ids.len = (size_t)id_count * 4;
    for (unsigned i = 0; i < view->class_count; i++)
        if (!read_class(&c, image, &view->classes[i]))
            return false;
    return hf_cursor_status(&c) == HF_OK;
}
