/* memory_feed.h - a whole publisher in memory for tests: files by path, keys from fixed seeds that
 * are good for nothing else, releases with one small file each. */
#ifndef TESTS_FEED_MEMORY_FEED_H
#define TESTS_FEED_MEMORY_FEED_H

#include <stdlib.h>

#include "support.h"

#include "feed/client.h"
#include "feed/publisher.h"

enum { FILES_MAX = 4096, KEYS_MAX = 8 };

struct memory_file {
    char path[128];
    struct hf_buffer bytes;
};

struct memory_feed {
    struct memory_file files[FILES_MAX];
    size_t count;
    size_t gets, got_bytes; /* of the client, for what a poll costs */
    const char *origin, *product;
    struct hf_skey root[KEYS_MAX], log[KEYS_MAX], sign[KEYS_MAX];
    size_t root_count, log_count, sign_count; /* that sign */
    uint64_t version, now, root_version;
    struct hf_hash previous;
};

static struct memory_file *feed_find(struct memory_feed *f, const char *path)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->files[i].path, path) == 0)
            return &f->files[i];
    return NULL;
}

/* One that must be there. */
__attribute__((returns_nonnull)) static struct memory_file *feed_file(struct memory_feed *f,
                                                                      const char *path)
{
    struct memory_file *file = feed_find(f, path);
    if (file == NULL) {
        print_error("no file %s\n", path);
        abort();
    }
    return file;
}

static enum hf_refusal feed_get(void *user, const char *path, size_t max,
                                struct hf_buffer *out)
{
    struct memory_feed *f = user;
    struct memory_file *file = feed_find(f, path);
    f->gets++;
    if (file == NULL)
        return HF_REFUSE_FETCH;
    if (file->bytes.len > max)
        return HF_REFUSE_FETCH_LONG;
    f->got_bytes += file->bytes.len;
    hf_buffer_bytes(out, hf_buffer_view(&file->bytes));
    return HF_ACCEPTED;
}

static enum hf_refusal feed_put(void *user, const char *path, struct hf_bytes bytes)
{
    struct memory_feed *f = user;
    struct memory_file *file = feed_find(f, path);
    if (file == NULL) {
        assert_true(f->count < FILES_MAX);
        file = &f->files[f->count++];
        assert_true((size_t)snprintf(file->path, sizeof file->path, "%s", path) <
                    sizeof file->path);
    }
    struct hf_buffer copy = {0};
    hf_buffer_bytes(&copy, bytes);
    hf_buffer_done(&file->bytes);
    file->bytes = copy;
    return HF_ACCEPTED;
}

static struct hf_feed_store feed_store(struct memory_feed *f)
{
    return (struct hf_feed_store){
        .read = {.get = feed_get, .user = f}, .put = feed_put, .user = f};
}

static inline void feed_done(struct memory_feed *f)
{
    for (size_t i = 0; i < f->count; i++)
        hf_buffer_done(&f->files[i].bytes);
    free(f);
}

/* All of it, as a mirror would have copied it at this moment. */
static inline struct memory_feed *feed_copy(const struct memory_feed *f)
{
    struct memory_feed *copy = calloc(1, sizeof *copy);
    assert_non_null(copy);
    *copy = *f;
    for (size_t i = 0; i < f->count; i++) {
        copy->files[i].bytes = (struct hf_buffer){0};
        hf_buffer_bytes(&copy->files[i].bytes, hf_buffer_view(&f->files[i].bytes));
    }
    return copy;
}

static void sign_all(struct hf_buffer *note, struct hf_bytes body,
                     const struct hf_skey *keys, size_t count)
{
    assert_accepted(hf_note_begin(note, body));
    for (size_t i = 0; i < count; i++)
        assert_accepted(hf_note_sign(note, body, &keys[i]));
}

static void set_role(struct hf_role *role, const char *name, uint64_t threshold,
                     const struct hf_skey *keys, size_t count)
{
    role->name = text(name);
    role->threshold = threshold;
    role->count = count;
    for (size_t i = 0; i < count; i++)
        role->keys[i] = keys[i].verifier;
}

