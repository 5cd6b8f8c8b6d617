/* write_tables.c - hash tables of a segment, streamed in their sorted order. */
#include "base/auto.h"
#include "db/build_internal.h"
#include "db/coding.h"
#include "db/hash_table.h"
#include "db/names_write.h"

#include <stdlib.h>

/* One table while its entries go by. */
struct table_writer {
    struct hf_output *out;
    struct hf_buffer directory, pairs, prefix;
    size_t kept;
    unsigned prefix_bits;
    uint32_t first, sized, any, sizes, blocks;
    uint64_t size;      /* current */
    uint32_t size_uses; /* entries of it */
    uint64_t last_size; /* the one before, that pairs are relative to */
    uint32_t prefixes;  /* entries of the prefix index so far */
};

/* About this many entries of any size share a prefix. */
enum { PREFIX_LOG = 5 };

static void begin_table(struct table_writer *t, struct hf_output *out,
                        enum hf_db_section type, size_t kept, uint64_t any_expected,
                        uint32_t first)
{
    *t = (struct table_writer){.out = out, .kept = kept, .first = first};
    unsigned width = hf_bit_width(any_expected);
    t->prefix_bits = width > PREFIX_LOG ? width - PREFIX_LOG : 0;
    if (t->prefix_bits > HF_HASH_PREFIX_BITS_MAX)
        t->prefix_bits = HF_HASH_PREFIX_BITS_MAX;
    static const uint8_t header[HF_HASH_HEADER];
    hf_output_section(out, type);
    hf_output_add(out, header, sizeof header);
}

static void add_block(struct table_writer *t, uint64_t size, uint32_t entry)
{
    hf_buffer_u64(&t->directory, size);
    hf_buffer_u32(&t->directory, entry);
    hf_buffer_u32(&t->directory, (uint32_t)t->pairs.len);
}

/* All entries of the current size have gone by. */
static void end_size(struct table_writer *t)
{
    if (t->size_uses == 0)
        return;
    bool first_of_block = t->sizes++ % HF_HASH_BLOCK_SIZES == 0;
    if (first_of_block) {
        add_block(t, t->size, t->sized - t->size_uses);
        t->blocks++;
    }
    hf_put_varint(&t->pairs, first_of_block ? 0 : t->size - t->last_size);
    hf_put_varint(&t->pairs, t->size_uses);
    t->last_size = t->size;
    t->size_uses = 0;
}

static void add_any(struct table_writer *t, const uint8_t *digest)
{
    uint32_t head = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                    (uint32_t)digest[2] << 8 | digest[3];
    uint32_t prefix = t->prefix_bits == 0 ? 0 : head >> (32 - t->prefix_bits);
    while (t->prefixes <= prefix) {
        hf_buffer_u32(&t->prefix, t->any);
        t->prefixes++;
    }
    t->any++;
}

static void add_entry(struct table_writer *t, uint64_t size, const uint8_t *digest)
{
    hf_output_add(t->out, digest, t->kept);
    if (size != t->size)
        end_size(t);
    t->size = size;
    if (size == UINT64_MAX) {
        add_any(t, digest);
    } else {
        t->size_uses++;
        t->sized++;
    }
}

static void put_part(struct hf_output *out, uint8_t *offset, const struct hf_buffer *part)
{
    hf_output_align(out, 8);
    hf_put_le64(offset, hf_output_offset(out));
    hf_output_add(out, part->data, part->len);
}

/* The rest of the section; frees what the writer holds. False: out of memory. */
static bool end_table(struct table_writer *t)
{
    uint8_t h[HF_HASH_HEADER] = {0};
    end_size(t);
    add_block(t, UINT64_MAX, t->sized);
    while (t->any > 0 && t->prefixes <= UINT32_C(1) << t->prefix_bits) {
        hf_buffer_u32(&t->prefix, t->any);
        t->prefixes++;
    }
    bool good = !t->directory.failed && !t->pairs.failed && !t->prefix.failed &&
                t->pairs.len <= UINT32_MAX;
    hf_put_le32(h, HF_HASH_LAYOUT);
    h[4] = (uint8_t)t->kept;
    h[5] = (uint8_t)t->prefix_bits;
    hf_put_le64(h + 8, t->sized);
    hf_put_le64(h + 16, t->any);
    hf_put_le32(h + 24, t->first);
    hf_put_le32(h + 28, t->blocks);
    hf_put_le64(h + 32, HF_HASH_HEADER);
    put_part(t->out, h + 40, &t->directory);
    put_part(t->out, h + 48, &t->pairs);
    hf_put_le64(h + 56, t->pairs.len);
    put_part(t->out, h + 64, &t->prefix);
    hf_output_patch(t->out, 0, h, sizeof h);
    hf_output_end(t->out, t->sized + t->any);
    hf_buffer_done(&t->directory);
    hf_buffer_done(&t->pairs);
    hf_buffer_done(&t->prefix);
    return good;
}

static bool same_digest(const struct hf_spooled *a, const struct hf_spooled *b, size_t kept)
{
    return a->table == b->table && a->size == b->size &&
           memcmp(a->digest, b->digest, kept) == 0;
}

