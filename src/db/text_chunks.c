#include "db/text_chunks.h"
#include "base/auto.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CHUNK = 4 << 20,        /* text of one job */
    CHUNK_FIRST = 64 << 10, /* small files should not cost a large buffer */
    IN_FLIGHT_MAX = 12,
    SKIP_KINDS = 8
};

/* A bad line, numbered within its chunk. */
struct bad {
    uint64_t line;
    const char *why;
};

/* One piece of text and what it came to. */
struct chunk {
    struct hf_job job; /* first, so that a job is its chunk */
    struct hf_build *build;
    const struct hf_text_format *format;
    struct hf_bytes unnamed;
    uint64_t sequence;
    struct hf_buffer text;
    struct hf_bytes whole; /* its lines: of text, or of the caller's memory */
    /* results */
    enum hf_status status;
    int error;
    uint64_t lines, left_out;
    struct hf_buffer bad; /* struct bad */
    struct {
        const char *kind;
        uint64_t count;
    } skipped[SKIP_KINDS];
    uint64_t counts[HF_DIGEST_KINDS][2]; /* with a size, of any */
    struct hf_stems stems;
    struct hf_batch batch;
};

struct reader {
    struct hf_build *build;
    const struct hf_text_format *format;
    struct hf_text_input *input;
    struct hf_buffer rest; /* the beginning of a line that the last piece cut */
    bool ended;
    uint64_t lines; /* before the oldest chunk in flight */
    struct chunk chunks[IN_FLIGHT_MAX];
    size_t first, in_flight, most;
};

