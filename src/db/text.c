#include "db/text.h"
#include "base/arena.h"
#include "base/auto.h"
#include "base/fd.h"
#include "db/build_internal.h"
#include "db/cvd.h"
#include "db/text_chunks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* clang-format off */
static const struct hf_text_format formats[] = {
    {".hdb", hf_read_clamav_hash, .tables = HF_DB_HASH_MD5},
    {".hdu", hf_read_clamav_hash, .tables = HF_DB_HASH_MD5, .pua = true},
    {".hsb", hf_read_clamav_hash, .tables = HF_DB_HASH_MD5},
    {".hsu", hf_read_clamav_hash, .tables = HF_DB_HASH_MD5, .pua = true},
    {".fp",  hf_read_clamav_hash, .tables = HF_DB_ALLOW_MD5},
    {".sfp", hf_read_clamav_hash, .tables = HF_DB_ALLOW_MD5},
    {".mdb", hf_read_clamav_hash, .tables = HF_DB_SECTION_MD5, .size_first = true},
    {".mdu", hf_read_clamav_hash, .tables = HF_DB_SECTION_MD5, .size_first = true, .pua = true},
    {".msb", hf_read_clamav_hash, .tables = HF_DB_SECTION_MD5, .size_first = true},
    {".msu", hf_read_clamav_hash, .tables = HF_DB_SECTION_MD5, .size_first = true, .pua = true},
    {".imp", hf_read_clamav_hash, .tables = HF_DB_IMPORTS_MD5, .any_size_at_any_level = true},
    {".ndb", .rule = hf_clamav_read_ndb},
    {".ndu", .rule = hf_clamav_read_ndb, .pua = true},
    {".sdb", .rule = hf_clamav_read_ndb},
    {".db", .rule = hf_clamav_read_db},
    {".ldb", .rule = hf_clamav_read_ldb},
    {".ldu", .rule = hf_clamav_read_ldb, .pua = true},
    {".ign", hf_read_ignore},
    {".ign2", hf_read_ignore},
    {".yar", .whole = hf_read_yara},
    {".yara", .whole = hf_read_yara},
    {".txt", hf_read_plain_hash, .tables = HF_DB_HASH_MD5},
    {".md5", hf_read_plain_hash, .tables = HF_DB_HASH_MD5},
    {".sha1", hf_read_plain_hash, .tables = HF_DB_HASH_MD5},
    {".sha256", hf_read_plain_hash, .tables = HF_DB_HASH_MD5},
    {".hashes", hf_read_plain_hash, .tables = HF_DB_HASH_MD5},
    {".cdb", .rule = hf_clamav_read_cdb},
    {".zmd", .kind = "old metadata of archives (.zmd, .rmd)"},
    {".rmd", .kind = "old metadata of archives (.zmd, .rmd)"},
    {".cat", .kind = "security catalogues (.cat)", .binary = true},
    {".ioc", .kind = "indicators in XML (.ioc)", .binary = true},
    {".crb", .kind = "certificates (.crb)"},
    {".idb", .kind = "icons (.idb)"},
    {".ftm", .kind = "file type magic (.ftm)"},
    {".pdb", .kind = "phishing addresses (.pdb)"},
    {".gdb", .kind = "phishing addresses (.gdb)"},
    {".wdb", .kind = "allowed addresses (.wdb)"},
    {".cbc", .kind = "bytecode (.cbc)"},
    {".cfg", .kind = "engine configuration (.cfg)"},
    {".pwdb", .kind = "archive passwords (.pwdb)"},
};
/* clang-format on */

const struct hf_text_format *hf_text_format_of(const char *file_name)
{
    size_t length = strlen(file_name);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t n = strlen(formats[i].ending);
        if (length > n && strcasecmp(file_name + length - n, formats[i].ending) == 0)
            return &formats[i];
    }
    return NULL;
}

