/* LHA archives (.lzh, .lha) through liblhasa, which reads them from a callback, knows all methods
 * in use (lh0-lh7, lhx, lk7, lz4, lz5, lzs, pm0-pm2) and converts no names. */
#include "base/auto.h"
#include "unpack/decoders.h"
#include "unpack/pusher.h"

#include <lhasa.h>

enum { PIECE = 64 * 1024 };

struct source {
    struct hf_cursor in;
    struct hf_pusher out;
    uint8_t *piece;
    size_t missing; /* bytes of the last read that were not there */
    enum hf_status all;
};

/* The library throws away a read that comes back short, up to a KiB of a cut member: it gets zeros
 * for what is missing, once. */
static int on_read(void *handle, void *buf, size_t len)
{
    struct source *s = handle;
    size_t left = hf_cursor_left(&s->in);
    size_t n = len < left ? len : left;
    if (n == 0 || len > INT32_MAX || !hf_cursor_charge(&s->in, n / 1024 + 1))
        return n == 0 ? 0 : -1;
    hf_copy(&s->in, buf, n);
    memset((uint8_t *)buf + n, 0, len - n);
    s->missing = len - n;
    return (int)len;
}

static int on_skip(void *handle, size_t len)
{
    struct source *s = handle;
    hf_skip(&s->in, len);
    return hf_cursor_status(&s->in) == HF_OK;
}

static const LHAInputStreamType callbacks = {.read = on_read, .skip = on_skip};

static void free_stream(LHAInputStream **stream)
{
    if (*stream != NULL)
        lha_input_stream_free(*stream);
}

static void free_reader(LHAReader **reader)
{
    if (*reader != NULL)
        lha_reader_free(*reader);
}

/* Folder and file name, joined as they are stored: the folder ends with its separator. */
static struct hf_bytes name_of(struct hf_arena *arena, const LHAFileHeader *header)
{
    struct hf_bytes path = hf_bytes_text(header->path == NULL ? "" : header->path);
    struct hf_bytes file = hf_bytes_text(header->filename == NULL ? "" : header->filename);
    uint8_t *name = hf_arena_alloc(arena, path.len + file.len);
    if (name == NULL)
        return file;
    if (path.len > 0)
        memcpy(name, path.data, path.len);
    if (file.len > 0)
        memcpy(name + path.len, file.data, file.len);
    return hf_bytes_of(name, path.len + file.len);
}

static bool is_stored(const char *method)
{
    return strcmp(method, "-lh0-") == 0 || strcmp(method, "-lz4-") == 0 ||
           strcmp(method, "-pm0-") == 0;
}

/* Whether the library has a decoder: it gives an empty stream for a method that it lacks. */
static bool is_known(const char *method)
{
    static const char *const known[] = {
        "-lh0-", "-lh1-", "-lh4-", "-lh5-", "-lh6-",
        "-lh7-", "-lhx-", "-lk7-", "-lz4-", "-lz5-",
        "-lzs-", "-pm0-", "-pm1-", "-pm2-", LHA_COMPRESS_TYPE_DIR};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], method) == 0)
            return true;
    return false;
}

static enum hf_status push_data(struct source *s, LHAReader *reader,
                                const LHAFileHeader *header)
{
    uint64_t size = header->length;
    bool known = is_known(header->compress_method);
    bool stored = is_stored(header->compress_method);
    uint64_t total = 0;
    size_t n = 0;
    do {
        n = lha_reader_read(reader, s->piece, PIECE);
        if (stored && s->missing > 0)
            n -= s->missing < n ? s->missing : n;
        enum hf_status st = hf_pusher_push(&s->out, s->piece, n);
        if (st != HF_OK)
            return st;
        total += n;
    } while (n > 0 && s->out.wanted);
    enum hf_status how = HF_OK;
    if (s->missing > 0 || (total < size && known && hf_cursor_left(&s->in) == 0))
        how = HF_TRUNCATED;
    else if (total < size)
        how = known ? HF_MALFORMED : HF_UNSUPPORTED;
    if (!s->out.wanted)
        return HF_OK;
    s->all = s->all == HF_OK ? how : s->all;
    return hf_pusher_end(&s->out, how);
}

static enum hf_status push_member(struct source *s, LHAReader *reader,
                                  const LHAFileHeader *header)
{
    struct hf_child child = hf_child_unknown();
    child.name = name_of(s->out.unpack->arena, header);
    child.packed = header->compressed_length;
    child.declared = header->length;
    child.offset = hf_cursor_where(&s->in);
    child.is_file = strcmp(header->compress_method, LHA_COMPRESS_TYPE_DIR) != 0;
    enum hf_status st = hf_pusher_begin(&s->out, child);
    if (st != HF_OK || !s->out.wanted) /* the library jumps over what is not read */
        return st;
    return push_data(s, reader, header);
}

enum hf_status hf_unpack_lha(struct hf_unpack *unpack)
{
    struct source s = {.in = unpack->object, .out = hf_pusher_of(unpack)};
    s.piece = hf_arena_alloc(unpack->arena, PIECE);
    HF_AUTO(free_stream) LHAInputStream *stream = lha_input_stream_new(&callbacks, &s);
    if (s.piece == NULL || stream == NULL)
        return HF_NOMEM;
    HF_AUTO(free_reader) LHAReader *reader = lha_reader_new(stream);
    if (reader == NULL)
        return HF_NOMEM;
    lha_reader_set_dir_policy(reader, LHA_READER_DIR_PLAIN);
    for (;;) {
        LHAFileHeader *header = lha_reader_next_file(reader);
        s.missing = 0; /* a header may be looked for past the end */
        if (hf_cursor_status(&s.in) == HF_LIMIT || !hf_budget_work(s.in.budget, 1))
            return HF_LIMIT;
        if (header == NULL)
            break;
        enum hf_status st = push_member(&s, reader, header);
        if (st != HF_OK)
            return st;
    }
    if (s.out.number == 0)
        return HF_MALFORMED;
    return s.all == HF_OK && s.in.failed ? HF_TRUNCATED : s.all;
}