bool hf_next_line(struct hf_bytes *text, struct hf_bytes *line)
{
    if (text->len == 0)
        return false;
    const uint8_t *end = memchr(text->data, '\n', text->len);
    size_t length = end == NULL ? text->len : (size_t)(end - text->data);
    *line = hf_bytes_of(text->data, length);
    size_t used = end == NULL ? length : length + 1;
    *text = hf_bytes_of(text->data + used, text->len - used);
    while (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool is_allow(const struct hf_text_format *format)
{
    return format->tables >= HF_DB_ALLOW_MD5;
}

static struct hf_spool *spool_of(struct chunk *c)
{
    return is_allow(c->format) ? c->build->allowed : c->build->digests;
}

static void keep_digest(struct chunk *c, const struct hf_line *line, struct hf_bytes text)
{
    if (hf_build_leaves_out(c->build, c->format, line->name, text)) {
        c->left_out++;
        return;
    }
    enum hf_digest_kind kind = hf_digest_of_length(line->digest_length);
    struct hf_bytes name = hf_cut_name(line->name.len > 0 ? line->name : c->unnamed);
    struct hf_name_parts parts = hf_name_split(name);
    struct hf_spooled record = {
        .table = (uint8_t)(c->format->tables + (enum hf_db_section)kind),
        .size = line->size,
        .number = parts.number,
        .stem = hf_stems_add(&c->stems, &parts, c->build->source),
    };
    memcpy(record.digest, line->digest, line->digest_length);
    c->counts[kind][line->size == HF_BUILD_ANY_SIZE]++;
    hf_batch_add(spool_of(c), &c->batch, &record);
}

static void keep_skip(struct chunk *c, const char *kind)
{
    size_t i = 0;
    while (i + 1 < SKIP_KINDS && c->skipped[i].kind != NULL && c->skipped[i].kind != kind)
        i++;
    c->skipped[i].kind = kind;
    c->skipped[i].count++;
}

static void read_line(struct chunk *c, struct hf_bytes text, struct hf_line *line)
{
    enum hf_line_result result = text.len == 0 || text.data[0] == '#'
                                     ? HF_LINE_NOTHING
                                     : c->format->read(c->format, text, line);
    if (result == HF_LINE_DIGEST)
        keep_digest(c, line, text);
    else if (result == HF_LINE_SKIP)
        keep_skip(c, line->why);
    else if (result == HF_LINE_BAD)
        hf_buffer_add(&c->bad, &(struct bad){c->lines, line->why}, sizeof(struct bad));
}

/* The stems that this chunk met, into those of the build. */
static enum hf_status share_stems(struct chunk *c)
{
    uint32_t *map = reallocarray(NULL, (size_t)c->stems.count + 1, sizeof *map);
    if (map == NULL)
        return HF_NOMEM;
    pthread_mutex_lock(&c->build->lock);
    hf_stems_merge(&c->build->stems, &c->stems, map);
    bool failed = c->build->stems.failed;
    pthread_mutex_unlock(&c->build->lock);
    if (!failed)
        hf_batch_map_stems(spool_of(c), &c->batch, map);
    free(map);
    return failed ? HF_NOMEM : HF_OK;
}

static void run_chunk(struct hf_job *job)
{
    struct chunk *c = (struct chunk *)job;
    struct hf_bytes text = c->whole, line_text;
    struct hf_line line = {0};
    while (hf_next_line(&text, &line_text)) {
        c->lines++;
        read_line(c, line_text, &line);
    }
    bool failed = c->stems.failed || c->batch.failed || c->bad.failed;
    c->status = failed ? HF_NOMEM : share_stems(c);
    if (c->status == HF_OK)
        c->status = hf_spool_take(spool_of(c), &c->batch, c->sequence);
    c->error = errno;
    hf_stems_done(&c->stems);
}

/* Add what a chunk came to, in the order of chunks. */
static void settle(struct reader *r, struct chunk *c)
{
    struct hf_build *build = r->build;
    const struct bad *bad = (const struct bad *)(const void *)c->bad.data;
    for (size_t i = 0; i < c->bad.len / sizeof *bad; i++)
        hf_build_bad_line(build, r->lines + bad[i].line, "%s", bad[i].why);
    for (size_t i = 0; i < SKIP_KINDS && c->skipped[i].kind != NULL; i++)
        hf_build_skip_many(build, c->skipped[i].kind, c->skipped[i].count);
    for (unsigned k = 0; k < HF_DIGEST_KINDS; k++)
        for (unsigned any = 0; any < 2; any++)
            hf_build_count(build, r->format->tables + k, any != 0, c->counts[k][any]);
    r->lines += c->lines;
    build->summary.left_out += c->left_out;
    c->lines = c->left_out = 0;
    memset(c->skipped, 0, sizeof c->skipped);
    memset(c->counts, 0, sizeof c->counts);
    hf_buffer_clear(&c->bad);
}

static enum hf_status finish_oldest(struct reader *r)
{
    struct chunk *c = &r->chunks[r->first];
    hf_jobs_wait(r->build->jobs, &c->job);
    r->first = (r->first + 1) % IN_FLIGHT_MAX;
    r->in_flight--;
    if (c->status != HF_OK) {
        errno = c->error;
        return c->status;
    }
    settle(r, c);
    return HF_OK;
}

/* Fill text from the descriptor up to about want bytes. */
static enum hf_status read_some(struct reader *r, struct hf_buffer *text, size_t want)
{
    while (text->len < want && !r->ended) {
        uint8_t *to = hf_buffer_reserve(text, want - text->len);
        if (to == NULL)
            return HF_NOMEM;
        ssize_t n = read(r->input->fd, to, want - text->len);
        if (n < 0 && errno != EINTR)
            return HF_IO;
        r->ended = n == 0;
        text->len += n > 0 ? (size_t)n : 0;
    }
    return HF_OK;
}

static size_t whole_lines(const struct hf_buffer *text)
{
    const uint8_t *last = text->len == 0 ? NULL : memrchr(text->data, '\n', text->len);
    return last == NULL ? 0 : (size_t)(last - text->data) + 1;
}

/* A piece of the file that ends where a line ends; a line longer than a chunk is read whole. */
static enum hf_status fill_from_file(struct reader *r, struct chunk *c, size_t want)
{
    hf_buffer_clear(&c->text);
    hf_buffer_bytes(&c->text, hf_buffer_view(&r->rest));
    hf_buffer_clear(&r->rest);
    for (;;) {
        enum hf_status st = read_some(r, &c->text, want);
        if (st != HF_OK)
            return st;
        size_t whole = r->ended ? c->text.len : whole_lines(&c->text);
        if (whole > 0 || r->ended) {
            hf_buffer_add(&r->rest, c->text.data + whole, c->text.len - whole);
            c->whole = hf_bytes_of(c->text.data, whole);
            return c->text.failed || r->rest.failed ? HF_NOMEM : HF_OK;
        }
        want = c->text.len * 2;
    }
}

static void fill_from_memory(struct reader *r, struct chunk *c, size_t want)
{
    struct hf_bytes *left = &r->input->memory;
    size_t n = left->len;
    if (n > want) {
        const uint8_t *end = memchr(left->data + want, '\n', n - want);
        n = end == NULL ? n : (size_t)(end - left->data) + 1;
    }
    c->whole = hf_bytes_of(left->data, n);
    *left = hf_bytes_of(left->data + n, left->len - n);
    r->ended = left->len == 0;
}

static enum hf_status start_chunk(struct reader *r, size_t want)
{
    struct chunk *c = &r->chunks[(r->first + r->in_flight) % IN_FLIGHT_MAX];
    enum hf_status st = HF_OK;
    c->job.run = run_chunk;
    c->build = r->build;
    c->format = r->format;
    c->unnamed = hf_bytes_text(r->input->unnamed);
    c->sequence = r->build->sequence++;
    if (r->input->fd >= 0)
        st = fill_from_file(r, c, want);
    else
        fill_from_memory(r, c, want);
    if (st != HF_OK)
        return st;
    r->in_flight++;
    hf_jobs_add(r->build->jobs, &c->job);
    return HF_OK;
}

static void reader_done(struct reader *r)
{
    while (r->in_flight > 0)
        (void)!finish_oldest(r);
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++) {
        struct chunk *c = &r->chunks[i];
        hf_buffer_done(&c->text);
        hf_buffer_done(&c->bad);
        hf_stems_done(&c->stems);
        hf_batch_done(&c->batch);
    }
    hf_buffer_done(&r->rest);
    free(r);
}

enum hf_status hf_text_read_chunks(struct hf_build *build,
                                   const struct hf_text_format *format,
                                   struct hf_text_input *input)
{
    struct reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return HF_NOMEM;
    *r = (struct reader){.build = build, .format = format, .input = input};
    r->most = build->threads > 1 ? build->threads + 1u : 1;
    if (r->most > IN_FLIGHT_MAX)
        r->most = IN_FLIGHT_MAX;
    enum hf_status st = hf_build_flush(build);
    for (size_t want = CHUNK_FIRST; st == HF_OK && !r->ended; want = CHUNK) {
        st = start_chunk(r, want);
        if (st == HF_OK && r->in_flight == r->most)
            st = finish_oldest(r);
    }
    while (st == HF_OK && r->in_flight > 0)
        st = finish_oldest(r);
    int error = errno;
    reader_done(r);
    errno = error;
    return st;
}