/* Whether a signature was seen just before: the same digest under the same name, from
 * whatever source. Digests under several names are kept under each. */
struct repeated {
    struct hf_spooled seen[16];
    size_t count;
};

static bool is_repeated(struct repeated *r, const struct hf_stems *stems,
                        const struct hf_spooled *record, size_t kept)
{
    if (r->count > 0 && !same_digest(&r->seen[0], record, kept))
        r->count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->seen[i].number == record->number &&
            hf_stems_same_text(stems, r->seen[i].stem, record->stem))
            return true;
    if (r->count < sizeof r->seen / sizeof *r->seen)
        r->seen[r->count++] = *record;
    return false;
}

static void add_group(struct hf_buffer *groups, uint32_t type, uint32_t first,
                      uint32_t count)
{
    hf_buffer_u32(groups, type);
    hf_buffer_u32(groups, first);
    hf_buffer_u32(groups, count);
    hf_buffer_u32(groups, 0);
}

static bool finish_table(struct table_writer *t, unsigned type, struct hf_buffer *groups,
                         uint32_t *signatures)
{
    uint32_t count = t->sized + t->any;
    add_group(groups, type, t->first, count);
    *signatures += count;
    return end_table(t);
}

/* Records are merged in blocks ahead of their writing, by another thread where there is one. */
enum { BLOCK = 16 * 1024 };
struct block {
    struct hf_job job; /* first, so that a job is its block */
    struct hf_spool *spool;
    struct hf_spooled *records;
    size_t count;
    enum hf_status status;
};

static void fill_block(struct hf_job *job)
{
    struct block *b = (struct block *)job;
    b->status = hf_spool_read(b->spool, b->records, BLOCK, &b->count);
}

/* What entries go through on their way to tables. */
struct emitter {
    struct hf_build *build;
    struct hf_output *out;
    struct hf_names_writer *names;
    uint32_t *signatures;
    struct hf_buffer *groups;
    struct table_writer table;
    unsigned type; /* of the open table; 0: none */
    struct repeated repeated;
    bool failed; /* out of memory */
};

static void close_table(struct emitter *e)
{
    if (e->type != 0 && !finish_table(&e->table, e->type, e->groups, e->signatures))
        e->failed = true;
    e->type = 0;
}

static void open_table(struct emitter *e, unsigned type)
{
    unsigned kind = type - HF_DB_ALLOW_MD5;
    size_t kept = type < HF_DB_ALLOW_MD5 ? HF_DB_DIGEST_KEPT
                                         : hf_digest_length((enum hf_digest_kind)kind);
    close_table(e);
    begin_table(&e->table, e->out, (enum hf_db_section)type, kept,
                e->build->table_counts[type][1], *e->signatures);
    e->type = type;
}

static void emit(struct emitter *e, const struct hf_spooled *record)
{
    if (record->table != e->type)
        open_table(e, record->table);
    if (is_repeated(&e->repeated, &e->build->stems, record, e->table.kept))
        return;
    add_entry(&e->table, record->size, record->digest);
    hf_names_add(e->names, record->stem, record->number);
}

static enum hf_status emit_blocks(struct emitter *e, struct block *blocks)
{
    struct hf_jobs *jobs = e->build->jobs;
    hf_jobs_add(jobs, &blocks[0].job);
    for (unsigned turn = 0;; turn ^= 1) {
        struct block *b = &blocks[turn];
        hf_jobs_wait(jobs, &b->job);
        bool last =
            b->status != HF_OK || b->count < BLOCK || e->failed || e->out->status != HF_OK;
        if (!last)
            hf_jobs_add(jobs, &blocks[turn ^ 1].job);
        if (b->status != HF_OK)
            return b->status;
        for (size_t i = 0; i < b->count; i++)
            emit(e, &b->records[i]);
        if (last)
            return e->out->status;
    }
}

static enum hf_status write_spool(struct emitter *e, struct hf_spool *spool)
{
    struct block blocks[2] = {0};
    bool allocated = true;
    enum hf_status st = hf_spool_begin(spool);
    for (unsigned i = 0; i < 2; i++) {
        blocks[i].job.run = fill_block;
        blocks[i].spool = spool;
        blocks[i].records = calloc(BLOCK, sizeof *blocks[i].records);
        allocated &= blocks[i].records != NULL;
    }
    if (st == HF_OK)
        st = allocated ? emit_blocks(e, blocks) : HF_NOMEM;
    close_table(e);
    free(blocks[0].records);
    free(blocks[1].records);
    return st == HF_OK && e->failed ? HF_NOMEM : st;
}

enum hf_status hf_build_write_tables(struct hf_build *build, struct hf_output *out,
                                     struct hf_names_writer *names, uint32_t *signatures,
                                     struct hf_buffer *groups)
{
    struct emitter e = {.build = build,
                        .out = out,
                        .names = names,
                        .signatures = signatures,
                        .groups = groups};
    *signatures = 0;
    enum hf_status st = hf_build_flush(build);
    if (st == HF_OK)
        st = write_spool(&e, build->digests);
    return st != HF_OK ? st : write_spool(&e, build->allowed);
}
