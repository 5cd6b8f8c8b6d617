#include "db/spool.h"
#include "base/fd.h"
#include "base/paths.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MEMORY_MAX = 16 << 20, /* sorted batches up to this stay in memory */
    PIECE = 32 << 10,      /* read from a run in the file at once */
    WORDS_MAX = 7,
    TABLE_SHIFT = 56
};

/* A sorted batch, and where reading it stands. */
struct run {
    uint64_t sequence, offset; /* offset in the file, when words is NULL */
    size_t count, next;        /* records; next: the first not yet in `piece` */
    uint64_t *words;           /* owned; the whole run in memory */
    uint64_t *piece;           /* owned; of a run in the file */
    const uint64_t *at, *end;  /* current record, end of what is there; equal: the end */
};

/*
 * Words of a record: table << 56 | size; the digest, big-endian, so that numbers compare as
 * bytes do; stem; number. With 12 bytes kept, the last four of the digest and the stem share
 * one word, so that comparing masks it.
 */
struct hf_spool {
    size_t kept, words, compared;
    uint64_t last_mask;
    pthread_mutex_t lock;
    struct run *runs;
    size_t count, room, memory;
    int fd; /* -1: not needed so far */
    uint64_t file_size;
    uint32_t *losers; /* tournament tree: losers[0] is the winner */
};

struct hf_spool *hf_spool_new(size_t kept)
{
    struct hf_spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        return NULL;
    bool cut = kept == HF_DB_DIGEST_KEPT;
    spool->kept = kept;
    spool->words = cut ? 4 : WORDS_MAX;
    spool->compared = cut ? 3 : 5;
    spool->last_mask = cut ? UINT64_C(0xffffffff00000000) : UINT64_MAX;
    spool->fd = -1;
    pthread_mutex_init(&spool->lock, NULL);
    return spool;
}

void hf_spool_free(struct hf_spool *spool)
{
    if (spool == NULL)
        return;
    for (size_t i = 0; i < spool->count; i++) {
        free(spool->runs[i].words);
        free(spool->runs[i].piece);
    }
    free(spool->runs);
    free(spool->losers);
    hf_fd_release(&spool->fd);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static void pack(const struct hf_spool *spool, const struct hf_spooled *record,
                 uint64_t *to)
{
    uint64_t size = record->size == UINT64_MAX ? HF_SPOOL_SIZE_ANY : record->size;
    to[0] = (uint64_t)record->table << TABLE_SHIFT | size;
    to[1] = big_endian(record->digest, 8);
    if (spool->words == 4) {
        to[2] = big_endian(record->digest + 8, 4) << 32 | record->stem;
        to[3] = record->number;
        return;
    }
    for (size_t i = 1; i < 4; i++)
        to[1 + i] = big_endian(record->digest + 8 * i, 8);
    to[5] = record->stem;
    to[6] = record->number;
}

static void put_big_endian(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = n; i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
}

static void unpack(const struct hf_spool *spool, const uint64_t *from,
                   struct hf_spooled *record)
{
    uint64_t size = from[0] & HF_SPOOL_SIZE_ANY;
    record->table = (uint8_t)(from[0] >> TABLE_SHIFT);
    record->size = size == HF_SPOOL_SIZE_ANY ? UINT64_MAX : size;
    put_big_endian(record->digest, from[1], 8);
    if (spool->words == 4) {
        put_big_endian(record->digest + 8, from[2] >> 32, 4);
        record->stem = (uint32_t)from[2];
        record->number = from[3];
        return;
    }
    for (size_t i = 1; i < 4; i++)
        put_big_endian(record->digest + 8 * i, from[1 + i], 8);
    record->stem = (uint32_t)from[5];
    record->number = from[6];
}

void hf_batch_add(const struct hf_spool *spool, struct hf_batch *batch,
                  const struct hf_spooled *record)
{
    if (batch->count == batch->room) {
        size_t room = batch->room == 0 ? 256 : batch->room * 2;
        uint64_t *words =
            batch->failed ? NULL
                          : reallocarray(batch->words, room, spool->words * sizeof *words);
        if (words == NULL) {
            batch->failed = true;
            return;
        }
        batch->words = words;
        batch->room = room;
    }
    pack(spool, record, batch->words + batch->count++ * spool->words);
}

void hf_batch_map_stems(const struct hf_spool *spool, struct hf_batch *batch,
                        const uint32_t *map)
{
    size_t at = spool->words - 2;
    uint64_t others = spool->words == 4 ? spool->last_mask : 0;
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t *word = &batch->words[i * spool->words + at];
        *word = (*word & others) | map[(uint32_t)*word];
    }
}

