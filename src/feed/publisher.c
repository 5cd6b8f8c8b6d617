#include "feed/publisher.h"

#include "base/auto.h"
#include "base/files.h"
#include "feed/tile.h"

#include <errno.h>
#include <stdlib.h>

enum { ARENA_BYTES = 4 << 20 };

static enum hf_refusal folder_get(void *user, const char *path, size_t max,
                                  struct hf_buffer *out)
{
    struct hf_feed_folder *folder = user;
    enum hf_status st = hf_file_read(folder->dir, path, max, out);
    folder->error = errno;
    if (st == HF_LIMIT)
        return HF_REFUSE_FETCH_LONG;
    if (st == HF_NOMEM)
        return HF_REFUSE_NOMEM;
    return st == HF_OK ? HF_ACCEPTED : HF_REFUSE_FETCH;
}

static enum hf_refusal folder_put(void *user, const char *path, struct hf_bytes bytes)
{
    struct hf_feed_folder *folder = user;
    enum hf_status st = hf_file_replace(folder->dir, path, bytes, 0644);
    folder->error = errno;
    return st == HF_OK ? HF_ACCEPTED : HF_REFUSE_DISK;
}

struct hf_feed_store hf_feed_folder_store(struct hf_feed_folder *folder)
{
    return (struct hf_feed_store){
        .read = {.get = folder_get, .user = folder}, .put = folder_put, .user = folder};
}

static enum hf_refusal get(const struct hf_feed_store *store, const char *path, size_t max,
                           struct hf_buffer *out)
{
    return store->read.get(store->read.user, path, max, out);
}

static enum hf_refusal put_named(const struct hf_feed_store *store, struct hf_buffer *path,
                                 struct hf_bytes bytes)
{
    hf_buffer_u8(path, 0);
    return path->failed ? HF_REFUSE_NOMEM
                        : store->put(store->user, (const char *)path->data, bytes);
}

/* A note as the publisher has it; in the arena. */
static enum hf_refusal read_note(struct hf_arena *arena, struct hf_bytes bytes,
                                 struct hf_signed_note *note)
{
    struct hf_bytes copy = hf_arena_copy(arena, bytes);
    if (copy.data == NULL)
        return HF_REFUSE_NOMEM;
    struct hf_cursor c = hf_cursor_open(copy.data, copy.len, NULL);
    return hf_note_read(&c, arena, note);
}

static enum hf_refusal get_root(const struct hf_feed_store *store, uint64_t version,
                                struct hf_buffer *note)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    hf_root_path(&path, version);
    hf_buffer_u8(&path, 0);
    return path.failed ? HF_REFUSE_NOMEM
                       : get(store, (const char *)path.data, HF_NOTE_FETCH_MAX, note);
}

enum hf_refusal hf_publisher_root(const struct hf_feed_store *store, struct hf_arena *arena,
                                  struct hf_buffer *note, struct hf_root *root)
{
    enum hf_refusal r = HF_REFUSE_FETCH;
    for (uint64_t version = 1;; version++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer next = {0};
        enum hf_refusal got = get_root(store, version, &next);
        if (got == HF_REFUSE_FETCH)
            return r;
        struct hf_signed_note read;
        r = got == HF_ACCEPTED ? read_note(arena, hf_buffer_view(&next), &read) : got;
        if (r == HF_ACCEPTED)
            r = hf_root_read(read.text, NULL, root);
        if (r != HF_ACCEPTED)
            return r;
        hf_buffer_clear(note);
        hf_buffer_bytes(note, hf_buffer_view(&next));
    }
}

/* The log as it is now, whole: leaf hashes from its bundles. */
struct log {
    const struct hf_feed_store *store;
    struct hf_merkle merkle;
    struct hf_tree tree;
    struct hf_buffer bundle; /* the last, not full one */
};

static void log_done(struct log *log)
{
    hf_tree_done(&log->tree);
    hf_buffer_done(&log->bundle);
    hf_hasher_free(log->merkle.hasher);
}

static enum hf_refusal log_add(struct log *log, struct hf_bytes entry)
{
    struct hf_hash leaf = hf_merkle_leaf(&log->merkle, entry);
    if (log->tree.size % HF_TILE_WIDTH == 0)
        hf_buffer_clear(&log->bundle);
    enum hf_refusal r = hf_bundle_add(&log->bundle, entry);
    return r == HF_ACCEPTED ? hf_tree_append(&log->merkle, &log->tree, &leaf) : r;
}

