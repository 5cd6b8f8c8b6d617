#include "update/site.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/paths.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static enum hf_status open_dir(char *path, int *dir)
{
    struct stat was;
    bool there = stat(path, &was) == 0;
    enum hf_status st = hf_path_make(path);
    if (st != HF_OK)
        return st;
    /* Root's trust and content are for all who scan; nothing in them is a secret. */
    if (!there && geteuid() == 0)
        (void)!chmod(path, 0755);
    *dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *dir >= 0 ? HF_OK : HF_IO;
}

static enum hf_status name_folders(struct hf_site *place, const char *home)
{
    *place = (struct hf_site){.config_dir = -1, .content_dir = -1};
    if (home == NULL) {
        place->config = hf_path_dir(HF_PATH_CONFIG);
        place->content = hf_path_dir(HF_PATH_CONTENT);
    } else if (asprintf(&place->config, "%s/config", home) < 0 ||
               asprintf(&place->content, "%s/content", home) < 0) {
        return HF_NOMEM;
    }
    return place->config == NULL || place->content == NULL ? HF_NOTFOUND : HF_OK;
}

enum hf_status hf_site_open(struct hf_site *place, const char *home)
{
    enum hf_status st = name_folders(place, home);
    if (st == HF_OK)
        st = open_dir(place->config, &place->config_dir);
    return st == HF_OK ? open_dir(place->content, &place->content_dir) : st;
}

