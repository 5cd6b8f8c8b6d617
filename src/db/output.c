#include "db/output.h"
#include "base/fd.h"
#include "db/coding.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

static void fail(struct hf_output *out, enum hf_status status)
{
    if (out->status != HF_OK)
        return;
    out->status = status;
    out->error = errno;
}

static void write_at(struct hf_output *out, const uint8_t *data, size_t size,
                     uint64_t offset)
{
    for (size_t done = 0; done < size && out->status == HF_OK;) {
        ssize_t n = pwrite(out->fd, data + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno != EINTR)
            fail(out, HF_IO);
        if (n > 0)
            done += (size_t)n;
    }
}

static void flush(struct hf_output *out)
{
    write_at(out, out->pending.data, out->pending.len, out->pending_at);
    out->pending_at += out->pending.len;
    hf_buffer_clear(&out->pending);
}

void hf_output_begin(struct hf_output *out, int fd)
{
    *out = (struct hf_output){.fd = fd};
    static const uint8_t
        header[HF_DB_HEADER]; /* patched at the end: until then no database */
    hf_output_add(out, header, sizeof header);
}

void hf_output_done(struct hf_output *out)
{
    hf_buffer_done(&out->pending);
}

void hf_output_add(struct hf_output *out, const void *data, size_t size)
{
    const uint8_t *from = data;
    while (size > 0 && out->status == HF_OK) {
        size_t room = HF_OUTPUT_PIECE - out->pending.len, n = size < room ? size : room;
        hf_buffer_add(&out->pending, from, n);
        if (out->pending.failed) {
            fail(out, HF_NOMEM);
            return;
        }
        from += n;
        size -= n;
        out->at += n;
        if (out->pending.len == HF_OUTPUT_PIECE)
            flush(out);
    }
}

void hf_output_align(struct hf_output *out, uint64_t alignment)
{
    static const uint8_t zeros[HF_DB_ALIGN];
    uint64_t past = out->at % alignment;
    if (past > 0)
        hf_output_add(out, zeros, (size_t)(alignment - past));
}

void hf_output_section(struct hf_output *out, enum hf_db_section type)
{
    hf_output_align(out, HF_DB_ALIGN);
    out->sections[out->section_count].type = type;
    out->sections[out->section_count].offset = out->at;
}

uint64_t hf_output_offset(const struct hf_output *out)
{
    return out->at - out->sections[out->section_count].offset;
}

void hf_output_patch(struct hf_output *out, uint64_t offset, const void *data, size_t size)
{
    flush(out);
    write_at(out, data, size, out->sections[out->section_count].offset + offset);
}

void hf_output_end(struct hf_output *out, uint64_t count)
{
    out->sections[out->section_count].length = hf_output_offset(out);
    out->sections[out->section_count].count = count;
    out->section_count++;
}

/* The digest of what was written, read back from the page cache. */
static void digest_section(struct hf_output *out, uint64_t offset, uint64_t length,
                           uint8_t digest[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t *piece = hf_buffer_reserve(&out->pending, HF_OUTPUT_PIECE);
    bool good = context != NULL && piece != NULL &&
                EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    if (!good)
        fail(out, HF_NOMEM);
    for (uint64_t done = 0; done < length && out->status == HF_OK;) {
        size_t got, want = length - done < HF_OUTPUT_PIECE ? (size_t)(length - done)
                                                           : HF_OUTPUT_PIECE;
        if (hf_fd_read_at(out->fd, piece, want, offset + done, &got) != HF_OK ||
            got != want)
            fail(out, HF_IO);
        else if (EVP_DigestUpdate(context, piece, got) != 1)
            fail(out, HF_NOMEM);
        done += want;
    }
    if (out->status == HF_OK && EVP_DigestFinal_ex(context, digest, NULL) != 1)
        fail(out, HF_NOMEM);
    EVP_MD_CTX_free(context);
}

enum hf_status hf_output_finish(struct hf_output *out)
{
    uint8_t table[HF_DB_SECTION_TYPES * HF_DB_ENTRY] = {0};
    uint8_t header[HF_DB_HEADER] = {0};
    hf_output_align(out, HF_DB_ALIGN);
    flush(out);
    for (size_t i = 0; i < out->section_count; i++) {
        uint8_t *e = table + i * HF_DB_ENTRY;
        hf_put_le32(e, (uint32_t)out->sections[i].type);
        hf_put_le64(e + 8, out->sections[i].offset);
        hf_put_le64(e + 16, out->sections[i].length);
        hf_put_le64(e + 24, out->sections[i].count);
        digest_section(out, out->sections[i].offset, out->sections[i].length, e + 32);
    }
    size_t table_size = out->section_count * HF_DB_ENTRY;
    uint64_t table_at = out->at;
    uint8_t generation[32];
    hf_output_add(out, table, table_size);
    flush(out);
    digest_section(out, table_at, table_size, generation);
    memcpy(header, HF_DB_MAGIC, sizeof HF_DB_MAGIC - 1);
    hf_put_le32(header + 8, HF_DB_VERSION);
    hf_put_le32(header + 12, (uint32_t)out->section_count);
    hf_put_le64(header + 16, out->at);
    hf_put_le64(header + 24, table_at);
    if (out->status == HF_OK)
        memcpy(header + 48, generation, 16);
    write_at(out, header, sizeof header, 0);
    return out->status;
}
