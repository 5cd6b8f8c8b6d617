/* feed_copy.c - `holdfast feed mirror`, `export`, `import`: feeds from place to place. A mirror may be
 * anybody's: what it serves is proven by those who use it, so copying needs no trust and no keys. */
#include "cli/feed_tools.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "feed/tile.h"
#include "update/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RELEASES };
static const struct hf_option copy_options[] = {
    [RELEASES] =
        {0, "releases", HF_OPTION_NUMBER, "N",
         "with the objects of this many newest releases of a channel (default: 3)"},
};

static int run_mirror(const struct hf_arguments *arguments);
static int run_export(const struct hf_arguments *arguments);

const struct hf_command hf_command_feed_mirror = {
    .name = "mirror",
    .operands = "[OPTION]... SOURCE FEED",
    .summary = "copy a feed into a folder, or bring the copy up to date",
    .details =
        "SOURCE is an address, a folder or a bundle. Copies everything that endpoints need;\n"
        "the checkpoint comes last, so that the copy is whole at any moment.",
    .options = copy_options,
    .option_count = sizeof copy_options / sizeof *copy_options,
    .operands_min = 2,
    .operands_max = 2,
    .complete = HF_COMPLETE_FILE,
    .run = run_mirror,
};

const struct hf_command hf_command_feed_export = {
    .name = "export",
    .operands = "[OPTION]... SOURCE BUNDLE",
    .summary = "put a feed into one file, for machines without a network",
    .details = "There: holdfast update --from BUNDLE.",
    .options = copy_options,
    .option_count = sizeof copy_options / sizeof *copy_options,
    .operands_min = 2,
    .operands_max = 2,
    .complete = HF_COMPLETE_FILE,
    .run = run_export,
};

const struct hf_command hf_command_feed_import = {
    .name = "import",
    .operands = "[OPTION]... BUNDLE FEED",
    .summary = "unpack a bundle into a folder that endpoints can use",
    .options = copy_options,
    .option_count = sizeof copy_options / sizeof *copy_options,
    .operands_min = 2,
    .operands_max = 2,
    .complete = HF_COMPLETE_FILE,
    .run = run_mirror,
};

struct copying {
    const struct hf_arguments *arguments;
    struct hf_source source;
    struct hf_feed_source from;
    struct hf_feed_folder folder; /* to */
    struct hf_feed_store store;
    struct hf_merkle merkle;
    struct hf_arena *arena;
    uint64_t size;     /* of the log */
    uint64_t releases; /* whose objects are copied */
    struct hf_buffer checkpoint;
    uint64_t copied;
};

static bool is_there(struct copying *c, const char *path)
{
    struct stat st;
    return fstatat(c->folder.dir, path, &st, 0) == 0;
}

static enum hf_refusal copy_small(struct copying *c, const char *path, size_t max)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    if (is_there(c, path))
        return HF_ACCEPTED;
    enum hf_refusal r = c->from.get(c->from.user, path, max, &bytes);
    c->copied += r == HF_ACCEPTED;
    return r == HF_ACCEPTED ? c->store.put(c->store.user, path, hf_buffer_view(&bytes)) : r;
}

static enum hf_refusal copy_object(struct copying *c, uint64_t size,
                                   const struct hf_hash *hash)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, part = {0};
    struct hf_map map = {0};
    struct hf_hash is = {0};
    hf_object_path(&path, hash);
    hf_buffer_u8(&path, 0);
    hf_buffer_format(&part, ".part-");
    hf_put_hash(&part, hash);
    hf_buffer_u8(&part, 0);
    if (path.failed || part.failed)
        return HF_REFUSE_NOMEM;
    if (is_there(c, (const char *)path.data))
        return HF_ACCEPTED;
    HF_AUTO(hf_fd_release)
    int fd = openat(c->folder.dir, (const char *)part.data,
                    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return HF_REFUSE_DISK;
    enum hf_refusal r = hf_source_resume(&c->source, (const char *)path.data, size, fd);
    if (r == HF_ACCEPTED && (hf_map_open(fd, &map) != HF_OK ||
                             !hf_hash_of(&c->merkle, hf_bytes_of(map.data, map.len), &is)))
        r = HF_REFUSE_NOMEM;
    hf_map_release(&map);
    if (r == HF_ACCEPTED && !hf_hash_equal(&is, hash)) {
        (void)unlinkat(c->folder.dir, (const char *)part.data, 0);
        return HF_REFUSE_OBJECT_HASH;
    }
    if (r == HF_ACCEPTED &&
        (fsync(fd) != 0 ||
         hf_file_make_parents(c->folder.dir, (const char *)path.data) != HF_OK ||
         renameat(c->folder.dir, (const char *)part.data, c->folder.dir,
                  (const char *)path.data) != 0))
        r = HF_REFUSE_DISK;
    c->copied += r == HF_ACCEPTED;
    return r;
}