void hf_batch_done(struct hf_batch *batch)
{
    free(batch->words);
    *batch = (struct hf_batch){0};
}

/* Whether b sorts before a; equal ones do not. */
static inline bool is_before(const struct hf_spool *spool, const uint64_t *b,
                             const uint64_t *a)
{
    size_t last = spool->compared - 1;
    for (size_t i = 0; i < last; i++)
        if (b[i] != a[i])
            return b[i] < a[i];
    return (b[last] & spool->last_mask) < (a[last] & spool->last_mask);
}

static inline void copy_record(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] = from[i];
}

enum { INSERTION_MAX = 12 };

static void insertion_sort(const struct hf_spool *spool, uint64_t *a, size_t n)
{
    size_t w = spool->words;
    for (size_t i = 1; i < n; i++) {
        uint64_t record[WORDS_MAX];
        size_t j = i;
        copy_record(record, a + i * w, w);
        for (; j > 0 && is_before(spool, record, a + (j - 1) * w); j--)
            copy_record(a + j * w, a + (j - 1) * w, w);
        copy_record(a + j * w, record, w);
    }
}

/* Stable merge sort; scratch has room for half of them. */
static void merge_sort(const struct hf_spool *spool, uint64_t *a, size_t n,
                       uint64_t *scratch)
{
    size_t w = spool->words, half = n / 2;
    if (n <= INSERTION_MAX) {
        insertion_sort(spool, a, n);
        return;
    }
    merge_sort(spool, a, half, scratch);
    merge_sort(spool, a + half * w, n - half, scratch);
    memcpy(scratch, a, half * w * sizeof *a);
    const uint64_t *left = scratch, *left_end = scratch + half * w;
    const uint64_t *right = a + half * w, *right_end = a + n * w;
    for (uint64_t *to = a; left < left_end; to += w) {
        if (right < right_end && is_before(spool, right, left)) {
            copy_record(to, right, w);
            right += w;
        } else {
            copy_record(to, left, w);
            left += w;
        }
    }
}

static enum hf_status sort_batch(const struct hf_spool *spool, struct hf_batch *batch)
{
    if (batch->failed)
        return HF_NOMEM;
    uint64_t *scratch =
        reallocarray(NULL, batch->count / 2 + 1, spool->words * sizeof *scratch);
    if (scratch == NULL)
        return HF_NOMEM;
    merge_sort(spool, batch->words, batch->count, scratch);
    free(scratch);
    return HF_OK;
}

/* Where a run goes: kept in memory, or a place in the file. Called with the lock held. */
static enum hf_status place_run(struct hf_spool *spool, const struct hf_batch *batch,
                                uint64_t sequence, bool *in_memory, uint64_t *offset)
{
    size_t bytes = batch->count * spool->words * sizeof *batch->words;
    if (spool->count == spool->room) {
        size_t room = spool->room == 0 ? 16 : spool->room * 2;
        struct run *runs = reallocarray(spool->runs, room, sizeof *runs);
        if (runs == NULL)
            return HF_NOMEM;
        spool->runs = runs;
        spool->room = room;
    }
    *in_memory = bytes <= MEMORY_MAX - spool->memory;
    if (!*in_memory && spool->fd < 0) {
        spool->fd = hf_path_spool_open();
        if (spool->fd < 0)
            return HF_IO;
    }
    struct run *run = &spool->runs[spool->count++];
    *run = (struct run){.sequence = sequence, .count = batch->count};
    if (*in_memory) {
        spool->memory += bytes;
        run->words = batch->words;
    } else {
        run->offset = *offset = spool->file_size;
        spool->file_size += bytes;
    }
    return HF_OK;
}

static enum hf_status write_run(int fd, const uint64_t *words, size_t bytes,
                                uint64_t offset)
{
    const uint8_t *from = (const uint8_t *)words;
    for (size_t done = 0; done < bytes;) {
        ssize_t n = pwrite(fd, from + done, bytes - done, (off_t)(offset + done));
        if (n < 0 && errno != EINTR)
            return HF_IO;
        done += n > 0 ? (size_t)n : 0;
    }
    return HF_OK;
}

