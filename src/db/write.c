/* write.c - puts a segment together: tables, names, rules, patterns, matcher, policy. */
#include "base/auto.h"
#include "base/fd.h"
#include "db/build_internal.h"
#include "db/coding.h"
#include "db/db_internal.h"
#include "db/located.h"
#include "db/names_write.h"
#include "db/needles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What differs between lists of records. */
struct list_extras {
    uint32_t flags, first;
    struct hf_bytes ids, wakes;
};

static void put_part(struct hf_output *out, uint8_t *offset, struct hf_bytes part)
{
    hf_output_align(out, 8);
    hf_put_le64(offset, hf_output_offset(out));
    hf_output_add(out, part.data, part.len);
}

/* A section of records (db_internal.h), each cut by skip bytes at its front. */
static void write_list(struct hf_output *out, enum hf_db_section type,
                       const struct hf_list *list, size_t skip,
                       const struct list_extras *extras)
{
    uint8_t h[HF_RECORDS_HEADER] = {0}, le[4];
    uint64_t at = 0;
    hf_output_section(out, type);
    hf_output_add(out, h, sizeof h);
    hf_put_le32(h, list->count);
    hf_put_le32(h + 4, extras->flags);
    hf_put_le32(h + 8, extras->first);
    hf_put_le32(h + 12, (uint32_t)(extras->wakes.len / 4));
    if (extras->ids.len > 0)
        put_part(out, h + 16, extras->ids);
    if (extras->wakes.len > 0)
        put_part(out, h + 24, extras->wakes);
    put_part(out, h + 32, (struct hf_bytes){0});
    for (uint32_t i = 0; i <= list->count; i++) {
        hf_put_le32(le, (uint32_t)at);
        hf_output_add(out, le, sizeof le);
        at += i < list->count ? hf_list_at(list, i).len - skip : 0;
    }
    put_part(out, h + 40, (struct hf_bytes){0});
    for (uint32_t i = 0; i < list->count; i++) {
        struct hf_bytes record = hf_list_at(list, i);
        hf_output_add(out, record.data + skip, record.len - skip);
    }
    hf_put_le64(h + 48, at);
    hf_output_patch(out, 0, h, sizeof h);
    hf_output_end(out, list->count);
}

static enum hf_status write_rules(struct hf_build *build, struct hf_output *out,
                                  struct hf_names_writer *names, uint32_t *signatures,
                                  struct hf_buffer *groups)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer ids = {0};
    struct list_extras extras = {.flags = build->views,
                                 .first = *signatures,
                                 .wakes = hf_buffer_view(&build->wakes)};
    if (build->rules.count == 0)
        return HF_OK;
    for (uint32_t i = 0; i < build->rules.count; i++) {
        const uint8_t *record = hf_list_at(&build->rules, i).data;
        hf_names_add(names, hf_le32(record + HF_RULE_STEM),
                     hf_le64(record + HF_RULE_NUMBER));
        hf_buffer_u64(&ids, hf_le64(record + HF_RULE_ID));
    }
    extras.ids = hf_buffer_view(&ids);
    hf_buffer_u32(groups, HF_DB_RULES);
    hf_buffer_u32(groups, *signatures);
    hf_buffer_u32(groups, build->rules.count);
    hf_buffer_u32(groups, 0);
    *signatures += build->rules.count;
    write_list(out, HF_DB_RULES, &build->rules, HF_RULE_STORED, &extras);
    extras =
        (struct list_extras){.flags = build->matches_zeros ? HF_PATTERNS_MATCH_ZEROS : 0};
    write_list(out, HF_DB_PATTERNS, &build->patterns, 0, &extras);
    if (build->texts.count > 0)
        write_list(out, HF_DB_RULE_TEXTS, &build->texts, 0, &(struct list_extras){0});
    return ids.failed ? HF_NOMEM : HF_OK;
}

/* An hf_located_pattern_at over what was added. */
static bool pattern_at(void *user, uint32_t number, struct hf_pattern *pattern)
{
    const struct hf_build *build = user;
    struct hf_bytes record = hf_list_at(&build->patterns, number);
    struct hf_cursor in = hf_cursor_open(record.data, record.len, NULL);
    hf_skip(&in, 4);
    return hf_pattern_read(&in, pattern) == HF_OK;
}