static enum hf_refusal copy_roots(struct copying *c)
{
    for (uint64_t version = 1;; version++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
        hf_root_path(&path, version);
        hf_buffer_u8(&path, 0);
        enum hf_refusal r = path.failed
                                ? HF_REFUSE_NOMEM
                                : copy_small(c, (const char *)path.data, HF_NOTE_FETCH_MAX);
        if (r == HF_REFUSE_FETCH && version > 1)
            return HF_ACCEPTED;
        if (r != HF_ACCEPTED)
            return r;
    }
}

static enum hf_refusal copy_tile(struct copying *c, struct hf_tile which)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    enum hf_refusal r = hf_tile_path_write(&path, &which);
    hf_buffer_u8(&path, 0);
    if (r != HF_ACCEPTED || path.failed)
        return HF_REFUSE_NOMEM;
    return copy_small(c, (const char *)path.data,
                      which.entries ? HF_BUNDLE_BYTES_MAX : HF_TILE_WIDTH * HF_HASH_BYTES);
}

static enum hf_refusal copy_log(struct copying *c)
{
    for (unsigned level = 0; level < 8; level++)
        for (uint64_t index = 0;; index++) {
            struct hf_tile which = {.level = (uint8_t)level, .index = index};
            which.width = (uint16_t)hf_tile_width(c->size, level, index);
            if (which.width == 0)
                break;
            enum hf_refusal r = copy_tile(c, which);
            which.entries = level == 0;
            if (r == HF_ACCEPTED && level == 0)
                r = copy_tile(c, which);
            if (r != HF_ACCEPTED)
                return r;
        }
    return HF_ACCEPTED;
}

/* Releases are met from the newest on. */
struct met {
    struct hf_bytes channel;
    uint64_t count;
};
enum { CHANNELS_MAX = 16 };

static enum hf_refusal copy_release(struct copying *c, const struct hf_entry *e,
                                    struct met *met)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, bytes = {0};
    struct hf_signed_note note;
    struct hf_manifest m;
    hf_release_path(&path, &e->hash);
    hf_buffer_u8(&path, 0);
    enum hf_refusal r = path.failed
                            ? HF_REFUSE_NOMEM
                            : copy_small(c, (const char *)path.data, HF_NOTE_FETCH_MAX);
    if (r != HF_ACCEPTED || met->count++ >= c->releases)
        return r;
    r = c->store.read.get(c->store.read.user, (const char *)path.data, HF_NOTE_FETCH_MAX,
                          &bytes);
    struct hf_arena_mark mark = hf_arena_mark(c->arena);
    struct hf_cursor cursor = hf_cursor_open(bytes.data, bytes.len, NULL);
    if (r == HF_ACCEPTED)
        r = hf_note_read(&cursor, c->arena, &note);
    if (r == HF_ACCEPTED)
        r = hf_manifest_read(note.text, NULL, &m);
    for (size_t i = 0; r == HF_ACCEPTED && i < m.file_count; i++)
        r = copy_object(c, m.files[i].size, &m.files[i].hash);
    for (size_t i = 0; r == HF_ACCEPTED && i < m.delta_count; i++)
        r = copy_object(c, m.deltas[i].size, &m.deltas[i].hash);
    hf_arena_rewind(c->arena, mark);
    return r;
}

struct entries {
    struct hf_bytes *list;
    size_t count;
    struct hf_arena *arena;
};

static enum hf_refusal keep_entry(void *user, uint64_t index, struct hf_bytes entry)
{
    struct entries *all = user;
    (void)index;
    all->list = hf_arena_grow(all->arena, all->list, all->count, sizeof *all->list);
    if (all->list == NULL)
        return HF_REFUSE_NOMEM;
    all->list[all->count] = hf_arena_copy(all->arena, entry);
    return all->list[all->count++].data == NULL ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

static enum hf_refusal copy_releases(struct copying *c)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)512 << 20);
    struct entries all = {.arena = arena};
    struct met met[CHANNELS_MAX] = {0};
    if (arena == NULL)
        return HF_REFUSE_NOMEM;
    /* The log's files are copied already; its checkpoint is not there yet. */
    enum hf_refusal r = HF_ACCEPTED;
    for (uint64_t at = 0; r == HF_ACCEPTED && at < c->size; at += HF_TILE_WIDTH) {
        HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, bytes = {0};
        struct hf_tile which = {.entries = true, .index = at / HF_TILE_WIDTH};
        which.width = (uint16_t)hf_tile_width(c->size, 0, which.index);
        r = hf_tile_path_write(&path, &which);
        hf_buffer_u8(&path, 0);
        if (r == HF_ACCEPTED)
            r = c->store.read.get(c->store.read.user, (const char *)path.data,
                                  HF_BUNDLE_BYTES_MAX, &bytes);
        struct hf_cursor cursor = hf_cursor_open(bytes.data, bytes.len, NULL);
        while (r == HF_ACCEPTED && hf_cursor_left(&cursor) > 0) {
            struct hf_bytes entry;
            r = hf_bundle_next(&cursor, &entry);
            if (r == HF_ACCEPTED)
                r = keep_entry(&all, 0, entry);
        }
    }
    for (size_t i = all.count; r == HF_ACCEPTED && i > 0; i--) {
        struct hf_entry e;
        size_t k = 0;
        if (hf_entry_read(all.list[i - 1], &e) != HF_ACCEPTED ||
            hf_bytes_equal(e.channel, hf_bytes_text("root")))
            continue;
        while (k < CHANNELS_MAX - 1 && met[k].channel.len > 0 &&
               !hf_bytes_equal(met[k].channel, e.channel))
            k++;
        met[k].channel = e.channel;
        /* Old ones may be gone at the source; endpoints do not miss them. */
        r = copy_release(c, &e, &met[k]);
        if (r == HF_REFUSE_FETCH && met[k].count > 1)
            r = HF_ACCEPTED;
    }
    return r;
}