static enum hf_refusal get_bundle(const struct hf_feed_store *store, uint64_t number,
                                  uint64_t size, struct hf_buffer *bytes)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    struct hf_tile which = {.entries = true, .index = number};
    which.width = (uint16_t)hf_tile_width(size, 0, number);
    enum hf_refusal r = hf_tile_path_write(&path, &which);
    hf_buffer_u8(&path, 0);
    if (r == HF_ACCEPTED && path.failed)
        r = HF_REFUSE_NOMEM;
    return r == HF_ACCEPTED
               ? get(store, (const char *)path.data, HF_BUNDLE_BYTES_MAX, bytes)
               : r;
}

static enum hf_refusal read_size(const struct hf_feed_store *store, struct hf_merkle *m,
                                 uint64_t *size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA_BYTES);
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    struct hf_signed_note note;
    struct hf_checkpoint checkpoint;
    *size = 0;
    enum hf_refusal r = get(store, "checkpoint", HF_NOTE_FETCH_MAX, &bytes);
    if (r == HF_REFUSE_FETCH)
        return HF_ACCEPTED; /* a new log */
    if (r == HF_ACCEPTED && arena == NULL)
        r = HF_REFUSE_NOMEM;
    if (r == HF_ACCEPTED)
        r = read_note(arena, hf_buffer_view(&bytes), &note);
    if (r == HF_ACCEPTED)
        r = hf_checkpoint_read(m, note.text, &checkpoint);
    if (r == HF_ACCEPTED)
        *size = checkpoint.size;
    return r;
}

static enum hf_refusal for_each(const struct hf_feed_store *store, uint64_t size,
                                hf_publisher_on_entry *on_entry, void *user)
{
    enum hf_refusal r = HF_ACCEPTED;
    for (uint64_t index = 0; r == HF_ACCEPTED && index < size;) {
        HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
        r = get_bundle(store, index / HF_TILE_WIDTH, size, &bytes);
        struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
        uint64_t end = index + HF_TILE_WIDTH < size ? index + HF_TILE_WIDTH : size;
        for (; r == HF_ACCEPTED && index < end; index++) {
            struct hf_bytes entry;
            r = hf_bundle_next(&c, &entry);
            if (r == HF_ACCEPTED)
                r = on_entry(user, index, entry);
        }
        if (r == HF_ACCEPTED && hf_cursor_left(&c) > 0)
            r = HF_REFUSE_BUNDLE_COUNT;
    }
    return r;
}

static enum hf_refusal load_entry(void *user, uint64_t index, struct hf_bytes entry)
{
    (void)index;
    return log_add(user, entry);
}

static enum hf_refusal log_load(struct log *log)
{
    uint64_t size;
    log->merkle.hasher = hf_hasher_new();
    if (log->merkle.hasher == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = read_size(log->store, &log->merkle, &size);
    return r == HF_ACCEPTED ? for_each(log->store, size, load_entry, log) : r;
}

enum hf_refusal hf_publisher_entries(const struct hf_feed_store *store,
                                     hf_publisher_on_entry *on_entry, void *user)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    uint64_t size;
    if (hasher == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = read_size(store, &m, &size);
    return r == HF_ACCEPTED ? for_each(store, size, on_entry, user) : r;
}

/* The tiles and bundles that growth from size has changed. */
static enum hf_refusal write_tiles(struct log *log, uint64_t size)
{
    struct hf_tree_source source = hf_tree_as_source(&log->tree);
    for (unsigned level = 0; level < 8; level++) {
        unsigned shift = 8 * level;
        uint64_t last = (log->tree.size >> shift) == 0
                            ? 0
                            : ((log->tree.size >> shift) - 1) / HF_TILE_WIDTH;
        for (uint64_t index = (size >> shift) / HF_TILE_WIDTH; index <= last; index++) {
            struct hf_tile which = {.level = (uint8_t)level, .index = index};
            which.width = (uint16_t)hf_tile_width(log->tree.size, level, index);
            HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, bytes = {0};
            if (which.width == 0)
                continue;
            enum hf_refusal r = hf_tile_path_write(&path, &which);
            if (r == HF_ACCEPTED)
                r = hf_tile_write(&bytes, &source, &which);
            if (r == HF_ACCEPTED)
                r = put_named(log->store, &path, hf_buffer_view(&bytes));
            if (r != HF_ACCEPTED)
                return r;
        }
    }
    return HF_ACCEPTED;
}

static enum hf_refusal write_bundle(struct log *log)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    if (log->tree.size == 0)
        return HF_ACCEPTED;
    struct hf_tile which = {.entries = true, .index = (log->tree.size - 1) / HF_TILE_WIDTH};
    which.width = (uint16_t)hf_tile_width(log->tree.size, 0, which.index);
    enum hf_refusal r = hf_tile_path_write(&path, &which);
    return r == HF_ACCEPTED ? put_named(log->store, &path, hf_buffer_view(&log->bundle))
                            : r;
}