/* Patterns that need no search are told from those that do. */
static enum hf_status collect_needles(struct hf_build *build,
                                      struct hf_located_build *located,
                                      struct hf_needles *needles)
{
    enum hf_status st = HF_OK;
    struct hf_pattern pattern;
    for (uint32_t i = 0; i < build->patterns.count && st == HF_OK; i++)
        st = pattern_at(build, i, &pattern)
                 ? hf_located_offer(located, &pattern, i, build->targets.data[i])
                 : HF_MALFORMED;
    if (st == HF_OK)
        st = hf_located_choose(located);
    for (uint32_t i = 0; i < build->patterns.count && st == HF_OK; i++) {
        if (hf_located_takes(located, i))
            continue;
        st = pattern_at(build, i, &pattern) ? hf_needles_add(needles, &pattern, i)
                                            : HF_MALFORMED;
    }
    return st;
}

static void write_plain(struct hf_output *out, enum hf_db_section type,
                        struct hf_bytes bytes, uint64_t count)
{
    hf_output_section(out, type);
    hf_output_add(out, bytes.data, bytes.len);
    hf_output_end(out, count);
}

static enum hf_status write_located(struct hf_build *build,
                                    const struct hf_located_build *located,
                                    struct hf_output *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer in_place = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer loose = {0};
    uint32_t in_place_count = 0, loose_count = 0;
    enum hf_status st = hf_located_write(located, &in_place, &in_place_count);
    if (st == HF_OK)
        st = hf_loose_write(located, pattern_at, build, &loose, &loose_count);
    if (st != HF_OK)
        return st;
    if (in_place_count > 0)
        write_plain(out, HF_DB_LOCATED, hf_buffer_view(&in_place), in_place_count);
    if (loose_count > 0)
        write_plain(out, HF_DB_LOOSE, hf_buffer_view(&loose), loose_count);
    return HF_OK;
}

/* The images of targets that have their own, one behind the other. */
static enum hf_status write_own_matchers(struct hf_subset *set, struct hf_output *out)
{
    uint8_t header[HF_DB_TARGETS * 16] = {0};
    uint64_t at = sizeof header, all = 0;
    enum hf_status st = HF_OK;
    hf_output_section(out, HF_DB_TARGET_MATCHERS);
    hf_output_add(out, header, sizeof header);
    for (uint8_t target = 1; target < HF_DB_TARGETS && st == HF_OK; target++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
        if ((set->own >> target & 1u) == 0)
            continue;
        size_t count = hf_subset_choose(set, target);
        st = hf_matcher_build(set->items, count, &image);
        hf_buffer_align(&image, HF_DB_ALIGN);
        if (st != HF_OK || image.failed)
            return st != HF_OK ? st : HF_NOMEM;
        hf_put_le64(header + (size_t)target * 16, at);
        hf_put_le64(header + (size_t)target * 16 + 8, image.len);
        hf_output_add(out, image.data, image.len);
        at += image.len;
        all += count;
    }
    hf_output_patch(out, 0, header, sizeof header);
    hf_output_end(out, all);
    return st;
}

static enum hf_status write_needles(const struct hf_build *build,
                                    const struct hf_needles *needles, struct hf_output *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    if (needles->count == 0)
        return HF_OK;
    HF_AUTO(hf_subset_done) struct hf_subset set = {0};
    if (!hf_subset_begin(&set, needles, build->targets.data))
        return HF_NOMEM;
    size_t count = hf_subset_choose(&set, 0);
    enum hf_status st = count == 0 ? HF_OK : hf_matcher_build(set.items, count, &image);
    if (st != HF_OK)
        return st;
    if (count > 0)
        write_plain(out, HF_DB_MATCHER, hf_buffer_view(&image), count);
    hf_buffer_done(&image);
    if (set.own != 0)
        st = write_own_matchers(&set, out);
    if (needles->needs_table)
        write_plain(out, HF_DB_NEEDLES, hf_buffer_view(&needles->table), needles->count);
    return st;
}

static enum hf_status write_matcher(struct hf_build *build, struct hf_output *out)
{
    HF_AUTO(hf_needles_done) struct hf_needles needles = {0};
    HF_AUTO(hf_located_done) struct hf_located_build located = {0};
    enum hf_status st = collect_needles(build, &located, &needles);
    if (st == HF_OK)
        st = write_needles(build, &needles, out);
    return st == HF_OK ? write_located(build, &located, out) : st;
}

