#include "cli/rules_sources.h"

#include "base/auto.h"
#include "base/fd.h"
#include "cli/walk.h"
#include "format/schema.h"
#include "pattern/search.h"
#include "rules/externals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOURCE_MAX = 1 << 30 };

static bool ends_with(struct hf_bytes path, const char *ending)
{
    size_t n = strlen(ending);
    return path.len > n && memcmp(path.data + path.len - n, ending, n) == 0;
}

static bool take_file(struct hf_rules_sources *s, struct hf_bytes path, int fd)
{
    struct hf_rules_source *all = realloc(s->items, (s->count + 1) * sizeof *all);
    if (all == NULL)
        return false;
    s->items = all;
    struct hf_rules_source *new = &all[s->count++];
    *new = (struct hf_rules_source){.path = strndup((const char *)path.data, path.len)};
    return new->path != NULL &&hf_fd_read_all(fd, SOURCE_MAX, &new->text) == HF_OK;
}

static bool take_path(struct hf_rules_sources *s, const struct hf_arguments *arguments,
                      struct hf_walk *walk, const char *path)
{
    struct hf_walk_entry entry;
    bool good = hf_walk_begin(walk, hf_bytes_text(path)) == HF_OK;
    for (enum hf_walk_kind kind;
         good && (kind = hf_walk_next(walk, &entry)) != HF_WALK_END;) {
        if (kind == HF_WALK_ERROR || kind == HF_WALK_BUSY) {
            hf_complain(arguments, "%.*s: %s", (int)entry.path.len,
                        (const char *)entry.path.data,
                        strerror(kind == HF_WALK_BUSY ? EMFILE : entry.error));
            return false;
        }
        if (kind != HF_WALK_FILE)
            continue;
        bool named = hf_bytes_equal(entry.path, hf_bytes_text(path));
        if (named || ends_with(entry.path, ".yar") || ends_with(entry.path, ".yara"))
            good = take_file(s, entry.path, entry.fd);
        close(entry.fd);
    }
    if (!good)
        hf_complain(arguments, "%s: cannot be read", path);
    return good;
}

bool hf_rules_sources_read(struct hf_rules_sources *sources,
                           const struct hf_arguments *arguments)
{
    struct hf_walk_options options = {.follow_symlinks = true};
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(&options);
    *sources = (struct hf_rules_sources){0};
    bool good = walk != NULL;
    for (size_t i = 0; walk != NULL && i < arguments->operand_count; i++)
        good = take_path(sources, arguments, walk, arguments->operands[i]) && good;
    return good;
}

void hf_rules_sources_done(struct hf_rules_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].path);
        hf_buffer_done(&sources->items[i].text);
    }
    free(sources->items);
    *sources = (struct hf_rules_sources){0};
}

static enum hf_status include(void *user, const char *path, const char *from,
                              struct hf_arena *arena, const char **name,
                              struct hf_bytes *text)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer full = {0}, content = {0};
    (void)user;
    const char *slash = strrchr(from, '/');
    if (path[0] != '/' && slash != NULL)
        hf_buffer_add(&full, from, (size_t)(slash - from) + 1);
    hf_buffer_text(&full, path);
    *name = full.failed ? NULL : hf_arena_text(arena, hf_buffer_view(&full));
    if (*name == NULL)
        return HF_NOMEM;
    HF_AUTO(hf_fd_release) int fd = open(*name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || hf_fd_read_all(fd, SOURCE_MAX, &content) != HF_OK)
        return HF_IO;
    *text = hf_arena_copy(arena, hf_buffer_view(&content));
    return text->data == NULL && content.len > 0 ? HF_NOMEM : HF_OK;
}

struct hf_yara *hf_rules_compiler(void (*message)(void *user,
                                                  const struct hf_yara_message *message),
                                  void *user)
{
    static struct hf_yara_external externals[HF_EXTERNALS];
    for (size_t i = 0; i < HF_EXTERNALS; i++)
        externals[i] = (struct hf_yara_external){.name = hf_external_names[i],
                                                 .value = hf_external_values[i]};
    const struct hf_yara_options options = {
        .modules = hf_fact_modules,
        .module_count = hf_fact_module_count,
        .externals = externals,
        .external_count = HF_EXTERNALS,
        .include = include,
        .message = message,
        .user = user,
    };
    return hf_yara_new(&options);
}

/* ---- costs ---- */

static bool on_needle(void *user, const struct hf_needle *needle)
{
    struct hf_rules_cost *cost = user;
    if (cost->needles++ == 0 || needle->bytes.len < cost->anchor_length) {
        cost->anchor_length = needle->bytes.len;
        cost->anchor_shown = needle->bytes.len < sizeof cost->anchor ? needle->bytes.len
                                                                     : sizeof cost->anchor;
        memcpy(cost->anchor, needle->bytes.data, cost->anchor_shown);
    }
    return true;
}

/* Whether an anchor is one byte over and over: padding, which files are full of. */
static bool is_padding(const struct hf_rules_cost *cost)
{
    for (size_t i = 1; i < cost->anchor_shown; i++)
        if (cost->anchor[i] != cost->anchor[0])
            return false;
    return cost->anchor_shown > 0;
}

void hf_rules_cost(const struct hf_yara_string *string, struct hf_rules_cost *cost)
{
    enum { NEEDLES_MANY = 300 };
    *cost = (struct hf_rules_cost){.why = ""};
    if (hf_pattern_is_placed(&string->pattern)) {
        cost->class = "located";
        cost->why = "looked at in its place only";
        return;
    }
    enum hf_status st = hf_pattern_needles(&string->pattern, on_needle, cost);
    if (st != HF_OK || cost->needles == 0) {
        cost->class = "loose";
        cost->slow = true;
        cost->why = "no fixed bytes to search for: tried wherever its first bytes fit";
        return;
    }
    cost->class = cost->anchor_length >= 9   ? "long"
                  : cost->anchor_length >= 7 ? "middle"
                  : cost->anchor_length >= 5 ? "short"
                  : cost->anchor_length == 4 ? "gram"
                                             : "tiny";
    cost->slow = cost->anchor_length < 4 || is_padding(cost);
    if (cost->anchor_length < 4)
        cost->why = "at most three fixed bytes in a row: found often, wherever they are";
    else if (cost->slow)
        cost->why = "its fixed bytes are one byte repeated, which files are full of";
    else if (cost->needles > NEEDLES_MANY) {
        cost->slow = true;
        cost->why = "searched for in very many forms";
    }
}
