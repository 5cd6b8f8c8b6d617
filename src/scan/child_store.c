#include "scan/child_store.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { PAGE = 4096, STEP = 8 << 20, KEEP_AT_MOST = 1 << 20 };

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

/* Have the file system promise the bytes before they are touched: a full disk is then an error
 * here and not a fault in the middle of a decoder. */
static bool back_region(struct hf_child_store *store, size_t size)
{
    size_t wanted = (size_t)round_up(size, STEP);
    if (wanted > store->region_size)
        wanted = store->region_size;
    if (size > wanted)
        return false;
    if (wanted <= store->region_backed)
        return true;
    if (fallocate(store->spool->fd, 0, (off_t)(store->region_offset + store->region_backed),
                  (off_t)(wanted - store->region_backed)) != 0)
        return false;
    store->region_backed = wanted;
    return true;
}

/* Move from memory to a region large enough for the rest of the child. */
static bool move_to_spool(struct hf_child_store *store, uint64_t max)
{
    struct hf_spool *spool = store->spool;
    uint64_t size = round_up(max, PAGE);
    if (max > SIZE_MAX / 2 || max > UINT64_C(1) << 40)
        size = UINT64_C(1) << 40;
    void *p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                   spool->fd, (off_t)spool->top);
    if (p == MAP_FAILED)
        return false;
    store->region = p;
    store->region_size = (size_t)size;
    store->region_offset = spool->top;
    store->region_backed = store->region_used = 0;
    if (!back_region(store, store->memory.len)) {
        munmap(p, store->region_size);
        store->region = NULL;
        return false;
    }
    memcpy(store->region, store->memory.data, store->memory.len);
    store->region_used = store->memory.len;
    hf_buffer_done(&store->memory);
    return true;
}

enum hf_status hf_child_store_add(struct hf_child_store *store, struct hf_bytes bytes,
                                  uint64_t max)
{
    size_t have = store->region != NULL ? store->region_used : store->memory.len;
    bool large = bytes.len > HF_SPOOL_FROM || have > HF_SPOOL_FROM - bytes.len;
    if (store->region == NULL && large && store->spool->fd >= 0)
        (void)move_to_spool(store, max); /* else memory, as far as it goes */
    if (store->region == NULL) {
        hf_buffer_bytes(&store->memory, bytes);
        if (!store->memory.failed)
            return HF_OK;
        store->memory.failed = false; /* what is there is whole */
        return HF_LIMIT;
    }
    if (bytes.len > store->region_size - store->region_used ||
        !back_region(store, store->region_used + bytes.len))
        return HF_LIMIT;
    if (bytes.len > 0)
        memcpy(store->region + store->region_used, bytes.data, bytes.len);
    store->region_used += bytes.len;
    /* Regions of children inside this one start behind it. */
    store->spool->top = store->region_offset + round_up(store->region_backed, PAGE);
    return HF_OK;
}

struct hf_bytes hf_child_store_bytes(const struct hf_child_store *store)
{
    return store->region != NULL ? hf_bytes_of(store->region, store->region_used)
                                 : hf_buffer_view(&store->memory);
}

void hf_child_store_clear(struct hf_child_store *store)
{
    if (store->region != NULL) {
        munmap(store->region, store->region_size);
        (void)fallocate(store->spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t)store->region_offset, (off_t)store->region_backed);
        store->spool->top = store->region_offset;
        store->region = NULL;
    }
    if (store->memory.room > KEEP_AT_MOST)
        hf_buffer_done(&store->memory);
    hf_buffer_clear(&store->memory);
}

void hf_child_store_done(struct hf_child_store *store)
{
    hf_child_store_clear(store);
    hf_buffer_done(&store->memory);
}
