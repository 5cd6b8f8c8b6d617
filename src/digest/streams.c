#include "digest/streams.h"
#include "digest/lanes.h"

static const uint32_t md5_begin[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
static const uint32_t sha256_begin[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

enum { KINDS = 1 << HF_MD5 | 1 << HF_SHA256, RUN_MAX = 1 << 14 /* blocks: 1 MiB */ };

bool hf_streams_supported(void)
{
    static _Atomic int known; /* 0: not asked yet */
    if (known == 0)
        known = hf_lanes_supported() ? 1 : -1;
    return known > 0;
}

/* Begin a chain: its end is the bytes past the last whole block, 0x80, zeros, the length in bits.
 * [RFC 1321] 3.1, 3.2; [FIPS 180-4] 5.1.1 */
static void begin(struct hf_chain *chain, const uint32_t state[8], struct hf_bytes bytes,
                  bool big_endian)
{
    size_t rest = bytes.len % HF_STREAM_BLOCK;
    size_t room = rest + 9 <= HF_STREAM_BLOCK ? HF_STREAM_BLOCK : 2 * HF_STREAM_BLOCK;
    uint64_t bits = (uint64_t)bytes.len * 8;
    chain->done = 0;
    chain->blocks = bytes.len / HF_STREAM_BLOCK + room / HF_STREAM_BLOCK;
    memcpy(chain->state, state, sizeof chain->state);
    memset(chain->end, 0, sizeof chain->end);
    if (rest > 0)
        memcpy(chain->end, bytes.data + bytes.len - rest, rest);
    chain->end[rest] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        chain->end[room - 8 + i] = (uint8_t)(bits >> 8 * (big_endian ? 7 - i : i));
}

void hf_stream_open(struct hf_streams *streams, struct hf_stream *stream,
                    struct hf_bytes bytes, unsigned wanted)
{
    stream->kinds = hf_streams_supported() ? wanted & KINDS : 0;
    if (stream->kinds == 0)
        return;
    stream->bytes = bytes;
    if ((stream->kinds >> HF_MD5 & 1u) != 0)
        begin(&stream->md5, md5_begin, bytes, false);
    if ((stream->kinds >> HF_SHA256 & 1u) != 0)
        begin(&stream->sha256, sha256_begin, bytes, true);
    stream->next = NULL;
    stream->previous = streams->last;
    if (streams->last != NULL)
        streams->last->next = stream;
    else
        streams->first = stream;
    streams->last = stream;
}

void hf_stream_drop(struct hf_streams *streams, struct hf_stream *stream)
{
    if (stream->kinds == 0)
        return;
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        streams->first = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    else
        streams->last = stream->previous;
    stream->kinds = 0;
}

static struct hf_chain *chain_of(struct hf_stream *stream, enum hf_digest_kind kind)
{
    if ((stream->kinds >> kind & 1u) == 0)
        return NULL;
    struct hf_chain *chain = kind == HF_MD5 ? &stream->md5 : &stream->sha256;
    return chain->done < chain->blocks ? chain : NULL;
}

/* Where a chain goes on, and for how many blocks in one piece. */
static const uint8_t *data_of(const struct hf_stream *stream, const struct hf_chain *chain,
                              size_t *blocks)
{
    uint64_t whole = stream->bytes.len / HF_STREAM_BLOCK;
    uint64_t until = chain->done < whole ? whole : chain->blocks;
    *blocks = until - chain->done < *blocks ? (size_t)(until - chain->done) : *blocks;
    return chain->done < whole ? stream->bytes.data + chain->done * HF_STREAM_BLOCK
                               : chain->end + (chain->done - whole) * HF_STREAM_BLOCK;
}

/* The chains of one kind that run next: the first stream's, then those of others in order. */
struct crew {
    struct hf_chain *chains[HF_LANES_MD5];
    const uint8_t *data[HF_LANES_MD5];
    unsigned count;
};

static void enlist(struct crew *crew, struct hf_stream *stream, enum hf_digest_kind kind,
                   size_t *blocks)
{
    struct hf_chain *chain = chain_of(stream, kind);
    if (chain == NULL)
        return;
    crew->data[crew->count] = data_of(stream, chain, blocks);
    crew->chains[crew->count++] = chain;
}

/* Empty when the first stream needs no more of the kind. */
static struct crew gather(struct hf_streams *streams, struct hf_stream *first,
                          enum hf_digest_kind kind, unsigned room, size_t *blocks)
{
    struct crew crew = {.count = 0};
    enlist(&crew, first, kind, blocks);
    if (crew.count == 0)
        return crew;
    for (struct hf_stream *s = streams->first; s != NULL && crew.count < room; s = s->next)
        if (s != first)
            enlist(&crew, s, kind, blocks);
    return crew;
}

static void load(struct hf_lanes *lanes, const struct crew *md5, const struct crew *sha256)
{
    for (unsigned i = 0; i < HF_LANES_MD5 && md5->count > 0; i++) {
        unsigned from = i < md5->count ? i : 0; /* lanes not in use repeat the first */
        lanes->md5_data[i] = md5->data[from];
        for (unsigned word = 0; word < 4; word++)
            lanes->md5[word][i] = md5->chains[from]->state[word];
    }
    for (unsigned i = 0; i < sha256->count; i++) {
        lanes->sha256_data[i] = sha256->data[i];
        memcpy(lanes->sha256[i], sha256->chains[i]->state, sizeof lanes->sha256[i]);
    }
}

static void store(const struct hf_lanes *lanes, const struct crew *md5,
                  const struct crew *sha256, size_t blocks)
{
    for (unsigned i = 0; i < md5->count; i++) {
        for (unsigned word = 0; word < 4; word++)
            md5->chains[i]->state[word] = lanes->md5[word][i];
        md5->chains[i]->done += blocks;
    }
    for (unsigned i = 0; i < sha256->count; i++) {
        memcpy(sha256->chains[i]->state, lanes->sha256[i], sizeof lanes->sha256[i]);
        sha256->chains[i]->done += blocks;
    }
}

/* One run of the kernel; false: the stream has nothing left to do. */
static bool advance(struct hf_streams *streams, struct hf_stream *stream)
{
    struct hf_lanes lanes;
    size_t blocks = RUN_MAX;
    struct crew md5 = gather(streams, stream, HF_MD5, HF_LANES_MD5, &blocks);
    struct crew sha256 = gather(streams, stream, HF_SHA256, HF_LANES_SHA256, &blocks);
    if (md5.count == 0 && sha256.count == 0)
        return false;
    load(&lanes, &md5, &sha256);
    hf_lanes_run(&lanes, md5.count, sha256.count, blocks);
    store(&lanes, &md5, &sha256, blocks);
    return true;
}

static void put_words(uint8_t *to, const uint32_t *words, unsigned count, bool big_endian)
{
    for (unsigned i = 0; i < count * 4; i++)
        to[i] = (uint8_t)(words[i / 4] >> 8 * (big_endian ? 3 - i % 4 : i % 4));
}

void hf_stream_finish(struct hf_streams *streams, struct hf_stream *stream,
                      struct hf_digests *digests)
{
    if (stream->kinds == 0)
        return;
    while (advance(streams, stream)) {}
    if ((stream->kinds >> HF_MD5 & 1u) != 0)
        put_words(digests->value[HF_MD5], stream->md5.state, 4, false);
    if ((stream->kinds >> HF_SHA256 & 1u) != 0)
        put_words(digests->value[HF_SHA256], stream->sha256.state, 8, true);
    digests->have |= stream->kinds;
    hf_stream_drop(streams, stream);
}