/* The kinds that a name says, with the points around them: ".Packed." of PUA.Packed.Thing, ".Tool.Net."
 * of PUA.Tool.Net.Thing. [facts/clamav.md 1.0] */
static struct hf_bytes pua_kinds(struct hf_bytes name)
{
    enum { PREFIX = 3 };
    struct hf_bytes none = {0};
    if (name.len <= PREFIX || memcmp(name.data, "PUA.", PREFIX + 1) != 0)
        return none;
    const uint8_t *last = memrchr(name.data, '.', name.len);
    size_t n = (size_t)(last - name.data) - PREFIX + 1;
    return n < 2 ? none : hf_bytes_of(name.data + PREFIX, n);
}

/* One kind or several in a row, whole. */
static bool names_kind(const char *asked, struct hf_bytes kinds)
{
    char padded[256];
    int n = snprintf(padded, sizeof padded, ".%s.", asked);
    return n > 0 && memmem(kinds.data, kinds.len, padded, strlen(padded)) != NULL;
}

static bool wants_pua(const struct hf_pua *pua, struct hf_bytes name)
{
    struct hf_bytes kinds = pua_kinds(name);
    if (pua->count == 0)
        return true;
    if (kinds.len == 0)
        return false; /* as ClamAV: whoever chooses gets only what can be told apart */
    bool named = false;
    for (size_t i = 0; i < pua->count; i++)
        named = named || names_kind(pua->kinds[i], kinds);
    return named != pua->all_but;
}

bool hf_build_leaves_out(const struct hf_build *build, const struct hf_text_format *format,
                         struct hf_bytes name, struct hf_bytes line)
{
    return (format->pua && !wants_pua(&build->pua, name)) ||
           (build->pins.items.len > 0 &&
            hf_pins_hold(&build->pins, hf_clamav_bare_name(name), line));
}

enum { RULE_BYTES_MAX = 256 << 20 }; /* of one rule's trees and programs */

/* What the lines of one text share. */
struct reading {
    struct hf_build *build;
    const struct hf_text_format *format;
    char *unnamed; /* the name of digests that come without one */
    struct hf_line line;
    uint64_t number;
};

static enum hf_status keep_digest(struct reading *r, struct hf_bytes text)
{
    struct hf_line *line = &r->line;
    enum hf_digest_kind kind = hf_digest_of_length(line->digest_length);
    struct hf_bytes name = line->name.len > 0 ? line->name : hf_bytes_text(r->unnamed);
    if (hf_build_leaves_out(r->build, r->format, line->name, text)) {
        r->build->summary.left_out++;
        return HF_OK;
    }
    return hf_build_add_table(r->build, r->format->tables + (enum hf_db_section)kind,
                              line->digest, line->digest_length, line->size, name);
}

static enum hf_status keep_line(struct reading *r, struct hf_bytes text)
{
    struct hf_line *line = &r->line;
    switch (r->format->read(r->format, text, line)) {
    case HF_LINE_NOTHING: return HF_OK;
    case HF_LINE_DIGEST: return keep_digest(r, text);
    case HF_LINE_NAME: return hf_build_add_ignore(r->build, line->name);
    case HF_LINE_PIN:
        hf_pins_add(&r->build->pins, line->name, line->digest);
        r->build->summary.ignored++;
        return r->build->pins.items.failed ? HF_NOMEM : HF_OK;
    case HF_LINE_SKIP: hf_build_skip(r->build, line->why); return HF_OK;
    case HF_LINE_BAD: hf_build_bad_line(r->build, r->number, "%s", line->why); return HF_OK;
    }
    return HF_OK;
}

