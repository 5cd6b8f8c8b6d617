#include "cli/databases.h"

#include "base/auto.h"
#include "base/fd.h"
#include "cli/db_cache.h"
#include "cli/walk.h"
#include "db/build.h"
#include "db/builtin.h"
#include "db/cvd.h"
#include "db/plan.h"
#include "format/schema.h"
#include "update/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { NOTES_MAX = 10 }; /* bad lines shown; `holdfast db build` shows all */

struct opening {
    struct hf_databases *out;
    const char **text; /* owned array: sources to compile; borrowed paths */
    bool *beside;      /* owned, by source: compiled ones lie in the same folder */
    size_t text_count;
    struct hf_pua pua;
    hf_databases_on_note *on_note;
    void *user;
    struct hf_buffer *error;
    struct hf_site_database published[HF_DB_SEGMENTS_MAX]; /* of publishers; paths owned */
    struct hf_db_place place;                              /* whose segments are taken */
    struct hf_db_place places[HF_DB_SEGMENTS_MAX];         /* of those that were */
    const char *home; /* where publishers' content is; NULL: the usual places */
    bool besides;     /* it is wanted although databases are named */
    uint64_t notes;
};

void hf_databases_done(struct hf_databases *databases)
{
    hf_db_close(databases->db);
    for (size_t i = 0; i < databases->count; i++)
        hf_fd_release(&databases->fds[i]);
    hf_buffer_done(&databases->name);
    *databases = (struct hf_databases){0};
}

static enum hf_status take_segment(struct opening *o, int fd)
{
    if (o->out->count == HF_DB_SEGMENTS_MAX) {
        close(fd);
        hf_buffer_format(o->error, "more than %d compiled databases at once",
                         HF_DB_SEGMENTS_MAX);
        return HF_LIMIT;
    }
    o->places[o->out->count] = o->place;
    o->out->fds[o->out->count++] = fd;
    return HF_OK;
}

static enum hf_status cannot(struct opening *o, enum hf_status st, const char *path)
{
    hf_buffer_format(o->error, "%s: %s", path,
                     st == HF_IO ? strerror(errno) : hf_status_text(st));
    return st;
}

/* Compiled databases below a folder, which may hold text sources too. */
static enum hf_status take_folder(struct opening *o, const char *path)
{
    struct hf_walk_options options = {.follow_symlinks = true};
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(&options);
    struct hf_walk_entry entry;
    if (walk == NULL || hf_walk_begin(walk, hf_bytes_text(path)) != HF_OK)
        return cannot(o, HF_NOMEM, path);
    size_t texts = 0, before = o->out->count;
    for (enum hf_walk_kind kind; (kind = hf_walk_next(walk, &entry)) != HF_WALK_END;) {
        if (kind == HF_WALK_BUSY || kind == HF_WALK_ERROR) {
            errno = kind == HF_WALK_BUSY ? EMFILE : entry.error;
            return cannot(o, HF_IO, (const char *)entry.path.data);
        }
        if (kind != HF_WALK_FILE)
            continue;
        static const char ending[] = ".hfdb";
        size_t n = sizeof ending - 1;
        bool compiled = entry.path.len > n &&
                        memcmp(entry.path.data + entry.path.len - n, ending, n) == 0;
        texts += !compiled;
        if (!compiled)
            close(entry.fd);
        else if (take_segment(o, entry.fd) != HF_OK)
            return HF_LIMIT;
    }
    if (texts > 0) {
        o->beside[o->text_count] = o->out->count > before;
        o->text[o->text_count++] = path;
    }
    return HF_OK;
}

static enum hf_status sort_out(struct opening *o, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return cannot(o, errno == ENOENT ? HF_NOTFOUND : HF_IO, path);
    if (S_ISDIR(st.st_mode))
        return take_folder(o, path);
    uint8_t magic[8];
    size_t got = 0;
    if (S_ISREG(st.st_mode) && hf_fd_read_at(fd, magic, sizeof magic, 0, &got) != HF_OK)
        return cannot(o, HF_IO, path);
    if (got < sizeof magic || memcmp(magic, HF_DB_MAGIC, sizeof magic) != 0) {
        o->text[o->text_count++] = path;
        return HF_OK;
    }
    int segment = fd;
    fd = -1;
    return take_segment(o, segment);
}

static void pass_message(void *user, const char *file, uint64_t line, const char *text)
{
    struct opening *o = user;
    if (o->notes++ >= NOTES_MAX)
        return;
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    if (line > 0)
        hf_buffer_format(&note, "%s:%llu: %s", file, (unsigned long long)line, text);
    else
        hf_buffer_format(&note, "%s: %s", file, text);
    hf_buffer_u8(&note, 0);
    if (!note.failed)
        o->on_note(o->user, true, (const char *)note.data);
}

