#include "update/generation.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "update/selftest.h"
#include "update/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOCAL_MAX = HF_STATE_GENERATIONS_MAX * HF_MANIFEST_FILES_MAX,
    SEGMENTS_MAX = HF_RELEASE_DATABASES_MAX + 1
};
enum { CHECK_TIMEOUT_MS = 300 * 1000 };
#define SELFTEST_MEMORY (UINT64_C(1) << 30)
#define SELFTEST_MS     UINT64_C(20000)

/* A file of a generation that is there already. */
struct local {
    char path[200];
    uint64_t size;
    struct hf_hash hash;
};

struct making {
    const struct hf_generation_job *job;
    struct hf_merkle merkle;
    struct hf_manifest manifest;
    struct local *locals;
    size_t local_count;
    struct hf_buffer dir; /* "gen/new-HASH" with its terminator */
    int dir_fd;
};

bool hf_generation_is_fault(enum hf_refusal r)
{
    return r >= HF_REFUSE_CONTENT_FORM && r <= HF_REFUSE_TEST_MEMORY;
}

static enum hf_refusal disk(struct making *m, const char *what)
{
    hf_buffer_format(m->job->why, "%s: %s", what, strerror(errno));
    return HF_REFUSE_DISK;
}

/* The manifest of a signed text; our own or just proven, so only its form is looked at. */
static enum hf_refusal read_manifest(struct hf_bytes bytes, struct hf_arena *arena,
                                     struct hf_manifest *manifest)
{
    struct hf_signed_note note;
    struct hf_bytes copy = hf_arena_copy(arena, bytes);
    if (copy.data == NULL)
        return HF_REFUSE_NOMEM;
    struct hf_cursor c = hf_cursor_open(copy.data, copy.len, NULL);
    enum hf_refusal r = hf_note_read(&c, arena, &note);
    return r == HF_ACCEPTED ? hf_manifest_read(note.text, NULL, manifest) : r;
}

/* What the generations say that they have. It is checked by hash when it is used. */
static void find_locals(struct making *m)
{
    const struct hf_state *s = &m->job->endpoint->state;
    for (size_t g = 0; g < s->generation_count; g++) {
        HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(2 << 20);
        HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, bytes = {0};
        struct hf_manifest old;
        hf_generation_path(&path, &s->generations[g].manifest, "release");
        if (arena == NULL || path.failed ||
            hf_file_read(m->job->endpoint->feed_dir, (const char *)path.data,
                         HF_NOTE_FETCH_MAX, &bytes) != HF_OK ||
            read_manifest(hf_buffer_view(&bytes), arena, &old) != HF_ACCEPTED)
            continue;
        for (size_t i = 0; i < old.file_count && m->local_count < LOCAL_MAX; i++) {
            struct local *l = &m->locals[m->local_count];
            path.len -= sizeof "release";
            hf_buffer_bytes(&path, old.files[i].name);
            hf_buffer_u8(&path, 0);
            l->size = old.files[i].size;
            l->hash = old.files[i].hash;
            if (!path.failed && path.len <= sizeof l->path) {
                memcpy(l->path, path.data, path.len);
                m->local_count++;
            }
            path.len -= old.files[i].name.len + 1;
            hf_buffer_text(&path, "release");
            hf_buffer_u8(&path, 0);
        }
    }
}

static const struct local *find_local(const struct making *m, const struct hf_hash *hash)
{
    for (size_t i = 0; i < m->local_count; i++)
        if (hf_hash_equal(&m->locals[i].hash, hash))
            return &m->locals[i];
    return NULL;
}

/* Whether a file is what the manifest says, byte for byte. */
static enum hf_refusal check_file(struct making *m, int fd, uint64_t size,
                                  const struct hf_hash *hash)
{
    struct hf_map map = {0};
    struct hf_hash is = {0};
    struct stat st;
    if (fstat(fd, &st) != 0 || (uint64_t)st.st_size != size)
        return HF_REFUSE_OBJECT_SIZE;
    if (size > 0 && hf_map_open(fd, &map) != HF_OK)
        return HF_REFUSE_NOMEM;
    bool good = hf_hash_of(&m->merkle, hf_bytes_of(map.data, map.len), &is);
    hf_map_release(&map);
    if (!good)
        return HF_REFUSE_CRYPTO;
    return hf_hash_equal(&is, hash) ? HF_ACCEPTED : HF_REFUSE_OBJECT_HASH;
}