static int compare_records(const void *a, const void *b, void *user)
{
    struct hf_bytes x = hf_list_at(user, *(const uint32_t *)a);
    struct hf_bytes y = hf_list_at(user, *(const uint32_t *)b);
    size_t n = x.len < y.len ? x.len : y.len;
    int order = n == 0 ? 0 : memcmp(x.data, y.data, n);
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* Names to ignore, sorted, each once. */
static enum hf_status write_ignored(struct hf_build *build, struct hf_output *out)
{
    uint32_t n = build->ignored.count;
    if (n == 0)
        return HF_OK;
    uint32_t *order = calloc(n, sizeof *order);
    if (order == NULL)
        return HF_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, compare_records, &build->ignored);
    struct hf_list sorted = {0};
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || compare_records(&order[i - 1], &order[i], &build->ignored) != 0)
            hf_list_add(&sorted, hf_list_at(&build->ignored, order[i]));
    bool failed = sorted.data.failed || sorted.starts.failed;
    if (!failed)
        write_list(out, HF_DB_IGNORE, &sorted, 0, &(struct list_extras){0});
    hf_buffer_done(&sorted.data);
    hf_buffer_done(&sorted.starts);
    free(order);
    return failed ? HF_NOMEM : HF_OK;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void write_tombstones(struct hf_build *build, struct hf_output *out)
{
    uint64_t *ids = (uint64_t *)(void *)build->tombstones.data, written = 0;
    size_t n = build->tombstones.len / sizeof *ids;
    if (n == 0)
        return;
    qsort(ids, n, sizeof *ids, compare_ids);
    hf_output_section(out, HF_DB_TOMBSTONES);
    for (size_t i = 0; i < n; i++) {
        uint8_t le[8];
        if (i > 0 && ids[i] == ids[i - 1])
            continue;
        hf_put_le64(le, ids[i]);
        hf_output_add(out, le, sizeof le);
        written++;
    }
    hf_output_end(out, written);
}

/* How many of the signatures find something: allow lists have numbers too. */
static uint64_t detections(const struct hf_buffer *groups)
{
    uint64_t count = 0;
    for (size_t at = 0; at < groups->len; at += 16) {
        uint32_t type = hf_le32(groups->data + at);
        if (type < HF_DB_ALLOW_MD5 || type > HF_DB_ALLOW_SHA256)
            count += hf_le32(groups->data + at + 8);
    }
    return count;
}

/* What people ask about: lines of a key and a value, skipped kinds by name. */
static void describe(const struct hf_build *build, struct hf_buffer *meta)
{
    const struct hf_build_summary *s = &build->summary;
    hf_buffer_text(meta, "creator holdfast " HOLDFAST_VERSION "\n");
    hf_buffer_format(meta, "skipped %llu\n", (unsigned long long)s->skipped);
    hf_buffer_format(meta, "bad-lines %llu\n", (unsigned long long)s->bad_lines);
    for (size_t i = 0; i < build->skipped_count; i++)
        hf_buffer_format(meta, "skipped-kind %llu %s\n",
                         (unsigned long long)build->skipped[i].count,
                         build->skipped[i].kind);
}

enum hf_status hf_build_write_fd(struct hf_build *build, int fd)
{
    struct hf_names_writer names;
    struct hf_output out;
    HF_AUTO(hf_buffer_done) struct hf_buffer groups = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer meta = {0};
    uint32_t signatures = 0;
    hf_output_begin(&out, fd);
    enum hf_status st =
        build->stems.failed ? HF_NOMEM : hf_names_begin(&names, &build->stems);
    if (st == HF_OK)
        st = hf_build_write_tables(build, &out, &names, &signatures, &groups);
    if (st == HF_OK)
        st = write_rules(build, &out, &names, &signatures, &groups);
    if (st == HF_OK)
        st = hf_names_write(&names, &out);
    if (st == HF_OK)
        st = write_matcher(build, &out);
    if (st == HF_OK)
        st = write_ignored(build, &out);
    if (st == HF_OK) {
        write_tombstones(build, &out);
        write_list(&out, HF_DB_SOURCES, &build->sources, 0, &(struct list_extras){0});
        write_plain(&out, HF_DB_SIGNATURES, hf_buffer_view(&groups), detections(&groups));
        describe(build, &meta);
        write_plain(&out, HF_DB_META, hf_buffer_view(&meta), 0);
        st = groups.failed || meta.failed ? HF_NOMEM : hf_output_finish(&out);
    }
    int error = out.error;
    hf_names_done(&names);
    hf_output_done(&out);
    errno = error;
    return st;
}