static enum hf_refusal write_checkpoint(struct log *log, const struct hf_skey *keys,
                                        size_t count)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0}, note = {0};
    struct hf_tree_source source = hf_tree_as_source(&log->tree);
    struct hf_checkpoint cp = {.origin = hf_vkey_name(&keys[0].verifier),
                               .size = log->tree.size};
    enum hf_refusal r = hf_tree_root(&log->merkle, &source, cp.size, &cp.root);
    if (r == HF_ACCEPTED)
        r = hf_checkpoint_write(&log->merkle, &text, &cp);
    if (r == HF_ACCEPTED)
        r = hf_note_begin(&note, hf_buffer_view(&text));
    for (size_t i = 0; r == HF_ACCEPTED && i < count; i++)
        r = hf_note_sign(&note, hf_buffer_view(&text), &keys[i]);
    return r == HF_ACCEPTED
               ? log->store->put(log->store->user, "checkpoint", hf_buffer_view(&note))
               : r;
}

enum hf_refusal hf_publisher_append(const struct hf_feed_store *store,
                                    const struct hf_bytes *entries, size_t count,
                                    const struct hf_skey *keys, size_t key_count)
{
    struct log log = {.store = store};
    if (key_count == 0)
        return HF_REFUSE_ARGUMENT;
    enum hf_refusal r = log_load(&log);
    uint64_t size = log.tree.size;
    for (size_t i = 0; r == HF_ACCEPTED && i < count; i++) {
        r = entries[i].len <= HF_ENTRY_BYTES_MAX ? log_add(&log, entries[i])
                                                 : HF_REFUSE_ARGUMENT;
        if (r == HF_ACCEPTED && (log.tree.size % HF_TILE_WIDTH == 0 || i + 1 == count))
            r = write_bundle(&log);
    }
    if (r == HF_ACCEPTED)
        r = write_tiles(&log, size);
    if (r == HF_ACCEPTED)
        r = write_checkpoint(&log, keys, key_count);
    log_done(&log);
    return r;
}

static enum hf_refusal log_text(const struct hf_feed_store *store, struct hf_entry *entry,
                                struct hf_bytes text, const struct hf_skey *keys,
                                size_t key_count)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    struct hf_merkle m = {.hasher = hasher};
    if (hasher == NULL || !hf_hash_of(&m, text, &entry->hash))
        return HF_REFUSE_CRYPTO;
    hf_entry_write(&line, entry);
    struct hf_bytes bytes = hf_buffer_view(&line);
    return line.failed ? HF_REFUSE_NOMEM
                       : hf_publisher_append(store, &bytes, 1, keys, key_count);
}

enum hf_refusal hf_publisher_add_root(const struct hf_feed_store *store,
                                      struct hf_bytes note, const struct hf_skey *log_keys,
                                      size_t key_count)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA_BYTES);
    HF_AUTO(hf_buffer_done) struct hf_buffer old_note = {0}, path = {0};
    if (arena == NULL)
        return HF_REFUSE_NOMEM;
    struct hf_root *old = hf_arena_alloc(arena, sizeof *old);
    struct hf_root *next = hf_arena_alloc(arena, sizeof *next);
    struct hf_signed_note read;
    if (old == NULL || next == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = read_note(arena, note, &read);
    if (r == HF_ACCEPTED)
        r = hf_root_read(read.text, NULL, next);
    if (r != HF_ACCEPTED)
        return r;
    r = hf_publisher_root(store, arena, &old_note, old);
    bool first = r == HF_REFUSE_FETCH;
    if (first)
        r = next->version == 1 ? HF_ACCEPTED : HF_REFUSE_ROOT_VERSION;
    if (r == HF_ACCEPTED)
        r = hf_root_verify(first ? NULL : old, &read, next);
    if (r != HF_ACCEPTED)
        return r;
    hf_root_path(&path, next->version);
    r = put_named(store, &path, note);
    struct hf_entry entry = {next->product, hf_bytes_text("root"), next->version, {{0}}};
    return r == HF_ACCEPTED ? log_text(store, &entry, read.text, log_keys, key_count) : r;
}