static void note_unusable_cache(struct opening *o, int error)
{
    char *text = NULL;
    if (asprintf(&text,
                 "the cache cannot be used, signatures are compiled for this run only: %s",
                 strerror(error)) < 0)
        return;
    o->on_note(o->user, false, text);
    free(text);
}

static uint64_t gained(const struct hf_build *build)
{
    struct hf_build_summary summary = hf_build_summary(build);
    return summary.left_out + summary.signatures + summary.allowed + summary.ignored +
           summary.withdrawn;
}

static void note_empty(struct opening *o, size_t source)
{
    char *text = NULL;
    if (asprintf(&text, "%s: no usable text signature in it", o->text[source]) < 0)
        return;
    o->on_note(o->user, !o->beside[source], text);
    free(text);
}

/* Read all text sources. A mistyped list must not look like a list without hits. */
static enum hf_status read_sources(struct opening *o, struct hf_build *build)
{
    if (hf_build_read_pins(build, o->text, o->text_count) != HF_OK)
        return cannot(o, HF_NOMEM, o->text[0]);
    for (size_t i = 0; i < o->text_count; i++) {
        uint64_t before = gained(build);
        enum hf_status st = hf_build_read_path(build, o->text[i]);
        if (st == HF_UNSUPPORTED) {
            hf_buffer_format(
                o->error,
                "%s: neither a compiled database nor text signatures, by its name",
                o->text[i]);
            return st;
        }
        if (st != HF_OK)
            return cannot(o, st, o->text[i]);
        if (gained(build) == before)
            note_empty(o, i);
    }
    if (o->notes > NOTES_MAX)
        o->on_note(o->user, true,
                   "more lines cannot be used; 'holdfast db build' shows all");
    if (gained(build) > 0)
        return HF_OK;
    if (o->out->count == 0)
        hf_buffer_format(o->error, "%s: no usable signature", o->text[0]);
    return HF_NOTFOUND;
}

/* Compile the text sources into the cache, or, where that cannot be written, into memory.
 * cache is its path or NULL. */
static enum hf_status compile(struct opening *o, const char *cache)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(pass_message, o);
    if (build == NULL)
        return cannot(o, HF_NOMEM, o->text[0]);
    hf_build_use_modules(build, hf_fact_modules, hf_fact_module_count);
    hf_build_use_pua(build, &o->pua);
    enum hf_status st = read_sources(o, build);
    if (st == HF_NOTFOUND && o->out->count > 0 && o->error->len == 0)
        return HF_OK; /* the compiled ones are enough */
    if (st != HF_OK)
        return st;
    if (cache != NULL) {
        int fd = -1;
        if (hf_db_cache_prepare(cache) == HF_OK &&
            hf_build_write_file(build, cache) == HF_OK)
            fd = hf_db_cache_open(cache);
        if (fd >= 0)
            return take_segment(o, fd);
        note_unusable_cache(o, errno);
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    st = hf_build_write(build, &image);
    if (st != HF_OK)
        return cannot(o, st, o->text[0]);
    int fd = hf_memfd_of("holdfast-db", hf_buffer_view(&image));
    return fd >= 0 ? take_segment(o, fd) : cannot(o, HF_IO, o->text[0]);
}

/* A cached file whose frame is whole. A damaged one is made again. */
static int open_cached(const char *path)
{
    struct hf_db *db = NULL;
    int fd = hf_db_cache_open(path);
    if (fd < 0 || hf_db_open(&fd, 1, &db) != HF_OK)
        hf_fd_release(&fd);
    hf_db_close(db);
    return fd;
}

static enum hf_status take_group(struct opening *o)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, how = {0};
    hf_buffer_u8(&how, (uint8_t)((o->pua.none ? 1 : 0) | (o->pua.all_but ? 2 : 0)));
    for (size_t i = 0; i < o->pua.count; i++)
        hf_buffer_counted(&how, hf_bytes_text(o->pua.kinds[i]));
    enum hf_status st =
        how.failed ? HF_NOMEM
                   : hf_db_cache_path(o->text, o->text_count, hf_buffer_view(&how), &path);
    if (st == HF_NOMEM)
        return cannot(o, st, o->text[0]);
    const char *cache = st == HF_OK ? (const char *)path.data : NULL;
    int fd = cache != NULL ? open_cached(cache) : -1;
    return fd >= 0 ? take_segment(o, fd) : compile(o, cache);
}