/* The text of a root with 2 of 3 root keys, the log keys, and 2 of 3 keys for content. */
static inline void feed_root_text(const struct memory_feed *f, uint64_t version,
                                  struct hf_buffer *out)
{
    struct hf_root *root = calloc(1, sizeof *root);
    assert_non_null(root);
    root->product = text(f->product);
    root->version = version;
    root->created = f->now;
    root->expires = f->now + 365 * 86400;
    set_role(&root->roles[0], "root", 2, f->root, 3);
    set_role(&root->roles[1], "log", 1, f->log, f->log_count);
    set_role(&root->roles[2], "content", 2, f->sign, 3);
    root->role_count = 3;
    assert_accepted(hf_root_write(out, root));
    free(root);
}

static struct hf_skey feed_key(const char *name, uint8_t seed)
{
    return test_key(name, HF_KEY_ED25519, seed);
}

static inline struct memory_feed *feed_new(const char *product, const char *origin,
                                           uint8_t seed, uint64_t now)
{
    struct memory_feed *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->product = product;
    f->origin = origin;
    f->now = now;
    for (uint8_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/root%d", product, i);
        f->root[i] = feed_key(name, (uint8_t)(seed + i));
        snprintf(name, sizeof name, "%s/sign%d", product, i);
        f->sign[i] = feed_key(name, (uint8_t)(seed + 10 + i));
    }
    f->log[0] = feed_key(origin, (uint8_t)(seed + 20));
    f->root_count = f->sign_count = 2;
    f->log_count = 1;
    f->root_version = 1;
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, note = {0};
    feed_root_text(f, 1, &body);
    sign_all(&note, hf_buffer_view(&body), f->root, f->root_count);
    struct hf_feed_store store = feed_store(f);
    assert_accepted(
        hf_publisher_add_root(&store, hf_buffer_view(&note), f->log, f->log_count));
    return f;
}

static inline struct hf_manifest feed_manifest(const struct memory_feed *f)
{
    struct hf_manifest m = {
        .product = text(f->product),
        .channel = text("content"),
        .version = f->version + 1,
        .previous = f->previous,
        .created = f->now,
        .expires = f->now + 7 * 86400,
        .engine_min = 1,
        .engine_max = 1,
        .capabilities = {text("detect")},
        .capability_count = 1,
        .rings = {{100, 0}},
        .ring_count = 1,
        .file_count = 1,
    };
    m.files[0] = (struct hf_manifest_file){.name = text("main.hfdb"), .size = 5};
    memset(m.files[0].hash.bytes, (int)m.version, HF_HASH_BYTES);
    return m;
}

/* Sign a manifest and log it without any of the publisher's own checks. */
static inline void feed_force(struct memory_feed *f, const struct hf_manifest *m)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer body = {0}, note = {0}, path = {0}, line = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle merkle = {.hasher = hasher};
    struct hf_hash hash;
    assert_accepted(hf_manifest_write(&body, m));
    sign_all(&note, hf_buffer_view(&body), f->sign, f->sign_count);
    assert_true(hf_hash_of(&merkle, hf_buffer_view(&body), &hash));
    hf_release_path(&path, &hash);
    hf_buffer_u8(&path, 0);
    struct hf_feed_store store = feed_store(f);
    assert_accepted(feed_put(f, (const char *)path.data, hf_buffer_view(&note)));
    struct hf_entry entry = {m->product, m->channel, m->version, hash};
    hf_entry_write(&line, &entry);
    struct hf_bytes bytes = hf_buffer_view(&line);
    assert_accepted(hf_publisher_append(&store, &bytes, 1, f->log, f->log_count));
    f->previous = hash;
    f->version = m->version;
}

static inline void feed_release(struct memory_feed *f)
{
    struct hf_manifest m = feed_manifest(f);
    feed_force(f, &m);
}

/* A witness signs the checkpoint as it is. */
static inline void feed_cosign(struct memory_feed *f, const struct hf_skey *witness,
                               uint64_t time)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    struct hf_merkle m = {.hasher = hasher};
    struct hf_signed_note note;
    struct hf_feed_store store = feed_store(f);
    assert_accepted(
        read_note(arena, hf_buffer_view(&feed_file(f, "checkpoint")->bytes), &note));
    assert_accepted(hf_checkpoint_cosign(&m, &line, note.text, time, witness));
    assert_accepted(hf_publisher_cosign(&store, hf_buffer_view(&line)));
}

#endif