/* An object into partial/HASH, going on where it stopped; checked; *fd is open for reading. */
static enum hf_refusal get_object(struct making *m, const struct hf_hash *hash,
                                  uint64_t size, int *fd)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer part = {0}, path = {0};
    int feed = m->job->endpoint->feed_dir;
    hf_buffer_text(&part, "partial/");
    hf_put_hash(&part, hash);
    hf_buffer_u8(&part, 0);
    hf_object_path(&path, hash);
    hf_buffer_u8(&path, 0);
    if (part.failed || path.failed)
        return HF_REFUSE_NOMEM;
    if (hf_file_make_parents(feed, (const char *)part.data) != HF_OK)
        return disk(m, "partial");
    for (unsigned try = 0;; try++) {
        *fd = openat(feed, (const char *)part.data,
                     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_APPEND, 0600);
        if (*fd < 0)
            return disk(m, "partial");
        off_t had = lseek(*fd, 0, SEEK_END);
        enum hf_refusal r =
            hf_source_resume(m->job->source, (const char *)path.data, size, *fd);
        if (r == HF_ACCEPTED)
            r = check_file(m, *fd, size, hash);
        if (r == HF_ACCEPTED)
            return r;
        hf_fd_release(fd);
        bool wrong = r == HF_REFUSE_OBJECT_HASH || r == HF_REFUSE_OBJECT_SIZE ||
                     r == HF_REFUSE_DISK || r == HF_REFUSE_FETCH_LONG;
        if (wrong) /* what lies there is of no use, and must not be in the way */
            (void)unlinkat(feed, (const char *)part.data, 0);
        /* A beginning from another day or mirror may have been the wrong one. */
        if (!wrong || had <= 0 || try > 0)
            return r;
    }
}

static void drop_object(struct making *m, const struct hf_hash *hash)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer part = {0};
    hf_buffer_text(&part, "partial/");
    hf_put_hash(&part, hash);
    hf_buffer_u8(&part, 0);
    if (!part.failed)
        (void)unlinkat(m->job->endpoint->feed_dir, (const char *)part.data, 0);
}