/* ClamAV's large container that changes a few times a year ("main.cvd"). */
static bool is_steady(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return strncmp(name, "main.", 5) == 0 && hf_cvd_kind_of(name) != HF_CVD_NONE;
}

/* Lists of what is ignored speak about all signatures: every group has them. */
static bool is_ignore_list(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && (strcasecmp(dot, ".ign") == 0 || strcasecmp(dot, ".ign2") == 0);
}

/* What hardly ever changes becomes a segment of its own, which stays in the cache when the rest is
 * compiled anew. */
static enum hf_status take_texts(struct opening *o)
{
    const char **all = o->text;
    bool *beside = o->beside;
    size_t count = o->text_count;
    const char **group = calloc(count, sizeof *group);
    bool *group_beside = calloc(count, sizeof *group_beside);
    enum hf_status st =
        group != NULL && group_beside != NULL ? HF_OK : cannot(o, HF_NOMEM, all[0]);
    bool any_steady = false;
    for (size_t i = 0; i < count; i++)
        any_steady = any_steady || is_steady(all[i]);
    for (int steady = 1; steady >= 0 && st == HF_OK; steady--) {
        o->text = group;
        o->beside = group_beside;
        o->text_count = 0;
        for (size_t i = 0; i < count; i++)
            if (is_steady(all[i]) == (steady == 1) ||
                (any_steady && is_ignore_list(all[i]))) {
                group_beside[o->text_count] = beside[i];
                group[o->text_count++] = all[i];
            }
        if (o->text_count > 0)
            st = take_group(o);
    }
    o->text = all;
    o->beside = beside;
    o->text_count = count;
    free((void *)group);
    free(group_beside);
    return st;
}

/* "skipped 12" lines and the number of signatures, from what the segments say of themselves. */
static void count_signatures(struct hf_databases *out)
{
    for (uint32_t i = 0; i < hf_db_segment_count(out->db); i++) {
        uint64_t count = 0;
        (void)hf_db_section(out->db, i, HF_DB_SIGNATURES, &count);
        out->signatures += count;
        struct hf_bytes meta = hf_db_section(out->db, i, HF_DB_META, &count);
        static const char key[] = "\nskipped ";
        for (const uint8_t *at = meta.data, *end = at + meta.len;
             at != NULL &&
             (at = memmem(at, (size_t)(end - at), key, sizeof key - 1)) != NULL;) {
            at += sizeof key - 1;
            uint64_t n = 0;
            while (at < end && *at >= '0' && *at <= '9')
                n = n * 10 + (uint64_t)(*at++ - '0');
            out->skipped += n;
        }
    }
}

static void name_them(struct hf_databases *out, const char *const *paths, size_t count)
{
    if (count == 0)
        hf_buffer_text(&out->name, out->count > 1 ? "built-in and published" : "built-in");
    for (size_t i = 0; i < count; i++)
        hf_buffer_format(&out->name, "%s%s", i > 0 ? ", " : "", paths[i]);
    hf_buffer_u8(&out->name, 0);
}

enum {
    PUBLISHED_MAX = HF_DB_SEGMENTS_MAX,
    KEPT_FREE = 6 /* segments for the owner's own */
};
/* Groups of a plan: the built-in content is a publisher of its own. */
enum { GROUP_BUILTIN = 1, GROUP_PUBLISHERS };

/* What is used when nothing is named: the built-in content, the active generations of the publishers
 * that are trusted, the owner's own. More than there is room for is left out and said: content of
 * one publisher too many must not stop the scan. */
static enum hf_status take_published(struct opening *o)
{
    struct hf_site place = {.config_dir = -1, .content_dir = -1};
    size_t count = 0, used = o->out->count + KEPT_FREE;
    size_t room = used < PUBLISHED_MAX ? PUBLISHED_MAX - used : 1;
    enum hf_status st = HF_OK;
    if (hf_site_look(&place, o->home) == HF_OK)
        st = hf_site_databases(&place, o->published, room, &count);
    hf_site_done(&place);
    if (st == HF_LIMIT) {
        o->on_note(o->user, true,
                   "publishers have more databases than can be used at once: some of their "
                   "content is left out");
        st = HF_OK;
    }
    for (size_t i = 0; i < count && st == HF_OK; i++) {
        const struct hf_site_database *d = &o->published[i];
        o->place = (struct hf_db_place){.group = HF_DB_PLAN_OWNER};
        if (d->publisher > 0) {
            o->place.group = (uint8_t)(GROUP_PUBLISHERS + d->publisher - 1);
            o->place.flags = d->everywhere ? HF_DB_PLAN_EVERYWHERE : 0;
        }
        st = sort_out(o, d->path);
    }
    o->place = (struct hf_db_place){.group = HF_DB_PLAN_OWNER};
    return st;
}