/* A line of .ndb, .ldb and others. */
static enum hf_status keep_rule(struct reading *r, struct hf_bytes text,
                                struct hf_arena *arena)
{
    struct hf_clamav_signature s;
    enum hf_status st = HF_OK;
    switch (r->format->rule(text, arena, &s)) {
    case HF_CLAMAV_SKIP: hf_build_skip(r->build, s.why); return HF_OK;
    case HF_CLAMAV_BAD: hf_build_bad_line(r->build, r->number, "%s", s.why); return HF_OK;
    case HF_CLAMAV_RULE:
        if (hf_build_leaves_out(r->build, r->format, s.name, text)) {
            r->build->summary.left_out++;
            return HF_OK;
        }
        st = hf_build_add_rule(r->build, &s.rule, s.patterns, s.pattern_count,
                               hf_clamav_bare_name(s.name));
        break;
    }
    if (st != HF_UNSUPPORTED && st != HF_LIMIT)
        return st;
    hf_build_skip(r->build, "signatures with a part that cannot be searched for");
    return HF_OK;
}

static enum hf_status read_rules(struct reading *r, struct hf_bytes text)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(RULE_BYTES_MAX);
    struct hf_bytes line;
    enum hf_status st = arena == NULL ? HF_NOMEM : HF_OK;
    for (r->number = 1; st == HF_OK && hf_next_line(&text, &line); r->number++) {
        if (line.len == 0 || line.data[0] == '#')
            continue;
        struct hf_arena_mark mark = hf_arena_mark(arena);
        st = keep_rule(r, line, arena);
        hf_arena_rewind(arena, mark);
    }
    return st;
}

static enum hf_status read_lines(struct reading *r, struct hf_bytes text)
{
    if (r->format->rule != NULL)
        return read_rules(r, text);
    if (r->format->whole != NULL)
        return r->format->whole(r->build, r->build->file, text);
    if (r->format->binary) {
        hf_build_skip(r->build, r->format->kind);
        return HF_OK;
    }
    struct hf_bytes line;
    enum hf_status st = HF_OK;
    for (r->number = 1; st == HF_OK && hf_next_line(&text, &line); r->number++) {
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (r->format->read == NULL) {
            hf_build_skip(r->build, r->format->kind);
            continue;
        }
        st = keep_line(r, line);
    }
    return st;
}

/* "lists/bad.txt" -> "List.bad" */
static char *name_of_list(const char *file_name)
{
    const char *slash = strrchr(file_name, '/');
    const char *base = slash == NULL ? file_name : slash + 1;
    const char *dot = strrchr(base, '.');
    char *name = NULL;
    int n = dot == NULL || dot == base ? (int)strlen(base) : (int)(dot - base);
    return asprintf(&name, "List.%.*s", n, base) < 0 ? NULL : name;
}

/* Comments of signatures begin with #, those of YARA with two slashes. */
static bool is_comment(struct hf_bytes line)
{
    return line.len > 0 && (line.data[0] == '#' ||
                            (line.len > 1 && line.data[0] == '/' && line.data[1] == '/'));
}

/* The licence that a file's leading comments name; "" when they name none. */
static struct hf_bytes find_licence(struct hf_bytes text)
{
    static const char tag[] = "SPDX-License-Identifier:";
    struct hf_bytes line;
    while (hf_next_line(&text, &line) && is_comment(line)) {
        const uint8_t *at = memmem(line.data, line.len, tag, sizeof tag - 1);
        if (at == NULL)
            continue;
        at += sizeof tag - 1;
        while (at < line.data + line.len && *at == ' ')
            at++;
        return hf_bytes_of(at, (size_t)(line.data + line.len - at));
    }
    return (struct hf_bytes){0};
}

static enum hf_status begin_source(struct hf_build *build, const char *file_name,
                                   struct hf_bytes text)
{
    struct hf_bytes found = find_licence(text);
    char *licence = strndup(found.len == 0 ? "" : (const char *)found.data, found.len);
    if (licence == NULL)
        return HF_NOMEM;
    enum hf_status st = hf_build_source(build, file_name, licence);
    free(licence);
    return st;
}