static int new_file(struct making *m, const char *name)
{
    (void)unlinkat(m->dir_fd, name, 0);
    return openat(m->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
}

/* Room first: a full disk must not become a fault in the middle of a mapping. */
static bool make_room(int fd, uint64_t size)
{
    return size == 0 || posix_fallocate(fd, 0, (off_t)size) == 0;
}

static enum hf_refusal run_rebuild(struct making *m, const struct hf_manifest_file *file,
                                   int object, int base, int out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    uint64_t length;
    int fds[2] = {object, base};
    hf_buffer_format(&line, "rebuild %" PRIu64, file->size);
    if (!make_room(out, file->size)) {
        errno = ENOSPC;
        return disk(m, "a file of the release");
    }
    struct hf_jailed_call call = {.line = &line,
                                  .fds = fds,
                                  .fd_count = base >= 0 ? 2 : 1,
                                  .spool = out,
                                  .file_max = file->size,
                                  .timeout_ms = CHECK_TIMEOUT_MS};
    enum hf_refusal r = hf_jailed_run(&call, &length, m->job->why);
    if (r == HF_ACCEPTED)
        r = check_file(m, out, file->size, &file->hash);
    if (r == HF_ACCEPTED && fsync(out) != 0)
        r = disk(m, "a file of the release");
    return r;
}

static enum hf_refusal use_delta(struct making *m, const struct hf_manifest_delta *delta,
                                 const struct local *from, const char *name)
{
    const struct hf_manifest_file *file = &m->manifest.files[delta->file];
    HF_AUTO(hf_fd_release) int object = -1;
    HF_AUTO(hf_fd_release) int base = -1;
    HF_AUTO(hf_fd_release) int out = -1;
    if (from != NULL) {
        base = hf_file_open(m->job->endpoint->feed_dir, from->path);
        if (base < 0 || check_file(m, base, from->size, &from->hash) != HF_ACCEPTED)
            return HF_REFUSE_DELTA_FORM; /* ours is damaged: another way must do */
    }
    enum hf_refusal r = get_object(m, &delta->hash, delta->size, &object);
    if (r != HF_ACCEPTED)
        return r;
    out = new_file(m, name);
    r = out < 0 ? disk(m, name) : run_rebuild(m, file, object, base, out);
    drop_object(m, &delta->hash);
    return r;
}

/* The object as it is: it becomes the file by a link, or by a copy. */
static enum hf_refusal use_whole(struct making *m, const struct hf_manifest_file *file,
                                 const char *name)
{
    HF_AUTO(hf_fd_release) int object = -1;
    HF_AUTO(hf_buffer_done) struct hf_buffer part = {0};
    enum hf_refusal r = get_object(m, &file->hash, file->size, &object);
    if (r != HF_ACCEPTED)
        return r;
    hf_buffer_text(&part, "partial/");
    hf_put_hash(&part, &file->hash);
    hf_buffer_u8(&part, 0);
    if (part.failed)
        return HF_REFUSE_NOMEM;
    if (fchmod(object, 0644) != 0 || fsync(object) != 0 ||
        renameat(m->job->endpoint->feed_dir, (const char *)part.data, m->dir_fd, name) != 0)
        return disk(m, name);
    return HF_ACCEPTED;
}

static enum hf_refusal use_local(struct making *m, const struct local *local,
                                 const char *name)
{
    HF_AUTO(hf_fd_release) int fd = hf_file_open(m->job->endpoint->feed_dir, local->path);
    if (fd < 0 || check_file(m, fd, local->size, &local->hash) != HF_ACCEPTED)
        return HF_REFUSE_OBJECT_HASH;
    (void)unlinkat(m->dir_fd, name, 0);
    return linkat(m->job->endpoint->feed_dir, local->path, m->dir_fd, name, 0) == 0
               ? HF_ACCEPTED
               : disk(m, name);
}

/* The smallest delta that can be used, and is smaller than the file. Tried ones are marked. */
static const struct hf_manifest_delta *next_delta(const struct making *m, size_t file,
                                                  bool *tried, const struct local **from)
{
    static const struct hf_hash nothing;
    const struct hf_manifest_delta *best = NULL;
    for (size_t i = 0; i < m->manifest.delta_count; i++) {
        const struct hf_manifest_delta *d = &m->manifest.deltas[i];
        bool whole = hf_hash_equal(&d->from, &nothing);
        const struct local *local = whole ? NULL : find_local(m, &d->from);
        if (d->file != file || tried[i] || (!whole && local == NULL) ||
            d->size >= m->manifest.files[file].size ||
            (best != NULL && d->size >= best->size))
            continue;
        best = d;
        *from = local;
    }
    if (best != NULL)
        tried[best - m->manifest.deltas] = true;
    return best;
}

/* One file of the release by the cheapest way that works. */
static enum hf_refusal get_file(struct making *m, size_t number)
{
    const struct hf_manifest_file *file = &m->manifest.files[number];
    bool tried[HF_MANIFEST_DELTAS_MAX] = {0};
    const struct local *from = NULL;
    char name[HF_FILE_NAME_MAX + 1] = {0};
    memcpy(name, file->name.data, file->name.len);
    const struct local *same = find_local(m, &file->hash);
    if (same != NULL && use_local(m, same, name) == HF_ACCEPTED)
        return HF_ACCEPTED;
    enum hf_refusal first = HF_ACCEPTED;
    for (const struct hf_manifest_delta *d;
         (d = next_delta(m, number, tried, &from)) != NULL;) {
        enum hf_refusal r = use_delta(m, d, from, name);
        if (r == HF_ACCEPTED || r == HF_REFUSE_DISK || r == HF_REFUSE_NOMEM)
            return r;
        if (first == HF_ACCEPTED)
            first = r;
    }
    enum hf_refusal r = use_whole(m, file, name);
    /* When nothing works, what was wrong with the delta says more than "not found". */
    return r == HF_REFUSE_FETCH && first != HF_ACCEPTED ? first : r;
}

static bool is_database(const struct hf_manifest_file *file)
{
    static const char ending[] = ".hfdb";
    size_t n = sizeof ending - 1;
    return file->name.len > n &&
           memcmp(file->name.data + file->name.len - n, ending, n) == 0;
}

static enum hf_refusal validate(struct making *m, int fd)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    uint64_t length;
    hf_buffer_text(&line, "validate ");
    for (size_t i = 0; i < m->manifest.capability_count; i++) {
        hf_buffer_bytes(&line, m->manifest.capabilities[i]);
        hf_buffer_u8(&line, ' ');
    }
    struct hf_jailed_call call = {.line = &line,
                                  .fds = &fd,
                                  .fd_count = 1,
                                  .spool = -1,
                                  .file_max = 0,
                                  .timeout_ms = CHECK_TIMEOUT_MS};
    enum hf_refusal r = hf_jailed_run(&call, &length, m->job->why);
    /* Content that kills or hangs the process that looks at it is bad content. */
    return r == HF_REFUSE_JAIL ? HF_REFUSE_CONTENT_FORM : r;
}