static enum hf_refusal read_checkpoint(struct copying *c)
{
    struct hf_signed_note note;
    struct hf_checkpoint cp;
    enum hf_refusal r =
        c->from.get(c->from.user, "checkpoint", HF_NOTE_FETCH_MAX, &c->checkpoint);
    struct hf_cursor cursor = hf_cursor_open(c->checkpoint.data, c->checkpoint.len, NULL);
    if (r == HF_ACCEPTED)
        r = hf_note_read(&cursor, c->arena, &note);
    if (r == HF_ACCEPTED)
        r = hf_checkpoint_read(&c->merkle, note.text, &cp);
    if (r == HF_ACCEPTED)
        c->size = cp.size;
    return r;
}

static enum hf_refusal copy_all(struct copying *c)
{
    enum hf_refusal r = read_checkpoint(c);
    if (r == HF_ACCEPTED)
        r = copy_roots(c);
    if (r == HF_ACCEPTED)
        r = copy_log(c);
    if (r == HF_ACCEPTED)
        r = copy_releases(c);
    return r == HF_ACCEPTED
               ? c->store.put(c->store.user, "checkpoint", hf_buffer_view(&c->checkpoint))
               : r;
}

static int copy(const struct hf_arguments *arguments, const char *to)
{
    struct copying c = {.arguments = arguments, .folder = {.dir = -1}};
    struct hf_settings settings = {.largest = (uint64_t)8 << 30};
    const struct hf_option_value *v = arguments->values;
    c.releases = v[RELEASES].count > 0 ? v[RELEASES].number : 3;
    c.arena = hf_arena_new(8 << 20);
    c.merkle.hasher = hf_hasher_new();
    enum hf_refusal r =
        hf_source_open(&c.source, hf_bytes_text(arguments->operands[0]), &settings);
    if (c.arena == NULL || c.merkle.hasher == NULL)
        r = HF_REFUSE_NOMEM;
    bool opened = r == HF_ACCEPTED && hf_feed_open(arguments, to, true, &c.folder);
    if (opened) {
        c.from = hf_source_as_feed(&c.source);
        c.store = hf_feed_folder_store(&c.folder);
        r = copy_all(&c);
    }
    if (r != HF_ACCEPTED)
        (void)hf_feed_refuse(arguments, arguments->operands[0], r);
    hf_source_done(&c.source);
    hf_fd_release(&c.folder.dir);
    hf_buffer_done(&c.checkpoint);
    hf_hasher_free(c.merkle.hasher);
    hf_arena_free(c.arena);
    return opened && r == HF_ACCEPTED ? HF_EXIT_OK : HF_EXIT_ERROR;
}

static int run_mirror(const struct hf_arguments *arguments)
{
    return copy(arguments, arguments->operands[1]);
}

static int run_export(const struct hf_arguments *arguments)
{
    const char *path = arguments->operands[1];
    char *aside = NULL;
    if (asprintf(&aside, "%s.partXXXXXX", path) < 0 || mkdtemp(aside) == NULL) {
        hf_complain(arguments, "%s: %s", path, strerror(errno));
        free(aside);
        return HF_EXIT_ERROR;
    }
    int code = copy(arguments, aside);
    if (code == HF_EXIT_OK) {
        HF_AUTO(hf_fd_release) int dir = open(aside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        HF_AUTO(hf_fd_release)
        int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (dir < 0 || out < 0 || hf_feed_bundle(dir, out) != HF_OK || fsync(out) != 0) {
            hf_complain(arguments, "%s: %s", path, strerror(errno));
            code = HF_EXIT_ERROR;
        }
    }
    (void)!hf_file_remove_all(AT_FDCWD, aside);
    free(aside);
    return code;
}