/* The first bytes of a text, without the mark of UTF-8 that Windows editors put there. */
static struct hf_bytes skip_mark(struct hf_bytes text)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    bool marked = text.len >= sizeof mark && memcmp(text.data, mark, sizeof mark) == 0;
    size_t n = marked ? sizeof mark : 0;
    return hf_bytes_of(text.data + n, text.len - n);
}

/* Digests come by millions and are read in pieces, by threads; all else line by line. */
static enum hf_status read_source(struct reading *r, const char *file_name,
                                  struct hf_text_input *input, struct hf_bytes head)
{
    bool digests = r->format->tables != 0 && !r->build->withdrawing;
    if (r->format->pua && r->build->pua.none) {
        r->build->summary.left_out++;
        return HF_OK;
    }
    hf_pins_sort(&r->build->pins);
    enum hf_status st = begin_source(r->build, file_name, head);
    if (st != HF_OK)
        return st;
    r->unnamed = name_of_list(file_name);
    if (r->unnamed == NULL)
        return HF_NOMEM;
    input->unnamed = r->unnamed;
    r->build->summary.files++;
    if (digests) {
        st = hf_text_read_chunks(r->build, r->format, input);
    } else if (input->fd < 0) {
        st = read_lines(r, input->memory);
    } else {
        HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
        st = hf_fd_read_all(input->fd, SIZE_MAX, &text);
        if (st == HF_OK)
            st = read_lines(r, hf_buffer_view(&text));
    }
    free(r->unnamed);
    return st;
}

enum hf_status hf_build_read_text(struct hf_build *build, const char *file_name,
                                  struct hf_bytes text)
{
    struct reading r = {.build = build, .format = hf_text_format_of(file_name)};
    struct hf_text_input input = {.fd = -1, .memory = skip_mark(text)};
    return r.format == NULL ? HF_UNSUPPORTED : read_source(&r, file_name, &input, text);
}

enum hf_status hf_build_read_fd(struct hf_build *build, const char *file_name, int fd)
{
    enum { HEAD = 4096 };
    struct reading r = {.build = build, .format = hf_text_format_of(file_name)};
    struct hf_text_input input = {.fd = fd};
    uint8_t head[HEAD];
    size_t got;
    if (hf_cvd_kind_of(file_name) != HF_CVD_NONE)
        return hf_build_read_container(build, file_name, fd);
    if (r.format == NULL)
        return HF_UNSUPPORTED;
    if (hf_fd_read_at(fd, head, sizeof head, 0, &got) != HF_OK)
        return HF_IO;
    struct hf_bytes first = skip_mark(hf_bytes_of(head, got));
    if (lseek(fd, (off_t)(got - first.len), SEEK_SET) < 0)
        return HF_IO;
    return read_source(&r, file_name, &input, first);
}

void hf_build_say(struct hf_build *build, const char *path, const char *text)
{
    if (build->on_message != NULL)
        build->on_message(build->user, path, 0, text);
}

static enum hf_status refuse(struct hf_build *build, const char *path)
{
    hf_build_say(build, path, strerror(errno));
    return errno == ENOENT ? HF_NOTFOUND : HF_IO;
}

/* name is what the source is called in the database: never a path of this machine. */
static enum hf_status read_file(struct hf_build *build, int fd, const char *path,
                                const char *name)
{
    enum hf_status st = hf_build_read_fd(build, name, fd);
    if (st == HF_IO)
        return refuse(build, path);
    if (st == HF_UNSUPPORTED)
        hf_build_say(build, path, "not a signature file: its name's ending is not known");
    return st;
}

static int keep_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Byte order: alphasort would follow the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum hf_status read_entry(struct hf_build *build, const char *path, const char *name,
                                 bool named);