static enum hf_refusal try_content(struct making *m)
{
    const struct hf_generation_job *job = m->job;
    int fds[SEGMENTS_MAX];
    size_t count = 0;
    enum hf_refusal r = HF_ACCEPTED;
    if (job->builtin.len > 0) {
        fds[0] = hf_memfd_of("builtin", job->builtin);
        if (fds[0] < 0)
            return HF_REFUSE_NOMEM;
        count = 1;
    }
    size_t own = count;
    for (size_t i = 0; r == HF_ACCEPTED && i < m->manifest.file_count; i++) {
        char name[HF_FILE_NAME_MAX + 1] = {0};
        memcpy(name, m->manifest.files[i].name.data, m->manifest.files[i].name.len);
        if (!is_database(&m->manifest.files[i]))
            continue;
        if (count - own == HF_RELEASE_DATABASES_MAX) {
            hf_buffer_text(job->why, "too many databases in one release");
            r = HF_REFUSE_CONTENT_FORM;
            break;
        }
        fds[count] = openat(m->dir_fd, name, O_RDONLY | O_CLOEXEC);
        if (fds[count] < 0)
            r = disk(m, name);
        else if (!job->without_validator)
            r = validate(m, fds[count]);
        count += fds[count] >= 0;
    }
    struct hf_selftest_options test = {
        .db_fds = fds,
        .db_count = count,
        .memory = job->selftest_memory != 0 ? job->selftest_memory : SELFTEST_MEMORY,
        .time_ms = job->selftest_ms != 0 ? job->selftest_ms : SELFTEST_MS};
    if (r == HF_ACCEPTED && count > own && !job->without_selftest)
        r = hf_selftest_run(&test, job->why);
    for (size_t i = 0; i < count; i++)
        hf_fd_release(&fds[i]);
    return r;
}

static enum hf_refusal make_files(struct making *m)
{
    uint64_t all = 0;
    for (size_t i = 0; i < m->manifest.file_count; i++)
        all += m->manifest.files[i].size; /* 64 times 2^40 at most */
    if (all > m->job->endpoint->settings.largest) {
        hf_buffer_format(m->job->why, "%" PRIu64 " bytes in all", all);
        return HF_REFUSE_FETCH_LONG;
    }
    find_locals(m);
    enum hf_refusal r = HF_ACCEPTED;
    for (size_t i = 0; r == HF_ACCEPTED && i < m->manifest.file_count; i++)
        r = get_file(m, i);
    if (r == HF_ACCEPTED)
        r = try_content(m);
    if (r == HF_ACCEPTED &&
        (hf_file_replace(m->dir_fd, "release", m->job->note, 0644) != HF_OK ||
         hf_file_replace(m->dir_fd, "proof", m->job->proof, 0644) != HF_OK ||
         fsync(m->dir_fd) != 0))
        r = disk(m, "release");
    return r;
}

/* The finished folder gets its name. One of that name is of no state: it is replaced. */
static enum hf_refusal name_it(struct making *m)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer to = {0};
    int feed = m->job->endpoint->feed_dir;
    hf_generation_path(&to, &m->job->release->manifest, NULL);
    if (to.failed)
        return HF_REFUSE_NOMEM;
    if (hf_file_remove_all(feed, (const char *)to.data) != HF_OK ||
        renameat(feed, (const char *)m->dir.data, feed, (const char *)to.data) != 0 ||
        hf_file_sync_parent(feed, (const char *)to.data) != HF_OK)
        return disk(m, "gen");
    return HF_ACCEPTED;
}

enum hf_refusal hf_generation_make(const struct hf_generation_job *job)
{
    struct making *m = calloc(1, sizeof *m);
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(2 << 20);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    if (m == NULL || arena == NULL || hasher == NULL) {
        free(m);
        return HF_REFUSE_NOMEM;
    }
    m->job = job;
    m->merkle.hasher = hasher;
    m->dir_fd = -1;
    m->locals = calloc(LOCAL_MAX, sizeof *m->locals);
    hf_buffer_text(&m->dir, "gen/new/");
    hf_buffer_u8(&m->dir, 0);
    enum hf_refusal r = m->locals == NULL || m->dir.failed
                            ? HF_REFUSE_NOMEM
                            : read_manifest(job->note, arena, &m->manifest);
    int feed = job->endpoint->feed_dir;
    if (r == HF_ACCEPTED &&
        (hf_file_remove_all(feed, "gen/new") != HF_OK ||
         hf_file_make_parents(feed, (const char *)m->dir.data) != HF_OK))
        r = disk(m, "gen");
    if (r == HF_ACCEPTED) {
        m->dir_fd = openat(feed, "gen/new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = m->dir_fd < 0 ? disk(m, "gen/new") : make_files(m);
    }
    if (r == HF_ACCEPTED)
        r = name_it(m);
    if (r != HF_ACCEPTED)
        (void)!hf_file_remove_all(feed, "gen/new");
    hf_fd_release(&m->dir_fd);
    hf_buffer_done(&m->dir);
    free(m->locals);
    free(m);
    return r;
}