enum hf_status hf_build_write(struct hf_build *build, struct hf_buffer *out)
{
    HF_AUTO(hf_fd_release) int fd = memfd_create("holdfast-db", MFD_CLOEXEC);
    if (fd < 0)
        return HF_IO;
    enum hf_status st = hf_build_write_fd(build, fd);
    if (st != HF_OK)
        return st;
    if (lseek(fd, 0, SEEK_SET) != 0)
        return HF_IO;
    return hf_fd_read_all(fd, SIZE_MAX, out);
}

/* The directory of a path, for the temporary file and for synchronising the new name. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A new file of the directory: without a name, so that nothing is left when we are killed; on
 * file systems that cannot do so with a temporary one, whose X it fills in. */
static int open_unnamed(const char *directory, char *temporary, bool *named)
{
    *named = false;
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    fd = mkostemp(temporary, O_CLOEXEC);
    *named = fd >= 0;
    return fd;
}

/* Give an unnamed file a temporary name, for rename replaces what link does not. */
static bool give_name(int fd, char *temporary)
{
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    char *x = temporary + strlen(temporary) - 6;
    for (unsigned try = 0; try < 1000; try++) {
        snprintf(x, 7, "%06x", ((unsigned)getpid() * 1000u + try) & 0xffffffu);
        if (linkat(AT_FDCWD, self, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

/* Whether what was written is what should have been: read back as its users will read it. */
static enum hf_status check_written(int fd)
{
    HF_AUTO(hf_db_release) struct hf_db *db = NULL;
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    enum hf_status st = hf_db_open(&fd, 1, &db);
    return st == HF_OK ? hf_db_check(db, &note) : st;
}

static enum hf_status publish(int fd, char *temporary, bool *named, const char *path,
                              const char *directory)
{
    HF_AUTO(hf_fd_release) int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fchmod(fd, 0644) != 0 || fsync(fd) != 0)
        return HF_IO;
    if (!*named && !(*named = give_name(fd, temporary)))
        return HF_IO;
    if (rename(temporary, path) != 0)
        return HF_IO;
    *named = false;
    return fsync(dir) == 0 ? HF_OK : HF_IO;
}

/* A file that is being written is locked, so that the name that it bears for a moment before the
 * rename can be told from one that a killed build has left. */
static bool is_abandoned(int dir, const char *name)
{
    HF_AUTO(hf_fd_release) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Remove what killed builds of the same file have left. Failing to does no harm. */
static void remove_abandoned(const char *directory, const char *path)
{
    const char *slash = strrchr(path, '/'), *file = slash == NULL ? path : slash + 1;
    size_t length = strlen(file);
    static const char mark[] = ".new-";
    DIR *dir = opendir(directory);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, file, length) == 0 &&
            strncmp(e->d_name + length, mark, sizeof mark - 1) == 0 &&
            strlen(e->d_name) == length + sizeof mark - 1 + 6 &&
            is_abandoned(dirfd(dir), e->d_name))
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
}

enum hf_status hf_build_write_file(struct hf_build *build, const char *path)
{
    char *directory = directory_of(path), *temporary = NULL;
    if (directory == NULL || asprintf(&temporary, "%s.new-XXXXXX", path) < 0) {
        free(directory);
        return HF_NOMEM;
    }
    bool named = false;
    HF_AUTO(hf_fd_release) int fd = open_unnamed(directory, temporary, &named);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX | LOCK_NB);
    remove_abandoned(directory, path);
    enum hf_status st = fd < 0 ? HF_IO : hf_build_write_fd(build, fd);
    if (st == HF_OK)
        st = check_written(fd);
    if (st == HF_OK)
        st = publish(fd, temporary, &named, path, directory);
    int error = errno;
    if (named)
        unlink(temporary);
    free(directory);
    free(temporary);
    errno = error;
    return st;
}