static enum hf_status read_folder(struct hf_build *build, const char *path,
                                  const char *name)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, keep_entry, by_bytes);
    if (n < 0)
        return refuse(build, path);
    enum hf_status st = HF_OK;
    for (int i = 0; i < n; i++) {
        char *inner = NULL, *inner_name = NULL;
        if (st == HF_OK) {
            if (asprintf(&inner, "%s/%s", path, entries[i]->d_name) < 0 ||
                asprintf(&inner_name, "%s%s%s", name, name[0] == 0 ? "" : "/",
                         entries[i]->d_name) < 0)
                st = HF_NOMEM;
            else
                st = read_entry(build, inner, inner_name, false);
        }
        free(inner);
        free(inner_name);
        free(entries[i]);
    }
    free(entries);
    return st;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* ---- entries for one version of a signature are known before any signature is read ---- */

static bool is_ignore_list(const char *name)
{
    const struct hf_text_format *format = hf_text_format_of(name);
    return format != NULL && format->read == hf_read_ignore;
}

static enum hf_status read_pins(struct hf_build *build, const char *name, int fd)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    struct hf_bytes left, line_text;
    struct hf_line line = {0};
    if (!is_ignore_list(name) || hf_fd_read_all(fd, SIZE_MAX, &text) != HF_OK)
        return HF_OK; /* who reads it all says what is wrong with it */
    left = skip_mark(hf_buffer_view(&text));
    while (hf_next_line(&left, &line_text))
        if (hf_read_ignore(NULL, line_text, &line) == HF_LINE_PIN)
            hf_pins_add(&build->pins, line.name, line.digest);
    return build->pins.items.failed ? HF_NOMEM : HF_OK;
}

static enum hf_status find_pins(struct hf_build *build, const char *path, unsigned depth)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return HF_OK;
    if (!S_ISDIR(st.st_mode))
        return S_ISREG(st.st_mode) ? read_pins(build, last_name(path), fd) : HF_OK;
    struct dirent **entries = NULL;
    int n = depth > 0 ? scandir(path, &entries, keep_entry, by_bytes) : 0;
    enum hf_status status = HF_OK;
    for (int i = 0; i < n; i++) {
        char *inner = NULL;
        bool leads = entries[i]->d_type != DT_REG || is_ignore_list(entries[i]->d_name);
        if (leads && status == HF_OK &&
            asprintf(&inner, "%s/%s", path, entries[i]->d_name) >= 0) {
            status = find_pins(build, inner, depth - 1);
            free(inner);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum hf_status hf_build_read_pins(struct hf_build *build, const char *const *paths,
                                  size_t count)
{
    enum { DEPTH = 16 };
    enum hf_status st = HF_OK;
    for (size_t i = 0; i < count && st == HF_OK; i++)
        st = find_pins(build, paths[i], DEPTH);
    return st;
}

static bool is_source(const char *name)
{
    return hf_text_format_of(name) != NULL || hf_cvd_kind_of(name) != HF_CVD_NONE;
}

/* named: given by the caller, so that what is no source is an error; in folders it is not. */
static enum hf_status read_entry(struct hf_build *build, const char *path, const char *name,
                                 bool named)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return refuse(build, path);
    if (S_ISDIR(st.st_mode))
        return read_folder(build, path, named ? "" : name);
    if (!named && (!is_source(name) || !S_ISREG(st.st_mode)))
        return HF_OK;
    return read_file(build, fd, path, name);
}

enum hf_status hf_build_read_path(struct hf_build *build, const char *path)
{
    return read_entry(build, path, last_name(path), true);
}

static int compare_paths(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int order = strcmp(last_name(x), last_name(y));
    return order != 0 ? order : strcmp(x, y);
}

enum hf_status hf_build_read_paths(struct hf_build *build, const char *const *paths,
                                   size_t count)
{
    const char **sorted = reallocarray(NULL, count + 1, sizeof *sorted);
    if (sorted == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++)
        sorted[i] = paths[i];
    qsort((void *)sorted, count, sizeof *sorted, compare_paths);
    enum hf_status st = hf_build_read_pins(build, paths, count);
    for (size_t i = 0; i < count && st == HF_OK; i++)
        st = hf_build_read_path(build, sorted[i]);
    free((void *)sorted);
    return st;
}