enum hf_status hf_spool_take(struct hf_spool *spool, struct hf_batch *batch,
                             uint64_t sequence)
{
    if (batch->count == 0 && !batch->failed)
        return HF_OK;
    bool in_memory = false;
    uint64_t offset = 0;
    enum hf_status st = sort_batch(spool, batch);
    if (st != HF_OK)
        return st;
    pthread_mutex_lock(&spool->lock);
    st = place_run(spool, batch, sequence, &in_memory, &offset);
    pthread_mutex_unlock(&spool->lock);
    if (st != HF_OK)
        return st;
    if (in_memory) {
        *batch = (struct hf_batch){0};
        return HF_OK;
    }
    size_t bytes = batch->count * spool->words * sizeof *batch->words;
    batch->count = 0; /* its memory is used again */
    return write_run(spool->fd, batch->words, bytes, offset);
}

static int compare_runs(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Get the next piece of a run in the file. */
static enum hf_status refill(struct hf_spool *spool, struct run *run)
{
    size_t bytes = spool->words * sizeof *run->piece, most = PIECE / bytes;
    size_t n = run->count - run->next < most ? run->count - run->next : most, got;
    run->at = run->end = run->piece;
    if (n == 0)
        return HF_OK;
    enum hf_status st = hf_fd_read_at(spool->fd, run->piece, n * bytes,
                                      run->offset + run->next * bytes, &got);
    if (st == HF_OK && got != n * bytes)
        st = HF_IO;
    run->next += n;
    run->end = run->piece + n * spool->words;
    return st;
}

static enum hf_status open_run(struct hf_spool *spool, struct run *run)
{
    if (run->words != NULL) {
        run->at = run->words;
        run->end = run->words + run->count * spool->words;
        return HF_OK;
    }
    if (run->piece == NULL)
        run->piece = malloc(PIECE);
    run->next = 0;
    return run->piece == NULL ? HF_NOMEM : refill(spool, run);
}

/* Whether run y's record goes before run x's; runs that have ended lose, lower runs win ties. */
static bool beats(const struct hf_spool *spool, uint32_t y, uint32_t x)
{
    const struct run *a = &spool->runs[x], *b = &spool->runs[y];
    if (a->at == a->end || b->at == b->end)
        return b->at != b->end || (a->at == a->end && y < x);
    if (is_before(spool, b->at, a->at))
        return true;
    return y < x && !is_before(spool, a->at, b->at);
}

/* Play a run up the tree from its leaf; the winner comes out at the top. While the tree is
 * being filled, UINT32_MAX marks places where nobody has played yet: the first to come waits. */
static void play(struct hf_spool *spool, uint32_t run)
{
    uint32_t winner = run;
    for (size_t node = (spool->count + run) / 2; node > 0; node /= 2) {
        uint32_t other = spool->losers[node];
        if (other == UINT32_MAX) {
            spool->losers[node] = winner;
            return;
        }
        if (beats(spool, other, winner)) {
            spool->losers[node] = winner;
            winner = other;
        }
    }
    spool->losers[0] = winner;
}

enum hf_status hf_spool_begin(struct hf_spool *spool)
{
    if (spool->count == 0)
        return HF_OK;
    qsort(spool->runs, spool->count, sizeof *spool->runs, compare_runs);
    free(spool->losers);
    spool->losers = reallocarray(NULL, spool->count, sizeof *spool->losers);
    if (spool->losers == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < spool->count; i++) {
        enum hf_status st = open_run(spool, &spool->runs[i]);
        if (st != HF_OK)
            return st;
        spool->losers[i] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < spool->count; i++)
        play(spool, i);
    return HF_OK;
}

enum hf_status hf_spool_read(struct hf_spool *spool, struct hf_spooled *records,
                             size_t count, size_t *got)
{
    *got = 0;
    if (spool->count == 0)
        return HF_OK;
    while (*got < count) {
        uint32_t winner = spool->losers[0];
        struct run *run = &spool->runs[winner];
        if (run->at == run->end)
            return HF_OK;
        unpack(spool, run->at, &records[(*got)++]);
        run->at += spool->words;
        if (run->at == run->end && run->words == NULL) {
            enum hf_status st = refill(spool, run);
            if (st != HF_OK)
                return st;
        }
        play(spool, winner);
    }
    return HF_OK;
}
