#include "store/clean_cache.h"

#include "base/auto.h"
#include "base/cursor.h"
#include "base/fd.h"
#include "base/paths.h"
#include "scan/asked.h"
#include "store/clean_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum { ENTRIES_MAX = 1 << 20, TABLE_BYTES_MAX = 512 << 20 };
#define KEY_NAME   "clean.key"
#define TABLE_NAME "clean.cache"
#define NEW_NAME   "clean.cache.new"

struct hf_clean_cache {
    int folder; /* owned */
    uint8_t key[HF_CLEAN_KEY];
    size_t entries_max;
    const struct hf_db *db;
    struct hf_buffer judged_by;
    uint16_t generation; /* of db, in table */
    uint8_t rules[16];   /* of db: what all of it but digests comes to */
    struct hf_hasher *hasher;
    struct hf_clean_table table;
    struct stat read_from; /* the file that table came from; st_ino 0: none */
    bool changed;
    struct hf_buffer withdrawn; /* tags that no other process may bring back */
};

/* ---- key and table on disk ---- */

/* A file of ours: regular, with one name, ours alone. */
static int open_own(const struct hf_clean_cache *cache, const char *name, struct stat *st)
{
    int fd = openat(cache->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
        st->st_nlink == 1 && (st->st_mode & 077) == 0)
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

/* Write a file of ours as a whole, through a name of its own. */
static enum hf_status replace(const struct hf_clean_cache *cache, const char *name,
                              const char *by, struct hf_bytes bytes)
{
    (void)unlinkat(cache->folder, by, 0); /* left by somebody who was killed */
    HF_AUTO(hf_fd_release)
    int fd = openat(cache->folder, by, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    if (fd < 0)
        return HF_IO;
    if (hf_fd_write(fd, bytes.data, bytes.len) == HF_OK && fdatasync(fd) == 0 &&
        renameat(cache->folder, by, cache->folder, name) == 0)
        return HF_OK;
    int error = errno;
    (void)unlinkat(cache->folder, by, 0);
    errno = error;
    return HF_IO;
}

/* Read the key; make one when there is none that can be used. Called under the lock. */
static enum hf_status get_key(struct hf_clean_cache *cache)
{
    struct stat st;
    size_t got = 0;
    HF_AUTO(hf_fd_release) int fd = open_own(cache, KEY_NAME, &st);
    if (fd >= 0 && st.st_size == HF_CLEAN_KEY &&
        hf_fd_read_at(fd, cache->key, HF_CLEAN_KEY, 0, &got) == HF_OK &&
        got == HF_CLEAN_KEY)
        return HF_OK;
    if (getrandom(cache->key, HF_CLEAN_KEY, 0) != HF_CLEAN_KEY)
        return HF_IO;
    return replace(cache, KEY_NAME, KEY_NAME ".new", hf_bytes_of(cache->key, HF_CLEAN_KEY));
}

/* HF_NOTFOUND: there is none. */
static enum hf_status read_table(const struct hf_clean_cache *cache,
                                 struct hf_clean_table *table, struct stat *st)
{
    *table = (struct hf_clean_table){0};
    HF_AUTO(hf_fd_release) int fd = open_own(cache, TABLE_NAME, st);
    if (fd < 0)
        return errno == ENOENT ? HF_NOTFOUND : HF_MALFORMED;
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    enum hf_status status = hf_fd_read_all(fd, TABLE_BYTES_MAX, &bytes);
    if (status != HF_OK)
        return status == HF_NOMEM ? HF_NOMEM : HF_MALFORMED;
    return hf_clean_table_read(table, hf_buffer_view(&bytes), cache->key);
}

/* One process at a time reads key and table or writes them. The lock is the folder's own. */
static void lock(const struct hf_clean_cache *cache)
{
    while (flock(cache->folder, LOCK_EX) != 0 && errno == EINTR) {}
}

static void unlock(const struct hf_clean_cache *cache)
{
    (void)flock(cache->folder, LOCK_UN);
}

static enum hf_status open_folder(struct hf_clean_cache *cache, const char *folder)
{
    struct stat st;
    enum hf_status status = hf_path_make(folder);
    if (status != HF_OK)
        return status;
    cache->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cache->folder < 0 || fstat(cache->folder, &st) != 0)
        return HF_IO;
    if (st.st_uid == geteuid() && (st.st_mode & 022) == 0)
        return HF_OK;
    errno = EPERM;
    return HF_IO;
}

static enum hf_status load(struct hf_clean_cache *cache, struct hf_buffer *note)
{
    lock(cache);
    enum hf_status st = get_key(cache);
    int error = errno;
    if (st == HF_OK) {
        enum hf_status read = read_table(cache, &cache->table, &cache->read_from);
        if (read != HF_OK)
            cache->read_from = (struct stat){0};
        if (read != HF_OK && read != HF_NOTFOUND && note != NULL)
            hf_buffer_text(note, "the cache of clean files was damaged or somebody else's; "
                                 "it is begun anew");
        st = read == HF_NOMEM ? HF_NOMEM : HF_OK;
    }
    unlock(cache);
    errno = error;
    return st;
}

enum hf_status hf_clean_cache_open(struct hf_clean_cache **out,
                                   const struct hf_clean_cache_options *options,
                                   struct hf_buffer *note)
{
    *out = NULL;
    struct hf_clean_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return HF_NOMEM;
    cache->folder = -1;
    cache->entries_max = options->entries_max > 0 ? options->entries_max : ENTRIES_MAX;
    hf_buffer_bytes(&cache->judged_by, options->judged_by);
    cache->hasher = hf_hasher_new();
    enum hf_status st = cache->hasher == NULL || cache->judged_by.failed ? HF_NOMEM : HF_OK;
    if (st == HF_OK)
        st = open_folder(cache, options->folder);
    if (st == HF_OK)
        st = load(cache, note);
    if (st == HF_OK)
        st = hf_clean_cache_use(cache, options->db);
    if (st == HF_OK) {
        *out = cache;
        return HF_OK;
    }
    int error = errno;
    hf_clean_cache_free(cache);
    errno = error;
    return st;
}

void hf_clean_cache_free(struct hf_clean_cache *cache)
{
    if (cache == NULL)
        return;
    hf_fd_release(&cache->folder);
    hf_buffer_done(&cache->judged_by);
    hf_buffer_done(&cache->withdrawn);
    hf_clean_table_done(&cache->table);
    hf_hasher_free(cache->hasher);
    explicit_bzero(cache->key, sizeof cache->key);
    free(cache);
}

enum hf_status hf_clean_cache_use(struct hf_clean_cache *cache, const struct hf_db *db)
{
    uint8_t generation[16];
    cache->db = db;
    hf_db_generation(db, generation);
    cache->generation = hf_clean_table_generation(&cache->table, generation);
    return hf_db_rules_generation(db, cache->rules);
}

/* ---- entries ---- */

/* A keyed digest over fields of fixed length; the options, whose length may vary, come last and are
 * the same for all. */
static bool make_tag(struct hf_clean_cache *cache, const struct hf_clean_file *file,
                     uint8_t tag[HF_CLEAN_TAG])
{
    struct hf_digests d = {0};
    const struct hf_bytes parts[] = {
        hf_bytes_of(cache->key, sizeof cache->key),
        hf_bytes_of(file->bytes, sizeof file->bytes),
        hf_bytes_of(cache->rules, sizeof cache->rules),
        hf_bytes_text(HOLDFAST_VERSION),
        hf_buffer_view(&cache->judged_by),
    };
    if (hf_digest_add_parts(cache->hasher, parts, sizeof parts / sizeof *parts,
                            1u << HF_SHA256, &d) != HF_OK)
        return false;
    memcpy(tag, d.value[HF_SHA256], HF_CLEAN_TAG);
    return true;
}

static bool on_hit(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    (void)signature;
    (void)kind;
    *(bool *)user = true;
    return false;
}

/* Whether no digest signature of the database at hand can hold for anything that was asked about.
 * A digest that it would ask for and that was not taken leaves the question open: false. */
static bool holds_still(const struct hf_clean_cache *cache,
                        const struct hf_clean_entry *entry)
{
    struct hf_bytes asked =
        hf_bytes_of(cache->table.asked.data + entry->asked, entry->asked_len);
    struct hf_cursor c = hf_cursor_open(asked.data, asked.len, NULL);
    while (hf_cursor_left(&c) > 0) {
        struct hf_asked a;
        bool hit = false;
        if (!hf_asked_get(&c, &a))
            return false;
        unsigned wanted = hf_db_scope_wanted(cache->db, a.scope, a.size);
        if ((wanted & ~a.digests.have) != 0)
            return false;
        if (wanted != 0)
            hf_db_scope_find(cache->db, a.scope, a.size, &a.digests, on_hit, &hit);
        if (hit)
            return false;
    }
    return !c.failed;
}

bool hf_clean_cache_knows(struct hf_clean_cache *cache, const struct hf_clean_file *file)
{
    uint8_t tag[HF_CLEAN_TAG];
    struct hf_clean_entry *entry =
        make_tag(cache, file, tag) ? hf_clean_table_find(&cache->table, tag) : NULL;
    if (entry == NULL)
        return false;
    if (entry->generation != cache->generation) {
        if (entry->asked_len == UINT16_MAX || !holds_still(cache, entry))
            return false;
        entry->generation = cache->generation;
        cache->changed = true;
    }
    if (entry->run != cache->table.run + 1) {
        entry->run = cache->table.run + 1;
        entry->worker = 0;
        cache->changed = true;
    }
    return true;
}

void hf_clean_cache_add(struct hf_clean_cache *cache, const struct hf_clean_file *file,
                        const struct hf_report *report)
{
    uint8_t tag[HF_CLEAN_TAG];
    if (report->verdict != HF_CLEAN || report->reasons != 0 || report->finding_count > 0 ||
        report->findings_dropped > 0 || report->excused || report->suspended_count > 0 ||
        !make_tag(cache, file, tag))
        return;
    struct hf_buffer *all = &cache->table.asked;
    size_t at = all->len;
    uint16_t len = UINT16_MAX;
    if (!report->asked_cut && report->asked.len <= HF_CLEAN_ASKED_MAX &&
        at <= UINT32_MAX - HF_CLEAN_ASKED_MAX) {
        hf_buffer_bytes(all, report->asked);
        len = (uint16_t)report->asked.len;
    }
    struct hf_clean_entry *entry =
        all->failed ? NULL : hf_clean_table_add(&cache->table, tag);
    if (entry == NULL)
        return;
    entry->run = cache->table.run + 1;
    entry->worker = report->worker;
    entry->generation = cache->generation;
    entry->asked = (uint32_t)at;
    entry->asked_len = len;
    cache->changed = true;
}

struct withdrawal {
    struct hf_clean_cache *cache;
    uint32_t worker;
};

static bool stays(void *user, const struct hf_clean_entry *entry)
{
    const struct withdrawal *w = user;
    if (entry->worker != w->worker)
        return true;
    hf_buffer_add(&w->cache->withdrawn, entry->tag, HF_CLEAN_TAG);
    return false;
}

void hf_clean_cache_withdraw(struct hf_clean_cache *cache, uint32_t worker)
{
    struct withdrawal w = {cache, worker};
    if (worker != 0 && (hf_clean_table_filter(&cache->table, stays, &w) != HF_OK ||
                        cache->withdrawn.failed))
        hf_clean_table_done(&cache->table); /* rather nothing than something wrong */
    cache->changed = true;
}

static bool is_not_withdrawn(void *user, const struct hf_clean_entry *entry)
{
    const struct hf_buffer *withdrawn = user;
    for (size_t i = 0; i < withdrawn->len; i += HF_CLEAN_TAG)
        if (memcmp(withdrawn->data + i, entry->tag, HF_CLEAN_TAG) == 0)
            return false;
    return true;
}

size_t hf_clean_cache_count(const struct hf_clean_cache *cache)
{
    return cache->table.count;
}

/* ---- saving ---- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* What another process has written since we read. */
static enum hf_status take_others(struct hf_clean_cache *cache)
{
    struct stat st;
    struct hf_clean_table other;
    enum hf_status status = HF_OK;
    if (fstatat(cache->folder, TABLE_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        is_same_file(&st, &cache->read_from))
        return HF_OK;
    if (read_table(cache, &other, &st) == HF_OK && !cache->withdrawn.failed) {
        if (cache->withdrawn.len > 0)
            status = hf_clean_table_filter(&other, is_not_withdrawn, &cache->withdrawn);
        if (status == HF_OK)
            status = hf_clean_table_merge(&cache->table, &other);
        if (other.run > cache->table.run)
            cache->table.run = other.run;
    }
    hf_clean_table_done(&other);
    return status;
}

enum hf_status hf_clean_cache_save(struct hf_clean_cache *cache)
{
    if (!cache->changed)
        return HF_OK;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    lock(cache);
    enum hf_status st = take_others(cache);
    if (st == HF_OK)
        st = hf_clean_table_write(&cache->table, cache->entries_max, cache->key, &out);
    if (st == HF_OK)
        st = replace(cache, TABLE_NAME, NEW_NAME, hf_buffer_view(&out));
    if (st == HF_OK) {
        cache->changed = false;
        if (fstatat(cache->folder, TABLE_NAME, &cache->read_from, AT_SYMLINK_NOFOLLOW) != 0)
            cache->read_from = (struct stat){0};
    }
    int error = errno;
    unlock(cache);
    errno = error;
    return st;
}