enum hf_status hf_site_look(struct hf_site *place, const char *home)
{
    enum hf_status st = name_folders(place, home);
    if (st != HF_OK)
        return st;
    place->config_dir = open(place->config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    place->content_dir = open(place->content, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place->config_dir >= 0 ? HF_OK : HF_NOTFOUND;
}

void hf_site_done(struct hf_site *place)
{
    free(place->config);
    free(place->content);
    hf_fd_release(&place->config_dir);
    hf_fd_release(&place->content_dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum hf_status hf_site_publishers(const struct hf_site *place,
                                  struct hf_publisher_names *names)
{
    *names = (struct hf_publisher_names){0};
    int fd = openat(place->config_dir, "trust", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
    if (all == NULL) {
        int error = errno;
        hf_fd_release(&fd);
        return error == ENOENT ? HF_OK : HF_IO;
    }
    for (struct dirent *e; (e = readdir(all)) != NULL;) {
        if (!hf_tag_valid(hf_bytes_text(e->d_name)) || names->count == HF_PUBLISHERS_MAX)
            continue;
        char *name = strdup(e->d_name);
        if (name != NULL)
            names->names[names->count++] = name;
    }
    closedir(all);
    qsort(names->names, names->count, sizeof names->names[0], by_name);
    return HF_OK;
}

void hf_publisher_names_done(struct hf_publisher_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    *names = (struct hf_publisher_names){0};
}

static int open_below(int dir, const char *folder, const char *name, bool make)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    hf_buffer_format(&path, "%s/%s/", folder, name);
    hf_buffer_u8(&path, 0);
    if (path.failed)
        return -1;
    if (dir < 0 || (make && hf_file_make_parents(dir, (const char *)path.data) != HF_OK))
        return -1;
    return openat(dir, (const char *)path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static enum hf_refusal load_trust(struct hf_endpoint *e)
{
    size_t line = 0;
    enum hf_refusal r = HF_REFUSE_DISK;
    if (hf_file_read(e->trust_dir, "root", HF_NOTE_FETCH_MAX, &e->anchor) != HF_OK ||
        hf_file_read(e->trust_dir, "policy", HF_POLICY_BYTES_MAX, &e->policy_text) !=
            HF_OK ||
        hf_file_read(e->trust_dir, "settings", HF_SETTINGS_BYTES_MAX, &e->settings_text) !=
            HF_OK) {
        hf_buffer_format(&e->problem, "root, policy or settings cannot be read: %s",
                         strerror(errno));
        return r;
    }
    r = hf_settings_read(hf_buffer_view(&e->settings_text), &e->settings, &line);
    if (r != HF_ACCEPTED) {
        hf_buffer_format(&e->problem, "settings, line %zu: %s", line, hf_refusal_text(r));
        return r;
    }
    r = hf_policy_read(hf_buffer_view(&e->policy_text), NULL, e->policy);
    if (r != HF_ACCEPTED)
        hf_buffer_format(&e->problem, "policy: %s", hf_refusal_text(r));
    return r;
}

static void fresh_state(struct hf_endpoint *e)
{
    e->state = (struct hf_state){0};
    memcpy(e->state.product, e->settings.product.data, e->settings.product.len);
    memcpy(e->state.channel, e->settings.channel.data, e->settings.channel.len);
    if (getrandom(e->state.endpoint, sizeof e->state.endpoint, 0) !=
        (ssize_t)sizeof e->state.endpoint)
        memset(e->state.endpoint, 0, sizeof e->state.endpoint);
    hf_buffer_clear(&e->root_note);
    hf_buffer_bytes(&e->root_note, hf_buffer_view(&e->anchor));
}

void hf_endpoint_restart(struct hf_endpoint *endpoint)
{
    fresh_state(endpoint);
}

/* The root that the state names, by its hash. */
static bool load_root(struct hf_merkle *m, struct hf_endpoint *e)
{
    struct hf_hash hash;
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    hf_buffer_text(&path, "roots/");
    hf_put_hash(&path, &e->state.root_note);
    hf_buffer_u8(&path, 0);
    hf_buffer_clear(&e->root_note);
    return !path.failed &&
           hf_file_read(e->feed_dir, (const char *)path.data, HF_NOTE_FETCH_MAX,
                        &e->root_note) == HF_OK &&
           hf_hash_of(m, hf_buffer_view(&e->root_note), &hash) &&
           hf_hash_equal(&hash, &e->state.root_note);
}

static enum hf_refusal load_state(struct hf_endpoint *e)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    if (hasher == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_status st = hf_file_read(e->feed_dir, "state", HF_STATE_BYTES_MAX, &text);
    enum hf_refusal r = st == HF_OK ? hf_state_read(&m, hf_buffer_view(&text), &e->state)
                                    : HF_REFUSE_STATE_DAMAGED;
    bool ours = r == HF_ACCEPTED &&
                hf_bytes_equal(hf_bytes_text(e->state.product), e->settings.product) &&
                hf_bytes_equal(hf_bytes_text(e->state.channel), e->settings.channel);
    static const struct hf_hash none;
    if (ours && hf_hash_equal(&e->state.root_note, &none)) {
        e->state_began = true;
        hf_buffer_bytes(&e->root_note, hf_buffer_view(&e->anchor));
        return HF_ACCEPTED;
    }
    if (ours && load_root(&m, e))
        return HF_ACCEPTED;
    e->state_lost = true;
    fresh_state(e);
    return HF_ACCEPTED;
}

enum hf_refusal hf_endpoint_open(const struct hf_site *place, const char *name,
                                 struct hf_endpoint *e)
{
    *e = (struct hf_endpoint){.trust_dir = -1, .feed_dir = -1};
    if (!hf_tag_valid(hf_bytes_text(name))) {
        hf_buffer_text(&e->problem, "this is no name of a publisher");
        return HF_REFUSE_ARGUMENT;
    }
    memcpy(e->name, name, strlen(name));
    e->policy = calloc(1, sizeof *e->policy);
    e->trust_dir = open_below(place->config_dir, "trust", name, false);
    if (e->trust_dir < 0) {
        hf_buffer_text(&e->problem, "this publisher is not trusted here");
        return HF_REFUSE_DISK;
    }
    e->feed_dir = open_below(place->content_dir, "feeds", name, false);
    if (e->feed_dir < 0) /* scanners, who only look, may not make it and need not */
        e->feed_dir = open_below(place->content_dir, "feeds", name, true);
    if (e->feed_dir < 0) {
        hf_buffer_format(&e->problem, "its folder cannot be made: %s", strerror(errno));
        return HF_REFUSE_DISK;
    }
    if (e->policy == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = load_trust(e);
    return r == HF_ACCEPTED ? load_state(e) : r;
}

void hf_endpoint_done(struct hf_endpoint *e)
{
    hf_fd_release(&e->trust_dir);
    hf_fd_release(&e->feed_dir);
    hf_buffer_done(&e->anchor);
    hf_buffer_done(&e->policy_text);
    hf_buffer_done(&e->settings_text);
    hf_buffer_done(&e->root_note);
    hf_buffer_done(&e->problem);
    free(e->policy);
}

bool hf_endpoint_lock(struct hf_endpoint *e)
{
    return flock(e->feed_dir, LOCK_EX | LOCK_NB) == 0;
}

enum hf_refusal hf_endpoint_commit(struct hf_endpoint *e, const struct hf_state *state,
                                   struct hf_bytes root_note)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0}, text = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct stat there;
    hf_buffer_text(&path, "roots/");
    hf_put_hash(&path, &state->root_note);
    hf_buffer_u8(&path, 0);
    enum hf_refusal r =
        hasher == NULL || path.failed ? HF_REFUSE_NOMEM : hf_state_write(&m, &text, state);
    static const struct hf_hash none;
    if (r == HF_ACCEPTED && !hf_hash_equal(&state->root_note, &none) &&
        (fstatat(e->feed_dir, (const char *)path.data, &there, 0) != 0 ||
         (uint64_t)there.st_size != root_note.len) &&
        hf_file_replace(e->feed_dir, (const char *)path.data, root_note, 0644) != HF_OK)
        r = HF_REFUSE_DISK;
    if (r == HF_ACCEPTED &&
        hf_file_replace(e->feed_dir, "state", hf_buffer_view(&text), 0644) != HF_OK)
        r = HF_REFUSE_DISK;
    if (r != HF_ACCEPTED) {
        hf_buffer_format(&e->problem, "%s: %s", hf_refusal_text(r), strerror(errno));
        return r;
    }
    e->state = *state;
    return HF_ACCEPTED;
}

void hf_generation_path(struct hf_buffer *out, const struct hf_hash *manifest,
                        const char *name)
{
    hf_buffer_text(out, "gen/");
    hf_put_hash(out, manifest);
    if (name != NULL)
        hf_buffer_format(out, "/%s", name);
    hf_buffer_u8(out, 0);
}

static bool is_named(const struct hf_state *s, const char *folder, const char *entry)
{
    struct hf_hash hash;
    if (hf_unhex(hf_bytes_text(entry), hash.bytes, sizeof hash.bytes) != sizeof hash.bytes)
        return false;
    if (strcmp(folder, "roots") == 0)
        return hf_hash_equal(&hash, &s->root_note);
    for (size_t i = 0; i < s->generation_count; i++)
        if (hf_hash_equal(&hash, &s->generations[i].manifest))
            return strcmp(folder, "gen") == 0;
    return false;
}

void hf_endpoint_clean(struct hf_endpoint *e)
{
    static const char *const folders[] = {"gen", "roots", "partial"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int fd = openat(e->feed_dir, folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
        if (all == NULL) {
            hf_fd_release(&fd);
            continue;
        }
        for (struct dirent *d; (d = readdir(all)) != NULL;)
            if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
                !is_named(&e->state, folders[i], d->d_name))
                (void)!hf_file_remove_all(dirfd(all), d->d_name);
        closedir(all);
    }
}

static int by_path(const void *a, const void *b)
{
    const struct hf_site_database *x = a, *y = b;
    return strcmp(x->path, y->path);
}

/* The .hfdb files of a generation, by name. */
static enum hf_status add_generation(const struct hf_site *place,
                                     const struct hf_endpoint *e, size_t publisher,
                                     struct hf_site_database *databases, size_t room,
                                     size_t *count)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer dir = {0};
    hf_generation_path(&dir, &e->state.active, NULL);
    int fd = dir.failed ? -1
                        : openat(e->feed_dir, (const char *)dir.data,
                                 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
    size_t first = *count;
    if (all == NULL) {
        hf_fd_release(&fd);
        return HF_IO;
    }
    enum hf_status st = HF_OK;
    for (struct dirent *d; st == HF_OK && (d = readdir(all)) != NULL;) {
        struct hf_site_database *next = &databases[*count];
        size_t len = strlen(d->d_name);
        if (len < 5 || strcmp(d->d_name + len - 5, ".hfdb") != 0)
            continue;
        if (*count == room) {
            st = HF_LIMIT;
            break;
        }
        *next = (struct hf_site_database){.publisher = publisher,
                                          .everywhere = e->settings.everywhere};
        if (asprintf(&next->path, "%s/feeds/%s/%s/%s", place->content, e->name,
                     (const char *)dir.data, d->d_name) < 0)
            st = HF_NOMEM;
        else
            ++*count;
    }
    closedir(all);
    qsort(databases + first, *count - first, sizeof *databases, by_path);
    return st;
}

static enum hf_status add_own(const struct hf_site *place,
                              struct hf_site_database *database, size_t *count)
{
    HF_AUTO(hf_fd_release)
    int own = openat(place->config_dir, "own", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return HF_OK;
    *database = (struct hf_site_database){.publisher = 0};
    if (asprintf(&database->path, "%s/own", place->config) < 0)
        return HF_NOMEM;
    ++*count;
    return HF_OK;
}

enum hf_status hf_site_databases(const struct hf_site *place,
                                 struct hf_site_database *databases, size_t room,
                                 size_t *count)
{
    struct hf_publisher_names names;
    bool more = false;
    *count = 0;
    if (room == 0)
        return HF_LIMIT;
    enum hf_status st = hf_site_publishers(place, &names);
    for (size_t i = 0; i < names.count && st == HF_OK; i++) {
        struct hf_endpoint e = {.trust_dir = -1, .feed_dir = -1};
        if (place->content_dir >= 0 &&
            hf_endpoint_open(place, names.names[i], &e) == HF_ACCEPTED &&
            hf_state_active(&e.state) != NULL)
            st = add_generation(place, &e, i + 1, databases, room - 1, count);
        hf_endpoint_done(&e);
        more = more || st == HF_LIMIT;
        if (st == HF_LIMIT)
            st = HF_OK;
    }
    hf_publisher_names_done(&names);
    if (st == HF_OK)
        st = add_own(place, &databases[*count], count);
    return st == HF_OK && more ? HF_LIMIT : st;
}