static enum hf_status take_builtin(struct opening *o)
{
    int fd = hf_memfd_of("holdfast-content", hf_db_builtin());
    o->place.group = GROUP_BUILTIN;
    enum hf_status st =
        fd >= 0 ? take_segment(o, fd) : cannot(o, HF_IO, "built-in content");
    o->place.group = HF_DB_PLAN_OWNER;
    return st;
}

static enum hf_status take_all(struct opening *o, const char *const *paths, size_t count)
{
    enum hf_status st = count == 0 ? take_builtin(o) : HF_OK;
    for (size_t i = 0; i < count && st == HF_OK; i++)
        st = sort_out(o, paths[i]);
    if (st == HF_OK && (count == 0 || o->besides))
        st = take_published(o);
    if (st != HF_OK)
        return st;
    return o->text_count > 0 ? take_texts(o) : HF_OK;
}

/* Say beside the segments whose they are, unless all are the owner's. */
static enum hf_status add_plan(struct opening *o)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer plan = {0};
    struct hf_databases *out = o->out;
    bool all_own = true;
    for (size_t i = 0; i < out->count; i++)
        all_own = all_own && o->places[i].group == HF_DB_PLAN_OWNER;
    if (all_own)
        return HF_OK;
    hf_db_plan_write(&plan, o->places, out->count);
    int fd = plan.failed ? -1 : hf_memfd_of("holdfast-plan", hf_buffer_view(&plan));
    if (fd < 0)
        return cannot(o, HF_IO, "whose signatures are whose");
    out->fds[out->count++] = fd;
    return HF_OK;
}

static enum hf_status open_all(struct opening *start, const char *const *paths,
                               size_t count)
{
    struct opening o = *start;
    struct hf_databases *out = o.out;
    struct hf_buffer *error = o.error;
    *out = (struct hf_databases){0};
    o.text = calloc(count + PUBLISHED_MAX + 1, sizeof *o.text);
    o.beside = calloc(count + PUBLISHED_MAX + 1, sizeof *o.beside);
    enum hf_status st = o.text != NULL && o.beside != NULL
                            ? take_all(&o, paths, count)
                            : cannot(&o, HF_NOMEM, "database");
    free((void *)o.text);
    free(o.beside);
    for (size_t i = 0; i < PUBLISHED_MAX; i++)
        free(o.published[i].path);
    if (st != HF_OK)
        return st;
    name_them(out, paths, count);
    const char *name = out->name.failed ? "database" : (const char *)out->name.data;
    if (out->count == 0) {
        hf_buffer_format(error, "%s: no signatures in it", name);
        return HF_NOTFOUND;
    }
    st = add_plan(&o);
    if (st != HF_OK)
        return st;
    st = hf_db_open(out->fds, out->count, &out->db);
    if (st == HF_MALFORMED)
        hf_buffer_format(error, "%s: not a Holdfast database, or damaged", name);
    else if (st == HF_UNSUPPORTED)
        hf_buffer_format(error, "%s: made by another version; build it again", name);
    else if (st != HF_OK)
        return cannot(&o, st, name);
    if (st == HF_OK)
        count_signatures(out);
    return st;
}

enum hf_status hf_databases_open(struct hf_databases *out, const char *const *paths,
                                 size_t count, hf_databases_on_note *on_note, void *user,
                                 struct hf_buffer *error)
{
    return hf_databases_open_pua(out, paths, count, &(struct hf_pua){0}, on_note, user,
                                 error);
}

enum hf_status hf_databases_open_pua(struct hf_databases *out, const char *const *paths,
                                     size_t count, const struct hf_pua *pua,
                                     hf_databases_on_note *on_note, void *user,
                                     struct hf_buffer *error)
{
    struct opening o = {
        .out = out, .pua = *pua, .on_note = on_note, .user = user, .error = error};
    return open_all(&o, paths, count);
}

enum hf_status hf_databases_open_published(struct hf_databases *out,
                                           const char *const *paths, size_t count,
                                           const struct hf_pua *pua, const char *home,
                                           hf_databases_on_note *on_note, void *user,
                                           struct hf_buffer *error)
{
    struct opening o = {.out = out,
                        .pua = *pua,
                        .on_note = on_note,
                        .user = user,
                        .error = error,
                        .home = home,
                        .besides = true};
    return open_all(&o, paths, count);
}