struct latest {
    struct hf_bytes product, channel;
    uint64_t version;
    struct hf_hash hash;
};

static enum hf_refusal look_at_entry(void *user, uint64_t index, struct hf_bytes bytes)
{
    struct latest *latest = user;
    struct hf_entry e;
    (void)index;
    enum hf_refusal r = hf_entry_read(bytes, &e);
    if (r == HF_ACCEPTED && hf_bytes_equal(e.product, latest->product) &&
        hf_bytes_equal(e.channel, latest->channel)) {
        latest->version = e.version;
        latest->hash = e.hash;
    }
    return r;
}

enum hf_refusal hf_publisher_latest(const struct hf_feed_store *store,
                                    struct hf_bytes product, struct hf_bytes channel,
                                    uint64_t *version, struct hf_hash *hash)
{
    struct latest latest = {.product = product, .channel = channel};
    enum hf_refusal r = hf_publisher_entries(store, look_at_entry, &latest);
    *version = latest.version;
    *hash = latest.hash;
    return r;
}

enum hf_refusal hf_publisher_add_release(const struct hf_feed_store *store,
                                         struct hf_bytes note,
                                         const struct hf_skey *log_keys, size_t key_count)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA_BYTES);
    HF_AUTO(hf_buffer_done) struct hf_buffer root_note = {0}, path = {0};
    struct hf_manifest manifest;
    struct hf_signed_note read;
    struct hf_root *root = arena == NULL ? NULL : hf_arena_alloc(arena, sizeof *root);
    if (root == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = hf_publisher_root(store, arena, &root_note, root);
    if (r == HF_ACCEPTED)
        r = read_note(arena, note, &read);
    if (r == HF_ACCEPTED)
        r = hf_manifest_read(read.text, NULL, &manifest);
    if (r != HF_ACCEPTED)
        return r;
    const struct hf_role *role = hf_root_role(root, manifest.channel);
    if (!hf_bytes_equal(manifest.product, root->product))
        return HF_REFUSE_UPDATE_PRODUCT;
    r = role == NULL ? HF_REFUSE_UPDATE_CHANNEL : hf_role_verify(role, &read);
    uint64_t version = 0;
    struct hf_hash hash = {0};
    if (r == HF_ACCEPTED)
        r = hf_publisher_latest(store, manifest.product, manifest.channel, &version, &hash);
    if (r != HF_ACCEPTED)
        return r;
    if (manifest.version != version + 1)
        return manifest.version <= version ? HF_REFUSE_UPDATE_ROLLBACK
                                           : HF_REFUSE_UPDATE_JUMP;
    if (!hf_hash_equal(&manifest.previous, &hash))
        return HF_REFUSE_UPDATE_CHAIN;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    if (hasher == NULL || !hf_hash_of(&m, read.text, &hash))
        return HF_REFUSE_CRYPTO;
    hf_release_path(&path, &hash);
    r = put_named(store, &path, note);
    struct hf_entry entry = {manifest.product, manifest.channel, manifest.version, hash};
    return r == HF_ACCEPTED ? log_text(store, &entry, read.text, log_keys, key_count) : r;
}

enum hf_refusal hf_publisher_cosign(const struct hf_feed_store *store, struct hf_bytes line)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    enum hf_refusal r = get(store, "checkpoint", HF_NOTE_FETCH_MAX, &bytes);
    if (r != HF_ACCEPTED)
        return r;
    hf_buffer_bytes(&bytes, line);
    return bytes.failed ? HF_REFUSE_NOMEM
                        : store->put(store->user, "checkpoint", hf_buffer_view(&bytes));
}
