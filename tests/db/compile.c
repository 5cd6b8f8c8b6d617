#include "compile.h"
#include "base/fd.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void note_message(void *user, const char *file, uint64_t line, const char *text)
{
    hf_buffer_format(user, "%s:%llu: %s\n", file, (unsigned long long)line, text);
}

struct compiled compile(const struct compile_source *sources, size_t count)
{
    struct compiled c = {0};
    struct hf_build *build = hf_build_new(note_message, &c.messages);
    assert(build != NULL);
    for (size_t i = 0; i < count; i++) {
        enum hf_status st =
            hf_build_read_text(build, sources[i].name, hf_bytes_text(sources[i].text));
        assert(st == HF_OK);
    }
    c.summary = hf_build_summary(build);
    enum hf_status st = hf_build_write(build, &c.bytes);
    assert(st == HF_OK);
    hf_build_free(build);
    c.aligned = aligned_alloc(64, (c.bytes.len + 63) / 64 * 64);
    assert(c.aligned != NULL);
    memcpy(c.aligned, c.bytes.data, c.bytes.len);
    st = hf_db_open_memory(hf_bytes_of(c.aligned, c.bytes.len), &c.db);
    assert(st == HF_OK);
    hf_buffer_u8(&c.messages, 0); /* so that it reads as a string */
    return c;
}

struct compiled compile_one(const char *name, const char *text)
{
    struct compile_source source = {name, text};
    return compile(&source, 1);
}

void compiled_done(struct compiled *c)
{
    hf_db_close(c->db);
    free(c->aligned);
    hf_buffer_done(&c->messages);
    hf_buffer_done(&c->bytes);
}

struct hit {
    const struct hf_db *db;
    char name[512];
};

static bool keep_first(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    struct hit *hit = user;
    struct hf_buffer name = {0};
    (void)kind;
    enum hf_status st = hf_db_name(hit->db, signature, &name);
    assert(st == HF_OK);
    snprintf(hit->name, sizeof hit->name, "%.*s", (int)name.len, (const char *)name.data);
    hf_buffer_done(&name);
    return false;
}

const char *found_name(const struct hf_db *db, const char *hex, uint64_t size)
{
    static struct hit hit;
    struct hf_digests digests = {0};
    enum hf_digest_kind kind = hf_digest_of_length(strlen(hex) / 2);
    assert(kind != HF_DIGEST_KINDS);
    hit = (struct hit){.db = db};
    size_t n = hf_unhex(hf_bytes_text(hex), digests.value[kind], HF_DIGEST_MAX);
    assert(n != SIZE_MAX);
    digests.have = 1u << kind;
    hf_db_find_digests(db, size, &digests, keep_first, &hit);
    return hit.name;
}

struct hf_db *open_segments(const struct compiled *parts, size_t count)
{
    return open_planned(parts, count, NULL);
}

struct hf_db *open_planned(const struct compiled *parts, size_t count,
                           const struct hf_db_place *places)
{
    struct hf_buffer plan = {0};
    int fds[HF_DB_FDS_MAX] = {0};
    struct hf_db *db = NULL;
    for (size_t i = 0; i < count; i++) {
        fds[i] = hf_memfd_of("segment", hf_buffer_view(&parts[i].bytes));
        assert(fds[i] >= 0);
    }
    size_t all = count;
    if (places != NULL) {
        hf_db_plan_write(&plan, places, count);
        fds[all++] = hf_memfd_of("plan", hf_buffer_view(&plan));
        hf_buffer_done(&plan);
    }
    enum hf_status st = hf_db_open(fds, all, &db);
    assert(st == HF_OK);
    for (size_t i = 0; i < all; i++)
        close(fds[i]);
    return db;
}
